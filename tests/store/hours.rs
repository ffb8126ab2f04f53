//! What became of records, hour by hour: counted with the change itself, and bounded.

use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::record::Moment;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Hour;
use bookbridge::store::Store;

use crate::store::Place;
use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    what_a_record_became_counts_in_its_hour,
    what_is_written_again_counts_once,
    what_is_refused_counts_nothing,
    hours_that_are_far_away_go,
    the_hours_of_a_removed_connection_go,
}

const HOUR: i64 = 3600;

fn hour(number: i64, synced: u64, failed: u64) -> Hour {
    Hour { began_at: at(number * HOUR), synced, failed }
}

/// Lets a record become these, each at its second.
async fn becomes(store: &dyn Store, source_id: &str, moments: &[(Status, i64)]) {
    change(store, source_id, |record| {
        for (status, second) in moments {
            record.status = *status;
            let (at, note) = (at(*second), String::new());
            record.timeline.push(Moment { at, status: *status, note });
        }
    })
    .await;
}

async fn all(store: &dyn Store) -> Vec<Hour> {
    store.hours(&acme(), at(0)).await.unwrap()
}

async fn what_a_record_became_counts_in_its_hour(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a"), record("b")]).await;

    becomes(store, "a", &[(Status::Sent, 10), (Status::Synced, 3599)]).await;
    // It was changed meanwhile, so it goes once more: it was synced all the same.
    becomes(store, "a", &[(Status::Sent, 3600), (Status::Synced, 3600), (Status::Queued, 3600)])
        .await;
    becomes(store, "b", &[(Status::Failed, 3 * HOUR), (Status::Queued, 3 * HOUR)]).await;
    becomes(store, "b", &[(Status::Failed, 3 * HOUR + 1)]).await;

    let expected = [hour(0, 1, 0), hour(1, 1, 0), hour(3, 0, 2)];
    assert_eq!(all(store).await, expected);
    assert_eq!(store.hours(&acme(), at(2 * HOUR - 1)).await.unwrap(), expected[1..]);
    assert_eq!(store.hours(&acme(), at(4 * HOUR)).await.unwrap(), []);
    let other = ConnectionId::parse("acme-2").unwrap();
    assert_eq!(store.hours(&other, at(0)).await.unwrap(), []);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn what_is_written_again_counts_once(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    becomes(store, "a", &[(Status::Failed, 5)]).await;

    change(store, "a", |record| record.priority = 7).await;

    assert_eq!(all(store).await, [hour(0, 0, 1)]);
}

async fn what_is_refused_counts_nothing(store: &dyn Store) {
    begin(store).await;
    let moment = Moment { at: at(5), status: Status::Failed, note: String::new() };
    let failed = Record { status: Status::Failed, timeline: vec![moment], ..record("a") };
    let stale = Record { revision: Revision(7), ..record("b") };

    let refused = write(store, [put(&failed), put(&stale)]).await;

    assert!(is_conflict(&refused), "{refused:?}");
    assert_eq!(all(store).await, []);
    write(store, [put(&failed)]).await.unwrap();
    assert_eq!(all(store).await, [hour(0, 0, 1)]);
}

async fn hours_that_are_far_away_go(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    for number in 0..60 {
        becomes(store, "a", &[(Status::Failed, number * HOUR)]).await;
    }

    assert_eq!(all(store).await, (11..60).map(|number| hour(number, 0, 1)).collect::<Vec<_>>());

    // A clock that was wrong, and is right again.
    becomes(store, "a", &[(Status::Failed, 9_000 * HOUR)]).await;
    becomes(store, "a", &[(Status::Failed, 60 * HOUR)]).await;

    assert_eq!(all(store).await, [hour(60, 0, 1)]);
}

async fn the_hours_of_a_removed_connection_go(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    becomes(store, "a", &[(Status::Failed, 5)]).await;

    write(store, [Change::RemoveConnection(acme(), Revision(1))]).await.unwrap();

    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    begin(store).await;
    assert_eq!(all(store).await, []);
}

#[tokio::test]
async fn hours_stay_after_a_restart_and_are_no_part_of_an_export() {
    let (place, new) = (Place::new(), Place::new());
    let store = place.open().unwrap();
    begin(&store).await;
    put_all(&store, &[record("a")]).await;
    becomes(&store, "a", &[(Status::Synced, 5)]).await;
    store.close().await.unwrap();
    drop(store);

    let store = place.open().unwrap();
    assert_eq!(all(&store).await, [hour(0, 1, 0)]);
    let file = place.path().join("export.ndjson");
    store.export(&file).await.unwrap();
    let restored = new.open().unwrap();
    restored.import(&file).await.unwrap();

    assert_eq!(all(&restored).await, []);
    becomes(&restored, "a", &[(Status::Failed, 6)]).await;
    assert_eq!(all(&restored).await, [hour(0, 0, 1)]);
    assert_eq!(restored.check().await.unwrap(), Vec::<String>::new());
}
