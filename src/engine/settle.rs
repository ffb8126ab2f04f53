//! What an answer makes of the message set that was sent.
//!
//! `verdict` says what it makes of each record. Nothing is applied twice: a message set that is
//! settled stays as it is, whoever brings its answer again.

use crate::domain::ids::MessageSetId;
use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Status;
use crate::domain::request::RequestStatus;
use crate::domain::session::Event;
use crate::domain::session::Session;
use crate::domain::session::Stage;
use crate::engine::EngineError;
use crate::engine::answer;
use crate::engine::answer::Answer;
use crate::engine::answer::Reading;
use crate::engine::pages;
use crate::engine::work::Work;

/// A response that cannot be read is asked for again this often; then a person decides.
const MAX_UNREADABLE: u32 = 3;
/// The first number of `messageSetStatusCode` that means "ask the books themselves".
/// Source: SDK sample `QBInvoiceAdd`, error recovery.
const UNKNOWN_STATUS: [i32; 3] = [600, 9001, 9002];
/// The message-set id was too long: a bug of ours, and nothing was executed.
const ID_TOO_LONG: i32 = 9004;

/// Whether QuickBooks tells of its memory, not of the requests.
fn is_of_recovery(status: i32) -> bool {
    UNKNOWN_STATUS.contains(&status) || status == ID_TOO_LONG
}

impl Work<'_> {
    /// What a response means for the session: applies it to this unit of work, and says it as an
    /// event for the machine.
    pub(crate) async fn read(
        &mut self,
        session: &Session,
        reading: &Reading,
    ) -> Result<Event, EngineError> {
        let Stage::Waiting(id) = &session.machine.stage else {
            return Ok(Event::Lost { why: String::new() });
        };
        let Some(message_set) = self.message_set(id).await? else {
            return Ok(Event::Lost { why: "the message set is not known".to_owned() });
        };
        match reading {
            Reading::Failed(said) => self.read_failure(message_set, said).await,
            Reading::Nothing(why) if why.is_empty() => {
                Ok(Event::Lost { why: "QuickBooks answered nothing".to_owned() })
            }
            Reading::Nothing(why) => Ok(Event::Lost { why: why.clone() }),
            Reading::TooLong(limit) => self.read_too_long(message_set, *limit).await,
            Reading::Broken { body, why } => {
                let mut message_set = message_set;
                message_set.response = Some(body.clone());
                message_set.unreadable += 1;
                let why = format!("the response of QuickBooks cannot be read: {why}");
                if message_set.writes && message_set.unreadable >= MAX_UNREADABLE {
                    self.give_up(message_set, &why).await?;
                    return Ok(Event::Answered { settled: 0, left: self.left().await? });
                }
                self.put_message_set(message_set);
                Ok(Event::Lost { why })
            }
            Reading::Whole { body, head, answers } => {
                let mut message_set = message_set;
                let status = head.status_code;
                let echoed = head.new_message_set_id.as_deref();
                let recovers = status.is_some_and(is_of_recovery);
                let another = echoed.map_or(!recovers, |echoed| echoed != id.as_str());
                if message_set.writes && another {
                    // It is another's, but here is its only copy.
                    message_set.response = message_set.response.or_else(|| Some(body.clone()));
                    self.put_message_set(message_set);
                    let why = "QuickBooks answered another message set".to_owned();
                    return Ok(Event::Lost { why });
                }
                if message_set.progress == Progress::Settled {
                    return Ok(Event::Answered { settled: 0, left: self.left().await? });
                }
                if answers.is_empty() && status.is_none_or(|status| status == 0) {
                    message_set.response = Some(body.clone());
                    self.put_message_set(message_set);
                    return Ok(Event::Lost { why: "QuickBooks answered nothing".to_owned() });
                }
                if !recovers && !self.fits(&message_set, answers).await? {
                    message_set.response = message_set.response.or_else(|| Some(body.clone()));
                    self.put_message_set(message_set);
                    let why = "QuickBooks answered something else".to_owned();
                    return Ok(Event::Lost { why });
                }
                message_set.response = Some(body.clone());
                let settled = message_set.items.len() as u64;
                self.put_message_set(message_set.clone());
                Box::pin(self.settle_all(message_set, status, answers)).await?;
                Ok(Event::Answered { settled, left: self.left().await? })
            }
        }
    }

    /// Whether a response is to this message set. A write is told by the message-set id that
    /// QuickBooks echoes; a query has none, so it is told by what it answers.
    async fn fits(
        &mut self,
        message_set: &MessageSet,
        answers: &[Answer],
    ) -> Result<bool, EngineError> {
        if message_set.writes {
            return Ok(true);
        }
        let pairs = answer::paired(&message_set.qbxml, answers);
        let fitting = pairs.iter().flatten().count();
        let needed = match message_set.items.as_slice() {
            [Item { subject: Subject::Request(id), .. }] => {
                let ours = self.request(*id).await?.is_some_and(|request| request.about.is_some());
                if ours { pairs.len() } else { answers.len() }
            }
            _ => 1,
        };
        Ok(fitting >= needed)
    }

    /// A response under a dead ticket: applied if its message set is still open and nobody else
    /// waits for it, kept in any case.
    pub(crate) async fn take_late(
        &mut self,
        session: &Session,
        reading: &Reading,
    ) -> Result<(), EngineError> {
        let Some(id) = &session.last else { return Ok(()) };
        let Some(mut message_set) = self.message_set(id).await? else { return Ok(()) };
        let (body, head, answers) = match reading {
            Reading::Whole { body, head, answers } => (body, head, answers),
            Reading::Broken { body, .. } => {
                message_set.response = message_set.response.or_else(|| Some(body.clone()));
                self.put_message_set(message_set);
                return Ok(());
            }
            Reading::Failed(said) => {
                message_set.failure = message_set.failure.or_else(|| Some(said.clone()));
                self.put_message_set(message_set);
                return Ok(());
            }
            Reading::Nothing(_) | Reading::TooLong(_) => return Ok(()),
        };
        let open = self.state.outstanding.as_ref() == Some(id)
            && message_set.progress == Progress::InDoubt
            && head.new_message_set_id.as_deref() == Some(id.as_str())
            && !answers.is_empty();
        message_set.response = message_set.response.or_else(|| Some(body.clone()));
        self.put_message_set(message_set.clone());
        if open {
            Box::pin(self.settle_all(message_set, head.status_code, answers)).await?;
            self.close_settled(id).await?;
            let mut session = session.clone();
            "QuickBooks' answer came late and was taken"
                .clone_into(&mut session.machine.last_error);
            self.put_session(session);
        }
        Ok(())
    }

    /// The machine said that the message set is settled: what [`Work::read`] worked out holds.
    pub(crate) async fn settle(
        &mut self,
        session: &mut Session,
        id: &MessageSetId,
    ) -> Result<(), EngineError> {
        if let Some(message_set) = self.message_set(id).await? {
            for item in &message_set.items {
                let refused = item.said.as_ref().is_some_and(|said| {
                    said.status_code.is_none_or(|code| code >= 1000) || said.hresult.is_some()
                });
                if refused { session.refused += 1 } else { session.accepted += 1 }
            }
        }
        self.close_settled(id).await
    }

    pub(super) async fn close_settled(&mut self, id: &MessageSetId) -> Result<(), EngineError> {
        let now = self.engine.now();
        if let Some(mut message_set) = self.message_set(id).await? {
            if message_set.progress != Progress::Unknown {
                message_set.progress = Progress::Settled;
            }
            message_set.settled_at = Some(now);
            if message_set.writes {
                self.state.acknowledge = Some(id.clone());
            }
            self.put_message_set(message_set);
        }
        if self.state.outstanding.as_ref() == Some(id) {
            self.state.outstanding = None;
        }
        Ok(())
    }

    /// How many requests could be sent now, beyond what this step settles.
    pub(super) async fn left(&mut self) -> Result<u64, EngineError> {
        let held = self.connection.pause.is_some() || self.connection.awaits_confirmation();
        if self.is_alerted() || held {
            return Ok(0);
        }
        let now = self.engine.now();
        let ready = !self.engine.store.ready(&self.connection.id, now, 1).await?.is_empty();
        let requeued = self.requeued_now();
        if !ready && self.state.splits.is_empty() && requeued == 0 {
            return Ok(0);
        }
        let counts = self.engine.store.counts(&self.connection.id).await?;
        Ok((counts.of(Status::Queued) + counts.requests_queued + requeued).max(1))
    }

    async fn settle_all(
        &mut self,
        mut message_set: MessageSet,
        status: Option<i32>,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        if let Some(status) = status.filter(|status| UNKNOWN_STATUS.contains(status)) {
            let why = format!("QuickBooks answered the recovery with status {status}");
            return self.give_up(message_set, &why).await;
        }
        if status == Some(ID_TOO_LONG) {
            return self.give_up(message_set, "QuickBooks refused the message-set id").await;
        }
        let pairs = answer::paired(&message_set.qbxml, answers);
        self.observe(answers).await?;
        let items = message_set.items.clone();
        for (index, item) in items.iter().enumerate() {
            if planted(Plant::DropAnAnswer) && index > 0 && index + 1 == items.len() {
                continue;
            }
            let answer = pairs.get(index).copied().flatten();
            message_set.items[index].said = answer.map(|answer| answer.said.clone());
            match &item.subject {
                Subject::Record(key) => {
                    if let Some(record) = self.record(key).await? {
                        self.settle_record(record, item, answer, &message_set).await?;
                    }
                }
                Subject::Request(id) => {
                    if let Some(mut request) = self.request(*id).await? {
                        message_set.items[index].said =
                            answers.first().map(|answer| answer.said.clone());
                        pages::turn(&mut request, &message_set, answers.first());
                        request.updated_at = self.engine.now();
                        let about = request.about.clone();
                        self.put_request(request.clone());
                        if let Some(about) = about {
                            self.answered(&about, &request, answers).await?;
                        }
                    }
                }
            }
        }
        self.put_message_set(message_set);
        Ok(())
    }

    /// QuickBooks cannot say what became of a message set: nothing of it is sent again by itself.
    pub(super) async fn give_up(
        &mut self,
        mut message_set: MessageSet,
        why: &str,
    ) -> Result<(), EngineError> {
        message_set.progress = Progress::Unknown;
        self.put_message_set(message_set.clone());
        for item in &message_set.items {
            let finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
            match &item.subject {
                Subject::Record(key) => {
                    if let Some(record) = self.record(key).await? {
                        self.unknown(record, item, &message_set, why).await?;
                    }
                }
                Subject::Request(id) => {
                    if let Some(mut request) = self.request(*id).await? {
                        request.status = RequestStatus::Failed;
                        request.findings = vec![finding];
                        request.updated_at = self.engine.now();
                        self.put_request(request.clone());
                        self.unanswered(&request, why).await?;
                    }
                }
            }
        }
        Ok(())
    }
}
