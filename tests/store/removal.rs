//! A removed connection takes everything with it.

use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::message_set::Body;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Reference;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Counts;
use bookbridge::store::RecordFilter;
use bookbridge::store::Store;
use futures_util::FutureExt;

use crate::store::Place;
use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    nothing_of_a_removed_connection_is_left,
    a_removal_on_an_old_revision_is_refused,
    others_write_while_a_connection_goes,
}

/// Everything that a connection can have, and many records.
async fn fill(store: &dyn Store, records: usize) {
    begin(store).await;
    let reference = Some(Reference { id: "8000-1".to_owned(), ..Reference::default() });
    let blocked_by = vec![key("0")];
    let mut asked = request(1);
    asked.idempotency_key = Some("once".to_owned());
    let mut set = message_set(1, &["0"]);
    let mut spool = store.spool().unwrap();
    spool.write_all(&vec![b'x'; 50_000]).unwrap();
    set.response = Some(spool.finish().unwrap());
    let mut changes = vec![
        Change::PutState(ConnectorState::new(acme())),
        put(&Record { reference, ..record("at") }),
        put(&Record { status: Status::Blocked, blocked_by, ..record("waits") }),
        Change::PutRequest(Box::new(asked)),
        Change::PutMessageSet(Box::new(set)),
        Change::PutSession(Box::new(session(1))),
        Change::Note(note("x")),
        Change::Note(note_of_server("made")),
    ];
    changes.extend((0..records).map(|number| put(&record(&number.to_string()))));
    changes.extend((0..400).map(|_| Change::LogCall(call(1, "sendRequestXML"))));
    write(store, changes).await.unwrap();
}

async fn must_be_empty(store: &dyn Store) {
    let acme = acme();
    assert_eq!(store.connections().await.unwrap(), []);
    assert_eq!(store.connection_of_user("acme-user").await.unwrap(), None);
    assert_eq!(store.state(&acme).await.unwrap(), None);
    let records = store.records(&acme, &RecordFilter::default(), None, 9).await.unwrap();
    assert_eq!(records.items, []);
    assert_eq!(store.waiting_for(&key("0"), 9).await.unwrap(), []);
    assert_eq!(store.record_at(&acme, "8000-1").await.unwrap(), None);
    assert_eq!(store.ready(&acme, at(9), 9).await.unwrap(), []);
    assert_eq!(store.counts(&acme).await.unwrap(), Counts::default());
    assert_eq!(store.requests(&acme, None, 9).await.unwrap().items, []);
    assert_eq!(store.request_of_key(&acme, "once").await.unwrap(), None);
    assert_eq!(store.message_sets_of(&key("0"), 9).await.unwrap(), []);
    assert_eq!(store.sessions(&acme, None, 9).await.unwrap().items, []);
    assert_eq!(store.session_of_ticket(&session(1).ticket).await.unwrap(), None);
    assert_eq!(store.calls(session(1).id, 9).await.unwrap(), []);
    assert_eq!(store.activity(&acme, None, 9).await.unwrap().items, []);
    let of_server = store.activity_of_server(None, 9).await.unwrap().items;
    assert!(of_server.iter().all(|it| *it == note_of_server("made")) && !of_server.is_empty());
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn nothing_of_a_removed_connection_is_left(store: &dyn Store) {
    fill(store, 700).await;
    let body = store.message_set(&message_set(1, &[]).id).await.unwrap().unwrap().response;

    let removal = [Change::RemoveConnection(acme(), Revision(1)), Change::Note(note("removed"))];
    write(store, removal).await.unwrap();

    must_be_empty(store).await;
    assert!(matches!(&body, Some(body @ Body::Spooled { .. }) if store.open_body(body).is_err()));
    fill(store, 1).await;
    assert_eq!(store.counts(&acme()).await.unwrap().of(Status::Queued), 2);
}

async fn a_removal_on_an_old_revision_is_refused(store: &dyn Store) {
    fill(store, 1).await;

    for revision in [Revision::NEW, Revision(2)] {
        let refused = write(store, [Change::RemoveConnection(acme(), revision)]).await;

        assert!(is_conflict(&refused), "{refused:?}");
    }
    assert!(store.record(&key("0")).await.unwrap().is_some());
}

async fn others_write_while_a_connection_goes(store: &dyn Store) {
    fill(store, 2_000).await;
    let other = ConnectionId::parse("other").unwrap();

    let removal = write(store, [Change::RemoveConnection(acme(), Revision(1))]);
    let others = write(store, [Change::PutConnection(connection(&other))]);
    let late = write(store, [put(&record("late"))]);
    let (removal, others, late) = tokio::join!(removal, others, late);

    removal.unwrap();
    others.unwrap();
    assert!(is_conflict(&late), "{late:?}");
    assert_eq!(store.record(&key("late")).await.unwrap(), None);
}

#[tokio::test]
async fn a_removal_that_was_broken_off_goes_on_at_the_next_start() {
    let place = Place::new();
    let store = place.open().unwrap();
    fill(&store, 3_000).await;
    let mut removal = Box::pin(write(&store, [Change::RemoveConnection(acme(), Revision(1))]));
    // Asked, and not waited for: the store is dropped on the way.
    assert!(removal.as_mut().now_or_never().is_none());
    drop(removal);
    drop(store);

    let store = place.open().unwrap();

    assert_eq!(store.connections().await.unwrap(), []);
    while is_conflict(&write(&store, [Change::PutConnection(connection(&acme()))]).await) {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.counts(&acme()).await.unwrap(), Counts::default());
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
