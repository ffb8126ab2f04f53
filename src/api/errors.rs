//! The catalogue of codes: what QuickBooks would refuse, and what the API itself refuses.

use actix_web::HttpResponse;
use actix_web::web;

use crate::api::auth::Reader;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::path::Word;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::query::nearest;
use crate::api::refusal::Refusal;
use crate::api::shape::Entry;
use crate::api::words;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/errors").route(web::get().to(list)))
        .service(web::resource("/errors/{word}").route(web::get().to(show)));
}

/// List every code that a diagnosis or a problem may have; all of them if no limit is given.
#[utoipa::path(get, path = "/v1/errors", tag = "errors", params(Part),
    responses((status = 200, body = Listed<Entry>)))]
async fn list(_: Reader, part: Params<Part>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(part.0.of_few("errors", words::entries())?))
}

/// Explain a code.
#[utoipa::path(get, path = "/v1/errors/{code}", tag = "errors",
    responses((status = 200, body = Entry)))]
async fn show(_: Reader, code: Word, _: Params<()>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(entry(&code.0)?))
}

/// The entry of a code.
pub(super) fn entry(code: &str) -> Result<Entry, Problem> {
    let mut all = words::entries();
    if let Some(found) = all.iter().position(|entry| entry.code == code) {
        return Ok(all.swap_remove(found));
    }
    let shown: String = code.chars().take(80).collect();
    let detail = match nearest(code, all.iter().map(|entry| entry.code)) {
        Some(nearest) => format!("There is no code {shown:?}; did you mean {nearest}?"),
        None => format!("There is no code {shown:?}; GET /v1/errors lists them."),
    };
    Err(Problem::new(Refusal::NotFound, detail))
}
