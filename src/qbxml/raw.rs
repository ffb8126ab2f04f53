//! Raw requests: qbXML or JSON of an application, held against the table before it is queued.
//!
//! What is accepted is written anew from what was read: ASCII, one line, exact values, and with a
//! `requestID` everywhere, so that what goes to QuickBooks does not depend on how it was typed. An
//! envelope is taken off: its ids are Bookbridge's own (error recovery, OSR), its error rule stays.

mod document;
mod members;

use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;

use self::document::Node;
pub use self::members::Line;
pub use self::members::Members;
pub use self::members::Reference;
pub use self::members::members;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::request::OnError;
use crate::qbxml::scalar;
use crate::qbxml::schema::Attribute;
use crate::qbxml::schema::Content;
use crate::qbxml::schema::Element;
use crate::qbxml::schema::Message;
use crate::qbxml::schema::Particle;
use crate::qbxml::schema::Shape;
use crate::qbxml::schema::schema;
use crate::qbxml::text;
use crate::qbxml::version::Availability;
use crate::qbxml::version::Target;
use crate::qbxml::version::Version;
use crate::qbxml::write::Mode;
use crate::qbxml::write::Writer;
use crate::qbxml::write::names_in;

/// Most requests in one document.
const MAX_REQUESTS: usize = 500;
/// Longest `requestID` (status 1060: OSR, "Attributes").
const MAX_REQUEST_ID: usize = 50;
/// More findings than this help nobody.
const MAX_FINDINGS: usize = 100;

/// A raw request that QuickBooks can read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Raw {
    /// Whole `…Rq` elements, ASCII.
    pub xml: String,
    /// Their names, in order.
    pub types: Vec<String>,
    /// Whether any of them changes something.
    pub writes: bool,
    /// What QuickBooks does with the requests behind one that fails.
    pub on_error: OnError,
    /// The lowest qbXML version that knows everything in it.
    pub version: Version,
    /// The element that needs that version, and its line, if one does.
    pub newest: Option<(String, usize)>,
}

/// Checks qbXML: one or more `…Rq`, with or without an envelope.
///
/// # Errors
///
/// All that QuickBooks could not read, each with its line and column in `xml`.
pub fn check_xml(xml: &str, target: &Target) -> Result<Raw, Vec<Finding>> {
    let nodes = document::read(xml).map_err(|finding| vec![*finding])?;
    let mut walk = Walk::new(*target);
    let requests = walk.requests(&nodes);
    if requests.is_empty() && walk.findings.is_empty() {
        let finding = Finding::new(Code::MissingField).cause("no_request");
        walk.findings.push(finding.fact("field", "…Rq"));
    }
    if requests.len() > MAX_REQUESTS {
        let finding = Finding::new(Code::InvalidValue).cause("too_many").fact("field", "…Rq");
        walk.find(finding.fact("limit", MAX_REQUESTS).fact("actual", requests.len()));
    } else {
        walk.number(&requests);
        for request in &requests {
            walk.request(request);
        }
    }
    let types = requests.iter().map(|request| request.name.clone()).collect();
    walk.done(types)
}

/// Builds one request from JSON, such as `CustomerQueryRq`; attributes are members with an `@`.
///
/// # Errors
///
/// All that QuickBooks could not read, each with a pointer that begins with `/data`.
pub fn build(name: &str, data: &Value, target: &Target) -> Result<Raw, Vec<Finding>> {
    let Some(message) = schema().request(name).filter(|message| !message.subscription) else {
        return Err(vec![unknown_request(name).at("/type")]);
    };
    let Value::Object(members) = data else {
        let finding = Finding::new(Code::InvalidValue).cause("not_an_object").at("/data");
        return Err(vec![finding.fact("field", "data").fact("expected", "an object")]);
    };
    let mut written = Writer::new(*target, Mode::New);
    let nowhere = |_: &str| None;
    written.resolve = Some(&nowhere);
    written.available(message.availability, message.name, "/type");
    let _ = write!(written.out, "<{name} requestID=\"1\"");
    written.attributes(&message.attributes, members, "/data");
    written.out.push('>');
    let inner: Map<_, _> =
        members.iter().filter(|(name, _)| !name.starts_with('@')).map(owned).collect();
    written.aggregate(&message.shape, None, &inner, "/data");
    let _ = write!(written.out, "</{name}>");
    if written.findings.is_empty() {
        let types = vec![name.to_owned()];
        let version = written.needs;
        let (writes, on_error) = (writes(name), OnError::default());
        Ok(Raw { xml: written.out, types, writes, on_error, version, newest: None })
    } else {
        Err(written.findings)
    }
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// Several requests as one, numbered from 1; `None` if there is none.
pub fn join(all: Vec<Raw>) -> Option<Raw> {
    let mut all = all.into_iter();
    let mut joined = all.next()?;
    for (number, next) in (2..).zip(all) {
        let request_id = format!("requestID=\"{number}\"");
        joined.xml.push_str(&next.xml.replacen("requestID=\"1\"", &request_id, 1));
        joined.types.extend(next.types);
        joined.writes |= next.writes;
        joined.version = joined.version.max(next.version);
    }
    Some(joined)
}

/// Whether a request changes something: all but queries, which end so by name (OSR).
fn writes(name: &str) -> bool {
    !name.ends_with("QueryRq")
}

fn unknown_request(name: &str) -> Finding {
    let shown: String = name.chars().take(80).collect();
    let mut finding =
        Finding::new(Code::UnknownField).cause("unknown_request").fact("field", shown);
    let names = schema().requests().map(|request| request.name);
    if let Some(nearest) = text::nearest(name, names) {
        finding = finding.fact("nearest", nearest);
    }
    finding
}

/// The walk through a document: checks and writes.
struct Walk {
    target: Target,
    out: String,
    findings: Vec<Finding>,
    needs: Version,
    newest: Option<(String, usize)>,
    on_error: OnError,
    /// One more than the highest `requestID` that is a number.
    next_id: u64,
}

impl Walk {
    fn new(target: Target) -> Self {
        let (out, findings, newest) = (String::new(), Vec::new(), None);
        let (needs, on_error) = (Version::FIRST, OnError::default());
        Self { target, out, findings, needs, newest, on_error, next_id: 1 }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    fn done(self, types: Vec<String>) -> Result<Raw, Vec<Finding>> {
        if !self.findings.is_empty() {
            return Err(self.findings);
        }
        let writes = types.iter().any(|name| writes(name));
        let (version, on_error) = (self.needs, self.on_error);
        Ok(Raw { xml: self.out, types, writes, on_error, version, newest: self.newest })
    }

    /// The requests of a document, out of their envelope.
    fn requests<'n>(&mut self, nodes: &'n [Node]) -> Vec<&'n Node> {
        let mut requests = Vec::new();
        for node in nodes {
            match node.name.as_str() {
                "QBXML" => requests.extend(self.requests(&node.children)),
                "QBXMLMsgsRq" => {
                    self.envelope(node);
                    requests.extend(&node.children);
                }
                _ => requests.push(node),
            }
        }
        requests
    }

    /// Takes the error rule. QuickBooks' schema has a third one, which it refuses.
    fn envelope(&mut self, node: &Node) {
        let rules = [OnError::ContinueOnError, OnError::StopOnError];
        let Some(given) = node.attribute("onError") else { return };
        if let Some(rule) = rules.into_iter().find(|rule| rule.as_str() == given) {
            self.on_error = rule;
            return;
        }
        let finding = Finding::new(Code::InvalidValue).cause("bad_enum").at(node.place());
        let finding = finding.fact("field", "onError").fact("value", given);
        let allowed = rules.map(OnError::as_str).join(", ");
        self.find(finding.fact("allowed", allowed).fact("expected", "one of the listed values"));
    }

    /// Looks at the `requestID`s that are given: none twice, none too long.
    fn number(&mut self, requests: &[&Node]) {
        let mut seen = std::collections::BTreeSet::new();
        for request in requests {
            let Some(id) = request.attribute("requestID") else { continue };
            if let Ok(number) = id.parse::<u64>() {
                self.next_id = self.next_id.max(number.saturating_add(1));
            }
            let length = id.chars().count();
            if length > MAX_REQUEST_ID {
                let finding = Finding::new(Code::StringTooLong).at(request.place());
                let finding = finding.fact("field", "requestID").fact("limit", MAX_REQUEST_ID);
                self.find(finding.fact("actual", length));
            }
            if !seen.insert(id) {
                let finding = Finding::new(Code::InvalidValue).cause("same_request_id");
                let finding = finding.at(request.place()).fact("field", "requestID");
                self.find(finding.fact("value", id));
            }
        }
    }

    fn request(&mut self, node: &Node) {
        let known = schema().request(&node.name).filter(|message| !message.subscription);
        let Some(message) = known.map(|message| -> &Message { message }) else {
            self.find(unknown_request(&node.name).at(node.place()));
            return;
        };
        self.available(message.availability, node);
        let id = if let Some(id) = node.attribute("requestID") {
            id.to_owned()
        } else {
            self.next_id += 1;
            (self.next_id - 1).to_string()
        };
        let _ = write!(self.out, "<{} requestID=\"", message.name);
        text::escape(&id, &mut self.out);
        self.out.push('"');
        self.attributes(&message.attributes, node, &["requestID"]);
        self.out.push('>');
        self.content(&message.shape, node);
        let _ = write!(self.out, "</{}>", message.name);
    }

    fn attributes(&mut self, known: &[Attribute], node: &Node, done: &[&str]) {
        for (name, value) in &node.attributes {
            if done.contains(&name.as_str()) {
                continue;
            }
            let Some(attribute) = known.iter().find(|attribute| attribute.name == name) else {
                let finding = Finding::new(Code::UnknownField).at(node.place());
                self.find(finding.fact("field", format!("@{name}")));
                continue;
            };
            let value = Value::String(value.clone());
            match scalar::canonical(&attribute.value, &value, self.target.edition) {
                Ok(text) => {
                    let _ = write!(self.out, " {name}=\"");
                    text::escape(&text, &mut self.out);
                    self.out.push('"');
                }
                Err(finding) => {
                    self.find(finding.at(node.place()).fact("field", format!("@{name}")));
                }
            }
        }
    }

    fn content(&mut self, shape: &Shape, node: &Node) {
        if !node.text.trim().is_empty() {
            let finding = Finding::new(Code::InvalidValue).cause("not_an_object").at(node.place());
            let finding = finding.fact("field", &node.name).fact("expected", "elements");
            self.find(finding.fact("value", node.text.trim().chars().take(80).collect::<String>()));
        }
        let mut left = node.children.as_slice();
        self.sequence(&shape.particles, &mut left, node);
        // QuickBooks reads in order: what is left is unknown, or stands in the wrong place.
        for child in left {
            let element = shape.elements().find(|element| element.name == child.name);
            let finding = if element.is_some() {
                let finding = Finding::new(Code::InvalidValue).cause("wrong_order");
                finding.fact("allowed", expected_order(shape))
            } else {
                let finding = Finding::new(Code::UnknownField);
                let names = shape.elements().map(|element| element.name);
                match text::nearest(&child.name, names) {
                    Some(nearest) => finding.fact("nearest", nearest),
                    None => finding,
                }
            };
            self.find(finding.at(child.place()).fact("field", &child.name));
        }
    }

    fn sequence(&mut self, particles: &[Particle], left: &mut &[Node], parent: &Node) {
        for particle in particles {
            match particle {
                Particle::Element(element) => self.element(element, left, parent),
                Particle::Choice(choice) => {
                    let begins = |node: &Node| {
                        choice.alternatives.iter().find(|alternative| {
                            names_in(alternative).iter().any(|it| it.name == node.name)
                        })
                    };
                    let mut any = false;
                    while let Some(alternative) = left.first().and_then(begins) {
                        let before = left.len();
                        self.sequence(alternative, left, parent);
                        any = true;
                        if !choice.rule.is_repeated() || left.len() == before {
                            break;
                        }
                    }
                    let needed =
                        choice.rule.is_required() && choice.availability.allows(self.target);
                    if needed && !any {
                        let names = choice.alternatives.iter().flat_map(|it| names_in(it));
                        let names: Vec<_> = names.map(|element| element.name).collect();
                        let finding = Finding::new(Code::MissingField).cause("one_of");
                        self.find(finding.at(parent.place()).fact("field", names.join(" or ")));
                    }
                }
            }
        }
    }

    fn element(&mut self, element: &Element, left: &mut &[Node], parent: &Node) {
        let mut count = 0;
        while let Some(node) = left.first().filter(|node| node.name == element.name) {
            if count > 0 && !element.occurs.is_repeated() {
                break;
            }
            *left = &left[1..];
            count += 1;
            self.occurrence(element, node);
        }
        let needed = element.occurs.is_required() && element.availability.allows(self.target);
        // Standing somewhere behind, it is told as out of order, not as missing.
        if needed && count == 0 && !left.iter().any(|node| node.name == element.name) {
            let finding = Finding::new(Code::MissingField).at(parent.place());
            self.find(finding.fact("field", element.name));
        }
    }

    fn occurrence(&mut self, element: &Element, node: &Node) {
        self.available(element.availability, node);
        let _ = write!(self.out, "<{}", element.name);
        self.attributes(&element.attributes, node, &[]);
        self.out.push('>');
        match &element.content {
            Content::Aggregate(shape) => self.content(shape, node),
            Content::Empty => {}
            Content::Value(kind) => {
                for child in &node.children {
                    let finding = Finding::new(Code::UnknownField).at(child.place());
                    self.find(finding.fact("field", &child.name));
                }
                let value = Value::String(node.text.clone());
                match scalar::canonical(kind, &value, self.target.edition) {
                    Ok(text) => text::escape(&text, &mut self.out),
                    Err(finding) => {
                        self.find(finding.at(node.place()).fact("field", element.name));
                    }
                }
            }
        }
        let _ = write!(self.out, "</{}>", element.name);
    }

    fn available(&mut self, of: Availability, node: &Node) {
        let mut writer = Writer::new(self.target, Mode::New);
        writer.available(of, &node.name, &node.place());
        if writer.needs > self.needs {
            self.needs = writer.needs;
            self.newest = Some((node.name.clone(), node.line()));
        }
        self.findings.append(&mut writer.findings);
    }
}

fn expected_order(shape: &Shape) -> String {
    let names: Vec<_> = shape.elements().map(|element| element.name).take(40).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn accepted(xml: &str) -> Raw {
        check_xml(xml, &Target::default()).unwrap()
    }

    fn refused(xml: &str, code: Code, pointer: &str) {
        let findings = check_xml(xml, &Target::default()).unwrap_err();

        let found = findings.iter().any(|it| it.code == code && it.pointer == pointer);
        assert!(found, "{xml}: {findings:?}");
    }

    #[test]
    fn an_envelope_is_taken_off_and_values_take_their_exact_form() {
        let raw = accepted(
            "<?xml version=\"1.0\"?><?qbxml version=\"13.0\"?><QBXML><QBXMLMsgsRq onError=\"stopOnError\">
             <CustomerQueryRq iterator='Start'> <MaxReturned>10</MaxReturned> <!-- so -->
             </CustomerQueryRq></QBXMLMsgsRq></QBXML>",
        );

        assert_eq!(
            raw.xml,
            "<CustomerQueryRq requestID=\"1\" iterator=\"Start\"><MaxReturned>10</MaxReturned>\
             </CustomerQueryRq>"
        );
        assert_eq!(raw.types, ["CustomerQueryRq"]);
        assert!(!raw.writes);
    }

    #[test]
    fn several_requests_get_different_ids() {
        let raw = accepted("<AccountQueryRq/><ClassQueryRq requestID='7'/><CustomerQueryRq/>");

        assert_eq!(
            raw.xml,
            "<AccountQueryRq requestID=\"8\"></AccountQueryRq><ClassQueryRq requestID=\"7\">\
             </ClassQueryRq><CustomerQueryRq requestID=\"9\"></CustomerQueryRq>"
        );
    }

    #[test]
    fn what_quickbooks_could_not_read_is_named_with_its_place() {
        refused("<CustomerQueryRq>", Code::InvalidValue, "/line/1/column/18");
        refused("not xml", Code::InvalidValue, "/line/1/column/1");
        refused("<CustomreQueryRq/>", Code::UnknownField, "/line/1/column/1");
        refused(
            "<CustomerAddRq>\n<CustomerAdd><Phone>1</Phone><Name>A</Name></CustomerAdd></CustomerAddRq>",
            Code::InvalidValue,
            "/line/2/column/30",
        );
    }

    #[test]
    fn json_becomes_the_same_request() {
        let data = json!({"@iterator": "Start", "MaxReturned": 10});
        let raw = build("CustomerQueryRq", &data, &Target::default()).unwrap();

        assert_eq!(
            raw.xml,
            "<CustomerQueryRq requestID=\"1\" iterator=\"Start\"><MaxReturned>10</MaxReturned>\
             </CustomerQueryRq>"
        );
        let findings = build("CustomerQueryRq", &json!({"MaxReturnd": 1}), &Target::default());
        assert_eq!(findings.unwrap_err()[0].pointer, "/data/MaxReturnd");
    }
}
