//! `records`: where they stand.

use clap::Args;
use serde_json::Value;

use super::arguments::Global;
use super::client::Client;
use super::client::of_connection;
use super::client::segment;
use super::output;
use crate::domain::record::Status;

/// Records of a connection, newest first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge records acme --status failed
  bookbridge records acme --cause NAME_IN_USE --kind Customer
  bookbridge records acme --all --json")]
pub(super) struct Records {
    /// The connection's id.
    connection: String,
    /// Only those that stand so.
    #[arg(long, value_parser = Status::ALL.map(Status::as_str))]
    status: Option<String>,
    /// A code of a diagnosis, such as `NAME_IN_USE`.
    #[arg(long, value_name = "CODE")]
    cause: Option<String>,
    /// A kind, such as Customer.
    #[arg(long)]
    kind: Option<String>,
    /// Text in the source id or the name in QuickBooks.
    #[arg(short = 'q', long, value_name = "TEXT")]
    search: Option<String>,
    /// How many, 1 to 500.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Where to go on: nextCursor of the part before.
    #[arg(long)]
    cursor: Option<String>,
    /// All, whatever --limit says.
    #[arg(long, conflicts_with = "cursor")]
    all: bool,
}

/// Runs `records`.
pub(super) fn run(command: &Records, global: &Global) -> anyhow::Result<()> {
    let client = Client::of(global)?;
    let path = query(command);
    let list = if command.all { client.list(&path)? } else { client.get(&path)? };
    if global.json {
        return Ok(output::json(&list)?);
    }
    let records = list.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if records.is_empty() {
        return Ok(output::line("no records")?);
    }
    output::line(output::table(
        ["STATUS", "RECORD", "QUICKBOOKS", "WHY"],
        records.iter().map(row),
    ))?;
    if let Some(cursor) = list.get("nextCursor").and_then(Value::as_str) {
        output::line(format_args!("more: --cursor {cursor}, or --all"))?;
    }
    Ok(())
}

fn query(command: &Records) -> String {
    let limit = if command.all { 500 } else { command.limit };
    let mut path = format!("{}?limit={limit}", of_connection(&command.connection, &["records"]));
    for (name, value) in [
        ("status", command.status.as_deref()),
        ("cause", command.cause.as_deref()),
        ("kind", command.kind.as_deref()),
        ("q", command.search.as_deref()),
        ("cursor", command.cursor.as_deref()),
    ] {
        if let Some(value) = value {
            path.extend(["&", name, "=", &segment(value)]);
        }
    }
    path
}

/// `✓ synced`, so that a reader's eye finds what is wrong.
pub(super) fn mark(status: &str) -> &'static str {
    match status {
        "synced" => "✓",
        "failed" => "✗",
        "bypassed" | "withdrawn" => "−",
        "in_doubt" => "?",
        _ => "…",
    }
}

/// Where it stands in QuickBooks.
pub(super) fn reference(record: &Value) -> String {
    ["/reference/listId", "/reference/txnId"]
        .into_iter()
        .map(|at| output::text(record, at))
        .find(|id| !id.is_empty())
        .unwrap_or_default()
        .into_owned()
}

/// Why it is not synced, in one line.
pub(super) fn why(record: &Value) -> String {
    let code = output::text(record, "/diagnosis/code");
    let detail = output::text(record, "/diagnosis/detail");
    if !code.is_empty() {
        return format!("{code}: {detail}");
    }
    let blockers = record.get("blockedBy").and_then(Value::as_array).map(Vec::as_slice);
    match blockers.unwrap_or_default() {
        [] => String::new(),
        all => {
            let names: Vec<_> = all.iter().map(name_of).collect();
            format!("waits for {}", names.join(", "))
        }
    }
}

/// `Kind/sourceId`, whether it is written as a text or as an object.
fn name_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => format!("{}/{}", output::text(other, "/kind"), output::text(other, "/sourceId")),
    }
}

fn row(record: &Value) -> [String; 4] {
    let status = output::text(record, "/status");
    [format!("{} {status}", mark(&status)), name_of(record), reference(record), why(record)]
}
