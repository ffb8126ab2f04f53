//! The trees of the database, and the one place that writes to them.
//!
//! What else was considered: one tree with prefixed keys. Many trees cost nothing, and a scan cannot
//! run out of its own.

use std::collections::BTreeMap;

use ::sled::IVec;
use ::sled::Transactional;
use ::sled::transaction::ConflictableTransactionError;
use ::sled::transaction::TransactionError;

use crate::store::StoreError;
use crate::store::sled::damage;

/// Declares [`Tree`] with the names on disk, so that the list stands in one place.
macro_rules! trees {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One tree; its key and its value.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub(super) enum Tree {
            $($(#[$doc])* $variant,)*
        }

        impl Tree {
            /// All trees; each stands at its own discriminant.
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on disk, and in messages.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

trees! {
    /// Names of our own → numbers.
    Meta = "meta",
    /// Connection → row.
    Connection = "connection",
    /// User name → connection.
    User = "user",
    /// Connection → row.
    State = "state",
    /// Record → row.
    Record = "record",
    /// Connection, ordinal → record.
    RecordOrder = "record_order",
    /// Connection, status, ordinal → record.
    RecordStatus = "record_status",
    /// Connection, problem, ordinal → record that fails of it.
    Problem = "problem",
    /// Record that is waited for, record that waits → nothing.
    Blocked = "blocked",
    /// Connection, ListID or TxnID, record → nothing.
    Reference = "reference",
    /// Connection, ready or later, order, subject → nothing.
    Queue = "queue",
    /// Connection, what is counted → number.
    Count = "count",
    /// Connection, hour → records synced and failed in it.
    Hour = "hour",
    /// Connection, request → row.
    Request = "request",
    /// Connection, ordinal → request.
    RequestOrder = "request_order",
    /// Connection, idempotency key → request.
    RequestKey = "request_key",
    /// Message set → row.
    MessageSet = "message_set",
    /// Connection, ordinal → message set.
    MessageSetOrder = "message_set_order",
    /// Record, ordinal → message set.
    MessageSetOf = "message_set_of",
    /// Session → row.
    Session = "session",
    /// Connection, ordinal → session.
    SessionOrder = "session_order",
    /// Digest of a ticket → session.
    Ticket = "ticket",
    /// Session, ordinal → row.
    Call = "call",
    /// Connection or nothing, ordinal → row.
    Activity = "activity",
    /// Record, ordinal → nothing: the activity about it.
    ActivityOf = "activity_of",
    /// API key → row.
    Key = "key",
    /// Digest of an API key → API key.
    KeyDigest = "key_digest",
    /// Spool file → length.
    File = "file",
    /// Connection, ListID or TxnID → row.
    Mirror = "mirror",
    /// Connection, name space, name, ListID or TxnID → nothing.
    MirrorName = "mirror_name",
    /// Connection, kind, what equal entries have in common, TxnID → nothing.
    MirrorEqual = "mirror_equal",
    /// Connection, name space, name, record → nothing.
    RecordName = "record_name",
    /// Person who uses the pages → row.
    Person = "person",
    /// Name of a person → person.
    PersonName = "person_name",
}

/// What a transaction writes: by tree, keys and their new values; `None` removes.
#[derive(Debug)]
pub(super) struct Writes(Vec<BTreeMap<Vec<u8>, Option<Vec<u8>>>>);

impl Default for Writes {
    fn default() -> Self {
        Self(vec![BTreeMap::new(); Tree::ALL.len()])
    }
}

impl Writes {
    /// What will stand at a key, or nothing, if this changes it.
    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Option<&Option<Vec<u8>>> {
        self.0[tree as usize].get(key)
    }

    /// What this changes at keys that begin so.
    pub(super) fn under<'a>(
        &'a self,
        tree: Tree,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> {
        let from = self.0[tree as usize].range(prefix.to_vec()..);
        from.take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Sets or removes a key.
    pub(super) fn set(&mut self, tree: Tree, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.0[tree as usize].insert(key, value);
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }

    /// Adds later writes.
    pub(super) fn absorb(&mut self, later: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(later.0) {
            mine.extend(theirs);
        }
    }
}

/// A key and its value.
pub(super) type Entry = (IVec, IVec);

/// All open trees.
#[derive(Clone, Debug)]
pub(super) struct Trees(Vec<::sled::Tree>);

impl Trees {
    /// Opens, and makes if they are missing, all trees.
    pub(super) fn open(db: &::sled::Db) -> ::sled::Result<Self> {
        Tree::ALL.iter().map(|tree| db.open_tree(tree.name())).collect::<Result<_, _>>().map(Self)
    }

    /// The value of a key.
    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.0[tree as usize].get(key).map_err(|error| broken(tree, error))
    }

    /// Entries whose keys begin so, in key order. No snapshot: what is written meanwhile may show.
    pub(super) fn scan(
        &self,
        tree: Tree,
        prefix: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<Entry, StoreError>> + use<> {
        self.0[tree as usize]
            .scan_prefix(prefix)
            .map(move |entry| entry.map_err(|error| broken(tree, error)))
    }

    /// Entries from a key to before another, in key order.
    pub(super) fn range(
        &self,
        tree: Tree,
        from: Vec<u8>,
        to: Vec<u8>,
    ) -> impl DoubleEndedIterator<Item = Result<Entry, StoreError>> + use<> {
        self.0[tree as usize]
            .range(from..to)
            .map(move |entry| entry.map_err(|error| broken(tree, error)))
    }

    /// Writes all of it in one transaction. Durable only after the writer's barrier.
    pub(super) fn write(&self, writes: &Writes) -> Result<(), ::sled::Error> {
        let (trees, rows): (Vec<_>, Vec<_>) =
            self.0.iter().zip(&writes.0).filter(|(_, rows)| !rows.is_empty()).unzip();
        if trees.is_empty() {
            return Ok(());
        }
        trees
            .as_slice()
            .transaction(|trees| {
                for (tree, rows) in trees.iter().zip(&rows) {
                    for (key, value) in *rows {
                        match value {
                            Some(value) => tree.insert(key.as_slice(), value.as_slice())?,
                            None => tree.remove(key.as_slice())?,
                        };
                    }
                }
                Ok::<_, ConflictableTransactionError<::sled::Error>>(())
            })
            .map_err(|error| match error {
                TransactionError::Storage(error) | TransactionError::Abort(error) => error,
            })
    }
}

/// Sorts an error of reading: the disk's own, or damage.
fn broken(tree: Tree, error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(source) => {
            StoreError::Io { what: format!("cannot read the tree {}", tree.name()), source }
        }
        other => {
            StoreError::Corrupt { what: format!("tree {}", tree.name()), why: damage::said(&other) }
        }
    }
}
