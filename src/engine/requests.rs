//! Raw qbXML through the queue.

use std::time::Duration;

use serde_json::Value;
use tracing::instrument;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
use crate::domain::message_set::Body;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ambient;
use crate::engine::compose;
use crate::qbxml::raw;
use crate::store::Change;
use crate::store::Commit;
use crate::store::StoreError;

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

/// Longest `Idempotency-Key`, in characters.
const MAX_KEY: usize = 255;

impl Engine {
    /// Queues a raw request. The same key with the same body gives the request that it made first.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] if QuickBooks could not read it; [`EngineError::NotNow`] if the key
    /// was used with another body.
    #[instrument(name = "submit", skip_all, fields(connection.name = %connection))]
    pub async fn submit(
        &self,
        connection: &ConnectionId,
        new: NewRequest,
        idempotency_key: Option<String>,
        actor: &Actor,
    ) -> Result<Request, EngineError> {
        self.connection(connection).await?;
        let key_length = idempotency_key.as_ref().map_or(1, |key| key.chars().count());
        if !(1..=MAX_KEY).contains(&key_length) {
            return Err(EngineError::BadInput {
                pointer: "Idempotency-Key".to_owned(),
                why: format!("it has 1 to {MAX_KEY} characters, not {key_length}"),
            });
        }
        let state = self.state(connection).await?;
        let target = compose::target(state.host.as_ref());
        let digest = match &new {
            NewRequest::Xml(xml) => Digest::of(xml.as_bytes()),
            NewRequest::Json { kind, data } => Digest::of(format!("{kind}{data}").as_bytes()),
        };
        if let Some(first) = self.same_key(connection, idempotency_key.as_deref(), digest).await? {
            return Ok(first);
        }
        let raw = match &new {
            NewRequest::Xml(xml) => raw::check_xml(xml, &target),
            NewRequest::Json { kind, data } => raw::build(kind, data, &target),
        };
        let raw = raw.map_err(EngineError::Refused)?;
        let now = self.now();
        let request = Request {
            id: RequestId(ambient::time_ordered(self.ambient.as_ref())),
            revision: Revision::NEW,
            connection: connection.clone(),
            sequence: 0,
            priority: 0,
            qbxml: raw.xml,
            types: raw.types,
            writes: raw.writes,
            on_error: raw.on_error,
            version: raw.version.to_string(),
            idempotency_key: idempotency_key.clone(),
            digest,
            status: RequestStatus::Queued,
            message_set: None,
            pages: Vec::new(),
            iterator: None,
            due: None,
            tries: 0,
            findings: Vec::new(),
            about: None,
            created_at: now,
            updated_at: now,
        };
        let id = request.id;
        let what = request.types.join(", ");
        let changes = vec![
            Change::PutRequest(Box::new(request)),
            self.note(connection, actor, "asked QuickBooks", &what),
        ];
        match self.store.commit(Commit { guards: Vec::new(), changes }).await {
            // Another call with the same key was first.
            Err(StoreError::Conflict { what }) => {
                let first = self.same_key(connection, idempotency_key.as_deref(), digest).await?;
                first.ok_or(EngineError::Store(StoreError::Conflict { what }))
            }
            Err(error) => Err(error.into()),
            Ok(()) => self.one_request(connection, id).await,
        }
    }

    async fn same_key(
        &self,
        connection: &ConnectionId,
        key: Option<&str>,
        digest: Digest,
    ) -> Result<Option<Request>, EngineError> {
        let Some(key) = key else { return Ok(None) };
        match self.store.request_of_key(connection, key).await? {
            Some(first) if first.digest != digest => Err(EngineError::NotNow(
                "this Idempotency-Key was used with another body".to_owned(),
            )),
            found => Ok(found),
        }
    }

    async fn one_request(
        &self,
        connection: &ConnectionId,
        id: RequestId,
    ) -> Result<Request, EngineError> {
        let found = self.store.request(connection, id).await?;
        found.ok_or_else(|| EngineError::NotFound(format!("request {id}")))
    }

    /// The request as it stands, after it was answered or failed or the time is over.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`].
    pub async fn wait_for(
        &self,
        connection: &ConnectionId,
        id: RequestId,
        longest: Duration,
    ) -> Result<Request, EngineError> {
        let deadline = tokio::time::Instant::now() + longest;
        loop {
            // Listen before looking: an answer between the two is not missed.
            let settled = self.settled.notified();
            let request = self.one_request(connection, id).await?;
            let over = matches!(request.status, RequestStatus::Answered | RequestStatus::Failed);
            if over
                || self.is_leaving()
                || tokio::time::timeout_at(deadline, settled).await.is_err()
            {
                return Ok(request);
            }
        }
    }

    /// What QuickBooks answered: whole response documents, verbatim; one, or one a page of an
    /// iterated query. Empty as long as it is not answered.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn responses_of(&self, request: &Request) -> Result<Vec<Body>, EngineError> {
        let mut bodies = Vec::new();
        // Pages of a query that goes on may still be read again from the first.
        if request.status == RequestStatus::Answered || request.pages.is_empty() {
            for id in request.pages.iter().chain(&request.message_set) {
                let message_set = self.store.message_set(id).await?;
                bodies.extend(message_set.and_then(|message_set| message_set.response));
            }
        }
        Ok(bodies)
    }
}
