//! What stands in paths: connections, records, ids.
//!
//! Segments are decoded here and not by the router, which leaves `%2F` as it is so that it ends no
//! segment: a source id may hold a slash.

use std::future::Ready;
use std::future::ready;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::api::problem::Problem;
use crate::api::refusal::Refusal;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::engine::Engine;
use crate::engine::EngineError;

/// A segment of the path, by its name in the route.
fn segment(request: &HttpRequest, name: &str) -> Result<String, Problem> {
    let raw = request.match_info().query(name);
    let text = percent_decode_str(raw).decode_utf8();
    text.map(std::borrow::Cow::into_owned)
        .map_err(|_| Problem::new(Refusal::InvalidParameter, "The path is not UTF-8."))
}

/// Declares an extractor of a part of the path.
macro_rules! from_path {
    ($name:ident, |$request:ident| $read:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request($request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready($read)
            }
        }
    };
}

/// The connection in the path. That it exists is not known yet.
pub(super) struct Named(pub(super) ConnectionId);

from_path!(Named, |request| connection(request).map(Self));

fn connection(request: &HttpRequest) -> Result<ConnectionId, Problem> {
    let text = segment(request, "connection")?;
    ConnectionId::parse(&text).map_err(|_| {
        let shown = text.chars().take(80).collect();
        EngineError::NoConnection(shown).into()
    })
}

impl Named {
    /// The connection, if it exists.
    pub(super) async fn known(&self, engine: &Engine) -> Result<Connection, Problem> {
        let found = engine.store().connection(&self.0).await?;
        found.ok_or_else(|| EngineError::NoConnection(self.0.to_string()).into())
    }
}

/// The record in the path. That it exists is not known yet.
pub(super) struct RecordNamed(pub(super) RecordKey);

from_path!(RecordNamed, |request| record(request).map(Self));

fn record(request: &HttpRequest) -> Result<RecordKey, Problem> {
    let connection = connection(request)?;
    let (kind, source_id) = (segment(request, "kind")?, segment(request, "source_id")?);
    let key = RecordKey::new(&connection, &kind, &source_id);
    key.map_err(|why| {
        let why = crate::api::problem::sentence(&why.to_string());
        Problem::new(Refusal::InvalidParameter, why).at("/sourceId")
    })
}

/// The UUID in the path that ends with `{id}`; one that is none names nothing.
pub(super) struct Id(pub(super) Uuid);

from_path!(Id, |request| id(request).map(Self));

fn id(request: &HttpRequest) -> Result<Uuid, Problem> {
    let text = segment(request, "id")?;
    Uuid::try_parse(&text).map_err(|_| {
        let shown: String = text.chars().take(80).collect();
        Problem::new(Refusal::NotFound, format!("There is nothing with the id {shown:?}."))
    })
}

/// The last word of the path: an action, a kind, a code.
pub(super) struct Word(pub(super) String);

from_path!(Word, |request| segment(request, "word").map(Self));
