//! The XML that QuickBooks takes and gives: a tree, read strictly, written as QuickBooks writes it.
//!
//! The reader refuses what the parser of QuickBooks refuses: a missing declaration, raw bytes above
//! ASCII, undefined entities, control characters, two roots. It knows nothing of qbXML.
//!
//! Source: consolibyte wiki, `quickbooks_qbxml_questions` (raw `é` fails, `&#233;` works; `&nbsp;`
//! fails); qbwc/qbwc#69 (a missing declaration fails).

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

/// The deepest element that is read; qbXML has some ten levels.
const DEEPEST: usize = 64;

/// One element with what is in it: children or text, never both in qbXML.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Node {
    /// The element's name.
    pub name: String,
    /// Its attributes, in order.
    pub attributes: Vec<(String, String)>,
    /// Its text, unescaped; empty for an aggregate.
    pub text: String,
    /// Its children, in order.
    pub children: Vec<Node>,
}

/// A document: its processing instructions and its root.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Whether `<?xml …?>` stands first.
    pub(crate) declared: bool,
    /// The content of `<?qbxml …?>`, such as `version="13.0"`.
    pub(crate) qbxml: Option<String>,
    /// The root element.
    pub(crate) root: Node,
}

impl Node {
    /// An element without content.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// An element with text.
    pub fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into(), ..Self::default() }
    }

    /// An element with children.
    pub fn of(name: &str, children: Vec<Node>) -> Self {
        Self { name: name.to_owned(), children, ..Self::default() }
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of that name, to change it.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.children.iter_mut().find(|child| child.name == name)
    }

    /// All children of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, or "".
    pub fn get(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }

    /// The text at a path such as `CustomerRef/FullName`, or "".
    pub fn at(&self, path: &str) -> &str {
        let mut node = self;
        for name in path.split('/') {
            match node.child(name) {
                Some(child) => node = child,
                None => return "",
            }
        }
        &node.text
    }

    /// Whether a boolean child says yes.
    pub fn is(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1")
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Sets the text of a child; it is added at the end if it is not there.
    pub fn set(&mut self, name: &str, text: impl Into<String>) {
        match self.child_mut(name) {
            Some(child) => {
                child.children.clear();
                child.text = text.into();
            }
            None => self.children.push(Self::leaf(name, text)),
        }
    }

    /// Puts a child in the place of those of the same name.
    pub fn put(&mut self, child: Node) {
        match self.child_mut(&child.name) {
            Some(old) => *old = child,
            None => self.children.push(child),
        }
    }

    /// Takes all children of that name away.
    pub fn remove(&mut self, name: &str) {
        self.children.retain(|child| child.name != name);
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.children.is_empty()
    }

    /// Calls `visit` on this element and on all in it, outer first.
    pub fn walk(&self, visit: &mut impl FnMut(&Node)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }

    /// Writes the element as QuickBooks does: a line an element, characters above ASCII as numbers.
    pub fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, out);
            out.push('"');
        }
        if self.is_empty() && !self.attributes.is_empty() {
            out.push_str(" />\n");
            return;
        }
        out.push('>');
        if self.children.is_empty() {
            escape(&self.text, out);
        } else {
            out.push('\n');
            for child in &self.children {
                child.write(out);
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push_str(">\n");
    }

    /// The element written, see [`Node::write`].
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// Escapes a text; what is not ASCII becomes a decimal reference.
pub(crate) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            ' '..='~' | '\t' | '\n' => out.push(character),
            other => {
                out.push_str("&#");
                out.push_str(&u32::from(other).to_string());
                out.push(';');
            }
        }
    }
}

/// Reads one element that we wrote ourselves, such as a stored one.
pub(crate) fn read_node(text: &str) -> Result<Node, String> {
    Ok(read(text)?.root)
}

/// Reads a document, strictly.
///
/// # Errors
///
/// A sentence for the log of the SDK; the caller only hears that the text could not be parsed.
pub(crate) fn read(text: &str) -> Result<Document, String> {
    if let Some(at) = text.bytes().position(|byte| byte >= 0x80) {
        return Err(format!("a raw byte above ASCII at offset {at}"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    // Nothing stands before the declaration, not a blank, and there is one at most.
    let declared = text.starts_with("<?xml ");
    let (mut qbxml, mut root) = (None, None);
    let mut open: Vec<Node> = Vec::new();
    let mut first = true;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Decl(_) if declared && first => {}
            Event::Decl(_) => return Err("a declaration that does not stand first".to_owned()),
            Event::PI(instruction) => {
                if instruction.target() == "qbxml" && open.is_empty() && root.is_none() {
                    qbxml = Some(instruction.content().trim().to_owned());
                }
            }
            Event::Start(start) => {
                open.push(element(&start)?);
                if open.len() > DEEPEST {
                    return Err(format!("an element stands more than {DEEPEST} deep"));
                }
            }
            Event::Empty(start) => close(element(&start)?, &mut open, &mut root)?,
            Event::End(_) => {
                let node = open.pop().ok_or("an end without a start")?;
                close(node, &mut open, &mut root)?;
            }
            Event::Text(text) => push_text(&text, &mut open)?,
            Event::CData(data) => push_text(&data, &mut open)?,
            Event::GeneralRef(reference) => {
                let name = format!("&{};", &*reference);
                let value =
                    quick_xml::escape::unescape(&name).map_err(|error| error.to_string())?;
                push_text(&value, &mut open)?;
            }
            Event::Comment(_) => {}
            Event::DocType(_) => return Err("a document type".to_owned()),
            Event::Eof => break,
        }
        first = false;
    }
    if !open.is_empty() {
        return Err("the document ends in the middle of an element".to_owned());
    }
    let root = root.ok_or("the document is empty")?;
    Ok(Document { declared, qbxml, root })
}

/// Makes an element of its start tag.
fn element(start: &BytesStart<'_>) -> Result<Node, String> {
    let mut node = Node::new(start.name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|error| error.to_string())?;
        node.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(node)
}

/// Puts a finished element where it belongs.
fn close(mut node: Node, open: &mut [Node], root: &mut Option<Node>) -> Result<(), String> {
    if !node.children.is_empty() {
        if !node.text.trim().is_empty() {
            return Err(format!("text between the elements of {}", node.name));
        }
        node.text.clear();
    }
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None if root.is_none() => *root = Some(node),
        None => return Err("two root elements".to_owned()),
    }
    Ok(())
}

/// Adds text to the element that is open.
fn push_text(text: &str, open: &mut [Node]) -> Result<(), String> {
    if let Some(bad) = text.chars().find(|&c| c < ' ' && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(format!("the control character {:#x}", u32::from(bad)));
    }
    match open.last_mut() {
        Some(node) => node.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("text outside of the root".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_and_written() {
        let text = "<A b=\"1\">\n<C>x &amp; y&#233;</C>\n<D></D>\n</A>\n";

        let node = read_node(text).unwrap();

        assert_eq!(node.get("C"), "x & yé");
        assert_eq!(node.to_text(), text);
    }

    #[test]
    fn what_the_parser_of_quickbooks_refuses_is_refused() {
        for bad in
            ["", "<A>é</A>", "<A>&nbsp;</A>", "<A>a & b</A>", "<A></B>", "<A/><B/>", "<A>&#2;</A>"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        let nested = |depth: usize| format!("{}{}", "<A>".repeat(depth), "</A>".repeat(depth));
        assert!(read(&nested(64)).is_ok() && read(&nested(65)).is_err());
    }

    #[test]
    fn the_declaration_stands_first_or_it_is_none() {
        let declaration = "<?xml version=\"1.0\"?>";
        for (text, is_declared) in [
            (format!("{declaration}<A/>"), Some(true)),
            ("<A/>".to_owned(), Some(false)),
            (format!(" {declaration}<A/>"), None),
            (format!("<!-- -->{declaration}<A/>"), None),
            (format!("{declaration}{declaration}<A/>"), None),
        ] {
            assert_eq!(read(&text).ok().map(|read| read.declared), is_declared, "{text}");
        }
        let late = read(&format!("{declaration}<A/><?qbxml version=\"13.0\"?>")).unwrap();
        assert_eq!(late.qbxml, None);
    }
}
