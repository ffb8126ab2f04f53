//! The `.qwc` of a connection: the file that an administrator opens in the Web Connector.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;

use crate::api::auth::Reader;
use crate::api::base::Base;
use crate::api::path::Named;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::engine::Engine;
use crate::qwc;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/connections/{connection}/qwc").route(web::get().to(download)));
}

/// Download the `.qwc`: the same bytes each time.
#[utoipa::path(get, path = "/v1/connections/{connection}/qwc", tag = "connections",
    responses((status = 200, body = String, content_type = "application/x-qwc")))]
async fn download(
    _: Reader,
    base: Base,
    named: Named,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?;
    let (app, support) = (format!("{}/qbwc", base.0), format!("{}/support", base.0));
    let name = format!("attachment; filename=\"{}.qwc\"", connection.id);
    Ok(HttpResponse::Ok()
        .content_type("application/x-qwc")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(qwc::write(&connection, &app, &support)))
}
