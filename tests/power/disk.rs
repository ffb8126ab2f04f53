//! A disk that remembers what is durable and what is not, and what a cut may leave of it.
//!
//! The model: what was written and not synced may be there, be gone, or be there in part, in pieces
//! of 4 KiB and in any order; a new name is durable when its file or its directory was synced; a
//! rename when the directory was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::hands::Dice;

/// The unit in which a disk keeps or loses what was not synced.
const PIECE: usize = 4096;

/// One entry of the log.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) letter: char,
    file: u64,
    offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// Reads a whole log.
pub(super) fn entries(log: &[u8]) -> Vec<Entry> {
    let number = |at: usize| u64::from_le_bytes(log[at..at + 8].try_into().unwrap());
    let (mut entries, mut at) = (Vec::new(), 0);
    while at < log.len() {
        let length = usize::try_from(number(at + 17)).unwrap();
        entries.push(Entry {
            letter: char::from(log[at]),
            file: number(at + 1),
            offset: number(at + 9),
            bytes: log[at + 25..at + 25 + length].to_vec(),
        });
        at += 25 + length;
    }
    entries
}

/// What becomes of that which is not durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    /// All of it is lost.
    Dropped,
    /// Any pieces of it are there.
    Torn,
    /// All of it is there, as after a crash of the program alone.
    Kept,
}

#[derive(Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Entry>,
}

/// A name, before and after what is not durable.
#[derive(Default)]
struct Name {
    durable: Option<u64>,
    now: Option<u64>,
}

#[derive(Default)]
pub(super) struct Disk {
    files: BTreeMap<u64, File>,
    names: BTreeMap<String, Name>,
    directories: BTreeMap<u64, String>,
}

fn apply(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl Disk {
    /// A directory that was there before the log began.
    pub(super) fn directory(&mut self, number: u64, path: &str) {
        self.directories.insert(number, path.to_owned());
    }

    /// One more entry happens.
    pub(super) fn happen(&mut self, entry: &Entry) {
        let text = || String::from_utf8(entry.bytes.clone()).unwrap();
        match entry.letter {
            'C' => {
                self.files.insert(entry.file, File::default());
                self.names.entry(text()).or_default().now = Some(entry.file);
            }
            'M' => {
                self.directories.insert(entry.file, text());
            }
            'W' | 'T' => {
                if let Some(file) = self.files.get_mut(&entry.file) {
                    file.pending.push(entry.clone());
                }
            }
            'N' => {
                let both = text();
                let (from, to) = both.split_once('\0').unwrap();
                let moved = self.names.get_mut(from).and_then(|name| name.now.take());
                self.names.entry(to.to_owned()).or_default().now = moved;
            }
            'U' => {
                if let Some(name) = self.names.get_mut(&text()) {
                    name.now = None;
                }
            }
            'F' => self.sync(entry.file),
            _ => {}
        }
    }

    fn sync(&mut self, number: u64) {
        if let Some(file) = self.files.get_mut(&number) {
            for entry in std::mem::take(&mut file.pending) {
                change(&mut file.durable, &entry);
            }
            // The name of a new file goes to disk with it (ext4, XFS).
            for name in self.names.values_mut().filter(|name| name.now == Some(number)) {
                if name.durable.is_none() {
                    name.durable = name.now;
                }
            }
        }
        if let Some(directory) = self.directories.get(&number) {
            for (path, name) in &mut self.names {
                let parent = path.rsplit_once('/').map(|(parent, _)| parent);
                if parent == Some(directory.trim_end_matches('/')) {
                    name.durable = name.now;
                }
            }
        }
    }

    /// Writes what a cut leaves of everything below `root` to another place.
    pub(super) fn leave(&self, root: &str, to: &Path, cut: Cut, dice: &mut Dice) {
        for directory in self.directories.values() {
            if let Some(below) = directory.strip_prefix(root) {
                fs::create_dir_all(to.join(below.trim_start_matches('/'))).unwrap();
            }
        }
        for (path, name) in &self.names {
            let number = match cut {
                Cut::Dropped => name.durable,
                Cut::Kept => name.now,
                Cut::Torn => {
                    if dice.once_in(2) {
                        name.durable
                    } else {
                        name.now
                    }
                }
            };
            let Some(file) = number.and_then(|number| self.files.get(&number)) else { continue };
            let Some(below) = path.strip_prefix(root) else { continue };
            let mut content = file.durable.clone();
            for entry in &file.pending {
                match cut {
                    Cut::Dropped => {}
                    Cut::Kept => change(&mut content, entry),
                    Cut::Torn => tear(&mut content, entry, dice),
                }
            }
            fs::write(to.join(below.trim_start_matches('/')), content).unwrap();
        }
    }
}

fn change(content: &mut Vec<u8>, entry: &Entry) {
    let offset = usize::try_from(entry.offset).unwrap();
    match entry.letter {
        'W' => apply(content, offset, &entry.bytes),
        _ => content.resize(offset, 0),
    }
}

/// Any pieces of a write arrive.
fn tear(content: &mut Vec<u8>, entry: &Entry, dice: &mut Dice) {
    if entry.letter != 'W' {
        if dice.once_in(2) {
            change(content, entry);
        }
        return;
    }
    let (mut at, offset) = (0, usize::try_from(entry.offset).unwrap());
    while at < entry.bytes.len() {
        let end = entry.bytes.len().min(at + PIECE - (offset + at) % PIECE);
        if dice.once_in(2) {
            apply(content, offset + at, &entry.bytes[at..end]);
        }
        at = end;
    }
}
