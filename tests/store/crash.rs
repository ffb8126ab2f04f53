//! A process is killed at random moments while it writes: nothing that it acknowledged is lost.
//!
//! The process is this very binary, asked to run one test. What a power cut does is another matter:
//! the kernel outlives a kill, so this proves nothing of barriers.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use bookbridge::domain::ids::Revision;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::store::Change;
use bookbridge::store::Store;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use futures_util::future::join_all;
use serde_json::json;

use crate::store::Dice;
use crate::store::Place;
use crate::store::entities::*;

/// Names the directory to write to; without it, the child's test is empty.
const ASKED: &str = "BOOKBRIDGE_TEST_WRITE_UNTIL_KILLED";

const KILLS: u64 = 24;

/// Not a test by itself: what the child of the others does.
#[tokio::test]
async fn write_until_killed() {
    let Ok(asked) = std::env::var(ASKED) else { return };
    let (run, dir) = asked.split_once(' ').unwrap();
    let options = Options { reserve: 0, ..Options::default() };
    let store = SledStore::open(Path::new(dir), &options).unwrap();
    if store.connection(&acme()).await.unwrap().is_none() {
        begin(&store).await;
    }
    tell("ready");
    join_all((0..8).map(|task| write_on(&store, format!("{run}-{task}")))).await;
}

/// Puts records, some of them long, and changes every other one.
async fn write_on(store: &dyn Store, name: String) {
    let mut dice = Dice(Dice::seed(&name));
    for number in 0.. {
        let source_id = format!("{name}-{number}");
        let length = if dice.below(20) == 0 { 60_000 } else { dice.below(2_000) };
        let length = usize::try_from(length).unwrap();
        let mut new = Record { data: json!({ "Notes": "n".repeat(length) }), ..record(&source_id) };
        let mut changes = vec![put(&new), Change::Note(note(&source_id))];
        if dice.below(20) == 0 {
            let mut spool = store.spool().unwrap();
            spool.write_all(&vec![b'x'; 40_000]).unwrap();
            let mut set = message_set(u128::from(dice.below(u64::MAX)), &[&source_id]);
            set.response = Some(spool.finish().unwrap());
            changes.push(Change::PutMessageSet(Box::new(set)));
        }
        write(store, changes).await.unwrap();
        tell(&format!("kept {source_id} 1"));

        if number % 2 == 0 {
            new = store.record(&new.key).await.unwrap().unwrap();
            new.status = Status::Synced;
            write(store, [put(&new)]).await.unwrap();
            tell(&format!("kept {source_id} 2"));
        }
    }
}

/// One write, so that no line is torn.
fn tell(line: &str) {
    std::io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

/// A child that writes, and what it says.
pub(super) struct Writing {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Writing {
    /// Starts one and waits until it writes.
    pub(super) fn start(place: &Place, run: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::crash::write_until_killed", "--nocapture"])
            .env(ASKED, format!("{run} {}", place.store().display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (says, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                if says.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let writing = Self { child, lines };
        assert!(writing.lines.iter().any(|line| line == "ready"), "the child ended");
        writing
    }

    /// Waits until it acknowledged so many.
    pub(super) fn wait_for(&self, count: usize) -> Vec<(String, Revision)> {
        let lines: Vec<_> = self.lines.iter().filter_map(|line| kept(&line)).take(count).collect();
        assert_eq!(lines.len(), count, "the child ended");
        lines
    }

    /// Kills it (SIGKILL); returns what else it acknowledged.
    pub(super) fn kill(mut self) -> Vec<(String, Revision)> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().filter_map(|line| kept(&line)).collect()
    }
}

/// What a line of the child acknowledges.
fn kept(line: &str) -> Option<(String, Revision)> {
    let (source_id, revision) = line.strip_prefix("kept ")?.split_once(' ')?;
    Some((source_id.to_owned(), Revision(revision.parse().ok()?)))
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_kill() {
    let place = Place::new();
    let mut dice = Dice(7);
    let mut kept = Vec::new();
    for run in 0..KILLS {
        let writing = Writing::start(&place, run);
        // A random moment is the point, at work: a busy machine gets to it later.
        kept.extend(writing.wait_for(usize::try_from(dice.below(20)).unwrap() + 1));
        std::thread::sleep(Duration::from_millis(dice.below(60)));
        kept.extend(writing.kill());

        let store = place.open().unwrap();

        for (source_id, revision) in &kept {
            let read = store.record(&key(source_id)).await.unwrap();
            assert!(read.is_some_and(|read| read.revision >= *revision), "run {run}: {source_id}");
        }
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "run {run}");
    }
}
