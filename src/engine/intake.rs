//! Records put, checked, withdrawn.

use serde_json::Value;
use tracing::instrument;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::Revision;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Insisted;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::compose::digest_of;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::qbxml::schema::schema;
use crate::qbxml::text::nearest;

/// A record as an application puts it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// The qbXML object name.
    pub kind: String,
    /// The application's own key.
    pub source_id: String,
    /// The object; anything but a JSON object is refused.
    pub data: Value,
    /// False: keep it, do not send it yet.
    pub posted: bool,
    /// -1000 to 1000; higher goes first.
    pub priority: i32,
    /// `Kind/sourceId` of records that go before.
    pub depends_on: Vec<String>,
    /// What to do when the name is in use.
    pub on_duplicate: OnDuplicate,
}

/// What to do with a record that preflight refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Handling {
    /// Keep it as `failed`, so that a person sees it.
    Lenient,
    /// Keep nothing.
    Strict,
}

/// What a put did. The record is as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    /// It was not known.
    New(Record),
    /// It was known with other content.
    Changed(Record),
    /// It was known with the same content; nothing was written.
    Same(Record),
}

impl Put {
    /// The record as it stands now.
    pub fn record(&self) -> &Record {
        match self {
            Self::New(record) | Self::Changed(record) | Self::Same(record) => record,
        }
    }
}

/// Lines of a bulk put that become durable together.
const CHUNK: usize = 200;
/// Bounds of a record's priority.
const PRIORITY: std::ops::RangeInclusive<i32> = -1000..=1000;
/// Most members of `dependsOn`.
const MAX_DEPENDS_ON: usize = 100;

impl Engine {
    /// Puts one record. It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownKind`], [`EngineError::BadInput`] for a bad id, no object, a bad
    /// `dependsOn`; [`EngineError::Refused`] only with [`Handling::Strict`].
    #[instrument(name = "put", skip_all, fields(connection.name = %connection))]
    pub async fn put(
        &self,
        connection: &ConnectionId,
        new: NewRecord,
        handling: Handling,
        actor: &Actor,
    ) -> Result<Put, EngineError> {
        let put = self.put_many(connection, vec![new], handling, actor).await?.pop();
        put.unwrap_or_else(|| Err(EngineError::NotFound("result".to_owned())))
    }

    /// Puts many records in a few commits; one result each, in order. Later ones may refer to
    /// earlier ones.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`] and [`EngineError::Store`] for all; others stand in the results.
    #[instrument(name = "put_many", skip_all, fields(connection.name = %connection))]
    pub async fn put_many(
        &self,
        connection: &ConnectionId,
        new: Vec<NewRecord>,
        handling: Handling,
        actor: &Actor,
    ) -> Result<Vec<Result<Put, EngineError>>, EngineError> {
        let mut results = Vec::with_capacity(new.len());
        for chunk in new.chunks(CHUNK) {
            let keys = chunk.iter().filter_map(|new| names(connection, new).ok());
            let keys: Vec<RecordKey> = keys.map(|(key, _)| key).collect();
            let turn = self.turns.take(&keys).await;
            let (done, set_free) =
                until_settled!(self.put_chunk(connection, chunk, handling, actor))?;
            drop(turn);
            results.extend(done);
            for parent in set_free {
                self.wake(&parent).await?;
            }
        }
        Ok(results)
    }

    async fn put_chunk(
        &self,
        id: &ConnectionId,
        chunk: &[NewRecord],
        handling: Handling,
        actor: &Actor,
    ) -> Result<(Vec<Result<Put, EngineError>>, Vec<RecordKey>), EngineError> {
        let connection = self.connection(id).await?;
        let state = self.state(id).await?;
        let mut work = Work::new(self, connection, state);
        let mut results = Vec::with_capacity(chunk.len());
        for new in chunk {
            results.push(match self.accept_new(&mut work, new, handling).await {
                Err(error @ EngineError::Store(_)) => return Err(error),
                other => other,
            });
        }
        let changed = results.iter().filter_map(|result| match result {
            Ok(Put::New(record)) => Some(("put", record)),
            Ok(Put::Changed(record)) => Some(("changed", record)),
            _ => None,
        });
        let mut notes: Vec<_> = Vec::new();
        for (action, record) in changed {
            notes.push(self.note(id, actor, action, &record.key.path()));
        }
        // A bulk put is one line of the activity: thousands would hide what people did.
        if let [_, _, ..] = notes.as_slice() {
            let action = format!("put {} records", notes.len());
            notes = vec![self.note(id, actor, &action, "")];
        }
        work.changes(notes);
        // A record put again after it was withdrawn may be what others wait for.
        let set_free = work.settled.clone();
        work.commit_records().await?;
        Ok((results, set_free))
    }

    async fn accept_new(
        &self,
        work: &mut Work<'_>,
        new: &NewRecord,
        handling: Handling,
    ) -> Result<Put, EngineError> {
        let (key, depends_on) = names(&work.connection.id, new)?;
        let now = self.now();
        let digest = digest_of(&new.kind, &new.data);
        let old = work.record(&key).await?;
        let known = old.is_some();
        let mut record = match old {
            None => Record {
                key,
                revision: Revision::NEW,
                sequence: 0,
                data: Value::Null,
                digest,
                posted: new.posted,
                priority: new.priority,
                depends_on: Vec::new(),
                on_duplicate: new.on_duplicate,
                wanted: Wanted::Present,
                status: Status::Held,
                blocked_by: Vec::new(),
                due: None,
                tries: 0,
                refresh: false,
                alone: false,
                reference: None,
                former: None,
                gone_in: None,
                lost: None,
                sent: None,
                findings: Vec::new(),
                amendments: Vec::new(),
                insisted: Insisted::Nothing,
                number: None,
                asked: None,
                overruled_at: None,
                unedited_in: None,
                bypass_reason: None,
                created_at: now,
                updated_at: now,
                synced_at: None,
                timeline: Vec::new(),
            },
            Some(old) => {
                let same = old.digest == digest
                    && old.posted == new.posted
                    && old.priority == new.priority
                    && old.depends_on == depends_on
                    && old.on_duplicate == new.on_duplicate
                    && old.wanted == Wanted::Present
                    && old.status != Status::Withdrawn;
                let undone = same && work.is_to_be_undone(&old).await?;
                if same && !undone {
                    return Ok(Put::Same(old));
                }
                let mut old = old;
                if undone {
                    // Who puts it wants it there, and said so last.
                    old.asked = None;
                    old.become_status(old.status, now, "put again; it is not undone");
                }
                old
            }
        };
        let back = record.status == Status::Withdrawn;
        let content = record.digest != digest || record.wanted != Wanted::Present || !known;
        record.data.clone_from(&new.data);
        record.digest = digest;
        record.posted = new.posted;
        record.priority = new.priority;
        record.depends_on = depends_on;
        record.on_duplicate = new.on_duplicate;
        record.wanted = Wanted::Present;
        record.updated_at = now;
        if content {
            record.insisted = Insisted::Nothing;
            record.overruled_at = None;
            record.number = None;
            let searched = record.status == Status::InDoubt || record.lost.is_some();
            record.asked = record.asked.filter(|_| searched);
            record.unedited_in = None;
        }
        if handling == Handling::Strict {
            let findings = work.findings(&record).await?;
            if !findings.is_empty() {
                return Err(EngineError::Refused(findings));
            }
        }
        let stays = match record.status {
            Status::InDoubt if planted(Plant::PutWhileInDoubt) => false,
            // Its answer decides what comes next.
            // Or a person decided that it does not go.
            Status::Sent | Status::InDoubt | Status::Bypassed => true,
            // It may be there already: only a person may send it again.
            Status::Failed if is_unknown(&record) => true,
            Status::Synced => !content,
            _ => false,
        };
        if stays {
            work.put_record(record.clone());
        } else {
            if back {
                work.settled.push(record.key.clone());
            }
            let key = record.key.clone();
            work.place(record, if known { "changed" } else { "put" }).await?;
            record = work.record(&key).await?.ok_or(EngineError::NoRecord(key))?;
        }
        Ok(if known { Put::Changed(record) } else { Put::New(record) })
    }

    /// What a put would find wrong. Keeps nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::put_many`].
    pub async fn check(
        &self,
        connection: &ConnectionId,
        new: Vec<NewRecord>,
    ) -> Result<Vec<Result<Vec<Finding>, EngineError>>, EngineError> {
        let state = self.state(connection).await?;
        let mut work = Work::new(self, self.connection(connection).await?, state);
        let mut results = Vec::with_capacity(new.len());
        for new in &new {
            let put = self.accept_new(&mut work, new, Handling::Lenient).await;
            results.push(match put {
                Err(error @ EngineError::Store(_)) => return Err(error),
                Err(error) => Err(error),
                Ok(Put::Same(record)) => Ok(work.preflight(&record)),
                Ok(Put::New(record) | Put::Changed(record)) => Ok(record.findings),
            });
        }
        Ok(results)
    }
}

/// Whether nobody knows if QuickBooks has it.
pub(crate) fn is_unknown(record: &Record) -> bool {
    let said = record.findings.first().is_some_and(|it| it.code == Code::OutcomeUnknown);
    record.reference.is_none() && (said || record.lost.is_some())
}

/// Parses the names in a new record: its own, and those of records that go before.
fn names(
    connection: &ConnectionId,
    new: &NewRecord,
) -> Result<(RecordKey, Vec<RecordKey>), EngineError> {
    let bad =
        |pointer: &str, why: String| EngineError::BadInput { pointer: pointer.to_owned(), why };
    known_kind(&new.kind)?;
    let key = RecordKey::new(connection, &new.kind, &new.source_id)
        .map_err(|error| bad("/sourceId", error.to_string()))?;
    if !new.data.is_object() {
        return Err(bad("/data", "the member data must be a JSON object".to_owned()));
    }
    if !PRIORITY.contains(&new.priority) {
        let (least, most) = (PRIORITY.start(), PRIORITY.end());
        return Err(bad("/priority", format!("the priority is {least} to {most}")));
    }
    if new.depends_on.len() > MAX_DEPENDS_ON {
        let why = format!("dependsOn names at most {MAX_DEPENDS_ON} records");
        return Err(bad("/dependsOn", why));
    }
    let mut depends_on = Vec::new();
    for (index, path) in new.depends_on.iter().enumerate() {
        let pointer = format!("/dependsOn/{index}");
        let Some((kind, source_id)) = path.split_once('/') else {
            return Err(bad(&pointer, format!("{path:?} is not Kind/sourceId")));
        };
        known_kind(kind).map_err(|error| bad(&pointer, error.to_string()))?;
        let parent = RecordKey::new(connection, kind, source_id)
            .map_err(|error| bad(&pointer, error.to_string()))?;
        if parent == key {
            return Err(bad(&pointer, "a record cannot wait for itself".to_owned()));
        }
        depends_on.push(parent);
    }
    Ok((key, depends_on))
}

/// Refuses a kind that the schema does not have, with the nearest that it has.
pub(crate) fn known_kind(kind: &str) -> Result<(), EngineError> {
    if schema().kind(kind).is_some() {
        return Ok(());
    }
    let names = schema().kinds().map(|kind| kind.name);
    let nearest = nearest(kind, names).map(str::to_owned);
    Err(EngineError::UnknownKind { kind: kind.chars().take(100).collect(), nearest })
}
