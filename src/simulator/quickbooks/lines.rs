//! Lines of transactions: what they cost, and what they add up to.
//!
//! QuickBooks takes what is missing from the item: description, rate, amount. A line without a
//! sales tax code is not taxed, even for a taxed customer (field log). Percentages work on the line
//! above, subtotals on the lines since the last one.

use super::books::Object;
use super::desk::Desk;
use super::kinds;
use super::number::Number;
use super::references;
use super::status;
use super::status::Outcome;
use super::xml::Node;

/// Which prices of an item count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Sales,
    Purchase,
}

/// What the lines of a transaction come to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// All lines.
    pub(crate) all: Number,
    /// Those with a taxable code.
    pub(crate) taxable: Number,
    /// How many there are.
    pub(crate) lines: usize,
    last: Number,
    since_subtotal: Number,
}

/// The side of a kind of transaction.
pub(crate) fn side(kind: &str) -> Side {
    match kind {
        "Invoice" | "Estimate" | "SalesOrder" | "SalesReceipt" | "CreditMemo" | "Charge" => {
            Side::Sales
        }
        _ => Side::Purchase,
    }
}

/// Prices all lines of a transaction, gives them ids, and adds them up.
pub(crate) fn price(desk: &mut Desk<'_>, kind: &str, body: &mut Node) -> Outcome<Totals> {
    let side = side(kind);
    let mut totals = Totals::default();
    let mut children = std::mem::take(&mut body.children);
    for line in children.iter_mut().filter(|child| is_priced(&child.name)) {
        if line.get("TxnLineID").is_empty() || line.get("TxnLineID") == "-1" {
            let id = desk.txn_id();
            line.remove("TxnLineID");
            line.children.insert(0, Node::leaf("TxnLineID", id));
        }
        if line.child("ItemGroupRef").is_some() {
            group(desk, side, line, &mut totals)?;
        } else {
            single(desk, side, line, &mut totals)?;
        }
    }
    body.children = children;
    Ok(totals)
}

/// Whether an element of a Ret is a line with an amount.
fn is_priced(name: &str) -> bool {
    (name.ends_with("LineRet") || name.ends_with("LineGroupRet")) && !name.starts_with("Deposit")
        || matches!(name, "JournalDebitLine" | "JournalCreditLine" | "DepositLineRet")
}

fn single(desk: &mut Desk<'_>, side: Side, line: &mut Node, totals: &mut Totals) -> Outcome<()> {
    let item = desk.books.get(line.at("ItemRef/ListID")).cloned();
    let amount = match &item {
        Some(item) => {
            describe(side, line, item);
            of_item(desk, side, line, item, totals)?
        }
        None => Number::of(line.get("Amount")),
    };
    if item.is_some() || line.child("Amount").is_some() {
        line.set("Amount", amount.amount());
    }
    totals.lines += 1;
    totals.last = amount;
    if item.as_ref().is_some_and(|item| item.kind == "ItemSubtotal") {
        totals.since_subtotal = Number::ZERO;
        return Ok(());
    }
    totals.all += amount;
    totals.since_subtotal += amount;
    let code = desk.books.get(line.at("SalesTaxCodeRef/ListID"));
    if code.is_some_and(|code| code.body.is("IsTaxable")) {
        totals.taxable += amount;
    }
    Ok(())
}

fn describe(side: Side, line: &mut Node, item: &Object) {
    if line.child("Desc").is_some() {
        return;
    }
    let paths: &[&str] = match side {
        Side::Sales => {
            &["SalesOrPurchase/Desc", "SalesAndPurchase/SalesDesc", "SalesDesc", "ItemDesc"]
        }
        Side::Purchase => {
            &["SalesOrPurchase/Desc", "SalesAndPurchase/PurchaseDesc", "PurchaseDesc"]
        }
    };
    let found = paths.iter().map(|path| item.body.at(path)).find(|text| !text.is_empty());
    if let Some(text) = found {
        line.set("Desc", text);
    }
}

fn of_item(
    desk: &Desk<'_>,
    side: Side,
    line: &mut Node,
    item: &Object,
    totals: &Totals,
) -> Outcome<Number> {
    if side == Side::Sales
        && line.child("SalesTaxCodeRef").is_none()
        && !matches!(item.kind.as_str(), "ItemSubtotal" | "ItemPayment")
        && let Some(non) = desk.books.find("SalesTaxCode", "Non")
    {
        line.put(references::to("SalesTaxCodeRef", non));
    }
    let given = line.child("Amount").map(|amount| Number::of(&amount.text));
    match item.kind.as_str() {
        "ItemSubtotal" => return Ok(totals.since_subtotal),
        "ItemDiscount" | "ItemPayment" if given.is_none() => {
            let percent = first(line, &["RatePercent"])
                .or_else(|| first(&item.body, &["DiscountRatePercent"]));
            if let Some(percent) = percent {
                if totals.lines == 0 {
                    return Err(status::line_order(&item.id));
                }
                line.set("RatePercent", (-percent.abs()).plain());
                return Ok(-totals.last.percent(percent.abs()).cents());
            }
            let flat = first(line, &["Rate"]).or_else(|| first(&item.body, &["DiscountRate"]));
            return Ok(-flat.unwrap_or_default().abs().cents());
        }
        "ItemSalesTax" | "ItemSalesTaxGroup" => return Err(status::item_type(item.name())),
        _ => {}
    }
    let rate_element =
        if side == Side::Sales || line.child("Rate").is_some() { "Rate" } else { "Cost" };
    let quantity = first(line, &["Quantity"]);
    let factor = quantity.unwrap_or(Number::ONE);
    if let Some(amount) = given {
        if line.child(rate_element).is_none() && line.child("RatePercent").is_none() {
            line.set(rate_element, amount.over(factor).price());
        }
        return Ok(amount);
    }
    if let Some(percent) = first(line, &["RatePercent"]) {
        return Ok(totals.last.percent(percent).cents());
    }
    let rate = first(line, &[rate_element]).unwrap_or_else(|| list_price(side, item));
    line.set(rate_element, rate.price());
    Ok(rate.times(factor).cents())
}

/// The price that an item has by itself.
fn list_price(side: Side, item: &Object) -> Number {
    let paths: &[&str] = match side {
        Side::Sales => &["SalesOrPurchase/Price", "SalesAndPurchase/SalesPrice", "SalesPrice"],
        Side::Purchase => {
            &["SalesOrPurchase/Price", "SalesAndPurchase/PurchaseCost", "PurchaseCost"]
        }
    };
    first(&item.body, paths).unwrap_or_default()
}

fn first(node: &Node, paths: &[&str]) -> Option<Number> {
    let texts = paths.iter().map(|path| node.at(path));
    texts.into_iter().find(|text| !text.is_empty()).map(Number::of)
}

/// A group line holds the lines of its group.
fn group(desk: &mut Desk<'_>, side: Side, line: &mut Node, totals: &mut Totals) -> Outcome<()> {
    let Some(group) = desk.books.get(line.at("ItemGroupRef/ListID")).cloned() else {
        return Err(status::missing("ItemGroupRef"));
    };
    let inner_name = line.name.replace("GroupRet", "Ret").replace("GroupLineRet", "LineRet");
    let times = first(line, &["Quantity"]).unwrap_or(Number::ONE);
    let before = totals.all;
    if line.child(&inner_name).is_none() {
        for part in group.body.all("ItemGroupLine") {
            let Some(item) = desk.books.get(part.at("ItemRef/ListID")) else { continue };
            let mut inner = Node::of(&inner_name, vec![references::to("ItemRef", item)]);
            let quantity = first(part, &["Quantity"]).unwrap_or(Number::ONE);
            inner.set("Quantity", quantity.times(times).plain());
            line.children.push(inner);
        }
    }
    let mut children = std::mem::take(&mut line.children);
    for inner in children.iter_mut().filter(|child| child.name == inner_name) {
        if inner.get("TxnLineID").is_empty() || inner.get("TxnLineID") == "-1" {
            let id = desk.txn_id();
            inner.set("TxnLineID", id);
        }
        single(desk, side, inner, totals)?;
    }
    line.children = children;
    if line.child("Desc").is_none() && !group.body.get("ItemDesc").is_empty() {
        line.set("Desc", group.body.get("ItemDesc"));
    }
    line.set(
        "IsPrintItemsInGroup",
        if group.body.is("IsPrintItemsInGroup") { "true" } else { "false" },
    );
    line.set("TotalAmount", (totals.all - before).amount());
    Ok(())
}

/// The rate of a sales tax item, or of a group of them.
pub(crate) fn tax_rate(desk: &Desk<'_>, id: &str) -> Number {
    let Some(item) = desk.books.get(id) else { return Number::ZERO };
    if item.kind == "ItemSalesTaxGroup" {
        let parts = item.body.all("ItemSalesTaxRef").map(|part| part.get("ListID"));
        return parts.map(|part| tax_rate(desk, part)).sum();
    }
    Number::of(item.body.get("TaxRate"))
}

/// Applies the lines of a Mod: named ones change, `-1` is new, those left out are deleted; a Mod
/// without lines leaves them alone.
pub(crate) fn merge(old: &Node, changes: &Node, kind: &str) -> Outcome<Option<Vec<Node>>> {
    let ret = super::shape::ret(kind);
    let given: Vec<&Node> = changes
        .children
        .iter()
        .filter(|child| child.child("TxnLineID").is_some() && child.name.contains("Line"))
        .collect();
    if given.is_empty() {
        return Ok(None);
    }
    let mut lines = Vec::new();
    for change in given {
        let id = change.get("TxnLineID");
        let fresh = super::shape::renamed(change, ret);
        if id == "-1" {
            lines.push(fresh);
            continue;
        }
        let known = |line: &&Node| line.name == fresh.name && line.get("TxnLineID") == id;
        let Some(line) = old.children.iter().find(known) else {
            return Err(status::not_found(id));
        };
        let mut line = line.clone();
        forget(&mut line, change);
        let inner = fresh.children.iter().any(|child| child.child("TxnLineID").is_some());
        if inner && let Some(inner) = merge(&line, change, kind)? {
            line.children.retain(|child| child.child("TxnLineID").is_none());
            line.children.extend(inner);
        }
        let plain: Vec<Node> =
            change.children.iter().filter(|c| c.child("TxnLineID").is_none()).cloned().collect();
        super::shape::merge(&mut line, &plain, None);
        lines.push(line);
    }
    Ok(Some(lines))
}

/// Drops what a change makes wrong: the amount of another quantity, the rate of another amount.
fn forget(line: &mut Node, change: &Node) {
    let has = |name: &str| change.child(name).is_some();
    let rate = has("Rate") || has("Cost") || has("RatePercent");
    if has("ItemRef") && change.at("ItemRef/ListID") != line.at("ItemRef/ListID") {
        line.children.retain(|c| !matches!(c.name.as_str(), "Desc" | "Rate" | "Cost" | "Amount"));
    }
    if has("Amount") && !rate {
        line.remove("Rate");
        line.remove("Cost");
    }
    if !has("Amount") && (has("Quantity") || rate) {
        line.remove("Amount");
    }
    if has("RatePercent") {
        line.remove("Rate");
    }
}

/// Whether a kind of transaction must have lines.
pub(crate) fn needs_lines(kind: &str) -> bool {
    !matches!(
        kind,
        "ReceivePayment"
            | "BillPaymentCheck"
            | "BillPaymentCreditCard"
            | "Charge"
            | "TimeTracking"
            | "Transfer"
            | "VehicleMileage"
            | "ARRefundCreditCard"
            | "BuildAssembly"
            | "SalesTaxPaymentCheck"
    ) && kinds::is_transaction(kind)
}
