//! A `QWCLog.txt` of the Web Connector, read and explained.
//!
//! A line begins with `20261124.08:33:06 UTC`, a tab, and a colon; what follows may go on over lines.
//! The texts are those of the Web Connector; what they mean stands in the table below, what its codes
//! mean in [`codes`], and what those of QuickBooks mean in the catalogue.
//!
//! Source: *QBWC Programmer's Guide* 2.0, "Troubleshooting"; logs that users have published.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::dashboard::codes;
use crate::diagnosis;
use crate::domain::outcome::Code;
use crate::domain::outcome::Said;
use crate::qbxml::classify;

/// Lines that are looked at; the last ones count.
const MAX_LINES: usize = 20_000;
/// Events that are told.
const MAX_EVENTS: usize = 500;
/// Longest text of an event that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// How a thing that the log tells counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    /// It is as it should be.
    Fine,
    /// A session ended well.
    Well,
    /// Something went wrong; another line says what.
    Vague,
    /// Something went wrong.
    Bad,
}

/// One thing that the log tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Event {
    /// When, if the line says so.
    pub(super) at: Option<Timestamp>,
    /// What the log says, in short.
    pub(super) what: String,
    /// What that means.
    pub(super) means: String,
    weight: Weight,
}

impl Event {
    /// Whether it is trouble.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.weight, Weight::Vague | Weight::Bad)
    }
}

/// What a text without a code means: the first that is found in a line counts.
const TEXTS: &[(&str, &str, Weight)] = &[
    (
        "Could not start QuickBooks",
        "QuickBooks could not be started. Open it on this machine with the company file.",
        Weight::Bad,
    ),
    (
        "Authentication failed",
        "User name or password is wrong. Type the password again.",
        Weight::Bad,
    ),
    ("Unable to connect", "The server cannot be reached from this machine.", Weight::Bad),
    (
        "could not establish trust",
        "The certificate of the server is not trusted by this Windows.",
        Weight::Bad,
    ),
    (
        "The remote name could not be resolved",
        "The name of the server is not known: look at the address and at DNS.",
        Weight::Bad,
    ),
    ("No data exchange required", "Nothing was to do.", Weight::Fine),
    ("Authentication succeeded", "The login was right.", Weight::Fine),
    (
        "Update completed with errors",
        "A session ended with errors; the lines above say which.",
        Weight::Vague,
    ),
    ("Update completed successfully", "A session ended well.", Weight::Well),
    ("Data received from", "QuickBooks answered.", Weight::Fine),
    ("Connecting to application", "A session begins.", Weight::Fine),
    ("Scheduler_doUpdateJob", "The schedule wakes it.", Weight::Fine),
];

/// Reads a log: what happened, in order; the last events if there are many.
pub(super) fn read(text: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let begin = lines.len().saturating_sub(MAX_LINES);
    let mut at = None;
    for line in &lines[begin..] {
        let (stamp, rest) = stamped(line);
        at = stamp.or(at);
        let Some((means, weight)) = meaning(rest) else { continue };
        let what: String = rest.trim().chars().take(MAX_SHOWN).collect();
        let again = events.last().is_some_and(|last| last.means == means && last.at == at);
        if !again {
            events.push(Event { at, what, means, weight });
        }
    }
    let first = events.len().saturating_sub(MAX_EVENTS);
    events.split_off(first)
}

/// What a line means: by the code of QuickBooks, which says most; by that of the Web Connector; by a
/// code that nobody knows; by its text.
fn meaning(line: &str) -> Option<(String, Weight)> {
    let (hresult, code) = (hresult(line), code(line));
    if let Some(hresult) = hresult
        && let Some(means) = of_quickbooks(hresult)
    {
        return Some((means, Weight::Bad));
    }
    if let Some(row) = code.and_then(|code| codes::explained(code.parse().ok()?)) {
        let weight = if row.vague { Weight::Vague } else { Weight::Bad };
        return Some((format!("{} {}", row.means, row.helps), weight));
    }
    if let Some(unknown) = hresult.map(str::to_owned).or(code.map(|code| format!("QBWC{code}"))) {
        let means = format!("{unknown} is not known here. Read what the log says beside it.");
        return Some((means, Weight::Bad));
    }
    let (_, means, weight) = TEXTS.iter().find(|(text, ..)| line.contains(text))?;
    Some(((*means).to_owned(), *weight))
}

/// What a code of QuickBooks means, and what helps.
fn of_quickbooks(hresult: &str) -> Option<String> {
    let said = Said { hresult: Some(hresult.to_owned()), ..Said::default() };
    let finding = classify::hresult(&said);
    // The table has a cause for each of those that stand beside what is not in it.
    if finding.code == Code::QuickbooksUnavailable && finding.cause.is_empty() {
        return None;
    }
    let told = diagnosis::render(&finding);
    let helps = told.fixes.into_iter().find_map(|fix| fix.how).unwrap_or_default();
    Some(format!("{} {helps}", told.detail))
}

/// The first error code of Windows or QuickBooks in a line, such as `0x80040408`.
fn hresult(line: &str) -> Option<&str> {
    let found = line.match_indices("0x").chain(line.match_indices("0X")).filter_map(|(at, _)| {
        let code = line.get(at..at + 10)?;
        let digits = code.as_bytes().get(2..)?;
        let is_one = digits.iter().all(u8::is_ascii_hexdigit)
            && ["8000", "8004", "8007"].iter().any(|family| digits.starts_with(family.as_bytes()));
        is_one.then_some(code)
    });
    found.min_by_key(|code| code.as_ptr())
}

/// The digits of the first `QBWC1…` in a line.
fn code(line: &str) -> Option<&str> {
    line.match_indices("QBWC1").find_map(|(at, _)| {
        let code = line.get(at + 4..at + 8)?;
        code.bytes().all(|byte| byte.is_ascii_digit()).then_some(code)
    })
}

/// The sentence about all of it: the last trouble, if no session ended well after it.
pub(super) fn conclude(events: &[Event]) -> String {
    let well = events.iter().rposition(|event| event.weight == Weight::Well);
    let after = &events[well.map_or(0, |well| well + 1)..];
    let last = |weight| after.iter().rfind(|event: &&Event| event.weight == weight);
    match last(Weight::Bad).or(last(Weight::Vague)) {
        Some(trouble) => trouble.means.clone(),
        None if events.is_empty() => {
            "This does not look like a QWCLog.txt: no line of it is known.".to_owned()
        }
        None if events.iter().any(Event::is_bad) => {
            "There was trouble, but a session ended well after it.".to_owned()
        }
        None => "Nothing in it went wrong.".to_owned(),
    }
}

/// The time at the beginning of a line, and the rest.
fn stamped(line: &str) -> (Option<Timestamp>, &str) {
    let parsed = line.get(..17).and_then(|stamp| {
        let iso = format!(
            "{}-{}-{}T{}",
            stamp.get(..4)?,
            stamp.get(4..6)?,
            stamp.get(6..8)?,
            stamp.get(9..17)?
        );
        iso.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()
    });
    match parsed {
        Some(time) => {
            let rest = line.get(17..).unwrap_or_default();
            let rest = rest.strip_prefix(" UTC").unwrap_or(rest);
            (Some(time.timestamp()), rest.trim_start_matches(['\t', ' ', ':']))
        }
        None => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "20261124.08:33:06 UTC\t: QBWebConnector.SOAPWebService.do_authenticate() : Authentication succeeded\n\
        20261124.08:33:07 UTC\t: QBWebConnector.SOAPWebService.ProcessRequestXML() : Processing request_xml using ProcessRequest\n\
        20261124.08:33:09 UTC\t: Error message: 0x80040414: A modal dialog box is showing\n\
        more of the same\n\
        20261124.08:33:10 UTC\t: Update completed with errors. See log for details.\n";

    #[test]
    fn a_log_is_told_in_order_and_concluded() {
        let events = read(LOG);

        let bad: Vec<bool> = events.iter().map(Event::is_bad).collect();
        assert_eq!(bad, [false, true, true]);
        assert!(events[1].what.starts_with("Error message:"), "{}", events[1].what);
        assert_eq!(events[1].at.unwrap().to_string(), "2026-11-24T08:33:09Z");
        assert!(conclude(&events).starts_with("A message or dialog is open in QuickBooks"));
        let well = format!("{LOG}20261124.09:00:00 UTC\t: Update completed successfully.");
        assert!(conclude(&read(&well)).contains("ended well"));
    }

    #[test]
    fn a_wrong_password_is_told_from_a_login_that_broke_off() {
        for (line, told) in [
            ("QBWC1040: Invalid user name or password", "password is wrong"),
            ("QBWC1012: Authentication failed due to", "network"),
            ("QBWC1013: Error connecting to QuickBooks", "QuickBooks could not be opened"),
            ("QBWC1013: 0x80040414: A dialog", "dialog is open"),
            ("QBWC1013: 0x8004041c: an error", "company file"),
        ] {
            assert!(conclude(&read(line)).contains(told), "{line}: {}", conclude(&read(line)));
        }
    }

    #[test]
    fn a_session_that_broke_is_no_good_one_and_says_what_broke_it() {
        let check = |log: &str, told: &str| {
            let said = conclude(&read(log));
            assert!(said.contains(told), "{log}: {said}");
        };

        check(
            "Authentication succeeded\nQBWC1041: SendRequestXML failed: it timed out\n\
             Update completed with errors",
            "sendRequestXML",
        );
        check("Scheduler_doUpdateJob\nQBWC1030: No password", "has no password");
        check("Authentication succeeded\nUpdate completed with errors", "ended with errors");
        check("QBWC1041: x\nQBWC1031: the update has errors", "sendRequestXML");
        check("QBWC1041: x\nUpdate completed successfully", "ended well after it");
        check("Authentication succeeded\nUpdate completed successfully", "Nothing in it");
    }

    #[test]
    fn a_code_alone_is_a_log_and_one_that_nobody_knows_is_trouble() {
        for code in ["QBWC1003", "QBWC1010", "QBWC1030", "QBWC1037", "QBWC1041", "QBWC1085"] {
            let events = read(code);
            assert!(events.len() == 1 && events[0].is_bad(), "{events:?}");
            assert!(!events[0].means.contains("not known here"), "{events:?}");
        }
        for code in ["QBWC1049", "QBWC1999", "0x8004FFFF", "0x80004005", "0X8004ffff"] {
            let said = conclude(&read(&format!("Authentication succeeded\nü {code}: x")));
            assert!(said.starts_with(&format!("{code} is not known here")), "{said}");
        }
        for none in [
            "QBWC1",
            "QBWC10",
            "QBWC1ü00",
            "0x8004",
            "0x8004ü",
            "0x800üüüüüü",
            "0x80040z00",
            "0x12345678",
        ] {
            assert!(read(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn what_is_no_log_is_said_to_be_none() {
        assert!(conclude(&read("hello\nworld")).contains("does not look like"));
        assert!(read("20261199.99:99:99 x 0x80040408").first().unwrap().at.is_none());
        assert!(read(&"ü".repeat(1000)).is_empty());
    }
}
