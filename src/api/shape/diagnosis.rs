//! What is wrong and what helps, as JSON: the words of `diagnosis`, described for OpenAPI.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::diagnosis;
use crate::domain::outcome;
use crate::domain::outcome::Said;

/// Something that helps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Fix {
    /// Names it for `actions/fix`.
    id: String,
    /// Who does it: `user`, `quickbooks-user`, `developer` or `system`.
    pub(in crate::api) actor: String,
    /// What to do, in a few words.
    pub(in crate::api) label: String,
    /// The steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) how: Option<String>,
    /// What it would do here.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
}

impl From<diagnosis::Fix> for Fix {
    fn from(fix: diagnosis::Fix) -> Self {
        let diagnosis::Fix { id, actor, label, how, preview } = fix;
        Self { id, actor, label, how, preview }
    }
}

/// What QuickBooks or the Web Connector said, verbatim.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Quickbooks {
    /// `statusCode` of the answer.
    status_code: Option<i32>,
    /// `Info`, `Warn` or `Error`.
    status_severity: Option<String>,
    /// `statusMessage` of the answer.
    status_message: String,
    /// The Web Connector's own code, such as `0x80040400`.
    hresult: Option<String>,
}

impl From<Said> for Quickbooks {
    fn from(said: Said) -> Self {
        Self {
            status_code: said.status_code,
            status_severity: said.severity,
            status_message: said.message,
            hresult: said.hresult,
        }
    }
}

impl From<diagnosis::Quickbooks> for Quickbooks {
    fn from(said: diagnosis::Quickbooks) -> Self {
        let diagnosis::Quickbooks { status_code, status_severity, status_message, hresult } = said;
        Self { status_code, status_severity, status_message, hresult }
    }
}

/// An object of QuickBooks that may be meant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Candidate {
    /// Of what stands in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<String>,
    /// Of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    txn_id: Option<String>,
    /// Such as `Customer`.
    kind: String,
    /// Its full name, or its number.
    name: String,
    /// Whether it can be used; missing for what cannot be inactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    /// What is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<String>,
    /// Street and city, or a description.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Date of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// Amount of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
}

impl From<outcome::Candidate> for Candidate {
    fn from(it: outcome::Candidate) -> Self {
        let transaction = it.date.is_some();
        Self {
            list_id: Some(it.id.clone()).filter(|_| !transaction),
            txn_id: Some(it.id).filter(|_| transaction),
            kind: it.kind,
            name: it.name,
            is_active: it.is_active,
            balance: it.balance,
            hint: it.hint,
            date: it.date,
            amount: it.amount,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Finding {
    /// A few words.
    pub(in crate::api) title: String,
    /// The stable code; its page is `/docs/errors/{code}`.
    pub(in crate::api) code: String,
    /// A finer label inside the code.
    #[serde(skip_serializing_if = "String::is_empty")]
    cause: String,
    /// What happened, with the field, value and limit.
    pub(in crate::api) detail: String,
    /// The same in the words of a bookkeeper.
    user_facing_message: String,
    /// JSON pointer into the pushed object, such as `/data/Name`.
    pub(in crate::api) pointer: Option<String>,
    /// The most that QuickBooks takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Value>,
    /// What was pushed, in the same measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<Value>,
    /// Whether it is tried again without anybody's doing.
    pub(in crate::api) retryable: bool,
    /// How and when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<String>,
    /// What may be behind it, most likely first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
    /// What helps, most likely first.
    pub(in crate::api) fixes: Vec<Fix>,
    /// Objects of QuickBooks that may be meant, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
    /// What QuickBooks said, if it spoke.
    quickbooks: Option<Quickbooks>,
}

impl Finding {
    /// What the API itself refuses.
    pub(in crate::api) fn refused(
        code: &str,
        title: &str,
        detail: String,
        user_facing_message: String,
    ) -> Self {
        Self {
            title: title.to_owned(),
            code: code.to_owned(),
            cause: String::new(),
            user_facing_message,
            detail,
            pointer: None,
            limit: None,
            actual: None,
            retryable: false,
            retry: None,
            why: Vec::new(),
            fixes: Vec::new(),
            candidates: Vec::new(),
            quickbooks: None,
        }
    }
}

impl From<diagnosis::Rendered> for Finding {
    fn from(words: diagnosis::Rendered) -> Self {
        Self {
            title: words.title,
            code: words.code.to_string(),
            cause: words.cause,
            detail: words.detail,
            user_facing_message: words.user_facing_message,
            pointer: words.pointer,
            limit: words.limit,
            actual: words.actual,
            retryable: words.retryable,
            retry: words.retry,
            why: words.why,
            fixes: words.fixes.into_iter().map(Into::into).collect(),
            candidates: words.candidates.into_iter().map(Into::into).collect(),
            quickbooks: words.quickbooks.map(Into::into),
        }
    }
}

/// Why a record is not synced: the first finding, and all of them if there are several.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct Diagnosis {
    #[serde(flatten)]
    pub(in crate::api) first: Finding,
    /// All findings, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::api) errors: Vec<Finding>,
}

impl From<diagnosis::Diagnosis> for Diagnosis {
    fn from(diagnosis: diagnosis::Diagnosis) -> Self {
        let errors = diagnosis.errors.into_iter().map(Into::into).collect();
        Self { first: diagnosis.first.into(), errors }
    }
}

/// What a code means, or a cause inside it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Meaning {
    /// The cause; missing for the code as such.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::api) cause: String,
    /// A few words.
    pub(in crate::api) title: String,
    /// What happened.
    pub(in crate::api) detail: String,
    /// The same in the words of a bookkeeper.
    user_facing_message: String,
    /// Whether it heals by itself.
    retryable: bool,
    /// How and when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) retry: Option<String>,
    /// What may be behind it, most likely first.
    pub(in crate::api) why: Vec<String>,
    /// What helps, most likely first.
    pub(in crate::api) fixes: Vec<Fix>,
}

impl Meaning {
    /// Of what the API itself refuses.
    pub(in crate::api) fn refused(title: &str, detail: &str) -> Self {
        Self {
            cause: String::new(),
            title: title.to_owned(),
            detail: detail.to_owned(),
            user_facing_message: detail.to_owned(),
            retryable: false,
            retry: None,
            why: Vec::new(),
            fixes: Vec::new(),
        }
    }
}

impl From<diagnosis::Variant> for Meaning {
    fn from(words: diagnosis::Variant) -> Self {
        Self {
            cause: words.cause,
            title: words.title,
            detail: words.detail,
            user_facing_message: words.user_facing_message,
            retryable: words.retryable,
            retry: words.retry,
            why: words.why,
            fixes: words.fixes.into_iter().map(Into::into).collect(),
        }
    }
}

/// An entry of the catalogue.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Entry {
    /// The stable code.
    pub(in crate::api) code: &'static str,
    /// Its page.
    pub(in crate::api) page: String,
    /// The HTTP status, of what the API itself refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) status: Option<u16>,
    #[serde(flatten)]
    pub(in crate::api) meaning: Meaning,
    /// What there is to know beyond that.
    pub(in crate::api) explanation: String,
    /// The finer causes inside the code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::api) causes: Vec<Meaning>,
}
