//! Queries: by id, by name, by filter, page by page.
//!
//! Source: Onscreen Reference, `…QueryRq`, "Using iterators"; field logs for 500 and 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer;
use super::answer::Lines;
use super::answer::Wanted;
use super::books::Object;
use super::clock;
use super::desk::Desk;
use super::kinds;
use super::requests::Answered;
use super::status;
use super::status::Outcome;
use super::xml::Node;

/// The iterators of one session, by their ids: what is left, and what was asked.
#[derive(Debug, Default)]
pub(crate) struct Iterators {
    open: BTreeMap<String, (Vec<String>, Node)>,
    made: u64,
}

/// Answers a query over objects.
pub(crate) fn query(
    desk: &mut Desk<'_>,
    iterators: &mut Iterators,
    family: &str,
    request: &Node,
) -> Outcome<Answered> {
    let kinds = kinds::family(family);
    match request.attribute("iterator") {
        None => {}
        Some("Start") => return start(desk, iterators, &kinds, request),
        Some(_) => return go_on(desk, iterators, request),
    }
    let (found, missing) = find(desk, &kinds, request)?;
    let most = request.get("MaxReturned").trim().parse().unwrap_or(usize::MAX);
    let wanted = Wanted::by(request, desk.version, Lines::OnRequest);
    let rets: Vec<Node> =
        found.iter().take(most).map(|object| answer::ret(desk.books, object, &wanted)).collect();
    let status = match (missing, rets.is_empty()) {
        (Some(missing), _) => status::not_found_in_query(&missing),
        (None, true) => status::no_match(),
        (None, false) => status::ok(),
    };
    let mut attributes = Vec::new();
    let metadata = request.attribute("metaData").unwrap_or("NoMetaData");
    if metadata != "NoMetaData" {
        attributes.push(("retCount".to_owned(), rets.len().to_string()));
    }
    let rets = if metadata == "MetaDataOnly" { Vec::new() } else { rets };
    Ok(Answered { status, rets, attributes })
}

fn start(
    desk: &Desk<'_>,
    iterators: &mut Iterators,
    kinds: &[&str],
    request: &Node,
) -> Outcome<Answered> {
    let Ok(most) = request.get("MaxReturned").trim().parse::<usize>() else {
        return Err(status::missing_max_returned());
    };
    let (found, _) = find(desk, kinds, request)?;
    iterators.made += 1;
    let id = format!("{{00000000-0000-4000-8000-{:012X}}}", iterators.made);
    let ids = found.iter().map(|object| object.id.clone()).collect();
    iterators.open.insert(id.clone(), (ids, request.clone()));
    page(desk, iterators, &id, most)
}

fn go_on(desk: &Desk<'_>, iterators: &mut Iterators, request: &Node) -> Outcome<Answered> {
    let id = request.attribute("iteratorID").unwrap_or_default().to_owned();
    if !iterators.open.contains_key(&id) {
        return Err(status::iterator(&id));
    }
    if request.attribute("iterator") == Some("Stop") {
        iterators.open.remove(&id);
        return Ok(Answered::ok(Vec::new()));
    }
    let Ok(most) = request.get("MaxReturned").trim().parse::<usize>() else {
        return Err(status::missing_max_returned());
    };
    page(desk, iterators, &id, most)
}

fn page(desk: &Desk<'_>, iterators: &mut Iterators, id: &str, most: usize) -> Outcome<Answered> {
    let Some((ids, asked)) = iterators.open.get_mut(id) else { return Err(status::iterator(id)) };
    let now: Vec<String> = ids.drain(..most.min(ids.len())).collect();
    let left = ids.len();
    let wanted = Wanted::by(asked, desk.version, Lines::OnRequest);
    let found = now.iter().filter_map(|id| desk.books.get(id));
    let rets: Vec<Node> = found.map(|object| answer::ret(desk.books, object, &wanted)).collect();
    if left == 0 {
        iterators.open.remove(id);
    }
    let status = if rets.is_empty() { status::no_match() } else { status::ok() };
    let attributes = vec![
        ("iteratorRemainingCount".to_owned(), left.to_string()),
        ("iteratorID".to_owned(), id.to_owned()),
    ];
    Ok(Answered { status, rets, attributes })
}

/// What a query finds, and the first name or id that is not there.
fn find(
    desk: &Desk<'_>,
    kinds: &[&str],
    request: &Node,
) -> Outcome<(Vec<Arc<Object>>, Option<String>)> {
    let mut missing = None;
    let mut named = Vec::new();
    let mut by_name = false;
    for element in &request.children {
        let text = element.text.trim();
        let found: Vec<Arc<Object>> = match element.name.as_str() {
            "ListID" | "TxnID" => {
                let found = desk.books.get(text);
                found.filter(|it| kinds.contains(&it.kind.as_str())).cloned().into_iter().collect()
            }
            "FullName" | "Name" => {
                let found = kinds.iter().find_map(|kind| desk.books.find(kind, text));
                found.cloned().into_iter().collect()
            }
            "RefNumber" | "RefNumberCaseSensitive" => {
                by_name = true;
                let exact = element.name != "RefNumber";
                let is_it = |object: &&Arc<Object>| {
                    let number = object.body.get("RefNumber");
                    if exact { number == text } else { number.eq_ignore_ascii_case(text) }
                };
                named.extend(of_kinds(desk, kinds).filter(is_it).cloned());
                continue;
            }
            _ => continue,
        };
        by_name = true;
        if found.is_empty() && missing.is_none() {
            missing = Some(text.to_owned());
        }
        named.extend(found);
    }
    if by_name {
        return Ok((named, missing));
    }
    let filter = Filter::of(request)?;
    let found = of_kinds(desk, kinds).filter(|object| filter.takes(desk, object)).cloned();
    Ok((found.collect(), None))
}

fn of_kinds<'d>(desk: &'d Desk<'_>, kinds: &'d [&str]) -> impl Iterator<Item = &'d Arc<Object>> {
    kinds.iter().flat_map(|kind| desk.books.of_kind(kind))
}

/// What a query without names asks for.
#[derive(Default)]
struct Filter<'r> {
    active: &'r str,
    modified: (Option<i64>, Option<i64>),
    dates: (&'r str, &'r str),
    text: Option<(&'r str, String)>,
    range: Option<(String, String)>,
    entities: Vec<&'r Node>,
    paid: &'r str,
    account_types: Vec<&'r str>,
}

impl<'r> Filter<'r> {
    fn of(request: &'r Node) -> Outcome<Self> {
        let mut filter = Self { active: request.get("ActiveStatus"), ..Self::default() };
        let named = |names: &[&str]| names.iter().find_map(|name| request.child(name));
        let range = named(&["ModifiedDateRangeFilter", "TransactionModifiedDateRangeFilter"]);
        let of = range.unwrap_or(request);
        let moment = |name: &str, end: bool| clock::seconds(of.get(name).trim(), end);
        filter.modified = (moment("FromModifiedDate", false), moment("ToModifiedDate", true));
        if let (Some(from), Some(to)) = filter.modified
            && from > to
        {
            return Err(status::date_range());
        }
        if let Some(dates) = named(&["TxnDateRangeFilter", "TransactionDateRangeFilter"]) {
            filter.dates = (dates.get("FromTxnDate").trim(), dates.get("ToTxnDate").trim());
        }
        if let Some(text) = named(&["NameFilter", "RefNumberFilter"]) {
            let part = if text.name == "NameFilter" { "Name" } else { "RefNumber" };
            filter.text = Some((text.get("MatchCriterion"), text.get(part).trim().to_lowercase()));
        }
        if let Some(range) = named(&["NameRangeFilter", "RefNumberRangeFilter"]) {
            let part = if range.name == "NameRangeFilter" { "Name" } else { "RefNumber" };
            let bound = |end: &str| range.get(&format!("{end}{part}")).trim().to_lowercase();
            filter.range = Some((bound("From"), bound("To")));
        }
        let entities = ["EntityFilter", "TransactionEntityFilter", "TimeTrackingEntityFilter"];
        filter.entities = named(&entities).map_or(Vec::new(), |it| it.children.iter().collect());
        filter.paid = request.get("PaidStatus");
        filter.account_types = request.all("AccountType").map(|it| it.text.trim()).collect();
        Ok(filter)
    }

    fn takes(&self, desk: &Desk<'_>, object: &Object) -> bool {
        let transaction = kinds::is_transaction(&object.kind);
        let active = match self.active {
            "All" => true,
            "InactiveOnly" => !object.is_active(),
            _ => object.is_active(),
        };
        let (from, to) = self.modified;
        let modified = from.is_none_or(|from| object.modified >= from)
            && to.is_none_or(|to| object.modified <= to);
        let date = object.body.get("TxnDate");
        let dated = !transaction
            || (self.dates.0.is_empty() || date >= self.dates.0)
                && (self.dates.1.is_empty() || date <= self.dates.1);
        let name = object.name().to_lowercase();
        let named = self.text.as_ref().is_none_or(|(criterion, text)| match *criterion {
            "StartsWith" => name.starts_with(text),
            "EndsWith" => name.ends_with(text),
            _ => name.contains(text.as_str()),
        });
        let ranged = self.range.as_ref().is_none_or(|(from, to)| {
            (from.is_empty() || name >= *from) && (to.is_empty() || name <= *to)
        });
        let paid = match self.paid {
            "PaidOnly" => object.body.is("IsPaid"),
            "NotPaidOnly" => !object.body.is("IsPaid"),
            _ => true,
        };
        let typed = self.account_types.is_empty()
            || self.account_types.contains(&object.body.get("AccountType"));
        (transaction || active)
            && modified
            && dated
            && named
            && ranged
            && paid
            && typed
            && self.of_entity(desk, object)
    }

    fn of_entity(&self, desk: &Desk<'_>, object: &Object) -> bool {
        if self.entities.is_empty() {
            return true;
        }
        let references = ["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"];
        let own = references.iter().find_map(|name| object.body.child(name));
        let Some(own) = own else { return false };
        self.entities.iter().any(|wanted| {
            let text = wanted.text.trim();
            let name = own.get("FullName");
            match wanted.name.as_str() {
                "ListID" => own.get("ListID") == text,
                "FullName" => name.eq_ignore_ascii_case(text),
                "ListIDWithChildren" => {
                    let above = desk.books.get(text).map_or("", |parent| parent.name());
                    own.get("ListID") == text || name.starts_with(&format!("{above}:"))
                }
                _ => {
                    name.eq_ignore_ascii_case(text)
                        || name.to_lowercase().starts_with(&format!("{}:", text.to_lowercase()))
                }
            }
        })
    }
}

/// `ListDeletedQuery` and `TxnDeletedQuery`: what was deleted in the last 90 days.
pub(crate) fn deleted(desk: &Desk<'_>, request: &Node) -> Answered {
    const KEPT: i64 = 90 * 86_400;
    let list = request.name.starts_with("List");
    let (of_type, id, name, ret) = if list {
        ("ListDelType", "ListID", "FullName", "ListDeletedRet")
    } else {
        ("TxnDelType", "TxnID", "RefNumber", "TxnDeletedRet")
    };
    let wanted: Vec<&str> = request.all(of_type).map(|it| it.text.trim()).collect();
    let range = request.child("DeletedDateRangeFilter");
    let bound =
        |name: &str, end: bool| range.and_then(|range| clock::seconds(range.get(name).trim(), end));
    let (from, to) = (bound("FromDeletedDate", false), bound("ToDeletedDate", true));
    let found = desk.books.deleted.iter().filter(|gone| {
        wanted.contains(&gone.kind.as_str())
            && gone.at >= desk.now - KEPT
            && from.is_none_or(|from| gone.at >= from)
            && to.is_none_or(|to| gone.at <= to)
    });
    let rets: Vec<Node> = found
        .map(|gone| {
            Node::of(
                ret,
                vec![
                    Node::leaf(of_type, gone.kind.as_str()),
                    Node::leaf(id, gone.id.as_str()),
                    Node::leaf("TimeCreated", clock::stamp(gone.created)),
                    Node::leaf("TimeDeleted", clock::stamp(gone.at)),
                    Node::leaf(name, gone.name.as_str()),
                ],
            )
        })
        .collect();
    let status = if rets.is_empty() { status::no_match() } else { status::ok() };
    Answered { status, rets, attributes: Vec::new() }
}
