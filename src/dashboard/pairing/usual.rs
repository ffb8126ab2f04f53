//! What usually goes wrong at a step of the pairing page, and what helps.

use crate::dashboard::codes;

/// What goes wrong, and what helps.
pub(super) type Help = (String, String);
type Usual = (&'static str, &'static str);

/// Codes of the Web Connector that come while the application is added, the most likely first.
const ADDING: &[u16] = &[1048, 1039, 1026, 1010, 1001, 1000, 1003, 1022];
/// What else goes wrong then.
const ADDING_ELSE: &[Usual] = &[(
    "Nothing happens at a double click",
    "Start the Web Connector first (Windows start menu, QuickBooks), press Add an Application there, and choose the file.",
)];
/// Codes that come at the password.
const TYPING: &[u16] = &[1030, 1040];
/// What goes wrong while access is given.
const GIVING: &[Usual] = &[
    (
        "The question does not come",
        "Open the company file in QuickBooks as Admin, in single-user mode, and add the application again.",
    ),
    (
        "0x80040418, 0x8004041A: no access",
        "QuickBooks: Edit > Preferences > Integrated Applications > Company Preferences. Untick Don't allow any applications, tick this application, press OK.",
    ),
];
/// Codes that come while it updates.
const UPDATING: &[u16] = &[1012, 1041, 1042];
/// What QuickBooks says then.
const UPDATING_ELSE: &[Usual] = &[
    (
        "0x80040408: QuickBooks could not be started",
        "Open QuickBooks on this machine, with the company file, and press Update Selected again.",
    ),
    (
        "0x80040414: a dialog is open",
        "Close every message and window in QuickBooks, then press Update Selected again.",
    ),
];

/// While the application is added.
pub(super) fn adding() -> Vec<Help> {
    usual(ADDING, ADDING_ELSE)
}

/// While access is given.
pub(super) fn giving() -> Vec<Help> {
    usual(&[], GIVING)
}

/// At the password.
pub(super) fn typing() -> Vec<Help> {
    usual(TYPING, &[])
}

/// While it updates.
pub(super) fn updating() -> Vec<Help> {
    usual(UPDATING, UPDATING_ELSE)
}

/// What may go wrong at a step: codes of the Web Connector, and the rest.
fn usual(codes: &[u16], rest: &[Usual]) -> Vec<Help> {
    let rows = codes.iter().filter_map(|code| codes::explained(*code));
    let mut all: Vec<_> = rows
        .map(|row| {
            let names: Vec<_> = row.codes.iter().map(|code| format!("QBWC{code}")).collect();
            (format!("{}: {}", names.join(", "), row.means), row.helps.to_owned())
        })
        .collect();
    all.extend(rest.iter().map(|(what, helps)| ((*what).to_owned(), (*helps).to_owned())));
    all
}
