//! Records, their history, and what is wrong with many of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::shape::Diagnosis;
use crate::api::shape::Quickbooks;
use crate::api::words;
use crate::domain::ids::RecordKey;
use crate::domain::message_set::Progress;
use crate::domain::message_set::Purpose;
use crate::domain::outcome::Finding;
use crate::domain::record;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Status;
use crate::engine;

/// Where a record stands in QuickBooks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Reference {
    /// Of what stands in a list, such as a customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<String>,
    /// Of a transaction, such as an invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    txn_id: Option<String>,
    /// Null until QuickBooks was asked for it.
    edit_sequence: Option<String>,
    /// `RefNumber` or `FullName` as QuickBooks has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    /// The source's own line keys and their `TxnLineID`s.
    lines: BTreeMap<String, String>,
}

/// A record that another waits for.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Waits {
    kind: String,
    source_id: String,
    /// Null if it was never put.
    status: Option<&'static str>,
}

impl Waits {
    /// A record and where it stands, if it exists.
    pub(in crate::api) fn new(key: &RecordKey, status: Option<Status>) -> Self {
        Self {
            kind: key.kind.clone(),
            source_id: key.source_id.clone(),
            status: status.map(Status::as_str),
        }
    }
}

/// One line of a record's history.
#[derive(Serialize, ToSchema)]
struct Moment {
    at: Timestamp,
    /// What it became.
    status: &'static str,
    /// Why, in a few words.
    note: String,
}

/// One object of the source application that must stand in QuickBooks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Record {
    kind: String,
    source_id: String,
    /// `held`, `queued`, `blocked`, `sent`, `in_doubt`, `synced`, `failed`, `bypassed`, `withdrawn`.
    status: &'static str,
    /// qbXML written as JSON.
    #[schema(value_type = Object)]
    data: Value,
    posted: bool,
    priority: i32,
    /// `Kind/sourceId` of records that go before.
    depends_on: Vec<String>,
    /// `fail` or `link`.
    on_duplicate: &'static str,
    reference: Option<Reference>,
    /// Why it is not synced, also while it waits; a remark of QuickBooks if it is.
    diagnosis: Option<Diagnosis>,
    /// What it waits for.
    blocked_by: Vec<Waits>,
    /// How often it was handed out, as far as the timeline goes back; see `…/attempts`.
    attempts: usize,
    timeline: Vec<Moment>,
    created_at: Timestamp,
    updated_at: Timestamp,
    synced_at: Option<Timestamp>,
    /// When it is tried again by itself.
    next_attempt_at: Option<Timestamp>,
    bypass_reason: Option<String>,
}

impl Record {
    /// A record, with what it waits for.
    pub(in crate::api) fn of(
        record: record::Record,
        blocked_by: Vec<Waits>,
        reasons: &[Finding],
    ) -> Self {
        let diagnosis = words::of_record(&record, reasons);
        let reference = record.reference.map(|reference| {
            let (list_id, txn_id) = if words::stands_in_a_list(&record.key.kind) {
                (Some(reference.id), None)
            } else {
                (None, Some(reference.id))
            };
            let (edit_sequence, lines) = (reference.edit_sequence, reference.lines);
            Reference { list_id, txn_id, edit_sequence, label: reference.label, lines }
        });
        let sent = |moment: &&record::Moment| moment.status == Status::Sent;
        Self {
            status: record.status.as_str(),
            data: record.data,
            posted: record.posted,
            priority: record.priority,
            depends_on: record.depends_on.iter().map(RecordKey::path).collect(),
            on_duplicate: match record.on_duplicate {
                OnDuplicate::Fail => "fail",
                OnDuplicate::Link => "link",
            },
            reference,
            diagnosis,
            blocked_by,
            attempts: record.timeline.iter().filter(sent).count(),
            timeline: record.timeline.into_iter().map(Moment::from).collect(),
            created_at: record.created_at,
            updated_at: record.updated_at,
            synced_at: record.synced_at,
            next_attempt_at: record.due,
            bypass_reason: record.bypass_reason,
            kind: record.key.kind,
            source_id: record.key.source_id,
        }
    }
}

impl From<record::Moment> for Moment {
    fn from(moment: record::Moment) -> Self {
        Self { at: moment.at, status: moment.status.as_str(), note: moment.note }
    }
}

/// One time that a record went out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Attempt {
    /// The `newMessageSetID` that carried it.
    message_set_id: String,
    /// `add`, `mod`, `delete`, `void` or `refresh`.
    #[schema(value_type = String)]
    purpose: Purpose,
    /// `sent`, `in_doubt`, `settled`, `refused`, `dropped` or `unknown`.
    #[schema(value_type = String)]
    progress: Progress,
    /// How often the message set was handed out, in the same bytes.
    handed_out: u32,
    sent_at: Timestamp,
    settled_at: Option<Timestamp>,
    /// `statusCode` of the answer.
    status_code: Option<i32>,
    /// What QuickBooks or the Web Connector said.
    quickbooks: Option<Quickbooks>,
    request_xml: String,
    response_xml: Option<String>,
}

impl From<engine::Attempt> for Attempt {
    fn from(attempt: engine::Attempt) -> Self {
        Self {
            message_set_id: attempt.message_set.to_string(),
            purpose: attempt.purpose,
            progress: attempt.progress,
            handed_out: attempt.handed_out,
            sent_at: attempt.sent_at,
            settled_at: attempt.settled_at,
            status_code: attempt.said.as_ref().and_then(|said| said.status_code),
            quickbooks: attempt.said.map(Into::into),
            request_xml: attempt.request_xml,
            response_xml: attempt.response_xml,
        }
    }
}

/// Failures of one cause.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Cause {
    /// By which lists and decisions about many find these records.
    problem: String,
    /// How many records have it.
    count: u64,
    /// One of them.
    example: Waits,
    /// How many records wait behind them.
    waiting: u64,
    /// Since when the oldest of them fails.
    since: Timestamp,
    /// The same in one sentence.
    summary: String,
    /// As the example has it.
    #[serde(flatten)]
    diagnosis: Option<Diagnosis>,
}

impl From<engine::Problem> for Cause {
    fn from(problem: engine::Problem) -> Self {
        Self {
            problem: problem.id.to_string(),
            count: problem.count,
            example: Waits::new(&problem.example, Some(Status::Failed)),
            waiting: problem.waiting,
            since: problem.since,
            summary: problem.summary(),
            diagnosis: words::diagnosis(&[problem.finding]),
        }
    }
}
