//! What a transaction comes to, and the accounts that it moves.

use super::desk::Desk;
use super::kinds;
use super::lines;
use super::lines::Totals;
use super::number::Number;
use super::references;
use super::status;
use super::status::Outcome;
use super::xml::Node;

/// Accounts that QuickBooks fills in, by the account's type: kind, element, type.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("Invoice", "ARAccountRef", "AccountsReceivable"),
    ("CreditMemo", "ARAccountRef", "AccountsReceivable"),
    ("Charge", "ARAccountRef", "AccountsReceivable"),
    ("ReceivePayment", "ARAccountRef", "AccountsReceivable"),
    ("Bill", "APAccountRef", "AccountsPayable"),
    ("VendorCredit", "APAccountRef", "AccountsPayable"),
    ("ItemReceipt", "APAccountRef", "AccountsPayable"),
    ("BillPaymentCheck", "APAccountRef", "AccountsPayable"),
    ("BillPaymentCreditCard", "APAccountRef", "AccountsPayable"),
];
/// Accounts that must be of a type: kind, element, types.
const TYPED: &[(&str, &str, &[&str])] = &[
    ("BillPaymentCheck", "BankAccountRef", &["Bank"]),
    ("Check", "AccountRef", &["Bank"]),
    ("BillPaymentCreditCard", "CreditCardAccountRef", &["CreditCard"]),
    ("CreditCardCharge", "AccountRef", &["CreditCard"]),
    ("CreditCardCredit", "AccountRef", &["CreditCard"]),
    ("Deposit", "DepositToAccountRef", &["Bank", "OtherCurrentAsset"]),
    ("SalesReceipt", "DepositToAccountRef", &["Bank", "OtherCurrentAsset"]),
    ("ReceivePayment", "DepositToAccountRef", &["Bank", "OtherCurrentAsset"]),
];

/// Fills in the accounts that are missing and holds the given ones against their types.
pub(crate) fn accounts(desk: &Desk<'_>, kind: &str, body: &mut Node) -> Outcome<()> {
    for (of, element, of_type) in DEFAULTS.iter().filter(|row| row.0 == kind) {
        if body.child(element).is_none() {
            let found = desk
                .books
                .of_kind("Account")
                .find(|account| account.body.get("AccountType") == *of_type && account.is_active());
            let Some(account) = found else { return Err(status::missing_account()) };
            body.put(references::to(element, account));
        }
        typed(desk, body, of, element, &[of_type])?;
    }
    for (of, element, types) in TYPED.iter().filter(|row| row.0 == kind) {
        typed(desk, body, of, element, types)?;
    }
    let undeposited = matches!(kind, "ReceivePayment" | "SalesReceipt");
    if undeposited && body.child("DepositToAccountRef").is_none() {
        let found = desk.books.find("Account", "Undeposited Funds");
        if let Some(account) = found {
            body.put(references::to("DepositToAccountRef", account));
        }
    }
    Ok(())
}

fn typed(desk: &Desk<'_>, body: &Node, kind: &str, element: &str, types: &[&str]) -> Outcome<()> {
    let id = body.at(&format!("{element}/ListID"));
    let Some(account) = desk.books.get(id) else { return Ok(()) };
    if types.contains(&account.body.get("AccountType")) {
        return Ok(());
    }
    let what = kinds::spoken(element, kind);
    Err(status::reference(&what, account.name(), kind, status::WRONG_ACCOUNT))
}

/// Sets what a transaction comes to. What was paid of it stays paid.
pub(crate) fn set(desk: &Desk<'_>, kind: &str, body: &mut Node, priced: Totals) -> Outcome<()> {
    let all = priced.all;
    match kind {
        "Invoice" | "CreditMemo" | "SalesReceipt" | "Estimate" | "SalesOrder" => {
            let total = sale(desk, kind, body, priced);
            balance(kind, body, total);
        }
        "PurchaseOrder" | "ItemReceipt" => body.set("TotalAmount", all.amount()),
        "Bill" => {
            body.set("AmountDue", all.amount());
            balance(kind, body, all);
        }
        "VendorCredit" => {
            body.set("CreditAmount", all.amount());
            balance(kind, body, all);
        }
        "Check" | "CreditCardCharge" | "CreditCardCredit" => body.set("Amount", all.amount()),
        "Deposit" => {
            let paid = deposited(desk, body)?;
            body.set("DepositTotal", (all + paid).amount());
        }
        "Charge" => {
            let amount = Number::of(body.get("Amount"));
            let rate = Number::of(body.get("Rate"));
            let quantity = Number::of(body.get("Quantity"));
            let amount = if amount == Number::ZERO { rate.times(quantity).cents() } else { amount };
            body.set("Amount", amount.amount());
            balance(kind, body, amount);
        }
        "JournalEntry" => {
            let side = |name: &'static str| -> Number {
                body.all(name).map(|line| Number::of(line.get("Amount"))).sum()
            };
            if side("JournalDebitLine") != side("JournalCreditLine") {
                let why = "The transaction is not in balance.  Make sure the amounts on the debit side \
                           equal the amounts on the credit side.";
                return Err(status::saving(kind, why));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Subtotal, sales tax and total of a sale.
fn sale(desk: &Desk<'_>, kind: &str, body: &mut Node, priced: Totals) -> Number {
    if body.child("ItemSalesTaxRef").is_none() {
        let customer = desk.books.get(body.at("CustomerRef/ListID"));
        if let Some(tax) = customer.and_then(|customer| customer.body.child("ItemSalesTaxRef")) {
            body.put(tax.clone());
        }
    }
    let rate = lines::tax_rate(desk, body.at("ItemSalesTaxRef/ListID"));
    let tax = priced.taxable.percent(rate).cents();
    body.set("Subtotal", priced.all.amount());
    body.set("SalesTaxPercentage", rate.plain());
    body.set("SalesTaxTotal", tax.amount());
    let total = priced.all + tax;
    if kind != "Invoice" {
        body.set("TotalAmount", total.amount());
    }
    if kind == "Invoice" && body.child("DueDate").is_none() {
        let date = body.get("TxnDate").to_owned();
        let days = desk.books.get(body.at("TermsRef/ListID"));
        let days: i64 =
            days.and_then(|terms| terms.body.get("StdDueDays").parse().ok()).unwrap_or(0);
        let due = super::values::date(&date)
            .map(|date| date.checked_add(jiff::Span::new().days(days)).unwrap_or(date).to_string());
        body.set("DueDate", due.unwrap_or(date));
    }
    total
}

/// What is open of a total. The applied amount is written with its sign: -40.00.
fn balance(kind: &str, body: &mut Node, total: Number) {
    let applied = Number::of(body.get("AppliedAmount"));
    let open = total + applied;
    match kind {
        "Invoice" => {
            body.set("AppliedAmount", applied.amount());
            body.set("BalanceRemaining", open.amount());
        }
        "Charge" => body.set("BalanceRemaining", open.amount()),
        "CreditMemo" => body.set("CreditRemaining", open.amount()),
        "Bill" | "VendorCredit" => body.set("OpenAmount", open.amount()),
        _ => return,
    }
    if matches!(kind, "Invoice" | "Bill" | "Charge") {
        body.set("IsPaid", if open == Number::ZERO { "true" } else { "false" });
    }
    if kind == "Invoice" && body.child("IsPending").is_none() {
        body.set("IsPending", "false");
    }
}

/// What is open of a transaction that can be paid.
pub(crate) fn open(body: &Node) -> Number {
    let names = ["BalanceRemaining", "OpenAmount", "CreditRemaining"];
    let found = names.iter().find(|name| body.child(name).is_some());
    found.map_or(Number::ZERO, |name| Number::of(body.get(name)))
}

/// Moves the open amount of a transaction: a payment makes it less.
pub(crate) fn pay(kind: &str, body: &mut Node, amount: Number) {
    let total = open(body) - Number::of(body.get("AppliedAmount"));
    let applied = Number::of(body.get("AppliedAmount")) - amount;
    body.set("AppliedAmount", applied.amount());
    balance(kind, body, total);
}

/// The payments that lie in a deposit.
fn deposited(desk: &Desk<'_>, body: &mut Node) -> Outcome<Number> {
    let mut total = Number::ZERO;
    for line in body.children.iter_mut().filter(|line| line.name == "DepositLineRet") {
        let Some(payment) =
            line.child("PaymentTxnID").map(|payment| payment.text.trim().to_owned())
        else {
            continue;
        };
        let Some(payment) = desk.books.get(&payment).cloned() else {
            return Err(status::not_found(&payment));
        };
        let amount = Number::of(payment.body.get("TotalAmount"));
        line.set("Amount", amount.amount());
        line.set("TxnType", &*payment.kind);
        total += amount;
    }
    Ok(total)
}

/// Makes every amount of a transaction zero.
pub(crate) fn clear(body: &mut Node) {
    const AMOUNTS: &[&str] = &[
        "Amount",
        "AmountDue",
        "AppliedAmount",
        "BalanceRemaining",
        "Cost",
        "CreditAmount",
        "CreditRemaining",
        "DepositTotal",
        "OpenAmount",
        "Rate",
        "SalesTaxTotal",
        "Subtotal",
        "TotalAmount",
        "UnusedPayment",
    ];
    for child in &mut body.children {
        if AMOUNTS.contains(&child.name.as_str()) {
            "0.00".clone_into(&mut child.text);
        } else if child.name == "Quantity" {
            "0".clone_into(&mut child.text);
        } else if child.name == "IsPaid" {
            "true".clone_into(&mut child.text);
        } else {
            clear(child);
        }
    }
}
