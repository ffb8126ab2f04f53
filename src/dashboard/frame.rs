//! What every page has: title, navigation, messages, headers.

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;
use askama::Template;

use crate::dashboard::said::Tone;
use crate::dashboard::statics;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::visitor::Visitor;
use crate::dashboard::visitor::visitor;
use crate::domain::activity::Scope;
use crate::domain::connection::Connection;
use crate::domain::user::role;

/// Nothing from elsewhere, nothing inline, no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Who looks, as the page shows it.
pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) scope: Scope,
    pub(super) csrf: String,
}

/// The connection whose pages these are.
pub(super) struct Here {
    pub(super) id: String,
    pub(super) name: String,
}

/// What every page has.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) user: Option<Who>,
    pub(super) connection: Option<Here>,
    /// The place in the navigation.
    pub(super) at: &'static str,
    pub(super) flash: Option<String>,
    pub(super) alert: Option<String>,
    /// What was there before the page was made: its live part is told once that is no longer so.
    pub(super) seen: String,
    pub(super) css: &'static str,
    pub(super) js: &'static str,
    pub(super) icon: &'static str,
    pub(super) version: &'static str,
}

impl Frame {
    /// Of a page that nobody needs to be logged in for.
    pub(super) fn titled(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            user: None,
            connection: None,
            at: "",
            flash: None,
            alert: None,
            seen: String::new(),
            css: statics::css(),
            js: statics::js(),
            icon: statics::ICON,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Of a page for somebody.
    pub(super) fn of(visitor: &Visitor, title: &str, at: &'static str) -> Self {
        let user = Who {
            name: visitor.name.clone(),
            role: role(visitor.scope),
            scope: visitor.scope,
            csrf: visitor.csrf.clone(),
        };
        let (flash, alert) = visitor.messages();
        let seen = visitor.seen.clone();
        Self { user: Some(user), at, flash, alert, seen, ..Self::titled(title) }
    }

    /// The same among the pages of a connection.
    pub(super) fn within(mut self, connection: &Connection) -> Self {
        self.title = format!("{} · {}", self.title, connection.name);
        let (id, name) = (connection.id.to_string(), connection.name.clone());
        self.connection = Some(Here { id, name });
        self
    }

    /// The token of forms.
    pub(super) fn csrf(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.csrf)
    }

    /// Whether who looks may decide about records.
    pub(super) fn is_operator(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.scope >= Scope::Write)
    }

    /// Whether who looks may manage connections and users.
    pub(super) fn is_admin(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.scope >= Scope::Admin)
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame,
    text: &'a str,
    back: bool,
}

/// A page that showed a secret was loaded again.
pub(super) const DONE_ALREADY: &str =
    "This was done already, and what it made is shown once. To make another one, press it again.";

/// What would be done, asked before it is.
#[derive(Template)]
#[template(path = "sure.html")]
pub(super) struct Sure<'a> {
    pub(super) frame: Frame,
    pub(super) title: &'a str,
    /// Where it would be done, and the page of that.
    pub(super) place: &'a str,
    pub(super) home: &'a str,
    /// Where the form goes again, with `sure`.
    pub(super) action: &'a str,
    pub(super) would: &'a str,
    /// Names here, each with the one in QuickBooks.
    pub(super) pairs: &'a [(String, String)],
    pub(super) hidden: &'a [(&'a str, &'a str)],
}

/// A page of one sentence.
pub(super) fn message(status: StatusCode, frame: Frame, text: &str) -> HttpResponse {
    show_with(status, &Message { frame, text, back: true })
}

/// A filled template.
pub(super) fn show(page: &impl Template) -> HttpResponse {
    show_with(StatusCode::OK, page)
}

/// A filled template, with a status.
pub(super) fn show_with(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            tracing::error!("a page cannot be rendered: {error}");
            HttpResponse::InternalServerError().body("The page cannot be shown.")
        }
    }
}

/// To another page.
pub(super) fn see(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, to.to_owned())).finish()
}

/// To another page, which says this.
pub(super) fn see_saying(to: &str, said: &str) -> HttpResponse {
    see(&Tone::Said.address(to, said))
}

/// To another page, which says that it did not work.
pub(super) fn see_refusal(to: &str, said: &str) -> HttpResponse {
    see(&Tone::Refused.address(to, said))
}

/// Nothing has this address; with a slash less, something may.
pub(super) async fn lost(request: HttpRequest) -> Result<HttpResponse, Trouble> {
    let uri = request.uri();
    let shorter = uri.path().trim_end_matches('/');
    let ours = !shorter.is_empty() && !shorter.contains("//") && !shorter.contains('\\');
    if ours && shorter != uri.path() && request.method() == Method::GET {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Ok(see(&format!("{shorter}{query}")));
    }
    Err(Trouble::nowhere())
}

/// What was refused, among the pages of whoever is logged in.
async fn framed(request: &HttpRequest, response: &HttpResponse) -> Option<HttpResponse> {
    let trouble = response.error()?.as_error::<Trouble>()?;
    let Trouble::Said(status, said) = trouble else { return None };
    let visitor = visitor(request).await.ok()?;
    let frame = Frame::of(&visitor, trouble.title(), "");
    Some(message(*status, frame, said))
}

/// Safe headers on everything.
pub(super) async fn headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if reads && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        // The address of a button: to the page on which it is, which is the one above.
        let uri = response.request().uri().clone();
        let above = uri.path().rsplit_once('/').map_or("", |(above, _)| above);
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let above = format!("{}{query}", if above.is_empty() { "/" } else { above });
        let said = "Nothing was done. Press it here.";
        response = response.into_response(see_refusal(&above, said));
    }
    if let Some(page) = framed(response.request(), response.response()).await {
        response = response.into_response(page);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
