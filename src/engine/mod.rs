//! Load, step, commit: the one place where rules, store and clock meet.
//!
//! Every public method is a use case. It loads what it needs, lets the pure middle decide, writes all
//! of it in one commit, and answers; if another call was first, it begins again. **On disk first,
//! answered second.** Nothing here knows of HTTP, SOAP envelopes or pages.
//!
//! | file | use cases |
//! |---|---|
//! | `callbacks` | what the Web Connector calls |
//! | `intake` | records put, checked, withdrawn |
//! | `operate` | what people decide: retry, bypass, link, … |
//! | `connections` | made, changed, paused, rotated |
//! | `requests` | raw qbXML through the queue |
//! | `health` `explain` | how a connection is; problems, reasons, attempts |
//! | `mirror` | what is known of the company file |
//! | `users` `keys` | who may do what |
//! | `fix` `propose` `preview` `mend` | what is pressed, what it proposes, what it would do, and what it asks QuickBooks to do |
//! | `tasks` | the same for many, in the background |
//! | `pairing` | the steps that tick by themselves |
//! | `watchdog` `sweep` | what is stuck, what is old |
//!
//! The others are parts of these: `place` queues or blocks a record, `known` holds it against the
//! mirror, `compose` writes a message set, `arriving` and `answer` read what comes back, `settle`,
//! `verdict`, `waiting` and `thrown` decide what it means, `questions`, `numbers`, `follow_up` and
//! `gone` ask QuickBooks more, and `lost` and `searched` find out what became of an Add.

pub mod ambient;
mod answer;
mod arriving;
mod callbacks;
mod company;
mod compose;
mod conflict;
mod connections;
mod explain;
mod fix;
mod follow_up;
mod gone;
mod health;
mod intake;
mod keys;
mod known;
mod lost;
mod mend;
mod mirror;
mod names;
mod numbers;
mod operate;
mod pages;
mod pairing;
mod place;
mod preview;
mod propose;
mod questions;
mod references;
mod requests;
mod rest;
mod searched;
mod settle;
mod sweep;
mod tasks;
mod thrown;
mod turns;
mod users;
mod verdict;
mod waiting;
mod watchdog;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;

pub use crate::engine::arriving::Arriving;
pub use crate::engine::callbacks::FirstCall;
pub use crate::engine::callbacks::Login;
pub use crate::engine::company::same_path;
pub use crate::engine::connections::ConnectionChange;
pub use crate::engine::connections::NewConnection;
pub use crate::engine::explain::Attempt;
pub use crate::engine::explain::Problem;
pub use crate::engine::explain::asks_for_link;
pub use crate::engine::fix::FIXES;
pub use crate::engine::fix::Pressed;
pub use crate::engine::health::Health;
pub use crate::engine::health::HealthState;
pub use crate::engine::intake::Handling;
pub use crate::engine::intake::NewRecord;
pub use crate::engine::intake::Put;
pub use crate::engine::operate::Action;
pub use crate::engine::pairing::Sign;
pub use crate::engine::pairing::Wire;
pub use crate::engine::preview::is_of_use;
pub use crate::engine::preview::is_pressable;
pub use crate::engine::requests::NewRequest;
pub use crate::engine::tasks::BulkAction;
pub use crate::engine::tasks::MATCHED;
pub use crate::engine::tasks::Task;
pub use crate::engine::watchdog::Stuck;

use crate::domain::activity::Activity;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Finding;
use crate::engine::ambient::Ambient;
use crate::store::Change;
use crate::store::Store;
use crate::store::StoreError;

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a call for this long, a session counts as lost.
    pub session_idle: SignedDuration,
    /// Most requests in a message set.
    pub message_set_size: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { session_idle: SignedDuration::from_secs(900), message_set_size: 25 }
    }
}

/// Who does something, for the activity: an API key's name, `web connector`, `bookbridge`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor(pub String);

impl Actor {
    /// What nobody asked for.
    pub fn ourselves() -> Self {
        Self("bookbridge".to_owned())
    }
}

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such connection.
    #[error("there is no connection {0}")]
    NoConnection(String),
    /// There is no such record.
    #[error("there is no record {}", .0.path())]
    NoRecord(RecordKey),
    /// There is no such thing of another sort; the text names it.
    #[error("there is no {0}")]
    NotFound(String),
    /// The kind is not in the schema.
    #[error("there is no kind {kind}")]
    UnknownKind {
        /// What was asked for.
        kind: String,
        /// The kind with the nearest name.
        nearest: Option<String>,
    },
    /// The call itself is wrong, at this place.
    #[error("{why}")]
    BadInput {
        /// JSON pointer, or the name of a parameter.
        pointer: String,
        /// What is wrong, in a sentence.
        why: String,
    },
    /// QuickBooks would refuse it.
    #[error("{} findings", .0.len())]
    Refused(Vec<Finding>),
    /// Not while things stand as they do.
    #[error("{0}")]
    NotNow(String),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The use cases, over a store and a clock.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    ambient: Arc<dyn Ambient>,
    settings: Settings,
    /// Wakes those who wait for a raw request; they look again.
    settled: Arc<tokio::sync::Notify>,
    leaving: Arc<AtomicBool>,
    arriving: arriving::Arrivals,
    tasks: tasks::Tasks,
    turns: turns::Turns,
    wires: pairing::Wires,
}

impl Engine {
    /// An engine over a store that is open.
    pub fn new(store: Arc<dyn Store>, ambient: Arc<dyn Ambient>, settings: Settings) -> Self {
        Self {
            store,
            ambient,
            settings,
            settled: Arc::default(),
            leaving: Arc::default(),
            arriving: arriving::Arrivals::default(),
            tasks: tasks::Tasks::default(),
            turns: turns::Turns::default(),
            wires: pairing::Wires::default(),
        }
    }

    /// The process is about to end: nobody waits for an answer any longer.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
        self.settled.notify_waiters();
    }

    /// Whether the process is about to end.
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// The store, for reading: lists and single entities are shown as they stand.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The time, as the engine sees it.
    pub fn now(&self) -> jiff::Timestamp {
        self.ambient.now()
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Connection, EngineError> {
        let found = self.store.connection(id).await?;
        found.ok_or_else(|| EngineError::NoConnection(id.to_string()))
    }

    async fn state(&self, id: &ConnectionId) -> Result<ConnectorState, EngineError> {
        let found = self.store.state(id).await?;
        Ok(found.unwrap_or_else(|| ConnectorState::new(id.clone())))
    }

    fn note(
        &self,
        connection: &ConnectionId,
        actor: &Actor,
        action: &str,
        subject: &str,
    ) -> Change {
        Change::Note(Activity {
            connection: Some(connection.clone()),
            at: self.now(),
            actor: actor.0.clone(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: String::new(),
        })
    }

    /// A line of the server's own activity: of users, API keys and connections.
    fn note_of_server(&self, actor: &Actor, action: &str, subject: String, detail: &str) -> Change {
        Change::Note(Activity {
            connection: None,
            at: self.now(),
            actor: actor.0.clone(),
            action: action.to_owned(),
            subject,
            detail: detail.to_owned(),
        })
    }
}

/// Does a step again for as long as another call was first. Ten times is more than any fair race
/// needs: each loser was overtaken by a commit that succeeded.
macro_rules! until_settled {
    ($step:expr) => {{
        let mut tries = 0;
        loop {
            match $step.await {
                Err($crate::engine::EngineError::Store($crate::store::StoreError::Conflict {
                    ..
                })) if tries < 10 => tries += 1,
                other => break other,
            }
        }
    }};
}
use until_settled;
