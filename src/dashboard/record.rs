//! A record: what is wrong first, what helps, its data, its attempts, its history.

use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;
use serde_json::Value;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::Sure;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::see_saying;
use crate::dashboard::frame::show;
use crate::dashboard::markup;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view;
use crate::dashboard::view::Help;
use crate::dashboard::view::Meant;
use crate::dashboard::view::Row;
use crate::dashboard::view::When;
use crate::dashboard::view::sign;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::domain::activity::Scope;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Purpose;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Action;
use crate::engine::Attempt;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Pressed;
use crate::qbxml::check;
use crate::qbxml::version::Edition;

/// Fields that are shown; an invoice of a thousand lines is no form.
const MAX_FIELDS: usize = 300;
/// Records that wait for this one that are shown.
const MAX_BEHIND: usize = 100;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/c/{connection}/records/{kind}/{source_id:[^/]*}")
                .route(web::get().to(page)),
        )
        .service(
            web::resource("/c/{connection}/records/{kind}/{source_id:[^/]*}/act")
                .route(web::post().to(act)),
        );
}

struct Wrong {
    title: String,
    user: String,
    detail: String,
    pointer: String,
    code: String,
    said: Option<String>,
    candidates: Vec<Meant>,
    fixes: Vec<Help>,
    why: Vec<String>,
}

/// Fields that belong together: those of the record itself, or of one of its lines.
struct Part {
    title: String,
    fields: Vec<Field>,
}

struct Field {
    id: String,
    label: String,
    pointer: String,
    value: String,
    length: usize,
    limit: Option<usize>,
    was: Option<String>,
}

struct Shown {
    sent: When,
    number: usize,
    purpose: &'static str,
    outcome: String,
    took: String,
    handed_out: u32,
    request: markup::Marked,
    response: markup::Marked,
}

struct Moment {
    at: When,
    mark: &'static str,
    tone: &'static str,
    status: &'static str,
    note: String,
}

#[derive(Template)]
#[template(path = "record.html")]
#[expect(clippy::struct_excessive_bools, reason = "what a page shows or not")]
struct Page {
    frame: Frame,
    id: String,
    kind: String,
    source_id: String,
    r: Row,
    under_way: bool,
    bypassed: Option<String>,
    findings: Vec<Wrong>,
    waits_for: Vec<Row>,
    behind: Vec<Row>,
    reference: String,
    created: When,
    synced: When,
    attempts: Vec<Shown>,
    decisions: Vec<(&'static str, &'static str)>,
    can_bypass: bool,
    can_link: bool,
    editable: bool,
    seen: String,
    parts: Vec<Part>,
    left_out: usize,
    timeline: Vec<Moment>,
}

async fn record(engine: &Engine, path: &(String, String, String)) -> Result<Record, Trouble> {
    let connection = known(engine, &path.0).await?;
    let key = RecordKey::new(&connection.id, &path.1, &path.2);
    let key = key.map_err(|_| Trouble::nowhere())?;
    engine.store().record(&key).await?.ok_or_else(Trouble::nowhere)
}

async fn page(
    visitor: Visitor,
    path: web::Path<(String, String, String)>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let record = record(&engine, &path).await?;
    let connection = known(&engine, &path.0).await?;
    let mut waits_for = Vec::new();
    for key in &record.blocked_by {
        waits_for.push(match engine.store().record(key).await? {
            Some(other) => Row::of(&other),
            None => missing(key),
        });
    }
    let mut behind = Vec::new();
    for key in engine.store().waiting_for(&record.key, MAX_BEHIND).await? {
        behind.extend(engine.store().record(&key).await?.as_ref().map(Row::of));
    }
    let attempts = engine.attempts(&record.key).await?;
    let reasons = engine.reasons(&record).await?;
    let edition = engine.edition(&connection.id).await?;
    let (parts, left_out) = parts(&record, edition);
    let open = !record.status.is_out();
    let frame = Frame::of(&visitor, &record.key.path(), "records").within(&connection);
    let editable = frame.is_operator() && record.status == Status::Failed;
    let timeline = record.timeline.iter().rev().map(|moment| {
        let (mark, tone) = sign(moment.status);
        let (at, status) = (When::at(moment.at), moment.status.as_str());
        Moment { at, mark, tone, status, note: moment.note.clone() }
    });
    Ok(show(&Page {
        id: connection.id.to_string(),
        kind: record.key.kind.clone(),
        source_id: record.key.source_id.clone(),
        r: Row::of(&record),
        under_way: record.asked.is_some() && record.status == Status::Failed,
        bypassed: record.bypass_reason.clone().filter(|_| record.status == Status::Bypassed),
        findings: reasons.iter().map(|it| wrong(it, &record)).collect(),
        waits_for,
        behind,
        reference: Some(view::reference(&record))
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| "–".to_owned()),
        created: When::at(record.created_at),
        synced: When::at(record.synced_at),
        attempts: attempts.into_iter().enumerate().map(Shown::of).rev().collect(),
        decisions: decisions(&record),
        can_bypass: matches!(
            record.status,
            Status::Failed | Status::Queued | Status::Blocked | Status::Held
        ),
        can_link: open && record.status != Status::Withdrawn,
        editable,
        seen: seen(&record),
        parts,
        left_out,
        timeline: timeline.collect(),
        frame,
    }))
}

fn missing(key: &RecordKey) -> Row {
    Row {
        href: view::href(key),
        path: key.path(),
        name: String::new(),
        status: "not pushed yet",
        mark: "?",
        tone: "wait",
        reference: String::new(),
        why: String::new(),
        more: String::new(),
        changed: When::at(None),
    }
}

fn wrong(finding: &Finding, record: &Record) -> Wrong {
    let kind = &record.key.kind;
    let words = diagnosis::render(finding);
    let said = words.quickbooks.map(|said| {
        let code = said.status_code.map(|code| code.to_string()).or(said.hresult);
        format!("{} {}", code.unwrap_or_default(), said.status_message)
    });
    Wrong {
        title: words.title,
        user: words.user_facing_message,
        detail: words.detail,
        pointer: words.pointer.unwrap_or_default(),
        code: words.code.to_string(),
        said,
        candidates: words.candidates.iter().map(|it| Meant::of(it, kind)).collect(),
        fixes: view::help(words.fixes, record.status),
        why: words.why,
    }
}

fn decisions(record: &Record) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    let has_reference = record.reference.is_some();
    match record.status {
        Status::Failed | Status::Blocked => all.push(("retry", "Try again")),
        Status::Held => all.push(("release", "Release")),
        Status::Bypassed => all.push(("unbypass", "Take the bypass back")),
        Status::Synced if record.reference.as_ref().is_some_and(|reference| reference.made) => {
            all.push(("undo", "Undo: take it out of QuickBooks"));
        }
        _ => {}
    }
    let resets = matches!(record.status, Status::Synced | Status::Failed | Status::Blocked);
    if has_reference && resets {
        all.push(("reset-reference", "Forget the QuickBooks id and make it anew"));
    }
    all
}

/// What the data was when a form was made of it: an edit of older data is none of what is there.
fn seen(record: &Record) -> String {
    Engine::version_of(record).short()
}

/// The values of a record, each with its limit, as far as the table of kinds knows one; and how many
/// are left out.
fn parts(record: &Record, edition: Edition) -> (Vec<Part>, usize) {
    let mut found = Vec::new();
    collect(&record.amended(), "", &mut found);
    // What is missing is typed in where it belongs.
    for finding in record.findings.iter().filter(|it| it.code == Code::MissingField) {
        let pointer = finding.pointer.strip_prefix("/data").unwrap_or_default();
        let typed = check::typed_at(&record.key.kind, pointer).filter(|_| !pointer.is_empty());
        if let Some(typed) = typed.filter(|typed| found.iter().all(|(known, _)| known != typed)) {
            found.push((typed, String::new()));
        }
    }
    let left_out = found.len().saturating_sub(MAX_FIELDS);
    let mut parts = vec![Part { title: String::new(), fields: Vec::new() }];
    for (number, (pointer, value)) in found.into_iter().take(MAX_FIELDS).enumerate() {
        let (title, label) = named(&pointer);
        let before = record.data.pointer(&pointer).and_then(Value::as_str);
        let field = Field {
            id: format!("field-{number}"),
            label,
            length: value.chars().count(),
            limit: check::limit(&record.key.kind, &pointer, edition),
            was: before.filter(|before| *before != value).map(str::to_owned),
            pointer,
            value,
        };
        match parts.iter_mut().find(|part| part.title == title) {
            Some(part) => part.fields.push(field),
            None => parts.push(Part { title, fields: vec![field] }),
        }
    }
    parts.retain(|part| !part.fields.is_empty());
    (parts, left_out)
}

/// The part and the name of a value: `/InvoiceLine/0/ItemRef/FullName` is `ItemRef › FullName` of
/// `InvoiceLine 1`.
fn named(pointer: &str) -> (String, String) {
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    let line = names.iter().position(|name| name.parse::<usize>().is_ok());
    let (title, rest) = match line.and_then(|at| names.get(at)?.parse::<usize>().ok().zip(Some(at)))
    {
        Some((index, at)) => {
            (format!("{} {}", names[..at].join(" › "), index + 1), &names[at + 1..])
        }
        None => (String::new(), names.as_slice()),
    };
    let label = if rest.is_empty() { "value".to_owned() } else { rest.join(" › ") };
    (title, label)
}

fn collect(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                collect(value, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Null => {}
        Value::String(text) => found.push((pointer.to_owned(), text.clone())),
        other => found.push((pointer.to_owned(), other.to_string())),
    }
}

impl Shown {
    fn of((index, attempt): (usize, Attempt)) -> Self {
        let purpose = match attempt.purpose {
            Purpose::Add => "add",
            Purpose::Mod => "change",
            Purpose::Delete => "delete",
            Purpose::Void => "void",
            Purpose::Refresh => "ask for its state",
            Purpose::Number => "ask who has its number",
            Purpose::Raw => "request",
        };
        let outcome = match &attempt.said {
            None if attempt.settled_at.is_none() => "no answer yet".to_owned(),
            None => "settled".to_owned(),
            Some(said) => {
                let code = said.status_code.map(|code| code.to_string()).or(said.hresult.clone());
                format!("{} {}", code.unwrap_or_default(), said.message)
            }
        };
        Self {
            sent: When::at(attempt.sent_at),
            number: index + 1,
            took: attempt
                .settled_at
                .map(|settled| view::took(settled.duration_since(attempt.sent_at)))
                .unwrap_or_default(),
            handed_out: attempt.handed_out,
            purpose,
            outcome,
            request: markup::xml(&attempt.request_xml),
            response: markup::xml(attempt.response_xml.as_deref().unwrap_or_default()),
        }
    }
}

async fn act(
    visitor: Visitor,
    path: web::Path<(String, String, String)>,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Write)?;
    let record = record(&engine, &path).await?;
    let home = view::href(&record.key);
    let action = match decision(&record, &form) {
        Ok(action) => action,
        Err(why) => return Ok(see_refusal(&home, &why)),
    };
    if form.given("sure").is_none()
        && let Some(asked) = asks_first(&engine, &record, &action).await
    {
        return match asked {
            Ok((title, would)) => {
                let frame = Frame::of(&visitor, &title, "records");
                let connection = known(&engine, &path.0).await?;
                Ok(show(&Sure {
                    frame: frame.within(&connection),
                    title: &title,
                    place: &record.key.path(),
                    home: &home,
                    action: &format!("{home}/act"),
                    would: &would,
                    hidden: &[("do", form.text("do")), ("object", form.text("object"))],
                }))
            }
            Err(EngineError::Store(error)) => Err(error.into()),
            Err(error) => Ok(see_refusal(&home, &sentence(&error.to_string()))),
        };
    }
    match engine.act(&record.key, action, &visitor.actor()).await {
        Ok(record) if record.asked.is_some() => {
            Ok(see_saying(&home, "It is done at the next session of the Web Connector."))
        }
        Ok(record) => Ok(became(&home, &record)),
        Err(EngineError::NotNow(why) | EngineError::BadInput { why, .. }) => {
            Ok(see_refusal(&home, &sentence(&why)))
        }
        Err(EngineError::Refused(findings)) => {
            let why = findings.first().map(|finding| diagnosis::render(finding).detail);
            Ok(see_refusal(&home, &why.unwrap_or_default()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Back to the record, which says what became of it: what failed is no success, and says why.
fn became(home: &str, record: &Record) -> HttpResponse {
    let Row { status, why, more, .. } = Row::of(record);
    let why = sentence(if more.is_empty() { &why } else { &more });
    match record.status {
        Status::Failed => see_refusal(home, &format!("It is failed now. {why}")),
        Status::Blocked => see_saying(home, &format!("Done. It is {status} now. {why}")),
        _ => see_saying(home, &format!("Done. It is {status} now.")),
    }
}

/// What can bring a second object into the books, or take one out of them, is asked about first: the
/// title, and what would be done.
async fn asks_first(
    engine: &Engine,
    record: &Record,
    action: &Action,
) -> Option<Result<(String, String), EngineError>> {
    let pressed = match action {
        Action::ResetReference => {
            let would = "Where it stands in QuickBooks is forgotten, and it is made anew there. Unless it \
                         is known to be gone, QuickBooks is asked first whether it is still there.";
            return Some(Ok(("Make it anew".to_owned(), would.to_owned())));
        }
        Action::Fix(pressed) => pressed,
        _ => return None,
    };
    let title = match pressed.id.as_str() {
        "undo" => "Take it out of QuickBooks",
        "send-anyway" | "send-again" => "Send it although it may be there",
        _ => return None,
    };
    let would = engine.preview(&record.key, pressed).await;
    Some(would.map(|would| (title.to_owned(), would)))
}

/// What a form decides.
fn decision(record: &Record, form: &Fields) -> Result<Action, String> {
    let object = form.given("object").map(str::to_owned);
    Ok(match form.text("do") {
        "retry" => Action::Retry,
        "release" => Action::Release,
        "unbypass" => Action::Unbypass,
        "reset-reference" => Action::ResetReference,
        "bypass" => Action::Bypass { reason: form.text("reason").to_owned(), reference: object },
        "link" => Action::Link { id: object.ok_or("Give the ListID or TxnID.")? },
        "undo" => Action::Fix(Pressed { id: "undo".to_owned(), ..Pressed::default() }),
        "edit" if form.text("seen") != seen(record) => {
            return Err(
                "It changed while you edited it: nothing of yours is saved. The data below is \
                        what it says now."
                    .to_owned(),
            );
        }
        "edit" => {
            let data = record.amended();
            let changed = form.begins("/").filter(|(pointer, value)| match data.pointer(pointer) {
                None | Some(Value::Null) => !value.is_empty(),
                Some(Value::String(before)) => before != value,
                Some(other) => other.to_string().as_str() != *value,
            });
            let owned = changed.map(|(pointer, value)| (pointer.to_owned(), value.to_owned()));
            Action::Edit { values: owned.collect(), version: Engine::version_of(record) }
        }
        other => match other.strip_prefix("fix:") {
            Some("reset-reference") => Action::ResetReference,
            Some(id) => Action::Fix(Pressed {
                id: id.to_owned(),
                value: form.given("value").map(str::to_owned),
                object,
            }),
            None => return Err("There is nothing of that name to do.".to_owned()),
        },
    })
}
