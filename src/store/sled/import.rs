//! Reads an export into an empty store.

/// Stands in [`super::trees::Tree::Meta`] while an import is not at its end.
pub(super) const UNFINISHED: &[u8] = b"unfinished import";
