//! Everything to one file, on the writer thread: between two commits nothing moves.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufWriter;
use std::path::Path;

use crate::domain::connection::Connection;
use crate::store::StoreError;
use crate::store::entity::Entity;
use crate::store::export::Exporter;
use crate::store::sled::files;
use crate::store::sled::keys;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;

/// Writes an export beside its place and moves it there when it is whole. Returns its lines.
pub(super) fn export(shelf: &Shelf, to: &Path, sequence: u64) -> Result<u64, StoreError> {
    let io = |source| StoreError::Io { what: format!("cannot write {}", to.display()), source };
    if to.exists() {
        return Err(io(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file already")));
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = Path::new(&unfinished);
    let written = create(unfinished).map_err(io).and_then(|file| {
        let mut export =
            Export { shelf, to: Exporter::new(BufWriter::new(file), sequence).map_err(io)?, io };
        export.everything()?;
        let (lines, file) = export.to.finish().map_err(io)?;
        file.into_inner().map_err(|error| io(error.into_error()))?.sync_all().map_err(io)?;
        Ok(lines)
    });
    let moved = written.and_then(|lines| {
        fs::rename(unfinished, to).map_err(io)?;
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        files::sync(parent.unwrap_or(Path::new("."))).map_err(io)?;
        Ok(lines)
    });
    if moved.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(unfinished);
    }
    moved
}

/// It holds the books: only its owner may read it.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    files::private(&mut options).open(path)
}

struct Export<'a, F> {
    shelf: &'a Shelf,
    to: Exporter<BufWriter<File>>,
    io: F,
}

impl<F: Fn(io::Error) -> StoreError + Copy> Export<'_, F> {
    fn everything(&mut self) -> Result<(), StoreError> {
        self.rows(Tree::Key, &[])?;
        self.rows(Tree::Person, &[])?;
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
        Ok(())
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
