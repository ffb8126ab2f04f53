//! What a page refuses, as a page.

use actix_web::HttpResponse;
use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::http::header;

use crate::dashboard::frame::Frame;
use crate::dashboard::frame::message;
use crate::engine::EngineError;
use crate::store::StoreError;

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody is logged in: to the login, and back to this address.
    Login(String),
    /// With this status, and this sentence.
    Said(StatusCode, String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Login(_) => f.write_str("nobody is logged in"),
            Self::Said(_, said) => f.write_str(said),
        }
    }
}

impl Trouble {
    /// There is no such page.
    pub(super) fn nowhere() -> Self {
        Self::Said(StatusCode::NOT_FOUND, "There is no such page.".to_owned())
    }

    /// This user may not.
    pub(super) fn forbidden() -> Self {
        let said = "Your role does not allow this; ask an admin.".to_owned();
        Self::Said(StatusCode::FORBIDDEN, said)
    }

    /// What its page is called.
    pub(super) fn title(&self) -> &'static str {
        match self.status_code() {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::CONFLICT => "Not as things stand",
            StatusCode::SERVICE_UNAVAILABLE => "Not now",
            _ => "That did not work",
        }
    }

    /// The form cannot be read.
    pub(super) fn bad(said: &str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, said.to_owned())
    }
}

impl ResponseError for Trouble {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Login(_) => StatusCode::SEE_OTHER,
            Self::Said(status, _) => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Login(to) => HttpResponse::SeeOther()
                .insert_header((header::LOCATION, format!("/login?next={to}")))
                .finish(),
            Self::Said(status, said) => message(*status, Frame::titled(self.title()), said),
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        let status = match &error {
            EngineError::NoConnection(_)
            | EngineError::NoRecord(_)
            | EngineError::NotFound(_)
            | EngineError::UnknownKind { .. } => StatusCode::NOT_FOUND,
            EngineError::BadInput { .. } | EngineError::Refused(_) => StatusCode::BAD_REQUEST,
            EngineError::NotNow(_) => StatusCode::CONFLICT,
            EngineError::Store(error) => return StoreTrouble(error).into(),
        };
        Self::Said(status, sentence(&error.to_string()))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        StoreTrouble(&error).into()
    }
}

struct StoreTrouble<'a>(&'a StoreError);

impl From<StoreTrouble<'_>> for Trouble {
    fn from(trouble: StoreTrouble<'_>) -> Self {
        tracing::error!("a page: {}", trouble.0);
        let said = "The store does not answer; the log says why.".to_owned();
        Self::Said(StatusCode::SERVICE_UNAVAILABLE, said)
    }
}

/// With a capital and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
