//! A document in, a document out: the request processor and its error recovery.
//!
//! Source: OSR, "QBXMLMsgsRq"; SDK sample `QBInvoiceAdd` and its `ErrRecovery` files (the truth table
//! of `newMessageSetID` and `oldMessageSetID`, `messageSetStatusCode`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::QuickBooks;
use super::Refused;
use super::desk::Desk;
use super::grammar::REQUESTS;
use super::grammar::Version;
use super::requests;
use super::status;
use super::xml;
use super::xml::Node;

/// Longest message-set id: one of 24 is refused (SDK sample).
const MAX_ID: usize = 23;
/// Longest `requestID` (status 1060).
const MAX_REQUEST_ID: usize = 50;
/// The prolog of a response; it names no encoding (captured responses).
const PROLOG: &str = "<?xml version=\"1.0\" ?>\n";

/// The responses that wait to be acknowledged, by `newMessageSetID`.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    stored: BTreeMap<String, Stored>,
}

/// One response.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stored {
    /// The document that was answered: another one under the same id is refused (9001).
    asked: String,
    /// Empty: it was not stored successfully (9002).
    response: String,
}

/// What a document changes in the memory.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) enum Change {
    #[default]
    None,
    /// Forget all.
    Clear,
    /// Forget one and store another, whichever is there.
    Move { old: Option<String>, new: Option<(String, Stored)> },
}

impl Memory {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::None => {}
            Change::Clear => self.stored.clear(),
            Change::Move { old, new } => {
                if let Some(old) = old {
                    self.stored.remove(&old);
                }
                self.stored.extend(new);
            }
        }
    }

    pub(crate) fn forget_responses(&mut self) {
        self.stored.values_mut().for_each(|stored| stored.response.clear());
    }
}

/// Processes one document.
pub(crate) fn process(it: &mut QuickBooks, qbxml: &str, now: i64) -> Result<String, Refused> {
    let document = xml::read(qbxml).map_err(|why| Refused::parse(&why))?;
    if !document.declared {
        return Err(Refused::parse("there is no XML declaration"));
    }
    let version = version(document.qbxml.as_deref(), &it.setup.sdk)?;
    let root = &document.root;
    let set = match root.children.as_slice() {
        [set] if root.name == "QBXML" && set.name == "QBXMLMsgsRq" => set,
        _ => return Err(Refused::parse("QBXML holds one QBXMLMsgsRq")),
    };
    let on_error = set.attribute("onError").unwrap_or_default();
    // The schema names rollbackOnError too; QuickBooks refuses it.
    if !matches!(on_error, "stopOnError" | "continueOnError") {
        return Err(Refused::parse("onError is stopOnError or continueOnError"));
    }
    for request in &set.children {
        readable(request, version)?;
    }
    let (new, old) = (set.attribute("newMessageSetID"), set.attribute("oldMessageSetID"));
    let head = |new: Option<&str>, code: Option<u32>| {
        let mut head = Node::new("QBXMLMsgsRs");
        if let (Some(id), Some(_)) = (new, code) {
            head.attributes.push(("newMessageSetID".to_owned(), id.to_owned()));
        }
        if let Some(code) = code {
            head.attributes.push(("messageSetStatusCode".to_owned(), code.to_string()));
        }
        head
    };
    let only = |code: u32| Ok(written(head(new, Some(code))));
    if new.is_some_and(|id| id.chars().count() > MAX_ID) {
        return only(9004);
    }
    if let Some(stored) = new.and_then(|new| it.memory.stored.get(new)) {
        return match stored {
            _ if stored.response.is_empty() => only(9002),
            stored if new == old || stored.asked == qbxml => Ok(stored.response.clone()),
            _ => only(9001),
        };
    }
    match (new, old) {
        (None, Some("ClearAllMessageSets")) => {
            kept(it, Change::Clear)?;
            return only(0);
        }
        (None, Some(old)) if !it.memory.stored.contains_key(old) => return only(600),
        (Some(new), Some(old)) if new == old => return only(9002),
        _ => {}
    }
    let code = (new.is_some() || old.is_some()).then_some(0);
    let mut answers = head(new, code);
    answers.children = execute(it, &set.children, version, on_error == "stopOnError", now);
    let response = written(answers);
    let change = Change::Move {
        old: old.map(str::to_owned),
        new: new.map(|new| {
            let stored = Stored { asked: qbxml.to_owned(), response: response.clone() };
            (new.to_owned(), stored)
        }),
    };
    kept(it, change)?;
    Ok(response)
}

/// A disk that fails looks to the caller as QuickBooks that fails.
fn kept(it: &mut QuickBooks, change: Change) -> Result<(), Refused> {
    it.keep(change).map_err(|error| Refused {
        hresult: 0x8004_0402,
        message: format!("Unexpected error.  The company file cannot be written: {error}"),
    })
}

fn written(head: Node) -> String {
    let root = Node::of("QBXML", vec![head]);
    let mut out = PROLOG.to_owned();
    root.write(&mut out);
    out.push('\n');
    out
}

/// The version that a document declares, if this QuickBooks speaks it.
fn version(instruction: Option<&str>, sdk: &str) -> Result<Version, Refused> {
    let declared = instruction.and_then(|text| {
        let rest = text.trim().strip_prefix("version")?.trim_start().strip_prefix('=')?.trim();
        rest.trim_matches(['"', '\'']).parse::<Version>().ok()
    });
    let Some(declared) = declared else {
        return Err(Refused::parse("there is no qbxml version"));
    };
    let highest: Version = sdk.parse().unwrap_or_default();
    if declared > highest {
        return Err(Refused {
            hresult: 0x8004_0423,
            message: "The version of qbXML that was requested is not supported or is unknown."
                .to_owned(),
        });
    }
    Ok(declared)
}

/// Refuses a document for one request that the parser cannot read.
fn readable(request: &Node, version: Version) -> Result<(), Refused> {
    let known = ["requestID", "metaData", "iterator", "iteratorID"];
    let strange = request.attributes.iter().find(|(name, _)| !known.contains(&name.as_str()));
    if let Some((name, _)) = strange {
        return Err(Refused::parse(&format!("{} has the attribute {name}", request.name)));
    }
    REQUESTS.accepts(request, version).map_err(|why| Refused::parse(&why))
}

fn execute(
    it: &mut QuickBooks,
    asked: &[Node],
    version: Version,
    stop: bool,
    now: i64,
) -> Vec<Node> {
    let mut macros = BTreeMap::new();
    let mut answers = Vec::with_capacity(asked.len());
    let mut stopped = false;
    for request in asked {
        let id = request.attribute("requestID").unwrap_or_default().to_owned();
        let mark = it.books.mark();
        let mut desk = Desk {
            books: &mut it.books,
            locks: &mut it.locks,
            macros: &mut macros,
            now,
            version,
            request_id: id.clone(),
        };
        let outcome = if stopped {
            Err(status::not_processed())
        } else if id.chars().count() > MAX_REQUEST_ID {
            Err(status::request_id(&id))
        } else {
            requests::process(&mut desk, &mut it.iterators, &it.setup, request)
        };
        let answer = outcome.unwrap_or_else(|status| {
            it.books.back_to(mark);
            stopped |= stop;
            requests::Answered { status, rets: Vec::new(), attributes: Vec::new() }
        });
        answers.push(answer.node(request, &id));
    }
    answers
}
