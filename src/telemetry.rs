//! The log: what is written, how, and what never is.
//!
//! Spans and events go to stderr, as text for people or as JSON for machines; `docs/logging.md` lists
//! their fields. Nobody can turn on the targets in [`SILENT`]: yaserde writes every character that
//! it reads at debug, passwords too. `tests/cli/logging.rs` looks for one in the most talkative log.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Targets that are off whatever the level: they write what they parse.
pub const SILENT: [&str; 3] = ["yaserde", "yaserde_derive", "xml"];

/// Targets whose debug is noise of the network or the disk, for nobody here.
const QUIET: [&str; 7] =
    ["sled", "mio", "actix_server", "actix_http", "ureq", "ureq_proto", "rustls"];

/// What it calls errors are bytes of strangers that are no HTTP: a port is knocked at all day.
const STRANGERS: &str = "actix_http::h1::dispatcher";

/// How the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// An object a line.
    Json,
}

impl LogFormat {
    /// Parses the setting.
    ///
    /// # Errors
    ///
    /// What it may be.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?} is neither text nor json")),
        }
    }
}

/// How much of the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LogLevel(LevelFilter);

impl LogLevel {
    /// Warnings and errors only.
    pub const WARN: Self = Self(LevelFilter::WARN);

    /// Parses the setting.
    ///
    /// # Errors
    ///
    /// What it may be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let level = match text {
            "off" => LevelFilter::OFF,
            "error" => LevelFilter::ERROR,
            "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(format!("{text:?} is not off, error, warn, info, debug or trace")),
        };
        Ok(Self(level))
    }
}

/// What passes at a level.
fn filter(level: LogLevel) -> Targets {
    let quiet = level.0.min(LevelFilter::WARN);
    let strangers = if level.0 >= LevelFilter::DEBUG { quiet } else { LevelFilter::OFF };
    Targets::new()
        .with_default(level.0)
        .with_targets(QUIET.map(|target| (target, quiet)))
        .with_target(STRANGERS, strangers)
        .with_targets(SILENT.map(|target| (target, LevelFilter::OFF)))
}

/// Begins to write the log, panics too. A second call changes nothing.
pub fn start(format: LogFormat, level: LogLevel) {
    let registry = tracing_subscriber::registry().with(filter(level));
    let done = match format {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
            registry.with(layer).try_init()
        }
        LogFormat::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
            registry.with(layer).try_init()
        }
    };
    if done.is_err() {
        tracing::debug!("the log was begun before");
        return;
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!("a bug: {panic}")));
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn what_writes_passwords_is_silent_at_every_level() {
        let filter = filter(LogLevel(LevelFilter::TRACE));

        for target in ["yaserde::de", "yaserde_derive::expand", "xml::reader::parser"] {
            assert!(!filter.would_enable(target, &Level::ERROR), "{target}");
        }
        assert!(filter.would_enable("bookbridge::engine", &Level::TRACE));
        assert!(!filter.would_enable("sled::pagecache", &Level::INFO));
    }

    #[test]
    fn off_is_off() {
        let filter = filter(LogLevel(LevelFilter::OFF));

        assert!(!filter.would_enable("bookbridge", &Level::ERROR));
        assert!(!filter.would_enable("sled", &Level::ERROR));
    }
}
