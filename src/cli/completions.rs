//! `completions` and `openapi`: documents about the program.

use clap::Args;
use clap_complete::Shell;

use super::arguments::Flags;
use super::arguments::Global;
use super::client::Client;
use super::output;

/// The completions of a shell.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bookbridge completions bash > /etc/bash_completion.d/bookbridge"
)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// The OpenAPI document of the REST API.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  bookbridge openapi > openapi.json")]
pub(super) struct Openapi {}

/// Runs `completions`.
pub(super) fn completions(command: &Completions, global: &Global) -> anyhow::Result<()> {
    global.settings(&Flags::default())?;
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut super::command(), "bookbridge", &mut script);
    Ok(output::part(String::from_utf8_lossy(&script))?)
}

/// Runs `openapi`.
pub(super) fn openapi(_: &Openapi, global: &Global) -> anyhow::Result<()> {
    Ok(output::json(&Client::of(global)?.get("/openapi.json")?)?)
}
