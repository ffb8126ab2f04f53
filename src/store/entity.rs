//! Whatever a store keeps, as one type: what implementations and exports have in common.

use serde::Deserialize;
use serde::Serialize;

use crate::domain::activity::Activity;
use crate::domain::activity::ApiKey;
use crate::domain::activity::Call;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::Revision;
use crate::domain::message_set::Body;
use crate::domain::message_set::MessageSet;
use crate::domain::mirror::Mirrored;
use crate::domain::record::Record;
use crate::domain::request::Request;
use crate::domain::session::Session;
use crate::domain::user::User;

/// One kept thing. Its JSON is `{"record":{…}}`: the tag is the name in exports.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entity {
    Connection(Connection),
    State(ConnectorState),
    Record(Box<Record>),
    Request(Box<Request>),
    MessageSet(Box<MessageSet>),
    Session(Box<Session>),
    Key(ApiKey),
    Activity(Activity),
    Call(Call),
    Mirrored(Box<Mirrored>),
    User(User),
}

impl Entity {
    /// What errors and findings call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Connection(connection) => format!("connection {}", connection.id),
            Self::State(state) => format!("connector state of {}", state.connection),
            Self::Record(record) => format!("record {}", record.key),
            Self::Request(request) => format!("request {}", request.id),
            Self::MessageSet(set) => format!("message set {}", set.id),
            Self::Session(session) => format!("session {}", session.id),
            Self::Key(key) => format!("API key {}", key.id),
            Self::Activity(activity) => match &activity.connection {
                Some(connection) => format!("activity of {connection}"),
                None => "activity of the server".to_owned(),
            },
            Self::Call(call) => format!("call of session {}", call.session),
            Self::User(user) => format!("user {}", user.name),
            Self::Mirrored(it) => format!("mirror object {} of {}", it.id, it.connection),
        }
    }

    /// The connection it belongs to; keys, users and what was done with them belong to none, calls to
    /// their session's.
    pub(crate) fn connection(&self) -> Option<&ConnectionId> {
        match self {
            Self::Connection(connection) => Some(&connection.id),
            Self::State(state) => Some(&state.connection),
            Self::Record(record) => Some(&record.key.connection),
            Self::Request(request) => Some(&request.connection),
            Self::MessageSet(set) => Some(&set.connection),
            Self::Session(session) => Some(&session.connection),
            Self::Activity(activity) => activity.connection.as_ref(),
            Self::Mirrored(it) => Some(&it.connection),
            Self::Key(_) | Self::Call(_) | Self::User(_) => None,
        }
    }

    /// The revision it carries; what is only appended has none.
    pub(crate) fn revision(&self) -> Option<Revision> {
        match self {
            Self::Connection(connection) => Some(connection.revision),
            Self::State(state) => Some(state.revision),
            Self::Record(record) => Some(record.revision),
            Self::Request(request) => Some(request.revision),
            Self::MessageSet(set) => Some(set.revision),
            Self::Session(session) => Some(session.revision),
            Self::Key(key) => Some(key.revision),
            Self::Mirrored(it) => Some(it.revision),
            Self::User(user) => Some(user.revision),
            Self::Activity(_) | Self::Call(_) => None,
        }
    }

    /// Whether it is written without being read first: the last word wins.
    pub(crate) const fn is_told(&self) -> bool {
        matches!(self, Self::Mirrored(_))
    }

    /// Its place in the queue, if it is of a sort that queues.
    pub(crate) fn sequence(&self) -> Option<u64> {
        match self {
            Self::Record(record) => Some(record.sequence),
            Self::Request(request) => Some(request.sequence),
            _ => None,
        }
    }

    /// Sets what the store decides.
    pub(crate) fn stamp(&mut self, revision: Revision, sequence: u64) {
        match self {
            Self::Connection(connection) => connection.revision = revision,
            Self::State(state) => state.revision = revision,
            Self::Record(record) => {
                record.revision = revision;
                record.sequence = sequence;
            }
            Self::Request(request) => {
                request.revision = revision;
                request.sequence = sequence;
            }
            Self::MessageSet(set) => set.revision = revision,
            Self::Session(session) => session.revision = revision,
            Self::Key(key) => key.revision = revision,
            Self::Mirrored(it) => it.revision = revision,
            Self::User(user) => user.revision = revision,
            Self::Activity(_) | Self::Call(_) => {}
        }
    }

    /// The spool file that it names.
    pub(crate) fn spooled(&self) -> Option<(&str, u64)> {
        match self {
            Self::MessageSet(set) => match &set.response {
                Some(Body::Spooled { name, length }) => Some((name, *length)),
                Some(Body::Inline(_)) | None => None,
            },
            _ => None,
        }
    }

    /// Its JSON, without the tag.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let json = match self {
            Self::Connection(connection) => serde_json::to_vec(connection),
            Self::State(state) => serde_json::to_vec(state),
            Self::Record(record) => serde_json::to_vec(record),
            Self::Request(request) => serde_json::to_vec(request),
            Self::MessageSet(set) => serde_json::to_vec(set),
            Self::Session(session) => serde_json::to_vec(session),
            Self::Key(key) => serde_json::to_vec(key),
            Self::Activity(activity) => serde_json::to_vec(activity),
            Self::Call(call) => serde_json::to_vec(call),
            Self::Mirrored(it) => serde_json::to_vec(it),
            Self::User(user) => serde_json::to_vec(user),
        };
        json.expect("plain structs and maps with text keys have a JSON form")
    }
}

/// Declares how one sort of entity leaves the sum type again.
macro_rules! unwrapped {
    ($($variant:ident($type:ty) => $name:ident $(, $unbox:tt)?;)*) => {
        $(
            impl TryFrom<Entity> for $type {
                type Error = Entity;

                fn try_from(entity: Entity) -> Result<Self, Entity> {
                    match entity {
                        Entity::$variant($name) => Ok($($unbox)? $name),
                        other => Err(other),
                    }
                }
            }
        )*
    };
}

unwrapped! {
    Connection(Connection) => connection;
    State(ConnectorState) => state;
    Record(Record) => record, *;
    Request(Request) => request, *;
    MessageSet(MessageSet) => set, *;
    Session(Session) => session, *;
    Key(ApiKey) => key;
    Activity(Activity) => activity;
    Call(Call) => call;
    Mirrored(Mirrored) => it, *;
    User(User) => user;
}
