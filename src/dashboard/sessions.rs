//! Sessions of the Web Connector, and each of their calls.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::show;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view;
use crate::dashboard::view::When;
use crate::dashboard::visitor::Visitor;
use crate::domain::activity::Call;
use crate::domain::ids::SessionId;
use crate::domain::session::Ending;
use crate::domain::session::Session;
use crate::engine::Engine;

/// Sessions on a page.
const PAGE: usize = 50;
/// Calls of a session that are shown, the last.
const CALLS: usize = 500;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/c/{connection}/sessions").route(web::get().to(list)))
        .service(web::resource("/c/{connection}/sessions/{session}").route(web::get().to(page)));
}

/// A session in a list.
pub(super) struct SessionRow {
    pub(super) href: String,
    pub(super) started: When,
    pub(super) took: String,
    pub(super) did: String,
    pub(super) state: &'static str,
    pub(super) mark: &'static str,
    pub(super) tone: &'static str,
    pub(super) why: String,
}

impl SessionRow {
    /// Of a session.
    pub(super) fn of(session: &Session) -> Self {
        let over = session.machine.ending.filter(|_| session.ended_at.is_some());
        let (state, mark, tone) = match (session.ended_at, over) {
            (None, _) => ("at work", "↗", "work"),
            (Some(_), Some(Ending::Trouble)) => ("broken off", "✗", "bad"),
            (Some(_), Some(Ending::Lost)) => ("fell silent", "…", "wait"),
            (Some(_), Some(Ending::Done) | None) => ("done", "✓", "ok"),
        };
        let why = match over {
            Some(Ending::Trouble) => sentence(&session.machine.last_error),
            Some(Ending::Lost) => {
                "No further call came; the next session goes on where it stopped.".to_owned()
            }
            Some(Ending::Done) | None => String::new(),
        };
        Self {
            href: href(session),
            started: When::at(session.started_at),
            took: view::took(session.last_call_at.duration_since(session.started_at)),
            did: did(session.accepted, session.refused),
            state,
            mark,
            tone,
            why,
        }
    }
}

/// Where the page of a session is.
pub(super) fn href(session: &Session) -> String {
    format!("/c/{}/sessions/{}", session.connection, session.id)
}

/// What a session did with records and requests, in words.
fn did(accepted: u64, refused: u64) -> String {
    match (accepted, refused) {
        (0, 0) => "nothing sent".to_owned(),
        (accepted, 0) => format!("{accepted} accepted"),
        (accepted, refused) => format!("{accepted} accepted, {refused} refused"),
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct List {
    frame: Frame,
    sessions: Vec<SessionRow>,
    next: Option<String>,
}

async fn list(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let asked = Fields::of_query(request.query_string());
    let connection = known(&engine, &id).await?;
    let page = engine.store().sessions(&connection.id, asked.given("cursor"), PAGE).await?;
    Ok(show(&List {
        frame: Frame::of(&visitor, "Sessions", "connection").within(&connection),
        sessions: page.items.iter().map(SessionRow::of).collect(),
        next: page.next.map(|next| format!("?cursor={next}")),
    }))
}

struct CallRow {
    at: String,
    operation: String,
    bytes: u64,
    took: String,
    answer: String,
}

#[derive(Template)]
#[template(path = "session.html")]
struct Page {
    frame: Frame,
    id: String,
    s: SessionRow,
    company_file: String,
    total: u32,
    calls: Vec<CallRow>,
}

async fn page(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let connection = known(&engine, &path.0).await?;
    let id = Uuid::parse_str(&path.1).map_err(|_| Trouble::nowhere())?;
    let session = engine.store().session(SessionId(id)).await?;
    let session = session.filter(|session| session.connection == connection.id);
    let session = session.ok_or_else(Trouble::nowhere)?;
    let calls = engine.store().calls(session.id, CALLS).await?;
    let rows = calls.iter().enumerate().map(|(index, call)| CallRow {
        at: call.at.strftime("%H:%M:%S%.3f").to_string(),
        operation: call.operation.clone(),
        bytes: call.bytes,
        took: durations(call, index.checked_sub(1).and_then(|before| calls.get(before))),
        answer: call.answer.clone(),
    });
    Ok(show(&Page {
        frame: Frame::of(&visitor, "Session", "connection").within(&connection),
        id: connection.id.to_string(),
        s: SessionRow::of(&session),
        company_file: session.company_file.clone(),
        total: session.calls,
        calls: rows.collect(),
    }))
}

/// How long Bookbridge took for a call and, if it brings an answer, QuickBooks before it.
fn durations(call: &Call, before: Option<&Call>) -> String {
    let Some(took) = call.took.and_then(|took| i64::try_from(took).ok()) else {
        return "–".to_owned();
    };
    let took = SignedDuration::from_millis(took);
    match before.filter(|_| call.operation == "receiveResponseXML") {
        Some(before) => {
            let quickbooks = call.at.duration_since(before.at) - took;
            format!("{}, QuickBooks {}", view::took(took), view::took(quickbooks))
        }
        None => view::took(took),
    }
}
