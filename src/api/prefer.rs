//! `Prefer: handling=strict` (RFC 7240).

use std::convert::Infallible;
use std::future::Ready;
use std::future::ready;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::HttpResponseBuilder;
use actix_web::dev::Payload;

use crate::engine::Handling;

/// What the client prefers; what we do not know is ignored, as the RFC asks.
#[derive(Clone, Copy)]
pub(super) struct Prefer {
    handling: Option<Handling>,
}

impl FromRequest for Prefer {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values =
            request.headers().get_all("Prefer").filter_map(|value| value.to_str().ok());
        ready(Ok(Self { handling: values.find_map(handling) }))
    }
}

/// The first `handling` of a header.
fn handling(header: &str) -> Option<Handling> {
    header.split(',').find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("handling") {
            return None;
        }
        match value.trim().trim_matches('"').to_ascii_lowercase().as_str() {
            "strict" => Some(Handling::Strict),
            "lenient" => Some(Handling::Lenient),
            _ => None,
        }
    })
}

impl Prefer {
    /// What to do with a record that preflight refuses.
    pub(super) fn handling(self) -> Handling {
        self.handling.unwrap_or(Handling::Lenient)
    }

    /// Tells the client that it was heard.
    pub(super) fn applied(self, response: &mut HttpResponseBuilder) {
        let applied = match self.handling {
            Some(Handling::Strict) => "handling=strict",
            Some(Handling::Lenient) => "handling=lenient",
            None => return,
        };
        response.insert_header(("Preference-Applied", applied));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handling_is_found_among_others() {
        for (header, expected) in [
            ("handling=strict", Some(Handling::Strict)),
            ("respond-async, Handling=\"Strict\"; foo", Some(Handling::Strict)),
            ("wait=5,handling = lenient", Some(Handling::Lenient)),
            ("handling=odd", None),
            ("", None),
            ("=,;=\"", None),
        ] {
            assert_eq!(handling(header), expected, "{header}");
        }
    }
}
