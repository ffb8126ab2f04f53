//! How a connection is: in one word, in one sentence, and what helps.

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::diagnosis;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::connection::Host;
use crate::domain::ids::ConnectionId;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::compose;
use crate::engine::explain::Problem;
use crate::qbxml::version::Edition;
use crate::store::Counts;
use crate::store::Order;
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
    /// What QuickBooks told of itself; `None` before its first session.
    pub host: Option<Host>,
}

/// A Web Connector that is this many intervals late is offline.
const OFFLINE_INTERVALS: i64 = 6;
/// It is late after two intervals: one is the schedule, one is a session at work.
const LATE_INTERVALS: i64 = 2;
/// Problems of which the biggest is told.
const PROBLEMS: usize = 5;
/// Words with which sentences of the catalogue begin that are no names of fields.
const COMMON: &[&str] = &[
    "A",
    "An",
    "Another",
    "Changed",
    "Fields",
    "In",
    "It",
    "Its",
    "Lines",
    "More",
    "Neither",
    "No",
    "Nobody",
    "Not",
    "Somebody",
    "Something",
    "The",
    "There",
    "These",
    "This",
    "Two",
    "Waits",
    "What",
];
/// Internal errors of QuickBooks, of so many records, that point at its file.
const BREAKS: u64 = 3;
/// Places in the queue that are looked at for the oldest.
const PAGE: usize = 500;

impl Engine {
    /// The edition of the QuickBooks behind a connection; the usual one until it has told.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn edition(&self, connection: &ConnectionId) -> Result<Edition, EngineError> {
        Ok(compose::target(self.state(connection).await?.host.as_ref()).edition)
    }

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
        let lost = counts.of(Status::InDoubt)
            + if state.living.is_none() { counts.of(Status::Sent) } else { 0 };
        let waiting =
            Waiting { records: counts.of(Status::Queued), requests: counts.requests_queued, lost };
        let oldest = self.oldest_waiting(id, &state).await?;
        let (health, summary, mut findings) = judge(&connection, &state, waiting, now, interval);
        let mut summary = match summary {
            Some(summary) => summary,
            None => self.left_over(id, &counts).await?,
        };
        let stuck = self.stuck(&connection, &state).await?;
        for finding in stuck.into_iter().chain(self.breaks(id).await?) {
            summary = format!("{summary} {}", diagnosis::render(&finding).detail);
            findings.push(finding);
        }
        Ok(Health {
            state: health,
            summary,
            last_seen_at: state.last_seen_at,
            next_expected_at,
            counts,
            oldest_waiting_at: oldest,
            findings,
            host: state.host,
        })
    }

    /// What is not in QuickBooks although the connection works: in one sentence, the biggest problem
    /// first.
    async fn left_over(&self, id: &ConnectionId, counts: &Counts) -> Result<String, EngineError> {
        let count = |status| counts.of(status);
        let (failed, blocked) = (count(Status::Failed), count(Status::Blocked));
        let (mut left, mut told) = (Vec::new(), (0, 0));
        if failed > 0 {
            let problems = self.problems(id, PROBLEMS).await?;
            if let Some(biggest) = problems.first() {
                left.push(cause(biggest));
                told = (biggest.count, biggest.waiting);
            }
        } else if blocked > 0 {
            let filter = RecordFilter {
                status: Some(Status::Blocked),
                order: Order::Oldest,
                ..RecordFilter::default()
            };
            let oldest = self.store.records(id, &filter, None, 1).await?.items;
            if let Some(record) = oldest.first() {
                let why = self.reasons(record).await?.first().map(why).unwrap_or_default();
                left.push(format!("{} is not in QuickBooks yet: {why}", record.key.path()));
                told = (0, 1);
            }
        }
        let more = |count: u64, one: &str, many: &str| match (count, left.is_empty()) {
            (0, _) => None,
            (1, true) => Some(format!("1 record {one}")),
            (1, false) => Some(format!("1 more {one}")),
            (count, true) => Some(format!("{count} records {many}")),
            (count, false) => Some(format!("{count} more {many}")),
        };
        let rest = [
            more(failed.saturating_sub(told.0), "needs a person", "need a person"),
            more(blocked.saturating_sub(told.1), "waits for another", "wait for others"),
            some_held(count(Status::Held)),
        ];
        left.extend(rest.into_iter().flatten());
        Ok(if failed + blocked > 0 {
            one_sentence(&left)
        } else {
            let held = left.first().map(|held| format!(" {held}.")).unwrap_or_default();
            format!("Everything that can be sent is in QuickBooks.{held}")
        })
    }

    /// Records at which QuickBooks itself breaks, if there are so many that it is rather its file.
    async fn breaks(&self, id: &ConnectionId) -> Result<Option<Finding>, EngineError> {
        let group = Finding::new(Code::InternalError).cause("internal_error").group();
        let problems = self.store.problems(id).await?;
        let count = problems.iter().find(|it| it.0 == group).map_or(0, |it| it.1);
        let finding = Finding::new(Code::CompanyFileDamaged).cause("repeated_errors");
        Ok((count >= BREAKS).then(|| finding.fact("count", count)))
    }

    /// What the watchdog cannot repair.
    async fn stuck(
        &self,
        connection: &Connection,
        state: &ConnectorState,
    ) -> Result<Option<Finding>, EngineError> {
        let passed = self.passed_over(connection, state).await?;
        Ok(passed.first().map(|(first, since)| {
            let finding = Finding::new(Code::InternalError).cause("passed_over");
            let finding = finding.fact("record", first.path()).fact("since", spoken(*since));
            match passed.len() {
                1 => finding,
                count => finding.fact("count", count),
            }
        }))
    }

    /// When what has waited longest came into the queue, or was sent and never answered.
    async fn oldest_waiting(
        &self,
        id: &ConnectionId,
        state: &ConnectorState,
    ) -> Result<Option<Timestamp>, EngineError> {
        let lost = match &state.outstanding {
            Some(set) => self.store.message_set(set).await?.map(|set| set.sent_at),
            None => None,
        };
        let queue = self.store.ready(id, Timestamp::MAX, PAGE).await?;
        let records = queue.into_iter().filter_map(|queued| match queued.subject {
            Subject::Record(key) => Some((queued.sequence, key)),
            Subject::Request(_) => None,
        });
        // Places in the queue are given in the order in which records came into it.
        let first = match records.min_by_key(|(sequence, _)| *sequence) {
            Some((_, key)) => self.store.record(&key).await?.map(|record| record.updated_at),
            None => None,
        };
        Ok(lost.into_iter().chain(first).min())
    }
}

/// A time in a sentence.
fn spoken(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What nobody has released yet.
fn some_held(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 record is held until it is posted".to_owned()),
        count => Some(format!("{count} records are held until they are posted")),
    }
}

/// A problem as the reason why records are not in QuickBooks: a sentence without its stop.
fn cause(problem: &Problem) -> String {
    let Problem { count, waiting, .. } = *problem;
    if count == 1 {
        let (example, why) = (problem.example.path(), why(&problem.finding));
        return match waiting {
            0 => format!("{example} failed: {why}"),
            1 => format!("1 record waits for {example}, which failed: {why}"),
            _ if problem.looked_at_all => {
                format!("{waiting} records wait for {example}, which failed: {why}")
            }
            _ => format!("At least {waiting} records wait for {example}, which failed: {why}"),
        };
    }
    let least = if problem.looked_at_all { "" } else { "at least " };
    let behind = match waiting {
        0 => String::new(),
        1 => ", and 1 more waits for them".to_owned(),
        _ => format!(", and {least}{waiting} more wait for them"),
    };
    if let Some(object) = problem.object() {
        return format!("{count} records wait for {object}{behind}");
    }
    let title = diagnosis::render(&problem.finding).title;
    format!("{count} records failed{behind}: {}", inside(&title))
}

/// Pieces as one sentence; after a question another begins.
fn one_sentence(pieces: &[String]) -> String {
    let told = pieces.join("; ").replace("?; ", "? ");
    if told.ends_with('?') { told } else { format!("{told}.") }
}

/// What happened, in one sentence that goes on after a colon.
fn why(finding: &Finding) -> String {
    let words = diagnosis::render(finding);
    let detail = words.detail.trim_end_matches('.');
    inside(if detail.contains(". ") { &words.title } else { detail })
}

/// A sentence inside another: its first word is small where it is no name.
fn inside(sentence: &str) -> String {
    let first = sentence.split(' ').next().unwrap_or_default();
    if COMMON.contains(&first) {
        first.to_lowercase() + &sentence[first.len()..]
    } else {
        sentence.to_owned()
    }
}

/// What the next session has to do.
#[derive(Clone, Copy)]
struct Waiting {
    /// Records in the queue.
    records: u64,
    /// Requests in the queue, of applications and our own.
    requests: u64,
    /// Records whose answer was lost.
    lost: u64,
}

impl Waiting {
    fn summary(self) -> String {
        let lost = match self.lost {
            0 => String::new(),
            1 => "The answer to 1 record was lost; the next session of the Web Connector asks for \
                  it first."
                .to_owned(),
            lost => format!(
                "The answers to {lost} records were lost; the next session of the Web Connector \
                 asks for them first."
            ),
        };
        let some = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let records = some(self.records, "record", "records");
        let requests = some(self.requests, "request to QuickBooks", "requests to QuickBooks");
        let queued: Vec<_> = records.into_iter().chain(requests).collect();
        let waits = if self.records + self.requests == 1 { "waits" } else { "wait" };
        match (queued.is_empty(), self.lost) {
            (true, _) => lost,
            (false, 0) => {
                format!(
                    "{} {waits} for the next session of the Web Connector.",
                    queued.join(" and ")
                )
            }
            (false, _) => format!("{lost} Behind it, {} {waits}.", queued.join(" and ")),
        }
    }
}

/// That a person has to confirm the company file.
fn unconfirmed(state: &ConnectorState) -> String {
    let open = state.host.as_ref().map_or("", |host| host.company_file.as_str());
    let open = if open.is_empty() { String::new() } else { format!(" ({open})") };
    format!("Nothing is written until the company file{open} is confirmed on the pairing page.")
}

/// The most likely reason first, in one word and one sentence; `None` where the connection works, and
/// what is left over says why.
fn judge(
    connection: &Connection,
    state: &ConnectorState,
    waiting: Waiting,
    now: Timestamp,
    interval: SignedDuration,
) -> (HealthState, Option<String>, Vec<Finding>) {
    if let Some(pause) = &connection.pause {
        return if let Some(alert) = &pause.alert {
            let why = diagnosis::render(alert).detail;
            let summary = format!("Paused until a person resumes it: {why}");
            (HealthState::Paused, Some(summary), vec![alert.clone()])
        } else {
            let summary = "Paused by a person; nothing is sent until it is resumed.";
            (HealthState::Paused, Some(summary.to_owned()), Vec::new())
        };
    }
    let failed_login = state.last_login_failed_at.map(|at| {
        Finding::new(Code::ConnectorLoginFailed)
            .fact("at", spoken(at))
            .fact("username", &connection.username)
    });
    let Some(seen) = state.last_seen_at else {
        return if let Some(finding) = failed_login {
            let summary = diagnosis::render(&finding).detail;
            (HealthState::Blocked, Some(summary), vec![finding])
        } else {
            let summary = "No Web Connector has logged in yet: install the .qwc file, type the \
                           password, tick the box and press Update Selected.";
            let finding = Finding::new(Code::ConnectorOffline).cause("never_paired");
            (HealthState::NeverPaired, Some(summary.to_owned()), vec![finding])
        };
    };
    if let Some(trouble) = state.trouble.clone().or(failed_login) {
        let summary = diagnosis::render(&trouble).detail;
        return (HealthState::Blocked, Some(summary), vec![trouble]);
    }
    if connection.awaits_confirmation() {
        return (HealthState::Waiting, Some(unconfirmed(state)), Vec::new());
    }
    let silent = now.duration_since(seen);
    let minutes = silent.as_mins();
    let offline =
        Finding::new(Code::ConnectorOffline).fact("minutes", minutes).fact("since", spoken(seen));
    let grace = interval.as_secs().max(60);
    if silent.as_secs() > grace * OFFLINE_INTERVALS {
        let summary = diagnosis::render(&offline).detail;
        return (HealthState::Offline, Some(summary), vec![offline]);
    }
    if silent.as_secs() > grace * LATE_INTERVALS {
        let summary = format!(
            "The Web Connector last called {minutes} minutes ago; it is expected every {} min.",
            connection.every_minutes
        );
        return (HealthState::Late, Some(summary), vec![offline]);
    }
    if state.living.is_some() {
        let summary = "A session is at work.".to_owned();
        return (HealthState::Ok, Some(summary), Vec::new());
    }
    if waiting.records + waiting.requests + waiting.lost > 0 {
        return (HealthState::Waiting, Some(waiting.summary()), Vec::new());
    }
    (HealthState::Ok, None, Vec::new())
}
