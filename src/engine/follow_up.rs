//! What a refusal leaves open, asked and settled.
//!
//! The record has failed already; the answer says more exactly why, and who else is meant. Every
//! question is asked through the ordinary queue and changes nothing.

use serde_json::Value;
use serde_json::json;

use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::request::About;
use crate::domain::request::Question;
use crate::domain::request::Request;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::compose;
use crate::engine::intake;
use crate::engine::known::Places;
use crate::engine::references;
use crate::engine::work::Work;
use crate::qbxml::build::Resolved;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::raw::Raw;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;

impl Work<'_> {
    /// Asks what the words of a refusal leave open.
    pub(crate) async fn follow_up(
        &mut self,
        key: &RecordKey,
        finding: &Finding,
    ) -> Result<(), EngineError> {
        let Some(record) = self.record(key).await?.filter(|it| it.status == Status::Failed) else {
            return Ok(());
        };
        let value = finding.facts.get("value").map_or("", String::as_str);
        let pays = pays(&key.kind);
        let asked = match (finding.code, finding.cause.as_str()) {
            (Code::ObjectNotFound | Code::AlreadyPaid, _) if pays.is_some() => {
                let id = self.paid_id(&record, value).await?;
                pays.zip(id).map(|(kind, id)| {
                    (
                        Question::Paid,
                        vec![
                            (
                                format!("{kind}QueryRq"),
                                json!({"TxnID": [id], "IncludeLinkedTxns": "true"}),
                            ),
                            ("TxnDeletedQueryRq".to_owned(), json!({ "TxnDelType": [kind] })),
                        ],
                    )
                })
            }
            (Code::ObjectNotFound, _) => whereabouts(&record),
            (Code::ReferenceNotFound, _) if !value.is_empty() => {
                let kind = finding.facts.get("kind").map_or("", String::as_str);
                query_of(kind).map(|query| (Question::Inactive, vec![(query, named(value))]))
            }
            (Code::NameInUse, "name_in_use") => self.namesake(&record).await?,
            _ => None,
        };
        if let Some((question, queries)) = asked {
            self.ask_all(key, question, &queries);
        }
        Ok(())
    }

    /// Asks several queries at once, as one question about a record.
    fn ask_all(&mut self, key: &RecordKey, question: Question, queries: &[(String, Value)]) {
        let target = compose::target(self.state.host.as_ref());
        let built = queries.iter().map(|(query, data)| raw::build(query, data, &target).ok());
        if let Some(raw) = built.collect::<Option<Vec<Raw>>>().and_then(raw::join) {
            self.ask(About { record: Some(key.clone()), question }, raw);
        }
    }

    /// TxnID of what a payment is for.
    async fn paid_id(
        &mut self,
        record: &Record,
        value: &str,
    ) -> Result<Option<String>, EngineError> {
        if is_id(value) {
            return Ok(Some(value.to_owned()));
        }
        let places = self.places(record).await?;
        let data = record.amended();
        let applied = data.get("AppliedToTxn").or_else(|| data.get("AppliedToTxnAdd"));
        let first = applied.map(|it| it.get(0).unwrap_or(it)).and_then(|it| it.get("TxnID"));
        Ok(match first.and_then(|txn| references::place(txn, &places)) {
            Some(Resolved::Id(id)) => Some(id),
            _ => None,
        })
    }

    /// Where everything stands that a record refers to, as far as that is known.
    pub(crate) async fn places(&mut self, record: &Record) -> Result<Places, EngineError> {
        Ok(self.engine.resolve_all(self, record).await?.unwrap_or_default())
    }

    /// Who has the name that is in use.
    async fn namesake(
        &mut self,
        record: &Record,
    ) -> Result<Option<(Question, Vec<(String, Value)>)>, EngineError> {
        let places = self.places(record).await?;
        let data = record.amended();
        let Some(name) = data.get("Name").and_then(Value::as_str) else { return Ok(None) };
        let Some(full) = self.full_name_of(&data, name, &places).await? else { return Ok(None) };
        let query = match mirror::space(&record.key.kind) {
            "Name" if full.contains(':') => "CustomerQueryRq".to_owned(),
            "Name" => "EntityQueryRq".to_owned(),
            "Item" => "ItemQueryRq".to_owned(),
            "Terms" => "TermsQueryRq".to_owned(),
            kind => format!("{kind}QueryRq"),
        };
        Ok(Some((Question::Namesake, vec![(query, json!({ "FullName": [full] }))])))
    }

    /// A question about a record that failed, or a fix for it, was answered.
    pub(crate) async fn settled(
        &mut self,
        record: Record,
        request: &Request,
        question: &Question,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let ret = answers.first().and_then(Answer::ret);
        match question {
            Question::Paid => self.paid_told(record, answers).await?,
            Question::Gone => self.gone_told(record, answers).await?,
            Question::Inactive => self.inactive_told(record, ret).await?,
            Question::Namesake => return self.namesake_told(record, answers).await,
            Question::Linked(id) => self.linked_told(record, id, answers).await?,
            Question::Undo => self.undo_told(record, request, ret),
            Question::Reactivate(target) => {
                return self.reactivate_told(record, request, target, ret).await;
            }
            Question::Mend(_) => return self.mended(record, request, answers).await,
            Question::Outcome(_) | Question::Mirror(_) => {}
        }
        Ok(())
    }

    async fn paid_told(
        &mut self,
        mut record: Record,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let customer = self.customer_of(&record).await?;
        let Some(finding) = still(&mut record, &[Code::ObjectNotFound, Code::AlreadyPaid]) else {
            return Ok(());
        };
        let ret = answers.first().and_then(Answer::ret);
        if let Some(ret) = ret {
            let paid = ret.is_paid == Some(true);
            if paid {
                finding.code = Code::AlreadyPaid;
                "paid_in_full".clone_into(&mut finding.cause);
            } else if finding.code == Code::ObjectNotFound {
                // It is there and open, and cannot be paid by this one: it is another's.
                finding.code = Code::CustomerMismatch;
                finding.cause.clear();
                let other = ret.entity_name.clone().unwrap_or_default();
                finding.facts.insert("other".to_owned(), other);
                finding.facts.insert("customer".to_owned(), customer.unwrap_or_default());
            } else if let Some(due) = &ret.balance {
                "more_than_due".clone_into(&mut finding.cause);
                finding.facts.insert("due".to_owned(), due.clone());
            }
            if let Some(number) = &ret.ref_number {
                finding.facts.insert("number".to_owned(), number.clone());
            }
            finding.candidates = payments(ret);
        } else {
            deleted(finding, answers.get(1));
        }
        self.told(record);
        Ok(())
    }

    /// The name of a payment's customer.
    async fn customer_of(&mut self, record: &Record) -> Result<Option<String>, EngineError> {
        let places = self.places(record).await?;
        let data = record.amended().into_owned();
        let Some(customer) = data.get("CustomerRef") else { return Ok(None) };
        let Some(id) = self.entity(customer, &places).await? else { return Ok(None) };
        let known = self.engine.store.mirrored(&self.connection.id, &id).await?;
        Ok(known.map(|known| known.facts.name))
    }

    async fn gone_told(
        &mut self,
        mut record: Record,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let name = record.reference.as_ref().map(|it| it.label.clone()).unwrap_or_default();
        let kind = record.key.kind.clone();
        let Some(finding) = still(&mut record, &[Code::ObjectNotFound]) else { return Ok(()) };
        if answers.first().and_then(Answer::ret).is_some() {
            "object_changed_or_deleted".clone_into(&mut finding.cause);
        } else {
            deleted(finding, answers.get(1));
            let near = if name.is_empty() { Vec::new() } else { self.near(&kind, &name).await? };
            finding.candidates = near;
        }
        self.told(record);
        Ok(())
    }

    async fn inactive_told(
        &mut self,
        mut record: Record,
        ret: Option<&Ret>,
    ) -> Result<(), EngineError> {
        let Some(finding) = still(&mut record, &[Code::ReferenceNotFound]) else { return Ok(()) };
        match ret {
            Some(ret) if ret.is_active == Some(false) => {
                finding.code = Code::InactiveReference;
                finding.cause.clear();
            }
            // It is there and can be used: it was refused for where it stands.
            Some(_) => return Ok(()),
            None => {
                let kind = finding.facts.get("kind").map_or("", String::as_str);
                let kind = kind.split_whitespace().last().unwrap_or_default().to_owned();
                let value = finding.facts.get("value").cloned().unwrap_or_default();
                let near = self.near(&kind, &value).await?;
                if let Some(nearest) = near.first() {
                    finding.facts.insert("nearest".to_owned(), nearest.name.clone());
                }
                finding.candidates = near;
                if finding.cause == "reference_not_found" {
                    "not_in_any_list".clone_into(&mut finding.cause);
                }
            }
        }
        self.told(record);
        Ok(())
    }

    async fn namesake_told(
        &mut self,
        mut record: Record,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let key = record.key.clone();
        let wants_link = record.on_duplicate == OnDuplicate::Link;
        let own = record.data.get("Name").and_then(Value::as_str).map(mirror::normal);
        let Some(finding) = still(&mut record, &[Code::NameInUse]) else { return Ok(()) };
        let rets = answers.iter().flat_map(|answer| &answer.rets);
        finding.candidates = rets.filter_map(candidate).collect();
        finding.candidates.sort_by_key(|it| (it.kind != key.kind, it.is_active == Some(false)));
        let same = finding.candidates.iter().find(|it| {
            let last = it.name.rsplit(':').next().map(mirror::normal);
            it.kind == key.kind && last == own
        });
        if let Some(id) = same.map(|same| same.id.clone()).filter(|_| wants_link)
            && self.engine.store.record_at(&self.connection.id, &id).await?.is_none()
        {
            return self.link(record, &id).await;
        }
        self.told(record);
        Ok(())
    }

    /// Whether the object is there at which a person linked the record.
    async fn linked_told(
        &mut self,
        mut record: Record,
        id: &str,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let linked = record.reference.as_mut().filter(|it| it.id == id);
        let Some(reference) = linked.filter(|_| record.status == Status::Synced) else {
            return Ok(());
        };
        let Some(answer) = answers.first() else { return Ok(()) };
        if let Some(ret) = answer.ret() {
            let label = ret.ref_number.as_ref().or(ret.full_name.as_ref());
            reference.label = label.cloned().unwrap_or_default();
            self.told(record);
            return Ok(());
        }
        let class = classify::status(&answer.said, "QueryRq");
        if class.disposition != Disposition::Empty {
            // It could not be asked: the next change finds out.
            return Ok(());
        }
        let mut finding = Finding::new(Code::ObjectNotFound).cause("link_not_there");
        finding = finding.fact("value", id).fact("kind", &record.key.kind);
        record.reference = None;
        self.fail(record, finding.said(answer.said.clone())).await
    }

    /// A record stands at an object that is there already; nothing is sent. An object of which we
    /// only know what a person typed is asked for in the next session.
    pub(crate) async fn link(&mut self, mut record: Record, id: &str) -> Result<(), EngineError> {
        let now = self.engine.now();
        // What may be there is what was sent then: what the application wanted since goes next.
        let found = record.sent.is_some() && intake::is_unknown(&record);
        let pointer = match schema().kind(&record.key.kind).map(|kind| kind.identity) {
            Some(Identity::Transaction) => "/txnId",
            _ => "/listId",
        };
        self.engine.adopt(&mut record, id, pointer).await?;
        let known = self.engine.store.mirrored(&self.connection.id, id.trim()).await?;
        if known.is_none_or(|known| known.facts.gone.is_some())
            && let Some((_, queries)) = whereabouts(&record)
        {
            let question = Question::Linked(id.trim().to_owned());
            self.ask_all(&record.key, question, &queries);
        }
        if !found {
            record.sent = Some(record.digest);
        }
        record.bypass_reason = None;
        record.blocked_by.clear();
        record.findings.clear();
        record.asked = None;
        record.due = None;
        record.synced_at = Some(now);
        record.become_status(Status::Synced, now, "linked to what is in QuickBooks");
        self.settled.push(record.key.clone());
        if found {
            return Box::pin(self.go_on(record)).await;
        }
        self.put_record(record);
        Ok(())
    }

    /// A record whose finding says more now.
    pub(super) fn told(&mut self, mut record: Record) {
        record.updated_at = self.engine.now();
        self.put_record(record);
    }
}

/// The finding of a record that still fails for one of these reasons.
fn still<'a>(record: &'a mut Record, codes: &[Code]) -> Option<&'a mut Finding> {
    let fails = record.status == Status::Failed;
    let finding = record.findings.first_mut().filter(|_| fails)?;
    codes.contains(&finding.code).then_some(finding)
}

/// When it was deleted, if QuickBooks remembers that.
fn deleted(finding: &mut Finding, answer: Option<&Answer>) {
    let id = finding.facts.get("value").cloned().unwrap_or_default();
    let mut rets = answer.into_iter().flat_map(|answer| &answer.rets);
    let gone = rets.find(|ret| ret.txn_id.as_ref().or(ret.list_id.as_ref()) == Some(&id));
    if let Some(at) = gone.and_then(|gone| gone.time_deleted.as_ref()) {
        "deleted".clone_into(&mut finding.cause);
        let day = at.get(..10).unwrap_or(at);
        finding.facts.insert("at".to_owned(), day.to_owned());
    }
}

/// The payments that an invoice or bill has.
fn payments(ret: &Ret) -> Vec<Candidate> {
    let paid = ret.linked.iter().filter(|it| it.kind.contains("Payment"));
    let shown = paid.map(|it| Candidate {
        id: it.id.clone(),
        kind: it.kind.clone(),
        name: it.number.clone(),
        date: Some(it.date.clone()),
        amount: Some(it.amount.trim_start_matches('-').to_owned()),
        ..Candidate::default()
    });
    shown.collect()
}

/// An object that QuickBooks told.
pub(crate) fn candidate(ret: &Ret) -> Option<Candidate> {
    let name = ret.full_name.as_ref().or(ret.ref_number.as_ref());
    Some(Candidate {
        id: ret.list_id.clone().or_else(|| ret.txn_id.clone())?,
        kind: ret.name.strip_suffix("Ret")?.to_owned(),
        name: name.cloned().unwrap_or_default(),
        is_active: ret.is_active,
        balance: ret.balance.clone(),
        hint: ret.hint.clone(),
        date: ret.txn_date.clone(),
        amount: ret.amount.clone(),
    })
}

/// Whether an object that is to be changed is there, or was deleted, and when.
fn whereabouts(record: &Record) -> Option<(Question, Vec<(String, Value)>)> {
    let id = &record.reference.as_ref()?.id;
    let kind = schema().kind(&record.key.kind)?;
    let query = kind.query.as_ref()?.name.to_owned();
    let deleted = kind.delete_type?;
    let (by_id, gone) = match kind.identity {
        Identity::List => (json!({ "ListID": [id] }), ("ListDeletedQueryRq", "ListDelType")),
        Identity::Transaction => (json!({ "TxnID": [id] }), ("TxnDeletedQueryRq", "TxnDelType")),
        Identity::Nothing => return None,
    };
    let gone = (gone.0.to_owned(), json!({ gone.1: [deleted] }));
    Some((Question::Gone, vec![(query, by_id), gone]))
}

/// What a kind pays.
fn pays(kind: &str) -> Option<&'static str> {
    match kind {
        "ReceivePayment" => Some("Invoice"),
        "BillPaymentCheck" | "BillPaymentCreditCard" => Some("Bill"),
        _ => None,
    }
}

/// Whether a text is a ListID or TxnID: hexadecimal digits, a dash, digits.
fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(left, right)| {
        let (left, right) = (left.as_bytes(), right.as_bytes());
        !left.is_empty()
            && !right.is_empty()
            && left.iter().all(u8::is_ascii_hexdigit)
            && right.iter().all(u8::is_ascii_digit)
    })
}

fn named(value: &str) -> Value {
    if is_id(value) { json!({ "ListID": [value] }) } else { json!({ "FullName": [value] }) }
}

/// The query for what QuickBooks calls `AR Account` or `Item` in its refusals.
pub(crate) fn query_of(kind: &str) -> Option<String> {
    let plain: String = kind.split_whitespace().collect();
    let last = kind.split_whitespace().last().unwrap_or_default();
    [plain.as_str(), last]
        .into_iter()
        .map(|name| format!("{name}QueryRq"))
        .find(|name| schema().request(name).is_some())
}
