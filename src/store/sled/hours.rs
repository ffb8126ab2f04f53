//! How many records were synced and how many failed, hour by hour: what a plot of the last day shows.
//!
//! Counted in the commit that changes a record, of what its history tells: a record that was synced
//! and queued again in one commit counts. Bounded: a connection keeps the hours that are at most
//! [`KEPT`] away from the one that is counted in, so a clock that was wrong leaves nothing for good.
//! Nothing else says these numbers; `check` looks at their shape alone, and exports leave them out,
//! because they are of this store's last two days and of no other's. Held by `tests/store/hours.rs`.

use jiff::Timestamp;

use crate::domain::ids::ConnectionId;
use crate::domain::record::Moment;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::store::Hour;
use crate::store::StoreError;
use crate::store::sled::draft::Draft;
use crate::store::sled::keys;
use crate::store::sled::shelf::corrupt;
use crate::store::sled::trees::Entry;
use crate::store::sled::trees::Tree;
use crate::store::sled::trees::Trees;

/// How far apart the hours of a connection are at most.
const KEPT: u64 = 48;
/// Seconds of an hour.
const SECONDS: i64 = 3600;

/// Drafts what a change of a record adds to its hours.
pub(super) fn count(
    draft: &mut Draft<'_>,
    before: Option<&Record>,
    after: &Record,
) -> Result<(), StoreError> {
    let last = before.and_then(|before| before.timeline.last());
    let new = after.timeline.iter().rev().take_while(|moment| Some(*moment) != last);
    for Moment { at, status, .. } in new {
        let (synced, failed) = match status {
            Status::Synced => (1, 0),
            Status::Failed => (0, 1),
            _ => continue,
        };
        add(draft, &after.key.connection, number(*at), synced, failed)?;
    }
    Ok(())
}

fn add(
    draft: &mut Draft<'_>,
    connection: &ConnectionId,
    hour: u64,
    synced: u64,
    failed: u64,
) -> Result<(), StoreError> {
    let prefix = keys::of(connection);
    let key = keys::with(prefix.clone(), &[&keys::number(hour)]);
    let found = draft.get(Tree::Hour, &key)?;
    if found.is_none() {
        for other in draft.keys(Tree::Hour, &prefix)? {
            if keys::last_number(&other).is_none_or(|other| other.abs_diff(hour) > KEPT) {
                draft.unset(Tree::Hour, other);
            }
        }
    }
    let before = found.as_deref().and_then(parse).unwrap_or_default();
    let [synced, failed] = [before.0 + synced, before.1 + failed].map(keys::number);
    draft.set(Tree::Hour, key, [synced, failed].concat());
    Ok(())
}

/// The hours of a connection from the one that this moment is in, in their order; none that is empty.
pub(super) fn since(
    trees: &Trees,
    connection: &ConnectionId,
    since: Timestamp,
) -> Result<Vec<Hour>, StoreError> {
    let prefix = keys::of(connection);
    let from = keys::with(prefix.clone(), &[&keys::number(number(since))]);
    let hour = |entry: Result<Entry, StoreError>| {
        let (key, value) = entry?;
        read(&key, &value).ok_or_else(|| corrupt(Tree::Hour, &key, "it counts no hour"))
    };
    trees.range(Tree::Hour, from, keys::end_of(&prefix)).map(hour).collect()
}

/// An entry of [`Tree::Hour`].
pub(super) fn read(key: &[u8], value: &[u8]) -> Option<Hour> {
    let hour = i64::try_from(keys::last_number(key)?).ok()?;
    let began_at = Timestamp::from_second(hour.checked_mul(SECONDS)?).ok()?;
    let (synced, failed) = parse(value)?;
    Some(Hour { began_at, synced, failed })
}

fn parse(value: &[u8]) -> Option<(u64, u64)> {
    let (synced, failed) = value.split_at_checked(8).filter(|(_, failed)| failed.len() == 8)?;
    Some((keys::last_number(synced)?, keys::last_number(failed)?))
}

/// Which hour this is, counted from 1970 on.
fn number(at: Timestamp) -> u64 {
    u64::try_from(at.as_second().div_euclid(SECONDS)).unwrap_or(0)
}
