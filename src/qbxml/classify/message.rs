//! A status message taken apart: what the program wrote, and what a user had typed.
//!
//! The `regex` crate runs in linear time on any text, so a hostile message costs nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// A message, taken apart.
pub(super) struct Parts {
    /// What the program wrote before its own dialog text: lower case, user data removed.
    pub(super) head: String,
    /// Its own dialog text: lower case.
    pub(super) suffix: String,
    /// What users typed that may stand in them unmarked, lower case: a text that is in here too is
    /// not the program's.
    pub(super) typed: String,
    /// The data that was quoted, by name.
    pub(super) facts: BTreeMap<&'static str, String>,
}

impl Parts {
    /// Whether the program's template says this.
    pub(super) fn head_says(&self, text: &str) -> bool {
        self.head.contains(text) && !self.typed.contains(text)
    }

    /// Whether the program says this at all. Who types the mark could have written all behind it.
    pub(super) fn says(&self, text: &str) -> bool {
        let typed = self.typed.contains(MARK) && self.typed.contains(text);
        self.head_says(text) || (self.suffix.contains(text) && !typed)
    }
}

/// Codes and their templates. A value takes as much as it can: what the program wrote comes last.
///
/// Source: OSR, "QBSDK error codes", and the messages of field logs.
const TEMPLATES: &[(&[i32], &str)] = &[
    (&[3000], r#"the given object id "(?P<value>.*)" in the field "(?P<field>[^"]*)" is invalid"#),
    (
        &[3010, 3020, 3040, 3045, 3050, 3060, 3065],
        r#"(?:\w+: )?there was an error when converting the (?P<kind>\w+)(?: value)? (?:"(?P<value>.*)"|\.\.\.)(?: in the field "?(?P<field>[^"]*?)"?)?"#,
    ),
    (&[3070], r#"the string "(?P<value>.*)" in the field "(?P<field>[^"]*)" is too long"#),
    (&[3090], r#"there was an error when storing "(?P<value>.*)" in the "(?P<field>[^"]*)" field"#),
    (
        &[3100],
        r#"the name (?:"(?P<value>.*)"|(?P<other>.*)) of the list elements? is already in use"#,
    ),
    (
        &[3120],
        r#"object:? (?:"(?P<value>.*)"(?: \((?P<kind>.*)\))?|(?P<other>.*)) specified in the request cannot be found"#,
    ),
    (
        &[3130],
        r#"there is an invalid reference to a parent "(?P<value>.*)" in the (?P<where>[^"]*?) list"#,
    ),
    (
        &[3140],
        r#"there is an invalid reference to quickbooks (?P<kind>[^"'<]*?) ?["'<](?P<value>.*)["'>] in the (?P<where>[^"]*?)"#,
    ),
    (&[3150], r#"there is a missing element: "?(?P<field>[^"]*?)"?"#),
    (
        &[3170],
        r#"there was an error when modifying an? (?P<kind>[\w /-]*?)(?: named "(?P<value>.*)"|, element "(?P<other>.*)")?"#,
    ),
    (
        &[3171],
        r"an attempt was made to modify an? (?P<kind>[^,]*?) with a date that is on or before the closing date of the company\..*",
    ),
    (
        &[3175, 3176],
        r"there was an error adding, modifying or deleting (?:(?P<value>.*) )?because it is already in use",
    ),
    (
        &[3180],
        r#"there was an error when saving an? (?P<kind>[\w /-]*?)(?: list)?(?:, element ["'](?P<value>.*)["'])?"#,
    ),
    (&[3160, 3185], r#"cannot (?:delete|void) the object specified by the id = "(?P<value>.*)""#),
    (&[3190], r#"cannot clear the element in the "?(?P<field>[^"]*?)"? field"#),
    (&[3200], r#"the provided edit sequence "(?P<value>.*)" is out-of-date"#),
    (&[3210], r#"the "(?P<field>[^"]*)" field has an invalid value "(?P<value>.*)""#),
    (&[3290], r#"the item "(?P<value>.*)" is placed in the request in incorrect order"#),
    (
        &[500],
        r#"the query request has not been fully completed\. there was a required element \("(?P<value>.*)"\) that could not be found in quickbooks"#,
    ),
];

/// What may stand behind a head.
const SUFFIX: &str = r"\.? ?(?: ?quickbooks error message: ?(?P<suffix>.*))?";
/// Names that a template may give to data.
const NAMES: [&str; 4] = ["value", "field", "kind", "where"];
/// What stands before the program's own dialog text.
const MARK: &str = "quickbooks error message:";
/// Data shorter than this is in many words.
const SHORTEST: usize = 3;
/// More of a message is never looked at.
const MAX_MESSAGE: usize = 16 << 10;

static COMPILED: LazyLock<Vec<(&'static [i32], Option<Regex>)>> = LazyLock::new(|| {
    let compile = |template: &str| Regex::new(&format!("^(?is:{template}{SUFFIX})$")).ok();
    TEMPLATES.iter().map(|(codes, template)| (*codes, compile(template))).collect()
});

/// Takes a message apart by the template of its code; an unknown message loses what is quoted, and
/// is not believed where it says what users typed.
pub(super) fn take_apart(code: i32, message: &str, typed: &[&str]) -> Parts {
    let text = plain(message);
    let typed: Vec<_> = typed.iter().map(|text| plain(text).to_lowercase()).collect();
    for (codes, template) in COMPILED.iter() {
        if !codes.contains(&code) {
            continue;
        }
        let Some(found) = template.as_ref().and_then(|template| template.captures(&text)) else {
            continue;
        };
        let mut facts = BTreeMap::new();
        let mut head = text.clone();
        if let Some(suffix) = found.name("suffix") {
            head.truncate(suffix.start());
            facts.insert("suffix", suffix.as_str().trim().to_owned());
        }
        for data in [found.name("value"), found.name("other")].into_iter().flatten() {
            if data.end() <= head.len() {
                head.replace_range(data.range(), "");
            }
            facts.insert("value", data.as_str().to_owned());
        }
        for name in NAMES {
            if let Some(data) = found.name(name) {
                facts.entry(name).or_insert_with(|| data.as_str().trim().to_owned());
            }
        }
        let suffix = facts.get("suffix").map(|suffix| suffix.to_lowercase()).unwrap_or_default();
        // Only a quote lets data out of its quotes, or what looks like the program's own end.
        let leaves = |text: &&String| text.contains(['"', '\'', '<']) || text.contains(MARK);
        let typed = typed.iter().filter(leaves).cloned();
        let typed = typed.collect::<Vec<_>>().join("\n");
        return Parts { head: head.to_lowercase(), suffix, typed, facts };
    }
    // What the data says ends there: it makes no words with those around it.
    let without = |text: String, value: &String| text.replace(value.as_str(), "\"");
    let marks = typed.iter().filter(|value| value.contains(MARK));
    let text = if marks.clone().next().is_none() { text } else { text.to_lowercase() };
    let mut parts = unknown(&marks.fold(text, without), &typed.join("\n"));
    let long = typed.iter().filter(|value| value.chars().count() >= SHORTEST);
    parts.head = long.fold(parts.head, without);
    parts
}

fn unknown(text: &str, typed_here: &str) -> Parts {
    // Lower case may change lengths, so positions are those of the lower text.
    let lower = text.to_lowercase();
    let mut facts = BTreeMap::new();
    // What stands between the first and the last quote may be a user's: a mark in there is none.
    let typed = lower.find('"').zip(lower.rfind('"')).unwrap_or((lower.len(), lower.len()));
    let mark = lower.rfind(MARK).filter(|at| *at < typed.0 || *at > typed.1);
    let (head, suffix) = match mark {
        Some(at) => (&lower[..at], lower[at + MARK.len()..].trim()),
        None => (lower.as_str(), ""),
    };
    let head = match (head.find('"'), head.rfind('"')) {
        // A quote that a user typed: nobody knows where that begins and ends.
        _ if head.matches('"').count() % 2 == 1 => String::new(),
        (Some(first), Some(last)) if first < last => {
            format!("{}{}", &head[..=first], &head[last..])
        }
        _ => head.to_owned(),
    };
    if !suffix.is_empty() {
        let original = text.to_lowercase() == lower && text.len() == lower.len();
        let start = lower.len() - suffix.len();
        let suffix = if original { text[start..].trim() } else { suffix };
        facts.insert("suffix", suffix.to_owned());
    }
    Parts { head, suffix: suffix.to_owned(), typed: typed_here.to_owned(), facts }
}

/// Straight quotes and dashes, single spaces: vendors and copies change them.
fn plain(message: &str) -> String {
    let mut text = String::with_capacity(message.len().min(MAX_MESSAGE));
    for character in message.chars().take(MAX_MESSAGE) {
        let character = match character {
            '“' | '”' | '„' => '"',
            '‘' | '’' => '\'',
            '–' | '—' => '-',
            other if other.is_whitespace() => ' ',
            other => other,
        };
        if character != ' ' || !text.ends_with(' ') {
            text.push(character);
        }
    }
    text.trim().to_owned()
}
