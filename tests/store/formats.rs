//! What older releases stored can be read: one store of each format, with everything in it.
//!
//! A sample is all trees of a database, an entry a line: tree, key and value, the two in base64. The
//! one of today's format is written if it is not there; a release that changes the format keeps the
//! older ones, and says here what has become of what is in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bookbridge::domain::activity::Scope;
use bookbridge::domain::connection::Connection;
use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::connection::DuplicateNumbers;
use bookbridge::domain::connection::Host;
use bookbridge::domain::connection::MirrorPart;
use bookbridge::domain::connection::Pairing;
use bookbridge::domain::connection::Pause;
use bookbridge::domain::ids::Digest;
use bookbridge::domain::ids::MessageSetId;
use bookbridge::domain::ids::RequestId;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::ids::SessionId;
use bookbridge::domain::message_set::Body;
use bookbridge::domain::message_set::MessageSet;
use bookbridge::domain::message_set::Progress;
use bookbridge::domain::message_set::Subject;
use bookbridge::domain::mirror::Facts;
use bookbridge::domain::mirror::Mirrored;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::outcome::Said;
use bookbridge::domain::record::Amendment;
use bookbridge::domain::record::Insisted;
use bookbridge::domain::record::Moment;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Reference;
use bookbridge::domain::record::Status;
use bookbridge::domain::request;
use bookbridge::domain::request::About;
use bookbridge::domain::request::OnError;
use bookbridge::domain::request::Question;
use bookbridge::domain::request::Request;
use bookbridge::domain::request::RequestStatus;
use bookbridge::domain::session::Ending;
use bookbridge::domain::session::Machine;
use bookbridge::domain::session::Session;
use bookbridge::domain::session::Stage;
use bookbridge::domain::user::User;
use bookbridge::store::Change;
use bookbridge::store::Store;
use bookbridge::store::sled::SledStore;
use serde_json::json;
use uuid::Uuid;

use crate::store::Place;
use crate::store::entities::*;

fn said() -> Said {
    Said {
        status_code: Some(3100),
        severity: Some("Error".to_owned()),
        message: "The name \"Ann\" of the list element is already in use.".to_owned(),
        hresult: Some("0x80040400".to_owned()),
    }
}

fn finding() -> Finding {
    Finding::new(Code::NameInUse).at("/data/Name").fact("kind", "Vendor").said(said())
}

fn full_connection() -> Connection {
    Connection {
        company_file: Some("C:\\Books\\Acme.qbw".to_owned()),
        pause: Some(Pause { since: at(2), alert: Some(finding()) }),
        duplicate_numbers: DuplicateNumbers::Suffix,
        mirror: true,
        pairing: Some(Pairing {
            token: Digest::of(b"token"),
            began_at: at(2),
            expires_at: at(3),
            opened_at: Some(at(4)),
            downloaded_at: Some(at(5)),
            revealed_at: Some(at(6)),
            confirmed_at: Some(at(7)),
        }),
        ..connection(&acme())
    }
}

fn full_state() -> ConnectorState {
    let part = MirrorPart {
        is_refused: false,
        is_whole: false,
        asked: Some(RequestId(Uuid::from_u128(1))),
        told_at: Some(at(2)),
        untold_at: None,
        since: Some("2026-02-03T04:05:06".to_owned()),
        newest: Some("2026-02-03T04:05:07".to_owned()),
        types: ["Bank".to_owned()].into(),
    };
    ConnectorState {
        living: Some(SessionId(Uuid::from_u128(1))),
        outstanding: Some(MessageSetId::from_bits(1)),
        acknowledge: Some(MessageSetId::from_bits(2)),
        splits: vec![vec![Subject::Record(key("C-1")), Subject::Request(request(1).id)]],
        host: Some(Host {
            product: "QuickBooks Enterprise Solutions 24.0".to_owned(),
            country: "US".to_owned(),
            qbxml_version: "16.0".to_owned(),
            company_file: "C:\\Books\\Acme.qbw".to_owned(),
            company_name: "Acme".to_owned(),
            file_id: Some("{00000000-0000-0000-0000-000000000002}".to_owned()),
            file_mode: "MultiUser".to_owned(),
            closing_date: Some("2025-12-31".to_owned()),
            class_tracking: Some(true),
            multi_currency: Some(false),
            estimates: Some(true),
            // What is not in older stores.
            inventory: None,
            sites: None,
            price_levels: None,
            tracking: None,
            defaults: BTreeMap::new(),
        }),
        last_seen_at: Some(at(2)),
        last_success_at: Some(at(3)),
        last_login_failed_at: Some(at(4)),
        trouble: Some(finding()),
        wanted: true,
        mirror: [("accounts".to_owned(), part)].into(),
        ..ConnectorState::new(acme())
    }
}

fn full_record() -> Record {
    Record {
        data: json!({"Name": "Ann", "Rate": 1}),
        priority: 3,
        depends_on: vec![key("C-2")],
        status: Status::Failed,
        blocked_by: vec![key("C-2")],
        due: Some(at(5)),
        tries: 2,
        refresh: true,
        alone: true,
        reference: Some(Reference {
            id: "80000001-1".to_owned(),
            edit_sequence: Some("17".to_owned()),
            lines: [("#1".to_owned(), "A-1".to_owned())].into(),
            label: "Ann".to_owned(),
            made: true,
        }),
        former: Some("80000002-2".to_owned()),
        gone_in: None,
        sent: Some(Digest::of(b"sent")),
        findings: vec![finding()],
        amendments: vec![Amendment {
            pointer: "/data/Name".to_owned(),
            from: json!("Anne"),
            to: json!("Ann"),
            fix: "shorten".to_owned(),
        }],
        insisted: Insisted::Duplicate,
        asked: Some(RequestId(Uuid::from_u128(1))),
        bypass_reason: Some("it is there".to_owned()),
        synced_at: Some(at(6)),
        timeline: vec![Moment { at: at(7), status: Status::Queued, note: "pushed".to_owned() }],
        ..record("C-1")
    }
}

fn full_request() -> Request {
    Request {
        writes: true,
        on_error: OnError::StopOnError,
        idempotency_key: Some("once".to_owned()),
        status: RequestStatus::Queued,
        message_set: Some(MessageSetId::from_bits(1)),
        pages: vec![MessageSetId::from_bits(2)],
        iterator: Some(request::Iterator {
            session: SessionId(Uuid::from_u128(1)),
            id: "{iterator}".to_owned(),
        }),
        due: Some(at(2)),
        tries: 1,
        findings: vec![finding()],
        about: Some(About {
            record: Some(key("C-1")),
            question: Question::Outcome(request::Sent {
                name: Some("Ann".to_owned()),
                date: Some("2026-02-03".to_owned()),
                entity: Some("80000001-1".to_owned()),
                ..request::Sent::at(at(3))
            }),
            problem: None,
        }),
        ..request(1)
    }
}

fn full_message_set() -> MessageSet {
    let mut set = MessageSet {
        progress: Progress::Settled,
        handed_out: 2,
        unreadable: 1,
        settled_at: Some(at(2)),
        response: Some(Body::Inline("<QBXML/>".to_owned())),
        failure: Some(said()),
        ..message_set(1, &["C-1"])
    };
    set.items[0].lines = vec![Some("line 1".to_owned()), None];
    set.items[0].said = Some(said());
    set
}

fn full_session() -> Session {
    Session {
        machine: Machine {
            stage: Stage::Waiting(MessageSetId::from_bits(1)),
            last_error: "QuickBooks was closed".to_owned(),
            settled: 4,
            finished: true,
            ending: Some(Ending::Trouble),
        },
        ended_at: Some(at(2)),
        calls: 7,
        connection_errors: 1,
        accepted: 3,
        refused: 1,
        company_file: "C:\\Books\\Acme.qbw".to_owned(),
        last: Some(MessageSetId::from_bits(1)),
        ..session(1)
    }
}

fn full_mirrored() -> Mirrored {
    let text = |text: &str| Some(text.to_owned());
    Mirrored {
        connection: acme(),
        id: "80000001-1".to_owned(),
        revision: Revision::NEW,
        facts: Facts {
            kind: "Customer".to_owned(),
            name: "Ann".to_owned(),
            edit_sequence: text("17"),
            is_active: Some(true),
            account_type: text("Bank"),
            numbers: Vec::new(),
            hint: text("1 Main Street"),
            balance: text("12.50"),
            entity: text("80000002-2"),
            entity_name: text("Bob"),
            date: None,
            amount: text("12.50"),
            is_paid: Some(false),
            modified: text("2026-02-03T04:05:06"),
            gone: None,
            era: 0,
        },
    }
}

fn full_user() -> User {
    User {
        id: Uuid::from_u128(1),
        revision: Revision::NEW,
        name: "ann".to_owned(),
        password: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        scope: Scope::Write,
        created_at: at(1),
        disabled_at: Some(at(2)),
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/samples")
}

fn database(place: &Place) -> ::sled::Db {
    let config = ::sled::Config::new().path(place.store().join("sled")).segment_size(8 << 20);
    config.open().unwrap()
}

/// sled lets go of its files a moment after it was dropped.
async fn opened(place: &Place) -> SledStore {
    for _ in 0..100 {
        if let Ok(store) = place.open() {
            return store;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    place.open().unwrap()
}

/// Everything that today's release stores.
async fn written_today() -> String {
    let place = Place::new();
    let store = place.open().unwrap();
    let changes = [
        Change::PutConnection(full_connection()),
        Change::PutState(full_state()),
        Change::PutRecord(Box::new(full_record())),
        Change::PutRequest(Box::new(full_request())),
        Change::PutMessageSet(Box::new(full_message_set())),
        Change::PutSession(Box::new(full_session())),
        Change::LogCall(call(1, "authenticate")),
        Change::PutKey(api_key(1)),
        Change::Note(note("first")),
        Change::Mirror(Box::new(full_mirrored())),
        Change::PutUser(full_user()),
    ];
    write(&store, changes).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    drop(opened(&place).await);
    let mut text = String::new();
    let db = database(&place);
    for tree in db.tree_names() {
        let name = String::from_utf8(tree.to_vec()).unwrap();
        for entry in &db.open_tree(&tree).unwrap() {
            let (key, value) = entry.unwrap();
            let [key, value] = [key, value].map(|bytes| STANDARD.encode(bytes));
            writeln!(text, "{name} {key} {value}").unwrap();
        }
    }
    text
}

/// Makes a store of a sample.
fn made_of(sample: &str) -> Place {
    let place = Place::new();
    let mut trees = BTreeMap::<&str, Vec<(&str, &str)>>::new();
    for line in sample.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [tree, key, value] = words[..] else { panic!("{line}") };
        trees.entry(tree).or_default().push((key, value));
    }
    let db = database(&place);
    for (tree, entries) in trees {
        let tree = db.open_tree(tree).unwrap();
        let mut batch = sled::Batch::default();
        for (key, value) in entries {
            batch.insert(STANDARD.decode(key).unwrap(), STANDARD.decode(value).unwrap());
        }
        tree.apply_batch(batch).unwrap();
    }
    db.flush().unwrap();
    drop(db);
    place
}

#[tokio::test]
async fn a_store_of_every_format_can_be_read() {
    let today = samples().join("store.format-1.txt");
    if !today.exists() {
        fs::write(&today, written_today().await).unwrap();
        panic!("{} was missing and is written: look at it, and run this again", today.display());
    }
    let place = made_of(&fs::read_to_string(today).unwrap());

    let store = opened(&place).await;

    let first = Revision(1);
    let kept = store.connection(&acme()).await.unwrap();
    assert_eq!(kept, Some(Connection { revision: first, ..full_connection() }));
    let kept = store.state(&acme()).await.unwrap();
    assert_eq!(kept, Some(ConnectorState { revision: first, ..full_state() }));
    let kept = store.record(&key("C-1")).await.unwrap();
    assert_eq!(kept, Some(Record { revision: first, sequence: 1, ..full_record() }));
    let kept = store.request(&acme(), full_request().id).await.unwrap();
    assert_eq!(kept, Some(Request { revision: first, sequence: 2, ..full_request() }));
    let kept = store.message_set(&full_message_set().id).await.unwrap();
    assert_eq!(kept, Some(MessageSet { revision: first, ..full_message_set() }));
    let kept = store.session(full_session().id).await.unwrap();
    assert_eq!(kept, Some(Session { revision: first, ..full_session() }));
    let kept = store.mirrored(&acme(), "80000001-1").await.unwrap();
    assert_eq!(kept, Some(Mirrored { revision: first, ..full_mirrored() }));
    let kept = store.user_named("ann").await.unwrap();
    assert_eq!(kept, Some(User { revision: first, ..full_user() }));
    assert_eq!(store.calls(full_session().id, 9).await.unwrap(), [call(1, "authenticate")]);
    assert_eq!(store.keys().await.unwrap()[0].digest, api_key(1).digest);
    assert_eq!(store.activity(&acme(), None, 9).await.unwrap().items, [note("first")]);
    // Keys and indexes are those of today, or were made so.
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
