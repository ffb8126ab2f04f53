//! Data extensions: private fields of applications, and the custom fields of the company.

use super::desk::Desk;
use super::references;
use super::requests::Answered;
use super::status;
use super::status::Outcome;
use super::xml::Node;

/// How an extension of the company is named in its ledger.
pub(crate) fn key(owner: &str, name: &str) -> String {
    format!("{}/{name}", owner.to_ascii_lowercase())
}

/// `DataExtAdd`, `DataExtMod`, `DataExtDel`; definitions are not needed here.
pub(crate) fn process(desk: &mut Desk<'_>, name: &str, request: &Node) -> Outcome<Answered> {
    let Some(asked) = request.child(name) else { return Err(status::unsupported()) };
    let keeps = match name {
        "DataExtAdd" | "DataExtMod" => true,
        "DataExtDel" => false,
        _ => return Err(status::unsupported()),
    };
    let (owner, field) = (asked.get("OwnerID").to_owned(), asked.get("DataExtName").to_owned());
    let ret = Node::of(
        "DataExtRet",
        vec![
            Node::leaf("OwnerID", owner.as_str()),
            Node::leaf("DataExtName", field.as_str()),
            Node::leaf("DataExtType", "STR255TYPE"),
            Node::leaf("DataExtValue", asked.get("DataExtValue")),
        ],
    );
    if asked.child("OtherDataExtType").is_some() {
        let extensions = &mut desk.books.ledger_mut().extensions;
        if keeps {
            extensions.insert(key(&owner, &field), asked.get("DataExtValue").to_owned());
        } else {
            extensions.remove(&key(&owner, &field));
        }
        return Ok(Answered::ok(vec![ret]));
    }
    let object = if let Some(id) = asked.child("TxnID") {
        let id = references::identify(desk, id)?;
        desk.books.get(&id).cloned().ok_or_else(|| status::not_found(&id))?
    } else {
        let reference = asked.child("ListObjRef").cloned().unwrap_or_default();
        let (id, name) = (reference.get("ListID"), reference.get("FullName"));
        let found = if id.is_empty() {
            desk.books.named(asked.get("ListDataExtType"), name)
        } else {
            desk.books.get(id)
        };
        let shown = if id.is_empty() { name } else { id };
        found.cloned().ok_or_else(|| status::element_not_found(shown))?
    };
    let mut body = object.body.clone();
    body.children.retain(|child| {
        child.name != "DataExtRet"
            || child.get("DataExtName") != field
            || !child.get("OwnerID").eq_ignore_ascii_case(&owner)
    });
    if keeps {
        body.children.push(ret.clone());
    }
    desk.change(&object, body);
    Ok(Answered::ok(vec![ret]))
}
