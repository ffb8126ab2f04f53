//! What a session came to, for those who watch.

use serde::Serialize;

/// How a session ended.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "ended", content = "why")]
pub enum Ended {
    /// The server said 100.
    Done,
    /// `none`: no data exchange required.
    NothingToDo,
    /// The server asked to come back after so many seconds.
    Postponed(u64),
    /// Another session is at work.
    Busy,
    /// Name or password is wrong.
    WrongPassword,
    /// QuickBooks could not be opened.
    NoQuickBooks(String),
    /// The server ended it; `getLastError` said this.
    Stopped(String),
    /// The server or the network broke the contract.
    Broken(String),
    /// A fault on order ended it.
    Died(String),
}

impl Ended {
    /// Whether the Web Connector shows an error.
    pub const fn is_error(&self) -> bool {
        matches!(
            self,
            Self::WrongPassword | Self::NoQuickBooks(_) | Self::Stopped(_) | Self::Broken(_)
        )
    }
}

/// One session.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How it ended.
    #[serde(flatten)]
    pub ended: Ended,
    /// Calls that were made.
    pub calls: u32,
    /// Message sets that QuickBooks got.
    pub message_sets: u32,
    /// Requests in them.
    pub requests: u32,
    /// What `closeConnection` said.
    pub closing: String,
    /// The fewest seconds between two sessions that the server wants (`authenticate`).
    pub every_at_least: Option<u64>,
    /// Faults of a message set that the session did not come to.
    pub missed: Vec<String>,
}

/// One call, for those who watch.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The operation.
    pub operation: &'a str,
    /// What was answered, in short; or what went wrong.
    pub answer: String,
}
