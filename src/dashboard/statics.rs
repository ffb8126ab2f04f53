//! The sheet, the script and the icon: named by what is in them, so that browsers keep them.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;

use crate::dashboard::trouble::Trouble;
use crate::domain::ids::Digest;

const CSS: &str = include_str!("static/app.css");
const JS: &str = include_str!("static/app.js");
const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">\
    <rect width=\"32\" height=\"32\" rx=\"6\" fill=\"#14532d\"/><path d=\"M4 23c3-11 21-11 24 0\" \
    fill=\"none\" stroke=\"#fff\" stroke-width=\"3\"/><path d=\"M3 23h26M9 17v6M16 14v9M23 17v6\" \
    fill=\"none\" stroke=\"#fff\" stroke-width=\"2.4\"/></svg>";

/// Where the icon is.
pub(super) const ICON: &str = "/static/icon.svg";

static NAMES: LazyLock<[String; 2]> = LazyLock::new(|| {
    let named = |text: &str, ending: &str| {
        let digest = Digest::of(text.as_bytes()).0;
        let short = u64::from_be_bytes([
            0, 0, digest[0], digest[1], digest[2], digest[3], digest[4], digest[5],
        ]);
        format!("/static/app-{short:012x}.{ending}")
    };
    [named(CSS, "css"), named(JS, "js")]
});

/// Where the sheet is.
pub(super) fn css() -> &'static str {
    &NAMES[0]
}

/// Where the script is.
pub(super) fn js() -> &'static str {
    &NAMES[1]
}

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/static/{file}").route(web::get().to(file)));
}

async fn file(name: web::Path<String>) -> Result<HttpResponse, Trouble> {
    let path = format!("/static/{name}");
    let (kind, text) = match path.as_str() {
        it if it == css() => ("text/css; charset=utf-8", CSS),
        it if it == js() => ("text/javascript; charset=utf-8", JS),
        ICON => ("image/svg+xml", SVG),
        _ => return Err(Trouble::nowhere()),
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(text))
}
