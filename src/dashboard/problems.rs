//! Problems: grouped by cause, biggest first, one fix for all.

use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::connection::known;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::show;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::view;
use crate::dashboard::view::Help;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::engine::Engine;
use crate::engine::Problem;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/c/{connection}/problems").route(web::get().to(page)));
}

struct Group {
    title: String,
    count: u64,
    summary: String,
    user: String,
    code: String,
    example: String,
    example_href: String,
    fixes: Vec<Help>,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct Page {
    frame: Frame,
    id: String,
    problems: Vec<Group>,
}

async fn page(
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let connection = known(&engine, &id).await?;
    let problems = engine.problems(&connection.id).await?.into_iter().map(Group::from).collect();
    let frame = Frame::of(&visitor, "Problems", "problems").within(&connection);
    Ok(show(&Page { frame, id: connection.id.to_string(), problems }))
}

impl From<Problem> for Group {
    fn from(problem: Problem) -> Self {
        let summary = problem.summary();
        let words = diagnosis::render(&problem.finding);
        let mut fixes = view::help(words.fixes);
        // Of many, each is renamed or linked by what it is; the label of one would mislead.
        fixes.retain(|fix| fix.pressable && !matches!(fix.id.as_str(), "link" | "send-anyway"));
        Self {
            title: words.title,
            count: problem.count,
            summary,
            user: words.user_facing_message,
            code: words.code.to_string(),
            example_href: view::href(&problem.example),
            example: problem.example.path(),
            fixes,
        }
    }
}
