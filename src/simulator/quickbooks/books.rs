//! The books of one company: objects, their names, and what was deleted.
//!
//! Every change goes through [`Books::put`] and [`Books::take`], which keep the indexes and note
//! what was there before: a request that fails half-way is undone, and so is a message set that
//! cannot be written to disk. Nothing here knows of requests or of rules.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use super::balances::Balances;
use super::kinds;
use super::xml::Node;

/// One object: an element of a list or a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// `Customer`, `Invoice`, …
    pub kind: String,
    /// ListID or TxnID.
    pub id: String,
    /// In what order the objects were made.
    pub serial: u64,
    /// Its `…Ret` without what is computed: ids, times, balances.
    pub body: Node,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970.
    pub modified: i64,
    /// The edit sequence; it changes at each change.
    pub edit_sequence: i64,
    /// The `requestID` of the request that made it: for witnesses.
    pub made_by: String,
}

/// One deleted object.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Deleted {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its full name, or its number.
    pub name: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970.
    pub deleted: i64,
}

/// What the company file holds beside its objects; small, written whole at each commit.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Ledger {
    /// Numbers given so far, by what they number.
    pub counters: BTreeMap<String, u64>,
    /// Settings such as `ClosingDate`, and features that are off.
    pub settings: BTreeMap<String, String>,
    /// The company's own data extensions: (owner, name) → value.
    pub extensions: BTreeMap<String, String>,
    /// Definitions of data extensions, as their Ret.
    pub definitions: Vec<String>,
}

/// The books.
#[derive(Clone, Debug, Default)]
pub struct Books {
    objects: BTreeMap<String, Arc<Object>>,
    by_kind: BTreeMap<String, BTreeMap<u64, String>>,
    names: BTreeMap<(String, String), String>,
    below: BTreeMap<String, BTreeSet<String>>,
    pub(crate) balances: Balances,
    pub(crate) deleted: Vec<Deleted>,
    pub(crate) ledger: Ledger,
    undo: Vec<Undo>,
}

/// How to take one change back.
#[derive(Clone, Debug)]
enum Undo {
    Object(String, Option<Arc<Object>>),
    Deleted,
    Ledger(Box<Ledger>),
}

/// What changed since the last [`Books::settle`].
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) objects: Vec<Arc<Object>>,
    pub(crate) gone: Vec<String>,
    pub(crate) deleted: Vec<Deleted>,
    /// The ledger, if it is another.
    pub(crate) ledger: Option<Ledger>,
}

impl Object {
    /// Its full name, or its number.
    pub fn name(&self) -> &str {
        for element in ["FullName", kinds::name_element(&self.kind), "RefNumber"] {
            let text = self.body.get(element);
            if !text.is_empty() {
                return text;
            }
        }
        ""
    }

    /// Whether it can be used.
    pub fn is_active(&self) -> bool {
        self.body.get("IsActive") != "false"
    }

    fn key(&self) -> Option<(String, String)> {
        let named = !kinds::is_transaction(&self.kind) && self.kind != "ToDo";
        named.then(|| (kinds::space(&self.kind).to_owned(), self.name().to_lowercase()))
    }
}

impl Books {
    /// The object of that id.
    pub fn get(&self, id: &str) -> Option<&Arc<Object>> {
        self.objects.get(id)
    }

    /// All objects of a kind, in the order in which they were made.
    pub fn of_kind<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Arc<Object>> {
        let ids = self.by_kind.get(kind).map(BTreeMap::values).into_iter().flatten();
        ids.filter_map(|id| self.objects.get(id))
    }

    /// All objects.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// The jobs, subaccounts or other elements right below one.
    pub fn below<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Arc<Object>> {
        let ids = self.below.get(id).into_iter().flatten();
        ids.filter_map(|id| self.objects.get(id))
    }

    /// The list element with that full name in the name space of a kind, whatever its own kind.
    pub fn named(&self, kind: &str, name: &str) -> Option<&Arc<Object>> {
        let key = (kinds::space(kind).to_owned(), name.trim().to_lowercase());
        self.objects.get(self.names.get(&key)?)
    }

    /// The object of that kind with that full name, or transaction with that number.
    pub fn find(&self, kind: &str, name: &str) -> Option<&Arc<Object>> {
        if kinds::is_transaction(kind) {
            return self.of_kind(kind).find(|object| object.name() == name);
        }
        self.named(kind, name).filter(|object| object.kind == kind)
    }

    /// The next number of a counter, from 1.
    pub(crate) fn count(&mut self, counter: &str) -> u64 {
        self.note_ledger();
        let count = self.ledger.counters.entry(counter.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// Puts an object in, new or changed.
    pub(crate) fn put(&mut self, object: Object) {
        let before = self.unlink(&object.id);
        self.undo.push(Undo::Object(object.id.clone(), before));
        self.link(Arc::new(object));
    }

    /// Takes an object out, to be found among the deleted ones.
    pub(crate) fn take(&mut self, id: &str, now: i64) -> Option<Arc<Object>> {
        let object = self.unlink(id)?;
        self.undo.push(Undo::Object(id.to_owned(), Some(object.clone())));
        self.deleted.push(Deleted {
            kind: object.kind.clone(),
            id: id.to_owned(),
            name: object.name().to_owned(),
            created: object.created,
            deleted: now,
        });
        self.undo.push(Undo::Deleted);
        Some(object)
    }

    /// Changes the ledger so that it can be undone.
    pub(crate) fn ledger_mut(&mut self) -> &mut Ledger {
        self.note_ledger();
        &mut self.ledger
    }

    fn note_ledger(&mut self) {
        self.undo.push(Undo::Ledger(Box::new(self.ledger.clone())));
    }

    /// A mark to come back to.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back everything since a mark.
    pub(crate) fn back_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::Object(id, before)) => {
                    self.unlink(&id);
                    if let Some(before) = before {
                        self.link(before);
                    }
                }
                Some(Undo::Deleted) => {
                    self.deleted.pop();
                }
                Some(Undo::Ledger(before)) => self.ledger = *before,
                None => {}
            }
        }
    }

    /// What changed since the last [`Books::settle`].
    pub(crate) fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        let mut seen = BTreeSet::new();
        let mut deleted = 0;
        for undo in &self.undo {
            match undo {
                Undo::Object(id, _) if seen.insert(id) => match self.objects.get(id) {
                    Some(object) => changes.objects.push(object.clone()),
                    None => changes.gone.push(id.clone()),
                },
                Undo::Deleted => deleted += 1,
                Undo::Ledger(_) => changes.ledger = Some(Ledger::default()),
                Undo::Object(..) => {}
            }
        }
        if changes.ledger.is_some() {
            changes.ledger = Some(self.ledger.clone());
        }
        changes.deleted = self.deleted[self.deleted.len() - deleted..].to_vec();
        changes
    }

    /// Makes everything so far final.
    pub(crate) fn settle(&mut self) {
        self.undo.clear();
    }

    /// Puts in what was read from disk.
    pub(crate) fn load(&mut self, changes: Changes) {
        for id in &changes.gone {
            self.unlink(id);
        }
        for object in changes.objects {
            self.unlink(&object.id);
            self.link(object);
        }
        self.deleted.extend(changes.deleted);
        if let Some(ledger) = changes.ledger {
            self.ledger = ledger;
        }
    }

    fn link(&mut self, object: Arc<Object>) {
        let kind = self.by_kind.entry(object.kind.clone()).or_default();
        kind.insert(object.serial, object.id.clone());
        if let Some(key) = object.key() {
            self.names.insert(key, object.id.clone());
        }
        let parent = object.body.at("ParentRef/ListID");
        if !parent.is_empty() {
            self.below.entry(parent.to_owned()).or_default().insert(object.id.clone());
        }
        self.balances.add(&object);
        self.objects.insert(object.id.clone(), object);
    }

    fn unlink(&mut self, id: &str) -> Option<Arc<Object>> {
        let object = self.objects.remove(id)?;
        if let Some(kind) = self.by_kind.get_mut(&object.kind) {
            kind.remove(&object.serial);
        }
        if let Some(key) = object.key()
            && self.names.get(&key) == Some(&object.id)
        {
            self.names.remove(&key);
        }
        if let Some(below) = self.below.get_mut(object.body.at("ParentRef/ListID")) {
            below.remove(id);
        }
        self.balances.subtract(&object);
        Some(object)
    }
}
