//! The grammar of qbXML, as productions over element names.
//!
//! QuickBooks reads a document with a validating parser first: what does not follow the grammar is
//! refused whole. So does [`Grammar::accepts`]. The values are looked at later, request by request
//! (`values`), because QuickBooks answers those one by one.
//!
//! The two texts beside this file state the grammar; their heads explain the notation.

mod facets;
mod needed;
mod notation;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::LazyLock;

use super::xml::Node;
use notation::sequence;
use notation::version;

/// What may be asked.
pub(crate) static REQUESTS: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::parse(include_str!("grammar/requests.txt")));

/// What is answered.
pub(crate) static ANSWERS: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::parse(include_str!("grammar/answers.txt")));

/// A version of qbXML, such as 13.0.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Version(pub(crate) u16, pub(crate) u16);

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        Ok(Self(major.parse().map_err(|_| ())?, minor.parse().map_err(|_| ())?))
    }
}

/// The productions and the enumerations.
#[derive(Debug, Default)]
pub(crate) struct Grammar {
    productions: HashMap<&'static str, Production>,
    enumerations: HashMap<&'static str, Vec<&'static str>>,
    /// Element name → production, of everything that a message holds directly.
    heads: HashMap<&'static str, &'static str>,
}

/// What an aggregate holds.
#[derive(Debug)]
pub(crate) struct Production {
    since: Version,
    content: Vec<Particle>,
}

/// A part of a production.
#[derive(Debug)]
enum Particle {
    Element(Element),
    Choice { alternatives: Vec<Vec<Particle>>, optional: bool, repeated: bool },
}

/// One element of a production.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the four marks of the notation")]
pub(crate) struct Element {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    optional: bool,
    repeated: bool,
    since: Version,
    takes_macro: bool,
    gives_macro: bool,
}

/// What stands in an element.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Aggregate(&'static str),
    Amount,
    Boolean,
    Date,
    DateTime,
    Empty,
    Enumeration(&'static str),
    Float,
    Guid,
    Id,
    Integer,
    Interval,
    Percent,
    Price,
    Quantity,
    Text(Option<usize>),
}

impl Grammar {
    /// Reads the productions; the texts are part of the program, so a bad line is a bug.
    fn parse(text: &'static str) -> Self {
        let mut grammar = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (head, content) = line.split_once('=').expect("a production has an equals sign");
            let mut words = head.split_whitespace();
            let name = words.next().expect("a production has a name");
            if name == "enum" {
                let name = words.next().expect("an enumeration has a name");
                grammar.enumerations.insert(name, content.split_whitespace().collect());
                continue;
            }
            let since = words.next().map_or(Version::default(), |word| version(&word[1..]));
            let mut tokens = content.split_whitespace().peekable();
            let content = sequence(&mut tokens);
            if name.ends_with("Rs") || name.ends_with("Rq") {
                elements(&content, &mut |element| {
                    if let Form::Aggregate(production) = element.form {
                        grammar.heads.insert(element.name, production);
                    }
                });
            }
            grammar.productions.insert(name, Production { since, content });
        }
        grammar
    }

    /// The production of that name.
    pub(crate) fn production(&self, name: &str) -> Option<&Production> {
        self.productions.get(name)
    }

    /// The production of an object's element, such as `CustomerRet` or `InvoiceAdd`.
    pub(crate) fn head(&self, element: &str) -> Option<&Production> {
        self.production(self.heads.get(element)?)
    }

    /// Holds a message against its production.
    ///
    /// # Errors
    ///
    /// A sentence with the path, for the log of the SDK.
    pub(crate) fn accepts(&self, message: &Node, version: Version) -> Result<(), String> {
        let production = self
            .production(&message.name)
            .filter(|production| production.since <= version)
            .ok_or_else(|| format!("{} is no message of this version", message.name))?;
        self.aggregate(message, production, version, &message.name)
    }

    fn aggregate(
        &self,
        node: &Node,
        production: &Production,
        version: Version,
        path: &str,
    ) -> Result<(), String> {
        if node.children.is_empty() && !node.text.trim().is_empty() {
            return Err(format!("{path} holds text"));
        }
        let mut at = 0;
        self.follow(&production.content, &node.children, &mut at, version, path)?;
        match node.children.get(at) {
            None => Ok(()),
            Some(extra) => Err(format!("{path}/{} is unknown or out of order", extra.name)),
        }
    }

    fn follow(
        &self,
        content: &[Particle],
        nodes: &[Node],
        at: &mut usize,
        version: Version,
        path: &str,
    ) -> Result<(), String> {
        for particle in content {
            match particle {
                Particle::Element(element) => {
                    self.follow_element(element, nodes, at, version, path)?;
                }
                Particle::Choice { alternatives, optional, repeated } => {
                    let mut taken = 0;
                    while taken == 0 || *repeated {
                        let Some(node) = nodes.get(*at) else { break };
                        let starts = |part: &&Vec<Particle>| can_start(part, &node.name, version);
                        let Some(alternative) = alternatives.iter().find(starts) else { break };
                        self.follow(alternative, nodes, at, version, path)?;
                        taken += 1;
                    }
                    let empty =
                        || alternatives.iter().any(|part| part.iter().all(Particle::may_miss));
                    if taken == 0 && !optional && !empty() {
                        return Err(format!("{path}: none of the alternatives is there"));
                    }
                }
            }
        }
        Ok(())
    }

    fn follow_element(
        &self,
        element: &Element,
        nodes: &[Node],
        at: &mut usize,
        version: Version,
        path: &str,
    ) -> Result<(), String> {
        let mut taken = 0;
        while let Some(node) = nodes.get(*at) {
            let known = node.name == element.name && element.since <= version;
            if !known || (taken == 1 && !element.repeated) {
                break;
            }
            self.element(element, node, version, &format!("{path}/{}", node.name))?;
            taken += 1;
            *at += 1;
        }
        if taken == 0 && !element.optional && element.since <= version {
            return Err(format!("{path}/{} is missing", element.name));
        }
        Ok(())
    }

    fn element(
        &self,
        element: &Element,
        node: &Node,
        version: Version,
        path: &str,
    ) -> Result<(), String> {
        for (attribute, _) in &node.attributes {
            let known = match attribute.as_str() {
                "defMacro" => element.gives_macro,
                "useMacro" => element.takes_macro,
                _ => false,
            };
            if !known {
                return Err(format!("{path} has the attribute {attribute}"));
            }
        }
        match element.form {
            Form::Aggregate(name) => match self.production(name) {
                Some(production) => self.aggregate(node, production, version, path),
                None => Err(format!("{path} has no production")),
            },
            _ if !node.children.is_empty() => Err(format!("{path} holds elements")),
            Form::Enumeration(name) => {
                let value = node.text.trim();
                let values = self.enumerations.get(name).map_or(&[][..], Vec::as_slice);
                if value.is_empty() || values.contains(&value) {
                    Ok(())
                } else {
                    Err(format!("{path} has no value {value:?}"))
                }
            }
            Form::Integer if !facets::takes(element.name, &node.text) => {
                Err(format!("{path} is out of its range"))
            }
            _ => Ok(()),
        }
    }

    /// Calls `visit` on each leaf of a message with its form.
    pub(crate) fn leaves<'n>(&self, message: &'n Node, visit: &mut impl FnMut(&'n Node, Form)) {
        if let Some(production) = self.production(&message.name) {
            self.visit(message, production, visit);
        }
    }

    fn visit<'n>(
        &self,
        node: &'n Node,
        production: &Production,
        visit: &mut impl FnMut(&'n Node, Form),
    ) {
        for child in &node.children {
            match production.find(&child.name).map(|element| element.form) {
                Some(Form::Aggregate(name)) => {
                    if let Some(production) = self.production(name) {
                        self.visit(child, production, visit);
                    }
                }
                Some(form) => visit(child, form),
                None => {}
            }
        }
    }

    /// Puts the children of an aggregate in order and drops what it does not hold in this version.
    pub(crate) fn arrange(&self, node: &mut Node, production: &Production, version: Version) {
        let mut placed: Vec<(usize, Node)> = Vec::with_capacity(node.children.len());
        for mut child in std::mem::take(&mut node.children) {
            let Some((place, element)) = production.place(&child.name) else { continue };
            if element.since > version {
                continue;
            }
            if let Form::Aggregate(name) = element.form
                && let Some(production) = self.production(name)
            {
                self.arrange(&mut child, production, version);
            }
            placed.push((place, child));
        }
        placed.sort_by_key(|(place, _)| *place);
        node.children = placed.into_iter().map(|(_, child)| child).collect();
    }
}

/// What a required element says when nothing is known.
fn blank(form: Form) -> Option<&'static str> {
    match form {
        Form::Amount => Some("0.00"),
        Form::Boolean => Some("false"),
        Form::Integer | Form::Quantity => Some("0"),
        Form::Text(_) => Some(""),
        _ => None,
    }
}

impl Grammar {
    /// Adds the required leaves that an aggregate lacks, with blank values.
    pub(crate) fn complete(&self, node: &mut Node, production: &Production, version: Version) {
        for child in &mut node.children {
            if let Some(Form::Aggregate(name)) =
                production.find(&child.name).map(|found| found.form)
                && let Some(production) = self.production(name)
            {
                self.complete(child, production, version);
            }
        }
        for particle in &production.content {
            if let Particle::Element(element) = particle
                && !element.optional
                && element.since <= version
                && node.child(element.name).is_none()
                && let Some(value) = blank(element.form)
            {
                node.children.push(Node::leaf(element.name, value));
            }
        }
    }
}

impl Production {
    /// The element of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        self.place(name).map(|(_, element)| element)
    }

    /// The place of an element; those of one repeated choice share theirs.
    fn place(&self, name: &str) -> Option<(usize, &Element)> {
        let mut place = 0;
        locate(&self.content, name, false, &mut place)
    }
}

impl Particle {
    fn may_miss(&self) -> bool {
        match self {
            Self::Element(element) => element.optional,
            Self::Choice { optional, alternatives, .. } => {
                *optional || alternatives.iter().any(|part| part.iter().all(Self::may_miss))
            }
        }
    }
}

/// Finds an element and its place; inside a repeated choice the place does not move on.
fn locate<'p>(
    content: &'p [Particle],
    name: &str,
    still: bool,
    place: &mut usize,
) -> Option<(usize, &'p Element)> {
    for particle in content {
        match particle {
            Particle::Element(element) => {
                if element.name == name {
                    return Some((*place, element));
                }
                *place += usize::from(!still);
            }
            Particle::Choice { alternatives, repeated, .. } => {
                for alternative in alternatives {
                    if let found @ Some(_) = locate(alternative, name, still || *repeated, place) {
                        return found;
                    }
                }
                *place += 1;
            }
        }
    }
    None
}

fn elements<'p>(content: &'p [Particle], visit: &mut impl FnMut(&'p Element)) {
    for particle in content {
        match particle {
            Particle::Element(element) => visit(element),
            Particle::Choice { alternatives, .. } => {
                for alternative in alternatives {
                    elements(alternative, visit);
                }
            }
        }
    }
}

/// Whether a sequence can begin with that element.
fn can_start(content: &[Particle], name: &str, version: Version) -> bool {
    for particle in content {
        let starts = match particle {
            Particle::Element(element) => element.name == name && element.since <= version,
            Particle::Choice { alternatives, .. } => {
                alternatives.iter().any(|part| can_start(part, name, version))
            }
        };
        if starts {
            return true;
        }
        if !particle.may_miss() {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::quickbooks::xml::read_node;

    fn check(message: &str) -> Result<(), String> {
        REQUESTS.accepts(&read_node(message).unwrap(), Version(13, 0))
    }

    #[test]
    fn every_production_that_is_named_is_there() {
        for grammar in [&*REQUESTS, &*ANSWERS] {
            for production in grammar.productions.values() {
                elements(&production.content, &mut |element| match element.form {
                    Form::Aggregate(name) => {
                        assert!(grammar.productions.contains_key(name), "{name}");
                    }
                    Form::Enumeration(name) => {
                        assert!(grammar.enumerations.contains_key(name), "{name}");
                    }
                    _ => {}
                });
            }
        }
    }

    #[test]
    fn order_is_held() {
        let good = "<CustomerAddRq><CustomerAdd><Name>A</Name><CompanyName>B</CompanyName>\
                    </CustomerAdd></CustomerAddRq>";
        let bad = "<CustomerAddRq><CustomerAdd><CompanyName>B</CompanyName><Name>A</Name>\
                   </CustomerAdd></CustomerAddRq>";

        assert_eq!(check(good), Ok(()));
        assert!(check(bad).is_err());
    }

    #[test]
    fn the_alternatives_of_a_query_exclude_each_other() {
        let query = |inner: &str| check(&format!("<InvoiceQueryRq>{inner}</InvoiceQueryRq>"));

        assert_eq!(query("<MaxReturned>5</MaxReturned>"), Ok(()));
        assert!(query("<MaxReturned>0</MaxReturned>").is_err());
        assert_eq!(query("<TxnID>1-1</TxnID><TxnID>2-1</TxnID>"), Ok(()));
        assert!(query("<TxnID>1-1</TxnID><MaxReturned>5</MaxReturned>").is_err());
    }

    #[test]
    fn what_is_newer_than_the_declared_version_is_unknown() {
        let message = read_node(
            "<CustomerAddRq><CustomerAdd><Name>A</Name><JobTitle>B</JobTitle></CustomerAdd>\
             </CustomerAddRq>",
        )
        .unwrap();

        assert!(REQUESTS.accepts(&message, Version(11, 0)).is_err());
        assert!(REQUESTS.accepts(&message, Version(12, 0)).is_ok());
    }
}
