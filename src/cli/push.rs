//! `push` and `check`: records in a file, sent in parts, answered line by line.
//!
//! The file is read as a stream and sent as NDJSON in parts that a server takes gladly, so neither
//! side ever holds all of it, and what was acknowledged stays acknowledged if the way breaks off.
//! Whether anybody reads what is printed changes nothing of what is sent.

mod tally;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::of_connection;
use super::failure;
use super::failure::Failure;
use super::output;
use super::progress;
use super::rows::Form;
use super::rows::Row;
use super::rows::Source;
use super::rows::Unreadable;
use tally::Tally;

/// Most records of a part.
const PART_RECORDS: usize = 500;
/// A part is sent once it has this many bytes.
const PART_BYTES: usize = 512 << 10;

/// What both commands take.
#[derive(Args, Debug)]
struct What {
    /// The connection's id.
    connection: String,
    /// JSON, NDJSON or CSV; - for stdin.
    file: PathBuf,
    /// How the file is written; known by its name or first line if missing.
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// The kind of every record of a CSV file that has no column for it.
    #[arg(long)]
    kind: Option<String>,
}

/// Queue records from JSON, NDJSON or CSV.
///
/// Good records are kept, each on disk when it is answered; of bad ones it says why. What QuickBooks
/// would refuse is kept as `failed`, so that a person can mend it; --strict refuses it instead.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge push acme customers.csv --kind Customer
  bookbridge push acme records.ndjson
  echo '{\"kind\":\"Customer\",\"sourceId\":\"C-1\",\"data\":{\"Name\":\"Ann\"}}' | bookbridge push acme -

A CSV file has a header: kind, sourceId, posted, priority, dependsOn (several with ; between),
onDuplicate; every other column is a path into data, such as Name, BillAddress.City or
InvoiceLine[0].Quantity. An empty cell says nothing.

Exit code 1 if any record was refused or is kept as failed.")]
pub(super) struct Push {
    #[command(flatten)]
    what: What,
    /// Refuse what QuickBooks would refuse, instead of keeping it as failed.
    #[arg(long)]
    strict: bool,
}

/// Say what push would find wrong; nothing is queued.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge check acme customers.csv --kind Customer

Exit code 1 if any record would fail.")]
pub(super) struct Check {
    #[command(flatten)]
    what: What,
}

/// What is done with the records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Deed {
    /// They are queued.
    Push,
    /// They are looked at.
    Check,
}

/// Runs `push`.
pub(super) fn push(command: &Push, global: &Global) -> anyhow::Result<()> {
    let prefer: &[_] = if command.strict { &[("Prefer", "handling=strict")] } else { &[] };
    send(&command.what, Deed::Push, global, prefer)
}

/// Runs `check`.
pub(super) fn check(command: &Check, global: &Global) -> anyhow::Result<()> {
    send(&command.what, Deed::Check, global, &[])
}

fn send(what: &What, deed: Deed, global: &Global, headers: &[(&str, &str)]) -> anyhow::Result<()> {
    let client = Client::of(global)?;
    // A file without records would never ask for it.
    client.get(&of_connection(&what.connection, &[]))?;
    let bar = ProgressBar::hidden();
    let source = Source::open(&what.file, what.format, what.kind.clone(), |bytes, length| {
        progress::bytes(&bar, length);
        Box::new(bar.wrap_read(bytes))
    })?;
    let word = match deed {
        Deed::Push => "records",
        Deed::Check => "check",
    };
    let mut part = Part {
        client: &client,
        path: of_connection(&what.connection, &[word]),
        headers,
        bar: &bar,
        deed,
        json: global.json,
        places: Vec::new(),
        body: Vec::new(),
        tally: Tally::default(),
        told: Ok(()),
    };
    let done = source.each(&mut |row| part.take(row)).and_then(|()| part.send());
    bar.finish_and_clear();
    part.end(done)
}

/// Where a record of a part stands in the file.
struct Place {
    shown: String,
    line: u64,
}

/// Records on their way, and what came of those before.
struct Part<'a> {
    client: &'a Client,
    path: String,
    headers: &'a [(&'a str, &'a str)],
    bar: &'a ProgressBar,
    deed: Deed,
    json: bool,
    /// Where each record of `body` stands in the file.
    places: Vec<Place>,
    body: Vec<u8>,
    tally: Tally,
    /// Why what came of a record could not be printed. The others are sent all the same.
    told: io::Result<()>,
}

impl Part<'_> {
    fn take(&mut self, row: Row) -> anyhow::Result<()> {
        let place = Place { shown: row.place, line: row.line };
        match row.content {
            Ok(line) => {
                self.body.extend_from_slice(&line);
                self.body.push(b'\n');
                self.places.push(place);
                if self.places.len() >= PART_RECORDS || self.body.len() >= PART_BYTES {
                    self.send()?;
                }
            }
            Err(unreadable) => {
                self.send()?;
                self.result(&place, refused(unreadable, self.deed));
            }
        }
        Ok(())
    }

    /// Sends what is there and reads one result a record.
    fn send(&mut self) -> anyhow::Result<()> {
        if self.places.is_empty() {
            return Ok(());
        }
        let body = std::mem::take(&mut self.body);
        let places = std::mem::take(&mut self.places);
        let content = Content::Bytes("application/x-ndjson", body);
        let wait = Duration::from_mins(10);
        let answer =
            self.client.call_with(Method::POST, &self.path, content, self.headers, wait)?;
        let results = if answer.media_type.starts_with("application/x-ndjson") {
            let lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(serde_json::from_slice).collect::<Result<Vec<Value>, _>>()?
        } else {
            match answer.json()?.get_mut("data").map(Value::take) {
                Some(Value::Array(results)) => results,
                _ => Vec::new(),
            }
        };
        if results.len() != places.len() {
            let (sent, came) = (places.len(), results.len());
            let why = format!("the server answered {came} results for {sent} records");
            return Err(Failure::Refused(why).into());
        }
        places.iter().zip(results).for_each(|(place, result)| self.result(place, result));
        Ok(())
    }

    /// Counts and tells what came of one record.
    fn result(&mut self, place: &Place, mut result: Value) {
        // The server counts in its part.
        if let Some(line) = result.get_mut("line") {
            *line = json!(place.line);
        }
        let told = self.tell(place, &result);
        if self.told.is_ok() {
            self.told = told;
        }
        self.tally.count(self.deed, &result, findings(&result).len());
        self.bar.set_message(tally::records(self.tally.all()));
    }

    fn tell(&self, place: &Place, result: &Value) -> io::Result<()> {
        let findings = findings(result);
        if self.json {
            let before = if self.tally.all() == 0 { "{\"data\": [\n" } else { ",\n" };
            return output::part(format_args!("{before}{result}"));
        }
        if findings.is_empty() {
            return Ok(());
        }
        let field = |pointer| output::text(result, pointer);
        let name = format!("{}/{}", field("/kind"), field("/sourceId"));
        let name = if name == "/" { String::new() } else { format!(" {name}") };
        let text = findings.iter().map(|finding| output::finding(finding)).collect::<Vec<_>>();
        let text = output::clean_lines(&text.join("\n")).replace('\n', "\n    ");
        self.bar.suspend(|| {
            output::line(format_args!("✗ {}{}: {text}", place.shown, output::clean(&name)))
        })
    }

    /// Says how many, and what broke off the reading or the sending; fails if any record is bad.
    fn end(self, done: anyhow::Result<()>) -> anyhow::Result<()> {
        let Self { tally, json, told, .. } = self;
        let done = done.map_err(|error| tally.after(error));
        let said = match (&done, json, tally.all()) {
            (Err(_), _, 0) | (Err(_), false, _) => Ok(()),
            (Err(error), true, _) => {
                let problem = failure::document(error);
                output::line(format_args!("\n], \"error\": {problem}}}"))
            }
            (Ok(()), true, 0) => output::line("{\"data\": []}"),
            (Ok(()), true, _) => output::line("\n]}"),
            (Ok(()), false, _) => output::line(tally.in_words()),
        };
        match done {
            // It stands in the object already.
            Err(_) if json && tally.all() > 0 => return Err(Failure::Said.into()),
            done => done?,
        }
        told.and(said).context("cannot write to stdout")?;
        if tally.has_bad() { Err(Failure::Said.into()) } else { Ok(()) }
    }
}

/// What the server would answer for a row that is no record; it has the same members.
fn refused(row: Unreadable, deed: Deed) -> Value {
    let Unreadable { kind, source_id, pointer, why } = row;
    // What has no pointer is the row as such.
    let pointer = Some(pointer).filter(|pointer| !pointer.is_empty());
    let code = if pointer.is_none() { "MALFORMED_BODY" } else { "INVALID_VALUE" };
    let error = json!({
        "title": "The row cannot be read", "code": code, "detail": why, "userFacingMessage": why,
        "pointer": pointer, "retryable": false, "fixes": [], "quickbooks": null,
    });
    let mut result = json!({"kind": kind, "sourceId": source_id});
    if deed == Deed::Check {
        result["findings"] = json!([error]);
    }
    result["line"] = json!(0);
    result["error"] = error;
    result
}

/// What is wrong with one record: it was refused, or is kept as failed, or would be.
fn findings(result: &Value) -> Vec<&Value> {
    if let Some(error) = result.get("error").filter(|error| !error.is_null()) {
        return expanded(error);
    }
    if let Some(findings) = result.get("findings").and_then(Value::as_array) {
        return findings.iter().collect();
    }
    match result.get("diagnosis") {
        Some(diagnosis) if output::text(result, "/status") == "failed" => expanded(diagnosis),
        _ => Vec::new(),
    }
}

/// A problem with several findings lists all in `errors`.
fn expanded(problem: &Value) -> Vec<&Value> {
    match problem.get("errors").and_then(Value::as_array) {
        Some(errors) if !errors.is_empty() => errors.iter().collect(),
        _ => vec![problem],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_in_every_shape_of_result() {
        for (result, count) in [
            (json!({"status": "queued"}), 0),
            (json!({"status": "blocked", "diagnosis": {"code": "X"}}), 0),
            (json!({"status": "failed", "diagnosis": {"code": "X"}}), 1),
            (json!({"status": "failed", "diagnosis": {"errors": [{}, {}]}}), 2),
            (json!({"error": {"code": "X"}}), 1),
            (json!({"findings": []}), 0),
            (json!({"findings": [{}, {}, {}]}), 3),
        ] {
            assert_eq!(findings(&result).len(), count, "{result}");
        }
    }
}
