//! Export and import: everything goes with them, and nothing damaged comes in.

use std::fs;
use std::io::Read;
use std::path::Path;

use bookbridge::domain::activity::Activity;
use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Reference;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::RecordFilter;
use bookbridge::store::Store;
use bookbridge::store::StoreError;
use serde_json::json;

use crate::store::Place;
use crate::store::entities::*;

async fn fill(store: &dyn Store) {
    begin(store).await;
    let mut spool = store.spool().unwrap();
    for number in 0..30_000 {
        writeln!(spool, "<CustomerRet {number}/>").unwrap();
    }
    let mut set = message_set(1, &["c", "a"]);
    set.response = Some(spool.finish().unwrap());
    let changes = [
        Change::PutState(ConnectorState::new(acme())),
        Change::PutRequest(Box::new(request(1))),
        Change::PutMessageSet(Box::new(set)),
        Change::PutSession(Box::new(session(1))),
        Change::LogCall(call(1, "authenticate")),
        Change::LogCall(call(1, "closeConnection")),
        Change::PutKey(api_key(1)),
        Change::Note(note("first")),
        Change::Note(note("second")),
        Change::Note(note_of_server("made")),
    ];
    write(store, changes).await.unwrap();
    let long = Record { data: json!({ "Notes": "x".repeat(90_000) }), ..record("b") };
    put_all(store, &[record("c"), record("a"), long]).await;
    put_all(store, &(0..600).map(|n| record(&n.to_string())).collect::<Vec<_>>()).await;
    change(store, "a", |record| record.status = Status::Failed).await;
    change(store, "c", |record| record.sequence = 0).await;
}

async fn same(one: &dyn Store, other: &dyn Store) {
    let (acme, all) = (acme(), RecordFilter::default());
    assert_eq!(one.connections().await.unwrap(), other.connections().await.unwrap());
    assert_eq!(one.state(&acme).await.unwrap(), other.state(&acme).await.unwrap());
    assert_eq!(one.keys().await.unwrap(), other.keys().await.unwrap());
    assert_eq!(one.counts(&acme).await.unwrap(), other.counts(&acme).await.unwrap());
    let ready = async |store: &dyn Store| store.ready(&acme, at(9), 999).await.unwrap();
    assert_eq!(ready(one).await, ready(other).await);
    let records =
        async |store: &dyn Store| store.records(&acme, &all, None, 999).await.unwrap().items;
    assert_eq!(records(one).await, records(other).await);
    let requests = async |store: &dyn Store| store.requests(&acme, None, 9).await.unwrap().items;
    assert_eq!(requests(one).await, requests(other).await);
    let sessions = async |store: &dyn Store| store.sessions(&acme, None, 9).await.unwrap().items;
    assert_eq!(sessions(one).await, sessions(other).await);
    let calls = async |store: &dyn Store| store.calls(session(1).id, 9).await.unwrap();
    assert_eq!(calls(one).await, calls(other).await);
    let activity = async |store: &dyn Store| store.activity(&acme, None, 9).await.unwrap().items;
    assert_eq!(activity(one).await, activity(other).await);
    let activity = async |store: &dyn Store| store.activity_of_server(None, 9).await.unwrap().items;
    assert_eq!(activity(one).await, activity(other).await);
    assert_eq!(activity(one).await, [note_of_server("made")]);
    let body = async |store: &dyn Store| {
        let set = store.message_sets_of(&key("a"), 9).await.unwrap().pop().unwrap();
        let mut text = String::new();
        let mut body = store.open_body(&set.response.unwrap()).unwrap();
        body.read_to_string(&mut text).unwrap();
        text
    };
    assert!(body(one).await == body(other).await);
}

#[tokio::test]
async fn everything_goes_with_an_export() {
    let (place, new) = (Place::new(), Place::new());
    let store = place.open().unwrap();
    fill(&store).await;
    let file = place.path().join("export.ndjson");

    let lines = store.export(&file).await.unwrap();
    let restored = new.open().unwrap();
    let read = restored.import(&file).await.unwrap();

    assert_eq!(lines, read);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count() as u64, lines);
    same(&store, &restored).await;
    assert_eq!(restored.check().await.unwrap(), Vec::<String>::new());

    // Its next numbers go on where the old ones ended, and it opens again.
    drop(restored);
    let restored = new.open().unwrap();
    put_all(&restored, &[record("new")]).await;
    put_all(&store, &[record("new")]).await;
    same(&store, &restored).await;
    let again = new.path().join("again.ndjson");
    assert_eq!(restored.export(&again).await.unwrap(), lines + 1);
}

#[tokio::test]
async fn an_export_does_not_overwrite_a_file() {
    let place = Place::new();
    let store = place.open().unwrap();
    let file = place.path().join("export.ndjson");
    fs::write(&file, "precious").unwrap();

    let refused = store.export(&file).await;

    assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(store.export(&place.path().join("no/such/directory")).await.is_err());
}

#[tokio::test]
async fn two_records_at_one_object_come_with_an_old_export_and_are_told() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    let standing_at = |source_id: &str, id: &str| {
        let reference = Some(Reference { id: id.to_owned(), ..Reference::default() });
        Record { reference, status: Status::Synced, ..record(source_id) }
    };
    put_all(&store, &[standing_at("a", "8000-1"), standing_at("b", "8000-2")]).await;
    let file = place.path().join("export.ndjson");
    store.export(&file).await.unwrap();
    let whole = fs::read_to_string(&file).unwrap().replace("8000-2", "8000-1");
    let (records, _) = whole.split_once("{\"end\"").unwrap();
    let (lines, crc32) = (records.lines().count(), crc32fast::hash(records.as_bytes()));
    fs::write(&file, format!("{records}{{\"end\":{{\"lines\":{lines},\"crc32\":{crc32}}}}}\n"))
        .unwrap();

    let new = Place::new();
    let store = new.open().unwrap();
    store.import(&file).await.unwrap();

    let told = "Customer/a and Customer/b stand at one object of QuickBooks, 8000-1";
    assert_eq!(store.check().await.unwrap(), [told]);
    change(&store, "b", |record| record.priority = 5).await;
    change(&store, "b", |record| record.reference = None).await;
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn refusal(file: &Path) -> String {
    let place = Place::new();
    let store = place.open().unwrap();

    let refused = store.import(file).await;

    let Err(StoreError::Import { why, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(store.connections().await.unwrap(), []);
    begin(&store).await;
    why
}

#[tokio::test]
async fn a_damaged_export_is_refused_with_its_line() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    put_all(&store, &[record("a"), record("b")]).await;
    let file = place.path().join("export.ndjson");
    store.export(&file).await.unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let without = |number: usize| {
        let mut lines = lines.clone();
        lines.remove(number);
        lines.join("\n") + "\n"
    };

    for (text, expected) in [
        (whole.replace("\"version\":1", "\"version\":9"), "it is of version 9"),
        (String::new(), "line 1: "),
        ("{}\n".to_owned(), "line 1: this is no export"),
        ("no json\n".to_owned(), "line 1: this is no export"),
        (whole[..whole.len() - 1].to_owned(), "line 5: it ends too soon"),
        (without(4), "line 5: it ends too soon"),
        (without(2), "line 4: the 3 lines before it are not the 4"),
        (whole.replace("\"Name\":\"b\"", "\"Name\":\"c\""), "line 5: "),
        (whole.replace("{\"record\":", "{\"rekord\":"), "line 3: unknown variant `rekord`"),
        (whole.clone() + "{}\n", "line 6: something stands after the end"),
    ] {
        fs::write(&file, text).unwrap();

        let why = refusal(&file).await;

        assert!(why.starts_with(expected), "{why}");
    }
    assert!(refusal(&place.path().join("nothing")).await.contains("No such file"));
}

#[tokio::test]
async fn a_store_with_something_in_it_takes_no_import() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    let file = place.path().join("export.ndjson");
    store.export(&file).await.unwrap();

    let refused = store.import(&file).await;

    let Err(StoreError::Import { why, .. }) = refused else { panic!("{refused:?}") };
    assert!(why.contains("not empty"), "{why}");
}

#[tokio::test]
async fn the_export_of_version_1_can_be_read() {
    let place = Place::new();
    let store = place.open().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/samples/export-1.ndjson");

    store.import(&sample).await.unwrap();

    assert_eq!(store.connections().await.unwrap().len(), 1);
    let record = store.record(&key("C-100")).await.unwrap().unwrap();
    assert_eq!(record.data["Rate"].to_string(), "1.10");
    let set = store.message_sets_of(&key("C-100"), 1).await.unwrap().pop().unwrap();
    let mut body = Vec::new();
    store.open_body(&set.response.unwrap()).unwrap().read_to_end(&mut body).unwrap();
    assert!(body.ends_with(b"<QBXML>Caf\xe9</QBXML>"));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_store_of_an_older_release_gets_its_indexes_when_it_is_opened() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    let finding = Finding::new(Code::NameInUse);
    let failed = Record { status: Status::Failed, findings: vec![finding], ..record("1") };
    put_all(&store, &[failed, record("2")]).await;
    let about = Activity { subject: "Customer/1".to_owned(), ..note("retried") };
    write(&store, [Change::Note(about.clone()), Change::Note(note("paused"))]).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    {
        let db =
            ::sled::Config::new().path(place.store().join("sled")).segment_size(8 << 20).open();
        let db = db.unwrap();
        for tree in ["problem", "record_name", "activity_of"] {
            db.open_tree(tree).unwrap().clear().unwrap();
        }
        let counts = db.open_tree("count").unwrap();
        for key in counts.scan_prefix(b"acme\0p").keys() {
            counts.remove(key.unwrap()).unwrap();
        }
        let meta = db.open_tree("meta").unwrap();
        assert!(meta.remove(b"problems").unwrap().is_some());
        assert!(meta.remove(b"names").unwrap().is_some());
        assert!(meta.remove(b"activity of records").unwrap().is_some());
        db.flush().unwrap();
    }

    // sled lets go of its files a moment after it was dropped.
    let mut opened = place.open();
    for _ in 0..100 {
        if opened.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        opened = place.open();
    }
    let store = opened.unwrap();

    assert_eq!(store.check().await.unwrap(), [""; 0]);
    assert_eq!(store.problems(&acme()).await.unwrap()[0].1, 1);
    assert_eq!(store.activity_of(&key("1"), None, 9).await.unwrap().items, [about]);
}
