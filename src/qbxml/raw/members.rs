//! What stands in an Add, in a Mod, or in an object that QuickBooks told, by its path in there: two of
//! them can be compared.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::document;
use super::document::Node;

/// Endings of aggregates of which there may be several, without `Add`, `Mod`, or `Ret`.
const MANY: [&str; 9] = [
    "AdditionalContactRef",
    "AdditionalNotes",
    "AppliedToTxn",
    "Contacts",
    "DataExt",
    "GroupLine",
    "Line",
    "LineGroup",
    "ShipToAddress",
];
/// Aggregates inside of aggregates that are looked into.
const MAX_DEPTH: usize = 8;

/// What stands in a request or an object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Members {
    /// Values by path: `Memo`, `BillAddress/City`.
    pub fields: BTreeMap<String, String>,
    /// What is referred to, by path: `CustomerRef`.
    pub references: BTreeMap<String, Reference>,
    /// Lines, and whatever else there may be several of, in order.
    pub lines: Vec<Line>,
}

/// An element of a list that is referred to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reference {
    /// Its ListID.
    pub id: Option<String>,
    /// Its full name.
    pub name: Option<String>,
}

/// A line of a document.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// Such as `InvoiceLine`.
    pub name: String,
    /// `TxnLineID`, if it has one.
    pub id: Option<String>,
    /// Values by path: `ItemRef/ListID`, `InvoiceLine/0/Quantity` inside of a group.
    pub fields: BTreeMap<String, String>,
}

impl Members {
    /// What the lines come to, without tax; `None` if one of them does not say.
    pub fn total(&self) -> Option<Decimal> {
        let lines = self.lines.iter().filter(|line| line.name.contains("Line"));
        let all: Option<Vec<Decimal>> = lines.map(Line::amount).collect();
        all.filter(|all| !all.is_empty()).map(|all| all.iter().sum())
    }
}

impl Line {
    fn amount(&self) -> Option<Decimal> {
        let number = |name: &str| self.fields.get(name)?.trim().parse::<Decimal>().ok();
        let each = number("Rate").or_else(|| number("Cost"));
        number("Amount").or_else(|| Some(number("Quantity").unwrap_or(Decimal::ONE) * each?))
    }
}

/// What stands in the first object or body of a request or an answer.
pub fn members(text: &str) -> Members {
    let mut found = Members::default();
    let nodes = document::read(text).unwrap_or_default();
    let body = nodes.first().and_then(|node| node.children.first());
    for member in body.iter().flat_map(|body| &body.children) {
        take(member, "", 0, &mut found);
    }
    found
}

fn take(node: &Node, above: &str, depth: usize, found: &mut Members) {
    let path = format!("{above}{}", node.name);
    let base = base(&node.name);
    if MANY.iter().any(|end| base.ends_with(end)) && !node.children.is_empty() {
        let mut line = Line { name: base.to_owned(), ..Line::default() };
        flatten(node, "", depth, &mut line.fields);
        line.id = line.fields.remove("TxnLineID");
        found.lines.push(line);
    } else if node.name.ends_with("Ref") {
        let child = |name: &str| {
            let child = node.children.iter().find(|child| child.name == name);
            child.map(|child| child.text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        found.references.insert(path, Reference { id: child("ListID"), name: child("FullName") });
    } else if node.children.is_empty() {
        found.fields.insert(path, node.text.clone());
    } else if depth < MAX_DEPTH {
        let path = format!("{path}/");
        for child in &node.children {
            take(child, &path, depth + 1, found);
        }
    }
}

/// The values in a line; lines inside of it are counted.
fn flatten(node: &Node, above: &str, depth: usize, fields: &mut BTreeMap<String, String>) {
    let mut inner: BTreeMap<&str, usize> = BTreeMap::new();
    for child in &node.children {
        let base = base(&child.name);
        if child.children.is_empty() {
            fields.insert(format!("{above}{}", child.name), child.text.clone());
        } else if depth < MAX_DEPTH {
            let path = if MANY.iter().any(|end| base.ends_with(end)) {
                let at = inner.entry(base).or_default();
                *at += 1;
                format!("{above}{base}/{}/", *at - 1)
            } else {
                format!("{above}{}/", child.name)
            };
            flatten(child, &path, depth + 1, fields);
        }
    }
}

/// `InvoiceLine` for `InvoiceLineAdd`, `InvoiceLineMod`, and `InvoiceLineRet`.
fn base(name: &str) -> &str {
    let ends = ["Add", "Mod", "Ret"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_to_what_each_of_them_says() {
        let total = |lines: &str| {
            let asked = format!("<BillAddRq><BillAdd><Memo>1</Memo>{lines}</BillAdd></BillAddRq>");
            members(&asked).total().map(|total| total.to_string())
        };
        let line = |inside: &str| format!("<ItemLineAdd>{inside}</ItemLineAdd>");
        let one = line("<Amount>2.50</Amount>");
        let two = line("<Quantity>3</Quantity><Cost>0.10</Cost>");
        assert_eq!(total(&format!("{one}{two}")).as_deref(), Some("2.80"));
        assert_eq!(total(&format!("{one}{}", line("<Desc>so</Desc>"))), None);
        assert_eq!(
            total(&format!("{one}<ItemGroupLineAdd><Desc>so</Desc></ItemGroupLineAdd>")),
            None
        );
        assert_eq!(total(""), None);
    }

    #[test]
    fn a_request_and_an_answer_have_the_same_paths() {
        let inside = |end: &str, id: &str| {
            format!(
                "<CustomerRef><ListID>80-1</ListID></CustomerRef><BillAddress><City>Ulm</City>\
                 </BillAddress><Memo/><InvoiceLine{end}>{id}<ItemRef><FullName>Labor</FullName>\
                 </ItemRef><Quantity>2</Quantity></InvoiceLine{end}><InvoiceLineGroup{end}>{id}\
                 <InvoiceLine{end}><Amount>1.00</Amount></InvoiceLine{end}></InvoiceLineGroup{end}>"
            )
        };
        let id = "<TxnLineID>9-1</TxnLineID>";
        let asked =
            format!("<InvoiceModRq><InvoiceMod>{}</InvoiceMod></InvoiceModRq>", inside("Mod", id));
        let told =
            format!("<InvoiceModRs><InvoiceRet>{}</InvoiceRet></InvoiceModRs>", inside("Ret", id));

        let found = members(&asked);

        assert_eq!(found, members(&told));
        assert_eq!(found.fields["BillAddress/City"], "Ulm");
        assert_eq!(found.fields["Memo"], "");
        assert_eq!(found.references["CustomerRef"].id.as_deref(), Some("80-1"));
        let [line, group] = found.lines.as_slice() else { panic!("{:?}", found.lines) };
        assert_eq!(
            (line.id.as_deref(), line.fields["ItemRef/FullName"].as_str()),
            (Some("9-1"), "Labor")
        );
        assert_eq!(group.fields["InvoiceLine/0/Amount"], "1.00");
    }
}
