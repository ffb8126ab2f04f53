//! How a command ends badly: what is said, and the exit code.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::Value;
use serde_json::json;

use super::output;
use crate::config::ConfigError;

/// A failure with an exit code of its own; every other error is 1.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The command line, a setting or a file's form is wrong: 2.
    #[error("{0}")]
    Usage(String),
    /// It was refused, or did not work: 1.
    #[error("{0}")]
    Refused(String),
    /// A problem document, of the server or of the way to it: 1.
    #[error("{}", output::problem(.0))]
    Problem(Value),
    /// Everything was said already: 1.
    #[error("failed")]
    Said,
}

/// An error as the object that `--json` prints: that of the server, or one with the same members.
pub(super) fn document(error: &anyhow::Error) -> Value {
    let (code, title) = match error.downcast_ref::<Failure>() {
        Some(Failure::Problem(problem)) => return problem.clone(),
        Some(Failure::Usage(_)) => ("WRONG_USAGE", "Wrong usage"),
        _ if error.downcast_ref::<ConfigError>().is_some() => ("WRONG_SETTING", "Wrong setting"),
        _ => ("COMMAND_FAILED", "The command failed"),
    };
    json!({"code": code, "title": title, "detail": format!("{error:#}"), "fixes": []})
}

/// Says what went wrong and chooses the exit code.
pub(super) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let code = match error.downcast_ref::<Failure>() {
        Some(Failure::Said) => return ExitCode::from(1),
        Some(Failure::Usage(_)) => 2,
        _ if error.downcast_ref::<ConfigError>().is_some() => 2,
        _ => 1,
    };
    // Nothing is left to tell if stdout, or stderr, is gone too.
    let _ = if json {
        output::json(&document(error))
    } else {
        writeln!(std::io::stderr(), "error: {}", output::clean_lines(&format!("{error:#}")))
    };
    ExitCode::from(code)
}

/// Says what clap found wrong; help and version are no error.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    let _ = if json && error.use_stderr() {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        output::json(&document(&Failure::Usage(text.to_owned()).into()))
    } else {
        error.print()
    };
    ExitCode::from(code)
}
