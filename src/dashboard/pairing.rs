//! Pairing: made to be opened on the QuickBooks machine, without a login. The page watches the wire
//! and ticks each step by itself; the step that fails is explained with what the Web Connector shows.
//!
//! Source of the steps and errors: *QBWC Programmer's Guide* 2.0, chapters 3 and 4, and appendix A.

mod usual;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::dashboard::DashboardSettings;
use crate::dashboard::connection::NEW_PASSWORD;
use crate::dashboard::connection::file;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::Sure;
use crate::dashboard::frame::see;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::show;
use crate::dashboard::live;
use crate::dashboard::pairing::usual::Help;
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
use crate::qwc;
use crate::qwc::MEND;
use crate::qwc::Reach;

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
    errors: Vec<Help>,
}

/// What went wrong at a step, and what helps.
struct Told {
    what: String,
    help: Vec<Help>,
}

impl Told {
    /// What keeps the Web Connector from taking the `.qwc` of an address.
    fn of_address(base: &str) -> Option<Self> {
        let Reach::Refused(why) = qwc::reach(base) else { return None };
        let help = (
            "Give Bookbridge an address that it takes".to_owned(),
            format!(
                "On the server {MEND} (tls-cert and tls-key, or a reverse proxy in front of it). \
                 Start Bookbridge again, open this page at that address, and download the .qwc \
                 there."
            ),
        );
        let what = format!("This .qwc would name {base}: {why}.");
        Some(Self { what, help: vec![help] })
    }

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
    settings: web::Data<DashboardSettings>,
) -> Result<HttpResponse, Trouble> {
    shown(&request, &token, &engine, &settings, None).await
}

async fn shown(
    request: &HttpRequest,
    token: &str,
    engine: &Engine,
    settings: &DashboardSettings,
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
    let steps = seen.steps(&base(request, settings)?);
    let done = steps.iter().filter(|step| step.tone == "done").count();
    let bad = steps.iter().find(|step| step.tone == "bad");
    let next = steps.iter().find(|step| step.tone.is_empty());
    let (sentence, tone) = match (bad, next) {
        (Some(bad), _) => {
            let (title, state) = (bad.title, bad.state);
            (format!("Step “{title}” {state}; what to do stands there."), "bad")
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
        reveal: if pairing.revealed_at.is_some() || works(&pairing, &state) {
            "Make another password and show it"
        } else {
            "Make the password and show it"
        },
    }))
}

/// Whether the Web Connector logged in since a password was shown here last: another one stops it.
fn works(pairing: &Pairing, state: &ConnectorState) -> bool {
    state.last_seen_at.is_some_and(|seen| pairing.revealed_at.is_none_or(|shown| seen >= shown))
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
    fn steps(&self, base: &str) -> Vec<Step> {
        let called = self.called;
        let unfit = Told::of_address(base).filter(|_| !called);
        let would_fail = unfit.is_some();
        let trouble = self.trouble.as_ref().map(Told::of);
        // What QuickBooks says stands at the step that mends it.
        let access = |finding: &Finding| finding.code == Code::AccessNotGranted;
        let (no_access, trouble) = match &self.trouble {
            Some(finding) if access(finding) => (trouble, None),
            _ => (None, trouble),
        };
        let unhurt = no_access.is_none() && trouble.is_none();
        let mut steps = vec![
            step("download", "Download the .qwc", "It tells the Web Connector where Bookbridge is. It holds no password.".to_owned(), self.downloaded || called, unfit, Vec::new()),
            step("add", "Add it in the Web Connector", "Open the company file in QuickBooks as Admin, in single-user mode. Start the Web Connector, press Add an Application, choose the file.".to_owned(), called, None, usual::adding()),
            step("access", "Give access in QuickBooks", "QuickBooks asks once. Choose Yes, always; allow access even if QuickBooks is not running.".to_owned(), self.named, no_access, usual::giving()),
        ];
        if would_fail {
            steps[0].state = "would not work";
        }
        let text = "Click the Password column of this application in the Web Connector, paste it, press Enter, and let it be saved.".to_owned();
        let bad = self.refused.then(|| Told {
            what: "The Web Connector logged in with a wrong password (it shows QBWC1040). Paste the one that was shown last; if it is lost, make another one here and paste that.".to_owned(),
            help: Vec::new(),
        });
        steps.push(step("password", "Paste the password", text, self.login, bad, usual::typing()));
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
            usual::updating(),
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
        steps.push(step("confirm", "Confirm the company file", text, done, None, Vec::new()));
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
                // A browser does the same: it is a sign, and no more.
                (
                    self.certificate || called,
                    "Its address was opened; the Web Connector does that first.",
                ),
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
    usual: Vec<Help>,
) -> Step {
    let (tone, pill, state) = match (&bad, done) {
        (Some(_), _) => ("bad", "bad", "did not work"),
        (None, true) => ("done", "ok", "done"),
        (None, false) => ("", "", "to do"),
    };
    // What was seen is explained; before that, what may be.
    let (text, errors) = match bad {
        Some(told) => (told.what, told.help),
        None if done => (text, Vec::new()),
        None => (text, usual),
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
    settings: web::Data<DashboardSettings>,
    form: Option<Fields>,
) -> Result<HttpResponse, Trouble> {
    let (connection, pairing) = known(&engine, &token).await?;
    let form = form.unwrap_or_default();
    let state = engine.store().state(&connection.id).await?;
    if form.given("sure").is_none()
        && form.text("after") == pairing.revealed()
        && state.is_some_and(|state| works(&pairing, &state))
    {
        let (title, would) = NEW_PASSWORD;
        return Ok(show(&Sure {
            frame: Frame::titled(title),
            title,
            place: &connection.name,
            home: &format!("/pair/{token}"),
            action: &format!("/pair/{token}/password"),
            would,
            pairs: &[],
            hidden: &[("after", form.text("after"))],
        }));
    }
    engine.pairing_opened(&connection, &pairing).await?;
    match engine.pairing_password(&connection.id, form.text("after")).await? {
        Some(made) => {
            let made = made.expose_secret().to_owned();
            shown(&request, &token, &engine, &settings, Some(made)).await
        }
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

    fn nothing() -> Seen {
        Seen {
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
        }
    }

    #[test]
    fn the_help_of_adding_stays_until_the_web_connector_calls() {
        let mut seen = Seen { downloaded: true, certificate: true, ..nothing() };

        let add = &seen.steps("https://books.example.com")[1];
        assert!(add.tone.is_empty() && add.seen.len() == 1, "{}", add.state);
        let all: String = add.errors.iter().map(|(what, _)| what.as_str()).collect();
        for code in [1000, 1001, 1002, 1003, 1004, 1010, 1022, 1023, 1024, 1026, 1039, 1048] {
            assert!(all.contains(&format!("QBWC{code}")), "{code}: {all}");
        }

        seen.called = true;
        let add = &seen.steps("https://books.example.com")[1];
        assert!(add.tone == "done" && add.errors.is_empty(), "{}", add.state);
    }

    #[test]
    fn a_file_that_would_be_refused_is_said_to_be_before_its_download() {
        let refused = &nothing().steps("http://mybox:9153")[0];
        assert_eq!((refused.tone, refused.state), ("bad", "would not work"));
        assert!(refused.text.contains("http://mybox:9153") && refused.text.contains("QBWC1010"));
        assert!(refused.errors[0].1.contains("public-url"), "{}", refused.errors[0].1);

        for taken in ["http://localhost:8170", "https://books.example.com"] {
            assert!(nothing().steps(taken)[0].tone.is_empty(), "{taken}");
        }
        let works = Seen { called: true, ..nothing() };
        assert_eq!(works.steps("http://mybox:9153")[0].tone, "done");
    }

    #[test]
    fn the_readme_has_the_steps_of_the_page() {
        let readme = include_str!("../../README.md");

        let mut rest = readme;
        for (number, step) in nothing().steps("http://localhost:8170").iter().enumerate() {
            let line = format!("\n{}. **{}", number + 1, step.title);
            let at = rest.find(&line).unwrap_or_else(|| panic!("{line}"));
            rest = &rest[at + line.len()..];
        }
        assert!(!rest.contains("\n7. **"), "the page has no seventh step");
    }
}
