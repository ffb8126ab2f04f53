//! A record: what is wrong first, what helps, its data, its attempts, its history, its activity.
//!
//! `data` makes fields of its data, `decide` does what is pressed.

mod data;
mod decide;

use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::activity::Line;
use crate::dashboard::connection::known;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::show;
use crate::dashboard::mapping::search_for;
use crate::dashboard::markup;
use crate::dashboard::record::data::Part;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view;
use crate::dashboard::view::Help;
use crate::dashboard::view::Meant;
use crate::dashboard::view::Row;
use crate::dashboard::view::When;
use crate::dashboard::view::called;
use crate::dashboard::view::sign;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Purpose;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::engine::Attempt;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Pressed;
use crate::engine::asks_for_link;
use crate::engine::is_of_use;
use crate::engine::is_pressable;

/// Records that wait for this one that are shown.
const MAX_BEHIND: usize = 100;
/// Lines of its activity that are shown.
const MAX_ACTIVITY: usize = 5;

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/c/{connection}/records/{kind}/{source_id:[^/]*}")
                .route(web::get().to(page)),
        )
        .service(
            web::resource("/c/{connection}/records/{kind}/{source_id:[^/]*}/act")
                .route(web::post().to(decide::act)),
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
    /// The name in the data that means one of them, if the record cannot be linked to any.
    field: Option<String>,
    fixes: Vec<Help>,
    why: Vec<String>,
}

impl Wrong {
    /// Whether the record can be linked to one of them. What a reference may mean is another object
    /// than the record, even of its kind.
    fn linkable(&self) -> bool {
        let refers = self.pointer.split('/').any(|part| part.ends_with("Ref"));
        !refers && self.candidates.iter().any(|it| it.same_kind)
    }
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
struct Page {
    frame: Frame,
    id: String,
    kind: String,
    source_id: String,
    r: Row,
    /// What was pressed and is done at the next session.
    under_way: Option<&'static str>,
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
    /// Where it is looked for in QuickBooks.
    search: String,
    editable: bool,
    seen: String,
    parts: Vec<Part>,
    left_out: usize,
    timeline: Vec<Moment>,
    activity: Vec<Line>,
    /// Where all of its activity is.
    all_activity: String,
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
    let (parts, left_out) = data::parts(&record, edition);
    let unconfirmed = record.reference.as_ref().is_some_and(Reference::is_unconfirmed);
    let (open, r) = (!record.status.is_out(), Row::of(&record));
    let frame = Frame::of(&visitor, &record.key.path(), "records").within(&connection);
    let editable = frame.is_operator() && record.status == Status::Failed;
    let timeline = record.timeline.iter().rev().map(|moment| {
        let (mark, tone) = sign(moment.status);
        let (at, status) = (When::at(moment.at), called(moment.status));
        Moment { at, mark, tone, status, note: moment.note.clone() }
    });
    let mut findings: Vec<_> = reasons.iter().map(|it| wrong(it, &record)).collect();
    each_once(&mut findings);
    if frame.is_operator() {
        for (index, finding) in findings.iter_mut().enumerate() {
            foretell(&engine, &record, finding, index).await?;
        }
    }
    let activity = engine.store().activity_of(&record.key, None, MAX_ACTIVITY).await?;
    let path = percent_encoding::NON_ALPHANUMERIC;
    let path = percent_encoding::utf8_percent_encode(&r.path, path);
    let all_activity = format!("/c/{}/activity?record={path}", connection.id);
    Ok(show(&Page {
        all_activity,
        activity: activity.items.into_iter().map(Line::of).collect(),
        id: connection.id.to_string(),
        kind: record.key.kind.clone(),
        source_id: record.key.source_id.clone(),
        r,
        under_way: under_way(&record),
        bypassed: record.bypass_reason.clone().filter(|_| record.status == Status::Bypassed),
        findings,
        waits_for,
        behind,
        reference: Some(view::reference(&record))
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| "–".to_owned()),
        created: When::at(record.created_at),
        synced: When::at(record.synced_at.filter(|_| !unconfirmed)),
        attempts: attempts.into_iter().enumerate().map(Shown::of).rev().collect(),
        decisions: decide::decisions(&record),
        can_bypass: matches!(
            record.status,
            Status::Failed | Status::Queued | Status::Blocked | Status::Held
        ),
        can_link: open && record.status != Status::Withdrawn,
        search: search_for(&record.key, record.name().unwrap_or_default()) + "#there",
        editable,
        seen: data::seen(&record),
        parts,
        left_out,
        timeline: timeline.collect(),
        frame,
    }))
}

/// What was pressed and waits for the next session, in a sentence.
fn under_way(record: &Record) -> Option<&'static str> {
    match record.status {
        Status::Failed if record.asked.is_some() => {
            Some("A fix is on its way: it is done at the next session of the Web Connector.")
        }
        _ if is_being_undone(record) => Some(
            "Undo: QuickBooks is asked at the next session of the Web Connector; unless somebody edited \
             it there, it is then taken out.",
        ),
        _ if asks_for_link(record) => {
            Some("Linked; QuickBooks is asked at the next session whether it is there.")
        }
        _ => None,
    }
}

/// Whether a person pressed Undo, and QuickBooks was not asked yet: of what stands there nothing else
/// is asked that it would wait for.
fn is_being_undone(record: &Record) -> bool {
    record.status == Status::Synced && record.asked.is_some()
}

/// A fix that helps against several findings stands at the first of them.
fn each_once(findings: &mut [Wrong]) {
    let mut shown: Vec<(String, String)> = Vec::new();
    for finding in findings {
        finding.fixes.retain(|fix| {
            let same = |(id, label): &(String, String)| {
                *id == fix.id && (fix.pressable || *label == fix.label)
            };
            let new = !shown.iter().any(same);
            if new {
                shown.push((fix.id.clone(), fix.label.clone()));
            }
            new
        });
    }
}

/// Says of each fix that can be pressed what it would do, or why it cannot be done as it is. What a
/// finding after the first has, and cannot be done by a press, is advice.
async fn foretell(
    engine: &Engine,
    record: &Record,
    wrong: &mut Wrong,
    index: usize,
) -> Result<(), EngineError> {
    let unknown = wrong.candidates.is_empty();
    for fix in wrong.fixes.iter_mut().filter(|fix| fix.pressable) {
        let pressed = Pressed { id: fix.id.clone(), ..Pressed::default() };
        fix.would = match Box::pin(engine.preview(&record.key, &pressed)).await {
            Err(error @ EngineError::Store(_)) => return Err(error),
            // Nobody knows which one: a person looks for it.
            Err(EngineError::BadInput { .. }) if fix.id == "link" && unknown => {
                fix.sought = true;
                "Look for it by its name, and choose it.".to_owned()
            }
            Err(_) if index > 0 => {
                fix.pressable = false;
                String::new()
            }
            Err(error) => sentence(&error.to_string()),
            Ok(would) => would,
        };
    }
    Ok(())
}

/// A record that has no page, because nobody pushed it.
fn missing(key: &RecordKey) -> Row {
    Row {
        href: String::new(),
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
    let mut words = diagnosis::render(finding);
    let undone = is_being_undone(record);
    words.fixes.retain(|fix| is_of_use(record, &fix.id) && !(undone && fix.id == "undo"));
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
        field: named(finding, record),
        candidates: words.candidates.iter().map(|it| Meant::of(it, kind)).collect(),
        fixes: view::help(words.fixes, |id| is_pressable(record, id)),
        why: words.why,
    }
}

/// Where the data of a record names what a finding is about.
fn named(finding: &Finding, record: &Record) -> Option<String> {
    let pointer = finding.pointer.strip_prefix("/data")?;
    let pointer = format!("{}/FullName", pointer.strip_suffix("/FullName").unwrap_or(pointer));
    record.amended().pointer(&pointer).and_then(|it| it.as_str())?;
    Some(pointer)
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
