//! A raw request: qbXML of an application's own that passes through the queue.

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
use crate::domain::outcome::Finding;
use crate::domain::outcome::Group;

/// Where a raw request stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// In the queue.
    Queued,
    /// Handed to the Web Connector.
    Sent,
    /// A write whose answer was lost; being recovered.
    InDoubt,
    /// Answered; what QuickBooks thought of it stands in the response.
    Answered,
    /// It will not be answered; the findings say why.
    Failed,
}

impl RequestStatus {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::InDoubt => "in_doubt",
            Self::Answered => "answered",
            Self::Failed => "failed",
        }
    }
}

/// What QuickBooks does with the requests behind one that fails (OSR, `onError`; it knows
/// `rollbackOnError` too, and refuses it).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OnError {
    /// They are executed.
    #[default]
    ContinueOnError,
    /// They are not (status 3231).
    StopOnError,
}

impl OnError {
    /// The rule that is ours, and which may be left out.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::ContinueOnError)
    }

    /// As qbXML writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContinueOnError => "continueOnError",
            Self::StopOnError => "stopOnError",
        }
    }
}

/// An iterator of QuickBooks: it lives as long as the session that began it (OSR, "Iterators").
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Iterator {
    /// The session.
    pub session: SessionId,
    /// `iteratorID`.
    pub id: String,
}

/// What we ask QuickBooks for our own sake.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct About {
    /// The record that waits for the answer; `None` for what the mirror asks.
    pub record: Option<RecordKey>,
    /// What is asked.
    pub question: Question,
    /// The problem that is gone once it is done: the record may have moved on by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Group>,
}

/// A question.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Question {
    /// Whether an Add of which QuickBooks has no memory is in the books.
    Outcome(Sent),
    /// Why a payment was refused: what it pays is gone, paid already, or another's.
    Paid,
    /// Whether a reference that QuickBooks does not find is inactive.
    Inactive,
    /// Who has the name that is in use.
    Namesake,
    /// What became of an object that QuickBooks does not find.
    Gone,
    /// Whether the object with this ListID or TxnID, which a person named, is there.
    Linked(String),
    /// Whether what we made was edited since, before it is undone.
    Undo,
    /// The edit sequence of an inactive object, to make it active.
    Reactivate(Target),
    /// No question: a change to something else that the record waits for.
    Mend(String),
    /// A part of the mirror.
    Mirror(String),
}

/// An object of QuickBooks that is to be changed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Target {
    /// Such as `ItemService`.
    pub kind: String,
    /// Its full name.
    pub name: String,
}

/// What was sent, as far as it can be found again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sent {
    /// When it was sent first.
    pub at: Timestamp,
    /// `RefNumber` of a transaction, full name of a list element.
    pub name: Option<String>,
    /// `TxnDate` of a transaction.
    pub date: Option<String>,
    /// ListID of whom a transaction is with.
    pub entity: Option<String>,
    /// The full name of whom it is with, where it was sent by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_name: Option<String>,
    /// Its amount without tax, where it or each of its lines has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Who had its number before it was sent, as far as that was known: none of them is it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

impl Sent {
    /// What went out at a time, of which nothing else is known.
    pub const fn at(at: Timestamp) -> Self {
        let (name, date, entity, entity_name, amount) = (None, None, None, None, None);
        Self { at, name, date, entity, entity_name, amount, others: Vec::new() }
    }
}

/// One raw request, of one or more qbXML requests.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Request {
    /// Its name in paths.
    pub id: RequestId,
    /// How often it was written.
    pub revision: Revision,
    /// Whose it is.
    pub connection: ConnectionId,
    /// Its place in the queue among equals; 0 until the store gives one.
    pub sequence: u64,
    /// Higher goes first.
    pub priority: i32,
    /// The `…Rq` elements, checked, without an envelope.
    pub qbxml: String,
    /// The requests in it, in order, such as `CustomerQueryRq`.
    pub types: Vec<String>,
    /// Whether any of them changes QuickBooks.
    pub writes: bool,
    /// What QuickBooks does with the requests behind one that fails.
    #[serde(default, skip_serializing_if = "OnError::is_ours")]
    pub on_error: OnError,
    /// The qbXML version it needs at least, such as `13.0`.
    pub version: String,
    /// `Idempotency-Key` of the call that made it.
    pub idempotency_key: Option<String>,
    /// Digest of the call's body: another body under the same key is refused.
    pub digest: Digest,
    /// Where it stands.
    pub status: RequestStatus,
    /// The message set that carries it, once sent; its response stands there.
    pub message_set: Option<MessageSetId>,
    /// The message sets that carried the pages of an iterated query before that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<MessageSetId>,
    /// Where an iterated query goes on, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterator: Option<Iterator>,
    /// Not before this time, if set.
    pub due: Option<Timestamp>,
    /// Automatic tries.
    pub tries: u32,
    /// Why it failed.
    pub findings: Vec<Finding>,
    /// Set if it is a question of our own about a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// First put.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}
