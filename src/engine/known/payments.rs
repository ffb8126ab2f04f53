//! What the mirror says of what a payment is for.

use serde_json::Value;

use crate::domain::mirror;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::engine::EngineError;
use crate::engine::known::Places;
use crate::engine::references;
use crate::engine::work::Work;
use crate::qbxml::build::Resolved;

/// What a payment is applied to.
const APPLIED: [&str; 2] = ["AppliedToTxn", "AppliedToTxnAdd"];

impl Work<'_> {
    /// What a payment is for: paid already, or another customer's.
    pub(super) async fn paid(
        &self,
        record: &Record,
        data: &Value,
        places: &Places,
    ) -> Result<Option<Finding>, EngineError> {
        if record.reference.is_some() {
            return Ok(None);
        }
        let applied = APPLIED.iter().find_map(|name| Some((*name, data.get(*name)?)));
        let Some((member, applied)) = applied else { return Ok(None) };
        let rows = match applied {
            Value::Array(rows) => {
                rows.iter().enumerate().map(|(n, it)| (format!("/{n}"), it)).collect()
            }
            one => vec![(String::new(), one)],
        };
        for (at, row) in rows {
            let Some(Resolved::Id(id)) =
                row.get("TxnID").and_then(|txn| references::place(txn, places))
            else {
                continue;
            };
            let known = self.engine.store.mirrored(&self.connection.id, &id).await?;
            let Some(known) = known else { continue };
            let finding = |code: Code| {
                let finding = Finding::new(code).at(format!("/data/{member}{at}/TxnID"));
                finding.fact("number", &known.facts.name).fact("value", &id)
            };
            if known.facts.gone.is_some() {
                return Ok(Some(finding(Code::ObjectNotFound).cause("refers_to_gone")));
            }
            if known.facts.is_paid == Some(true) {
                return Ok(Some(finding(Code::AlreadyPaid).cause("paid_in_full")));
            }
            if let Some((customer, other)) = self.another_customer(data, &known, places).await? {
                let finding = finding(Code::CustomerMismatch).fact("customer", customer);
                return Ok(Some(finding.fact("other", other)));
            }
        }
        Ok(None)
    }

    /// The names of a payment's customer and of the invoice's, if they are not one family.
    async fn another_customer(
        &self,
        data: &Value,
        invoice: &Mirrored,
        places: &Places,
    ) -> Result<Option<(String, String)>, EngineError> {
        let (Some(customer), Some(theirs)) = (data.get("CustomerRef"), &invoice.facts.entity)
        else {
            return Ok(None);
        };
        let Some(ours) = self.entity(customer, places).await? else { return Ok(None) };
        if ours == *theirs {
            return Ok(None);
        }
        let store = &self.engine.store;
        let ours = store.mirrored(&self.connection.id, &ours).await?;
        let theirs = invoice.facts.entity_name.clone();
        let (Some(ours), Some(theirs)) = (ours.map(|it| it.facts.name), theirs) else {
            return Ok(None);
        };
        let top =
            |name: &str| mirror::normal(name).split(':').next().unwrap_or_default().to_owned();
        Ok((top(&ours) != top(&theirs)).then_some((ours, theirs)))
    }
}
