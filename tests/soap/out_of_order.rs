//! A store that is out of order: every question fails, and the Web Connector still gets its words.

use std::io::BufRead;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use bookbridge::domain::activity::Activity;
use bookbridge::domain::activity::ApiKey;
use bookbridge::domain::activity::Call;
use bookbridge::domain::connection::Connection;
use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::Digest;
use bookbridge::domain::ids::MessageSetId;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::ids::RequestId;
use bookbridge::domain::ids::SessionId;
use bookbridge::domain::message_set::Body;
use bookbridge::domain::message_set::MessageSet;
use bookbridge::domain::mirror::Mirrored;
use bookbridge::domain::outcome::Group;
use bookbridge::domain::record::Record;
use bookbridge::domain::request::Request;
use bookbridge::domain::session::Session;
use bookbridge::domain::user::User;
use bookbridge::engine::Engine;
use bookbridge::engine::Settings;
use bookbridge::engine::ambient::System;
use bookbridge::store::Commit;
use bookbridge::store::Counts;
use bookbridge::store::Find;
use bookbridge::store::Hour;
use bookbridge::store::Page;
use bookbridge::store::Queued;
use bookbridge::store::RecordFilter;
use bookbridge::store::Spool;
use bookbridge::store::Store;
use bookbridge::store::StoreError;
use jiff::Timestamp;

/// An engine over such a store, and what was spooled to its end.
pub(crate) fn engine() -> (Engine, Arc<Mutex<Vec<Vec<u8>>>>) {
    let store = OutOfOrder::default();
    let spooled = Arc::clone(&store.spooled);
    (Engine::new(Arc::new(store), Arc::new(System), Settings::default()), spooled)
}

#[derive(Default)]
struct OutOfOrder {
    spooled: Arc<Mutex<Vec<Vec<u8>>>>,
}

struct Memory {
    text: Vec<u8>,
    into: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Spool for Memory {
    fn finish(self: Box<Self>) -> std::io::Result<Body> {
        let length = self.text.len() as u64;
        self.into.lock().unwrap().push(self.text);
        Ok(Body::Spooled { name: "memory".to_owned(), length })
    }
}

fn no<T>() -> Result<T, StoreError> {
    Err(StoreError::Stopped("a test".to_owned()))
}

#[async_trait]
impl Store for OutOfOrder {
    async fn commit(&self, _: Commit) -> Result<(), StoreError> {
        no()
    }
    async fn accepts(&self) -> Result<(), StoreError> {
        no()
    }
    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        no()
    }
    async fn connection(&self, _: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        no()
    }
    async fn connection_of_user(&self, _: &str) -> Result<Option<Connection>, StoreError> {
        no()
    }
    async fn state(&self, _: &ConnectionId) -> Result<Option<ConnectorState>, StoreError> {
        no()
    }
    async fn record(&self, _: &RecordKey) -> Result<Option<Record>, StoreError> {
        no()
    }
    async fn records(
        &self,
        _: &ConnectionId,
        _: &RecordFilter,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Record>, StoreError> {
        no()
    }
    async fn waiting_for(&self, _: &RecordKey, _: usize) -> Result<Vec<RecordKey>, StoreError> {
        no()
    }
    async fn problems(&self, _: &ConnectionId) -> Result<Vec<(Group, u64)>, StoreError> {
        no()
    }
    async fn failing(
        &self,
        _: &ConnectionId,
        _: Group,
        _: usize,
    ) -> Result<Vec<Record>, StoreError> {
        no()
    }
    async fn record_at(&self, _: &ConnectionId, _: &str) -> Result<Option<RecordKey>, StoreError> {
        no()
    }
    async fn ready(
        &self,
        _: &ConnectionId,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        no()
    }
    async fn next_due(
        &self,
        _: &ConnectionId,
        _: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        no()
    }
    async fn hours(&self, _: &ConnectionId, _: Timestamp) -> Result<Vec<Hour>, StoreError> {
        no()
    }
    async fn counts(&self, _: &ConnectionId) -> Result<Counts, StoreError> {
        no()
    }
    async fn request(&self, _: &ConnectionId, _: RequestId) -> Result<Option<Request>, StoreError> {
        no()
    }
    async fn requests(
        &self,
        _: &ConnectionId,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Request>, StoreError> {
        no()
    }
    async fn request_of_key(
        &self,
        _: &ConnectionId,
        _: &str,
    ) -> Result<Option<Request>, StoreError> {
        no()
    }
    async fn message_set(&self, _: &MessageSetId) -> Result<Option<MessageSet>, StoreError> {
        no()
    }
    async fn message_sets_of(
        &self,
        _: &RecordKey,
        _: usize,
    ) -> Result<Vec<MessageSet>, StoreError> {
        no()
    }
    async fn session(&self, _: SessionId) -> Result<Option<Session>, StoreError> {
        no()
    }
    async fn session_of_ticket(&self, _: &Digest) -> Result<Option<Session>, StoreError> {
        no()
    }
    async fn sessions(
        &self,
        _: &ConnectionId,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Session>, StoreError> {
        no()
    }
    async fn calls(&self, _: SessionId, _: usize) -> Result<Vec<Call>, StoreError> {
        no()
    }
    async fn activity(
        &self,
        _: &ConnectionId,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Activity>, StoreError> {
        no()
    }
    async fn activity_of(
        &self,
        _: &RecordKey,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Activity>, StoreError> {
        no()
    }
    async fn activity_of_server(
        &self,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Activity>, StoreError> {
        no()
    }
    async fn mirrored(&self, _: &ConnectionId, _: &str) -> Result<Option<Mirrored>, StoreError> {
        no()
    }
    async fn mirror_find(
        &self,
        _: &ConnectionId,
        _: &Find,
        _: usize,
    ) -> Result<Vec<Mirrored>, StoreError> {
        no()
    }
    async fn mirror_search(
        &self,
        _: &ConnectionId,
        _: &str,
        _: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Page<Mirrored>, StoreError> {
        no()
    }
    async fn mirror_size(&self, _: &ConnectionId) -> Result<u64, StoreError> {
        no()
    }
    async fn records_named(
        &self,
        _: &ConnectionId,
        _: &str,
        _: &str,
        _: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        no()
    }
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        no()
    }
    async fn key_of_digest(&self, _: &Digest) -> Result<Option<ApiKey>, StoreError> {
        no()
    }
    async fn users(&self) -> Result<Vec<User>, StoreError> {
        no()
    }
    async fn user_named(&self, _: &str) -> Result<Option<User>, StoreError> {
        no()
    }
    fn spool(&self) -> Result<Box<dyn Spool>, StoreError> {
        Ok(Box::new(Memory { text: Vec::new(), into: Arc::clone(&self.spooled) }))
    }
    fn open_body(&self, _: &Body) -> Result<Box<dyn BufRead + Send>, StoreError> {
        no()
    }
    async fn export(&self, _: &Path) -> Result<u64, StoreError> {
        no()
    }
    async fn import(&self, _: &Path) -> Result<u64, StoreError> {
        no()
    }
    async fn check(&self) -> Result<Vec<String>, StoreError> {
        no()
    }
    async fn close(&self) -> Result<(), StoreError> {
        no()
    }
}
