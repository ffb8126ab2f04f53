//! What is bought: bills, receipts of items, orders, vendor credits, checks, credit card charges.

use super::desk::Desk;
use super::links;
use super::number::Number;
use super::references;
use super::sales;
use super::status;
use super::status::Outcome;
use super::transactions;
use super::transactions::Draft;

/// The dialog text for an account that is no payable.
pub(crate) const MUST_BE_PAYABLE: &str =
    "The Account for the transaction must be of type Accounts Payable";
/// The dialog text for an account that is no bank account.
///
/// Source: bill.com's help, article 203692899.
pub(crate) const MUST_BE_BANK: &str = "The account for this transaction must be of type Bank.";
/// The same for a credit card.
pub(crate) const MUST_BE_CARD: &str =
    "The account for this transaction must be of type Credit Card.";

/// How many days after its date a bill without terms is due (the preference of a new company).
const DAYS_BILLS_ARE_DUE: i64 = 10;

/// Defaults, accounts and totals of a purchase.
pub(crate) fn complete(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    accounts(desk, draft)?;
    defaults(desk, draft);
    sales::bring_in(desk, draft)?;
    let without = draft.body.all("ExpenseLineRet").any(|line| line.child("AccountRef").is_none());
    if without {
        return Err(status::missing("AccountRef"));
    }
    let total = if draft.kind == "SalesTaxPaymentCheck" {
        draft
            .body
            .all("SalesTaxPaymentCheckLineRet")
            .map(|line| Number::of(line.get("Amount")))
            .sum()
    } else {
        transactions::price(desk, draft)?.all
    };
    let element = match draft.kind {
        "Bill" => "AmountDue",
        "VendorCredit" => "CreditAmount",
        "ItemReceipt" | "PurchaseOrder" => "TotalAmount",
        _ => "Amount",
    };
    draft.body.set(element, total.amount());
    if links::open_element(draft.kind).is_some() {
        links::reckon(draft.kind, &mut draft.body, total);
    }
    Ok(())
}

/// Each kind posts to accounts of one type.
fn accounts(desk: &Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    match draft.kind {
        "Bill" | "VendorCredit" | "ItemReceipt" => {
            draft.account(desk, "APAccountRef", &["AccountsPayable"], MUST_BE_PAYABLE)
        }
        "Check" => draft.account(desk, "AccountRef", &["Bank"], MUST_BE_BANK),
        "SalesTaxPaymentCheck" => draft.account(desk, "BankAccountRef", &["Bank"], MUST_BE_BANK),
        "CreditCardCharge" | "CreditCardCredit" => {
            draft.account(desk, "AccountRef", &["CreditCard"], MUST_BE_CARD)
        }
        _ => Ok(()),
    }
}

/// What the vendor and the preferences say if the request does not.
fn defaults(desk: &Desk<'_>, draft: &mut Draft<'_>) {
    if let Some(vendor) = desk.books.get(draft.body.at("VendorRef/ListID")).cloned() {
        draft.default_from("VendorAddress", vendor.body.child("VendorAddress"));
        if draft.kind == "Bill" {
            draft.default_from("TermsRef", vendor.body.child("TermsRef"));
        }
    }
    let template =
        desk.books.of_kind("Template").find(|it| it.body.get("TemplateType") == draft.kind);
    let template = template.map(|template| references::to("TemplateRef", template));
    draft.default_from("TemplateRef", template.as_ref());
    let date = draft.body.get("TxnDate").to_owned();
    match draft.kind {
        "Bill" => {
            let due = sales::due(desk, &draft.body, DAYS_BILLS_ARE_DUE);
            draft.default("DueDate", &due);
        }
        "PurchaseOrder" => {
            draft.default("DueDate", &date);
            draft.default("ExpectedDate", &date);
        }
        _ => {}
    }
    for element in ["IsManuallyClosed", "IsFullyReceived", "IsToBePrinted", "IsToBeEmailed"] {
        draft.default(element, "false");
    }
}
