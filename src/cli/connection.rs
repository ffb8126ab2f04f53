//! `connection`: made, shown, changed, removed.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap::Subcommand;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::of_connection;
use super::output;

/// Connections: one .qwc, one Web Connector user, one company file each.
#[derive(Debug, Subcommand)]
pub(super) enum Connection {
    /// Make a connection; its password is shown this once.
    #[command(after_help = "\
Examples:
  bookbridge connection add \"Acme Ltd.\"
  bookbridge connection add Acme --company-file 'C:\\Books\\Acme.qbw' --every 10")]
    Add(Add),
    /// All connections.
    #[command(after_help = "Examples:\n  bookbridge connection list --json")]
    List,
    /// One connection.
    #[command(after_help = "Examples:\n  bookbridge connection show acme")]
    Show(One),
    /// The .qwc file for the Web Connector: the same bytes every time.
    #[command(after_help = "Examples:\n  bookbridge connection qwc acme -o acme.qwc")]
    Qwc(Qwc),
    /// Make a new password; the old one is refused from now on.
    #[command(after_help = "Examples:\n  bookbridge connection rotate-password acme")]
    RotatePassword(One),
    /// Make a new owner and file id; the .qwc must be installed anew.
    #[command(after_help = "Examples:\n  bookbridge connection rotate-identity acme")]
    RotateIdentity(One),
    /// Give the Web Connector no work until it is resumed.
    #[command(after_help = "Examples:\n  bookbridge connection pause acme")]
    Pause(One),
    /// End a pause.
    #[command(after_help = "Examples:\n  bookbridge connection resume acme")]
    Resume(One),
    /// Do not postpone the next session.
    #[command(after_help = "Examples:\n  bookbridge connection sync-now acme")]
    SyncNow(One),
    /// Ask QuickBooks for its lists at the next session.
    #[command(after_help = "Examples:\n  bookbridge connection refresh-mirror acme")]
    RefreshMirror(One),
    /// Forget a connection with everything that belongs to it.
    #[command(after_help = "Examples:\n  bookbridge connection remove acme --yes")]
    Remove(Remove),
}

/// What makes a connection.
#[derive(Args, Debug)]
pub(super) struct Add {
    /// Shown to people.
    name: String,
    /// Its name in paths; made of the name if missing.
    #[arg(long)]
    id: Option<String>,
    /// Full path of the company file on the Web Connector's machine; the open one if missing.
    #[arg(long, value_name = "PATH")]
    company_file: Option<String>,
    /// Interval that the .qwc proposes.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    every: Option<u32>,
    /// Application name in the Web Connector and in QuickBooks; made of the name if missing.
    #[arg(long, value_name = "NAME")]
    app_name: Option<String>,
    /// Keep the mirror of the company file fresh, so that more is found before it is sent.
    #[arg(long)]
    mirror: bool,
    /// What to do about a number that another transaction has.
    #[arg(long, value_name = "POLICY", value_parser = ["fail", "warn", "suffix"])]
    duplicate_numbers: Option<String>,
}

/// A connection.
#[derive(Args, Debug)]
pub(super) struct One {
    /// The connection's id.
    connection: String,
}

/// Where the file goes.
#[derive(Args, Debug)]
pub(super) struct Qwc {
    /// The connection's id.
    connection: String,
    /// The file; stdout if missing.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What must be sure.
#[derive(Args, Debug)]
pub(super) struct Remove {
    /// The connection's id.
    connection: String,
    /// Do not ask: its records and their history are gone afterwards.
    #[arg(long)]
    yes: bool,
}

/// Runs `connection`.
pub(super) fn run(command: Connection, global: &Global) -> anyhow::Result<()> {
    let client = Client::of(global)?;
    let act = |one: One, action: &str| {
        let path = of_connection(&one.connection, &["actions", action]);
        client.post(&path, &json!({}))
    };
    let value = match command {
        Connection::Add(add) => client.post("/v1/connections", &new(add))?,
        Connection::List => return list(&client, global),
        Connection::Show(one) => client.get(&of_connection(&one.connection, &[]))?,
        Connection::Qwc(command) => return qwc(&client, &command, global),
        Connection::RotatePassword(one) => act(one, "rotate-password")?,
        Connection::RotateIdentity(one) => {
            let value = act(one, "rotate-identity")?;
            show(&value, global)?;
            return if global.json { Ok(()) } else { reinstall(&value) };
        }
        Connection::Pause(one) => act(one, "pause")?,
        Connection::Resume(one) => act(one, "resume")?,
        Connection::SyncNow(one) => act(one, "sync-now")?,
        Connection::RefreshMirror(one) => act(one, "refresh-mirror")?,
        Connection::Remove(command) => return remove(&client, &command, global),
    };
    show(&value, global)
}

fn new(add: Add) -> Value {
    let members = [
        ("id", add.id.map(Value::from)),
        ("name", Some(Value::from(add.name))),
        ("companyFile", add.company_file.map(Value::from)),
        ("everyMinutes", add.every.map(Value::from)),
        ("appName", add.app_name.map(Value::from)),
        ("mirror", add.mirror.then_some(Value::from(true))),
        ("duplicateNumbers", add.duplicate_numbers.map(Value::from)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// An object, a member a line; secrets only where the answer holds them.
fn show(value: &Value, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return Ok(output::json(value)?);
    }
    let members = value.as_object().into_iter().flatten();
    for (name, _) in members.clone().filter(|(_, value)| !value.is_null()) {
        let text = output::text(value, &format!("/{name}"));
        output::line(format_args!("{name:<16} {}", output::clean(&text)))?;
    }
    if value.get("password").is_some() {
        let id = output::text(value, "/id");
        output::line(format_args!(
            "\nThe password is shown this once; give it to the Web Connector.\n\
             The .qwc: bookbridge connection qwc {id} -o {id}.qwc"
        ))?;
    }
    Ok(())
}

/// What has to be done about new ids.
fn reinstall(connection: &Value) -> anyhow::Result<()> {
    let id = output::text(connection, "/id");
    Ok(output::line(format_args!(
        "\nThe .qwc that is installed has the old ids. Remove the application from the Web \
         Connector and add the new file:\n\
         bookbridge connection qwc {id} -o {id}.qwc"
    ))?)
}

fn list(client: &Client, global: &Global) -> anyhow::Result<()> {
    let value = client.list("/v1/connections?limit=500")?;
    if global.json {
        return Ok(output::json(&value)?);
    }
    let all = value.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return Ok(output::line("no connections; make one: bookbridge connection add NAME")?);
    }
    let rows = all.iter().map(|one| {
        ["/id", "/name", "/username", "/companyFile"].map(|at| output::text(one, at).into_owned())
    });
    Ok(output::line(output::table(["ID", "NAME", "USER", "COMPANY FILE"], rows))?)
}

fn qwc(client: &Client, command: &Qwc, global: &Global) -> anyhow::Result<()> {
    let path = of_connection(&command.connection, &["qwc"]);
    let answer = client.call(Method::GET, &path, Content::None)?;
    let Some(file) = &command.output else {
        let text = String::from_utf8_lossy(&answer.body);
        if global.json {
            return Ok(output::json(&json!({"qwc": text}))?);
        }
        return Ok(output::part(text)?);
    };
    std::fs::write(file, &answer.body)
        .with_context(|| format!("cannot write {}", file.display()))?;
    if global.json {
        return Ok(output::json(&json!({"file": file.display().to_string()}))?);
    }
    Ok(output::line(format_args!("wrote {}; open it in the Web Connector", file.display()))?)
}

fn remove(client: &Client, command: &Remove, global: &Global) -> anyhow::Result<()> {
    let name = &command.connection;
    if !command.yes && !agreed(name)? {
        return Err(super::failure::Failure::Usage(format!(
            "{name} stays; --yes removes it with all its records and their history"
        ))
        .into());
    }
    client.call(Method::DELETE, &of_connection(name, &[]), Content::None)?.json()?;
    if global.json {
        return Ok(output::json(&json!({"removed": name}))?);
    }
    Ok(output::line(format_args!("removed {name}"))?)
}

/// Asks a person, if there is one; a program has made up its mind.
fn agreed(name: &str) -> anyhow::Result<bool> {
    use std::io::IsTerminal as _;
    if !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    eprint!("Remove {name} with all its records and their history? Type its id: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == name)
}
