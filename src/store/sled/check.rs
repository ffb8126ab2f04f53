//! Reads everything, derives again what was derived, and says what differs.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::Path;

use crate::domain::ids::ConnectionId;
use crate::store::StoreError;
use crate::store::sled::apply;
use crate::store::sled::draft::Marks;
use crate::store::sled::hours;
use crate::store::sled::links;
use crate::store::sled::shelf;
use crate::store::sled::shelf::Row;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;

/// Findings that are told one by one.
const MOST: usize = 100;

/// What is wrong with a store that nothing is written to meanwhile.
pub(super) fn check(shelf: &Shelf, blobs: &Path, marks: Marks) -> Result<Vec<String>, StoreError> {
    let mut check = Check {
        shelf,
        marks,
        findings: Vec::new(),
        more: 0,
        links: BTreeMap::new(),
        counts: HashMap::new(),
        files: HashMap::new(),
    };
    for tree in links::ROWS {
        check.rows(tree)?;
    }
    check.shared()?;
    check.indexes()?;
    check.counts()?;
    check.hours()?;
    check.files()?;
    if std::fs::read_dir(blobs).is_ok_and(|mut blobs| blobs.next().is_some()) {
        check
            .find("the database has a blob file, which is not safe against a power cut".to_owned());
    }
    if check.more > 0 {
        check.findings.push(format!("and {} more", check.more));
    }
    Ok(check.findings)
}

struct Check<'a> {
    shelf: &'a Shelf,
    marks: Marks,
    findings: Vec<String>,
    more: usize,
    /// How many entries each index must have.
    links: BTreeMap<Tree, u64>,
    /// What each count must be.
    counts: HashMap<Vec<u8>, u64>,
    /// Files that are named, and their lengths where they are known.
    files: HashMap<String, Option<u64>>,
}

impl Check<'_> {
    fn find(&mut self, finding: String) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Takes a damaged thing as a finding; an error of the disk ends the check.
    fn or_find<T>(&mut self, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ StoreError::Corrupt { .. }) => {
                self.find(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Shows every entry of a tree. Where it cannot be read any further is a finding; what stands
    /// behind that place cannot be looked at.
    fn entries(
        &mut self,
        tree: Tree,
        mut each: impl FnMut(&mut Self, &[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut last = None;
        for entry in self.shelf.trees.scan(tree, &[]) {
            match entry {
                Ok((key, value)) => {
                    each(self, &key, &value)?;
                    last = Some(key);
                }
                Err(error @ StoreError::Corrupt { .. }) => {
                    let at = last.map_or("at its beginning".to_owned(), |key| {
                        format!("behind {}", shelf::named(tree, &key))
                    });
                    self.find(format!("{error}; it cannot be read further, {at}"));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn rows(&mut self, tree: Tree) -> Result<(), StoreError> {
        self.entries(tree, |check, key, bytes| {
            let row = check.shelf.parse(tree, key, bytes);
            let row = row.and_then(|row| row.ok_or_else(|| corrupt(tree, key, "its file is gone")));
            match check.or_find(row)? {
                Some(row) => check.row(tree, key, row),
                None => Ok(()),
            }
        })
    }

    fn row(&mut self, tree: Tree, key: &[u8], row: Row) -> Result<(), StoreError> {
        let Row { head, entity, file } = row;
        let name = entity.name();
        if links::place(&entity, head.ordinal) != (tree, key.to_vec()) {
            self.find(format!("{name} stands at another's place"));
        }
        if head.ordinal > self.marks.ordinal || head.sequence > self.marks.sequence {
            self.find(format!("{name} has a number that was not given yet"));
        }
        if let Some(connection) = entity.connection()
            && let known = self.is_known(connection)
            && self.or_find(known)? == Some(false)
        {
            self.find(format!("{name} belongs to a connection that is not there"));
        }
        for link in links::links(&entity, head.ordinal) {
            *self.links.entry(link.tree).or_default() += 1;
            let there = self.shelf.trees.get(link.tree, &link.key);
            let Some(there) = self.or_find(there)? else { continue };
            match there {
                Some(value) if *value == link.value => {}
                Some(_) => self.find(format!("{name}: its {} names another", link.tree.name())),
                None => self.find(format!("{name} is missing in {}", link.tree.name())),
            }
        }
        for count in links::counted(&entity) {
            *self.counts.entry(count).or_default() += 1;
        }
        if let Some((body, length)) = entity.spooled() {
            self.files.insert(body.to_owned(), Some(length));
        }
        if let Some(file) = file {
            self.files.insert(file, None);
        }
        Ok(())
    }

    fn is_known(&self, connection: &ConnectionId) -> Result<bool, StoreError> {
        let trees = &self.shelf.trees;
        Ok(trees.get(Tree::Connection, connection.as_str().as_bytes())?.is_some()
            || trees.get(Tree::Meta, &apply::removing(connection))?.is_some())
    }

    /// No two records stand at one object of QuickBooks. Stores of before may have some: each change
    /// of one would go over the other's.
    fn shared(&mut self) -> Result<(), StoreError> {
        let mut last: Option<(Vec<u8>, String)> = None;
        for entry in self.shelf.trees.scan(Tree::Reference, &[]) {
            let Some((key, _)) = self.or_find(entry)? else { continue };
            let parts: Vec<_> =
                key.splitn(4, |byte| *byte == 0).map(String::from_utf8_lossy).collect();
            let [_, id, kind, source_id] = parts.as_slice() else { continue };
            let path = format!("{kind}/{source_id}");
            let place = key[..key.len() - source_id.len()].to_vec();
            if let Some((before, other)) = &last
                && *before == place
            {
                self.find(format!("{other} and {path} stand at one object of QuickBooks, {id}"));
            }
            last = Some((place, path));
        }
        Ok(())
    }

    /// Each entry that must be there is; so if there are as many as must be, there is none besides.
    fn indexes(&mut self) -> Result<(), StoreError> {
        let derived = Tree::ALL.iter().copied().filter(|tree| {
            let by_itself = [Tree::Meta, Tree::Count, Tree::Hour, Tree::File];
            !links::ROWS.contains(tree) && !by_itself.contains(tree)
        });
        for tree in derived {
            let mut there = 0;
            self.entries(tree, |_, _, _| {
                there += 1;
                Ok(())
            })?;
            let expected = self.links.get(&tree).copied().unwrap_or(0);
            if there != expected {
                self.find(format!("{} has {there} entries instead of {expected}", tree.name()));
            }
        }
        Ok(())
    }

    fn counts(&mut self) -> Result<(), StoreError> {
        self.entries(Tree::Count, |check, key, value| {
            let expected = check.counts.remove(key).unwrap_or(0);
            if *value != expected.to_be_bytes() {
                let error = corrupt(Tree::Count, key, format!("{expected} are there"));
                check.find(error.to_string());
            }
            Ok(())
        })?;
        for (key, expected) in std::mem::take(&mut self.counts) {
            self.find(corrupt(Tree::Count, &key, format!("{expected} are there")).to_string());
        }
        Ok(())
    }

    /// Nothing else says what happened in an hour: it must be readable, and a known connection's.
    fn hours(&mut self) -> Result<(), StoreError> {
        self.entries(Tree::Hour, |check, key, value| {
            let id = key.split(|byte| *byte == 0).next().and_then(|id| str::from_utf8(id).ok());
            let known = match id.and_then(|id| ConnectionId::parse(id).ok()) {
                Some(id) => check.is_known(&id),
                None => Ok(false),
            };
            if check.or_find(known)? == Some(false) {
                let why = "it belongs to a connection that is not there";
                check.find(corrupt(Tree::Hour, key, why).to_string());
            } else if hours::read(key, value).is_none() {
                check.find(corrupt(Tree::Hour, key, "it counts no hour").to_string());
            }
            Ok(())
        })
    }

    fn files(&mut self) -> Result<(), StoreError> {
        self.entries(Tree::File, |check, key, _| {
            if !check.files.contains_key(&*String::from_utf8_lossy(key)) {
                check.find(corrupt(Tree::File, key, "nothing names it").to_string());
            }
            Ok(())
        })?;
        for (name, expected) in std::mem::take(&mut self.files) {
            let kept = self.shelf.trees.get(Tree::File, name.as_bytes());
            if self.or_find(kept)?.is_some_and(|kept| kept.is_none()) {
                self.find(format!("the spool file {name} is named, but would be swept away"));
            }
            let length = self.shelf.files.length(&name);
            match length
                .map_err(|source| StoreError::Io { what: format!("cannot read {name}"), source })?
            {
                None => self.find(format!("the spool file {name} is gone")),
                Some(length) => match expected {
                    Some(expected) if expected != length => self.find(format!(
                        "the spool file {name} has {length} bytes instead of {expected}"
                    )),
                    _ => {}
                },
            }
        }
        Ok(())
    }
}
