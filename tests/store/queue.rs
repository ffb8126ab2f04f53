//! What goes first, and what waits.

use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::message_set::Subject;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Reference;
use bookbridge::domain::record::Status;
use bookbridge::domain::request::RequestStatus;
use bookbridge::store::Change;
use bookbridge::store::Store;
use bookbridge::store::StoreError;

use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    priority_goes_before_sequence,
    what_is_due_stands_in_its_place,
    the_next_due_is_the_earliest_that_is_not_due,
    only_what_is_queued_is_ready,
    records_and_requests_share_the_queue,
    a_record_that_is_queued_anew_gets_a_new_place,
    a_record_that_changes_in_the_queue_keeps_its_place,
    who_waits_is_found_before_the_parent_is_there,
    who_waits_no_more_is_not_found,
    a_reference_finds_its_record,
    no_two_records_stand_at_one_reference,
}

async fn names(store: &dyn Store, now: i64, limit: usize) -> Vec<String> {
    let ready = store.ready(&acme(), at(now), limit).await.unwrap();
    ready
        .into_iter()
        .map(|queued| match queued.subject {
            Subject::Record(key) => key.source_id,
            Subject::Request(id) => format!("request {}", id.0.as_u128()),
        })
        .collect()
}

fn ranked(source_id: &str, priority: i32, due: Option<i64>) -> Record {
    Record { priority, due: due.map(at), ..record(source_id) }
}

async fn priority_goes_before_sequence(store: &dyn Store) {
    begin(store).await;
    let records = [("a", 0), ("b", -1), ("c", 5), ("d", 0), ("e", 1000), ("f", -1000)];
    put_all(store, &records.map(|(id, priority)| ranked(id, priority, None))).await;

    assert_eq!(names(store, 1, 9).await, ["e", "c", "a", "d", "b", "f"]);
    assert_eq!(names(store, 1, 2).await, ["e", "c"]);
    assert_eq!(names(store, 1, 0).await, [""; 0]);
}

async fn what_is_due_stands_in_its_place(store: &dyn Store) {
    begin(store).await;
    let records = [
        ("a", 0, Some(50)),
        ("b", 0, None),
        ("c", 0, Some(40)),
        ("d", 7, Some(30)),
        ("e", 0, Some(60)),
    ];
    put_all(store, &records.map(|(id, priority, due)| ranked(id, priority, due))).await;

    assert_eq!(names(store, 29, 9).await, ["b"]);
    assert_eq!(names(store, 30, 9).await, ["d", "b"]);
    assert_eq!(names(store, 50, 9).await, ["d", "a", "b", "c"]);
    assert_eq!(names(store, 50, 2).await, ["d", "a"]);
    assert_eq!(names(store, 99, 9).await, ["d", "a", "b", "c", "e"]);
}

async fn the_next_due_is_the_earliest_that_is_not_due(store: &dyn Store) {
    begin(store).await;
    let records = [("a", 9, Some(50)), ("b", 0, None), ("c", -9, Some(40))];
    put_all(store, &records.map(|(id, priority, due)| ranked(id, priority, due))).await;

    for (now, next) in [(39, Some(40)), (40, Some(50)), (50, None)] {
        assert_eq!(store.next_due(&acme(), at(now)).await.unwrap(), next.map(at), "at {now}");
    }
}

async fn only_what_is_queued_is_ready(store: &dyn Store) {
    begin(store).await;
    for status in Status::ALL {
        put_all(store, &[Record { status, ..record(status.as_str()) }]).await;
    }

    assert_eq!(names(store, 1, 99).await, ["queued"]);
}

async fn records_and_requests_share_the_queue(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    write(store, [Change::PutRequest(Box::new(request(7)))]).await.unwrap();
    put_all(store, &[record("b")]).await;
    assert_eq!(names(store, 1, 9).await, ["a", "request 7", "b"]);
    assert_eq!(store.counts(&acme()).await.unwrap().requests_queued, 1);

    let mut sent = store.request(&acme(), request(7).id).await.unwrap().unwrap();
    sent.status = RequestStatus::Sent;
    write(store, [Change::PutRequest(Box::new(sent))]).await.unwrap();

    assert_eq!(names(store, 1, 9).await, ["a", "b"]);
    assert_eq!(store.counts(&acme()).await.unwrap().requests_queued, 0);
}

async fn a_record_that_is_queued_anew_gets_a_new_place(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a"), record("b")]).await;

    change(store, "a", |record| record.status = Status::Sent).await;
    assert_eq!(names(store, 1, 9).await, ["b"]);
    change(store, "a", |record| (record.status, record.sequence) = (Status::Queued, 0)).await;

    assert_eq!(names(store, 1, 9).await, ["b", "a"]);
}

async fn a_record_that_changes_in_the_queue_keeps_its_place(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a"), record("b")]).await;

    change(store, "a", |record| record.tries = 1).await;
    assert_eq!(names(store, 1, 9).await, ["a", "b"]);

    change(store, "b", |record| record.priority = 1).await;
    assert_eq!(names(store, 1, 9).await, ["b", "a"]);

    change(store, "b", |record| record.due = Some(at(5))).await;
    assert_eq!(names(store, 1, 9).await, ["a"]);
}

fn blocked(source_id: &str, by: &[&str]) -> Record {
    let blocked_by = by.iter().map(|source_id| key(source_id)).collect();
    Record { status: Status::Blocked, blocked_by, ..record(source_id) }
}

async fn waiting(store: &dyn Store, parent: &RecordKey, limit: usize) -> Vec<String> {
    let keys = store.waiting_for(parent, limit).await.unwrap();
    keys.into_iter().map(|key| key.source_id).collect()
}

async fn who_waits_is_found_before_the_parent_is_there(store: &dyn Store) {
    begin(store).await;
    // One name is the beginning of another: they must not be taken for each other.
    put_all(store, &[blocked("y", &["p", "q"]), blocked("x", &["p"]), blocked("z", &["p2"])]).await;

    assert_eq!(waiting(store, &key("p"), 9).await, ["x", "y"]);
    assert_eq!(waiting(store, &key("p"), 1).await, ["x"]);
    assert_eq!(waiting(store, &key("q"), 9).await, ["y"]);
    assert_eq!(waiting(store, &key("p2"), 9).await, ["z"]);
    let other = RecordKey { kind: "Vendor".to_owned(), ..key("p") };
    assert_eq!(waiting(store, &other, 9).await, [""; 0]);
}

async fn who_waits_no_more_is_not_found(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[blocked("x", &["p", "q"])]).await;

    change(store, "x", |record| record.blocked_by = vec![key("q")]).await;
    assert_eq!(waiting(store, &key("p"), 9).await, [""; 0]);
    assert_eq!(waiting(store, &key("q"), 9).await, ["x"]);

    change(store, "x", |record| record.status = Status::Queued).await;
    assert_eq!(waiting(store, &key("q"), 9).await, [""; 0]);
}

fn standing_at(source_id: &str, id: &str) -> Record {
    let reference = Some(Reference { id: id.to_owned(), ..Reference::default() });
    Record { reference, status: Status::Synced, ..record(source_id) }
}

async fn a_reference_finds_its_record(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[standing_at("a", "8000-1"), standing_at("b", "8000-12")]).await;
    let found = async |id| store.record_at(&acme(), id).await.unwrap();

    assert_eq!(found("8000-1").await, Some(key("a")));
    assert_eq!(found("8000-12").await, Some(key("b")));
    assert_eq!(found("8000").await, None);

    change(store, "a", |record| record.reference = None).await;
    assert_eq!(found("8000-1").await, None);
}

async fn no_two_records_stand_at_one_reference(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[standing_at("a", "8000-1"), record("b")]).await;
    let at = |id: &str| Some(Reference { id: id.to_owned(), ..Reference::default() });

    let mut second = store.record(&key("b")).await.unwrap().unwrap();
    second.reference = at("8000-1");
    let refused = write(store, [put(&second)]).await;

    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(store.record(&key("b")).await.unwrap().unwrap().reference, None);
    let both = [put(&standing_at("c", "8000-2")), put(&standing_at("d", "8000-2"))];
    let refused = write(store, both).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    // Lists of two kinds may give the same id.
    let mut vendor = standing_at("a", "8000-1");
    "Vendor".clone_into(&mut vendor.key.kind);
    write(store, [put(&vendor)]).await.unwrap();
    // One takes the place that the other leaves in the same step, whichever is written first.
    let mut first = store.record(&key("a")).await.unwrap().unwrap();
    first.reference = None;
    write(store, [put(&second), put(&first)]).await.unwrap();
    assert_eq!(store.record(&key("b")).await.unwrap().unwrap().reference, at("8000-1"));
}
