//! Who looks at a page: the cookie, the role, and the token in every form.

use std::future::Future;
use std::pin::Pin;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::cookie::SameSite;
use actix_web::dev::Payload;
use actix_web::web;
use askama::Template;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use crate::dashboard::DashboardSettings;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::see;
use crate::dashboard::frame::show;
use crate::dashboard::frame::show_with;
use crate::dashboard::live;
use crate::dashboard::said::Tone;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::domain::activity::Scope;
use crate::engine::Actor;
use crate::engine::Engine;

/// The cookie of a login.
const COOKIE: &str = "bookbridge";

/// Routes of the login.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/login").route(web::get().to(ask)).route(web::post().to(log_in)))
        .service(web::resource("/logout").route(web::post().to(log_out)))
        .service(
            web::resource("/setup/{token}")
                .route(web::get().to(ask_first))
                .route(web::post().to(make_first)),
        );
}

/// Somebody who is logged in.
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) scope: Scope,
    pub(super) csrf: String,
    pub(super) token: String,
    /// What was there before anything was read for the page.
    pub(super) seen: String,
    said: Option<String>,
    refused: Option<String>,
}

impl Visitor {
    /// As the activity names it.
    pub(super) fn actor(&self) -> Actor {
        Actor(self.name.clone())
    }

    /// Refuses who may do less.
    pub(super) fn may(&self, needed: Scope) -> Result<(), Trouble> {
        if self.scope >= needed { Ok(()) } else { Err(Trouble::forbidden()) }
    }

    /// Refuses a form that this login was not given, and who may do less.
    pub(super) fn sent(&self, form: &Fields, needed: Scope) -> Result<(), Trouble> {
        let given = form.text("csrf");
        if bool::from(given.as_bytes().ct_eq(self.csrf.as_bytes())) {
            self.may(needed)
        } else {
            Err(Trouble::bad("This form is old: open the page again."))
        }
    }

    /// What the page before says: done, or refused.
    pub(super) fn messages(&self) -> (Option<String>, Option<String>) {
        (self.said.clone(), self.refused.clone())
    }
}

impl FromRequest for Visitor {
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Trouble>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { visitor(&request).await })
    }
}

/// Who is logged in.
pub(super) async fn visitor(request: &HttpRequest) -> Result<Visitor, Trouble> {
    let to = || {
        let reads = request.method() == actix_web::http::Method::GET;
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
        let path = if reads { path } else { came_from(request).unwrap_or_else(|| "/".to_owned()) };
        let all = percent_encoding::NON_ALPHANUMERIC;
        let next = percent_encoding::utf8_percent_encode(&path, all);
        Trouble::Login(format!("{next}{}", if reads { "" } else { "&ended=1" }))
    };
    let (Some(engine), Some(settings)) = (
        request.app_data::<web::Data<Engine>>(),
        request.app_data::<web::Data<DashboardSettings>>(),
    ) else {
        return Err(to());
    };
    let token = request.cookie(COOKIE).ok_or_else(to)?.value().to_owned();
    let login = settings.logins.find(&token, engine.now()).ok_or_else(to)?;
    // The role may have changed since, or the user was shut out.
    let user = engine.store().user_named(&login.name).await?;
    let user = user.filter(|user| user.disabled_at.is_none()).ok_or_else(to)?;
    let asked = Fields::of_query(request.query_string());
    Ok(Visitor {
        name: user.name,
        scope: user.scope,
        csrf: login.csrf,
        token,
        seen: live::seen(engine).await,
        said: Tone::Said.read(&asked),
        refused: Tone::Refused.read(&asked),
    })
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: Frame,
    first: bool,
    action: &'a str,
    next: &'a str,
    name: &'a str,
}

/// The page whose form this is.
fn came_from(request: &HttpRequest) -> Option<String> {
    let referer = request.headers().get(actix_web::http::header::REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    rest.find('/').map(|at| own(&rest[at..]).to_owned())
}

/// Only addresses of ours: what follows a login leads nowhere else.
fn own(next: &str) -> &str {
    let own =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if own { next } else { "/" }
}

async fn ask(request: HttpRequest) -> HttpResponse {
    let asked = Fields::of_query(request.query_string());
    let ended = "Your login has ended, and what you pressed was not done. Log in, and do it again.";
    let alert = asked.given("ended").map(|_| ended.to_owned());
    let frame = Frame { alert, ..Frame::titled("Log in") };
    show(&LoginPage {
        frame,
        first: false,
        action: "/login",
        next: own(asked.text("next")),
        name: "",
    })
}

async fn log_in(
    request: HttpRequest,
    form: Fields,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    let (name, next) = (form.text("name"), own(form.text("next")));
    let now = engine.now();
    let refused = |alert: &str| {
        let frame = Frame { alert: Some(alert.to_owned()), ..Frame::titled("Log in") };
        let page = LoginPage { frame, first: false, action: "/login", next, name };
        Ok(show_with(actix_web::http::StatusCode::UNAUTHORIZED, &page))
    };
    if settings.logins.must_wait(name, now) {
        return refused("Too many wrong passwords. Wait five minutes, then try again.");
    }
    let password = SecretString::from(form.text("password").to_owned());
    if let Some(user) = engine.log_in_user(name, password).await? {
        return Ok(welcome(&request, &engine, &settings, &user.name, next));
    }
    if settings.logins.was_wrong(name, now) {
        engine.made_to_wait(name).await?;
    }
    tracing::warn!("a login to the pages was refused");
    refused("Name or password is wrong.")
}

/// Logged in, with a new cookie.
fn welcome(
    request: &HttpRequest,
    engine: &Engine,
    settings: &DashboardSettings,
    name: &str,
    next: &str,
) -> HttpResponse {
    let (token, csrf) = (engine.secret(), engine.secret());
    settings.logins.begin(&token, name, csrf, engine.now());
    let secure = base(request, settings).is_ok_and(|base| base.starts_with("https:"));
    let cookie = Cookie::build(COOKIE, token)
        .path("/")
        .http_only(true)
        // Who comes by a link in a mail is logged in; what changes something is sent by a form of
        // this login alone.
        .same_site(SameSite::Lax)
        .secure(secure)
        .finish();
    let mut response = see(next);
    if let Err(error) = response.add_cookie(&cookie) {
        tracing::error!("a cookie cannot be written: {error}");
    }
    response
}

async fn log_out(
    visitor: Visitor,
    form: Fields,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Read)?;
    settings.logins.end(&visitor.token);
    let mut response = see("/login");
    if let Err(error) = response.add_removal_cookie(&Cookie::build(COOKIE, "").path("/").finish()) {
        tracing::debug!("the cookie stays: {error}");
    }
    Ok(response)
}

async fn ask_first(
    token: web::Path<String>,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    if !settings.logins.is_setup(&token) || !engine.store().users().await?.is_empty() {
        return Err(Trouble::nowhere());
    }
    let action = format!("/setup/{token}");
    let frame = Frame::titled("Welcome");
    Ok(show(&LoginPage { frame, first: true, action: &action, next: "/", name: "" }))
}

async fn make_first(
    request: HttpRequest,
    token: web::Path<String>,
    form: Fields,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    if !settings.logins.is_setup(&token) {
        return Err(Trouble::nowhere());
    }
    let password = SecretString::from(form.text("password").to_owned());
    match engine.add_first_user(form.text("name"), password).await {
        Ok(user) => {
            settings.logins.end_setup();
            Ok(welcome(&request, &engine, &settings, &user.name, "/"))
        }
        Err(error @ crate::engine::EngineError::BadInput { .. }) => {
            let action = format!("/setup/{token}");
            let alert = Some(sentence(&error.to_string()));
            let frame = Frame { alert, ..Frame::titled("Welcome") };
            let name = form.text("name");
            Ok(show(&LoginPage { frame, first: true, action: &action, next: "/", name }))
        }
        Err(error) => Err(error.into()),
    }
}

/// `https://host`, without a slash at its end: the setting, or what the request says.
pub(super) fn base(request: &HttpRequest, settings: &DashboardSettings) -> Result<String, Trouble> {
    if let Some(url) = &settings.public_url {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let info = request.connection_info();
    let address = crate::qwc::address(info.scheme(), info.host());
    address.ok_or_else(|| Trouble::bad("The Host header is no host."))
}
