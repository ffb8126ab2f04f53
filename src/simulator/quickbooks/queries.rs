//! Queries: objects by id, by name, or by filters; pages of an iterator.

use std::sync::Arc;

use super::answer;
use super::answer::Lines;
use super::answer::Wanted;
use super::books::Object;
use super::deposits;
use super::desk::Desk;
use super::filters::Filters;
use super::filters::ListOr;
use super::kinds;
use super::links;
use super::number::Number;
use super::references;
use super::requests::Answer;
use super::requests::include;
use super::sales;
use super::status;
use super::status::Outcome;
use super::status::Status;
use super::xml::Node;

/// What was found, and the name of the first thing that was not.
struct Found {
    objects: Vec<Arc<Object>>,
    missing: Option<String>,
}

/// Finds objects of some kinds.
pub(crate) fn objects(desk: &mut Desk<'_>, request: &Node, family: &[&str]) -> Outcome<Answer> {
    for kind in family {
        desk.feature(kind)?;
    }
    let wanted = Wanted::by(request, desk.version, Lines::OnRequest);
    answer(desk, request, family, |desk, object| answer::ret(desk.books, object, &wanted))
}

/// Finds transactions of any kind, in their common short form.
pub(crate) fn transactions(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let types: Vec<&str> = request
        .child("TransactionTypeFilter")
        .map(|filter| filter.children.iter().map(|child| child.text.trim()).collect())
        .unwrap_or_default();
    let all = types.is_empty() || types.contains(&"All");
    let family: Vec<&str> =
        kinds::TRANSACTIONS.iter().copied().filter(|kind| all || types.contains(kind)).collect();
    answer(desk, request, &family, |_, object| short(request, object))
}

/// Answers a query: found by what it names, by its filters, or by its iterator.
fn answer(
    desk: &mut Desk<'_>,
    request: &Node,
    family: &[&str],
    show: impl Fn(&Desk<'_>, &Object) -> Node,
) -> Outcome<Answer> {
    let count = request.child("MaxReturned").and_then(|max| max.text.trim().parse::<usize>().ok());
    let mut attributes = Vec::new();
    let found = match request.attribute("iterator") {
        Some("Stop") => {
            let id = request.attribute("iteratorID").unwrap_or_default();
            desk.iterators.remove(id).ok_or_else(|| status::iterator(id))?;
            return Ok(Answer::of(Vec::new()));
        }
        Some(step) => {
            let count = count.ok_or_else(status::missing_max_returned)?;
            page(desk, request, family, step, count, &mut attributes)?
        }
        None => {
            let mut found = named(desk, request, family)?;
            found.objects.truncate(count.unwrap_or(usize::MAX));
            found
        }
    };
    let status = match found.missing {
        Some(missing) => status::not_found_in_query(&missing),
        None if found.objects.is_empty() => status::no_match(),
        None => status::ok(),
    };
    Ok(shown(desk, request, found.objects.as_slice(), status, attributes, show))
}

/// The answer, with the data or with the number of them alone.
fn shown(
    desk: &Desk<'_>,
    request: &Node,
    objects: &[Arc<Object>],
    status: Status,
    mut attributes: Vec<(String, String)>,
    show: impl Fn(&Desk<'_>, &Object) -> Node,
) -> Answer {
    let meta = request.attribute("metaData").unwrap_or("NoMetaData");
    if meta != "NoMetaData" {
        attributes.insert(0, ("retCount".to_owned(), objects.len().to_string()));
    }
    let content = if meta == "MetaDataOnly" {
        Vec::new()
    } else {
        objects.iter().map(|object| show(desk, object)).collect()
    };
    Answer { status, attributes, content }
}

/// One page of an iterator.
fn page(
    desk: &mut Desk<'_>,
    request: &Node,
    family: &[&str],
    step: &str,
    count: usize,
    attributes: &mut Vec<(String, String)>,
) -> Outcome<Found> {
    let (id, mut rest) = if step == "Start" {
        let found = named(desk, request, family)?;
        let ids: Vec<String> = found.objects.iter().map(|object| object.id.clone()).collect();
        let number = desk.books.count("iterator");
        let id = uuid::Uuid::from_u64_pair(desk.now.unsigned_abs(), number);
        (format!("{{{id}}}"), ids)
    } else {
        let id = request.attribute("iteratorID").unwrap_or_default().to_owned();
        let rest = desk.iterators.remove(&id).ok_or_else(|| status::iterator(&id))?;
        (id, rest)
    };
    let behind = rest.split_off(count.min(rest.len()));
    attributes.push(("iteratorRemainingCount".to_owned(), behind.len().to_string()));
    attributes.push(("iteratorID".to_owned(), id.clone()));
    if !behind.is_empty() {
        desk.iterators.insert(id, behind);
    }
    let objects = rest.iter().filter_map(|id| desk.books.get(id).cloned()).collect();
    Ok(Found { objects, missing: None })
}

/// The objects that a query names, or that its filters admit.
fn named(desk: &Desk<'_>, request: &Node, family: &[&str]) -> Outcome<Found> {
    let of_lists = family.iter().all(|kind| !kinds::is_transaction(kind));
    let mut found = Found { objects: Vec::new(), missing: None };
    let mut by_name = false;
    for child in &request.children {
        let text = child.text.trim();
        let hits: Vec<Arc<Object>> = match child.name.as_str() {
            "ListID" | "TxnID" => {
                let hit = desk.books.get(text).filter(|hit| family.contains(&hit.kind.as_str()));
                hit.cloned().into_iter().collect()
            }
            "FullName" | "Name" => {
                let hit = family.iter().find_map(|kind| desk.books.find(kind, text));
                hit.cloned().into_iter().collect()
            }
            "RefNumber" => of(desk, family)
                .filter(|it| it.name().eq_ignore_ascii_case(text))
                .cloned()
                .collect(),
            "RefNumberCaseSensitive" => {
                of(desk, family).filter(|it| it.name() == text).cloned().collect()
            }
            _ => continue,
        };
        by_name = true;
        if hits.is_empty() && found.missing.is_none() {
            found.missing = Some(text.to_owned());
        }
        found.objects.extend(hits);
    }
    if !by_name {
        let filters = Filters::read(
            desk,
            request,
            if of_lists { ListOr::List } else { ListOr::Transaction },
        )?;
        found.objects = of(desk, family).filter(|it| filters.admit(desk, it)).cloned().collect();
    }
    Ok(found)
}

/// All objects of some kinds.
fn of<'a>(desk: &'a Desk<'_>, family: &'a [&str]) -> impl Iterator<Item = &'a Arc<Object>> {
    family.iter().flat_map(|kind| desk.books.of_kind(kind))
}

/// A transaction as `TransactionQuery` shows it.
fn short(request: &Node, object: &Object) -> Node {
    let body = &object.body;
    let mut ret = vec![
        Node::leaf("TxnType", object.kind.as_str()),
        Node::leaf("TxnID", object.id.as_str()),
        Node::leaf("TimeCreated", super::clock::stamp(object.created)),
        Node::leaf("TimeModified", super::clock::stamp(object.modified)),
    ];
    let mut renamed = |names: &[&str], element: &str| {
        if let Some(found) = names.iter().find_map(|name| body.child(name)) {
            ret.push(Node { name: element.to_owned(), ..found.clone() });
        }
    };
    renamed(&["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"], "EntityRef");
    let accounts =
        ["ARAccountRef", "APAccountRef", "DepositToAccountRef", "BankAccountRef", "AccountRef"];
    renamed(&accounts, "AccountRef");
    renamed(&["TxnDate"], "TxnDate");
    renamed(&["RefNumber"], "RefNumber");
    let amounts =
        ["TotalAmount", "AmountDue", "CreditAmount", "DepositTotal", "Amount", "Subtotal"];
    renamed(&amounts, "Amount");
    renamed(&["Memo"], "Memo");
    let mut ret = Node::of("TransactionRet", ret);
    include(request, &mut ret);
    ret
}

/// The open bills and credits of a vendor.
pub(crate) fn bills_to_pay(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let mut asked = request.clone();
    references::resolve(desk, &mut asked, "BillToPay")?;
    let vendor = asked.at("PayeeEntityRef/ListID");
    let mut rows = Vec::new();
    for (kind, row) in [("Bill", "BillToPay"), ("VendorCredit", "CreditToApply")] {
        for it in desk.books.of_kind(kind) {
            let open = links::open_amount(it);
            if it.body.at("VendorRef/ListID") != vendor || open == Number::ZERO {
                continue;
            }
            let mut ret = Node::of(
                row,
                vec![Node::leaf("TxnID", it.id.as_str()), Node::leaf("TxnType", kind)],
            );
            for element in ["APAccountRef", "TxnDate", "RefNumber", "DueDate"] {
                ret.children.extend(it.body.child(element).cloned());
            }
            let amount = if kind == "Bill" { "AmountDue" } else { "CreditRemaining" };
            ret.set(amount, open.amount());
            rows.push(Node::of("BillToPayRet", vec![ret]));
        }
    }
    Ok(if rows.is_empty() { Answer::status(status::no_match()) } else { Answer::of(rows) })
}

/// The payments that wait in Undeposited Funds.
pub(crate) fn payments_to_deposit(desk: &Desk<'_>, request: &Node) -> Answer {
    let Some(account) = sales::undeposited(desk) else { return Answer::status(status::no_match()) };
    let waiting = of(desk, &["ReceivePayment", "SalesReceipt"]).filter(|it| {
        it.body.at("DepositToAccountRef/ListID") == account.id
            && it.body.child(deposits::DEPOSITED).is_none()
    });
    let mut rows = Vec::new();
    for it in waiting {
        let mut ret =
            vec![Node::leaf("TxnID", it.id.as_str()), Node::leaf("TxnType", it.kind.as_str())];
        for element in ["CustomerRef", "TxnDate", "RefNumber"] {
            ret.extend(it.body.child(element).cloned());
        }
        ret.push(Node::leaf("Amount", it.body.get("TotalAmount")));
        let mut ret = Node::of("ReceivePaymentToDepositRet", ret);
        include(request, &mut ret);
        rows.push(ret);
    }
    if rows.is_empty() { Answer::status(status::no_match()) } else { Answer::of(rows) }
}
