//! Questions of our own to QuickBooks, about a record: asked through the ordinary queue.
//!
//! Whether an Add whose answer is lost for good is in the books: it is sent again only where the
//! books show that it is not there; what they leave open is a person's. What a refusal means where
//! QuickBooks' words leave it open is `follow_up`'s.
//!
//! Source: SDK sample `QBInvoiceAdd` (error recovery); OSR, `…QueryRq`.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::domain::backoff;
use crate::domain::ids::Digest;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
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
use crate::engine::follow_up;
use crate::engine::intake::is_unknown;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::raw::Raw;
use crate::qbxml::response;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;
use crate::store::RecordFilter;

/// A question goes before all records: what it settles may be what they wait for.
const PRIORITY: i32 = 1001;
/// Records looked at in one go.
const PAGE: usize = 500;
/// References to whom a transaction is with.
const ENTITIES: [&str; 4] = ["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"];
/// Objects that a person can choose from; the likeliest stand first.
const MAX_OFFERED: usize = 20;
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
                let sent = self.sent(&record, item, message_set).await?;
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
        let values = raw::values(&request.unwrap_or_default());
        let name = match schema().kind(&record.key.kind).map(|kind| kind.identity) {
            Some(Identity::List) => self.sent_name(&values).await?,
            _ => values.get("RefNumber").cloned(),
        };
        Ok(Sent {
            at: message_set.sent_at,
            name,
            date: values.get("TxnDate").cloned(),
            entity: ENTITIES.iter().find_map(|it| values.get(&format!("{it}/ListID")).cloned()),
        })
    }

    /// The queries that find what an Add would have made; `None` if none can.
    pub(super) fn search(&self, record: &Record, sent: &Sent) -> Option<Raw> {
        let kind = schema().kind(&record.key.kind)?;
        let query = kind.query.as_ref()?;
        let target = compose::target(self.state.host.as_ref());
        let build = |data: Value| raw::build(query.name, &data, &target).ok();
        let from = (sent.at - MARGIN).strftime("%Y-%m-%dT%H:%M:%S").to_string();
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
        values: &BTreeMap<String, String>,
    ) -> Result<Option<String>, EngineError> {
        let Some(name) = values.get("Name") else { return Ok(None) };
        if let Some(parent) = values.get("ParentRef/FullName") {
            return Ok(Some(format!("{parent}:{name}")));
        }
        let Some(parent) = values.get("ParentRef/ListID") else { return Ok(Some(name.clone())) };
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
        self.decide(record, sent, found).await
    }

    /// No answer to a question of ours: a person decides.
    pub(crate) async fn unanswered(
        &mut self,
        request: &Request,
        why: &str,
    ) -> Result<(), EngineError> {
        let Some(about) = &request.about else { return Ok(()) };
        if let Question::Mirror(part) = &about.question {
            self.mirror_untold(part);
        }
        let Some(key) = &about.record else { return Ok(()) };
        match self.record(key).await? {
            Some(mut record) if record.status == Status::InDoubt => {
                record.asked = None;
                self.fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why)).await
            }
            Some(mut record) if record.asked == Some(request.id) => {
                // The fix did not come about; the record stands where it stood.
                record.asked = None;
                if let Some(finding) = record.findings.first_mut() {
                    finding.facts.insert("why".to_owned(), why.to_owned());
                }
                self.put_record(record);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Of what was made since, without what records of ours stand at: nothing is proof that nothing
    /// was made; one with the right name is it; all else is a person's.
    async fn decide(
        &mut self,
        record: Record,
        sent: &Sent,
        found: Vec<Ret>,
    ) -> Result<(), EngineError> {
        let Sent { name, date, entity, .. } = sent;
        let mut candidates: Vec<(String, Ret)> = Vec::new();
        let same = |ret: &Ret| {
            let called = ret.ref_number.as_ref().or(ret.full_name.as_ref());
            name.is_some()
                && called == name.as_ref()
                && (date.is_none() || ret.txn_date == *date)
                && (entity.is_none() || ret.entity == *entity)
        };
        for ret in found {
            let Some(id) = ret.txn_id.clone().or_else(|| ret.list_id.clone()) else { continue };
            let holder = self.record_at(&id).await?;
            if let Some(other) = &holder
                && same(&ret)
                && !self.was_made_for(other).await?
            {
                // Somebody may have linked the other one to what was made for this one.
                let why = format!("{} stands at {id}, which may be it", other.path());
                return self
                    .fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why))
                    .await;
            }
            let ours = holder.is_some();
            let another = matches!((entity, &ret.entity), (Some(a), Some(b)) if a != b);
            let made = ret.time_created.as_deref().and_then(made_at);
            let older = made.is_some_and(|made| made < sent.at - MARGIN);
            let known = candidates.iter().any(|(known, _)| *known == id);
            if !ours && !another && !older && !known {
                candidates.push((id, ret));
            }
        }
        candidates.sort_by_key(|(_, ret)| (!same(ret), ret.is_active == Some(false)));
        let matching = candidates.iter().filter(|(_, ret)| same(ret)).count();
        match (matching, candidates.as_slice()) {
            (_, []) => self.send_again(record).await,
            (1, [(id, ret), ..]) => match self.rival(&record, name.as_deref()).await? {
                None => self.found(record, id.clone(), ret).await,
                Some(rival) => {
                    let why = format!("QuickBooks has {id}, which may be that of {}", rival.path());
                    let mut finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                    finding.candidates = follow_up::candidate(ret).into_iter().collect();
                    self.fail(record, finding).await
                }
            },
            // Without a match a person may have renamed it; with several, nobody knows which.
            (_, several) => {
                let shown = several.iter().take(5).map(|(id, ret)| {
                    let called = ret.ref_number.as_deref().or(ret.full_name.as_deref());
                    format!("{} ({id})", called.unwrap_or("without a number"))
                });
                let shown: Vec<String> = shown.collect();
                let why = format!(
                    "QuickBooks has {} of the same time that may be it: {}",
                    several.len(),
                    shown.join(", ")
                );
                let mut finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                let offered = several.iter().filter_map(|(_, ret)| follow_up::candidate(ret));
                finding.candidates = offered.take(MAX_OFFERED).collect();
                self.fail(record, finding).await
            }
        }
    }

    async fn was_made_for(&mut self, key: &RecordKey) -> Result<bool, EngineError> {
        let reference = self.record(key).await?.and_then(|record| record.reference);
        Ok(reference.is_some_and(|reference| reference.made))
    }

    /// Another record of this name of which nobody knows whether QuickBooks has it: what is found
    /// may be that one's.
    async fn rival(
        &mut self,
        record: &Record,
        name: Option<&str>,
    ) -> Result<Option<RecordKey>, EngineError> {
        let last = |name: &str| mirror::normal(name.rsplit(':').next().unwrap_or(name));
        let named = name.map(last);
        let of_kind = |status, cause| RecordFilter {
            status: Some(status),
            kind: Some(record.key.kind.clone()),
            cause,
            ..RecordFilter::default()
        };
        let filters =
            [of_kind(Status::InDoubt, None), of_kind(Status::Failed, Some(Code::OutcomeUnknown))];
        for filter in filters {
            let mut cursor = None;
            loop {
                let store = &self.engine.store;
                let page =
                    store.records(&self.connection.id, &filter, cursor.as_deref(), PAGE).await?;
                for other in page.items {
                    let sent = self.sent_as(&other).await?;
                    let here = self.record(&other.key).await?.unwrap_or(other);
                    let open = here.reference.is_none()
                        && (here.status == Status::InDoubt || is_unknown(&here));
                    if here.key != record.key && open && sent.as_deref().map(last) == named {
                        return Ok(Some(here.key));
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// The name under which a record was sent, as far as it is known: it may have changed since.
    async fn sent_as(&mut self, record: &Record) -> Result<Option<String>, EngineError> {
        let asked = match record.asked {
            Some(asked) => self.request(asked).await?.and_then(|request| request.about),
            None => None,
        };
        Ok(match asked.map(|about| about.question) {
            Some(Question::Outcome(sent)) => sent.name,
            _ => record.name().map(str::to_owned),
        })
    }

    /// It is there: it was made, and only the answer was lost.
    async fn found(
        &mut self,
        mut record: Record,
        id: String,
        ret: &Ret,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        let label = ret.ref_number.clone().or_else(|| ret.full_name.clone());
        record.reference = Some(Reference {
            id,
            edit_sequence: ret.edit_sequence.clone(),
            label: label.unwrap_or_default(),
            ..Reference::default()
        });
        record.lost = None;
        // Its lines are not known: the next change asks for it first.
        record.refresh = true;
        record.findings.clear();
        record.tries = 0;
        record.insisted = Insisted::Nothing;
        record.synced_at = Some(now);
        record.become_status(Status::Synced, now, "found in QuickBooks' books");
        self.settled.push(record.key.clone());
        self.go_on(record).await
    }

    /// It is not there: nothing was made, and sending it makes it once.
    async fn send_again(&mut self, mut record: Record) -> Result<(), EngineError> {
        let (key, tries) = (record.key.clone(), record.tries);
        let Some(wait) = backoff::after(Code::OutcomeUnknown, "", tries) else {
            let why = "QuickBooks forgets it again and again";
            return self.fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why)).await;
        };
        record.lost = None;
        record.findings.clear();
        self.place(record, "it is not in QuickBooks' books; sent again").await?;
        let placed = self.record(&key).await?;
        if let Some(mut placed) = placed.filter(|placed| placed.status == Status::Queued) {
            placed.tries = tries + 1;
            placed.alone = true;
            placed.due = (tries > 0).then(|| self.engine.now() + wait);
            self.put_record(placed);
        }
        Ok(())
    }
}

/// When QuickBooks made an object: `2026-11-24T08:33:06-08:00`.
fn made_at(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
