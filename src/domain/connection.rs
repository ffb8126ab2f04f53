//! A connection: one `.qwc`, one Web Connector user name, one QuickBooks company file.
//!
//! [`Connection`] is what people set; [`ConnectorState`] is what sessions leave behind. They are
//! stored apart, so that an administrator's change and a running session do not disturb each other.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RequestId;
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
    /// What is done about a number that another transaction has.
    #[serde(default)]
    pub duplicate_numbers: DuplicateNumbers,
    /// Whether the mirror of the company file is kept fresh by questions of our own; without, it
    /// knows what passes.
    #[serde(default)]
    pub mirror: bool,
    /// The link for the QuickBooks machine, while one works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing: Option<Pairing>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Connection {
    /// Whether a person at the pairing page has yet to say that the open company file is the right
    /// one. Only who paired on that page is waited for: other programs know nothing of it.
    pub fn awaits_confirmation(&self) -> bool {
        let asked =
            |pairing: &Pairing| pairing.opened_at.is_some() && pairing.confirmed_at.is_none();
        self.company_file.is_none() && self.pairing.as_ref().is_some_and(asked)
    }
}

/// What is done about a number that another transaction of the same kind (of the same vendor, for
/// bills and receipts) has: QuickBooks Desktop takes both without a word.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateNumbers {
    /// The record fails, and a person decides.
    #[default]
    Fail,
    /// It is sent, with a remark.
    Warn,
    /// It gets a number of its own, such as `1001-2`.
    Suffix,
}

impl DuplicateNumbers {
    /// All, in the order of the documents.
    pub const ALL: [Self; 3] = [Self::Fail, Self::Warn, Self::Suffix];

    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Suffix => "suffix",
        }
    }
}

/// A link for the QuickBooks machine, and what was done by it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pairing {
    /// SHA-256 of its token, which has 128 random bits.
    pub token: Digest,
    /// When it was made: what was seen before is not its doing.
    pub began_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When a person first asked for the password on its page while nothing told which company file
    /// is the right one: until that is confirmed, nothing is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// When the `.qwc` was downloaded by it.
    pub downloaded_at: Option<Timestamp>,
    /// When it showed a password.
    pub revealed_at: Option<Timestamp>,
    /// When a person confirmed the company file by it.
    pub confirmed_at: Option<Timestamp>,
}

impl Pairing {
    /// Tells one showing of a password from the next; empty before the first.
    pub fn revealed(&self) -> String {
        self.revealed_at.map(|at| at.to_string()).unwrap_or_default()
    }
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
    /// What of the company file the mirror has been told, by part.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mirror: BTreeMap<String, MirrorPart>,
    /// How often the mirror was begun anew: what was told before is not known any more.
    #[serde(default)]
    pub mirror_era: u32,
}

/// One part of the mirror: a list, or transactions of a kind.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct MirrorPart {
    /// The question that is on its way.
    pub asked: Option<RequestId>,
    /// When it was last told in full.
    pub told_at: Option<Timestamp>,
    /// When QuickBooks last refused it, or told only a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold_at: Option<Timestamp>,
    /// QuickBooks refused it for good: it is not asked for often.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// It was told in full, though nothing may be in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_whole: bool,
    /// The newest `TimeModified` that was told in full, local to QuickBooks' machine.
    pub since: Option<String>,
    /// The newest one of an answer that is not complete yet.
    pub newest: Option<String>,
    /// Types of the active accounts, in the part of accounts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<String>,
}

impl MirrorPart {
    /// Whether all of it was told; older releases wrote down only what is the newest of it.
    pub const fn was_told(&self) -> bool {
        self.is_whole || self.since.is_some()
    }
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
            mirror: BTreeMap::new(),
            mirror_era: 0,
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
    /// Transactions up to this day are closed, as `2025-12-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_date: Option<String>,
    /// Whether classes are used; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_tracking: Option<bool>,
    /// Whether several currencies are used; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_currency: Option<bool>,
    /// Whether estimates are used; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimates: Option<bool>,
    /// Whether inventory and purchase orders are used; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<bool>,
    /// Whether inventory stands at several sites; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<bool>,
    /// Whether price levels are used; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_levels: Option<bool>,
    /// What items of inventory are told apart by: `None`, `SerialNumber` or `LotNumber`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<String>,
    /// What QuickBooks takes where a record says nothing, by the element of `PreferencesRet`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, String>,
}

impl Host {
    /// The features that the company file has on or off, by the cause that its absence is; `None` if
    /// it was not told.
    pub fn features(&self) -> [(&'static str, Option<bool>); 8] {
        // QuickBooks tells items apart by one of the two, or by none.
        let tracks = |by: &str| self.tracking.as_deref().map(|tracking| tracking == by);
        [
            ("class_tracking", self.class_tracking),
            ("estimates", self.estimates),
            ("inventory", self.inventory),
            ("lot_numbers", tracks("LotNumber")),
            ("multi_currency", self.multi_currency),
            ("price_levels", self.price_levels),
            ("serial_numbers", tracks("SerialNumber")),
            ("sites", self.sites),
        ]
    }
}
