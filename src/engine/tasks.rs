//! Decisions about many records, done behind the caller's back, with progress.
//!
//! A task lives in memory: every decision of it is on disk by itself and safe to make again, so a
//! restart in the middle loses nothing but the count.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::Timestamp;
use tracing::instrument;
use uuid::Uuid;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Action;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Pressed;
use crate::engine::ambient;
use crate::engine::intake::is_unknown;
use crate::engine::operate::check_reason;
use crate::engine::preview;
use crate::store::RecordFilter;

/// A decision about many records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BulkAction {
    /// As [`Action::Retry`].
    Retry,
    /// As [`Action::Bypass`], with a reason of its own.
    Bypass,
    /// As [`Action::ResetReference`].
    ResetReference,
    /// As [`Action::Fix`], where the diagnosis offers it.
    Fix(Pressed),
}

/// The reason of a bypass of many for which nobody gave one.
pub const MATCHED: &str = "bypassed with all that match a filter";
/// Records looked at in one go.
const PAGE: usize = 500;
/// Tasks that are remembered; the oldest are forgotten.
const MAX_TASKS: usize = 100;

/// How far a task is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Task {
    /// Its name in paths.
    pub id: Uuid,
    /// Whose records.
    pub connection: ConnectionId,
    /// Records that matched.
    pub total: u64,
    /// Records looked at.
    pub looked_at: u64,
    /// Records that were changed; for the others it made no sense any more.
    pub done: u64,
    /// Why it broke off, if it did.
    pub error: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl BulkAction {
    /// Whether it changes what all records of a problem wait for, so that one of them is enough.
    fn frees_all(&self) -> bool {
        match self {
            Self::Fix(pressed) => matches!(pressed.id.as_str(), "reactivate" | "create-missing"),
            Self::Retry | Self::Bypass | Self::ResetReference => false,
        }
    }

    /// Whether it makes sense for a record. What is on its way needs nobody: it is meant only by a
    /// filter that names its status.
    fn fits(&self, record: &Record, named: bool) -> bool {
        match self {
            // What nobody knows the outcome of is decided one by one.
            Self::Retry => match record.status {
                Status::Failed => !is_unknown(record),
                Status::Queued | Status::Blocked => named,
                _ => false,
            },
            Self::Fix(pressed) => preview::fits(record, pressed),
            Self::Bypass => match record.status {
                Status::Failed | Status::Blocked | Status::Held => true,
                Status::Queued => named,
                _ => false,
            },
            Self::ResetReference => {
                matches!(record.status, Status::Failed | Status::Synced)
                    && record.reference.is_some()
            }
        }
    }
}

impl Engine {
    /// Does a decision for all records that match; how many there are. Records for which it makes no
    /// sense now are left as they are and not counted.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::Store`].
    #[instrument(name = "act_on_all", skip_all, fields(connection.name = %connection))]
    pub async fn act_on_all(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        action: BulkAction,
        reason: &str,
        only_count: bool,
        actor: &Actor,
    ) -> Result<u64, EngineError> {
        let matching = self.matching(connection, filter, &action).await?;
        if action == BulkAction::Bypass && !only_count {
            check_reason(reason)?;
        }
        if only_count {
            return Ok(matching.len() as u64);
        }
        let (mut done, mut mended) = (0, BTreeSet::new());
        for (key, problem) in matching {
            // The one that mends it for all has to be done; another one may do it else.
            let mends = problem.is_none() || !mended.contains(&problem);
            let did = !mends || self.act_on_one(&key, &action, reason, actor).await?;
            if did {
                mended.insert(problem);
            }
            done += u64::from(did);
        }
        Ok(done)
    }

    /// The records for which a decision makes sense. The keys first: deciding moves records between
    /// the pages of the list. With the problem that they share, if deciding about one frees them all.
    pub(crate) async fn matching(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        action: &BulkAction,
    ) -> Result<Vec<(RecordKey, Option<Group>)>, EngineError> {
        self.connection(connection).await?;
        let mut matching = Vec::new();
        // What is on its way frees all of its problem: nothing is pressed again.
        let mut under_way = BTreeSet::new();
        let mut cursor = None;
        loop {
            let page = self.store.records(connection, filter, cursor.as_deref(), PAGE).await?;
            let named = filter.status;
            if action.frees_all() {
                let asked = page.items.iter().filter(|record| record.asked.is_some());
                under_way.extend(asked.filter_map(Record::problem));
            }
            let fits = page.items.into_iter();
            let fits = fits.filter(|record| action.fits(record, named == Some(record.status)));
            matching.extend(fits.map(|record| {
                let problem = record.problem().filter(|_| action.frees_all());
                (record.key, problem)
            }));
            cursor = page.next;
            if cursor.is_none() {
                matching.retain(|(_, problem)| problem.is_none_or(|it| !under_way.contains(&it)));
                return Ok(matching);
            }
        }
    }

    /// Does a decision for one of many; whether it made sense for it.
    pub(crate) async fn act_on_one(
        &self,
        key: &RecordKey,
        action: &BulkAction,
        reason: &str,
        actor: &Actor,
    ) -> Result<bool, EngineError> {
        let one = match action {
            BulkAction::Retry => Action::Retry,
            BulkAction::ResetReference => Action::ResetReference,
            BulkAction::Bypass => Action::Bypass { reason: reason.to_owned(), reference: None },
            BulkAction::Fix(pressed) => Action::Fix(pressed.clone()),
        };
        match self.act(key, one, actor).await {
            Ok(_) => Ok(true),
            Err(
                EngineError::NotNow(_) | EngineError::NoRecord(_) | EngineError::BadInput { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// All tasks of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Arc<Mutex<BTreeMap<Uuid, Task>>>);

impl Tasks {
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<Uuid, Task>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, task: Task) {
        self.change(|tasks| {
            tasks.insert(task.id, task);
            while tasks.len() > MAX_TASKS {
                tasks.pop_first();
            }
        });
    }

    fn update(&self, id: Uuid, update: impl FnOnce(&mut Task)) {
        self.change(|tasks| tasks.get_mut(&id).map(update));
    }
}

/// Tells whether the same records match.
fn mark(matching: &[(RecordKey, Option<Group>)]) -> String {
    let mut paths: Vec<_> = matching.iter().map(|(key, _)| key.path()).collect();
    paths.sort_unstable();
    Digest::of(paths.join("\n").as_bytes()).short()
}

impl Engine {
    /// How many records a decision about all that match would change, the first `most` of them, and
    /// what tells whether they are still the same.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::Store`].
    pub async fn examples_of_all(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        action: &BulkAction,
        most: usize,
    ) -> Result<(u64, Vec<Record>, String), EngineError> {
        let matching = self.matching(connection, filter, action).await?;
        let mut examples = Vec::new();
        for (key, _) in matching.iter().take(most) {
            examples.extend(self.store.record(key).await?);
        }
        Ok((matching.len() as u64, examples, mark(&matching)))
    }

    /// Begins a decision about all records that match, and answers at once.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::Store`].
    pub async fn begin_on_all(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        action: BulkAction,
        reason: String,
        actor: &Actor,
    ) -> Result<Task, EngineError> {
        if action == BulkAction::Bypass {
            check_reason(&reason)?;
        }
        let matching = self.matching(connection, filter, &action).await?;
        Ok(self.begin(connection, matching, action, reason, actor))
    }

    /// The same, if what matches is what was counted; else nothing begins.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::Store`].
    pub async fn begin_on_counted(
        &self,
        connection: &ConnectionId,
        filter: &RecordFilter,
        action: BulkAction,
        reason: String,
        counted: &str,
        actor: &Actor,
    ) -> Result<Option<Task>, EngineError> {
        if action == BulkAction::Bypass {
            check_reason(&reason)?;
        }
        let matching = self.matching(connection, filter, &action).await?;
        let same = mark(&matching) == counted;
        Ok(same.then(|| self.begin(connection, matching, action, reason, actor)))
    }

    fn begin(
        &self,
        connection: &ConnectionId,
        matching: Vec<(RecordKey, Option<Group>)>,
        action: BulkAction,
        reason: String,
        actor: &Actor,
    ) -> Task {
        let task = Task {
            id: ambient::time_ordered(self.ambient.as_ref()),
            connection: connection.clone(),
            total: matching.len() as u64,
            looked_at: 0,
            done: 0,
            error: None,
            started_at: self.now(),
            ended_at: None,
        };
        self.tasks.add(task.clone());
        let (engine, actor, id) = (self.clone(), actor.clone(), task.id);
        tokio::spawn(async move { engine.work_off(id, matching, action, reason, actor).await });
        task
    }

    async fn work_off(
        self,
        id: Uuid,
        matching: Vec<(RecordKey, Option<Group>)>,
        action: BulkAction,
        reason: String,
        actor: Actor,
    ) {
        let (mut error, mut mended) = (None, BTreeSet::new());
        for (key, problem) in matching {
            // The one that mends it for all has to be done; another one may do it else.
            let mends = problem.is_none() || !mended.contains(&problem);
            let acted = if mends {
                self.act_on_one(&key, &action, &reason, &actor).await
            } else {
                Ok(true)
            };
            if matches!(acted, Ok(true)) {
                mended.insert(problem);
            }
            match acted {
                Ok(changed) => self.tasks.update(id, |task| {
                    task.looked_at += 1;
                    task.done += u64::from(changed);
                }),
                Err(why) => {
                    error = Some(why.to_string());
                    break;
                }
            }
        }
        let now = self.now();
        self.tasks.update(id, |task| {
            task.error = error;
            task.ended_at = Some(now);
        });
    }

    /// A number that grows whenever any task moves on.
    pub fn tasks_moved(&self) -> u64 {
        self.tasks.change(|tasks| {
            tasks.values().map(|it| 1 + it.looked_at + u64::from(it.ended_at.is_some())).sum()
        })
    }

    /// How far a task is.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`] if it is another connection's, or was forgotten.
    pub fn task(&self, connection: &ConnectionId, id: Uuid) -> Result<Task, EngineError> {
        let found = self.tasks.change(|tasks| tasks.get(&id).cloned());
        let found = found.filter(|task| task.connection == *connection);
        found.ok_or_else(|| EngineError::NotFound(format!("task {id}")))
    }
}
