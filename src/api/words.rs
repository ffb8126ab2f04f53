//! What the floors below say, as it is shown: findings in words, the catalogue, kinds.

use crate::api::problem::Problem;
use crate::api::query::nearest;
use crate::api::query::wrong;
use crate::api::refusal::Refusal;
use crate::api::shape::Diagnosis;
use crate::api::shape::Entry;
use crate::api::shape::Finding as FindingShape;
use crate::api::shape::Meaning;
use crate::diagnosis;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::engine::is_of_use;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;

/// All findings of a record as one diagnosis; `None` if there are none.
pub(super) fn diagnosis(findings: &[Finding]) -> Option<Diagnosis> {
    diagnosis::render_all(findings).map(Into::into)
}

/// The same of a record: without the fixes that could not be pressed, where it is done with.
pub(super) fn of_record(record: &Record, reasons: &[Finding]) -> Option<Diagnosis> {
    let mut words = diagnosis::render_all(reasons)?;
    for one in std::iter::once(&mut words.first).chain(&mut words.errors) {
        one.fixes.retain(|fix| is_of_use(record, &fix.id));
    }
    Some(words.into())
}

/// One finding.
pub(super) fn finding(finding: &Finding) -> FindingShape {
    diagnosis::render(finding).into()
}

/// Whether a text is a finer label inside some code.
pub(super) fn is_label(text: &str) -> bool {
    let known = |cause: &diagnosis::Variant| cause.cause == text;
    diagnosis::entries().any(|entry| entry.causes.iter().any(known))
}

/// Whether objects of this kind stand in a list and have a ListID; transactions have a TxnID.
pub(super) fn stands_in_a_list(kind: &str) -> bool {
    schema().kind(kind).is_some_and(|kind| kind.identity == Identity::List)
}

/// Refuses a kind that QuickBooks does not have.
pub(super) fn known_kind(kind: &str) -> Result<(), Problem> {
    if schema().kind(kind).is_some() {
        return Ok(());
    }
    Err(match nearest_kind(kind) {
        Some(nearest) => {
            wrong("kind", &format!("is none that QuickBooks has; did you mean {nearest}?"))
        }
        None => wrong("kind", "is none that QuickBooks has; GET /v1/schema lists them"),
    })
}

/// The kind that was probably meant.
pub(super) fn nearest_kind(kind: &str) -> Option<&'static str> {
    nearest(kind, schema().kinds().map(|kind| kind.name))
}

/// Every code, with what it means.
pub(super) fn entries() -> Vec<Entry> {
    let page = |code: &str| format!("/docs/errors/{code}");
    let found = diagnosis::entries().map(|entry| Entry {
        code: entry.code.as_str(),
        page: page(entry.code.as_str()),
        status: None,
        meaning: entry.words.into(),
        explanation: entry.explanation,
        causes: entry.causes.into_iter().map(Into::into).collect(),
    });
    let refused = Refusal::ALL.iter().map(|refusal| Entry {
        code: refusal.code(),
        page: page(refusal.code()),
        status: Some(refusal.status().as_u16()),
        meaning: Meaning::refused(refusal.title(), refusal.explanation()),
        explanation: refusal.explanation().to_owned(),
        causes: Vec::new(),
    });
    found.chain(refused).collect()
}
