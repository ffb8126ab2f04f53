//! The company file on disk: one line of JSON a document, appended and synced before the answer.
//!
//! A line holds what changed in the books and in the memory of message sets, so that both are there
//! or neither is. A line that was cut off when the machine stopped is dropped.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use super::books::Books;
use super::books::Changes;
use super::books::Deleted;
use super::books::Ledger;
use super::books::Object;
use super::message_sets::Change;
use super::message_sets::Memory;
use super::xml;

/// The name of the file in the company's directory.
const NAME: &str = "company.journal";

/// One line.
#[derive(Deserialize, Serialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Row>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<Deleted>,
    ledger: Ledger,
    #[serde(default)]
    message_set: Change,
}

/// One object.
#[derive(Deserialize, Serialize)]
struct Row {
    kind: String,
    id: String,
    serial: u64,
    body: String,
    created: i64,
    modified: i64,
    edit_sequence: i64,
    made_by: String,
}

/// The open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Opens the journal of a directory and reads it into the books.
    pub(crate) fn open(dir: &Path, books: &mut Books, memory: &mut Memory) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let path = dir.join(NAME);
        let file =
            OpenOptions::new().read(true).append(true).create(true).truncate(false).open(path)?;
        let mut reader = BufReader::new(&file);
        let (mut text, mut whole) = (String::new(), 0);
        loop {
            text.clear();
            let length = reader.read_line(&mut text)? as u64;
            if length == 0 || !text.ends_with('\n') {
                break;
            }
            whole += length;
            let line: Line = serde_json::from_str(&text).map_err(io::Error::other)?;
            let objects = line.objects.into_iter().map(Row::object).collect::<io::Result<_>>()?;
            books.load(Changes { objects, gone: line.gone, deleted: line.deleted });
            books.ledger = line.ledger;
            memory.apply(line.message_set);
        }
        file.set_len(whole)?;
        let mut journal = Self { file };
        journal.file.seek(io::SeekFrom::End(0))?;
        Ok(journal)
    }

    /// Appends what changed since the last time.
    pub(crate) fn write(&mut self, books: &Books, change: &Change) -> io::Result<()> {
        let changes = books.changes();
        let line = Line {
            objects: changes.objects.iter().map(|object| Row::of(object)).collect(),
            gone: changes.gone,
            deleted: changes.deleted,
            ledger: books.ledger.clone(),
            message_set: change.clone(),
        };
        let mut text = serde_json::to_string(&line).map_err(io::Error::other)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

impl Row {
    fn of(object: &Object) -> Self {
        Self {
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

    fn object(self) -> io::Result<Arc<Object>> {
        Ok(Arc::new(Object {
            kind: self.kind,
            id: self.id,
            serial: self.serial,
            body: xml::read_node(&self.body).map_err(io::Error::other)?,
            created: self.created,
            modified: self.modified,
            edit_sequence: self.edit_sequence,
            made_by: self.made_by,
        }))
    }
}
