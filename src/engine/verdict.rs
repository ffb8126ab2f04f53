//! What one answer makes of one record.
//!
//! Nothing is assumed: a request without an answer of its own, or an Add that says it succeeded
//! without an id, is `OUTCOME_UNKNOWN`, and is not sent again by itself.

use crate::diagnosis;
use crate::domain::backoff;
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
use crate::engine::follow_up;
use crate::engine::references;
use crate::engine::work::Work;

use crate::qbxml::build::Resolved;
use crate::qbxml::classify;
use crate::qbxml::response::Ret;

impl Work<'_> {
    pub(crate) async fn settle_record(
        &mut self,
        record: Record,
        item: &Item,
        answer: Option<&Answer>,
        message_set: &MessageSet,
    ) -> Result<(), EngineError> {
        let Some(answer) = answer else {
            let why = "QuickBooks answered the others, but not this one";
            return self.unknown(record, item, message_set, why).await;
        };
        let request_type = request_type(&record.key.kind, item.purpose);
        let class = classify::status(&answer.said, &request_type);
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
                if record.reference.is_none() {
                    return self.former_gone(record).await;
                }
                self.not_there(record, answer).await
            }
            (Purpose::Delete | Purpose::Void, true) => self.gone(record).await,
            // It is not there any more: that is what was wanted.
            (Purpose::Delete, false) if class.cause == "object_not_found" => {
                self.gone(record).await
            }
            (Purpose::Raw, _) => Ok(()),
            (_, false) => {
                let finding = self.locate(class.finding(&answer.said), &record).await?;
                let key = record.key.clone();
                self.refuse(record, class.disposition, finding.clone()).await?;
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
            && let Some(known) = self.engine.store.mirrored(&self.connection.id, value).await?
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
        let remark = match remark {
            None if item.purpose == Purpose::Add => self.number_remark(&record).await?,
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
        record.former = None;
        record.alone = false;
        record.tries = 0;
        record.due = None;
        record.insisted = Insisted::Nothing;
        record.synced_at = Some(now);
        record.findings = remark.into_iter().collect();
        let note = if item.purpose == Purpose::Add { "made in QuickBooks" } else { "changed" };
        record.become_status(Status::Synced, now, note);
        self.settled.push(record.key.clone());
        self.go_on(record).await
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
            None if record.reference.is_none() => return self.former_gone(record).await,
            None => return self.not_there(record, answer).await,
        };
        if let Some(reference) = &mut record.reference {
            reference.edit_sequence.clone_from(&ret.edit_sequence);
            reference.lines.retain(|_, id| ret.line_ids.contains(id));
            if let Some(label) = ret.ref_number.as_ref().or(ret.full_name.as_ref()) {
                reference.label.clone_from(label);
            }
        }
        record.refresh = false;
        let stale = record.findings.first().is_some_and(|it| it.code == Code::EditSequenceStale);
        if stale
            && record.insisted == Insisted::Nothing
            && let Some(conflict) = self.changed_in_both(&record, message_set, item).await?
        {
            return self.fail(record, conflict).await;
        }
        record.become_status(Status::Queued, now, "QuickBooks told its present state");
        self.put_record(record);
        Ok(())
    }

    /// What is to be changed is not there: QuickBooks is asked what became of it.
    async fn not_there(&mut self, record: Record, answer: &Answer) -> Result<(), EngineError> {
        let id = record.reference.as_ref().map(|it| it.id.clone()).unwrap_or_default();
        let finding = Finding::new(Code::ObjectNotFound).fact("value", id);
        let finding = finding.fact("kind", &record.key.kind).said(answer.said.clone());
        let key = record.key.clone();
        self.fail(record, finding.clone()).await?;
        self.follow_up(&key, &finding).await
    }

    /// Where the record stood before its id was reset there is nothing: it is made anew.
    async fn former_gone(&mut self, mut record: Record) -> Result<(), EngineError> {
        if let Some(id) = record.former.take() {
            self.mirror_gone(&record.key, &id).await?;
        }
        self.place(record, "the one before is gone from QuickBooks").await
    }

    /// The record's id was reset, but what it named is there: one more would be one too many.
    async fn still_there(&mut self, record: Record, ret: &Ret) -> Result<(), EngineError> {
        let finding = Finding::new(Code::PossibleDuplicate).cause("still_there");
        let candidate = follow_up::candidate(ret);
        let name = candidate.as_ref().map(|it| it.name.clone()).unwrap_or_default();
        let mut finding = finding.fact("kind", &record.key.kind).fact("value", name);
        if let Some((other, party)) = self.moved(&record, ret).await? {
            finding = finding.fact("other", other).fact("customer", party);
        }
        finding.candidates.extend(candidate);
        self.fail(record, finding).await
    }

    /// It is out of QuickBooks.
    async fn gone(&mut self, mut record: Record) -> Result<(), EngineError> {
        let now = self.engine.now();
        if record.wanted == Wanted::Deleted
            && let Some(reference) = record.reference.take()
        {
            self.mirror_gone(&record.key, &reference.id).await?;
        }
        record.findings.clear();
        record.become_status(Status::Withdrawn, now, "taken out of QuickBooks");
        self.put_record(record);
        Ok(())
    }

    /// QuickBooks refused one request.
    async fn refuse(
        &mut self,
        mut record: Record,
        disposition: Disposition,
        finding: Finding,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        if disposition == Disposition::Admin && finding.code == Code::PermissionDenied {
            record.findings = vec![finding.clone()];
            self.alert(finding);
            record.become_status(Status::Queued, now, "QuickBooks denies access to everything");
            self.put_record(record);
            return Ok(());
        }
        let heals =
            matches!(disposition, Disposition::Retry | Disposition::Refresh | Disposition::Requeue);
        let wait = backoff::after(finding.code, &finding.cause, record.tries).filter(|_| heals);
        let Some(wait) = wait else { return self.fail(record, finding).await };
        record.tries += 1;
        record.refresh |= disposition == Disposition::Refresh;
        record.due = (!wait.is_zero()).then(|| now + wait);
        let note = format!("{}; tried again by itself", diagnosis::render(&finding).title);
        record.findings = vec![finding];
        record.become_status(Status::Queued, now, &note);
        self.put_record(record);
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
        let never_there = record.reference.is_none() && record.wanted != Wanted::Present;
        if !unknown && (never_there || record.wanted == Wanted::Withdrawn) {
            record.become_status(Status::Withdrawn, now, "taken back");
        }
        self.put_record(record);
        Ok(())
    }
}

/// The request type of a purpose, for the classifier.
pub(crate) fn request_type(kind: &str, purpose: Purpose) -> String {
    match purpose {
        Purpose::Add => format!("{kind}AddRq"),
        Purpose::Mod => format!("{kind}ModRq"),
        Purpose::Refresh => format!("{kind}QueryRq"),
        Purpose::Delete => "TxnDelRq".to_owned(),
        Purpose::Void => "TxnVoidRq".to_owned(),
        Purpose::Raw => String::new(),
    }
}
