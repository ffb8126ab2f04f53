//! The next message set, from what is ready.
//!
//! A write and a query never share a message set, and a raw request has one of its own: recovery is
//! a thing of the whole message set. What cannot be written now leaves the queue with its reason, in
//! the same commit.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::domain::connection::Host;
use crate::domain::ids::Digest;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Insisted;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::OnError;
use crate::domain::request::RequestStatus;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::known::Knowledge;
use crate::engine::pages;
use crate::engine::work::Work;
use crate::qbxml::build;
use crate::qbxml::build::Build;
use crate::qbxml::build::Operation;
use crate::qbxml::request;
use crate::qbxml::version::Edition;
use crate::qbxml::version::Target;
use crate::qbxml::version::Version;

/// How many message sets' worth of records may drop out before the session is asked to come again.
const MAX_ROUNDS: usize = 40;

/// Characters of a message-set id that stand in its `requestID`s.
const MARK: usize = 8;

/// A message set in the making.
struct Draft {
    /// Before the number of each request: no two message sets have equal `requestID`s, so an answer
    /// to one is no answer to another.
    mark: String,
    items: Vec<Item>,
    requests: Vec<String>,
    /// The highest version that a request in it needs.
    needs: Version,
    writes: Option<bool>,
    on_error: OnError,
}

impl Draft {
    fn new(id: &MessageSetId) -> Self {
        let (_, mark) = id.as_str().split_at(id.as_str().len() - MARK);
        Self {
            mark: mark.to_owned(),
            items: Vec::new(),
            requests: Vec::new(),
            needs: Version::FIRST,
            writes: None,
            on_error: OnError::default(),
        }
    }

    /// Whether one more of this sort may go with what is there.
    fn takes(&self, writes: bool) -> bool {
        self.writes.is_none_or(|those| those == writes)
    }
}

/// What the host of a connection understands.
pub(crate) fn target(host: Option<&Host>) -> Target {
    let usual = Target::default();
    host.map_or(usual, |host| Target {
        version: Version::parse(&host.qbxml_version).unwrap_or(usual.version),
        edition: Edition::parse(&host.country).unwrap_or(usual.edition),
    })
}

impl Engine {
    /// Writes the next message set out, if anything is ready. The records that it carries are
    /// loaded in `work`, and handed out when the machine says so.
    pub(crate) async fn compose(
        &self,
        work: &mut Work<'_>,
        session: SessionId,
    ) -> Result<Option<MessageSet>, EngineError> {
        let target = target(work.state.host.as_ref());
        let bits = if planted(Plant::SameMessageSetId) { 7 } else { self.ambient.bits() };
        let id = MessageSetId::from_bits(bits);
        let mut draft = Draft::new(&id);
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_ROUNDS {
            let groups = work.state.splits.len();
            let candidates = self.candidates(work, &seen).await?;
            if candidates.is_empty() {
                break;
            }
            // Questions go first and together: else each would cut a message set of writes in two.
            let waiting = self.add_questions(work, &mut draft, &candidates, &target).await?;
            if !draft.items.is_empty() {
                if work.state.splits.len() < groups {
                    // It is still a half of what was refused.
                    work.state.splits.push(candidates);
                }
                break;
            }
            for subject in candidates {
                seen.insert(subject.clone());
                if waiting.contains(&subject) {
                    continue;
                }
                if draft.items.len() >= self.settings.message_set_size
                    || !self.add(work, &mut draft, &subject, &target, session).await?
                {
                    break;
                }
            }
            if !draft.items.is_empty() {
                break;
            }
        }
        if draft.items.is_empty() {
            return Ok(None);
        }
        let writes = draft.writes.unwrap_or(true);
        let old = work.state.acknowledge.as_ref().filter(|_| writes);
        let qbxml = request::message_set(
            Version::declared(target.version, draft.needs).unwrap_or(draft.needs),
            writes.then_some(id.as_str()),
            old.map(MessageSetId::as_str),
            draft.on_error,
            draft.requests.iter().map(String::as_str),
        );
        Ok(Some(MessageSet {
            id,
            revision: Revision::NEW,
            connection: work.connection.id.clone(),
            session,
            writes,
            qbxml,
            items: draft.items,
            progress: Progress::Sent,
            handed_out: 1,
            unreadable: 0,
            sent_at: self.now(),
            settled_at: None,
            response: None,
            failure: None,
        }))
    }

    /// Adds the questions for the numbers of the documents that come next; those that wait for
    /// another one first.
    async fn add_questions(
        &self,
        work: &mut Work<'_>,
        draft: &mut Draft,
        candidates: &[Subject],
        target: &Target,
    ) -> Result<BTreeSet<Subject>, EngineError> {
        let mut waiting = BTreeSet::new();
        for subject in candidates {
            let Subject::Record(key) = subject else { break };
            let Some(record) = work.record(key).await? else { continue };
            let writes = matches!(purpose(&record), Purpose::Add | Purpose::Mod);
            if record.status != Status::Queued || !writes {
                continue;
            }
            if Box::pin(work.waits_for_rival(&record)).await? {
                waiting.insert(subject.clone());
                continue;
            }
            let Some(raw) = work.number_question(&record, *target).await? else { continue };
            let full = draft.items.len() >= self.settings.message_set_size;
            if full || (record.alone && !draft.items.is_empty()) {
                break;
            }
            let request_id = format!("{}-{}", draft.mark, draft.items.len() + 1);
            let numbered = format!("requestID=\"{request_id}\"");
            draft.writes = Some(false);
            draft.needs = draft.needs.max(raw.version);
            draft.requests.push(raw.xml.replacen("requestID=\"1\"", &numbered, 1));
            draft.items.push(Item {
                request_id,
                subject: subject.clone(),
                purpose: Purpose::Number,
                digest: record.digest,
                lines: Vec::new(),
                said: None,
            });
            if record.alone {
                break;
            }
        }
        Ok(waiting)
    }

    /// What may go next: the last half of a refused message set, else the head of the queue.
    async fn candidates(
        &self,
        work: &mut Work<'_>,
        seen: &BTreeSet<Subject>,
    ) -> Result<Vec<Subject>, EngineError> {
        if work.connection.awaits_confirmation() {
            let question = self.question_of(&work.connection).await?;
            return Ok(question.into_iter().filter(|subject| !seen.contains(subject)).collect());
        }
        while let Some(group) = work.state.splits.pop() {
            let left: Vec<_> =
                group.into_iter().filter(|subject| !seen.contains(subject)).collect();
            if !left.is_empty() {
                return Ok(left);
            }
        }
        let limit = self.settings.message_set_size + seen.len();
        let queued = self.store.ready(&work.connection.id, self.now(), limit).await?;
        let fresh = queued.into_iter().map(|queued| queued.subject);
        Ok(fresh.filter(|subject| !seen.contains(subject)).collect())
    }

    /// Adds a subject to the draft. False if it must wait for another message set.
    async fn add(
        &self,
        work: &mut Work<'_>,
        draft: &mut Draft,
        subject: &Subject,
        target: &Target,
        session: SessionId,
    ) -> Result<bool, EngineError> {
        match subject {
            Subject::Record(key) => {
                let Some(mut record) = work.record(key).await? else { return Ok(true) };
                if record.status != Status::Queued {
                    return Ok(true);
                }
                let told_before = record.gone_in.is_some_and(|gone_in| gone_in != session);
                if told_before && !planted(Plant::GoneForEver) {
                    record.gone_in = None;
                    work.put_record(record.clone());
                }
                let purpose = purpose(&record);
                let undone = matches!(purpose, Purpose::Delete | Purpose::Void)
                    && record.unedited_in.is_some_and(|told_in| told_in != session);
                if undone {
                    work.undo_again(record)?;
                    return Ok(true);
                }
                let alone = record.alone;
                if !draft.takes(purpose != Purpose::Refresh) || (alone && !draft.items.is_empty()) {
                    return Ok(false);
                }
                self.add_record(work, draft, record, purpose, target).await?;
                Ok(!alone)
            }
            Subject::Request(id) => {
                if !draft.items.is_empty() {
                    return Ok(false);
                }
                let Some(mut request) = work.request(*id).await? else { return Ok(true) };
                if request.status != RequestStatus::Queued {
                    return Ok(true);
                }
                draft.writes = Some(request.writes);
                draft.on_error = request.on_error;
                draft.needs = Version::parse(&request.version).unwrap_or(Version::FIRST);
                let mut written = pages::next(&mut request, session);
                if request.about.is_some() {
                    // An application's own ids are for it to read; its queries change nothing.
                    let marked = format!("Rq requestID=\"{}-", draft.mark);
                    written = written.replace("Rq requestID=\"", &marked);
                }
                draft.requests.push(written);
                draft.items.push(Item {
                    request_id: String::new(),
                    subject: subject.clone(),
                    purpose: Purpose::Raw,
                    digest: request.digest,
                    lines: Vec::new(),
                    said: None,
                });
                work.put_request(request);
                Ok(false)
            }
        }
    }

    async fn add_record(
        &self,
        work: &mut Work<'_>,
        draft: &mut Draft,
        mut record: Record,
        purpose: Purpose,
        target: &Target,
    ) -> Result<(), EngineError> {
        let adds = purpose == Purpose::Add;
        if record.is_over() || (adds && (record.wanted != Wanted::Present || record.lost.is_some()))
        {
            return Box::pin(work.place(record, "to be taken out of QuickBooks")).await;
        }
        let Ok(resolved) = self.resolve_all(work, &record).await? else {
            // A parent went away after the record was queued.
            return Box::pin(work.place(record, "a record that it refers to went away")).await;
        };
        if matches!(purpose, Purpose::Add | Purpose::Mod) {
            if Box::pin(work.number_anew(&mut record, &resolved)).await? {
                // Its new number is another question.
                record.number = None;
                work.put_record(record);
                return Ok(());
            }
            // The world may have changed since it was put.
            match work.known(&record, &resolved).await? {
                Knowledge::Fine => {}
                Knowledge::Same(same) => return work.link(record, &same.id).await,
                Knowledge::Wrong(findings) => {
                    let note = "what QuickBooks has stands against it";
                    return work.keep_back(record, findings, note).await;
                }
            }
        }
        let request_id = format!("{}-{}", draft.mark, draft.items.len() + 1);
        let no_lines = BTreeMap::new();
        let reference = record.reference.as_ref();
        let id = reference.map(|reference| &reference.id).or(record.former.as_ref());
        let id = id.map_or("", String::as_str);
        let operation = match purpose {
            Purpose::Add | Purpose::Raw => Operation::Add,
            Purpose::Mod => Operation::Mod {
                id,
                edit_sequence: reference
                    .and_then(|reference| reference.edit_sequence.as_deref())
                    .unwrap_or_default(),
                lines: reference.map_or(&no_lines, |reference| &reference.lines),
            },
            Purpose::Delete => Operation::Delete { id },
            Purpose::Void => Operation::Void { id },
            Purpose::Refresh | Purpose::Number => Operation::Query { id },
        };
        let built = build::build(&Build {
            kind: &record.key.kind,
            operation,
            data: &record.amended(),
            target,
            request_id: &request_id,
            resolve: &|source| resolved.get(source).cloned(),
        });
        match built {
            Ok(built) => {
                draft.writes = Some(purpose != Purpose::Refresh);
                draft.needs = draft.needs.max(built.version);
                draft.requests.push(built.xml);
                draft.items.push(Item {
                    request_id,
                    subject: Subject::Record(record.key.clone()),
                    purpose,
                    digest: record.digest,
                    lines: built.lines,
                    said: None,
                });
                Ok(())
            }
            Err(findings) => {
                work.keep_back(record, findings, "cannot be written for QuickBooks").await
            }
        }
    }
}

/// What the next request for a record does.
pub(super) fn purpose(record: &Record) -> Purpose {
    let Some(reference) = &record.reference else {
        let insists = record.wanted == Wanted::Present && record.insisted >= Insisted::Duplicate;
        let asks = record.may_stand() && !insists;
        return if asks { Purpose::Refresh } else { Purpose::Add };
    };
    match record.wanted {
        Wanted::Deleted => Purpose::Delete,
        Wanted::Voided => Purpose::Void,
        Wanted::Present | Wanted::Withdrawn => {
            if record.refresh || reference.edit_sequence.is_none() {
                Purpose::Refresh
            } else {
                Purpose::Mod
            }
        }
    }
}

/// Digest of what QuickBooks would get of a record: the same for every way to write the same
/// content, such as `5` and `"5.00"`, or `InvoiceLine` and `InvoiceLineAdd`.
pub(crate) fn digest_of(kind: &str, data: &serde_json::Value) -> Digest {
    // What QuickBooks would not get is told apart by how it is written.
    let content = build::content(kind, data).unwrap_or_else(|| canonical(data).to_string());
    Digest::of(content.as_bytes())
}

/// The same with its members in order.
fn canonical(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            sorted.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect()
        }
        serde_json::Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}
