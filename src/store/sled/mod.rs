//! The embedded store, on sled 0.34: the default, for one machine.
//!
//! sled is used in the one way that holds against a power cut: one writer thread takes all commits
//! that wait into one transaction, and acknowledges them after our own `fdatasync` of its log
//! (`writer`); rows stay below 64 KiB and longer things go to files (`files`); a watermark of our
//! own tells whether the end of the log was lost (`watermark`). Nothing outside this directory knows
//! of sled.
//!
//! | file | what |
//! |---|---|
//! | `open` | opening after anything |
//! | `trees` `keys` | the trees, and how keys sort |
//! | `links` | which index entries an entity has |
//! | `apply` `draft` `writer` | a commit: checked, drafted, written |
//! | `hours` | what became of records, for a plot |
//! | `remove` | a connection, bit by bit |
//! | `shelf` `reads` | rows and lists |
//! | `files` `spool` | what is long |
//! | `export` `import` `check` | everything at once |
//! | `damage` | where files are damaged |
//!
//! What else was considered: `flush_async` (it deadlocks with eight waiters), a commit a caller (a
//! fifth of the speed), sled's own transactions for checking revisions (they cannot scan, and one
//! writer needs no second opinion).

mod apply;
mod check;
mod damage;
mod disk;
mod draft;
mod export;
mod fault;
mod files;
mod hours;
mod import;
mod keys;
mod links;
mod named;
mod open;
mod reads;
mod remove;
mod shelf;
mod spool;
mod trees;
mod watermark;
mod writer;

use std::io;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::oneshot;

#[doc(hidden)]
pub use crate::store::sled::fault::Fault;
#[doc(hidden)]
pub use crate::store::sled::fault::Faults;

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
use crate::domain::ids::SessionId;
use crate::domain::message_set::Body;
use crate::domain::message_set::MessageSet;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::domain::request::Request;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::store::Commit;
use crate::store::Counts;
use crate::store::Find;
use crate::store::Hour;
use crate::store::Page;
use crate::store::Queued;
use crate::store::RecordFilter;
use crate::store::Spool;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::sled::apply::Prepared;
use crate::store::sled::disk::Room;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::spool::SledSpool;
use crate::store::sled::trees::Tree;
use crate::store::sled::writer::Ask;
use crate::store::sled::writer::Reply;

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Options {
    /// Free disk, in bytes, below which new records are refused.
    pub reserve: u64,
    /// What sled tries to stay below in memory, in bytes.
    pub cache: u64,
    /// Where a test lets it die.
    #[doc(hidden)]
    pub faults: Option<Arc<dyn Faults>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { reserve: 256 << 20, cache: 64 << 20, faults: None }
    }
}

/// An open store. Dropping it waits until what was begun is durable.
#[derive(Debug)]
pub struct SledStore {
    shelf: Shelf,
    /// `None` while it is dropped.
    asks: Option<mpsc::Sender<Ask>>,
    thread: Option<JoinHandle<()>>,
    stopped: Arc<OnceLock<String>>,
    room: Room,
}

impl SledStore {
    /// Opens, and makes if it is missing, the store in a directory.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if another process has it, or if it is damaged; [`StoreError::Io`] if the
    /// directory cannot be used.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        open::open(dir, options)
    }

    /// Asks the writer, and waits for what it says.
    async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let Some(asks) = &self.asks else { return Err(self.why_stopped()) };
        asks.send(ask(reply)).map_err(|_| self.why_stopped())?;
        answer.await.map_err(|_| self.why_stopped())?
    }

    fn why_stopped(&self) -> StoreError {
        let why = self.stopped.get().map_or("its writer ended", String::as_str);
        StoreError::Stopped(why.to_owned())
    }

    /// Moves what is long in a commit to files, without keeping other tasks from running.
    async fn spilled(&self, mut prepared: Prepared) -> Result<Prepared, StoreError> {
        let files = self.shelf.files.clone();
        let spill = move || prepared.spill(&files).map(|()| prepared);
        let spilled = tokio::task::spawn_blocking(spill).await.map_err(io::Error::other);
        spilled.flatten().map_err(no_room)
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

/// An error of writing a file that nothing names yet.
fn no_room(source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        // The task that wrote panicked: that is no word of the disk.
        io::ErrorKind::Other => {
            StoreError::Io { what: "cannot write a spool file".to_owned(), source }
        }
        _ => StoreError::Unwritable(source),
    }
}

#[async_trait]
impl Store for SledStore {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let mut prepared = Prepared::new(commit)?;
        if prepared.is_long() {
            prepared = self.spilled(prepared).await?;
        }
        self.ask(|reply| Ask::Commit(prepared, reply)).await
    }

    async fn accepts(&self) -> Result<(), StoreError> {
        if self.stopped.get().is_some() {
            return Err(self.why_stopped());
        }
        if self.room.is_short() {
            return Err(StoreError::Full);
        }
        // Only a try tells: rights, a disk that became read-only, a directory that is gone.
        self.shelf.files.begin("try").map(drop).map_err(no_room)
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        self.shelf.all(Tree::Connection)
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.shelf.load(Tree::Connection, id.as_str().as_bytes())
    }

    async fn connection_of_user(&self, username: &str) -> Result<Option<Connection>, StoreError> {
        self.shelf.follow(Tree::User, username.as_bytes(), Tree::Connection, Vec::new())
    }

    async fn state(&self, id: &ConnectionId) -> Result<Option<ConnectorState>, StoreError> {
        self.shelf.load(Tree::State, id.as_str().as_bytes())
    }

    async fn record(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.shelf.load(Tree::Record, &keys::record(key))
    }

    async fn records(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        self.shelf.records(connection, filter, cursor, limit).await
    }

    async fn waiting_for(
        &self,
        key: &RecordKey,
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        self.shelf.waiting_for(key, limit)
    }

    async fn problems(&self, connection: &ConnectionId) -> Result<Vec<(Group, u64)>, StoreError> {
        self.shelf.problems(connection)
    }

    async fn failing(
        &self,
        connection: &ConnectionId,
        problem: Group,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.shelf.failing(connection, problem, limit)
    }

    async fn record_at(
        &self,
        connection: &ConnectionId,
        reference_id: &str,
    ) -> Result<Option<RecordKey>, StoreError> {
        self.shelf.record_at(connection, reference_id)
    }

    async fn ready(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        self.shelf.ready(connection, now, limit)
    }

    async fn next_due(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.shelf.next_due(connection, now)
    }

    async fn counts(&self, connection: &ConnectionId) -> Result<Counts, StoreError> {
        self.shelf.counts(connection)
    }

    async fn hours(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<Vec<Hour>, StoreError> {
        hours::since(&self.shelf.trees, connection, since)
    }

    async fn request(
        &self,
        connection: &ConnectionId,
        id: RequestId,
    ) -> Result<Option<Request>, StoreError> {
        self.shelf.load(Tree::Request, &keys::with(keys::of(connection), &[id.0.as_bytes()]))
    }

    async fn requests(
        &self,
        connection: &ConnectionId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Request>, StoreError> {
        self.shelf.page(Tree::RequestOrder, Tree::Request, Some(connection), cursor, limit)
    }

    async fn request_of_key(
        &self,
        connection: &ConnectionId,
        idempotency_key: &str,
    ) -> Result<Option<Request>, StoreError> {
        let key = keys::with(keys::of(connection), &[idempotency_key.as_bytes()]);
        self.shelf.follow(Tree::RequestKey, &key, Tree::Request, keys::of(connection))
    }

    async fn message_set(&self, id: &MessageSetId) -> Result<Option<MessageSet>, StoreError> {
        self.shelf.message_set(id)
    }

    async fn message_sets_of(
        &self,
        key: &RecordKey,
        limit: usize,
    ) -> Result<Vec<MessageSet>, StoreError> {
        self.shelf.message_sets_of(key, limit)
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.shelf.load(Tree::Session, id.0.as_bytes())
    }

    async fn session_of_ticket(&self, ticket: &Digest) -> Result<Option<Session>, StoreError> {
        self.shelf.follow(Tree::Ticket, &ticket.0, Tree::Session, Vec::new())
    }

    async fn sessions(
        &self,
        connection: &ConnectionId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError> {
        self.shelf.page(Tree::SessionOrder, Tree::Session, Some(connection), cursor, limit)
    }

    async fn calls(&self, session: SessionId, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.shelf.calls(session, limit)
    }

    async fn activity(
        &self,
        connection: &ConnectionId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError> {
        self.shelf.activity(Some(connection), cursor, limit)
    }

    async fn activity_of(
        &self,
        key: &RecordKey,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError> {
        self.shelf.activity_of(key, cursor, limit)
    }

    async fn activity_of_server(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError> {
        self.shelf.activity(None, cursor, limit)
    }

    async fn mirrored(
        &self,
        connection: &ConnectionId,
        id: &str,
    ) -> Result<Option<Mirrored>, StoreError> {
        self.shelf.load(Tree::Mirror, &keys::mirrored(connection, id))
    }

    async fn mirror_find(
        &self,
        connection: &ConnectionId,
        find: &Find,
        limit: usize,
    ) -> Result<Vec<Mirrored>, StoreError> {
        self.shelf.mirror_find(connection, find, limit)
    }

    async fn mirror_search(
        &self,
        connection: &ConnectionId,
        space: &str,
        text: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Mirrored>, StoreError> {
        self.shelf.mirror_search(connection, space, text, cursor, limit).await
    }

    async fn mirror_size(&self, connection: &ConnectionId) -> Result<u64, StoreError> {
        self.shelf.mirror_size(connection)
    }

    async fn records_named(
        &self,
        connection: &ConnectionId,
        space: &str,
        name: &str,
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        self.shelf.records_named(connection, space, name, limit)
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.shelf.all(Tree::Key)
    }

    async fn key_of_digest(&self, digest: &Digest) -> Result<Option<ApiKey>, StoreError> {
        self.shelf.follow(Tree::KeyDigest, &digest.0, Tree::Key, Vec::new())
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.shelf.all(Tree::Person)
    }

    async fn user_named(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.shelf.follow(Tree::PersonName, name.as_bytes(), Tree::Person, Vec::new())
    }

    fn spool(&self) -> Result<Box<dyn Spool>, StoreError> {
        Ok(Box::new(SledSpool::new(self.shelf.files.clone())))
    }

    fn open_body(&self, body: &Body) -> Result<Box<dyn BufRead + Send>, StoreError> {
        match body {
            Body::Inline(text) => Ok(Box::new(io::Cursor::new(text.clone().into_bytes()))),
            Body::Spooled { name, .. } => self.shelf.files.open(name).map_err(|error| {
                StoreError::Corrupt { what: format!("body {name}"), why: error.to_string() }
            }),
        }
    }

    async fn export(&self, to: &Path) -> Result<u64, StoreError> {
        self.ask(|reply| Ask::Export(to.to_owned(), reply)).await
    }

    async fn import(&self, from: &Path) -> Result<u64, StoreError> {
        self.ask(|reply| Ask::Import(from.to_owned(), reply)).await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.ask(Ask::Check).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.ask(|reply| Ask::Close(Some(reply))).await
    }
}
