//! Records put, checked, withdrawn.

use serde_json::Value;

use crate::domain::ids::ConnectionId;
use crate::domain::outcome::Finding;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Record;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;

/// A record as an application puts it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// The qbXML object name.
    pub kind: String,
    /// The application's own key.
    pub source_id: String,
    /// The object; anything but a JSON object is refused.
    pub data: Value,
    /// False: keep it, do not send it yet.
    pub posted: bool,
    /// -1000 to 1000; higher goes first.
    pub priority: i32,
    /// `Kind/sourceId` of records that go before.
    pub depends_on: Vec<String>,
    /// What to do when the name is in use.
    pub on_duplicate: OnDuplicate,
}

/// What to do with a record that preflight refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Handling {
    /// Keep it as `failed`, so that a person sees it.
    Lenient,
    /// Keep nothing.
    Strict,
}

/// What a put did. The record is as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    /// It was not known.
    New(Record),
    /// It was known with other content.
    Changed(Record),
    /// It was known with the same content; nothing was written.
    Same(Record),
}

impl Put {
    /// The record as it stands now.
    pub fn record(&self) -> &Record {
        match self {
            Self::New(record) | Self::Changed(record) | Self::Same(record) => record,
        }
    }
}

impl Engine {
    /// Puts one record. It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownKind`], [`EngineError::BadInput`] for a bad id, no object, a bad
    /// `dependsOn`; [`EngineError::Refused`] only with [`Handling::Strict`].
    pub async fn put(
        &self,
        _connection: &ConnectionId,
        _new: NewRecord,
        _handling: Handling,
        _actor: &Actor,
    ) -> Result<Put, EngineError> {
        todo!()
    }

    /// Puts many records in a few commits; one result each, in order. Later ones may refer to
    /// earlier ones.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`] and [`EngineError::Store`] for all; others stand in the results.
    pub async fn put_many(
        &self,
        _connection: &ConnectionId,
        _new: Vec<NewRecord>,
        _handling: Handling,
        _actor: &Actor,
    ) -> Result<Vec<Result<Put, EngineError>>, EngineError> {
        todo!()
    }

    /// What a put would find wrong. Keeps nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::put_many`].
    pub async fn check(
        &self,
        _connection: &ConnectionId,
        _new: Vec<NewRecord>,
    ) -> Result<Vec<Result<Vec<Finding>, EngineError>>, EngineError> {
        todo!()
    }
}
