//! `record`: one record, seen and decided.

use std::str::FromStr;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::of_connection;
use super::output;
use super::records;

/// One record: see it, decide about it.
#[derive(Debug, Subcommand)]
pub(super) enum Record {
    /// Where it stands, and why.
    #[command(after_help = "Examples:\n  bookbridge record show acme Customer/C-100")]
    Show(One),
    /// Each time that it went out, with the XML of both sides.
    #[command(after_help = "Examples:\n  bookbridge record attempts acme Customer/C-100")]
    Attempts(One),
    /// Try again, whatever failed.
    #[command(after_help = "Examples:\n  bookbridge record retry acme Customer/C-100")]
    Retry(One),
    /// It is in QuickBooks already, or must not go there.
    #[command(
        after_help = "Examples:\n  bookbridge record bypass acme Customer/C-100 --reason 'entered by hand'"
    )]
    Bypass(Bypass),
    /// Take a bypass back.
    #[command(after_help = "Examples:\n  bookbridge record unbypass acme Customer/C-100")]
    Unbypass(One),
    /// Let a held record go.
    #[command(after_help = "Examples:\n  bookbridge record release acme Invoice/I-7")]
    Release(One),
    /// Forget where it stands in QuickBooks: it is made anew.
    #[command(after_help = "Examples:\n  bookbridge record reset-reference acme Customer/C-100")]
    ResetReference(One),
    /// Say where it stands in QuickBooks.
    #[command(
        after_help = "Examples:\n  bookbridge record link acme Customer/C-100 --list-id 80000001-1700000000"
    )]
    Link(Link),
    /// Press one of the fixes of its diagnosis.
    #[command(after_help = "\
Examples:
  bookbridge record fix acme Customer/C-100 shorten --dry-run
  bookbridge record fix acme Customer/C-100 rename --value 'Jones (Bath)'
  bookbridge record fix acme Customer/C-100 link --object 80000001-1700000000")]
    Fix(Fix),
    /// Take it back; delete or void it in QuickBooks too, if wanted.
    #[command(
        after_help = "Examples:\n  bookbridge record withdraw acme Invoice/I-7 --quickbooks void"
    )]
    Withdraw(Withdraw),
}

/// `Kind/sourceId`, as people write it.
#[derive(Clone, Debug)]
pub(super) struct RecordName {
    kind: String,
    source_id: String,
}

impl FromStr for RecordName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((kind, source_id)) if !kind.is_empty() && !source_id.is_empty() => {
                Ok(Self { kind: kind.to_owned(), source_id: source_id.to_owned() })
            }
            _ => Err("a record is named KIND/ID, such as Customer/C-100".to_owned()),
        }
    }
}

/// A record.
#[derive(Args, Clone, Debug)]
pub(super) struct One {
    /// The connection's id.
    connection: String,
    /// Such as Customer/C-100.
    #[arg(value_name = "KIND/ID")]
    record: RecordName,
}

impl One {
    fn path(&self, rest: &[&str]) -> String {
        let name = ["records", &self.record.kind, &self.record.source_id];
        of_connection(&self.connection, &[&name, rest].concat())
    }
}

/// A bypass.
#[derive(Args, Debug)]
pub(super) struct Bypass {
    #[command(flatten)]
    one: One,
    /// Why, for those who look later.
    #[arg(long, default_value = "decided on the command line")]
    reason: String,
    /// ListID or TxnID of the object that is there, if known.
    #[arg(long, value_name = "ID")]
    reference: Option<String>,
}

/// A link.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("where").required(true)))]
pub(super) struct Link {
    #[command(flatten)]
    one: One,
    /// ListID of the object in QuickBooks.
    #[arg(long, group = "where", value_name = "ID")]
    list_id: Option<String>,
    /// TxnID of the transaction in QuickBooks.
    #[arg(long, group = "where", value_name = "ID")]
    txn_id: Option<String>,
}

/// A fix.
#[derive(Args, Debug)]
pub(super) struct Fix {
    #[command(flatten)]
    one: One,
    /// The fix, as `record show` lists it.
    #[arg(value_name = "FIX")]
    id: String,
    /// Another value than the one that is proposed.
    #[arg(long)]
    value: Option<String>,
    /// ListID or TxnID of the object that is meant, where there are several.
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Only say what it would do.
    #[arg(long)]
    dry_run: bool,
}

impl Fix {
    fn body(&self) -> Value {
        let members = [
            ("id", Some(json!(self.id))),
            ("value", self.value.as_ref().map(|it| json!(it))),
            ("listId", self.object.as_ref().map(|it| json!(it))),
            ("dryRun", self.dry_run.then_some(json!(true))),
        ];
        members.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?))).collect()
    }
}

/// What becomes of it in QuickBooks.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum There {
    /// It stays.
    Keep,
    /// It is deleted.
    Delete,
    /// It is voided.
    Void,
}

/// A withdrawal.
#[derive(Args, Debug)]
pub(super) struct Withdraw {
    #[command(flatten)]
    one: One,
    /// What becomes of it in QuickBooks.
    #[arg(long, value_enum, default_value = "keep")]
    quickbooks: There,
}

/// Runs `record`.
pub(super) fn run(command: Record, global: &Global) -> anyhow::Result<()> {
    let client = Client::of(global)?;
    let act =
        |one: &One, action: &str, body: Value| client.post(&one.path(&["actions", action]), &body);
    let record = match command {
        Record::Show(one) => client.get(&one.path(&[]))?,
        Record::Attempts(one) => return attempts(&client.get(&one.path(&["attempts"]))?, global),
        Record::Retry(one) => act(&one, "retry", json!({}))?,
        Record::Bypass(bypass) => {
            let mut body = json!({"reason": bypass.reason});
            if let Some(reference) = bypass.reference {
                body["reference"] = json!(reference);
            }
            act(&bypass.one, "bypass", body)?
        }
        Record::Unbypass(one) => act(&one, "unbypass", json!({}))?,
        Record::Release(one) => act(&one, "release", json!({}))?,
        Record::ResetReference(one) => act(&one, "reset-reference", json!({}))?,
        Record::Link(link) => {
            let body = match (link.list_id, link.txn_id) {
                (Some(id), _) => json!({"listId": id}),
                (None, id) => json!({"txnId": id}),
            };
            act(&link.one, "link", body)?
        }
        Record::Fix(fix) => {
            let answer = act(&fix.one, "fix", fix.body())?;
            if fix.dry_run && !global.json {
                return Ok(output::line(output::clean(&output::text(&answer, "/preview")))?);
            }
            answer
        }
        Record::Withdraw(withdraw) => {
            let fate = match withdraw.quickbooks {
                There::Keep => "keep",
                There::Delete => "delete",
                There::Void => "void",
            };
            let path = format!("{}?quickbooks={fate}", withdraw.one.path(&[]));
            client.call(Method::DELETE, &path, Content::None)?.json()?
        }
    };
    if global.json {
        return Ok(output::json(&record)?);
    }
    show(&record)
}

/// A record for people: where it stands, why, what to do, what happened.
fn show(record: &Value) -> anyhow::Result<()> {
    if record.is_null() {
        return Ok(output::line("done")?);
    }
    let field = |pointer| output::clean(&output::text(record, pointer));
    let status = field("/status");
    let mark = records::mark(&status);
    output::line(format_args!("{mark} {}/{} is {status}", field("/kind"), field("/sourceId")))?;
    for (label, text) in [
        ("QuickBooks id", records::reference(record)),
        ("edit sequence", field("/reference/editSequence")),
        ("bypassed", field("/bypassReason")),
        ("synced", field("/syncedAt")),
        ("changed", field("/updatedAt")),
    ] {
        if !text.is_empty() {
            output::line(format_args!("  {label:<14} {}", output::clean(&text)))?;
        }
    }
    match record.get("diagnosis").filter(|diagnosis| diagnosis.is_object()) {
        Some(diagnosis) => {
            let text = output::clean_lines(&output::problem(diagnosis)).replace('\n', "\n  ");
            output::line(format_args!("  {}\n  {text}", field("/diagnosis/title")))?;
        }
        None if !records::why(record).is_empty() => {
            output::line(format_args!("  {}", output::clean(&records::why(record))))?;
        }
        None => {}
    }
    for moment in record.get("timeline").and_then(Value::as_array).into_iter().flatten() {
        let field = |pointer| output::clean(&output::text(moment, pointer));
        output::line(format_args!(
            "  {}  {:<9} {}",
            field("/at"),
            field("/status"),
            field("/note")
        ))?;
    }
    Ok(())
}

/// Each time that it went out, with the XML of both sides.
fn attempts(list: &Value, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return Ok(output::json(list)?);
    }
    let all = list.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return Ok(output::line("it never went out")?);
    }
    for attempt in all {
        let field = |pointer| output::clean_lines(&output::text(attempt, pointer));
        output::line(format_args!("{} {}", field("/sentAt"), field("/purpose")))?;
        for xml in [field("/requestXml"), field("/responseXml")] {
            if !xml.is_empty() {
                output::line(xml)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_by_kind_and_id() {
        let name: RecordName = "Customer/a/b".parse().unwrap();

        assert_eq!((name.kind.as_str(), name.source_id.as_str()), ("Customer", "a/b"));
        for wrong in ["Customer", "/a", "Customer/", ""] {
            assert!(RecordName::from_str(wrong).unwrap_err().contains("KIND/ID"), "{wrong}");
        }
    }
}
