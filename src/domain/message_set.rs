//! A message set: one `QBXMLMsgsRq`, what one `sendRequestXML` carries.
//!
//! Its bytes are written once, in the commit that hands them out, and never again: after a lost
//! answer QuickBooks compares a checksum (status 9001; SDK sample `QBInvoiceAdd`).

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::outcome::Said;

/// What a place in the queue stands for.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Subject {
    /// A record.
    Record(RecordKey),
    /// A raw request.
    Request(RequestId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(key) => key.fmt(f),
            Self::Request(id) => write!(f, "request {id}"),
        }
    }
}

/// Why a subject is in a message set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Make it.
    Add,
    /// Change it.
    Mod,
    /// Delete it.
    Delete,
    /// Void it.
    Void,
    /// Ask for its edit sequence and lines.
    Refresh,
    /// Ask who has its number, before it is made.
    Number,
    /// What a raw request says.
    Raw,
}

/// One request of a message set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Item {
    /// `requestID`, echoed by the answer.
    pub request_id: String,
    /// Whose request it is.
    pub subject: Subject,
    /// What it does.
    pub purpose: Purpose,
    /// Digest of the record's data as it was written.
    pub digest: Digest,
    /// The source's own line keys, in the order of the lines written.
    #[serde(default)]
    pub lines: Vec<Option<String>>,
    /// What came of it, once settled.
    #[serde(default)]
    pub said: Option<Said>,
}

/// Where a message set stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Handed out; no answer is here.
    Sent,
    /// The session that waited for its answer is gone.
    InDoubt,
    /// Its answer was applied.
    Settled,
    /// QuickBooks refused it as a whole, and executed nothing (0x80040400).
    Refused,
    /// A query whose answer was lost: it will be asked anew.
    Dropped,
    /// QuickBooks cannot say what became of it (status 600, 9001, 9002).
    Unknown,
}

/// A text that may be too long to hold: a response of QuickBooks.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Body {
    /// Short enough to stand beside its owner.
    Inline(String),
    /// A file of the store's own, named by it.
    Spooled {
        /// The store's name for it.
        name: String,
        /// Its length in bytes.
        length: u64,
    },
}

impl Body {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(text) => text.len() as u64,
            Self::Spooled { length, .. } => *length,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One `QBXMLMsgsRq`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MessageSet {
    /// `newMessageSetID` of a write; a name of our own for a query, which carries none.
    pub id: MessageSetId,
    /// How often it was written.
    pub revision: Revision,
    /// Whose it is.
    pub connection: ConnectionId,
    /// The session that was handed it first.
    pub session: SessionId,
    /// Whether it changes QuickBooks, and so carries an id and is recovered.
    pub writes: bool,
    /// The document, byte for byte.
    pub qbxml: String,
    /// What is in it, in order.
    pub items: Vec<Item>,
    /// Where it stands.
    pub progress: Progress,
    /// How often it was handed out.
    pub handed_out: u32,
    /// How many of its answers could not be read.
    #[serde(default)]
    pub unreadable: u32,
    /// When it was first handed out.
    pub sent_at: Timestamp,
    /// When its answer was applied.
    pub settled_at: Option<Timestamp>,
    /// What QuickBooks answered, verbatim.
    pub response: Option<Body>,
    /// What the Web Connector said instead of an answer.
    pub failure: Option<Said>,
}
