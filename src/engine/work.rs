//! One step's unit of work: what was loaded, what changes, one commit.
//!
//! A record is loaded once and changed in memory; [`Work::commit`] writes each changed thing at the
//! revision at which it was read. If another call was first, the whole step is made again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::activity::Activity;
use crate::domain::activity::Call;
use crate::domain::backoff;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::connection::Pause;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Group;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::domain::session::Effect;
use crate::domain::session::Event;
use crate::domain::session::Reply;
use crate::domain::session::Session;
use crate::domain::session::Step;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::qbxml::classify;
use crate::store::Change;
use crate::store::Commit;
use crate::store::Guard;
use crate::store::StoreError;

/// A query that was lost this often is not asked again: its application hears of it.
const MAX_LOST_QUERIES: u32 = 3;
/// A question about a record at which QuickBooks broke this often is a person's.
const MAX_BROKEN: u32 = 5;

/// What one step loaded and changes.
pub(crate) struct Work<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) connection: Connection,
    pub(crate) state: ConnectorState,
    /// A message set that was composed and not handed out yet.
    pub(crate) fresh: Option<MessageSet>,
    /// The document to answer with.
    pub(crate) bytes: Option<String>,
    /// The length of the response that came in.
    pub(crate) received: u64,
    /// Records that may have set others free.
    pub(crate) settled: Vec<RecordKey>,
    /// Ids in QuickBooks at which nothing stands any more, as this step learned.
    pub(crate) vanished: Vec<String>,
    /// Problems that are gone: what a fix changed in QuickBooks.
    pub(crate) gone: Vec<Group>,
    records: BTreeMap<RecordKey, (Record, bool)>,
    requests: BTreeMap<RequestId, (Request, bool)>,
    message_sets: BTreeMap<MessageSetId, (MessageSet, bool)>,
    guards: Vec<Guard>,
    changes: Vec<Change>,
    pause: Option<Pause>,
    began: Timestamp,
}

impl<'a> Work<'a> {
    pub(crate) fn new(engine: &'a Engine, connection: Connection, state: ConnectorState) -> Self {
        Self {
            engine,
            connection,
            state,
            fresh: None,
            bytes: None,
            received: 0,
            settled: Vec::new(),
            vanished: Vec::new(),
            gone: Vec::new(),
            records: BTreeMap::new(),
            requests: BTreeMap::new(),
            message_sets: BTreeMap::new(),
            guards: Vec::new(),
            changes: Vec::new(),
            pause: None,
            began: engine.now(),
        }
    }

    /// A record as it will stand after this step.
    pub(crate) async fn record(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        if let Some((record, _)) = self.records.get(key) {
            return Ok(Some(record.clone()));
        }
        let found = self.engine.store.record(key).await?;
        if let Some(record) = &found {
            self.records.insert(key.clone(), (record.clone(), false));
        }
        Ok(found)
    }

    /// Records that this step loaded or changes.
    pub(crate) fn records_here(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|(record, _)| record)
    }

    /// Who stands at an id in QuickBooks after this step.
    pub(crate) async fn record_at(&self, id: &str) -> Result<Option<RecordKey>, StoreError> {
        let stands =
            |record: &Record| record.reference.as_ref().is_some_and(|reference| reference.id == id);
        if let Some(here) = self.records_here().find(|record| stands(record)) {
            return Ok(Some(here.key.clone()));
        }
        let stored = self.engine.store.record_at(&self.connection.id, id).await?;
        // What this step loaded stands where it stands here.
        Ok(stored.filter(|key| !self.has_record(key)))
    }

    /// Whether this step loaded or changes the record.
    pub(crate) fn has_record(&self, key: &RecordKey) -> bool {
        self.records.contains_key(key)
    }

    pub(crate) fn put_record(&mut self, record: Record) {
        self.records.insert(record.key.clone(), (record, true));
    }

    pub(crate) async fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        if let Some((request, _)) = self.requests.get(&id) {
            return Ok(Some(request.clone()));
        }
        let found = self.engine.store.request(&self.connection.id, id).await?;
        if let Some(request) = &found {
            self.requests.insert(id, (request.clone(), false));
        }
        Ok(found)
    }

    pub(crate) fn put_request(&mut self, request: Request) {
        self.requests.insert(request.id, (request, true));
    }

    pub(crate) async fn message_set(
        &mut self,
        id: &MessageSetId,
    ) -> Result<Option<MessageSet>, StoreError> {
        if let Some((message_set, _)) = self.message_sets.get(id) {
            return Ok(Some(message_set.clone()));
        }
        let found = self.engine.store.message_set(id).await?;
        if let Some(message_set) = &found {
            self.message_sets.insert(id.clone(), (message_set.clone(), false));
        }
        Ok(found)
    }

    pub(crate) fn put_message_set(&mut self, message_set: MessageSet) {
        self.message_sets.insert(message_set.id.clone(), (message_set, true));
    }

    pub(crate) fn put_session(&mut self, session: Session) {
        self.changes.push(Change::PutSession(Box::new(session)));
    }

    /// Whether this step writes the record, so that its revision is compared anyway.
    pub(crate) fn writes_record(&self, key: &RecordKey) -> bool {
        self.records.get(key).is_some_and(|(_, dirty)| *dirty)
    }

    /// How many records and questions this step puts at once into the queue.
    pub(crate) fn requeued_now(&self) -> u64 {
        let asked = |(request, dirty): &&(Request, bool)| {
            *dirty && request.status == RequestStatus::Queued && request.due.is_none()
        };
        let back = |(record, dirty): &&(Record, bool)| {
            *dirty && record.status == Status::Queued && record.due.is_none()
        };
        let records = self.records.values().filter(back).count();
        (records + self.requests.values().filter(asked).count()) as u64
    }

    pub(crate) fn changes(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    pub(crate) fn guard(&mut self, guard: Guard) {
        self.guards.push(guard);
    }

    /// Gives sessions no more work, with the reason that people see.
    pub(crate) fn alert(&mut self, finding: Finding) {
        let since = self.engine.now();
        self.pause = Some(Pause { since, alert: Some(finding) });
    }

    pub(crate) fn is_alerted(&self) -> bool {
        self.pause.is_some()
    }

    pub(crate) fn log(&mut self, session: &Session, operation: &str, answer: &str, bytes: u64) {
        let now = self.engine.now();
        self.changes.push(Change::LogCall(Call {
            session: session.id,
            at: now,
            operation: operation.to_owned(),
            answer: answer.to_owned(),
            bytes,
            took: u64::try_from(now.duration_since(self.began).as_millis()).ok(),
        }));
    }

    /// Does what a step of the session decided, in this unit of work. `operation` is what the Web
    /// Connector called; `None` if it called nothing.
    pub(crate) async fn apply(
        &mut self,
        session: &mut Session,
        step: Step,
        operation: Option<&str>,
    ) -> Result<Reply, EngineError> {
        let now = self.engine.now();
        for effect in step.effects {
            match effect {
                Effect::Send(id) => self.hand_out(session, &id).await?,
                Effect::Resend(id) => self.hand_out_again(session, &id).await?,
                Effect::Settle(id) => Box::pin(self.settle(session, &id)).await?,
                Effect::Split(id) => Box::pin(self.split(session, &id)).await?,
                Effect::Doubt(id) => Box::pin(self.doubt(&id)).await?,
                Effect::End(trouble) => {
                    session.ended_at = Some(now);
                    self.state.living = None;
                    if trouble.is_none() && session.calls > 1 && operation.is_some() {
                        self.state.last_success_at = Some(now);
                    }
                    let asked_for = self.connection.company_file.clone();
                    self.state.trouble = trouble.map(|finding| match asked_for {
                        Some(path) if finding.code == Code::WrongCompanyFile => {
                            finding.or_fact("expected", path)
                        }
                        _ => *finding,
                    });
                }
            }
        }
        if operation == Some("connectionError") {
            session.connection_errors += 1;
        }
        session.machine = step.machine;
        if operation.is_some() {
            session.calls += 1;
            session.last_call_at = now;
            self.state.last_seen_at = Some(now);
        }
        let bytes = self.bytes.as_ref().map_or(self.received, |bytes| bytes.len() as u64);
        let answer = match &step.reply {
            Reply::MessageSet(id) => format!("message set {id}"),
            Reply::Nothing | Reply::Failed => session.machine.last_error.clone(),
            Reply::Percent(percent) => format!("{percent} %"),
            Reply::Goodbye => "closed".to_owned(),
        };
        self.log(session, operation.unwrap_or("(no more calls)"), &answer, bytes);
        self.put_session(session.clone());
        Ok(step.reply)
    }

    /// Ends a session whose calls do not come any more.
    pub(crate) async fn supersede(&mut self, mut session: Session) -> Result<(), EngineError> {
        let step = session.machine.clone().step(Event::Superseded);
        self.apply(&mut session, step, None).await?;
        Ok(())
    }

    async fn hand_out(
        &mut self,
        session: &mut Session,
        id: &MessageSetId,
    ) -> Result<(), EngineError> {
        let Some(message_set) = self.fresh.take().filter(|fresh| fresh.id == *id) else {
            return Err(missing(id));
        };
        let now = self.engine.now();
        for item in &message_set.items {
            match &item.subject {
                Subject::Record(key) => {
                    if let Some(mut record) = self.record(key).await? {
                        // A deletion says nothing of the data that QuickBooks has, a question neither.
                        let of_data = [Purpose::Delete, Purpose::Void, Purpose::Number];
                        if !of_data.contains(&item.purpose) {
                            record.sent = Some(item.digest);
                        }
                        record.due = None;
                        let note = match item.purpose {
                            Purpose::Number => "QuickBooks is asked who has its number",
                            _ => "handed to the Web Connector",
                        };
                        record.become_status(Status::Sent, now, note);
                        self.put_record(record);
                    }
                }
                Subject::Request(id) => {
                    if let Some(mut request) = self.request(*id).await? {
                        request.status = RequestStatus::Sent;
                        request.message_set = Some(message_set.id.clone());
                        request.updated_at = now;
                        self.put_request(request);
                    }
                }
            }
        }
        if message_set.writes {
            self.state.outstanding = Some(message_set.id.clone());
        }
        session.last = Some(message_set.id.clone());
        self.bytes = Some(message_set.qbxml.clone());
        self.put_message_set(message_set);
        Ok(())
    }

    async fn hand_out_again(
        &mut self,
        session: &mut Session,
        id: &MessageSetId,
    ) -> Result<(), EngineError> {
        let mut message_set = self.message_set(id).await?.ok_or_else(|| missing(id))?;
        message_set.handed_out += 1;
        message_set.progress = Progress::Sent;
        session.last = Some(id.clone());
        let mut bytes = message_set.qbxml.clone();
        if planted(Plant::RebuiltBytes) {
            bytes.push('\n');
        }
        self.bytes = Some(bytes);
        self.put_message_set(message_set);
        Ok(())
    }

    /// The answer will not come in this session. A write is recovered by sending it again; a query
    /// changed nothing, so it is asked anew.
    async fn doubt(&mut self, id: &MessageSetId) -> Result<(), EngineError> {
        let now = self.engine.now();
        let Some(mut message_set) = self.message_set(id).await? else {
            // The disk lost it. What it carried is the watchdog's; the session must not live for ever.
            self.state.outstanding = self.state.outstanding.take().filter(|it| it != id);
            return Ok(());
        };
        match message_set.progress {
            Progress::Settled => return Ok(()),
            // It was given up in this very step.
            Progress::Unknown => return self.close_settled(id).await,
            _ => {}
        }
        let writes = message_set.writes;
        if planted(Plant::DoubtForgotten) {
            self.state.outstanding = None;
        }
        // QuickBooks being closed is no fault of the question.
        let breaks = message_set.failure.as_ref().is_some_and(classify::may_be_the_requests_fault);
        let blamed = !writes && (message_set.failure.is_none() || breaks);
        message_set.progress = if writes { Progress::InDoubt } else { Progress::Dropped };
        for item in message_set.items.clone() {
            match item.subject {
                Subject::Record(key) => {
                    let Some(mut record) = self.record(&key).await? else { continue };
                    if writes {
                        let note = "the answer was lost; it will be asked for again";
                        record.become_status(Status::InDoubt, now, note);
                        self.put_record(record);
                    } else if item.purpose == Purpose::Number && blamed {
                        Box::pin(self.number_untold(record)).await?;
                    } else {
                        if breaks && record.tries >= MAX_BROKEN {
                            let why = "QuickBooks breaks off whenever it is asked about it";
                            let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                            Box::pin(self.fail(record, finding)).await?;
                            continue;
                        }
                        if breaks {
                            // The others go first.
                            record.sequence = 0;
                        }
                        if blamed {
                            record.due = Some(now + backoff::of_question(record.tries));
                            record.tries += 1;
                        }
                        self.again(record, "a question was lost");
                    }
                }
                Subject::Request(id) => {
                    let Some(mut request) = self.request(id).await? else { continue };
                    request.updated_at = now;
                    request.tries += u32::from(blamed);
                    request.status = match (writes, request.tries) {
                        (true, _) => RequestStatus::InDoubt,
                        (false, tries) if tries < MAX_LOST_QUERIES => RequestStatus::Queued,
                        (false, _) => {
                            let lost = Finding::new(Code::OutcomeUnknown).cause("query_lost");
                            request.findings = vec![lost];
                            RequestStatus::Failed
                        }
                    };
                    let failed = request.status == RequestStatus::Failed;
                    self.put_request(request.clone());
                    if failed {
                        let why = "QuickBooks' answer to the question was lost";
                        self.unanswered(&request, why).await?;
                    }
                }
            }
        }
        self.put_message_set(message_set);
        Ok(())
    }

    /// Writes everything, or nothing.
    pub(crate) async fn commit(&mut self) -> Result<(), EngineError> {
        let state = Change::PutState(self.state.clone());
        self.commit_with(vec![state]).await
    }

    /// Writes everything but the connection's state, which this step only read: it does not
    /// disturb a session at work.
    pub(crate) async fn commit_records(&mut self) -> Result<(), EngineError> {
        self.commit_with(Vec::new()).await
    }

    async fn commit_with(&mut self, mut changes: Vec<Change>) -> Result<(), EngineError> {
        if let Some(pause) = self.pause.take() {
            let detail = pause
                .alert
                .as_ref()
                .map(|finding| crate::diagnosis::render(finding).detail)
                .unwrap_or_default();
            self.connection.pause = Some(pause);
            changes.push(Change::PutConnection(self.connection.clone()));
            changes.push(Change::Note(Activity {
                connection: Some(self.connection.id.clone()),
                at: self.engine.now(),
                actor: Actor::ourselves().0,
                action: "paused the connection".to_owned(),
                subject: String::new(),
                detail,
            }));
        }
        let records = std::mem::take(&mut self.records).into_values();
        let records = records.filter_map(|(thing, dirty)| dirty.then_some(thing));
        changes.extend(records.map(|record| Change::PutRecord(Box::new(record))));
        let requests = std::mem::take(&mut self.requests).into_values();
        let requests = requests.filter_map(|(thing, dirty)| dirty.then_some(thing));
        changes.extend(requests.map(|request| Change::PutRequest(Box::new(request))));
        let sets = std::mem::take(&mut self.message_sets).into_values();
        let sets = sets.filter_map(|(thing, dirty)| dirty.then_some(thing));
        changes.extend(sets.map(|message_set| Change::PutMessageSet(Box::new(message_set))));
        changes.append(&mut self.changes);
        let guards = std::mem::take(&mut self.guards);
        if changes.is_empty() {
            return Ok(());
        }
        Ok(self.engine.store.commit(Commit { guards, changes }).await?)
    }
}

fn missing(id: &MessageSetId) -> EngineError {
    let what = format!("message set {id}");
    StoreError::Corrupt { what, why: "it is named, but not there".to_owned() }.into()
}
