//! The company file on disk: a journal that only grows.
//!
//! One line is one commit: what a message set changed, and the answer kept for its recovery, so
//! that neither is there without the other. A line carries its checksum. What a crash left of the
//! last line is dropped; damage before it is an error. Nothing here knows what the objects mean.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use super::books::Changes;
use super::books::Deleted;
use super::books::Ledger;
use super::books::Object;
use super::message_sets::Kept;
use super::xml;

/// The name of the file in the company's directory.
const NAME: &str = "company.journal";

/// What the lines look like; a file of another format is refused.
const FORMAT: u32 = 1;

/// The journal of one company file, locked against a second opener.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    length: u64,
}

/// One commit.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    pub(crate) changes: Changes,
    /// The answer kept for recovery.
    pub(crate) kept: Option<Kept>,
    /// The ids of the answers dropped.
    pub(crate) forgotten: Vec<String>,
}

/// A commit as it stands in a line.
#[derive(Deserialize, Serialize)]
struct Line {
    format: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Stored>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<Deleted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<Ledger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    forgotten: Vec<String>,
}

/// An object as it stands in a line: its body as XML.
#[derive(Deserialize, Serialize)]
struct Stored {
    kind: String,
    id: String,
    serial: u64,
    body: String,
    created: i64,
    modified: i64,
    edit_sequence: i64,
    made_by: String,
}

impl Commit {
    /// Whether nothing happened.
    pub(crate) fn is_empty(&self) -> bool {
        let Changes { objects, gone, deleted, ledger } = &self.changes;
        let same = objects.is_empty() && gone.is_empty() && deleted.is_empty() && ledger.is_none();
        same && self.kept.is_none() && self.forgotten.is_empty()
    }
}

impl Journal {
    /// Opens the journal in `directory`, or makes it, and reads every commit in it.
    ///
    /// # Errors
    ///
    /// Another process has it open; it cannot be read; a line before the last one is damaged.
    pub(crate) fn open(directory: &Path) -> io::Result<(Self, Vec<Commit>)> {
        fs::create_dir_all(directory)?;
        let path = directory.join(NAME);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        file.try_lock().map_err(|error| {
            let error = io::Error::from(error);
            io::Error::new(error.kind(), format!("another program has {} open", path.display()))
        })?;
        File::open(directory)?.sync_all()?;
        let mut journal = Self { file, length: 0 };
        let mut bytes = Vec::new();
        journal.file.read_to_end(&mut bytes)?;
        let commits = journal.read(&bytes)?;
        if journal.length < bytes.len() as u64 {
            journal.file.set_len(journal.length)?;
            journal.file.sync_all()?;
        }
        Ok((journal, commits))
    }

    /// Reads the lines; `length` then ends behind the last good one.
    fn read(&mut self, bytes: &[u8]) -> io::Result<Vec<Commit>> {
        let mut commits = Vec::new();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let last = self.length + line.len() as u64 == bytes.len() as u64;
            match decode(line) {
                Ok(commit) => commits.push(commit),
                Err(_) if last => break,
                Err(error) => {
                    let place = self.length;
                    let text = format!("the company file is damaged at byte {place}: {error}");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
            }
            self.length += line.len() as u64;
        }
        Ok(commits)
    }

    /// Writes one commit; it is on disk when this returns.
    ///
    /// # Errors
    ///
    /// The disk refuses; nothing of the commit is in the file then.
    pub(crate) fn append(&mut self, commit: &Commit) -> io::Result<()> {
        let line = encode(commit)?;
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.length += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.file.set_len(self.length)?;
                Err(error)
            }
        }
    }
}

/// Writes a line: checksum, blank, JSON.
fn encode(commit: &Commit) -> io::Result<Vec<u8>> {
    let line = Line {
        format: FORMAT,
        objects: commit.changes.objects.iter().map(|object| stored(object)).collect(),
        gone: commit.changes.gone.clone(),
        deleted: commit.changes.deleted.clone(),
        ledger: commit.changes.ledger.clone(),
        kept: commit.kept.clone(),
        forgotten: commit.forgotten.clone(),
    };
    let json = serde_json::to_string(&line)?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes())
}

/// Reads a line.
fn decode(line: &[u8]) -> Result<Commit, String> {
    let text = line.strip_suffix(b"\n").ok_or("the line has no end")?;
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let (checksum, json) = text.split_once(' ').ok_or("the line has no checksum")?;
    if u32::from_str_radix(checksum, 16) != Ok(crc32fast::hash(json.as_bytes())) {
        return Err("the checksum is another".to_owned());
    }
    let line: Line = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if line.format != FORMAT {
        return Err(format!("the format is {}, not {FORMAT}", line.format));
    }
    let objects = line.objects.into_iter().map(restored).collect::<Result<_, String>>()?;
    let changes = Changes { objects, gone: line.gone, deleted: line.deleted, ledger: line.ledger };
    Ok(Commit { changes, kept: line.kept, forgotten: line.forgotten })
}

fn stored(object: &Object) -> Stored {
    Stored {
        kind: object.kind.clone(),
        id: object.id.clone(),
        serial: object.serial,
        body: object.body.to_text(),
        created: object.created,
        modified: object.modified,
        edit_sequence: object.edit_sequence,
        made_by: object.made_by.clone(),
    }
}

fn restored(stored: Stored) -> Result<Arc<Object>, String> {
    Ok(Arc::new(Object {
        body: xml::read_node(&stored.body)?,
        kind: stored.kind,
        id: stored.id,
        serial: stored.serial,
        created: stored.created,
        modified: stored.modified,
        edit_sequence: stored.edit_sequence,
        made_by: stored.made_by,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forget(id: &str) -> Commit {
        Commit { forgotten: vec![id.to_owned()], ..Commit::default() }
    }

    fn read(directory: &Path) -> io::Result<Vec<String>> {
        let (_, commits) = Journal::open(directory)?;
        Ok(commits.into_iter().flat_map(|commit| commit.forgotten).collect())
    }

    #[test]
    fn a_torn_last_line_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        {
            let (mut journal, _) = Journal::open(directory.path()).unwrap();
            journal.append(&forget("a")).unwrap();
            journal.append(&forget("b")).unwrap();
        }
        let path = directory.path().join(NAME);
        let whole = fs::read(&path).unwrap();

        fs::write(&path, &whole[..whole.len() - 3]).unwrap();

        assert_eq!(read(directory.path()).unwrap(), ["a"]);
        assert_eq!(fs::metadata(&path).unwrap().len(), whole.len() as u64 / 2);
    }

    #[test]
    fn damage_in_the_middle_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        {
            let (mut journal, _) = Journal::open(directory.path()).unwrap();
            journal.append(&forget("a")).unwrap();
            journal.append(&forget("b")).unwrap();
        }
        let path = directory.path().join(NAME);
        let mut bytes = fs::read(&path).unwrap();
        bytes[12] ^= 1;

        fs::write(&path, &bytes).unwrap();

        assert!(read(directory.path()).unwrap_err().to_string().contains("damaged at byte 0"));
    }

    #[test]
    fn a_company_file_is_open_once() {
        let directory = tempfile::tempdir().unwrap();

        let first = Journal::open(directory.path()).unwrap();

        assert!(Journal::open(directory.path()).is_err());
        drop(first);
        assert!(Journal::open(directory.path()).is_ok());
    }
}
