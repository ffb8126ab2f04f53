//! What is not in QuickBooks any more, or is there although it should not be: taken out for us, deleted,
//! merged into another, moved to another customer.
//!
//! QuickBooks tells what it deleted, for 90 days, and names no survivor of a merge: the likely ones
//! are shown, and a person chooses. Invariant, held by `tests/problems`: the dead object is none of
//! them.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::domain::ids::SessionId;
use crate::domain::message_set::Purpose;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::Question;
use crate::domain::request::Request;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::answer::MAX_RETS;
use crate::engine::compose;
use crate::engine::follow_up::candidate;
use crate::engine::follow_up::deleted;
use crate::engine::follow_up::still;
use crate::engine::known::MAX_SAME;
use crate::engine::questions::MARGIN;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;

/// A merge takes an element away and changes the one that stays within this time.
const SAME_MOMENT: SignedDuration = SignedDuration::from_mins(2);

impl Work<'_> {
    /// QuickBooks was asked for the record's object, and does not have it. Where its id was reset, or
    /// a deletion of ours is what took it out, it is made anew; else it is asked what became of it.
    pub(super) async fn not_there(
        &mut self,
        mut record: Record,
        answer: &Answer,
        session: SessionId,
    ) -> Result<(), EngineError> {
        let id = record.reference.as_ref().map(|reference| reference.id.clone());
        if id.is_none() || record.former == id {
            record.reference = None;
            record.gone_in = Some(session);
            if let Some(id) = &record.former {
                self.mirror_gone(id).await?;
            }
            return self.place(record, "the one before is gone from QuickBooks").await;
        }
        if record.wanted == Wanted::Deleted {
            return self.gone(record, Purpose::Delete, session).await;
        }
        let finding = Finding::new(Code::ObjectNotFound).fact("value", id.unwrap_or_default());
        let finding = finding.fact("kind", &record.key.kind).said(answer.said.clone());
        let key = record.key.clone();
        self.fail(record, finding.clone()).await?;
        self.follow_up(&key, &finding).await
    }

    /// The record's id was reset, but what it named is there: one more would be one too many.
    pub(super) async fn still_there(
        &mut self,
        mut record: Record,
        ret: &Ret,
    ) -> Result<(), EngineError> {
        if record.wanted != Wanted::Present {
            let id = record.former.take().unwrap_or_default();
            // It is taken out where it stood, unless it is another record's by now.
            let other = self.engine.store.record_at(&self.connection.id, &id).await?;
            if other.is_none_or(|other| other == record.key) {
                let label = ret.ref_number.clone().or_else(|| ret.full_name.clone());
                let label = label.unwrap_or_default();
                record.reference = Some(Reference { id, label, ..Reference::default() });
            }
            self.again(record, "to be taken out of QuickBooks");
            return Ok(());
        }
        let finding = Finding::new(Code::PossibleDuplicate).cause("still_there");
        let candidate = candidate(ret);
        let name = candidate.as_ref().map(|it| it.name.clone()).unwrap_or_default();
        let mut finding = finding.fact("kind", &record.key.kind).fact("value", name);
        if let Some((other, party)) = self.moved(&record, ret).await? {
            finding = finding.fact("other", other).fact("customer", party);
        }
        finding.candidates.extend(candidate);
        self.fail(record, finding).await
    }

    /// It is out of QuickBooks: deleted or voided, whatever is wanted by now.
    pub(super) async fn gone(
        &mut self,
        mut record: Record,
        how: Purpose,
        session: SessionId,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        if how == Purpose::Void {
            // It stands there without its amounts.
            record.refresh = true;
        } else if let Some(reference) = record.reference.take() {
            self.mirror_gone(&reference.id).await?;
            record.refresh = false;
            (record.former, record.gone_in) = (Some(reference.id), Some(session));
            record.lost = None;
        }
        record.sent = None;
        record.asked = None;
        record.findings.clear();
        match record.wanted {
            Wanted::Present => self.place(record, "put again while it was taken out").await,
            Wanted::Deleted if how == Purpose::Void => {
                self.again(record, "to be taken out of QuickBooks");
                Ok(())
            }
            Wanted::Deleted | Wanted::Voided | Wanted::Withdrawn => {
                record.become_status(Status::Withdrawn, now, "taken out of QuickBooks");
                self.put_record(record);
                Ok(())
            }
        }
    }

    /// What became of the object of a record: for an element of a list also what was changed since
    /// it was seen last, as QuickBooks does not name the one that it was merged into.
    pub(super) fn became_of(&self, record: &Record) -> Option<(Question, Vec<(String, Value)>)> {
        let (question, mut queries) = whereabouts(record)?;
        let kind = schema().kind(&record.key.kind)?;
        if let (Identity::List, Some(query), Some(seen)) =
            (kind.identity, &kind.query, record.synced_at)
        {
            let from = (seen - MARGIN).strftime("%Y-%m-%dT%H:%M:%S").to_string();
            let most = MAX_RETS.to_string();
            let since =
                json!({"MaxReturned": most, "ActiveStatus": "All", "FromModifiedDate": from});
            let target = compose::target(self.state.host.as_ref());
            // Not every list can be asked so.
            if raw::build(query.name, &since, &target).is_ok() {
                queries.push((query.name.to_owned(), since));
            }
        }
        Some((question, queries))
    }

    /// Whom a transaction is for now, and whom its record names, if that is another.
    pub(crate) async fn moved(
        &mut self,
        record: &Record,
        ret: &Ret,
    ) -> Result<Option<(String, String)>, EngineError> {
        let (Some(now), Some(other)) = (&ret.entity, &ret.entity_name) else { return Ok(None) };
        let party = self.party_of(record).await?.filter(|party| party.id != *now);
        Ok(party.map(|party| (other.clone(), party.facts.name)))
    }

    pub(super) async fn gone_told(
        &mut self,
        mut record: Record,
        request: &Request,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let (key, reference) = (record.key.clone(), record.reference.clone().unwrap_or_default());
        if reference.id.is_empty() || !request.qbxml.contains(&reference.id) {
            // A person linked it to another meanwhile.
            return Ok(());
        }
        let Some(answer) = answers.first() else { return Ok(()) };
        let moved = match answer.ret() {
            Some(ret) => self.moved(&record, ret).await?,
            None => None,
        };
        let Some(finding) = still(&mut record, &[Code::ObjectNotFound]) else { return Ok(()) };
        if let Some(ret) = answer.ret() {
            "object_changed_or_deleted".clone_into(&mut finding.cause);
            if let Some((other, party)) = moved {
                "moved".clone_into(&mut finding.cause);
                finding.facts.insert("other".to_owned(), other);
                finding.facts.insert("customer".to_owned(), party);
            }
            finding.candidates = candidate(ret).into_iter().collect();
            self.told(record);
            return Ok(());
        }
        if classify::status(&answer.said, "QueryRq").disposition != Disposition::Empty {
            // It could not be asked: a reset asks anew.
            return Ok(());
        }
        finding.facts.insert("value".to_owned(), reference.id.clone());
        let deleted = deleted(finding, answers.get(1));
        if schema().kind(&key.kind).is_some_and(|kind| kind.identity == Identity::List) {
            "deleted_or_merged".clone_into(&mut finding.cause);
        }
        match &deleted {
            // The answer itself has told the mirror.
            Some(_) => self.vanished.push(reference.id.clone()),
            None => self.mirror_gone(&reference.id).await?,
        }
        let mut likely: Vec<Candidate> = Vec::new();
        for ret in answers.get(2).into_iter().flat_map(|answer| &answer.rets) {
            if together(deleted.as_deref(), ret.time_modified.as_deref()) {
                likely.extend(candidate(ret).filter(|it| it.id != reference.id));
            }
        }
        if !reference.label.is_empty() {
            for near in self.near(&key.kind, &reference.label).await? {
                if likely.iter().all(|it| it.id != near.id) {
                    likely.push(near);
                }
            }
        }
        likely.truncate(MAX_SAME);
        finding.candidates = likely;
        self.told(record);
        Ok(())
    }
}

/// Whether two times of QuickBooks are about the same moment: a merge changes the one that stays as
/// it takes the other away.
fn together(a: Option<&str>, b: Option<&str>) -> bool {
    let time = |text: Option<&str>| text.and_then(|text| text.parse::<Timestamp>().ok());
    time(a).zip(time(b)).is_some_and(|(a, b)| a.duration_since(b).abs() <= SAME_MOMENT)
}

/// Whether an object that is to be changed is there, or was deleted, and when.
fn whereabouts(record: &Record) -> Option<(Question, Vec<(String, Value)>)> {
    let kind = schema().kind(&record.key.kind)?;
    let deleted = kind.delete_type?;
    let gone = match kind.identity {
        Identity::List => ("ListDeletedQueryRq", "ListDelType"),
        Identity::Transaction => ("TxnDeletedQueryRq", "TxnDelType"),
        Identity::Nothing => return None,
    };
    let gone = (gone.0.to_owned(), json!({ gone.1: [deleted] }));
    Some((Question::Gone, vec![query_at(record)?, gone]))
}

/// The query for the object at which a record stands.
pub(super) fn query_at(record: &Record) -> Option<(String, Value)> {
    let id = &record.reference.as_ref()?.id;
    let kind = schema().kind(&record.key.kind)?;
    let query = kind.query.as_ref()?.name.to_owned();
    Some((query, json!({ kind.identity.element()?: [id] })))
}
