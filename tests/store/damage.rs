//! Files that were cut, changed, or are not ours: an error in words, never a panic.

use std::fs;
use std::fs::OpenOptions;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use bookbridge::domain::ids::Revision;
use bookbridge::domain::message_set::Body;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Store;
use bookbridge::store::StoreError;
use bookbridge::store::sled::Fault;
use bookbridge::store::sled::Faults;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;

use crate::store::Place;
use crate::store::crash::Writing;
use crate::store::entities::*;

async fn filled() -> Place {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    put_all(&store, &(0..50).map(|n| record(&n.to_string())).collect::<Vec<_>>()).await;
    store.close().await.unwrap();
    place
}

fn refusal(place: &Place) -> String {
    match place.open() {
        Err(StoreError::Open { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

fn flip(file: &Path, at: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0x10]).unwrap();
}

fn cut(file: &Path, length: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
}

#[tokio::test]
async fn a_second_process_is_told_that_it_is_the_second() {
    let place = Place::new();
    let store = place.open().unwrap();

    let why = refusal(&place);

    assert!(why.starts_with("another process has it open"), "{why}");
    begin(&store).await;
}

#[tokio::test]
async fn a_store_that_was_dropped_can_be_opened_at_once() {
    let place = filled().await;
    for run in 0..10 {
        let store = place.open().unwrap();
        assert_eq!(store.counts(&acme()).await.unwrap().of(Status::Queued), 50 + run);
        put_all(&store, &[record(&format!("again {run}"))]).await;
    }
}

#[tokio::test]
async fn a_shortened_database_is_refused() {
    for length in [0, 100, 4_096, 60_000] {
        let place = filled().await;
        cut(&place.store().join("sled/db"), length);

        let why = refusal(&place);

        assert!(why.contains("import the last export"), "{length}: {why}");
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_noticed() {
    let place = filled().await;
    fs::remove_dir_all(place.store().join("sled")).unwrap();

    let why = refusal(&place);

    assert!(why.contains("was acknowledged: its end is lost"), "{why}");
}

#[tokio::test]
async fn a_shortened_log_of_a_killed_process_is_noticed() {
    let place = Place::new();
    let writing = Writing::start(&place, 1);
    writing.wait_for(200);
    writing.kill();
    let db = place.store().join("sled/db");
    let bytes = fs::read(&db).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    cut(&db, end as u64 / 2);

    let why = refusal(&place);

    assert!(why.contains("import the last export"), "{why}");
}

/// Whether each record can be read, and is what was put.
async fn has_all(store: &SledStore) -> bool {
    for n in 0..50 {
        let put = record(&n.to_string());
        let read = store.record(&put.key).await;
        let same = |it: Record| (it.data, it.status) == (put.data.clone(), put.status);
        if !read.is_ok_and(|read| read.is_some_and(same)) {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn a_changed_byte_never_makes_it_panic() {
    for (file, places) in [("sled/db", 24), ("sled/conf", 6), ("watermark", 6)] {
        for number in 0..places {
            let place = filled().await;
            let path = place.store().join(file);
            let bytes = fs::read(&path).unwrap();
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
            flip(&path, end * number / places);

            // It opens if the byte meant nothing; what it meant otherwise, opening or a check tells.
            match place.open() {
                Ok(store) => {
                    let sound = store.check().await.is_ok_and(|wrong| wrong.is_empty());
                    assert!(!sound || has_all(&store).await, "{file} {number}");
                }
                Err(error) => {
                    assert!(error.to_string().contains("import the last export"), "{error}");
                }
            }
        }
    }
}

/// The last byte that is not empty, and the one behind it.
fn used(file: &Path) -> u64 {
    let bytes = fs::read(file).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1
}

/// The number behind some words.
fn number_behind(words: &str, text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(words)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[tokio::test]
async fn a_damaged_file_of_the_database_is_named() {
    for (begins, at) in [("conf", 0), ("conf", 20), ("snap.", 100)] {
        let place = filled().await;
        drop(place.open().unwrap());
        let files = fs::read_dir(place.store().join("sled")).unwrap();
        let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let name = names.find(|name| name.starts_with(begins)).unwrap();
        flip(&place.store().join("sled").join(&name), at);

        let why = refusal(&place);

        let expected = format!(
            "the database is damaged: the file sled/{name} is damaged; import the last export"
        );
        assert!(why.starts_with(&expected), "{why}");
    }
}

#[tokio::test]
async fn the_place_where_the_log_breaks_is_named() {
    for part in 1..8 {
        for cuts in [false, true] {
            let place = filled().await;
            let db = place.store().join("sled/db");
            let end = used(&db);
            if cuts {
                cut(&db, end * part / 8);
            } else {
                flip(&db, end * part / 8);
            }

            let why = refusal(&place);

            let at = number_behind("the file sled/db can be read up to byte ", &why);
            let at = at.unwrap_or_else(|| panic!("{why}"));
            assert!((1..=end * part / 8).contains(&at), "{at} of {end}: {why}");
            // A transaction is there as a whole or not at all.
            assert!(end * part / 8 - at < 16 << 10, "{at} of {end}: {why}");
            assert!(why.contains("import the last export"), "{why}");
        }
    }
}

#[tokio::test]
async fn a_spool_file_that_changed_is_found() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    let mut set = message_set(1, &[]);
    set.qbxml = "x".repeat(60_000);
    let mut spool = store.spool().unwrap();
    spool.write_all(&vec![b'y'; 50_000]).unwrap();
    let body = spool.finish().unwrap();
    let Body::Spooled { name, .. } = &body else { panic!("{body:?}") };
    let name = name.clone();
    set.response = Some(body);
    write(&store, [Change::PutMessageSet(Box::new(set.clone()))]).await.unwrap();
    let spool = place.store().join("spool");
    let files = fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().file_name());
    let row = files.map(|file| file.into_string().unwrap()).find(|file| *file != name).unwrap();

    cut(&spool.join(&name), 49_999);
    let findings = store.check().await.unwrap();
    assert_eq!(findings, [format!("the spool file {name} has 49999 bytes instead of 50000")]);

    flip(&spool.join(&row), 1_000);
    let findings = store.check().await.unwrap();
    assert!(findings[0].contains(&format!("the file {row} is damaged")), "{findings:?}");
    let error = store.message_set(&set.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");

    fs::remove_file(spool.join(&row)).unwrap();
    let error = store.message_set(&set.id).await.unwrap_err();
    assert!(error.to_string().contains("its file is gone"), "{error}");
}

/// Lets one transaction fail.
#[derive(Debug)]
struct Once(u64, Fault);

impl Faults for Once {
    fn at(&self, commit: u64) -> Fault {
        if commit == self.0 { self.1 } else { Fault::None }
    }
}

#[tokio::test]
async fn after_a_fault_everything_is_refused_until_it_is_reopened() {
    for (fault, is_there) in [(Fault::Before, false), (Fault::After, true)] {
        let place = Place::new();
        let faults: Arc<dyn Faults> = Arc::new(Once(2, fault));
        let options = Options { reserve: 0, faults: Some(faults), ..Options::default() };
        let store = place.open_with(&options).unwrap();
        begin(&store).await;

        for source_id in ["a", "b"] {
            let refused = write(&store, [put(&record(source_id))]).await;
            assert!(matches!(refused, Err(StoreError::Stopped(_))), "{refused:?}");
        }
        drop(store);

        let store = place.open().unwrap();
        let read = store.record(&key("a")).await.unwrap();
        assert_eq!(read.map(|read| read.revision), is_there.then_some(Revision(1)), "{fault:?}");
        assert_eq!(store.record(&key("b")).await.unwrap(), None);
        put_all(&store, &[record("b")]).await;
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn without_room_new_records_are_refused_and_sessions_go_on() {
    let place = Place::new();
    let store = place.open().unwrap();
    begin(&store).await;
    put_all(&store, &[record("a")]).await;
    drop(store);
    let store = place.open_with(&Options { reserve: u64::MAX, ..Options::default() }).unwrap();

    let refused = write(&store, [put(&record("b"))]).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let refused = write(&store, [Change::PutRequest(Box::new(request(1)))]).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");

    change(&store, "a", |record| record.status = Status::Sent).await;
    write(&store, [Change::PutSession(Box::new(session(1)))]).await.unwrap();
}

/// A small disk of its own, if this machine lets us mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=40m", "tmpfs"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success()).then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: only root can mount a small disk");
        return;
    };
    let full = disk.0.path().join("store");
    let store = SledStore::open(&full, &Options { reserve: 0, ..Options::default() }).unwrap();
    begin(&store).await;
    let mut kept = 0;
    let refused = loop {
        let mut record = record(&kept.to_string());
        record.data = serde_json::Value::String("x".repeat(30_000));
        match write(&store, [put(&record)]).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Stopped(_) | StoreError::Full), "{refused}");
    drop(store);
    let again = SledStore::open(&full, &Options::default());
    let again = again.map(drop).unwrap_err().to_string();
    assert!(again.contains("the disk is full"), "{again}");

    let place = Place::new();
    copy(&full, &place.store());
    let store = place.open().unwrap();

    for number in 0..kept {
        assert!(store.record(&key(&number.to_string())).await.unwrap().is_some(), "{number}");
    }
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
