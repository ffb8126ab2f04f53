//! Which objects a query means: the filters of lists and of transactions.

use jiff::civil::Date;

use super::answer;
use super::books::Object;
use super::clock;
use super::desk::Desk;
use super::links;
use super::number::Number;
use super::status;
use super::status::Outcome;
use super::xml::Node;

/// Elements that name the customer, vendor, employee or payee of a transaction.
const ENTITY_REFS: &[&str] = &["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"];

/// The filters of one query, read once.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    active: Option<bool>,
    modified: (Option<i64>, Option<i64>),
    dated: (Option<String>, Option<String>),
    name: Option<Match>,
    range: Option<(String, String)>,
    account_types: Vec<String>,
    entities: Option<Among>,
    accounts: Option<Among>,
    items: Option<Among>,
    classes: Option<Among>,
    paid: Option<bool>,
    balance: Option<(String, Number)>,
}

/// Where a text must stand.
#[derive(Debug)]
struct Match {
    criterion: String,
    text: String,
}

/// The ids that a filter by reference admits.
#[derive(Debug)]
struct Among(Vec<String>);

impl Filters {
    /// Reads the filters of a request.
    pub(crate) fn read(desk: &Desk<'_>, request: &Node, of_list: ListOr) -> Outcome<Self> {
        let active = match (of_list, request.get("ActiveStatus")) {
            (ListOr::Transaction, _) | (_, "All") => None,
            (ListOr::List, "InactiveOnly") => Some(false),
            (ListOr::List, _) => Some(true),
        };
        let name = first(request, &["NameFilter", "RefNumberFilter"]).map(|filter| Match {
            criterion: filter.get("MatchCriterion").to_owned(),
            text: format!("{}{}", filter.get("Name"), filter.get("RefNumber"))
                .trim()
                .to_lowercase(),
        });
        let range = first(request, &["NameRangeFilter", "RefNumberRangeFilter"]).map(|filter| {
            let either =
                |a: &str, b: &str| format!("{}{}", filter.get(a), filter.get(b)).to_lowercase();
            (either("FromName", "FromRefNumber"), either("ToName", "ToRefNumber"))
        });
        let paid = match (request.get("PaidStatus"), request.get("TransactionPaidStatusFilter")) {
            ("PaidOnly", _) | (_, "Closed") => Some(true),
            ("NotPaidOnly", _) | (_, "Open") => Some(false),
            _ => None,
        };
        let balance = request.child("TotalBalanceFilter");
        Ok(Self {
            active,
            modified: modified(request)?,
            dated: dated(desk, request)?,
            name,
            range,
            account_types: request
                .all("AccountType")
                .map(|node| node.text.trim().to_owned())
                .collect(),
            entities: among(
                desk,
                request,
                &["EntityFilter", "TransactionEntityFilter", "TimeTrackingEntityFilter"],
            ),
            accounts: among(desk, request, &["AccountFilter", "TransactionAccountFilter"]),
            items: among(desk, request, &["ItemFilter", "TransactionItemFilter"]),
            classes: among(desk, request, &["ClassFilter", "TransactionClassFilter"]),
            paid,
            balance: balance
                .map(|it| (it.get("Operator").to_owned(), Number::of(it.get("Amount")))),
        })
    }

    /// Whether an object passes them all.
    pub(crate) fn admit(&self, desk: &Desk<'_>, object: &Object) -> bool {
        let (from, to) = self.modified;
        let date = object.body.get("TxnDate");
        self.active.is_none_or(|active| active == object.is_active())
            && from.is_none_or(|from| object.modified >= from)
            && to.is_none_or(|to| object.modified <= to)
            && self.dated.0.as_ref().is_none_or(|from| date >= from.as_str())
            && self.dated.1.as_ref().is_none_or(|to| date <= to.as_str())
            && self.name.as_ref().is_none_or(|name| name.admits(object.name()))
            && self.in_range(object.name())
            && self.of_account_type(object)
            && self.refers(object)
            && self.paid.is_none_or(|paid| is_paid(object) == Some(paid))
            && self.has_balance(desk, object)
    }

    fn in_range(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.range.as_ref().is_none_or(|(from, to)| {
            (from.is_empty() || name >= *from)
                && (to.is_empty() || name <= *to || name.starts_with(to.as_str()))
        })
    }

    fn of_account_type(&self, object: &Object) -> bool {
        let types = &self.account_types;
        types.is_empty() || types.iter().any(|it| it == object.body.get("AccountType"))
    }

    fn refers(&self, object: &Object) -> bool {
        let entity = |name: &str| ENTITY_REFS.contains(&name);
        self.entities.as_ref().is_none_or(|among| among.admits(&object.body, &entity, Deep::No))
            && self.accounts.as_ref().is_none_or(|among| {
                among.admits(&object.body, &|name| name.ends_with("AccountRef"), Deep::Yes)
            })
            && self.items.as_ref().is_none_or(|among| {
                among.admits(
                    &object.body,
                    &|name| name.starts_with("Item") && name.ends_with("Ref"),
                    Deep::Yes,
                )
            })
            && self.classes.as_ref().is_none_or(|among| {
                among.admits(&object.body, &|name| name.ends_with("ClassRef"), Deep::Yes)
            })
    }

    fn has_balance(&self, desk: &Desk<'_>, object: &Object) -> bool {
        self.balance.as_ref().is_none_or(|(operator, amount)| {
            let balance = answer::total_balance(desk.books, object);
            match operator.as_str() {
                "LessThan" => balance < *amount,
                "LessThanEqual" => balance <= *amount,
                "GreaterThan" => balance > *amount,
                "GreaterThanEqual" => balance >= *amount,
                _ => balance == *amount,
            }
        })
    }
}

/// Whether a query is one of a list or of transactions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ListOr {
    List,
    Transaction,
}

/// Whether a reference in a line counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Deep {
    No,
    Yes,
}

impl Match {
    fn admits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match self.criterion.as_str() {
            "StartsWith" => name.starts_with(&self.text),
            "EndsWith" => name.ends_with(&self.text),
            _ => name.contains(&self.text),
        }
    }
}

impl Among {
    fn admits(&self, node: &Node, named: &dyn Fn(&str) -> bool, deep: Deep) -> bool {
        node.children.iter().any(|child| {
            let here = named(&child.name) && self.0.iter().any(|id| id == child.get("ListID"));
            here || (deep == Deep::Yes && self.admits(child, named, deep))
        })
    }
}

/// Whether a transaction is paid, if it can be.
fn is_paid(object: &Object) -> Option<bool> {
    match object.body.get("IsPaid") {
        "" => links::open_element(&object.kind).map(|_| links::open_amount(object) == Number::ZERO),
        text => Some(text == "true"),
    }
}

fn first<'n>(request: &'n Node, names: &[&str]) -> Option<&'n Node> {
    names.iter().find_map(|name| request.child(name))
}

/// From when to when it was changed.
fn modified(request: &Node) -> Outcome<(Option<i64>, Option<i64>)> {
    let filters = ["ModifiedDateRangeFilter", "TransactionModifiedDateRangeFilter"];
    let filter = first(request, &filters).unwrap_or(request);
    let from = clock::seconds(filter.get("FromModifiedDate").trim(), false);
    let to = clock::seconds(filter.get("ToModifiedDate").trim(), true);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(status::date_range());
    }
    Ok((from, to))
}

/// From which day to which day it is dated.
fn dated(desk: &Desk<'_>, request: &Node) -> Outcome<(Option<String>, Option<String>)> {
    let Some(filter) = first(request, &["TxnDateRangeFilter", "TransactionDateRangeFilter"]) else {
        return Ok((None, None));
    };
    if let Some(name) = filter.child("DateMacro") {
        return Ok(days_of(clock::day(desk.now), name.text.trim()));
    }
    let day = |name: &str| Some(filter.get(name).trim().to_owned()).filter(|text| !text.is_empty());
    let (from, to) = (day("FromTxnDate"), day("ToTxnDate"));
    if from.as_ref().zip(to.as_ref()).is_some_and(|(from, to)| from > to) {
        return Err(status::date_range());
    }
    Ok((from, to))
}

/// The days of a `DateMacro`; weeks and quarters are not simulated and admit all.
fn days_of(today: Date, name: &str) -> (Option<String>, Option<String>) {
    let span = |from: Option<Date>, to: Option<Date>| {
        (from.map(|it| it.to_string()), to.map(|it| it.to_string()))
    };
    let year = |offset: i16| {
        let first = Date::new(today.year() + offset, 1, 1).ok();
        span(first, first.map(Date::last_of_year))
    };
    match name {
        "Today" => span(Some(today), Some(today)),
        "Yesterday" => span(today.yesterday().ok(), today.yesterday().ok()),
        "ThisMonth" => span(Some(today.first_of_month()), Some(today.last_of_month())),
        "ThisMonthToDate" => span(Some(today.first_of_month()), Some(today)),
        "LastMonth" => {
            let last = today.first_of_month().yesterday().ok();
            span(last.map(Date::first_of_month), last)
        }
        "ThisCalendarYear" | "ThisFiscalYear" => year(0),
        "LastCalendarYear" | "LastFiscalYear" => year(-1),
        "ThisCalendarYearToDate" | "ThisFiscalYearToDate" => {
            span(Some(today.first_of_year()), Some(today))
        }
        _ => (None, None),
    }
}

/// The ids that one of these filters admits.
fn among(desk: &Desk<'_>, request: &Node, names: &[&str]) -> Option<Among> {
    let filter = first(request, names)?;
    let mut ids: Vec<String> = Vec::new();
    for child in &filter.children {
        let text = child.text.trim();
        let found = if child.name.starts_with("ListID") {
            vec![text.to_owned()]
        } else {
            let spaces = ["Customer", "ItemService", "Account", "Class"];
            let found = spaces.iter().filter_map(|kind| desk.books.named(kind, text));
            found.map(|object| object.id.clone()).collect()
        };
        for id in found {
            if child.name.ends_with("WithChildren") {
                with_children(desk, &id, &mut ids);
            } else {
                ids.push(id);
            }
        }
    }
    let by_type = filter.children.iter().any(|child| child.name.ends_with("TypeFilter"));
    (!by_type).then_some(Among(ids))
}

fn with_children(desk: &Desk<'_>, id: &str, ids: &mut Vec<String>) {
    ids.push(id.to_owned());
    for child in desk.books.below(id) {
        with_children(desk, &child.id, ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_months_of_a_date_macro() {
        let day: Date = "2026-03-05".parse().unwrap();

        let days = |name| days_of(day, name);

        assert_eq!(
            days("LastMonth"),
            (Some("2026-02-01".to_owned()), Some("2026-02-28".to_owned()))
        );
        assert_eq!(days("LastCalendarYear").1, Some("2025-12-31".to_owned()));
        assert_eq!(days("ThisWeek"), (None, None));
    }
}
