//! `doctor`: is everything set up, and how to mend what is not.
//!
//! Each check is one line; a check that cannot be made because another failed is left out.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::Flags;
use super::arguments::Global;
use super::client::Answer;
use super::client::Client;
use super::client::Content;
use super::client::of_connection;
use super::failure;
use super::failure::Failure;
use super::output;
use crate::config::Settings;
use crate::engine::ambient::Ambient as _;
use crate::engine::ambient::System;
use crate::qbxml::schema::schema;
use crate::server::is_open_to_others;

mod certificate;

/// A certificate with fewer days left is to be renewed.
const SOON: i64 = 14;
/// What to do where nobody answers.
const NOBODY: &str = "start the server or the proxy there, and let the firewall pass its port";
/// Clocks may differ by this many seconds.
const MAX_APART: i64 = 60;
/// Below this the store soon refuses new records.
const LOW_DISK: u64 = 1 << 30;

/// Check the set-up: one line each, and how to mend it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge doctor
  bookbridge doctor --server https://books.example.com --json

Exit code 1 if any line is ✗.")]
pub(super) struct Doctor {}

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Ok,
    Warning,
    Error,
}

impl State {
    const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warning => "⚠",
            Self::Error => "✗",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One line.
#[derive(Debug)]
struct Line {
    check: String,
    state: State,
    detail: String,
    fix: String,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Report(Vec<Line>);

impl Report {
    fn ok(&mut self, check: &str, detail: impl Into<String>) {
        self.add(check, State::Ok, detail.into(), "");
    }

    fn add(&mut self, check: &str, state: State, detail: String, fix: &str) {
        self.0.push(Line { check: check.to_owned(), state, detail, fix: fix.to_owned() });
    }
}

/// Runs `doctor`.
pub(super) fn run(_: &Doctor, global: &Global) -> anyhow::Result<()> {
    let settings = global.settings(&Flags::default())?;
    let client = Client::of(global)?;
    let mut report = Report::default();
    report.ok("settings", "every setting is known and can be used");
    if global.server.is_none() {
        data_directory(&mut report, &settings.data_dir);
    }
    public_url(&mut report, &settings, client.base());
    let url = settings.public_url.as_deref().unwrap_or(client.base());
    certificate_of(&mut report, url, global.ca_file.as_deref(), now());
    let types = schema().requests().count();
    report.ok("schema", format!("{types} request types of qbXML, up to version 16.0"));
    if reachable(&mut report, &client) {
        let wrong = if settings.public_url.is_some() { State::Error } else { State::Warning };
        endpoint(&mut report, &client.at(url), wrong);
        clock(&mut report, &client, now());
        if key(&mut report, &client) {
            connections(&mut report, &client);
        }
    }
    print(&report, global)
}

fn print(report: &Report, global: &Global) -> anyhow::Result<()> {
    if global.json {
        let lines = report.0.iter().map(|line| {
            json!({
                "check": line.check, "state": line.state.as_str(),
                "detail": line.detail, "fix": line.fix,
            })
        });
        output::json(&json!({"data": lines.collect::<Vec<_>>()}))?;
    } else {
        for line in &report.0 {
            let detail = output::clean(&line.detail);
            output::line(format_args!("{} {}: {detail}", line.state.mark(), line.check))?;
            if !line.fix.is_empty() {
                output::line(format_args!("    → {}", output::clean(&line.fix)))?;
            }
        }
    }
    let failed = report.0.iter().any(|line| line.state == State::Error);
    if failed { Err(Failure::Said.into()) } else { Ok(()) }
}

fn data_directory(report: &mut Report, directory: &Path) {
    let shown = directory.display();
    let check = "data directory";
    if !directory.is_dir() {
        let detail = format!("{shown} is not there yet");
        report.add(check, State::Warning, detail, "it is made by the first: bookbridge serve");
        return;
    }
    let open: Vec<String> = ["", "admin.key"]
        .iter()
        .map(|name| directory.join(name))
        .filter(|path| is_open_to_others(path))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        report.ok(check, format!("{shown} is for its owner alone"));
    } else {
        let fix = format!("chmod go-rwx {}", open.join(" "));
        report.add(check, State::Error, format!("others may read {}", open.join(", ")), &fix);
    }
    match free_bytes(directory) {
        Some(free) if free < LOW_DISK => {
            let detail = format!("{} MiB are free", free >> 20);
            report.add("disk", State::Warning, detail, "make room: new records are refused first");
        }
        Some(free) => report.ok("disk", format!("{} GiB are free", free >> 30)),
        None => {}
    }
}

#[cfg(unix)]
fn free_bytes(directory: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(directory).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// What the Web Connector takes: HTTPS, except on its own machine (QBWC1010, QBWC Programmer's
/// Guide, "Error codes"), and a host name that a certificate can carry.
fn public_url(report: &mut Report, settings: &Settings, base: &str) {
    let check = "public address";
    let url = settings.public_url.as_deref().unwrap_or(base);
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<std::net::IpAddr>().ok();
    let here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let fix = "set public-url to https:// and a host name, with a certificate that is valid for it";
    if here {
        let detail = format!("{url} works for a Web Connector on this very machine alone");
        let fix = "for another machine set public-url to https:// and a host name";
        report.add(check, State::Warning, detail, fix);
    } else if scheme != "https" {
        let detail = format!("{url}: the Web Connector refuses plain HTTP (QBWC1010)");
        report.add(check, State::Error, detail, fix);
    } else if address.is_some() {
        let detail = format!("{url}: certificates are rarely valid for a bare address (QBWC1001)");
        report.add(check, State::Error, detail, fix);
    } else {
        report.ok(check, url);
    }
}

/// Seconds since 1970, as this machine says.
fn now() -> i64 {
    System.now().as_second()
}

/// The certificate of an address with https, as a Web Connector meets it.
fn certificate_of(report: &mut Report, url: &str, roots: Option<&Path>, now: i64) {
    let Some(rest) = url.strip_prefix("https://") else { return };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = authority
        .rsplit_once(':')
        .map_or((authority, 443), |(host, port)| (host, port.parse().unwrap_or(443)));
    if let Err(why) = certificate::called(host, port) {
        let detail = format!("nobody answers at {host}, port {port}: {why}");
        report.add("certificate", State::Error, detail, NOBODY);
        return;
    }
    match certificate::look(host, port, roots) {
        Err(why) => {
            let fix = "get a certificate that Windows trusts and that is valid for this host, with \
                       its intermediate certificates (QBWC1048)";
            report.add("certificate", State::Error, why, fix);
        }
        Ok(met) => {
            let days = (met.expires_at - now).div_euclid(86_400);
            if days < SOON {
                let detail = format!("it expires in {days} days");
                report.add("certificate", State::Warning, detail, "renew it");
            } else {
                report.ok("certificate", format!("trusted; it expires in {days} days"));
            }
            match (met.tls12, met.tls13) {
                (true, true) => report.ok("TLS", "versions 1.2 and 1.3"),
                (true, false) => report.ok("TLS", "version 1.2"),
                _ => report.add(
                    "TLS",
                    State::Warning,
                    "version 1.3 alone".to_owned(),
                    "switch TLS 1.2 on: the Web Connector on older Windows has no 1.3",
                ),
            }
        }
    }
}

/// Whether the server and this machine agree about the time.
fn clock(report: &mut Report, client: &Client, now: i64) {
    let Ok(answer) = try_get(client, "/healthz") else { return };
    let date = answer.date.and_then(|text| {
        jiff::fmt::rfc2822::parse(&text).ok().map(|time| time.timestamp().as_second())
    });
    let Some(there) = date else { return };
    let apart = (there - now).abs();
    if apart > MAX_APART {
        let detail = format!("the server and this machine are {apart} seconds apart");
        report.add("clock", State::Warning, detail, "let both take their time from the network");
    } else {
        report.ok("clock", "the server and this machine agree");
    }
}

/// The rules of a `.qwc`: https unless on this machine, and one host for both addresses.
fn qwc_file(report: &mut Report, client: &Client, id: &str) {
    let check = format!("connection {id}, .qwc");
    let file = try_get(client, &of_connection(id, &["qwc"]));
    let Some(file) = file.ok().filter(|answer| answer.status == 200) else {
        report.add(
            &check,
            State::Error,
            "it cannot be downloaded".to_owned(),
            "look into the server's log",
        );
        return;
    };
    let text = String::from_utf8_lossy(&file.body).into_owned();
    let value = |element: &str| {
        let after = text.split(&format!("<{element}>")).nth(1)?;
        after.split('<').next().map(str::to_owned)
    };
    let (app, support) =
        (value("AppURL").unwrap_or_default(), value("AppSupport").unwrap_or_default());
    let host = |url: &str| {
        url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).map(str::to_owned)
    };
    let here = host(&app).is_some_and(|host| host == "localhost" || host.starts_with("127."));
    if !app.starts_with("https://") && !here {
        let detail = format!("its AppURL is {app}; the Web Connector wants https");
        report.add(&check, State::Error, detail, "set public-url to https:// and a host name");
    } else if host(&app) == host(&support) {
        report.ok(&check, "its addresses are as the Web Connector wants them");
    } else {
        let detail = format!("AppURL {app} and AppSupport {support} are of two hosts");
        report.add(&check, State::Error, detail, "let the proxy in front keep the Host header");
    }
}

fn try_get(client: &Client, path: &str) -> anyhow::Result<Answer> {
    client.try_call(Method::GET, path, Content::None, &[], Duration::ZERO)
}

/// Whether an answer is the one that Bookbridge gives: proxies answer all sorts of things with pages
/// of their own.
fn is_ours(answer: &Answer, begins: &str) -> bool {
    answer.status == 200 && answer.body.starts_with(begins.as_bytes())
}

fn reachable(report: &mut Report, client: &Client) -> bool {
    let base = client.base();
    match try_get(client, "/healthz") {
        Ok(answer) if is_ours(&answer, "ok") => report.ok("server", format!("{base} answers")),
        Ok(answer) => {
            let detail = match answer.status {
                200 => format!("{base} answers, but not as Bookbridge does"),
                status => format!("{base}/healthz answers with HTTP status {status}"),
            };
            report.add("server", State::Error, detail, "is it a Bookbridge server? see --server");
            return false;
        }
        Err(error) => {
            let document = failure::document(&error);
            let (detail, fix) = ("/detail", "/fixes/0/label");
            let [detail, fix] = [detail, fix].map(|at| output::text(&document, at).into_owned());
            report.add("server", State::Error, detail, &fix);
            return false;
        }
    }
    match try_get(client, "/readyz") {
        Ok(answer) if is_ours(&answer, "ready") => report.ok("store", "it answers"),
        answer => {
            let document = answer.ok().and_then(|it| serde_json::from_slice(&it.body).ok());
            let document: Value = document.unwrap_or_default();
            let (detail, fix) = match output::text(&document, "/code").as_ref() {
                "STORE_FULL" => (
                    output::text(&document, "/detail").into_owned(),
                    "make room on the disk, or give the data directory its rights back",
                ),
                _ => (
                    "the server is up, but its store does not answer".to_owned(),
                    "look into the server's log, then start it again",
                ),
            };
            report.add("store", State::Error, detail, fix);
        }
    }
    true
}

/// What the Web Connector calls, at the address that it is given; `wrong` is what another address in
/// the WSDL counts as: the server may have one that this command was not told.
fn endpoint(report: &mut Report, client: &Client, wrong: State) {
    let fix = "let the proxy in front pass /qbwc and /support without asking for a login";
    let url = format!("{}/qbwc", client.base());
    match try_get(client, "/qbwc") {
        Ok(answer) if is_ours(&answer, "Bookbridge") => {
            report.ok("endpoint", format!("GET {url} answers 200"));
        }
        Ok(answer) if answer.status == 200 => {
            let detail = format!("GET {url} answers with somebody else's page");
            report.add("endpoint", State::Error, detail, fix);
        }
        Ok(Answer { status, .. }) => {
            let detail =
                format!("GET {url} answers {status}; the Web Connector looks there for 200 first");
            report.add("endpoint", State::Error, detail, fix);
        }
        Err(error) => {
            let detail = output::text(&failure::document(&error), "/detail").into_owned();
            report.add("endpoint", State::Error, detail, NOBODY);
            return;
        }
    }
    let told = try_get(client, "/qbwc?wsdl").ok();
    let text = told.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    let place =
        text.as_deref().and_then(|text| text.split("location=\"").nth(1)?.split('"').next());
    match place {
        Some(place) if place == url => report.ok("WSDL", format!("it names {url}")),
        Some(place) => {
            let detail = format!("it names {place}, not {url}");
            let fix = "set public-url, or let the proxy in front keep the Host header";
            report.add("WSDL", wrong, detail, fix);
        }
        None => report.add(
            "WSDL",
            State::Warning,
            "GET /qbwc?wsdl gives no WSDL".to_owned(),
            "let the proxy in front pass query strings",
        ),
    }
}

fn key(report: &mut Report, client: &Client) -> bool {
    let answer = try_get(client, "/v1/connections?limit=1").ok();
    let is_list = |answer: &Answer| answer.json().is_ok_and(|list| list["data"].is_array());
    match answer {
        Some(answer) if answer.status == 200 && is_list(&answer) => {
            report.ok("API key", "it is accepted");
            true
        }
        Some(answer) if answer.status == 200 => {
            let detail = "/v1/connections answers with somebody else's page".to_owned();
            let fix = "let the proxy in front pass /v1";
            report.add("API key", State::Error, detail, fix);
            false
        }
        _ if !client.has_key() => {
            let fix = "set BOOKBRIDGE_API_KEY, or --data-dir to the server's data directory";
            report.add("API key", State::Error, "there is none".to_owned(), fix);
            false
        }
        other => {
            let status = other.map_or(0, |answer| answer.status);
            let fix = "make a new one where the server runs: bookbridge key create";
            report.add("API key", State::Error, format!("refused with {status}"), fix);
            false
        }
    }
}

fn connections(report: &mut Report, client: &Client) {
    let list = client.list("/v1/connections?limit=500").unwrap_or_default();
    let all = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    if all.is_empty() {
        let fix = "bookbridge connection add NAME";
        report.add("connections", State::Warning, "there are none".to_owned(), fix);
    }
    for connection in all {
        let id = output::text(&connection, "/id").into_owned();
        let check = format!("connection {id}");
        match client.get(&of_connection(&id, &["health"])) {
            Ok(health) => {
                let word = output::text(&health, "/state");
                let state = match &*word {
                    "ok" | "waiting" => State::Ok,
                    "blocked" | "offline" => State::Error,
                    _ => State::Warning,
                };
                let fix = match (&*word, &*output::text(&health, "/fixes/0/label")) {
                    ("ok" | "waiting", "") => String::new(),
                    // Here is a command for it.
                    ("never_paired", _) => {
                        format!(
                            "make the file to install: bookbridge connection qwc {id} -o {id}.qwc"
                        )
                    }
                    ("paused", "") => format!("bookbridge connection resume {id}"),
                    (_, "") => format!("bookbridge explain {id}"),
                    (_, fix) => fix.to_owned(),
                };
                let mut detail = output::text(&health, "/summary").into_owned();
                let seen = output::text(&health, "/lastSeenAt");
                if !seen.is_empty() {
                    detail = format!("{detail} (last call {seen})");
                }
                report.add(&check, state, detail, &fix);
                qwc_file(report, client, &id);
            }
            Err(error) => {
                let fix = "look into the server's log";
                report.add(&check, State::Error, error.to_string(), fix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;
    use crate::config::Origin;

    #[test]
    fn the_public_address_is_one_that_the_web_connector_takes() {
        for (url, state) in [
            ("https://books.example.com", State::Ok),
            ("http://books.example.com", State::Error),
            ("https://192.0.2.1", State::Error),
            ("https://[2001:db8::1]:8170", State::Error),
            ("http://localhost:8170", State::Warning),
        ] {
            let mut layers = Layers::default();
            layers.set("public-url", url, Origin::Flag);
            let mut report = Report::default();

            public_url(&mut report, &Settings::of(&layers).unwrap(), "http://127.0.0.1:1");

            assert_eq!(report.0[0].state, state, "{url}");
        }
    }
}
