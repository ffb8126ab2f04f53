//! Every answer that is no success: RFC 9457, `application/problem+json`.
//!
//! A [`Problem`] is made where something is refused, and written where the request id is known: by
//! `around` at the edge. Causes of our own errors go to the log once, never into an answer.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::api::around::REQUEST_ID;
use crate::api::refusal::Refusal;
use crate::api::shape::Diagnosis;
use crate::api::shape::Finding;
use crate::api::words;
use crate::domain::outcome;
use crate::engine::EngineError;
use crate::store::StoreError;

/// The media type of every problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// When a call that lost every race is made again.
const AT_ONCE_SECONDS: HeaderValue = HeaderValue::from_static("1");
/// When a disk that takes nothing is asked again: somebody has to make room, or give leave.
const ROOM_SECONDS: HeaderValue = HeaderValue::from_static("60");
/// When a store that stopped is asked again: a supervisor starts the program anew.
const RESTART_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Why a call was not done.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    words: Box<Diagnosis>,
    headers: Vec<(HeaderName, HeaderValue)>,
    request_id: Option<String>,
}

/// A problem as it is written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(super) struct Document<'a> {
    /// The page of the code.
    r#type: String,
    /// The HTTP status.
    status: u16,
    /// Names the call in the log.
    request_id: Option<&'a str>,
    #[serde(flatten)]
    words: &'a Diagnosis,
}

impl Problem {
    /// A refusal of the API's own.
    pub(super) fn new(refusal: Refusal, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let people = refusal.for_people().unwrap_or(&detail).to_owned();
        let first = Finding::refused(refusal.code(), refusal.title(), detail, people);
        let words = Diagnosis { first, errors: Vec::new() };
        let (status, words) = (refusal.status(), Box::new(words));
        Self { status, words, headers: Vec::new(), request_id: None }
    }

    /// What QuickBooks would refuse.
    fn refused(findings: &[outcome::Finding]) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        match words::diagnosis(findings) {
            Some(words) => {
                Self { status, words: Box::new(words), headers: Vec::new(), request_id: None }
            }
            None => Self::new(Refusal::InvalidRequest, "QuickBooks would refuse it."),
        }
    }

    /// The same at a place: a JSON pointer.
    #[must_use]
    pub(super) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.words.first.pointer = Some(pointer.into());
        self
    }

    /// A wrong value, said of a member of the body.
    #[must_use]
    pub(super) fn of_member(self, pointer: &str) -> Self {
        let detail = self.words.first.detail;
        Self::new(Refusal::InvalidRequest, detail).at(pointer)
    }

    /// The same, but worth another try.
    #[must_use]
    pub(super) fn retryable(mut self) -> Self {
        self.words.first.retryable = true;
        self
    }

    /// The same with a header.
    #[must_use]
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same as an answer to this call.
    #[must_use]
    pub(super) fn of_call(mut self, request_id: &str) -> Self {
        self.request_id = Some(request_id.to_owned());
        self
    }

    /// What is wrong, as it stands in a list of results.
    pub(super) fn into_words(self) -> Diagnosis {
        *self.words
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.words.first.code, self.words.first.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let document = Document {
            r#type: format!("/docs/errors/{}", self.words.first.code),
            status: self.status.as_u16(),
            request_id: self.request_id.as_deref(),
            words: &self.words,
        };
        let mut response = HttpResponse::build(self.status);
        response.content_type(MEDIA_TYPE);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        if let Some(id) = &self.request_id {
            response.insert_header((REQUEST_ID, id.as_str()));
        }
        response.body(serde_json::to_vec(&document).unwrap_or_default())
    }
}

impl From<EngineError> for Problem {
    fn from(why: EngineError) -> Self {
        match why {
            EngineError::NoConnection(_) | EngineError::NoRecord(_) | EngineError::NotFound(_) => {
                Self::new(Refusal::NotFound, sentence(&why.to_string()))
            }
            EngineError::UnknownKind { kind, nearest } => unknown_kind(&kind, nearest.as_deref()),
            EngineError::BadInput { pointer, why } if pointer.starts_with('/') => {
                Self::new(Refusal::InvalidRequest, sentence(&why)).at(pointer)
            }
            EngineError::BadInput { pointer, why } => {
                let detail = sentence(&why);
                Self::new(Refusal::InvalidParameter, format!("{pointer}: {detail}"))
            }
            EngineError::Refused(findings) => Self::refused(&findings),
            EngineError::NotNow(why) => Self::new(Refusal::Conflict, sentence(&why)),
            EngineError::Store(why) => why.into(),
        }
    }
}

/// A kind that is not in the schema.
pub(super) fn unknown_kind(kind: &str, nearest: Option<&str>) -> Problem {
    let shown: String = kind.chars().take(80).collect();
    let detail = match nearest {
        Some(nearest) => format!("There is no kind {shown:?}; did you mean {nearest}?"),
        None => format!("There is no kind {shown:?}; GET /v1/schema lists them."),
    };
    Problem::new(Refusal::UnknownKind, detail).at("/kind")
}

impl From<StoreError> for Problem {
    fn from(why: StoreError) -> Self {
        match why {
            StoreError::Conflict { .. } => {
                let detail = "Other calls changed the same thing at the same moment; call again.";
                let problem = Self::new(Refusal::Conflict, detail);
                problem.retryable().header(header::RETRY_AFTER, AT_ONCE_SECONDS)
            }
            StoreError::Full | StoreError::Unwritable(_) => {
                error!("refused a call: {}", chain(&why));
                let problem = Self::new(Refusal::StoreFull, sentence(&why.to_string()));
                problem.retryable().header(header::RETRY_AFTER, ROOM_SECONDS)
            }
            StoreError::TooLarge { .. } => Self::new(Refusal::TooLarge, sentence(&why.to_string())),
            StoreError::Stopped(_) => {
                error!("refused a call: {why}");
                let detail = "The store stopped after an error of the disk.";
                let problem = Self::new(Refusal::StoreStopped, detail);
                problem.retryable().header(header::RETRY_AFTER, RESTART_SECONDS)
            }
            StoreError::Corrupt { .. }
            | StoreError::Open { .. }
            | StoreError::Import { .. }
            | StoreError::Io { .. } => internal(&why),
        }
    }
}

/// Our own mistake, or the machine's: the cause goes to the log, the answer says where to look.
pub(super) fn internal(why: &dyn std::error::Error) -> Problem {
    error!("a call failed: {}", chain(why));
    Problem::new(Refusal::ServerError, "The log has more under this request id.")
}

/// An error with its causes, in one line.
fn chain(why: &dyn std::error::Error) -> String {
    let mut chain = why.to_string();
    let mut cause = why.source();
    while let Some(why) = cause {
        chain.push_str(": ");
        chain.push_str(&why.to_string());
        cause = why.source();
    }
    chain
}

/// An error's text as a sentence for people.
pub(super) fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    // The name of a member is written as it is: dependsOn.
    let is_name = word.chars().skip(1).any(char::is_uppercase);
    let mut chars = text.chars();
    let mut sentence: String = match chars.next().filter(|_| !is_name) {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => text.to_owned(),
    };
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// The challenge of a 401.
pub(super) fn challenge() -> (HeaderName, HeaderValue) {
    (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bookbridge\""))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::domain::outcome::Code;
    use crate::domain::outcome::Finding;
    use crate::domain::outcome::Said;

    fn written(problem: &Problem) -> Value {
        serde_json::to_value(Document {
            r#type: format!("/docs/errors/{}", problem.words.first.code),
            status: problem.status.as_u16(),
            request_id: problem.request_id.as_deref(),
            words: &problem.words,
        })
        .unwrap()
    }

    #[test]
    fn a_problem_has_the_members_of_the_contract() {
        let said = Said { status_code: Some(3070), message: "too long".into(), ..Said::default() };
        let finding = Finding::new(Code::StringTooLong).at("/data/Name").said(said);

        let problem = Problem::from(EngineError::Refused(vec![finding])).of_call("r-1");

        let written = written(&problem);
        assert_eq!(problem.status_code(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(written["type"], "/docs/errors/STRING_TOO_LONG");
        for (member, expected) in [
            ("status", json!(422)),
            ("code", json!("STRING_TOO_LONG")),
            ("pointer", json!("/data/Name")),
            ("requestId", json!("r-1")),
            ("retryable", json!(false)),
        ] {
            assert_eq!(written[member], expected, "{member}");
        }
        assert_eq!(written["quickbooks"]["statusCode"], 3070);
        for member in ["title", "detail", "userFacingMessage", "fixes"] {
            assert!(written.get(member).is_some(), "{member}");
        }
        assert!(written.get("errors").is_none());
    }

    #[test]
    fn several_findings_are_all_listed() {
        let findings = vec![
            Finding::new(Code::MissingField).at("/data/Name"),
            Finding::new(Code::InvalidValue),
        ];

        let written = written(&Problem::from(EngineError::Refused(findings)));

        assert_eq!(written["code"], "MISSING_FIELD");
        assert_eq!(written["errors"][1]["code"], "INVALID_VALUE");
    }

    #[test]
    fn every_error_of_the_engine_has_its_status() {
        let check = |why: EngineError, status: u16| {
            assert_eq!(Problem::from(why).status_code().as_u16(), status);
        };
        check(EngineError::NoConnection("a".into()), 404);
        check(EngineError::NotFound("key".into()), 404);
        check(EngineError::UnknownKind { kind: "X".into(), nearest: None }, 422);
        check(EngineError::BadInput { pointer: "/data".into(), why: "x".into() }, 422);
        check(EngineError::BadInput { pointer: "sourceId".into(), why: "x".into() }, 400);
        check(EngineError::NotNow("x".into()), 409);
        check(StoreError::Full.into(), 503);
        check(StoreError::Unwritable(std::io::ErrorKind::PermissionDenied.into()).into(), 503);
        check(StoreError::Stopped("x".into()).into(), 503);
        check(StoreError::Conflict { what: "x".into() }.into(), 409);
        check(StoreError::Corrupt { what: "x".into(), why: "y".into() }.into(), 500);
    }

    #[test]
    fn what_cannot_be_kept_now_says_when_to_come_again() {
        let denied = StoreError::Unwritable(std::io::ErrorKind::PermissionDenied.into());
        for why in [StoreError::Full, denied, StoreError::Stopped("x".into())] {
            let response = Problem::from(why).error_response();

            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let after = response.headers().get(header::RETRY_AFTER).unwrap().to_str().unwrap();
            assert!(after.parse::<u32>().is_ok(), "{after}");
        }
    }

    #[test]
    fn a_problem_of_our_own_tells_nothing_of_the_inside() {
        let why = StoreError::Corrupt { what: "record a".into(), why: "byte 7".into() };

        let written = written(&Problem::from(why)).to_string();

        assert!(!written.contains("byte 7"));
    }
}
