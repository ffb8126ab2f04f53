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
use crate::domain::record::Reference;
use crate::domain::record::Status;
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
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::raw::Raw;
use crate::qbxml::response;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;

/// A question goes before all records: what it settles may be what they wait for.
const PRIORITY: i32 = 1001;
/// References to whom a transaction is with.
const ENTITIES: [&str; 4] = ["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"];
/// Objects that a person can choose from; the likeliest stand first.
const MAX_OFFERED: usize = 20;
/// The clock of the host may differ from ours, and it tells local time: a day and a half covers
/// every time zone and some hours of a wrong clock.
const MARGIN: SignedDuration = SignedDuration::from_hours(36);

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
                record.refresh |= item.purpose == Purpose::Mod;
                record.alone = true;
                record.become_status(Status::Queued, now, "its outcome is not known; done again");
                self.put_record(record);
                Ok(())
            }
            Purpose::Add if planted(Plant::BlindRetry) => self.place(record, "sent again").await,
            Purpose::Add | Purpose::Raw => match self.search(&record, item, message_set).await? {
                Some((sent, raw)) => {
                    let question = Question::Outcome(sent);
                    let asked = self.ask(About { record: Some(record.key.clone()), question }, raw);
                    record.asked = Some(asked);
                    let note = "its outcome is not known; QuickBooks' books are asked";
                    record.become_status(Status::InDoubt, now, note);
                    self.put_record(record);
                    Ok(())
                }
                None => {
                    self.fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why)).await
                }
            },
        }
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

    /// The queries that find what an Add would have made; `None` if none can. What was sent counts:
    /// the application may have changed the record since.
    async fn search(
        &mut self,
        record: &Record,
        item: &Item,
        message_set: &MessageSet,
    ) -> Result<Option<(Sent, Raw)>, EngineError> {
        let Some(kind) = schema().kind(&record.key.kind) else { return Ok(None) };
        let Some(query) = &kind.query else { return Ok(None) };
        let Some(request) = response::fragment(message_set.qbxml.as_bytes(), &item.request_id)
        else {
            return Ok(None);
        };
        let values = raw::values(&request);
        let name = match kind.identity {
            Identity::List => self.sent_name(&values).await?,
            Identity::Transaction | Identity::Nothing => values.get("RefNumber").cloned(),
        };
        let sent = Sent {
            at: message_set.sent_at,
            name,
            date: values.get("TxnDate").cloned(),
            entity: ENTITIES.iter().find_map(|it| values.get(&format!("{it}/ListID")).cloned()),
        };
        let target = compose::target(self.state.host.as_ref());
        let build = |data: Value| raw::build(query.name, &data, &target).ok();
        let from = (sent.at - MARGIN).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let most = MAX_RETS.to_string();
        // By its name, and whatever is new: a person may have renamed it since.
        let (named, since) = match kind.identity {
            Identity::Nothing => return Ok(None),
            Identity::List => {
                let Some(name) = &sent.name else { return Ok(None) };
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
        let raw = all.collect::<Option<Vec<Raw>>>().and_then(raw::join);
        Ok(raw.map(|raw| (sent, raw)))
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
        let parent = self.engine.store.record_at(&self.connection.id, parent).await?;
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
            return self.settled(record, request, &about.question, answers).await;
        };
        if record.status != Status::InDoubt {
            return Ok(());
        }
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
        for ret in found {
            let Some(id) = ret.txn_id.clone().or_else(|| ret.list_id.clone()) else { continue };
            let ours = self.engine.store.record_at(&self.connection.id, &id).await?.is_some();
            let another = matches!((entity, &ret.entity), (Some(a), Some(b)) if a != b);
            let made = ret.time_created.as_deref().and_then(made_at);
            let older = made.is_some_and(|made| made < sent.at - MARGIN);
            let known = candidates.iter().any(|(known, _)| *known == id);
            if !ours && !another && !older && !known {
                candidates.push((id, ret));
            }
        }
        let same = |ret: &Ret| {
            let called = ret.ref_number.as_ref().or(ret.full_name.as_ref());
            name.is_some()
                && called == name.as_ref()
                && (date.is_none() || ret.txn_date == *date)
                && (entity.is_none() || ret.entity == *entity)
        };
        candidates.sort_by_key(|(_, ret)| (!same(ret), ret.is_active == Some(false)));
        let matching = candidates.iter().filter(|(_, ret)| same(ret)).count();
        match (matching, candidates.as_slice()) {
            (_, []) => self.send_again(record).await,
            (1, [(id, ret), ..]) => self.adopt(record, id.clone(), ret).await,
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

    /// It is there: it was made, and only the answer was lost.
    async fn adopt(
        &mut self,
        mut record: Record,
        id: String,
        ret: &Ret,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        let label = ret.ref_number.clone().or_else(|| ret.full_name.clone());
        record.reference = Some(Reference {
            id,
            // Its lines are not known: the next change asks for it first.
            edit_sequence: None,
            label: label.unwrap_or_default(),
            ..Reference::default()
        });
        record.findings.clear();
        record.tries = 0;
        record.synced_at = Some(now);
        record.become_status(Status::Synced, now, "found in QuickBooks' books");
        self.settled.push(record.key.clone());
        self.go_on(record).await
    }

    /// It is not there: nothing was made, and sending it makes it once.
    async fn send_again(&mut self, record: Record) -> Result<(), EngineError> {
        let (key, tries) = (record.key.clone(), record.tries);
        let Some(wait) = backoff::after(Code::OutcomeUnknown, "", tries) else {
            let why = "QuickBooks forgets it again and again";
            return self.fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why)).await;
        };
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
