//! Transactions: what they have in common when they are added or changed.
//!
//! The rules of one kind are elsewhere: `sales`, `purchases`, `payments`, `deposits`.
//!
//! Source: Onscreen Reference; field logs for the words (`status`).

use super::books::Object;
use super::deposits;
use super::desk::Desk;
use super::extensions;
use super::kinds;
use super::lines;
use super::lines::Totals;
use super::number::Number;
use super::payments;
use super::purchases;
use super::references;
use super::sales;
use super::shape;
use super::status;
use super::status::Outcome;
use super::values;
use super::xml::Node;

/// Kinds whose next number QuickBooks gives if none is asked for.
const NUMBERED: &[&str] = &[
    "CreditMemo",
    "Estimate",
    "Invoice",
    "JournalEntry",
    "PurchaseOrder",
    "SalesOrder",
    "SalesReceipt",
];

/// A transaction that is being written.
pub(crate) struct Draft<'a> {
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
    /// The request, for the words of an error.
    pub(crate) asked: &'a Node,
    pub(crate) body: Node,
}

impl Draft<'_> {
    /// Sets an element that nobody asked for, if this kind has it.
    pub(crate) fn default(&mut self, element: &str, text: &str) {
        if self.body.child(element).is_none() && self.has(element) && !text.is_empty() {
            self.body.set(element, text);
        }
    }

    /// Takes an element over from a list element: a customer's terms.
    pub(crate) fn default_from(&mut self, element: &str, from: Option<&Node>) {
        if let Some(from) = from.filter(|from| !from.is_empty())
            && self.body.child(element).is_none()
            && self.has(element)
        {
            self.body.children.push(Node { name: element.to_owned(), ..from.clone() });
        }
    }

    /// Whether the Ret of this kind has an element.
    fn has(&self, element: &str) -> bool {
        shape::ret(self.kind).is_some_and(|ret| ret.find(element).is_some())
    }

    /// An amount of the body.
    pub(crate) fn amount(&self, element: &str) -> Number {
        Number::of(self.body.get(element))
    }

    /// Refuses an account of another type; without the reference, takes the first account that fits.
    pub(crate) fn account(
        &mut self,
        desk: &Desk<'_>,
        element: &str,
        types: &[&str],
        why: &str,
    ) -> Outcome<()> {
        let fits = |account: &Object| types.contains(&account.body.get("AccountType"));
        match desk.books.get(self.body.at(&format!("{element}/ListID"))) {
            Some(account) if fits(account) => Ok(()),
            Some(_) => {
                let given = self.asked.child(element);
                let id = given.map_or("", |given| given.get("ListID"));
                let name = given.map_or("", |given| given.get("FullName"));
                let shown = if id.is_empty() { name } else { id };
                Err(status::reference(&kinds::spoken(element, self.kind), shown, self.kind, why))
            }
            None => {
                let found = desk.books.of_kind("Account").find(|it| it.is_active() && fits(it));
                let account = found.ok_or_else(status::missing_account)?;
                self.body.put(references::to(element, account));
                Ok(())
            }
        }
    }
}

/// Adds a transaction; answers its id.
pub(crate) fn add(desk: &mut Desk<'_>, kind: &str, asked: &Node) -> Outcome<String> {
    desk.feature(kind)?;
    let mut body = Node::of(&format!("{kind}Ret"), shape::added(asked, shape::ret(kind)));
    references::resolve(desk, &mut body, kind)?;
    extensions::of_lines(desk, kind, &mut body)?;
    let id = desk.txn_id();
    let mut draft = Draft { kind, id: &id, asked, body };
    let today = desk.today();
    draft.default("TxnDate", &today);
    desk.open_period(kind, draft.body.get("TxnDate"), false)?;
    number(desk, &mut draft);
    complete(desk, &mut draft)?;
    let body = draft.body;
    Ok(desk.create(kind, id, body))
}

/// Changes a transaction; answers its id.
pub(crate) fn modify(desk: &mut Desk<'_>, kind: &str, asked: &Node) -> Outcome<String> {
    desk.feature(kind)?;
    let id = txn_id(asked)?;
    let object = desk.target(kind, &id, Some(asked.get("EditSequence")))?;
    desk.open_period(kind, object.body.get("TxnDate"), false)?;
    let mut changes = asked.clone();
    changes.children.retain(|child| !matches!(child.name.as_str(), "TxnID" | "EditSequence"));
    cannot_clear(&changes)?;
    references::resolve(desk, &mut changes, kind)?;
    deposits::name_journal_lines(&object.body, &mut changes);
    let mut draft = Draft { kind, id: &id, asked, body: object.body.clone() };
    if kinds::is_payment(kind) {
        payments::reopen(desk, &object, &mut draft, &mut changes)?;
    }
    change_lines(&object, &mut draft, &changes)?;
    changes.children.retain(|child| child.child("TxnLineID").is_none());
    shape::merge(&mut draft.body, &changes.children, shape::ret(kind));
    desk.open_period(kind, draft.body.get("TxnDate"), false)?;
    complete(desk, &mut draft)?;
    let body = draft.body;
    // What it refers to may have been settled anew; the edit sequence is that of this change.
    desk.change(&object, body);
    Ok(id)
}

/// The rules of its kind: defaults, totals, and what it does to others.
fn complete(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<()> {
    for address in draft.body.children.iter().filter(|child| child.name.ends_with("Address")) {
        super::lists::check_address(address)?;
    }
    match draft.kind {
        "Charge" => sales::charge(desk, draft),
        "CreditMemo" | "Estimate" | "Invoice" | "SalesOrder" | "SalesReceipt" => {
            sales::complete(desk, draft)
        }
        "Bill"
        | "Check"
        | "CreditCardCharge"
        | "CreditCardCredit"
        | "ItemReceipt"
        | "PurchaseOrder"
        | "SalesTaxPaymentCheck"
        | "VendorCredit" => purchases::complete(desk, draft),
        kind if kinds::is_payment(kind) => payments::complete(desk, draft),
        "ARRefundCreditCard" => payments::refund(desk, draft),
        "Deposit" => deposits::complete(desk, draft),
        "JournalEntry" => deposits::balance(desk, draft),
        "InventoryAdjustment" => deposits::adjust(desk, draft),
        "TimeTracking" => time(draft),
        "VehicleMileage" => {
            let miles = draft.amount("OdometerEnd") - draft.amount("OdometerStart");
            draft.default("TotalMiles", &miles.plain());
            Ok(())
        }
        "BuildAssembly" => {
            draft.default("IsPending", "false");
            Ok(())
        }
        _ => price(desk, draft).map(|_| ()),
    }
}

/// Adds the lines up; a transaction that needs lines and has none is empty.
pub(crate) fn price(desk: &mut Desk<'_>, draft: &mut Draft<'_>) -> Outcome<Totals> {
    let totals = lines::price(desk, draft.kind, &mut draft.body)?;
    if totals.lines == 0 && lines::needs_lines(draft.kind) {
        return Err(status::empty(draft.kind));
    }
    Ok(totals)
}

/// Work that is billed needs somebody to bill and something to bill it as.
fn time(draft: &Draft<'_>) -> Outcome<()> {
    let lacks = |element: &str| draft.body.child(element).is_none();
    match draft.body.get("BillableStatus") {
        "Billable" if lacks("CustomerRef") => Err(status::missing("CustomerRef")),
        "Billable" if lacks("ItemServiceRef") => Err(status::missing("ItemServiceRef")),
        _ => Ok(()),
    }
}

/// Gives a transaction its numbers: the one that people see, unless it was asked for, and the one
/// that counts all transactions.
fn number(desk: &mut Desk<'_>, draft: &mut Draft<'_>) {
    let number = desk.books.count("TxnNumber").to_string();
    draft.default("TxnNumber", &number);
    if !NUMBERED.contains(&draft.kind) {
        return;
    }
    let counter = format!("RefNumber:{}", draft.kind);
    if draft.asked.child("RefNumber").is_none() {
        let number = desk.books.count(&counter).to_string();
        draft.default("RefNumber", &number);
    } else if let Ok(last) = draft.body.get("RefNumber").parse() {
        desk.books.ledger_mut().counters.insert(counter, last);
    }
}

/// The TxnID of a request, if it can be one.
pub(crate) fn txn_id(asked: &Node) -> Outcome<String> {
    let id = asked.get("TxnID").trim();
    if references::looks_like_id(id) {
        Ok(id.to_owned())
    } else {
        Err(status::invalid_id(id, &values::words("TxnID")))
    }
}

/// What a transaction cannot be without.
fn cannot_clear(changes: &Node) -> Outcome<()> {
    let needed =
        ["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef", "ARAccountRef", "APAccountRef"];
    for change in changes.children.iter().filter(|change| needed.contains(&change.name.as_str())) {
        if change.get("ListID").trim().is_empty() && change.get("FullName").trim().is_empty() {
            return Err(status::cannot_clear(&change.name));
        }
    }
    Ok(())
}

/// Changes the lines that a Mod names, adds the new ones, deletes the others.
///
/// Lines of expenses and lines of items are two groups: a Mod that names none of a group leaves the
/// group alone, unless it says `ClearExpenseLines` or `ClearItemLines`.
fn change_lines(object: &Object, draft: &mut Draft<'_>, changes: &Node) -> Outcome<()> {
    let expense = |name: &str| name.starts_with("ExpenseLine");
    let is_line = |node: &Node| node.child("TxnLineID").is_some();
    let merged = lines::merge(&object.body, changes, draft.kind)?.unwrap_or_default();
    for (group, clear) in [(true, "ClearExpenseLines"), (false, "ClearItemLines")] {
        let named = changes.children.iter().any(|c| is_line(c) && expense(&c.name) == group);
        if named || changes.is(clear) {
            draft.body.children.retain(|child| !is_line(child) || expense(&child.name) != group);
        }
    }
    draft.body.children.extend(merged);
    Ok(())
}
