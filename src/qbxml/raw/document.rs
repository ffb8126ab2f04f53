//! A document of an application as a small tree, each element with its line and column.

use quick_xml::Reader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::qbxml::response;

/// Deeper than any request type.
const MAX_DEPTH: usize = 32;
/// More elements than one message set should hold.
const MAX_NODES: usize = 200_000;

/// One element.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
    line: usize,
    column: usize,
}

impl Node {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The line in which it begins.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Where it begins.
    pub(super) fn place(&self) -> String {
        format!("/line/{}/column/{}", self.line, self.column)
    }
}

/// Reads the elements at the top of a document.
///
/// # Errors
///
/// Where it is no XML.
pub(super) fn read(xml: &str) -> Result<Vec<Node>, Box<Finding>> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut places = Places { xml, at: 0, line: 1, column: 1 };
    let mut open: Vec<Node> = Vec::new();
    let mut top = Vec::new();
    let mut nodes = 0;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let (line, column) = places.of(at);
        let malformed = |why: &dyn std::fmt::Display| {
            let finding = Finding::new(Code::InvalidValue).cause("malformed_xml");
            let finding =
                finding.at(format!("/line/{line}/column/{column}")).fact("field", "qbXML");
            Box::new(finding.fact("why", why).fact("line", line).fact("column", column))
        };
        let event = reader.read_event().map_err(|error| malformed(&error))?;
        match event {
            Event::Start(start) => {
                nodes += 1;
                if open.len() >= MAX_DEPTH || nodes > MAX_NODES {
                    return Err(malformed(&"it is nested too deeply, or too long"));
                }
                let attributes = attributes(&start).map_err(|why| malformed(&why))?;
                let name = start.name().as_ref().to_owned();
                let (text, children) = (String::new(), Vec::new());
                open.push(Node { name, attributes, text, children, line, column });
            }
            Event::End(_) => {
                if let Some(node) = open.pop() {
                    let into = open.last_mut().map_or(&mut top, |parent| &mut parent.children);
                    into.push(node);
                }
            }
            Event::Text(text) => {
                add(&mut open, &text.xml10_content()).map_err(|why| malformed(&why))?;
            }
            Event::CData(text) => {
                add(&mut open, &text.xml10_content()).map_err(|why| malformed(&why))?;
            }
            Event::GeneralRef(reference) => {
                let text = response::character(&reference).map_err(|why| malformed(&why))?;
                add(&mut open, &text).map_err(|why| malformed(&why))?;
            }
            Event::DocType(_) => return Err(malformed(&"a document type is not accepted")),
            Event::Eof if open.is_empty() => return Ok(top),
            Event::Eof => return Err(malformed(&"it ends in the middle")),
            _ => {}
        }
    }
}

fn add(open: &mut [Node], text: &str) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(node) => node.text.push_str(text),
        None if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => {}
        None => return Err("there is text outside of any element"),
    }
    Ok(())
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .map_err(|error| error.to_string())?;
        let name = attribute.key.as_ref().to_owned();
        // Declarations of namespaces say nothing in qbXML.
        if !name.starts_with("xmlns") {
            found.push((name, value.into_owned()));
        }
    }
    Ok(found)
}

/// Lines and columns of growing positions.
struct Places<'x> {
    xml: &'x str,
    at: usize,
    line: usize,
    column: usize,
}

impl Places<'_> {
    fn of(&mut self, at: usize) -> (usize, usize) {
        let passed = self.xml.get(self.at..at).unwrap_or_default();
        for character in passed.chars() {
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = at.max(self.at);
        (self.line, self.column)
    }
}
