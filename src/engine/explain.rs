//! Health, problems, attempts: what people look at.

use jiff::Timestamp;

use crate::diagnosis;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Group;
use crate::domain::outcome::Said;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::gone;
use crate::qbxml::response;

/// Failures of one cause.
#[derive(Clone, Debug)]
pub struct Problem {
    /// By which lists and decisions name it.
    pub id: Group,
    /// The finding of the example: its code, cause and facts.
    pub finding: Finding,
    /// How many records have it.
    pub count: u64,
    /// One of them.
    pub example: RecordKey,
    /// How many records wait behind them, as far as it was looked.
    pub waiting: u64,
    /// Whether all of them were looked at.
    pub looked_at_all: bool,
    /// Since when the oldest of them fails, as far as it was looked.
    pub since: Timestamp,
}

impl Problem {
    /// The same in one sentence.
    pub fn summary(&self) -> String {
        let records =
            if self.count == 1 { "1 record".to_owned() } else { format!("{} records", self.count) };
        let verb = if self.count == 1 { "waits" } else { "wait" };
        let since = self.since.strftime("%Y-%m-%d");
        let said = if let Some(object) = self.object() {
            format!("{records} {verb} for {object}, since {since}.")
        } else {
            let title = diagnosis::render(&self.finding).title;
            format!("{title}: {records} since {since}.")
        };
        said + &self.behind()
    }

    /// The object of QuickBooks that all of them need, and what is wrong with it, if that is the
    /// problem.
    pub(crate) fn object(&self) -> Option<String> {
        let fact = |name: &str| self.finding.facts.get(name);
        let wrong = match self.finding.code {
            Code::InactiveReference => "is inactive",
            Code::ReferenceNotFound => "QuickBooks does not find",
            _ => return None,
        };
        Some(format!("{} “{}”, which {wrong}", fact("kind")?, fact("value")?))
    }

    /// What waits for these records, if anything does: a sentence with a blank before it.
    pub fn behind(&self) -> String {
        let them = if self.count == 1 { "it" } else { "them" };
        let least = if self.looked_at_all { "" } else { "At least " };
        match self.waiting {
            0 => String::new(),
            1 => format!(" {least}1 more waits behind {them}."),
            more => format!(" {least}{more} more wait behind {them}."),
        }
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

/// Records of all problems that are looked at for what waits and since when.
const LOOKED_AT: usize = 1000;
/// The oldest records of a problem that are looked at.
const LOOKED_AT_EACH: usize = 50;
/// Attempts shown.
const ATTEMPTS: usize = 50;
/// Records counted behind one that failed.
const MAX_WAITING: usize = 100;

impl Engine {
    /// The biggest problems, at most `most`: what fails and what waits behind it.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn problems(
        &self,
        id: &ConnectionId,
        most: usize,
    ) -> Result<Vec<Problem>, EngineError> {
        self.connection(id).await?;
        let mut counts = self.store.problems(id).await?;
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.truncate(most);
        let looked_at = (LOOKED_AT / counts.len().max(1)).clamp(1, LOOKED_AT_EACH);
        let mut problems = Vec::new();
        for (problem, count) in counts {
            let failing = self.store.failing(id, problem, looked_at).await?;
            let mut waiting = 0;
            for record in &failing {
                waiting += self.store.waiting_for(&record.key, MAX_WAITING).await?.len() as u64;
            }
            let looked_at_all = failing.len() as u64 >= count && waiting < MAX_WAITING as u64;
            let since = failing.iter().map(|record| record.updated_at).min();
            let Some((example, since)) = failing.into_iter().next().zip(since) else { continue };
            let Some(finding) = example.findings.into_iter().next() else { continue };
            problems.push(Problem {
                id: problem,
                finding,
                count,
                example: example.key,
                waiting,
                looked_at_all,
                since,
            });
        }
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.count + problem.waiting));
        Ok(problems)
    }

    /// Why a record is not in QuickBooks: what is stored with it, or, while it waits, for what.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn reasons(&self, record: &Record) -> Result<Vec<Finding>, EngineError> {
        Ok(match (record.status, record.blocked_by.first()) {
            (Status::Blocked, Some(first)) => {
                let parent = self.store.record(first).await?;
                let more = record.blocked_by.len() - 1;
                vec![waits(first, parent.as_ref(), more)]
            }
            (Status::InDoubt, _) => vec![recovering(record)],
            _ => record.findings.clone(),
        })
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

/// Whether the next session asks QuickBooks for the object at which a person linked a record.
pub fn asks_for_link(record: &Record) -> bool {
    let unconfirmed = record.reference.as_ref().is_some_and(Reference::is_unconfirmed);
    let told = !record.findings.is_empty();
    unconfirmed && !told && record.status == Status::Synced && gone::query_at(record).is_some()
}

/// For whom a record waits.
fn waits(key: &RecordKey, parent: Option<&Record>, more: usize) -> Finding {
    let finding = Finding::new(Code::WaitsForRecord).fact("record", key.path());
    let more = if more > 0 { more.to_string() } else { String::new() };
    let finding = finding.fact("more", more);
    match parent {
        None => finding.cause("not_pushed"),
        Some(parent) if parent.status == Status::Failed => {
            let why = parent.findings.first().map(|first| diagnosis::render(first).title);
            finding.cause("failed").fact("why", why.unwrap_or_default())
        }
        Some(parent) => finding.fact("status", parent.status),
    }
}

/// What is done about a lost answer.
fn recovering(record: &Record) -> Finding {
    let cause = if record.asked.is_some() { "searched" } else { "recovering" };
    Finding::new(Code::OutcomeUnknown).cause(cause)
}
