//! Finds what is stuck, repairs what is safe, and tells of both: of a repair in the activity, of what
//! it cannot repair in the connection's health.
//!
//! Nothing here should ever find anything: the simulation holds that. It is there for the day on
//! which a bug, a damaged disk or a restored data directory leaves a record where no event reaches it.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;
use tracing::warn;

use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::domain::session::Session;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::store::Queued;
use crate::store::RecordFilter;

/// Records looked at in one go.
const PAGE: usize = 200;
/// A longer queue is compared with its records once it is shorter: it does not fit into memory.
const MAX_COMPARED: u64 = 50_000;
/// Nothing waits longer than this for its next try.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(2);
/// So many sessions are told that all is done before what was due then is stuck.
const MIN_SESSIONS: usize = 3;
/// Sessions looked at, the newest.
const SESSIONS: usize = 20;

/// What was stuck, and what was done about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stuck {
    /// A message set is outstanding that is not in the store: forgotten, so that work goes on.
    LostMessageSet,
    /// A record was out, but no message set carries it and nobody asks for it: a person decides.
    Orphan(RecordKey),
    /// A record waited for nothing: looked at again.
    Forgotten(RecordKey),
    /// A record was queued, but had no place in the queue: put at its end.
    Unlisted(RecordKey),
    /// The same of a request.
    UnlistedRequest(RequestId),
    /// A record was to wait longer than anything waits, because the clock was ahead: it may go now.
    TooLate(RecordKey),
    /// The same of a request.
    TooLateRequest(RequestId),
    /// A record is due, but sessions were told that all is done: the connection's health says so.
    PassedOver(RecordKey),
}

impl Engine {
    /// Looks for what is stuck, in every connection.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn watch(&self) -> Result<Vec<Stuck>, EngineError> {
        let mut found = Vec::new();
        let mut watched = Ok(());
        for connection in self.store.connections().await? {
            // What is wrong with one connection is not the others'.
            watched = watched.and(self.watch_one(&connection, &mut found).await);
        }
        for stuck in &found {
            warn!("the watchdog found something stuck: {stuck:?}");
        }
        watched.map(|()| found)
    }

    async fn watch_one(
        &self,
        connection: &Connection,
        found: &mut Vec<Stuck>,
    ) -> Result<(), EngineError> {
        found.extend(until_settled!(self.find_outstanding(connection))?);
        for status in [Status::Sent, Status::InDoubt, Status::Blocked] {
            self.watch_status(connection, status, found).await?;
        }
        self.watch_queue(connection, found).await?;
        let state = self.state(&connection.id).await?;
        let passed = self.passed_over(connection, &state).await?;
        found.extend(passed.into_iter().map(|(key, _)| Stuck::PassedOver(key)));
        Ok(())
    }

    async fn find_outstanding(
        &self,
        connection: &Connection,
    ) -> Result<Option<Stuck>, EngineError> {
        let state = self.state(&connection.id).await?;
        let Some(id) = state.outstanding.clone() else { return Ok(None) };
        if self.store.message_set(&id).await?.is_some() {
            return Ok(None);
        }
        let mut work = Work::new(self, connection.clone(), state);
        work.state.outstanding = None;
        let actor = Actor("watchdog".to_owned());
        let what = format!("message set {id} is not in the store");
        work.changes(vec![self.note(&connection.id, &actor, "forgot what is lost", &what)]);
        work.commit().await?;
        Ok(Some(Stuck::LostMessageSet))
    }

    async fn watch_status(
        &self,
        connection: &Connection,
        status: Status,
        found: &mut Vec<Stuck>,
    ) -> Result<(), EngineError> {
        let filter = RecordFilter { status: Some(status), ..RecordFilter::default() };
        let mut cursor = None;
        loop {
            let page = self.store.records(&connection.id, &filter, cursor.as_deref(), PAGE).await?;
            for record in page.items {
                let key = record.key;
                found.extend(until_settled!(self.watch_record(connection, &key))?);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn watch_record(
        &self,
        connection: &Connection,
        key: &RecordKey,
    ) -> Result<Option<Stuck>, EngineError> {
        let state = self.state(&connection.id).await?;
        let mut work = Work::new(self, connection.clone(), state);
        let Some(mut record) = work.record(key).await? else { return Ok(None) };
        let stuck = match record.status {
            Status::Sent | Status::InDoubt if !self.is_carried(&mut work, &record).await? => {
                let why = "no message set carries it any more";
                let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                record.asked = None;
                if record.reference.is_none() && record.lost.is_none() {
                    record.lost = Some(work.lost_of(&record).await?);
                }
                work.fail(record, finding).await?;
                Stuck::Orphan(key.clone())
            }
            Status::Blocked => match self.resolve_all(&mut work, &record).await? {
                Ok(_) => {
                    work.place(record, "nothing holds it").await?;
                    Stuck::Forgotten(key.clone())
                }
                Err(_) => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.set_free(work, &key.path()).await?;
        Ok(Some(stuck))
    }

    async fn set_free(&self, mut work: Work<'_>, what: &str) -> Result<(), EngineError> {
        let actor = Actor("watchdog".to_owned());
        let note = self.note(&work.connection.id, &actor, "set free what was stuck", what);
        work.changes(vec![note]);
        // The state is written too, unchanged: a session that moves at this moment is not overtaken.
        work.commit().await
    }

    /// Looks for what is queued and has no place in the queue, or one that never comes. Places are
    /// counted first, which costs little; where some are missing, all are compared.
    async fn watch_queue(
        &self,
        connection: &Connection,
        found: &mut Vec<Stuck>,
    ) -> Result<(), EngineError> {
        let counts = self.store.counts(&connection.id).await?;
        let waiting = counts.of(Status::Queued) + counts.requests_queued;
        if waiting == 0 || waiting > MAX_COMPARED {
            return Ok(());
        }
        let places = self.places(connection).await?;
        let latest = self.now() + LONGEST_WAIT;
        for place in places.iter().filter(|place| place.due.is_some_and(|due| due > latest)) {
            found.extend(until_settled!(self.not_so_late(connection, &place.subject, latest))?);
        }
        if places.len() as u64 >= waiting {
            return Ok(());
        }
        let filter = RecordFilter { status: Some(Status::Queued), ..RecordFilter::default() };
        let (mut queued, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.store.records(&connection.id, &filter, cursor.as_deref(), PAGE).await?;
            queued.extend(page.items.into_iter().map(|record| (record.key, record.revision)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut asked = Vec::new();
        loop {
            let page = self.store.requests(&connection.id, cursor.as_deref(), PAGE).await?;
            let waiting = page.items.into_iter().filter(|it| it.status == RequestStatus::Queued);
            asked.extend(waiting.map(|request| (request.id, request.revision)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        // Who was queued before the places were read, and still is, had one then.
        let places = self.places(connection).await?;
        let places: BTreeSet<_> = places.into_iter().map(|queued| queued.subject).collect();
        for (key, revision) in queued {
            if !places.contains(&Subject::Record(key.clone())) {
                found.extend(until_settled!(self.list_again(connection, &key, revision))?);
            }
        }
        for (id, revision) in asked {
            if !places.contains(&Subject::Request(id)) {
                found.extend(until_settled!(self.ask_again(connection, id, revision))?);
            }
        }
        Ok(())
    }

    async fn places(&self, connection: &Connection) -> Result<Vec<Queued>, EngineError> {
        let most = usize::try_from(MAX_COMPARED).unwrap_or(usize::MAX).saturating_mul(2);
        Ok(self.store.ready(&connection.id, Timestamp::MAX, most).await?)
    }

    /// What was to wait for a time that our clock was at once, and is not any more.
    async fn not_so_late(
        &self,
        connection: &Connection,
        subject: &Subject,
        latest: Timestamp,
    ) -> Result<Option<Stuck>, EngineError> {
        let state = self.state(&connection.id).await?;
        let mut work = Work::new(self, connection.clone(), state);
        let late = |due: Option<Timestamp>| due.is_some_and(|due| due > latest);
        let (stuck, what) = match subject {
            Subject::Record(key) => {
                let record = work.record(key).await?;
                let waits = |it: &Record| it.status == Status::Queued && late(it.due);
                let Some(mut record) = record.filter(waits) else { return Ok(None) };
                record.due = None;
                work.put_record(record);
                (Stuck::TooLate(key.clone()), key.path())
            }
            Subject::Request(id) => {
                let request = work.request(*id).await?;
                let waits = |it: &Request| it.status == RequestStatus::Queued && late(it.due);
                let Some(mut request) = request.filter(waits) else { return Ok(None) };
                request.due = None;
                work.put_request(request);
                (Stuck::TooLateRequest(*id), format!("request {id}"))
            }
        };
        self.set_free(work, &what).await?;
        Ok(Some(stuck))
    }

    async fn ask_again(
        &self,
        connection: &Connection,
        id: RequestId,
        seen: Revision,
    ) -> Result<Option<Stuck>, EngineError> {
        let state = self.state(&connection.id).await?;
        let mut work = Work::new(self, connection.clone(), state);
        let request = work.request(id).await?;
        let still = |it: &Request| it.status == RequestStatus::Queued && it.revision == seen;
        let Some(mut request) = request.filter(still) else { return Ok(None) };
        // A new number makes a new place.
        request.sequence = 0;
        request.updated_at = self.now();
        work.put_request(request);
        self.set_free(work, &format!("request {id}")).await?;
        Ok(Some(Stuck::UnlistedRequest(id)))
    }

    async fn list_again(
        &self,
        connection: &Connection,
        key: &RecordKey,
        seen: Revision,
    ) -> Result<Option<Stuck>, EngineError> {
        let state = self.state(&connection.id).await?;
        let mut work = Work::new(self, connection.clone(), state);
        let record = work.record(key).await?;
        let still = |it: &Record| it.status == Status::Queued && it.revision == seen;
        let Some(mut record) = record.filter(still) else { return Ok(None) };
        // A new number makes a new place.
        record.sequence = 0;
        record.become_status(Status::Queued, self.now(), "it had no place in the queue");
        work.put_record(record);
        self.set_free(work, &key.path()).await?;
        Ok(Some(Stuck::Unlisted(key.clone())))
    }

    /// Records at the head of the queue that sessions passed over, and since when each is due: they
    /// were due before the session began, and it was told that all is done. Nobody knows why, so
    /// nothing is repaired.
    pub(crate) async fn passed_over(
        &self,
        connection: &Connection,
        state: &ConnectorState,
    ) -> Result<Vec<(RecordKey, Timestamp)>, EngineError> {
        let mut passed = Vec::new();
        let waits = state.living.is_some() || state.outstanding.is_some();
        if waits || connection.pause.is_some() || connection.awaits_confirmation() {
            return Ok(passed);
        }
        let Some(success) = state.last_success_at else { return Ok(passed) };
        let mut told: Option<Vec<Session>> = None;
        for queued in self.store.ready(&connection.id, self.now(), PAGE).await? {
            let Subject::Record(key) = queued.subject else { continue };
            let Some(record) = self.store.record(&key).await? else { break };
            let since = record.due.map_or(record.updated_at, |due| due.max(record.updated_at));
            if record.status != Status::Queued || since >= success {
                break;
            }
            if told.is_none() {
                let sessions = self.store.sessions(&connection.id, None, SESSIONS).await?.items;
                told = Some(sessions.into_iter().filter(|it| it.machine.finished).collect());
            }
            let later = told.iter().flatten().filter(|session| session.started_at > since);
            if later.count() < MIN_SESSIONS {
                break;
            }
            passed.push((key, since));
        }
        Ok(passed)
    }

    /// Whether an event will come that settles a record that is out.
    async fn is_carried(&self, work: &mut Work<'_>, record: &Record) -> Result<bool, EngineError> {
        if work.waits(record).await? {
            return Ok(true);
        }
        let living = match work.state.living {
            Some(session) => self.store.session(session).await?,
            None => None,
        };
        let ids = [work.state.outstanding.clone(), living.and_then(|session| session.last)];
        for id in ids.into_iter().flatten() {
            let Some(message_set) = work.message_set(&id).await? else { continue };
            let carries = message_set
                .items
                .iter()
                .any(|item| matches!(&item.subject, Subject::Record(key) if *key == record.key));
            if carries {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
