//! Rows, read: trees and files together.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use crate::store::StoreError;
use crate::store::entity::Entity;
use crate::store::format;
use crate::store::format::Content;
use crate::store::format::Head;
use crate::store::sled::files::Files;
use crate::store::sled::links;
use crate::store::sled::trees::Tree;
use crate::store::sled::trees::Trees;

/// Where rows are read.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub(super) trees: Trees,
    pub(super) files: Arc<Files>,
}

/// A row, and all that it names.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) head: Head,
    pub(super) entity: Entity,
    /// The file that holds its JSON, if it is long.
    pub(super) file: Option<String>,
}

impl Shelf {
    /// Reads an entity; the caller knows what sort the tree holds.
    pub(super) fn load<T: TryFrom<Entity>>(
        &self,
        tree: Tree,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        match self.row(tree, key)? {
            Some(row) => match T::try_from(row.entity) {
                Ok(entity) => Ok(Some(entity)),
                Err(_) => Err(corrupt(tree, key, "it is of another sort")),
            },
            None => Ok(None),
        }
    }

    /// Reads a row.
    pub(super) fn row(&self, tree: Tree, key: &[u8]) -> Result<Option<Row>, StoreError> {
        // A file can go between reading the row and reading the file: then the row is another.
        for _ in 0..8 {
            let Some(bytes) = self.trees.get(tree, key)? else { return Ok(None) };
            if let Some(row) = self.parse(tree, key, &bytes)? {
                return Ok(Some(row));
            }
        }
        Err(corrupt(tree, key, "its file is gone"))
    }

    /// Reads the bytes of a row; `None` if its file is gone.
    pub(super) fn parse(
        &self,
        tree: Tree,
        key: &[u8],
        bytes: &[u8],
    ) -> Result<Option<Row>, StoreError> {
        let (version, head, content) =
            format::read_row(bytes).map_err(|why| corrupt(tree, key, why))?;
        let (json, file) = match content {
            Content::Here(json) => (json, None),
            Content::File(file) => match self.files.read_row(&file) {
                Ok(Some(json)) => (json, Some(file.name)),
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(corrupt(tree, key, error));
                }
                Err(source) => {
                    return Err(StoreError::Io {
                        what: format!("cannot read {}", file.name),
                        source,
                    });
                }
            },
        };
        let entity =
            links::decode(tree, version, &head, &json).map_err(|why| corrupt(tree, key, why))?;
        Ok(Some(Row { head, entity, file }))
    }
}

/// A damaged row, named by its key.
pub(super) fn corrupt(tree: Tree, key: &[u8], why: impl Display) -> StoreError {
    StoreError::Corrupt { what: named(tree, key), why: why.to_string() }
}

/// What a key is called in errors and findings.
pub(super) fn named(tree: Tree, key: &[u8]) -> String {
    let key = match std::str::from_utf8(key) {
        Ok(text) if text.chars().all(|c| c == '\0' || !c.is_control()) => text.replace('\0', "/"),
        _ => key.escape_ascii().to_string(),
    };
    format!("{} {key}", tree.name())
}
