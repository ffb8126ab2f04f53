//! `key`: API keys.

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;
use serde_json::Value;
use serde_json::json;
use ureq::http::Method;

use super::arguments::Global;
use super::client::Client;
use super::client::Content;
use super::client::segment;
use super::output;

/// API keys.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key; it is shown this once.
    #[command(after_help = "Examples:\n  bookbridge key create --scope write --name webshop")]
    Create(Create),
    /// All keys, without their secrets.
    #[command(after_help = "Examples:\n  bookbridge key list")]
    List,
    /// Refuse a key from now on.
    #[command(after_help = "Examples:\n  bookbridge key revoke 0192f0c1-…")]
    Revoke(Revoke),
}

/// What a key may do; each includes those before it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// See.
    Read,
    /// See, push, decide.
    Write,
    /// All, with connections, passwords and keys.
    Admin,
}

/// A new key.
#[derive(Args, Debug)]
pub(super) struct Create {
    /// What it may do.
    #[arg(long, value_enum, default_value = "write")]
    scope: Scope,
    /// Shown in lists and in the activity.
    #[arg(long, default_value = "")]
    name: String,
}

/// A key.
#[derive(Args, Debug)]
pub(super) struct Revoke {
    /// Its id, as `key list` shows it.
    id: String,
}

/// Runs `key`.
pub(super) fn run(command: Key, global: &Global) -> anyhow::Result<()> {
    let client = Client::of(global)?;
    match command {
        Key::Create(create) => {
            let scope = match create.scope {
                Scope::Read => "read",
                Scope::Write => "write",
                Scope::Admin => "admin",
            };
            let mut body = json!({"scope": scope});
            if !create.name.is_empty() {
                body["name"] = json!(create.name);
            }
            let key = client.post("/v1/keys", &body)?;
            if global.json {
                return Ok(output::json(&key)?);
            }
            let field = |pointer| output::text(&key, pointer);
            Ok(output::line(format_args!(
                "id   {}\nkey  {}\n\nThe key is shown this once. Use it as BOOKBRIDGE_API_KEY, or in \
                 the header: Authorization: Bearer KEY",
                field("/id"),
                field("/key")
            ))?)
        }
        Key::List => {
            let list = client.list("/v1/keys?limit=500")?;
            if global.json {
                return Ok(output::json(&list)?);
            }
            let keys = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
            let rows = keys.iter().map(|key| {
                let scopes = match key.get("scopes") {
                    Some(Value::Array(scopes)) => scopes
                        .iter()
                        .filter_map(Value::as_str)
                        .max_by_key(|scope| {
                            ["read", "write", "admin"].iter().position(|one| one == scope)
                        })
                        .unwrap_or_default()
                        .to_owned(),
                    _ => output::text(key, "/scopes").into_owned(),
                };
                let field = |pointer| output::text(key, pointer).into_owned();
                [field("/id"), field("/name"), scopes, field("/createdAt"), field("/revokedAt")]
            });
            Ok(output::line(output::table(["ID", "NAME", "SCOPE", "MADE", "REVOKED"], rows))?)
        }
        Key::Revoke(revoke) => {
            let path = format!("/v1/keys/{}", segment(&revoke.id));
            let answer = client.call(Method::DELETE, &path, Content::None)?.json()?;
            if global.json {
                return Ok(output::json(&answer)?);
            }
            Ok(output::line(format_args!("revoked {}", output::clean(&revoke.id)))?)
        }
    }
}
