//! What the Web Connector reports instead of an answer: QuickBooks threw.
//!
//! Where it certainly executed nothing, the message set is taken apart until the bad request stands
//! alone. Where nobody knows, it is sent again in the next session; but not for ever, because one
//! request at which QuickBooks breaks would hold up all others: then the books are asked, and each
//! request goes by itself.
//!
//! Source: *QBWC Programmer's Guide* 2.0, p. 52 and appendix A; field logs for what passes.

use crate::diagnosis;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::SessionId;
use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Said;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::record::Record;
use crate::domain::request::RequestStatus;
use crate::domain::session::Event;
use crate::domain::session::Session;
use crate::engine::EngineError;
use crate::engine::compose;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::layout;
use crate::qbxml::raw;
use crate::qbxml::request;
use crate::qbxml::response;
use crate::qbxml::version::Version;

/// QuickBooks may break at a message set this often before it is given up.
const MAX_THROWN: u32 = 3;
/// The same for reports that say nothing of the requests, such as an open dialog. It is bounded
/// too: a dialog may open because of a request.
pub(crate) const MAX_UNAVAILABLE: u32 = 10;

impl Work<'_> {
    /// What the report means for the session.
    pub(super) async fn read_failure(
        &mut self,
        mut message_set: MessageSet,
        said: &Said,
    ) -> Result<Event, EngineError> {
        let finding = classify::hresult(said);
        message_set.failure = Some(said.clone());
        self.put_message_set(message_set.clone());
        let refused = finding.code == Code::RequestRejected || too_new(&finding);
        if refused && message_set.writes && message_set.handed_out > 1 {
            // It is unreadable now; whether it was so when it was sent first, nobody knows.
            let why = "QuickBooks cannot read it now, but may have done it before";
            self.give_up(message_set, why).await?;
            return Ok(Event::Answered { settled: 0, left: self.left().await? });
        }
        if refused {
            let comes_back =
                message_set.items.len() > 1 || self.older_version(&message_set).is_some();
            let left = if comes_back { 1 } else { self.left().await? };
            return Ok(Event::Refused { left });
        }
        let patience =
            if classify::may_be_the_requests_fault(said) { MAX_THROWN } else { MAX_UNAVAILABLE };
        if message_set.writes && message_set.handed_out >= patience {
            // It may be these requests at which QuickBooks breaks: nothing else would ever go.
            let why = "QuickBooks breaks off whenever it works on it";
            self.give_up(message_set, why).await?;
        }
        let line = line(&finding);
        Ok(Event::Trouble(Box::new(finding), line))
    }

    /// QuickBooks' answer is longer than what is taken. It will not be shorter the next time: a query
    /// fails, and after some tries the books are asked what became of a write.
    pub(super) async fn read_too_long(
        &mut self,
        message_set: MessageSet,
        limit: u64,
    ) -> Result<Event, EngineError> {
        let finding = Finding::new(Code::OutcomeUnknown).cause("answer_too_long");
        let finding = finding.fact("limit", limit);
        let line = line(&finding);
        if message_set.writes && message_set.handed_out < MAX_THROWN {
            return Ok(Event::Lost { why: line });
        }
        if message_set.writes {
            self.give_up(message_set, "its answer is longer than what is taken").await?;
            return Ok(Event::Answered { settled: 0, left: self.left().await? });
        }
        let now = self.engine.now();
        for item in &message_set.items {
            match &item.subject {
                Subject::Record(key) => {
                    if let Some(record) = self.record(key).await? {
                        self.fail_of(record, item.purpose, finding.clone()).await?;
                    }
                }
                Subject::Request(id) => {
                    let Some(mut request) = self.request(*id).await? else { continue };
                    request.status = RequestStatus::Failed;
                    request.findings = vec![finding.clone()];
                    request.updated_at = now;
                    self.put_request(request.clone());
                    self.unanswered(&request, &line).await?;
                }
            }
        }
        let settled = message_set.items.len() as u64;
        Ok(Event::Answered { settled, left: self.left().await? })
    }

    /// A message set whose sessions end again and again without a word is given up as well, and so is
    /// the undoing of what somebody may have edited since the session that saw it unedited: it is
    /// asked again first. Whether one was.
    pub(crate) async fn give_up_what_never_ends(
        &mut self,
        session: SessionId,
    ) -> Result<bool, EngineError> {
        let Some(id) = self.state.outstanding.clone() else { return Ok(false) };
        let Some(message_set) = self.message_set(&id).await? else { return Ok(false) };
        if message_set.progress != Progress::InDoubt {
            return Ok(false);
        }
        let why = if message_set.handed_out >= MAX_UNAVAILABLE {
            "no session brings its answer"
        } else if self.undoes_of_old(&message_set, session).await? {
            "somebody may have edited it since"
        } else {
            return Ok(false);
        };
        self.give_up(message_set, why).await?;
        self.close_settled(&id).await?;
        Ok(true)
    }

    /// Whether a message set deletes what another session saw unedited. A deletion alone can be
    /// asked for anew: done twice, it ends where it ends done once.
    async fn undoes_of_old(
        &mut self,
        message_set: &MessageSet,
        session: SessionId,
    ) -> Result<bool, EngineError> {
        let [Item { subject: Subject::Record(key), purpose: Purpose::Delete, .. }] =
            message_set.items.as_slice()
        else {
            return Ok(false);
        };
        let record = self.record(key).await?;
        Ok(record.and_then(|it| it.unedited_in).is_some_and(|told_in| told_in != session))
    }

    /// A person does not want to wait for the answer: the books are asked in the next session.
    pub(crate) async fn ask_books(&mut self, record: &Record) -> Result<(), EngineError> {
        let path = record.key.path();
        if self.state.living.is_some() {
            let why = format!("a session is at work; decide about {path} when it is over");
            return Err(EngineError::NotNow(why));
        }
        let outstanding = match &self.state.outstanding {
            Some(id) => self.message_set(&id.clone()).await?,
            None => None,
        };
        let subject = Subject::Record(record.key.clone());
        let carries = |set: &MessageSet| set.items.iter().any(|item| item.subject == subject);
        let Some(message_set) = outstanding.filter(carries) else {
            let why = format!("the books are asked about {path} already");
            return Err(EngineError::NotNow(why));
        };
        let id = message_set.id.clone();
        self.give_up(message_set, "a person did not wait for its answer").await?;
        self.close_settled(&id).await
    }

    /// QuickBooks could not read the document and executed nothing: its halves are tried by
    /// themselves, until the one bad request stands alone.
    pub(crate) async fn split(
        &mut self,
        session: &mut Session,
        id: &MessageSetId,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        let Some(mut message_set) = self.message_set(id).await? else { return Ok(()) };
        message_set.progress = Progress::Refused;
        message_set.settled_at = Some(now);
        let said = message_set.failure.clone().unwrap_or_default();
        let items = message_set.items.clone();
        self.put_message_set(message_set.clone());
        if self.state.outstanding.as_ref() == Some(id) {
            self.state.outstanding = None;
        }
        if let Some(older) = self.older_version(&message_set) {
            self.state.host.get_or_insert_default().qbxml_version = older.to_string();
            return self.queue_again(items, "written for an older QuickBooks and sent again").await;
        }
        if let [item] = items.as_slice() {
            session.refused += 1;
            let mut finding =
                self.suspect(classify::hresult(&said), &message_set.qbxml, &item.request_id);
            match &item.subject {
                Subject::Record(key) => {
                    if let Some(record) = self.record(key).await? {
                        self.fail_of(record, item.purpose, finding).await?;
                    }
                }
                Subject::Request(id) => {
                    if let Some(mut request) = self.request(*id).await? {
                        // The application has lines of its own.
                        finding.facts.remove("line");
                        request.status = RequestStatus::Failed;
                        request.findings = vec![finding];
                        request.updated_at = now;
                        self.put_request(request.clone());
                        let why = "QuickBooks could not read the question";
                        self.unanswered(&request, why).await?;
                    }
                }
            }
            return Ok(());
        }
        if planted(Plant::SplitForgotten) {
            return Ok(());
        }
        let (first, second) = items.split_at(items.len().div_ceil(2));
        let subjects = |items: &[Item]| items.iter().map(|item| item.subject.clone()).collect();
        let halves: [Vec<Subject>; 2] = [subjects(second), subjects(first)];
        self.state.splits.extend(halves);
        let note = "QuickBooks could not read a request beside it; sent again in a smaller set";
        self.queue_again(items, note).await
    }

    /// Nothing was executed, and all of it goes once more.
    async fn queue_again(&mut self, items: Vec<Item>, note: &str) -> Result<(), EngineError> {
        let now = self.engine.now();
        for item in items {
            match item.subject {
                Subject::Record(key) => {
                    if let Some(record) = self.record(&key).await? {
                        self.again(record, note);
                    }
                }
                Subject::Request(id) => {
                    if let Some(mut request) = self.request(id).await? {
                        request.status = RequestStatus::Queued;
                        request.updated_at = now;
                        self.put_request(request);
                    }
                }
            }
        }
        Ok(())
    }

    /// What to declare instead, if it was refused for its version and can be written for an older
    /// one: what the host told of itself was too much.
    fn older_version(&self, message_set: &MessageSet) -> Option<Version> {
        let failure = message_set.failure.as_ref()?;
        let declared = request::declared(&message_set.qbxml)?;
        let host = self.state.host.as_ref();
        let told = host.and_then(|host| Version::parse(&host.qbxml_version));
        // A request that needs more than the host speaks cannot be written for less.
        let can = too_new(&classify::hresult(failure)) && told.is_none_or(|told| declared <= told);
        declared.before().filter(|_| can)
    }

    /// QuickBooks does not say what it could not read. The request is held against the table once
    /// more, for the host as it is known now; else the element that needs the newest qbXML is named.
    /// Lines are those of the request as pages show it: it is sent in one.
    fn suspect(&self, finding: Finding, qbxml: &str, request_id: &str) -> Finding {
        let target = compose::target(self.state.host.as_ref());
        let whole = response::fragment(qbxml.as_bytes(), request_id);
        match raw::check_xml(&layout::lines(whole.as_deref().unwrap_or(qbxml)), &target) {
            Err(wrong) => {
                let Some(first) = wrong.first() else { return finding };
                let why = diagnosis::render(first).detail;
                let field = first.facts.get("field").cloned().unwrap_or_default();
                let line = first.pointer.strip_prefix("/line/").and_then(|it| it.split('/').next());
                let finding = finding.cause("element").fact("field", field);
                finding
                    .fact("line", line.unwrap_or_default())
                    .fact("why", why.trim_end_matches('.'))
            }
            Ok(raw) => match raw.newest {
                Some((newest, line)) => {
                    let finding = finding.cause("newest").fact("field", newest).fact("line", line);
                    finding.fact("since", raw.version).fact("version", target.version)
                }
                None => finding,
            },
        }
    }
}

/// Whether the document declares a qbXML version that this QuickBooks does not speak: it is refused
/// before anything is executed.
fn too_new(finding: &Finding) -> bool {
    finding.code == Code::FeatureNotAvailable && finding.cause == "qbxml_version"
}

/// A finding as `getLastError` says it: with the code, by which people search.
pub(crate) fn line(finding: &Finding) -> String {
    let said = diagnosis::render(finding).detail;
    let code = finding.said.as_ref().and_then(|said| said.hresult.as_deref()).map(str::trim);
    match code.filter(|code| !code.is_empty() && !said.contains(code)) {
        Some(code) => format!("{said} ({code})"),
        None => said,
    }
}
