//! Payments: of customers for invoices, of bills by check or card, refunds of credits.
//!
//! A payment is of one name, and pays only what that name (or, for a customer, one of its jobs)
//! owes. What has nothing open any more is answered as if it were not there (3120); more than is
//! open is refused (3210).
//!
//! Source: field logs of 3210 and 3120.

use super::books::Object;
use super::desk::Desk;
use super::links;
use super::links::Other;
use super::number::Number;
use super::purchases;
use super::references;
use super::sales;
use super::shape;
use super::status;
use super::status::Outcome;
use super::transactions::Draft;
use super::values;
use super::xml::Node;

/// The element of a Ret that names what is paid.
const APPLIED: &str = "AppliedToTxnRet";

/// Applies a payment, and says what is left of it.
pub(crate) fn complete(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    accounts(desk, draft)?;
    let mut wanted: Vec<Node> = draft.body.all(APPLIED).cloned().collect();
    draft.body.remove(APPLIED);
    let receives = draft.kind == "ReceivePayment";
    let given = draft.body.child("TotalAmount").map(|total| Number::of(&total.text));
    if draft.body.is("IsAutoApply") {
        let total = given.ok_or_else(|| status::missing("TotalAmount"))?;
        wanted = open_invoices(desk, draft, total);
    }
    draft.body.remove("IsAutoApply");
    if let Some(total) = given.filter(|total| *total < Number::ZERO) {
        return Err(status::invalid_value("TotalAmount", &total.amount()));
    }
    let mut paid = Number::ZERO;
    for one in wanted {
        let left = given.filter(|_| receives).map(|given| given - paid);
        let applied = apply(desk, draft, &one, left)?;
        paid += Number::of(applied.get("Amount"));
        draft.body.children.push(applied);
    }
    if receives {
        let total = given.unwrap_or(paid);
        draft.body.set("TotalAmount", total.amount());
        draft.body.set("UnusedPayment", (total - paid).amount());
        draft.body.set("UnusedCredits", Number::ZERO.amount());
    } else {
        draft.body.set("Amount", paid.amount());
        draft.default("IsToBePrinted", "false");
    }
    Ok(())
}

/// Before a payment is changed: what it paid is open again, to be paid anew.
pub(crate) fn reopen(
    desk: &mut Desk<'_>,
    object: &Object,
    draft: &mut Draft<'_>,
    changes: &mut Node,
) -> Outcome<()> {
    let differs = |element: &str, path: &str| {
        changes.child(element).is_some() && changes.at(path) != object.body.at(path)
    };
    if object.body.child("DepositedIn").is_some()
        && (differs("CustomerRef", "CustomerRef/ListID") || differs("TotalAmount", "TotalAmount"))
    {
        let why = "You need to delete this transaction from the deposit before you can edit its \
                   name or amount.";
        return Err(status::modifying_transaction(&object.kind, why));
    }
    for paid in
        object.body.all(APPLIED).map(|paid| paid.get("TxnID").to_owned()).collect::<Vec<_>>()
    {
        links::release(desk, &paid, &object.id);
    }
    for change in changes.all("AppliedToTxnMod") {
        let mut change = shape::renamed(change, shape::ret(&object.kind));
        let known =
            |old: &&mut Node| old.name == APPLIED && old.get("TxnID") == change.get("TxnID");
        match draft.body.children.iter_mut().find(known) {
            Some(old) => {
                if change.child("PaymentAmount").is_none() {
                    change.set("PaymentAmount", old.get("Amount"));
                }
                *old = change;
            }
            None => draft.body.children.push(change),
        }
    }
    changes.remove("AppliedToTxnMod");
    Ok(())
}

/// The accounts that a payment moves money between.
fn accounts(desk: &Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    match draft.kind {
        "ReceivePayment" => {
            let why = "The Account for the transaction must be of type Accounts Receivable";
            draft.account(desk, "ARAccountRef", &["AccountsReceivable"], why)?;
            sales::default_deposit(desk, draft);
            Ok(())
        }
        kind => {
            draft.account(
                desk,
                "APAccountRef",
                &["AccountsPayable"],
                purchases::MUST_BE_PAYABLE,
            )?;
            if kind == "BillPaymentCheck" {
                draft.account(desk, "BankAccountRef", &["Bank"], purchases::MUST_BE_BANK)
            } else {
                draft.account(
                    desk,
                    "CreditCardAccountRef",
                    &["CreditCard"],
                    purchases::MUST_BE_CARD,
                )
            }
        }
    }
}

/// Pays one transaction; answers the element that tells so.
fn apply(
    desk: &mut Desk<'_>,
    draft: &Draft<'_>,
    wanted: &Node,
    left: Option<Number>,
) -> Outcome<Node> {
    let id = wanted.get("TxnID").trim().to_owned();
    let target = target(desk, draft, &id)?;
    let open = links::open_amount(&target);
    if open == Number::ZERO {
        return Err(status::not_found(&id));
    }
    let discount = Number::of(wanted.get("DiscountAmount"));
    if discount > Number::ZERO && wanted.child("DiscountAccountRef").is_none() {
        return Err(status::missing("DiscountAccountRef"));
    }
    let credited: Number =
        wanted.all("SetCredit").map(|credit| Number::of(credit.get("AppliedAmount"))).sum();
    let given = wanted.child("PaymentAmount").or_else(|| wanted.child("Amount"));
    let amount = given.map_or_else(
        || {
            let rest = (open - discount - credited).max(Number::ZERO);
            left.map_or(rest, |left| rest.min(left))
        },
        |given| Number::of(&given.text),
    );
    if [amount, discount, credited].iter().any(|part| *part < Number::ZERO) {
        return Err(status::invalid_value("AppliedToTxnAdd payment amount", &amount.amount()));
    }
    if amount + discount + credited > open {
        return Err(status::overpaid(&amount.amount()));
    }
    if left.is_some_and(|left| amount > left) {
        return Err(status::invalid_value("AppliedToTxnAdd payment amount", &amount.amount()));
    }
    for credit in wanted.all("SetCredit") {
        use_credit(desk, &target, credit)?;
    }
    if amount + discount != Number::ZERO {
        links::settle(desk, &id, &Other::draft(draft), amount + discount);
    }
    let rest = open - amount - discount - credited;
    Ok(applied(&target, wanted, amount, rest))
}

/// The element that tells what was paid.
fn applied(target: &Object, wanted: &Node, amount: Number, rest: Number) -> Node {
    let mut node = Node::of(
        APPLIED,
        vec![
            Node::leaf("TxnID", target.id.as_str()),
            Node::leaf("TxnType", target.kind.as_str()),
            Node::leaf("TxnDate", target.body.get("TxnDate")),
        ],
    );
    if !target.body.get("RefNumber").is_empty() {
        node.set("RefNumber", target.body.get("RefNumber"));
    }
    node.set("BalanceRemaining", rest.amount());
    node.set("Amount", amount.amount());
    for element in ["DiscountAmount", "DiscountAccountRef", "DiscountClassRef"] {
        node.children.extend(wanted.child(element).cloned());
    }
    node
}

/// What is to be paid: there, of a kind that is paid so, and of the one who pays.
fn target(desk: &mut Desk<'_>, draft: &Draft<'_>, id: &str) -> Outcome<Object> {
    if !references::looks_like_id(id) {
        return Err(status::invalid_id(id, &values::words("TxnID")));
    }
    let (kinds, owner, payer): (&[&str], _, _) = if draft.kind == "ReceivePayment" {
        (&["Invoice", "Charge"], "CustomerRef/ListID", "CustomerRef/ListID")
    } else {
        (&["Bill"], "VendorRef/ListID", "PayeeEntityRef/ListID")
    };
    let found = desk.books.get(id).filter(|found| kinds.contains(&found.kind.as_str())).cloned();
    let Some(found) = found else { return Err(status::not_found(id)) };
    if !is_of(desk, found.body.at(owner), draft.body.at(payer)) {
        return Err(status::not_found(id));
    }
    if desk.is_locked(&found.kind, &[found.name(), id]) {
        return Err(status::related_in_use(id));
    }
    Ok(found.as_ref().clone())
}

/// Whether somebody is the payer, or one of the payer's jobs.
fn is_of(desk: &Desk<'_>, name: &str, payer: &str) -> bool {
    let mut at = name.to_owned();
    loop {
        if at == payer {
            return true;
        }
        match desk.books.get(&at).map(|object| object.body.at("ParentRef/ListID")) {
            Some(parent) if !parent.is_empty() => at = parent.to_owned(),
            _ => return false,
        }
    }
}

/// Uses a credit for what is paid.
fn use_credit(desk: &mut Desk<'_>, target: &Object, credit: &Node) -> Outcome<()> {
    let (id, amount) = (credit.get("CreditTxnID"), Number::of(credit.get("AppliedAmount")));
    let kind = if target.kind == "Bill" { "VendorCredit" } else { "CreditMemo" };
    let found = desk.books.get(id).filter(|found| found.kind == kind).cloned();
    let Some(memo) = found else { return Err(status::not_found(id)) };
    if amount > links::open_amount(&memo) || amount < Number::ZERO {
        return Err(status::credit(&amount.amount()));
    }
    links::settle(desk, id, &Other::object(target), amount);
    links::settle(desk, &target.id, &Other::object(&memo), amount);
    Ok(())
}

/// The open invoices of a customer and of its jobs, the oldest first, as far as the money goes.
fn open_invoices(desk: &Desk<'_>, draft: &Draft<'_>, mut left: Number) -> Vec<Node> {
    let payer = draft.body.at("CustomerRef/ListID");
    let mut open: Vec<_> = desk
        .books
        .of_kind("Invoice")
        .filter(|it| links::open_amount(it) > Number::ZERO)
        .filter(|it| is_of(desk, it.body.at("CustomerRef/ListID"), payer))
        .collect();
    open.sort_by_key(|it| (it.body.get("TxnDate").to_owned(), it.serial));
    let mut wanted = Vec::new();
    for invoice in open {
        let amount = links::open_amount(invoice).min(left);
        if amount > Number::ZERO {
            left -= amount;
            let id = Node::leaf("TxnID", invoice.id.as_str());
            wanted.push(Node::of(APPLIED, vec![id, Node::leaf("PaymentAmount", amount.amount())]));
        }
    }
    wanted
}

/// Pays credits of a customer back to a card.
pub(crate) fn refund(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    let why = "The Account for the transaction must be of type Accounts Receivable";
    draft.account(desk, "ARAccountRef", &["AccountsReceivable"], why)?;
    let mut total = Number::ZERO;
    let mut children = std::mem::take(&mut draft.body.children);
    for child in children.iter_mut().filter(|child| child.name == "RefundAppliedToTxnRet") {
        let (id, amount) = (child.get("TxnID").to_owned(), Number::of(child.get("RefundAmount")));
        let found = desk.books.get(&id).filter(|found| found.kind == "CreditMemo").cloned();
        let Some(memo) = found else { return Err(status::not_found(&id)) };
        let rest = links::open_amount(&memo) - amount;
        if rest < Number::ZERO {
            return Err(status::invalid_value(
                "RefundAppliedToTxnAdd refund amount",
                &amount.amount(),
            ));
        }
        let by = Other {
            id: draft.id.to_owned(),
            kind: draft.kind.to_owned(),
            date: String::new(),
            number: String::new(),
        };
        links::settle(desk, &id, &by, amount);
        child.set("TxnType", "CreditMemo");
        child.set("TxnDate", memo.body.get("TxnDate"));
        child.set("CreditRemaining", rest.amount());
        child.set("RefundAmount", amount.amount());
        total += amount;
    }
    draft.body.children = children;
    draft.body.set("TotalAmount", total.amount());
    Ok(())
}
