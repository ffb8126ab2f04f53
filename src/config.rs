//! Settings: flag, then `BOOKBRIDGE_…` variable, then `bookbridge.toml`, then default.
//!
//! [`table`] lists them, once: flags, variables, the file and `docs/settings.md` all follow it.
//! [`Layers`] gathers the texts with where each came from; [`Settings::of`] makes values of them.
//! A name that nobody knows is an error that names it and the nearest that exists, and a bad value
//! names the setting and its place: a misspelt setting must not be silence.
//!
//! Nothing here opens a store, a socket or a certificate.

mod layers;
mod table;

use std::net::SocketAddr;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::path::PathBuf;

pub use layers::Layers;
pub use layers::Origin;
pub use layers::Text;
pub use table::Reach;
pub use table::SETTINGS;
pub use table::Setting;
pub use table::nearest;

use crate::telemetry::LogFormat;
use crate::telemetry::LogLevel;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Nobody knows a setting of this name.
    #[error("unknown setting {name} ({origin}){}", hint(.nearest.as_deref()))]
    Unknown {
        /// As it was written.
        name: String,
        /// Where.
        origin: Origin,
        /// The one that was perhaps meant, written as it would be there.
        nearest: Option<String>,
    },
    /// The value is not one that the setting can have.
    #[error("setting {name} ({}): {why}", place(.name, .origin))]
    Bad {
        /// The setting.
        name: &'static str,
        /// Where the value came from.
        origin: Origin,
        /// What is wrong with it, and what it may be.
        why: String,
    },
    /// The file cannot be read, or is no TOML.
    #[error("settings file {path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// The place to look at, as a person would write it.
fn place(name: &str, origin: &Origin) -> String {
    match (origin, table::find(name)) {
        (Origin::Flag, _) => format!("--{name}"),
        (Origin::Variable, Some(setting)) => setting.variable(),
        (origin, _) => origin.to_string(),
    }
}

/// Certificate chain and private key, PEM files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// All settings, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Everything that is kept stands below it.
    pub data_dir: PathBuf,
    /// Where the server listens; port 0: any that is free.
    pub listen: SocketAddr,
    /// How the world reaches the server, without a slash at the end.
    pub public_url: Option<String>,
    /// The directory of the embedded store.
    pub store: PathBuf,
    /// HTTPS of our own.
    pub tls: Option<TlsFiles>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// How much of it.
    pub log_level: LogLevel,
    /// The longest `receiveResponseXML` that is taken, in bytes.
    pub max_response_bytes: u64,
    /// Seconds without a call after which a session counts as lost.
    pub session_idle_seconds: u32,
    /// Most requests in a message set.
    pub message_set_size: usize,
}

impl Settings {
    /// Makes values of texts.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Bad`] for the first value, in the order of the table, that cannot be.
    pub fn of(layers: &Layers) -> Result<Self, ConfigError> {
        let data_dir = layers.parse("data-dir", parse_path)?;
        let store = match layers.text("store") {
            Some(_) => layers.parse("store", parse_store)?,
            None => data_dir.join("store"),
        };
        let public_url = match layers.text("public-url") {
            Some(_) => Some(layers.parse("public-url", parse_url)?),
            None => None,
        };
        Ok(Self {
            listen: layers.parse("listen", parse_address)?,
            public_url,
            store,
            tls: tls_files(layers)?,
            log_format: layers.parse("log-format", LogFormat::parse)?,
            log_level: layers.parse("log-level", LogLevel::parse)?,
            max_response_bytes: layers
                .parse("max-response-bytes", |text| parse_count(text, 1, u64::MAX >> 1))?,
            session_idle_seconds: layers
                .parse("session-idle", |text| parse_count(text, 1, 7 * 24 * 3600))?,
            message_set_size: layers
                .parse("message-set-size", |text| parse_count(text, 1, 1000))?,
            data_dir,
        })
    }
}

fn tls_files(layers: &Layers) -> Result<Option<TlsFiles>, ConfigError> {
    let one_alone = |name, origin: &Origin, other: &str| ConfigError::Bad {
        name,
        origin: origin.clone(),
        why: format!("HTTPS needs {other} too"),
    };
    match (layers.text("tls-cert"), layers.text("tls-key")) {
        (None, None) => Ok(None),
        (Some(text), None) => Err(one_alone("tls-cert", &text.origin, "tls-key")),
        (None, Some(text)) => Err(one_alone("tls-key", &text.origin, "tls-cert")),
        (Some(_), Some(_)) => Ok(Some(TlsFiles {
            certificate: layers.parse("tls-cert", parse_path)?,
            key: layers.parse("tls-key", parse_path)?,
        })),
    }
}

fn parse_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn parse_store(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("sled:") {
        Some(path) => parse_path(path),
        // A database's address may hold a password: it is not shown.
        None => {
            Err("this version keeps its store on this machine's disk alone: sled:PATH".to_owned())
        }
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("{text:?} is no address and port such as 127.0.0.1:8170");
    text.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)
}

/// A whole number between two bounds; underscores may group its digits.
fn parse_count<T>(text: &str, least: T, most: T) -> Result<T, String>
where
    T: Copy + std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let wrong = || format!("{text:?} is no whole number from {least} to {most}");
    let number: T = text.replace('_', "").parse().map_err(|_| wrong())?;
    if number < least || number > most { Err(wrong()) } else { Ok(number) }
}

/// `http://` or `https://`, a host, perhaps a port and a path; no slash at the end.
fn parse_url(text: &str) -> Result<String, String> {
    let example = "it is an address such as https://books.example.com";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or(example)?;
    let authority = rest.split('/').next().unwrap_or_default();
    let strange = |c: char| c.is_whitespace() || c.is_control() || "?#@<>\"'&\\".contains(c);
    if authority.is_empty() || authority.starts_with(':') || rest.contains(strange) {
        return Err(example.to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The file that is read if none is named.
pub fn default_file() -> &'static Path {
    Path::new("bookbridge.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(flags: &[(&'static str, &str)]) -> Layers {
        let mut layers = Layers::default();
        for (name, value) in flags {
            layers.set(name, value, Origin::Flag);
        }
        layers
    }

    #[test]
    fn without_a_word_the_defaults_of_the_contract_hold() {
        let settings = Settings::of(&Layers::default()).unwrap();

        assert_eq!(settings.data_dir, Path::new("./bookbridge-data"));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8170");
        assert_eq!(settings.store, Path::new("./bookbridge-data/store"));
        assert_eq!(settings.session_idle_seconds, 900);
        assert_eq!(settings.message_set_size, 25);
        assert_eq!(settings.max_response_bytes, 512 << 20);
    }

    #[test]
    fn a_bad_value_names_the_setting_and_its_place() {
        for (name, value) in [
            ("listen", "8170"),
            ("listen", "localhost"),
            ("public-url", "books.example.com"),
            ("public-url", "ftp://books.example.com"),
            ("public-url", "https://"),
            ("public-url", "https://user@books.example.com"),
            ("public-url", "https://a b"),
            ("store", "mysql://x"),
            ("store", "postgres://books"),
            ("listen", ""),
            ("store", "sled:"),
            ("data-dir", ""),
            ("tls-cert", "chain.pem"),
            ("tls-key", "key.pem"),
            ("log-format", "xml"),
            ("log-level", "loud"),
            ("max-response-bytes", "0"),
            ("max-response-bytes", "1e9"),
            ("session-idle", "-1"),
            ("message-set-size", "0"),
            ("message-set-size", "99999999999999999999"),
        ] {
            let error = Settings::of(&layers(&[(name, value)])).unwrap_err().to_string();

            assert!(error.starts_with(&format!("setting {name} (--{name}): ")), "{error}");
        }
    }

    #[test]
    fn the_public_url_has_no_slash_at_its_end() {
        let settings =
            Settings::of(&layers(&[("public-url", "https://books.example.com/qb/")])).unwrap();

        assert_eq!(settings.public_url.as_deref(), Some("https://books.example.com/qb"));
    }
}
