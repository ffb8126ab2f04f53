//! References of a request: each must lead to an active object of the right kind.
//!
//! Source: field logs of 3140; that an inactive element answers as one that does not exist is told
//! by vendors' help pages, no log shows it.

use std::sync::Arc;

use super::books::Object;
use super::desk::Desk;
use super::kinds;
use super::status;
use super::status::NOT_IN_LIST;
use super::status::Outcome;
use super::status::WRONG_TYPE;
use super::values;
use super::xml::Node;

/// Resolves all references in an aggregate: each then holds ListID and `FullName`.
pub(crate) fn resolve(desk: &mut Desk<'_>, node: &mut Node, kind: &str) -> Outcome<()> {
    resolve_in(desk, node, kind, kind)
}

fn resolve_in(desk: &mut Desk<'_>, node: &mut Node, object: &str, place: &str) -> Outcome<()> {
    for child in &mut node.children {
        if child.name == "ParentRef" || child.is_empty() {
            continue;
        }
        if let Some(targets) = kinds::targets(&child.name) {
            resolve_one(desk, child, targets, object, place)?;
        } else if child.name.contains("Line") && !child.children.is_empty() {
            let kind = place.strip_suffix(" line").unwrap_or(place);
            resolve_in(desk, child, &format!("{kind}Line"), &format!("{kind} line"))?;
        } else {
            resolve_in(desk, child, object, place)?;
        }
    }
    Ok(())
}

fn resolve_one(
    desk: &mut Desk<'_>,
    reference: &mut Node,
    targets: &[&str],
    object: &str,
    place: &str,
) -> Outcome<()> {
    let what = reference.name.clone();
    let (id, name) = (named_id(desk, reference)?, reference.get("FullName").trim().to_owned());
    if id.is_empty() && name.is_empty() {
        return Ok(());
    }
    let place = if place.starts_with("Item") && kinds::ITEMS.contains(&place) {
        format!("item {}", place.trim_start_matches("Item"))
    } else {
        place.to_owned()
    };
    let shown = if id.is_empty() { &name } else { &id };
    let refuse = |why: &str| status::reference(&kinds::spoken(&what, object), shown, &place, why);
    let found = if id.is_empty() {
        let kinds_of = targets.iter().find_map(|kind| desk.books.find(kind, &name));
        match kinds_of.or_else(|| desk.books.named(targets[0], &name)) {
            Some(found) if targets.contains(&found.kind.as_str()) => found.clone(),
            Some(_) => return Err(refuse(WRONG_TYPE)),
            None => return Err(refuse(NOT_IN_LIST)),
        }
    } else {
        if !looks_like_id(&id) {
            return Err(status::invalid_id(&id, &values::words("ListID")));
        }
        let found = desk.books.get(&id).cloned();
        match found.filter(|found| targets.contains(&found.kind.as_str())) {
            Some(found) => found,
            None => return Err(refuse(NOT_IN_LIST)),
        }
    };
    if !found.is_active() {
        return Err(refuse(NOT_IN_LIST));
    }
    if desk.is_locked(&found.kind, &[found.name(), &found.id]) {
        return Err(status::related_in_use(&found.id));
    }
    *reference = to(&what, &found);
    Ok(())
}

/// The id in a reference: written out, or by a macro of this message set.
fn named_id(desk: &Desk<'_>, reference: &Node) -> Outcome<String> {
    let Some(id) = reference.child("ListID") else { return Ok(String::new()) };
    identify(desk, id)
}

/// The id in an element, or behind its `useMacro`.
pub(crate) fn identify(desk: &Desk<'_>, element: &Node) -> Outcome<String> {
    match element.attribute("useMacro") {
        Some(name) => {
            let found = desk.macros.get(name).cloned();
            found.ok_or_else(|| status::unknown_macro(name))
        }
        None => Ok(element.text.trim().to_owned()),
    }
}

/// A reference to an object.
pub(crate) fn to(element: &str, object: &Arc<Object>) -> Node {
    let name = object.name();
    Node::of(element, vec![Node::leaf("ListID", &*object.id), Node::leaf("FullName", name)])
}

/// Whether a text can be an id of QuickBooks: `80000001-1234567890`.
pub(crate) fn looks_like_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(number, time)| {
        let hexadecimal = number.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal
            && !number.is_empty()
            && !time.is_empty()
            && time.bytes().all(|b| b.is_ascii_digit())
    })
}
