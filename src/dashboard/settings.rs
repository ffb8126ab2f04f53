//! Settings: the own password, users, API keys.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use uuid::Uuid;

use crate::dashboard::DashboardSettings;
use crate::dashboard::connection::Secret;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::DONE_ALREADY;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::Sure;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::see_saying;
use crate::dashboard::frame::show;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view::Choice;
use crate::dashboard::view::When;
use crate::dashboard::view::choices;
use crate::dashboard::visitor::Visitor;
use crate::domain::activity::Scope;
use crate::domain::ids::KeyId;
use crate::domain::user;
use crate::engine::Engine;
use crate::engine::EngineError;

/// Where they are.
const HOME: &str = "/settings";

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/settings").route(web::get().to(page)))
        .service(web::resource("/settings/password").route(web::post().to(password)))
        .service(web::resource("/settings/users").route(web::post().to(add_user)))
        .service(web::resource("/settings/user").route(web::post().to(change_user)))
        .service(web::resource("/settings/keys").route(web::post().to(add_key)))
        .service(web::resource("/settings/revoke").route(web::post().to(revoke)));
}

struct UserRow {
    id: String,
    name: String,
    role: &'static str,
    roles: Vec<Choice>,
    since: When,
    disabled: bool,
}

struct KeyRow {
    id: String,
    name: String,
    scope: &'static str,
    since: When,
    revoked: bool,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    frame: Frame,
    users: Vec<UserRow>,
    keys: Vec<KeyRow>,
    once: String,
    user: String,
    user_roles: Vec<Choice>,
    key: String,
    scopes: Vec<Choice>,
}

async fn page(
    request: HttpRequest,
    visitor: Visitor,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let frame = Frame::of(&visitor, "Settings", "settings");
    let roles = [Scope::Read, Scope::Write, Scope::Admin].map(user::role);
    let (mut users, mut keys) = (Vec::new(), Vec::new());
    if frame.is_admin() {
        users.extend(engine.store().users().await?.into_iter().map(|it| UserRow {
            id: it.id.to_string(),
            name: it.name,
            role: user::role(it.scope),
            roles: choices(roles.map(|role| (role, role)), user::role(it.scope)),
            since: When::at(it.created_at),
            disabled: it.disabled_at.is_some(),
        }));
        keys.extend(engine.store().keys().await?.into_iter().map(|it| KeyRow {
            id: it.id.0.to_string(),
            name: it.name,
            scope: it.scope.as_str(),
            since: When::at(it.created_at),
            revoked: it.revoked_at.is_some(),
        }));
    }
    let typed = Fields::typed(request.query_string(), frame.alert.is_some());
    let name_of = |what: &str| {
        let name = Some(typed.text("name")).filter(|_| typed.text("new") == what);
        name.unwrap_or_default().to_owned()
    };
    let scopes = [Scope::Read, Scope::Write, Scope::Admin].map(Scope::as_str);
    Ok(show(&Page {
        frame,
        users,
        keys,
        once: engine.secret(),
        user: name_of("user"),
        user_roles: choices(roles.map(|role| (role, role)), typed.text("role")),
        key: name_of("key"),
        scopes: choices(scopes.map(|scope| (scope, scope)), typed.text("scope")),
    }))
}

/// Done, or the sentence why not.
fn told<T>(done: Result<T, EngineError>, said: &str) -> Result<HttpResponse, Trouble> {
    told_at(HOME, done, said)
}

/// The same, on a page that has what was typed.
fn told_at<T>(
    home: &str,
    done: Result<T, EngineError>,
    said: &str,
) -> Result<HttpResponse, Trouble> {
    match done {
        Ok(_) => Ok(see_saying(HOME, said)),
        Err(EngineError::NotNow(why) | EngineError::BadInput { why, .. }) => {
            Ok(see_refusal(home, &sentence(&why)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn password(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Read)?;
    let old = SecretString::from(form.text("old").to_owned());
    let Some(user) = engine.log_in_user(&visitor.name, old).await? else {
        return Ok(see_refusal(HOME, "The present password is wrong."));
    };
    let new = SecretString::from(form.text("new").to_owned());
    let done = engine.set_user_password(user.id, new, &visitor.actor()).await;
    if done.is_ok() {
        settings.logins.end_all(&user.name, Some(&visitor.token));
    }
    told(done, "The password is changed; other logins are over.")
}

fn id(form: &Fields) -> Result<Uuid, Trouble> {
    Uuid::try_parse(form.text("id")).map_err(|_| Trouble::nowhere())
}

async fn add_user(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Admin)?;
    let scope = user::scope(form.text("role")).unwrap_or(Scope::Read);
    let password = SecretString::from(form.text("password").to_owned());
    let made = engine.add_user(form.text("name"), password, scope, &visitor.actor()).await;
    let home = format!("{HOME}?new=user&{}", form.query(&["name", "role"]));
    told_at(&home, made, "The user is made.")
}

async fn change_user(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Admin)?;
    let scope = user::scope(form.text("role")).ok_or_else(Trouble::nowhere)?;
    let disabled = form.given("disabled").is_some();
    let done = engine.set_user(id(&form)?, scope, disabled, &visitor.actor()).await;
    if let (Ok(user), true) = (&done, disabled) {
        settings.logins.end_all(&user.name, None);
    }
    told(done, "Saved.")
}

async fn add_key(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Admin)?;
    if !settings.logins.is_first(form.text("once")) {
        return Ok(see_refusal(HOME, DONE_ALREADY));
    }
    let scope = match form.text("scope") {
        "admin" => Scope::Admin,
        "write" => Scope::Write,
        _ => Scope::Read,
    };
    match engine.create_key(form.text("name"), scope, &visitor.actor()).await {
        Ok((_, text)) => Ok(show(&Secret {
            frame: Frame::of(&visitor, "New API key", "settings"),
            what: "The new API key",
            sentence: "Programs send it as Authorization: Bearer KEY. It is shown this once.",
            text: text.expose_secret(),
            back: HOME,
        })),
        Err(error) => {
            let home = format!("{HOME}?new=key&{}", form.query(&["name", "scope"]));
            told_at(&home, Err::<(), _>(error), "")
        }
    }
}

async fn revoke(
    visitor: Visitor,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Admin)?;
    if form.given("sure").is_none() {
        return Ok(show(&Sure {
            frame: Frame::of(&visitor, "Revoke a key", "settings"),
            title: "Revoke a key",
            place: "Settings",
            home: HOME,
            action: "/settings/revoke",
            would: "Programs that use it are refused at once, and it cannot be taken back. The key \
                    “local admin” is that of the command line on this machine: without it, no command \
                    works until the server is started again.",
            pairs: &[],
            hidden: &[("id", form.text("id"))],
        }));
    }
    let revoked = engine.revoke_key(KeyId(id(&form)?), &visitor.actor()).await;
    told(revoked, "The key is refused from now on.")
}
