//! The data of a record as fields of a form, each with its limit.

use serde_json::Value;

use crate::domain::outcome::Code;
use crate::domain::record::Record;
use crate::engine::Engine;
use crate::qbxml::check;
use crate::qbxml::version::Edition;

/// Fields that are shown; an invoice of a thousand lines is no form.
const MAX_FIELDS: usize = 300;

/// A text that is longer is written in an area of several lines.
const ONE_LINE: usize = 100;
/// So is what may be longer: memos and notes. Names and addresses of mail may not.
const MAX_ONE_LINE: usize = 1023;
/// Lines that an area shows at once.
const MAX_ROWS: usize = 8;

/// Fields that belong together: those of the record itself, or of one of its lines.
pub(super) struct Part {
    pub(super) title: String,
    pub(super) fields: Vec<Field>,
}

pub(super) struct Field {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) pointer: String,
    pub(super) value: String,
    pub(super) length: usize,
    pub(super) limit: Option<usize>,
    /// What the application says, and who changed it.
    pub(super) was: Option<(String, &'static str)>,
    /// Lines of the area that it is written in; `None`: it fits into a field of one line. A browser
    /// takes the line breaks out of what stands in such a field.
    pub(super) rows: Option<usize>,
}

/// What the data was when a form was made of it: an edit of older data is none of what is there.
pub(super) fn seen(record: &Record) -> String {
    Engine::version_of(record).short()
}

/// A text with its line breaks as JSON of applications has them: a form sends all of them as CR LF.
pub(super) fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Lines that a value takes in a form.
fn rows(value: &str, limit: Option<usize>) -> Option<usize> {
    let breaks = lines(value).matches('\n').count();
    let long = limit.is_some_and(|limit| limit > MAX_ONE_LINE) || value.chars().count() > ONE_LINE;
    (breaks > 0 || long).then_some((breaks + 1).clamp(2, MAX_ROWS))
}

/// The values of a record, each with its limit, as far as the table of kinds knows one; and how many
/// are left out.
pub(super) fn parts(record: &Record, edition: Edition) -> (Vec<Part>, usize) {
    let mut found = Vec::new();
    collect(&record.amended(), "", &mut found);
    // What is missing is typed in where it belongs.
    for finding in record.findings.iter().filter(|it| it.code == Code::MissingField) {
        let pointer = finding.pointer.strip_prefix("/data").unwrap_or_default();
        let typed = check::typed_at(&record.key.kind, pointer).filter(|_| !pointer.is_empty());
        if let Some(typed) = typed.filter(|typed| found.iter().all(|(known, _)| known != typed)) {
            found.push((typed, String::new()));
        }
    }
    // What was left out can be put in again.
    for it in record.amendments.iter().filter(|it| it.to.is_null() && record.is_amended(it)) {
        if it.from.is_string() && found.iter().all(|(known, _)| *known != it.pointer) {
            found.push((it.pointer.clone(), String::new()));
        }
    }
    let left_out = found.len().saturating_sub(MAX_FIELDS);
    let mut parts = vec![Part { title: String::new(), fields: Vec::new() }];
    for (number, (pointer, value)) in found.into_iter().take(MAX_FIELDS).enumerate() {
        let (title, label) = named(&pointer);
        let before = record.data.pointer(&pointer).and_then(Value::as_str);
        let limit = check::limit(&record.key.kind, &pointer, edition);
        let field = Field {
            id: format!("field-{number}"),
            label,
            length: value.chars().count(),
            limit,
            rows: rows(&value, limit),
            was: before
                .filter(|before| *before != value)
                .map(|before| (before.to_owned(), changed(record, &pointer))),
            pointer,
            value,
        };
        match parts.iter_mut().find(|part| part.title == title) {
            Some(part) => part.fields.push(field),
            None => parts.push(Part { title, fields: vec![field] }),
        }
    }
    parts.retain(|part| !part.fields.is_empty());
    (parts, left_out)
}

/// Who changed a value.
fn changed(record: &Record, pointer: &str) -> &'static str {
    let mut all = record.amendments.iter().rev();
    match all.find(|it| it.pointer == pointer && record.is_amended(it)) {
        Some(it) if it.fix == "edit" => "you or another person changed it here",
        _ => "a fix changed it",
    }
}

/// The part and the name of a value: `/InvoiceLine/0/ItemRef/FullName` is `ItemRef › FullName` of
/// `InvoiceLine 1`.
fn named(pointer: &str) -> (String, String) {
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    let line = names.iter().position(|name| name.parse::<usize>().is_ok());
    let (title, rest) = match line.and_then(|at| names.get(at)?.parse::<usize>().ok().zip(Some(at)))
    {
        Some((index, at)) => {
            (format!("{} {}", names[..at].join(" › "), index + 1), &names[at + 1..])
        }
        None => (String::new(), names.as_slice()),
    };
    let label = if rest.is_empty() { "value".to_owned() } else { rest.join(" › ") };
    (title, label.replace("~1", "/").replace("~0", "~"))
}

fn collect(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(value, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Null => {}
        Value::String(text) => found.push((pointer.to_owned(), text.clone())),
        other => found.push((pointer.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_lines_or_may_be_long_is_written_in_an_area() {
        assert_eq!(rows("a", Some(209)), None);
        assert_eq!(rows(&"a".repeat(101), Some(209)), Some(2));
        assert_eq!(rows("", Some(4095)), Some(2));
        assert_eq!(rows("a\r\nb\rc", Some(41)), Some(3));
        assert_eq!(rows(&"a\n".repeat(30), None), Some(8));
    }
}
