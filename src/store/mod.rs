//! What survives a crash.
//!
//! A [`Store`] keeps entities and answers questions about them. Writing is one verb: [`Store::commit`]
//! takes all changes of a step and makes all of them durable, or none. An entity is written only if
//! it stands at the revision at which it was read, so a step that raced with another is refused as
//! [`StoreError::Conflict`] and made again from what is stored now.
//!
//! Guarantees, held by `tests/store` for every implementation:
//! - When `commit` returns `Ok`, a power cut loses none of it; when it returns `Err`, none of it is
//!   visible, except after [`StoreError::Stopped`], when only reopening tells.
//! - What a reader sees is committed, though perhaps a moment before it is durable.
//! - Indexes (queue order, status, blockers, counts) change with the entity, never later.
//!
//! What else was considered: one verb a use case. It doubled every rule in every implementation.

mod entity;
pub mod export;
mod format;
pub mod sled;

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::Write;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::activity::Activity;
use crate::domain::activity::ApiKey;
use crate::domain::activity::Call;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::message_set::Body;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Subject;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Code;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::Request;
use crate::domain::session::Session;
use crate::domain::user::User;

pub(crate) use crate::store::format::FORMAT;

/// One change of a [`Commit`].
///
/// A `Put…` names the revision at which the entity was read ([`Revision::NEW`] if it is new); the
/// store refuses the commit if another is stored, and stores the next.
#[derive(Clone, Debug)]
pub enum Change {
    /// Make or change a connection.
    PutConnection(Connection),
    /// Forget a connection and everything that belongs to it.
    RemoveConnection(ConnectionId, Revision),
    /// Change what sessions leave behind.
    PutState(ConnectorState),
    /// Make or change a record. A record whose `sequence` is 0 gets the next one.
    PutRecord(Box<Record>),
    /// Make or change a raw request. One whose `sequence` is 0 gets the next one.
    PutRequest(Box<Request>),
    /// Make or change a message set. Its items are findable by record from then on.
    PutMessageSet(Box<MessageSet>),
    /// Make or change a session.
    PutSession(Box<Session>),
    /// Make or change an API key.
    PutKey(ApiKey),
    /// Append to the activity.
    Note(Activity),
    /// Append to a session's calls.
    LogCall(Call),
    /// Write down what QuickBooks told of an object: the last word wins.
    Mirror(Box<Mirrored>),
    /// Make or change a user of the pages.
    PutUser(User),
}

/// Something that must not have changed, though this commit does not write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The record stands at this revision; [`Revision::NEW`]: it does not exist.
    Record(RecordKey, Revision),
    /// What sessions leave behind stands at this revision.
    State(ConnectionId, Revision),
    /// The connection stands at this revision.
    Connection(ConnectionId, Revision),
}

/// All that one step changes.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What must still be so.
    pub guards: Vec<Guard>,
    /// What changes, in order.
    pub changes: Vec<Change>,
}

impl From<Change> for Commit {
    fn from(change: Change) -> Self {
        Self { guards: Vec::new(), changes: vec![change] }
    }
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Load again and step again.
    #[error("another call changed {what} first")]
    Conflict {
        /// The entity that moved.
        what: String,
    },
    /// Nothing was kept; it may work again once there is room.
    #[error("the disk is full; nothing more is accepted until there is room")]
    Full,
    /// Nothing was kept; it may work again once the data directory can be written.
    #[error("the data directory cannot be written; nothing more is accepted until it can")]
    Unwritable(#[source] std::io::Error),
    /// What was asked cannot be held.
    #[error("{what} has {bytes} bytes; the store keeps at most {limit}")]
    TooLarge {
        /// The entity.
        what: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A bug or a damaged disk; no retry helps.
    #[error("cannot read the stored {what}: {why}")]
    Corrupt {
        /// The entity, as its key says.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Another process has it open, it is of a newer version, or it lost what was acknowledged.
    #[error("cannot open the store at {path}: {why}")]
    Open {
        /// Where.
        path: String,
        /// What is wrong, with what to do.
        why: String,
    },
    /// The file is no whole export, of a newer release, or the store is not empty.
    #[error("cannot import {path}: {why}")]
    Import {
        /// The file.
        path: String,
        /// What is wrong, with the line.
        why: String,
    },
    /// After an I/O error the state on disk is unknown: reopen, and see.
    #[error("the store stopped: {0}")]
    Stopped(String),
    /// The file system refused.
    #[error("{what}")]
    Io {
        /// What was done to what.
        what: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Which records a list shows; all that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Of this status.
    pub status: Option<Status>,
    /// Of this kind.
    pub kind: Option<String>,
    /// One of whose findings has this code.
    pub cause: Option<Code>,
    /// One of whose findings has this finer label inside its code.
    pub label: Option<String>,
    /// That fail of this problem.
    pub problem: Option<Group>,
    /// Whose `Kind/sourceId`, name or number, or place in QuickBooks holds this text, whatever the
    /// case.
    pub text: Option<String>,
    /// In which order they are listed.
    pub order: Order,
}

/// In which order records are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was pushed last comes first.
    #[default]
    Newest,
    /// What was pushed first comes first.
    Oldest,
    /// By kind, then by source id, as their bytes sort.
    Name,
}

/// What is looked for in the mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
    /// Exactly this name in a name space, as [`mirror::normal`](crate::domain::mirror::normal)
    /// writes it.
    Named(String, String),
    /// Names in a name space that begin so, in their order.
    Prefix(String, String),
    /// Transactions of a kind with the same
    /// [`mirror::equal`](crate::domain::mirror::equal).
    Equal(String, String),
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where the next part begins; `None` at the end. Opaque to callers.
    pub next: Option<String>,
}

/// A place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// What waits.
    pub subject: Subject,
    /// Higher goes first.
    pub priority: i32,
    /// Lower goes first among equals.
    pub sequence: u64,
    /// Not before this time, if set.
    pub due: Option<Timestamp>,
}

/// How many records and requests of a connection stand where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records by status.
    pub records: BTreeMap<Status, u64>,
    /// Raw requests in the queue.
    pub requests_queued: u64,
}

impl Counts {
    /// Records of one status.
    pub fn of(&self, status: Status) -> u64 {
        self.records.get(&status).copied().unwrap_or(0)
    }
}

/// What became of records in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// When it began, at a full hour in UTC.
    pub began_at: Timestamp,
    /// How often a record was synced.
    pub synced: u64,
    /// How often one failed.
    pub failed: u64,
}

/// A text on its way to the disk: short ones stay in memory, long ones become a file.
pub trait Spool: Write + Send {
    /// Makes it durable and gives what to name in a commit. A spool that is dropped instead, or
    /// whose body no commit names, is cleaned away later.
    ///
    /// # Errors
    ///
    /// [`std::io::Error`] of the file system.
    fn finish(self: Box<Self>) -> std::io::Result<Body>;
}

/// Keeps what must survive.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes all changes of a step, or none. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if a guard or a revision does not hold: load and step again.
    /// [`StoreError::Full`] if new records are refused to keep the reserve of free disk.
    /// [`StoreError::Unwritable`] if something long could not be written.
    async fn commit(&self, commit: Commit) -> Result<(), StoreError>;
    /// Whether a new record would be taken now, long or short.
    ///
    /// # Errors
    ///
    /// What [`Store::commit`] would say: [`StoreError::Full`], [`StoreError::Unwritable`],
    /// [`StoreError::Stopped`].
    async fn accepts(&self) -> Result<(), StoreError>;

    /// All connections, by id.
    async fn connections(&self) -> Result<Vec<Connection>, StoreError>;
    /// One connection.
    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, StoreError>;
    /// The connection of a Web Connector user name.
    async fn connection_of_user(&self, username: &str) -> Result<Option<Connection>, StoreError>;
    /// What sessions left behind.
    async fn state(&self, id: &ConnectionId) -> Result<Option<ConnectorState>, StoreError>;

    /// One record.
    async fn record(&self, key: &RecordKey) -> Result<Option<Record>, StoreError>;
    /// Records in the order in which they were first put, newest first.
    async fn records(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError>;
    /// Records that wait for this one, or failed because of it, by key, at most `limit`.
    async fn waiting_for(
        &self,
        key: &RecordKey,
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError>;
    /// The record that stands at this ListID or TxnID, of any kind.
    async fn record_at(
        &self,
        connection: &ConnectionId,
        reference_id: &str,
    ) -> Result<Option<RecordKey>, StoreError>;
    /// What is queued and due, in queue order: priority, then sequence.
    async fn ready(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError>;
    /// When the earliest of what is queued but not due becomes due.
    async fn next_due(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;
    /// What records fail of, and how many of each.
    async fn problems(&self, connection: &ConnectionId) -> Result<Vec<(Group, u64)>, StoreError>;
    /// Records that fail of one problem, in the order in which they were first put.
    async fn failing(
        &self,
        connection: &ConnectionId,
        problem: Group,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError>;
    /// How many stand where.
    async fn counts(&self, connection: &ConnectionId) -> Result<Counts, StoreError>;
    /// What became of records since a moment, in hours, oldest first, none of the empty ones. At
    /// least the last two days are kept.
    async fn hours(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<Vec<Hour>, StoreError>;

    /// One raw request.
    async fn request(
        &self,
        connection: &ConnectionId,
        id: RequestId,
    ) -> Result<Option<Request>, StoreError>;
    /// Raw requests, newest first.
    async fn requests(
        &self,
        connection: &ConnectionId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Request>, StoreError>;
    /// The raw request that was made with this `Idempotency-Key`.
    async fn request_of_key(
        &self,
        connection: &ConnectionId,
        idempotency_key: &str,
    ) -> Result<Option<Request>, StoreError>;

    /// One message set.
    async fn message_set(&self, id: &MessageSetId) -> Result<Option<MessageSet>, StoreError>;
    /// The message sets that carried a record, oldest first, at most the last `limit`.
    async fn message_sets_of(
        &self,
        key: &RecordKey,
        limit: usize,
    ) -> Result<Vec<MessageSet>, StoreError>;

    /// One session.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// The session of a ticket, dead or living.
    async fn session_of_ticket(&self, ticket: &Digest) -> Result<Option<Session>, StoreError>;
    /// Sessions of a connection, newest first.
    async fn sessions(
        &self,
        connection: &ConnectionId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError>;
    /// Calls of a session, oldest first, at most the last `limit`.
    async fn calls(&self, session: SessionId, limit: usize) -> Result<Vec<Call>, StoreError>;
    /// A connection's activity, newest first.
    async fn activity(
        &self,
        connection: &ConnectionId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError>;
    /// What of a connection's activity is about this record, newest first.
    async fn activity_of(
        &self,
        key: &RecordKey,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError>;
    /// The activity that is no connection's, newest first.
    async fn activity_of_server(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError>;

    /// What is known of the object with this ListID or TxnID.
    async fn mirrored(
        &self,
        connection: &ConnectionId,
        id: &str,
    ) -> Result<Option<Mirrored>, StoreError>;
    /// Objects of the mirror by what an index says of them, at most `limit`.
    async fn mirror_find(
        &self,
        connection: &ConnectionId,
        find: &Find,
        limit: usize,
    ) -> Result<Vec<Mirrored>, StoreError>;
    /// A page of the objects of the mirror that have a text, as
    /// [`mirror::normal`](crate::domain::mirror::normal) writes it, anywhere in their name in a name
    /// space, in the order of names. So many names are looked at, however few of them it shows.
    async fn mirror_search(
        &self,
        connection: &ConnectionId,
        space: &str,
        text: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Mirrored>, StoreError>;
    /// How many objects the mirror has.
    async fn mirror_size(&self, connection: &ConnectionId) -> Result<u64, StoreError>;
    /// Records that are not out of the game and have this name or number in a name space, as
    /// [`mirror::normal`](crate::domain::mirror::normal) writes it, at most `limit`.
    async fn records_named(
        &self,
        connection: &ConnectionId,
        space: &str,
        name: &str,
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError>;

    /// All API keys, revoked ones too.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    /// The API key of a digest.
    async fn key_of_digest(&self, digest: &Digest) -> Result<Option<ApiKey>, StoreError>;

    /// All users of the pages, those who may not log in any more too.
    async fn users(&self) -> Result<Vec<User>, StoreError>;
    /// The user of a name.
    async fn user_named(&self, name: &str) -> Result<Option<User>, StoreError>;

    /// Begins a text on its way to the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if no file can be made.
    fn spool(&self) -> Result<Box<dyn Spool>, StoreError>;
    /// Reads a body, from its beginning.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if its file is gone.
    fn open_body(&self, body: &Body) -> Result<Box<dyn BufRead + Send>, StoreError>;

    /// Writes everything as NDJSON to a new file, as it stood at one moment. Returns how many lines.
    async fn export(&self, to: &Path) -> Result<u64, StoreError>;
    /// Reads an export into this store, which must be empty. Returns how many lines.
    async fn import(&self, from: &Path) -> Result<u64, StoreError>;
    /// Reads everything and compares it with its indexes and counts; returns what is wrong.
    async fn check(&self) -> Result<Vec<String>, StoreError>;
    /// Finishes what waits and makes it durable. Later commits are refused.
    async fn close(&self) -> Result<(), StoreError>;
}
