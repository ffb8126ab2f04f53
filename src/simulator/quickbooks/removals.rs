//! What goes: deletions, voids, merges, and the memory of what is gone.

use super::answer;
use super::clock;
use super::deposits;
use super::desk::Desk;
use super::kinds;
use super::links;
use super::lists;
use super::number::Number;
use super::requests::Answer;
use super::requests::include;
use super::status;
use super::status::Outcome;
use super::transactions;
use super::xml::Node;

/// For how many seconds a deleted object is remembered: 90 days (Conductor's help).
const REMEMBERED: i64 = 90 * 86_400;

/// Amounts that a void makes nothing.
const AMOUNTS: &[&str] = &[
    "Amount",
    "AmountDue",
    "AppliedAmount",
    "BalanceRemaining",
    "CreditAmount",
    "CreditRemaining",
    "DepositTotal",
    "OpenAmount",
    "SalesTaxTotal",
    "Subtotal",
    "TotalAmount",
    "UnusedPayment",
];

/// Deletes an element of a list.
pub(crate) fn delete_element(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let kind = request.get("ListDelType").trim().to_owned();
    let id = lists::list_id(request)?;
    desk.feature(&kind)?;
    let object = lists::delete(desk, &kind, &id)?;
    Ok(Answer::of(vec![
        Node::leaf("ListDelType", kind),
        Node::leaf("ListID", id),
        Node::leaf("TimeDeleted", clock::stamp(desk.now)),
        Node::leaf("FullName", object.name()),
    ]))
}

/// Merges an element of a list into another.
pub(crate) fn merge_elements(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let (from, to) = lists::merge(desk, request)?;
    let to = desk.books.get(&to.id).map_or(to.clone(), |to| to.as_ref().clone());
    Ok(Answer::of(vec![
        Node::leaf("ListMergeType", from.kind.as_str()),
        Node::of(
            "MergedFrom",
            vec![
                Node::leaf("ListID", from.id.as_str()),
                Node::leaf("TimeDeleted", clock::stamp(desk.now)),
                Node::leaf("FullName", from.name()),
            ],
        ),
        Node::of(
            "MergedTo",
            vec![
                Node::leaf("ListID", to.id.as_str()),
                Node::leaf("TimeCreated", clock::stamp(to.created)),
                Node::leaf("TimeModified", clock::stamp(to.modified)),
                Node::leaf("EditSequence", to.edit_sequence.to_string()),
                Node::leaf("FullName", to.name()),
            ],
        ),
    ]))
}

/// Deletes a transaction; what it settled is open again.
pub(crate) fn delete_transaction(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let kind = request.get("TxnDelType").trim().to_owned();
    let id = transactions::txn_id(request)?;
    desk.feature(&kind)?;
    let object = desk.target(&kind, &id, None)?;
    desk.open_period(&kind, object.body.get("TxnDate"), true)?;
    if object.body.child(deposits::DEPOSITED).is_some() {
        let why = "You need to delete this transaction from the deposit before you can delete it.";
        return Err(status::cannot_delete(&id, why));
    }
    deposits::release(desk, &object);
    links::release_all(desk, &object);
    desk.books.take(&id, desk.now);
    let mut content = vec![
        Node::leaf("TxnDelType", kind),
        Node::leaf("TxnID", id),
        Node::leaf("TimeDeleted", clock::stamp(desk.now)),
    ];
    if !object.name().is_empty() {
        content.push(Node::leaf("RefNumber", object.name()));
    }
    Ok(Answer::of(content))
}

/// Voids a transaction: it stays, and comes to nothing.
pub(crate) fn void_transaction(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let kind = request.get("TxnVoidType").trim().to_owned();
    let id = transactions::txn_id(request)?;
    desk.feature(&kind)?;
    let object = desk.target(&kind, &id, None).map_err(|why| match why.code {
        3175 => status::cannot_void(
            &id,
            "The transaction could not be locked.  It is in use by another user.",
        ),
        _ => why,
    })?;
    desk.open_period(&kind, object.body.get("TxnDate"), false)?;
    if object.body.child(deposits::DEPOSITED).is_some() {
        let why = "You need to delete this transaction from the deposit before you can void it.";
        return Err(status::cannot_void(&id, why));
    }
    deposits::release(desk, &object);
    links::release_all(desk, &object);
    let mut body = object.body.clone();
    let gone = |name: &str| name == "LinkedTxn" || name.contains("AppliedToTxnRet");
    body.children.retain(|child| !gone(&child.name));
    nothing(&mut body);
    let memo = format!("VOID: {}", body.get("Memo"));
    body.set("Memo", memo.trim_end());
    if body.child("IsPaid").is_some() {
        body.set("IsPaid", "true");
    }
    desk.change(&object, body);
    let object = desk.books.get(&id).cloned().ok_or_else(status::internal)?;
    let mut content = vec![
        Node::leaf("TxnVoidType", kind),
        Node::leaf("TxnID", id),
        Node::leaf("TimeCreated", clock::stamp(object.created)),
        Node::leaf("TimeModified", clock::stamp(object.modified)),
    ];
    if !object.name().is_empty() {
        content.push(Node::leaf("RefNumber", object.name()));
    }
    Ok(Answer::of(content))
}

/// Sets all amounts to nothing, those of the lines too.
fn nothing(node: &mut Node) {
    for child in &mut node.children {
        if AMOUNTS.contains(&child.name.as_str()) {
            child.text = Number::ZERO.amount();
        } else if child.name == "Quantity" {
            child.text = Number::ZERO.plain();
        } else if answer::is_line(&child.name) {
            nothing(child);
        }
    }
}

/// Marks a transaction as cleared by the bank.
pub(crate) fn clear_status(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let Some(asked) = request.child("ClearedStatusMod") else { return Err(status::unsupported()) };
    let id = transactions::txn_id(asked)?;
    let found = desk.books.get(&id).filter(|found| kinds::is_transaction(&found.kind)).cloned();
    let Some(found) = found else { return Err(status::not_found(&id)) };
    let object = desk.target(&found.kind, &id, None)?;
    let mut body = object.body.clone();
    body.set("ClearedStatus", asked.get("ClearedStatus"));
    desk.change(&object, body);
    Ok(Answer::of(Vec::new()))
}

/// What was deleted lately.
pub(crate) fn deleted(desk: &Desk<'_>, request: &Node) -> Outcome<Answer> {
    let of_lists = request.name.starts_with("List");
    let (of_type, id, name, ret) = if of_lists {
        ("ListDelType", "ListID", "FullName", "ListDeletedRet")
    } else {
        ("TxnDelType", "TxnID", "RefNumber", "TxnDeletedRet")
    };
    let types: Vec<&str> = request.all(of_type).map(|node| node.text.trim()).collect();
    let bound = |path: &str, end| {
        let text = request.at(&format!("DeletedDateRangeFilter/{path}"));
        clock::seconds(text, end)
    };
    let (from, to) = (bound("FromDeletedDate", false), bound("ToDeletedDate", true));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(status::date_range());
    }
    let from = from.unwrap_or(i64::MIN).max(desk.now - REMEMBERED);
    let found = desk.books.deleted.iter().filter(|gone| {
        types.contains(&gone.kind.as_str())
            && (from..=to.unwrap_or(i64::MAX)).contains(&gone.deleted)
    });
    let rows: Vec<Node> = found
        .map(|gone| {
            let mut row = vec![
                Node::leaf(of_type, gone.kind.as_str()),
                Node::leaf(id, gone.id.as_str()),
                Node::leaf("TimeCreated", clock::stamp(gone.created)),
                Node::leaf("TimeDeleted", clock::stamp(gone.deleted)),
            ];
            if !gone.name.is_empty() {
                row.push(Node::leaf(name, gone.name.as_str()));
            }
            let mut row = Node::of(ret, row);
            include(request, &mut row);
            row
        })
        .collect();
    Ok(if rows.is_empty() { Answer::status(status::no_match()) } else { Answer::of(rows) })
}
