//! Fixes that change something else in QuickBooks first, through the queue.
//!
//! What makes an item active or adds payment terms is a request like any other: it carries a
//! message-set id, so a lost answer cannot make it happen twice. When it is done, everything that
//! failed for the same reason goes again.

use serde_json::Value;
use serde_json::json;

use crate::diagnosis;
use crate::domain::ids::ConnectionId;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Group;
use crate::domain::record::Amendment;
use crate::domain::record::Insisted;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::About;
use crate::domain::request::Question;
use crate::domain::request::Request;
use crate::domain::request::Target;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::compose;
use crate::engine::fix;
use crate::engine::fix::Deed;
use crate::engine::fix::Pressed;
use crate::engine::follow_up::UNCHECKED;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::schema::schema;
use crate::store::RecordFilter;

/// Records that are set free in one step.
const CHUNK: usize = 200;

impl Work<'_> {
    /// Whether this very press is on its way already. Another one is refused while that is so: it
    /// would do nothing.
    pub(super) async fn is_pressed(
        &mut self,
        record: &Record,
        pressed: &Pressed,
    ) -> Result<bool, EngineError> {
        let path = record.key.path();
        let id = pressed.id.as_str();
        if let Some(asked) = record.asked
            && self.waits(record).await?
        {
            let request = self.request(asked).await?;
            let question = request.and_then(|request| request.about).map(|about| about.question);
            let same = match question {
                Some(Question::Undo) => id == "undo",
                Some(Question::Reactivate(_)) => id == "reactivate",
                Some(Question::Mend(_)) => matches!(id, "create-missing" | "reactivate"),
                _ => false,
            };
            let why = format!("QuickBooks is asked about {path} already; its next answer decides");
            return if same { Ok(true) } else { Err(EngineError::NotNow(why)) };
        }
        if is_so(record, pressed) {
            return Ok(true);
        }
        let sooner = id == "retry" && waits_for_its_time(record);
        if id == "bypass" || sooner || !is_on_its_way(record) {
            return Ok(false);
        }
        Err(EngineError::NotNow(format!("{path} is {}; it is on its way already", record.status)))
    }

    /// What a fix comes down to now, with what the store knows.
    pub(super) async fn deed_of(
        &self,
        record: &Record,
        pressed: &Pressed,
    ) -> Result<Deed, EngineError> {
        let mut deed = fix::deed(record, pressed)?;
        if let Deed::Decide(Action::Bypass { reference, .. }) = &mut deed
            && let (Some(id), None) = (&reference, &pressed.object)
        {
            // What is another record's is not this one's.
            let other = self.record_at(id).await?;
            reference.take_if(|_| other.is_some_and(|other| other != record.key));
        }
        if let (Deed::Amend(values), Some(_)) = (&deed, &pressed.value) {
            self.check_typed(record, values)?;
        }
        Ok(deed)
    }

    /// Refuses what a person typed, if QuickBooks would refuse it.
    fn check_typed(&self, record: &Record, values: &[(String, Value)]) -> Result<(), EngineError> {
        let mut changed = record.clone();
        for (pointer, to) in values {
            let from = record.data.pointer(pointer).cloned().unwrap_or(Value::Null);
            changed.amendments.retain(|it| it.pointer != *pointer);
            let (pointer, to, fix) = (pointer.clone(), to.clone(), String::new());
            changed.amendments.push(Amendment { pointer, from, to, fix });
        }
        let mut findings = self.preflight(&changed);
        findings.extend(self.closed(&changed, &changed.amended()));
        let typed = |it: &&Finding| {
            let at = it.pointer.strip_prefix("/data");
            values.iter().any(|(pointer, _)| Some(pointer.as_str()) == at)
        };
        match findings.iter().find(typed) {
            None => Ok(()),
            Some(finding) => Err(EngineError::BadInput {
                pointer: "/value".to_owned(),
                why: diagnosis::render(finding).detail,
            }),
        }
    }

    /// QuickBooks is asked for something first.
    pub(super) fn ask_first(
        &mut self,
        mut record: Record,
        question: Question,
        problem: Option<Group>,
        request: &str,
        data: &Value,
    ) -> Result<(), EngineError> {
        let target = compose::target(self.state.host.as_ref());
        let raw = raw::build(request, data, &target).map_err(EngineError::Refused)?;
        let key = Some(record.key.clone());
        record.asked = Some(self.ask(About { record: key, question, problem }, raw));
        record.updated_at = self.engine.now();
        self.put_record(record);
        Ok(())
    }

    /// Whether a person wants it undone, and QuickBooks is not asked yet whether somebody edited it.
    pub(super) async fn is_to_be_undone(&mut self, record: &Record) -> Result<bool, EngineError> {
        let Some(asked) = record.asked.filter(|_| record.status == Status::Synced) else {
            return Ok(false);
        };
        let about = self.request(asked).await?.and_then(|request| request.about);
        Ok(about.is_some_and(|about| matches!(about.question, Question::Undo)))
    }

    /// It was to be undone in a session that is over: it is asked again whether somebody edited it.
    pub(super) fn undo_again(&mut self, mut record: Record) -> Result<(), EngineError> {
        record.wanted = Wanted::Present;
        record.unedited_in = None;
        let note = "asked again whether somebody edited it";
        record.become_status(Status::Synced, self.engine.now(), note);
        self.settled.push(record.key.clone());
        let Some((query, data)) = undo(&record) else {
            self.put_record(record);
            return Ok(());
        };
        self.ask_first(record, Question::Undo, None, &query, &data)
    }

    /// Deletes or voids what we made, if nobody edited it since.
    pub(super) async fn undo_told(
        &mut self,
        mut record: Record,
        request: &Request,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        if record.asked != Some(request.id) {
            return Ok(());
        }
        record.asked = None;
        if record.status != Status::Synced {
            self.put_record(record);
            return Ok(());
        }
        let ours = record.reference.as_ref().and_then(|it| it.edit_sequence.as_ref());
        let kept = match answers.first() {
            None => Some(Finding::new(Code::OutcomeUnknown).cause("undo_lost")),
            Some(answer) => match answer.ret() {
                Some(ret) if ours.is_none() || ours != ret.edit_sequence.as_ref() => {
                    Some(Finding::new(Code::EditSequenceStale).cause("edited_since"))
                }
                Some(_) => None,
                // Only what QuickBooks says is gone is gone.
                None => {
                    let class = classify::status(&answer.said, "QueryRq");
                    (class.disposition != Disposition::Empty).then(|| class.finding(&answer.said))
                }
            },
        };
        if let Some(kept) = kept {
            record.findings = vec![kept];
            self.told(record);
            return Ok(());
        }
        let message_set = match &request.message_set {
            Some(id) => self.message_set(id).await?,
            None => None,
        };
        record.unedited_in = message_set.map(|message_set| message_set.session);
        record.alone = true;
        let kind = schema().kind(&record.key.kind);
        let deletes = kind.is_some_and(|kind| kind.delete_type.is_some());
        record.wanted = if deletes { Wanted::Deleted } else { Wanted::Voided };
        record.sequence = 0;
        record.due = None;
        let now = self.engine.now();
        record.become_status(Status::Queued, now, "to be taken out of QuickBooks");
        self.put_record(record);
        Ok(())
    }

    /// QuickBooks refused to take out what a person undid: it stays there, and says why.
    pub(super) async fn not_undone(
        &mut self,
        mut record: Record,
        mut finding: Finding,
    ) -> Result<(), EngineError> {
        self.propose(&record, &mut finding).await?;
        record.wanted = Wanted::Present;
        record.unedited_in = None;
        record.alone = false;
        record.due = None;
        let note = format!("not undone: {}", diagnosis::render(&finding).title);
        record.findings = vec![finding];
        record.become_status(Status::Synced, self.engine.now(), &note);
        self.settled.push(record.key.clone());
        self.put_record(record);
        Ok(())
    }

    pub(super) async fn reactivate_told(
        &mut self,
        mut record: Record,
        request: &Request,
        target: &Target,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let answer = answers.first();
        let Some(ret) = answer.and_then(Answer::ret) else {
            let refused = answer.and_then(|it| refusal(it, "QueryRq"));
            let why =
                refused.unwrap_or_else(|| format!("QuickBooks does not have {}", target.name));
            return self.unanswered(request, &why).await;
        };
        if ret.is_active != Some(false) {
            return self.set_free(record, request).await;
        }
        let kind = ret.name.strip_suffix("Ret").unwrap_or_default();
        let change = json!({ format!("{kind}Mod"): {
            "ListID": ret.list_id, "EditSequence": ret.edit_sequence, "IsActive": "true",
        } });
        let host = compose::target(self.state.host.as_ref());
        let Ok(raw) = raw::build(&format!("{kind}ModRq"), &change, &host) else {
            let why = format!("this QuickBooks cannot change a {kind} from outside");
            return self.unanswered(request, &why).await;
        };
        let question = Question::Mend("reactivate".to_owned());
        let problem = request.about.as_ref().and_then(|about| about.problem);
        let about = About { record: Some(record.key.clone()), question, problem };
        let asked = self.ask(about, raw);
        // The record may have moved on; others wait for the same.
        if record.asked == Some(request.id) {
            record.asked = Some(asked);
            self.put_record(record);
        }
        Ok(())
    }

    /// What the record waited for was changed, or not.
    pub(super) async fn mended(
        &mut self,
        record: Record,
        request: &Request,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let Some(answer) = answers.first() else {
            return self.unanswered(request, "QuickBooks answered nothing").await;
        };
        let kind = request.types.first().map_or("", String::as_str);
        let class = classify::status(&answer.said, kind);
        // Somebody made it, or changed it in the same moment: its own answer says whether that helps.
        let meanwhile = [Code::NameInUse, Code::EditSequenceStale].contains(&class.code);
        let there =
            matches!(class.disposition, Disposition::Done | Disposition::Warned) || meanwhile;
        if !there {
            let why = refusal(answer, kind).unwrap_or_default();
            return self.unanswered(request, &why).await;
        }
        self.set_free(record, request).await
    }

    /// A fix did not come about; the record stands where it stood, and says so.
    pub(super) fn not_mended(&mut self, mut record: Record, question: &Question, why: &str) {
        let why = why.trim().trim_end_matches('.');
        let (fix, what) = match question {
            Question::Undo if record.status == Status::Synced => {
                record.findings = vec![Finding::new(Code::OutcomeUnknown).cause("undo_lost")];
                return self.told(record);
            }
            Question::Reactivate(_) => ("reactivate", "made active"),
            Question::Mend(what) if what == "reactivate" => ("reactivate", "made active"),
            Question::Mend(_) => ("create-missing", "made"),
            _ => return self.put_record(record),
        };
        if record.status == Status::Failed {
            let has = |it: &&mut Finding| diagnosis::render(it).fixes.iter().any(|it| it.id == fix);
            if let Some(finding) = record.findings.iter_mut().find(has) {
                finding.facts.insert(diagnosis::TRIED.to_owned(), fix.to_owned());
                finding.facts.insert("why".to_owned(), why.to_owned());
            }
            let note = format!("what it needs could not be {what}: {why}");
            record.become_status(Status::Failed, self.engine.now(), &note);
        }
        self.put_record(record);
    }

    /// Sends a record again, unless it moved on; all others that fail of the same follow once this
    /// step is written.
    async fn set_free(&mut self, mut record: Record, request: &Request) -> Result<(), EngineError> {
        let problem = request.about.as_ref().and_then(|about| about.problem);
        if record.asked != Some(request.id) {
            self.gone.extend(problem);
            return Ok(());
        }
        self.gone.extend(problem.or_else(|| record.problem()));
        record.asked = None;
        if record.status == Status::Failed {
            return self.free(record).await;
        }
        self.put_record(record);
        Ok(())
    }

    async fn free(&mut self, mut record: Record) -> Result<(), EngineError> {
        if record.status == Status::Failed {
            record.asked = None;
            // What QuickBooks itself told of is known; nobody has to insist.
            let told = record.findings.first().is_some_and(|it| {
                matches!(it.code, Code::FeatureNotAvailable | Code::MissingAccount)
            });
            if !told {
                record.insisted = record.insisted.max(Insisted::Retried);
            }
            self.place(record, "what it waited for is there").await?;
        }
        Ok(())
    }
}

/// Why QuickBooks did not do it, in words that people know; `None` if it found nothing.
fn refusal(answer: &Answer, request_type: &str) -> Option<String> {
    let class = classify::status(&answer.said, request_type);
    let said = || diagnosis::render(&class.finding(&answer.said)).user_facing_message;
    (class.disposition != Disposition::Empty).then(said)
}

/// Whether it is queued, and goes later alone.
pub(super) fn waits_for_its_time(record: &Record) -> bool {
    record.status == Status::Queued && record.due.is_some()
}

const fn is_on_its_way(record: &Record) -> bool {
    matches!(record.status, Status::Queued | Status::Blocked)
}

/// Whether a decision was made before, in the same words. What is linked goes there still.
pub(super) fn is_decided(record: &Record, action: &Action) -> bool {
    let stands_at = |id: &String| record.reference.as_ref().is_some_and(|it| it.id == id.trim());
    match action {
        Action::Bypass { reason, reference } => {
            record.status == Status::Bypassed
                && record.bypass_reason.as_deref() == Some(reason.trim())
                && reference.as_ref().is_none_or(stands_at)
        }
        Action::Link { id } => is_on_its_way(record) && stands_at(id),
        Action::ResetReference => {
            is_on_its_way(record) && record.reference.is_none() && record.may_stand()
        }
        _ => false,
    }
}

/// Whether what a fix would do is so already, because it was pressed before.
fn is_so(record: &Record, pressed: &Pressed) -> bool {
    let on_its_way = is_on_its_way(record);
    let object = pressed.object.as_ref();
    let is_at = |it: &Reference| object.map_or(!it.made, |id| it.id == *id);
    let amended = |fix: &str| {
        let to =
            |it: &Amendment| pressed.value.as_ref().is_none_or(|value| it.to == value.as_str());
        record.amendments.iter().any(|it| it.fix == fix && record.is_amended(it) && to(it))
    };
    match pressed.id.as_str() {
        "bypass" => {
            let there = record.reference.as_ref().map(|it| &it.id);
            record.status == Status::Bypassed && (object.is_none() || object == there)
        }
        "link" => {
            // What nobody could check is asked again.
            let unchecked = record.findings.first().is_some_and(|it| it.cause == UNCHECKED);
            (on_its_way || (record.status == Status::Synced && !unchecked))
                && record.reference.as_ref().is_some_and(is_at)
        }
        "undo" => {
            (on_its_way || record.status == Status::Withdrawn)
                && matches!(record.wanted, Wanted::Deleted | Wanted::Voided)
        }
        "reset-reference" => on_its_way && record.reference.is_none(),
        "send-anyway" => on_its_way && record.insisted == Insisted::Duplicate,
        fix @ (fix::KEEP_THEIRS
        | "move-date"
        | "rename"
        | "replace-characters"
        | "shorten"
        | "suffix-number") => on_its_way && amended(fix),
        "keep-ours" => on_its_way && !amended(fix::KEEP_THEIRS),
        "retry" => on_its_way && !waits_for_its_time(record),
        // All that these do is that it goes.
        _ => on_its_way,
    }
}

/// The query for what is to be undone: it must be as we left it.
pub(super) fn undo(record: &Record) -> Option<(String, Value)> {
    let reference = record.reference.as_ref().filter(|_| record.status == Status::Synced)?;
    reference.edit_sequence.as_ref().filter(|_| reference.made)?;
    let kind = schema().kind(&record.key.kind)?;
    kind.delete_type.or(kind.void_type)?;
    let query = kind.query.as_ref()?.name.to_owned();
    Some((query, json!({ kind.identity.element()?: [reference.id] })))
}

impl Engine {
    /// Sends again all that fail of a problem that is gone; how many may go now. Safe to repeat.
    pub(crate) async fn free_all(
        &self,
        connection: &ConnectionId,
        problem: Group,
    ) -> Result<u64, EngineError> {
        let filter = RecordFilter { problem: Some(problem), ..RecordFilter::default() };
        let (mut freed, mut cursor) = (0, None);
        loop {
            let page = self.store.records(connection, &filter, cursor.as_deref(), CHUNK).await?;
            freed += until_settled!(self.free_some(connection, &page.items))?;
            cursor = page.next;
            if cursor.is_none() {
                return Ok(freed);
            }
        }
    }

    async fn free_some(
        &self,
        connection: &ConnectionId,
        records: &[Record],
    ) -> Result<u64, EngineError> {
        let state = self.state(connection).await?;
        let mut work = Work::new(self, self.connection(connection).await?, state);
        for Record { key, .. } in records {
            // What was asked for one of them by itself frees it by itself.
            if let Some(record) = work.record(key).await?.filter(|it| it.asked.is_none()) {
                work.free(record).await?;
            }
        }
        let freed = work.requeued_now();
        work.commit_records().await?;
        Ok(freed)
    }
}
