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

/// One line, as pages show it.
pub(super) struct Line {
    pub(super) at: When,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) href: Option<String>,
    pub(super) detail: String,
}

impl Line {
    /// A line of the activity; the record that it is about is a link.
    pub(super) fn of(it: Activity) -> Self {
        Self {
            href: it.record().map(|key| view::href(&key)),
            at: When::at(it.at),
            actor: it.actor,
            action: it.action,
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
    /// The one record that it is about, if one was asked for.
    record: Option<(String, String)>,
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
    let (store, cursor) = (engine.store(), asked.given("cursor"));
    let key = match asked.given("record") {
        Some(path) => Some(record(&connection.id, path).ok_or_else(Trouble::nowhere)?),
        None => None,
    };
    let page = match &key {
        Some(key) => store.activity_of(key, cursor, PAGE).await?,
        None => store.activity(&connection.id, cursor, PAGE).await?,
    };
    let kept = asked.query(&["record"]);
    let next = page.next.map(|next| format!("?{kept}&cursor={next}"));
    let rows = page.items.into_iter().map(Line::of).collect();
    let frame = Frame::of(&visitor, "Activity", "activity").within(&connection);
    let record = key.map(|key| (view::href(&key), key.path()));
    Ok(show(&Page { frame, lead: "", record, rows, next }))
}

/// The record of a path.
fn record(connection: &ConnectionId, path: &str) -> Option<RecordKey> {
    let (kind, source_id) = path.split_once('/')?;
    RecordKey::new(connection, kind, source_id).ok()
}

async fn of_server(
    request: HttpRequest,
    visitor: Visitor,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.may(Scope::Admin)?;
    let asked = Fields::of_query(request.query_string());
    let page = engine.store().activity_of_server(asked.given("cursor"), PAGE).await?;
    let rows = page.items.into_iter().map(Line::of);
    let lead = "What was done with users, API keys and connections. What was done within a \
                connection is in its own activity.";
    let next = page.next.map(|next| format!("?cursor={next}"));
    let frame = Frame::of(&visitor, "Activity", "server-activity");
    Ok(show(&Page { frame, lead, record: None, rows: rows.collect(), next }))
}
