//! Server-sent events: that something changed, never what.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;
use bytes::Bytes;
use futures_util::stream;

use crate::dashboard::fields::Fields;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::visitor::Visitor;
use crate::domain::ids::Digest;
use crate::engine::Engine;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// A line at least this often, so that nothing in between closes the connection.
const ALIVE: u32 = 15;
/// A page asks again after this many looks: nobody watches for ever.
const LOOKS: u32 = 3600;
/// Pages that are watched at a time.
const MOST: usize = 200;

static WATCHED: AtomicUsize = AtomicUsize::new(0);

/// Counts a page that is watched, for as long as it is.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let taken = WATCHED.fetch_add(1, Ordering::Relaxed) < MOST;
        let place = Self;
        taken.then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WATCHED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/live").route(web::get().to(all)));
}

async fn all(
    request: HttpRequest,
    _: Visitor,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    watch(&request, engine)
}

/// Tells whenever any connection changes, from what the page had `since` on.
pub(super) fn watch(
    request: &HttpRequest,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let Some(place) = Place::take() else {
        let status = actix_web::http::StatusCode::SERVICE_UNAVAILABLE;
        return Err(Trouble::Said(status, "Too many pages are watched.".to_owned()));
    };
    let asked = Fields::of_query(request.query_string());
    let since = asked.given("since").map(str::to_owned);
    let begin = (engine, since, 0_u32, place);
    let events = stream::unfold(begin, |(engine, mut before, mut looks, place)| async move {
        loop {
            if looks >= LOOKS {
                return None;
            }
            if looks > 0 {
                tokio::time::sleep(EVERY).await;
            }
            // The server waits for the calls in flight before it ends, and this is one of them.
            if engine.is_leaving() {
                return None;
            }
            looks += 1;
            let now = fingerprint(&engine).await?;
            let first = looks == 1;
            if before.as_ref().is_some_and(|before| *before != now) {
                before = Some(now);
                let event = Bytes::from_static(b"event: change\ndata: 1\n\n");
                return Some((Ok::<_, Infallible>(event), (engine, before, looks, place)));
            }
            before = Some(now);
            if first || looks.is_multiple_of(ALIVE) {
                let event = Bytes::from_static(b": here\n\n");
                return Some((Ok(event), (engine, before, looks, place)));
            }
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(events))
}

/// What a page that is about to be made will have `since`.
pub(super) async fn seen(engine: &Engine) -> String {
    fingerprint(engine).await.unwrap_or_default()
}

/// What differs once anything that pages show has changed.
async fn fingerprint(engine: &Engine) -> Option<String> {
    let mut seen = String::new();
    for connection in engine.store().connections().await.ok()? {
        let counts = engine.store().counts(&connection.id).await.ok()?;
        let state = engine.store().state(&connection.id).await.ok()?;
        let revision = state.map(|state| state.revision);
        let activity = engine.store().activity(&connection.id, None, 1).await.ok()?;
        let last = activity.items.first().map(|it| it.at);
        let _ = write!(seen, "{:?}{counts:?}{revision:?}{last:?}", connection.revision);
    }
    let ours = engine.store().activity_of_server(None, 1).await.ok()?;
    let last = ours.items.first().map(|it| it.at);
    let _ = write!(seen, "{:?}{}{last:?}", engine.wire(), engine.tasks_moved());
    Some(Digest::of(seen.as_bytes()).short())
}
