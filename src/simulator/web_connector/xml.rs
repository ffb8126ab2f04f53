//! XML with namespaces as .NET reads it, for answers and for `.qwc` files.
//!
//! A tree of elements; comments and processing instructions are passed over, a document type is
//! refused, and so is what is nested too deep.

use quick_xml::NsReader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

/// The deepest element that is read.
const DEEPEST: usize = 64;

/// One element.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Element {
    /// The namespace; "" if there is none.
    pub(super) namespace: String,
    /// The name without its prefix.
    pub(super) name: String,
    /// All text right in it.
    pub(super) text: String,
    /// Whether it says `xsi:nil`.
    pub(super) is_nil: bool,
    /// The elements in it.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Whether it is called so.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The first child called so.
    pub(super) fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// `{namespace}name`.
    pub(super) fn called(&self) -> String {
        format!("{{{}}}{}", self.namespace, self.name)
    }
}

/// Reads a document.
///
/// # Errors
///
/// A sentence about what is wrong with it.
pub(super) fn read(text: &str) -> Result<Element, String> {
    let mut reader = NsReader::from_str(text);
    let (mut open, mut root) = (Vec::<Element>::new(), None);
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                let element = element(&namespace, &start)?;
                open.push(element);
                if open.len() > DEEPEST {
                    return Err(format!("an element stands more than {DEEPEST} deep"));
                }
            }
            Event::Empty(start) => {
                let element = element(&namespace, &start)?;
                place(element, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or("an end without a start")?;
                place(element, &mut open, &mut root)?;
            }
            Event::Text(text) => add(&text.xml10_content(), &mut open)?,
            Event::CData(text) => add(&text.xml10_content(), &mut open)?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                if let Some(character) = character {
                    add(character.encode_utf8(&mut [0; 4]), &mut open)?;
                } else {
                    let resolved = quick_xml::escape::resolve_xml_entity(&reference);
                    add(resolved.ok_or("an entity that XML does not have")?, &mut open)?;
                }
            }
            Event::DocType(_) => return Err("a document type is prohibited".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => {
                return root.ok_or_else(|| "the root element is missing".to_owned());
            }
            Event::Eof => return Err("it ends in the middle of an element".to_owned()),
        }
    }
}

/// Makes an element of its start tag.
fn element(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, String> {
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.0.to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => {
            return Err(format!("the prefix {prefix:?} is undeclared"));
        }
    };
    let mut is_nil = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        // Whatever the prefix: nothing else is called so.
        is_nil |= attribute.key.local_name().as_ref() == "nil"
            && attribute.key.prefix().is_some()
            && matches!(&*attribute.value, "true" | "1");
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { namespace, name, is_nil, ..Element::default() })
}

/// Puts a finished element where it belongs.
fn place(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err("there are two root elements".to_owned()),
    }
    Ok(())
}

/// Adds text to the element that is open.
fn add(text: &str, open: &mut [Element]) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("text stands outside of the root".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_and_texts_decoded() {
        let root = read(
            "<?xml version=\"1.0\"?><a:A xmlns:a=\"urn:a\"><!-- x --><B xmlns=\"urn:b\">1 &lt; \
             <![CDATA[2 & ]]>&#51;</B><C/></a:A>",
        )
        .unwrap();

        assert!(root.is("urn:a", "A"));
        assert_eq!(root.child("urn:b", "B").unwrap().text, "1 < 2 & 3");
        assert!(root.child("", "C").is_some() && root.child("urn:a", "C").is_none());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bad in ["", "x", "<A>", "<A/><B/>", "<A>&nbsp;</A>", "<!DOCTYPE A><A/>", "<b:A/>"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&format!("{}{}", "<A>".repeat(65), "</A>".repeat(65))).is_err());
        assert!(read(&format!("{}{}", "<A>".repeat(64), "</A>".repeat(64))).is_ok());
    }
}
