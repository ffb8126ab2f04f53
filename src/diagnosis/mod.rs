//! Findings in words: the catalogue and what it says of one finding.
//!
//! A [`Finding`] is data; here it gets its title, its sentences with the record's own values, the
//! causes in order of likelihood, and the fixes with who does them. All words stand in one file,
//! `catalogue.toml`, which is reviewed like prose. Nothing here knows of HTTP, records, or the store.
//!
//! Invariants, held by `tests/diagnosis`: every code and every cause has an entry, no sentence keeps a
//! placeholder whatever facts are missing, and what a user typed is never read as a placeholder.

mod catalogue;
mod page;
mod sentence;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;
use serde_json::Value;

use crate::diagnosis::catalogue::Catalogue;
pub use crate::diagnosis::page::Entry;
pub use crate::diagnosis::page::Variant;
pub use crate::diagnosis::page::entries;
pub use crate::diagnosis::page::entry;
pub use crate::diagnosis::page::index;
use crate::diagnosis::sentence::say;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Said;
use crate::qbxml::lists;

/// The fact that says of which type a missing account is made, where that can be told.
pub const ACCOUNT_TYPE: &str = "accountType";
/// The fact that the record names by its id what is missing.
pub const BY_ID: &str = "byId";
/// The fact that names the fix that was pressed for it and did not come about; `why` says why.
pub const TRIED: &str = "tried";
/// Parts of a list in a sentence; the record has all of them.
const LONGEST_LIST: usize = 10;

/// One finding in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendered {
    /// A few words.
    pub title: String,
    /// The stable code; its page is `/docs/errors/{code}`.
    pub code: Code,
    /// The finer label inside the code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// What happened, with field, value, and limit.
    pub detail: String,
    /// The same in the words of a bookkeeper.
    pub user_facing_message: String,
    /// JSON pointer into the pushed object, such as `/data/Name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The most that QuickBooks takes; a number where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
    /// What was pushed, in the same measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// Whether it heals by itself.
    pub retryable: bool,
    /// How and when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
    /// What may be behind it, most likely first.
    pub why: Vec<String>,
    /// What helps, most likely first.
    pub fixes: Vec<Fix>,
    /// Objects of QuickBooks that may be meant, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// What QuickBooks or the Web Connector said, verbatim, if it spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quickbooks: Option<Quickbooks>,
}

/// Something that helps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// Names it for `actions/fix`.
    pub id: String,
    /// Who does it: `user`, `quickbooks-user`, `developer`, or `system`.
    pub actor: String,
    /// What to do, in a few words.
    pub label: String,
    /// The steps, with menu paths of QuickBooks Desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// What it would do here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
}

/// What QuickBooks or the Web Connector said, verbatim.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quickbooks {
    /// `statusCode` of the answer.
    pub status_code: Option<i32>,
    /// `Info`, `Warn`, or `Error`.
    pub status_severity: Option<String>,
    /// `statusMessage` of the answer, or the Web Connector's text.
    pub status_message: String,
    /// The Web Connector's own code, such as `0x80040400`.
    pub hresult: Option<String>,
}

impl From<&Said> for Quickbooks {
    fn from(said: &Said) -> Self {
        Self {
            status_code: said.status_code,
            status_severity: said.severity.clone(),
            status_message: said.message.clone(),
            hresult: said.hresult.clone(),
        }
    }
}

/// Why a record is not synced: the first finding, and all of them if there are several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The first finding; its members are the diagnosis' own.
    #[serde(flatten)]
    pub first: Rendered,
    /// All findings, the first too; empty if there is one alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Rendered>,
}

/// Says one finding in words.
pub fn render(finding: &Finding) -> Rendered {
    let words = Catalogue::get().words(finding.code, &finding.cause);
    let facts = facts(finding);
    let said = finding.said.as_ref().map(Quickbooks::from);
    Rendered {
        title: say(words.title, &facts),
        code: finding.code,
        cause: finding.cause.clone(),
        detail: say(words.detail, &facts) + &tried(&facts),
        user_facing_message: say(words.user, &facts),
        pointer: Some(finding.pointer.clone()).filter(|pointer| !pointer.is_empty()),
        limit: facts.get("limit").map(|it| measure(it)),
        actual: facts.get("actual").map(|it| measure(it)),
        retryable: words.retry.is_some(),
        retry: words.retry.map(str::to_owned),
        why: words.why.to_vec(),
        fixes: words
            .fixes
            .iter()
            .filter(|id| helps(id, finding))
            .map(|id| fix(id, &facts))
            .collect(),
        candidates: finding.candidates.clone(),
        quickbooks: said,
    }
}

/// Says all findings of one record; `None` if there are none.
pub fn render_all(findings: &[Finding]) -> Option<Diagnosis> {
    let mut errors: Vec<Rendered> = findings.iter().map(render).collect();
    let first = errors.first()?.clone();
    if errors.len() == 1 {
        errors.clear();
    }
    Some(Diagnosis { first, errors })
}

/// Whether a fix makes sense: a record cannot stand at an object of another kind, and what is more
/// than a name is not made from its name.
fn helps(id: &str, finding: &Finding) -> bool {
    let kind = finding.facts.get("kind");
    match id {
        // It is another record's, and an object belongs to one.
        "link" if finding.facts.contains_key("record") && finding.candidates.len() < 2 => false,
        "link" => {
            let kind = kind.filter(|_| finding.code == Code::NameInUse);
            let other = |kind: &String| finding.candidates.iter().all(|it| it.kind != *kind);
            finding.candidates.is_empty() || !kind.is_some_and(other)
        }
        // Of lines nobody can keep some: they are written as a whole.
        "keep-theirs" => !finding.facts.contains_key("lines"),
        "create-missing" => can_be_made(finding),
        "make-in-quickbooks" => !can_be_made(finding),
        "reactivate" => can_be_made_active(finding),
        "make-active" => !can_be_made_active(finding),
        _ => true,
    }
}

/// Whether only a person can make it active again: QuickBooks lets no program change it.
pub fn is_made_active_by_hand(finding: &Finding) -> bool {
    finding.facts.get("kind").is_some_and(|kind| lists::cannot_be_changed(kind))
}

/// Whether Bookbridge can make active what is meant: QuickBooks said what it is.
fn can_be_made_active(finding: &Finding) -> bool {
    let fact = |name: &str| finding.facts.get(name).is_some_and(|it| !it.trim().is_empty());
    fact("kind") && fact("value") && !is_made_active_by_hand(finding)
}

/// Whether Bookbridge can make what is missing: it is known by name, and needs no more than that.
fn can_be_made(finding: &Finding) -> bool {
    let fact = |name: &str| finding.facts.get(name).map_or("", |it| it.trim());
    let by_name = !fact("value").is_empty() && !finding.facts.contains_key(BY_ID);
    let kind = lists::made_by_name(fact("kind")).filter(|_| by_name);
    kind.is_some_and(|kind| kind != "Account" || finding.facts.contains_key(ACCOUNT_TYPE))
}

/// That a fix was pressed and did not come about: a sentence with a blank before it.
fn tried(facts: &BTreeMap<&str, String>) -> String {
    let words = facts.get(TRIED).and_then(|id| Catalogue::get().fix(id).tried.as_ref());
    let said = words.and_then(|words| sentence::fill(words, facts));
    said.map(|said| format!(" {said}")).unwrap_or_default()
}

/// A fix with its words for these facts.
fn fix(id: &str, facts: &BTreeMap<&str, String>) -> Fix {
    let words = Catalogue::get().fix(id);
    Fix {
        id: id.to_owned(),
        actor: words.actor.clone(),
        label: say(&words.label, facts),
        how: words.how.clone(),
        preview: words.preview.as_ref().and_then(|preview| sentence::fill(preview, facts)),
    }
}

/// What is known of a finding, with what follows from it. What is empty is not known.
fn facts(finding: &Finding) -> BTreeMap<&str, String> {
    let mut facts: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &finding.facts {
        if !value.trim().is_empty() {
            facts.insert(name, value.clone());
        }
    }
    if let Some(said) = &finding.said {
        let message = said.message.trim();
        if !message.is_empty() {
            facts.entry("message").or_insert_with(|| message.to_owned());
        }
        if let Some(hresult) = &said.hresult {
            facts.entry("hresult").or_insert_with(|| hresult.clone());
        }
    }
    let limit = facts.get("limit").and_then(|limit| limit.parse::<usize>().ok());
    if let (Code::StringTooLong, Some(limit), Some(value), None) =
        (finding.code, limit, facts.get("value"), facts.get("shortened"))
    {
        let shortened: String = value.chars().take(limit).collect();
        facts.insert("shortened", shortened.trim_end().to_owned());
    }
    let both = changed_in_both(finding);
    if both.len() > 1 {
        let said = both.iter().map(|(field, ours, theirs)| {
            let field = sentence::cut(field);
            let (ours, theirs) = (quoted(ours), quoted(theirs));
            format!("{field} ({ours} in your application, {theirs} in QuickBooks)")
        });
        facts.insert("fields", listed(said));
        let said = both.iter().map(|(field, ours, theirs)| {
            let field = sentence::in_words(field);
            let (ours, theirs) = (quoted(ours), quoted(theirs));
            format!("{field} (your application says {ours}, QuickBooks says {theirs})")
        });
        facts.insert("fieldsInWords", listed(said));
    }
    facts
}

/// The fields that both sides changed: name, our value, and that of QuickBooks.
fn changed_in_both(finding: &Finding) -> Vec<(&str, String, String)> {
    let both = finding.facts.iter().filter_map(|(name, theirs)| {
        let field = name.strip_prefix("theirs:")?;
        let ours = finding.facts.get(&format!("ours:{field}"))?;
        Some((field, sentence::cut(ours), sentence::cut(theirs)))
    });
    both.collect()
}

/// A value in quotes, where there is one.
fn quoted(value: &str) -> String {
    if value.is_empty() { "nothing".to_owned() } else { format!("“{value}”") }
}

/// A list in a sentence, of which the first stand for many.
fn listed(parts: impl ExactSizeIterator<Item = String>) -> String {
    let more = parts.len().saturating_sub(LONGEST_LIST);
    let list = parts.take(LONGEST_LIST).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{list}, and {more} more") } else { list }
}

/// A number where the text is one.
fn measure(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| Value::from(text), |it| Number::from(it).into())
}
