//! What every call has around it: a request id, a span, safe headers, and a problem document for
//! whatever went wrong, a panic too.

use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::ResponseError as _;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;
use actix_web::web;
use futures_util::FutureExt as _;
use percent_encoding::percent_decode_str;
use tracing::Instrument as _;
use tracing::error;
use tracing::info;
use tracing::info_span;

use crate::api::problem::Problem;
use crate::api::refusal::Refusal;
use crate::engine::Engine;

/// Names a call, in its answer and in the log.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken from a client.
const MAX_REQUEST_ID: usize = 128;

/// Wraps everything that is served, the other adapters too: each answer has a request id, and where
/// there is a GET there is a HEAD (RFC 9110, section 9.3.2).
///
/// # Errors
///
/// Those of what it wraps.
pub async fn every_call<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = HeaderValue::from_str(&request_id(&request));
    // What never ends has no head of its own.
    if request.method() == Method::HEAD && !request.path().ends_with("/live") {
        request.head_mut().method = Method::GET;
    }
    let Ok(id) = id else { return next.call(request).await };
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let mut response = next.call(request).await?;
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response)
}

/// Wraps every route of this floor.
pub(super) async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    let span = info_span!("call", request.id = %id, http.method = %request.method());
    dressed(request, next, id).instrument(span).await
}

async fn dressed<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    id: String,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = readable(&request) {
        return Ok(finished(request.into_response(problem.of_call(&id).error_response()), &id));
    }
    let called = format!("{} {}", request.method(), request.path());
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => {
            let response = response.map_into_boxed_body();
            info!("{called} was answered with {}", response.status().as_u16());
            Ok(finished(in_words(response, &id), &id))
        }
        // The request is gone with the error: what it says is all that can be said.
        Ok(Err(error)) => Err(match error.as_error::<Problem>() {
            Some(problem) => problem.clone().of_call(&id).into(),
            None => error,
        }),
        Err(_) => {
            error!("{called} was not answered: it panicked");
            let detail = "The log has more under this request id.";
            Err(Problem::new(Refusal::ServerError, detail).of_call(&id).into())
        }
    }
}

/// What the client calls it, if that is a name; else a name of our own.
fn request_id(request: &ServiceRequest) -> String {
    let named = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let sane = |id: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(plain)
    };
    match (named.filter(sane), request.app_data::<web::Data<Engine>>()) {
        (Some(id), _) => id.to_owned(),
        (None, Some(engine)) => engine.new_id().to_string(),
        (None, None) => String::new(),
    }
}

/// A path or query that is no UTF-8 would be mended silently, and name something else.
fn readable(request: &ServiceRequest) -> Result<(), Problem> {
    let readable = |text: &str| is_encoded(text) && percent_decode_str(text).decode_utf8().is_ok();
    if !readable(request.uri().path()) {
        return Err(Problem::new(
            Refusal::InvalidParameter,
            "The path is not UTF-8 in %-encoding.",
        ));
    }
    if !readable(request.uri().query().unwrap_or_default()) {
        return Err(Problem::new(
            Refusal::InvalidParameter,
            "The query is not UTF-8 in %-encoding.",
        ));
    }
    Ok(())
}

/// Whether every percent sign begins an encoded byte: two texts must not name one record.
fn is_encoded(text: &str) -> bool {
    let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let mut signs = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    signs.all(|(at, _)| hex(bytes.get(at + 1)) && hex(bytes.get(at + 2)))
}

/// Answers of actix-web itself, and problems, as problem documents.
fn in_words(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let error = response.response().error();
    let problem = match error.map(|error| (error.as_error::<Problem>(), error)) {
        Some((Some(problem), _)) => problem.clone(),
        Some((None, error)) => of_actix(status, &error.to_string()),
        None if status == StatusCode::METHOD_NOT_ALLOWED => {
            let allow = response.headers().get(header::ALLOW).cloned();
            not_allowed(response.request(), allow)
        }
        None => return response,
    };
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, problem.of_call(id).error_response())
}

fn of_actix(status: StatusCode, why: &str) -> Problem {
    let refusal = match status {
        StatusCode::NOT_FOUND => Refusal::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        status if status.is_client_error() => Refusal::InvalidParameter,
        _ => {
            error!("a call failed: {why}");
            return Problem::new(Refusal::ServerError, "The log has more under this request id.");
        }
    };
    Problem::new(refusal, crate::api::problem::sentence(why))
}

fn not_allowed(request: &HttpRequest, allow: Option<HeaderValue>) -> Problem {
    let allowed = allow.as_ref().and_then(|allow| allow.to_str().ok()).unwrap_or("other methods");
    let detail = format!("{} is not allowed here; {allowed} is.", request.method());
    let problem = Problem::new(Refusal::MethodNotAllowed, detail);
    match allow {
        Some(allow) => problem.header(header::ALLOW, allow),
        None => problem,
    }
}

/// Answers for a path that does not exist.
pub(super) async fn nowhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let path: String = request.path().chars().take(200).collect();
    Err(Problem::new(Refusal::NotFound, format!("There is nothing at {path}.")))
}

fn finished(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let headers: &mut HeaderMap = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let safe = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in safe {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}
