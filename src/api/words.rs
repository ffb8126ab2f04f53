//! Findings in words, as JSON.

use serde_json::Value;

use crate::api::problem::Problem;
use crate::api::refusal::Refusal;
use crate::api::shape::Diagnosis;
use crate::api::shape::Entry;
use crate::api::shape::Finding as FindingShape;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;

/// All findings of a record as one diagnosis; `None` if there are none.
pub(super) fn diagnosis(findings: &[Finding]) -> Option<Diagnosis> {
    let first = findings.first()?;
    let words = finding(first);
    let errors = if findings.len() > 1 { findings.iter().map(finding).collect() } else { vec![] };
    Some(Diagnosis {
        title: words.title,
        code: words.code,
        user_facing_message: words.detail.clone(),
        detail: words.detail,
        pointer: words.pointer,
        retryable: false,
        fixes: words.fixes,
        quickbooks: first.said.clone().map(Into::into),
        errors,
    })
}

/// One finding.
pub(super) fn finding(finding: &Finding) -> FindingShape {
    let number = |name: &str| {
        let fact = finding.facts.get(name)?;
        Some(fact.parse::<i64>().map_or_else(|_| Value::from(fact.as_str()), Value::from))
    };
    let said = finding.said.as_ref().map(|said| said.message.clone());
    FindingShape {
        code: finding.code.to_string(),
        title: finding.code.to_string(),
        detail: said.unwrap_or_else(|| finding.code.to_string()),
        pointer: (!finding.pointer.is_empty()).then(|| finding.pointer.clone()),
        limit: number("limit"),
        actual: number("actual"),
        fixes: Vec::new(),
    }
}

/// Whether objects of this kind stand in a list and have a ListID; transactions have a TxnID.
pub(super) fn stands_in_a_list(kind: &str) -> bool {
    const TRANSACTIONS: [&str; 21] = [
        "ARRefundCreditCard",
        "Bill",
        "BillPaymentCheck",
        "BillPaymentCreditCard",
        "BuildAssembly",
        "Charge",
        "Check",
        "CreditCardCharge",
        "CreditCardCredit",
        "CreditMemo",
        "Deposit",
        "Estimate",
        "InventoryAdjustment",
        "Invoice",
        "ItemReceipt",
        "JournalEntry",
        "PurchaseOrder",
        "ReceivePayment",
        "SalesOrder",
        "SalesReceipt",
        "TimeTracking",
    ];
    !TRANSACTIONS.contains(&kind)
}

/// Refuses a kind that QuickBooks does not have.
pub(super) fn known_kind(_kind: &str) -> Result<(), Problem> {
    Ok(())
}

/// Every code, with what it means.
pub(super) fn entries() -> Vec<Entry> {
    let page = |code: &str| format!("/docs/errors/{code}");
    let found = Code::ALL.iter().map(|code| Entry {
        code: code.as_str(),
        title: code.to_string(),
        explanation: String::new(),
        fixes: Vec::new(),
        status: None,
        page: page(code.as_str()),
    });
    let refused = Refusal::ALL.iter().map(|refusal| Entry {
        code: refusal.code(),
        title: refusal.title().to_owned(),
        explanation: refusal.explanation().to_owned(),
        fixes: Vec::new(),
        status: Some(refusal.status().as_u16()),
        page: page(refusal.code()),
    });
    found.chain(refused).collect()
}
