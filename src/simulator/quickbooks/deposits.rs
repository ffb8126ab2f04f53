//! Deposits, journal entries, adjustments of the store: what moves between accounts.

use super::books::Object;
use super::desk::Desk;
use super::number::Number;
use super::sales;
use super::status;
use super::status::Outcome;
use super::transactions;
use super::transactions::Draft;
use super::xml::Node;

/// A payment that lies in a deposit says in which, in the books alone.
pub(crate) const DEPOSITED: &str = "DepositedIn";

/// Takes payments out of Undeposited Funds, and adds the deposit up.
pub(crate) fn complete(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    let why = "The account for this transaction must be of type Bank.";
    draft.account(desk, "DepositToAccountRef", &["Bank", "OtherCurrentAsset"], why)?;
    if let Some(before) = desk.books.get(draft.id).cloned() {
        release(desk, &before);
    }
    let mut children = std::mem::take(&mut draft.body.children);
    for line in children.iter_mut().filter(|child| child.name == "DepositLineRet") {
        let fresh = line.get("PaymentTxnID").trim();
        let id = if fresh.is_empty() { line.get("TxnID") } else { fresh }.to_owned();
        line.remove("PaymentTxnID");
        if !id.is_empty() {
            take_in(desk, draft.id, &id, line)?;
        }
    }
    draft.body.children = children;
    let total = transactions::price(desk, draft)?.all;
    let back = Number::of(draft.body.at("CashBackInfoRet/Amount"));
    draft.body.set("DepositTotal", (total - back).amount());
    Ok(())
}

/// One payment goes into a deposit.
fn take_in(desk: &mut Desk<'_>, deposit: &str, id: &str, line: &mut Node) -> Outcome<()> {
    let kinds = ["ReceivePayment", "SalesReceipt"];
    let found = desk.books.get(id).filter(|found| kinds.contains(&found.kind.as_str())).cloned();
    let Some(payment) = found else { return Err(status::not_found(id)) };
    let account = sales::undeposited(desk);
    let there = payment.body.at("DepositToAccountRef/ListID");
    let waits = account.as_ref().is_some_and(|account| account.id == there);
    if !waits || payment.body.child(DEPOSITED).is_some() {
        return Err(status::not_found(id));
    }
    line.set("TxnType", payment.kind.as_str());
    line.set("TxnID", id);
    line.set("Amount", payment.body.get("TotalAmount"));
    for (element, from) in [
        ("EntityRef", "CustomerRef"),
        ("AccountRef", "DepositToAccountRef"),
        ("PaymentMethodRef", "PaymentMethodRef"),
    ] {
        if let Some(reference) = payment.body.child(from) {
            line.put(Node { name: element.to_owned(), ..reference.clone() });
        }
    }
    let mut body = payment.body.clone();
    body.set(DEPOSITED, deposit);
    desk.change(&payment, body);
    Ok(())
}

/// Puts the payments of a deposit back into Undeposited Funds.
pub(crate) fn release(desk: &mut Desk<'_>, deposit: &Object) {
    for line in deposit.body.all("DepositLineRet") {
        if let Some(payment) = desk.books.get(line.get("TxnID")).cloned() {
            let mut body = payment.body.clone();
            body.remove(DEPOSITED);
            desk.change(&payment, body);
        }
    }
}

/// Debits and credits of a journal entry come to the same.
///
/// The words are those of the dialog; no log of the SDK is public.
pub(crate) fn balance(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    transactions::price(desk, draft)?;
    draft.default("IsAdjustment", "false");
    let sum = |name: &str| -> Number {
        draft.body.all(name).map(|line| Number::of(line.get("Amount"))).sum()
    };
    if sum("JournalDebitLine") != sum("JournalCreditLine") {
        let why = "Transaction is not in balance. Make sure the amounts in the Debit column equal \
                   the amounts in the Credit column.";
        return Err(status::saving(draft.kind, why));
    }
    for line in &draft.body.children {
        let account = desk.books.get(line.at("AccountRef/ListID"));
        let of_type = account.map_or("", |account| account.body.get("AccountType"));
        let owed = matches!(of_type, "AccountsReceivable" | "AccountsPayable");
        if owed && line.child("EntityRef").is_none() {
            return Err(status::missing("EntityRef"));
        }
    }
    Ok(())
}

/// A Mod calls all lines of a journal entry alike; the books tell debits from credits.
pub(crate) fn name_journal_lines(before: &Node, changes: &mut Node) {
    for line in changes.children.iter_mut().filter(|child| child.name == "JournalLineMod") {
        let id = line.get("TxnLineID");
        let known = before.children.iter().find(|old| old.get("TxnLineID") == id);
        line.name = match (line.get("JournalLineType"), known) {
            ("Debit", _) => "JournalDebitLine".to_owned(),
            ("", Some(known)) => known.name.clone(),
            _ => "JournalCreditLine".to_owned(),
        };
        line.remove("JournalLineType");
    }
}

/// An adjustment says the new quantity, or the difference; the books keep the difference.
pub(crate) fn adjust(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    let mut children = std::mem::take(&mut draft.body.children);
    for line in children.iter_mut().filter(|child| child.name == "InventoryAdjustmentLineRet") {
        let on_hand = desk.books.balances.of(line.at("ItemRef/ListID"));
        let mut difference = None;
        let mut value = None;
        for part in ["QuantityAdjustment", "ValueAdjustment"] {
            let Some(part) = line.child(part) else { continue };
            if let Some(new) = part.child("NewQuantity") {
                difference = Some(Number::of(&new.text) - on_hand);
            } else if let Some(given) = part.child("QuantityDifference") {
                difference = Some(Number::of(&given.text));
            }
            value = part.child("ValueDifference").map(|value| value.text.clone());
        }
        if let Some(difference) = difference {
            line.set("QuantityDifference", difference.plain());
        }
        let value = value.unwrap_or_else(|| line.get("ValueDifference").to_owned());
        line.set("ValueDifference", Number::of(&value).amount());
        line.remove("QuantityAdjustment");
        line.remove("ValueAdjustment");
    }
    draft.body.children = children;
    transactions::price(desk, draft).map(|_| ())
}
