//! Pages: their order, their filters, and that they stand still while others write.

use bookbridge::domain::activity::Activity;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Reference;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Order;
use bookbridge::store::Page;
use bookbridge::store::RecordFilter;
use bookbridge::store::Store;

use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    records_are_listed_newest_first,
    a_page_stands_still_while_others_write,
    a_record_keeps_its_place_in_the_list,
    filters_show_what_they_say,
    records_are_listed_in_the_order_that_is_asked_for,
    failures_are_counted_by_their_problem,
    a_cursor_of_another_sort_shows_nothing,
    requests_are_listed_newest_first,
    sessions_are_listed_newest_first,
    activity_is_listed_newest_first,
    the_activity_of_the_server_is_no_connections,
    the_activity_of_a_record_is_listed_by_itself,
    the_last_calls_are_listed_oldest_first,
    the_last_message_sets_are_listed_oldest_first,
}

fn names(page: &Page<Record>) -> Vec<&str> {
    page.items.iter().map(|record| record.key.source_id.as_str()).collect()
}

async fn page(store: &dyn Store, cursor: Option<&str>, limit: usize) -> Page<Record> {
    store.records(&acme(), &RecordFilter::default(), cursor, limit).await.unwrap()
}

async fn records_are_listed_newest_first(store: &dyn Store) {
    begin(store).await;
    put_all(store, &["a", "b", "c", "d"].map(record)).await;

    let all = page(store, None, 4).await;
    let first = page(store, None, 3).await;
    let second = page(store, first.next.as_deref(), 3).await;

    assert_eq!((names(&all), all.next.as_deref()), (vec!["d", "c", "b", "a"], None));
    assert_eq!(names(&first), ["d", "c", "b"]);
    assert_eq!((names(&second), second.next.as_deref()), (vec!["a"], None));
}

async fn a_page_stands_still_while_others_write(store: &dyn Store) {
    begin(store).await;
    put_all(store, &["a", "b", "c", "d"].map(record)).await;
    let first = page(store, None, 2).await;

    put_all(store, &["e", "f"].map(record)).await;
    change(store, "b", |record| record.tries = 7).await;

    let second = page(store, first.next.as_deref(), 2).await;
    assert_eq!(names(&second), ["b", "a"]);
}

async fn a_record_keeps_its_place_in_the_list(store: &dyn Store) {
    begin(store).await;
    put_all(store, &["a", "b", "c"].map(record)).await;

    change(store, "a", |record| record.sequence = 0).await;

    assert_eq!(names(&page(store, None, 9).await), ["c", "b", "a"]);
}

async fn records_are_listed_in_the_order_that_is_asked_for(store: &dyn Store) {
    begin(store).await;
    let invoice = |id| record_of(&RecordKey { kind: "Invoice".to_owned(), ..key(id) });
    let failed = |record| Record { status: Status::Failed, ..record };
    let all = [record("b"), invoice("9"), failed(record("a")), failed(invoice("1")), record("c")];
    put_all(store, &all).await;
    let (any, failed) = (RecordFilter::default(), Some(Status::Failed));
    let customers = Some("Customer".to_owned());

    for (filter, expected) in [
        (RecordFilter { order: Order::Oldest, ..any.clone() }, vec!["b", "9", "a", "1", "c"]),
        (RecordFilter { order: Order::Oldest, status: failed, ..any.clone() }, vec!["a", "1"]),
        (RecordFilter { order: Order::Name, ..any.clone() }, vec!["a", "b", "c", "1", "9"]),
        (RecordFilter { order: Order::Name, status: failed, ..any.clone() }, vec!["a", "1"]),
        (RecordFilter { order: Order::Name, kind: customers, ..any.clone() }, vec!["a", "b", "c"]),
    ] {
        for limit in [1, 2, 9] {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = store.records(&acme(), &filter, cursor.as_deref(), limit).await.unwrap();
                assert!(page.items.len() <= limit);
                seen.extend(page.items.into_iter().map(|record| record.key.source_id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{filter:?}, {limit} at a time");
        }
        for wrong in ["", "zzzzzzzzzzzzz", "____________________________", "!"] {
            let page = store.records(&acme(), &filter, Some(wrong), 9).await.unwrap();
            assert!(page.items.len() <= expected.len(), "{wrong}");
        }
    }
}

async fn filters_show_what_they_say(store: &dyn Store) {
    begin(store).await;
    let in_use = Finding::new(Code::NameInUse);
    let locked = Finding::new(Code::RecordLocked);
    let failed = |record| Record { status: Status::Failed, ..record };
    let label = |label: &str| Some(Reference { label: label.to_owned(), ..Reference::default() });
    let invoice = RecordKey { kind: "Invoice".to_owned(), ..key("5") };
    put_all(
        store,
        &[
            record("1"),
            failed(Record { findings: vec![in_use.clone(), locked.clone()], ..record("2") }),
            failed(Record { findings: vec![locked], ..record("3") }),
            Record { status: Status::Synced, reference: label("Über 100"), ..record("4") },
            failed(Record { findings: vec![in_use], ..record_of(&invoice) }),
        ],
    )
    .await;
    let none = RecordFilter::default;
    let failed = Some(Status::Failed);

    for (filter, expected) in [
        (none(), vec!["5", "4", "3", "2", "1"]),
        (RecordFilter { status: failed, ..none() }, vec!["5", "3", "2"]),
        (RecordFilter { status: Some(Status::Held), ..none() }, vec![]),
        (RecordFilter { kind: Some("Invoice".to_owned()), ..none() }, vec!["5"]),
        (RecordFilter { kind: Some("Inv".to_owned()), ..none() }, vec![]),
        (RecordFilter { cause: Some(Code::NameInUse), ..none() }, vec!["5", "2"]),
        (
            RecordFilter { cause: Some(Code::RecordLocked), status: failed, ..none() },
            vec!["3", "2"],
        ),
        (RecordFilter { text: Some("ÜBER".to_owned()), ..none() }, vec!["4"]),
        (RecordFilter { text: Some("2".to_owned()), ..none() }, vec!["2"]),
    ] {
        let shown = store.records(&acme(), &filter, None, 9).await.unwrap();

        assert_eq!(names(&shown), expected, "{filter:?}");
        assert_eq!(shown.next, None, "{filter:?}");
    }

    let filter = RecordFilter { status: failed, ..none() };
    let first = store.records(&acme(), &filter, None, 2).await.unwrap();
    let second = store.records(&acme(), &filter, first.next.as_deref(), 2).await.unwrap();
    assert_eq!((names(&first), names(&second)), (vec!["5", "3"], vec!["2"]));
}

async fn failures_are_counted_by_their_problem(store: &dyn Store) {
    begin(store).await;
    let finding = |code: Code, value: &str| Finding::new(code).fact("value", value);
    let failed = |id: &str, finding: Finding| Record {
        status: Status::Failed,
        findings: vec![finding],
        ..record(id)
    };
    let missing = finding(Code::ReferenceNotFound, "Labor");
    let told = finding(Code::ReferenceNotFound, "Labor").cause("reference_not_found");
    let long = finding(Code::NameInUse, &"x".repeat(5000)).cause("other_list");
    put_all(
        store,
        &[
            failed("1", missing.clone()),
            failed("2", finding(Code::ReferenceNotFound, "Parts")),
            failed("3", told),
            failed("4", long.clone()),
            Record { findings: vec![missing.clone()], ..record("5") },
        ],
    )
    .await;

    let mut problems = store.problems(&acme()).await.unwrap();
    problems.sort_by_key(|(_, count)| std::cmp::Reverse(*count));

    // Who found it out makes no difference; what does not fail counts for none.
    assert_eq!(problems.len(), 3);
    assert_eq!(problems[0], (missing.group(), 2));
    let first = store.failing(&acme(), missing.group(), 1).await.unwrap();
    assert_eq!((first.len(), first[0].key.source_id.as_str()), (1, "1"));
    let filter = RecordFilter { problem: Some(missing.group()), ..RecordFilter::default() };
    let shown = store.records(&acme(), &filter, None, 9).await.unwrap();
    assert_eq!(names(&shown), ["3", "1"]);

    let fixed = store.record(&key("1")).await.unwrap().unwrap();
    store
        .commit(Change::PutRecord(Box::new(Record { status: Status::Queued, ..fixed })).into())
        .await
        .unwrap();
    let changed = store.record(&key("3")).await.unwrap().unwrap();
    let changed = Record { findings: vec![long.clone()], ..changed };
    store.commit(Change::PutRecord(Box::new(changed)).into()).await.unwrap();

    let problems = store.problems(&acme()).await.unwrap();
    let count = |of: &Finding| problems.iter().find(|it| it.0 == of.group()).map(|it| it.1);
    assert_eq!((count(&missing), count(&long)), (None, Some(2)));
    assert_eq!(store.check().await.unwrap(), [""; 0]);
}

async fn a_cursor_of_another_sort_shows_nothing(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[record("a")]).await;

    assert_eq!(names(&page(store, Some("no cursor!"), 9).await), [""; 0]);
}

async fn requests_are_listed_newest_first(store: &dyn Store) {
    begin(store).await;
    for number in [3, 1, 2] {
        write(store, [Change::PutRequest(Box::new(request(number)))]).await.unwrap();
    }

    let first = store.requests(&acme(), None, 2).await.unwrap();
    let second = store.requests(&acme(), first.next.as_deref(), 2).await.unwrap();

    let all = first.items.iter().chain(&second.items);
    assert_eq!(all.map(|request| request.id.0.as_u128()).collect::<Vec<_>>(), [2, 1, 3]);
    assert_eq!(second.next, None);
}

async fn sessions_are_listed_newest_first(store: &dyn Store) {
    begin(store).await;
    for number in [3, 1, 2] {
        write(store, [Change::PutSession(Box::new(session(number)))]).await.unwrap();
    }

    let first = store.sessions(&acme(), None, 2).await.unwrap();
    let second = store.sessions(&acme(), first.next.as_deref(), 2).await.unwrap();

    let all = first.items.iter().chain(&second.items);
    assert_eq!(all.map(|session| session.id.0.as_u128()).collect::<Vec<_>>(), [2, 1, 3]);
}

async fn activity_is_listed_newest_first(store: &dyn Store) {
    begin(store).await;
    for number in 0..5 {
        write(store, [Change::Note(note(&format!("did {number}")))]).await.unwrap();
    }

    let first = store.activity(&acme(), None, 3).await.unwrap();
    let second = store.activity(&acme(), first.next.as_deref(), 3).await.unwrap();

    let all = first.items.iter().chain(&second.items);
    let all: Vec<_> = all.map(|activity| activity.action.as_str()).collect();
    assert_eq!(all, ["did 4", "did 3", "did 2", "did 1", "did 0"]);
}

async fn the_activity_of_the_server_is_no_connections(store: &dyn Store) {
    write(store, [Change::Note(note_of_server("before any connection"))]).await.unwrap();
    begin(store).await;
    for number in 0..4 {
        let notes = [note("did"), note_of_server(&format!("did {number}"))];
        write(store, notes.map(Change::Note)).await.unwrap();
    }

    let first = store.activity_of_server(None, 3).await.unwrap();
    let second = store.activity_of_server(first.next.as_deref(), 3).await.unwrap();

    assert_eq!(second.next, None);
    let all = first.items.iter().chain(&second.items);
    let all: Vec<_> = all.map(|activity| activity.action.as_str()).collect();
    assert_eq!(all, ["did 3", "did 2", "did 1", "did 0", "before any connection"]);
    assert_eq!(store.activity(&acme(), None, 9).await.unwrap().items.len(), 4);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn the_activity_of_a_record_is_listed_by_itself(store: &dyn Store) {
    begin(store).await;
    let about = |subject: &str, action: &str| {
        Change::Note(Activity { subject: subject.to_owned(), ..note(action) })
    };
    for number in 0..4 {
        let changes = [
            about("Customer/a", &format!("did {number}")),
            about("Customer/ab", "another"),
            about("", "the connection"),
            Change::Note(Activity { connection: None, ..note("Customer/a") }),
        ];
        write(store, changes).await.unwrap();
    }

    let first = store.activity_of(&key("a"), None, 3).await.unwrap();
    let second = store.activity_of(&key("a"), first.next.as_deref(), 3).await.unwrap();

    assert_eq!(second.next, None);
    let all = first.items.iter().chain(&second.items);
    let all: Vec<_> = all.map(|activity| activity.action.as_str()).collect();
    assert_eq!(all, ["did 3", "did 2", "did 1", "did 0"]);
    assert_eq!(store.activity_of(&key("c"), None, 9).await.unwrap().items, []);
    write(store, [Change::RemoveConnection(acme(), Revision(1))]).await.unwrap();
    assert_eq!(store.activity_of(&key("a"), None, 9).await.unwrap().items, []);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn the_last_calls_are_listed_oldest_first(store: &dyn Store) {
    begin(store).await;
    for number in 0..5 {
        let calls = [call(1, &format!("{number}")), call(2, "other")];
        write(store, calls.map(Change::LogCall)).await.unwrap();
    }

    let calls = store.calls(session(1).id, 3).await.unwrap();

    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["2", "3", "4"]);
}

async fn the_last_message_sets_are_listed_oldest_first(store: &dyn Store) {
    begin(store).await;
    for number in [5, 3, 4] {
        let set = message_set(number, &["a", "b"]);
        write(store, [Change::PutMessageSet(Box::new(set))]).await.unwrap();
    }

    let sets = store.message_sets_of(&key("b"), 2).await.unwrap();

    let ids: Vec<_> = sets.into_iter().map(|set| set.id).collect();
    assert_eq!(ids, [message_set(3, &[]).id, message_set(4, &[]).id]);
    assert_eq!(store.message_sets_of(&key("c"), 2).await.unwrap(), []);
}
