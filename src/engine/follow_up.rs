//! What a refusal leaves open, asked and settled.
//!
//! The record has failed already; the answer says more exactly why, and who else is meant. Every
//! question is asked through the ordinary queue and changes nothing.

use serde_json::Value;
use serde_json::json;

use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::record::Insisted;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::domain::request::About;
use crate::domain::request::Question;
use crate::domain::request::Request;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::compose;
use crate::engine::gone::query_at;
use crate::engine::known::Places;
use crate::engine::known::payments;
use crate::engine::references;
use crate::engine::work::Work;
use crate::qbxml::build::Resolved;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::raw::Raw;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;

/// The cause of a link of which nobody knows whether it is right.
pub(super) const UNCHECKED: &str = "link_not_checked";

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
        let own = record.reference.as_ref().is_some_and(|reference| reference.id == value);
        let asked = match (finding.code, finding.cause.as_str()) {
            (Code::ObjectNotFound, _) if own => self.became_of(&record),
            (Code::ObjectNotFound, "refers_to_gone") | (Code::AlreadyPaid, _) if pays.is_some() => {
                let id = finding.facts.get(payments::FOR).cloned();
                let id = if id.is_some() { id } else { self.paid_id(&record, value).await? };
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
            (Code::ObjectNotFound, cause) if cause != "refers_to_gone" => self.became_of(&record),
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
            self.ask(About { record: Some(key.clone()), question, problem: None }, raw);
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
        about: &About,
        answers: &[Answer],
    ) -> Result<(), EngineError> {
        let ret = answers.first().and_then(Answer::ret);
        let of_refusal =
            matches!(about.question, Question::Paid | Question::Inactive | Question::Namesake);
        let since = record.timeline.last().map(|moment| moment.at);
        let of_this = record.findings.first().and_then(|it| it.facts.get(payments::FOR));
        let of_this = of_this.is_some() && of_this == ret.and_then(|ret| ret.txn_id.as_ref());
        if of_refusal && !of_this && since.is_some_and(|since| since > request.created_at) {
            // It failed of something else since: this says nothing of that.
            return Ok(());
        }
        match &about.question {
            Question::Paid => self.paid_told(record, answers).await?,
            Question::Gone => self.gone_told(record, request, answers).await?,
            Question::Inactive => self.inactive_told(record, ret).await?,
            Question::Namesake => return self.namesake_told(record, answers).await,
            Question::Linked(id) => self.linked_told(record, id, answers).await?,
            Question::Undo => self.undo_told(record, request, answers).await?,
            Question::Reactivate(target) => {
                return self.reactivate_told(record, request, target, answers).await;
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
        let customer = self.party_of(&record).await?.map(|party| party.facts.name);
        let kind = record.key.kind.clone();
        let Some(finding) = still(&mut record, &[Code::ObjectNotFound, Code::AlreadyPaid]) else {
            return Ok(());
        };
        let ret = answers.first().and_then(Answer::ret);
        let found_by_us = finding.said.is_none();
        if let Some(ret) = ret {
            let paid = ret.is_paid == Some(true);
            let open = ret.is_paid == Some(false) && !payments::is_too_much(finding, ret);
            if found_by_us && open {
                // The mirror was behind.
                record.insisted = record.insisted.max(Insisted::Retried);
                return self.place(record, "QuickBooks says that it is open").await;
            }
            finding.facts.extend(ret.txn_id.clone().map(|id| (payments::FOR.to_owned(), id)));
            if paid {
                finding.code = Code::AlreadyPaid;
                "paid_in_full".clone_into(&mut finding.cause);
            } else if finding.code == Code::ObjectNotFound {
                // It is there and open, and cannot be paid by this one: it is another's.
                finding.code = Code::CustomerMismatch;
                payments::cause_of_another(&kind).clone_into(&mut finding.cause);
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
        } else if !found_by_us {
            deleted(finding, answers.get(1));
        }
        self.told(record);
        Ok(())
    }

    /// The customer or vendor that a record names, if the mirror knows it.
    pub(super) async fn party_of(
        &mut self,
        record: &Record,
    ) -> Result<Option<Mirrored>, EngineError> {
        let places = self.places(record).await?;
        let data = record.amended().into_owned();
        let party = ["CustomerRef", "VendorRef", "PayeeEntityRef"];
        let Some(party) = party.iter().find_map(|name| data.get(*name)) else { return Ok(None) };
        let Some(id) = self.entity(party, &places).await? else { return Ok(None) };
        Ok(self.mirrored(&id).await?)
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
                // QuickBooks quotes the id that it was given; people know the name.
                if let Some(name) = &ret.full_name {
                    finding.facts.insert("value".to_owned(), name.clone());
                }
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
        finding.facts.entry("kind".to_owned()).or_insert_with(|| key.kind.clone());
        let rets = answers.iter().flat_map(|answer| &answer.rets);
        finding.candidates = rets.filter_map(candidate).collect();
        finding.candidates.sort_by_key(|it| (it.kind != key.kind, it.is_active == Some(false)));
        let same = finding.candidates.iter().find(|it| {
            let last = it.name.rsplit(':').next().map(mirror::normal);
            it.kind == key.kind && last == own
        });
        if let Some(id) = same.map(|same| same.id.clone()).filter(|_| wants_link)
            && self.record_at(&id).await?.is_none()
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
            // Its lines are not known: the next change asks for it first.
            reference.edit_sequence.clone_from(&ret.edit_sequence);
            record.forget_former();
            record.refresh = true;
            self.told(record);
            return Ok(());
        }
        let class = classify::status(&answer.said, "QueryRq");
        if class.disposition != Disposition::Empty {
            // It could not be asked: the next change finds out.
            self.doubt_link(record, id, answer.said.message.trim());
            return Ok(());
        }
        let mut finding = Finding::new(Code::ObjectNotFound).cause("link_not_there");
        finding = finding.fact("value", id).fact("kind", &record.key.kind);
        record.reference = None;
        self.mirror_gone(id).await?;
        self.fail(record, finding.said(answer.said.clone())).await
    }

    /// Whether a link is right was asked, and will not be answered.
    pub(super) fn link_untold(&mut self, record: Record, about: &About, why: &str) {
        if let Question::Linked(id) = &about.question {
            self.doubt_link(record, id, why);
        }
    }

    /// A record stands where a person linked it, and nobody could check that: it says so.
    fn doubt_link(&mut self, mut record: Record, id: &str, why: &str) {
        let linked = record.reference.as_ref().is_some_and(|reference| reference.id == id);
        if linked && record.status == Status::Synced {
            let doubt = Finding::new(Code::OutcomeUnknown).cause(UNCHECKED);
            let why = why.trim_end_matches('.');
            let mut doubt = doubt.fact("value", id).fact("why", why);
            // Pressed, it is linked to this one again, and asked for again.
            let (id, kind) = (id.to_owned(), record.key.kind.clone());
            doubt.candidates = vec![Candidate { id, kind, ..Candidate::default() }];
            record.findings = vec![doubt];
            self.told(record);
        }
    }

    /// A record stands at an object that is there already; nothing is sent but what was put since the
    /// record went out last. Whether it is there is asked in the next session.
    pub(crate) async fn link(&mut self, mut record: Record, id: &str) -> Result<(), EngineError> {
        let now = self.engine.now();
        let pointer = match schema().kind(&record.key.kind).map(|kind| kind.identity) {
            Some(Identity::Transaction) => "/txnId",
            _ => "/listId",
        };
        let change = changes(&record, id.trim());
        self.adopt(&mut record, id, pointer).await?;
        record.insisted = Insisted::Nothing;
        record.overruled_at = None;
        record.bypass_reason = None;
        if change {
            return Box::pin(self.place(record, "linked; what it has here goes there")).await;
        }
        // What is known of it may be old, or typed: QuickBooks has the last word.
        if let Some(query) = query_at(&record) {
            let question = Question::Linked(id.trim().to_owned());
            self.ask_all(&record.key, question, &[query]);
        }
        // What never went is taken for what stands there; a change of what went is not.
        record.sent = record.sent.or(Some(record.digest));
        record.blocked_by.clear();
        record.findings.clear();
        record.asked = None;
        record.due = None;
        record.synced_at = Some(now);
        record.become_status(Status::Synced, now, "linked to what is in QuickBooks");
        self.settled.push(record.key.clone());
        // On the heap: a record is also linked where it is placed.
        Box::pin(self.go_on(record)).await
    }

    /// A record whose finding says more now.
    pub(super) fn told(&mut self, mut record: Record) {
        record.updated_at = self.engine.now();
        self.put_record(record);
    }
}

/// Whether a link has QuickBooks changed: it refused a change of the object that the record stood
/// at, and that change is wanted still; or it has what it had before, when the record was deleted.
pub(super) fn changes(record: &Record, id: &str) -> bool {
    let can = schema().kind(&record.key.kind).is_some_and(|kind| kind.modify.is_some());
    let stood = record.reference.is_some() || record.former.as_deref() == Some(id);
    can && stood && record.status == Status::Failed && record.wanted == Wanted::Present
}

/// The finding of a record that still fails for one of these reasons.
pub(super) fn still<'a>(record: &'a mut Record, codes: &[Code]) -> Option<&'a mut Finding> {
    let fails = record.status == Status::Failed;
    let finding = record.findings.first_mut().filter(|_| fails)?;
    codes.contains(&finding.code).then_some(finding)
}

/// When it was deleted, as QuickBooks writes it, if it remembers that.
pub(super) fn deleted(finding: &mut Finding, answer: Option<&Answer>) -> Option<String> {
    let id = finding.facts.get("value").cloned().unwrap_or_default();
    let mut rets = answer.into_iter().flat_map(|answer| &answer.rets);
    let gone = rets.find(|ret| ret.txn_id.as_ref().or(ret.list_id.as_ref()) == Some(&id))?;
    let at = gone.time_deleted.clone()?;
    if finding.cause != "refers_to_gone" {
        "deleted".clone_into(&mut finding.cause);
    }
    finding.facts.insert("at".to_owned(), mirror::day(&at).to_owned());
    Some(at)
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
        hint: ret.entity_name.clone().filter(|_| ret.txn_id.is_some()).or_else(|| ret.hint.clone()),
        date: ret.txn_date.clone(),
        amount: ret.amount.clone(),
    })
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
pub(super) fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(left, right)| {
        let (left, right) = (left.as_bytes(), right.as_bytes());
        !left.is_empty()
            && !right.is_empty()
            && left.iter().all(u8::is_ascii_hexdigit)
            && right.iter().all(u8::is_ascii_digit)
    })
}

pub(super) fn named(value: &str) -> Value {
    if is_id(value) { json!({ "ListID": [value] }) } else { json!({ "FullName": [value] }) }
}

/// The query for what QuickBooks calls `Item`, `AR Account`, or `Preferred Payment Method` in its
/// refusals.
pub(crate) fn query_of(kind: &str) -> Option<String> {
    let words: Vec<&str> = kind.split_whitespace().collect();
    (0..words.len())
        .map(|from| format!("{}QueryRq", words[from..].concat()))
        .find(|name| schema().request(name).is_some())
}
