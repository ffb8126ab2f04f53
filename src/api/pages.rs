//! The pages of an iterated query as one answer.

use std::io;
use std::io::BufRead;
use std::io::Read as _;

use actix_web::web::Bytes;

use crate::api::response::Answers;

/// Pieces of an answer.
pub(super) type Pieces = Box<dyn Iterator<Item = io::Result<Bytes>> + Send>;

/// A page, from its beginning.
type Page = Box<dyn BufRead + Send>;

/// The members of one JSON array: the answers of all pages.
pub(super) fn json(pages: Vec<Page>) -> impl Iterator<Item = io::Result<Bytes>> + Send {
    let pages = pages.into_iter().enumerate();
    pages.flat_map(
        |(number, page)| {
            if number == 0 { Answers::of(page) } else { Answers::after_others(page) }
        },
    )
}

/// QuickBooks' own document, verbatim; of several pages one document that holds their answers.
pub(super) fn xml(mut pages: Vec<Page>) -> Pieces {
    if pages.len() == 1
        && let Some(page) = pages.pop()
    {
        return Box::new(crate::api::stream::pieces(page));
    }
    let head = Bytes::from_static(b"<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs>");
    let tail = Bytes::from_static(b"</QBXMLMsgsRs></QBXML>");
    let inner = pages.into_iter().map(|page| inner(page).map(Bytes::from));
    Box::new(std::iter::once(Ok(head)).chain(inner).chain(std::iter::once(Ok(tail))))
}

/// What stands in the message set of a page. Pages are as short as the query asked for.
fn inner(mut page: Page) -> io::Result<String> {
    let mut text = String::new();
    page.read_to_string(&mut text)?;
    let inner = text.split_once("<QBXMLMsgsRs").and_then(|(_, rest)| rest.split_once('>'));
    let inner = inner.and_then(|(_, rest)| rest.rsplit_once("</QBXMLMsgsRs>"));
    let (inner, _) = inner.ok_or_else(|| io::Error::other("a page is no response"))?;
    Ok(inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Vec<Page> {
        let page = |name: &str| -> Page {
            let text = format!(
                "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs x=\"1\"><ARs n=\"{name}\"><B>{name}</B></ARs></QBXMLMsgsRs></QBXML>"
            );
            Box::new(io::Cursor::new(text))
        };
        vec![page("1"), page("2")]
    }

    fn whole(pieces: impl Iterator<Item = io::Result<Bytes>>) -> String {
        let bytes: Vec<u8> = pieces.flat_map(|piece| piece.unwrap().to_vec()).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn pages_are_one_list_and_one_document() {
        assert_eq!(
            whole(json(pages())),
            r#"{"type":"ARs","n":"1","data":[{"B":"1"}]},{"type":"ARs","n":"2","data":[{"B":"2"}]}"#
        );
        assert_eq!(
            whole(xml(pages())),
            "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs><ARs n=\"1\"><B>1</B></ARs><ARs n=\"2\">\
             <B>2</B></ARs></QBXMLMsgsRs></QBXML>"
        );
        assert!(whole(xml(pages().split_off(1))).contains("QBXMLMsgsRs x=\"1\""));
    }
}
