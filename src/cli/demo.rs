//! `demo`: the main job on real input, with nothing else installed.
//!
//! It is a user of the same things that users have: the server over HTTP, the simulated Web
//! Connector over HTTP. What to push, what people decide, and what must come of it stands in
//! `qbxml-samples/`; nothing here knows a record.

mod desk;
mod report;
mod script;
mod stage;

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::DemoFlags;
use super::arguments::Global;
use super::arguments::OF_DEMO;
use super::client::Client;
use super::client::Content;
use super::client::Way;
use super::client::of_connection;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::output;
use super::records;
use super::store;
use crate::config::Origin;
use crate::config::Settings;
use crate::server::Home;
use crate::telemetry;
use desk::Desk;
use script::Expected;
use script::Script;
use script::What;
use stage::Place;
use stage::Stage;

/// The id of the demo's connection.
const CONNECTION: &str = "demo";
/// The directory of the simulated company file, in the data directory.
const COMPANY: &str = "company";

/// See it work: server, connection, sample records, simulated Web Connector and QuickBooks.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge demo
  bookbridge demo --exit
  bookbridge demo --data-dir ./demo --listen 127.0.0.1:9000

Without a data directory everything goes into a fresh one, which is removed at the end; one that
holds a store already is refused. With --exit it ends when all is done: 0 if every record reached
its expected status, else 1 with the names of those that differ.")]
pub(super) struct Demo {
    /// End when all is done, with 0 if every record reached its expected status.
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    flags: DemoFlags,
}

/// Runs `demo`.
pub(super) fn run(command: &Demo, global: &Global) -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    store::for_its_owner_alone();
    let script = Script::read().context("qbxml-samples")?;
    let mut layers = global.layers(&command.flags.0)?;
    layers.keep(|name| OF_DEMO.iter().any(|(one, _)| *one == name));
    let named = layers.text("data-dir").map(|text| text.value.clone());
    // Nothing is made before every setting is known to be good.
    stage::must_be_near(Settings::of(&layers)?.listen)?;
    let place = Place::new(named.as_deref().map(Path::new))?;
    layers.set("data-dir", &place.path().display().to_string(), Origin::Default);
    layers.set("log-level", "warn", Origin::Default);
    let settings = Settings::of(&layers)?;
    telemetry::start(settings.log_format, settings.log_level);
    let stage = Stage::start(settings, script.seconds(), interrupt.clone())?;
    let played = play(&stage, &script, place.path(), &interrupt, global);
    if interrupt.came() {
        stage.until_signal()?;
        say(global, "stopped")?;
        return played.map(drop);
    }
    match played {
        Ok(hints) if !command.exit => {
            say(global, &around(&stage, &place, &hints))?;
            stage.until_signal()?;
            Ok(say(global, "stopped")?)
        }
        played => {
            stage.end()?;
            played.map(drop)
        }
    }
}

/// What there is to try afterwards.
struct Hints {
    /// A record that failed and the fix to press.
    fix: String,
    /// The arguments that let the simulated Web Connector poll once more.
    poll: String,
}

/// Where to look, while it keeps serving.
fn around(stage: &Stage, place: &Place, hints: &Hints) -> String {
    let (url, bookbridge) = (&stage.url, output::program());
    let directory = output::path(place.path());
    let pages = stage.setup.as_deref().unwrap_or(url);
    let command = |words: &str| format!("{bookbridge} {words} --data-dir {directory}");
    let Hints { fix, poll } = hints;
    format!(
        "\nThe server keeps running until Ctrl-C. Look around:\n  \
         the pages     {pages} (this link makes the first user, once)\n  \
         the API       {url}/docs\n\n\
         And in another terminal:\n  \
         the records   {}\n  \
         the problems  {}\n  \
         press a fix   {}\n  \
         then poll     {bookbridge} {poll}",
        command(&format!("records {CONNECTION} --all")),
        command(&format!("problems {CONNECTION}")),
        command(&format!("record fix {CONNECTION} {fix}")),
    )
}

/// A line for people; with --json there is one object at the end instead.
fn say(global: &Global, text: &str) -> std::io::Result<()> {
    if global.json { Ok(()) } else { output::line(text) }
}

/// Everything from the first call to the table.
fn play(
    stage: &Stage,
    script: &Script,
    directory: &Path,
    interrupt: &Interrupt,
    global: &Global,
) -> anyhow::Result<Hints> {
    let key = Home::at(directory).admin_key();
    let client = Client::new(Way::home(&stage.url, key));
    say(global, "Bookbridge demo: the real server, a simulated Web Connector and QuickBooks.\n")?;
    say(global, &format!("listening on {}\n", stage.listens))?;
    say(global, &format!("  data        {}", directory.display()))?;
    let desk = Desk::new(&client, &script.company, directory, stage.clock.clone())?;
    say(global, &format!("  connection  {CONNECTION} (Web Connector user {})\n", desk.user))?;
    let mut differences = Vec::new();
    for step in &script.steps {
        // Broken off is no error of anything, but it is not done either.
        if interrupt.came() {
            return Err(Failure::Said.into());
        }
        say(global, &format!("• {}", step.say))?;
        let said = match &step.what {
            What::Push { file } => push(&client, script::file(file)?)?,
            What::Put { record } => push(&client, &record.to_string())?,
            What::Session { faults } => desk.session(faults)?,
            What::Quickbooks { qbxml } => {
                let asked = |record: &str, member: &str| asked(&client, record, member);
                desk.by_hand(&script::filled(qbxml, asked)?)?
            }
            What::Bypass { record, reason } => {
                let path = path_of(record, &["actions", "bypass"]);
                let record = client.post(&path, &json!({"reason": reason}))?;
                format!("it is {} now", output::text(&record, "/status"))
            }
            What::RefreshMirror => {
                let path = of_connection(CONNECTION, &["actions", "refresh-mirror"]);
                client.post(&path, &json!({}))?;
                "QuickBooks is asked at the next session".to_owned()
            }
            What::Wait { seconds } => {
                stage.wait_seconds(*seconds);
                "(the demo's clock is moved on)".to_owned()
            }
            What::Expect { records } => {
                let found = not_as_expected(&client, records)?;
                let (good, all) = (records.len() - found.len(), records.len());
                let said = format!("as expected: {good} of {all}");
                differences.extend(found.into_iter().map(|line| format!("in between, {line}")));
                said
            }
        };
        say(global, &format!("    {said}"))?;
    }
    let records = all_records(&client)?;
    differences.extend(report::differences(&records, &script.records));
    if global.json {
        let url = &stage.url;
        output::json(&json!({"url": url, "data": records, "differences": differences}))?;
    } else {
        report::print(&records, &differences)?;
    }
    if !differences.is_empty() {
        return Err(Failure::Said.into());
    }
    let [user, password] = [&desk.user, &desk.password].map(|text| output::word(text));
    let company = output::path(&directory.join(COMPANY));
    let url = format!("{}/qbwc", stage.url);
    let poll = format!(
        "simulate --url {url} --user {user} --password {password} --company {company} --once"
    );
    Ok(Hints { fix: report::pressable(&records).unwrap_or_default(), poll })
}

/// `…/records/{kind}/{sourceId}` and what follows.
fn path_of(record: &str, rest: &[&str]) -> String {
    let (kind, source_id) = record.split_once('/').unwrap_or((record, ""));
    of_connection(CONNECTION, &[&["records", kind, source_id], rest].concat())
}

/// Pushes lines of NDJSON; how many of each status came of it.
fn push(client: &Client, lines: &str) -> anyhow::Result<String> {
    let path = of_connection(CONNECTION, &["records"]);
    let content = Content::Bytes("application/x-ndjson", lines.as_bytes().to_vec());
    let answer = client.call(Method::POST, &path, content)?;
    let mut results = Vec::new();
    for line in answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        results.push(serde_json::from_slice::<Value>(line)?);
    }
    match &results[..] {
        [one] => Ok(format!("it is {} now", output::text(one, "/status"))),
        all => Ok(report::summary(all)),
    }
}

/// What a text of the script stands for: where a record stands in QuickBooks.
fn asked(client: &Client, record: &str, member: &str) -> anyhow::Result<String> {
    let value = client.get(&path_of(record, &[]))?;
    let text = match member {
        "id" => records::reference(&value),
        member => output::text(&value, &format!("/reference/{member}")).into_owned(),
    };
    anyhow::ensure!(!text.is_empty(), "{record} does not stand in QuickBooks");
    Ok(text)
}

/// Of these records, those that stand otherwise.
fn not_as_expected(client: &Client, expected: &[Expected]) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for one in expected {
        let record = client.get(&path_of(&one.record, &[]))?;
        found.extend(report::difference(Some(&record), one));
    }
    Ok(found)
}

/// All records, in the order in which they were pushed.
fn all_records(client: &Client) -> anyhow::Result<Vec<Value>> {
    let path = of_connection(CONNECTION, &["records"]);
    let list = client.list(&format!("{path}?limit=500"))?;
    let mut records = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    records.reverse();
    Ok(records)
}
