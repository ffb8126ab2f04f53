//! Connections: made, changed, paused, rotated, removed.

use actix_web::HttpResponse;
use actix_web::web;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::auth::Admin;
use crate::api::auth::Reader;
use crate::api::base::Base;
use crate::api::body::Json;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::path::Named;
use crate::api::path::Word;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::query::nearest;
use crate::api::refusal::Refusal;
use crate::api::shape::Connection;
use crate::api::shape::Health;
use crate::domain::connection;
use crate::engine::ConnectionChange;
use crate::engine::Engine;
use crate::engine::NewConnection;
use crate::store::Page;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/connections").route(web::get().to(list)).route(web::post().to(add)),
        )
        .service(
            web::resource("/connections/{connection}")
                .route(web::get().to(show))
                .route(web::patch().to(change))
                .route(web::delete().to(remove)),
        )
        .service(
            web::resource("/connections/{connection}/actions/{word}").route(web::post().to(act)),
        )
        .service(web::resource("/connections/{connection}/health").route(web::get().to(health)));
}

/// A connection to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ConnectionToAdd {
    /// Its name in paths: 1 to 64 of a-z, 0-9 and '-'; made of `name` if missing.
    id: Option<String>,
    /// Shown to people: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Full path on the Web Connector's machine; if missing, the file that is open.
    company_file: Option<String>,
    /// The interval that the `.qwc` proposes: 1 to 10080, 5 if missing.
    #[schema(minimum = 1, maximum = 10080)]
    every_minutes: Option<u32>,
    /// Shown in the Web Connector and in QuickBooks; made of `name` if missing.
    app_name: Option<String>,
    /// What is done about a number that another transaction has; `fail` if missing.
    duplicate_numbers: Option<DuplicateNumbers>,
    /// Whether the mirror of the company file is kept fresh; false if missing.
    mirror: Option<bool>,
}

/// What is done about a number that another transaction of the same kind has.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DuplicateNumbers {
    /// The record fails, and a person decides.
    Fail,
    /// It is sent, with a remark.
    Warn,
    /// It gets a number of its own.
    Suffix,
}

impl From<DuplicateNumbers> for connection::DuplicateNumbers {
    fn from(policy: DuplicateNumbers) -> Self {
        match policy {
            DuplicateNumbers::Fail => Self::Fail,
            DuplicateNumbers::Warn => Self::Warn,
            DuplicateNumbers::Suffix => Self::Suffix,
        }
    }
}

/// What to change; what is missing stays as it is.
#[expect(clippy::option_option, reason = "null is not the same as missing")]
#[derive(Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[derive(Default)]
pub(super) struct ConnectionToChange {
    /// Shown to people.
    name: Option<String>,
    /// Full path on the Web Connector's machine; null: the file that is open.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    company_file: Option<Option<String>>,
    /// The interval that the `.qwc` proposes.
    every_minutes: Option<u32>,
    /// Shown in the Web Connector and in QuickBooks.
    app_name: Option<String>,
    /// What is done about a number that another transaction has.
    duplicate_numbers: Option<DuplicateNumbers>,
    /// Whether the mirror of the company file is kept fresh.
    mirror: Option<bool>,
}

/// Tells null from missing.
#[expect(clippy::option_option, reason = "null is not the same as missing")]
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A body with nothing in it.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Make a connection.
///
/// The answer holds the Web Connector's password, this once.
#[utoipa::path(post, path = "/v1/connections", tag = "connections",
    request_body = ConnectionToAdd, responses((status = 201, body = Connection)))]
async fn add(
    caller: Admin,
    base: Base,
    _: Params<()>,
    body: Json<ConnectionToAdd>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let new = body.0;
    let new = NewConnection {
        id: new.id,
        name: new.name,
        company_file: new.company_file,
        every_minutes: new.every_minutes,
        app_name: new.app_name,
        duplicate_numbers: new.duplicate_numbers.map(Into::into).unwrap_or_default(),
        mirror: new.mirror.unwrap_or_default(),
    };
    let (connection, password) = engine.add_connection(new, &caller.0).await?;
    let location = format!("/v1/connections/{}", connection.id);
    let token = engine.begin_pairing(&connection.id, &caller.0).await?;
    let shape = Connection::of(connection, &base.0).with_password(&password);
    let shape = shape.with_pairing(&format!("{}/pair/{token}", base.0));
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(shape))
}

/// List the connections.
#[utoipa::path(get, path = "/v1/connections", tag = "connections", params(Part),
    responses((status = 200, body = Listed<Connection>)))]
async fn list(
    _: Reader,
    base: Base,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let after = part.0.cursor("connections")?;
    let mut all = engine.store().connections().await?;
    all.retain(|connection| after.as_deref().is_none_or(|after| connection.id.as_str() > after));
    let more = all.len() > part.0.limit();
    all.truncate(part.0.limit());
    let next = all.last().filter(|_| more).map(|last| last.id.to_string());
    let page = Page { items: all, next };
    let shape = |connection| Connection::of(connection, &base.0);
    Ok(HttpResponse::Ok().json(Listed::part("connections", page, shape)))
}

/// Show a connection.
#[utoipa::path(get, path = "/v1/connections/{connection}", tag = "connections",
    responses((status = 200, body = Connection)))]
async fn show(
    _: Reader,
    base: Base,
    named: Named,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?;
    Ok(HttpResponse::Ok().json(Connection::of(connection, &base.0)))
}

/// Change a connection.
#[utoipa::path(patch, path = "/v1/connections/{connection}", tag = "connections",
    request_body = ConnectionToChange, responses((status = 200, body = Connection)))]
async fn change(
    caller: Admin,
    base: Base,
    named: Named,
    _: Params<()>,
    body: Json<ConnectionToChange>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let change = ConnectionChange {
        name: body.0.name,
        company_file: body.0.company_file,
        every_minutes: body.0.every_minutes,
        app_name: body.0.app_name,
        duplicate_numbers: body.0.duplicate_numbers.map(Into::into),
        mirror: body.0.mirror,
    };
    let connection = engine.change_connection(&named.0, change, &caller.0).await?;
    Ok(HttpResponse::Ok().json(Connection::of(connection, &base.0)))
}

/// Remove a connection with all its records and their history.
///
/// What stands in QuickBooks stays.
#[utoipa::path(delete, path = "/v1/connections/{connection}", tag = "connections",
    responses((status = 204)))]
async fn remove(
    caller: Admin,
    named: Named,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    engine.remove_connection(&named.0, &caller.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What can be done to a connection.
const ACTIONS: [&str; 7] =
    ["pause", "resume", "sync-now", "refresh-mirror", "rotate-password", "rotate-identity", "pair"];

/// Pause, resume, sync now, or make a new password, identity or pairing link.
///
/// `rotate-password` answers with the new password, this once; `pair` with a `pairingUrl` that works
/// for seven days in the place of the one before. `sync-now` asks that the next session
/// is not postponed; the Web Connector's own interval decides when it comes.
#[utoipa::path(post, path = "/v1/connections/{connection}/actions/{action}", tag = "connections",
    request_body = Option<Nothing>, responses((status = 200, body = Connection)))]
async fn act(
    caller: Admin,
    base: Base,
    named: Named,
    action: Word,
    _: Params<()>,
    _: Json<Nothing>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let (id, actor) = (&named.0, &caller.0);
    let shape = |connection| Connection::of(connection, &base.0);
    let shape = match action.0.as_str() {
        "pause" => shape(engine.pause(id, actor).await?),
        "resume" => shape(engine.resume(id, actor).await?),
        "sync-now" => shape(engine.sync_now(id, actor).await?),
        "refresh-mirror" => {
            engine.refresh_mirror(id, actor).await?;
            shape(named.known(&engine).await?)
        }
        "rotate-identity" => shape(engine.rotate_identity(id, actor).await?),
        "rotate-password" => {
            let (connection, password) = engine.rotate_password(id, actor).await?;
            shape(connection).with_password(&password)
        }
        "pair" => {
            let token = engine.begin_pairing(id, actor).await?;
            shape(named.known(&engine).await?).with_pairing(&format!("{}/pair/{token}", base.0))
        }
        other => return Err(no_action(other, &ACTIONS)),
    };
    Ok(HttpResponse::Ok().json(shape))
}

/// An action that does not exist here.
pub(super) fn no_action(action: &str, all: &[&str]) -> Problem {
    let shown: String = action.chars().take(80).collect();
    let detail = match nearest(action, all.iter().copied()) {
        Some(nearest) => format!("There is no action {shown:?} here; did you mean {nearest}?"),
        None => format!("There is no action {shown:?} here; there are {}.", all.join(", ")),
    };
    Problem::new(Refusal::NotFound, detail)
}

/// Say how a connection is, and why nothing syncs.
#[utoipa::path(get, path = "/v1/connections/{connection}/health", tag = "connections",
    responses((status = 200, body = Health)))]
async fn health(
    _: Reader,
    named: Named,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(Health::from(engine.health(&named.0).await?)))
}
