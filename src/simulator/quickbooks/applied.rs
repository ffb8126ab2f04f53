//! Payments and credits: what they pay, and what is left of both.
//!
//! Source: Onscreen Reference, `AppliedToTxnAdd`; field logs: an invoice without an open balance is
//! answered as one that is not there (3120), too much as an invalid value (3210).

use super::books::Object;
use super::desk::Desk;
use super::number::Number;
use super::references;
use super::status;
use super::status::Outcome;
use super::totals;
use super::xml::Node;

/// What may be paid by each kind of payment, and whose reference must be the same.
const PAYS: &[(&str, &[&str], &str, &str)] = &[
    ("ReceivePayment", &["Invoice", "Charge"], "CustomerRef", "CustomerRef"),
    ("BillPaymentCheck", &["Bill"], "PayeeEntityRef", "VendorRef"),
    ("BillPaymentCreditCard", &["Bill"], "PayeeEntityRef", "VendorRef"),
];

/// One amount that goes to one transaction.
struct Part {
    target: Object,
    amount: Number,
}

/// Applies a new payment or credit; sets its own totals.
pub(crate) fn apply(
    desk: &mut Desk<'_>,
    kind: &str,
    id: &str,
    body: &mut Node,
    asked: &Node,
) -> Outcome<()> {
    credits(desk, kind, id, body, asked)?;
    let Some((_, pays, own, other)) = PAYS.iter().find(|row| row.0 == kind) else { return Ok(()) };
    let mut parts = Vec::new();
    let lines = asked.children.iter().filter(|line| line.name.starts_with("AppliedToTxn"));
    for line in lines {
        let reference = line.child("TxnID").cloned().unwrap_or_default();
        let target = references::identify(desk, &reference)?;
        let found = desk.books.get(&target).filter(|it| pays.contains(&it.kind.as_str())).cloned();
        let Some(found) = found else { return Err(status::not_found(&target)) };
        let same = body.at(&format!("{own}/ListID")) == found.body.at(&format!("{other}/ListID"))
            || related(
                desk,
                body.at(&format!("{own}/ListID")),
                found.body.at(&format!("{other}/ListID")),
            );
        let credit: Number =
            line.all("SetCredit").map(|it| Number::of(it.get("AppliedAmount"))).sum();
        let open = totals::open(&found.body);
        if !same || open == Number::ZERO {
            return Err(status::not_found(&target));
        }
        let discount = Number::of(line.get("DiscountAmount"));
        let amount = match line.child("PaymentAmount") {
            Some(amount) => Number::of(&amount.text),
            None if line.child("SetCredit").is_some() => Number::ZERO,
            None => open - discount,
        };
        if amount + discount + credit > open {
            return Err(status::overpaid(line.get("PaymentAmount")));
        }
        for set in line.all("SetCredit") {
            spend(desk, set, found.body.at(&format!("{other}/ListID")), &found)?;
        }
        parts.push((Part { target: found.as_ref().clone(), amount }, discount + credit));
    }
    let given = body.child("TotalAmount").map(|total| Number::of(&total.text));
    if asked.is("IsAutoApply") {
        let mut left = given.unwrap_or_default();
        let customer = body.at(&format!("{own}/ListID")).to_owned();
        let invoices: Vec<Object> =
            desk.books.of_kind("Invoice").map(|it| it.as_ref().clone()).collect();
        for target in invoices {
            let open = totals::open(&target.body);
            let mine = target.body.at("CustomerRef/ListID") == customer;
            if mine && open > Number::ZERO && left > Number::ZERO {
                let amount = if open < left { open } else { left };
                left -= amount;
                parts.push((Part { target, amount }, Number::ZERO));
            }
        }
    }
    let used: Number = parts.iter().map(|(part, _)| part.amount).sum();
    let total = given.unwrap_or(used);
    if used > total {
        return Err(status::overpaid(&used.amount()));
    }
    match kind {
        "ReceivePayment" => {
            body.set("TotalAmount", total.amount());
            body.set("UnusedPayment", (total - used).amount());
            body.set("UnusedCredits", "0.00");
        }
        _ => body.set("Amount", used.amount()),
    }
    for (part, besides) in parts {
        pay(desk, kind, id, body, &part, besides);
    }
    Ok(())
}

/// A changed payment: what it paid is open again, then it is applied anew.
pub(crate) fn apply_again(
    desk: &mut Desk<'_>,
    kind: &str,
    id: &str,
    body: &mut Node,
    asked: &Node,
) -> Outcome<()> {
    if !asked.children.iter().any(|child| child.name.starts_with("AppliedToTxn")) {
        return Ok(());
    }
    withdraw(desk, id, body);
    apply(desk, kind, id, body, asked)
}

/// Job and customer pay for each other.
fn related(desk: &Desk<'_>, one: &str, other: &str) -> bool {
    let name = |id: &str| desk.books.get(id).map(|object| object.name().to_owned());
    let (Some(one), Some(other)) = (name(one), name(other)) else { return false };
    one.starts_with(&format!("{other}:")) || other.starts_with(&format!("{one}:"))
}

/// Moves one amount, on both sides.
fn pay(desk: &mut Desk<'_>, kind: &str, id: &str, body: &mut Node, part: &Part, besides: Number) {
    // The target may have changed in this very request, by a credit.
    let Some(target) = desk.books.get(&part.target.id).cloned() else { return };
    let mut paid = target.body.clone();
    totals::pay(&target.kind, &mut paid, part.amount + besides);
    let number = body.get("RefNumber").to_owned();
    paid.children.push(linked(id, kind, body.get("TxnDate"), &number, -part.amount));
    body.children.push(Node::of(
        "AppliedToTxnRet",
        vec![
            Node::leaf("TxnID", &*target.id),
            Node::leaf("TxnType", &*target.kind),
            Node::leaf("TxnDate", target.body.get("TxnDate")),
            Node::leaf("RefNumber", target.body.get("RefNumber")),
            Node::leaf("BalanceRemaining", totals::open(&paid).amount()),
            Node::leaf("Amount", part.amount.amount()),
        ],
    ));
    desk.change(&target, paid);
}

fn linked(id: &str, kind: &str, date: &str, number: &str, amount: Number) -> Node {
    Node::of(
        "LinkedTxn",
        vec![
            Node::leaf("TxnID", id),
            Node::leaf("TxnType", kind),
            Node::leaf("TxnDate", date),
            Node::leaf("RefNumber", number),
            Node::leaf("LinkType", "AMTTYPE"),
            Node::leaf("Amount", amount.amount()),
        ],
    )
}

/// Takes an amount of a credit for a payment's target.
fn spend(desk: &mut Desk<'_>, set: &Node, of: &str, target: &Object) -> Outcome<()> {
    let reference = set.child("CreditTxnID").cloned().unwrap_or_default();
    let id = references::identify(desk, &reference)?;
    let Some(credit) = desk.books.get(&id).cloned() else { return Err(status::not_found(&id)) };
    let owner = ["CustomerRef/ListID", "VendorRef/ListID"];
    let mine = owner.iter().any(|path| credit.body.at(path) == of);
    let amount = Number::of(set.get("AppliedAmount"));
    if !mine || !matches!(credit.kind.as_str(), "CreditMemo" | "VendorCredit") {
        return Err(status::not_found(&id));
    }
    if amount > totals::open(&credit.body) {
        return Err(status::invalid_value(
            "AppliedToTxnAdd credit amount",
            set.get("AppliedAmount"),
        ));
    }
    let mut body = credit.body.clone();
    totals::pay(&credit.kind, &mut body, amount);
    let (date, number) = (target.body.get("TxnDate"), target.body.get("RefNumber"));
    body.children.push(linked(&target.id, &target.kind, date, number, -amount));
    desk.change(&credit, body);
    Ok(())
}

/// `SetCredit` of an invoice or a bill itself.
fn credits(
    desk: &mut Desk<'_>,
    kind: &str,
    id: &str,
    body: &mut Node,
    asked: &Node,
) -> Outcome<()> {
    if !matches!(kind, "Invoice" | "Bill") {
        return Ok(());
    }
    for set in asked.all("SetCredit") {
        let owner = if kind == "Invoice" { "CustomerRef/ListID" } else { "VendorRef/ListID" };
        let of = body.at(owner).to_owned();
        let amount = Number::of(set.get("AppliedAmount"));
        if amount > totals::open(body) {
            return Err(status::invalid_value(
                "AppliedToTxnAdd credit amount",
                set.get("AppliedAmount"),
            ));
        }
        let now = desk.now;
        let target = Object {
            kind: kind.to_owned(),
            id: id.to_owned(),
            serial: 0,
            body: body.clone(),
            created: now,
            modified: now,
            edit_sequence: now,
            made_by: String::new(),
        };
        spend(desk, set, &of, &target)?;
        totals::pay(kind, body, amount);
    }
    Ok(())
}

/// Opens again what a payment paid.
pub(crate) fn withdraw(desk: &mut Desk<'_>, id: &str, body: &mut Node) {
    let parts: Vec<Node> = body.all("AppliedToTxnRet").cloned().collect();
    body.remove("AppliedToTxnRet");
    for part in parts {
        let Some(target) = desk.books.get(part.get("TxnID")).cloned() else { continue };
        let mut opened = target.body.clone();
        totals::pay(&target.kind, &mut opened, -Number::of(part.get("Amount")));
        opened.children.retain(|child| child.name != "LinkedTxn" || child.get("TxnID") != id);
        desk.change(&target, opened);
    }
}

/// Takes a transaction out of the payments that paid it: their amounts are unused again.
pub(crate) fn forget(desk: &mut Desk<'_>, id: &str) {
    let names = |object: &Object| {
        object.body.all("AppliedToTxnRet").any(|part| part.get("TxnID") == id)
            || object.body.all("LinkedTxn").any(|part| part.get("TxnID") == id)
    };
    let users: Vec<_> = desk.books.all().filter(|object| names(object)).cloned().collect();
    for user in users {
        let mut body = user.body.clone();
        let freed: Number = body
            .all("AppliedToTxnRet")
            .filter(|part| part.get("TxnID") == id)
            .map(|part| Number::of(part.get("Amount")))
            .sum();
        if body.child("UnusedPayment").is_some() {
            let unused = Number::of(body.get("UnusedPayment")) + freed;
            body.set("UnusedPayment", unused.amount());
        }
        body.children.retain(|child| {
            !matches!(child.name.as_str(), "AppliedToTxnRet" | "LinkedTxn")
                || child.get("TxnID") != id
        });
        desk.change(&user, body);
    }
}
