//! Times as QuickBooks prints and reads them: local time with an offset.
//!
//! The simulated machine stands in California and does not know of summer: QuickBooks prints an
//! offset that is wrong during it. A time that comes in without an offset is local.
//!
//! Source: jsgoupil/quickbooks-sync README, "Time zone".

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::tz::TimeZone;

use super::values;

/// Pacific standard time.
const OFFSET: Offset = Offset::constant(-8);

/// `2026-11-24T08:33:06-08:00`.
pub(crate) fn stamp(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.to_zoned(TimeZone::fixed(OFFSET)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The day on which something happens.
pub(crate) fn day(seconds: i64) -> Date {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.to_zoned(TimeZone::fixed(OFFSET)).date()
}

/// Reads a moment; `end` says that a bare day means its last second.
pub(crate) fn seconds(text: &str, end: bool) -> Option<i64> {
    let local = values::moment(text)?;
    let offset = offset(text).unwrap_or(OFFSET);
    let seconds = offset.to_timestamp(local).ok()?.as_second();
    Some(if end && !text.contains('T') { seconds + 86_399 } else { seconds })
}

/// The offset at the end of a time, such as `-08:00`.
fn offset(text: &str) -> Option<Offset> {
    let (_, time) = text.split_once('T')?;
    let at = time.find(['+', '-'])?;
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    let sign = if time.as_bytes()[at] == b'-' { -1 } else { 1 };
    Offset::from_seconds(sign * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        assert_eq!(stamp(1_764_000_000), "2025-11-24T08:00:00-08:00");
        assert_eq!(seconds("2025-11-24T08:00:00-08:00", false), Some(1_764_000_000));
        assert_eq!(seconds("2025-11-24T08:00:00", false), Some(1_764_000_000));
        assert_eq!(seconds("2025-11-24T16:00:00+00:00", false), Some(1_764_000_000));
        assert_eq!(seconds("2025-11-24", true), Some(1_764_000_000 + 57_599));
    }
}
