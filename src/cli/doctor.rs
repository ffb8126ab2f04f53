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
use super::failure;
use super::failure::Failure;
use super::output;
use crate::engine::ambient::Ambient as _;
use crate::engine::ambient::System;
use crate::qbxml::schema::schema;
use crate::server::is_open_to_others;

mod address;
mod certificate;
mod connections;

/// What to do where nobody answers.
const NOBODY: &str = "start the server or the proxy there, and let the firewall pass its port";
/// What to do where a server answers, and not at its public address.
const IN_FRONT: &str = "the server itself answers: look at the name, the proxy and the firewall in \
                        front of it";
/// What to do where a server answers at its public address alone.
const ELSEWHERE: &str = "a server answers at the public address, so it runs: say where with \
                         --server, or give its data directory with --data-dir";
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

    /// Another fix, once more is known.
    fn mend(&mut self, check: &str, fix: &str) {
        for line in self.0.iter_mut().filter(|line| line.check == check) {
            fix.clone_into(&mut line.fix);
        }
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
    address::public_url(&mut report, &settings, client.base());
    let url = settings.public_url.as_deref().unwrap_or(client.base());
    address::certificate_of(&mut report, url, global.ca_file.as_deref(), now());
    let types = schema().requests().count();
    report.ok("schema", format!("{types} request types of qbXML, up to version 16.0"));
    let here = reachable(&mut report, &client);
    // Where one of the two does not answer, the other tells which is wrong.
    if here || url.trim_end_matches('/') != client.base() {
        let wrong = if settings.public_url.is_some() { State::Error } else { State::Warning };
        let fix = if here { IN_FRONT } else { NOBODY };
        if address::endpoint(&mut report, &client.at(url), wrong, fix) && !here {
            report.mend("server", ELSEWHERE);
        }
    }
    if here {
        clock(&mut report, &client, now());
        if key(&mut report, &client) {
            connections::connections(&mut report, &client);
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

/// Seconds since 1970, as this machine says.
fn now() -> i64 {
    System.now().as_second()
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
        Ok(answer) if is_ours(&answer, "ready") => {
            let format = store_format(client).map(|format| format!("; it writes format {format}"));
            report.ok("store", format!("it answers{}", format.unwrap_or_default()));
        }
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

/// The format in which the server's store writes, as the server says.
fn store_format(client: &Client) -> Option<String> {
    let told = try_get(client, "/metrics").ok()?;
    let told = String::from_utf8_lossy(&told.body);
    let after = told.split("store_format=\"").nth(1)?;
    after.split('"').next().map(str::to_owned)
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
