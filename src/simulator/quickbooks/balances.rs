//! What customers and vendors owe, and what lies in the store.
//!
//! Kept up to date at each change, as QuickBooks does, so that a query need not add up all books.

use std::collections::BTreeMap;

use super::books::Object;
use super::number::Number;
use super::xml::Node;

/// Sums by the ListID of a name, of an item or of an account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Balances {
    sums: BTreeMap<String, Number>,
}

impl Balances {
    /// The sum of a name, an item (its quantity) or an account.
    pub(crate) fn of(&self, id: &str) -> Number {
        self.sums.get(id).copied().unwrap_or_default()
    }

    /// Counts an object in.
    pub(crate) fn add(&mut self, object: &Object) {
        effects(object, &mut |id, amount| *self.sums.entry(id.to_owned()).or_default() += amount);
    }

    /// Counts an object out.
    pub(crate) fn subtract(&mut self, object: &Object) {
        effects(object, &mut |id, amount| *self.sums.entry(id.to_owned()).or_default() -= amount);
    }
}

/// What an object does to whose balance.
fn effects(object: &Object, add: &mut impl FnMut(&str, Number)) {
    let body = &object.body;
    let amount = |element: &str| Number::of(body.get(element));
    let mut on = |reference: &str, amount: Number| {
        let id = body.at(&format!("{reference}/ListID"));
        if !id.is_empty() {
            add(id, amount);
        }
    };
    match object.kind.as_str() {
        "Invoice" | "Charge" => {
            on("CustomerRef", amount("BalanceRemaining"));
            on("ARAccountRef", amount("BalanceRemaining"));
        }
        "CreditMemo" => {
            on("CustomerRef", -amount("CreditRemaining"));
            on("ARAccountRef", -amount("CreditRemaining"));
        }
        "ReceivePayment" => {
            on("CustomerRef", -amount("UnusedPayment"));
            on("ARAccountRef", -amount("UnusedPayment"));
            on("DepositToAccountRef", amount("TotalAmount"));
        }
        "SalesReceipt" => on("DepositToAccountRef", amount("TotalAmount")),
        "Bill" => {
            on("VendorRef", amount("OpenAmount"));
            on("APAccountRef", amount("OpenAmount"));
        }
        "VendorCredit" => {
            on("VendorRef", -amount("OpenAmount"));
            on("APAccountRef", -amount("OpenAmount"));
        }
        "BillPaymentCheck" => on("BankAccountRef", -amount("Amount")),
        "BillPaymentCreditCard" => on("CreditCardAccountRef", amount("Amount")),
        "Check" | "CreditCardCredit" => on("AccountRef", -amount("Amount")),
        "CreditCardCharge" => on("AccountRef", amount("Amount")),
        "Deposit" => on("DepositToAccountRef", amount("DepositTotal")),
        "Transfer" => {
            on("TransferFromAccountRef", -amount("Amount"));
            on("TransferToAccountRef", amount("Amount"));
        }
        "Account" | "Customer" | "Vendor" => add(&object.id, amount("OpenBalance")),
        "ItemInventory" | "ItemInventoryAssembly" => add(&object.id, amount("QuantityOnHand")),
        _ => {}
    }
    lines(object, add);
}

/// What the lines of an object do: accounts of journal entries, quantities of items.
fn lines(object: &Object, add: &mut impl FnMut(&str, Number)) {
    let sign = match object.kind.as_str() {
        "Invoice" | "SalesReceipt" | "VendorCredit" => -Number::ONE,
        "CreditMemo"
        | "Bill"
        | "ItemReceipt"
        | "Check"
        | "CreditCardCharge"
        | "Deposit"
        | "InventoryAdjustment"
        | "JournalEntry" => Number::ONE,
        _ => return,
    };
    object.body.walk(&mut |line: &Node| match line.name.as_str() {
        "JournalDebitLine" => add(line.at("AccountRef/ListID"), Number::of(line.get("Amount"))),
        "JournalCreditLine" | "DepositLineRet" => {
            add(line.at("AccountRef/ListID"), -Number::of(line.get("Amount")));
        }
        "InventoryAdjustmentLineRet" => {
            add(line.at("ItemRef/ListID"), Number::of(line.get("QuantityDifference")));
        }
        name if name.ends_with("LineRet") && line.child("ItemRef").is_some() => {
            add(line.at("ItemRef/ListID"), Number::of(line.get("Quantity")).times(sign));
        }
        _ => {}
    });
}
