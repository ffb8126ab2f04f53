//! What the grammar is made of: elements, their values, and the choices between them.

use std::sync::Arc;

use crate::qbxml::version::Availability;
use crate::qbxml::version::Edition;

/// A request or a response type, such as `CustomerAddRq`.
#[derive(Debug)]
pub struct Message {
    /// Its element name.
    pub name: &'static str,
    /// Whether it belongs into `QBXMLSubscriptionMsgsRq`, which the Web Connector does not carry.
    pub subscription: bool,
    /// Where it exists.
    pub availability: Availability,
    /// Attributes beside those that every message has (`requestID`; `statusCode` and so on).
    pub attributes: Vec<Attribute>,
    /// What stands in it.
    pub shape: Arc<Shape>,
}

/// The content of an aggregate: elements and choices, in the order in which QuickBooks wants them.
#[derive(Debug, Default)]
pub struct Shape {
    /// In document order.
    pub particles: Vec<Particle>,
}

impl Shape {
    /// Every element, those inside choices too, in document order. No name occurs twice.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        let mut all = Vec::new();
        collect(&self.particles, &mut all);
        all.into_iter()
    }

    /// The element of that name.
    pub fn element(&self, name: &str) -> Option<&Element> {
        find(&self.particles, name)
    }

    /// Whether it is a reference to a list element: `ListID` and `FullName`, and nothing else.
    pub fn is_reference(&self) -> bool {
        matches!(
            self.particles.as_slice(),
            [Particle::Element(id), Particle::Element(name)]
                if id.name == "ListID" && name.name == "FullName"
        )
    }
}

fn collect<'a>(particles: &'a [Particle], into: &mut Vec<&'a Element>) {
    for particle in particles {
        match particle {
            Particle::Element(element) => into.push(element),
            Particle::Choice(choice) => {
                for alternative in &choice.alternatives {
                    collect(alternative, into);
                }
            }
        }
    }
}

fn find<'a>(particles: &'a [Particle], name: &str) -> Option<&'a Element> {
    particles.iter().find_map(|particle| match particle {
        Particle::Element(element) => (element.name == name).then_some(element),
        Particle::Choice(choice) => {
            choice.alternatives.iter().find_map(|alternative| find(alternative, name))
        }
    })
}

/// One place in a [`Shape`].
#[derive(Debug)]
pub enum Particle {
    /// An element.
    Element(Element),
    /// Alternatives.
    Choice(Choice),
}

/// One element.
#[derive(Debug)]
pub struct Element {
    /// Its name in qbXML.
    pub name: &'static str,
    /// How often it stands there; inside a choice, within its alternative.
    pub occurs: Occurs,
    /// What stands in it.
    pub content: Content,
    /// Where it exists.
    pub availability: Availability,
    /// Whether a value may be the name of a macro that an earlier request defined.
    pub may_be_macro: bool,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What QuickBooks takes if an enumeration is left out.
    pub default: Option<&'static str>,
}

impl Element {
    /// The content, if it is an aggregate.
    pub fn shape(&self) -> Option<&Arc<Shape>> {
        match &self.content {
            Content::Aggregate(shape) => Some(shape),
            Content::Empty | Content::Value(_) => None,
        }
    }

    /// The type of its value, if it has one.
    pub fn value(&self) -> Option<&ValueType> {
        match &self.content {
            Content::Value(value) => Some(value),
            Content::Aggregate(_) | Content::Empty => None,
        }
    }

    /// Its name without the `Add` or `Mod` that Intuit appends: `InvoiceLine`.
    pub fn base_name(&self) -> &'static str {
        base_name(self.name)
    }
}

/// A name without the `Add` or `Mod` at its end.
pub fn base_name(name: &str) -> &str {
    name.strip_suffix("Add").or_else(|| name.strip_suffix("Mod")).unwrap_or(name)
}

/// How often an element stands in its place.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Occurs {
    /// `0..1`, no mark in the table.
    Optional,
    /// `1..1`, `!` in the table.
    Once,
    /// `0..n`, `*` in the table.
    AnyNumber,
    /// `1..n`, `+` in the table.
    AtLeastOnce,
}

impl Occurs {
    /// Whether it must be there.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Once | Self::AtLeastOnce)
    }

    /// Whether it may be there more than once.
    pub const fn is_repeated(self) -> bool {
        matches!(self, Self::AnyNumber | Self::AtLeastOnce)
    }
}

/// What stands in an element.
#[derive(Debug)]
pub enum Content {
    /// Nothing; it has attributes alone (rows of reports).
    Empty,
    /// A value.
    Value(ValueType),
    /// Other elements.
    Aggregate(Arc<Shape>),
}

/// The type of a value. Source of the lexical forms: `qbxmltypes130.xsd`.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueType {
    /// `AMTTYPE`: money, two decimals.
    Amount,
    /// `BOOLTYPE`.
    Bool,
    /// `DATETYPE`.
    Date,
    /// `DATETIMETYPE`: local time of the host.
    DateTime,
    /// `ENUMTYPE`: one of a list, case matters.
    Enum(Arc<[&'static str]>),
    /// `FLOATTYPE`: an exchange rate.
    Float,
    /// `GUIDTYPE`: `0`, or a GUID in braces.
    Guid,
    /// `IDTYPE`: a `ListID`, `TxnID` or `TxnLineID`, 36 characters at most.
    Id,
    /// `INTTYPE`.
    Int(Range),
    /// `TIMEINTERVALTYPE`: `PT8H30M0S`.
    Interval,
    /// `PERCENTTYPE`.
    Percent,
    /// `PRICETYPE`.
    Price(Range),
    /// `QUANTYPE`.
    Quantity,
    /// `STRTYPE`, and `UUIDTYPE` and `MACROTYPE` of attributes.
    Text(Limit),
}

/// Bounds of a number, as the table writes them; empty where there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Range {
    /// The smallest value.
    pub min: &'static str,
    /// The greatest value.
    pub max: &'static str,
}

/// How many characters a text may have, by edition.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limit {
    /// `US`, `CA`, `UK`, `AU`; zero is no limit.
    by_edition: [u16; 4],
}

impl Limit {
    /// The same limit everywhere.
    pub const fn all(chars: u16) -> Self {
        Self { by_edition: [chars; 4] }
    }

    /// The same, but another limit in one edition.
    #[must_use]
    pub const fn but(mut self, edition: Edition, chars: u16) -> Self {
        self.by_edition[edition as usize] = chars;
        self
    }

    /// The limit in an edition, if there is one.
    pub const fn of(self, edition: Edition) -> Option<usize> {
        match self.by_edition[edition as usize] {
            0 => None,
            chars => Some(chars as usize),
        }
    }
}

/// Alternatives of which some stand in a place.
#[derive(Debug)]
pub struct Choice {
    /// How many.
    pub rule: Rule,
    /// Where the choice exists.
    pub availability: Availability,
    /// Each a sequence of its own.
    pub alternatives: Vec<Vec<Particle>>,
}

/// How many alternatives of a [`Choice`] stand there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Rule {
    /// `choose at most one`.
    AtMostOne,
    /// `choose one`.
    One,
    /// `choose any`: any number, mixed, in any order.
    Any,
    /// `choose some`: the same, but at least one.
    Some,
}

impl Rule {
    /// Whether at least one must be there.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::One | Self::Some)
    }

    /// Whether more than one may be there.
    pub const fn is_repeated(self) -> bool {
        matches!(self, Self::Any | Self::Some)
    }
}

/// An attribute of a message or an element.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// The type of its value.
    pub value: ValueType,
    /// What QuickBooks takes if it is left out.
    pub default: Option<&'static str>,
}
