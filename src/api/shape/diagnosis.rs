//! What is wrong and what helps, as JSON.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::outcome::Said;

/// Something that helps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Fix {
    /// Names it for `actions/fix`.
    pub(in crate::api) id: String,
    /// Who does it: `user`, `quickbooks-user`, `developer` or `system`.
    pub(in crate::api) actor: String,
    /// What to do, in a few words.
    pub(in crate::api) label: String,
    /// What it would do here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) preview: Option<String>,
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

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Finding {
    /// The stable code.
    pub(in crate::api) code: String,
    /// A few words.
    pub(in crate::api) title: String,
    /// What happened, with the field, value and limit.
    pub(in crate::api) detail: String,
    /// JSON pointer into the pushed object, such as `/data/Name`.
    pub(in crate::api) pointer: Option<String>,
    /// The most that QuickBooks takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) limit: Option<Value>,
    /// What was pushed, in the same measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) actual: Option<Value>,
    /// What helps, most likely first.
    pub(in crate::api) fixes: Vec<Fix>,
}

/// Why a record is not synced: the first finding, and all of them if there are several.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Diagnosis {
    /// A few words.
    pub(in crate::api) title: String,
    /// The stable code; its page is `/docs/errors/{code}`.
    pub(in crate::api) code: String,
    /// What happened, with the field, value and limit.
    pub(in crate::api) detail: String,
    /// The same for people who do not know of fields and calls.
    pub(in crate::api) user_facing_message: String,
    /// JSON pointer into the pushed object, such as `/data/Name`.
    pub(in crate::api) pointer: Option<String>,
    /// Whether it is tried again without anybody's doing.
    pub(in crate::api) retryable: bool,
    /// What helps, most likely first.
    pub(in crate::api) fixes: Vec<Fix>,
    /// What QuickBooks said, if it spoke.
    pub(in crate::api) quickbooks: Option<Quickbooks>,
    /// All findings, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::api) errors: Vec<Finding>,
}

impl From<&Diagnosis> for Finding {
    fn from(diagnosis: &Diagnosis) -> Self {
        Self {
            code: diagnosis.code.clone(),
            title: diagnosis.title.clone(),
            detail: diagnosis.detail.clone(),
            pointer: diagnosis.pointer.clone(),
            limit: None,
            actual: None,
            fixes: diagnosis.fixes.clone(),
        }
    }
}

/// What a code means.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Entry {
    /// The stable name.
    pub(in crate::api) code: &'static str,
    /// A few words.
    pub(in crate::api) title: String,
    /// What it means and why it happens.
    pub(in crate::api) explanation: String,
    /// What helps, most likely first.
    pub(in crate::api) fixes: Vec<Fix>,
    /// The HTTP status, of what the API itself refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) status: Option<u16>,
    /// Its page.
    pub(in crate::api) page: String,
}
