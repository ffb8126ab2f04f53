//! Which row an entity has, and which index entries point to it: all derived, nothing remembered.
//!
//! When an entity changes, its old links are removed and its new ones made in the same transaction;
//! [`super::check`] derives them all anew and compares.

use std::collections::BTreeSet;

use crate::domain::ids::Revision;
use crate::domain::message_set::Subject;
use crate::domain::mirror;
use crate::domain::mirror::Mirrored;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::store::Queued;
use crate::store::entity::Entity;
use crate::store::format;
use crate::store::format::Head;
use crate::store::sled::keys;
use crate::store::sled::trees::Tree;

/// One index entry.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Link {
    /// In which tree.
    pub(super) tree: Tree,
    /// At which key.
    pub(super) key: Vec<u8>,
    /// With which value.
    pub(super) value: Vec<u8>,
}

/// Trees in which no two entities may have the same key.
pub(super) const UNIQUE: [Tree; 5] =
    [Tree::User, Tree::RequestKey, Tree::Ticket, Tree::KeyDigest, Tree::PersonName];

/// Where the row of an entity stands.
pub(super) fn place(entity: &Entity, ordinal: u64) -> (Tree, Vec<u8>) {
    let ordinal = keys::number(ordinal);
    match entity {
        Entity::Connection(it) => (Tree::Connection, it.id.as_str().into()),
        Entity::State(it) => (Tree::State, it.connection.as_str().into()),
        Entity::Record(it) => (Tree::Record, keys::record(&it.key)),
        Entity::Request(it) => {
            (Tree::Request, keys::with(keys::of(&it.connection), &[it.id.0.as_bytes()]))
        }
        Entity::MessageSet(it) => (Tree::MessageSet, it.id.as_str().into()),
        Entity::Session(it) => (Tree::Session, it.id.0.as_bytes().to_vec()),
        Entity::Key(it) => (Tree::Key, it.id.0.as_bytes().to_vec()),
        Entity::Activity(it) => {
            (Tree::Activity, keys::with(keys::of_owner(it.connection.as_ref()), &[&ordinal]))
        }
        Entity::Call(it) => (Tree::Call, keys::with(it.session.0.as_bytes().to_vec(), &[&ordinal])),
        Entity::User(it) => (Tree::Person, it.id.as_bytes().to_vec()),
        Entity::Mirrored(it) => (Tree::Mirror, keys::mirrored(&it.connection, &it.id)),
    }
}

/// The index entries of an entity.
pub(super) fn links(entity: &Entity, ordinal: u64) -> BTreeSet<Link> {
    let mut links = BTreeSet::new();
    let mut add = |tree, key, value: &[u8]| {
        links.insert(Link { tree, key, value: value.to_vec() });
    };
    let ordinal = keys::number(ordinal);
    let placed = |connection| keys::with(keys::of(connection), &[&ordinal]);
    match entity {
        Entity::Connection(it) => {
            add(Tree::User, it.username.as_bytes().to_vec(), it.id.as_str().as_bytes());
        }
        Entity::Record(it) => links_of_record(it, &ordinal, &mut add),
        Entity::Request(it) => links_of_request(it, &ordinal, &mut add),
        Entity::MessageSet(it) => {
            let id = it.id.as_str().as_bytes();
            add(Tree::MessageSetOrder, placed(&it.connection), id);
            for item in &it.items {
                if let Subject::Record(key) = &item.subject {
                    add(Tree::MessageSetOf, keys::with(keys::of_record(key), &[&ordinal]), id);
                }
            }
        }
        Entity::Session(it) => {
            add(Tree::SessionOrder, placed(&it.connection), it.id.0.as_bytes());
            add(Tree::Ticket, it.ticket.0.to_vec(), it.id.0.as_bytes());
        }
        Entity::Key(it) => add(Tree::KeyDigest, it.digest.0.to_vec(), it.id.0.as_bytes()),
        Entity::User(it) => add(Tree::PersonName, it.name.as_bytes().to_vec(), it.id.as_bytes()),
        Entity::Mirrored(it) => links_of_mirrored(it, &mut add),
        Entity::Activity(it) => {
            if let Some(key) = it.record() {
                add(Tree::ActivityOf, keys::with(keys::of_record(&key), &[&ordinal]), &[]);
            }
        }
        Entity::State(_) | Entity::Call(_) => {}
    }
    links
}

fn links_of_record(it: &Record, ordinal: &[u8], add: &mut impl FnMut(Tree, Vec<u8>, &[u8])) {
    let of = || keys::of(&it.key.connection);
    let local = keys::local(&it.key);
    add(Tree::RecordOrder, keys::with(of(), &[ordinal]), &local);
    add(Tree::RecordStatus, keys::with(of(), &[&[keys::status(it.status)], ordinal]), &local);
    if let Some(group) = it.problem() {
        let key = keys::problem(&it.key.connection, group);
        add(Tree::Problem, keys::with(key, &[ordinal]), &local);
    }
    if let Some((space, name)) = name_of(it) {
        let key = keys::named(&it.key.connection, space, &name);
        add(Tree::RecordName, keys::with(key, &[&[0], &local]), &[]);
    }
    if matches!(it.status, Status::Blocked | Status::Failed) {
        for parent in &it.blocked_by {
            add(Tree::Blocked, keys::with(keys::of_record(parent), &[&keys::record(&it.key)]), &[]);
        }
    }
    if let Some(at) = reference_of(it) {
        add(Tree::Reference, keys::with(at, &[it.key.source_id.as_bytes()]), &[]);
    }
    if it.status == Status::Queued {
        let subject = Subject::Record(it.key.clone());
        let place = Queued { subject, priority: it.priority, sequence: it.sequence, due: it.due };
        add(Tree::Queue, keys::queued(&it.key.connection, &place), &[]);
    }
}

/// Where in [`Tree::Reference`] those have their entries who stand at the same object of QuickBooks:
/// no two may.
pub(super) fn stands_at(entity: &Entity) -> Option<Vec<u8>> {
    match entity {
        Entity::Record(it) => reference_of(it),
        _ => None,
    }
}

fn reference_of(it: &Record) -> Option<Vec<u8>> {
    let reference = it.reference.as_ref().filter(|reference| !reference.id.is_empty())?;
    let kind = it.key.kind.as_bytes();
    // Lists of different kinds count for themselves, so their ids may be equal.
    Some(keys::with(keys::of(&it.key.connection), &[reference.id.as_bytes(), &[0], kind, &[0]]))
}

/// The name or number of a record, where others may have the same.
fn name_of(it: &Record) -> Option<(&str, String)> {
    let stands = !matches!(it.status, Status::Failed | Status::Bypassed | Status::Withdrawn);
    let name = it.name().filter(|_| stands)?;
    Some((mirror::space(&it.key.kind), mirror::normal(name)))
}

fn links_of_request(it: &Request, ordinal: &[u8], add: &mut impl FnMut(Tree, Vec<u8>, &[u8])) {
    let of = || keys::of(&it.connection);
    let id = it.id.0.as_bytes();
    add(Tree::RequestOrder, keys::with(of(), &[ordinal]), id);
    if let Some(key) = &it.idempotency_key {
        add(Tree::RequestKey, keys::with(of(), &[key.as_bytes()]), id);
    }
    if it.status == RequestStatus::Queued {
        let subject = Subject::Request(it.id);
        let place = Queued { subject, priority: it.priority, sequence: it.sequence, due: it.due };
        add(Tree::Queue, keys::queued(&it.connection, &place), &[]);
    }
}

fn links_of_mirrored(it: &Mirrored, add: &mut impl FnMut(Tree, Vec<u8>, &[u8])) {
    let facts = &it.facts;
    let id = it.id.as_bytes();
    if let Some((space, name)) = facts.place() {
        let key = keys::named(&it.connection, space, &name);
        add(Tree::MirrorName, keys::with(key, &[&[0], id]), &[]);
    }
    for number in facts.numbers.iter().filter(|_| facts.gone.is_none()) {
        let key = keys::named(&it.connection, mirror::NUMBERS, &mirror::normal(number));
        add(Tree::MirrorName, keys::with(key, &[&[0], id]), &[]);
    }
    if let Some(equal) = facts.equal() {
        let key = keys::named(&it.connection, &facts.kind, &equal);
        add(Tree::MirrorEqual, keys::with(key, &[&[0], id]), &[]);
    }
}

/// What of [`Tree::Count`] counts this entity.
pub(super) fn counted(entity: &Entity) -> Vec<Vec<u8>> {
    match entity {
        Entity::Record(it) => {
            let connection = &it.key.connection;
            let problem = it.problem().map(|group| keys::count_of_problem(connection, group));
            std::iter::once(keys::count_of(connection, it.status)).chain(problem).collect()
        }
        Entity::Request(it) if it.status == RequestStatus::Queued => {
            vec![keys::count_of_requests(&it.connection)]
        }
        Entity::Mirrored(it) => vec![keys::count_of_mirror(&it.connection)],
        _ => Vec::new(),
    }
}

/// Trees that hold rows.
pub(super) const ROWS: [Tree; 11] = [
    Tree::Connection,
    Tree::State,
    Tree::Record,
    Tree::Request,
    Tree::MessageSet,
    Tree::Session,
    Tree::Key,
    Tree::Activity,
    Tree::Call,
    Tree::Mirror,
    Tree::Person,
];

/// Reads an entity of a tree of [`ROWS`].
///
/// # Errors
///
/// A sentence, if it is damaged.
pub(super) fn decode(tree: Tree, version: u8, head: &Head, json: &[u8]) -> Result<Entity, String> {
    let mut entity = match tree {
        Tree::Connection => Entity::Connection(format::decode(version, json)?),
        Tree::State => Entity::State(format::decode(version, json)?),
        Tree::Record => Entity::Record(format::decode(version, json)?),
        Tree::Request => Entity::Request(format::decode(version, json)?),
        Tree::MessageSet => Entity::MessageSet(format::decode(version, json)?),
        Tree::Session => Entity::Session(format::decode(version, json)?),
        Tree::Key => Entity::Key(format::decode(version, json)?),
        Tree::Activity => Entity::Activity(format::decode(version, json)?),
        Tree::Call => Entity::Call(format::decode(version, json)?),
        Tree::Mirror => Entity::Mirrored(format::decode(version, json)?),
        Tree::Person => Entity::User(format::decode(version, json)?),
        other => return Err(format!("the tree {} holds no rows", other.name())),
    };
    let Head { revision, sequence, .. } = *head;
    if revision != Revision::NEW {
        entity.stamp(revision, sequence);
    }
    Ok(entity)
}
