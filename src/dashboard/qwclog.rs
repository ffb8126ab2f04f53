//! A `QWCLog.txt` of the Web Connector, read and explained.
//!
//! A line begins with `20261124.08:33:06 UTC`, a tab, and a colon; what follows may go on over lines.
//! The texts are those of the Web Connector; what they mean stands in the table below.
//!
//! Source: *QBWC Programmer's Guide* 2.0, "Troubleshooting"; logs that users have published.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// Lines that are looked at; the last ones count.
const MAX_LINES: usize = 20_000;
/// Events that are told.
const MAX_EVENTS: usize = 500;
/// Longest text of an event that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// One thing that the log tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Event {
    /// When, if the line says so.
    pub(super) at: Option<Timestamp>,
    /// What the log says, in short.
    pub(super) what: String,
    /// What that means.
    pub(super) means: &'static str,
    /// Whether it keeps the connection from working.
    pub(super) bad: bool,
}

/// What a text means: the first that is found in a line counts.
const MEANINGS: &[(&str, &str, bool)] = &[
    (
        "QBWC1040",
        "User name or password is wrong. Type the password again; make a new one if it is lost.",
        true,
    ),
    (
        "QBWC1012",
        "The login did not come to its end: the network, the certificate, or what the server answered. Is Bookbridge running, and is its address right?",
        true,
    ),
    (
        "QBWC1039",
        "The company file knows this application under another identity. Remove the application from QuickBooks' Integrated Applications, or make a new identity here and add the new .qwc.",
        true,
    ),
    (
        "QBWC1042",
        "The server did not answer in time, or answered something else: look at a proxy in between.",
        true,
    ),
    (
        "QBWC1048",
        "The certificate of the server cannot be verified: it must be valid for this host, and this Windows must trust it.",
        true,
    ),
    (
        "0x80040408",
        "QuickBooks could not be started. Open it on this machine with the company file.",
        true,
    ),
    ("0x80040414", "A dialog is open in QuickBooks. Close it.", true),
    (
        "0x80040418",
        "QuickBooks has not allowed this application. Allow it under Integrated Applications.",
        true,
    ),
    (
        "0x8004041A",
        "This application has no access to the company file. Allow it under Integrated Applications.",
        true,
    ),
    (
        "0x8004041C",
        "QuickBooks refuses the login of this application without a user. Allow it to log in automatically.",
        true,
    ),
    ("0x80040420", "QuickBooks denied access: the person pressed No.", true),
    (
        "0x80040400",
        "QuickBooks could not read a request; Bookbridge finds the one record by halving.",
        true,
    ),
    (
        "Could not start QuickBooks",
        "QuickBooks could not be started. Open it on this machine with the company file.",
        true,
    ),
    // Behind the codes of QuickBooks, which say more.
    (
        "QBWC1013",
        "QuickBooks could not be opened. Open it on this machine with the company file, and close its dialogs.",
        true,
    ),
    ("Authentication failed", "User name or password is wrong. Type the password again.", true),
    ("Unable to connect", "The server cannot be reached from this machine.", true),
    (
        "could not establish trust",
        "The certificate of the server is not trusted by this Windows.",
        true,
    ),
    (
        "The remote name could not be resolved",
        "The name of the server is not known: look at the address and at DNS.",
        true,
    ),
    ("No data exchange required", "Nothing was to do.", false),
    ("Authentication succeeded", "The login was right.", false),
    (
        "Update completed with errors",
        "A session ended with errors; the lines above say which.",
        true,
    ),
    ("Update completed successfully", "A session ended well.", false),
    ("Data received from", "QuickBooks answered.", false),
    ("Connecting to application", "A session begins.", false),
    ("Scheduler_doUpdateJob", "The schedule wakes it.", false),
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
        let meaning = MEANINGS.iter().find(|(text, ..)| rest.contains(text));
        let Some((_, means, bad)) = meaning else { continue };
        let what: String = rest.trim().chars().take(MAX_SHOWN).collect();
        let again = events.last().is_some_and(|last| last.means == *means && last.at == at);
        if !again {
            events.push(Event { at, what, means, bad: *bad });
        }
    }
    let first = events.len().saturating_sub(MAX_EVENTS);
    events.split_off(first)
}

/// The sentence about all of it: the last trouble, if nothing went well after it.
pub(super) fn conclude(events: &[Event]) -> String {
    let well = events.iter().rposition(|event| event.means == "A session ended well.");
    let trouble = events
        .iter()
        .rposition(|event| event.bad && !event.what.contains("Update completed with errors"));
    match (trouble, well) {
        (None, None) if events.is_empty() => {
            "This does not look like a QWCLog.txt: no line of it is known.".to_owned()
        }
        (None, _) => "Nothing in it went wrong.".to_owned(),
        (Some(bad), Some(well)) if well > bad => {
            "There was trouble, but a session ended well after it.".to_owned()
        }
        (Some(bad), _) => events[bad].means.to_owned(),
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

        let bad: Vec<bool> = events.iter().map(|event| event.bad).collect();
        assert_eq!(bad, [false, true, true]);
        assert!(events[1].what.starts_with("Error message:"), "{}", events[1].what);
        assert_eq!(events[1].at.unwrap().to_string(), "2026-11-24T08:33:09Z");
        assert_eq!(conclude(&events), "A dialog is open in QuickBooks. Close it.");
        let well = format!("{LOG}20261124.09:00:00 UTC\t: Update completed successfully.");
        assert!(conclude(&read(&well)).contains("ended well"));
    }

    #[test]
    fn a_wrong_password_is_told_from_a_login_that_broke_off() {
        let means = |line: &str| read(line).first().map_or("", |event| event.means);

        assert!(means("QBWC1040: Invalid user name or password").contains("password is wrong"));
        assert!(means("QBWC1012: Authentication failed due to").contains("network"));
        assert!(means("QBWC1013: Error connecting to QuickBooks").contains("QuickBooks"));
        assert!(means("QBWC1013: 0x80040414: A dialog").contains("dialog is open"));
    }

    #[test]
    fn what_is_no_log_is_said_to_be_none() {
        assert!(conclude(&read("hello\nworld")).contains("does not look like"));
        assert!(read("20261199.99:99:99 x 0x80040408").first().unwrap().at.is_none());
        assert!(read(&"ü".repeat(1000)).is_empty());
    }
}
