//! How a command ends badly: what is said, and the exit code.

use std::io;
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
    /// The server refused, with a problem document: 1.
    #[error("{}", output::problem(.0))]
    Problem(Value),
    /// Everything was said already: 1.
    #[error("failed")]
    Said,
}

/// Says what went wrong and chooses the exit code.
pub(super) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let code = match error.downcast_ref::<Failure>() {
        Some(Failure::Said) => return ExitCode::from(1),
        Some(Failure::Usage(_)) => 2,
        _ if error.downcast_ref::<ConfigError>().is_some() => 2,
        _ => 1,
    };
    let text = format!("{error:#}");
    if json {
        let value = match error.downcast_ref::<Failure>() {
            Some(Failure::Problem(problem)) => problem.clone(),
            _ => json!({"title": "The command failed", "detail": text}),
        };
        // Nothing is left to tell if stdout is gone too.
        let _ = output::json(&value);
    } else {
        eprintln!("error: {}", output::clean_lines(&text));
    }
    ExitCode::from(code)
}

/// Whoever read our output has seen enough: `bookbridge records acme | head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(closed)
}
