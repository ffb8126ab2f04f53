//! Raw requests.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::shape::Diagnosis;
use crate::api::words;
use crate::domain::request;

/// A raw request: qbXML of an application's own that passes through the queue.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Request {
    id: Uuid,
    /// `queued`, `sent`, `in_doubt`, `answered` or `failed`.
    status: &'static str,
    /// The requests in it, in order, such as `CustomerQueryRq`.
    types: Vec<String>,
    /// Whether any of them changes QuickBooks.
    writes: bool,
    idempotency_key: Option<String>,
    /// Why it failed.
    diagnosis: Option<Diagnosis>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When it is tried again by itself.
    next_attempt_at: Option<Timestamp>,
}

impl From<request::Request> for Request {
    fn from(request: request::Request) -> Self {
        Self {
            id: request.id.0,
            status: request.status.as_str(),
            types: request.types,
            writes: request.writes,
            idempotency_key: request.idempotency_key,
            diagnosis: words::diagnosis(&request.findings),
            created_at: request.created_at,
            updated_at: request.updated_at,
            next_attempt_at: request.due,
        }
    }
}
