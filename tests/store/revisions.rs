//! A commit is made whole or not at all, and only on what was read.

use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::ids::Digest;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use bookbridge::store::Guard;
use bookbridge::store::Store;
use bookbridge::store::StoreError;
use futures_util::future::join_all;

use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    what_is_put_is_read,
    what_was_never_put_is_not_there,
    the_second_of_two_racing_writes_is_refused,
    a_refused_commit_leaves_nothing,
    a_guard_holds_what_the_commit_does_not_write,
    a_change_for_a_connection_that_is_not_there_is_refused,
    an_entity_put_twice_in_a_commit_carries_both_revisions,
    a_user_name_names_one_connection,
    a_user_name_that_was_given_up_is_free,
    an_idempotency_key_names_one_request,
    of_64_racing_increments_none_is_lost,
    a_refused_commit_does_not_harm_those_beside_it,
    an_empty_commit_is_kept,
    after_closing_commits_are_refused,
}

async fn what_is_put_is_read(store: &dyn Store) {
    begin(store).await;
    let mut asked = request(1);
    asked.idempotency_key = Some("once".to_owned());
    let changes = [
        Change::PutState(ConnectorState::new(acme())),
        put(&record("a")),
        Change::PutRequest(Box::new(asked)),
        Change::PutMessageSet(Box::new(message_set(1, &["a"]))),
        Change::PutSession(Box::new(session(1))),
        Change::PutKey(api_key(1)),
        Change::Note(note("paused")),
        Change::LogCall(call(1, "authenticate")),
    ];

    write(store, changes).await.unwrap();

    let once = Revision(1);
    let acme = acme();
    let connection = store.connection(&acme).await.unwrap().unwrap();
    assert_eq!(connection.revision, once);
    assert_eq!(store.connections().await.unwrap(), std::slice::from_ref(&connection));
    assert_eq!(store.connection_of_user("acme-user").await.unwrap(), Some(connection));
    let state = store.state(&acme).await.unwrap().unwrap();
    assert_eq!(state, ConnectorState { revision: once, ..ConnectorState::new(acme.clone()) });
    let mut expected = record("a");
    (expected.revision, expected.sequence) = (once, 1);
    assert_eq!(store.record(&key("a")).await.unwrap(), Some(expected));
    let asked = store.request(&acme, request(1).id).await.unwrap().unwrap();
    assert_eq!((asked.revision, asked.sequence), (once, 2));
    assert_eq!(store.request_of_key(&acme, "once").await.unwrap(), Some(asked.clone()));
    assert_eq!(store.requests(&acme, None, 9).await.unwrap().items, [asked]);
    let set = store.message_set(&message_set(1, &[]).id).await.unwrap().unwrap();
    assert_eq!(set.revision, once);
    assert_eq!(store.message_sets_of(&key("a"), 9).await.unwrap(), [set]);
    let held = store.session(session(1).id).await.unwrap().unwrap();
    assert_eq!(held.revision, once);
    assert_eq!(store.session_of_ticket(&held.ticket).await.unwrap(), Some(held.clone()));
    assert_eq!(store.sessions(&acme, None, 9).await.unwrap().items, [held]);
    let held = store.keys().await.unwrap().pop().unwrap();
    assert_eq!(held.revision, once);
    assert_eq!(store.key_of_digest(&held.digest).await.unwrap(), Some(held));
    assert_eq!(store.activity(&acme, None, 9).await.unwrap().items, [note("paused")]);
    assert_eq!(store.calls(session(1).id, 9).await.unwrap(), [call(1, "authenticate")]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn what_was_never_put_is_not_there(store: &dyn Store) {
    let acme = acme();
    let nothing = Digest::of(b"nothing");

    assert_eq!(store.connections().await.unwrap(), []);
    assert_eq!(store.connection(&acme).await.unwrap(), None);
    assert_eq!(store.connection_of_user("x").await.unwrap(), None);
    assert_eq!(store.state(&acme).await.unwrap(), None);
    assert_eq!(store.record(&key("a")).await.unwrap(), None);
    assert_eq!(store.request(&acme, request(1).id).await.unwrap(), None);
    assert_eq!(store.request_of_key(&acme, "x").await.unwrap(), None);
    assert_eq!(store.message_set(&message_set(1, &[]).id).await.unwrap(), None);
    assert_eq!(store.session(session(1).id).await.unwrap(), None);
    assert_eq!(store.session_of_ticket(&nothing).await.unwrap(), None);
    assert_eq!(store.key_of_digest(&nothing).await.unwrap(), None);
    assert_eq!(store.record_at(&acme, "80000001").await.unwrap(), None);
    assert_eq!(store.next_due(&acme, at(1)).await.unwrap(), None);
    assert_eq!(store.ready(&acme, at(1), 9).await.unwrap(), []);
    assert_eq!(store.counts(&acme).await.unwrap().requests_queued, 0);
}

async fn the_second_of_two_racing_writes_is_refused(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    let read = store.record(&key("a")).await.unwrap().unwrap();

    write(store, [put(&read)]).await.unwrap();
    let second = write(store, [put(&read)]).await;
    let anew = write(store, [put(&record("a"))]).await;

    assert!(is_conflict(&second), "{second:?}");
    assert!(is_conflict(&anew), "{anew:?}");
    assert_eq!(store.record(&key("a")).await.unwrap().unwrap().revision, Revision(2));
}

async fn a_refused_commit_leaves_nothing(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;

    let refused =
        write(store, [put(&record("b")), Change::Note(note("x")), put(&record("a"))]).await;

    assert!(is_conflict(&refused), "{refused:?}");
    assert_eq!(store.record(&key("b")).await.unwrap(), None);
    assert_eq!(store.activity(&acme(), None, 9).await.unwrap().items, []);
    assert_eq!(store.counts(&acme()).await.unwrap().of(Status::Queued), 1);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn a_guard_holds_what_the_commit_does_not_write(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    let note = || Change::Note(note("x"));

    for (guard, holds) in [
        (Guard::Record(key("a"), Revision(1)), true),
        (Guard::Record(key("a"), Revision::NEW), false),
        (Guard::Record(key("b"), Revision::NEW), true),
        (Guard::Record(key("b"), Revision(1)), false),
        (Guard::Connection(acme(), Revision(1)), true),
        (Guard::Connection(acme(), Revision(2)), false),
        (Guard::State(acme(), Revision::NEW), true),
        (Guard::State(acme(), Revision(1)), false),
    ] {
        let result = guarded(store, guard.clone(), note()).await;

        assert_eq!(result.is_ok(), holds, "{guard:?}: {result:?}");
        assert_eq!(is_conflict(&result), !holds, "{guard:?}");
    }
}

async fn a_change_for_a_connection_that_is_not_there_is_refused(store: &dyn Store) {
    let refused = write(store, [put(&record("a"))]).await;

    assert!(is_conflict(&refused), "{refused:?}");
    assert_eq!(store.record(&key("a")).await.unwrap(), None);

    // Within the commit that makes it, the order does not matter.
    let connection = Change::PutConnection(connection(&acme()));
    write(store, [put(&record("a")), connection]).await.unwrap();
}

async fn an_entity_put_twice_in_a_commit_carries_both_revisions(store: &dyn Store) {
    begin(store).await;
    let first = record("a");
    let mut second = record("a");
    (second.revision, second.sequence, second.status) = (Revision(1), 77, Status::Failed);

    write(store, [put(&first), put(&second)]).await.unwrap();

    let read = store.record(&key("a")).await.unwrap().unwrap();
    assert_eq!((read.revision, read.sequence, read.status), (Revision(2), 77, Status::Failed));
    let counts = store.counts(&acme()).await.unwrap();
    assert_eq!((counts.of(Status::Queued), counts.of(Status::Failed)), (0, 1));
    assert_eq!(store.ready(&acme(), at(9), 9).await.unwrap(), []);
}

async fn a_user_name_names_one_connection(store: &dyn Store) {
    begin(store).await;
    let mut other = connection(&bookbridge::domain::ids::ConnectionId::parse("other").unwrap());
    "acme-user".clone_into(&mut other.username);

    let refused = write(store, [Change::PutConnection(other)]).await;

    assert!(is_conflict(&refused), "{refused:?}");
}

async fn a_user_name_that_was_given_up_is_free(store: &dyn Store) {
    begin(store).await;
    let mut acme = store.connection(&acme()).await.unwrap().unwrap();
    "new".clone_into(&mut acme.username);
    write(store, [Change::PutConnection(acme)]).await.unwrap();

    assert_eq!(store.connection_of_user("acme-user").await.unwrap(), None);
    let mut other = connection(&bookbridge::domain::ids::ConnectionId::parse("other").unwrap());
    "acme-user".clone_into(&mut other.username);
    write(store, [Change::PutConnection(other)]).await.unwrap();
}

async fn an_idempotency_key_names_one_request(store: &dyn Store) {
    begin(store).await;
    let mut first = request(1);
    first.idempotency_key = Some("once".to_owned());
    let mut second = request(2);
    second.idempotency_key = first.idempotency_key.clone();
    write(store, [Change::PutRequest(Box::new(first))]).await.unwrap();

    let refused = write(store, [Change::PutRequest(Box::new(second))]).await;

    assert!(is_conflict(&refused), "{refused:?}");
}

async fn of_64_racing_increments_none_is_lost(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;
    let increment = async || {
        for _ in 0..3 {
            loop {
                let mut read = store.record(&key("a")).await.unwrap().unwrap();
                read.tries += 1;
                tokio::task::yield_now().await;
                match write(store, [put(&read)]).await {
                    Ok(()) => break,
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };

    join_all((0..64).map(|_| increment())).await;

    let read = store.record(&key("a")).await.unwrap().unwrap();
    assert_eq!((read.tries, read.revision), (192, Revision(193)));
}

async fn a_refused_commit_does_not_harm_those_beside_it(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("taken")]).await;
    let commits = (0..64).map(|number| {
        let fresh = put(&record(&format!("n{number}")));
        let spoilt = (number % 4 == 0).then(|| put(&record("taken")));
        write(store, [fresh].into_iter().chain(spoilt))
    });

    let results = join_all(commits).await;

    for (number, result) in results.iter().enumerate() {
        let is_there = store.record(&key(&format!("n{number}"))).await.unwrap().is_some();
        assert_eq!(is_there, number % 4 != 0, "{number}: {result:?}");
        assert_eq!(is_conflict(result), number % 4 == 0, "{number}: {result:?}");
    }
    assert_eq!(store.counts(&acme()).await.unwrap().of(Status::Queued), 49);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn an_empty_commit_is_kept(store: &dyn Store) {
    store.commit(Commit::default()).await.unwrap();
}

async fn after_closing_commits_are_refused(store: &dyn Store) {
    begin(store).await;

    store.close().await.unwrap();

    let refused = write(store, [Change::Note(note("x"))]).await;
    assert!(matches!(refused, Err(StoreError::Stopped(_))), "{refused:?}");
    assert!(store.connection(&acme()).await.unwrap().is_some());
}
