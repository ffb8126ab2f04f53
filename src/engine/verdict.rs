//! What one answer makes of one record.
//!
//! Nothing is assumed: a request without an answer of its own, or an Add that says it succeeded
//! without an id, is `OUTCOME_UNKNOWN`, and is not sent again by itself.

use crate::diagnosis;
use crate::domain::backoff;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Purpose;
use crate::domain::mirror;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Insisted;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::references;
use crate::engine::waiting;
use crate::engine::work::Work;

use crate::qbxml::build::Resolved;
use crate::qbxml::classify;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::schema;

impl Work<'_> {
    pub(crate) async fn settle_record(
        &mut self,
        record: Record,
        item: &Item,
        answer: Option<&Answer>,
        message_set: &MessageSet,
    ) -> Result<(), EngineError> {
        if item.purpose == Purpose::Number {
            return Box::pin(self.number_told(record, item, answer)).await;
        }
        let Some(answer) = answer else {
            let why = "QuickBooks answered the others, but not this one";
            return self.unknown(record, item, message_set, why).await;
        };
        let session = message_set.session;
        let request_type = request_type(&record.key.kind, item.purpose);
        let class = classify::status_of(&answer.said, &request_type, &record.amended());
        let accepted = matches!(class.disposition, Disposition::Done | Disposition::Warned)
            || (answer.ret().is_some() && answer.said.status_code.is_none_or(|code| code < 1000));
        match (item.purpose, accepted) {
            (Purpose::Add | Purpose::Mod, true) => {
                let remark =
                    (class.disposition == Disposition::Warned).then(|| class.finding(&answer.said));
                self.accept(record, item, answer.ret(), remark, message_set).await
            }
            (Purpose::Refresh, true) => self.refreshed(record, answer, message_set, item).await,
            (Purpose::Refresh, false) if class.disposition == Disposition::Empty => {
                self.not_there(record, answer, session).await
            }
            (Purpose::Delete | Purpose::Void, true) => {
                self.gone(record, item.purpose, session).await
            }
            // It is not there any more: that is what was wanted.
            (Purpose::Delete, false) if class.cause == "object_not_found" => {
                self.gone(record, item.purpose, session).await
            }
            (Purpose::Raw | Purpose::Number, _) => Ok(()),
            (_, false) => {
                let finding = self.locate(class.finding(&answer.said), &record).await?;
                let key = record.key.clone();
                self.refuse(record, item.purpose, class.disposition, finding.clone()).await?;
                self.follow_up(&key, &finding).await
            }
        }
    }

    /// Points at the member of the record that QuickBooks means: by its name, or by the value that
    /// is quoted. Where people know a name and QuickBooks says an id, the name is told.
    async fn locate(
        &mut self,
        mut finding: Finding,
        record: &Record,
    ) -> Result<Finding, EngineError> {
        if finding.pointer.is_empty()
            && let Some(field) = finding.facts.get("field")
            && record.data.get(field).is_some()
        {
            finding.pointer = format!("/data/{field}");
        }
        let Some(value) = finding.facts.get("value").filter(|value| !value.is_empty()) else {
            return Ok(finding);
        };
        let own = record.reference.as_ref().map(|reference| &reference.id);
        if finding.code == Code::ObjectNotFound
            && finding.cause == "object_not_found"
            && own != Some(value)
        {
            "refers_to_gone".clone_into(&mut finding.cause);
        }
        if finding.pointer.is_empty() {
            let places = self.places(record).await?;
            let named = references::of(&record.key.kind, &record.amended(), &places);
            let said = mirror::normal(value);
            let meant = named.into_iter().find(|named| match &named.place {
                Resolved::Id(id) => id == value,
                Resolved::FullName(name) => mirror::normal(name) == said,
            });
            finding.pointer = meant.map(|named| named.pointer).unwrap_or_default();
        }
        if finding.code == Code::RecordLocked
            && let Some(known) = self.mirrored(value).await?
        {
            finding.facts.insert("value".to_owned(), known.facts.name);
        }
        Ok(finding)
    }

    /// It stands in QuickBooks.
    async fn accept(
        &mut self,
        mut record: Record,
        item: &Item,
        ret: Option<&Ret>,
        remark: Option<Finding>,
        message_set: &MessageSet,
    ) -> Result<(), EngineError> {
        let id = ret.and_then(|ret| ret.txn_id.clone().or_else(|| ret.list_id.clone()));
        let before = record.reference.as_ref();
        let made = item.purpose == Purpose::Add || before.is_some_and(|reference| reference.made);
        let id = id.or_else(|| before.map(|reference| reference.id.clone()));
        let Some(id) = id else {
            let why = "QuickBooks reported success, but gave no id";
            return self.unknown(record, item, message_set, why).await;
        };
        let moves = before.is_none_or(|reference| reference.id != id);
        let other = self.record_at(&id).await?.filter(|it| moves && it.kind == record.key.kind);
        if let Some(other) = other.filter(|other| *other != record.key) {
            let made = item.purpose == Purpose::Add && self.yields(&other, &record, &id).await?;
            if !made {
                let why =
                    format!("QuickBooks answered with {id}, at which {} stands", other.path());
                return self
                    .fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why))
                    .await;
            }
        }
        let remark = match remark {
            None => self.number_remark(&record).await?,
            remark => remark,
        };
        let now = self.engine.now();
        let empty = Vec::new();
        let line_ids = ret.map_or(&empty, |ret| &ret.line_ids);
        let lines = item.lines.iter().zip(line_ids);
        let lines = lines.filter_map(|(source, id)| Some((source.clone()?, id.clone()))).collect();
        let label = ret.and_then(|ret| ret.ref_number.clone().or_else(|| ret.full_name.clone()));
        record.reference = Some(Reference {
            id,
            edit_sequence: ret.and_then(|ret| ret.edit_sequence.clone()),
            lines,
            label: label.unwrap_or_default(),
            made,
        });
        record.refresh = false;
        record.forget_former();
        record.lost = None;
        record.asked = None;
        record.alone = false;
        record.tries = 0;
        record.due = None;
        record.insisted = Insisted::Nothing;
        record.overruled_at = None;
        record.synced_at = Some(now);
        record.findings = remark.into_iter().collect();
        let note = if item.purpose == Purpose::Add { "made in QuickBooks" } else { "changed" };
        record.become_status(Status::Synced, now, note);
        self.settled.push(record.key.clone());
        self.took(&record).await?;
        self.go_on(record).await
    }

    /// QuickBooks made an object for a record while another was linked to it: it is not the other's.
    /// False if that one cannot yield, because QuickBooks made it too, or has it now.
    async fn yields(
        &mut self,
        other: &RecordKey,
        owner: &Record,
        id: &str,
    ) -> Result<bool, EngineError> {
        let Some(mut other) = self.record(other).await? else { return Ok(true) };
        let made = other.reference.as_ref().is_some_and(|reference| reference.made);
        if made || other.status.is_out() {
            return Ok(false);
        }
        other.reference = None;
        other.refresh = false;
        if matches!(other.status, Status::Bypassed | Status::Withdrawn) {
            self.put_record(other);
            return Ok(true);
        }
        let finding = Finding::new(Code::PossibleDuplicate).cause("made_for_another");
        let finding = finding.fact("value", id).fact("record", owner.key.path());
        self.keep_back(other, vec![finding], "it was linked to what is another's").await?;
        Ok(true)
    }

    /// What the application wanted while the record was out comes next.
    pub(crate) async fn go_on(&mut self, mut record: Record) -> Result<(), EngineError> {
        let now = self.engine.now();
        match record.wanted {
            Wanted::Present if record.changed_since_sent() && !planted(Plant::ForgetChanged) => {
                self.place(record, "changed").await
            }
            Wanted::Present => {
                self.put_record(record);
                Ok(())
            }
            Wanted::Withdrawn => {
                record.become_status(Status::Withdrawn, now, "taken back");
                self.put_record(record);
                Ok(())
            }
            Wanted::Deleted | Wanted::Voided => {
                record.sequence = 0;
                record.become_status(Status::Queued, now, "to be taken out of QuickBooks");
                self.put_record(record);
                Ok(())
            }
        }
    }

    /// QuickBooks told the edit sequence.
    async fn refreshed(
        &mut self,
        mut record: Record,
        answer: &Answer,
        message_set: &MessageSet,
        item: &Item,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        let ret = match answer.ret() {
            Some(ret) if record.reference.is_none() => return self.still_there(record, ret).await,
            Some(ret) => ret,
            None => return self.not_there(record, answer, message_set.session).await,
        };
        record.forget_former();
        if let Some(reference) = &mut record.reference {
            reference.edit_sequence.clone_from(&ret.edit_sequence);
            reference.lines.retain(|_, id| ret.line_ids.contains(id));
            if let Some(label) = ret.ref_number.as_ref().or(ret.full_name.as_ref()) {
                reference.label.clone_from(label);
            }
        }
        record.refresh = false;
        if record.wanted != Wanted::Present {
            self.again(record, "to be taken out of QuickBooks");
            return Ok(());
        }
        let ours = record.sent.is_some() && record.overruled_at.is_none();
        if ours
            && let Some(conflict) =
                Box::pin(self.changed_in_both(&record, message_set, item)).await?
        {
            return self.fail(record, conflict).await;
        }
        record.become_status(Status::Queued, now, "QuickBooks told its present state");
        self.put_record(record);
        Ok(())
    }

    /// A record whose request was not done, or need not be known to be, goes again; or it is
    /// `withdrawn`, where the application took it back and nothing is left to be done.
    pub(crate) fn again(&mut self, mut record: Record, note: &str) {
        let now = self.engine.now();
        if record.is_over() {
            record.asked = None;
            record.due = None;
            record.findings.clear();
            record.become_status(Status::Withdrawn, now, "taken back");
        } else {
            record.become_status(Status::Queued, now, note);
        }
        self.put_record(record);
    }

    /// QuickBooks refused what is not wanted any more: what is wanted now comes next.
    async fn overtaken(&mut self, mut record: Record) -> Result<(), EngineError> {
        if record.wanted != Wanted::Present {
            record.sequence = 0;
            record.findings.clear();
            self.again(record, "to be taken out of QuickBooks");
            return Ok(());
        }
        let kind = schema().kind(&record.key.kind);
        if kind.is_some_and(|kind| kind.modify.is_none()) && record.sent == Some(record.digest) {
            record.findings.clear();
            record.become_status(Status::Synced, self.engine.now(), "stays in QuickBooks");
            self.settled.push(record.key.clone());
            self.put_record(record);
            return Ok(());
        }
        self.place(record, "stays in QuickBooks").await
    }

    /// A request of a record failed: a person or a fix is needed, unless it is not wanted any more.
    pub(crate) async fn fail_of(
        &mut self,
        record: Record,
        purpose: Purpose,
        finding: Finding,
    ) -> Result<(), EngineError> {
        if purpose == Purpose::Number {
            return Box::pin(self.number_unasked(record)).await;
        }
        if is_wanted(&record, purpose) {
            self.fail(record, finding).await
        } else {
            self.overtaken(record).await
        }
    }

    /// QuickBooks refused one request.
    pub(super) async fn refuse(
        &mut self,
        mut record: Record,
        purpose: Purpose,
        disposition: Disposition,
        finding: Finding,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        if disposition == Disposition::Admin && finding.code == Code::PermissionDenied {
            record.findings = vec![finding.clone()];
            self.alert(finding);
            self.again(record, "QuickBooks denies access to everything");
            return Ok(());
        }
        if !is_wanted(&record, purpose) {
            return self.overtaken(record).await;
        }
        if finding.cause == waiting::SINGLE_USER {
            return Box::pin(self.hold_kind(record, purpose, finding)).await;
        }
        let heals =
            matches!(disposition, Disposition::Retry | Disposition::Refresh | Disposition::Requeue);
        let wait = backoff::after(finding.code, &finding.cause, record.tries).filter(|_| heals);
        let Some(wait) = wait else {
            let undone = record.unedited_in.is_some();
            return if undone && matches!(purpose, Purpose::Delete | Purpose::Void) {
                self.not_undone(record, finding).await
            } else {
                self.fail(record, finding).await
            };
        };
        record.tries += 1;
        record.refresh |= disposition == Disposition::Refresh;
        record.due = (!wait.is_zero()).then(|| now + wait);
        let note = format!("{}; tried again by itself", diagnosis::render(&finding).title);
        record.findings = vec![finding];
        self.again(record, &note);
        Ok(())
    }

    /// A person or a fix is needed, unless the application changed it meanwhile.
    pub(crate) async fn fail(
        &mut self,
        mut record: Record,
        mut finding: Finding,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        self.propose(&record, &mut finding).await?;
        let unknown = finding.code == Code::OutcomeUnknown;
        let note = diagnosis::render(&finding).title;
        record.findings = vec![finding];
        record.due = None;
        record.become_status(Status::Failed, now, &note);
        if record.changed_since_sent() && !unknown && record.wanted == Wanted::Present {
            return self.place(record, "changed since").await;
        }
        if record.is_over() {
            self.again(record, &note);
        } else {
            self.put_record(record);
        }
        Ok(())
    }
}

/// Whether what a request does is still what the application wants. Where a record stood before is
/// asked for whatever is wanted.
fn is_wanted(record: &Record, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Delete => record.wanted == Wanted::Deleted,
        Purpose::Void => record.wanted == Wanted::Voided,
        Purpose::Refresh if record.reference.is_none() => true,
        Purpose::Add | Purpose::Mod | Purpose::Refresh | Purpose::Number | Purpose::Raw => {
            record.wanted == Wanted::Present
        }
    }
}

/// The request type of a purpose, for the classifier.
pub(crate) fn request_type(kind: &str, purpose: Purpose) -> String {
    match purpose {
        Purpose::Add => format!("{kind}AddRq"),
        Purpose::Mod => format!("{kind}ModRq"),
        Purpose::Refresh | Purpose::Number => format!("{kind}QueryRq"),
        Purpose::Delete => "TxnDelRq".to_owned(),
        Purpose::Void => "TxnVoidRq".to_owned(),
        Purpose::Raw => String::new(),
    }
}
