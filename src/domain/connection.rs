//! A connection: one `.qwc`, one Web Connector user name, one QuickBooks company file.
//!
//! [`Connection`] is what people set; [`ConnectorState`] is what sessions leave behind. They are
//! stored apart, so that an administrator's change and a running session do not disturb each other.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Finding;

/// What people set.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Connection {
    /// Its name in paths.
    pub id: ConnectionId,
    /// How often it was written.
    pub revision: Revision,
    /// Shown to people.
    pub name: String,
    /// The Web Connector's user name; unique among all connections.
    pub username: String,
    /// SHA-256 of the password, which has 128 random bits and is never chosen by a person.
    pub password: Digest,
    /// Full path of the company file on the Web Connector's machine; `None`: the one that is open.
    pub company_file: Option<String>,
    /// The interval that the `.qwc` proposes, in minutes.
    pub every_minutes: u32,
    /// The application's name, as the Web Connector and QuickBooks show it.
    pub app_name: String,
    /// Identifies the application to QuickBooks. Made once: a new one breaks the pairing
    /// (QBWC1039; QBWC Programmer's Guide, chapter 4).
    pub owner_id: Uuid,
    /// Stamped into the company file under the owner id. Made once, for the same reason.
    pub file_id: Uuid,
    /// Whether sessions get no work.
    pub pause: Option<Pause>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why a connection gets no work.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// `None`: a person paused it; else what QuickBooks refused to everything.
    pub alert: Option<Finding>,
}

/// What sessions leave behind: the one place that says what of a connection is in doubt.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ConnectorState {
    /// Whose it is.
    pub connection: ConnectionId,
    /// How often it was written: every step of a session moves it, so two sessions cannot both send.
    pub revision: Revision,
    /// The session that may send, if one is open.
    pub living: Option<SessionId>,
    /// The write message set that was handed out and is not settled. While it stands, no other
    /// write is sent; once the session that waited for it is gone, it is in doubt.
    pub outstanding: Option<MessageSetId>,
    /// The last settled write message set; the next write names it as its `oldMessageSetID`.
    pub acknowledge: Option<MessageSetId>,
    /// Halves of refused message sets that are tried by themselves, next one last.
    pub splits: Vec<Vec<Subject>>,
    /// What the last session's first call told of QuickBooks.
    pub host: Option<Host>,
    /// The Web Connector's last call of any kind.
    pub last_seen_at: Option<Timestamp>,
    /// When a session last did what it came for.
    pub last_success_at: Option<Timestamp>,
    /// A refused password since the last good login.
    pub last_login_failed_at: Option<Timestamp>,
    /// Why the last session did nothing, or broke off: cleared by the next that works.
    pub trouble: Option<Finding>,
    /// The next session was asked for by a person: do not postpone it.
    pub wanted: bool,
}

impl ConnectorState {
    /// Of a connection that no Web Connector has called yet.
    pub fn new(connection: ConnectionId) -> Self {
        Self {
            connection,
            revision: Revision::NEW,
            living: None,
            outstanding: None,
            acknowledge: None,
            splits: Vec::new(),
            host: None,
            last_seen_at: None,
            last_success_at: None,
            last_login_failed_at: None,
            trouble: None,
            wanted: false,
        }
    }
}

/// What the first `sendRequestXML` of a session tells of QuickBooks.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Host {
    /// `HostRet/ProductName`.
    pub product: String,
    /// `qbXMLCountry`: `US`, `CA`, `UK`, `AU`.
    pub country: String,
    /// Highest qbXML version, as `13.0`.
    pub qbxml_version: String,
    /// Path of the company file in use.
    pub company_file: String,
    /// `CompanyRet/CompanyName`.
    pub company_name: String,
    /// Our `FileID` as it stood in the company file; `None` if it was not there.
    pub file_id: Option<String>,
    /// `SingleUser` or `MultiUser`.
    pub file_mode: String,
}
