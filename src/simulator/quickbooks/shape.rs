//! From what is asked to what is answered: `CustomerAdd` to `CustomerRet`.
//!
//! The elements are the same but for their endings; a Mod changes what it names, empties what it
//! names empty, and leaves the rest.

use super::grammar::ANSWERS;
use super::grammar::Form;
use super::grammar::Production;
use super::xml::Node;

/// The production of an object's Ret.
pub(crate) fn ret(kind: &str) -> Option<&'static Production> {
    ANSWERS.head(&format!("{kind}Ret"))
}

/// The children of an Add, named as in the Ret. What the Ret does not hold is kept: the books may
/// need it (`OpenBalance`), and the answer drops it.
pub(crate) fn added(node: &Node, ret: Option<&Production>) -> Vec<Node> {
    let children = node.children.iter().filter(|child| !child.is_empty());
    children.map(|child| renamed(child, ret)).collect()
}

/// One element named as in the Ret, with all in it.
pub(crate) fn renamed(child: &Node, ret: Option<&Production>) -> Node {
    let mut name = child.name.clone();
    let mut inner = None;
    if let Some((place, form)) = ret.and_then(|ret| find(ret, &child.name)) {
        place.clone_into(&mut name);
        if let Form::Aggregate(production) = form {
            inner = ANSWERS.production(production);
        }
    }
    let children = added(child, inner);
    Node { name, attributes: Vec::new(), text: storable(&child.text), children }
}

/// The element of the Ret that an element of an Add or a Mod becomes.
fn find(ret: &Production, name: &str) -> Option<(&'static str, Form)> {
    let stem = name.strip_suffix("Add").or_else(|| name.strip_suffix("Mod")).unwrap_or(name);
    let stems = [name.to_owned(), format!("{stem}Ret"), stem.to_owned()];
    stems.iter().find_map(|name| ret.find(name)).map(|element| (element.name, element.form))
}

/// Applies the children of a Mod to a body.
pub(crate) fn merge(body: &mut Node, changes: &[Node], ret: Option<&Production>) {
    let mut replaced: Vec<String> = Vec::new();
    for change in changes {
        let mut change = renamed(change, ret);
        drop_empty(&mut change);
        let first = !replaced.contains(&change.name);
        if first {
            replaced.push(change.name.clone());
        }
        match body.child_mut(&change.name) {
            Some(old) if first && merges(&change) => {
                let inner = std::mem::take(&mut change.children);
                for part in inner {
                    old.put(part);
                }
            }
            _ => {
                if first {
                    body.remove(&change.name);
                }
                if !change.is_empty() {
                    body.children.push(change);
                }
            }
        }
    }
}

/// Aggregates that a Mod completes; references and lines are replaced.
fn merges(change: &Node) -> bool {
    !change.children.is_empty()
        && !change.name.ends_with("Ref")
        && !change.name.contains("Line")
        && !change.name.contains("Address")
}

fn drop_empty(node: &mut Node) {
    node.children.iter_mut().for_each(drop_empty);
    node.children.retain(|child| !child.is_empty());
}

/// A text as the company file keeps it: windows-1252, the rest becomes `?`.
///
/// Source: qbwc/qbxml README ("outside become question marks").
fn storable(text: &str) -> String {
    let known = |character: char| {
        matches!(character, '\u{0}'..='\u{7f}' | '\u{a0}'..='\u{ff}')
            || "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ".contains(character)
    };
    text.chars().map(|character| if known(character) { character } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::quickbooks::xml::read_node;

    #[test]
    fn an_add_is_named_as_its_ret() {
        let add = read_node(
            "<InvoiceAdd><RefNumber>1</RefNumber><InvoiceLineAdd><Desc>x</Desc><DataExt>\
             <OwnerID>0</OwnerID></DataExt></InvoiceLineAdd></InvoiceAdd>",
        )
        .unwrap();

        let body = Node::of("InvoiceRet", added(&add, ret("Invoice")));

        assert_eq!(body.at("InvoiceLineRet/DataExtRet/OwnerID"), "0");
    }

    #[test]
    fn a_mod_changes_empties_and_leaves() {
        let mut body =
            read_node("<CustomerRet><Phone>1</Phone><Fax>2</Fax><Email>3</Email></CustomerRet>")
                .unwrap();
        let change = read_node("<CustomerMod><Phone>9</Phone><Fax></Fax></CustomerMod>").unwrap();

        merge(&mut body, &change.children, ret("Customer"));

        assert_eq!((body.get("Phone"), body.child("Fax"), body.get("Email")), ("9", None, "3"));
    }

    #[test]
    fn characters_that_the_file_cannot_keep_become_question_marks() {
        assert_eq!(storable("é–漢"), "é–?");
    }
}
