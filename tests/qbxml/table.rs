//! The table against the lists of fields that were drawn from Intuit's published schema.
//!
//! `QBXML_REFERENCE_DIR` names the folder of `qbxml-fields.json` and `qbxml-responses.json`.

use std::collections::BTreeMap;
use std::fs;

use bookbridge::qbxml::schema::Attribute;
use bookbridge::qbxml::schema::Content;
use bookbridge::qbxml::schema::Element;
use bookbridge::qbxml::schema::Message;
use bookbridge::qbxml::schema::Particle;
use bookbridge::qbxml::schema::Rule;
use bookbridge::qbxml::schema::ValueType;
use bookbridge::qbxml::schema::schema;
use bookbridge::qbxml::version::Availability;
use bookbridge::qbxml::version::Edition;
use bookbridge::qbxml::version::Version;
use serde_json::Value;

/// One element as both sides say it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Line {
    kind: &'static str,
    required: bool,
    repeated: bool,
    limit: [Option<u64>; 4],
    values: Vec<String>,
    since: Option<Version>,
    editions: [bool; 4],
    attributes: Vec<String>,
    macros: bool,
    /// The choices that it stands in, outermost first: their rule, and its alternative.
    choices: Vec<(String, usize)>,
}

fn kind(element: &Element) -> &'static str {
    match &element.content {
        Content::Aggregate(_) => "AGGREGATE",
        Content::Empty => "EMPTY",
        Content::Value(value) => match value {
            ValueType::Amount => "AMTTYPE",
            ValueType::Bool => "BOOLTYPE",
            ValueType::Date => "DATETYPE",
            ValueType::DateTime => "DATETIMETYPE",
            ValueType::Enum(_) => "ENUMTYPE",
            ValueType::Float => "FLOATTYPE",
            ValueType::Guid => "GUIDTYPE",
            ValueType::Id => "IDTYPE",
            ValueType::Int(_) => "INTTYPE",
            ValueType::Interval => "TIMEINTERVALTYPE",
            ValueType::Percent => "PERCENTTYPE",
            ValueType::Price(_) => "PRICETYPE",
            ValueType::Quantity => "QUANTYPE",
            ValueType::Text(_) => "STRTYPE",
        },
    }
}

fn editions(of: Availability) -> [bool; 4] {
    Edition::ALL.map(|edition| of.editions.contains(edition))
}

fn names(attributes: &[Attribute]) -> Vec<String> {
    let mut names: Vec<_> = attributes.iter().map(|it| it.name.to_owned()).collect();
    names.sort();
    names
}

fn ours(message: &Message) -> Vec<(String, Line)> {
    let mut lines = Vec::new();
    walk(&message.shape.particles, message.name, &[], &mut lines);
    lines
}

fn walk(
    particles: &[Particle],
    path: &str,
    choices: &[(String, usize)],
    lines: &mut Vec<(String, Line)>,
) {
    for particle in particles {
        match particle {
            Particle::Choice(choice) => {
                let rule = match choice.rule {
                    Rule::Any => "zero_or_more",
                    Rule::AtMostOne => "optional",
                    Rule::One => "exactly_one",
                    Rule::Some => "one_or_more",
                };
                for (number, alternative) in choice.alternatives.iter().enumerate() {
                    let inner = [choices, &[(rule.to_owned(), number)]].concat();
                    walk(alternative, path, &inner, lines);
                }
            }
            Particle::Element(element) => {
                let path = format!("{path}/{}", element.name);
                let limit = match element.value() {
                    Some(ValueType::Text(limit)) => {
                        Edition::ALL.map(|edition| limit.of(edition).map(|it| it as u64))
                    }
                    _ => [None; 4],
                };
                let values = match element.value() {
                    Some(ValueType::Enum(values)) => {
                        values.iter().map(|it| (*it).to_owned()).collect()
                    }
                    _ => Vec::new(),
                };
                let line = Line {
                    kind: kind(element),
                    // Within an alternative, the published list does not say it.
                    required: choices.is_empty() && element.occurs.is_required(),
                    repeated: element.occurs.is_repeated(),
                    limit,
                    values,
                    since: element.availability.since,
                    editions: editions(element.availability),
                    attributes: names(&element.attributes),
                    macros: element.may_be_macro,
                    choices: choices.to_vec(),
                };
                lines.push((path.clone(), line));
                if let Some(shape) = element.shape() {
                    walk(&shape.particles, &path, &[], lines);
                }
            }
        }
    }
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

fn theirs_editions(value: &Value) -> [bool; 4] {
    let not_in = value["not_in"].as_array().cloned().unwrap_or_default();
    ["QBD", "QBCA", "QBUK", "QBAU"].map(|name| !not_in.contains(&Value::from(name)))
}

fn theirs(message: &Value) -> Vec<(String, Line)> {
    let fields = message["fields"].as_array().unwrap();
    let rules: BTreeMap<_, _> = message["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| (text(choice, "id"), text(choice, "kind")))
        .collect();
    let line = |field: &Value| {
        let kind = text(field, "type").to_owned();
        let by_edition = &field["max_length_by_edition"];
        let limit = ["QBD", "QBCA", "QBUK", "QBAU"].map(|edition| {
            let own = by_edition.get(edition).and_then(Value::as_u64);
            let all = || field["max_length"].as_u64();
            if kind == "STRTYPE" { own.or_else(all) } else { None }
        });
        let values = field["enum"].as_array().cloned().unwrap_or_default();
        let repeat = text(field, "repeat");
        let attributes = field["attributes"].as_object();
        let mut attributes: Vec<_> =
            attributes.map(|it| it.keys().cloned().collect()).unwrap_or_default();
        attributes.sort();
        let version = |member: &str| field[member].as_str().and_then(Version::parse);
        let within = field["choice"].as_array().cloned().unwrap_or_default();
        let choices = within.iter().map(|one| {
            let number = one["alt"].as_u64().unwrap();
            (rules[text(one, "id")].to_owned(), usize::try_from(number).unwrap())
        });
        let line = Line {
            choices: choices.collect(),
            kind: Box::leak(kind.into_boxed_str()),
            required: field["required"].as_bool().unwrap_or(false),
            repeated: !repeat.is_empty() && repeat != "0..1" && repeat != "1..1",
            limit,
            values: values.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
            // The list of qbXML 14.0 does not say of all that is new in it that it is.
            since: version("since")
                .or_else(|| version("first_seen_in_ops").filter(|first| *first > Version::COMMON)),
            editions: theirs_editions(field),
            attributes,
            macros: field["may_be_macro"].as_bool().unwrap_or(false),
        };
        (text(field, "path").to_owned(), line)
    };
    fields.iter().map(line).collect()
}

/// A limit that the published list does not give for one edition is free there.
fn same(ours: &Line, theirs: &Line) -> bool {
    let limits = ours.limit.iter().zip(&theirs.limit);
    let mut limits = limits.filter(|(_, theirs)| theirs.is_some());
    let limit = theirs.limit == [None; 4] && ours.limit == [None; 4]
        || theirs.limit != [None; 4] && limits.all(|(ours, theirs)| ours == theirs);
    let plain = |line: &Line| Line { limit: [None; 4], ..line.clone() };
    limit && plain(ours) == plain(theirs)
}

fn agree(file: &str, member: &str, ours_all: &[&Message]) {
    let Some(folder) = super::folder("QBXML_REFERENCE_DIR", file) else { return };
    let document: Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
    let all = document[member].as_object().unwrap();
    let mut differences = Vec::new();
    assert_eq!(ours_all.len(), all.len());
    let mut compared = 0;
    for message in ours_all {
        let Some(other) = all.get(message.name) else {
            differences.push(format!("{} is not there", message.name));
            continue;
        };
        let since = other["since"].as_str().and_then(Version::parse);
        if message.availability.since != since
            || editions(message.availability) != theirs_editions(other)
        {
            differences.push(format!("{}: {:?}", message.name, message.availability));
        }
        let (mine, others) = (ours(message), theirs(other));
        let order = |lines: &[(String, Line)]| -> Vec<String> {
            lines.iter().map(|line| line.0.clone()).collect()
        };
        if order(&mine) != order(&others) {
            differences.push(format!("{}: another order, or other elements", message.name));
        }
        let others: BTreeMap<_, _> = others.into_iter().collect();
        for (path, line) in &mine {
            compared += 1;
            if !others.get(path).is_some_and(|other| same(line, other)) {
                differences.push(format!("{path}:\n  {line:?}\n  {:?}", others.get(path)));
            }
        }
    }
    let shown = differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences:\n{shown}", differences.len());
    assert!(compared > 8_000);
}

#[test]
fn every_request_agrees_with_the_published_fields() {
    let all: Vec<&Message> = schema().requests().map(|it| &**it).collect();
    agree("qbxml-fields.json", "requests", &all);
}

#[test]
fn every_response_agrees_with_the_published_fields() {
    let all: Vec<&Message> = schema().responses().map(|it| &**it).collect();
    agree("qbxml-responses.json", "responses", &all);
}
