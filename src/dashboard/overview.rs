//! The overview: every connection in a sentence.

use std::fmt::Write as _;

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
}

async fn overview(visitor: Visitor, engine: web::Data<Engine>) -> Result<HttpResponse, Trouble> {
    let mut connections = Vec::new();
    let (mut failed, mut waiting) = (0, 0);
    let all = engine.store().connections().await?;
    for connection in all.iter().take(MOST) {
        let health = engine.health(&connection.id).await?;
        failed += health.counts.of(Status::Failed);
        waiting += health.counts.of(Status::Queued);
        connections.push(Card::of(&engine, connection, &health).await?);
    }
    let mut sentence = match (failed, waiting) {
        (0, 0) => "Nothing waits, and nothing needs you.".to_owned(),
        (0, waiting) => format!("{waiting} wait for the next session; nothing needs you."),
        (failed, 0) => format!("{failed} need a person."),
        (failed, waiting) => {
            format!("{failed} need a person; {waiting} wait for the next session.")
        }
    };
    if all.len() > MOST {
        let _ = write!(sentence, " The first {MOST} of {} connections are shown.", all.len());
    }
    let frame = Frame::of(&visitor, "Overview", "overview");
    Ok(show(&Page { frame, sentence, connections }))
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
            return Ok(see_refusal("/", &sentence(&error.to_string())));
        }
        Err(error) => return Err(error.into()),
    };
    let token = engine.begin_pairing(&made.id, &visitor.actor()).await?;
    Ok(see(&format!("/pair/{token}")))
}
