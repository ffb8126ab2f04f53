//! When what heals by itself is tried again.

use jiff::SignedDuration;

use crate::domain::outcome::Code;

/// Locks: someone has the record open. Minutes between tries; then a person is asked.
const LOCKED: [i64; 5] = [1, 2, 5, 10, 30];
/// An internal error of QuickBooks (1000) may be a damaged file: three tries.
const INTERNAL: [i64; 3] = [1, 5, 30];
/// Not processed (3231): free of blame, but some hosts answer so for ever, so three tries.
const REQUEUED: [i64; 3] = [0, 1, 5];
/// A stale edit sequence is asked for anew, once.
const STALE: [i64; 1] = [0];

/// How long to wait before try `tries + 1`; `None` if it is time to ask a person.
pub fn after(code: Code, cause: &str, tries: u32) -> Option<SignedDuration> {
    let minutes: &[i64] = match (code, cause) {
        (Code::EditSequenceStale, _) => &STALE,
        (_, "not_processed") => &REQUEUED,
        (Code::InternalError, _) => &INTERNAL,
        _ => &LOCKED,
    };
    minutes.get(tries as usize).map(|minutes| SignedDuration::from_mins(*minutes))
}

/// How long to wait with a question whose answer was lost: others go first, and it never ends.
pub fn of_question(tries: u32) -> SignedDuration {
    let minutes = LOCKED.get(tries as usize).or(LOCKED.last()).copied();
    SignedDuration::from_mins(minutes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_ends() {
        for (code, cause, tries) in [
            (Code::RecordLocked, "", 5),
            (Code::InternalError, "", 3),
            (Code::Unclassified, "not_processed", 3),
            (Code::EditSequenceStale, "", 1),
        ] {
            assert!(after(code, cause, tries - 1).is_some());
            assert_eq!(after(code, cause, tries), None);
        }
    }
}
