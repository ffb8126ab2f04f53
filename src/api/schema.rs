//! What an application may push: every request type, and the JSON Schema of a kind.

use actix_web::HttpResponse;
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::auth::Reader;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::path::Word;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::refusal::Refusal;
use crate::api::words;
use crate::qbxml::json_schema::of_kind;
use crate::qbxml::schema::Message;
use crate::qbxml::schema::schema;

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
    r#type: &'static str,
    /// The kind whose records it adds or changes: `data` of a put follows its schema.
    kind: Option<&'static str>,
}

/// List every request type; all of them if no limit is given.
#[utoipa::path(get, path = "/v1/schema", tag = "schema", params(Part),
    responses((status = 200, body = Listed<RequestType>)))]
async fn list(_: Reader, part: Params<Part>) -> Result<HttpResponse, Problem> {
    let kind = |request: &str| {
        let of = |message: &Message| message.name == request;
        let mut kinds = schema().kinds();
        let found = kinds.find(|kind| of(&kind.add) || kind.modify.as_deref().is_some_and(&of));
        found.map(|kind| kind.name)
    };
    let all = schema()
        .requests()
        .map(|request| RequestType { r#type: request.name, kind: kind(request.name) });
    Ok(HttpResponse::Ok().json(part.0.of_few("schema", all.collect())?))
}

/// Show the JSON Schema of a kind's `data`.
#[utoipa::path(get, path = "/v1/schema/{kind}", tag = "schema",
    responses((status = 200, body = Object, content_type = "application/schema+json")))]
async fn show(_: Reader, kind: Word, _: Params<()>) -> Result<HttpResponse, Problem> {
    let Some(kind) = schema().kind(&kind.0) else {
        let shown: String = kind.0.chars().take(80).collect();
        let detail = match words::nearest_kind(&shown) {
            Some(nearest) => format!("There is no kind {shown:?}; did you mean {nearest}?"),
            None => format!("There is no kind {shown:?}; GET /v1/schema lists them."),
        };
        return Err(Problem::new(Refusal::NotFound, detail));
    };
    Ok(HttpResponse::Ok().content_type("application/schema+json").json(of_kind(kind)))
}
