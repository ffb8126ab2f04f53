//! The power is cut: at any moment, with whatever was not durable lost, torn, or there.
//!
//! The real server works under a preloaded library that records what it does to its files; the disk
//! images that a cut could leave are made of the record, opened, and held against what the server
//! had acknowledged by then. `./scripts/power-cuts` makes a thousand cuts and more.
//!
//! This is a model of a disk, not a disk: it knows nothing of controllers that lie.

mod disk;

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::record::Status;
use bookbridge::simulator::Ended;
use bookbridge::simulator::Endpoint;
use bookbridge::simulator::QuickBooks;
use bookbridge::simulator::Setup;
use bookbridge::simulator::WebConnector;
use bookbridge::store::Store as _;
use bookbridge::store::export;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use serde_json::Value;
use serde_json::json;
use ureq::Agent;

use self::disk::Cut;
use self::disk::Disk;
use crate::cli::house::House;
use crate::support::app::block_on;
use crate::support::hands::Dice;

/// Cuts of an ordinary test run. `BOOKBRIDGE_POWER_CUTS` says another number.
const CUTS: usize = 90;

/// How often the server gets work, has a session, and is exported.
const ROUNDS: usize = 3;

/// What the server acknowledged, as the test notes it between the server's own entries.
#[derive(Clone, Debug)]
enum Promise {
    /// The record is there.
    Put(String),
    /// It is synced, at this id.
    Synced(String, String),
    /// There is a whole export of this name.
    Exported(String),
}

/// A log with everything that happened, and the directory that it happened in.
struct Recorded {
    root: String,
    log: Vec<u8>,
    directories: Vec<(u64, String)>,
}

/// Compiles the library; `None` without a C compiler.
fn library(place: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power/record.c");
    let library = place.join("record.so");
    let compiled = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-lpthread"])
        .output();
    let Ok(compiled) = compiled else {
        eprintln!("skipped: no C compiler");
        return None;
    };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(library)
}

struct Api {
    agent: Agent,
    url: String,
    key: String,
    log: fs::File,
}

impl Api {
    /// Notes what was acknowledged, in one write.
    fn promise(&mut self, promise: &Promise) {
        let text = match promise {
            Promise::Put(path) => format!("put {path}"),
            Promise::Synced(path, id) => format!("synced {path} {id}"),
            Promise::Exported(name) => format!("exported {name}"),
        };
        let mut entry = vec![b'A'];
        for number in [0, 0, text.len() as u64] {
            entry.extend_from_slice(&number.to_le_bytes());
        }
        entry.extend_from_slice(text.as_bytes());
        self.log.write_all(&entry).unwrap();
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/v1/connections{path}", self.url);
        let call = ureq::http::Request::builder().method(method).uri(url);
        let call = call.header("Authorization", format!("Bearer {}", self.key));
        let call = call.header("Content-Type", "application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut answer = self.agent.run(call.body(body).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn put(&mut self, path: &str, data: &Value) {
        self.send("PUT", &format!("/acme/records/{path}"), &json!({ "data": data }));
        self.promise(&Promise::Put(path.to_owned()));
    }

    fn promise_synced(&mut self) {
        let page = self.send("GET", "/acme/records?status=synced&limit=500", &Value::Null);
        for record in page["data"].as_array().unwrap() {
            let text = |at: &str| record.pointer(at).and_then(Value::as_str).unwrap_or_default();
            let path = format!("{}/{}", text("/kind"), text("/sourceId"));
            let id = [text("/reference/listId"), text("/reference/txnId")].concat();
            self.promise(&Promise::Synced(path, id));
        }
    }
}

/// Lets the server work, recorded; with a planted bug, if one is named.
fn record(house: &House, library: &Path, plant: &str) -> Recorded {
    let log = house.path().join("cut.log");
    let root = house.path().join("data");
    fs::create_dir(&root).unwrap();
    let recorded = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.arg("--data-dir").arg(&root).stdin(Stdio::null());
        command.env("LD_PRELOAD", library).env("CUT_LOG", &log).env("CUT_ROOT", &root);
        command
    };
    let mut child = recorded(&["serve", "--listen", "127.0.0.1:0", "--log-level", "error"])
        .env("PLANTED_BUG", plant)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut api = Api {
        agent: Agent::config_builder().http_status_as_error(false).build().into(),
        url: line.trim_end().strip_prefix("listening on ").unwrap().to_owned(),
        key: fs::read_to_string(root.join("admin.key")).unwrap().trim().to_owned(),
        log: fs::OpenOptions::new().append(true).open(&log).unwrap(),
    };
    let made = api.send("POST", "", &json!({"name": "Acme"}));
    let endpoint = Endpoint {
        url: format!("{}/qbwc", api.url),
        user: made["username"].as_str().unwrap().to_owned(),
        password: made["password"].as_str().unwrap().to_owned(),
    };
    let quickbooks = QuickBooks::open(None, &Setup::default(), 1_764_000_000).unwrap();
    let mut connector = WebConnector::new(endpoint, quickbooks, Box::new(|| 1_764_000_000));
    for round in 0..ROUNDS {
        for number in 0..12 {
            let notes = "n".repeat(if number == 5 { 3000 } else { 10 });
            let data = json!({"Name": format!("C{round}-{number}"), "Notes": notes});
            api.put(&format!("Customer/C{round}-{number}"), &data);
        }
        let query = json!({"type": "CustomerQueryRq", "data": {}});
        api.send("POST", "/acme/requests", &query);
        assert_eq!(connector.session(&[], &mut |_| {}).ended, Ended::Done);
        api.promise_synced();
        let name = format!("export-{round}.ndjson");
        let exported = recorded(&["export"]).arg(root.join(&name)).output().unwrap();
        assert!(exported.status.success(), "{exported:?}");
        api.promise(&Promise::Exported(name));
        api.put(
            &format!("Customer/C{round}-0"),
            &json!({"Name": format!("C{round}-0"), "Phone": "1"}),
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let root_text = root.to_str().unwrap().to_owned();
    let number = fs::metadata(&root).unwrap().ino();
    Recorded {
        root: root_text.clone(),
        log: fs::read(&log).unwrap(),
        directories: vec![(number, root_text)],
    }
}

fn promise(text: &str) -> Promise {
    let words: Vec<_> = text.split(' ').collect();
    match words.as_slice() {
        ["put", path] => Promise::Put((*path).to_owned()),
        ["synced", path, id] => Promise::Synced((*path).to_owned(), (*id).to_owned()),
        ["exported", name] => Promise::Exported((*name).to_owned()),
        other => panic!("{other:?}"),
    }
}

/// An export that has its name is whole, and one that was acknowledged has its name.
fn wrong_exports(image: &Path, promises: &[Promise]) -> Option<String> {
    for round in 0..ROUNDS {
        let name = format!("export-{round}.ndjson");
        let acknowledged = |it: &Promise| matches!(it, Promise::Exported(whole) if *whole == name);
        if let Ok(file) = fs::File::open(image.join(&name)) {
            if let Err(why) = export::check(BufReader::new(file)) {
                return Some(format!("{name}: {why}"));
            }
        } else if promises.iter().any(acknowledged) {
            return Some(format!("{name} was acknowledged and is gone"));
        }
    }
    None
}

/// Opens an image and holds it against the promises. What is wrong, if anything is.
fn wrong(image: &Path, promises: &[Promise]) -> Option<String> {
    if let Some(why) = wrong_exports(image, promises) {
        return Some(why);
    }
    let options = Options { reserve: 0, ..Options::default() };
    let store = match SledStore::open(&image.join("store"), &options) {
        Ok(store) => store,
        Err(error) => return Some(format!("it cannot be opened: {error}")),
    };
    let acme = ConnectionId::parse("acme").unwrap();
    block_on(async {
        for promise in promises {
            let (Promise::Put(path) | Promise::Synced(path, _)) = promise else { continue };
            let (kind, source_id) = path.split_once('/').unwrap();
            let key = RecordKey::new(&acme, kind, source_id).unwrap();
            let found = match store.record(&key).await {
                Ok(Some(found)) => found,
                Ok(None) => return Some(format!("{path} was acknowledged and is gone")),
                Err(error) => return Some(format!("{path}: {error}")),
            };
            if let Promise::Synced(_, id) = promise
                && found.reference.as_ref().map(|reference| &reference.id) != Some(id)
            {
                return Some(format!("{path} was synced at {id} and is {}", found.status));
            }
            if let Promise::Put(_) = promise
                && found.status == Status::Held
            {
                return Some(format!("{path} is held"));
            }
        }
        match store.check().await {
            Ok(wrong) if wrong.is_empty() => None,
            Ok(wrong) => Some(format!("store check: {}", wrong[0])),
            Err(error) => Some(format!("store check: {error}")),
        }
    })
}

/// Cuts the power so often; what is wrong at the first cut that shows it.
fn cut_power(cuts: usize, plant: &str) -> Result<String, String> {
    let house = House::new();
    let Some(library) = library(house.path()) else { return Ok("skipped".to_owned()) };
    let recorded = record(&house, &library, plant);
    let entries = disk::entries(&recorded.log);
    let first = entries.iter().position(|entry| entry.letter == 'A').unwrap();
    let mut dice = Dice::new(11);
    let mut moments: Vec<usize> =
        (0..cuts).map(|_| first + dice.below(entries.len() - first)).collect();
    moments.sort_unstable();
    let mut disk = Disk::default();
    for (number, path) in &recorded.directories {
        disk.directory(*number, path);
    }
    let (mut promises, mut next) = (Vec::new(), moments.iter().peekable());
    let memory = Path::new("/dev/shm");
    let images = tempfile::tempdir_in(if memory.is_dir() { memory } else { Path::new("/tmp") });
    let images = images.unwrap();
    let mut made = 0;
    for (at, entry) in entries.iter().enumerate() {
        while next.next_if(|moment| **moment == at).is_some() {
            let cut = [Cut::Dropped, Cut::Torn, Cut::Torn, Cut::Kept][made % 4];
            let image = images.path().join(made.to_string());
            disk.leave(&recorded.root, &image, cut, &mut dice);
            if let Some(why) = wrong(&image, &promises) {
                let of = entries.len();
                return Err(format!("cut {made} ({cut:?}) before entry {at} of {of}: {why}"));
            }
            fs::remove_dir_all(&image).unwrap();
            made += 1;
        }
        if entry.letter == 'A' {
            promises.push(promise(std::str::from_utf8(&entry.bytes).unwrap()));
        }
        disk.happen(entry);
    }
    assert_eq!(made, cuts);
    assert!(promises.len() > 60, "{}", promises.len());
    Ok(format!("{made} cuts in {} entries, {} promises", entries.len(), promises.len()))
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    let cuts = std::env::var("BOOKBRIDGE_POWER_CUTS").ok().and_then(|text| text.parse().ok());

    match cut_power(cuts.unwrap_or(CUTS), "") {
        Ok(done) => println!("{done}"),
        Err(wrong) => panic!("{wrong}"),
    }
}

/// The proof that the cuts would find it.
#[cfg(feature = "plants")]
#[test]
fn every_planted_bug_is_found_a_skipped_flush_by_a_power_cut() {
    let found = cut_power(CUTS, "SkipFlush");

    assert!(matches!(&found, Err(why) if !why.is_empty()), "{found:?}");
    println!("SkipFlush: {found:?}");
}
