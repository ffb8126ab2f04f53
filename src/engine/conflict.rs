//! The same field changed in QuickBooks and in the application.
//!
//! Three values decide: what QuickBooks took last from us, what we send now, and what QuickBooks has.
//! Only a field that both sides changed, to different values, needs a person.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::engine::EngineError;
use crate::engine::work::Work;
use crate::qbxml::raw;
use crate::qbxml::response;

/// Attempts that are looked at for what QuickBooks took last.
const ATTEMPTS: usize = 20;

type Values = BTreeMap<String, String>;

impl Work<'_> {
    /// What both sides changed, if anything; `message_set` brought what QuickBooks has.
    pub(crate) async fn changed_in_both(
        &self,
        record: &Record,
        message_set: &MessageSet,
        item: &Item,
    ) -> Result<Option<Finding>, EngineError> {
        let Some(body) = &message_set.response else { return Ok(None) };
        let store = &self.engine.store;
        let Some(told) = response::fragment(store.open_body(body)?, &item.request_id) else {
            return Ok(None);
        };
        let theirs = raw::values(&told);
        let subject = Subject::Record(record.key.clone());
        let mut ours: Option<Values> = None;
        for sent in store.message_sets_of(&record.key, ATTEMPTS).await?.iter().rev() {
            let Some(item) = sent.items.iter().find(|item| item.subject == subject) else {
                continue;
            };
            if !matches!(item.purpose, Purpose::Add | Purpose::Mod) {
                continue;
            }
            let request = response::fragment(sent.qbxml.as_bytes(), &item.request_id);
            let values = raw::values(request.as_deref().unwrap_or_default());
            let taken = item.said.as_ref().is_some_and(|said| said.status_code == Some(0));
            match &ours {
                None if !taken => ours = Some(values),
                Some(ours) if taken => return Ok(compare(&values, ours, &theirs)),
                _ => {}
            }
        }
        Ok(None)
    }
}

/// The finding about the fields that differ three ways.
fn compare(base: &Values, ours: &Values, theirs: &Values) -> Option<Finding> {
    let mut finding: Option<Finding> = None;
    for (field, our) in ours {
        let skipped = matches!(field.as_str(), "ListID" | "TxnID" | "EditSequence");
        let (Some(before), Some(their)) = (base.get(field), theirs.get(field)) else { continue };
        if skipped || same(our, before) || same(their, before) || same(our, their) {
            continue;
        }
        let found = finding.take().unwrap_or_else(|| {
            Finding::new(Code::EditSequenceStale)
                .cause("changed_in_both")
                .at(format!("/data/{field}"))
                .fact("field", field)
                .fact("value", our)
                .fact("other", their)
        });
        let found = found.fact(&format!("ours:{field}"), our);
        finding = Some(found.fact(&format!("theirs:{field}"), their));
    }
    finding
}

fn same(a: &str, b: &str) -> bool {
    let number = |text: &str| text.trim().parse::<Decimal>().ok();
    a.trim() == b.trim() || number(a).is_some_and(|a| number(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(rows: &[(&str, &str)]) -> Values {
        rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_both_changed_to_different_values_is_a_conflict() {
        let base = values(&[("Phone", "1"), ("Fax", "1"), ("Memo", "a"), ("Total", "1.0")]);
        let ours = values(&[("Phone", "2"), ("Fax", "1"), ("Memo", "b"), ("Total", "1.00")]);
        let theirs = values(&[("Phone", "3"), ("Fax", "2"), ("Memo", "b"), ("Total", "2")]);

        let finding = compare(&base, &ours, &theirs).unwrap();

        assert_eq!(finding.pointer, "/data/Phone");
        assert_eq!(finding.facts["theirs:Phone"], "3");
        assert!(!finding.facts.contains_key("theirs:Fax"));
        assert!(!finding.facts.contains_key("theirs:Memo"));
    }
}
