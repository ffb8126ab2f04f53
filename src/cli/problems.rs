//! `problems` and `explain`: why nothing syncs.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use serde_json::json;

use super::arguments::Global;
use super::client::Client;
use super::client::of_connection;
use super::failure::Failure;
use super::output;
use super::progress;

/// Between two looks at a task.
const BREATH: Duration = Duration::from_millis(100);

/// Failures grouped by cause.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge problems acme
  bookbridge problems acme --cause INACTIVE_REFERENCE --fix reactivate --dry-run
  bookbridge problems acme --problem 91b5c2d20f6a3e77 --fix reactivate")]
pub(super) struct Problems {
    /// The connection's id.
    connection: String,
    /// Press this fix for all records that it helps.
    #[arg(long, value_name = "FIX")]
    fix: Option<String>,
    /// Only records that fail with this code.
    #[arg(long, value_name = "CODE", requires = "fix")]
    cause: Option<String>,
    /// Only records that fail of this problem, by the id that the list shows.
    #[arg(long, value_name = "ID", requires = "fix")]
    problem: Option<String>,
    /// Only count them.
    #[arg(long, requires = "fix")]
    dry_run: bool,
}

/// One sentence on why nothing syncs.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  bookbridge explain acme")]
pub(super) struct Explain {
    /// The connection's id.
    connection: String,
}

/// Runs `problems`.
pub(super) fn problems(command: &Problems, global: &Global) -> anyhow::Result<()> {
    if let Some(fix) = &command.fix {
        return fix_all(command, fix, global);
    }
    let list = Client::of(global)?.get(&of_connection(&command.connection, &["problems"]))?;
    if global.json {
        return Ok(output::json(&list)?);
    }
    let all = list.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return Ok(output::line("no problems")?);
    }
    for problem in all {
        let field = |pointer| output::clean(&output::text(problem, pointer));
        let code = [field("/code"), field("/diagnosis/code")].into_iter().find(|c| !c.is_empty());
        let title =
            [field("/title"), field("/diagnosis/title")].into_iter().find(|t| !t.is_empty());
        let example = match problem.get("example") {
            Some(Value::Object(_)) => {
                format!("{}/{}", field("/example/kind"), field("/example/sourceId"))
            }
            _ => field("/example"),
        };
        output::line(format_args!(
            "{:>6} × {}: {} (such as {example}; problem {})",
            field("/count"),
            code.unwrap_or_default(),
            title.unwrap_or_default(),
            field("/problem"),
        ))?;
        output::line(format_args!("         {}", field("/summary")))?;
        let fixes = problem.get("fixes").or_else(|| problem.pointer("/diagnosis/fixes"));
        for fix in fixes.and_then(Value::as_array).into_iter().flatten() {
            output::line(format_args!("         → {}", output::clean(&output::fix(fix))))?;
        }
    }
    Ok(())
}

/// Presses a fix for all records that it helps.
fn fix_all(command: &Problems, fix: &str, global: &Global) -> anyhow::Result<()> {
    let mut filter = json!({"status": "failed"});
    if let Some(cause) = &command.cause {
        filter["cause"] = json!(cause);
    }
    if let Some(problem) = &command.problem {
        filter["problem"] = json!(problem);
    }
    let path = of_connection(&command.connection, &["records", "actions", "fix"]);
    let client = Client::of(global)?;
    let watched = !global.json && !command.dry_run;
    let body = json!({
        "filter": filter, "id": fix, "dryRun": command.dry_run, "background": watched,
    });
    let answer = client.post(&path, &body)?;
    if global.json {
        return Ok(output::json(&answer)?);
    }
    if watched {
        return Ok(output::line(format_args!("{} fixed", watch(&client, command, answer)?))?);
    }
    Ok(output::line(format_args!("{} would be fixed", output::text(&answer, "/count")))?)
}

/// Looks at a task until it is done; how many records it changed.
fn watch(client: &Client, command: &Problems, mut task: Value) -> anyhow::Result<u64> {
    let number = |task: &Value, name: &str| task[name].as_u64().unwrap_or_default();
    let path = of_connection(&command.connection, &["tasks", &output::text(&task, "/id")]);
    let bar = progress::records(number(&task, "total"));
    while task["state"] == "running" {
        bar.set_position(number(&task, "lookedAt"));
        std::thread::sleep(BREATH);
        task = client.get(&path)?;
    }
    bar.finish_and_clear();
    match task.get("error").and_then(Value::as_str) {
        Some(why) => Err(Failure::Refused(format!(
            "{} fixed, then it broke off: {why}",
            number(&task, "done")
        ))
        .into()),
        None => Ok(number(&task, "done")),
    }
}

/// Runs `explain`.
pub(super) fn explain(command: &Explain, global: &Global) -> anyhow::Result<()> {
    let health = Client::of(global)?.get(&of_connection(&command.connection, &["health"]))?;
    if global.json {
        return Ok(output::json(&health)?);
    }
    output::line(output::clean(&output::text(&health, "/summary")))?;
    for fix in health.get("fixes").and_then(Value::as_array).into_iter().flatten() {
        output::line(format_args!("  → {}", output::clean(&output::text(fix, "/label"))))?;
    }
    Ok(())
}
