//! Where a record that is not out belongs: held, blocked, failed, or in the queue.
//!
//! A record may go when everything that it refers to has a place in QuickBooks. The parents are read
//! under a guard, so that one that settles at the same moment makes the step run again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::ids::Revision;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::NumberCheck;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::compose;
use crate::engine::known::Knowledge;
use crate::engine::known::Places;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::qbxml::build;
use crate::qbxml::build::Resolved;
use crate::qbxml::check;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;
use crate::store::Guard;
use crate::store::StoreError;

/// A chain of waiting records longer than this is not searched for a cycle: the search is bounded,
/// and a cycle that long still only waits.
const MAX_CHAIN: usize = 500;
/// Customers have at most five levels (OSR, `CustomerAdd`).
const MAX_LEVELS: usize = 5;
/// Children woken in one commit.
const WAKE_CHUNK: usize = 200;

impl Engine {
    /// Where each `{"source": …}` of a record stands in QuickBooks, or who is missing.
    pub(crate) async fn resolve_all(
        &self,
        work: &mut Work<'_>,
        record: &Record,
    ) -> Result<Result<BTreeMap<String, Resolved>, Vec<RecordKey>>, EngineError> {
        let mut resolved = BTreeMap::new();
        let mut missing = Vec::new();
        if matches!(record.wanted, Wanted::Deleted | Wanted::Voided) {
            return Ok(Ok(resolved));
        }
        for source in sources(&record.key.connection, &record.amended()) {
            match self.resolve(work, &source).await? {
                Some(place) => {
                    resolved.insert(source.path(), place);
                }
                None => missing.push(source),
            }
        }
        for before in &record.depends_on {
            let parent = work.parent(before).await?;
            let done = parent
                .is_some_and(|parent| matches!(parent.status, Status::Synced | Status::Bypassed));
            if !done && !missing.contains(before) {
                missing.push(before.clone());
            }
        }
        Ok(if missing.is_empty() { Ok(resolved) } else { Err(missing) })
    }

    async fn resolve(
        &self,
        work: &mut Work<'_>,
        key: &RecordKey,
    ) -> Result<Option<Resolved>, EngineError> {
        let Some(parent) = work.parent(key).await? else { return Ok(None) };
        let gone = matches!(parent.wanted, Wanted::Deleted | Wanted::Withdrawn)
            && parent.status != Status::Bypassed;
        if gone {
            return Ok(None);
        }
        if let Some(reference) = &parent.reference {
            return Ok(Some(Resolved::Id(reference.id.clone())));
        }
        if parent.status != Status::Bypassed {
            return Ok(None);
        }
        Ok(self.full_name(work, parent).await?.map(Resolved::FullName))
    }

    /// The name under which a bypassed list object stands in QuickBooks already.
    async fn full_name(
        &self,
        work: &mut Work<'_>,
        record: Record,
    ) -> Result<Option<String>, EngineError> {
        let is_list =
            schema().kind(&record.key.kind).is_some_and(|kind| kind.identity == Identity::List);
        let mut data = record.amended().into_owned();
        let mut name = match data.get("Name").and_then(Value::as_str) {
            Some(name) if is_list => name.trim().to_owned(),
            _ => return Ok(None),
        };
        for _ in 1..MAX_LEVELS {
            let Some(parent) = data.get("ParentRef") else { break };
            if let Some(above) = parent.get("FullName").and_then(Value::as_str) {
                name = format!("{above}:{name}");
                break;
            }
            let above = sources(&record.key.connection, parent);
            let Some(above) = above.first() else { return Ok(None) };
            let Some(above) = work.parent(above).await? else { return Ok(None) };
            data = above.amended().into_owned();
            let Some(above_name) = data.get("Name").and_then(Value::as_str) else {
                return Ok(None);
            };
            name = format!("{}:{name}", above_name.trim());
        }
        Ok(Some(name))
    }
}

impl Work<'_> {
    /// A record that another refers to. It must not change before this step is written.
    async fn parent(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let found = self.record(key).await?;
        let revision = found.as_ref().map_or(Revision::NEW, |record| record.revision);
        if !self.writes_record(key) {
            self.guard(Guard::Record(key.clone(), revision));
        }
        Ok(found)
    }

    /// Checks a record that is not out, and puts it where it belongs.
    pub(crate) async fn place(&mut self, mut record: Record, why: &str) -> Result<(), EngineError> {
        let now = self.engine.now();
        self.remember_lost(&mut record).await?;
        record.due = None;
        record.tries = 0;
        record.alone = false;
        record.number = record.number.filter(NumberCheck::is_doubted);
        record.blocked_by.clear();
        record.findings.clear();
        if record.is_over() {
            self.again(record, why);
            return Ok(());
        }
        if record.reference.is_none()
            && let Some(lost) = record.lost.clone()
        {
            return Box::pin(self.look_first(record, lost)).await;
        }
        record.asked = None;
        let going = matches!(record.wanted, Wanted::Deleted | Wanted::Voided);
        let findings = if going { Vec::new() } else { self.preflight(&record) };
        if !findings.is_empty() {
            return self.keep_back(record, findings, "QuickBooks would refuse it").await;
        }
        if !record.posted && !going {
            record.become_status(Status::Held, now, "waits to be posted");
            self.put_record(record);
            return Ok(());
        }
        let places = match self.engine.resolve_all(self, &record).await? {
            Ok(places) => places,
            Err(missing) => return Box::pin(self.block(record, missing)).await,
        };
        if record.wanted == Wanted::Present {
            Box::pin(self.number_anew(&mut record, &places)).await?;
            match self.known(&record, &places).await? {
                Knowledge::Fine => {}
                Knowledge::Same(same) => return Box::pin(self.link(record, &same.id)).await,
                Knowledge::Wrong(findings) => {
                    return self
                        .keep_back(record, findings, "what QuickBooks has stands against it")
                        .await;
                }
            }
        }
        if !planted(Plant::RequeueWithoutSequence) {
            record.sequence = 0;
        }
        record.become_status(Status::Queued, now, why);
        self.put_record(record);
        Ok(())
    }

    /// The record does not go: these findings say why, with what would help.
    pub(crate) async fn keep_back(
        &mut self,
        mut record: Record,
        mut findings: Vec<Finding>,
        note: &str,
    ) -> Result<(), EngineError> {
        for finding in &mut findings {
            self.propose(&record, finding).await?;
        }
        record.blocked_by = because_of(&record.key, &findings);
        let key = record.key.clone();
        let asks = self.asks_payments(&key, &mut findings).await?;
        let first = findings.first().filter(|_| asks).cloned();
        record.findings = findings;
        record.due = None;
        record.become_status(Status::Failed, self.engine.now(), note);
        self.put_record(record);
        match first {
            Some(paid) => Box::pin(self.follow_up(&key, &paid)).await,
            None => Ok(()),
        }
    }

    /// The record waits for others.
    async fn block(
        &mut self,
        mut record: Record,
        missing: Vec<RecordKey>,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        // What stands against it whatever it waits for is said at once.
        if let Knowledge::Wrong(findings) = self.known(&record, &Places::new()).await? {
            let note = "what QuickBooks has stands against it";
            return self.keep_back(record, findings, note).await;
        }
        if let Some(circle) = self.circle(&record.key, &missing).await? {
            record.findings = vec![circle];
            record.blocked_by = missing;
            record.become_status(Status::Failed, now, "waits for itself");
        } else {
            let names: Vec<_> = missing.iter().map(RecordKey::path).collect();
            let note = format!("waits for {}", names.join(", "));
            record.blocked_by = missing;
            record.become_status(Status::Blocked, now, &note);
        }
        self.put_record(record);
        Ok(())
    }

    /// Everything that stands against a record now, with what would help; nothing is changed.
    pub(crate) async fn findings(&mut self, record: &Record) -> Result<Vec<Finding>, EngineError> {
        let mut findings = self.preflight(record);
        if findings.is_empty() {
            let places = self.engine.resolve_all(self, record).await?.unwrap_or_default();
            if let Knowledge::Wrong(known) = self.known(record, &places).await? {
                findings = known;
            }
        }
        for finding in &mut findings {
            self.propose(record, finding).await?;
        }
        Ok(findings)
    }

    /// What QuickBooks would refuse, as far as the record alone tells.
    pub(crate) fn preflight(&self, record: &Record) -> Vec<Finding> {
        let target = compose::target(self.state.host.as_ref());
        let amended = record.amended();
        let mut findings = check::check(&record.key.kind, &amended, &target);
        let refers = sources(&record.key.connection, &amended);
        if refers.iter().chain(&record.depends_on).any(|key| *key == record.key) {
            let path = record.key.path();
            let itself = Finding::new(Code::CircularReference).cause("itself").fact("record", path);
            findings.push(itself);
        }
        findings.extend(names_another(record));
        let kind = schema().kind(&record.key.kind);
        let changes = record.reference.is_some() && record.sent != Some(record.digest);
        if findings.is_empty() && changes && kind.is_some_and(|kind| kind.modify.is_none()) {
            findings.push(
                Finding::new(Code::FeatureNotAvailable)
                    .cause("no_mod")
                    .fact("kind", &record.key.kind),
            );
        }
        findings
    }

    /// Whether a record would wait for itself: follows who waits for whom.
    async fn circle(
        &mut self,
        start: &RecordKey,
        missing: &[RecordKey],
    ) -> Result<Option<Finding>, EngineError> {
        let mut seen = BTreeSet::new();
        let mut next = missing.to_vec();
        while let Some(key) = next.pop() {
            if key == *start {
                return Ok(Some(
                    Finding::new(Code::CircularReference)
                        .fact("record", start.path())
                        .fact("others", missing[0].path()),
                ));
            }
            if seen.len() >= MAX_CHAIN || !seen.insert(key.clone()) {
                continue;
            }
            if let Some(record) = self.parent(&key).await? {
                next.extend(record.blocked_by);
            }
        }
        Ok(None)
    }

    /// Looks again at the records that wait for what this step settled; how many may go now.
    pub(crate) async fn wake(&mut self) -> Result<u64, EngineError> {
        let mut woken = 0;
        for parent in std::mem::take(&mut self.settled) {
            woken += self.engine.wake(&parent).await?;
        }
        for problem in std::mem::take(&mut self.gone) {
            // On the heap: it is long, and every caller's future would carry it.
            woken += Box::pin(self.engine.free_all(&self.connection.id, problem)).await?;
        }
        Ok(woken)
    }
}

impl Engine {
    /// Looks again at the records that wait for this one; how many may go now. Safe to repeat.
    pub(crate) async fn wake(&self, parent: &RecordKey) -> Result<u64, EngineError> {
        let mut woken = 0;
        if planted(Plant::ForgetChildren) {
            return Ok(woken);
        }
        loop {
            let children = self.store.waiting_for(parent, WAKE_CHUNK).await?;
            let (freed, moved) = until_settled!(self.look_again(parent, &children))?;
            woken += freed;
            if moved == 0 || children.len() < WAKE_CHUNK {
                return Ok(woken);
            }
        }
    }

    /// How many children may go, and how many no longer wait for this parent.
    async fn look_again(
        &self,
        parent: &RecordKey,
        children: &[RecordKey],
    ) -> Result<(u64, u64), EngineError> {
        if children.is_empty() {
            return Ok((0, 0));
        }
        let connection = self.connection(&parent.connection).await?;
        let state = self.state(&parent.connection).await?;
        let mut work = Work::new(self, connection, state);
        let (mut freed, mut moved) = (0, 0);
        for key in children {
            let Some(mut child) = work.record(key).await? else { continue };
            if !matches!(child.status, Status::Blocked | Status::Failed) {
                continue;
            }
            match self.resolve_all(&mut work, &child).await? {
                Ok(_) => {
                    work.place(child, &format!("{} is there", parent.path())).await?;
                    freed += 1;
                    moved += 1;
                }
                Err(missing) if missing != child.blocked_by => {
                    child.blocked_by = missing;
                    moved += u64::from(!child.blocked_by.contains(parent));
                    work.put_record(child);
                }
                Err(_) => {}
            }
        }
        work.commit_records().await?;
        Ok((freed, moved))
    }
}

/// The records of ours because of which a record cannot go: when one of them changes, it is looked
/// at again.
fn because_of(key: &RecordKey, findings: &[Finding]) -> Vec<RecordKey> {
    let sources = findings.iter().filter(|finding| {
        matches!(finding.cause.as_str(), "source_not_there" | "source_without_id")
    });
    let named = sources.filter_map(|finding| {
        let (kind, source_id) = finding.facts.get("value")?.split_once('/')?;
        RecordKey::new(&key.connection, kind, source_id).ok()
    });
    named.collect()
}

/// The records that data refers to, each once.
pub(crate) fn sources(connection: &ConnectionId, data: &Value) -> Vec<RecordKey> {
    let mut keys = Vec::new();
    for reference in build::references(data) {
        if let Ok(key) = RecordKey::new(connection, &reference.kind, &reference.source_id)
            && !keys.contains(&key)
        {
            keys.push(key);
        }
    }
    keys
}

/// Data that names an object of QuickBooks at which the record does not stand: sent as it is, the
/// name would be dropped, and a second object made.
fn names_another(record: &Record) -> Option<Finding> {
    let member = schema().kind(&record.key.kind)?.identity.element()?;
    let amended = record.amended();
    let id = amended.get(member)?.as_str().map(str::trim).filter(|id| !id.is_empty())?;
    if record.reference.as_ref().is_some_and(|reference| reference.id == id) {
        return None;
    }
    let finding = Finding::new(Code::InvalidValue).cause("names_an_object");
    let mut finding = finding.at(format!("/data/{member}")).fact("field", member).fact("value", id);
    finding.candidates = vec![Candidate {
        id: id.to_owned(),
        kind: record.key.kind.clone(),
        name: record.name().unwrap_or_default().to_owned(),
        ..Candidate::default()
    }];
    Some(finding)
}
