//! Who calls, and what they may do.
//!
//! [`authenticate`] wraps everything under `/v1`, so that nothing of a call is read before its key
//! is known; [`Reader`], [`Writer`] and [`Admin`] are what a handler asks for, in its first argument.

use std::future::Ready;
use std::future::ready;

use actix_web::Error;
use actix_web::FromRequest;
use actix_web::HttpMessage as _;
use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::Payload;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::Next;
use actix_web::web;

use crate::api::problem::Problem;
use crate::api::problem::challenge;
use crate::api::refusal::Refusal;
use crate::domain::activity::ApiKey;
use crate::domain::activity::Scope;
use crate::engine::Actor;
use crate::engine::Engine;

/// Longer than any key of ours.
const MAX_KEY: usize = 200;

/// Lets through what carries a key that is ours and not revoked.
pub(super) async fn authenticate<B: MessageBody + 'static>(
    engine: web::Data<Engine>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match key_of(&engine, request.headers()).await {
        Ok(key) => {
            request.extensions_mut().insert(key);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// The key that a call carries.
pub(super) async fn key_of(engine: &Engine, headers: &HeaderMap) -> Result<ApiKey, Problem> {
    let text = bearer(headers)?;
    let key = engine.authorise(text).await?;
    key.ok_or_else(|| refused("This API key is unknown or revoked."))
}

/// The text of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all(header::AUTHORIZATION);
    let Some(value) = all.next() else {
        return Err(refused("This call needs an API key: send Authorization: Bearer KEY."));
    };
    if all.next().is_some() {
        return Err(refused("The call has several Authorization headers."));
    }
    let text = value.to_str().ok().and_then(|value| value.trim().split_once(' '));
    match text {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => {
            let key = key.trim();
            if (1..=MAX_KEY).contains(&key.len()) {
                Ok(key)
            } else {
                Err(refused("This API key is unknown or revoked."))
            }
        }
        _ => Err(refused("The Authorization header must be: Bearer KEY.")),
    }
}

fn refused(detail: &str) -> Problem {
    let (name, value) = challenge();
    Problem::new(Refusal::Unauthenticated, detail).header(name, value)
}

fn scoped(request: &HttpRequest, needed: Scope) -> Result<Actor, Problem> {
    let extensions = request.extensions();
    let Some(key) = extensions.get::<ApiKey>() else {
        return Err(refused("This call needs an API key: send Authorization: Bearer KEY."));
    };
    if key.scope < needed {
        let (has, needed) = (key.scope.as_str(), needed.as_str());
        let detail = format!("This call needs a key of scope {needed}; this key has {has}.");
        return Err(Problem::new(Refusal::Forbidden, detail));
    }
    let name = if key.name.is_empty() { key.id.to_string() } else { key.name.clone() };
    Ok(Actor(name))
}

/// Somebody who may see.
pub(super) struct Reader;

/// Somebody who may push and decide.
pub(super) struct Writer(pub(super) Actor);

/// Somebody who may manage connections and keys.
pub(super) struct Admin(pub(super) Actor);

/// Declares how a caller is known.
macro_rules! from_key {
    ($($name:ident = $scope:expr, $make:expr;)*) => {
        $(
            impl FromRequest for $name {
                type Error = Problem;
                type Future = Ready<Result<Self, Problem>>;

                fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                    ready(scoped(request, $scope).map($make))
                }
            }
        )*
    };
}

from_key! {
    Reader = Scope::Read, |_| Self;
    Writer = Scope::Write, Self;
    Admin = Scope::Admin, Self;
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use actix_web::ResponseError as _;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn one_bearer_header_is_a_key() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc "] {
            assert_eq!(bearer(&headers(&[value])).unwrap(), "abc", "{value}");
        }
        let long = format!("Bearer {}", "x".repeat(MAX_KEY + 1));
        for values in
            [&[][..], &["abc"], &["Basic abc"], &["Bearer "], &[&long], &["Bearer a", "Bearer a"]]
        {
            let problem = bearer(&headers(values)).unwrap_err();
            assert_eq!(problem.status_code().as_u16(), 401, "{values:?}");
        }
    }
}
