//! Probes and metrics, for the machines that watch us.

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;

use crate::api::ApiSettings;
use crate::api::auth;
use crate::api::problem::Problem;
use crate::api::shape::counts;
use crate::engine::Engine;

/// We run.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// The store answers, and would take a new record.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn readyz(engine: web::Data<Engine>) -> Result<HttpResponse, Problem> {
    engine.store().connections().await?;
    engine.store().accepts().await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}

/// Counts by connection, as Prometheus reads them.
///
/// Needs a key, unless it is asked from the same machine.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn metrics(
    call: HttpRequest,
    engine: web::Data<Engine>,
    settings: web::Data<ApiSettings>,
) -> Result<HttpResponse, Problem> {
    if !is_local(&call) {
        auth::key_of(&engine, call.headers()).await?;
    }
    let text = written(&engine, &settings).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// Whether the caller is on this machine, and no proxy in between.
fn is_local(call: &HttpRequest) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    let direct = forwarded.iter().all(|name| !call.headers().contains_key(*name));
    // A proxy that says nothing of itself passes on the name under which it was called.
    let named = call.connection_info().host().to_owned();
    let host = named.rsplit_once(':').map_or(named.as_str(), |(host, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { named.as_str() }
    });
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    direct && here && call.peer_addr().is_some_and(|peer| peer.ip().is_loopback())
}

async fn written(engine: &Engine, settings: &ApiSettings) -> Result<String, Problem> {
    let (mut records, mut requests) = (String::new(), String::new());
    let (mut open, mut seen) = (String::new(), String::new());
    for connection in engine.store().connections().await? {
        let id = &connection.id;
        let state = engine.store().state(id).await?;
        let all = engine.store().counts(id).await?;
        for (status, count) in counts(&all) {
            let labels = format!("connection=\"{id}\",status=\"{status}\"");
            let _ = writeln!(records, "bookbridge_records{{{labels}}} {count}");
        }
        let queued = all.requests_queued;
        let _ = writeln!(requests, "bookbridge_requests_queued{{connection=\"{id}\"}} {queued}");
        let living = u8::from(state.as_ref().is_some_and(|state| state.living.is_some()));
        let _ = writeln!(open, "bookbridge_session_open{{connection=\"{id}\"}} {living}");
        if let Some(at) = state.and_then(|state| state.last_seen_at) {
            let at = at.as_second();
            let name = "bookbridge_connector_last_seen_timestamp_seconds";
            let _ = writeln!(seen, "{name}{{connection=\"{id}\"}} {at}");
        }
    }
    let (version, format) = (env!("CARGO_PKG_VERSION"), crate::store::FORMAT);
    let up = settings.started.elapsed().as_secs();
    let mut text = String::new();
    for (name, help, lines) in [
        (
            "build_info",
            "The version that runs, and the format in which its store writes.",
            format!("bookbridge_build_info{{version=\"{version}\",store_format=\"{format}\"}} 1\n"),
        ),
        ("uptime_seconds", "Since the start.", format!("bookbridge_uptime_seconds {up}\n")),
        ("records", "Records by status; those queued are the queue's depth.", records),
        ("requests_queued", "Raw requests in the queue.", requests),
        ("session_open", "Whether a session of the Web Connector is open.", open),
        ("connector_last_seen_timestamp_seconds", "The Web Connector's last call.", seen),
    ] {
        let _ = writeln!(text, "# HELP bookbridge_{name} {help}\n# TYPE bookbridge_{name} gauge");
        text.push_str(&lines);
    }
    Ok(text)
}
