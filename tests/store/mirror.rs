//! The mirror: what is known of the company file, found by id, by name, and by what equals it.

use bookbridge::domain::ids::Revision;
use bookbridge::domain::mirror;
use bookbridge::domain::mirror::Facts;
use bookbridge::domain::mirror::Mirrored;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use bookbridge::store::Find;
use bookbridge::store::Store;

use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    the_last_word_about_an_object_wins,
    objects_are_found_by_name_and_by_its_beginning,
    objects_are_found_by_what_stands_inside_their_name_page_by_page,
    a_search_that_finds_little_ends_and_leads_on,
    what_is_gone_is_known_by_its_id_alone,
    equal_entries_are_found,
    records_are_found_by_their_name_while_they_stand,
}

fn told(id: &str, facts: Facts) -> Commit {
    let mirrored =
        Mirrored { connection: acme(), id: id.to_owned(), revision: Revision::NEW, facts };
    Change::Mirror(Box::new(mirrored)).into()
}

fn named(kind: &str, name: &str) -> Facts {
    Facts { kind: kind.to_owned(), name: name.to_owned(), ..Facts::default() }
}

async fn found(store: &dyn Store, find: Find) -> Vec<String> {
    let found = store.mirror_find(&acme(), &find, 10).await.unwrap();
    found.into_iter().map(|it| it.id).collect()
}

fn by_name(kind: &str, name: &str) -> Find {
    Find::Named(mirror::space(kind).to_owned(), mirror::normal(name))
}

async fn the_last_word_about_an_object_wins(store: &dyn Store) {
    begin(store).await;
    store.commit(told("80-1", named("Customer", "Jones"))).await.unwrap();
    store.commit(told("80-1", named("Customer", "Brown"))).await.unwrap();

    let known = store.mirrored(&acme(), "80-1").await.unwrap().unwrap();

    assert_eq!((known.facts.name.as_str(), known.revision), ("Brown", Revision(2)));
    assert_eq!(found(store, by_name("Customer", "Jones")).await, [""; 0]);
    assert_eq!(found(store, by_name("Customer", "brown ")).await, ["80-1"]);
    assert_eq!(store.mirror_size(&acme()).await.unwrap(), 1);
    assert_eq!(store.check().await.unwrap(), [""; 0]);
}

async fn objects_are_found_by_name_and_by_its_beginning(store: &dyn Store) {
    begin(store).await;
    for (id, kind, name) in [
        ("80-1", "Customer", "Jones"),
        ("80-2", "Vendor", "Jones  Ltd"),
        ("80-3", "ItemService", "Jones"),
        ("80-4", "Customer", "Jones:Site"),
    ] {
        store.commit(told(id, named(kind, name))).await.unwrap();
    }

    assert_eq!(found(store, by_name("Employee", "JONES")).await, ["80-1"]);
    let begins = Find::Prefix("Name".to_owned(), "jon".to_owned());
    assert_eq!(found(store, begins).await, ["80-1", "80-2", "80-4"]);
    assert_eq!(found(store, by_name("ItemGroup", "jones")).await, ["80-3"]);
}

async fn objects_are_found_by_what_stands_inside_their_name_page_by_page(store: &dyn Store) {
    begin(store).await;
    for (id, kind, name) in [
        ("80-1", "Customer", "Larry Jones"),
        ("80-2", "Vendor", "Ann"),
        ("80-3", "ItemService", "Jones"),
        ("80-4", "Customer", "Acme:Jones"),
        ("80-5", "Employee", "JONES"),
    ] {
        store.commit(told(id, named(kind, name))).await.unwrap();
    }
    let search = async |cursor: Option<&str>| {
        let page = store.mirror_search(&acme(), "Name", "jones", cursor, 2).await.unwrap();
        let ids: Vec<_> = page.items.into_iter().map(|it| it.id).collect();
        (ids, page.next)
    };

    let (first, next) = search(None).await;
    let (second, end) = search(next.as_deref()).await;

    assert_eq!(first, ["80-4", "80-5"]);
    assert_eq!((second, end), (vec!["80-1".to_owned()], None));
    assert_eq!(search(Some("no cursor")).await, (Vec::new(), None));
}

async fn a_search_that_finds_little_ends_and_leads_on(store: &dyn Store) {
    begin(store).await;
    let all = (0..20_001).map(|number| {
        let name = if number == 20_000 { "zoe".to_owned() } else { format!("ann {number:05}") };
        let facts = named("Customer", &name);
        let id = format!("80-{number}");
        Change::Mirror(Box::new(Mirrored {
            connection: acme(),
            id,
            revision: Revision::NEW,
            facts,
        }))
    });
    let all: Vec<_> = all.collect();
    for changes in all.chunks(1_000) {
        let commit = Commit { guards: Vec::new(), changes: changes.to_vec() };
        store.commit(commit).await.unwrap();
    }

    let first = store.mirror_search(&acme(), "Name", "zoe", None, 10).await.unwrap();
    let next = first.next.as_deref();
    let second = store.mirror_search(&acme(), "Name", "zoe", next, 10).await.unwrap();

    assert!(first.items.is_empty() && next.is_some());
    assert_eq!((second.items.len(), second.next), (1, None));
}

async fn what_is_gone_is_known_by_its_id_alone(store: &dyn Store) {
    begin(store).await;
    store.commit(told("80-1", named("Customer", "Jones"))).await.unwrap();

    let gone = Facts { gone: Some("2026-01-01".to_owned()), ..named("Customer", "Jones") };
    store.commit(told("80-1", gone)).await.unwrap();

    assert_eq!(found(store, by_name("Customer", "Jones")).await, [""; 0]);
    assert!(store.mirrored(&acme(), "80-1").await.unwrap().unwrap().facts.gone.is_some());
}

async fn equal_entries_are_found(store: &dyn Store) {
    begin(store).await;
    let invoice = Facts {
        entity: Some("80-1".to_owned()),
        date: Some("2026-03-02".to_owned()),
        amount: Some("10.50".to_owned()),
        ..named("Invoice", "1001")
    };
    store.commit(told("1-1", invoice)).await.unwrap();

    let equal =
        |amount| Find::Equal("Invoice".to_owned(), mirror::equal("80-1", "2026-03-02", amount));
    assert_eq!(found(store, equal("10.5")).await, ["1-1"]);
    assert_eq!(found(store, equal("10.51")).await, [""; 0]);
}

async fn records_are_found_by_their_name_while_they_stand(store: &dyn Store) {
    begin(store).await;
    let mut one = record("a");
    one.data = serde_json::json!({"Name": "Jones  Ltd"});
    store.commit(Change::PutRecord(Box::new(one)).into()).await.unwrap();
    let space = mirror::space(&record("a").key.kind).to_owned();
    let names = async || {
        let found = store.records_named(&acme(), &space, "jones ltd", 10).await.unwrap();
        found.into_iter().map(|key| key.source_id).collect::<Vec<_>>()
    };

    assert_eq!(names().await, ["a"]);
    change(store, "a", |record| {
        record.status = bookbridge::domain::record::Status::Failed;
    })
    .await;
    assert_eq!(names().await, [""; 0]);
    assert_eq!(store.check().await.unwrap(), [""; 0]);
}
