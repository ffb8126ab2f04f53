//! One request at work: the books, the time, and who asks.

use std::collections::BTreeMap;

use super::Setup;
use super::books::Books;
use super::books::Object;
use super::clock;
use super::grammar::Version;
use super::kinds;
use super::status;
use super::status::Outcome;
use super::xml::Node;

/// What another user holds open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lock {
    /// `Customer`, `Invoice`, …
    pub kind: String,
    /// Full name, number or id.
    pub name: String,
    /// How many more attempts it refuses; `None`: until it is released.
    pub times: Option<u32>,
}

/// All that a request works with.
pub(crate) struct Desk<'a> {
    pub(crate) books: &'a mut Books,
    pub(crate) locks: &'a mut Vec<Lock>,
    pub(crate) macros: &'a mut BTreeMap<String, String>,
    /// What the iterators of this session have not returned yet: ids, by iteratorID.
    pub(crate) iterators: &'a mut BTreeMap<String, Vec<String>>,
    /// Settings that stand before those of the company.
    pub(crate) supposed: &'a BTreeMap<String, String>,
    pub(crate) setup: &'a Setup,
    pub(crate) now: i64,
    pub(crate) version: Version,
    pub(crate) request_id: String,
}

impl Desk<'_> {
    /// Whether another user holds it just now.
    pub(crate) fn is_locked(&mut self, kind: &str, names: &[&str]) -> bool {
        let found = self.locks.iter_mut().find(|lock| {
            lock.kind == kind
                && lock.times != Some(0)
                && names.iter().any(|name| name.eq_ignore_ascii_case(&lock.name))
        });
        let Some(lock) = found else { return false };
        if let Some(times) = &mut lock.times {
            *times -= 1;
        }
        true
    }

    /// A new ListID: `80000001-1234567890`.
    pub(crate) fn list_id(&mut self) -> String {
        format!("{:X}-{}", 0x8000_0000 + self.books.count("list"), self.now)
    }

    /// A new TxnID or `TxnLineID`: `43-1789510995`.
    pub(crate) fn txn_id(&mut self) -> String {
        format!("{:X}-{}", self.books.count("transaction"), self.now)
    }

    /// Puts a new object into the books.
    pub(crate) fn create(&mut self, kind: &str, id: String, body: Node) -> String {
        let serial = self.books.count("object");
        self.books.put(Object {
            kind: kind.to_owned(),
            id: id.clone(),
            serial,
            body,
            created: self.now,
            modified: self.now,
            edit_sequence: self.now,
            made_by: self.request_id.clone(),
        });
        id
    }

    /// Puts a changed object into the books: its time and its edit sequence move on.
    pub(crate) fn change(&mut self, object: &Object, body: Node) {
        let mut object = object.clone();
        object.modified = self.now.max(object.modified);
        object.edit_sequence = self.now.max(object.edit_sequence + 1);
        object.body = body;
        self.books.put(object);
    }

    /// The object that a Mod or a deletion names, held against its edit sequence.
    pub(crate) fn target(
        &mut self,
        kind: &str,
        id: &str,
        sequence: Option<&str>,
    ) -> Outcome<Object> {
        let found = self.books.get(id).filter(|object| object.kind == kind).cloned();
        let Some(object) = found else {
            return Err(if kinds::is_transaction(kind) {
                status::not_found(id)
            } else {
                status::element_not_found(id)
            });
        };
        if self.is_locked(kind, &[object.name(), id]) {
            let why = if kinds::is_transaction(kind) {
                "The transaction could not be locked.  It is in use by another user."
            } else {
                "The list element is in use."
            };
            return Err(status::in_use(id, why));
        }
        if let Some(sequence) = sequence
            && sequence.trim() != object.edit_sequence.to_string()
        {
            return Err(status::stale(sequence));
        }
        Ok(object.as_ref().clone())
    }

    /// A setting of the company.
    pub(crate) fn setting(&self, name: &str) -> &str {
        let settings = [self.supposed, &self.books.ledger.settings];
        settings.iter().find_map(|set| set.get(name)).map_or("", String::as_str)
    }

    /// Whether a preference that a new company has off is on: `SalesTax`, `MultiCurrency`.
    pub(crate) fn is_on(&self, preference: &str) -> bool {
        self.setting(preference) == "on"
    }

    /// Refuses what a preference or the edition switches off.
    pub(crate) fn feature(&self, kind: &str) -> Outcome<()> {
        let own = self.setting(&format!("feature:{kind}"));
        match if own.is_empty() { self.setting("feature:*") } else { own } {
            "off" => Err(status::feature()),
            "forbidden" => Err(status::permission()),
            "single-user" => Err(status::single_user()),
            "broken" => Err(status::internal()),
            "damaged" => Err(status::saving(kind, "This record has an error in it.")),
            _ if kind == "Currency" && !self.is_on("MultiCurrency") => Err(status::feature()),
            _ => Ok(()),
        }
    }

    /// Refuses what touches a closed period.
    pub(crate) fn open_period(&self, kind: &str, day: &str, delete: bool) -> Outcome<()> {
        let closing = self.setting("ClosingDate");
        let posts = !kinds::NON_POSTING.contains(&kind);
        if closing.is_empty() || !posts || day > closing {
            return Ok(());
        }
        Err(if delete { status::closed_for_delete(kind) } else { status::closed_for_modify(kind) })
    }

    /// Today, as `2026-11-24`.
    pub(crate) fn today(&self) -> String {
        clock::day(self.now).to_string()
    }
}
