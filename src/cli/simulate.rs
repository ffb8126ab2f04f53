//! `simulate`: a simulated Web Connector and QuickBooks against any server.

use std::path::PathBuf;

use clap::Args;

use super::arguments::Global;
use super::failure::Failure;

/// A simulated Web Connector, with a simulated QuickBooks behind it, against any QBWC server.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge simulate --url http://127.0.0.1:8170/qbwc --user U --password P --once
  bookbridge simulate --qwc acme.qwc --password P --company ./company --every 60

Exit code 1 if a session ended in an error.")]
pub(super) struct Simulate {
    /// The endpoint; that of the .qwc if missing.
    #[arg(long, required_unless_present = "qwc")]
    url: Option<String>,
    /// User name; that of the .qwc if missing.
    #[arg(long, required_unless_present = "qwc")]
    user: Option<String>,
    /// Password.
    #[arg(long)]
    password: String,
    /// Keep the simulated company file in this directory; in memory if missing.
    #[arg(long, value_name = "DIR")]
    company: Option<PathBuf>,
    /// Seconds between two sessions.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// One session, then end.
    #[arg(long)]
    once: bool,
    /// A fault on order; may be said several times.
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<String>,
    /// Read the .qwc file as the Web Connector would.
    #[arg(long, value_name = "FILE")]
    qwc: Option<PathBuf>,
}

/// Runs `simulate`.
pub(super) fn run(command: Simulate, global: &Global) -> anyhow::Result<()> {
    let _ = (command, global);
    Err(Failure::Refused("the simulator is not part of this build yet".to_owned()).into())
}
