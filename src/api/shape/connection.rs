//! Connections, and how they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::shape::Diagnosis;
use crate::api::shape::Fix;
use crate::api::words;
use crate::domain::connection;
use crate::domain::record::Status;
use crate::engine;
use crate::store::Counts;

/// Why a connection gets no work.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Pause {
    since: Timestamp,
    /// What QuickBooks refused to everything; null if a person paused it.
    alert: Option<Diagnosis>,
}

/// One `.qwc`, one Web Connector user name, one QuickBooks company file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Connection {
    id: String,
    name: String,
    /// The Web Connector's user name.
    username: String,
    /// The Web Connector's password: only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// Path on the Web Connector's machine; null: the file that is open.
    company_file: Option<String>,
    every_minutes: u32,
    app_name: String,
    /// What is done about a number that another transaction has: `fail`, `warn` or `suffix`.
    duplicate_numbers: &'static str,
    /// Whether the mirror of the company file is kept fresh by questions of our own.
    mirror: bool,
    owner_id: Uuid,
    file_id: Uuid,
    paused: bool,
    pause: Option<Pause>,
    /// Where the `.qwc` is.
    qwc_url: String,
    /// What to do on the QuickBooks machine.
    pairing_url: String,
    created_at: Timestamp,
}

impl Connection {
    /// A connection, reached under this address.
    pub(in crate::api) fn of(connection: connection::Connection, base: &str) -> Self {
        let id = connection.id.to_string();
        let pause = connection.pause.map(|pause| Pause {
            since: pause.since,
            alert: pause.alert.and_then(|alert| words::diagnosis(&[alert])),
        });
        Self {
            qwc_url: format!("{base}/v1/connections/{id}/qwc"),
            pairing_url: format!("{base}/docs/pairing?connection={id}"),
            id,
            name: connection.name,
            username: connection.username,
            password: None,
            company_file: connection.company_file,
            every_minutes: connection.every_minutes,
            app_name: connection.app_name,
            duplicate_numbers: connection.duplicate_numbers.as_str(),
            mirror: connection.mirror,
            owner_id: connection.owner_id,
            file_id: connection.file_id,
            paused: pause.is_some(),
            pause,
            created_at: connection.created_at,
        }
    }

    /// The same with the pairing link that was just made.
    pub(in crate::api) fn with_pairing(mut self, url: &str) -> Self {
        url.clone_into(&mut self.pairing_url);
        self
    }

    /// The same with the password that was just made.
    pub(in crate::api) fn with_password(mut self, password: &SecretString) -> Self {
        self.password = Some(password.expose_secret().to_owned());
        self
    }
}

/// How a connection is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Health {
    /// `ok`, `waiting`, `late`, `offline`, `blocked`, `never_paired` or `paused`.
    state: &'static str,
    /// The same in one sentence.
    summary: String,
    /// The Web Connector's last call.
    last_seen_at: Option<Timestamp>,
    /// When it should come next.
    next_expected_at: Option<Timestamp>,
    /// Records by status.
    counts: BTreeMap<&'static str, u64>,
    /// Raw requests in the queue.
    requests_queued: u64,
    /// When what waits longest was put.
    oldest_waiting_at: Option<Timestamp>,
    /// What keeps it from working, if anything does.
    diagnosis: Option<Diagnosis>,
    /// What helps, most likely first.
    fixes: Vec<Fix>,
    /// Null before the first session that has anything to do.
    host: Option<Host>,
}

/// What QuickBooks told of itself and of the company file, at the last session that told it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Host {
    product: String,
    /// `US`, `CA`, `UK`, `AU`.
    country: String,
    /// The newest that it speaks.
    qbxml_version: String,
    /// Path on the Web Connector's machine.
    company_file: String,
    company_name: String,
    /// `SingleUser` or `MultiUser`.
    file_mode: String,
    /// Transactions up to this day are closed.
    closing_date: Option<String>,
    /// Whether these are on, by the cause that a diagnosis gives; what was not told is missing.
    features: BTreeMap<&'static str, bool>,
    /// What QuickBooks takes where a record says nothing, by the element of `PreferencesRet`.
    defaults: BTreeMap<String, String>,
}

impl From<connection::Host> for Host {
    fn from(host: connection::Host) -> Self {
        let features = host.features().into_iter().filter_map(|(name, on)| Some((name, on?)));
        Self {
            features: features.collect(),
            product: host.product,
            country: host.country,
            qbxml_version: host.qbxml_version,
            company_file: host.company_file,
            company_name: host.company_name,
            file_mode: host.file_mode,
            closing_date: host.closing_date,
            defaults: host.defaults,
        }
    }
}

/// Records by status, none left out.
pub(in crate::api) fn counts(counts: &Counts) -> BTreeMap<&'static str, u64> {
    Status::ALL.into_iter().map(|status| (status.as_str(), counts.of(status))).collect()
}

impl From<engine::Health> for Health {
    fn from(health: engine::Health) -> Self {
        let diagnosis = words::diagnosis(&health.findings);
        let fixes = health.findings.iter().flat_map(|finding| words::finding(finding).fixes);
        Self {
            state: health.state.as_str(),
            summary: health.summary,
            last_seen_at: health.last_seen_at,
            next_expected_at: health.next_expected_at,
            counts: counts(&health.counts),
            requests_queued: health.counts.requests_queued,
            oldest_waiting_at: health.oldest_waiting_at,
            fixes: fixes.collect(),
            diagnosis,
            host: health.host.map(Host::from),
        }
    }
}
