//! An Add that went out, and of which nobody knows whether QuickBooks did it.
//!
//! It is a member of the record of its own ([`Record::lost`]), so that it outlives what the record
//! fails of: whatever people and applications decide, no second Add is sent before the books were
//! searched, or a person said that it is not there.

use crate::domain::message_set::Item;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::RequestStatus;
use crate::domain::request::Sent;
use crate::engine::EngineError;
use crate::engine::intake::is_unknown;
use crate::engine::work::Work;

/// Message sets of a record that are looked at for its last Add.
const LAST_SETS: usize = 20;

impl Work<'_> {
    /// An Add went out before, and nobody knows whether QuickBooks did it: its books are searched
    /// before anything else is sent. Where they cannot be searched, a person looks.
    pub(crate) async fn look_first(
        &mut self,
        mut record: Record,
        sent: Sent,
    ) -> Result<(), EngineError> {
        if !self.waits(&record).await? {
            let raw = self.search(&record, &sent);
            record.asked = raw.map(|raw| self.ask_outcome(&record, sent, raw));
        }
        let (why, note) = if record.asked.is_some() {
            let why = "its books are searched at the next session";
            (why, "QuickBooks' books are asked whether it is there")
        } else {
            let why = "its books cannot be searched for it";
            (why, "nobody knows whether QuickBooks has it")
        };
        let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
        self.keep_back(record, vec![finding], note).await
    }

    /// Keeps what a finding alone says: that an Add of the record is lost.
    pub(crate) async fn remember_lost(&mut self, record: &mut Record) -> Result<(), EngineError> {
        let known = record.lost.is_some() || record.may_stand();
        if record.status == Status::Failed && is_unknown(record) && !known {
            record.lost = Some(self.lost_of(record).await?);
        }
        Ok(())
    }

    /// The Add of a record that went out last; of one that is not kept, only since when it may be.
    pub(crate) async fn lost_of(&mut self, record: &Record) -> Result<Sent, EngineError> {
        let sets = self.engine.store.message_sets_of(&record.key, LAST_SETS).await?;
        for set in sets.into_iter().rev() {
            let adds = |item: &&Item| {
                item.purpose == Purpose::Add
                    && matches!(&item.subject, Subject::Record(key) if *key == record.key)
            };
            if let Some(item) = set.items.iter().find(adds) {
                return self.sent(record, item, &set).await;
            }
        }
        Ok(Sent::at(record.created_at))
    }

    /// Whether an answer to a question of ours will come to a record.
    pub(crate) async fn waits(&mut self, record: &Record) -> Result<bool, EngineError> {
        let Some(asked) = record.asked else { return Ok(false) };
        let over = [RequestStatus::Answered, RequestStatus::Failed];
        Ok(self.request(asked).await?.is_some_and(|request| !over.contains(&request.status)))
    }

    /// A person wants the books searched for what nobody knows the outcome of.
    pub(crate) async fn search_again(&mut self, record: Record) -> Result<(), EngineError> {
        let (key, path) = (record.key.clone(), record.key.path());
        if self.waits(&record).await? {
            let why = format!("the books are asked about {path} already; the next session answers");
            return Err(EngineError::NotNow(why));
        }
        self.place(record, "searched in QuickBooks' books").await?;
        if self.record(&key).await?.is_some_and(|it| it.lost.is_some() && it.asked.is_none()) {
            let why = format!(
                "{path} cannot be searched in QuickBooks' books; look there, then link it, bypass it, \
                 or say that it is not there (send-again)"
            );
            return Err(EngineError::NotNow(why));
        }
        Ok(())
    }
}
