//! Bodies: bounded, read no faster than they are used, and wrong at a named place.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::web::BytesMut;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::api::problem::Problem;
use crate::api::problem::sentence;
use crate::api::refusal::Refusal;
use crate::api::unique;

/// The limit of a body that says little: an action, a connection.
pub(super) const SMALL: usize = 64 << 10;
/// The limit of one record, or of one line of many.
pub(super) const RECORD: usize = 1 << 20;
/// The limit of raw qbXML.
pub(super) const QBXML: usize = 1 << 20;
/// The limit of many records.
pub(super) const BULK: usize = 64 << 20;

/// How long a client may say nothing while we wait for its body.
const IDLE: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still taken, so that the client hears why: one that is cut
/// off while it writes sees a broken pipe and never reads our answer.
const DRAIN: usize = 64 << 20;

/// A body on its way in.
pub(super) struct Incoming {
    payload: Payload,
    taken: usize,
    limit: usize,
    /// The client says that it sends more than that.
    is_too_large: bool,
}

impl Incoming {
    /// Begins to read.
    pub(super) fn open(
        request: &HttpRequest,
        payload: Payload,
        limit: usize,
    ) -> Result<Self, Problem> {
        match request.headers().get(header::CONTENT_ENCODING) {
            Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Err(
                Problem::new(Refusal::UnsupportedMediaType, "Send it without Content-Encoding."),
            ),
            _ => {
                let length = request.headers().get(header::CONTENT_LENGTH);
                let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
                if length.is_some_and(|it| it > limit.saturating_add(DRAIN)) {
                    return Err(too_large(limit));
                }
                let is_too_large = length.is_some_and(|it| it > limit);
                Ok(Self { payload, taken: 0, limit, is_too_large })
            }
        }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(bytes) = self.chunk().await? else { return Ok(None) };
        if self.taken <= self.limit && !self.is_too_large {
            return Ok(Some(bytes));
        }
        while self.taken <= self.limit.saturating_add(DRAIN) && self.chunk().await?.is_some() {}
        Err(too_large(self.limit))
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        match tokio::time::timeout(IDLE, self.payload.next()).await {
            Err(_) => {
                let detail = format!("Nothing came for {} seconds.", IDLE.as_secs());
                Err(Problem::new(Refusal::Timeout, detail).retryable())
            }
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => {
                self.taken = self.taken.saturating_add(bytes.len());
                Ok(Some(bytes))
            }
            Ok(Some(Err(why))) => {
                let detail = format!("The body broke off: {why}.");
                Err(Problem::new(Refusal::MalformedBody, detail))
            }
        }
    }

    /// All of it.
    pub(super) async fn whole(mut self) -> Result<Bytes, Problem> {
        let mut all = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all.freeze())
    }

    /// Reads what is left and forgets it, within the limit.
    pub(super) async fn rest(&mut self) {
        while let Ok(Some(_)) = self.next().await {}
    }
}

fn too_large(limit: usize) -> Problem {
    let limit = if limit >= 1 << 20 {
        format!("{} MiB", limit >> 20)
    } else {
        format!("{} KiB", limit >> 10)
    };
    Problem::new(Refusal::TooLarge, format!("This call accepts at most {limit}."))
}

/// A body that is one JSON object of a known shape; an empty one is `{}`.
pub(super) struct Json<T, const LIMIT: usize = SMALL>(pub(super) T);

impl<T: DeserializeOwned + 'static, const LIMIT: usize> FromRequest for Json<T, LIMIT> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let incoming = Incoming::open(request, payload.take(), LIMIT);
        Box::pin(async move { object(&incoming?.whole().await?).map(Self) })
    }
}

/// Reads one JSON object.
pub(super) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = without_mark(bytes);
    let value = if bytes.trim_ascii().is_empty() {
        Value::Object(serde_json::Map::new())
    } else {
        value(bytes)?
    };
    typed(value)
}

/// UTF-8 needs no byte order mark, but some programs write one.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Reads any JSON.
pub(super) fn value(bytes: &[u8]) -> Result<Value, Problem> {
    let value = serde_json::from_slice(bytes).map_err(|why| not_json(&why))?;
    once(bytes)?;
    Ok(value)
}

/// Refuses JSON that names a member twice.
pub(super) fn once(bytes: &[u8]) -> Result<(), Problem> {
    unique::check(bytes).map_err(|unique::Twice(pointer)| {
        let detail = "This member is given twice; only one of the two could be kept.";
        Problem::new(Refusal::InvalidRequest, detail).at(pointer)
    })
}

/// What a body that is no JSON is answered.
pub(super) fn not_json(why: &serde_json::Error) -> Problem {
    Problem::new(Refusal::MalformedBody, format!("The body is no JSON: {why}."))
}

/// Takes an object of a known shape out of JSON.
pub(super) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        let is = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        let detail = format!("This must be a JSON object; it is {is}.");
        return Err(Problem::new(Refusal::InvalidRequest, detail).at(""));
    }
    serde_path_to_error::deserialize(value).map_err(|why| {
        let mut pointer = pointer(why.path());
        let said = why.inner().to_string();
        if let Some(name) = said.strip_prefix("missing field `").and_then(|it| it.split('`').next())
        {
            pointer.push('/');
            pointer.push_str(name);
        }
        let detail = match said.as_str() {
            // What serde_json says of 1.5 where a whole number belongs.
            "invalid number" => "This must be a whole number, and not so large.".to_owned(),
            // Names of ours are nobody's business.
            other => sentence(other.split(", expected struct ").next().unwrap_or(other)),
        };
        Problem::new(Refusal::InvalidRequest, detail).at(pointer)
    })
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use actix_web::ResponseError as _;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
    struct Shape {
        posted: bool,
        depends_on: Vec<String>,
    }

    #[test]
    fn nothing_is_an_empty_object() {
        for text in ["", " \r\n", "{}", "\u{feff}{}"] {
            assert_eq!(object::<Shape>(text.as_bytes()).unwrap(), Shape::default(), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_at_a_place() {
        let check = |text: &[u8], status: u16, pointer: &str, expected: &str| {
            let problem = object::<Shape>(text).unwrap_err();
            let said = problem.to_string();
            assert_eq!(problem.status_code().as_u16(), status, "{said}");
            assert!(said.contains(expected), "{said}");
            assert_eq!(problem.into_words().first.pointer.unwrap_or_default(), pointer, "{said}");
        };
        check(b"{\"posted\":\n tru}", 400, "", "line 2 column 5");
        check(b"{", 400, "", "line 1 column 1");
        check(b"\"\xff\"", 400, "", "line 1");
        check("[".repeat(5000).as_bytes(), 400, "", "recursion limit");
        check(b"[]", 422, "", "it is an array");
        check(b"{\"posted\":\"yes\"}", 422, "/posted", "expected a boolean");
        check(b"{\"dependsOn\":[\"a\",7]}", 422, "/dependsOn/1", "expected a string");
        check(b"{\"posed\":true}", 422, "/posed", "Unknown field `posed`, expected");
        check(b"{\"posted\":1e999}", 422, "/posted", "expected a boolean");
    }
}
