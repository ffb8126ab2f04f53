//! What belonged to a removed connection goes bit by bit, between the commits of others.

use crate::domain::ids::ConnectionId;
use crate::store::StoreError;
use crate::store::sled::apply;
use crate::store::sled::draft::Draft;
use crate::store::sled::keys;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Tree;

/// Rows that go in one transaction.
const BIT: usize = 256;

/// Connections whose belongings are still there.
pub(super) fn unfinished(shelf: &Shelf) -> Result<Vec<ConnectionId>, StoreError> {
    let id = |key: &[u8]| {
        let text = std::str::from_utf8(key.get(apply::REMOVING.len()..)?).ok()?;
        ConnectionId::parse(text).ok()
    };
    shelf
        .trees
        .scan(Tree::Meta, apply::REMOVING)
        .map(|entry| {
            let (key, _) = entry?;
            id(&key).ok_or_else(|| corrupt(Tree::Meta, &key, "that is no connection"))
        })
        .collect()
}

/// Drafts the next bit. Returns whether it was the last.
pub(super) fn bit(
    shelf: &Shelf,
    draft: &mut Draft<'_>,
    id: &ConnectionId,
) -> Result<bool, StoreError> {
    let prefix = keys::of(id);
    let mut left = BIT;
    for tree in [Tree::Record, Tree::Request, Tree::Activity, Tree::Mirror] {
        for entry in shelf.trees.scan(tree, &prefix).take(left) {
            let (key, _) = entry?;
            erase(draft, tree, &key)?;
            left -= 1;
        }
    }
    for entry in shelf.trees.scan(Tree::MessageSetOrder, &prefix).take(left) {
        let (_, key) = entry?;
        erase(draft, Tree::MessageSet, &key)?;
        left -= 1;
    }
    for entry in shelf.trees.scan(Tree::SessionOrder, &prefix).take(left) {
        let (_, key) = entry?;
        for call in shelf.trees.scan(Tree::Call, &key).take(left) {
            erase(draft, Tree::Call, &call?.0)?;
            left -= 1;
        }
        if left == 0 {
            break;
        }
        erase(draft, Tree::Session, &key)?;
        left -= 1;
    }
    if left == 0 {
        return Ok(false);
    }
    for tree in [Tree::Count, Tree::Hour] {
        for entry in shelf.trees.scan(tree, &prefix) {
            draft.unset(tree, entry?.0.to_vec());
        }
    }
    draft.unset(Tree::Meta, apply::removing(id));
    Ok(true)
}

fn erase(draft: &mut Draft<'_>, tree: Tree, key: &[u8]) -> Result<(), StoreError> {
    match draft.row(tree, key)? {
        Some(row) => apply::erase(draft, tree, key, row),
        None => Ok(()),
    }
}
