//! Data extensions: what an application stores beside the objects, under its own owner's id.
//!
//! The Web Connector stamps its FileID into the company so. Owner "0" are the custom fields that
//! people see. An extension must be defined before it can be given a value.
//!
//! Source: Onscreen Reference, `DataExtDefAdd`, `DataExtAdd`; QBWC Programmer's Guide, p. 36.

use super::books::Ledger;
use super::books::Object;
use super::clock;
use super::desk::Desk;
use super::grammar::ANSWERS;
use super::kinds;
use super::references;
use super::requests::Answer;
use super::status;
use super::status::Outcome;
use super::xml;
use super::xml::Node;

/// The key of the company's own extension.
fn key(owner: &str, name: &str) -> String {
    format!("{}\t{}", owner.to_lowercase(), name.to_lowercase())
}

/// Stamps an extension into the company, and defines it, as the Web Connector does with its FileID.
pub(crate) fn stamp(ledger: &mut Ledger, owner: &str, name: &str, value: &str) {
    let mut ret = vec![
        Node::leaf("OwnerID", owner),
        Node::leaf("DataExtName", name),
        Node::leaf("DataExtType", "STR255TYPE"),
    ];
    if !ledger.extensions.contains_key(&key(owner, name)) {
        let mut definition = Node::of("DataExtDefRet", ret.clone());
        definition.set("AssignToObject", "Company");
        ledger.definitions.push(definition.to_text());
    }
    ret.push(Node::leaf("DataExtValue", value));
    ledger.extensions.insert(key(owner, name), Node::of("DataExtRet", ret).to_text());
}

/// The value of a stamp, if there is one.
pub(crate) fn stamp_of(ledger: &Ledger, owner: &str, name: &str) -> Option<String> {
    let stamp = xml::read_node(ledger.extensions.get(&key(owner, name))?).ok()?;
    Some(stamp.get("DataExtValue").to_owned())
}

/// Every definition there is.
fn all(desk: &Desk<'_>) -> Vec<Node> {
    let definitions = desk.books.ledger.definitions.iter();
    definitions.filter_map(|text| xml::read_node(text).ok()).collect()
}

fn defined(desk: &Desk<'_>, owner: &str, name: &str) -> Option<Node> {
    all(desk).into_iter().find(|node| is_of(node, owner, name))
}

fn is_of(node: &Node, owner: &str, name: &str) -> bool {
    node.get("OwnerID").eq_ignore_ascii_case(owner)
        && node.get("DataExtName").eq_ignore_ascii_case(name)
}

fn named(node: &Node) -> (String, String) {
    (node.get("OwnerID").trim().to_owned(), node.get("DataExtName").trim().to_owned())
}

/// Defines an extension.
pub(crate) fn define(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let Some(asked) = request.child("DataExtDefAdd") else { return Err(status::unsupported()) };
    let (owner, name) = named(asked);
    if defined(desk, &owner, &name).is_some() {
        return Err(status::name_in_use(&name));
    }
    let mut ret = Node::of("DataExtDefRet", asked.children.clone());
    ret.set("DataExtID", desk.books.count("extension").to_string());
    desk.books.ledger_mut().definitions.push(ret.to_text());
    Ok(Answer::of(vec![arranged(desk, ret)]))
}

/// Changes the name or the objects of an extension.
pub(crate) fn redefine(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let Some(asked) = request.child("DataExtDefMod") else { return Err(status::unsupported()) };
    let (owner, name) = named(asked);
    let Some(mut ret) = defined(desk, &owner, &name) else {
        return Err(status::unknown_extension(&name));
    };
    if let Some(new) = asked.child("DataExtNewName") {
        ret.set("DataExtName", new.text.as_str());
    }
    let removed: Vec<_> = asked.all("RemoveFromObject").map(|node| node.text.clone()).collect();
    ret.children.retain(|child| child.name != "AssignToObject" || !removed.contains(&child.text));
    ret.children.extend(asked.all("AssignToObject").cloned());
    replace(desk, &owner, &name, Some(&ret));
    Ok(Answer::of(vec![arranged(desk, ret)]))
}

/// Drops the definition of an extension.
pub(crate) fn undefine(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let (owner, name) = named(request);
    if defined(desk, &owner, &name).is_none() {
        return Err(status::unknown_extension(&name));
    }
    replace(desk, &owner, &name, None);
    let time = Node::leaf("TimeDeleted", clock::stamp(desk.now));
    let children = vec![Node::leaf("OwnerID", owner), Node::leaf("DataExtName", name), time];
    Ok(Answer::of(vec![Node::of("DataExtDefDelRet", children)]))
}

fn replace(desk: &mut Desk<'_>, owner: &str, name: &str, by: Option<&Node>) {
    let mut kept: Vec<Node> = all(desk);
    kept.retain(|node| !is_of(node, owner, name));
    kept.extend(by.cloned());
    desk.books.ledger_mut().definitions = kept.iter().map(Node::to_text).collect();
}

/// The definitions of some owners, or for some objects.
pub(crate) fn definitions(desk: &Desk<'_>, request: &Node) -> Answer {
    let mut found = all(desk);
    let owners: Vec<&str> = request.all("OwnerID").map(|node| node.text.trim()).collect();
    let objects: Vec<&str> = request.all("AssignToObject").map(|node| node.text.trim()).collect();
    found.retain(|node| {
        let owned =
            owners.is_empty() || owners.iter().any(|o| o.eq_ignore_ascii_case(node.get("OwnerID")));
        let fits = node.all("AssignToObject").any(|child| objects.contains(&child.text.as_str()));
        owned && (objects.is_empty() || fits)
    });
    if found.is_empty() {
        return Answer::status(status::no_match());
    }
    Answer::of(found.into_iter().map(|ret| arranged(desk, ret)).collect())
}

/// An answer in the order of the grammar, with all that it must say.
fn arranged(desk: &Desk<'_>, mut ret: Node) -> Node {
    if let Some(production) = ANSWERS.production(&ret.name) {
        ANSWERS.complete(&mut ret, production, desk.version);
        ANSWERS.arrange(&mut ret, production, desk.version);
    }
    ret
}

/// Gives an extension of an object its first value.
pub(crate) fn add(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    match request.child("DataExtAdd") {
        Some(asked) => write(desk, asked),
        None => Err(status::unsupported()),
    }
}

/// Gives an extension of an object another value.
pub(crate) fn modify(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    match request.child("DataExtMod") {
        Some(asked) => write(desk, asked),
        None => Err(status::unsupported()),
    }
}

fn write(desk: &mut Desk<'_>, asked: &Node) -> Outcome<Answer> {
    let (owner, name) = named(asked);
    let places: &[&str] = match asked.get("ListDataExtType") {
        "" if asked.child("TxnLineID").is_some() => &[asked.get("TxnDataExtType"), "Item"],
        "" => &[asked.get("TxnDataExtType"), asked.get("OtherDataExtType")],
        list => &[list],
    };
    let ret = valued(desk, asked, places)?;
    if asked.get("OtherDataExtType") == "Company" {
        desk.books.ledger_mut().extensions.insert(key(&owner, &name), ret.to_text());
    } else {
        let object = target(desk, asked)?;
        let mut body = object.body.clone();
        let holder = holder(&mut body, asked.get("TxnLineID"))?;
        holder.children.retain(|child| child.name != "DataExtRet" || !is_of(child, &owner, &name));
        holder.children.push(ret.clone());
        desk.change(&object, body);
    }
    Ok(Answer::of(vec![ret]))
}

/// The value that a request gives to an extension of what is called so: `Customer`, `Invoice`,
/// `Company`. An item's extensions are those of the lines it stands in.
fn valued(desk: &Desk<'_>, asked: &Node, places: &[&str]) -> Outcome<Node> {
    let (owner, name) = named(asked);
    let fits = |definition: &Node| {
        let mut assigned = definition.all("AssignToObject").peekable();
        assigned.peek().is_none() || assigned.any(|to| places.contains(&to.text.trim()))
    };
    let definition = defined(desk, &owner, &name).filter(fits);
    let definition = definition.ok_or_else(|| status::unknown_extension(&name))?;
    let mut ret: Vec<_> = ["OwnerID", "DataExtName", "DataExtType"]
        .map(|element| Node::leaf(element, definition.get(element)))
        .into();
    ret.push(Node::leaf("DataExtValue", asked.get("DataExtValue")));
    Ok(Node::of("DataExtRet", ret))
}

/// Holds the extensions that stand in the lines of a new transaction against their definitions.
pub(crate) fn of_lines(desk: &Desk<'_>, kind: &str, node: &mut Node) -> Outcome<()> {
    for child in &mut node.children {
        if child.name == "DataExtRet" && child.child("DataExtType").is_none() {
            *child = valued(desk, child, &[kind, "Item"])?;
        } else {
            of_lines(desk, kind, child)?;
        }
    }
    Ok(())
}

/// Takes the value of an extension away.
pub(crate) fn delete(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let Some(asked) = request.child("DataExtDel") else { return Err(status::unsupported()) };
    let (owner, name) = named(asked);
    if asked.get("OtherDataExtType") == "Company" {
        if desk.books.ledger_mut().extensions.remove(&key(&owner, &name)).is_none() {
            return Err(status::unknown_extension(&name));
        }
    } else {
        let object = target(desk, asked)?;
        let mut body = object.body.clone();
        let holder = holder(&mut body, asked.get("TxnLineID"))?;
        let before = holder.children.len();
        holder.children.retain(|child| child.name != "DataExtRet" || !is_of(child, &owner, &name));
        if holder.children.len() == before {
            return Err(status::unknown_extension(&name));
        }
        desk.change(&object, body);
    }
    let mut ret = Node::of("DataExtDelRet", asked.children.clone());
    ret.set("TimeDeleted", clock::stamp(desk.now));
    Ok(Answer::of(vec![arranged(desk, ret)]))
}

/// The object whose extension it is.
fn target(desk: &mut Desk<'_>, asked: &Node) -> Outcome<Object> {
    if let Some(id) = asked.child("TxnID") {
        let kind = asked.get("TxnDataExtType").to_owned();
        return desk.target(&kind, id.text.trim(), None);
    }
    let kind = asked.get("ListDataExtType");
    let kinds = if kind == "Item" { kinds::ITEMS } else { &[kind] };
    let (id, name) = (asked.at("ListObjRef/ListID").trim(), asked.at("ListObjRef/FullName").trim());
    let found = if id.is_empty() {
        kinds.iter().find_map(|kind| desk.books.find(kind, name))
    } else {
        desk.books.get(id)
    };
    let shown = if id.is_empty() { name } else { id };
    if !id.is_empty() && !references::looks_like_id(id) {
        return Err(status::invalid_id(id, "list id"));
    }
    match found.filter(|found| kinds.contains(&found.kind.as_str())).cloned() {
        Some(found) => desk.target(&found.kind, &found.id, None),
        None => Err(status::element_not_found(shown)),
    }
}

/// The body itself, or one of its lines.
fn holder<'n>(body: &'n mut Node, line: &str) -> Outcome<&'n mut Node> {
    if line.is_empty() {
        return Ok(body);
    }
    find(body, line.trim()).ok_or_else(|| status::not_found(line))
}

/// The line of that id, which may stand in a group.
fn find<'n>(node: &'n mut Node, line: &str) -> Option<&'n mut Node> {
    node.children.iter_mut().find_map(|child| {
        if child.get("TxnLineID") == line { Some(child) } else { find(child, line) }
    })
}

/// The company's own extensions of those owners that a query names; all of them for the Web
/// Connector, which asks for its own.
pub(crate) fn of_company(desk: &Desk<'_>, request: &Node) -> Vec<Node> {
    let owners: Vec<&str> = request.all("OwnerID").map(|node| node.text.trim()).collect();
    let stored = desk.books.ledger.extensions.values();
    let stored = stored.filter_map(|text| xml::read_node(text).ok());
    let own = |node: &Node| {
        owners.iter().any(|owner| *owner == "*" || owner.eq_ignore_ascii_case(node.get("OwnerID")))
    };
    stored.filter(own).collect()
}
