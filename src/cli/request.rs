//! `request`: raw qbXML through the queue.

use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use ureq::http::Method;

use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::of_connection;
use super::failure::Failure;
use super::output;

/// The longest wait of one call; a longer one is several.
const LONGEST_WAIT: u64 = 30;

/// Send raw qbXML, or a request as JSON, through the queue.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge request acme query.xml --wait 60
  echo '<CustomerQueryRq/>' | bookbridge request acme - --wait 60
  echo '{\"type\":\"CustomerQueryRq\",\"data\":{\"MaxReturned\":5}}' | bookbridge request acme -

Exit code 1 if it failed, or was not answered in time.")]
pub(super) struct Request {
    /// The connection's id.
    connection: String,
    /// One or more requests, with or without an envelope; - for stdin.
    file: PathBuf,
    /// Wait this long for the answer.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// The same key with the same content is queued once.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Runs `request`.
pub(super) fn run(command: &Request, global: &Global) -> anyhow::Result<()> {
    let body = read(&command.file)?;
    let client = Client::of(global)?;
    let is_json = body.trim_ascii_start().starts_with(b"{");
    let media_type = if is_json { "application/json" } else { "text/xml" };
    let headers: Vec<_> =
        command.idempotency_key.iter().map(|key| ("Idempotency-Key", key.as_str())).collect();
    let path = of_connection(&command.connection, &["requests"]);
    let content = Content::Bytes(media_type, body);
    let mut request =
        client.call_with(Method::POST, &path, content, &headers, Duration::ZERO)?.json()?;
    let id = output::text(&request, "/id").into_owned();
    let path = of_connection(&command.connection, &["requests", &id]);
    let mut left = command.wait.unwrap_or(0);
    while left > 0 && !is_over(&request) {
        let wait = left.min(LONGEST_WAIT);
        left -= wait;
        let call = format!("{path}?wait={wait}");
        let wait = Duration::from_secs(wait);
        request = client.call_with(Method::GET, &call, Content::None, &[], wait)?.json()?;
    }
    if global.json {
        output::json(&request)?;
    } else if is_over(&request) {
        let answer = client.call_with(
            Method::GET,
            &path,
            Content::None,
            &[("Accept", "text/xml")],
            Duration::ZERO,
        );
        match answer {
            Ok(answer) if answer.media_type.contains("xml") => {
                output::line(String::from_utf8_lossy(&answer.body).trim_end())?;
            }
            _ => output::line(said(&request))?,
        }
    } else {
        output::line(said(&request))?;
    }
    let failed = output::text(&request, "/status") == "failed";
    let late = command.wait.is_some() && !is_over(&request);
    if failed || late { Err(Failure::Said.into()) } else { Ok(()) }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    }
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("cannot read stdin")?;
    Ok(body)
}

fn is_over(request: &Value) -> bool {
    matches!(&*output::text(request, "/status"), "answered" | "failed")
}

/// Where it stands, in a line or two.
fn said(request: &Value) -> String {
    let line =
        format!("request {} is {}", output::text(request, "/id"), output::text(request, "/status"));
    match request.get("diagnosis").filter(|diagnosis| diagnosis.is_object()) {
        Some(diagnosis) => format!("{line}\n{}", output::clean_lines(&output::problem(diagnosis))),
        None => line,
    }
}
