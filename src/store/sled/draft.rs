//! What commits will change, before it is written.
//!
//! A [`Batch`] is what goes into one transaction; a [`Draft`] is one commit of it. A draft sees the
//! database as the batch leaves it; refused, it is dropped, and nothing of it was in the batch.

use std::collections::BTreeSet;

use crate::store::StoreError;
use crate::store::sled::keys;
use crate::store::sled::shelf::Row;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;
use crate::store::sled::trees::Writes;

/// The numbers that only grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Marks {
    /// Transactions so far.
    pub(super) commit: u64,
    /// The last place in the queue that was given.
    pub(super) sequence: u64,
    /// Entities so far.
    pub(super) ordinal: u64,
}

const MARKS: &[u8] = b"marks";

impl Marks {
    /// As they are stored.
    pub(super) fn read(shelf: &Shelf) -> Result<Self, StoreError> {
        let Some(bytes) = shelf.trees.get(Tree::Meta, MARKS)? else { return Ok(Self::default()) };
        let number = |at| bytes.get(at..at + 8).and_then(keys::last_number);
        match (number(0), number(8), number(16)) {
            (Some(commit), Some(sequence), Some(ordinal)) => Ok(Self { commit, sequence, ordinal }),
            _ => Err(corrupt(Tree::Meta, MARKS, "it is too short")),
        }
    }

    fn write(self, writes: &mut Writes) {
        let numbers = [self.commit, self.sequence, self.ordinal];
        let bytes = numbers.into_iter().flat_map(u64::to_be_bytes).collect();
        writes.set(Tree::Meta, MARKS.to_vec(), Some(bytes));
    }
}

/// What goes into one transaction.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) writes: Writes,
    pub(super) marks: Marks,
    /// Files that nothing names once this is written.
    pub(super) gone: Vec<String>,
}

impl Batch {
    /// An empty one.
    pub(super) fn new(marks: Marks) -> Self {
        let marks = Marks { commit: marks.commit + 1, ..marks };
        Self { writes: Writes::default(), marks, gone: Vec::new() }
    }

    /// Adds a commit.
    pub(super) fn absorb(&mut self, change: Changed) {
        self.writes.absorb(change.writes);
        self.marks = change.marks;
        self.gone.extend(change.gone);
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Everything, with the numbers.
    pub(super) fn seal(&mut self) -> &Writes {
        self.marks.write(&mut self.writes);
        &self.writes
    }
}

/// What one commit changes.
#[derive(Debug)]
pub(super) struct Changed {
    writes: Writes,
    marks: Marks,
    gone: Vec<String>,
}

/// One commit on its way into a batch.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    shelf: &'a Shelf,
    batch: &'a Batch,
    changed: Changed,
}

impl<'a> Draft<'a> {
    /// The next commit of a batch.
    pub(super) fn new(shelf: &'a Shelf, batch: &'a Batch) -> Self {
        let changed = Changed { writes: Writes::default(), marks: batch.marks, gone: Vec::new() };
        Self { shelf, batch, changed }
    }

    /// What it changes.
    pub(super) fn finish(self) -> Changed {
        self.changed
    }

    /// The value of a key, as this commit leaves it.
    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let drafted =
            self.changed.writes.get(tree, key).or_else(|| self.batch.writes.get(tree, key));
        match drafted {
            Some(value) => Ok(value.clone()),
            None => Ok(self.shelf.trees.get(tree, key)?.map(|value| value.to_vec())),
        }
    }

    /// The keys that begin so, as this commit leaves them.
    pub(super) fn keys(&self, tree: Tree, prefix: &[u8]) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let mut keys = BTreeSet::new();
        for entry in self.shelf.trees.scan(tree, prefix) {
            keys.insert(entry?.0.to_vec());
        }
        for writes in [&self.batch.writes, &self.changed.writes] {
            for (key, value) in writes.under(tree, prefix) {
                if value.is_some() {
                    keys.insert(key.clone());
                } else {
                    keys.remove(key);
                }
            }
        }
        Ok(keys)
    }

    /// A row, as this commit leaves it.
    pub(super) fn row(&self, tree: Tree, key: &[u8]) -> Result<Option<Row>, StoreError> {
        let Some(bytes) = self.get(tree, key)? else { return Ok(None) };
        match self.shelf.parse(tree, key, &bytes)? {
            Some(row) => Ok(Some(row)),
            None => Err(corrupt(tree, key, "its file is gone")),
        }
    }

    /// Sets a key.
    pub(super) fn set(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        self.changed.writes.set(tree, key, Some(value));
    }

    /// Removes a key.
    pub(super) fn unset(&mut self, tree: Tree, key: Vec<u8>) {
        self.changed.writes.set(tree, key, None);
    }

    /// Adds to a count; one of nothing is not kept.
    pub(super) fn count(&mut self, key: &[u8], by: i64) -> Result<(), StoreError> {
        let count = self.get(Tree::Count, key)?.as_deref().and_then(keys::last_number);
        match count.unwrap_or(0).saturating_add_signed(by) {
            0 => self.unset(Tree::Count, key.to_vec()),
            count => self.set(Tree::Count, key.to_vec(), count.to_be_bytes().to_vec()),
        }
        Ok(())
    }

    /// A file is named from now on.
    pub(super) fn name_file(&mut self, name: &str, length: u64) {
        self.set(Tree::File, name.as_bytes().to_vec(), length.to_be_bytes().to_vec());
    }

    /// A file is not named any more.
    pub(super) fn forget_file(&mut self, name: String) {
        self.unset(Tree::File, name.as_bytes().to_vec());
        self.changed.gone.push(name);
    }

    /// The next ordinal.
    pub(super) fn next_ordinal(&mut self) -> u64 {
        self.changed.marks.ordinal += 1;
        self.changed.marks.ordinal
    }

    /// The next place in the queue.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.changed.marks.sequence += 1;
        self.changed.marks.sequence
    }

    /// A place in the queue was given by another store.
    pub(super) fn saw_sequence(&mut self, sequence: u64) {
        let last = &mut self.changed.marks.sequence;
        *last = sequence.max(*last);
    }
}
