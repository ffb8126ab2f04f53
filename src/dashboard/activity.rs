//! Who did what: within a connection, and with users, API keys and connections.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::show;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::view;
use crate::dashboard::view::When;
use crate::dashboard::visitor::Visitor;
use crate::domain::activity::Activity;
use crate::domain::activity::Scope;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::engine::Engine;

/// Lines on a page.
const PAGE: usize = 100;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/c/{connection}/activity").route(web::get().to(page)))
        .service(web::resource("/activity").route(web::get().to(of_server)));
}

struct Line {
    at: When,
    actor: String,
    action: String,
    subject: String,
    href: Option<String>,
    detail: String,
}

impl Line {
    /// A line of the activity; what it names of a connection leads there.
    fn of(it: Activity, connection: Option<&ConnectionId>) -> Self {
        let parts = connection.zip(it.subject.split_once('/'));
        let key =
            parts.and_then(|(connection, (kind, id))| RecordKey::new(connection, kind, id).ok());
        Self {
            at: When::at(it.at),
            actor: it.actor,
            action: it.action,
            href: key.map(|key| view::href(&key)),
            subject: it.subject,
            detail: it.detail,
        }
    }
}

#[derive(Template)]
#[template(path = "activity.html")]
struct Page {
    frame: Frame,
    /// What it is of, where that is not a connection.
    lead: &'static str,
    rows: Vec<Line>,
    next: Option<String>,
}

async fn page(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let asked = Fields::of_query(request.query_string());
    let connection = known(&engine, &id).await?;
    let page = engine.store().activity(&connection.id, asked.given("cursor"), PAGE).await?;
    let rows = page.items.into_iter().map(|it| Line::of(it, Some(&connection.id)));
    let frame = Frame::of(&visitor, "Activity", "activity").within(&connection);
    let next = page.next.map(|next| format!("?cursor={next}"));
    Ok(show(&Page { frame, lead: "", rows: rows.collect(), next }))
}

async fn of_server(
    request: HttpRequest,
    visitor: Visitor,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.may(Scope::Admin)?;
    let asked = Fields::of_query(request.query_string());
    let page = engine.store().activity_of_server(asked.given("cursor"), PAGE).await?;
    let rows = page.items.into_iter().map(|it| Line::of(it, None));
    let lead = "What was done with users, API keys and connections. What was done within a \
                connection is in its own activity.";
    let next = page.next.map(|next| format!("?cursor={next}"));
    let frame = Frame::of(&visitor, "Activity", "server-activity");
    Ok(show(&Page { frame, lead, rows: rows.collect(), next }))
}
