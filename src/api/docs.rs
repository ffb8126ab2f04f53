//! Pages for people: the API, and what each code means. Self-contained, without scripts.

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web;
use utoipa::openapi::path::Operation;

use crate::api::around::nowhere;
use crate::api::errors;
use crate::api::openapi;
use crate::api::path::Word;
use crate::api::problem::Problem;
use crate::api::shape::Entry;
use crate::api::shape::Meaning;
use crate::api::words;

/// Nothing may be loaded, run, or framed.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
/// Its colours are those of the dashboard.
const STYLE: &str = include_str!("docs.css");
const HEAD: &str = "<header><nav aria-label=\"Docs\"><a class=\"brand\" href=\"/\">Bookbridge</a>\
<a href=\"/docs\">API</a><a href=\"/docs/errors\">What can go wrong</a>\
<a href=\"/docs/pairing\">Pairing</a></nav></header>";
/// What is done on the QuickBooks machine: the six steps of the connection's own pairing page.
const PAIRING: &str = "<p>A connection has a page for this, which ticks each step by itself: its link \
comes with a new connection, or from the connection's page.</p><ol>\
<li><b>Download the .qwc.</b> It holds no password.</li>\
<li><b>Add it in the Web Connector</b>, with QuickBooks running as Admin, in single-user mode, on the \
right company file.</li>\
<li><b>Give access in QuickBooks</b>: Yes, always; allow access even if QuickBooks is not running.</li>\
<li><b>Paste the password</b> of the connection, press Enter, and let it be saved.</li>\
<li><b>Update Selected: the company file is seen</b>, once the box of the application is ticked.</li>\
<li><b>Confirm the company file</b> on the pairing page.</li>\
</ol><p>What is still missing says the connection's page, and <code>GET \
/v1/connections/{connection}/health</code>.</p>";

/// The pages' own routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource(["", "/"]).route(web::get().to(index)))
        .service(web::resource("/pairing").route(web::get().to(pairing)))
        .service(web::resource(["/errors", "/errors/"]).route(web::get().to(codes)))
        .service(web::resource("/errors/{word}").route(web::get().to(error)))
        .default_service(web::to(lost));
}

/// There is no such page: a person is told with the way on, a program as by all of the API.
async fn lost(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !reads_pages(&request) {
        return nowhere(request).await;
    }
    let path: String = request.path().chars().take(200).collect();
    Ok(missing(&format!("There is nothing at `{path}`.")))
}

/// Browsers say that they read HTML.
fn reads_pages(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    accept.and_then(|it| it.to_str().ok()).is_some_and(|it| it.contains("text/html"))
}

/// What is not there, and the way on.
fn missing(why: &str) -> HttpResponse {
    let on = "<p>On to <a href=\"/docs\">the API</a>, <a href=\"/docs/errors\">what can go wrong</a>, \
              <a href=\"/docs/pairing\">pairing</a>, or <a href=\"/\">the pages</a>.</p>";
    page_of(StatusCode::NOT_FOUND, "Not found", &format!("<p>{}</p>{on}", told(why)))
}

fn page(title: &str, body: &str) -> HttpResponse {
    page_of(StatusCode::OK, title, body)
}

fn page_of(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>{HEAD}<main><h1>{title}</h1>{body}</main></body></html>"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(html)
}

/// Text that stands for itself in HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// The same, with what stands between backticks as code.
fn told(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        let part = escaped(part);
        let _ = if index % 2 == 1 {
            write!(html, "<code>{part}</code>")
        } else {
            write!(html, "{part}")
        };
    }
    html
}

/// The API for people: every call with what it does.
#[utoipa::path(get, path = "/docs", tag = "docs", security(()),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn index() -> HttpResponse {
    let mut body = String::from(
        "<p>The same for programs: <a href=\"/openapi.json\">openapi.json</a> (OpenAPI 3.1). \
         What can go wrong: <a href=\"/docs/errors\">codes</a>. On the QuickBooks machine: \
         <a href=\"/docs/pairing\">pairing</a>.</p><p>Calls carry <code>Authorization: Bearer KEY\
         </code>; make a key with <code>bookbridge key create</code>.</p><table>",
    );
    for (path, item) in &openapi::api().paths.paths {
        let methods = [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                row(&mut body, method, path, operation);
            }
        }
    }
    body.push_str("</table>");
    page("Bookbridge API", &body)
}

fn row(body: &mut String, method: &str, path: &str, operation: &Operation) {
    let summary = operation.summary.as_deref().unwrap_or_default();
    let more = operation.description.as_deref().unwrap_or_default();
    let _ = write!(
        body,
        "<tr><td class=\"m\">{method}</td><td><code>{}</code><br>{}<br><small>{}</small></td></tr>",
        escaped(path),
        told(summary),
        told(more)
    );
}

/// What to do on the QuickBooks machine.
async fn pairing() -> HttpResponse {
    page("Pair with QuickBooks Desktop", PAIRING)
}

/// All codes.
async fn codes() -> HttpResponse {
    let mut body = String::from("<table>");
    for Entry { code, meaning, page, .. } in words::entries() {
        let (title, page) = (escaped(&meaning.title), escaped(&page));
        let _ = write!(
            body,
            "<tr><td><a href=\"{page}\"><code>{code}</code></a></td><td>{title}</td></tr>"
        );
    }
    body.push_str("</table>");
    page("What can go wrong", &body)
}

/// What a code means, and what helps.
#[utoipa::path(get, path = "/docs/errors/{code}", tag = "docs", security(()),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn error(request: HttpRequest, code: Word) -> Result<HttpResponse, Problem> {
    let entry = match errors::entry(&code.0) {
        Err(_) if reads_pages(&request) => {
            let shown: String = code.0.chars().take(80).collect();
            return Ok(missing(&format!("There is no code `{shown}`.")));
        }
        told => told?,
    };
    let mut body = format!("<p><code>{}</code></p>", entry.code);
    meaning(&mut body, &entry.meaning, 2);
    let _ = write!(body, "<h2>More</h2><p>{}</p>", told(&entry.explanation));
    for cause in &entry.causes {
        let _ = write!(body, "<h2>{}</h2>", escaped(&cause.title));
        let _ = write!(body, "<p><code>{} · {}</code></p>", entry.code, escaped(&cause.cause));
        meaning(&mut body, cause, 3);
    }
    body.push_str("<p><a href=\"/docs/errors\">All codes</a></p>");
    Ok(page(&entry.meaning.title, &body))
}

/// What happened, why, and what helps, with headings of this level.
fn meaning(body: &mut String, meaning: &Meaning, level: u8) {
    let _ = write!(body, "<p>{}</p>", told(&meaning.detail));
    if let Some(retry) = &meaning.retry {
        let _ = write!(body, "<p>It heals by itself. {}</p>", told(retry));
    }
    if !meaning.why.is_empty() {
        let _ = write!(body, "<h{level}>Why</h{level}><ul>");
        for why in &meaning.why {
            let _ = write!(body, "<li>{}</li>", told(why));
        }
        body.push_str("</ul>");
    }
    if !meaning.fixes.is_empty() {
        let _ = write!(body, "<h{level}>What helps</h{level}><ol>");
        for fix in &meaning.fixes {
            let (label, actor) = (told(&fix.label), escaped(who(&fix.actor)));
            let how = fix.how.as_deref().map(told).unwrap_or_default();
            let _ = write!(body, "<li><b>{label}</b> <small>{actor}</small><p>{how}</p></li>");
        }
        body.push_str("</ol>");
    }
}

/// Who does a fix, for people.
fn who(actor: &str) -> &str {
    match actor {
        "user" => "here, or in your application",
        "quickbooks-user" => "in QuickBooks",
        "developer" => "whoever looks after your application",
        "system" => "by itself",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        assert_eq!(told("a `<b>` c"), "a <code>&lt;b&gt;</code> c");
        assert_eq!(told("one ` alone"), "one <code> alone</code>");
    }

    #[test]
    fn pairing_has_the_steps_of_the_readme() {
        let readme = include_str!("../../README.md");

        let steps: Vec<_> = PAIRING.split("<li><b>").skip(1).collect();
        for (number, step) in steps.iter().enumerate() {
            let title = step.split("</b>").next().unwrap();
            assert!(readme.contains(&format!("\n{}. **{title}**", number + 1)), "{title}");
        }
        assert_eq!(steps.len(), 6);
    }

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("<a href='\"&'>"), "&lt;a href=&#39;&quot;&amp;&#39;&gt;");
    }
}
