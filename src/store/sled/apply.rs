//! One commit, checked and drafted: revisions, guards, links, counts.

use std::collections::BTreeSet;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Revision;
use crate::store::Change;
use crate::store::Commit;
use crate::store::Guard;
use crate::store::StoreError;
use crate::store::entity::Entity;
use crate::store::format;
use crate::store::format::Content;
use crate::store::format::Head;
use crate::store::format::RowFile;
use crate::store::sled::draft::Draft;
use crate::store::sled::files::Files;
use crate::store::sled::hours;
use crate::store::sled::keys;
use crate::store::sled::links;
use crate::store::sled::shelf::Row;
use crate::store::sled::trees::Tree;

/// The longest JSON of one entity.
const LONGEST: usize = 64 << 20;

/// A commit, with everything in it written out.
#[derive(Debug)]
pub(super) struct Prepared {
    guards: Vec<Guard>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Put(Box<Written>),
    Remove(ConnectionId, Revision),
}

/// An entity and its JSON.
#[derive(Debug)]
pub(super) struct Written {
    entity: Entity,
    content: Content,
}

impl Written {
    /// Writes the JSON of an entity. It stands in memory, however long it is.
    pub(super) fn new(entity: Entity) -> Result<Self, StoreError> {
        let json = entity.to_json();
        if json.len() > LONGEST {
            let (what, bytes) = (entity.name(), json.len());
            return Err(StoreError::TooLarge { what, bytes, limit: LONGEST });
        }
        Ok(Self { entity, content: Content::Here(json) })
    }

    fn is_long(&self) -> bool {
        matches!(&self.content, Content::Here(json) if json.len() > format::INLINE)
    }

    /// Moves a long JSON to a file.
    pub(super) fn spill(&mut self, files: &Files) -> std::io::Result<()> {
        if let Content::Here(json) = &self.content
            && self.is_long()
        {
            self.content = Content::File(files.write_row(json)?);
        }
        Ok(())
    }

    fn file(&self) -> Option<&RowFile> {
        match &self.content {
            Content::Here(_) => None,
            Content::File(file) => Some(file),
        }
    }
}

impl Prepared {
    /// Writes out a commit, in memory.
    pub(super) fn new(commit: Commit) -> Result<Self, StoreError> {
        let written = |entity| Ok(Step::Put(Box::new(Written::new(entity)?)));
        let step = |change| match change {
            Change::PutConnection(it) => written(Entity::Connection(it)),
            Change::RemoveConnection(id, revision) => Ok(Step::Remove(id, revision)),
            Change::PutState(it) => written(Entity::State(it)),
            Change::PutRecord(it) => written(Entity::Record(it)),
            Change::PutRequest(it) => written(Entity::Request(it)),
            Change::PutMessageSet(it) => written(Entity::MessageSet(it)),
            Change::PutSession(it) => written(Entity::Session(it)),
            Change::PutKey(it) => written(Entity::Key(it)),
            Change::Note(it) => written(Entity::Activity(it)),
            Change::LogCall(it) => written(Entity::Call(it)),
            Change::Mirror(it) => written(Entity::Mirrored(it)),
            Change::PutUser(it) => written(Entity::User(it)),
        };
        let steps = commit.changes.into_iter().map(step).collect::<Result<_, StoreError>>()?;
        Ok(Self { guards: commit.guards, steps })
    }

    fn puts(&self) -> impl Iterator<Item = &Written> {
        self.steps.iter().filter_map(|step| match step {
            Step::Put(written) => Some(written.as_ref()),
            Step::Remove(..) => None,
        })
    }

    /// Whether something in it is too long for the database.
    pub(super) fn is_long(&self) -> bool {
        self.puts().any(Written::is_long)
    }

    /// Moves what is long to files. This waits for the disk.
    pub(super) fn spill(&mut self, files: &Files) -> std::io::Result<()> {
        let spilled = self.steps.iter_mut().try_for_each(|step| match step {
            Step::Put(written) => written.spill(files),
            Step::Remove(..) => Ok(()),
        });
        if spilled.is_err() {
            files.remove(self.files());
        }
        spilled
    }

    /// The files that were written for it.
    pub(super) fn files(&self) -> Vec<String> {
        self.puts().filter_map(|put| put.file()).map(|file| file.name.clone()).collect()
    }

    /// Whether it makes records or requests, which a full disk refuses.
    pub(super) fn grows(&self) -> bool {
        self.puts().any(|put| {
            put.entity.sequence().is_some() && put.entity.revision() == Some(Revision::NEW)
        })
    }

    /// Drafts all of it.
    pub(super) fn apply(self, draft: &mut Draft<'_>) -> Result<Removed, StoreError> {
        for guard in &self.guards {
            hold(draft, guard)?;
        }
        let mut touched = BTreeSet::new();
        let mut removed = Removed::new();
        let mut taken = Vec::new();
        for step in self.steps {
            match step {
                Step::Put(written) => {
                    touched.extend(written.entity.connection().cloned());
                    taken.extend(put(draft, *written, Mode::Change)?);
                }
                Step::Remove(id, revision) => {
                    remove(draft, &id, revision)?;
                    removed.insert(id);
                }
            }
        }
        for at in taken {
            if draft.keys(Tree::Reference, &at)?.len() > 1 {
                return Err(conflict("who stands at one object of QuickBooks".to_owned()));
            }
        }
        for id in touched.difference(&removed) {
            let is_there = draft.get(Tree::Connection, id.as_str().as_bytes())?.is_some();
            if !is_there || draft.get(Tree::Meta, &removing(id))?.is_some() {
                return Err(conflict(format!("connection {id}")));
            }
        }
        Ok(removed)
    }
}

/// Connections that a commit removed: what belongs to them goes bit by bit.
pub(super) type Removed = BTreeSet<ConnectionId>;

/// Marks, in [`Tree::Meta`], a connection that is gone and whose belongings are still being removed.
pub(super) const REMOVING: &[u8] = b"removing ";

/// Its key for one connection.
pub(super) fn removing(id: &ConnectionId) -> Vec<u8> {
    keys::with(REMOVING.to_vec(), &[id.as_str().as_bytes()])
}

/// Who decides the numbers of an entity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    /// The store: it is checked, and counted on.
    Change,
    /// Another store did: it is taken as it is.
    Restore,
}

fn conflict(what: String) -> StoreError {
    StoreError::Conflict { what }
}

fn hold(draft: &Draft<'_>, guard: &Guard) -> Result<(), StoreError> {
    let (tree, key, expected) = match guard {
        Guard::Record(key, revision) => (Tree::Record, keys::record(key), revision),
        Guard::State(id, revision) => (Tree::State, id.as_str().into(), revision),
        Guard::Connection(id, revision) => (Tree::Connection, id.as_str().into(), revision),
    };
    if revision_at(draft, tree, &key)? == *expected {
        return Ok(());
    }
    Err(conflict(match guard {
        Guard::Record(key, _) => format!("record {key}"),
        Guard::State(id, _) => format!("connector state of {id}"),
        Guard::Connection(id, _) => format!("connection {id}"),
    }))
}

fn revision_at(draft: &Draft<'_>, tree: Tree, key: &[u8]) -> Result<Revision, StoreError> {
    match draft.get(tree, key)? {
        Some(bytes) => match format::read_row(&bytes) {
            Ok((_, head, _)) => Ok(head.revision),
            Err(why) => Err(crate::store::sled::shelf::corrupt(tree, key, why)),
        },
        None => Ok(Revision::NEW),
    }
}

/// Drafts one entity and all that points to it; where in [`Tree::Reference`] it stands, if it did not
/// stand there before.
pub(super) fn put(
    draft: &mut Draft<'_>,
    written: Written,
    mode: Mode,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Written { mut entity, content } = written;
    let old = match entity.revision() {
        Some(_) => {
            let (tree, key) = links::place(&entity, 0);
            draft.row(tree, &key)?
        }
        None => None,
    };
    let found = old.as_ref().map_or(Revision::NEW, |row| row.head.revision);
    let revision = match (mode, entity.revision()) {
        (Mode::Change, Some(expected)) if expected != found && !entity.is_told() => {
            return Err(conflict(entity.name()));
        }
        (Mode::Change, _) => found.next(),
        (Mode::Restore, _) if old.is_some() => return Err(conflict(entity.name())),
        (Mode::Restore, restored) => restored.unwrap_or(Revision(1)),
    };
    let sequence = match (entity.sequence(), mode) {
        (Some(0), Mode::Change) => draft.next_sequence(),
        (Some(given), _) => {
            draft.saw_sequence(given);
            given
        }
        (None, _) => 0,
    };
    entity.stamp(revision, sequence);
    let before = old.as_ref().and_then(|row| links::stands_at(&row.entity));
    let taken = links::stands_at(&entity).filter(|at| before.as_ref() != Some(at));
    let ordinal = old.as_ref().map_or_else(|| draft.next_ordinal(), |row| row.head.ordinal);
    relink(draft, old.as_ref(), &entity, ordinal)?;
    if let (Mode::Change, Entity::Record(after)) = (mode, &entity) {
        let before = match old.as_ref().map(|row| &row.entity) {
            Some(Entity::Record(before)) => Some(before.as_ref()),
            _ => None,
        };
        hours::count(draft, before, after)?;
    }
    refile(draft, old, &entity, &content);
    let (tree, key) = links::place(&entity, ordinal);
    let head = Head { revision, sequence, ordinal };
    draft.set(tree, key, format::write_row(&head, &content));
    Ok(taken)
}

/// Moves index entries and counts.
fn relink(
    draft: &mut Draft<'_>,
    old: Option<&Row>,
    entity: &Entity,
    ordinal: u64,
) -> Result<(), StoreError> {
    let before = old.map(|row| links::links(&row.entity, ordinal)).unwrap_or_default();
    let after = links::links(entity, ordinal);
    for link in before.difference(&after) {
        draft.unset(link.tree, link.key.clone());
    }
    for link in after.difference(&before) {
        if links::UNIQUE.contains(&link.tree) && draft.get(link.tree, &link.key)?.is_some() {
            return Err(conflict(format!("the {} of {}", unique_name(link.tree), entity.name())));
        }
        draft.set(link.tree, link.key.clone(), link.value.clone());
    }
    let before = old.map(|row| links::counted(&row.entity)).unwrap_or_default();
    let after = links::counted(entity);
    for key in before.iter().filter(|key| !after.contains(key)) {
        draft.count(key, -1)?;
    }
    for key in after.iter().filter(|key| !before.contains(key)) {
        draft.count(key, 1)?;
    }
    Ok(())
}

fn unique_name(tree: Tree) -> &'static str {
    match tree {
        Tree::User => "user name",
        Tree::RequestKey => "idempotency key",
        Tree::Ticket => "ticket",
        Tree::PersonName => "name",
        _ => "digest",
    }
}

/// Names new files and forgets those that the row named before.
fn refile(draft: &mut Draft<'_>, old: Option<Row>, entity: &Entity, content: &Content) {
    let body = entity.spooled();
    if let Some(Row { entity: old, file, .. }) = old {
        let spooled = old.spooled().filter(|(name, _)| body.is_none_or(|(new, _)| new != *name));
        let spooled = spooled.map(|(name, _)| name.to_owned());
        for name in file.into_iter().chain(spooled) {
            draft.forget_file(name);
        }
    }
    if let Some((name, length)) = body {
        draft.name_file(name, length);
    }
    if let Content::File(file) = content {
        draft.name_file(&file.name, file.length);
    }
}

/// Drafts that a connection is gone: first it, so that no reader finds a connection without records.
fn remove(draft: &mut Draft<'_>, id: &ConnectionId, revision: Revision) -> Result<(), StoreError> {
    let key = id.as_str().as_bytes();
    match draft.row(Tree::Connection, key)? {
        Some(row) if row.head.revision == revision => erase(draft, Tree::Connection, key, row),
        _ => return Err(conflict(format!("connection {id}"))),
    }?;
    if let Some(row) = draft.row(Tree::State, key)? {
        erase(draft, Tree::State, key, row)?;
    }
    draft.set(Tree::Meta, removing(id), Vec::new());
    Ok(())
}

/// Drafts that a row is gone, with all that points to it.
pub(super) fn erase(
    draft: &mut Draft<'_>,
    tree: Tree,
    key: &[u8],
    row: Row,
) -> Result<(), StoreError> {
    for link in links::links(&row.entity, row.head.ordinal) {
        draft.unset(link.tree, link.key);
    }
    for key in links::counted(&row.entity) {
        draft.count(&key, -1)?;
    }
    let spooled = row.entity.spooled().map(|(name, _)| name.to_owned());
    for name in row.file.into_iter().chain(spooled) {
        draft.forget_file(name);
    }
    draft.unset(tree, key.to_vec());
    Ok(())
}
