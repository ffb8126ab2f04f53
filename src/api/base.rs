//! The address under which clients reach us.

use std::future::Ready;
use std::future::ready;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::web;

use crate::api::ApiSettings;
use crate::api::problem::Problem;
use crate::api::refusal::Refusal;
use crate::qwc;

/// `https://host`, without a slash at its end: the setting, or what the request says.
pub(super) struct Base(pub(super) String);

impl FromRequest for Base {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(base(request).map(Self))
    }
}

fn base(request: &HttpRequest) -> Result<String, Problem> {
    let settings = request.app_data::<web::Data<ApiSettings>>();
    if let Some(url) = settings.and_then(|settings| settings.public_url.as_ref()) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let info = request.connection_info();
    let no_host = || Problem::new(Refusal::InvalidParameter, "The Host header is no host.");
    qwc::address(info.scheme(), info.host()).ok_or_else(no_host)
}
