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
use crate::domain::connection::Host;
use crate::domain::ids::ConnectionId;
use crate::domain::record::Status;
use crate::engine::ConnectionChange;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::same_path;
use crate::qwc;
use crate::qwc::Reach;

/// Sessions that are shown.
const SESSIONS: usize = 10;
/// What can be done about numbers, in words.
const POLICIES: [(&str, &str); 3] = [
    ("fail", "keep it back until a person decides"),
    ("warn", "send it, with a remark"),
    ("suffix", "give it a number of its own"),
];

/// What the form of the settings has; a box that is not ticked is not sent.
const SETTINGS: [&str; 5] = ["name", "companyFile", "everyMinutes", "duplicateNumbers", "mirror"];

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
    name: String,
    unfit: Option<String>,
    findings: Vec<Found>,
    queue: String,
    schedule: String,
    file: String,
    /// The one that is asked for, if it is not the one that was seen last.
    file_wanted: Option<String>,
    host: String,
    told: Vec<(&'static str, String)>,
    paused: bool,
    pairing: bool,
    sessions: Vec<SessionRow>,
    username: String,
    company_file: String,
    every: String,
    policies: Vec<Choice>,
    mirror: bool,
    mirrored: u64,
    once: String,
}

async fn page(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    let connection = known(&engine, &id).await?;
    let health = engine.health(&connection.id).await?;
    let store = engine.store();
    let host = health.host.clone().unwrap_or_default();
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
        fixes: view::help(words.fixes, |_| false).into_iter().map(FixRow::from).collect(),
    });
    let waiting = health.counts.of(Status::Queued) + health.counts.requests_queued;
    let frame = Frame::of(&visitor, "Connection", "connection").within(&connection);
    let unfit = base(&request, &settings).ok().and_then(|base| unfit(&base));
    let typed = Fields::typed(request.query_string(), frame.alert.is_some());
    let was_typed = typed.given("typed").is_some();
    let field = |name, stored: &str| if was_typed { typed.text(name) } else { stored }.to_owned();
    Ok(show(&Page {
        frame,
        unfit,
        findings: findings.collect(),
        queue: queue(waiting, pace),
        schedule: schedule(connection.every_minutes),
        told: told_of(&host),
        file_wanted: connection
            .company_file
            .clone()
            .filter(|wanted| !same_path(wanted, &host.company_file)),
        file: or_dash(host.company_file),
        host: or_dash(format!("{} {}", host.product, host.qbxml_version).trim().to_owned()),
        paused: connection.pause.is_some(),
        pairing: connection.pairing.is_some(),
        sessions,
        username: connection.username.clone(),
        name: field("name", &connection.name),
        company_file: field("companyFile", connection.company_file.as_deref().unwrap_or_default()),
        every: field("everyMinutes", &connection.every_minutes.to_string()),
        policies: view::choices(
            POLICIES,
            &field("duplicateNumbers", connection.duplicate_numbers.as_str()),
        ),
        mirror: if was_typed { typed.given("mirror").is_some() } else { connection.mirror },
        mirrored: store.mirror_size(&connection.id).await?,
        once: engine.secret(),
        c: Card::of(&engine, &connection, &health).await?,
    }))
}

/// Why a Web Connector would not take a `.qwc` that names this address.
fn unfit(base: &str) -> Option<String> {
    let Reach::Refused(why) = qwc::reach(base) else { return None };
    Some(format!("This .qwc would name {base}: {why}. On the server {MEND}.", MEND = qwc::MEND))
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

/// What a company file told of itself that decides about records.
fn told_of(host: &Host) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    if let Some(date) = &host.closing_date {
        told.push(("Closed up to", date.clone()));
    }
    let off = host.features().into_iter().filter(|(_, on)| *on == Some(false));
    let off: Vec<_> = off.map(|(name, _)| name.replace('_', " ")).collect();
    if !off.is_empty() {
        told.push(("Turned off there", off.join(", ")));
    }
    let words = [
        ("DefaultItemSalesTaxRef", "Usual sales tax"),
        ("DefaultTaxableSalesTaxCodeRef", "Usual tax code"),
        ("DefaultNonTaxableSalesTaxCodeRef", "Tax code of what is not taxed"),
        ("DefaultShipMethodRef", "Usual shipping method"),
        ("DefaultFOB", "Usual F.O.B."),
        ("DefaultMarkup", "Usual markup, in percent"),
        ("DaysBillsAreDue", "Days until a bill is due"),
        ("DefaultDiscountAccountRef", "Account of discounts"),
    ];
    let usual = words.into_iter().filter_map(|(element, words)| {
        host.defaults.get(element).map(|value| (words, value.clone()))
    });
    told.extend(usual);
    told
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
        "settings" => save(&engine, &connection, &form, &visitor).await,
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
            let typed = format!("{home}?typed=1&{}", form.query(&SETTINGS));
            let back = if action == "settings" { typed } else { home };
            Ok(see_refusal(&back, &sentence(&why)))
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

/// Saves what the form says; what is to be said of that.
async fn save(
    engine: &Engine,
    connection: &Connection,
    form: &Fields,
    visitor: &Visitor,
) -> Result<&'static str, EngineError> {
    let policy = DuplicateNumbers::ALL
        .into_iter()
        .find(|policy| policy.as_str() == form.text("duplicateNumbers"));
    let minutes = form.text("everyMinutes").trim().parse().map_err(|_| EngineError::BadInput {
        pointer: "/everyMinutes".to_owned(),
        why: "the interval is a whole number of minutes".to_owned(),
    })?;
    let change = ConnectionChange {
        name: Some(form.text("name").to_owned()),
        company_file: Some(form.given("companyFile").map(str::to_owned)),
        every_minutes: Some(minutes),
        app_name: None,
        duplicate_numbers: policy,
        mirror: Some(form.given("mirror").is_some()),
    };
    let changed = engine.change_connection(&connection.id, change, &visitor.actor()).await?;
    let before = connection.company_file.as_deref().unwrap_or_default();
    let other = changed.company_file.as_ref().is_some_and(|wanted| !same_path(wanted, before));
    Ok(if other {
        "Saved. Sessions with another company file open are refused from now on."
    } else {
        "Saved."
    })
}
