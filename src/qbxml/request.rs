//! A message set written out: the same content gives the same bytes.

use crate::domain::request::OnError;
use crate::qbxml::text;
use crate::qbxml::version::Version;

/// Writes one `QBXMLMsgsRq`. `requests` are whole `…Rq` elements, ASCII, as [`crate::qbxml::build`]
/// writes them. Independent requests go on when one fails; ids are those of the error recovery.
///
/// Source: OSR, "QBXMLMsgsRq"; both processing instructions are needed (qbwc/qbwc#69).
pub fn message_set<'a>(
    version: Version,
    new_message_set_id: Option<&str>,
    old_message_set_id: Option<&str>,
    on_error: OnError,
    requests: impl Iterator<Item = &'a str>,
) -> String {
    let mut document = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><?qbxml version=\"{version}\"?><QBXML>\
         <QBXMLMsgsRq onError=\"{}\"",
        on_error.as_str()
    );
    let ids = [("newMessageSetID", new_message_set_id), ("oldMessageSetID", old_message_set_id)];
    for (name, id) in ids {
        if let Some(id) = id {
            document.push(' ');
            document.push_str(name);
            document.push_str("=\"");
            text::escape(id, &mut document);
            document.push('"');
        }
    }
    document.push('>');
    for request in requests {
        document.push_str(request);
    }
    document.push_str("</QBXMLMsgsRq></QBXML>");
    document
}

/// The requests in a document that we wrote: name without `Rq`, and `requestID` as it stands there.
pub fn asked(document: &str) -> Vec<(&str, &str)> {
    const ID: &str = "Rq requestID=\"";
    let heads = document.match_indices(ID).filter_map(|(at, _)| {
        let name = document[..at].rsplit('<').next()?;
        Some((name, document[at + ID.len()..].split('"').next()?))
    });
    heads.collect()
}

/// The qbXML version that a document declares.
pub fn declared(document: &str) -> Option<Version> {
    let rest = document.split_once("<?qbxml version=\"")?.1;
    Version::parse(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_a_document_are_read_back() {
        let document = "<QBXMLMsgsRq onError=\"stopOnError\"><InvoiceAddRq requestID=\"x-1\">\
            <Memo>Rq requestID=&quot;9&quot;</Memo></InvoiceAddRq><HostQueryRq requestID=\"x-2\"/>";

        assert_eq!(asked(document), [("InvoiceAdd", "x-1"), ("HostQuery", "x-2")]);
    }

    #[test]
    fn a_message_set_is_one_line_of_ascii() {
        let version = Version::parse("13.0").unwrap();

        let document = message_set(
            version,
            Some("x1"),
            None,
            OnError::default(),
            ["<ARq/>", "<BRq/>"].into_iter(),
        );

        assert_eq!(
            document,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><?qbxml version=\"13.0\"?><QBXML>\
             <QBXMLMsgsRq onError=\"continueOnError\" newMessageSetID=\"x1\"><ARq/><BRq/>\
             </QBXMLMsgsRq></QBXML>"
        );
        assert_eq!(declared(&document), Some(version));
    }
}
