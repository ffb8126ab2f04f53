//! Lists: index entries, in order, and the rows that they name.

use std::collections::BinaryHeap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::domain::activity::Activity;
use crate::domain::activity::Call;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::SessionId;
use crate::domain::message_set::MessageSet;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::store::Counts;
use crate::store::Order;
use crate::store::Page;
use crate::store::Queued;
use crate::store::RecordFilter;
use crate::store::StoreError;
use crate::store::entity::Entity;
use crate::store::sled::keys;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Entry;
use crate::store::sled::trees::Tree;

/// Index entries that a page looks at before it ends, however few of them it shows.
const PATIENCE: usize = 3_000;

/// Index entries between two chances for others.
const BREATH: usize = 500;

impl Shelf {
    /// All entities of a tree, in key order.
    pub(super) fn all<T: TryFrom<Entity>>(&self, tree: Tree) -> Result<Vec<T>, StoreError> {
        self.trees
            .scan(tree, &[])
            .filter_map(|entry| entry.and_then(|(key, _)| self.load(tree, &key)).transpose())
            .collect()
    }

    /// The entity that an index entry names.
    pub(super) fn follow<T: TryFrom<Entity>>(
        &self,
        index: Tree,
        key: &[u8],
        tree: Tree,
        prefix: Vec<u8>,
    ) -> Result<Option<T>, StoreError> {
        match self.trees.get(index, key)? {
            Some(id) => self.load(tree, &keys::with(prefix, &[&id])),
            None => Ok(None),
        }
    }

    /// Index entries before a cursor, newest first; their keys end with an ordinal.
    fn newest(
        &self,
        index: Tree,
        prefix: &[u8],
        cursor: Option<&str>,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + use<> {
        // A cursor that we did not make shows nothing.
        let before = cursor.map(|cursor| u64::from_str_radix(cursor, 36).unwrap_or(0));
        let end = match before {
            Some(ordinal) => keys::with(prefix.to_vec(), &[&keys::number(ordinal)]),
            None => keys::end_of(prefix),
        };
        self.trees.range(index, prefix.to_vec(), end).rev()
    }

    /// Entries of an index of records behind a cursor.
    fn ordered(
        &self,
        index: Tree,
        prefix: &[u8],
        cursor: Option<&str>,
        order: Order,
    ) -> Box<dyn Iterator<Item = Result<Entry, StoreError>>> {
        // A cursor that we did not make shows nothing.
        let from = match (order, cursor) {
            (Order::Newest, _) => return Box::new(self.newest(index, prefix, cursor)),
            (_, None) => prefix.to_vec(),
            (Order::Oldest, Some(cursor)) => {
                let last = u64::from_str_radix(cursor, 36).unwrap_or(u64::MAX);
                keys::with(prefix.to_vec(), &[&keys::number(last.saturating_add(1))])
            }
            (Order::Name, Some(cursor)) => match URL_SAFE_NO_PAD.decode(cursor) {
                Ok(last) => keys::with(prefix.to_vec(), &[&last, &[0]]),
                Err(_) => keys::end_of(prefix),
            },
        };
        let end = keys::end_of(prefix);
        Box::new(self.trees.range(index, from.min(end.clone()), end))
    }

    /// A page of an index that names rows of a connection, or of the server.
    pub(super) fn page<T: TryFrom<Entity>>(
        &self,
        index: Tree,
        tree: Tree,
        connection: Option<&ConnectionId>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<T>, StoreError> {
        let prefix = keys::of_owner(connection);
        self.page_under(&prefix, index, cursor, limit, |key, value| {
            let place = match tree {
                Tree::Activity => key.to_vec(),
                Tree::Request => keys::with(prefix.clone(), &[value]),
                _ => value.to_vec(),
            };
            (tree, place)
        })
    }

    /// A page of what stands in an index under a prefix; `place` says where its rows are.
    fn page_under<T: TryFrom<Entity>>(
        &self,
        prefix: &[u8],
        index: Tree,
        cursor: Option<&str>,
        limit: usize,
        place: impl Fn(&[u8], &[u8]) -> (Tree, Vec<u8>),
    ) -> Result<Page<T>, StoreError> {
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        for entry in self.newest(index, prefix, cursor) {
            let (key, value) = entry?;
            if page.items.len() >= limit {
                page.next = last;
                break;
            }
            let (tree, place) = place(&key, &value);
            page.items.extend(self.load(tree, &place)?);
            last = cursor_at(&key);
        }
        Ok(page)
    }

    /// A page of records.
    pub(super) async fn records(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        let all = keys::of(connection);
        let (index, prefix) = match (filter.order, filter.problem, filter.status) {
            (Order::Name, ..) => {
                let kind = filter.kind.iter().flat_map(|kind| [kind.as_bytes(), &[0]]);
                (Tree::Record, keys::with(all.clone(), &kind.collect::<Vec<_>>()))
            }
            (_, Some(problem), _) => (Tree::Problem, keys::problem(connection, problem)),
            (_, None, Some(status)) => {
                (Tree::RecordStatus, keys::with(all.clone(), &[&[keys::status(status)]]))
            }
            (_, None, None) => (Tree::RecordOrder, all.clone()),
        };
        let text = filter.text.as_ref().map(|text| text.to_lowercase());
        let mut page = Page { items: Vec::new(), next: None };
        let mut cursor = cursor.map(str::to_owned);
        for _ in 0..PATIENCE / BREATH {
            let mut seen = 0;
            let entries = self.ordered(index, &prefix, cursor.as_deref(), filter.order);
            for entry in entries.take(BREATH) {
                let (key, value) = entry?;
                if page.items.len() >= limit {
                    page.next = cursor;
                    return Ok(page);
                }
                let (local, here) = match filter.order {
                    Order::Name => (&key[all.len()..], Some(name_cursor(&key[prefix.len()..]))),
                    Order::Newest | Order::Oldest => (&*value, cursor_at(&key)),
                };
                page.items.extend(self.shown(connection, local, filter, text.as_deref())?);
                cursor = here;
                seen += 1;
            }
            if seen < BREATH {
                return Ok(page);
            }
            tokio::task::yield_now().await;
        }
        page.next = cursor;
        Ok(page)
    }

    /// The record of an index entry, if the filter shows it.
    fn shown(
        &self,
        connection: &ConnectionId,
        local: &[u8],
        filter: &RecordFilter,
        text: Option<&str>,
    ) -> Result<Option<Record>, StoreError> {
        if let Some(kind) = &filter.kind
            && !(local.starts_with(kind.as_bytes()) && local.get(kind.len()) == Some(&0))
        {
            return Ok(None);
        }
        let record: Option<Record> =
            self.load(Tree::Record, &keys::with(keys::of(connection), &[local]))?;
        Ok(record.filter(|record| {
            // The index may be a moment older than the row.
            filter.status.is_none_or(|status| record.status == status)
                && filter
                    .cause
                    .is_none_or(|code| record.findings.iter().any(|finding| finding.code == code))
                && filter.label.as_ref().is_none_or(|label| {
                    record.findings.iter().any(|finding| finding.cause == *label)
                })
                && filter.problem.is_none_or(|problem| record.problem() == Some(problem))
                && text.is_none_or(|text| holds(record, text))
        }))
    }

    /// What records fail of, and how many of each.
    pub(super) fn problems(
        &self,
        connection: &ConnectionId,
    ) -> Result<Vec<(Group, u64)>, StoreError> {
        let counts = keys::counts_of_problems(connection);
        let problem = |entry: Result<Entry, StoreError>| {
            let (key, value) = entry?;
            let problem = Group::from_bytes(&key[counts.len()..]).zip(keys::last_number(&value));
            problem.ok_or_else(|| corrupt(Tree::Count, &key, "it counts no problem"))
        };
        self.trees.scan(Tree::Count, &counts).map(problem).collect()
    }

    /// Records that fail of one problem, in the order in which they were first put.
    pub(super) fn failing(
        &self,
        connection: &ConnectionId,
        problem: Group,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let entries = self.trees.scan(Tree::Problem, &keys::problem(connection, problem));
        let mut failing = Vec::new();
        for entry in entries.take(limit) {
            let place = keys::with(keys::of(connection), &[&entry?.1]);
            failing.extend(self.load(Tree::Record, &place)?);
        }
        // The index may be a moment older than the rows.
        failing.retain(|record: &Record| record.problem() == Some(problem));
        Ok(failing)
    }

    /// Records that wait for one.
    pub(super) fn waiting_for(
        &self,
        key: &RecordKey,
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let prefix = keys::of_record(key);
        self.trees
            .scan(Tree::Blocked, &prefix)
            .take(limit)
            .map(|entry| {
                let (key, _) = entry?;
                keys::parse_record(&key[prefix.len()..])
                    .ok_or_else(|| corrupt(Tree::Blocked, &key, "it names no record"))
            })
            .collect()
    }

    /// The record at a ListID or TxnID.
    pub(super) fn record_at(
        &self,
        connection: &ConnectionId,
        reference_id: &str,
    ) -> Result<Option<RecordKey>, StoreError> {
        let prefix = keys::with(keys::of(connection), &[reference_id.as_bytes(), &[0]]);
        let first = self.trees.scan(Tree::Reference, &prefix).next().transpose()?;
        first
            .map(|(key, _)| {
                keys::parse_local(connection, &key[prefix.len()..])
                    .ok_or_else(|| corrupt(Tree::Reference, &key, "it names no record"))
            })
            .transpose()
    }

    /// What is queued and due.
    pub(super) fn ready(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        let parse = |entry: Result<Entry, StoreError>| {
            let (key, _) = entry?;
            keys::parse_queued(connection, &key)
                .ok_or_else(|| corrupt(Tree::Queue, &key, "it names nothing"))
        };
        // What became due stands in the order of its times: the best of it is found by looking at all.
        let mut best = BinaryHeap::new();
        let due = keys::later(connection)..keys::after(connection, now);
        for entry in self.trees.range(Tree::Queue, due.start, due.end) {
            best.push(Ranked(parse(entry)?));
            if best.len() > limit {
                best.pop();
            }
        }
        let mut queued: Vec<_> = best.into_iter().collect();
        for entry in self.trees.scan(Tree::Queue, &keys::ready(connection)).take(limit) {
            queued.push(Ranked(parse(entry)?));
        }
        queued.sort();
        queued.truncate(limit);
        Ok(queued.into_iter().map(|ranked| ranked.0).collect())
    }

    /// When the next becomes due.
    pub(super) fn next_due(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let from = keys::after(connection, now);
        let first = self.trees.range(Tree::Queue, from, keys::end_of(&keys::later(connection)));
        let first = first.take(1).next().transpose()?;
        Ok(first.and_then(|(key, _)| keys::parse_queued(connection, &key)?.due))
    }

    /// How many stand where.
    pub(super) fn counts(&self, connection: &ConnectionId) -> Result<Counts, StoreError> {
        let count = |key: Vec<u8>| -> Result<u64, StoreError> {
            let value = self.trees.get(Tree::Count, &key)?;
            Ok(value.as_deref().and_then(keys::last_number).unwrap_or(0))
        };
        let mut counts = Counts {
            requests_queued: count(keys::count_of_requests(connection))?,
            ..Counts::default()
        };
        for status in Status::ALL {
            let records = count(keys::count_of(connection, status))?;
            if records > 0 {
                counts.records.insert(status, records);
            }
        }
        Ok(counts)
    }

    /// The last message sets that carried a record, oldest first.
    pub(super) fn message_sets_of(
        &self,
        key: &RecordKey,
        limit: usize,
    ) -> Result<Vec<MessageSet>, StoreError> {
        let entries = self.trees.scan(Tree::MessageSetOf, &keys::of_record(key)).rev().take(limit);
        let mut sets = entries
            .filter_map(|entry| {
                entry.and_then(|(_, id)| self.load(Tree::MessageSet, &id)).transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        sets.reverse();
        Ok(sets)
    }

    /// One message set.
    pub(super) fn message_set(&self, id: &MessageSetId) -> Result<Option<MessageSet>, StoreError> {
        self.load(Tree::MessageSet, id.as_str().as_bytes())
    }

    /// The last calls of a session, oldest first.
    pub(super) fn calls(&self, session: SessionId, limit: usize) -> Result<Vec<Call>, StoreError> {
        let entries = self.trees.scan(Tree::Call, session.0.as_bytes()).rev().take(limit);
        let mut calls = entries
            .filter_map(|entry| entry.and_then(|(key, _)| self.load(Tree::Call, &key)).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        calls.reverse();
        Ok(calls)
    }

    /// A page of the activity about a record.
    pub(super) fn activity_of(
        &self,
        key: &RecordKey,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError> {
        let all = keys::of(&key.connection);
        self.page_under(&keys::of_record(key), Tree::ActivityOf, cursor, limit, |key, _| {
            let ordinal = &key[key.len().saturating_sub(8)..];
            (Tree::Activity, keys::with(all.clone(), &[ordinal]))
        })
    }

    /// A page of the activity of a connection or of the server.
    pub(super) fn activity(
        &self,
        connection: Option<&ConnectionId>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Activity>, StoreError> {
        self.page(Tree::Activity, Tree::Activity, connection, cursor, limit)
    }
}

/// A cursor names the last entry that was shown: the next page begins before it.
/// The name of a record as it stands in an address.
fn name_cursor(local: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(local)
}

fn cursor_at(key: &[u8]) -> Option<String> {
    let mut ordinal = keys::last_number(key)?;
    let mut digits = Vec::new();
    while ordinal > 0 {
        digits.extend(char::from_digit(u32::try_from(ordinal % 36).ok()?, 36));
        ordinal /= 36;
    }
    Some(digits.iter().rev().collect())
}

fn holds(record: &Record, lower_case: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(lower_case);
    holds(&record.key.path())
        || record.name().is_some_and(holds)
        || record.reference.as_ref().is_some_and(|it| holds(&it.label) || holds(&it.id))
}

/// Ordered as the queue is: what goes first is least.
#[derive(Debug, Eq, PartialEq)]
struct Ranked(Queued);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |queued: &Queued| (std::cmp::Reverse(queued.priority), queued.sequence);
        rank(&self.0).cmp(&rank(&other.0)).then_with(|| self.0.subject.cmp(&other.0.subject))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
