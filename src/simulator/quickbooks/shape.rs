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

/// Elements of which an object has one or the other.
const ONE_OF: &[(&str, &str)] =
    &[("Price", "PricePercent"), ("SalesOrPurchase", "SalesAndPurchase")];

/// Applies the children of a Mod to a body: each is changed, or emptied, or completed by what is in
/// it, in the same way.
pub(crate) fn merge(body: &mut Node, changes: &[Node], ret: Option<&Production>) {
    let mut seen: Vec<String> = Vec::new();
    for change in changes {
        let mut made = renamed(change, ret);
        let first = !seen.contains(&made.name);
        if first {
            seen.push(made.name.clone());
        }
        for (one, other) in ONE_OF {
            if *one == made.name && !change.is_empty() {
                body.remove(other);
            } else if *other == made.name && !change.is_empty() {
                body.remove(one);
            }
        }
        if merges(&made.name, change)
            && let Some(old) = counterpart(body, &made, first)
        {
            merge(old, &change.children, inner(ret, &change.name));
            let name = made.name.as_str();
            body.children.retain(|child| child.name != name || !child.is_empty());
            continue;
        }
        if first && key(&made).is_none() {
            body.remove(&made.name);
        }
        drop_empty(&mut made);
        if !made.is_empty() {
            body.children.push(made);
        }
    }
}

/// Aggregates that a Mod completes; references, lines and addresses are replaced.
fn merges(name: &str, change: &Node) -> bool {
    !change.children.is_empty()
        && !name.ends_with("Ref")
        && !name.contains("Line")
        && !name.contains("Address")
}

/// What a Mod of an aggregate changes: that of the same id, or else the only one.
fn counterpart<'n>(body: &'n mut Node, made: &Node, first: bool) -> Option<&'n mut Node> {
    let id = key(made);
    body.children.iter_mut().find(|child| {
        child.name == made.name && if id.is_some() { key(child) == id } else { first }
    })
}

/// The id of one of several aggregates, such as a contact or a note.
fn key(node: &Node) -> Option<String> {
    let id = node.child("ListID").or_else(|| node.child("NoteID"))?;
    (!node.name.ends_with("Ref") && !id.text.is_empty()).then(|| id.text.clone())
}

/// The production of what is in an element of a Mod.
fn inner(ret: Option<&Production>, name: &str) -> Option<&'static Production> {
    match find(ret?, name)? {
        (_, Form::Aggregate(production)) => ANSWERS.production(production),
        _ => None,
    }
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
    fn a_mod_empties_what_is_in_an_aggregate_and_leaves_the_rest() {
        let check = |change: &str, expected: &str| {
            let mut body = read_node(
                "<ItemServiceRet><SalesOrPurchase><Desc>a</Desc><Price>5.00</Price><AccountRef>\
                 <ListID>1-1</ListID></AccountRef></SalesOrPurchase></ItemServiceRet>",
            )
            .unwrap();
            let change = format!("<ItemServiceMod>{change}</ItemServiceMod>");

            merge(&mut body, &read_node(&change).unwrap().children, ret("ItemService"));

            assert_eq!(
                body.to_text().replace('\n', ""),
                format!("<ItemServiceRet>{expected}</ItemServiceRet>")
            );
        };
        let account = "<AccountRef><ListID>1-1</ListID></AccountRef>";
        check(
            "<SalesOrPurchaseMod><Desc></Desc></SalesOrPurchaseMod>",
            &format!("<SalesOrPurchase><Price>5.00</Price>{account}</SalesOrPurchase>"),
        );
        check(
            "<SalesOrPurchaseMod><Desc></Desc><PricePercent>9</PricePercent></SalesOrPurchaseMod>",
            &format!("<SalesOrPurchase>{account}<PricePercent>9</PricePercent></SalesOrPurchase>"),
        );
        check(
            "<SalesAndPurchaseMod><SalesPrice>9.00</SalesPrice></SalesAndPurchaseMod>",
            "<SalesAndPurchase><SalesPrice>9.00</SalesPrice></SalesAndPurchase>",
        );
    }

    #[test]
    fn one_of_several_contacts_is_changed() {
        let mut body = read_node(
            "<CustomerRet><ContactsRet><ListID>1-1</ListID><FirstName>A</FirstName></ContactsRet>\
             <ContactsRet><ListID>2-1</ListID><FirstName>B</FirstName><LastName>C</LastName>\
             </ContactsRet></CustomerRet>",
        )
        .unwrap();
        let change = "<CustomerMod><ContactsMod><ListID>2-1</ListID><FirstName>X</FirstName>\
                      <LastName></LastName></ContactsMod></CustomerMod>";

        merge(&mut body, &read_node(change).unwrap().children, ret("Customer"));

        let names: Vec<_> =
            body.all("ContactsRet").map(|it| (it.get("FirstName"), it.get("LastName"))).collect();
        assert_eq!(names, [("A", ""), ("X", "")]);
    }

    #[test]
    fn characters_that_the_file_cannot_keep_become_question_marks() {
        assert_eq!(storable("é–漢"), "é–?");
    }
}
