//! Finds what is stuck, repairs what is safe, and tells of both.
//!
//! Nothing here should ever find anything: the simulation holds that. It is there for the day on
//! which a bug, a damaged disk or a restored data directory leaves a record where no event reaches it.

use tracing::warn;

use crate::domain::connection::Connection;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::store::RecordFilter;

/// Records looked at in one go.
const PAGE: usize = 200;

/// What was stuck, and what was done about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stuck {
    /// A message set is outstanding that is not in the store: forgotten, so that work goes on.
    LostMessageSet,
    /// A record was out, but no message set carries it and nobody asks for it: a person decides.
    Orphan(RecordKey),
    /// A record waited for nothing: looked at again.
    Forgotten(RecordKey),
}

impl Engine {
    /// Looks for what is stuck, in every connection.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn watch(&self) -> Result<Vec<Stuck>, EngineError> {
        let mut found = Vec::new();
        for connection in self.store.connections().await? {
            found.extend(until_settled!(self.find_outstanding(&connection))?);
            for status in [Status::Sent, Status::InDoubt, Status::Blocked] {
                self.watch_status(&connection, status, &mut found).await?;
            }
        }
        for stuck in &found {
            warn!("the watchdog found something stuck: {stuck:?}");
        }
        Ok(found)
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
        let Some(record) = work.record(key).await? else { return Ok(None) };
        let stuck = match record.status {
            Status::Sent | Status::InDoubt if !self.is_carried(&mut work, &record).await? => {
                let why = "no message set carries it any more";
                let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                let mut record = record;
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
        let actor = Actor("watchdog".to_owned());
        work.changes(vec![self.note(
            &connection.id,
            &actor,
            "set free what was stuck",
            &key.path(),
        )]);
        // The state is written too, unchanged: a session that moves at this moment is not overtaken.
        work.commit().await?;
        Ok(Some(stuck))
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
