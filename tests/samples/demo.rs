//! The demo's records: readable, whole, and each with an expectation.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::folder;

/// The records of the demo, in order.
fn records() -> Vec<Value> {
    let text = fs::read_to_string(folder().join("demo.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn script() -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join("demo.expect.json")).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} of {value}"))
}

fn name(record: &Value) -> String {
    format!("{}/{}", text(record, "kind"), text(record, "sourceId"))
}

/// Every `{"source":…}` in it.
fn sources<'a>(data: &'a Value, found: &mut Vec<&'a str>) {
    match data {
        Value::Object(members) => {
            found.extend(members.get("source").and_then(Value::as_str));
            members.values().for_each(|value| sources(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| sources(value, found)),
        _ => {}
    }
}

#[test]
fn the_demo_has_forty_records_of_ten_kinds() {
    let records = records();
    let kinds: BTreeSet<_> = records.iter().map(|record| text(record, "kind")).collect();

    assert!(records.len() >= 40, "{}", records.len());
    assert!(kinds.len() >= 10, "{kinds:?}");
}

#[test]
fn every_reference_leads_to_a_record() {
    let records = records();
    let there: BTreeSet<_> = records.iter().map(name).collect();
    assert_eq!(there.len(), records.len(), "a name stands twice");

    for record in &records {
        let mut found = Vec::new();
        sources(&record["data"], &mut found);
        for source in found {
            assert!(there.contains(source), "{}: {source}", name(record));
        }
    }
}

#[test]
fn every_record_has_one_expectation() {
    let script = script();
    let steps = script["steps"].as_array().unwrap();
    let put = steps.iter().filter(|step| step["do"] == "put").map(|step| name(&step["record"]));
    let pushed: BTreeSet<_> = records().iter().map(name).chain(put).collect();

    let mut expected = BTreeMap::new();
    for expectation in script["records"].as_array().unwrap() {
        let known = expected.insert(text(expectation, "record").to_owned(), expectation.clone());
        assert_eq!(known, None, "expected twice");
        let failed = text(expectation, "status") == "failed";
        assert_eq!(failed, expectation.get("code").is_some(), "{expectation}");
    }

    assert_eq!(expected.keys().cloned().collect::<BTreeSet<_>>(), pushed);
}

#[test]
fn every_failure_that_the_readme_names_is_shown() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    // The rows of its table; codes are the words in capitals between backticks.
    let is_code =
        |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let named: BTreeSet<_> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| people read"))
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| line.split('`').filter(is_code))
        .map(str::to_owned)
        .collect();

    let script = script();
    let shown: BTreeSet<_> = script["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|expectation| expectation.get("code")?.as_str())
        .map(str::to_owned)
        .collect();

    assert_eq!(named, shown);
}
