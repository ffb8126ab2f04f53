//! What the API itself refuses: a code, a status and a title each.
//!
//! What QuickBooks would refuse stands in the catalogue of diagnoses; both are shown under
//! `/docs/errors/{CODE}` and `/v1/errors`.

use actix_web::http::StatusCode;

/// Declares [`Refusal`] with its stable names, so that the list stands in one place.
macro_rules! refusals {
    ($($variant:ident = $code:literal, $status:ident, $title:literal, $explanation:literal;)*) => {
        /// Why the API does not do what was asked.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Refusal {
            $(
                #[doc = $title]
                $variant,
            )*
        }

        impl Refusal {
            /// All, by status.
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub(super) const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The HTTP status.
            pub(super) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            /// A few words.
            pub(super) const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }

            /// A sentence or two, for the page of the code.
            pub(super) const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$variant => $explanation,)*
                }
            }
        }
    };
}

impl Refusal {
    /// What people read where the detail is for the program's maker; `None` if people understand it.
    pub(super) const fn for_people(self) -> Option<&'static str> {
        match self {
            Self::MalformedBody
            | Self::InvalidParameter
            | Self::MethodNotAllowed
            | Self::Timeout
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::InvalidRequest
            | Self::UnknownKind
            | Self::UnknownFix => Some(
                "Your program sent something that Bookbridge cannot use. Nothing was kept of it; \
                 whoever looks after the program needs to see this.",
            ),
            Self::Unauthenticated | Self::Forbidden => Some(
                "Your program is not allowed to do this in Bookbridge. An admin can give it a key \
                 that is.",
            ),
            Self::ServerError => {
                Some("Bookbridge had an error. Try again, and report it if it stays.")
            }
            Self::NotFound | Self::Conflict | Self::StoreStopped | Self::StoreFull => None,
        }
    }
}

refusals! {
    MalformedBody = "MALFORMED_BODY", BAD_REQUEST, "The body cannot be read",
        "The body of the call is not what its form asks for: JSON, one JSON object a line, or qbXML. \
         The detail names the line and column.";
    InvalidParameter = "INVALID_PARAMETER", BAD_REQUEST, "A parameter cannot be used",
        "A part of the path, a query parameter or a header is unknown, is given twice, or has a value \
         that cannot be used. The detail names it.";
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED, "No valid API key",
        "Every call under /v1 carries Authorization: Bearer KEY. A key is made with \
         bookbridge key create, is shown once, and works until it is revoked.";
    Forbidden = "FORBIDDEN", FORBIDDEN, "The API key may not do this",
        "Keys have a scope: read sees, write also pushes and decides, admin also manages connections \
         and keys. This call needs a greater one.";
    NotFound = "NOT_FOUND", NOT_FOUND, "There is no such thing",
        "The path does not exist, or what it names does not.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "The method is not allowed here",
        "The path exists, but not with this method. The Allow header lists those that it has.";
    Timeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT, "The body did not arrive",
        "The client sent nothing for too long while we waited for the rest of the body.";
    Conflict = "CONFLICT", CONFLICT, "Not as things stand",
        "What was asked makes no sense now: QuickBooks may be executing the record, a name is taken, \
         or another call changed the same thing at the same moment.";
    TooLarge = "BODY_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is too large",
        "The body is longer than this call accepts. The detail states the limit.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE,
        "The body's encoding is not supported",
        "Bodies are taken as they are: send them without Content-Encoding, in UTF-8.";
    InvalidRequest = "INVALID_REQUEST", UNPROCESSABLE_ENTITY, "A member of the body is wrong",
        "The body is JSON, but a member is unknown, missing, or of the wrong type or range. The \
         pointer names it.";
    UnknownKind = "UNKNOWN_KIND", UNPROCESSABLE_ENTITY, "QuickBooks has no such kind",
        "A kind is the name of a qbXML object that can be added, such as Customer or Invoice, in \
         exactly that writing. GET /v1/schema lists them.";
    UnknownFix = "UNKNOWN_FIX", UNPROCESSABLE_ENTITY, "That fix cannot be applied here",
        "The record's diagnosis offers no fix of this name that can be applied by itself. The detail \
         names those that can.";
    ServerError = "SERVER_ERROR", INTERNAL_SERVER_ERROR, "Bookbridge has an error of its own",
        "The call was not done. The log has more under the request id.";
    StoreStopped = "STORE_STOPPED", SERVICE_UNAVAILABLE, "The store stopped",
        "After an error of the disk nothing is accepted until Bookbridge was started again.";
    StoreFull = "STORE_FULL", SERVICE_UNAVAILABLE, "The disk takes nothing more",
        "The disk is full, or Bookbridge may not write to its data directory any more; the detail says \
         which. Nothing new is accepted until that is mended. What was acknowledged is safe.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Code;

    #[test]
    fn no_refusal_shares_its_code_with_a_diagnosis() {
        for refusal in Refusal::ALL {
            assert!(Code::ALL.iter().all(|code| code.as_str() != refusal.code()), "{refusal:?}");
        }
    }
}
