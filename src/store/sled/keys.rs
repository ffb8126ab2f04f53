//! How keys are written, so that their byte order is the order that lists and the queue need.
//!
//! A connection id ends with a zero byte, which no id holds; so does a kind. Numbers are big-endian.
//! A source id may hold no control character, so it needs no end.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Group;
use crate::domain::record::Status;
use crate::store::Queued;

const END: u8 = 0;
const READY: u8 = 0;
const LATER: u8 = 1;

/// All that belongs to a connection begins so.
pub(super) fn of(connection: &ConnectionId) -> Vec<u8> {
    let mut key = Vec::with_capacity(128);
    key.extend(connection.as_str().as_bytes());
    key.push(END);
    key
}

/// What belongs to a connection, or to the server itself, begins so: no connection has an empty id.
pub(super) fn of_owner(connection: Option<&ConnectionId>) -> Vec<u8> {
    connection.map_or_else(|| vec![END], of)
}

/// Adds the parts of a key.
pub(super) fn with(mut key: Vec<u8>, parts: &[&[u8]]) -> Vec<u8> {
    for part in parts {
        key.extend(*part);
    }
    key
}

/// A number as it sorts.
pub(super) fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number at the end of a key, or of a value.
pub(super) fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// A record, within its connection.
pub(super) fn local(key: &RecordKey) -> Vec<u8> {
    with(Vec::new(), &[key.kind.as_bytes(), &[END], key.source_id.as_bytes()])
}

/// A record.
pub(super) fn record(key: &RecordKey) -> Vec<u8> {
    with(of(&key.connection), &[key.kind.as_bytes(), &[END], key.source_id.as_bytes()])
}

/// Everything that is kept for a record begins so.
pub(super) fn of_record(key: &RecordKey) -> Vec<u8> {
    with(record(key), &[&[END]])
}

/// Reads [`local`] back.
pub(super) fn parse_local(connection: &ConnectionId, key: &[u8]) -> Option<RecordKey> {
    let text = std::str::from_utf8(key).ok()?;
    let (kind, source_id) = text.split_once('\0')?;
    Some(RecordKey {
        connection: connection.clone(),
        kind: kind.to_owned(),
        source_id: source_id.to_owned(),
    })
}

/// Reads [`record`] back.
pub(super) fn parse_record(key: &[u8]) -> Option<RecordKey> {
    let end = key.iter().position(|byte| *byte == END)?;
    let connection = ConnectionId::parse(std::str::from_utf8(&key[..end]).ok()?).ok()?;
    parse_local(&connection, &key[end + 1..])
}

/// A status, as it stands in keys; never changed, only added to.
pub(super) const fn status(status: Status) -> u8 {
    match status {
        Status::Held => 1,
        Status::Queued => 2,
        Status::Blocked => 3,
        Status::Sent => 4,
        Status::InDoubt => 5,
        Status::Synced => 6,
        Status::Failed => 7,
        Status::Bypassed => 8,
        Status::Withdrawn => 9,
    }
}

/// What [`super::trees::Tree::Count`] counts: records of a status.
pub(super) fn count_of(connection: &ConnectionId, of_status: Status) -> Vec<u8> {
    with(of(connection), &[b"r", &[status(of_status)]])
}

/// Records that fail of one problem begin so.
pub(super) fn problem(connection: &ConnectionId, group: Group) -> Vec<u8> {
    with(of(connection), &[group.as_bytes()])
}

/// Counts of [`super::trees::Tree::Count`] by problem begin so.
pub(super) fn counts_of_problems(connection: &ConnectionId) -> Vec<u8> {
    with(of(connection), &[b"p"])
}

/// What [`super::trees::Tree::Count`] counts: records that fail of one problem.
pub(super) fn count_of_problem(connection: &ConnectionId, group: Group) -> Vec<u8> {
    with(counts_of_problems(connection), &[group.as_bytes()])
}

/// What [`super::trees::Tree::Count`] counts: raw requests in the queue.
pub(super) fn count_of_requests(connection: &ConnectionId) -> Vec<u8> {
    with(of(connection), &[b"q"])
}

/// What [`super::trees::Tree::Count`] counts: objects of the mirror.
pub(super) fn count_of_mirror(connection: &ConnectionId) -> Vec<u8> {
    with(of(connection), &[b"m"])
}

/// An object of the mirror.
pub(super) fn mirrored(connection: &ConnectionId, id: &str) -> Vec<u8> {
    with(of(connection), &[id.as_bytes()])
}

/// Everything that has a name in a name space begins so.
pub(super) fn named(connection: &ConnectionId, space: &str, name: &str) -> Vec<u8> {
    with(of(connection), &[space.as_bytes(), &[END], name.as_bytes()])
}

/// Higher priorities sort first.
fn priority(priority: i32) -> [u8; 4] {
    (!(priority.cast_unsigned() ^ (1 << 31))).to_be_bytes()
}

fn parse_priority(bytes: [u8; 4]) -> i32 {
    (!u32::from_be_bytes(bytes) ^ (1 << 31)).cast_signed()
}

fn time(time: Timestamp) -> [u8; 16] {
    (time.as_nanosecond().cast_unsigned() ^ (1 << 127)).to_be_bytes()
}

fn parse_time(bytes: [u8; 16]) -> Option<Timestamp> {
    Timestamp::from_nanosecond((u128::from_be_bytes(bytes) ^ (1 << 127)).cast_signed()).ok()
}

/// What waits for no time, in queue order, begins so.
pub(super) fn ready(connection: &ConnectionId) -> Vec<u8> {
    with(of(connection), &[&[READY]])
}

/// What waits for a time, the earliest first, begins so.
pub(super) fn later(connection: &ConnectionId) -> Vec<u8> {
    with(of(connection), &[&[LATER]])
}

/// The first key of what is due after a time.
pub(super) fn after(connection: &ConnectionId, now: Timestamp) -> Vec<u8> {
    // The last moment that there is has no successor: nothing is due after it.
    let next = now.as_nanosecond().saturating_add(1);
    let next = (next.cast_unsigned() ^ (1 << 127)).to_be_bytes();
    with(later(connection), &[&next])
}

/// A place in the queue.
pub(super) fn queued(connection: &ConnectionId, place: &Queued) -> Vec<u8> {
    let key = match place.due {
        None => ready(connection),
        Some(due) => with(later(connection), &[&time(due)]),
    };
    let key = with(key, &[&priority(place.priority), &number(place.sequence)]);
    match &place.subject {
        Subject::Record(record) => with(key, &[b"r", &local(record)]),
        Subject::Request(id) => with(key, &[b"q", id.0.as_bytes()]),
    }
}

/// Reads [`queued`] back.
pub(super) fn parse_queued(connection: &ConnectionId, key: &[u8]) -> Option<Queued> {
    let rest = key.get(connection.as_str().len() + 1..)?;
    let (&which, rest) = rest.split_first()?;
    let (due, rest) = if which == READY {
        (None, rest)
    } else {
        let (due, rest) = rest.split_first_chunk()?;
        (Some(parse_time(*due)?), rest)
    };
    let (first, rest) = rest.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (&sort, rest) = rest.split_first()?;
    let subject = match sort {
        b'r' => Subject::Record(parse_local(connection, rest)?),
        _ => Subject::Request(RequestId(Uuid::from_slice(rest).ok()?)),
    };
    let (priority, sequence) = (parse_priority(*first), u64::from_be_bytes(*sequence));
    Some(Queued { subject, priority, sequence, due })
}

/// The first key after all that begin so. Prefixes end with a zero byte or a digit of a UUID.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    with(prefix.to_vec(), &[&[0xff; 9]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> ConnectionId {
        ConnectionId::parse("acme").unwrap()
    }

    fn place(priority: i32, sequence: u64, due: Option<i64>) -> Queued {
        let subject = Subject::Record(RecordKey::new(&acme(), "Customer", "ä/1").unwrap());
        let due = due.map(|second| Timestamp::from_second(second).unwrap());
        Queued { subject, priority, sequence, due }
    }

    #[test]
    fn the_byte_order_of_the_queue_is_its_order() {
        let places = [
            place(1000, 9, None),
            place(1, 1, None),
            place(0, 2, None),
            place(0, 3, None),
            place(-1, 1, None),
            place(-1000, 1, Some(-5)),
            place(7, 1, Some(6)),
            place(-3, 1, Some(6)),
            place(1000, 1, Some(7)),
        ];

        let keys: Vec<_> = places.iter().map(|place| queued(&acme(), place)).collect();

        assert!(keys.is_sorted());
        for (key, place) in keys.iter().zip(places) {
            assert_eq!(parse_queued(&acme(), key), Some(place));
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let key = RecordKey::new(&acme(), "Customer", "a/b ü").unwrap();

        assert_eq!(parse_record(&record(&key)), Some(key));
    }

    #[test]
    fn what_is_due_now_is_not_after_now() {
        let now = Timestamp::from_second(100).unwrap();

        assert!(queued(&acme(), &place(0, u64::MAX, Some(100))) < after(&acme(), now));
        assert!(queued(&acme(), &place(1000, 0, Some(101))) > after(&acme(), now));
        assert!(after(&acme(), Timestamp::MAX) > later(&acme()));
    }
}
