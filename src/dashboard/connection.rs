//! A connection: how it is, its sessions, and what an admin does with it.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use secrecy::ExposeSecret as _;

use crate::dashboard::DashboardSettings;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::DONE_ALREADY;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::Sure;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::see_saying;
use crate::dashboard::frame::show;
use crate::dashboard::sessions::SessionRow;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view;
use crate::dashboard::view::Card;
use crate::dashboard::view::Choice;
use crate::dashboard::view::Help;
use crate::dashboard::visitor::Visitor;
use crate::dashboard::visitor::base;
use crate::diagnosis;
use crate::domain::activity::Scope;
use crate::domain::connection::Connection;
use crate::domain::connection::DuplicateNumbers;
use crate::domain::ids::ConnectionId;
use crate::domain::record::Status;
use crate::engine::ConnectionChange;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::qwc;

/// Sessions that are shown.
const SESSIONS: usize = 10;
/// What can be done about numbers, in words.
const POLICIES: [(&str, &str); 3] = [
    ("fail", "keep it back until a person decides"),
    ("warn", "send it, with a remark"),
    ("suffix", "give it a number of its own"),
];

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/c/{connection}").route(web::get().to(page)))
        .service(web::resource("/c/{connection}/qwc").route(web::get().to(download)))
        .service(
            web::resource("/c/{connection}/{action:settings|sync-now|pause|resume|pair|unpair|refresh-mirror|rotate-password|rotate-identity|remove}")
                .route(web::post().to(act)),
        );
}

/// The connection of an address.
pub(super) async fn known(engine: &Engine, id: &str) -> Result<Connection, Trouble> {
    let id = ConnectionId::parse(id).map_err(|_| Trouble::nowhere())?;
    engine.store().connection(&id).await?.ok_or_else(Trouble::nowhere)
}

struct Found {
    title: String,
    detail: String,
    fixes: Vec<FixRow>,
}

struct FixRow {
    label: String,
    how: Option<String>,
}

#[derive(Template)]
#[template(path = "connection.html")]
struct Page {
    frame: Frame,
    c: Card,
    findings: Vec<Found>,
    queue: String,
    schedule: String,
    file: String,
    host: String,
    paused: bool,
    pairing: bool,
    sessions: Vec<SessionRow>,
    username: String,
    company_file: String,
    every: u32,
    policies: Vec<Choice>,
    mirror: bool,
    mirrored: u64,
    once: String,
}

async fn page(
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let connection = known(&engine, &id).await?;
    let health = engine.health(&connection.id).await?;
    let store = engine.store();
    let host = store.state(&connection.id).await?.and_then(|state| state.host).unwrap_or_default();
    let (mut sessions, mut pace) = (Vec::new(), None);
    for session in store.sessions(&connection.id, None, SESSIONS).await?.items {
        let took = session.last_call_at.duration_since(session.started_at).as_secs_f64();
        let did = u32::try_from(session.accepted + session.refused).unwrap_or(u32::MAX);
        if pace.is_none() && did > 0 && took > 0.0 {
            pace = Some(f64::from(did) / took);
        }
        sessions.push(SessionRow::of(&session));
    }
    let findings = health.findings.iter().map(diagnosis::render).map(|words| Found {
        title: words.title,
        detail: words.detail,
        fixes: view::help(words.fixes, Status::Queued).into_iter().map(FixRow::from).collect(),
    });
    let waiting = health.counts.of(Status::Queued) + health.counts.requests_queued;
    let frame = Frame::of(&visitor, "Connection", "connection").within(&connection);
    Ok(show(&Page {
        frame,
        findings: findings.collect(),
        queue: queue(waiting, pace),
        schedule: schedule(connection.every_minutes),
        file: or_dash(host.company_file),
        host: or_dash(format!("{} {}", host.product, host.qbxml_version).trim().to_owned()),
        paused: connection.pause.is_some(),
        pairing: connection.pairing.is_some(),
        sessions,
        username: connection.username.clone(),
        company_file: connection.company_file.clone().unwrap_or_default(),
        every: connection.every_minutes,
        policies: view::choices(POLICIES, connection.duplicate_numbers.as_str()),
        mirror: connection.mirror,
        mirrored: store.mirror_size(&connection.id).await?,
        once: engine.secret(),
        c: Card::of(&engine, &connection, &health).await?,
    }))
}

impl From<Help> for FixRow {
    fn from(help: Help) -> Self {
        Self { label: help.label, how: Some(help.how).filter(|how| !how.is_empty()) }
    }
}

/// How many wait, and how long that takes at the pace of the last session that did anything.
fn queue(waiting: u64, pace: Option<f64>) -> String {
    match (waiting, pace) {
        (0, _) => "nothing".to_owned(),
        (waiting, None) => format!("{waiting}"),
        (waiting, Some(pace)) => {
            let waiting_32 = u32::try_from(waiting).unwrap_or(u32::MAX);
            let minutes = (f64::from(waiting_32) / pace / 60.0).ceil();
            format!("{waiting}, about {minutes} min at the pace of the last session")
        }
    }
}

/// How often the Web Connector comes by itself.
fn schedule(minutes: u32) -> String {
    match minutes {
        1 => "every minute, by its .qwc".to_owned(),
        minutes => format!("every {minutes} minutes, by its .qwc"),
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

async fn download(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    visitor.may(Scope::Admin)?;
    let connection = known(&engine, &id).await?;
    Ok(file(&connection, &base(&request, &settings)?))
}

/// The `.qwc`: the same bytes each time.
pub(super) fn file(connection: &Connection, base: &str) -> HttpResponse {
    let (app, support) = (format!("{base}/qbwc"), format!("{base}/support"));
    let name = format!("attachment; filename=\"{}.qwc\"", connection.id);
    HttpResponse::Ok()
        .content_type("application/x-qwc")
        .insert_header((actix_web::http::header::CONTENT_DISPOSITION, name))
        .body(qwc::write(connection, &app, &support))
}

#[derive(Template)]
#[template(path = "secret.html")]
pub(super) struct Secret<'a> {
    pub(super) frame: Frame,
    pub(super) what: &'a str,
    pub(super) sentence: &'a str,
    pub(super) text: &'a str,
    pub(super) back: &'a str,
}

async fn act(
    request: HttpRequest,
    visitor: Visitor,
    path: web::Path<(String, String)>,
    form: Fields,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    let (id, action) = path.into_inner();
    let needed = if action == "sync-now" { Scope::Write } else { Scope::Admin };
    visitor.sent(&form, needed)?;
    let connection = known(&engine, &id).await?;
    let (id, actor) = (&connection.id, visitor.actor());
    let home = format!("/c/{id}");
    let frame = |title| Frame::of(&visitor, title, "connection").within(&connection);
    if let Some((title, would)) = asks_first(&action)
        && form.given("sure").is_none()
    {
        let counts = engine.store().counts(id).await?;
        let would = would.replace("{records}", &counts.records.values().sum::<u64>().to_string());
        return Ok(show(&Sure {
            frame: frame(title),
            title,
            place: &connection.name,
            home: &home,
            action: &format!("{home}/{action}"),
            would: &would,
            pairs: &[],
            hidden: &[("once", &engine.secret())],
        }));
    }
    if !settings.logins.is_first(form.text("once")) {
        return Ok(see_refusal(&home, DONE_ALREADY));
    }
    let done = match action.as_str() {
        "sync-now" => engine.sync_now(id, &actor).await.map(|_| {
            "The next session is not postponed. Press Update Selected in the Web Connector to have it at once."
        }),
        "pause" => engine.pause(id, &actor).await.map(|_| "Paused. Nothing is sent until it is resumed."),
        "resume" => engine.resume(id, &actor).await.map(|_| "Resumed."),
        "refresh-mirror" => engine
            .refresh_mirror(id, &actor)
            .await
            .map(|_| "QuickBooks is asked for its lists at the next session."),
        "unpair" => engine.end_pairing(id, &actor).await.map(|()| "The pairing link is void."),
        "remove" => {
            engine.remove_connection(id, &actor).await?;
            return Ok(see_saying("/", &format!("{} is removed.", connection.name)));
        }
        "settings" => save(&engine, id, &form, &visitor).await.map(|()| "Saved."),
        "rotate-identity" => engine.rotate_identity(id, &actor).await.map(|_| {
            "It has a new identity. Remove the application from the Web Connector, and add its new .qwc."
        }),
        "rotate-password" => {
            let (_, password) = engine.rotate_password(id, &actor).await?;
            let sentence = "Type it into the Web Connector, in the Password column of this connection. It is shown this once.";
            return Ok(show(&Secret {
                frame: frame("New password"),
                what: "The new password of the Web Connector",
                sentence,
                text: password.expose_secret(),
                back: &home,
            }));
        }
        _ => {
            let token = engine.begin_pairing(id, &actor).await?;
            let link = format!("{}/pair/{token}", base(&request, &settings)?);
            let sentence = "Open it on the machine with QuickBooks. It works for 7 days, without a login; revoke it when it is no longer needed. It is shown this once.";
            return Ok(show(&Secret {
                frame: frame("Pairing link"),
                what: "The pairing link",
                sentence,
                text: &link,
                back: &format!("/pair/{token}"),
            }));
        }
    };
    match done {
        Ok(said) => Ok(see_saying(&home, said)),
        Err(EngineError::NotNow(why) | EngineError::BadInput { why, .. }) => {
            Ok(see_refusal(&home, &sentence(&why)))
        }
        Err(error) => Err(error.into()),
    }
}

/// A new password, and what it stops.
pub(super) const NEW_PASSWORD: (&str, &str) = (
    "Make a new password",
    "The old one is refused at once. Nothing is sent until the new one is typed into the Web Connector \
     on the machine with QuickBooks.",
);

/// What stops the Web Connector until somebody has been at its machine, or is lost for good.
fn asks_first(action: &str) -> Option<(&'static str, &'static str)> {
    match action {
        "rotate-password" => Some(NEW_PASSWORD),
        "rotate-identity" => Some((
            "Make a new identity",
            "Nothing is sent until the application is removed from the Web Connector and its new .qwc \
             is added there. QuickBooks asks for permission again.",
        )),
        "remove" => Some((
            "Remove the connection",
            "All its records ({records}), what became of them and its sessions are forgotten here, for \
             good. What stands in QuickBooks stays there: a record that is pushed to a new connection \
             later is made there once more, even if it is there already. Remove the application from \
             the Web Connector too.",
        )),
        _ => None,
    }
}

async fn save(
    engine: &Engine,
    id: &ConnectionId,
    form: &Fields,
    visitor: &Visitor,
) -> Result<(), EngineError> {
    let policy = DuplicateNumbers::ALL
        .into_iter()
        .find(|policy| policy.as_str() == form.text("duplicateNumbers"));
    let change = ConnectionChange {
        name: Some(form.text("name").to_owned()),
        company_file: Some(form.given("companyFile").map(str::to_owned)),
        every_minutes: form.text("everyMinutes").parse().ok(),
        app_name: None,
        duplicate_numbers: policy,
        mirror: Some(form.given("mirror").is_some()),
    };
    engine.change_connection(id, change, &visitor.actor()).await.map(|_| ())
}
