//! One request or one answer, cut out of a whole document as it stands there.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::Writer;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

use super::attributes;
use crate::qbxml::decode::Decoded;

/// Longest fragment that is cut out, in bytes.
const MAX_FRAGMENT: usize = 16 << 20;

/// The one `…Rq` or `…Rs` with this `requestID`, verbatim, out of a whole document. `None` if it is
/// not there or cannot be read.
pub fn fragment(input: impl BufRead, request_id: &str) -> Option<String> {
    let mut reader = Reader::from_reader(Decoded::new(input));
    let mut buffer = Vec::new();
    let mut depth = 0_usize;
    let mut cut: Option<Writer<Vec<u8>>> = None;
    loop {
        buffer.clear();
        reader.get_mut().renew();
        let event = reader.read_event_into(&mut buffer).ok()?;
        match &event {
            Event::Start(start) | Event::Empty(start)
                if depth == 2 && is_asked(start, request_id) =>
            {
                cut = Some(Writer::new(Vec::new()));
            }
            Event::Eof => return None,
            _ => {}
        }
        let closes = match &event {
            Event::Start(_) => {
                depth += 1;
                false
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                depth == 2
            }
            Event::Empty(_) => depth == 2,
            _ => false,
        };
        if let Some(writer) = &mut cut {
            writer.write_event(event).ok()?;
            if writer.get_ref().len() > MAX_FRAGMENT {
                return None;
            }
        }
        if closes && let Some(writer) = cut.take() {
            return String::from_utf8(writer.into_inner()).ok();
        }
    }
}

fn is_asked(start: &BytesStart<'_>, request_id: &str) -> bool {
    let mut asked = false;
    let read = attributes(start, |name, value| asked |= name == "requestID" && value == request_id);
    asked && read.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_the_answer_to_one_request() {
        let refused =
            r#"<InvoiceAddRs requestID="2" statusCode="3140" statusMessage="&quot;x&quot;." />"#;
        let made = "<CustomerAddRs requestID=\"1\"><CustomerRet><Name>A &amp; B</Name></CustomerRet></CustomerAddRs>";
        let whole = format!(
            "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs>{made}\n{refused}</QBXMLMsgsRs></QBXML>"
        );

        assert_eq!(fragment(whole.as_bytes(), "1").unwrap(), made);
        assert_eq!(fragment(whole.as_bytes(), "2").unwrap(), refused);
        assert_eq!(fragment(whole.as_bytes(), "9"), None);
    }
}
