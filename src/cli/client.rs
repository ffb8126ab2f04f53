//! The REST API, as the commands call it.
//!
//! [`Way`] says which server, with which key. A redirect is not followed: it would lose the key, and
//! make a GET of a POST.

mod way;

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
use ureq::http::Response;

use super::arguments::Global;
use super::failure::Failure;
pub(super) use way::Way;
pub(super) use way::handshake_in_words;

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
    /// `Location`.
    location: Option<String>,
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
        Ok(Self::new(Way::of(global)?))
    }

    /// A server at the end of a way.
    pub(super) fn new(way: Way) -> Self {
        let Way { base, key, trust, proxy } = way;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .tls_config(trust)
            .proxy(proxy)
            .user_agent(concat!("bookbridge/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent, base, key }
    }

    /// The same server at another address, without a key.
    pub(super) fn at(&self, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { agent: self.agent.clone(), base, key: None }
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

    /// A whole list, part by part. The path has a query already.
    pub(super) fn list(&self, path: &str) -> anyhow::Result<Value> {
        let mut list = self.get(path)?;
        while let Some(cursor) = list.get("nextCursor").and_then(Value::as_str) {
            let mut next = self.get(&format!("{path}&cursor={}", segment(cursor)))?;
            if let (Some(Value::Array(all)), Some(Value::Array(more))) =
                (list.get_mut("data"), next.get_mut("data"))
            {
                all.append(more);
            }
            list["nextCursor"] = next["nextCursor"].take();
            list["hasMore"] = next["hasMore"].take();
        }
        Ok(list)
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
        let response = self.agent.run(request);
        self.whole(response.map_err(|error| way::unreached(&self.base, &error))?)
    }

    /// An answer with all of its body.
    fn whole(&self, response: Response<ureq::Body>) -> anyhow::Result<Answer> {
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let mut answer = Answer {
            status: response.status().as_u16(),
            media_type: header("content-type").unwrap_or_default(),
            date: header("date"),
            location: header("location"),
            body: Vec::new(),
        };
        let mut reader = response.into_body().into_reader();
        reader
            .read_to_end(&mut answer.body)
            .with_context(|| format!("the answer of {} broke off", self.base))?;
        Ok(answer)
    }

    /// Copies the body of an answer, however long it is.
    pub(super) fn download(&self, path: &str, to: &mut dyn std::io::Write) -> anyhow::Result<u64> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let response = request.call().map_err(|error| way::unreached(&self.base, &error))?;
        if response.status() != 200 {
            return Err(self.refusal(&self.whole(response)?).into());
        }
        std::io::copy(&mut response.into_body().into_reader(), to)
            .with_context(|| format!("the answer of {} broke off", self.base))
    }

    /// What a refusal says; a proxy in between may speak no problem documents.
    fn refusal(&self, answer: &Answer) -> Failure {
        let status = answer.status;
        let mut problem = match serde_json::from_slice(&answer.body) {
            Ok(problem @ Value::Object(_)) => problem,
            _ => json!({
                "code": "NO_BOOKBRIDGE_ANSWER", "title": "The server refused", "status": status,
                "detail": format!("{} answered with HTTP status {status}.", self.base), "fixes": [],
            }),
        };
        if let (300..400, Some(location)) = (status, &answer.location) {
            let elsewhere = location.find("://").map(|at| {
                let end = location[at + 3..].find('/').map_or(location.len(), |end| at + 3 + end);
                format!("use that address: --server {}", &location[..end])
            });
            let fix = elsewhere.unwrap_or("is it a Bookbridge server? see --server".to_owned());
            problem = json!({
                "code": "REDIRECTED", "title": "The server is elsewhere", "status": status,
                "detail": format!("{} redirects to {location}", self.base),
                "fixes": [{"actor": "user", "label": fix}],
            });
        }
        if status == 401 && !self.has_key() {
            problem["fixes"] = json!([{
                "id": "api-key", "actor": "user",
                "label": "Set BOOKBRIDGE_API_KEY, or --data-dir to the server's data directory",
            }]);
        }
        Failure::Problem(problem)
    }
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
}
