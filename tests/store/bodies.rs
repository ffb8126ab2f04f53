//! What is long: it goes to files, and nobody sees a difference.

use std::io::Read;

use bookbridge::domain::message_set::Body;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Store;
use bookbridge::store::StoreError;
use futures_util::future::join_all;
use serde_json::json;

use crate::store::Place;
use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    a_text_is_spooled_as_it_was_written,
    a_long_record_is_read_as_it_was_put,
    a_long_record_may_be_read_while_it_changes,
    a_body_that_is_gone_is_an_error,
}

fn long(source_id: &str, length: usize) -> Record {
    Record { data: json!({ "Notes": "n".repeat(length), "Rate": 1.10 }), ..record(source_id) }
}

fn spooled(store: &dyn Store, pieces: &[&[u8]]) -> Body {
    let mut spool = store.spool().unwrap();
    for piece in pieces {
        spool.write_all(piece).unwrap();
    }
    spool.finish().unwrap()
}

fn read(store: &dyn Store, body: &Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.open_body(body).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

async fn a_text_is_spooled_as_it_was_written(store: &dyn Store) {
    let short = vec![b'x'; 32 << 10];
    let long = vec![b'y'; 100_000];
    for (pieces, in_memory) in [
        (vec![], true),
        (vec![&b"<QBXML/>"[..]], true),
        (vec!["ü".as_bytes(), b"x"], true),
        (vec![&short[..]], true),
        (vec![&short[..], b"x"], false),
        (vec![&b"x"[..], &long], false),
        (vec![&long[..], &b"x"[..], &long], false),
        // Windows-1252 is no UTF-8: it must come back byte for byte.
        (vec![&b"\xfc"[..]], false),
    ] {
        let body = spooled(store, &pieces);

        let whole = pieces.concat();
        assert_eq!(read(store, &body), whole);
        assert_eq!(body.len(), whole.len() as u64);
        assert_eq!(matches!(body, Body::Inline(_)), in_memory, "{} bytes", whole.len());
    }
}

async fn a_long_record_is_read_as_it_was_put(store: &dyn Store) {
    begin(store).await;
    for length in [40_000, 49_000, 70_000, 1_000_000, 10] {
        let put = match store.record(&key("a")).await.unwrap() {
            Some(read) => Record { data: long("a", length).data, ..read },
            None => long("a", length),
        };
        write(store, [super::entities::put(&put)]).await.unwrap();

        let read = store.record(&key("a")).await.unwrap().unwrap();
        assert_eq!(read.data, put.data);
        assert_eq!(read.data["Rate"].to_string(), "1.1");
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
    let mut set = message_set(1, &["a"]);
    set.qbxml = "<x/>".repeat(50_000);
    write(store, [Change::PutMessageSet(Box::new(set.clone()))]).await.unwrap();
    let sets = store.message_sets_of(&key("a"), 1).await.unwrap();
    assert_eq!(sets[0].qbxml, set.qbxml);
}

async fn a_long_record_may_be_read_while_it_changes(store: &dyn Store) {
    begin(store).await;
    put_all(store, &[long("a", 60_000)]).await;
    let writing = async {
        for tries in 1..=50 {
            change(store, "a", |record| record.tries = tries).await;
        }
    };
    let reading = join_all((0..4).map(async |_| {
        let mut last = 0;
        while last < 50 {
            last = store.record(&key("a")).await.unwrap().unwrap().tries;
            tokio::task::yield_now().await;
        }
    }));

    tokio::join!(writing, reading);
}

async fn a_body_that_is_gone_is_an_error(store: &dyn Store) {
    for name in ["body-9-9", "../store", "", "a/b", ".."] {
        let body = Body::Spooled { name: name.to_owned(), length: 1 };

        let gone = store.open_body(&body).err();

        assert!(matches!(gone, Some(StoreError::Corrupt { .. })), "{name}: {gone:?}");
    }
}

fn files(place: &Place) -> usize {
    std::fs::read_dir(place.store().join("spool")).unwrap().count()
}

#[tokio::test]
async fn files_that_nothing_names_are_swept_away() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    let mut set = message_set(1, &[]);
    set.response = Some(spooled(&store, &[&vec![b'x'; 40_000]]));
    write(&store, [Change::PutMessageSet(Box::new(set.clone()))]).await.unwrap();
    put_all(&store, &[long("a", 60_000)]).await;
    let _never_named = spooled(&store, &[&vec![b'x'; 40_000]]);
    drop(store.spool().unwrap());
    assert_eq!(files(&place), 3);

    // A row that changes leaves its old file; a refused one leaves none.
    change(&store, "a", |record| record.status = Status::Failed).await;
    assert!(is_conflict(&write(&store, [put(&long("a", 60_000))]).await));
    assert_eq!(files(&place), 3);

    drop(store);
    let store = place.open().unwrap();
    assert_eq!(files(&place), 2);
    let read_again = store.message_set(&set.id).await.unwrap().unwrap().response.unwrap();
    assert_eq!(read(&store, &read_again).len(), 40_000);
    assert_eq!(store.record(&key("a")).await.unwrap().unwrap().status, Status::Failed);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_spool_that_is_dropped_leaves_no_file() {
    let place = Place::new();
    let store = place.open().unwrap();
    let mut spool = store.spool().unwrap();
    spool.write_all(&vec![b'x'; 90_000]).unwrap();
    assert_eq!(files(&place), 1);

    drop(spool);

    assert_eq!(files(&place), 0);
}
