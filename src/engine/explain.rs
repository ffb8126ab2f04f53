//! Health, problems, attempts: what people look at.

use jiff::Timestamp;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Said;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::store::Counts;

/// How a connection is, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HealthState {
    /// It works.
    Ok,
    /// Work waits for the next session, which is not overdue.
    Waiting,
    /// The next session is overdue.
    Late,
    /// No call for long.
    Offline,
    /// Sessions come, but QuickBooks or its access refuses.
    Blocked,
    /// No Web Connector ever logged in.
    NeverPaired,
    /// A person or an alert paused it.
    Paused,
}

impl HealthState {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Waiting => "waiting",
            Self::Late => "late",
            Self::Offline => "offline",
            Self::Blocked => "blocked",
            Self::NeverPaired => "never_paired",
            Self::Paused => "paused",
        }
    }
}

/// How a connection is.
#[derive(Clone, Debug)]
pub struct Health {
    /// In one word.
    pub state: HealthState,
    /// In one sentence.
    pub summary: String,
    /// The Web Connector's last call.
    pub last_seen_at: Option<Timestamp>,
    /// When it should come next.
    pub next_expected_at: Option<Timestamp>,
    /// How many records stand where.
    pub counts: Counts,
    /// When what waits longest was put.
    pub oldest_waiting_at: Option<Timestamp>,
    /// What keeps it from working, if anything does.
    pub findings: Vec<Finding>,
}

/// Failures of one cause.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The finding of the example: its code, cause and facts.
    pub finding: Finding,
    /// How many records have it.
    pub count: u64,
    /// One of them.
    pub example: RecordKey,
    /// How many records wait behind them.
    pub waiting: u64,
}

/// One time that a record went out.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The message set that carried it.
    pub message_set: MessageSetId,
    /// What it was to do.
    pub purpose: Purpose,
    /// Where the message set stands.
    pub progress: Progress,
    /// How often the message set was handed out.
    pub handed_out: u32,
    /// First handed out.
    pub sent_at: Timestamp,
    /// Answer applied.
    pub settled_at: Option<Timestamp>,
    /// What QuickBooks, or the Web Connector, said.
    pub said: Option<Said>,
    /// The record's own `…Rq`.
    pub request_xml: String,
    /// The record's own `…Rs`, if it is here.
    pub response_xml: Option<String>,
}

impl Engine {
    /// How a connection is.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn health(&self, _id: &ConnectionId) -> Result<Health, EngineError> {
        todo!()
    }

    /// Failures grouped by cause, biggest first.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn problems(&self, _id: &ConnectionId) -> Result<Vec<Problem>, EngineError> {
        todo!()
    }

    /// Every time that a record went out, oldest first; at most the last 50.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoRecord`].
    pub async fn attempts(&self, _key: &RecordKey) -> Result<Vec<Attempt>, EngineError> {
        todo!()
    }
}
