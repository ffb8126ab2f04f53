//! Problems: grouped by cause, biggest first, one fix for all.

use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::connection::known;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::show;
use crate::dashboard::records;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::view;
use crate::dashboard::view::Help;
use crate::dashboard::view::When;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::domain::ids::ConnectionId;
use crate::engine::Engine;
use crate::engine::FIXES;
use crate::engine::Problem;

/// Problems that are shown.
const MOST: usize = 100;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/c/{connection}/problems").route(web::get().to(page)));
}

struct Card {
    href: String,
    title: String,
    count: u64,
    summary: String,
    since: When,
    user: String,
    code: String,
    example: String,
    example_href: String,
    bulk: String,
    fixes: Vec<Fix>,
    /// What is decided on the page of the one record.
    there: Option<String>,
    by_people: Vec<Help>,
}

/// What is pressed for all at once.
struct Fix {
    id: String,
    label: String,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct Page {
    frame: Frame,
    problems: Vec<Card>,
    more: bool,
}

async fn page(
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let connection = known(&engine, &id).await?;
    let problems = engine.problems(&connection.id, MOST).await?;
    let more = problems.len() >= MOST;
    let problems = problems.into_iter().map(|problem| Card::of(&connection.id, &problem)).collect();
    let frame = Frame::of(&visitor, "Problems", "problems").within(&connection);
    Ok(show(&Page { frame, problems, more }))
}

impl Card {
    fn of(connection: &ConnectionId, problem: &Problem) -> Self {
        // Of one record the title and its own sentence say the rest.
        let summary = if problem.count == 1 { problem.behind() } else { problem.summary() };
        let (id, count) = (problem.id, problem.count);
        let words = diagnosis::render(&problem.finding);
        let helps = view::help(words.fixes, |id| FIXES.contains(&id) && id != "wait");
        let (pressable, by_people): (Vec<_>, Vec<_>) =
            helps.into_iter().partition(|help| help.pressable);
        let there = pressable.first().filter(|help| count == 1 && for_all(help, count).is_none());
        // To call it done, though nothing is mended, is nobody's first thought.
        let label = |help: &Help| match help.id.as_str() {
            "bypass" => "Look at it".to_owned(),
            _ => help.label.clone(),
        };
        let there = there.map(label);
        let fixes = pressable.into_iter().filter_map(|help| {
            let label = for_all(&help, count)?;
            Some(Fix { id: help.id, label })
        });
        Self {
            href: match count {
                1 => view::href(&problem.example),
                _ => view::failing(connection, id),
            },
            title: words.title,
            count,
            summary,
            since: When::at(problem.since),
            // Of many, each has other values; the sentence of one would mislead.
            user: if count == 1 { words.user_facing_message } else { String::new() },
            code: words.code.to_string(),
            example_href: view::href(&problem.example),
            example: problem.example.path(),
            bulk: format!("/c/{connection}/records/bulk?status=failed&problem={id}&from=problems"),
            fixes: fixes.collect(),
            there,
            by_people,
        }
    }
}

/// What a fix is called when it is pressed for all; `None` if each needs a look of its own.
fn for_all(help: &Help, count: u64) -> Option<String> {
    if matches!(help.id.as_str(), "link" | "send-anyway" | "send-again" | "bypass") {
        return None;
    }
    let shared = matches!(help.id.as_str(), "reactivate" | "create-missing");
    if count == 1 || shared {
        return Some(help.label.clone());
    }
    let words = records::bulk_words(&format!("fix:{}", help.id))?;
    Some(format!("{words} ({count})"))
}
