//! Transactions: adding, changing, voiding, deleting.
//!
//! One way for all kinds; what differs stands in `totals` (what they come to) and `applied` (what
//! they pay). Source of the rules: Onscreen Reference; field logs for the words (`status`).

use super::applied;
use super::books::Object;
use super::desk::Desk;
use super::lines;
use super::lists;
use super::references;
use super::requests::Answered;
use super::shape;
use super::status;
use super::status::Outcome;
use super::totals;
use super::values;
use super::xml::Node;

/// Kinds to which QuickBooks gives the next number if none is given.
const NUMBERED: &[&str] = &[
    "Invoice",
    "Estimate",
    "SalesOrder",
    "SalesReceipt",
    "CreditMemo",
    "PurchaseOrder",
    "JournalEntry",
];
/// What names the payments in a request; it becomes something else in the Ret.
const APPLICATIONS: &[&str] =
    &["AppliedToTxnAdd", "AppliedToTxnMod", "IsAutoApply", "SetCredit", "ApplyCheckToTxnAdd"];

/// Adds a transaction; answers its id.
pub(crate) fn add(desk: &mut Desk<'_>, kind: &str, asked: &Node) -> Outcome<String> {
    desk.feature(kind)?;
    let mut plain = asked.clone();
    plain.children.retain(|child| !APPLICATIONS.contains(&child.name.as_str()));
    let mut body = Node::of(&format!("{kind}Ret"), shape::added(&plain, shape::ret(kind)));
    if body.get("TxnDate").is_empty() {
        let today = desk.today();
        body.set("TxnDate", today);
    }
    desk.open_period(kind, body.get("TxnDate"), false)?;
    for address in body.children.iter().filter(|child| child.name.ends_with("Address")) {
        lists::check_address(address)?;
    }
    references::resolve(desk, &mut body, kind)?;
    totals::accounts(desk, kind, &mut body)?;
    link(desk, &mut body)?;
    if lines::needs_lines(kind) && !lines::has_lines(&body) {
        return Err(status::saving(kind, "The transaction is empty."));
    }
    if NUMBERED.contains(&kind) && body.get("RefNumber").is_empty() {
        let number = desk.books.count(&format!("number of {kind}"));
        body.set("RefNumber", number.to_string());
    }
    let number = desk.books.count("transaction number");
    body.set("TxnNumber", number.to_string());
    let priced = lines::price(desk, kind, &mut body)?;
    totals::set(desk, kind, &mut body, priced)?;
    let id = desk.txn_id();
    applied::apply(desk, kind, &id, &mut body, asked)?;
    Ok(desk.create(kind, id, body))
}

/// Changes a transaction; answers its id.
pub(crate) fn modify(desk: &mut Desk<'_>, kind: &str, asked: &Node) -> Outcome<String> {
    desk.feature(kind)?;
    let id = asked.get("TxnID").trim().to_owned();
    if !references::looks_like_id(&id) {
        return Err(status::invalid_id(&id, &values::words("TxnID")));
    }
    let object = desk.target(kind, &id, Some(asked.get("EditSequence")))?;
    desk.open_period(kind, object.body.get("TxnDate"), false)?;
    if asked.child("TxnDate").is_some() {
        desk.open_period(kind, asked.get("TxnDate"), false)?;
    }
    let mut changes = asked.clone();
    changes.children.retain(|child| {
        let name = child.name.as_str();
        !matches!(name, "TxnID" | "EditSequence") && !APPLICATIONS.contains(&name)
    });
    references::resolve(desk, &mut changes, kind)?;
    let mut body = object.body.clone();
    let merged = lines::merge(&object.body, &changes, kind)?;
    let plain: Vec<Node> = changes
        .children
        .iter()
        .filter(|child| child.child("TxnLineID").is_none())
        .cloned()
        .collect();
    shape::merge(&mut body, &plain, shape::ret(kind));
    if let Some(merged) = merged {
        body.children.retain(|child| child.child("TxnLineID").is_none());
        body.children.extend(merged);
    }
    totals::accounts(desk, kind, &mut body)?;
    if lines::needs_lines(kind) && !lines::has_lines(&body) {
        return Err(status::saving(kind, "The transaction is empty."));
    }
    let priced = lines::price(desk, kind, &mut body)?;
    totals::set(desk, kind, &mut body, priced)?;
    applied::apply_again(desk, kind, &id, &mut body, asked)?;
    desk.change(&object, body);
    Ok(id)
}

/// Deletes a transaction; what it paid is open again.
pub(crate) fn delete(desk: &mut Desk<'_>, kind: &str, id: &str) -> Outcome<Object> {
    let object = desk.target(kind, id, None)?;
    desk.open_period(kind, object.body.get("TxnDate"), true)?;
    refuse_deposited(desk, &object, |why| status::cannot_delete(id, why))?;
    let mut body = object.body.clone();
    applied::withdraw(desk, id, &mut body);
    applied::forget(desk, id);
    desk.books.take(id, desk.now);
    Ok(object)
}

/// Voids a transaction: it stays, with amounts of zero.
pub(crate) fn void(desk: &mut Desk<'_>, kind: &str, id: &str) -> Outcome<Object> {
    let object = desk.target(kind, id, None)?;
    desk.open_period(kind, object.body.get("TxnDate"), false)?;
    refuse_deposited(desk, &object, |why| status::cannot_void(id, why))?;
    let mut body = object.body.clone();
    applied::withdraw(desk, id, &mut body);
    applied::forget(desk, id);
    totals::clear(&mut body);
    let memo = format!("VOID: {}", body.get("Memo")).trim_end().to_owned();
    body.set("Memo", memo);
    desk.change(&object, body);
    Ok(object)
}

/// A payment that lies in a deposit is held by it.
fn refuse_deposited(
    desk: &Desk<'_>,
    object: &Object,
    refuse: impl Fn(&str) -> status::Status,
) -> Outcome<()> {
    let deposited = desk.books.of_kind("Deposit").any(|deposit| {
        deposit.body.all("DepositLineRet").any(|line| line.get("PaymentTxnID") == object.id)
    });
    if deposited {
        return Err(refuse("You need to delete this transaction from the deposit first."));
    }
    Ok(())
}

/// `LinkToTxnID`: an invoice of an estimate, a bill of a purchase order. Its lines come along if the
/// request has none.
fn link(desk: &mut Desk<'_>, body: &mut Node) -> Outcome<()> {
    let wanted: Vec<Node> = body.all("LinkToTxnID").cloned().collect();
    body.remove("LinkToTxnID");
    for element in wanted {
        let id = references::identify(desk, &element)?;
        let Some(source) = desk.books.get(&id).cloned() else { return Err(status::not_found(&id)) };
        if !lines::has_lines(body) {
            let from = format!("{}Line", source.kind);
            let to = body.name.replace("Ret", "Line");
            for line in source.body.children.iter().filter(|line| line.name.starts_with(&from)) {
                let mut line = line.clone();
                line.name = line.name.replace(&from, &to);
                line.remove("TxnLineID");
                body.children.push(line);
            }
        }
        body.children.push(Node::of(
            "LinkedTxn",
            vec![
                Node::leaf("TxnID", &*source.id),
                Node::leaf("TxnType", &*source.kind),
                Node::leaf("TxnDate", source.body.get("TxnDate")),
                Node::leaf("RefNumber", source.body.get("RefNumber")),
                Node::leaf("LinkType", "QUANTYPE"),
                Node::leaf("Amount", source.body.get("TotalAmount")),
            ],
        ));
    }
    Ok(())
}

/// `ClearedStatusMod`: only that there is such a transaction.
pub(crate) fn cleared(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answered> {
    let asked = request.child("ClearedStatusMod").cloned().unwrap_or_default();
    let id = asked.get("TxnID").trim();
    let Some(object) = desk.books.get(id).cloned() else { return Err(status::not_found(id)) };
    desk.open_period(&object.kind, object.body.get("TxnDate"), false)?;
    Ok(Answered::ok(vec![Node::of(
        "ClearedStatusRet",
        vec![Node::leaf("TxnID", id), Node::leaf("ClearedStatus", asked.get("ClearedStatus"))],
    )]))
}
