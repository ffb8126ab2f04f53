//! What the request processor raises, in its words.
//!
//! Where no real sentence is public, the meaning stands for it.
//!
//! Source: Intuit's sample `WCWebService`; tables of HRESULTs in public code and runbooks.

use crate::simulator::quickbooks::Refused;

/// Another company file is open.
pub(super) const OTHER_FILE: u32 = 0x8004_040A;
/// QuickBooks is gone in the middle of a call.
pub(super) const CRASHED: u32 = 0x8007_06BA;

const WORDS: &[(u32, &str)] = &[
    (0x8004_0154, "Class not registered."),
    (0x8004_0308, "The qbXML request processor is not installed."),
    (0x8004_0400, "QuickBooks found an error when parsing the provided XML text stream."),
    (0x8004_0401, "Could not access QuickBooks."),
    (
        0x8004_0402,
        "Unexpected error. Check the qbsdklog.txt file for possible, additional information.",
    ),
    (0x8004_0403, "Could not open the specified QuickBooks company data file."),
    (0x8004_0408, "Could not start QuickBooks."),
    (
        OTHER_FILE,
        "A QuickBooks company data file is already open and it is different from the one requested.",
    ),
    (0x8004_040D, "The session ticket is invalid."),
    (
        0x8004_0410,
        "The QuickBooks company data file is open in a mode other than the one requested.",
    ),
    (0x8004_0414, "A modal dialog box is showing in the QuickBooks user interface."),
    (0x8004_0416, "QuickBooks is not running and no company data file name was supplied."),
    (0x8004_0418, "This application has not accessed this QuickBooks company data file before."),
    (
        0x8004_041A,
        "This application does not have permission to access this QuickBooks company data file.",
    ),
    (
        0x8004_041B,
        "Unable to lock the necessary information to allow this application to access the data file.",
    ),
    (0x8004_041C, "An internal QuickBooks error occurred while trying to access the data file."),
    (
        0x8004_041D,
        "This application is not allowed to log into this QuickBooks company data file automatically.",
    ),
    (0x8004_041E, "The certificate of this application has expired."),
    (0x8004_041F, "This version of QuickBooks does not support qbXML."),
    (0x8004_0420, "The QuickBooks user has denied access."),
    (
        0x8004_0422,
        "This application requires Single User file access mode and there is already another application sharing data with this file.",
    ),
    (0x8004_0423, "The version of qbXML that was requested is not supported or is unknown."),
    (0x8004_0424, "QuickBooks did not finish its initialization. Please try again later."),
    (0x8004_0427, "Unable to access QuickBooks because it is not registered."),
    (0x8004_042A, "Remote access is not allowed."),
    (CRASHED, "The RPC server is unavailable."),
];

/// What is raised, with its words.
pub(super) fn refused(hresult: u32) -> Refused {
    let known = WORDS.iter().find(|(code, _)| *code == hresult);
    let message = known.map_or("Unspecified error", |(_, words)| words);
    Refused { hresult, message: message.to_owned() }
}
