//! Raw qbXML through the queue.

use std::time::Duration;

use serde_json::Value;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RequestId;
use crate::domain::message_set::Body;
use crate::domain::request::Request;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;

/// A raw request as an application writes it.
#[derive(Clone, Debug)]
pub enum NewRequest {
    /// One or more `…Rq`, with or without an envelope.
    Xml(String),
    /// One request of the schema table.
    Json {
        /// Such as `CustomerQueryRq`.
        kind: String,
        /// Its content.
        data: Value,
    },
}

impl Engine {
    /// Queues a raw request. The same key with the same body gives the request that it made first.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] if QuickBooks could not read it; [`EngineError::NotNow`] if the key
    /// was used with another body.
    pub async fn submit(
        &self,
        _connection: &ConnectionId,
        _new: NewRequest,
        _idempotency_key: Option<String>,
        _actor: &Actor,
    ) -> Result<Request, EngineError> {
        todo!()
    }

    /// The request as it stands, after it was answered or failed or the time is over.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`].
    pub async fn wait_for(
        &self,
        _connection: &ConnectionId,
        _id: RequestId,
        _longest: Duration,
    ) -> Result<Request, EngineError> {
        todo!()
    }

    /// What QuickBooks answered: a whole response document, verbatim, if it is here.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn response_of(&self, _request: &Request) -> Result<Option<Body>, EngineError> {
        todo!()
    }
}
