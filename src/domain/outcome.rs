//! What QuickBooks, or a check before it, found wrong: codes, findings, dispositions.
//!
//! A [`Finding`] is data: a stable code, the place, and the facts that its sentences need. The words
//! are made at the edges, from the catalogue in `diagnosis`. Nothing here knows of wording.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::Digest;

/// Declares [`Code`] with its stable names, so that the list stands in one place.
macro_rules! codes {
    ($($variant:ident = $text:literal,)*) => {
        /// Why a record is not synced: the stable codes of the public contract.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Code {
            $(
                #[doc = concat!("`", $text, "`.")]
                #[serde(rename = $text)]
                $variant,
            )*
        }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that API, pages and documents use.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    NameInUse = "NAME_IN_USE",
    StringTooLong = "STRING_TOO_LONG",
    InvalidCharacters = "INVALID_CHARACTERS",
    MissingField = "MISSING_FIELD",
    InvalidValue = "INVALID_VALUE",
    UnknownField = "UNKNOWN_FIELD",
    ConflictingFields = "CONFLICTING_FIELDS",
    ReferenceNotFound = "REFERENCE_NOT_FOUND",
    InactiveReference = "INACTIVE_REFERENCE",
    CircularReference = "CIRCULAR_REFERENCE",
    WaitsForRecord = "WAITS_FOR_RECORD",
    ObjectNotFound = "OBJECT_NOT_FOUND",
    EditSequenceStale = "EDIT_SEQUENCE_STALE",
    RecordLocked = "RECORD_LOCKED",
    ClosedPeriod = "CLOSED_PERIOD",
    DuplicateRefNumber = "DUPLICATE_REF_NUMBER",
    PossibleDuplicate = "POSSIBLE_DUPLICATE",
    AlreadyPaid = "ALREADY_PAID",
    CustomerMismatch = "CUSTOMER_MISMATCH",
    AccountMismatch = "ACCOUNT_MISMATCH",
    MissingAccount = "MISSING_ACCOUNT",
    PermissionDenied = "PERMISSION_DENIED",
    FeatureNotAvailable = "FEATURE_NOT_AVAILABLE",
    MergeRefused = "MERGE_REFUSED",
    LinkedOrInUse = "LINKED_OR_IN_USE",
    CompanyFileDamaged = "COMPANY_FILE_DAMAGED",
    RequestRejected = "REQUEST_REJECTED",
    QuickbooksUnavailable = "QUICKBOOKS_UNAVAILABLE",
    QuickbooksDialogOpen = "QUICKBOOKS_DIALOG_OPEN",
    AccessNotGranted = "ACCESS_NOT_GRANTED",
    WrongCompanyFile = "WRONG_COMPANY_FILE",
    ConnectorOffline = "CONNECTOR_OFFLINE",
    ConnectorLoginFailed = "CONNECTOR_LOGIN_FAILED",
    OutcomeUnknown = "OUTCOME_UNKNOWN",
    InternalError = "INTERNAL_ERROR",
    Unclassified = "UNCLASSIFIED",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What QuickBooks or the Web Connector said, verbatim: people search for these texts.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Said {
    /// `statusCode` of an answer.
    pub status_code: Option<i32>,
    /// `statusSeverity` of an answer: `Info`, `Warn` or `Error`.
    pub severity: Option<String>,
    /// `statusMessage` of an answer, or `message` of the Web Connector.
    pub message: String,
    /// `hresult` of the Web Connector, such as `0x80040400`.
    pub hresult: Option<String>,
}

/// One thing that is wrong, as data.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The stable code.
    pub code: Code,
    /// A finer label inside the code, such as `credit_limit` inside `INVALID_VALUE`: it chooses the
    /// sentences of the catalogue. Empty where the code says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// JSON pointer into the pushed object, such as `/data/Name`; empty if no place is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// Facts for the sentences: `field`, `value`, `limit`, `actual`, `kind`, `nearest`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The other side's own words, if it spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// Objects of QuickBooks that may be meant, the likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
}

/// An object of QuickBooks that may be meant.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// ListID or TxnID.
    pub id: String,
    /// Such as `Customer`.
    pub kind: String,
    /// Its full name, or its number.
    pub name: String,
    /// Whether it can be used; `None` for what cannot be inactive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// What is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    /// Street and city, or a description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Date of a transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Amount of a transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

impl Finding {
    /// A finding with a code and nothing else.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            cause: String::new(),
            pointer: String::new(),
            facts: BTreeMap::new(),
            said: None,
            candidates: Vec::new(),
        }
    }

    /// The same with a finer label.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// The same at a place: a JSON pointer such as `/data/Name`.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// The same with one more fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// The problem that it is one of.
    pub fn group(&self) -> Group {
        // The object that many records miss is one problem, whatever they are themselves, and whoever
        // found out first.
        let object = match self.code {
            Code::ReferenceNotFound | Code::InactiveReference => self.facts.get("value"),
            _ => None,
        };
        let (what, which) = match object {
            Some(object) => ("object", object),
            None => ("cause", &self.cause),
        };
        let whole = Digest::of(format!("{} {what} {which}", self.code).as_bytes());
        Group(*whole.0.first_chunk().expect("a digest has more than 8 bytes"))
    }

    /// The same with a fact, unless it has it.
    #[must_use]
    pub fn or_fact(mut self, name: &str, value: String) -> Self {
        self.facts.entry(name.to_owned()).or_insert(value);
        self
    }

    /// The same with the other side's own words.
    #[must_use]
    pub fn said(mut self, said: Said) -> Self {
        self.said = Some(said);
        self
    }
}

/// Failures that are one problem: the same code and cause, and, where many records miss one object,
/// that object. It is a hash, so it has one length whatever the object is called.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Group([u8; 8]);

impl Group {
    /// As its bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// From its bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex);
        number.map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// What happens next to what got an answer.
///
/// Source: the disposition column of the status table (OSR, `QBD-errorcodes.html`, and field logs).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Disposition {
    /// It is in QuickBooks.
    Done,
    /// A query that found nothing: a success without rows.
    Empty,
    /// It is in QuickBooks, with a remark.
    Warned,
    /// It heals by itself: try again later, a bounded number of times.
    Retry,
    /// The edit sequence is old: ask QuickBooks for the new one, then once more.
    Refresh,
    /// Not this request's fault: it was not processed. Queue it again, at most three times.
    Requeue,
    /// A person changes the data, or something in QuickBooks.
    Fix,
    /// The object is there under another id: link or rename.
    Link,
    /// It is there already: a person may bypass the record.
    Bypass,
    /// The stored id is no longer valid: reset the reference.
    Reset,
    /// An administrator of QuickBooks has to act.
    Admin,
    /// Our own mistake, or an application's: no retry helps.
    Bug,
}
