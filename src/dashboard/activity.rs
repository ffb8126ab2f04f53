//! Who did what.

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
use crate::domain::ids::RecordKey;
use crate::engine::Engine;

/// Lines on a page.
const PAGE: usize = 100;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/c/{connection}/activity").route(web::get().to(page)));
}

struct Line {
    at: When,
    actor: String,
    action: String,
    subject: String,
    href: Option<String>,
    detail: String,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct Page {
    frame: Frame,
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
    let rows = page.items.into_iter().map(|it| {
        let parts = it.subject.split_once('/');
        let key = parts.and_then(|(kind, id)| RecordKey::new(&connection.id, kind, id).ok());
        Line {
            at: When::at(it.at),
            actor: it.actor,
            action: it.action,
            href: key.map(|key| view::href(&key)),
            subject: it.subject,
            detail: it.detail,
        }
    });
    let frame = Frame::of(&visitor, "Activity", "activity").within(&connection);
    let next = page.next.map(|next| format!("?cursor={next}"));
    Ok(show(&Page { frame, rows: rows.collect(), next }))
}
