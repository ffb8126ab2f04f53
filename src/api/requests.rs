//! Raw qbXML through the queue.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;
use actix_web::web::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::api::auth::Reader;
use crate::api::auth::Writer;
use crate::api::body::Incoming;
use crate::api::body::QBXML;
use crate::api::body::object;
use crate::api::body::without_mark;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::pages;
use crate::api::path::Id;
use crate::api::path::Named;
use crate::api::problem::Problem;
use crate::api::problem::internal;
use crate::api::query::Parameters;
use crate::api::query::Params;
use crate::api::query::Query;
use crate::api::query::wrong;
use crate::api::refusal::Refusal;
use crate::api::shape::Request;
use crate::api::stream;
use crate::api::words;
use crate::domain::ids::RequestId;
use crate::domain::request;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::NewRequest;

/// The longest that a call waits for QuickBooks, in seconds: proxies on the way give up later.
const MAX_WAIT: u64 = 120;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/connections/{connection}/requests")
                .route(web::post().to(submit))
                .route(web::get().to(list)),
        )
        .service(
            web::resource("/connections/{connection}/requests/{id}").route(web::get().to(show)),
        );
}

/// A request of the schema.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestToSubmit {
    /// Such as `CustomerQueryRq`.
    r#type: String,
    /// qbXML written as JSON.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// Queue a raw request.
///
/// qbXML of one or more requests, with or without an envelope, or one request as JSON. The same
/// `Idempotency-Key` with the same body gives the request that it made first.
#[utoipa::path(post, path = "/v1/connections/{connection}/requests", tag = "requests",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters")),
    request_body(content((RequestToSubmit = "application/json"), (String = "text/xml"))),
    responses((status = 202, body = Request, headers(("Location" = String)))))]
async fn submit(
    caller: Writer,
    named: Named,
    _: Params<()>,
    call: HttpRequest,
    payload: web::Payload,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let key = idempotency_key(&call)?;
    let body = Incoming::open(&call, payload.into_inner(), QBXML)?.whole().await?;
    let new = read(without_mark(&body), said_xml(&call))?;
    let request = engine.submit(&named.0, new, key, &caller.0).await.map_err(unreadable)?;
    let location = format!("/v1/connections/{}/requests/{}", named.0, request.id);
    let mut response = HttpResponse::Accepted();
    Ok(response.insert_header((header::LOCATION, location)).json(Request::from(request)))
}

/// What is no XML is no request at all.
fn unreadable(why: EngineError) -> Problem {
    match &why {
        EngineError::Refused(findings) => match findings.as_slice() {
            [finding] if finding.cause == "malformed_xml" => {
                let detail = words::finding(finding).detail;
                Problem::new(Refusal::MalformedBody, detail).at(finding.pointer.clone())
            }
            _ => why.into(),
        },
        _ => why.into(),
    }
}

fn said_xml(call: &HttpRequest) -> bool {
    let media_type = call.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    media_type.is_some_and(|it| it.to_ascii_lowercase().contains("xml"))
}

/// A body that begins with an angle bracket is XML, whatever its type is said to be.
fn read(body: &[u8], said_xml: bool) -> Result<NewRequest, Problem> {
    if !body.trim_ascii().is_empty() && (said_xml || body.trim_ascii_start().first() == Some(&b'<'))
    {
        let text = std::str::from_utf8(body).map_err(|why| {
            let detail = format!("The qbXML is not UTF-8 at byte {}.", why.valid_up_to());
            Problem::new(Refusal::MalformedBody, detail)
        })?;
        return Ok(NewRequest::Xml(text.to_owned()));
    }
    if body.trim_ascii().is_empty() {
        let detail = "The body is empty; send qbXML, or {\"type\", \"data\"} as JSON.";
        return Err(Problem::new(Refusal::MalformedBody, detail));
    }
    let RequestToSubmit { r#type, data } = object(body)?;
    Ok(NewRequest::Json { kind: r#type, data: Value::Object(data) })
}

fn idempotency_key(call: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut all = call.headers().get_all("Idempotency-Key");
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(wrong("Idempotency-Key", "is given more than once"));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(wrong("Idempotency-Key", "has characters that are not ASCII")),
    }
}

/// List raw requests, newest first.
#[utoipa::path(get, path = "/v1/connections/{connection}/requests", tag = "requests",
    params(Part), responses((status = 200, body = Listed<Request>)))]
async fn list(
    _: Reader,
    named: Named,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?.id;
    let name = format!("requests/{connection}");
    let cursor = part.0.cursor(&name)?;
    let page = engine.store().requests(&connection, cursor.as_deref(), part.0.limit()).await?;
    Ok(HttpResponse::Ok().json(Listed::part(&name, page, Request::from)))
}

/// How long to wait for the answer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
    /// Seconds to wait for the answer, 0 to 120.
    #[param(minimum = 0, maximum = 120)]
    wait: Option<u64>,
}

impl Parameters for Wait {
    fn take(query: &mut Query) -> Result<Self, Problem> {
        Ok(Self { wait: query.number("wait", 0..=MAX_WAIT)? })
    }
}

/// A raw request, with what QuickBooks answered. Only its schema is used: a response is written piece
/// by piece.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestWithResponse {
    #[serde(flatten)]
    request: Request,
    /// Each answer: `type`, its attributes, and `data`, a list of what QuickBooks returned; null
    /// until it answered.
    #[schema(value_type = Option<Vec<Object>>)]
    response: Option<Vec<Value>>,
}

/// Show a raw request, with its response once QuickBooks answered.
///
/// With `Accept: text/xml` the response is QuickBooks' own document, verbatim; of an iterated query
/// one document with an answer a page.
#[utoipa::path(get, path = "/v1/connections/{connection}/requests/{id}", tag = "requests",
    params(Wait), responses((status = 200,
        content((RequestWithResponse = "application/json"), (String = "text/xml")))))]
async fn show(
    _: Reader,
    named: Named,
    id: Id,
    wait: Params<Wait>,
    call: HttpRequest,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let longest = Duration::from_secs(wait.0.wait.unwrap_or(0));
    let request = engine.wait_for(&named.0, RequestId(id.0), longest).await?;
    let mut response = HttpResponse::Ok();
    let bodies = engine.responses_of(&request).await?;
    if bodies.is_empty() {
        return Ok(response.content_type("application/json").body(before(request, "null}")?));
    }
    let read = bodies.iter().map(|body| engine.store().open_body(body));
    let read = read.collect::<Result<Vec<_>, _>>()?;
    if wants_xml(&call) {
        let pieces = stream::blocking(pages::xml(read));
        return Ok(response.content_type("text/xml; charset=utf-8").streaming(pieces));
    }
    let head = std::iter::once(Ok(Bytes::from(before(request, "[")?)));
    let tail = std::iter::once(Ok(Bytes::from_static(b"]}")));
    let pieces = stream::blocking(head.chain(pages::json(read)).chain(tail));
    Ok(response.content_type("application/json").streaming(pieces))
}

/// The JSON of a request up to its response, which goes on with this.
fn before(request: request::Request, response: &str) -> Result<Vec<u8>, Problem> {
    let mut json = serde_json::to_vec(&Request::from(request)).map_err(|why| internal(&why))?;
    json.pop();
    json.extend_from_slice(b",\"response\":");
    json.extend_from_slice(response.as_bytes());
    Ok(json)
}

fn wants_xml(call: &HttpRequest) -> bool {
    let accept = call.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    let named = |media_type: &str| accept.contains(media_type);
    (named("text/xml") || named("application/xml")) && !named("application/json")
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    #[test]
    fn a_body_is_xml_or_json_by_its_first_character() {
        assert!(matches!(read(b" \n<CustomerQueryRq/>", false), Ok(NewRequest::Xml(_))));
        let json = read(b"{\"type\":\"CustomerQueryRq\"}", false).unwrap();
        assert!(matches!(json, NewRequest::Json { kind, .. } if kind == "CustomerQueryRq"));
        for (body, status) in [
            (&b""[..], 400),
            (b"  ", 400),
            (b"nonsense", 400),
            (b"<a>\xff</a>", 400),
            (b"[]", 422),
            (b"{}", 422),
            (b"{\"type\":\"A\",\"data\":[]}", 422),
        ] {
            assert_eq!(read(body, false).unwrap_err().status_code().as_u16(), status, "{body:?}");
        }
    }
}
