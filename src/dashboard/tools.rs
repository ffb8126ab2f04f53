//! Tools: check a record, validate qbXML, read a log of the Web Connector.

use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use serde_json::Value;

use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::show;
use crate::dashboard::qwclog;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view;
use crate::dashboard::view::Choice;
use crate::dashboard::view::choices;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::domain::activity::Scope;
use crate::domain::ids::ConnectionId;
use crate::domain::outcome::Finding;
use crate::domain::record::OnDuplicate;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::NewRecord;
use crate::qbxml::raw;
use crate::qbxml::version::Target;

/// Sessions that events of a log are matched with.
const SESSIONS: usize = 200;
/// An event belongs to a session that began or was called this long before or after it, in seconds.
const NEAR: i64 = 5;

/// Bytes of a form here, as they are sent: a log of the Web Connector has some millions. `app.js`
/// cuts to its end what is longer.
const LONGEST: usize = 8 << 20;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/tools")
            .app_data(web::FormConfig::default().limit(LONGEST))
            .route(web::get().to(page))
            .route(web::post().to(work)),
    );
}

struct Said {
    title: String,
    detail: String,
    pointer: String,
}

struct Event {
    at: String,
    what: String,
    means: String,
    bad: bool,
    href: Option<String>,
}

struct Told {
    sentence: String,
    events: Vec<Event>,
}

#[derive(Template)]
#[template(path = "tools.html")]
struct Page {
    frame: Frame,
    connections: Vec<Choice>,
    chosen: String,
    kind: String,
    data: String,
    checked: Option<Vec<Said>>,
    xml: String,
    validated: Option<Vec<Said>>,
    log: String,
    told: Option<Told>,
}

impl Page {
    async fn empty(visitor: &Visitor, engine: &Engine, chosen: &str) -> Result<Self, Trouble> {
        let all = engine.store().connections().await?;
        let ids: Vec<String> = all.into_iter().map(|it| it.id.to_string()).collect();
        let chosen = match ids.as_slice() {
            [only] => only.as_str(),
            _ => chosen,
        };
        Ok(Self {
            chosen: chosen.to_owned(),
            frame: Frame::of(visitor, "Tools", "tools"),
            connections: choices(ids.iter().map(|id| (id.as_str(), id.as_str())), chosen),
            kind: "Customer".to_owned(),
            data: "{\n  \"Name\": \"Jones\"\n}".to_owned(),
            checked: None,
            xml: String::new(),
            validated: None,
            log: String::new(),
            told: None,
        })
    }
}

async fn page(visitor: Visitor, engine: web::Data<Engine>) -> Result<HttpResponse, Trouble> {
    Ok(show(&Page::empty(&visitor, &engine, "").await?))
}

async fn work(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Read)?;
    let mut page = Page::empty(&visitor, &engine, form.text("connection")).await?;
    match form.text("tool") {
        "check" => {
            form.text("kind").trim().clone_into(&mut page.kind);
            form.text("data").clone_into(&mut page.data);
            page.checked = Some(check(&engine, &form).await?);
        }
        "qbxml" => {
            form.text("xml").clone_into(&mut page.xml);
            let found = raw::check_xml(&page.xml, &Target::default());
            page.validated = Some(said(&found.err().unwrap_or_default()));
        }
        _ => {
            form.text("log").clone_into(&mut page.log);
            page.told = Some(tell(&engine, &page.log).await?);
        }
    }
    Ok(show(&page))
}

fn said(findings: &[Finding]) -> Vec<Said> {
    let words = findings.iter().map(diagnosis::render);
    let said = words.map(|it| Said {
        title: it.title,
        detail: it.detail,
        pointer: it.pointer.unwrap_or_default(),
    });
    said.collect()
}

async fn check(engine: &Engine, form: &Fields) -> Result<Vec<Said>, Trouble> {
    let wrong = |title: &str, detail: String| {
        vec![Said { title: title.to_owned(), detail, pointer: String::new() }]
    };
    let data: Value = match serde_json::from_str(form.text("data")) {
        Ok(data) => data,
        Err(error) => return Ok(wrong("This is no JSON.", sentence(&error.to_string()))),
    };
    let id = ConnectionId::parse(form.text("connection")).map_err(|_| Trouble::nowhere())?;
    let new = NewRecord {
        kind: form.text("kind").trim().to_owned(),
        source_id: "a check on a page".to_owned(),
        data,
        posted: true,
        priority: 0,
        depends_on: Vec::new(),
        on_duplicate: OnDuplicate::Fail,
    };
    match engine.check(&id, vec![new]).await?.pop() {
        Some(Ok(findings)) => Ok(said(&findings)),
        Some(Err(EngineError::Store(error))) => Err(error.into()),
        Some(Err(error)) => Ok(wrong("It cannot be checked.", sentence(&error.to_string()))),
        None => Ok(Vec::new()),
    }
}

/// A log, with the sessions here that its events belong to.
async fn tell(engine: &Engine, log: &str) -> Result<Told, Trouble> {
    let events = qwclog::read(log);
    let mut sessions = Vec::new();
    for connection in engine.store().connections().await? {
        let page = engine.store().sessions(&connection.id, None, SESSIONS).await?;
        sessions.extend(page.items);
    }
    let shown = events.iter().map(|event| {
        let at = event.at.map(jiff::Timestamp::as_second);
        let session = sessions.iter().find(|session| {
            let from = session.started_at.as_second() - NEAR;
            let to = session.last_call_at.as_second() + NEAR;
            at.is_some_and(|at| (from..=to).contains(&at))
        });
        Event {
            at: event.at.map(view::time).unwrap_or_default(),
            what: event.what.clone(),
            means: event.means.clone(),
            bad: event.is_bad(),
            href: session
                .map(|session| format!("/c/{}/sessions/{}", session.connection, session.id)),
        }
    });
    Ok(Told { sentence: qwclog::conclude(&events), events: shown.collect() })
}
