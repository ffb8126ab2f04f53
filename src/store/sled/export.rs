//! Everything to one file, on the writer thread: between two commits nothing moves.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write as _;
use std::path::Path;

use crate::domain::connection::Connection;
use crate::store::StoreError;
use crate::store::entity::Entity;
use crate::store::export::Draft;
use crate::store::export::Exporter;
use crate::store::sled::keys;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;

/// Writes an export. Returns its lines.
pub(super) fn export(shelf: &Shelf, to: &Path, sequence: u64) -> Result<u64, StoreError> {
    let io = |source| StoreError::Io { what: format!("cannot write {}", to.display()), source };
    let draft = Draft::begin(to).map_err(io)?;
    let exporter = Exporter::new(BufWriter::new(draft.file()), sequence).map_err(io)?;
    let lines = Export { shelf, to: exporter, io }.everything()?;
    draft.finish().map_err(io)?;
    Ok(lines)
}

struct Export<'a, F> {
    shelf: &'a Shelf,
    to: Exporter<BufWriter<&'a File>>,
    io: F,
}

impl<F: Fn(io::Error) -> StoreError + Copy> Export<'_, F> {
    fn everything(mut self) -> Result<u64, StoreError> {
        self.rows(Tree::Key, &[])?;
        self.rows(Tree::Person, &[])?;
        self.rows(Tree::Activity, &keys::of_owner(None))?;
        for connection in self.shelf.all::<Connection>(Tree::Connection)? {
            let id = connection.id.as_str().as_bytes().to_vec();
            let prefix = keys::of(&connection.id);
            self.row(Tree::Connection, &id)?;
            if self.shelf.trees.get(Tree::State, &id)?.is_some() {
                self.row(Tree::State, &id)?;
            }
            self.listed(Tree::RecordOrder, Tree::Record, &prefix)?;
            self.listed(Tree::RequestOrder, Tree::Request, &prefix)?;
            for entry in self.shelf.trees.scan(Tree::SessionOrder, &prefix) {
                let (_, session) = entry?;
                self.row(Tree::Session, &session)?;
                self.rows(Tree::Call, &session)?;
            }
            for entry in self.shelf.trees.scan(Tree::MessageSetOrder, &prefix) {
                let (_, message_set) = entry?;
                self.row(Tree::MessageSet, &message_set)?;
            }
            self.rows(Tree::Activity, &prefix)?;
            self.rows(Tree::Mirror, &prefix)?;
        }
        let (lines, mut file) = self.to.finish().map_err(self.io)?;
        file.flush().map_err(self.io)?;
        Ok(lines)
    }

    /// The rows that an index names, whose keys begin with the connection.
    fn listed(&mut self, index: Tree, tree: Tree, prefix: &[u8]) -> Result<(), StoreError> {
        for entry in self.shelf.trees.scan(index, prefix) {
            let (_, local) = entry?;
            self.row(tree, &keys::with(prefix.to_vec(), &[&local]))?;
        }
        Ok(())
    }

    fn rows(&mut self, tree: Tree, prefix: &[u8]) -> Result<(), StoreError> {
        for entry in self.shelf.trees.scan(tree, prefix) {
            let (key, _) = entry?;
            self.row(tree, &key)?;
        }
        Ok(())
    }

    fn row(&mut self, tree: Tree, key: &[u8]) -> Result<(), StoreError> {
        let row = self.shelf.row(tree, key)?;
        let row =
            row.ok_or_else(|| corrupt(tree, key, "an index names it, but it is not there"))?;
        self.entity(&row.entity)
    }

    fn entity(&mut self, entity: &Entity) -> Result<(), StoreError> {
        if let Some((name, _)) = entity.spooled() {
            let body = self.shelf.files.open(name).map_err(|error| StoreError::Corrupt {
                what: format!("body {name} of {}", entity.name()),
                why: error.to_string(),
            })?;
            self.to.body(name, body).map_err(self.io)?;
        }
        self.to.entity(entity).map_err(self.io)
    }
}
