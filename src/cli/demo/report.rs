//! What became of every record, in a table, and how it differs from what was expected.

use std::collections::BTreeMap;

use serde_json::Value;

use super::script::Expected;
use crate::cli::output;
use crate::cli::records;
use crate::engine::FIXES;

/// Longest text of a cell: a table is looked over, `record show` tells all.
const WIDEST: usize = 72;

/// `Kind/sourceId` of a record.
pub(super) fn name(record: &Value) -> String {
    format!("{}/{}", output::text(record, "/kind"), output::text(record, "/sourceId"))
}

/// How one record differs from what was expected of it.
pub(super) fn difference(record: Option<&Value>, expected: &Expected) -> Option<String> {
    let Expected { record: name, status, code } = expected;
    let Some(record) = record else {
        return Some(format!("{name}: is not there; expected {status}"));
    };
    let is = output::text(record, "/status");
    let why = output::text(record, "/diagnosis/code");
    if is == status.as_str() && (status != "failed" || why == code.as_str()) {
        return None;
    }
    let (is, wanted) = (format!("{is} {why}"), format!("{status} {code}"));
    Some(format!("{name}: {}; expected {}", is.trim(), wanted.trim()))
}

/// How all records differ from what was expected, a line each.
pub(super) fn differences(records: &[Value], expected: &[Expected]) -> Vec<String> {
    let stands: BTreeMap<String, &Value> =
        records.iter().map(|record| (name(record), record)).collect();
    let mut lines: Vec<String> = expected
        .iter()
        .filter_map(|one| difference(stands.get(&one.record).copied(), one))
        .collect();
    for record in stands.keys() {
        if !expected.iter().any(|one| one.record == *record) {
            lines.push(format!("{record}: nothing was expected of it"));
        }
    }
    lines
}

/// The table, the diagnoses, the summary, and what is not as it should be.
pub(super) fn print(records: &[Value], differences: &[String]) -> std::io::Result<()> {
    output::line("")?;
    table(records)?;
    diagnoses(records)?;
    output::line(format_args!("\n{}", summary(records)))?;
    if differences.is_empty() {
        output::line("✓ every record stands where it was expected to stand")?;
    }
    for line in differences {
        output::line(format_args!("✗ {line}"))?;
    }
    Ok(())
}

fn table(records: &[Value]) -> std::io::Result<()> {
    let rows = records.iter().map(|record| {
        let status = output::text(record, "/status");
        let mut why = first_line(record);
        if why.chars().count() > WIDEST {
            why = why.chars().take(WIDEST - 1).chain(['…']).collect();
        }
        [
            format!("{} {status}", records::mark(&status)),
            name(record),
            label(record),
            records::reference(record),
            why,
        ]
    });
    output::line(output::table(["STATUS", "RECORD", "NAME", "QUICKBOOKS ID", "WHY"], rows))
}

/// What failed, with its diagnosis.
fn diagnoses(records: &[Value]) -> std::io::Result<()> {
    let failed = |record: &&Value| output::text(record, "/status") == "failed";
    if records.iter().any(|record| failed(&record)) {
        output::line("\nWhat failed, and what to do:")?;
    }
    for record in records.iter().filter(failed) {
        let field = |pointer| output::clean(&output::text(record, pointer));
        let (code, title) = (field("/diagnosis/code"), field("/diagnosis/title"));
        output::line(format_args!("\n✗ {}  {code}: {title}", name(record)))?;
        output::line(format_args!("  {}", field("/diagnosis/detail")))?;
        if let Some(fix) = record.pointer("/diagnosis/fixes/0") {
            output::line(format_args!("  → {}", output::clean(&output::fix(fix))))?;
        }
        let said = record.get("diagnosis").map(output::said).unwrap_or_default();
        if !said.is_empty() {
            output::line(format_args!("  QuickBooks: {}", output::clean(&said)))?;
        }
    }
    Ok(())
}

/// The first record whose first fix needs nothing but to be pressed, with that fix, as `record fix`
/// takes them.
pub(super) fn pressable(records: &[Value]) -> Option<String> {
    records.iter().find_map(|record| {
        let id = output::text(record, "/diagnosis/fixes/0/id");
        let is_whole = record.pointer("/diagnosis/fixes/0/preview").is_some();
        (FIXES.contains(&&*id) && is_whole).then(|| format!("{} {id}", name(record)))
    })
}

/// How many of each status, in words.
pub(super) fn summary(records: &[Value]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        *counts.entry(output::text(record, "/status").into_owned()).or_default() += 1;
    }
    let kinds: std::collections::BTreeSet<_> =
        records.iter().map(|record| output::text(record, "/kind")).collect();
    let parts: Vec<_> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
    format!("{} records of {} kinds: {}", records.len(), kinds.len(), parts.join(", "))
}

fn first_line(record: &Value) -> String {
    match &*output::text(record, "/status") {
        "synced" => String::new(),
        "bypassed" => output::text(record, "/bypassReason").into_owned(),
        "failed" => {
            let code = output::text(record, "/diagnosis/code");
            format!("{code}: {}", output::text(record, "/diagnosis/title"))
        }
        _ => records::why(record),
    }
}

/// What people call it.
fn label(record: &Value) -> String {
    ["/reference/label", "/data/Name", "/data/RefNumber", "/data/FullName"]
        .into_iter()
        .map(|at| output::text(record, at))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_that_is_not_as_expected_is_named() {
        let expected = |record: &str, status: &str, code: &str| Expected {
            record: record.to_owned(),
            status: status.to_owned(),
            code: code.to_owned(),
        };
        let records = [
            json!({"kind": "A", "sourceId": "1", "status": "synced"}),
            json!({"kind": "A", "sourceId": "2", "status": "failed", "diagnosis": {"code": "X"}}),
            json!({"kind": "A", "sourceId": "3", "status": "queued"}),
            json!({"kind": "A", "sourceId": "9", "status": "synced"}),
        ];

        let lines = differences(
            &records,
            &[
                expected("A/1", "synced", ""),
                expected("A/2", "failed", "Y"),
                expected("A/3", "synced", ""),
                expected("A/4", "synced", ""),
            ],
        );

        assert_eq!(
            lines,
            [
                "A/2: failed X; expected failed Y",
                "A/3: queued; expected synced",
                "A/4: is not there; expected synced",
                "A/9: nothing was expected of it",
            ]
        );
    }
}
