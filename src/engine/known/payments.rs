//! What the mirror says of what a payment is for.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::ids::RecordKey;
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
use crate::qbxml::response::Ret;

/// The fact that names what a payment is for by its TxnID.
pub(crate) const FOR: &str = "txnId";
/// What a payment takes off what is due.
const AMOUNTS: [&str; 2] = ["PaymentAmount", "DiscountAmount"];
/// What a payment is applied to.
const APPLIED: [&str; 2] = ["AppliedToTxn", "AppliedToTxnAdd"];

impl Work<'_> {
    /// What a payment is for: paid already, another's, or open by less than it pays.
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
        let mut paid: BTreeMap<String, Decimal> = BTreeMap::new();
        for (at, row) in rows {
            let Some(Resolved::Id(id)) =
                row.get("TxnID").and_then(|txn| references::place(txn, places))
            else {
                continue;
            };
            let known = self.mirrored(&id).await?;
            let Some(known) = known else { continue };
            let finding = |code: Code| {
                let finding = Finding::new(code).at(format!("/data/{member}{at}/TxnID"));
                finding.fact("number", &known.facts.name).fact("value", &id).fact(FOR, &id)
            };
            if known.facts.gone.is_some() {
                return Ok(Some(finding(Code::ObjectNotFound).cause("refers_to_gone")));
            }
            if known.facts.is_paid == Some(true) {
                return Ok(Some(finding(Code::AlreadyPaid).cause("paid_in_full")));
            }
            if let Some((payer, other)) = self.another(record, data, &known, places).await? {
                let finding = finding(Code::CustomerMismatch).fact("customer", payer);
                let cause = cause_of_another(&record.key.kind);
                return Ok(Some(finding.cause(cause).fact("other", other)));
            }
            let whole = paid.entry(id.clone()).or_default();
            *whole += AMOUNTS.iter().filter_map(|name| amount(row.get(*name)?)).sum::<Decimal>();
            // What is open changes with every payment and credit: only what was told not long ago
            // stands against one. Else QuickBooks says it.
            let due = known.facts.balance.as_ref().filter(|_| self.tells_of(&known.facts.kind));
            if let Some(due) = due.filter(|due| due.parse::<Decimal>().is_ok_and(|it| *whole > it))
            {
                let finding = finding(Code::AlreadyPaid).cause("more_than_due");
                return Ok(Some(finding.fact("value", format!("{whole:.2}")).fact("due", due)));
            }
        }
        Ok(None)
    }

    /// Whether QuickBooks is to be asked which payments there are: once for what a payment is for. What
    /// it said before stands.
    pub(crate) async fn asks_payments(
        &self,
        key: &RecordKey,
        findings: &mut [Finding],
    ) -> Result<bool, EngineError> {
        let paid = |it: &Finding| it.code == Code::AlreadyPaid && it.facts.contains_key(FOR);
        let Some(finding) = findings.first_mut().filter(|it| paid(it)) else { return Ok(false) };
        let stored = self.engine.store.record(key).await?;
        let before = stored.and_then(|stored| stored.findings.into_iter().next());
        let before = before.filter(|it| paid(it) && it.facts.get(FOR) == finding.facts.get(FOR));
        let asks = before.is_none();
        finding.candidates = before.map(|it| it.candidates).unwrap_or_default();
        Ok(asks)
    }

    /// The names of who pays or is paid, and of whom the invoice or bill is, if they are not one
    /// family: the jobs of a customer are one with it, and a vendor has none.
    async fn another(
        &self,
        record: &Record,
        data: &Value,
        what: &Mirrored,
        places: &Places,
    ) -> Result<Option<(String, String)>, EngineError> {
        let payer = ["CustomerRef", "PayeeEntityRef"].iter().find_map(|name| data.get(*name));
        let (Some(payer), Some(theirs)) = (payer, &what.facts.entity) else { return Ok(None) };
        let Some(ours) = self.entity(payer, places).await? else { return Ok(None) };
        if ours == *theirs {
            return Ok(None);
        }
        let ours = self.mirrored(&ours).await?;
        let theirs = what.facts.entity_name.clone();
        let (Some(ours), Some(theirs)) = (ours.map(|it| it.facts.name), theirs) else {
            return Ok(None);
        };
        let top =
            |name: &str| mirror::normal(name).split(':').next().unwrap_or_default().to_owned();
        let family = cause_of_another(&record.key.kind).is_empty() && top(&ours) == top(&theirs);
        Ok((!family).then_some((ours, theirs)))
    }
}

/// The finer label of a payment for what is another's.
pub(crate) fn cause_of_another(kind: &str) -> &'static str {
    if kind == "ReceivePayment" { "" } else { "another_vendor" }
}

/// Whether what a payment was found to take is still more than QuickBooks says is due.
pub(crate) fn is_too_much(finding: &Finding, ret: &Ret) -> bool {
    let number = |text: Option<&String>| text?.parse::<Decimal>().ok();
    let pays = number(finding.facts.get("value").filter(|_| finding.cause == "more_than_due"));
    pays.zip(number(ret.balance.as_ref())).is_some_and(|(pays, due)| pays > due)
}

fn amount(value: &Value) -> Option<Decimal> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.trim().parse().ok()
}
