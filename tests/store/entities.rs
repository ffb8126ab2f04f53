//! The smallest entities that a store takes.

use bookbridge::domain::activity::Activity;
use bookbridge::domain::activity::ApiKey;
use bookbridge::domain::activity::Call;
use bookbridge::domain::activity::Scope;
use bookbridge::domain::connection::Connection;
use bookbridge::domain::connection::DuplicateNumbers;
use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::Digest;
use bookbridge::domain::ids::KeyId;
use bookbridge::domain::ids::MessageSetId;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::ids::RequestId;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::ids::SessionId;
use bookbridge::domain::message_set::Item;
use bookbridge::domain::message_set::MessageSet;
use bookbridge::domain::message_set::Progress;
use bookbridge::domain::message_set::Purpose;
use bookbridge::domain::message_set::Subject;
use bookbridge::domain::record::Insisted;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::domain::request::Request;
use bookbridge::domain::request::RequestStatus;
use bookbridge::domain::session::Machine;
use bookbridge::domain::session::Session;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use bookbridge::store::Guard;
use bookbridge::store::Store;
use bookbridge::store::StoreError;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn acme() -> ConnectionId {
    ConnectionId::parse("acme").unwrap()
}

pub(super) fn key(source_id: &str) -> RecordKey {
    RecordKey::new(&acme(), "Customer", source_id).unwrap()
}

pub(super) fn connection(id: &ConnectionId) -> Connection {
    Connection {
        id: id.clone(),
        revision: Revision::NEW,
        name: "Acme Ltd.".to_owned(),
        username: format!("{id}-user"),
        password: Digest::of(b"password"),
        company_file: None,
        every_minutes: 5,
        app_name: "Bookbridge".to_owned(),
        owner_id: Uuid::from_u128(1),
        file_id: Uuid::from_u128(2),
        pause: None,
        duplicate_numbers: DuplicateNumbers::Fail,
        mirror: false,
        pairing: None,
        created_at: at(1),
    }
}

pub(super) fn record(source_id: &str) -> Record {
    record_of(&key(source_id))
}

pub(super) fn record_of(key: &RecordKey) -> Record {
    Record {
        key: key.clone(),
        revision: Revision::NEW,
        sequence: 0,
        data: json!({ "Name": key.source_id }),
        digest: Digest::of(key.source_id.as_bytes()),
        posted: true,
        priority: 0,
        depends_on: Vec::new(),
        on_duplicate: OnDuplicate::Fail,
        wanted: Wanted::Present,
        status: Status::Queued,
        blocked_by: Vec::new(),
        due: None,
        tries: 0,
        refresh: false,
        alone: false,
        reference: None,
        former: None,
        gone_in: None,
        lost: None,
        sent: None,
        findings: Vec::new(),
        amendments: Vec::new(),
        insisted: Insisted::Nothing,
        number: None,
        asked: None,
        overruled_at: None,
        unedited_in: None,
        bypass_reason: None,
        created_at: at(1),
        updated_at: at(1),
        synced_at: None,
        timeline: Vec::new(),
    }
}

pub(super) fn request(number: u128) -> Request {
    Request {
        id: RequestId(Uuid::from_u128(number)),
        revision: Revision::NEW,
        connection: acme(),
        sequence: 0,
        priority: 0,
        qbxml: "<CustomerQueryRq/>".to_owned(),
        types: vec!["CustomerQueryRq".to_owned()],
        writes: false,
        on_error: bookbridge::domain::request::OnError::default(),
        version: "13.0".to_owned(),
        idempotency_key: None,
        digest: Digest::of(b"body"),
        status: RequestStatus::Queued,
        message_set: None,
        pages: Vec::new(),
        iterator: None,
        due: None,
        tries: 0,
        findings: Vec::new(),
        about: None,
        created_at: at(1),
        updated_at: at(1),
    }
}

pub(super) fn message_set(number: u128, source_ids: &[&str]) -> MessageSet {
    let item = |source_id: &&str| Item {
        request_id: (*source_id).to_owned(),
        subject: Subject::Record(key(source_id)),
        purpose: Purpose::Add,
        digest: Digest::of(b"data"),
        lines: Vec::new(),
        said: None,
    };
    MessageSet {
        id: MessageSetId::from_bits(number),
        revision: Revision::NEW,
        connection: acme(),
        session: SessionId(Uuid::from_u128(1)),
        writes: true,
        qbxml: "<QBXML/>".to_owned(),
        items: source_ids.iter().map(item).collect(),
        progress: Progress::Sent,
        handed_out: 1,
        unreadable: 0,
        sent_at: at(1),
        settled_at: None,
        response: None,
        failure: None,
    }
}

pub(super) fn session(number: u128) -> Session {
    Session {
        id: SessionId(Uuid::from_u128(number)),
        revision: Revision::NEW,
        connection: acme(),
        ticket: Digest::of(&number.to_be_bytes()),
        machine: Machine::opened(),
        started_at: at(1),
        last_call_at: at(1),
        ended_at: None,
        calls: 0,
        connection_errors: 0,
        accepted: 0,
        refused: 0,
        company_file: String::new(),
        last: None,
    }
}

pub(super) fn api_key(number: u128) -> ApiKey {
    ApiKey {
        id: KeyId(Uuid::from_u128(number)),
        revision: Revision::NEW,
        name: format!("key {number}"),
        scope: Scope::Write,
        digest: Digest::of(&number.to_be_bytes()),
        created_at: at(1),
        revoked_at: None,
    }
}

pub(super) fn note_of_server(action: &str) -> Activity {
    Activity { connection: None, subject: "user ann".to_owned(), ..note(action) }
}

pub(super) fn note(action: &str) -> Activity {
    Activity {
        connection: Some(acme()),
        at: at(1),
        actor: "command line".to_owned(),
        action: action.to_owned(),
        subject: String::new(),
        detail: String::new(),
    }
}

pub(super) fn call(session: u128, operation: &str) -> Call {
    Call {
        session: SessionId(Uuid::from_u128(session)),
        at: at(1),
        operation: operation.to_owned(),
        answer: "none".to_owned(),
        bytes: 0,
        took: Some(3),
    }
}

/// Commits changes without guards.
pub(super) async fn write(
    store: &dyn Store,
    changes: impl IntoIterator<Item = Change>,
) -> Result<(), StoreError> {
    let changes = changes.into_iter().collect();
    store.commit(Commit { guards: Vec::new(), changes }).await
}

/// Commits a change, if a guard holds.
pub(super) async fn guarded(
    store: &dyn Store,
    guard: Guard,
    change: Change,
) -> Result<(), StoreError> {
    store.commit(Commit { guards: vec![guard], changes: vec![change] }).await
}

pub(super) fn put(record: &Record) -> Change {
    Change::PutRecord(Box::new(record.clone()))
}

/// Puts records, each in its own commit, in order.
pub(super) async fn put_all(store: &dyn Store, records: &[Record]) {
    for record in records {
        write(store, [put(record)]).await.unwrap();
    }
}

/// Makes `acme`.
pub(super) async fn begin(store: &dyn Store) {
    write(store, [Change::PutConnection(connection(&acme()))]).await.unwrap();
}

/// Reads a record, changes it, and writes it.
pub(super) async fn change(store: &dyn Store, source_id: &str, how: impl FnOnce(&mut Record)) {
    let mut record = store.record(&key(source_id)).await.unwrap().unwrap();
    how(&mut record);
    write(store, [put(&record)]).await.unwrap();
}

pub(super) fn is_conflict(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict { .. }))
}
