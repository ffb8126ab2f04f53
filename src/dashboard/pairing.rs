//! Pairing: made to be opened on the QuickBooks machine, without a login. The page watches the wire
//! and ticks each step by itself; the step that fails is explained with what the Web Connector shows.
//!
//! Source of the steps and errors: *QBWC Programmer's Guide* 2.0, chapters 3 and 4, and appendix A.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::dashboard::DashboardSettings;
use crate::dashboard::connection::file;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::see;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::show;
use crate::dashboard::live;
use crate::dashboard::said::Tone;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::visitor::base;
use crate::diagnosis;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::connection::Pairing;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Wire;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/pair/{token}").route(web::get().to(page)))
        .service(web::resource("/pair/{token}/qwc").route(web::get().to(download)))
        .service(
            web::resource("/pair/{token}/password")
                .route(web::get().to(steps_of))
                .route(web::post().to(password)),
        )
        .service(web::resource("/pair/{token}/confirm").route(web::post().to(confirm)))
        .service(web::resource("/pair/{token}/live").route(web::get().to(watch)));
}

/// Said where the form of a password is sent once more.
const SHOWN_ALREADY: &str = "The password was shown already, and goes on working. If it is lost, \
                             make another one.";

type Explained = (&'static str, &'static str);

/// What goes wrong while the application is added.
const ADDING: &[Explained] = &[
    (
        "QBWC1048: the certificate cannot be verified",
        "Bookbridge is not reached by https at its own name, or this Windows does not trust its certificate. Open the address of this page in a browser here: it must show no warning.",
    ),
    (
        "QBWC1039: unique OwnerID/FileID pair value required",
        "The company file knows this application under another identity. Make a new identity for the connection in Bookbridge, download the .qwc again, and add that one.",
    ),
    (
        "QBWC1003 or QBWC1004: the support page cannot be reached",
        "The address in the .qwc is not reached from this machine. Look at the name, the port, and the firewall.",
    ),
    (
        "Nothing happens at a double click",
        "Start the Web Connector first (Windows start menu, QuickBooks), press Add an Application there, and choose the file.",
    ),
];
/// What goes wrong while access is given.
const GIVING: &[Explained] = &[
    (
        "The question does not come",
        "Open the company file in QuickBooks as Admin, in single-user mode, and add the application again.",
    ),
    (
        "0x80040418, 0x8004041A: no access",
        "QuickBooks: Edit > Preferences > Integrated Applications > Company Preferences. Untick Don't allow any applications, tick this application, press OK.",
    ),
];
/// What goes wrong while it updates.
const UPDATING: &[Explained] = &[
    (
        "QBWC1012: authentication failed, with a network error in the log",
        "The Web Connector does not reach Bookbridge. Open the address that stands in the .qwc in a browser on this machine: it answers without a warning about its certificate. Else look at the name, the port, and the firewall.",
    ),
    (
        "QBWC1041 or QBWC1042: an exception while data was sent or received",
        "The connection broke off. Nothing is lost: press Update Selected again.",
    ),
    (
        "0x80040408: QuickBooks could not be started",
        "Open QuickBooks on this machine, with the company file, and press Update Selected again.",
    ),
    (
        "0x80040414: a dialog is open",
        "Close every message and window in QuickBooks, then press Update Selected again.",
    ),
];

struct Step {
    id: &'static str,
    title: &'static str,
    text: String,
    mark: String,
    tone: &'static str,
    pill: &'static str,
    state: &'static str,
    /// What the wire showed of it so far.
    seen: Vec<&'static str>,
    errors: Vec<(String, String)>,
}

/// What went wrong at a step, and what helps.
struct Told {
    what: String,
    help: Vec<(String, String)>,
}

impl Told {
    fn of(finding: &Finding) -> Self {
        let rendered = diagnosis::render(finding);
        let code = finding.said.as_ref().and_then(|said| said.hresult.as_deref());
        let code = code.map(|code| format!(" (the Web Connector shows {code})"));
        let what = rendered.detail + &code.unwrap_or_default();
        let help = rendered.fixes.into_iter().map(|fix| (fix.label, fix.how.unwrap_or_default()));
        Self { what, help: help.collect() }
    }
}

#[derive(Template)]
#[template(path = "pairing.html")]
struct Page {
    frame: Frame,
    name: String,
    token: String,
    sentence: String,
    tone: &'static str,
    steps: Vec<Step>,
    password: Option<String>,
    revealed: String,
    reveal: &'static str,
    /// Company and path that a person may confirm.
    confirm: Option<(String, String)>,
}

async fn known(engine: &Engine, token: &str) -> Result<(Connection, Pairing), Trouble> {
    let gone = || {
        let said = "This pairing link does not work any more. Ask for a new one.".to_owned();
        Trouble::Said(actix_web::http::StatusCode::NOT_FOUND, said)
    };
    engine.pairing(token).await?.ok_or_else(gone)
}

async fn page(
    request: HttpRequest,
    token: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    shown(&request, &token, &engine, None).await
}

async fn shown(
    request: &HttpRequest,
    token: &str,
    engine: &Engine,
    password: Option<String>,
) -> Result<HttpResponse, Trouble> {
    let (connection, pairing) = known(engine, token).await?;
    let asked = Fields::of_query(request.query_string());
    // It may put a question into the queue: that is no change to tell this page of.
    let answered = engine.ask_for_company(&connection, &pairing).await?;
    let before = live::seen(engine).await;
    let (connection, pairing) = known(engine, token).await?;
    let state = engine.store().state(&connection.id).await?;
    let state = state.unwrap_or_else(|| ConnectorState::new(connection.id.clone()));
    let seen = Seen::of(&pairing, &engine.wire(), &state, answered);
    let steps = seen.steps();
    let done = steps.iter().filter(|step| step.tone == "done").count();
    let bad = steps.iter().find(|step| step.tone == "bad");
    let next = steps.iter().find(|step| step.tone.is_empty());
    let (sentence, tone) = match (bad, next) {
        (Some(bad), _) => {
            (format!("Step “{}” did not work; what to do stands there.", bad.title), "bad")
        }
        (None, Some(next)) => {
            (format!("{done} of {} steps done. Next: {}.", steps.len(), next.title), "work")
        }
        (None, None) => ("All done: QuickBooks answers. You can close this page.".to_owned(), "ok"),
    };
    let mut frame = Frame::titled(&format!("Pair {}", connection.name));
    frame.seen = before;
    frame.alert = Tone::Refused.read(&asked);
    Ok(show(&Page {
        frame,
        confirm: seen.company.clone().filter(|_| !seen.confirmed),
        name: connection.name,
        token: token.to_owned(),
        sentence,
        tone,
        steps,
        password,
        revealed: pairing.revealed(),
        reveal: if pairing.revealed_at.is_some() {
            "Make another password and show it"
        } else {
            "Make the password and show it"
        },
    }))
}

/// What is known of the steps.
#[expect(clippy::struct_excessive_bools, reason = "each is a step that was seen or not")]
struct Seen {
    downloaded: bool,
    certificate: bool,
    called: bool,
    named: bool,
    login: bool,
    refused: bool,
    company: Option<(String, String)>,
    confirmed: bool,
    trouble: Option<Finding>,
    mode: String,
    answered: bool,
}

impl Seen {
    fn of(pairing: &Pairing, wire: &Wire, state: &ConnectorState, answered: bool) -> Self {
        let since = |at: Option<Timestamp>| at.is_some_and(|at| at >= pairing.began_at);
        // With the password that was shown last; a good login clears the failed one before it.
        let shown = pairing.revealed_at.unwrap_or(pairing.began_at);
        let refused = since(state.last_login_failed_at.filter(|at| *at >= shown));
        let login = since(state.last_seen_at.filter(|at| *at >= shown)) && !refused;
        let seen = since(state.last_seen_at);
        // A login names its connection. What shows itself before may be anybody's: it counts for who
        // has just taken the file from this page.
        let after =
            |at: Option<Timestamp>| pairing.downloaded_at.is_some() && at >= pairing.downloaded_at;
        let named = seen || since(state.last_login_failed_at);
        let host = state.host.as_ref().filter(|_| seen);
        let company = host.map(|host| (host.company_name.clone(), host.company_file.clone()));
        let trouble = state.trouble.as_ref().filter(|_| seen);
        Self {
            downloaded: pairing.downloaded_at.is_some(),
            certificate: after(wire.certificate_at),
            called: after(wire.version_at) || named,
            named,
            login,
            refused,
            company: company.filter(|(_, file)| !file.is_empty()),
            confirmed: pairing.confirmed_at.is_some(),
            trouble: trouble.cloned(),
            mode: host.map(|host| host.file_mode.clone()).unwrap_or_default(),
            answered,
        }
    }

    /// The steps, in order; a step is done as well if a later one shows it.
    fn steps(&self) -> Vec<Step> {
        let called = self.called;
        let trouble = self.trouble.as_ref().map(Told::of);
        // What QuickBooks says stands at the step that mends it.
        let access = |finding: &Finding| finding.code == Code::AccessNotGranted;
        let (no_access, trouble) = match &self.trouble {
            Some(finding) if access(finding) => (trouble, None),
            _ => (None, trouble),
        };
        let unhurt = no_access.is_none() && trouble.is_none();
        let mut steps = vec![
            step("download", "Download the .qwc", "It tells the Web Connector where Bookbridge is. It holds no password.".to_owned(), self.downloaded || called, None, &[]),
            step("add", "Add it in the Web Connector", "Open the company file in QuickBooks as Admin, in single-user mode. Start the Web Connector, press Add an Application, choose the file.".to_owned(), self.certificate || called, None, ADDING),
            step("access", "Give access in QuickBooks", "QuickBooks asks once. Choose Yes, always; allow access even if QuickBooks is not running.".to_owned(), self.named, no_access, GIVING),
        ];
        let text = "Click the Password column of this application in the Web Connector, paste it, press Enter, and let it be saved.".to_owned();
        let bad = self.refused.then(|| Told {
            what: "The Web Connector logged in with a wrong password (it shows QBWC1040). Paste the one that was shown last; if it is lost, make another one here and paste that.".to_owned(),
            help: Vec::new(),
        });
        steps.push(step("password", "Paste the password", text, self.login, bad, &[]));
        let mode = match self.mode.as_str() {
            "" => "",
            "SingleUser" => " QuickBooks is in single-user mode.",
            _ => " QuickBooks is in multi-user mode.",
        };
        let text = match &self.company {
            Some((name, file)) => format!("The company file that is open is {name} ({file}).{mode}"),
            None => "Tick the box of the application, and press Update Selected. Tick Auto-Run as well, so that it comes by itself from then on.".to_owned(),
        };
        steps.push(step(
            "update",
            "Update Selected: the company file is seen",
            text,
            self.company.is_some() && unhurt,
            trouble,
            UPDATING,
        ));
        let text = match &self.company {
            _ if self.confirmed && self.answered => {
                "It is confirmed, and a first question that changes nothing was answered.".to_owned()
            }
            _ if self.confirmed => "It is confirmed. Press Update Selected once more: QuickBooks is asked a first question that changes nothing.".to_owned(),
            Some((name, _)) => format!(
                "Records of this connection will go into {name}. If that is not right, stop here: close it in QuickBooks, open the right one, and update again."
            ),
            None => {
                "Bookbridge shows which file was open, and you say whether it is the right one."
                    .to_owned()
            }
        };
        let done = self.confirmed && self.answered;
        steps.push(step("confirm", "Confirm the company file", text, done, None, &[]));
        for (number, step) in steps.iter_mut().enumerate() {
            step.seen = self.signs(step.id);
            step.mark = match step.tone {
                "done" => "✓".to_owned(),
                "bad" => "✗".to_owned(),
                _ => (number + 1).to_string(),
            };
        }
        steps
    }

    /// What the wire showed of a step, each as soon as it did.
    fn signs(&self, step: &str) -> Vec<&'static str> {
        let called = self.called;
        let let_in = self.company.is_some() && self.trouble.is_none();
        let signs: &[(bool, &'static str)] = match step {
            "add" => &[
                (self.certificate || called, "The Web Connector looked at the certificate."),
                (called, "It called, and told its version."),
            ],
            "access" => &[(let_in, "QuickBooks let it in.")],
            "password" => &[(self.login, "It logged in with the password.")],
            _ => &[],
        };
        signs.iter().filter(|(seen, _)| *seen).map(|(_, sign)| *sign).collect()
    }
}

fn step(
    id: &'static str,
    title: &'static str,
    text: String,
    done: bool,
    bad: Option<Told>,
    errors: &[Explained],
) -> Step {
    let (tone, pill, state) = match (&bad, done) {
        (Some(_), _) => ("bad", "bad", "did not work"),
        (None, true) => ("done", "ok", "done"),
        (None, false) => ("", "", "to do"),
    };
    let usual = || errors.iter().map(|(what, helps)| ((*what).to_owned(), (*helps).to_owned()));
    // What was seen is explained; before that, what may be.
    let (text, errors) = match bad {
        Some(told) => (told.what, told.help),
        None if done => (text, Vec::new()),
        None => (text, usual().collect()),
    };
    let (mark, seen) = (String::new(), Vec::new());
    Step { id, title, text, mark, tone, pill, state, seen, errors }
}

async fn download(
    request: HttpRequest,
    token: web::Path<String>,
    engine: web::Data<Engine>,
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    let (connection, _) = known(&engine, &token).await?;
    engine.pairing_downloaded(&connection.id).await?;
    Ok(file(&connection, &base(&request, &settings)?))
}

async fn password(
    request: HttpRequest,
    token: web::Path<String>,
    engine: web::Data<Engine>,
    form: Option<Fields>,
) -> Result<HttpResponse, Trouble> {
    let (connection, pairing) = known(&engine, &token).await?;
    let form = form.unwrap_or_default();
    engine.pairing_opened(&connection, &pairing).await?;
    match engine.pairing_password(&connection.id, form.text("after")).await? {
        Some(made) => shown(&request, &token, &engine, Some(made.expose_secret().to_owned())).await,
        // The page was loaded again: the password that was pasted goes on working.
        None => Ok(see_refusal(&format!("/pair/{token}"), SHOWN_ALREADY)),
    }
}

/// Who loads the page of a password again, or goes back to it, is led to the steps.
async fn steps_of(token: web::Path<String>) -> HttpResponse {
    see(&format!("/pair/{token}"))
}

async fn confirm(
    token: web::Path<String>,
    engine: web::Data<Engine>,
    form: Option<Fields>,
) -> Result<HttpResponse, Trouble> {
    let (connection, _) = known(&engine, &token).await?;
    let (here, form) = (format!("/pair/{token}"), form.unwrap_or_default());
    match engine.confirm_company(&connection.id, form.text("file"), form.text("company")).await {
        Ok(()) => Ok(see(&here)),
        Err(EngineError::NotNow(why)) => Ok(see_refusal(&here, &sentence(&why))),
        Err(error) => Err(error.into()),
    }
}

async fn watch(
    request: HttpRequest,
    token: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    known(&engine, &token).await?;
    live::watch(&request, engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_steps_of_the_page() {
        let nothing = Seen {
            downloaded: false,
            certificate: false,
            called: false,
            named: false,
            login: false,
            refused: false,
            company: None,
            confirmed: false,
            trouble: None,
            mode: String::new(),
            answered: false,
        };
        let readme = include_str!("../../README.md");

        let mut rest = readme;
        for (number, step) in nothing.steps().iter().enumerate() {
            let line = format!("\n{}. **{}", number + 1, step.title);
            let at = rest.find(&line).unwrap_or_else(|| panic!("{line}"));
            rest = &rest[at + line.len()..];
        }
        assert!(!rest.contains("\n7. **"), "the page has no seventh step");
    }
}
