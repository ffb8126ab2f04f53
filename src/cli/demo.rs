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

use super::arguments::Flags;
use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::Way;
use super::client::of_connection;
use super::client::segment;
use super::failure::Failure;
use super::output;
use super::records;
use crate::config::Layers;
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

/// See it work: server, connection, sample records, simulated Web Connector and QuickBooks.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge demo
  bookbridge demo --exit
  bookbridge demo --data-dir ./demo --listen 127.0.0.1:9000

Without --data-dir everything goes into a fresh directory, which is removed at the end.
With --exit it ends when all is done: 0 if every record reached its expected status, else 1 with
the names of those that differ.")]
pub(super) struct Demo {
    /// End when all is done, with 0 if every record reached its expected status.
    #[arg(long)]
    exit: bool,
    /// Address and port; any port that is free if another program has the usual one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

/// Runs `demo`.
pub(super) fn run(command: &Demo, global: &Global) -> anyhow::Result<()> {
    let mut layers = global.flags_only(&Flags::one("listen", command.listen.clone()));
    let named = layers.text("data-dir").map(|text| text.value.clone());
    let place = Place::new(named.as_deref().map(Path::new))?;
    let settings = settings(&mut layers, place.path())?;
    telemetry::start(settings.log_format, settings.log_level);
    let stage = Stage::start(settings)?;
    let played = play(&stage, place.path(), global);
    if command.exit || played.is_err() {
        stage.end()?;
        return played;
    }
    say(global, &around(&stage, &place))?;
    stage.until_signal()
}

/// What the command line alone says: a demo shall look the same on every machine.
fn settings(layers: &mut Layers, directory: &Path) -> anyhow::Result<Settings> {
    layers.set("data-dir", &directory.display().to_string(), Origin::Default);
    layers.set("log-level", "warn", Origin::Default);
    Ok(Settings::of(layers)?)
}

/// Where to look, while it keeps serving.
fn around(stage: &Stage, place: &Place) -> String {
    let url = &stage.url;
    let directory = place.path().display();
    let pages = stage.setup.as_deref().unwrap_or(url);
    format!(
        "\nThe server keeps running. Look around:\n  \
         the pages      {pages}\n  \
         the API        {url}/docs\n  \
         the records    bookbridge records {CONNECTION} --data-dir {directory}\n  \
         one record     bookbridge record show {CONNECTION} KIND/ID --data-dir {directory}\n  \
         the problems   bookbridge problems {CONNECTION} --data-dir {directory}\n\
         Ctrl-C ends it."
    )
}

/// A line for people; with --json there is one object at the end instead.
fn say(global: &Global, text: &str) -> std::io::Result<()> {
    if global.json { Ok(()) } else { output::line(text) }
}

/// Everything from the first call to the table.
fn play(stage: &Stage, directory: &Path, global: &Global) -> anyhow::Result<()> {
    let script = Script::read().context("qbxml-samples")?;
    let key = Home::at(directory).admin_key();
    let client = Client::new(Way::home(&stage.url, key));
    say(global, "Bookbridge demo: the real server, a simulated Web Connector and QuickBooks.\n")?;
    say(global, &format!("  server      {} (data in {})", stage.url, directory.display()))?;
    let desk = Desk::new(&client, &script.company, directory, stage.clock.clone())?;
    say(global, &format!("  connection  {CONNECTION} (Web Connector user {})\n", desk.user))?;
    let mut differences = Vec::new();
    for step in &script.steps {
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
            What::Wait { seconds } => {
                stage.wait_seconds(*seconds);
                String::new()
            }
            What::Expect { records } => {
                let found = not_as_expected(&client, records)?;
                let said = format!("{} of {} are so", records.len() - found.len(), records.len());
                differences.extend(found.into_iter().map(|line| format!("in between, {line}")));
                said
            }
        };
        if !said.is_empty() {
            say(global, &format!("    {said}"))?;
        }
    }
    let records = all_records(&client)?;
    differences.extend(report::differences(&records, &script.records));
    if global.json {
        output::json(&json!({"data": records, "differences": differences}))?;
    } else {
        report::print(&records, &differences)?;
    }
    if differences.is_empty() { Ok(()) } else { Err(Failure::Said.into()) }
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
    let mut records = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = of_connection(CONNECTION, &["records"]);
        let list = client.get(&format!("{path}?limit=500{cursor}"))?;
        records.extend(list.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
        match list.get("nextCursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", segment(next)),
            None => break,
        }
    }
    records.reverse();
    Ok(records)
}
