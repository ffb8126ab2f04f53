//! The way to a server: its address, the key for it, whom to trust, past which proxy.
//!
//! Which server: `--server`, or the one that runs on the data directory, or the default address.
//! Which key: `BOOKBRIDGE_API_KEY`, or the local admin key if the server is on this machine.
//!
//! Invariants, held by the tests below and by `tests/cli/way.rs`: a key that was found is sent to no
//! other machine, and what is on this machine is called without a proxy.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::CertificateError;
use serde_json::Value;
use serde_json::json;
use ureq::Proxy;
use ureq::tls::PemItem;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;
use ureq::tls::parse_pem;

use crate::cli::arguments::Flags;
use crate::cli::arguments::Global;
use crate::cli::failure::Failure;
use crate::config::Settings;
use crate::server::Home;
use crate::server::near;

/// The variable with the key.
const API_KEY: &str = "BOOKBRIDGE_API_KEY";

/// How a server is reached.
pub(in crate::cli) struct Way {
    /// Its address, without a slash at the end.
    pub(super) base: String,
    /// The key for it.
    pub(super) key: Option<String>,
    /// Whose certificates are taken.
    pub(super) trust: TlsConfig,
    /// What stands in between.
    pub(super) proxy: Option<Proxy>,
}

impl Way {
    /// To the server that flags, environment and settings name.
    pub(super) fn of(global: &Global) -> anyhow::Result<Self> {
        let settings = global.settings(&Flags::default())?;
        let home = Home::at(&settings.data_dir);
        let own = home.address().unwrap_or_else(|| default_address(&settings));
        let base = match &global.server {
            Some(url) => checked(url)?,
            None => own.clone(),
        };
        let base = base.trim_end_matches('/').to_owned();
        let key = match std::env::var(API_KEY) {
            Ok(key) if !key.is_empty() => Some(key),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::Usage(format!("{API_KEY} is no UTF-8, so no key")).into());
            }
            _ if is_local(&base) => home.admin_key(),
            _ => None,
        };
        // The certificate of our own server is made for its public name, not for this machine's.
        let is_own = is_local(&base) && base == own.trim_end_matches('/');
        let trust = match &global.ca_file {
            Some(file) => trusting(file)?,
            None if is_own => TlsConfig::builder().disable_verification(true).build(),
            None => TlsConfig::builder().root_certs(RootCerts::WebPki).build(),
        };
        let proxy = if is_local(&base) { None } else { Proxy::try_from_env() };
        Ok(Self { base, key, trust, proxy })
    }

    /// To a server that this process started.
    pub(in crate::cli) fn home(base: &str, key: Option<String>) -> Self {
        Self { base: base.to_owned(), key, trust: TlsConfig::default(), proxy: None }
    }
}

/// Nobody but those whose certificates are in a PEM file.
fn trusting(file: &Path) -> anyhow::Result<TlsConfig> {
    let wrong = |why: String| {
        Failure::Usage(format!("--ca-file (or BOOKBRIDGE_CA_FILE): {}: {why}", file.display()))
    };
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let mut roots = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(root) = item.map_err(|error| wrong(error.to_string()))? {
            roots.push(root);
        }
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it (PEM)".to_owned()).into());
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build())
}

fn checked(url: &str) -> anyhow::Result<String> {
    let usable = (url.starts_with("http://") || url.starts_with("https://"))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control());
    if usable {
        return Ok(url.to_owned());
    }
    let why = "is no address such as http://127.0.0.1:8170";
    Err(Failure::Usage(format!("--server (or BOOKBRIDGE_SERVER): {url:?} {why}")).into())
}

/// Where a server with these settings is reached from this machine.
fn default_address(settings: &Settings) -> String {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", near(settings.listen))
}

/// Whether an address is on this machine.
fn is_local(url: &str) -> bool {
    let authority = url.split("://").nth(1).unwrap_or_default().split('/').next();
    let authority = authority.unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why a call reached nobody who may be spoken to, as a problem with what to do.
pub(super) fn unreached(base: &str, error: &ureq::Error) -> Failure {
    let (code, title, detail, fixes) = match certificate_error(error) {
        Some(why) => (
            "CERTIFICATE_NOT_TRUSTED",
            "The certificate is not trusted",
            format!("{base} answers, but its certificate is not trusted: {}", in_words(why)),
            [
                "name the certificate of the authority that signed it, or its own: --ca-file FILE \
                 (or BOOKBRIDGE_CA_FILE)",
                "or give the server a certificate that is valid for this address",
            ],
        ),
        None => (
            "SERVER_UNREACHABLE",
            "No server answers",
            format!("no server answers at {base}: {error}"),
            ["start it with: bookbridge serve", "or name another with --server URL"],
        ),
    };
    let fixes: Vec<Value> =
        fixes.iter().map(|label| json!({"actor": "user", "label": label})).collect();
    Failure::Problem(json!({"code": code, "title": title, "detail": detail, "fixes": fixes}))
}

/// What is wrong with the certificate, if that is what is wrong.
fn certificate_error(error: &ureq::Error) -> Option<&CertificateError> {
    match error {
        ureq::Error::Rustls(rustls::Error::InvalidCertificate(why)) => Some(why),
        ureq::Error::Io(error) => certificate_error_of(error),
        _ => None,
    }
}

fn certificate_error_of(error: &io::Error) -> Option<&CertificateError> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(why) => Some(why),
        _ => None,
    }
}

/// Why a handshake failed, in words.
pub(in crate::cli) fn handshake_in_words(error: &io::Error) -> String {
    certificate_error_of(error).map_or_else(|| error.to_string(), in_words)
}

fn in_words(why: &CertificateError) -> String {
    let said = why.to_string();
    match why {
        CertificateError::UnknownIssuer => "it is signed by nobody who is trusted here".to_owned(),
        // `openssl req -x509` makes such a one unless it is told otherwise.
        _ if said.contains("CaUsedAsEndEntity") => {
            "it is the certificate of an authority, which a server may not show; make one with \
             basicConstraints=CA:FALSE"
                .to_owned()
        }
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_found_stays_on_this_machine() {
        for url in
            ["http://127.0.0.1:1", "http://localhost", "http://LOCALHOST:1", "http://[::1]:8170/x"]
        {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "https://books.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost:1@example.com",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
