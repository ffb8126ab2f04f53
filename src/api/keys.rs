//! API keys.

use actix_web::HttpResponse;
use actix_web::web;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::auth::Admin;
use crate::api::body::Json;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::path::Id;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::shape::Key;
use crate::domain::activity::Scope;
use crate::domain::ids::KeyId;
use crate::engine::Engine;
use crate::store::Page;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/keys").route(web::get().to(list)).route(web::post().to(create)))
        .service(web::resource("/keys/{id}").route(web::delete().to(revoke)));
}

/// A key to make.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeyToCreate {
    /// Shown to people, and as the actor in the activity: 1 to 100 characters.
    #[schema(default = "API key")]
    name: Option<String>,
    /// `read`, `write` (if missing) or `admin`; each includes those before it.
    #[schema(value_type = Option<String>, default = "write")]
    scope: Option<Scope>,
}

/// Make an API key; its text is shown this once.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", request_body = KeyToCreate,
    responses((status = 201, body = Key)))]
async fn create(
    caller: Admin,
    _: Params<()>,
    body: Json<KeyToCreate>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let scope = body.0.scope.unwrap_or(Scope::Write);
    let name = body.0.name.as_deref().unwrap_or("API key");
    let (key, secret) = engine.create_key(name, scope, &caller.0).await?;
    Ok(HttpResponse::Created().json(Key::from(key).with_secret(&secret)))
}

/// List the API keys, without their secrets, revoked ones too.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", params(Part),
    responses((status = 200, body = Listed<Key>)))]
async fn list(
    _: Admin,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let after = part.0.cursor("keys")?;
    let mut all = engine.store().keys().await?;
    all.sort_by_key(|key| key.id);
    all.retain(|key| after.as_ref().is_none_or(|after| key.id.to_string() > *after));
    let more = all.len() > part.0.limit();
    all.truncate(part.0.limit());
    let next = all.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(HttpResponse::Ok().json(Listed::part("keys", Page { items: all, next }, Key::from)))
}

/// Refuse a key from now on.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "keys",
    responses((status = 200, body = Key)))]
async fn revoke(
    caller: Admin,
    id: Id,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(Key::from(engine.revoke_key(KeyId(id.0), &caller.0).await?)))
}
