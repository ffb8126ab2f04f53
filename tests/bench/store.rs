//! How many records a second the embedded store keeps, and how long each takes to be durable.
//!
//! `cargo run --release --example store-bench [DIRECTORY]`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bookbridge::domain::connection::Connection;
use bookbridge::domain::connection::DuplicateNumbers;
use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::Digest;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::record::Insisted;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use bookbridge::store::Store;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// How long each measurement takes.
const LONG: Duration = Duration::from_secs(5);

/// Commits, read back from the last, that a list shows.
const PAGE: usize = 50;

fn acme() -> ConnectionId {
    ConnectionId::from_name("acme")
}

fn connection() -> Connection {
    Connection {
        id: acme(),
        revision: Revision::NEW,
        name: "Acme".to_owned(),
        username: "acme".to_owned(),
        password: Digest::of(b""),
        company_file: None,
        every_minutes: 5,
        app_name: "Bookbridge".to_owned(),
        owner_id: Uuid::nil(),
        file_id: Uuid::nil(),
        pause: None,
        duplicate_numbers: DuplicateNumbers::Fail,
        mirror: false,
        pairing: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// A record of about 1 kB.
fn record(source_id: &str) -> Record {
    let key = RecordKey::new(&acme(), "Customer", source_id).expect("the name is short");
    Record {
        key,
        revision: Revision::NEW,
        sequence: 0,
        data: json!({ "Name": source_id, "Notes": "n".repeat(300) }),
        digest: Digest::of(source_id.as_bytes()),
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
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        synced_at: None,
        timeline: Vec::new(),
    }
}

/// Puts records until the time is over; returns how long each took.
async fn put_until(store: Arc<SledStore>, name: String, end: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    while Instant::now() < end {
        let record = record(&format!("{name}-{}", took.len()));
        let begun = Instant::now();
        let put = store.commit(Commit::from(Change::PutRecord(Box::new(record)))).await;
        put.expect("the store takes records while it is open");
        took.push(begun.elapsed());
    }
    took
}

async fn measure(store: &Arc<SledStore>, callers: usize) {
    let begun = Instant::now();
    let end = begun + LONG;
    let tasks: Vec<_> = (0..callers)
        .map(|caller| tokio::spawn(put_until(store.clone(), format!("{callers}-{caller}"), end)))
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.expect("a task that puts records does not panic"));
    }
    let seconds = begun.elapsed().as_secs_f64();
    took.sort();
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default();
    let rate = f64::from(u32::try_from(took.len()).unwrap_or(u32::MAX)) / seconds;
    println!("{callers:>3} callers: {rate:>7.0} records/s, p50 {:?}, p99 {:?}", at(50), at(99));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let dir = std::env::args_os().nth(1).map_or_else(
        || std::env::temp_dir().join(format!("store-bench-{}", std::process::id())),
        PathBuf::from,
    );
    let store = SledStore::open(&dir, &Options::default()).expect("the directory can be used");
    let store = Arc::new(store);
    let made = store.commit(Commit::from(Change::PutConnection(connection()))).await;
    made.expect("the directory is empty");
    for callers in [1, 8, 64, 256] {
        measure(&store, callers).await;
    }
    for (what, limit) in [("a page of 50 records", PAGE), ("one record", 1)] {
        let begun = Instant::now();
        let (id, filter) = (acme(), bookbridge::store::RecordFilter::default());
        let page = store.records(&id, &filter, None, limit);
        page.await.expect("what was written can be read");
        println!("{what}: {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    let ready = store.ready(&acme(), Timestamp::UNIX_EPOCH, 25).await;
    println!(
        "the next {} of the queue: {:?}",
        ready.map_or(0, |ready| ready.len()),
        begun.elapsed()
    );
    let begun = Instant::now();
    let findings = store.check().await.expect("what was written can be read");
    println!("check, {} findings: {:?}", findings.len(), begun.elapsed());
    drop(store);
    let begun = Instant::now();
    drop(SledStore::open(&dir, &Options::default()).expect("it was closed"));
    println!("opened and closed again in {:?}", begun.elapsed());
    let _ = std::fs::remove_dir_all(&dir);
}
