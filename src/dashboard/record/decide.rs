//! What is pressed on the page of a record: what a form decides, what is asked about first, and what
//! came of it.

use actix_web::HttpResponse;
use actix_web::web;
use serde_json::Value;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::Sure;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::see_saying;
use crate::dashboard::frame::show;
use crate::dashboard::record::data::lines;
use crate::dashboard::record::data::seen;
use crate::dashboard::record::is_being_undone;
use crate::dashboard::record::record;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view;
use crate::dashboard::view::Row;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::domain::activity::Scope;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Pressed;
use crate::engine::asks_for_link;

/// What can be decided beside fixes: its name in forms, and in words.
pub(super) fn decisions(record: &Record) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    let has_reference = record.reference.is_some();
    match record.status {
        Status::Failed | Status::Blocked => all.push(("retry", "Try again")),
        Status::Held => all.push(("release", "Release")),
        Status::Bypassed => all.push(("unbypass", "Take the bypass back")),
        Status::Synced
            if !is_being_undone(record)
                && record.reference.as_ref().is_some_and(|reference| reference.made) =>
        {
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

/// Does what is pressed; what cannot be taken back is asked about first.
pub(super) async fn act(
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
                    pairs: &[],
                    hidden: &[
                        ("do", form.text("do")),
                        ("object", form.text("object")),
                        ("revision", &record.revision.0.to_string()),
                    ],
                }))
            }
            Err(EngineError::Store(error)) => Err(error.into()),
            Err(error) => Ok(see_refusal(&home, &sentence(&error.to_string()))),
        };
    }
    match engine.act(&record.key, action, &visitor.actor()).await {
        Ok(record) if asks_for_link(&record) => Ok(see_saying(
            &home,
            "Linked. QuickBooks is asked at the next session whether it is there.",
        )),
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
            let would = "Where it stands in QuickBooks is forgotten, and it is made anew there. \
                         QuickBooks is asked first whether it is still there.";
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
    let asked = form.given("sure").and(form.given("revision"));
    if asked.is_some_and(|revision| revision != record.revision.0.to_string()) {
        // What was true of what was sent then need not be of what was sent since.
        return Err(
            "It changed while you were asked: nothing was done. Look at it again.".to_owned()
        );
    }
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
            let typed = form.begins("/").map(|(pointer, value)| (pointer, lines(value)));
            let changed = typed.filter(|(pointer, value)| match data.pointer(pointer) {
                None | Some(Value::Null) => !value.is_empty(),
                Some(Value::String(before)) => lines(before) != *value,
                Some(other) => other.to_string().as_str() != value.as_str(),
            });
            let owned = changed.map(|(pointer, value)| (pointer.to_owned(), value));
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
