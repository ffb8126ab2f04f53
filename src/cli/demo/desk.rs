//! The other side of a demo: a simulated company file, its Web Connector, its bookkeeper.

use std::path::Path;

use super::script::Company;
use crate::cli::client::Client;

/// The desk at which QuickBooks stands.
pub(super) struct Desk {
    /// The Web Connector's user name.
    pub(super) user: String,
}

impl Desk {
    /// Sets up the company file and pairs the Web Connector.
    pub(super) fn new(_: &Client, _: &Company, _: &Path) -> anyhow::Result<Self> {
        anyhow::bail!("the simulator is not part of this build yet")
    }

    /// One poll of the Web Connector; what it said.
    pub(super) fn session(&self, _: &[String]) -> anyhow::Result<String> {
        Ok(String::new())
    }

    /// The bookkeeper works in QuickBooks, past Bookbridge; what came of it.
    pub(super) fn by_hand(&self, _: &str) -> anyhow::Result<String> {
        Ok(String::new())
    }
}
