//! What is found by name: objects of the mirror, and records.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::mirror::Mirrored;
use crate::store::Find;
use crate::store::Page;
use crate::store::StoreError;
use crate::store::sled::keys;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;

/// Names that a page of a search looks at before it ends, however few of them it shows.
const PATIENCE: usize = 20_000;

/// Names between two chances for others.
const BREATH: usize = 500;

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
            found.extend(self.object(connection, tree, &key)?);
        }
        Ok(found)
    }

    /// The object that an entry of an index of the mirror names.
    fn object(
        &self,
        connection: &ConnectionId,
        tree: Tree,
        key: &[u8],
    ) -> Result<Option<Mirrored>, StoreError> {
        let id = last_zero(key).and_then(|at| std::str::from_utf8(&key[at + 1..]).ok());
        let id = id.ok_or_else(|| corrupt(tree, key, "it names no object"))?;
        self.load(Tree::Mirror, &keys::mirrored(connection, id))
    }

    /// A page of the objects of the mirror that have a text anywhere in their name.
    pub(super) async fn mirror_search(
        &self,
        connection: &ConnectionId,
        space: &str,
        text: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Mirrored>, StoreError> {
        let prefix = keys::named(connection, space, "");
        // A cursor that we did not make shows nothing.
        let mut last = match cursor.map(|cursor| URL_SAFE_NO_PAD.decode(cursor)) {
            None => None,
            Some(Ok(last)) => Some(last),
            Some(Err(_)) => return Ok(Page { items: Vec::new(), next: None }),
        };
        let mut page = Page { items: Vec::new(), next: None };
        for _ in 0..PATIENCE / BREATH {
            let from = match &last {
                Some(last) => keys::with(prefix.clone(), &[last, &[0]]),
                None => prefix.clone(),
            };
            let mut seen = 0;
            for entry in
                self.trees.range(Tree::MirrorName, from, keys::end_of(&prefix)).take(BREATH)
            {
                let (key, _) = entry?;
                if page.items.len() >= limit {
                    page.next = last.map(|last| URL_SAFE_NO_PAD.encode(last));
                    return Ok(page);
                }
                let name = last_zero(&key).and_then(|at| key.get(prefix.len()..at));
                let name = name.and_then(|name| std::str::from_utf8(name).ok());
                if name.is_some_and(|name| name.contains(text)) {
                    page.items.extend(self.object(connection, Tree::MirrorName, &key)?);
                }
                last = Some(key[prefix.len()..].to_vec());
                seen += 1;
            }
            if seen < BREATH {
                return Ok(page);
            }
            tokio::task::yield_now().await;
        }
        page.next = last.map(|last| URL_SAFE_NO_PAD.encode(last));
        Ok(page)
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

fn last_zero(key: &[u8]) -> Option<usize> {
    key.iter().rposition(|byte| *byte == 0)
}
