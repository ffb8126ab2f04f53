//! What a form or an address says.

use std::future::Future;
use std::pin::Pin;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web;

use crate::dashboard::trouble::Trouble;

/// Names and values, in order; a name may come several times.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of what stands behind `?`.
    pub(super) fn of_query(query: &str) -> Self {
        let found = web::Query::<Vec<(String, String)>>::from_query(query);
        Self(found.map(web::Query::into_inner).unwrap_or_default())
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of a name; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The first value of a name, if it is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    /// All values of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Names that begin so, with their values.
    pub(super) fn begins<'a>(&'a self, with: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(move |(name, _)| name.starts_with(with))
    }

    /// What a form that was refused had, for the page of it: nothing if nothing was refused.
    pub(super) fn typed(query: &str, refused: bool) -> Self {
        if refused { Self::of_query(query) } else { Self::default() }
    }

    /// Some of them, as they stand behind `?`.
    pub(super) fn query(&self, names: &[&str]) -> String {
        let all = percent_encoding::NON_ALPHANUMERIC;
        let kept = self
            .0
            .iter()
            .filter(|(name, value)| names.contains(&name.as_str()) && !value.is_empty());
        let written = kept.map(|(name, value)| {
            format!("{name}={}", percent_encoding::utf8_percent_encode(value, all))
        });
        written.collect::<Vec<_>>().join("&")
    }
}

impl FromRequest for Fields {
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Trouble>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = web::Form::<Vec<(String, String)>>::from_request(request, payload);
        Box::pin(async move {
            let form =
                form.await.map_err(|error| match error.as_response_error().status_code() {
                    StatusCode::PAYLOAD_TOO_LARGE => Trouble::Said(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "This is too long to be read: go back, and send the end of it.".to_owned(),
                    ),
                    _ => Trouble::bad("This form cannot be read."),
                })?;
            Ok(Self(form.into_inner()))
        })
    }
}
