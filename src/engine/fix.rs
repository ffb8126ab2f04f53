//! Fixes: what a button does to a record that failed.
//!
//! A fix changes a copy of what the application gave ([`Amendment`]), points the record at another
//! object, or asks QuickBooks for something first; then the record goes again. What it will do is
//! worked out when the record fails and stands in the finding, so that a preview and the deed are
//! one. Pressed twice, it does nothing more: the record has moved on, or waits for the first press.

use serde_json::Value;
use serde_json::json;

use crate::diagnosis;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Amendment;
use crate::domain::record::Insisted;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::Question;
use crate::domain::request::Target;
use crate::engine::Action;
use crate::engine::EngineError;
use crate::engine::follow_up::UNCHECKED;
use crate::engine::follow_up::named;
use crate::engine::follow_up::query_of;
use crate::engine::intake::is_unknown;
use crate::engine::mend;
use crate::engine::operate::may_be_bypassed;
use crate::engine::propose;
use crate::engine::work::Work;
use crate::qbxml::check;
use crate::qbxml::version::Edition;

/// Fixes that Bookbridge does when they are pressed; the others are done by people.
pub const FIXES: [&str; 19] = [
    "ask-books",
    "bypass",
    "create-missing",
    "keep-ours",
    "keep-theirs",
    "link",
    "move-date",
    "reactivate",
    "refresh-edit-sequence",
    "rename",
    "replace-characters",
    "reset-reference",
    "retry",
    "send-again",
    "send-anyway",
    "shorten",
    "suffix-number",
    "undo",
    "wait",
];

/// The fix that takes what QuickBooks has: what it wrote over our values goes with the opposite one.
pub(super) const KEEP_THEIRS: &str = "keep-theirs";
/// The reason of a bypass that is pressed as a fix.
const BYPASSED: &str = "marked as done in QuickBooks";
/// Values that a person edits at once.
const MAX_EDITED: usize = 300;

/// A fix that is pressed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pressed {
    /// As the diagnosis names it.
    pub id: String,
    /// Another value than the one that is proposed.
    pub value: Option<String>,
    /// ListID or TxnID of the object that is meant, where there are several.
    pub object: Option<String>,
}

/// What a fix comes down to.
pub(super) enum Deed {
    /// A decision that exists by itself.
    Decide(Action),
    /// Values of the data that are replaced, by pointer.
    Amend(Vec<(String, Value)>),
    /// The record goes although Bookbridge would keep it back.
    Insist,
    /// What nobody knew the outcome of is not in QuickBooks, a person says: it goes again.
    NotThere,
    /// QuickBooks is asked first.
    Ask(Box<Question>, String, Value),
}

impl Work<'_> {
    /// Does what a fix says; the words for the activity.
    pub(crate) async fn press(
        &mut self,
        mut record: Record,
        pressed: &Pressed,
    ) -> Result<&'static str, EngineError> {
        if self.is_pressed(&record, pressed).await? {
            return Ok("pressed again a fix of");
        }
        record.asked = None;
        if pressed.id == "keep-ours" {
            record.amendments.retain(|it| it.fix != KEEP_THEIRS);
        }
        self.propose_all(&mut record).await?;
        match self.deed_of(&record, pressed).await? {
            Deed::Decide(action) => {
                return Box::pin(self.engine.decide(self, record, &action)).await;
            }
            Deed::NotThere => {
                record.lost = None;
                record.findings.clear();
                record.insisted = record.insisted.max(Insisted::Retried);
                self.place(record, "sent again: a person says that it is not there").await?;
            }
            Deed::Insist => {
                record.insisted = Insisted::Duplicate;
                self.place(record, "sent although it may be there").await?;
            }
            Deed::Amend(values) => {
                for (pointer, to) in values {
                    let from = record.data.pointer(&pointer).cloned().unwrap_or(Value::Null);
                    record.amendments.retain(|it| it.pointer != pointer);
                    let fix = pressed.id.clone();
                    record.amendments.push(Amendment { pointer, from, to, fix });
                }
                self.place(record, "changed by a fix").await?;
            }
            Deed::Ask(question, request, data) => {
                let problem = offering(&record, &pressed.id).map(Finding::group);
                self.ask_first(record, *question, problem, &request, &data)?;
            }
        }
        Ok(match pressed.id.as_str() {
            "rename" => "renamed",
            "shorten" => "shortened a text of",
            "replace-characters" => "replaced characters of",
            "suffix-number" => "gave another number to",
            "move-date" => "moved the date of",
            "reactivate" => "made active in QuickBooks what is needed by",
            "create-missing" => "made in QuickBooks what is needed by",
            "undo" => "undid",
            "send-anyway" => "sent although it may be there",
            "send-again" => "sent again",
            _ => "fixed",
        })
    }

    /// A person typed other values.
    pub(crate) async fn edit(
        &mut self,
        mut record: Record,
        values: &[(String, String)],
    ) -> Result<(), EngineError> {
        if values.len() > MAX_EDITED {
            let why = format!("at most {MAX_EDITED} values are edited at once");
            return Err(EngineError::BadInput { pointer: "/data".to_owned(), why });
        }
        for (pointer, to) in values {
            let from = record.data.pointer(pointer).cloned().unwrap_or(Value::Null);
            if from.is_object() || from.is_array() {
                let why = "only single values are edited".to_owned();
                return Err(EngineError::BadInput { pointer: pointer.clone(), why });
            }
            record.amendments.retain(|it| it.pointer != *pointer);
            if from.as_str() != Some(to) {
                // Nothing of what QuickBooks does not know is sent, not even that it is empty.
                let left_out = to.is_empty() && record.is_unknown(pointer);
                let to = if left_out { Value::Null } else { Value::from(to.clone()) };
                let pointer = pointer.clone();
                record.amendments.push(Amendment { pointer, from, to, fix: "edit".to_owned() });
            }
        }
        self.place(record, "edited by a person").await
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a fix comes down to for a record as it stands.
pub(super) fn deed(record: &Record, pressed: &Pressed) -> Result<Deed, EngineError> {
    let id = pressed.id.as_str();
    let path = record.key.path();
    let cannot = |why: &str| EngineError::NotNow(format!("{path}: {why}"));
    if id == "undo" {
        let (query, data) = mend::undo(record)
            .ok_or_else(|| cannot("only what Bookbridge made itself is undone"))?;
        return Ok(Deed::Ask(Box::new(Question::Undo), query, data));
    }
    if id == "bypass" {
        may_be_bypassed(record)?;
    }
    let no_finding = || cannot(&format!("it is {}; there is nothing to fix", record.status));
    let offering = offering(record, id);
    let finding = offering.or(record.findings.first()).ok_or_else(no_finding)?;
    let offered = offering.is_some();
    let always = ["retry", "bypass", "reset-reference"].contains(&id);
    if id == "reactivate" && diagnosis::is_made_active_by_hand(finding) {
        return Err(cannot("QuickBooks lets no program make this active; make it active there"));
    }
    if let (false, "link", Some(other)) = (offered, id, finding.facts.get("record")) {
        return Err(cannot(&format!(
            "that is {other}'s already; two records cannot share one QuickBooks object"
        )));
    }
    if !offered && !always {
        return Err(cannot(&format!("the fix {id} does not help against {}", finding.code)));
    }
    let unchecked = id == "link" && finding.cause == UNCHECKED;
    // What waits for its time goes at once.
    let sooner = id == "retry" && mend::waits_for_its_time(record);
    let any_time = ["bypass", "reset-reference"].contains(&id) || unchecked || sooner;
    if record.status != Status::Failed && !any_time {
        return Err(cannot(&format!("it is {}; there is nothing to fix", record.status)));
    }
    let texts_alone = ["rename", "replace-characters", "shorten", "suffix-number"].contains(&id);
    let changes = texts_alone || matches!(id, KEEP_THEIRS | "keep-ours" | "move-date");
    if record.wanted != Wanted::Present && changes {
        return Err(cannot("it is to be taken out of QuickBooks; what is sent does not matter"));
    }
    let fact = |name: &str| finding.facts.get(name).cloned();
    let given = |proposed: Option<String>, what: &str| {
        let value = pressed.value.clone().or(proposed);
        value.ok_or_else(|| EngineError::BadInput {
            pointer: "/value".to_owned(),
            why: format!("give the {what}: none could be proposed"),
        })
    };
    let amend = |pointer: &str, to: String| Deed::Amend(vec![(pointer.to_owned(), to.into())]);
    Ok(match id {
        "retry" | "wait" | "refresh-edit-sequence" | "keep-ours" => Deed::Decide(Action::Retry),
        "send-again" => Deed::NotThere,
        "reset-reference" if record.is_nowhere() && !is_unknown(record) => {
            return Err(cannot("it has no id in QuickBooks that could be reset"));
        }
        "reset-reference" => Deed::Decide(Action::ResetReference),
        "send-anyway" => Deed::Insist,
        "bypass" => {
            let reference = pressed.object.clone().or_else(|| itself(record, finding));
            Deed::Decide(Action::Bypass { reason: BYPASSED.to_owned(), reference })
        }
        "link" => Deed::Decide(Action::Link { id: meant(record, finding, pressed)? }),
        "rename" if record.data.get("Name").is_none() => {
            return Err(cannot("it has no name of its own"));
        }
        "rename" => amend("/Name", given(fact("renamed"), "new name")?),
        "suffix-number" => amend("/RefNumber", given(fact("suffixed"), "new number")?),
        "move-date" => {
            let first = given(fact("firstOpenDay"), "new date")?;
            if first.parse::<jiff::civil::Date>().is_err() {
                return Err(EngineError::BadInput {
                    pointer: "/value".to_owned(),
                    why: "a date is written as 2026-11-30".to_owned(),
                });
            }
            let mut values = vec![("/TxnDate".to_owned(), Value::from(first))];
            values.extend(memo(record, finding).map(|memo| ("/Memo".to_owned(), memo.into())));
            Deed::Amend(values)
        }
        "shorten" | "replace-characters" => Deed::Amend(texts(record, pressed)?),
        KEEP_THEIRS => {
            let theirs = finding.facts.iter().filter_map(|(name, value)| {
                let field = name.strip_prefix("theirs:")?;
                let kept = match value.as_str() {
                    // What is not sent stays as it is there.
                    "" => Value::Null,
                    name if field.ends_with("Ref") => json!({ "FullName": name }),
                    text => Value::from(text),
                };
                Some((format!("/{field}"), kept))
            });
            Deed::Amend(theirs.collect())
        }
        "reactivate" => {
            let (kind, name) =
                (fact("kind").unwrap_or_default(), fact("value").unwrap_or_default());
            let query = query_of(&kind).filter(|_| !name.is_empty());
            let query = query.ok_or_else(|| cannot("QuickBooks does not say what is inactive"))?;
            let data = named(&name);
            Deed::Ask(Box::new(Question::Reactivate(Target { kind, name })), query, data)
        }
        "create-missing" => {
            let made = propose::missing(finding);
            let (request, data, what) = made.ok_or_else(|| {
                cannot("customers, vendors and items are pushed as records of their own")
            })?;
            Deed::Ask(Box::new(Question::Mend(what)), request, data)
        }
        other => {
            let shown: String = other.chars().take(80).collect();
            return Err(EngineError::BadInput {
                pointer: "/id".to_owned(),
                why: format!("the fix {shown:?} is done by a person, not by Bookbridge"),
            });
        }
    })
}

/// The finding that has this fix.
fn offering<'a>(record: &'a Record, id: &str) -> Option<&'a Finding> {
    let has = |finding: &&Finding| diagnosis::render(finding).fixes.iter().any(|fix| fix.id == id);
    record.findings.iter().find(has)
}

/// The only candidate, where that is the record itself: what was entered by hand or by another way. A
/// candidate of a reference, of a name or of a merge is something else.
fn itself(record: &Record, finding: &Finding) -> Option<String> {
    let [one] = finding.candidates.as_slice() else { return None };
    let is_it = match finding.code {
        Code::PossibleDuplicate | Code::DuplicateRefNumber | Code::AlreadyPaid => {
            record.reference.is_none() && !finding.facts.contains_key("record")
        }
        // Where it stood nothing is any more.
        Code::ObjectNotFound => true,
        _ => false,
    };
    (is_it && one.kind == record.key.kind).then(|| one.id.clone())
}

/// The candidate that is meant: the one that was picked, or the only one of the record's kind.
fn meant(record: &Record, finding: &Finding, pressed: &Pressed) -> Result<String, EngineError> {
    let kind = &record.key.kind;
    if let Some(id) = &pressed.object {
        let other = finding.candidates.iter().find(|it| it.id == *id && it.kind != *kind);
        return match other {
            None => Ok(id.clone()),
            Some(other) => {
                let why = format!("{id} is the {} {}, not a {kind}", other.kind, other.name);
                Err(EngineError::BadInput { pointer: "/listId".to_owned(), why })
            }
        };
    }
    let mut same = finding.candidates.iter().filter(|it| it.kind == *kind);
    if let (Some(one), None) = (same.next(), same.next()) {
        return Ok(one.id.clone());
    }
    let shown = finding.candidates.iter().map(|it| format!("{} {} {}", it.kind, it.name, it.id));
    let all: Vec<_> = shown.collect();
    let why = if all.is_empty() {
        "give the listId or txnId of the one that is meant".to_owned()
    } else {
        format!("say which one is meant: {}", all.join(", "))
    };
    Err(EngineError::BadInput { pointer: "/listId".to_owned(), why })
}

/// The old date, for the memo.
fn memo(record: &Record, finding: &Finding) -> Option<String> {
    let amended = record.amended();
    // Where it was moved before, the date that the application gave is told, once.
    let given = |member: &str| {
        let moved =
            record.amendments.iter().any(|it| it.fix == "move-date" && it.pointer[1..] == *member);
        let data = if moved { &record.data } else { &*amended };
        data.get(member).and_then(Value::as_str)
    };
    let date = given("TxnDate")?;
    check::limit(&record.key.kind, "Memo", Edition::Us)?;
    let old = given("Memo").unwrap_or_default();
    let closing = finding.facts.get("closingDate").map_or("", String::as_str);
    let closed = if closing.is_empty() { String::new() } else { format!(" up to {closing}") };
    let note = format!("Dated {date}; moved because the books are closed{closed}.");
    Some(if old.is_empty() { note } else { format!("{old} ({note})") })
}

/// Every text of the record that is too long, or has characters that QuickBooks does not store.
fn texts(record: &Record, pressed: &Pressed) -> Result<Vec<(String, Value)>, EngineError> {
    let (code, name) = match pressed.id.as_str() {
        "shorten" => (Code::StringTooLong, "shortened"),
        _ => (Code::InvalidCharacters, "replaced"),
    };
    let findings = record.findings.iter().filter(|it| it.code == code);
    if pressed.value.is_some() && findings.clone().count() > 1 {
        return Err(EngineError::BadInput {
            pointer: "/value".to_owned(),
            why: "several texts are meant; press it without a value, or edit each in the data"
                .to_owned(),
        });
    }
    let values: Vec<_> = findings
        .filter_map(|it| {
            let pointer = it.pointer.strip_prefix("/data")?.to_owned();
            let to = pressed.value.clone().or_else(|| it.facts.get(name).cloned())?;
            Some((pointer, Value::from(to)))
        })
        .collect();
    if values.is_empty() {
        let first = record.findings.iter().find(|it| it.code == code);
        let is_known = first.is_some_and(|it| !it.pointer.is_empty());
        let why = if is_known && code == Code::InvalidCharacters {
            "nothing would be left of the text; write another one"
        } else {
            "QuickBooks does not say which text it means; correct it in the data"
        };
        return Err(EngineError::BadInput { pointer: "/value".to_owned(), why: why.to_owned() });
    }
    Ok(values)
}
