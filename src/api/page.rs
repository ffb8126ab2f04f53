//! Lists in parts: `limit`, `cursor`, and where the next part begins.
//!
//! A cursor is the store's own, sealed with a checksum over it and the list that it belongs to: one
//! that was cut, changed, or taken from another list is refused instead of misread.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::api::problem::Problem;
use crate::api::query::Parameters;
use crate::api::query::Query;
use crate::api::query::wrong;
use crate::store;

/// The most that one part holds.
const MAX_LIMIT: u64 = 500;
/// What one part holds if nothing is said.
const DEFAULT_LIMIT: u64 = 50;

/// Which part of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// How many at most: 1 to 500, 50 if missing.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u64>,
    /// `nextCursor` of the part before.
    cursor: Option<String>,
}

impl Parameters for Part {
    fn take(query: &mut Query) -> Result<Self, Problem> {
        let limit = query.number("limit", 1..=MAX_LIMIT)?;
        Ok(Self { limit, cursor: query.text("cursor")? })
    }
}

impl Part {
    /// How many at most.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX)
    }

    /// This part of a list that is here as a whole.
    pub(super) fn of_all<T>(&self, list: &str, mut all: Vec<T>) -> Result<Listed<T>, Problem> {
        let from = match self.cursor(list)? {
            None => 0,
            Some(from) => from.parse().unwrap_or(usize::MAX),
        };
        let end = from.saturating_add(self.limit()).min(all.len());
        let next = (end < all.len()).then(|| end.to_string());
        let data = all.drain(from.min(end)..end).collect();
        Ok(Listed::shaped(list, next, data))
    }

    /// The same, and all of it if no limit is given.
    pub(super) fn of_few<T>(&self, list: &str, all: Vec<T>) -> Result<Listed<T>, Problem> {
        if self.limit.is_none() && self.cursor.is_none() {
            return Ok(Listed::whole(all));
        }
        self.of_all(list, all)
    }

    /// Where the store begins, in the list of this name.
    pub(super) fn cursor(&self, list: &str) -> Result<Option<String>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let opened = open(list, cursor);
        opened.map(Some).ok_or_else(|| wrong("cursor", "is not a nextCursor of this list"))
    }
}

/// A part of a list, as it is written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<T> {
    /// What is in it.
    pub(super) data: Vec<T>,
    /// `cursor` of the next part; null at the end.
    next_cursor: Option<String>,
    /// Whether there is a next part.
    has_more: bool,
}

impl<T> Listed<T> {
    /// All of a list that is never long.
    pub(super) fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None, has_more: false }
    }

    /// A part, as the store gave it.
    pub(super) fn part<U>(list: &str, page: store::Page<U>, shape: impl FnMut(U) -> T) -> Self {
        Self::shaped(list, page.next, page.items.into_iter().map(shape).collect())
    }

    /// A part that is shaped already.
    pub(super) fn shaped(list: &str, next: Option<String>, data: Vec<T>) -> Self {
        let next_cursor = next.map(|next| seal(list, &next));
        Self { data, has_more: next_cursor.is_some(), next_cursor }
    }
}

fn sum(list: &str, cursor: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(list.as_bytes());
    hasher.update(&[0]);
    hasher.update(cursor);
    hasher.finalize().to_be_bytes()
}

fn seal(list: &str, cursor: &str) -> String {
    let mut bytes = sum(list, cursor.as_bytes()).to_vec();
    bytes.extend_from_slice(cursor.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(list: &str, sealed: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (found, cursor) = bytes.split_first_chunk::<4>()?;
    (*found == sum(list, cursor)).then(|| String::from_utf8(cursor.to_vec()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_in_its_own_list() {
        for cursor in ["", "a", "Customer/Ä\u{0}b"] {
            let sealed = seal("records/acme", cursor);

            assert_eq!(open("records/acme", &sealed).as_deref(), Some(cursor));
            assert_eq!(open("records/other", &sealed), None);
        }
    }

    #[test]
    fn a_cursor_that_was_changed_is_refused() {
        let sealed = seal("records/acme", "abc");

        for bad in ["", "x", "####", &sealed[1..], &format!("{sealed}A"), &sealed.to_uppercase()] {
            let part = Part { limit: None, cursor: Some((*bad).to_owned()) };
            let problem = part.cursor("records/acme").unwrap_err();
            assert!(problem.to_string().contains("cursor"), "{bad}");
        }
    }

    #[test]
    fn a_part_is_50_unless_asked_otherwise() {
        assert_eq!(Part { limit: None, cursor: None }.limit(), 50);
        assert_eq!(Part { limit: Some(7), cursor: None }.limit(), 7);
    }
}
