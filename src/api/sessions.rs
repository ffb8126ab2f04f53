//! What the Web Connector did, and who did what.

use actix_web::HttpResponse;
use actix_web::web;

use crate::api::auth::Admin;
use crate::api::auth::Reader;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::path::Id;
use crate::api::path::Named;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::shape::Activity;
use crate::api::shape::Session;
use crate::api::shape::SessionWithCalls;
use crate::domain::ids::SessionId;
use crate::engine::Engine;
use crate::engine::EngineError;

/// How many calls of a session are shown.
const MAX_CALLS: usize = 1000;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/connections/{connection}/sessions").route(web::get().to(sessions)))
        .service(
            web::resource("/connections/{connection}/sessions/{id}").route(web::get().to(session)),
        )
        .service(web::resource("/connections/{connection}/activity").route(web::get().to(activity)))
        .service(web::resource("/activity").route(web::get().to(activity_of_server)));
}

/// List the sessions of the Web Connector, newest first.
#[utoipa::path(get, path = "/v1/connections/{connection}/sessions", tag = "sessions",
    params(Part), responses((status = 200, body = Listed<Session>)))]
async fn sessions(
    _: Reader,
    named: Named,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?.id;
    let name = format!("sessions/{connection}");
    let cursor = part.0.cursor(&name)?;
    let page = engine.store().sessions(&connection, cursor.as_deref(), part.0.limit()).await?;
    Ok(HttpResponse::Ok().json(Listed::part(&name, page, Session::from)))
}

/// Show a session, call by call.
#[utoipa::path(get, path = "/v1/connections/{connection}/sessions/{id}", tag = "sessions",
    responses((status = 200, body = SessionWithCalls)))]
async fn session(
    _: Reader,
    named: Named,
    id: Id,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?.id;
    let id = SessionId(id.0);
    let found = engine.store().session(id).await?;
    let Some(session) = found.filter(|session| session.connection == connection) else {
        return Err(EngineError::NotFound(format!("session {id}")).into());
    };
    let calls = engine.store().calls(id, MAX_CALLS).await?;
    Ok(HttpResponse::Ok().json(SessionWithCalls::of(session, calls)))
}

/// List who did what, newest first.
#[utoipa::path(get, path = "/v1/connections/{connection}/activity", tag = "sessions",
    params(Part), responses((status = 200, body = Listed<Activity>)))]
async fn activity(
    _: Reader,
    named: Named,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?.id;
    let name = format!("activity/{connection}");
    let cursor = part.0.cursor(&name)?;
    let page = engine.store().activity(&connection, cursor.as_deref(), part.0.limit()).await?;
    Ok(HttpResponse::Ok().json(Listed::part(&name, page, Activity::from)))
}

/// List who did what with users, API keys and connections, newest first.
///
/// What was done within a connection is in its own activity.
#[utoipa::path(get, path = "/v1/activity", tag = "sessions",
    params(Part), responses((status = 200, body = Listed<Activity>)))]
async fn activity_of_server(
    _: Admin,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let cursor = part.0.cursor("activity")?;
    let page = engine.store().activity_of_server(cursor.as_deref(), part.0.limit()).await?;
    Ok(HttpResponse::Ok().json(Listed::part("activity", page, Activity::from)))
}
