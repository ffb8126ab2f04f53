//! An object as it is answered: its `…Ret`, with what is computed, in the order of the grammar.

use std::collections::BTreeSet;

use super::books::Books;
use super::books::Object;
use super::clock;
use super::grammar::ANSWERS;
use super::grammar::Version;
use super::kinds;
use super::number::Number;
use super::shape;
use super::xml::Node;

/// How much of an object is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) version: Version,
    /// Lines too.
    pub(crate) lines: bool,
    /// Linked transactions too.
    pub(crate) links: bool,
    /// Only these elements; empty: all.
    pub(crate) elements: BTreeSet<String>,
    /// Whose data extensions; "0" are the custom fields.
    pub(crate) owners: BTreeSet<String>,
}

impl Wanted {
    /// What a request asks for.
    pub(crate) fn by(request: &Node, version: Version, answers_a_query: Lines) -> Self {
        let texts = |name| request.all(name).map(|node| node.text.trim().to_owned()).collect();
        let query = answers_a_query == Lines::OnRequest;
        Self {
            version,
            lines: !query || request.is("IncludeLineItems"),
            links: !query || request.is("IncludeLinkedTxns"),
            elements: texts("IncludeRetElement"),
            owners: texts("OwnerID"),
        }
    }
}

/// Whether lines come by themselves or are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lines {
    Always,
    OnRequest,
}

/// The Ret of an object.
pub(crate) fn ret(books: &Books, object: &Object, wanted: &Wanted) -> Node {
    let mut node = object.body.clone();
    node.name = format!("{}Ret", object.kind);
    refresh(books, &mut node);
    let transaction = kinds::is_transaction(&object.kind);
    node.set(if transaction { "TxnID" } else { "ListID" }, &*object.id);
    node.set("TimeCreated", clock::stamp(object.created));
    node.set("TimeModified", clock::stamp(object.modified));
    node.set("EditSequence", object.edit_sequence.to_string());
    compute(books, object, &mut node);
    blocks(&mut node);
    node.children.retain(|child| {
        let line = is_line(&child.name) || child.name.starts_with("AppliedToTxn");
        (wanted.lines || !line) && (wanted.links || child.name != "LinkedTxn")
    });
    keep_extensions(&mut node, &wanted.owners);
    if let Some(production) = shape::ret(&object.kind) {
        ANSWERS.complete(&mut node, production, wanted.version);
        ANSWERS.arrange(&mut node, production, wanted.version);
    }
    if !wanted.elements.is_empty() {
        node.children.retain(|child| wanted.elements.contains(&child.name));
    }
    node
}

/// Whether an element of a Ret is a line.
pub(crate) fn is_line(name: &str) -> bool {
    matches!(name, "JournalDebitLine" | "JournalCreditLine")
        || (name.contains("Line") && name.ends_with("Ret"))
}

/// Brings the names in references up to date: an element may have been renamed since.
fn refresh(books: &Books, node: &mut Node) {
    for child in &mut node.children {
        if child.name.ends_with("Ref")
            && let Some(object) = books.get(child.get("ListID"))
        {
            let name = object.name().to_owned();
            child.set("FullName", name);
        } else {
            refresh(books, child);
        }
    }
}

/// What is not stored: balances, quantities, defaults.
fn compute(books: &Books, object: &Object, node: &mut Node) {
    let sum = books.balances.of(&object.id);
    if !kinds::is_transaction(&object.kind) && node.child("IsActive").is_none() {
        node.set("IsActive", "true");
    }
    match object.kind.as_str() {
        "Customer" | "Account" => {
            node.set("Balance", sum.amount());
            node.set("TotalBalance", total_balance(books, object).amount());
            if object.kind == "Customer" && node.child("JobStatus").is_none() {
                node.set("JobStatus", "None");
            }
        }
        "Vendor" => node.set("Balance", sum.amount()),
        "ItemInventory" | "ItemInventoryAssembly" => {
            node.set("QuantityOnHand", sum.plain());
            let cost = node.get("PurchaseCost").to_owned();
            node.set("AverageCost", Number::of(&cost).price());
            node.set("QuantityOnOrder", "0");
            node.set("QuantityOnSalesOrder", "0");
        }
        _ => {}
    }
}

/// The balance of an element with those of all its jobs or subaccounts.
pub(crate) fn total_balance(books: &Books, object: &Object) -> Number {
    let below = books.below(&object.id).map(|child| total_balance(books, child));
    books.balances.of(&object.id) + below.sum()
}

/// Adds the printed form of each address: `BillAddressBlock` of `BillAddress`.
fn blocks(node: &mut Node) {
    let mut blocks = Vec::new();
    for address in &node.children {
        if !address.name.ends_with("Address") || address.children.is_empty() {
            continue;
        }
        let mut lines: Vec<String> = Vec::new();
        for number in 1..=5 {
            let line = address.get(&format!("Addr{number}"));
            if !line.is_empty() {
                lines.push(line.to_owned());
            }
        }
        let (city, state) = (address.get("City"), address.get("State"));
        let town = if city.is_empty() || state.is_empty() { "" } else { ", " };
        let place = format!("{city}{town}{state} {}", address.get("PostalCode"));
        if !place.trim().is_empty() {
            lines.push(place.trim().to_owned());
        }
        if !address.get("Country").is_empty() {
            lines.push(address.get("Country").to_owned());
        }
        let lines = lines.iter().take(5).enumerate();
        let lines = lines.map(|(at, line)| Node::leaf(&format!("Addr{}", at + 1), line.as_str()));
        blocks.push(Node::of(&format!("{}Block", address.name), lines.collect()));
    }
    node.children.extend(blocks);
}

/// Drops the data extensions that nobody asked for.
fn keep_extensions(node: &mut Node, owners: &BTreeSet<String>) {
    node.children.retain(|child| {
        child.name != "DataExtRet"
            || owners.iter().any(|o| o.eq_ignore_ascii_case(child.get("OwnerID")))
    });
    for child in node.children.iter_mut().filter(|child| is_line(&child.name)) {
        keep_extensions(child, owners);
    }
}
