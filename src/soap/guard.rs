//! The guard in front of every envelope: it decides, with limits, before anything typed sees a byte.
//!
//! [`read`] walks one SOAP envelope and gathers the operation and its parameters as they came:
//! untrimmed, entities decoded once. It takes any prefix, SOAP 1.1 and 1.2, parameters in any order
//! or missing, CDATA, and `<Style>RPC</Style>` with its unqualified arguments. It refuses what no Web
//! Connector sends and what only costs: a DOCTYPE, nesting, attributes and namespaces in masses, a
//! parameter given twice, bytes after the end.
//!
//! The text of `response` is never gathered: it goes to a writer as it is read, so that a response of
//! any size needs constant memory. Everything else of an envelope is bounded by its [`Source`].
//!
//! Nothing here knows what an operation means. Held by the tests below and by `tests/soap`.

use std::io;
use std::io::Write;

use quick_xml::NsReader;
use quick_xml::events::BytesRef;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

use crate::soap::source::Source;
use crate::soap::unescape;

/// The namespace of all operations (*QBWC Programmer's Guide*, chapter 5).
pub(crate) const INTUIT: &str = "http://developer.intuit.com/";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

const MAX_DEPTH: usize = 32;
const MAX_ATTRIBUTES: usize = 64;
const MAX_NAMESPACES: usize = 64;
/// The widest operation has six parameters.
const MAX_PARAMETERS: usize = 32;

/// Why an envelope cannot be read. The texts go into a fault; they quote names, never values.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the envelope is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the envelope is nested too deeply")]
    TooDeep,
    #[error(
        "an element has too many attributes or namespaces, or the operation too many parameters"
    )]
    TooMany,
    #[error("a DOCTYPE is not allowed")]
    Doctype,
    #[error("the document is no SOAP envelope")]
    NotSoap,
    #[error("{0} stands twice in the envelope")]
    Duplicate(String),
    #[error("a parameter of the operation has elements inside: {0}")]
    Nested(String),
    #[error("the entity &{0}; is not known")]
    Entity(String),
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("the envelope ends too early")]
    Truncated,
    #[error("the envelope is not well-formed: {0}")]
    Xml(String),
    /// Not the envelope's fault: what takes the response text refused it.
    #[error("the response could not be kept")]
    Sink(#[source] io::Error),
    /// The response text is longer than allowed.
    #[error("the response has more than {0} bytes")]
    ResponseTooLarge(u64),
}

/// What the envelope says. It has no `Debug`: there may be a password in it.
#[derive(Default)]
pub(crate) struct Envelope {
    /// Local name of the first element of the Body.
    pub(crate) operation: Option<String>,
    /// Name and text of each parameter that was read to its end; of `response` only the name.
    parameters: Vec<(String, String)>,
    /// Whether the text of `response` was read to its end.
    pub(crate) response_ended: bool,
}

impl Envelope {
    /// A parameter's text. Missing, empty and `xsi:nil` are the same.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.parameters.iter().find(|it| it.0 == name).map_or("", |it| it.1.as_str())
    }

    /// A parameter's text, which is then gone from here.
    pub(crate) fn take(&mut self, name: &str) -> String {
        let found = self.parameters.iter_mut().find(|it| it.0 == name);
        found.map(|it| std::mem::take(&mut it.1)).unwrap_or_default()
    }
}

/// Where the response text goes, and how much of it is allowed.
pub(crate) struct Response<'a> {
    pub(crate) to: &'a mut dyn Write,
    pub(crate) limit: u64,
}

/// Reads an envelope into `envelope`, which holds what was understood even if this fails.
///
/// # Errors
///
/// [`Malformed`]: the envelope cannot be read to its end.
pub(crate) fn read(
    envelope: &mut Envelope,
    source: Source,
    mut response: Response<'_>,
) -> Result<(), Malformed> {
    let mut reader = NsReader::from_reader(source);
    reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
    let mut walk = Walk { envelope, depth: 0, soap: "", body: Place::Before, current: None };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_resolved_event_into(&mut buffer);
        let (namespace, event) = match event {
            Ok(it) => it,
            Err(error) => return Err(trouble(&error, reader.get_mut())),
        };
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => Some(namespace.into_inner()),
            ResolveResult::Unbound => None,
            ResolveResult::Unknown(prefix) => {
                return Err(Malformed::Xml(format!("the prefix {prefix} is not declared")));
            }
        };
        match event {
            Event::Start(start) => {
                walk.begin(&start, namespace)?;
                if walk.at_response() {
                    unescape::copy(reader.get_mut(), &mut response)?;
                    walk.envelope.response_ended = true;
                }
            }
            Event::Empty(start) => {
                walk.begin(&start, namespace)?;
                walk.envelope.response_ended |= walk.at_response();
                walk.end();
            }
            Event::End(_) => walk.end(),
            Event::Text(text) => walk.text(&text.xml10_content())?,
            Event::CData(text) => walk.text(&text.xml10_content())?,
            Event::GeneralRef(name) => walk.text(&character(&name)?)?,
            Event::DocType(_) => return Err(Malformed::Doctype),
            Event::Eof => {
                return match (walk.depth, walk.body) {
                    (0, Place::After) => Ok(()),
                    (0, _) => Err(Malformed::NotSoap),
                    _ => Err(Malformed::Truncated),
                };
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// Where the walk stands to the Body.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    Before,
    Inside,
    After,
}

struct Walk<'a> {
    envelope: &'a mut Envelope,
    /// How many elements are open.
    depth: usize,
    /// Namespace of the Envelope.
    soap: &'static str,
    body: Place,
    /// The parameter that is open.
    current: Option<(String, String)>,
}

impl Walk<'_> {
    fn begin(&mut self, start: &BytesStart<'_>, namespace: Option<&str>) -> Result<(), Malformed> {
        count_attributes(start)?;
        if self.depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        let local = start.local_name();
        let name = local.as_ref();
        match (self.depth, self.body) {
            (0, Place::Before) => {
                self.soap = match (namespace, name) {
                    (Some(SOAP_11), "Envelope") => SOAP_11,
                    (Some(SOAP_12), "Envelope") => SOAP_12,
                    _ => return Err(Malformed::NotSoap),
                };
            }
            (0, _) => return Err(Malformed::NotSoap),
            (1, place) if name == "Body" && namespace == Some(self.soap) => {
                if place == Place::After {
                    return Err(Malformed::Duplicate(quoted(name)));
                }
                self.body = Place::Inside;
            }
            (2, Place::Inside) => {
                if self.envelope.operation.is_some() {
                    return Err(Malformed::Duplicate("the operation".to_owned()));
                }
                if namespace.is_some_and(|namespace| namespace != INTUIT) {
                    return Err(Malformed::Xml(format!("the namespace is not {INTUIT}")));
                }
                self.envelope.operation = Some(quoted(name));
            }
            (3, Place::Inside) => {
                let parameters = &self.envelope.parameters;
                if parameters.len() >= MAX_PARAMETERS {
                    return Err(Malformed::TooMany);
                }
                if parameters.iter().any(|it| it.0 == name) {
                    return Err(Malformed::Duplicate(quoted(name)));
                }
                self.current = Some((name.to_owned(), String::new()));
            }
            (_, Place::Inside) => return Err(Malformed::Nested(quoted(name))),
            _ => {}
        }
        self.depth += 1;
        Ok(())
    }

    fn end(&mut self) {
        self.depth -= 1;
        match (self.depth, self.body) {
            (3, Place::Inside) => self.envelope.parameters.extend(self.current.take()),
            (1, Place::Inside) => self.body = Place::After,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match &mut self.current {
            Some((_, value)) => value.push_str(text),
            None if self.depth == 0 && !text.trim().is_empty() => return Err(Malformed::NotSoap),
            None => {}
        }
        Ok(())
    }

    fn at_response(&self) -> bool {
        self.current.as_ref().is_some_and(|(name, _)| name == "response")
    }
}

fn count_attributes(start: &BytesStart<'_>) -> Result<(), Malformed> {
    for (index, attribute) in start.attributes().enumerate() {
        attribute.map_err(|error| Malformed::Xml(quoted(&error.to_string())))?;
        if index >= MAX_ATTRIBUTES {
            return Err(Malformed::TooMany);
        }
    }
    Ok(())
}

fn character(reference: &BytesRef<'_>) -> Result<String, Malformed> {
    if let Some(named) = quick_xml::escape::resolve_xml_entity(reference) {
        return Ok(named.to_owned());
    }
    unescape::numeric(reference)
        .map(String::from)
        .ok_or_else(|| Malformed::Entity(quoted(reference)))
}

fn trouble(error: &quick_xml::Error, source: &Source) -> Malformed {
    match error {
        quick_xml::Error::Io(_) if source.is_spent() => Malformed::TooLarge(source.budget()),
        quick_xml::Error::Io(_) => Malformed::Truncated,
        quick_xml::Error::Syntax(_) if source.has_ended() => Malformed::Truncated,
        quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference)
            if source.has_ended() =>
        {
            Malformed::Truncated
        }
        quick_xml::Error::Encoding(_) => Malformed::NotUtf8,
        other => Malformed::Xml(quoted(&other.to_string())),
    }
}

/// A name of the other side's choosing, short enough for a fault and a line in the log.
pub(crate) fn quoted(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests;
