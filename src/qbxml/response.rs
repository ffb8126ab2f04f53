//! A response of QuickBooks, read as a stream: one answer, one object at a time.
//!
//! Unknown elements are passed over, because newer hosts send more. Nothing here knows what was
//! asked. Memory does not grow with the response: of an object only the few facts that settling
//! needs are kept, and every text is bounded.
//!
//! Source: OSR, "QBXMLMsgsRs"; captured responses, whose prolog names no encoding and whose bytes
//! are UTF-8 or, from older hosts, windows-1252.

mod fragment;
mod ret;

use std::io::BufRead;
use std::ops::ControlFlow;

use quick_xml::Reader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

pub use self::fragment::fragment;
use self::ret::LINKS;
pub use self::ret::Linked;
pub use self::ret::Ret;
use crate::domain::outcome::Said;
use crate::qbxml::decode::Decoded;

/// Deeper documents are no responses: the deepest type of the schema has nine levels.
const MAX_DEPTH: usize = 64;
/// Longest text that is kept of one element, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// Longest attribute that is kept, in characters: the messages of QuickBooks have some hundred.
const MAX_ATTRIBUTE: usize = 8_000;
/// References to whom a transaction is with.
const ENTITIES: &[&str] = &["CustomerRef", "VendorRef", "PayeeEntityRef", "EntityRef"];
/// Lines of one object whose ids are kept.
const MAX_LINES: usize = 100_000;
/// Links of one object that are kept.
const MAX_LINKED: usize = 100;

/// Why a response cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ResponseError {
    /// It is no XML, or ends in the middle.
    #[error("at byte {at}: {why}")]
    Xml {
        /// Where.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// It is XML, but no response of QuickBooks.
    #[error("there is no QBXMLMsgsRs in it")]
    NoResponse,
}

/// What the message set as a whole was told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MessageSetHead {
    /// `newMessageSetID`, echoed.
    pub new_message_set_id: Option<String>,
    /// `messageSetStatusCode`; only there if the message set carried an id.
    pub status_code: Option<i32>,
}

/// The beginning of the answer to one request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AnswerHead {
    /// Such as `CustomerAddRs`.
    pub name: String,
    /// `requestID`, echoed.
    pub request_id: Option<String>,
    /// Status code, severity and text.
    pub status: Said,
    /// `iteratorID`, if the query has more pages.
    pub iterator_id: Option<String>,
    /// `iteratorRemainingCount`.
    pub iterator_remaining: Option<u64>,
}

/// One part of a response, in the order of the document.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// First.
    Head(MessageSetHead),
    /// The next answer begins.
    Answer(AnswerHead),
    /// An object of the answer that began last.
    Ret(Box<Ret>),
    /// The message set ends.
    End,
}

/// Reads a response to its end, or until `each` breaks.
///
/// # Errors
///
/// [`ResponseError`] if it cannot be read to its end; what came before was given to `each`.
pub fn read(
    input: impl BufRead,
    each: &mut dyn FnMut(Part) -> ControlFlow<()>,
) -> Result<(), ResponseError> {
    let mut reader = Reader::from_reader(Decoded::new(input));
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().renew();
        let at = reader.buffer_position();
        let wrong = |why: String| ResponseError::Xml { at, why };
        let event =
            reader.read_event_into(&mut buffer).map_err(|error| wrong(error.to_string()))?;
        let part = match event {
            Event::Start(start) => walk.start(&start).map_err(wrong)?,
            Event::End(_) => walk.end(),
            Event::Text(text) => walk.text(&text.xml10_content()),
            Event::CData(text) => walk.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let text = character(&reference).map_err(wrong)?;
                walk.text(&text)
            }
            Event::DocType(_) => return Err(wrong("a document type is not accepted".to_owned())),
            Event::Eof if walk.whole => return Ok(()),
            Event::Eof if walk.path.is_empty() => return Err(ResponseError::NoResponse),
            Event::Eof => return Err(wrong("it ends in the middle".to_owned())),
            _ => None,
        };
        if let Some(part) = part
            && each(part).is_break()
        {
            return Ok(());
        }
    }
}

/// What an entity stands for: one of XML's five, or a character by number.
pub(crate) fn character(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let known = quick_xml::escape::resolve_xml_entity(reference);
    known.map(str::to_owned).ok_or_else(|| "an entity that XML does not have".to_owned())
}

/// Where the reader stands.
#[derive(Default)]
struct Walk {
    /// Names of the open elements.
    path: Vec<String>,
    text: String,
    ret: Option<Ret>,
    whole: bool,
}

impl Walk {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<Option<Part>, String> {
        if self.path.len() >= MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH}"));
        }
        let name = start.local_name().as_ref().to_owned();
        self.text.clear();
        if let Some(ret) = &mut self.ret
            && self.path.len() == 4
            && LINKS.contains(&name.as_str())
            && ret.linked.len() < MAX_LINKED
        {
            ret.linked.push(Linked::default());
        }
        let part = match self.path.len() {
            1 if self.path[0] == "QBXML" && name == "QBXMLMsgsRs" => Some(Part::Head(head(start)?)),
            2 if self.path[1] == "QBXMLMsgsRs" => Some(Part::Answer(answer(&name, start)?)),
            3 if name.ends_with("Ret") && self.path[1] == "QBXMLMsgsRs" => {
                self.ret = Some(Ret { name: name.clone(), ..Ret::default() });
                None
            }
            _ => None,
        };
        self.path.push(name);
        Ok(part)
    }

    fn text(&mut self, text: &str) -> Option<Part> {
        if self.ret.is_some() && self.text.len() + text.len() <= MAX_TEXT {
            self.text.push_str(text);
        }
        None
    }

    fn end(&mut self) -> Option<Part> {
        let name = self.path.pop().unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        match (self.path.len(), &mut self.ret) {
            (5, Some(ret)) if name == "TxnLineID" && ret.line_ids.len() < MAX_LINES => {
                ret.line_ids.push(text);
                None
            }
            (4, Some(ret)) => {
                ret.take(&name, text);
                None
            }
            (5, Some(ret)) if name == "ListID" && ENTITIES.contains(&self.path[4].as_str()) => {
                ret.entity.get_or_insert(text);
                None
            }
            (5, Some(ret)) if name == "FullName" && ENTITIES.contains(&self.path[4].as_str()) => {
                ret.entity_name.get_or_insert(text);
                None
            }
            (5, Some(ret)) => {
                ret.take_inner(&self.path[4], &name, text);
                None
            }
            (3, Some(_)) => self.ret.take().map(|ret| Part::Ret(Box::new(ret))),
            (1, _) if name == "QBXMLMsgsRs" => {
                self.whole = true;
                Some(Part::End)
            }
            _ => None,
        }
    }
}

fn attributes(start: &BytesStart<'_>, mut each: impl FnMut(&str, String)) -> Result<(), String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        each(attribute.key.0, value.chars().take(MAX_ATTRIBUTE).collect());
    }
    Ok(())
}

fn head(start: &BytesStart<'_>) -> Result<MessageSetHead, String> {
    let mut head = MessageSetHead::default();
    attributes(start, |name, value| match name {
        "newMessageSetID" => head.new_message_set_id = Some(value),
        "messageSetStatusCode" => head.status_code = value.trim().parse().ok(),
        _ => {}
    })?;
    Ok(head)
}

fn answer(name: &str, start: &BytesStart<'_>) -> Result<AnswerHead, String> {
    let mut answer = AnswerHead { name: name.to_owned(), ..AnswerHead::default() };
    attributes(start, |name, value| match name {
        "requestID" => answer.request_id = Some(value),
        "statusCode" => answer.status.status_code = value.trim().parse().ok(),
        "statusSeverity" => answer.status.severity = Some(value),
        "statusMessage" => answer.status.message = value,
        "iteratorID" => answer.iterator_id = Some(value),
        "iteratorRemainingCount" => answer.iterator_remaining = value.trim().parse().ok(),
        _ => {}
    })?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = r#"<?xml version="1.0" ?><QBXML><QBXMLMsgsRs newMessageSetID="abc" messageSetStatusCode="0">
<CustomerAddRs requestID="1" statusCode="0" statusSeverity="Info" statusMessage="Status OK"><CustomerRet><ListID>80000001-1</ListID><EditSequence>12</EditSequence><Name>A &amp; B</Name><FullName>P:A &amp; B</FullName><IsActive>true</IsActive><ParentRef><ListID>80000000-9</ListID></ParentRef></CustomerRet></CustomerAddRs>
<InvoiceAddRs requestID="2" statusCode="3140" statusSeverity="Error" statusMessage="There is &quot;x&quot;." />
<InvoiceModRs requestID="3" statusCode="0" statusSeverity="Info"><InvoiceRet><TxnID>1-2</TxnID><RefNumber>7</RefNumber><InvoiceLineRet><TxnLineID>L1</TxnLineID></InvoiceLineRet><InvoiceLineGroupRet><TxnLineID>G</TxnLineID><InvoiceLineRet><TxnLineID>L2</TxnLineID></InvoiceLineRet></InvoiceLineGroupRet></InvoiceRet></InvoiceModRs></QBXMLMsgsRs></QBXML>"#;

    fn parts(text: &[u8]) -> Result<Vec<Part>, ResponseError> {
        let mut parts = Vec::new();
        read(text, &mut |part| {
            parts.push(part);
            ControlFlow::Continue(())
        })?;
        Ok(parts)
    }

    #[test]
    fn a_response_is_read_part_by_part() {
        let parts = parts(RESPONSE.as_bytes()).unwrap();

        let Part::Head(head) = &parts[0] else { panic!("{parts:?}") };
        assert_eq!(head.new_message_set_id.as_deref(), Some("abc"));
        assert_eq!(head.status_code, Some(0));
        let Part::Ret(customer) = &parts[2] else { panic!("{parts:?}") };
        assert_eq!(customer.list_id.as_deref(), Some("80000001-1"));
        assert_eq!(customer.full_name.as_deref(), Some("P:A & B"));
        assert_eq!(customer.is_active, Some(true));
        let Part::Answer(refused) = &parts[3] else { panic!("{parts:?}") };
        assert_eq!(refused.status.status_code, Some(3140));
        assert_eq!(refused.status.message, "There is \"x\".");
        let Part::Ret(invoice) = &parts[5] else { panic!("{parts:?}") };
        assert_eq!(invoice.line_ids, ["L1", "G"]);
        assert_eq!(parts.len(), 7);
    }

    #[test]
    fn no_text_or_tag_is_held_however_long_it_is() {
        let long = "x".repeat(3 << 20);
        for hostile in [
            format!(
                "<QBXML><QBXMLMsgsRs><ARs><ARet><Name>{long}</Name></ARet></ARs></QBXMLMsgsRs></QBXML>"
            ),
            format!("<QBXML><QBXMLMsgsRs><ARs statusMessage=\"{long}\"/></QBXMLMsgsRs></QBXML>"),
            format!("<QBXML><!-- {long} --><QBXMLMsgsRs/></QBXML>"),
            long.clone(),
        ] {
            let error = parts(hostile.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("longer than"), "{error}");
        }
        let message = "y".repeat(100_000);
        let text =
            format!("<QBXML><QBXMLMsgsRs><ARs statusMessage=\"{message}\"/></QBXMLMsgsRs></QBXML>");
        let Part::Answer(answer) = &parts(text.as_bytes()).unwrap()[1] else { panic!() };
        assert_eq!(answer.status.message.len(), MAX_ATTRIBUTE);
    }

    #[test]
    fn a_response_cut_off_anywhere_is_an_error() {
        let whole = RESPONSE.find("</QBXMLMsgsRs>").unwrap() + "</QBXMLMsgsRs>".len();
        for end in 0..whole {
            assert!(parts(&RESPONSE.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn windows_1252_is_read_as_what_it_means() {
        let bytes = b"<QBXML><QBXMLMsgsRs><CustomerAddRs statusCode=\"0\"><CustomerRet><Name>Caf\xe9 \x80</Name></CustomerRet></CustomerAddRs></QBXMLMsgsRs></QBXML>";

        let parts = parts(bytes).unwrap();

        let Part::Ret(ret) = &parts[2] else { panic!("{parts:?}") };
        assert_eq!(ret.full_name.as_deref(), Some("Café €"));
    }
}
