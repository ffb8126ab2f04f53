//! What the mirror of a large company file costs: on disk, at start, and for each record that is
//! held against it.
//!
//! `cargo run --release --example mirror-bench [DIRECTORY]`

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::connection::MirrorPart;
use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::mirror::Facts;
use bookbridge::domain::mirror::Mirrored;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::engine::Actor;
use bookbridge::engine::Engine;
use bookbridge::engine::NewConnection;
use bookbridge::engine::NewRecord;
use bookbridge::engine::Settings;
use bookbridge::engine::ambient::Ambient as _;
use bookbridge::engine::ambient::System;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use bookbridge::store::Store;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use serde_json::json;

/// Objects in the company file.
const OBJECTS: usize = 100_000;
/// Objects in one answer of QuickBooks.
const PAGE: usize = 100;
/// Records of each sort that are held against it.
const CHECKS: u32 = 2_000;
/// Milliseconds of CPU that one of them may cost.
const MOST: f64 = 1.0;

fn object(number: usize) -> (String, Facts) {
    let (kind, name) = match number % 4 {
        0 | 1 => ("Customer", format!("Customer number {number} Ltd")),
        2 => ("ItemService", format!("Item {number}")),
        _ => ("Vendor", format!("Vendor number {number} Ltd")),
    };
    let facts = Facts {
        kind: kind.to_owned(),
        name,
        edit_sequence: Some("1700000000".to_owned()),
        is_active: Some(true),
        hint: Some("1 High Street, Leeds".to_owned()),
        balance: Some("0.00".to_owned()),
        modified: Some("2026-01-01T00:00:00-08:00".to_owned()),
        ..Facts::default()
    };
    (format!("{:X}-1700000000", 0x8000_0000_usize + number), facts)
}

fn open(directory: &Path) -> Arc<SledStore> {
    let options = Options { reserve: 0, ..Options::default() };
    Arc::new(SledStore::open(directory, &options).expect("the directory can be used"))
}

fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(it) if it.is_dir() => size(&entry.path()),
            Ok(it) => it.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The names that an invoice refers to.
#[derive(Clone, Copy, Debug)]
enum Names {
    /// As they are in QuickBooks.
    Right,
    /// A letter is wrong, at the end, where many names begin so: candidates are looked for.
    Misspelt,
    /// They begin as many do, and are near to none.
    Strange,
    /// Nothing begins so.
    Far,
}

/// An invoice with references by name: a customer and two items.
fn invoice(number: usize, names: Names) -> NewRecord {
    let customer = (number * 4) % OBJECTS;
    let first = (number * 4 + 2) % OBJECTS;
    let second = ((number + 7) * 4 + 2) % OBJECTS;
    let (customer, items) = match names {
        Names::Right => (
            format!("Customer number {customer} Ltd"),
            [format!("Item {first}"), format!("Item {second}")],
        ),
        Names::Misspelt => (
            format!("Customer number {customer} Ldt"),
            [format!("Item {first}x"), format!("Item  {second}.")],
        ),
        Names::Strange => (
            format!("Customer of which nobody has heard {customer}"),
            [format!("Item of no sort {first}"), format!("Itemised {second} things")],
        ),
        Names::Far => {
            (format!("Zebra {customer}"), [format!("Quagga {first}"), format!("Okapi {second}")])
        }
    };
    let [first, second] = items.map(|name| json!({ "FullName": name }));
    NewRecord {
        kind: "Invoice".to_owned(),
        source_id: number.to_string(),
        data: json!({
            "CustomerRef": {"FullName": customer},
            "TxnDate": "2026-03-02",
            "RefNumber": number.to_string(),
            "InvoiceLine": [
                {"ItemRef": first, "Quantity": "1", "Rate": "5.00"},
                {"ItemRef": second, "Quantity": "2", "Rate": "7.00"},
            ],
        }),
        posted: true,
        priority: 0,
        depends_on: Vec::new(),
        on_duplicate: OnDuplicate::Fail,
    }
}

/// Milliseconds that all threads of this process were on a CPU (Linux, `proc(5)`).
fn cpu() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("this is Linux");
    let on_cpu = threads.flatten().map(|thread| {
        let told = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        told.split(' ').next().and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0)
    });
    on_cpu.sum::<f64>() / 1e6
}

/// Holds invoices against the mirror; prints and limits what one costs.
async fn measure(engine: &Engine, id: &ConnectionId, names: Names) {
    let (before, started) = (cpu(), Instant::now());
    for number in 0..CHECKS as usize {
        let found = engine.check(id, vec![invoice(number, names)]).await.expect("it can be read");
        let findings = found[0].as_ref().expect("it is an invoice");
        let nearest = findings.iter().filter(|it| it.facts.contains_key("nearest")).count();
        let wanted = match names {
            Names::Right => (0, 0),
            Names::Misspelt => (3, 3),
            Names::Strange | Names::Far => (3, 0),
        };
        assert_eq!((findings.len(), nearest), wanted, "{findings:?}");
    }
    let mean = (cpu() - before) / f64::from(CHECKS);
    let waited = started.elapsed().as_secs_f64() * 1e3 / f64::from(CHECKS);
    println!("an invoice with three names, {names:?}: {mean:.3} ms of CPU ({waited:.3} ms in all)");
    assert!(mean < MOST, "{names:?}: more than {MOST} ms");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let given = std::env::args().nth(1).map(PathBuf::from);
    let directory = given.unwrap_or_else(|| PathBuf::from("mirror-bench-data"));
    let store = open(&directory);
    let engine = Engine::new(store.clone(), Arc::new(System), Settings::default());
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let made = engine.add_connection(new, &Actor("bench".to_owned())).await.expect("it is new");
    let id = made.0.id;

    let started = Instant::now();
    for page in (0..OBJECTS).collect::<Vec<_>>().chunks(PAGE) {
        let told = page.iter().map(|number| {
            let (object, facts) = object(*number);
            let connection = id.clone();
            let mirrored = Mirrored { connection, id: object, revision: Revision::NEW, facts };
            Change::Mirror(Box::new(mirrored))
        });
        let commit = Commit { guards: Vec::new(), changes: told.collect() };
        store.commit(commit).await.expect("there is room");
    }
    let mut state = ConnectorState::new(id.clone());
    for part in ["Customer", "Item", "Vendor"] {
        let told = MirrorPart {
            since: Some("2026-01-01T00:00:00".to_owned()),
            told_at: Some(System.now()),
            ..MirrorPart::default()
        };
        state.mirror.insert(part.to_owned(), told);
    }
    store.commit(Change::PutState(state).into()).await.expect("there is room");
    let filled = started.elapsed();
    store.close().await.expect("the disk is there");
    drop((engine, store));
    println!("{OBJECTS} objects: written in {:.1} s", filled.as_secs_f64());
    println!("on disk: {} MB", size(&directory) / 1_000_000);

    let started = Instant::now();
    let store = open(&directory);
    println!("opened again in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);

    let engine = Engine::new(store, Arc::new(System), Settings::default());
    for names in [Names::Right, Names::Misspelt, Names::Strange, Names::Far] {
        measure(&engine, &id, names).await;
    }
}
