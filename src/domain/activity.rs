//! Who did what, and what the Web Connector called: append-only, for people.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::KeyId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;

/// One line of the activity of a connection, or of the server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Activity {
    /// Whose it is; `None`: the server's own, of its users, API keys and connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// When.
    pub at: Timestamp,
    /// Who: a user's or an API key's name, `web connector`, `bookbridge`.
    pub actor: String,
    /// What, in the past tense and lower case: `bypassed`, `paused`, `rotated the password`.
    pub action: String,
    /// To what: `Customer/C-100`, or empty for the connection itself; of the server's own `user ann`,
    /// `API key shop`, `connection acme`. Never a secret.
    pub subject: String,
    /// More, in a sentence; may be empty.
    pub detail: String,
}

impl Activity {
    /// The record that it is about, if it is about one.
    pub fn record(&self) -> Option<RecordKey> {
        let (kind, source_id) = self.subject.split_once('/')?;
        RecordKey::new(self.connection.as_ref()?, kind, source_id).ok()
    }
}

/// One call of the Web Connector.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Call {
    /// The session it belongs to.
    pub session: SessionId,
    /// When.
    pub at: Timestamp,
    /// The SOAP operation.
    pub operation: String,
    /// What was answered, in a few words.
    pub answer: String,
    /// Bytes of qbXML that went out or came in.
    pub bytes: u64,
    /// Milliseconds that Bookbridge worked on it; `None` in what older releases wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<u64>,
}

/// What an API key may do; each includes those before it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See.
    Read,
    /// See, push, decide.
    Write,
    /// All, with connections, passwords and keys.
    Admin,
}

impl Scope {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// One API key, without its secret.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ApiKey {
    /// Its name for `revoke`.
    pub id: KeyId,
    /// How often it was written.
    pub revision: Revision,
    /// Shown to people, and as the actor in the activity.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// SHA-256 of the key, which has 128 random bits.
    pub digest: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}
