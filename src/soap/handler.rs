//! Routes, and the way of a request through the floor.

use std::panic::AssertUnwindSafe;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web;
use futures_util::FutureExt as _;
use tracing::Span;
use tracing::error;
use tracing::instrument;
use tracing::warn;

use crate::engine::Engine;
use crate::engine::Sign;
use crate::qwc;
use crate::soap::SoapSettings;
use crate::soap::answer;
use crate::soap::answer::Caller;
use crate::soap::body::Body;
use crate::soap::contract::Call;
use crate::soap::contract::Operation;
use crate::soap::envelope;
use crate::soap::guard;
use crate::soap::guard::Envelope;
use crate::soap::guard::INTUIT;
use crate::soap::guard::Malformed;
use crate::soap::guard::Response;
use crate::soap::receive;
use crate::soap::source::Source;
use crate::soap::wsdl;

/// The largest envelope, without the text of `response`, in bytes.
pub(crate) const SMALL: usize = 64 << 10;
/// The largest `sendRequestXML`: the first of a session carries what QuickBooks tells of the company
/// and its preferences, with an entity for every angle bracket.
const SEND_REQUEST: usize = 4 << 20;
/// The largest `connectionError`: it brings a text of QuickBooks.
const CONNECTION_ERROR: usize = 256 << 10;

const XML: &str = "text/xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const PAGE: &str = "Bookbridge answers the QuickBooks Web Connector here. Add the .qwc file of your \
                    connection in the Web Connector; this page is only there to be seen. A SOAP \
                    toolkit finds the WSDL at ?wsdl.\n";
const SUPPORT: &str = "Bookbridge runs. If the Web Connector shows an error, open Bookbridge's own \
                       pages, or run `bookbridge doctor` where it is installed.\n";

/// Everything that the Web Connector calls. Needs `web::Data` of [`Engine`] and [`SoapSettings`].
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource(["/qbwc", "/qbwc/"])
                .route(web::post().to(call))
                .route(web::get().to(look))
                .route(web::head().to(look))
                .default_service(web::to(not_allowed)),
        )
        .service(
            web::resource(["/support", "/support/"])
                .route(web::get().to(support))
                .route(web::head().to(support))
                .default_service(web::to(only_looked_at)),
        );
}

/// A page, because the Web Connector looks at the certificate by a GET and wants 200; or the WSDL.
async fn look(
    request: HttpRequest,
    settings: web::Data<SoapSettings>,
    engine: web::Data<Engine>,
) -> HttpResponse {
    engine.saw(Sign::Certificate);
    let keys = request.query_string().split('&').filter_map(|pair| pair.split('=').next());
    if !keys.into_iter().any(|key| key.eq_ignore_ascii_case("wsdl")) {
        return plain(&request, StatusCode::OK, TEXT, PAGE.to_owned());
    }
    let address = if let Some(url) = &settings.public_url {
        format!("{}/qbwc", url.trim_end_matches('/'))
    } else {
        let info = request.connection_info();
        let Some(address) = qwc::address(info.scheme(), info.host()) else {
            let text = "The Host header is no host.\n".to_owned();
            return plain(&request, StatusCode::BAD_REQUEST, TEXT, text);
        };
        format!("{address}{}", request.path())
    };
    plain(&request, StatusCode::OK, XML, wsdl::at(&address))
}

async fn support(request: HttpRequest) -> HttpResponse {
    plain(&request, StatusCode::OK, TEXT, SUPPORT.to_owned())
}

async fn not_allowed(request: HttpRequest) -> HttpResponse {
    refused(&request, "GET, HEAD, POST")
}

async fn only_looked_at(request: HttpRequest) -> HttpResponse {
    refused(&request, "GET, HEAD")
}

fn refused(request: &HttpRequest, allowed: &'static str) -> HttpResponse {
    let text = format!("Only {allowed} are answered here.\n");
    let mut response = plain(request, StatusCode::METHOD_NOT_ALLOWED, TEXT, text);
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

/// One call of the Web Connector.
#[instrument(name = "web_connector", skip_all, fields(soap.operation))]
async fn call(
    request: HttpRequest,
    payload: web::Payload,
    engine: web::Data<Engine>,
    settings: web::Data<SoapSettings>,
) -> HttpResponse {
    let body = Body::new(payload, settings.body_idle);
    let answered = serve(&request, body, &engine, &settings);
    let (status, xml) = match AssertUnwindSafe(answered).catch_unwind().await {
        Ok(Ok(xml)) => (StatusCode::OK, xml),
        Ok(Err(why)) => {
            warn!("refused a call: {why}");
            (StatusCode::INTERNAL_SERVER_ERROR, envelope::fault("Client", &why))
        }
        Err(_) => {
            error!("a call was not answered: it panicked");
            let text = "Bookbridge has an error of its own; its log says more";
            (StatusCode::INTERNAL_SERVER_ERROR, envelope::fault("Server", text))
        }
    };
    plain(&request, status, XML, xml)
}

/// The answer's envelope, or why there is a fault.
async fn serve(
    request: &HttpRequest,
    mut body: Body,
    engine: &Engine,
    settings: &SoapSettings,
) -> Result<String, String> {
    let text = |malformed: Malformed| answer::chain(&malformed);
    body.gather(SMALL).await.map_err(text)?;
    let (mut envelope, mut read) = read(&body, SMALL);
    let operation = operation(request, &envelope, &read)?;
    Span::current().record("soap.operation", operation.name());
    if operation == Operation::ReceiveResponseXml {
        let answer = receive::receive(engine, settings, &envelope, body).await;
        return answer.map(envelope::Answer::into_xml).map_err(text);
    }
    let most = match operation {
        Operation::SendRequestXml => SEND_REQUEST,
        Operation::ConnectionError => CONNECTION_ERROR,
        _ => SMALL,
    };
    if !body.ended && most > SMALL {
        body.gather(most).await.map_err(text)?;
        (envelope, read) = self::read(&body, most);
    }
    read.map_err(text)?;
    let call = Call::of(operation, envelope).ok_or_else(|| text(Malformed::NotSoap))?;
    let peer = request.peer_addr().map(|address| address.ip());
    let caller = Caller { logins: &settings.gates.logins, peer };
    Ok(answer::answer(engine, call, &caller).await.into_xml())
}

/// Reads what is here. The text of `response` is passed over.
fn read(body: &Body, budget: usize) -> (Envelope, Result<(), Malformed>) {
    let mut envelope = Envelope::default();
    let source = Source::of(body.bytes.clone().freeze(), budget);
    let response = Response { to: &mut std::io::sink(), limit: u64::MAX };
    let read = guard::read(&mut envelope, source, response);
    (envelope, read)
}

/// What is called: what the Body says, or else the `SOAPAction` header.
fn operation(
    request: &HttpRequest,
    envelope: &Envelope,
    read: &Result<(), Malformed>,
) -> Result<Operation, String> {
    match (read, &envelope.operation) {
        // Broken before its end, or after it: cut off is only what has not arrived yet.
        (Err(Malformed::Truncated | Malformed::TooLarge(_)), Some(_)) | (Ok(()), _) => {}
        (Err(malformed), _) => return Err(answer::chain(malformed)),
    }
    let named = envelope.operation.as_deref();
    let header = request.headers().get("SOAPAction").and_then(|it| it.to_str().ok());
    let action = header.map(|it| it.trim().trim_matches('"'));
    let action = action.and_then(|it| it.strip_prefix(INTUIT));
    named.and_then(Operation::named).or_else(|| action.and_then(Operation::named)).ok_or_else(
        || {
            let name = guard::quoted(named.or(action).unwrap_or("(none)"));
            format!("Unknown operation {name}")
        },
    )
}

/// A response that nothing on its way may compress: the Web Connector does not ask for it, and
/// something that does ask is served all the same. Clients that do not ask see no such header.
fn plain(
    request: &HttpRequest,
    status: StatusCode,
    content_type: &'static str,
    text: String,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        response.insert_header(header::ContentEncoding::Identity);
    }
    response.content_type(content_type).body(text)
}
