//! Health, problems, attempts: what people look at.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::diagnosis;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Said;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::qbxml::response;
use crate::store::Counts;
use crate::store::RecordFilter;

/// How a connection is, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HealthState {
    /// It works.
    Ok,
    /// Work waits for the next session, which is not overdue.
    Waiting,
    /// The next session is overdue.
    Late,
    /// No call for long.
    Offline,
    /// Sessions come, but QuickBooks or its access refuses.
    Blocked,
    /// No Web Connector ever logged in.
    NeverPaired,
    /// A person or an alert paused it.
    Paused,
}

impl HealthState {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Waiting => "waiting",
            Self::Late => "late",
            Self::Offline => "offline",
            Self::Blocked => "blocked",
            Self::NeverPaired => "never_paired",
            Self::Paused => "paused",
        }
    }
}

/// How a connection is.
#[derive(Clone, Debug)]
pub struct Health {
    /// In one word.
    pub state: HealthState,
    /// In one sentence.
    pub summary: String,
    /// The Web Connector's last call.
    pub last_seen_at: Option<Timestamp>,
    /// When it should come next.
    pub next_expected_at: Option<Timestamp>,
    /// How many records stand where.
    pub counts: Counts,
    /// When what waits longest was put.
    pub oldest_waiting_at: Option<Timestamp>,
    /// What keeps it from working, if anything does.
    pub findings: Vec<Finding>,
}

/// Failures of one cause.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The finding of the example: its code, cause and facts.
    pub finding: Finding,
    /// How many records have it.
    pub count: u64,
    /// One of them.
    pub example: RecordKey,
    /// How many records wait behind them.
    pub waiting: u64,
    /// Since when the oldest of them fails.
    pub since: Timestamp,
}

impl Problem {
    /// The same in one sentence.
    pub fn summary(&self) -> String {
        let fact = |name: &str| self.finding.facts.get(name).map(String::as_str);
        let records =
            if self.count == 1 { "1 record".to_owned() } else { format!("{} records", self.count) };
        let verb = if self.count == 1 { "waits" } else { "wait" };
        let since = self.since.strftime("%Y-%m-%d");
        let said = match (self.finding.code, fact("kind"), fact("value")) {
            (Code::InactiveReference, Some(kind), Some(value)) => {
                format!(
                    "{records} {verb} for {kind} \u{201c}{value}\u{201d}, which is inactive, since {since}."
                )
            }
            (Code::ReferenceNotFound, Some(kind), Some(value)) => format!(
                "{records} {verb} for {kind} \u{201c}{value}\u{201d}, which QuickBooks does not find, since {since}."
            ),
            _ => {
                let title = diagnosis::render(&self.finding).title;
                format!("{records} since {since}: {title}.")
            }
        };
        let behind = match self.waiting {
            0 => String::new(),
            1 => " 1 more waits behind it.".to_owned(),
            more => format!(" {more} more wait behind them."),
        };
        said + &behind
    }
}

/// One time that a record went out.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The message set that carried it.
    pub message_set: MessageSetId,
    /// What it was to do.
    pub purpose: Purpose,
    /// Where the message set stands.
    pub progress: Progress,
    /// How often the message set was handed out.
    pub handed_out: u32,
    /// First handed out.
    pub sent_at: Timestamp,
    /// Answer applied.
    pub settled_at: Option<Timestamp>,
    /// What QuickBooks, or the Web Connector, said.
    pub said: Option<Said>,
    /// The record's own `…Rq`.
    pub request_xml: String,
    /// The record's own `…Rs`, if it is here.
    pub response_xml: Option<String>,
}

/// A Web Connector that is this many intervals late is offline.
const OFFLINE_INTERVALS: i64 = 6;
/// It is late after two intervals: one is the schedule, one is a session at work.
const LATE_INTERVALS: i64 = 2;
/// Records looked at in one go.
const PAGE: usize = 500;
/// Attempts shown.
const ATTEMPTS: usize = 50;
/// Records counted behind one that failed.
const MAX_WAITING: usize = 1000;

impl Engine {
    /// How a connection is.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn health(&self, id: &ConnectionId) -> Result<Health, EngineError> {
        let connection = self.connection(id).await?;
        let state = self.state(id).await?;
        let counts = self.store.counts(id).await?;
        let now = self.now();
        let interval = SignedDuration::from_mins(i64::from(connection.every_minutes));
        let next_expected_at = state.last_seen_at.map(|seen| seen + interval);
        let waiting = counts.of(Status::Queued) + counts.requests_queued;
        let oldest = self.oldest_waiting(id).await?;
        let (health, mut summary, findings) = judge(&connection, &state, waiting, now, interval);
        if health == HealthState::Ok && state.living.is_none() {
            summary.push_str(&left_over(&counts));
        }
        Ok(Health {
            state: health,
            summary,
            last_seen_at: state.last_seen_at,
            next_expected_at,
            counts,
            oldest_waiting_at: oldest,
            findings,
        })
    }

    /// When the record at the head of the queue was last changed: how long it has waited.
    async fn oldest_waiting(&self, id: &ConnectionId) -> Result<Option<Timestamp>, EngineError> {
        let mut oldest: Option<Timestamp> = None;
        for queued in self.store.ready(id, Timestamp::MAX, PAGE).await? {
            if let Subject::Record(key) = queued.subject
                && let Some(record) = self.store.record(&key).await?
            {
                let at = record.updated_at;
                oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
            }
        }
        Ok(oldest)
    }

    /// Failures grouped by cause, biggest first.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn problems(&self, id: &ConnectionId) -> Result<Vec<Problem>, EngineError> {
        self.connection(id).await?;
        let failed = RecordFilter { status: Some(Status::Failed), ..RecordFilter::default() };
        let mut problems: BTreeMap<(Code, String, String), Problem> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.store.records(id, &failed, cursor.as_deref(), PAGE).await?;
            for record in page.items {
                let waiting = self.store.waiting_for(&record.key, MAX_WAITING).await?.len() as u64;
                let Some(finding) = record.findings.into_iter().next() else { continue };
                // The object that many records miss is one problem, whatever they are themselves.
                let object = match finding.code {
                    Code::ReferenceNotFound | Code::InactiveReference => {
                        finding.facts.get("value").cloned().unwrap_or_default()
                    }
                    _ => String::new(),
                };
                let group = (finding.code, finding.cause.clone(), object);
                let problem = problems.entry(group).or_insert_with(|| Problem {
                    finding,
                    count: 0,
                    example: record.key,
                    waiting: 0,
                    since: record.updated_at,
                });
                problem.count += 1;
                problem.waiting += waiting;
                problem.since = problem.since.min(record.updated_at);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut problems: Vec<_> = problems.into_values().collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.count + problem.waiting));
        Ok(problems)
    }

    /// Every time that a record went out, oldest first; at most the last 50.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoRecord`].
    pub async fn attempts(&self, key: &RecordKey) -> Result<Vec<Attempt>, EngineError> {
        if self.store.record(key).await?.is_none() {
            return Err(EngineError::NoRecord(key.clone()));
        }
        let mut attempts = Vec::new();
        for message_set in self.store.message_sets_of(key, ATTEMPTS).await? {
            let subject = Subject::Record(key.clone());
            let Some(item) = message_set.items.iter().find(|item| item.subject == subject) else {
                continue;
            };
            let request_xml = response::fragment(message_set.qbxml.as_bytes(), &item.request_id)
                .unwrap_or_default();
            let response_xml = match &message_set.response {
                Some(body) => response::fragment(self.store.open_body(body)?, &item.request_id),
                None => None,
            };
            attempts.push(Attempt {
                message_set: message_set.id.clone(),
                purpose: item.purpose,
                progress: message_set.progress,
                handed_out: message_set.handed_out,
                sent_at: message_set.sent_at,
                settled_at: message_set.settled_at,
                said: item.said.clone().or_else(|| message_set.failure.clone()),
                request_xml,
                response_xml,
            });
        }
        Ok(attempts)
    }
}

/// What is not in QuickBooks although the connection works.
fn left_over(counts: &Counts) -> String {
    let some = |status: Status, one: &str, many: &str| match counts.of(status) {
        0 => None,
        1 => Some(format!("1 record {one}")),
        count => Some(format!("{count} records {many}")),
    };
    let left = [
        some(Status::Failed, "needs a person", "need a person"),
        some(Status::Blocked, "waits for another", "wait for others"),
        some(Status::Held, "is held until it is posted", "are held until they are posted"),
    ];
    let left: Vec<_> = left.into_iter().flatten().collect();
    if left.is_empty() { String::new() } else { format!(" {}.", left.join(", ")) }
}

/// The most likely reason first, in one word and one sentence.
fn judge(
    connection: &Connection,
    state: &ConnectorState,
    waiting: u64,
    now: Timestamp,
    interval: SignedDuration,
) -> (HealthState, String, Vec<Finding>) {
    if let Some(pause) = &connection.pause {
        return if let Some(alert) = &pause.alert {
            let why = diagnosis::render(alert).detail;
            let summary = format!("Paused until a person resumes it: {why}");
            (HealthState::Paused, summary, vec![alert.clone()])
        } else {
            let summary = "Paused by a person; nothing is sent until it is resumed.";
            (HealthState::Paused, summary.to_owned(), Vec::new())
        };
    }
    let failed_login = state.last_login_failed_at.map(|at| {
        Finding::new(Code::ConnectorLoginFailed)
            .fact("at", at)
            .fact("username", &connection.username)
    });
    let Some(seen) = state.last_seen_at else {
        return if let Some(finding) = failed_login {
            let summary = diagnosis::render(&finding).detail;
            (HealthState::Blocked, summary, vec![finding])
        } else {
            let summary = "No Web Connector has logged in yet: install the .qwc file, type the \
                           password, tick the box and press Update Selected.";
            (HealthState::NeverPaired, summary.to_owned(), Vec::new())
        };
    };
    if let Some(trouble) = state.trouble.clone().or(failed_login) {
        let summary = diagnosis::render(&trouble).detail;
        return (HealthState::Blocked, summary, vec![trouble]);
    }
    let silent = now.duration_since(seen);
    let minutes = silent.as_mins();
    let offline = Finding::new(Code::ConnectorOffline).fact("minutes", minutes).fact("since", seen);
    let grace = interval.as_secs().max(60);
    if silent.as_secs() > grace * OFFLINE_INTERVALS {
        let summary = diagnosis::render(&offline).detail;
        return (HealthState::Offline, summary, vec![offline]);
    }
    if silent.as_secs() > grace * LATE_INTERVALS {
        let summary = format!(
            "The Web Connector last called {minutes} minutes ago; its interval is {} minutes.",
            connection.every_minutes
        );
        return (HealthState::Late, summary, vec![offline]);
    }
    if state.living.is_some() {
        let summary = "A session is at work.".to_owned();
        return (HealthState::Ok, summary, Vec::new());
    }
    if waiting > 0 {
        let summary = format!("{waiting} wait for the next session of the Web Connector.");
        return (HealthState::Waiting, summary, Vec::new());
    }
    (HealthState::Ok, "Everything that can be sent is in QuickBooks.".to_owned(), Vec::new())
}
