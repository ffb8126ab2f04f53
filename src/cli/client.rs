//! The REST API, as the commands call it.
//!
//! Which server: `--server`, or the one that runs on the data directory, or the default address.
//! Which key: `BOOKBRIDGE_API_KEY`, or the local admin key if the server is on this machine; a key
//! that was found is never sent elsewhere.

use std::io::Read as _;
use std::time::Duration;

use anyhow::Context as _;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use serde_json::json;
use ureq::Agent;
use ureq::http::Method;
use ureq::http::Request;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use super::arguments::Flags;
use super::arguments::Global;
use super::failure::Failure;
use crate::config::Settings;
use crate::server::Home;
use crate::server::near;

/// What stays as it is in a segment of a path (RFC 3986, "unreserved").
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How long a call may take beyond what it asked to wait.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server and the key for it.
pub(super) struct Client {
    agent: Agent,
    base: String,
    key: Option<String>,
}

/// What a call carries.
pub(super) enum Content<'a> {
    /// Nothing.
    None,
    /// A JSON value.
    Json(&'a Value),
    /// Bytes of this media type.
    Bytes(&'static str, Vec<u8>),
}

/// What came back.
pub(super) struct Answer {
    /// The status code.
    pub(super) status: u16,
    /// `Content-Type`.
    pub(super) media_type: String,
    /// `Date`.
    pub(super) date: Option<String>,
    /// The whole body.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> anyhow::Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).context("the server answered no JSON")
    }
}

/// A segment of a path, escaped.
pub(super) fn segment(text: &str) -> String {
    // A dot segment would be resolved away on its way.
    match text {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => utf8_percent_encode(text, SEGMENT).to_string(),
    }
}

/// `/v1/connections/{c}` and what follows, escaped.
pub(super) fn of_connection(connection: &str, rest: &[&str]) -> String {
    let mut path = format!("/v1/connections/{}", segment(connection));
    for part in rest {
        path.push('/');
        path.push_str(&segment(part));
    }
    path
}

impl Client {
    /// The server that the settings name.
    pub(super) fn of(global: &Global) -> anyhow::Result<Self> {
        let settings = global.settings(&Flags::default())?;
        let home = Home::at(&settings.data_dir);
        let (base, near) = if let Some(url) = &global.server {
            (checked_url(url)?, false)
        } else {
            let base = home.address().unwrap_or_else(|| default_address(&settings));
            let near = is_local(&base);
            (base, near)
        };
        let key = match std::env::var("BOOKBRIDGE_API_KEY") {
            Ok(key) if !key.is_empty() => Some(key),
            _ if is_local(&base) => home.admin_key(),
            _ => None,
        };
        // The certificate of our own server is made for its public name, not for this machine's.
        let trust = if near {
            TlsConfig::builder().disable_verification(true).build()
        } else {
            TlsConfig::builder().root_certs(RootCerts::WebPki).build()
        };
        Ok(Self::new(&base, key, trust))
    }

    /// A server at an address.
    pub(super) fn new(base: &str, key: Option<String>, trust: TlsConfig) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .tls_config(trust)
            .user_agent(concat!("bookbridge/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent, base: base.trim_end_matches('/').to_owned(), key }
    }

    /// Where the server is.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether there is a key to send.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// A list or an object.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, Content::None)?.json()
    }

    /// A change.
    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Content::Json(body))?.json()
    }

    /// A call whose answer must be a success.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        content: Content<'_>,
    ) -> anyhow::Result<Answer> {
        self.call_with(method, path, content, &[], Duration::ZERO)
    }

    /// The same, with headers, and time that the server was asked to take.
    pub(super) fn call_with(
        &self,
        method: Method,
        path: &str,
        content: Content<'_>,
        headers: &[(&str, &str)],
        wait: Duration,
    ) -> anyhow::Result<Answer> {
        let answer = self.try_call(method, path, content, headers, wait)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        Err(self.refusal(&answer).into())
    }

    /// A call whose answer may be anything.
    pub(super) fn try_call(
        &self,
        method: Method,
        path: &str,
        content: Content<'_>,
        headers: &[(&str, &str)],
        wait: Duration,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match content {
            Content::None => Vec::new(),
            Content::Json(value) => {
                request = request.header("Content-Type", "application/json");
                value.to_string().into_bytes()
            }
            Content::Bytes(media_type, bytes) => {
                request = request.header("Content-Type", media_type);
                bytes
            }
        };
        let request = request
            .body(body)
            .map_err(|error| Failure::Usage(format!("cannot call {}: {error}", self.base)))?;
        let request =
            self.agent.configure_request(request).timeout_global(Some(PATIENCE + wait)).build();
        let response = self.agent.run(request).map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let date = response.headers().get("date").and_then(|value| value.to_str().ok());
        let date = date.map(str::to_owned);
        let media_type = response.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.to_owned();
        let mut body = Vec::new();
        response
            .into_body()
            .into_reader()
            .read_to_end(&mut body)
            .with_context(|| format!("the answer of {} broke off", self.base))?;
        Ok(Answer { status, media_type, date, body })
    }

    /// Copies the body of an answer, however long it is.
    pub(super) fn download(&self, path: &str, to: &mut dyn std::io::Write) -> anyhow::Result<u64> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let mut reader = response.into_body().into_reader();
        if status != 200 {
            let mut body = Vec::new();
            reader.read_to_end(&mut body)?;
            return Err(self
                .refusal(&Answer { status, media_type: String::new(), date: None, body })
                .into());
        }
        std::io::copy(&mut reader, to)
            .with_context(|| format!("the answer of {} broke off", self.base))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::Refused(format!(
            "no server answers at {}: {error}\n  \
             → start it with: bookbridge serve\n  \
             → or name another with --server URL",
            self.base
        ))
    }

    /// What a refusal says; a proxy in between may speak no problem documents.
    fn refusal(&self, answer: &Answer) -> Failure {
        let status = answer.status;
        let mut problem = match serde_json::from_slice(&answer.body) {
            Ok(problem @ Value::Object(_)) => problem,
            _ => json!({
                "title": "The server refused", "status": status,
                "detail": format!("{} answered with HTTP status {status}.", self.base),
            }),
        };
        if status == 401 && !self.has_key() {
            problem["fixes"] = json!([{
                "id": "api-key", "actor": "user",
                "label": "Set BOOKBRIDGE_API_KEY, or --data-dir to the server's data directory",
            }]);
        }
        Failure::Problem(problem)
    }
}

fn checked_url(url: &str) -> anyhow::Result<String> {
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
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_segment() {
        assert_eq!(segment("a/b c?#%ü"), "a%2Fb%20c%3F%23%25%C3%BC");
        assert_eq!(
            of_connection("a", &["records", "Customer", ".."]),
            "/v1/connections/a/records/Customer/%2E%2E"
        );
    }

    #[test]
    fn a_key_that_was_found_stays_on_this_machine() {
        for url in ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8170/x"] {
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
