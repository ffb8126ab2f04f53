//! Sessions, activity, keys: who did what, and who may.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::activity;
use crate::domain::activity::ApiKey;
use crate::domain::activity::Scope;
use crate::domain::session;
use crate::domain::session::Ending;
use crate::domain::session::Stage;

/// One session of the Web Connector.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Session {
    id: Uuid,
    /// `opened`, `ready`, `waiting` for an answer, `ended`, or `lost` if it ended without a word.
    state: &'static str,
    started_at: Timestamp,
    last_call_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// How many calls it made.
    calls: u32,
    /// How many `connectionError`s it reported.
    connection_errors: u32,
    /// How many requests QuickBooks accepted.
    accepted: u64,
    /// How many requests QuickBooks refused.
    refused: u64,
    company_file: String,
    /// What kept it from going on, if anything did.
    last_error: Option<String>,
}

impl From<session::Session> for Session {
    fn from(session: session::Session) -> Self {
        Self {
            id: session.id.0,
            state: match session.machine.stage {
                Stage::Opened => "opened",
                Stage::Ready => "ready",
                Stage::Waiting(_) => "waiting",
                Stage::Ended if session.machine.ending == Some(Ending::Lost) => "lost",
                Stage::Ended => "ended",
            },
            started_at: session.started_at,
            last_call_at: session.last_call_at,
            ended_at: session.ended_at,
            calls: session.calls,
            connection_errors: session.connection_errors,
            accepted: session.accepted,
            refused: session.refused,
            company_file: session.company_file,
            last_error: Some(session.machine.last_error)
                .filter(|_| session.machine.ending.is_some_and(|it| it != Ending::Done)),
        }
    }
}

/// One call of the Web Connector.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Call {
    at: Timestamp,
    /// The SOAP operation.
    operation: String,
    /// What was answered, in a few words.
    answer: String,
    /// Bytes of qbXML that went out or came in.
    bytes: u64,
    /// Milliseconds that Bookbridge worked on it, if that is known.
    took_ms: Option<u64>,
}

/// One session, call by call.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct SessionWithCalls {
    #[serde(flatten)]
    session: Session,
    /// Its last calls, oldest first.
    log: Vec<Call>,
}

impl SessionWithCalls {
    /// A session with its calls.
    pub(in crate::api) fn of(session: session::Session, calls: Vec<activity::Call>) -> Self {
        let call = |call: activity::Call| Call {
            at: call.at,
            operation: call.operation,
            answer: call.answer,
            bytes: call.bytes,
            took_ms: call.took,
        };
        Self { session: session.into(), log: calls.into_iter().map(call).collect() }
    }
}

/// Who did what.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Activity {
    at: Timestamp,
    /// A user's or an API key's name, `web connector` or `bookbridge`.
    actor: String,
    /// In the past tense.
    action: String,
    /// `Customer/C-100`; empty for the connection itself. Of the server's own activity `user ann`,
    /// `API key shop` or `connection acme`.
    subject: String,
    detail: String,
}

impl From<activity::Activity> for Activity {
    fn from(activity: activity::Activity) -> Self {
        Self {
            at: activity.at,
            actor: activity.actor,
            action: activity.action,
            subject: activity.subject,
            detail: activity.detail,
        }
    }
}

/// One API key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Key {
    id: Uuid,
    name: String,
    /// The secret: only in the answer that makes it.
    #[serde(rename = "key", skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// All that it may do: `read`, `write`, `admin`.
    scopes: Vec<&'static str>,
    created_at: Timestamp,
    /// Since when it is refused.
    revoked_at: Option<Timestamp>,
}

impl From<ApiKey> for Key {
    fn from(key: ApiKey) -> Self {
        let all = [Scope::Read, Scope::Write, Scope::Admin];
        let scopes = all.into_iter().filter(|scope| *scope <= key.scope);
        Self {
            id: key.id.0,
            name: key.name,
            secret: None,
            scopes: scopes.map(Scope::as_str).collect(),
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl Key {
    /// The same with the secret that was just made.
    pub(in crate::api) fn with_secret(mut self, secret: &SecretString) -> Self {
        self.secret = Some(secret.expose_secret().to_owned());
        self
    }
}
