//! One request, given to whoever knows it.

use super::Setup;
use super::answer;
use super::answer::Wanted;
use super::clock;
use super::company;
use super::desk::Desk;
use super::extensions;
use super::grammar::REQUESTS;
use super::kinds;
use super::lists;
use super::queries;
use super::queries::Iterators;
use super::status;
use super::status::Outcome;
use super::status::Status;
use super::transactions;
use super::values;
use super::xml::Node;

/// What is answered to one request.
pub(crate) struct Answered {
    pub(crate) status: Status,
    pub(crate) rets: Vec<Node>,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Answered {
    pub(crate) fn ok(rets: Vec<Node>) -> Self {
        Self { status: status::ok(), rets, attributes: Vec::new() }
    }

    /// The whole `…Rs`.
    pub(crate) fn node(self, request: &Node, id: &str) -> Node {
        let name = request.name.strip_suffix("Rq").unwrap_or(&request.name);
        let mut node = Node::of(&format!("{name}Rs"), self.rets);
        let mut attribute = |name: &str, value: &str| {
            node.attributes.push((name.to_owned(), value.to_owned()));
        };
        if !id.is_empty() {
            attribute("requestID", id);
        }
        attribute("statusCode", &self.status.code.to_string());
        attribute("statusSeverity", self.status.severity().as_str());
        attribute("statusMessage", &self.status.message);
        node.attributes.extend(self.attributes);
        node
    }
}

/// Processes one request that the parser could read.
pub(crate) fn process(
    desk: &mut Desk<'_>,
    iterators: &mut Iterators,
    setup: &Setup,
    request: &Node,
) -> Outcome<Answered> {
    values::check(request)?;
    let name = request.name.strip_suffix("Rq").unwrap_or(&request.name);
    match name {
        "HostQuery" => Ok(Answered::ok(vec![company::host(setup)])),
        "CompanyQuery" => Ok(Answered::ok(vec![company::company(desk, request)])),
        "PreferencesQuery" => Ok(Answered::ok(vec![company::preferences(desk)])),
        "ListDel" => delete_element(desk, request),
        "ListMerge" => merge(desk, request),
        "TxnDel" => delete_transaction(desk, request),
        "TxnVoid" => void(desk, request),
        "ListDeletedQuery" | "TxnDeletedQuery" => Ok(queries::deleted(desk, request)),
        "ClearedStatusMod" => transactions::cleared(desk, request),
        _ if name.starts_with("DataExt") => extensions::process(desk, name, request),
        _ => match (name.strip_suffix("Query"), name.strip_suffix("Add"), name.strip_suffix("Mod"))
        {
            (Some(kind), ..) => queries::query(desk, iterators, kind, request),
            (_, Some(kind), _) => write(desk, kind, request, Verb::Add),
            (.., Some(kind)) => write(desk, kind, request, Verb::Mod),
            _ => Err(status::unsupported()),
        },
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Verb {
    Add,
    Mod,
}

fn write(desk: &mut Desk<'_>, kind: &str, request: &Node, verb: Verb) -> Outcome<Answered> {
    let body = if verb == Verb::Add { format!("{kind}Add") } else { format!("{kind}Mod") };
    let Some(asked) = request.child(&body) else { return Err(status::unsupported()) };
    let transaction = kinds::is_transaction(kind);
    if !transaction && !REQUESTS.knows(&format!("{kind}QueryRq")) && !kind.starts_with("Special") {
        return Err(status::unsupported());
    }
    let id = match (transaction, verb) {
        (true, Verb::Add) => transactions::add(desk, kind, asked)?,
        (true, Verb::Mod) => transactions::modify(desk, kind, asked)?,
        (false, Verb::Add) => lists::add(desk, kind, asked)?,
        (false, Verb::Mod) => lists::modify(desk, kind, asked)?,
    };
    if let Some(name) = asked.attribute("defMacro") {
        desk.macros.insert(name.to_owned(), id.clone());
    }
    let wanted = Wanted::by(request, desk.version, answer::Lines::Always);
    let ret = desk.books.get(&id).map(|object| answer::ret(desk.books, object, &wanted));
    Ok(Answered::ok(ret.into_iter().collect()))
}

fn delete_element(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answered> {
    let kind = request.get("ListDelType").to_owned();
    let id = lists::list_id(request)?;
    let object = lists::delete(desk, &kind, &id)?;
    Ok(Answered::ok(vec![
        Node::leaf("ListDelType", kind),
        Node::leaf("ListID", id),
        Node::leaf("TimeDeleted", clock::stamp(desk.now)),
        Node::leaf("FullName", object.name()),
    ]))
}

fn merge(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answered> {
    let (from, to) = lists::merge(desk, request)?;
    let side = |name: &str, object: &super::books::Object| {
        Node::of(
            name,
            vec![Node::leaf("ListID", &*object.id), Node::leaf("FullName", object.name())],
        )
    };
    Ok(Answered::ok(vec![
        Node::leaf("ListMergeType", request.get("ListMergeType")),
        side("MergedFrom", &from),
        side("MergedTo", &to),
    ]))
}

fn delete_transaction(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answered> {
    let kind = request.get("TxnDelType").to_owned();
    let object = transactions::delete(desk, &kind, request.get("TxnID").trim())?;
    Ok(Answered::ok(vec![
        Node::leaf("TxnDelType", kind),
        Node::leaf("TxnID", &*object.id),
        Node::leaf("TimeDeleted", clock::stamp(desk.now)),
        Node::leaf("RefNumber", object.body.get("RefNumber")),
    ]))
}

fn void(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answered> {
    let kind = request.get("TxnVoidType").to_owned();
    let object = transactions::void(desk, &kind, request.get("TxnID").trim())?;
    Ok(Answered::ok(vec![
        Node::leaf("TxnVoidType", kind),
        Node::leaf("TxnID", &*object.id),
        Node::leaf("TimeCreated", clock::stamp(object.created)),
        Node::leaf("TimeModified", clock::stamp(desk.now)),
        Node::leaf("RefNumber", object.body.get("RefNumber")),
    ]))
}
