//! What a fix would do, said before it is pressed: the same deed, put into a sentence and not done.

use serde_json::Value;

use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Facts;
use crate::domain::mirror::Mirrored;
use crate::domain::record::Amendment;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::Question;
use crate::domain::request::Target;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Pressed;
use crate::engine::fix::Deed;
use crate::engine::fix::FIXES;
use crate::engine::fix::KEEP_THEIRS;
use crate::engine::fix::deed;
use crate::engine::fix::text;
use crate::engine::follow_up::changes;
use crate::engine::intake::is_unknown;
use crate::engine::work::Work;

/// Names that have less in common than this are quite different.
const ALIKE: f64 = 0.5;

const SEARCHED: &str = "QuickBooks' books are searched for it at the next session, and it is sent again \
                        only if it is not there.";
const SENT: &str = "It is sent again at the next session, as it is.";
const FETCHED: &str = "The newest version is fetched from QuickBooks at the next session; then what your \
                       application says is written to it.";
const ANEW: &str = "Where it stands in QuickBooks is forgotten, and it is made anew there. Unless it is \
                    known to be gone, QuickBooks is asked first whether it is still there.";
const DONE: &str = "It is marked as done in QuickBooks; nothing is sent, and it can be taken back.";
const AGAIN: &str = "It is sent again, because a person says that QuickBooks does not have it. If it does \
                     after all, it stands there twice then.";

/// Whether a fix is of use to a record as it stands: what a person does, always; what Bookbridge does
/// where a record is done with, and has a remark, only if it can be pressed.
pub fn is_of_use(record: &Record, id: &str) -> bool {
    let is_over = matches!(record.status, Status::Synced | Status::Bypassed | Status::Withdrawn);
    let pressed = Pressed { id: id.to_owned(), ..Pressed::default() };
    let refused =
        || id == "bypass" || matches!(deed(record, &pressed), Err(EngineError::NotNow(_)));
    !is_over || !FIXES.contains(&id) || !refused()
}

/// Whether a fix can be pressed for a record as it stands.
pub fn is_pressable(record: &Record, id: &str) -> bool {
    FIXES.contains(&id)
        && match record.status {
            Status::Failed => id != "wait",
            Status::InDoubt => id == "ask-books",
            Status::Synced | Status::Bypassed | Status::Withdrawn => is_of_use(record, id),
            _ => false,
        }
}

/// Whether a fix makes sense for a record.
pub(super) fn fits(record: &Record, pressed: &Pressed) -> bool {
    let in_doubt = record.status == Status::InDoubt && pressed.id == "ask-books";
    // What nobody knows the outcome of is decided one by one.
    let alone = is_unknown(record) && pressed.id != "bypass";
    record.asked.is_none() && (in_doubt || (!alone && deed(record, pressed).is_ok()))
}

impl Engine {
    /// What a fix would do, in one sentence.
    ///
    /// # Errors
    ///
    /// As [`Engine::act`] with [`Action::Fix`].
    pub async fn preview(&self, key: &RecordKey, pressed: &Pressed) -> Result<String, EngineError> {
        let state = self.state(&key.connection).await?;
        let mut work = Work::new(self, self.connection(&key.connection).await?, state);
        let record = work.record(key).await?;
        let mut record = record.ok_or_else(|| EngineError::NoRecord(key.clone()))?;
        if record.status == Status::InDoubt && pressed.id == "ask-books" {
            return Ok(
                "Its lost answer is not asked for any more; the books are searched for it, and \
                       it is sent again only if it is not there."
                    .to_owned(),
            );
        }
        work.propose_all(&mut record).await?;
        Ok(match deed(&record, pressed)? {
            Deed::Amend(values) => {
                let told = values.iter().map(|(pointer, to)| {
                    let before = record.data.pointer(pointer).map(shown).unwrap_or_default();
                    becomes(pointer.trim_start_matches('/'), &before, &shown(to))
                });
                told.collect::<Vec<_>>().join("; ")
            }
            Deed::Insist => "It is sent although QuickBooks may have it already.".to_owned(),
            Deed::NotThere => AGAIN.to_owned(),
            Deed::Decide(action) => decided(&work, record, &action, pressed).await?,
            Deed::Ask(question, ..) => match *question {
                Question::Reactivate(Target { kind, name }) => format!(
                    "{kind} \u{201c}{name}\u{201d} is made active in QuickBooks; then everything that waits \
                     for it is sent."
                ),
                Question::Mend(what) => format!("{what} is made in QuickBooks; then it is sent."),
                _ => "It is deleted or voided in QuickBooks, unless somebody edited it since."
                    .to_owned(),
            },
        })
    }
}

/// What a decision that exists by itself would do.
async fn decided(
    work: &Work<'_>,
    mut record: Record,
    action: &Action,
    pressed: &Pressed,
) -> Result<String, EngineError> {
    let sentence = match action {
        Action::Link { id } => {
            let change = changes(&record);
            work.adopt(&mut record, id, "/listId").await?;
            let sent = if change { "what it has here is sent there" } else { "nothing is sent" };
            let other = otherwise_called(work, &record, id).await?;
            return Ok(format!("It is linked to {id}; {sent}, and no second one is made.{other}"));
        }
        Action::Bypass { reference: Some(id), .. } => {
            let other = otherwise_called(work, &record, id).await?;
            let done =
                format!("It is marked as done in QuickBooks, as {id}; nothing is sent.{other}");
            return Ok(done);
        }
        Action::Retry | Action::ResetReference if is_unknown(&record) => SEARCHED,
        Action::Retry if pressed.id == "keep-ours" => return Ok(ours(&record)),
        Action::Retry if pressed.id == "refresh-edit-sequence" => FETCHED,
        Action::ResetReference => ANEW,
        Action::Bypass { .. } => DONE,
        _ => SENT,
    };
    Ok(sentence.to_owned())
}

/// A remark if QuickBooks calls an object by a name that is not at all like the record's: it may be
/// another one.
async fn otherwise_called(
    work: &Work<'_>,
    record: &Record,
    id: &str,
) -> Result<String, EngineError> {
    let known = work.mirrored(id).await?;
    let Some((there, here)) = known.as_ref().map(|it| it.facts.name.as_str()).zip(record.name())
    else {
        return Ok(String::new());
    };
    let last = |name: &str| mirror::normal(name.rsplit(':').next().unwrap_or(name));
    let alike = strsim::normalized_damerau_levenshtein(&last(there), &last(here));
    if there.is_empty() || alike >= ALIKE {
        return Ok(known.as_ref().map(whose).unwrap_or_default());
    }
    Ok(format!(
        " QuickBooks calls it \u{201c}{there}\u{201d}, here it is \u{201c}{here}\u{201d}: look whether \
         it is the right one."
    ))
}

/// Whose a document is in QuickBooks: numbers alone are often equal.
fn whose(known: &Mirrored) -> String {
    let Facts { entity_name, amount, date, .. } = &known.facts;
    let (Some(date), Some(party)) = (date, entity_name) else { return String::new() };
    let amount = amount.as_ref().map(|amount| format!(" over {amount}")).unwrap_or_default();
    format!(" In QuickBooks it is of {date} for {party}{amount}.")
}

/// The fields of QuickBooks that ours go over.
fn ours(record: &Record) -> String {
    let facts = record.findings.first().map(|finding| &finding.facts);
    let told = facts.into_iter().flatten().filter_map(|(name, our)| {
        let field = name.strip_prefix("ours:")?;
        let their = facts?.get(&format!("theirs:{field}"))?;
        // What was taken from QuickBooks before goes with the opposite choice.
        let kept = |it: &&Amendment| it.fix == KEEP_THEIRS && it.pointer[1..] == *field;
        let before = record.amendments.iter().find(kept).map(|it| text(&it.from));
        Some(becomes(field, their, before.as_ref().unwrap_or(our)))
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { FETCHED.to_owned() } else { format!("In QuickBooks {}", told.join("; ")) }
}

/// A value in a few words: what is referred to by its name.
fn shown(value: &Value) -> String {
    let names = ["FullName", "ListID", "source"];
    match names.iter().find_map(|name| value.get(*name)) {
        Some(name) => text(name),
        None if value.is_null() => String::new(),
        None => text(value),
    }
}

fn becomes(field: &str, before: &str, after: &str) -> String {
    format!("{field}: \u{201c}{before}\u{201d} becomes \u{201c}{after}\u{201d}")
}
