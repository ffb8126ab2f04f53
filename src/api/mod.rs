//! REST: what applications, people's tools and the command line call.
//!
//! A handler extracts, calls the engine once, and shapes the answer. Everything around that stands in
//! one place each. Nothing here decides anything about records.
//!
//! | file | is |
//! |---|---|
//! | `connections` `records` `bulk` `decide` `requests` `sessions` `schema` `errors` `keys` `qwc` `export` | the resources under `/v1` |
//! | `health` `openapi` `docs` | for machines that watch, programs that call, and people |
//! | `around` | what every call has: a request id, a span, safe headers |
//! | `auth` `path` `query` `page` `body` `unique` `rows` `prefer` `base` | what comes in, checked |
//! | `shape` `words` `response` `stream` | what goes out |
//! | `problem` `refusal` | every answer that is no success |
//!
//! Invariants, held by `tests/api`, which speaks HTTP alone: whatever comes in is answered, with an
//! `X-Request-Id`; what is refused is a problem document that names the place; nothing under `/v1` is
//! read before its key is known.

mod around;
mod auth;
mod base;
mod body;
mod bulk;
mod connections;
mod decide;
mod docs;
mod errors;
mod export;
mod health;
mod keys;
mod openapi;
mod page;
mod pages;
mod path;
mod prefer;
mod problem;
mod query;
mod qwc;
mod records;
mod refusal;
mod requests;
mod response;
mod rows;
mod schema;
mod sessions;
mod shape;
mod stream;
mod unique;
mod words;

use std::path::PathBuf;
use std::time::Instant;

use actix_web::guard;
use actix_web::middleware::from_fn;
use actix_web::web;

pub use crate::api::around::every_call;
pub use crate::api::openapi::json as openapi;

use crate::api::around::around;
use crate::api::around::nowhere;
use crate::api::auth::authenticate;

/// What an operator may set, and what all workers share.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// `https://host` under which clients reach us; `None`: as each request says.
    pub public_url: Option<String>,
    /// A directory of ours alone, for exports on their way out.
    pub scratch: PathBuf,
    /// When the server began.
    pub started: Instant,
}

impl ApiSettings {
    /// With files on their way in this directory.
    pub fn new(public_url: Option<String>, scratch: PathBuf) -> Self {
        Self { public_url, scratch, started: Instant::now() }
    }
}

/// All of the API, and the answer for paths that nobody has. Needs `web::Data` of
/// [`Engine`](crate::engine::Engine) and [`ApiSettings`].
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::scope("/v1")
                .wrap(from_fn(authenticate))
                .wrap(from_fn(around))
                .configure(connections::routes)
                .configure(qwc::routes)
                .configure(decide::routes)
                .configure(records::routes)
                .configure(bulk::routes)
                .configure(requests::routes)
                .configure(sessions::routes)
                .configure(schema::routes)
                .configure(errors::routes)
                .configure(keys::routes)
                .configure(export::routes)
                .default_service(web::to(nowhere)),
        )
        .service(web::scope("/docs").wrap(from_fn(around)).configure(docs::routes))
        .service(
            web::resource("/openapi.json")
                .wrap(from_fn(around))
                .route(web::get().to(openapi::document)),
        )
        .service(
            web::resource("/metrics").wrap(from_fn(around)).route(web::get().to(health::metrics)),
        )
        .service(web::resource("/healthz").wrap(from_fn(around)).route(probe().to(health::healthz)))
        .service(web::resource("/readyz").wrap(from_fn(around)).route(probe().to(health::readyz)))
        .default_service(web::to(nowhere).wrap(from_fn(around)));
}

/// Probes of load balancers come by GET or HEAD.
fn probe() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
