//! What customers are sold: invoices, receipts, credit memos, orders, estimates, charges.

use super::books::Object;
use super::desk::Desk;
use super::kinds;
use super::lines;
use super::links;
use super::links::Other;
use super::number::Number;
use super::references;
use super::status;
use super::status::Outcome;
use super::transactions;
use super::transactions::Draft;
use super::values;
use super::xml::Node;

/// The dialog text for an account that is no receivable.
const MUST_BE_RECEIVABLE: &str =
    "The Account for the transaction must be of type Accounts Receivable";

/// Defaults, totals and links of a sale.
pub(crate) fn complete(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    let customer = desk.books.get(draft.body.at("CustomerRef/ListID")).cloned();
    defaults(desk, draft, customer.as_deref())?;
    if desk.is_on("SalesTax") && draft.body.child("ItemSalesTaxRef").is_none() {
        let why = "Transaction Sales Tax field cannot be left blank";
        return Err(status::saving(draft.kind, why));
    }
    bring_in(desk, draft)?;
    let totals = transactions::price(desk, draft)?;
    let rate = tax_rate(desk, &draft.body);
    let tax = totals.taxable.percent(rate).cents();
    let total = totals.all + tax;
    draft.body.set("Subtotal", totals.all.amount());
    draft.body.set("SalesTaxPercentage", rate.price());
    draft.body.set("SalesTaxTotal", tax.amount());
    draft.body.set("TotalAmount", total.amount());
    credits(desk, draft, total)?;
    if links::open_element(draft.kind).is_some() {
        if links::settled(&draft.body) > total.max(Number::ZERO) {
            return Err(status::modifying_transaction(draft.kind, status::BELOW_PAID));
        }
        links::reckon(draft.kind, &mut draft.body, total);
    }
    if draft.kind == "Invoice"
        && let Some(customer) = customer
    {
        within_limit(desk, draft, &customer, total)?;
    }
    Ok(())
}

/// A charge is a sale of one line that is the transaction itself.
pub(crate) fn charge(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    draft.account(desk, "ARAccountRef", &["AccountsReceivable"], MUST_BE_RECEIVABLE)?;
    let parts = ["ItemRef", "Desc", "Quantity", "Rate", "Amount"];
    let mut line = draft.body.clone();
    "ChargeLineRet".clone_into(&mut line.name);
    line.children.retain(|child| parts.contains(&child.name.as_str()));
    let mut one = Node::of("ChargeRet", vec![line]);
    let totals = lines::price(desk, "Charge", &mut one)?;
    for part in one.children.into_iter().flat_map(|line| line.children) {
        if parts.contains(&part.name.as_str()) {
            draft.body.put(part);
        }
    }
    let date = draft.body.get("TxnDate").to_owned();
    draft.default("DueDate", &date);
    links::reckon(draft.kind, &mut draft.body, totals.all);
    Ok(())
}

/// What the customer and the preferences say if the request does not.
fn defaults(desk: &Desk<'_>, draft: &mut Draft<'_>, customer: Option<&Object>) -> Outcome<()> {
    if matches!(draft.kind, "Invoice" | "CreditMemo") {
        draft.account(desk, "ARAccountRef", &["AccountsReceivable"], MUST_BE_RECEIVABLE)?;
    }
    if draft.kind == "SalesReceipt" && draft.body.child("DepositToAccountRef").is_none() {
        default_deposit(desk, draft);
    }
    if let Some(customer) = customer {
        let of = |element: &str| customer.body.child(element);
        draft.default_from("BillAddress", of("BillAddress"));
        draft.default_from("ShipAddress", of("ShipAddress"));
        draft.default_from("SalesRepRef", of("SalesRepRef"));
        draft.default_from("ItemSalesTaxRef", of("ItemSalesTaxRef"));
        draft.default_from("CustomerSalesTaxCodeRef", of("SalesTaxCodeRef"));
        if matches!(draft.kind, "Invoice" | "Estimate" | "SalesOrder") {
            draft.default_from("TermsRef", of("TermsRef"));
        }
    }
    let template =
        desk.books.of_kind("Template").find(|it| it.body.get("TemplateType") == draft.kind);
    let template = template.map(|template| references::to("TemplateRef", template));
    draft.default_from("TemplateRef", template.as_ref());
    let date = draft.body.get("TxnDate").to_owned();
    let due = due(desk, &draft.body, 0);
    draft.default("DueDate", &due);
    draft.default("ShipDate", &date);
    for element in ["IsPending", "IsFinanceCharge", "IsToBePrinted", "IsToBeEmailed"] {
        draft.default(element, "false");
    }
    for element in ["IsManuallyClosed", "IsFullyInvoiced"] {
        draft.default(element, "false");
    }
    draft.default("IsActive", "true");
    Ok(())
}

/// Payments wait in Undeposited Funds for a deposit.
pub(crate) fn default_deposit(desk: &Desk<'_>, draft: &mut Draft<'_>) {
    if let Some(account) = undeposited(desk) {
        let reference = references::to("DepositToAccountRef", &account);
        draft.default_from("DepositToAccountRef", Some(&reference));
    }
}

/// The account in which payments wait for a deposit.
pub(crate) fn undeposited(desk: &Desk<'_>) -> Option<std::sync::Arc<Object>> {
    let mut accounts = desk.books.of_kind("Account");
    accounts.find(|it| it.body.get("SpecialAccountType") == "UndepositedFunds").cloned()
}

/// When it is due: by its terms, or so many days after its date.
pub(crate) fn due(desk: &Desk<'_>, body: &Node, days: i64) -> String {
    let date = body.get("TxnDate");
    let terms = desk.books.get(body.at("TermsRef/ListID"));
    let days = terms.map_or(days, |terms| terms.body.get("StdDueDays").parse().unwrap_or(0));
    let due = values::date(date)
        .and_then(|day| day.checked_add(jiff::Span::new().try_days(days).ok()?).ok());
    due.map_or_else(|| date.to_owned(), |day| day.to_string())
}

/// The rate of the sales tax: that of the tax item, unless the customer is not taxed.
fn tax_rate(desk: &Desk<'_>, body: &Node) -> Number {
    let code = desk.books.get(body.at("CustomerSalesTaxCodeRef/ListID"));
    if code.is_some_and(|code| !code.body.is("IsTaxable")) {
        return Number::ZERO;
    }
    lines::tax_rate(desk, body.at("ItemSalesTaxRef/ListID"))
}

/// Uses the credits that `SetCredit` names.
fn credits(desk: &mut Desk<'_>, draft: &mut Draft<'_>, total: Number) -> Outcome<()> {
    let wanted: Vec<Node> = draft.body.all("SetCredit").cloned().collect();
    draft.body.remove("SetCredit");
    for credit in wanted {
        let (id, amount) =
            (credit.get("CreditTxnID").to_owned(), Number::of(credit.get("AppliedAmount")));
        let found = desk.books.get(&id).filter(|found| found.kind == "CreditMemo").cloned();
        let Some(memo) = found else { return Err(status::not_found(&id)) };
        let open = total - links::settled(&draft.body);
        if memo.body.at("CustomerRef/ListID") != draft.body.at("CustomerRef/ListID") {
            return Err(status::not_found(&id));
        }
        if amount > links::open_amount(&memo) || amount > open || amount < Number::ZERO {
            return Err(status::credit(&amount.amount()));
        }
        links::settle(desk, &id, &Other::draft(draft), amount);
        draft.body.children.push(Other::object(&memo).link("AMTTYPE", -amount));
    }
    Ok(())
}

/// Brings in what `LinkToTxnID` names: the lines of an estimate or an order.
pub(crate) fn bring_in(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    let wanted: Vec<String> = draft.body.all("LinkToTxnID").map(|id| id.text.clone()).collect();
    draft.body.remove("LinkToTxnID");
    for id in wanted {
        let found = desk.books.get(&id).filter(|found| kinds::is_transaction(&found.kind)).cloned();
        let Some(from) = found else { return Err(status::not_found(&id)) };
        let line = if lines::side(draft.kind) == lines::Side::Sales {
            format!("{}LineRet", draft.kind)
        } else {
            "ItemLineRet".to_owned()
        };
        for old in from.body.children.iter().filter(|child| child.child("ItemRef").is_some()) {
            let mut new = old.clone();
            new.name.clone_from(&line);
            new.remove("TxnLineID");
            if line == "ItemLineRet" {
                for child in new.children.iter_mut().filter(|child| child.name == "Rate") {
                    "Cost".clone_into(&mut child.name);
                }
            }
            draft.body.children.push(new);
        }
        draft.body.children.push(Other::object(&from).link("QUANTYPE", Number::ZERO));
        let mut body = from.body.clone();
        body.children.push(Other::draft(draft).link("QUANTYPE", Number::ZERO));
        match from.kind.as_str() {
            "SalesOrder" => body.set("IsFullyInvoiced", "true"),
            "PurchaseOrder" => body.set("IsFullyReceived", "true"),
            _ => {}
        }
        desk.change(&from, body);
    }
    Ok(())
}

/// Holds a new invoice against the customer's credit limit.
///
/// Source: ays' export help (3180).
fn within_limit(
    desk: &Desk<'_>,
    draft: &Draft<'_>,
    customer: &Object,
    total: Number,
) -> Outcome<()> {
    let limit = customer.body.get("CreditLimit");
    let is_new = desk.books.get(draft.id).is_none();
    let owed = desk.books.balances.of(&customer.id) + total;
    if is_new && !limit.is_empty() && owed > Number::of(limit) {
        let why = "The credit limit for the name on this transaction has been exceeded.";
        return Err(status::saving(draft.kind, why));
    }
    Ok(())
}
