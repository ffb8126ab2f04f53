//! Questions of our own to QuickBooks, about a record: asked through the ordinary queue.
//!
//! Whether an Add whose answer is lost for good is in the books: it is sent again only where the
//! books show that it is not there; what they leave open is a person's. What a refusal means where
//! QuickBooks' words leave it open is `follow_up`'s.
//!
//! Source: SDK sample `QBInvoiceAdd` (error recovery); OSR, `…QueryRq`.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;
use serde_json::json;

use crate::domain::backoff;
use crate::domain::ids::Digest;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Purpose;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::About;
use crate::domain::request::Question;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::domain::request::Sent;
use crate::engine::EngineError;
use crate::engine::ambient;
use crate::engine::answer::Answer;
use crate::engine::answer::MAX_RETS;
use crate::engine::compose;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::raw::Members;
use crate::qbxml::raw::Raw;
use crate::qbxml::raw::Reference;
use crate::qbxml::response;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;

/// A question goes before all records: what it settles may be what they wait for.
const PRIORITY: i32 = 1001;
/// References to whom a transaction is with.
const ENTITIES: [&str; 4] = ["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"];
/// The clock of the host may differ from ours, and it tells local time: a day and a half covers
/// every time zone and some hours of a wrong clock.
pub(crate) const MARGIN: SignedDuration = SignedDuration::from_hours(36);

impl Work<'_> {
    /// QuickBooks cannot say what became of a request: its books are asked, where that can settle
    /// it.
    pub(crate) async fn unknown(
        &mut self,
        mut record: Record,
        item: &Item,
        message_set: &MessageSet,
        why: &str,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        match item.purpose {
            // Done twice, these end where they end done once: QuickBooks refuses a change with the
            // edit sequence of before, and a deletion of what is gone.
            Purpose::Mod | Purpose::Delete | Purpose::Void | Purpose::Refresh => {
                let taken_out = matches!(item.purpose, Purpose::Delete | Purpose::Void);
                let comes_back = taken_out && record.wanted == Wanted::Present;
                record.refresh |= comes_back || item.purpose == Purpose::Mod;
                if comes_back && item.purpose == Purpose::Delete {
                    // Gone or not, it is wanted again: QuickBooks is asked which.
                    record.former = record.reference.as_ref().map(|it| it.id.clone());
                    record.gone_in = None;
                }
                let Some(wait) = backoff::after(Code::OutcomeUnknown, "", record.tries) else {
                    let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                    return self.fail(record, finding).await;
                };
                record.alone = true;
                // It may be this one at which QuickBooks breaks: the others go first.
                record.due = (record.tries > 0).then(|| now + wait);
                record.tries += 1;
                record.sequence = 0;
                self.again(record, "its outcome is not known; done again");
                Ok(())
            }
            Purpose::Number => self.number_untold(record).await,
            Purpose::Add if planted(Plant::BlindRetry) => self.place(record, "sent again").await,
            Purpose::Add | Purpose::Raw => {
                let mut sent = self.sent(&record, item, message_set).await?;
                // Nothing was asked since it went out: who has its number by now had it before.
                let places = Box::pin(self.places(&record)).await?;
                let data = record.amended().into_owned();
                let named = Box::pin(self.number_in_use(&record, &data, &places)).await?;
                sent.others =
                    named.into_iter().flat_map(|it| it.candidates).map(|it| it.id).collect();
                record.lost = Some(sent.clone());
                if record.is_over() {
                    self.again(record, why);
                    return Ok(());
                }
                let Some(raw) = self.search(&record, &sent) else {
                    let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                    return self.fail(record, finding).await;
                };
                record.asked = Some(self.ask_outcome(&record, sent, raw));
                let note = "its outcome is not known; QuickBooks' books are asked";
                record.become_status(Status::InDoubt, now, note);
                self.put_record(record);
                Ok(())
            }
        }
    }

    /// Asks the books whether an Add is in them.
    pub(super) fn ask_outcome(&mut self, record: &Record, sent: Sent, raw: Raw) -> RequestId {
        let question = Question::Outcome(sent);
        self.ask(About { record: Some(record.key.clone()), question, problem: None }, raw)
    }

    pub(crate) fn ask(&mut self, about: About, raw: Raw) -> RequestId {
        self.ask_behind(about, raw, PRIORITY)
    }

    /// Puts a request of our own into the queue.
    pub(crate) fn ask_behind(&mut self, about: About, raw: Raw, priority: i32) -> RequestId {
        let now = self.engine.now();
        let id = RequestId(ambient::time_ordered(self.engine.ambient.as_ref()));
        self.put_request(Request {
            id,
            revision: Revision::NEW,
            connection: self.connection.id.clone(),
            sequence: 0,
            priority,
            digest: Digest::of(raw.xml.as_bytes()),
            qbxml: raw.xml,
            types: raw.types,
            writes: raw.writes,
            on_error: raw.on_error,
            version: raw.version.to_string(),
            idempotency_key: None,
            status: RequestStatus::Queued,
            message_set: None,
            pages: Vec::new(),
            iterator: None,
            due: None,
            tries: 0,
            findings: Vec::new(),
            about: Some(about),
            created_at: now,
            updated_at: now,
        });
        id
    }

    /// What an Add was to make. What was sent counts: the application may have changed the record
    /// since.
    pub(super) async fn sent(
        &mut self,
        record: &Record,
        item: &Item,
        message_set: &MessageSet,
    ) -> Result<Sent, EngineError> {
        let request = response::fragment(message_set.qbxml.as_bytes(), &item.request_id);
        let members = raw::members(&request.unwrap_or_default());
        let total = members.total().map(|total| total.to_string());
        let Members { fields, references, .. } = members;
        let name = match schema().kind(&record.key.kind).map(|kind| kind.identity) {
            Some(Identity::List) => self.sent_name(&fields, references.get("ParentRef")).await?,
            _ => fields.get("RefNumber").cloned(),
        };
        let party = ENTITIES.iter().filter_map(|it| references.get(*it));
        Ok(Sent {
            name,
            date: fields.get("TxnDate").cloned(),
            entity: party.clone().find_map(|it| it.id.clone()),
            entity_name: party.clone().find_map(|it| it.name.clone()),
            amount: fields.get("TotalAmount").cloned().or(total),
            ..Sent::at(message_set.sent_at)
        })
    }

    /// The queries that find what an Add would have made; `None` if none can.
    pub(super) fn search(&self, record: &Record, sent: &Sent) -> Option<Raw> {
        let kind = schema().kind(&record.key.kind)?;
        let query = kind.query.as_ref()?;
        let target = compose::target(self.state.host.as_ref());
        let build = |data: Value| raw::build(query.name, &data, &target).ok();
        // Our clock may have been ahead when it went out.
        let from =
            (sent.at.min(self.engine.now()) - MARGIN).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let most = MAX_RETS.to_string();
        // By its name, and whatever is new: a person may have renamed it since.
        let (named, since) = match kind.identity {
            Identity::Nothing => return None,
            Identity::List => {
                let name = sent.name.as_ref()?;
                let since =
                    json!({"MaxReturned": most, "ActiveStatus": "All", "FromModifiedDate": from});
                (Some(json!({ "FullName": [name] })), since)
            }
            Identity::Transaction => {
                let filter = json!({ "FromModifiedDate": from });
                let since = json!({"MaxReturned": most, "ModifiedDateRangeFilter": filter});
                (sent.name.as_ref().map(|number| json!({ "RefNumber": [number] })), since)
            }
        };
        let all = [Some(since), named].into_iter().flatten().map(build);
        all.collect::<Option<Vec<Raw>>>().and_then(raw::join)
    }

    /// The full name that was sent; `None` if its parent's name is not known.
    async fn sent_name(
        &mut self,
        fields: &BTreeMap<String, String>,
        parent: Option<&Reference>,
    ) -> Result<Option<String>, EngineError> {
        let Some(name) = fields.get("Name") else { return Ok(None) };
        if let Some(parent) = parent.and_then(|parent| parent.name.as_ref()) {
            return Ok(Some(format!("{parent}:{name}")));
        }
        let Some(parent) = parent.and_then(|parent| parent.id.as_ref()) else {
            return Ok(Some(name.clone()));
        };
        let parent = self.record_at(parent).await?;
        let Some(parent) = parent else { return Ok(None) };
        let parent = self.record(&parent).await?.and_then(|parent| parent.reference);
        let label = parent.map(|reference| reference.label).filter(|label| !label.is_empty());
        Ok(label.map(|label| format!("{label}:{name}")))
    }

    /// A question of ours was answered.
    pub(crate) async fn answered(
        &mut self,
        about: &About,
        request: &Request,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        if let Question::Mirror(part) = &about.question {
            self.mirror_told(part, request, answers);
        }
        let Some(key) = &about.record else { return Ok(()) };
        let Some(mut record) = self.record(key).await? else { return Ok(()) };
        let Question::Outcome(sent) = &about.question else {
            return self.settled(record, request, about, answers).await;
        };
        let waits = record.status == Status::InDoubt || record.asked == Some(request.id);
        if !waits {
            return Ok(());
        }
        record.asked = None;
        let mut found: Vec<Ret> = Vec::new();
        for answer in answers {
            let class = classify::status(&answer.said, "QueryRq");
            let told = match class.disposition {
                Disposition::Empty => answer.rets.is_empty(),
                Disposition::Done | Disposition::Warned => !answer.rets.is_empty(),
                _ => false,
            };
            if !told || answer.rets.len() >= MAX_RETS {
                let why = "QuickBooks could not say whether it is there";
                return self.unanswered(request, why).await;
            }
            found.extend(answer.rets.iter().cloned());
        }
        // The answer is here: what a person presses from now on is no second press.
        record.asked = None;
        self.decide_lost(record, sent, found).await
    }

    /// No answer to a question of ours: a person decides.
    pub(crate) async fn unanswered(
        &mut self,
        request: &Request,
        why: &str,
    ) -> Result<(), EngineError> {
        let Some(about) = &request.about else { return Ok(()) };
        if let Question::Mirror(part) = &about.question {
            self.mirror_untold(part, request);
        }
        let Some(key) = &about.record else { return Ok(()) };
        match self.record(key).await? {
            Some(mut record) if record.status == Status::InDoubt => {
                record.asked = None;
                self.fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why)).await
            }
            Some(mut record) if record.asked == Some(request.id) => {
                record.asked = None;
                self.not_mended(record, &about.question, why);
                Ok(())
            }
            Some(record) => {
                self.link_untold(record, about, why);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
