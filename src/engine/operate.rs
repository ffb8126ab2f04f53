//! What people decide about records.

use tracing::instrument;

use crate::domain::ids::Digest;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Insisted;
use crate::domain::record::NumberCheck;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::conflict::CHANGED_IN_BOTH;
use crate::engine::fix;
use crate::engine::fix::Pressed;
use crate::engine::intake::is_unknown;
use crate::engine::mend;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::qbxml::schema::schema;
use crate::store::Change;

/// One decision about one record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Try again, whatever failed.
    Retry,
    /// It is in QuickBooks already, or must not go there.
    Bypass {
        /// Why, in the person's words.
        reason: String,
        /// ListID or TxnID of the object that is there, if known.
        reference: Option<String>,
    },
    /// Take the bypass back.
    Unbypass,
    /// A held record may go.
    Release,
    /// Forget where it stands in QuickBooks: it is made anew.
    ResetReference,
    /// It stands in QuickBooks under this ListID or TxnID.
    Link {
        /// The ListID or TxnID.
        id: String,
    },
    /// Apply a fix that the diagnosis offers.
    Fix(Pressed),
    /// Send other values than the application gave, for as long as it gives the same.
    Edit {
        /// The values, by pointer.
        values: Vec<(String, String)>,
        /// The data that they were typed over: [`Engine::version_of`].
        version: Digest,
    },
    /// The source application takes it back.
    Withdraw(Wanted),
}

impl Action {
    fn is_fix(&self, id: &str) -> bool {
        matches!(self, Self::Fix(pressed) if pressed.id == id)
    }

    /// What the activity says of it beside its name.
    fn detail(&self, record: &Record) -> String {
        let detail = match self {
            Self::Bypass { reason, .. } => reason.trim().to_owned(),
            Self::Link { id } => format!("to {}", id.trim()),
            Self::Edit { values, .. } => {
                let data = record.amended();
                let before =
                    |pointer: &str| data.pointer(pointer).map(fix::text).unwrap_or_default();
                let changed = values.iter().filter(|(pointer, to)| before(pointer) != *to);
                let changed = changed.map(|(pointer, to)| {
                    format!("{}: \u{201c}{to}\u{201d}", pointer.trim_start_matches('/'))
                });
                changed.collect::<Vec<_>>().join("; ")
            }
            Self::Fix(Pressed { value, object, .. }) => {
                let object = object.as_ref().map(|object| format!("with {object}"));
                value.clone().or(object).unwrap_or_default()
            }
            _ => String::new(),
        };
        detail.chars().take(MAX_DETAIL).collect()
    }
}

/// Longest detail of a line of the activity, in characters.
const MAX_DETAIL: usize = 1000;
/// Longest reason of a bypass, in characters.
const MAX_REASON: usize = 500;
/// Longest ListID or TxnID, in characters (OSR, `IDTYPE`).
const MAX_ID: usize = 36;

impl Engine {
    /// Does one decision; the record as it stands afterwards.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoRecord`]; [`EngineError::NotNow`] if QuickBooks may be executing it now, or
    /// if it makes no sense for its status; [`EngineError::BadInput`] for a bad reason or id.
    #[instrument(name = "act", skip_all, fields(record.key = %key))]
    pub async fn act(
        &self,
        key: &RecordKey,
        action: Action,
        actor: &Actor,
    ) -> Result<Record, EngineError> {
        let turn = self.turns.take([key]).await;
        let (record, set_free) = until_settled!(self.act_once(key, &action, actor))?;
        drop(turn);
        if set_free {
            self.wake(key).await?;
        }
        Ok(record)
    }

    async fn act_once(
        &self,
        key: &RecordKey,
        action: &Action,
        actor: &Actor,
    ) -> Result<(Record, bool), EngineError> {
        let connection = self.connection(&key.connection).await?;
        let state = self.state(&key.connection).await?;
        let mut work = Work::new(self, connection, state);
        let record = work.record(key).await?.ok_or_else(|| EngineError::NoRecord(key.clone()))?;
        if record.status == Status::InDoubt && action.is_fix("ask-books") {
            Box::pin(work.ask_books(&record)).await?;
            let verb = "asked the books about";
            work.changes(vec![self.note(&key.connection, actor, verb, &key.path())]);
            let record = work.record(key).await?;
            work.commit().await?;
            return record.map(|it| (it, false)).ok_or_else(|| EngineError::NoRecord(key.clone()));
        }
        if record.status.is_out() && !matches!(action, Action::Withdraw(_)) {
            return Err(EngineError::NotNow(format!(
                "{} is with QuickBooks now; decide once its answer is here",
                key.path()
            )));
        }
        let detail = action.detail(&record);
        let verb = Box::pin(self.decide(&mut work, record, action)).await?;
        let mut note = self.note(&key.connection, actor, verb, &key.path());
        if let Change::Note(line) = &mut note {
            line.detail = detail;
        }
        work.changes(vec![note]);
        let record = work.record(key).await?.ok_or_else(|| EngineError::NoRecord(key.clone()))?;
        work.commit_records().await?;
        // It may stand in QuickBooks and have a change that goes next.
        let free = matches!(record.status, Status::Synced | Status::Bypassed)
            || record.reference.is_some();
        Ok((record, free))
    }

    pub(crate) async fn decide(
        &self,
        work: &mut Work<'_>,
        mut record: Record,
        action: &Action,
    ) -> Result<&'static str, EngineError> {
        let now = self.now();
        if mend::is_decided(&record, action) {
            return Ok("decided again about");
        }
        work.remember_lost(&mut record).await?;
        let searches = is_unknown(&record) && record.status == Status::Failed;
        match action {
            Action::Retry | Action::ResetReference if searches => {
                work.search_again(record).await?;
                Ok("asked the books about")
            }
            Action::Retry => {
                only(&record, &[Status::Failed, Status::Queued, Status::Blocked], "tried again")?;
                let first = record.findings.first();
                record.refresh |= first.is_some_and(|it| it.code == Code::EditSequenceStale);
                let seen = first.is_some_and(|it| it.cause == CHANGED_IN_BOTH);
                record.overruled_at = seen.then_some(now).or(record.overruled_at);
                // What the mirror knows may be old; QuickBooks has the last word.
                record.insisted = record.insisted.max(Insisted::Retried);
                if record.findings.iter().any(|it| it.code == Code::DuplicateRefNumber) {
                    record.number = Some(NumberCheck { doubted: true, ..NumberCheck::default() });
                }
                work.place(record, "tried again").await?;
                Ok("retried")
            }
            Action::Bypass { reason, reference } => {
                may_be_bypassed(&record)?;
                check_reason(reason)?;
                if let Some(id) = reference {
                    work.adopt(&mut record, id, "/reference").await?;
                }
                record.bypass_reason = Some(reason.trim().to_owned());
                record.asked = None;
                record.insisted = Insisted::Nothing;
                record.blocked_by.clear();
                record.due = None;
                record.become_status(Status::Bypassed, now, reason.trim());
                work.put_record(record);
                Ok("bypassed")
            }
            Action::Unbypass => {
                only(&record, &[Status::Bypassed], "taken out of the bypass")?;
                record.bypass_reason = None;
                // Where it never stood by our own doing, only the bypass said that it is there.
                record.reference = record.reference.filter(|_| record.synced_at.is_some());
                if let Some(reference) = &mut record.reference
                    && record.former.as_ref().is_some_and(|stood| *stood != reference.id)
                {
                    let id = record.former.take().unwrap_or_default();
                    *reference = Reference { id, ..Reference::default() };
                }
                work.place(record, "no longer bypassed").await?;
                Ok("took the bypass back of")
            }
            Action::Release => {
                only(&record, &[Status::Held], "released")?;
                record.posted = true;
                work.place(record, "released").await?;
                Ok("released")
            }
            Action::ResetReference => {
                let able = [Status::Synced, Status::Failed, Status::Queued, Status::Blocked];
                only(&record, &able, "made anew")?;
                if work.is_to_be_undone(&record).await? {
                    let path = record.key.path();
                    let why = format!(
                        "QuickBooks is asked about {path} already; its next answer decides"
                    );
                    return Err(EngineError::NotNow(why));
                }
                if record.is_nowhere() {
                    let path = record.key.path();
                    let why = format!("{path} has no id in QuickBooks that could be reset");
                    return Err(EngineError::NotNow(why));
                }
                // QuickBooks is asked first, so that nothing is made twice: a backup may have brought
                // back what was known to be gone. Only what was never an id is not asked for.
                // Where it stood by our own doing goes before what a person said since.
                let linked = record.reference.take().map(|reference| reference.id);
                let stood = record.take_former().or(linked).filter(|id| !id.is_empty());
                record.former =
                    stood.filter(|id| !record.findings.iter().any(|it| was_never(it, id)));
                record.insisted = Insisted::Nothing;
                record.sent = None;
                record.refresh = false;
                record.synced_at = None;
                work.place(record, "its QuickBooks id was reset").await?;
                Ok("reset the QuickBooks id of")
            }
            Action::Link { id } => {
                // It would be taken out instead of what is known to be the record's.
                let goes = record.wanted != Wanted::Present && record.reference.is_some();
                if record.status == Status::Withdrawn || goes {
                    let path = record.key.path();
                    let why = format!("{path} was taken back; put it again, then link it");
                    return Err(EngineError::NotNow(why));
                }
                work.link(record, id).await?;
                Ok("linked")
            }
            Action::Fix(pressed) => work.press(record, pressed).await,
            Action::Edit { values, version } => {
                only(&record, &[Status::Failed], "edited")?;
                if *version != Self::version_of(&record) {
                    return Err(EngineError::NotNow(format!(
                        "the data of {} changed while it was edited",
                        record.key.path()
                    )));
                }
                work.edit(record, values).await?;
                Ok("edited")
            }
            Action::Withdraw(wanted) => {
                withdraw(work, record, *wanted, now).await?;
                Ok("withdrew")
            }
        }
    }

    /// What tells whether the data of a record is still what a person saw.
    pub fn version_of(record: &Record) -> Digest {
        Digest::of(record.amended().to_string().as_bytes())
    }
}

impl Work<'_> {
    /// Believes a person about where a record stands. Two records cannot stand at one place.
    pub(crate) async fn adopt(
        &self,
        record: &mut Record,
        id: &str,
        pointer: &str,
    ) -> Result<(), EngineError> {
        let id = id.trim();
        let length = id.chars().count();
        if length == 0 || length > MAX_ID || !id.chars().all(|c| c.is_ascii_graphic()) {
            return Err(EngineError::BadInput {
                pointer: pointer.to_owned(),
                why: format!("a ListID or TxnID has 1 to {MAX_ID} letters, digits and '-'"),
            });
        }
        let known = self.mirrored(id).await?;
        if let Some(known) = known.filter(|known| known.facts.kind != record.key.kind) {
            return Err(EngineError::BadInput {
                pointer: pointer.to_owned(),
                why: format!(
                    "{id} is a {} in QuickBooks, not a {}",
                    known.facts.kind, record.key.kind
                ),
            });
        }
        let other = self.record_at(id).await?;
        if let Some(other) = other.filter(|other| *other != record.key) {
            return Err(EngineError::NotNow(format!(
                "{} is linked to {id} already; two records cannot share one QuickBooks object",
                other.path()
            )));
        }
        // A mistyped id must not make it forget where it stood: it would be made a second time.
        let stood = record.reference.take().map(|reference| reference.id);
        let stood = stood.filter(|stood| !record.findings.iter().any(|it| is_gone(it, stood)));
        record.former = record.take_former().or(stood).filter(|stood| stood != id);
        if planted(Plant::LinkForgets) {
            (record.former, record.lost) = (None, None);
        }
        record.reference = Some(Reference { id: id.to_owned(), ..Reference::default() });
        Ok(())
    }
}

/// Why a record is bypassed is for others to read.
pub(crate) fn check_reason(reason: &str) -> Result<(), EngineError> {
    let length = reason.trim().chars().count();
    if (1..=MAX_REASON).contains(&length) {
        return Ok(());
    }
    Err(EngineError::BadInput {
        pointer: "/reason".to_owned(),
        why: format!("a reason has 1 to {MAX_REASON} characters, not {length}"),
    })
}

/// What is on its way, or done, is not marked as done by a person.
pub(super) fn may_be_bypassed(record: &Record) -> Result<(), EngineError> {
    let able = [Status::Failed, Status::Queued, Status::Blocked, Status::Held];
    only(record, &able, "bypassed")
}

fn only(record: &Record, able: &[Status], what: &str) -> Result<(), EngineError> {
    if able.contains(&record.status) {
        return Ok(());
    }
    let path = record.key.path();
    Err(EngineError::NotNow(format!("{path} is {}; it cannot be {what}", record.status)))
}

async fn withdraw(
    work: &mut Work<'_>,
    mut record: Record,
    wanted: Wanted,
    now: jiff::Timestamp,
) -> Result<(), EngineError> {
    let kind = schema().kind(&record.key.kind);
    let able = match wanted {
        Wanted::Voided => kind.is_some_and(|kind| kind.void_type.is_some()),
        Wanted::Deleted => kind.is_some_and(|kind| kind.delete_type.is_some()),
        Wanted::Present | Wanted::Withdrawn => true,
    };
    if !able {
        return Err(EngineError::BadInput {
            pointer: "quickbooks".to_owned(),
            why: format!("QuickBooks cannot do that to a {}", record.key.kind),
        });
    }
    let done = record.status == Status::Withdrawn && record.wanted == wanted;
    record.wanted = wanted;
    record.unedited_in = None;
    record.updated_at = now;
    if record.status.is_out() || (done && wanted == Wanted::Voided) {
        work.put_record(record);
        return Ok(());
    }
    work.place(record, "to be taken out of QuickBooks").await
}

/// Whether a finding shows that this is no id of QuickBooks: nothing can be asked about it.
fn was_never(finding: &Finding, id: &String) -> bool {
    finding.cause == "invalid_object_id" && is_gone(finding, id)
}

/// Whether a finding shows that nothing is under this id any more.
fn is_gone(finding: &Finding, id: &String) -> bool {
    let shown = ["deleted", "deleted_or_merged", "invalid_object_id"];
    finding.code == Code::ObjectNotFound
        && shown.contains(&finding.cause.as_str())
        && finding.facts.get("value") == Some(id)
}
