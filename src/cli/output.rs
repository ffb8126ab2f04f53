//! What is printed, and how: tables, problems, JSON; never a control character of somebody else's.
//!
//! Whoever reads our output may have seen enough (`bookbridge push … | head`). That ends no command:
//! it goes on to its end unseen, and its exit code is the real one. `tests/cli/output.rs` holds it.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use crate::engine::FIXES;

/// A line on stdout.
pub(super) fn line(text: impl Display) -> io::Result<()> {
    unseen(seen_line(text))
}

/// A line on stdout; an error too if nobody reads it any more: for what has no end of its own.
pub(super) fn seen_line(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// A part of a line on stdout.
pub(super) fn part(text: impl Display) -> io::Result<()> {
    unseen(write!(io::stdout().lock(), "{text}"))
}

/// Nobody reads any more: that is no failure.
pub(super) fn unseen(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A JSON value on stdout.
pub(super) fn json(value: &Value) -> io::Result<()> {
    line(format_args!("{value:#}"))
}

/// The text at a JSON pointer; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Cow<'a, str> {
    match value.pointer(pointer) {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(other.to_string()),
    }
}

/// A text from elsewhere, safe for a terminal: on one line, without control characters.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The same, with its lines kept.
pub(super) fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// A word as a shell takes it.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A path as a shell takes it, in whatever directory it stands.
pub(super) fn path(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    word(&absolute.display().to_string())
}

/// This program as it was called, if that was by a path: it need not be found by its name.
pub(super) fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let called = called.filter(|called| called.components().count() > 1);
    called.map_or_else(|| "bookbridge".to_owned(), |called| path(&called))
}

/// A table in plain columns.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(head);
    for row in rows {
        table.add_row(row.map(|cell| clean(&cell)));
    }
    let text = table.to_string();
    let line = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A problem document in words: what is wrong, where, and what to do.
pub(super) fn problem(problem: &Value) -> String {
    let findings = problem.get("errors").and_then(Value::as_array).filter(|all| !all.is_empty());
    let mut text = match findings {
        Some(all) if all.len() > 1 => all.iter().map(finding).collect::<Vec<_>>().join("\n"),
        _ => finding(problem),
    };
    let quickbooks = said(problem);
    if !quickbooks.is_empty() {
        text.push_str("\n  QuickBooks: ");
        text.push_str(&quickbooks);
    }
    text
}

/// One finding in words.
pub(super) fn finding(finding: &Value) -> String {
    let field = |pointer| self::text(finding, pointer);
    let mut line = field("/detail").into_owned();
    if line.is_empty() {
        line = field("/title").into_owned();
    }
    let marks: Vec<_> =
        [field("/code"), field("/pointer")].into_iter().filter(|mark| !mark.is_empty()).collect();
    if !marks.is_empty() {
        line = format!("{line} ({})", marks.join(" at "));
    }
    for one in finding.get("fixes").and_then(Value::as_array).into_iter().flatten() {
        line.push_str("\n  → ");
        line.push_str(&fix(one));
    }
    line
}

/// A fix in words; one that `record fix` presses with the id by which it is named there.
pub(super) fn fix(fix: &Value) -> String {
    let (label, id) = (text(fix, "/label"), text(fix, "/id"));
    // Waiting is nothing to press, and some labels have the word already.
    let is_pressed = FIXES.contains(&&*id) && id != "wait";
    let shown = format!("({id})");
    if is_pressed && !label.ends_with(&shown) {
        format!("{label} {shown}")
    } else {
        label.into_owned()
    }
}

/// What QuickBooks itself said, verbatim, with its code.
pub(super) fn said(problem: &Value) -> String {
    let field = |pointer| text(problem, pointer);
    let code = [field("/quickbooks/statusCode"), field("/quickbooks/hresult")]
        .into_iter()
        .find(|code| !code.is_empty())
        .unwrap_or_default();
    let message = field("/quickbooks/statusMessage");
    [code, message]
        .iter()
        .filter(|part| !part.is_empty())
        .map(AsRef::as_ref)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_said_in_words() {
        let value = json!({
            "title": "Text too long", "code": "STRING_TOO_LONG", "pointer": "/data/Name",
            "detail": "Name has 45 characters; QuickBooks allows 41.",
            "fixes": [{"id": "shorten", "label": "Shorten the name"}],
            "quickbooks": {"statusCode": 3070, "statusMessage": "The string is too long."},
        });

        assert_eq!(
            problem(&value),
            "Name has 45 characters; QuickBooks allows 41. (STRING_TOO_LONG at /data/Name)\n  \
             → Shorten the name (shorten)\n  QuickBooks: 3070 The string is too long."
        );
    }

    #[test]
    fn only_a_fix_that_is_pressed_shows_its_id() {
        for (id, label, expected) in [
            ("shorten", "Do it", "Do it (shorten)"),
            ("bypass", "Do it (bypass)", "Do it (bypass)"),
            ("open-period", "Do it", "Do it"),
            ("wait", "Do it", "Do it"),
            ("", "Do it", "Do it"),
        ] {
            assert_eq!(fix(&json!({"id": id, "label": label})), expected);
        }
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_tear_it() {
        for (text, expected) in [
            ("/tmp/bookbridge-demo", "/tmp/bookbridge-demo"),
            ("/tmp/my demo", "'/tmp/my demo'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(word(text), expected);
        }
    }

    #[test]
    fn nobody_else_writes_to_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc"), "a [31mb c");
        assert_eq!(clean_lines("a\u{7}\nb"), "a \nb");
    }
}
