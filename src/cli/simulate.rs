//! `simulate`: a simulated Web Connector and QuickBooks against any server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::arguments::Flags;
use super::arguments::Global;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::output;
use crate::simulator::Ended;
use crate::simulator::Endpoint;
use crate::simulator::Fault;
use crate::simulator::QuickBooks;
use crate::simulator::Qwc;
use crate::simulator::Report;
use crate::simulator::Setup;
use crate::simulator::WebConnector;

/// A simulated Web Connector, with a simulated QuickBooks behind it, against any QBWC server.
#[derive(Args, Debug)]
#[command(after_help = after_help())]
pub(super) struct Simulate {
    /// The endpoint; that of the .qwc if missing.
    #[arg(long, required_unless_present = "qwc")]
    url: Option<String>,
    /// User name; that of the .qwc if missing.
    #[arg(long, required_unless_present = "qwc")]
    user: Option<String>,
    /// Password; - reads it from stdin, so that no list of processes shows it.
    #[arg(long, env = "BOOKBRIDGE_SIMULATE_PASSWORD", hide_env_values = true)]
    password: String,
    /// Keep the simulated company file in this directory; in memory if missing.
    #[arg(long, value_name = "DIR")]
    company: Option<PathBuf>,
    /// The path that the simulated company file has on its Windows machine. If missing, it is the
    /// one that the server asks for first; a company file that exists keeps its own.
    #[arg(long, value_name = "PATH")]
    company_file: Option<String>,
    /// Seconds between two sessions; what the .qwc proposes, or 60, if missing.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// One session, then end.
    #[arg(long)]
    once: bool,
    /// A fault on order, in the first session; may be said several times. See below.
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Fault>,
    /// Read the .qwc file as the Web Connector would, and stamp the company file.
    #[arg(long, value_name = "FILE")]
    qwc: Option<PathBuf>,
}

fn after_help() -> String {
    let mut text = String::from(
        "\
Examples:
  bookbridge simulate --url http://127.0.0.1:8170/qbwc --user U --password P --once
  bookbridge simulate --qwc acme.qwc --password - --company ./company --every 60 < password.txt
  bookbridge simulate --qwc acme.qwc --password P --ca-file own-ca.pem --once

Without --once it polls until Ctrl-C or SIGTERM: the session at work is closed after its present
message set, and the exit code is 0. With --once it is 1 if the session ended in an error, as the
Web Connector would show it.

Faults (message sets are counted in each session; without N it is the first; what is set for the
company is so for that session alone):
",
    );
    for (spec, does) in crate::simulator::fault::HELP {
        text.push_str("  ");
        text.push_str(spec);
        text.extend(std::iter::repeat_n(' ', 28_usize.saturating_sub(spec.len())));
        text.push_str(does);
        text.push('\n');
    }
    text
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the simulated machine has a clock of its own")]
pub(super) fn seconds() -> i64 {
    Timestamp::now().as_second()
}

/// Runs `simulate`.
pub(super) fn run(command: &Simulate, global: &Global) -> anyhow::Result<()> {
    global.settings(&Flags::default())?;
    let interrupt = Interrupt::listen()?;
    let qwc = match &command.qwc {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let qwc = Qwc::parse(&text);
            Some(qwc.map_err(|why| Failure::Refused(format!("{}: {why}", file.display())))?)
        }
    };
    let of_qwc = |choose: fn(&Qwc) -> &String| qwc.as_ref().map(choose).cloned();
    let url = command.url.clone().or_else(|| of_qwc(|qwc| &qwc.app_url));
    if let Some(url) = command.url.as_ref().filter(|url| !is_web(url)) {
        let why = format!("--url {url}: it begins with http:// or https://");
        return Err(Failure::Usage(why).into());
    }
    let user = command.user.clone().or_else(|| of_qwc(|qwc| &qwc.user_name));
    let endpoint = Endpoint {
        url: url.unwrap_or_default(),
        user: user.unwrap_or_default(),
        password: password(&command.password)?,
    };
    let company = command.company.as_deref();
    let file = command.company_file.as_deref();
    let setup =
        file.map_or_else(|| Setup { file: String::new(), ..Setup::default() }, Setup::of_file);
    let quickbooks = QuickBooks::open(company, &setup, seconds())
        .with_context(|| company.map_or("company".to_owned(), |it| it.display().to_string()))?;
    let mut connector = WebConnector::new(endpoint, quickbooks, Box::new(seconds));
    if let Some(file) = &global.ca_file {
        let wrong = |why: String| Failure::Usage(format!("--ca-file: {}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
        connector.trust(&pem).map_err(wrong)?;
    }
    let stop = interrupt.clone();
    connector.stop_when(Box::new(move || stop.came()));
    if let Some(qwc) = &qwc {
        connector.add(qwc).map_err(Failure::Refused)?;
    }
    let proposed = qwc.as_ref().and_then(|qwc| qwc.every_seconds);
    let mut every = command.every.or(proposed).unwrap_or(60);
    let mut faults = command.faults.as_slice();
    loop {
        let began = Instant::now();
        let (report, told) = session(&mut connector, faults, global);
        faults = &[];
        if command.once {
            output::unseen(told)?;
            return if report.ended.is_error() { Err(Failure::Said.into()) } else { Ok(()) };
        }
        // Nobody sees what comes, and there is no other end.
        if told.is_err() {
            return Ok(output::unseen(told)?);
        }
        // The server's lower limit raises the interval, and it stays raised.
        every = every.max(report.every_at_least.unwrap_or(0));
        let wait = match report.ended {
            Ended::Postponed(seconds) => seconds,
            _ => every,
        };
        interrupt.sleep(Duration::from_secs(wait).saturating_sub(began.elapsed()))?;
        if interrupt.came() {
            return if global.json { Ok(()) } else { Ok(output::line("stopped")?) };
        }
    }
}

/// The password, perhaps from stdin.
fn password(said: &str) -> anyhow::Result<String> {
    if said != "-" {
        return Ok(said.to_owned());
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password from stdin")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// One session, told as it goes on; whether all of it could be told.
fn session(
    connector: &mut WebConnector,
    faults: &[Fault],
    global: &Global,
) -> (Report, io::Result<()>) {
    let mut told = Ok(());
    let report = connector.session(faults, &mut |call| {
        if !global.json && told.is_ok() {
            let answer = output::clean(&call.answer);
            told = output::seen_line(format_args!("{:<20}{answer}", call.operation));
        }
    });
    let told = told.and_then(|()| {
        if global.json {
            output::seen_line(format_args!("{:#}", json!(report)))
        } else {
            for fault in &report.missed {
                output::seen_line(format_args!("{fault} did not happen: no such message set"))?;
            }
            output::seen_line(format_args!("{}\n", in_words(&report)))
        }
    });
    (report, told)
}

/// A session in one sentence.
pub(super) fn in_words(report: &Report) -> String {
    let ended = match &report.ended {
        Ended::Done => "done".to_owned(),
        Ended::NothingToDo => return "no data exchange required".to_owned(),
        Ended::Postponed(seconds) => return format!("postponed by {seconds} s"),
        Ended::Busy => return "the server is busy with another session".to_owned(),
        Ended::WrongPassword => return "the name or password is wrong (QBWC1040)".to_owned(),
        Ended::NoQuickBooks(why) => format!("QuickBooks could not be opened: {why}"),
        Ended::Stopped(why) => format!("stopped by the server: {why}"),
        Ended::Broken(why) => format!("broken: {why}"),
        Ended::Died(why) => why.clone(),
    };
    let plural =
        |count: u32, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let sets = plural(report.message_sets, "message set");
    format!("{sets}, {}; {ended}", plural(report.requests, "request"))
}

fn is_web(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.to_ascii_lowercase().starts_with(scheme))
}
