//! Who answers what: one request of a message set.
//!
//! A request that fails leaves the books as they were.

use super::answer;
use super::answer::Lines;
use super::answer::Wanted;
use super::company;
use super::desk::Desk;
use super::extensions;
use super::grammar::ANSWERS;
use super::kinds;
use super::lists;
use super::queries;
use super::removals;
use super::shape;
use super::status;
use super::status::Outcome;
use super::status::Severity;
use super::status::Status;
use super::transactions;
use super::values;
use super::xml::Node;

/// The longest `requestID` (status 1060).
const LONGEST_ID: usize = 50;

/// What is answered to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    /// Attributes behind the status: `retCount`, `iteratorID`.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) content: Vec<Node>,
}

impl Answer {
    /// Done, with this to show.
    pub(crate) fn of(content: Vec<Node>) -> Self {
        Self { status: status::ok(), attributes: Vec::new(), content }
    }

    /// Nothing but a status.
    pub(crate) fn status(status: Status) -> Self {
        Self { status, attributes: Vec::new(), content: Vec::new() }
    }

    /// Whether a `stopOnError` stops here.
    pub(crate) fn is_error(&self) -> bool {
        self.status.severity() == Severity::Error
    }

    /// The answer to a request as it stands in the response document.
    pub(crate) fn into_node(self, request: &Node) -> Node {
        let name = request.name.strip_suffix("Rq").unwrap_or(&request.name);
        let mut node = Node::of(&format!("{name}Rs"), self.content);
        if let Some(id) = request.attribute("requestID") {
            node.attributes.push(("requestID".to_owned(), id.to_owned()));
        }
        let severity = self.status.severity().as_str();
        node.attributes.push(("statusCode".to_owned(), self.status.code.to_string()));
        node.attributes.push(("statusSeverity".to_owned(), severity.to_owned()));
        node.attributes.push(("statusMessage".to_owned(), self.status.message));
        node.attributes.extend(self.attributes);
        node
    }
}

/// Carries out one request.
pub(crate) fn carry_out(desk: &mut Desk<'_>, request: &Node) -> Answer {
    if desk.request_id.chars().count() > LONGEST_ID {
        return Answer::status(status::request_id(&desk.request_id));
    }
    let mark = desk.books.mark();
    let mut request = request.clone();
    let outcome = expand(desk, &mut request)
        .and_then(|()| values::check(&request))
        .and_then(|()| dispatch(desk, &request));
    outcome.unwrap_or_else(|status| {
        desk.books.back_to(mark);
        Answer::status(status)
    })
}

/// Puts the ids in the place of the macros that stand for them.
fn expand(desk: &Desk<'_>, node: &mut Node) -> Outcome<()> {
    if let Some(name) = node.attribute("useMacro") {
        let id = desk.macros.get(name).ok_or_else(|| status::unknown_macro(name))?;
        node.text.clone_from(id);
    }
    node.children.iter_mut().try_for_each(|child| expand(desk, child))
}

fn dispatch(desk: &mut Desk<'_>, request: &Node) -> Outcome<Answer> {
    let message = request.name.strip_suffix("Rq").unwrap_or(&request.name);
    match message {
        "HostQuery" => Ok(company::host(desk, request)),
        "CompanyQuery" => Ok(company::company(desk, request)),
        "CompanyActivityQuery" => Ok(company::activity(desk, request)),
        "PreferencesQuery" => Ok(company::preferences(desk, request)),
        "ListDel" => removals::delete_element(desk, request),
        "ListMerge" => removals::merge_elements(desk, request),
        "ListDeletedQuery" | "TxnDeletedQuery" => removals::deleted(desk, request),
        "TxnDel" => removals::delete_transaction(desk, request),
        "TxnVoid" => removals::void_transaction(desk, request),
        "ClearedStatusMod" => removals::clear_status(desk, request),
        "DataExtDefAdd" => extensions::define(desk, request),
        "DataExtDefMod" => extensions::redefine(desk, request),
        "DataExtDefDel" => extensions::undefine(desk, request),
        "DataExtDefQuery" => Ok(extensions::definitions(desk, request)),
        "DataExtAdd" => extensions::add(desk, request),
        "DataExtMod" => extensions::modify(desk, request),
        "DataExtDel" => extensions::delete(desk, request),
        "BillToPayQuery" => queries::bills_to_pay(desk, request),
        "ReceivePaymentToDepositQuery" => Ok(queries::payments_to_deposit(desk, request)),
        "TransactionQuery" => queries::transactions(desk, request),
        _ if message.ends_with("ReportQuery") => Err(status::unsupported()),
        _ => by_ending(desk, request, message),
    }
}

/// Adds, changes and queries of one kind.
fn by_ending(desk: &mut Desk<'_>, request: &Node, message: &str) -> Outcome<Answer> {
    if let Some(kind) = message.strip_suffix("Query") {
        let family = kinds::family(kind);
        let known = family.iter().all(|kind| ANSWERS.head(&format!("{kind}Ret")).is_some());
        return if known {
            queries::objects(desk, request, &family)
        } else {
            Err(status::unsupported())
        };
    }
    let Some(asked) = request.child(message) else { return Err(status::unsupported()) };
    let id = if let Some(kind) = message.strip_suffix("Add") {
        match kind {
            _ if kinds::is_transaction(kind) => transactions::add(desk, kind, asked)?,
            "SpecialAccount" | "SpecialItem" => lists::add(desk, kind, asked)?,
            _ if shape::ret(kind).is_some() => lists::add(desk, kind, asked)?,
            _ => return Err(status::unsupported()),
        }
    } else if let Some(kind) = message.strip_suffix("Mod") {
        match kind {
            _ if kinds::is_transaction(kind) => transactions::modify(desk, kind, asked)?,
            _ if asked.child("ListID").is_some() => lists::modify(desk, kind, asked)?,
            _ => return Err(status::unsupported()),
        }
    } else {
        return Err(status::unsupported());
    };
    let Some(object) = desk.books.get(&id).cloned() else { return Err(status::internal()) };
    define(desk, asked, &id, &object.body);
    let wanted = Wanted::by(request, desk.version, Lines::Always);
    Ok(Answer::of(vec![answer::ret(desk.books, &object, &wanted)]))
}

/// Remembers what a `defMacro` stands for: the new object, or one of its lines.
fn define(desk: &mut Desk<'_>, asked: &Node, id: &str, body: &Node) {
    if let Some(name) = asked.attribute("defMacro") {
        desk.macros.insert(name.to_owned(), id.to_owned());
    }
    let asked_lines = asked.children.iter().filter(|child| child.name.contains("Line"));
    let made_lines = body.children.iter().filter(|child| child.child("TxnLineID").is_some());
    for (line, made) in asked_lines.zip(made_lines) {
        if let Some(name) = line.attribute("defMacro") {
            desk.macros.insert(name.to_owned(), made.get("TxnLineID").to_owned());
        }
    }
}

/// Keeps only the elements that an `IncludeRetElement` names, if one does.
pub(crate) fn include(request: &Node, node: &mut Node) {
    let names: Vec<&str> = request.all("IncludeRetElement").map(|name| name.text.trim()).collect();
    if !names.is_empty() {
        node.children.retain(|child| names.contains(&child.name.as_str()));
    }
}
