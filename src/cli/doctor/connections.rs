//! How each connection is, and whether its `.qwc` follows the rules of the Web Connector.

use serde_json::Value;

use super::Report;
use super::State;
use super::try_get;
use crate::cli::client::Client;
use crate::cli::client::of_connection;
use crate::cli::output;
use crate::qwc;
use crate::qwc::Reach;

pub(super) fn connections(report: &mut Report, client: &Client) {
    let list = client.list("/v1/connections?limit=500").unwrap_or_default();
    let all = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    if all.is_empty() {
        let fix = "bookbridge connection add NAME";
        report.add("connections", State::Warning, "there are none".to_owned(), fix);
    }
    for connection in all {
        let id = output::text(&connection, "/id").into_owned();
        let check = format!("connection {id}");
        match client.get(&of_connection(&id, &["health"])) {
            Ok(health) => {
                let word = output::text(&health, "/state");
                let state = match &*word {
                    "ok" | "waiting" => State::Ok,
                    "blocked" | "offline" => State::Error,
                    _ => State::Warning,
                };
                let fix = match (&*word, &*output::text(&health, "/fixes/0/label")) {
                    ("ok" | "waiting", "") => String::new(),
                    // Here is a command for it.
                    ("never_paired", _) => {
                        format!(
                            "make the file to install: bookbridge connection qwc {id} -o {id}.qwc"
                        )
                    }
                    ("paused", "") => format!("bookbridge connection resume {id}"),
                    (_, "") => format!("bookbridge explain {id}"),
                    (_, fix) => fix.to_owned(),
                };
                let mut detail = output::text(&health, "/summary").into_owned();
                let seen = output::text(&health, "/lastSeenAt");
                if !seen.is_empty() {
                    detail = format!("{detail} (last call {seen})");
                }
                report.add(&check, state, detail, &fix);
                qwc_file(report, client, &id);
            }
            Err(error) => {
                let fix = "look into the server's log";
                report.add(&check, State::Error, error.to_string(), fix);
            }
        }
    }
}

/// The rules of a `.qwc`: https unless on this machine, and one host for both addresses.
fn qwc_file(report: &mut Report, client: &Client, id: &str) {
    let check = format!("connection {id}, .qwc");
    let file = try_get(client, &of_connection(id, &["qwc"]));
    let Some(file) = file.ok().filter(|answer| answer.status == 200) else {
        report.add(
            &check,
            State::Error,
            "it cannot be downloaded".to_owned(),
            "look into the server's log",
        );
        return;
    };
    let text = String::from_utf8_lossy(&file.body).into_owned();
    let value = |element: &str| {
        let after = text.split(&format!("<{element}>")).nth(1)?;
        after.split('<').next().map(str::to_owned)
    };
    let (app, support) =
        (value("AppURL").unwrap_or_default(), value("AppSupport").unwrap_or_default());
    let host = |url: &str| {
        url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).map(str::to_owned)
    };
    if let Reach::Refused(why) = qwc::reach(&app) {
        let detail = format!("its AppURL is {app}: {why}");
        report.add(&check, State::Error, detail, qwc::MEND);
    } else if host(&app) == host(&support) {
        report.ok(&check, "its addresses are as the Web Connector wants them");
    } else {
        let detail = format!("AppURL {app} and AppSupport {support} are of two hosts");
        report.add(&check, State::Error, detail, "let the proxy in front keep the Host header");
    }
}
