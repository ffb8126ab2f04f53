//! `push` and `check`: records in a file, sent in parts, answered line by line.
//!
//! The file is read as a stream and sent as NDJSON in parts that a server takes gladly, so neither
//! side ever holds all of it, and what was acknowledged stays acknowledged if the way breaks off.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::of_connection;
use super::failure::Failure;
use super::output;
use super::rows::Form;
use super::rows::Row;
use super::rows::Source;
use super::rows::Unreadable;

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
    /// How the file is written; known by its name or first byte if missing.
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

/// Runs `push`.
pub(super) fn push(command: &Push, global: &Global) -> anyhow::Result<()> {
    let path = of_connection(&command.what.connection, &["records"]);
    let prefer: &[_] = if command.strict { &[("Prefer", "handling=strict")] } else { &[] };
    let tally = send(&command.what, global, &path, prefer)?;
    tally.end("queued or unchanged", global)
}

/// Runs `check`.
pub(super) fn check(command: &Check, global: &Global) -> anyhow::Result<()> {
    let path = of_connection(&command.what.connection, &["check"]);
    let tally = send(&command.what, global, &path, &[])?;
    tally.end("would be accepted", global)
}

fn send(
    what: &What,
    global: &Global,
    path: &str,
    headers: &[(&str, &str)],
) -> anyhow::Result<Tally> {
    let client = Client::of(global)?;
    let bar = ProgressBar::hidden();
    let source = Source::open(&what.file, what.format, what.kind.clone(), |bytes, length| {
        show(&bar, length);
        Box::new(bar.wrap_read(bytes))
    })?;
    let mut part = Part {
        client: &client,
        path,
        headers,
        bar: &bar,
        json: global.json,
        places: Vec::new(),
        body: Vec::new(),
        tally: Tally::default(),
    };
    let done = source.each(&mut |row| part.take(row)).and_then(|()| part.send());
    bar.finish_and_clear();
    let tally = part.tally;
    if !global.json {
        return done.map(|()| tally);
    }
    tally.close(done)?;
    Ok(tally)
}

/// A bar on a terminal; nothing on a pipe.
fn show(bar: &ProgressBar, length: Option<u64>) {
    if let Some(length) = length {
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg} {eta}");
        bar.set_length(length);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    }
    bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(200));
}

/// What came of all records.
#[derive(Debug, Default)]
struct Tally {
    good: u64,
    bad: u64,
}

impl Tally {
    const fn all(&self) -> u64 {
        self.good + self.bad
    }

    /// Ends the JSON that was begun with the first result, or is empty; what broke off the reading
    /// stands in it.
    fn close(&self, done: anyhow::Result<()>) -> anyhow::Result<()> {
        match done {
            Err(error) if self.all() == 0 => Err(error),
            Err(error) => {
                let problem = match error.downcast_ref::<Failure>() {
                    Some(Failure::Problem(problem)) => problem.clone(),
                    _ => json!({"title": "The command failed", "detail": format!("{error:#}")}),
                };
                output::line(format_args!("\n], \"error\": {problem}}}"))?;
                Err(Failure::Said.into())
            }
            Ok(()) if self.all() == 0 => Ok(output::line("{\"data\": []}")?),
            Ok(()) => Ok(output::line("\n]}")?),
        }
    }

    /// Says how many, and fails if any was bad.
    fn end(&self, good: &str, global: &Global) -> anyhow::Result<()> {
        if !global.json {
            let all = self.all();
            output::line(match self.bad {
                0 => format!("{all} records: all {good}"),
                bad => format!("{all} records: {} {good}, {bad} with findings", self.good),
            })?;
        }
        if self.bad == 0 { Ok(()) } else { Err(Failure::Said.into()) }
    }
}

/// Records on their way, and what came of those before.
struct Part<'a> {
    client: &'a Client,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    bar: &'a ProgressBar,
    json: bool,
    /// Where each record of `body` stands in the file.
    places: Vec<String>,
    body: Vec<u8>,
    tally: Tally,
}

impl Part<'_> {
    fn take(&mut self, row: Row) -> anyhow::Result<()> {
        match row.content {
            Ok(line) => {
                self.body.extend_from_slice(&line);
                self.body.push(b'\n');
                self.places.push(row.place);
                if self.places.len() >= PART_RECORDS || self.body.len() >= PART_BYTES {
                    self.send()?;
                }
                Ok(())
            }
            Err(Unreadable { pointer, why }) => {
                self.send()?;
                self.result(
                    &row.place,
                    &json!({"error": {
                        "code": "INVALID_VALUE", "title": "The row cannot be read",
                        "detail": why, "pointer": pointer,
                    }}),
                )
            }
        }
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
        let answer = self.client.call_with(Method::POST, self.path, content, self.headers, wait)?;
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
        places.iter().zip(&results).try_for_each(|(place, result)| self.result(place, result))
    }

    fn result(&mut self, place: &str, result: &Value) -> anyhow::Result<()> {
        let findings = findings(result);
        if self.json {
            let before = if self.tally.all() == 0 { "{\"data\": [\n" } else { ",\n" };
            output::part(format_args!("{before}{result}"))?;
        } else if !findings.is_empty() {
            let name =
                format!("{}/{}", output::text(result, "/kind"), output::text(result, "/sourceId"));
            let name = if name == "/" { String::new() } else { format!(" {name}") };
            let text = findings.iter().map(|finding| output::finding(finding)).collect::<Vec<_>>();
            let text = output::clean_lines(&text.join("\n")).replace('\n', "\n    ");
            self.bar.suspend(|| {
                output::line(format_args!("✗ {place}{}: {text}", output::clean(&name)))
            })?;
        }
        if findings.is_empty() {
            self.tally.good += 1;
        } else {
            self.tally.bad += 1;
        }
        self.bar.set_message(format!("{} records", self.tally.all()));
        Ok(())
    }
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
