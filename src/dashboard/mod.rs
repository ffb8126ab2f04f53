//! The pages: what people look at, and where they press.
//!
//! Everything is rendered here and readable without a script; `static/app.js` adds what is live,
//! counted, or copied. A page extracts, asks the engine, fills its template. Nothing here decides
//! anything about records.
//!
//! | file | is |
//! |---|---|
//! | `overview` `connection` `sessions` `records` `record` `problems` `mapping` `activity` `tools` `settings` `pairing` | a page each |
//! | `frame` `said` `view` `trouble` | what every page has, what one tells the next, how values are shown, and what is refused |
//! | `visitor` `logins` | who looks: cookies, roles, and the token in every form |
//! | `live` `statics` | server-sent events; the sheet and the script |
//!
//! Held by `tests/browser`, over HTTP and in a real browser.

mod activity;
mod codes;
mod connection;
mod fields;
mod frame;
mod live;
mod logins;
mod mapping;
mod markup;
mod overview;
mod pairing;
mod problems;
mod qwclog;
mod record;
mod records;
mod said;
mod sessions;
mod settings;
mod statics;
mod tools;
mod trouble;
mod view;
mod visitor;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web;

pub use crate::dashboard::logins::Logins;

/// What the pages share.
#[derive(Clone, Debug)]
pub struct DashboardSettings {
    /// `https://host` under which people reach us; `None`: as each request says.
    pub public_url: Option<String>,
    /// Who is logged in.
    pub logins: Arc<Logins>,
}

/// All pages. Needs `web::Data` of [`crate::engine::Engine`] and [`DashboardSettings`].
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("")
            .guard(actix_web::guard::fn_guard(is_page))
            .wrap(from_fn(frame::headers))
            .app_data(web::FormConfig::default().limit(1 << 20))
            .configure(statics::routes)
            .configure(live::routes)
            .configure(visitor::routes)
            .configure(overview::routes)
            .configure(connection::routes)
            .configure(sessions::routes)
            .configure(records::routes)
            .configure(record::routes)
            .configure(problems::routes)
            .configure(mapping::routes)
            .configure(activity::routes)
            .configure(tools::routes)
            .configure(settings::routes)
            .configure(pairing::routes)
            .default_service(web::to(frame::lost)),
    );
}

/// What a person is told who mistyped an address that is nobody's; programs are told by the API.
pub fn lost(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/{any:.*}")
            .guard(actix_web::guard::fn_guard(reads_pages))
            .wrap(from_fn(frame::headers))
            .default_service(web::to(frame::lost)),
    );
}

/// Browsers say that they read HTML.
fn reads_pages(context: &actix_web::guard::GuardContext<'_>) -> bool {
    let accept = context.head().headers().get(actix_web::http::header::ACCEPT);
    accept.and_then(|it| it.to_str().ok()).is_some_and(|it| it.contains("text/html"))
}

/// The pages have these addresses; all others are the API's.
fn is_page(context: &actix_web::guard::GuardContext<'_>) -> bool {
    let path = context.head().uri.path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(
        first,
        "" | "activity"
            | "c"
            | "connections"
            | "live"
            | "login"
            | "logout"
            | "pair"
            | "settings"
            | "setup"
            | "static"
            | "tools"
    )
}
