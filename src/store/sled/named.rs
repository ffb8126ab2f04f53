//! What is found by name: objects of the mirror, and records.

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::mirror::Mirrored;
use crate::store::Find;
use crate::store::StoreError;
use crate::store::sled::keys;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;

impl Shelf {
    /// Objects of the mirror, in the order of the index.
    pub(super) fn mirror_find(
        &self,
        connection: &ConnectionId,
        find: &Find,
        limit: usize,
    ) -> Result<Vec<Mirrored>, StoreError> {
        let (tree, prefix) = match find {
            Find::Named(space, name) => {
                let key = keys::named(connection, space, name);
                (Tree::MirrorName, keys::with(key, &[&[0]]))
            }
            Find::Prefix(space, name) => (Tree::MirrorName, keys::named(connection, space, name)),
            Find::Equal(kind, equal) => {
                let key = keys::named(connection, kind, equal);
                (Tree::MirrorEqual, keys::with(key, &[&[0]]))
            }
        };
        let mut found = Vec::new();
        for entry in self.trees.scan(tree, &prefix).take(limit) {
            let (key, _) = entry?;
            let id = after_last_zero(&key).and_then(|id| std::str::from_utf8(id).ok());
            let id = id.ok_or_else(|| corrupt(tree, &key, "it names no object"))?;
            found.extend(self.load(Tree::Mirror, &keys::mirrored(connection, id))?);
        }
        Ok(found)
    }

    /// How many objects the mirror has.
    pub(super) fn mirror_size(&self, connection: &ConnectionId) -> Result<u64, StoreError> {
        let count = self.trees.get(Tree::Count, &keys::count_of_mirror(connection))?;
        Ok(count.as_deref().and_then(keys::last_number).unwrap_or(0))
    }

    /// Records of a name.
    pub(super) fn records_named(
        &self,
        connection: &ConnectionId,
        space: &str,
        name: &str,
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let prefix = keys::with(keys::named(connection, space, name), &[&[0]]);
        let entries = self.trees.scan(Tree::RecordName, &prefix).take(limit);
        entries
            .map(|entry| {
                let (key, _) = entry?;
                let record = keys::parse_local(connection, &key[prefix.len()..]);
                record.ok_or_else(|| corrupt(Tree::RecordName, &key, "it names no record"))
            })
            .collect()
    }
}

fn after_last_zero(key: &[u8]) -> Option<&[u8]> {
    let end = key.iter().rposition(|byte| *byte == 0)?;
    key.get(end + 1..)
}
