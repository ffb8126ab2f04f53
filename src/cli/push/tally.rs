//! How many records came to what.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use super::Deed;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::domain::record::Status;

/// Of records that were not kept.
const REFUSED: &str = "refused";
/// Of records that a push would queue.
const ACCEPTED: &str = "would be accepted";
/// Of records that a push would keep as failed, or refuse.
const WOULD_FAIL: &str = "would fail";

/// What came of all records.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<String, u64>,
    /// Those that were there already, with the same content.
    same: u64,
    bad: u64,
}

/// `1 record`, `2 records`.
pub(super) fn records(count: u64) -> String {
    format!("{count} record{}", if count == 1 { "" } else { "s" })
}

impl Tally {
    /// Counts what came of one record.
    pub(super) fn count(&mut self, deed: Deed, result: &Value, findings: usize) {
        let status = output::text(result, "/status");
        let came = match deed {
            Deed::Push if status.is_empty() => REFUSED,
            Deed::Push => &status,
            Deed::Check if findings == 0 => ACCEPTED,
            Deed::Check => WOULD_FAIL,
        };
        *self.counts.entry(came.to_owned()).or_default() += 1;
        self.same += u64::from(output::text(result, "/result") == "same");
        self.bad += u64::from(findings > 0);
    }

    /// How many there were.
    pub(super) fn all(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Whether any was refused, or failed, or would.
    pub(super) fn has_bad(&self) -> bool {
        self.bad > 0
    }

    /// How many of each, statuses in life order.
    pub(super) fn in_words(&self) -> String {
        if self.all() == 0 {
            return "there is no record in it".to_owned();
        }
        let known = Status::ALL.map(Status::as_str);
        let known = known.iter().chain(&[REFUSED, ACCEPTED, WOULD_FAIL]);
        let parts: Vec<_> =
            known.filter_map(|came| Some(format!("{} {came}", self.counts.get(*came)?))).collect();
        let same = match self.same {
            0 => String::new(),
            same => format!(" ({same} unchanged)"),
        };
        format!("{}{same}: {}", records(self.all()), parts.join(", "))
    }

    /// An error that came after some records were kept already.
    pub(super) fn after(&self, error: anyhow::Error) -> anyhow::Error {
        let count = |came: &str| self.counts.get(came).copied().unwrap_or_default();
        let kept = self.all() - count(REFUSED) - count(ACCEPTED) - count(WOULD_FAIL);
        if kept == 0 {
            return error;
        }
        let were = if kept == 1 { "was" } else { "were" };
        let hint = format!(
            "{} {were} kept before this; push the file again: what is the same changes nothing",
            records(kept)
        );
        match error.downcast::<Failure>() {
            Ok(Failure::Problem(mut problem)) => {
                let mut fixes = problem["fixes"].take().as_array().cloned().unwrap_or_default();
                fixes.insert(0, json!({"actor": "user", "label": hint}));
                problem["fixes"] = fixes.into();
                Failure::Problem(problem).into()
            }
            Ok(failure) => Failure::Refused(format!("{failure}\n  → {hint}")).into(),
            Err(error) => Failure::Refused(format!("{error:#}\n  → {hint}")).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_by_what_came_of_them() {
        let mut tally = Tally::default();
        assert_eq!(tally.in_words(), "there is no record in it");

        tally.count(Deed::Push, &json!({"status": "queued", "result": "new"}), 0);
        assert_eq!(tally.in_words(), "1 record: 1 queued");

        tally.count(Deed::Push, &json!({"status": "failed", "result": "new"}), 1);
        tally.count(Deed::Push, &json!({"status": "held", "result": "same"}), 0);
        tally.count(Deed::Push, &json!({"error": {}}), 1);
        assert_eq!(
            tally.in_words(),
            "4 records (1 unchanged): 1 held, 1 queued, 1 failed, 1 refused"
        );
    }

    #[test]
    fn what_was_kept_is_said_with_the_error_that_came_after() {
        let mut tally = Tally::default();
        tally.count(Deed::Push, &json!({"error": {}}), 1);
        let nothing = tally.after(Failure::Refused("it broke".to_owned()).into());
        assert_eq!(nothing.to_string(), "it broke");

        tally.count(Deed::Push, &json!({"status": "queued"}), 0);
        let problem = json!({"code": "GONE", "detail": "No server."});
        let text = tally.after(Failure::Problem(problem).into()).to_string();

        assert!(text.contains("1 record was kept before this; push the file again"), "{text}");
    }
}
