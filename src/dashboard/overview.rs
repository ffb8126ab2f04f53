//! The overview: every connection in a sentence.

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::see;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::show;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view::Card;
use crate::dashboard::visitor::Visitor;
use crate::domain::activity::Scope;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Health;
use crate::engine::HealthState;
use crate::engine::NewConnection;

/// Connections that one page shows.
const MOST: usize = 100;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/").route(web::get().to(overview)))
        .service(web::resource("/connections").route(web::post().to(add)));
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    sentence: String,
    connections: Vec<Card>,
    name: String,
    company_file: String,
}

/// What stands where in all connections.
#[derive(Default)]
struct Seen {
    broken: u64,
    unpaired: u64,
    late: u64,
    paused: u64,
    failed: u64,
    queued: u64,
    unanswered: u64,
    blocked: u64,
    held: u64,
}

impl Seen {
    fn add(&mut self, health: &Health) {
        match health.state {
            HealthState::Blocked | HealthState::Offline => self.broken += 1,
            HealthState::NeverPaired => self.unpaired += 1,
            HealthState::Late => self.late += 1,
            HealthState::Paused => self.paused += 1,
            // Something is found although it works.
            HealthState::Ok | HealthState::Waiting => {
                self.broken += u64::from(!health.findings.is_empty());
            }
        }
        let of = |status| health.counts.of(status);
        self.failed += of(Status::Failed);
        self.queued += of(Status::Queued);
        self.unanswered += of(Status::Sent) + of(Status::InDoubt);
        self.blocked += of(Status::Blocked);
        self.held += of(Status::Held);
    }

    /// What needs somebody first, then what waits.
    fn sentence(&self) -> String {
        let several = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let needs = [
            several(self.broken, "connection needs you", "connections need you"),
            several(
                self.unpaired,
                "connection is not paired yet",
                "connections are not paired yet",
            ),
            several(self.late, "connection is late", "connections are late"),
            several(self.failed, "record needs a person", "records need a person"),
        ];
        let waits = [
            several(self.queued, "waits for the next session", "wait for the next session"),
            several(self.unanswered, "waits for its answer", "wait for their answers"),
            several(self.blocked, "waits for another record", "wait for other records"),
            several(self.held, "is held", "are held"),
            several(self.paused, "connection is paused", "connections are paused"),
        ];
        let (needs, waits): (Vec<_>, Vec<_>) =
            (needs.into_iter().flatten().collect(), waits.into_iter().flatten().collect());
        match (needs.is_empty(), waits.is_empty()) {
            (true, true) => "Nothing waits, and nothing needs you.".to_owned(),
            (true, false) => format!("{}; nothing needs you.", waits.join("; ")),
            (false, _) => format!("{}.", [needs, waits].concat().join("; ")),
        }
    }
}

async fn overview(
    request: HttpRequest,
    visitor: Visitor,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let mut connections = Vec::new();
    let mut seen = Seen::default();
    let all = engine.store().connections().await?;
    let twins = |name: &str| all.iter().filter(|it| it.name == name).count() > 1;
    for connection in all.iter().take(MOST) {
        let health = engine.health(&connection.id).await?;
        seen.add(&health);
        let card = Card::of(&engine, connection, &health).await?;
        connections.push(Card { twin: twins(&connection.name), ..card });
    }
    let mut sentence = seen.sentence();
    if all.len() > MOST {
        let _ = write!(sentence, " The first {MOST} of {} connections are shown.", all.len());
    }
    let frame = Frame::of(&visitor, "Overview", "overview");
    let typed = Fields::typed(request.query_string(), frame.alert.is_some());
    let (name, company_file) =
        (typed.text("name").to_owned(), typed.text("companyFile").to_owned());
    Ok(show(&Page { frame, sentence, connections, name, company_file }))
}

async fn add(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Admin)?;
    let new = NewConnection {
        name: form.text("name").to_owned(),
        company_file: form.given("companyFile").map(str::to_owned),
        ..NewConnection::default()
    };
    let made = match engine.add_connection(new, &visitor.actor()).await {
        Ok((made, _)) => made,
        Err(error @ EngineError::BadInput { .. }) => {
            let home = format!("/?{}", form.query(&["name", "companyFile"]));
            return Ok(see_refusal(&home, &sentence(&error.to_string())));
        }
        Err(error) => return Err(error.into()),
    };
    let token = engine.begin_pairing(&made.id, &visitor.actor()).await?;
    Ok(see(&format!("/pair/{token}")))
}
