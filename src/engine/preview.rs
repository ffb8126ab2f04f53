//! What a fix would do, said before it is pressed: the same deed, put into a sentence and not done.

use serde_json::Value;

use crate::diagnosis::ACCOUNT_TYPE;
use crate::diagnosis::BY_ID;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Facts;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Amendment;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::Question;
use crate::domain::request::Target;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Pressed;
use crate::engine::compose;
use crate::engine::fix::Deed;
use crate::engine::fix::FIXES;
use crate::engine::fix::KEEP_THEIRS;
use crate::engine::fix::deed;
use crate::engine::fix::text;
use crate::engine::follow_up::changes;
use crate::engine::follow_up::is_id;
use crate::engine::intake::is_unknown;
use crate::engine::known::MAX_SAME;
use crate::engine::known::Places;
use crate::engine::mend::waits_for_its_time;
use crate::engine::propose;
use crate::engine::references;
use crate::engine::work::Work;
use crate::qbxml::build::Resolved;
use crate::qbxml::check;
use crate::qbxml::lists;
use crate::store::StoreError;

/// Names that have less in common than this are quite different.
const ALIKE: f64 = 0.5;

const SEARCHED: &str = "QuickBooks' books are searched for it at the next session, and it is sent again \
                        only if it is not there.";
const SENT: &str = "It is sent again at the next session, as it is.";
const FETCHED: &str = "The newest version is fetched from QuickBooks at the next session; then what your \
                       application says is written to it.";
const ANEW: &str = "Where it stands in QuickBooks is forgotten, and it is made anew there. \
                    QuickBooks is asked first whether it is still there.";
const PRESSED: &str = "It was pressed already, and is on its way or done; nothing more is done.";
const DONE: &str = "It is marked as done in QuickBooks; nothing is sent, and it can be taken back.";
const AGAIN: &str = "It is sent again, because a person says that QuickBooks does not have it. If it does \
                     after all, it stands there twice then.";

/// Whether a fix is of use to a record as it stands: what a person does, always; what Bookbridge does
/// where a record is synced, and has a remark, only if it can be pressed.
pub fn is_of_use(record: &Record, id: &str) -> bool {
    let pressed = Pressed { id: id.to_owned(), ..Pressed::default() };
    let refused = || matches!(deed(record, &pressed), Err(EngineError::NotNow(_)));
    match record.status {
        Status::Synced => !FIXES.contains(&id) || !refused(),
        // A person decided: what stood against it does not matter any more.
        Status::Bypassed | Status::Withdrawn => false,
        _ => true,
    }
}

/// Whether a fix can be pressed for a record as it stands.
pub fn is_pressable(record: &Record, id: &str) -> bool {
    FIXES.contains(&id)
        && match record.status {
            Status::Failed => id != "wait",
            Status::InDoubt => id == "ask-books",
            Status::Queued => id == "retry" && waits_for_its_time(record),
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
        if work.is_pressed(&record, pressed).await? {
            return Ok(PRESSED.to_owned());
        }
        work.propose_all(&mut record).await?;
        Ok(match work.deed_of(&record, pressed).await? {
            Deed::Amend(values) => {
                let data = record.amended();
                let told = values.iter().map(|(pointer, to)| {
                    let before = data.pointer(pointer).map(shown).unwrap_or_default();
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

impl Work<'_> {
    /// Works out again what fixes would do: what was free may be taken by now.
    pub(super) async fn propose_all(&self, record: &mut Record) -> Result<(), EngineError> {
        let mut findings = std::mem::take(&mut record.findings);
        for finding in &mut findings {
            self.propose(record, finding).await?;
        }
        record.findings = findings;
        Ok(())
    }

    /// Adds to a finding what its fixes would do.
    pub(crate) async fn propose(
        &self,
        record: &Record,
        finding: &mut Finding,
    ) -> Result<(), EngineError> {
        let kind = record.key.kind.as_str();
        let edition = compose::target(self.state.host.as_ref()).edition;
        let value = finding.facts.get("value").cloned().unwrap_or_default();
        let mut fact = |name: &str, value: String| {
            finding.facts.insert(name.to_owned(), value);
        };
        match finding.code {
            Code::LinkedOrInUse => {
                // QuickBooks calls it by its id, which nobody knows.
                let called = record.reference.as_ref().filter(|it| it.id == value);
                if let Some(called) = called.filter(|it| !it.label.is_empty()) {
                    fact("value", called.label.clone());
                }
            }
            Code::NameInUse | Code::MergeRefused => {
                if let Some(name) = record.name() {
                    let limit = check::limit(kind, "Name", edition);
                    let tries = propose::renamed(name, limit);
                    if let Some(free) = self.first_free(kind, tries).await? {
                        fact("renamed", free);
                    }
                }
            }
            Code::DuplicateRefNumber => {
                let limit = check::limit(kind, "RefNumber", edition);
                let tries = propose::suffixed(&value, limit);
                if let Some(free) = self.first_free(kind, tries).await? {
                    fact("suffixed", free);
                }
            }
            Code::StringTooLong => {
                let data = record.amended();
                let whole = data.pointer(finding.pointer.trim_start_matches("/data"));
                let whole = whole.and_then(Value::as_str).map(str::to_owned).unwrap_or(value);
                let limit = finding.facts.get("limit").and_then(|it| it.parse().ok());
                let limit = limit.or_else(|| propose::limit_at(kind, &finding.pointer, edition));
                if let Some(limit) = limit {
                    let mut tries = propose::shortened(&whole, limit);
                    let unique =
                        matches!(finding.pointer.as_str(), "/data/Name" | "/data/RefNumber");
                    let first =
                        if unique { self.first_free(kind, tries).await? } else { tries.next() };
                    if let Some(shortened) = first {
                        finding.facts.insert("shortened".to_owned(), shortened);
                    }
                }
            }
            Code::InvalidCharacters => {
                let data = record.amended();
                let whole = data.pointer(finding.pointer.trim_start_matches("/data"));
                if let Some(plain) = whole.and_then(Value::as_str).and_then(propose::replaced) {
                    finding.facts.insert("replaced".to_owned(), plain);
                }
            }
            Code::ClosedPeriod => {
                let known = finding.facts.get("closingDate").cloned();
                let host = self.state.host.as_ref();
                let closing = known.or_else(|| host.and_then(|host| host.closing_date.clone()));
                let day =
                    record.amended().get("TxnDate").and_then(Value::as_str).map(str::to_owned);
                let is_open = day.as_deref().zip(closing.as_deref()).is_some_and(|(a, b)| a > b);
                if record.reference.is_some() && (is_open || record.wanted != Wanted::Present) {
                    // Another date does not help: it is the one there that is closed.
                    "closed_there".clone_into(&mut finding.cause);
                }
                if let Some(first) = closing.as_deref().and_then(propose::day_after) {
                    finding.facts.insert("firstOpenDay".to_owned(), first);
                }
            }
            Code::ReferenceNotFound => {
                let called = finding.facts.get("kind").cloned().unwrap_or_default();
                let made = lists::account_made(kind, &finding.pointer, &called);
                if let Some(of_type) = made.filter(|_| called.ends_with("Account")) {
                    finding.facts.insert(ACCOUNT_TYPE.to_owned(), of_type.to_owned());
                }
                // One of the same name would not be what an id names.
                let data = record.amended();
                let place = data.pointer(finding.pointer.trim_start_matches("/data"));
                let place = place.filter(|_| !finding.pointer.is_empty());
                let by_name = place.map_or(!is_id(&value), |place| {
                    let place = references::place(place, &Places::new());
                    matches!(place, Some(Resolved::FullName(_)))
                });
                if !by_name {
                    finding.facts.insert(BY_ID.to_owned(), "true".to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The first of these names that nothing in QuickBooks and no record of ours has.
    pub(crate) async fn first_free(
        &self,
        kind: &str,
        tries: impl Iterator<Item = String>,
    ) -> Result<Option<String>, StoreError> {
        let (store, connection) = (&self.engine.store, &self.connection.id);
        let space = mirror::space(kind);
        for name in tries.take(propose::MAX_TRIES) {
            let normal = mirror::normal(&name);
            let find = crate::store::Find::Named(space.to_owned(), normal.clone());
            // What this step changes is not in the store yet.
            let taken = |it: &Record| {
                let same = |name| mirror::normal(name) == normal;
                mirror::space(&it.key.kind) == space && it.name().is_some_and(same)
            };
            if !self.records_here().any(taken)
                && self.mirror_find(&find, MAX_SAME).await?.is_empty()
                && store.records_named(connection, space, &normal, 1).await?.is_empty()
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
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
            let change = changes(&record, id);
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
