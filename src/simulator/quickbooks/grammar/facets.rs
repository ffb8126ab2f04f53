//! The ranges of whole numbers, which the parser looks at.
//!
//! Source: `minInclusive` and `maxInclusive` in the schema of qbXML 13.0.

const RANGES: &[(&str, std::ops::RangeInclusive<i64>)] = &[
    ("MaxReturned", 1..=i64::MAX),
    ("ExpirationMonth", 1..=12),
    ("DayOfMonthDue", 1..=31),
    ("DiscountDayOfMonth", 1..=31),
];

/// Whether an element takes a number; what is none is looked at with the other values.
pub(super) fn takes(element: &str, text: &str) -> bool {
    let Ok(number) = text.trim().parse::<i64>() else { return true };
    RANGES.iter().all(|(name, range)| *name != element || range.contains(&number))
}
