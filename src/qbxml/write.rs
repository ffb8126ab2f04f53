//! JSON and the table become qbXML: one walk that checks everything and writes as it goes.
//!
//! Both [`check`](crate::qbxml::check) and [`build`](crate::qbxml::build) are this walk, so nothing
//! can be written that was not checked. All findings are collected, not only the first.

mod values;

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::qbxml::build::Resolve;
use crate::qbxml::schema::Choice;
use crate::qbxml::schema::Content;
use crate::qbxml::schema::Element;
use crate::qbxml::schema::Particle;
use crate::qbxml::schema::Rule;
use crate::qbxml::schema::Shape;
use crate::qbxml::schema::base_name;
use crate::qbxml::text;
use crate::qbxml::version::Availability;
use crate::qbxml::version::Target;
use crate::qbxml::version::Version;

/// More findings than this help nobody.
const MAX_FINDINGS: usize = 100;
/// The deepest request type has seven levels.
const MAX_DEPTH: usize = 16;
/// Most repeats of one element; QuickBooks' own forms end far earlier.
const MAX_REPEATS: usize = 10_000;
/// The source's own key of a line.
pub(crate) const LINE_KEY: &str = "#id";
/// Holds lines of several sorts in their order.
const LINES: &str = "Lines";
/// Begins the name of an attribute.
const ATTRIBUTE: &str = "@";

/// What is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// A new object, or a raw request.
    New,
    /// A change: an empty text clears a field, lines carry their ids.
    Change,
}

/// The walk.
pub(crate) struct Writer<'a> {
    pub(crate) target: Target,
    pub(crate) mode: Mode,
    /// `None`: only checking, every reference is as good as resolved.
    pub(crate) resolve: Option<&'a Resolve<'a>>,
    /// The kind that is written, for what a `ParentRef` refers to; empty for a raw request.
    pub(crate) own: &'a str,
    /// Names of line aggregates, without `Add` or `Mod`.
    pub(crate) line_names: &'a [&'static str],
    /// Known line keys and their `TxnLineID`s.
    pub(crate) line_ids: Option<&'a BTreeMap<String, String>>,
    pub(crate) out: String,
    pub(crate) findings: Vec<Finding>,
    /// Keys of the lines, in the order written.
    pub(crate) lines: Vec<Option<String>>,
    /// The lowest version that knows everything written.
    pub(crate) needs: Version,
    depth: usize,
}

impl Writer<'_> {
    pub(crate) fn new(target: Target, mode: Mode) -> Self {
        Self {
            target,
            mode,
            resolve: None,
            own: "",
            line_names: &[],
            line_ids: None,
            out: String::new(),
            findings: Vec::new(),
            lines: Vec::new(),
            needs: Version::FIRST,
            depth: 0,
        }
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Notes what an element needs; false if the target does not have it.
    pub(crate) fn available(&mut self, of: Availability, name: &str, pointer: &str) -> bool {
        if of.allows(self.target) {
            if let Some(since) = of.since {
                self.needs = self.needs.max(since);
            }
            return true;
        }
        let mut finding = Finding::new(Code::FeatureNotAvailable).at(pointer).fact("field", name);
        finding = if of.in_edition(self.target) {
            let since = of.since.map(|since| since.to_string()).unwrap_or_default();
            finding.cause("version").fact("since", since).fact("version", self.target.version)
        } else {
            finding.cause("edition").fact("edition", self.target.edition.code())
        };
        self.find(finding);
        false
    }

    /// Writes the content of an aggregate. `other` is its counterpart in the other request of the
    /// kind (Add or Mod): what stands only there is left out, and is no mistake.
    pub(crate) fn aggregate(
        &mut self,
        shape: &Shape,
        other: Option<&Shape>,
        data: &Map<String, Value>,
        pointer: &str,
    ) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        self.unknown(shape, other, data, pointer);
        self.sequence(&shape.particles, other, data, pointer);
        self.depth -= 1;
    }

    fn unknown(
        &mut self,
        shape: &Shape,
        other: Option<&Shape>,
        data: &Map<String, Value>,
        pointer: &str,
    ) {
        let mixes = shape.particles.iter().any(
            |particle| matches!(particle, Particle::Choice(choice) if choice.rule.is_repeated()),
        );
        for name in data.keys() {
            let known = |shape: &Shape| shape.elements().any(|element| is_named(element, name));
            let own = name == LINE_KEY || name.starts_with(ATTRIBUTE) || (mixes && name == LINES);
            if own || known(shape) || other.is_some_and(known) {
                continue;
            }
            let shown: String = name.chars().take(80).collect();
            let at = format!("{pointer}/{}", escape_pointer(name));
            let mut finding = Finding::new(Code::UnknownField).at(at).fact("field", shown);
            let names = shape.elements().map(Element::base_name);
            if let Some(nearest) = text::nearest(name, names) {
                finding = finding.fact("nearest", nearest);
            }
            self.find(finding);
        }
    }

    fn sequence(
        &mut self,
        particles: &[Particle],
        other: Option<&Shape>,
        data: &Map<String, Value>,
        pointer: &str,
    ) {
        for particle in particles {
            match particle {
                Particle::Element(element) => self.element(element, other, data, pointer),
                Particle::Choice(choice) if choice.rule.is_repeated() => {
                    self.mixed(choice, other, data, pointer);
                }
                Particle::Choice(choice) => self.one_of(choice, other, data, pointer),
            }
        }
    }

    fn element(
        &mut self,
        element: &Element,
        other: Option<&Shape>,
        data: &Map<String, Value>,
        pointer: &str,
    ) {
        let Some((name, value)) = given(element, data) else {
            if element.occurs.is_required() && element.availability.allows(self.target) {
                let at = format!("{pointer}/{}", element.base_name());
                let finding = Finding::new(Code::MissingField).at(at);
                self.find(finding.fact("field", element.base_name()));
            }
            return;
        };
        let at = format!("{pointer}/{}", escape_pointer(name));
        match value {
            Value::Array(items) => self.repeated(element, other, items, &at),
            one => self.occurrence(element, other, one, &at),
        }
    }

    fn repeated(&mut self, element: &Element, other: Option<&Shape>, items: &[Value], at: &str) {
        let most = if element.occurs.is_repeated() { MAX_REPEATS } else { 1 };
        if items.len() > most {
            let finding = Finding::new(Code::InvalidValue).cause("too_many").at(at);
            let finding = finding.fact("field", element.base_name()).fact("limit", most);
            self.find(finding.fact("actual", items.len()));
            return;
        }
        if items.is_empty() && element.occurs.is_required() {
            let finding = Finding::new(Code::MissingField).at(at);
            self.find(finding.fact("field", element.base_name()));
        }
        for (index, item) in items.iter().enumerate() {
            self.occurrence(element, other, item, &format!("{at}/{index}"));
        }
    }

    /// At most one of several, or exactly one.
    fn one_of(
        &mut self,
        choice: &Choice,
        other: Option<&Shape>,
        data: &Map<String, Value>,
        pointer: &str,
    ) {
        let taken: Vec<_> = choice
            .alternatives
            .iter()
            .filter(|alternative| names_in(alternative).iter().any(|it| given(it, data).is_some()))
            .collect();
        match taken.as_slice() {
            [] if choice.rule.is_required() && choice.availability.allows(self.target) => {
                let names = choice.alternatives.iter().map(|it| joined(it, " with "));
                let names: Vec<_> = names.collect();
                let finding = Finding::new(Code::MissingField).cause("one_of").at(pointer);
                self.find(finding.fact("field", names.join(" or ")));
            }
            [] => {}
            [one] => self.sequence(one, other, data, pointer),
            [first, second, ..] => {
                let name = |particles: &[Particle]| {
                    let named = names_in(particles).into_iter();
                    let first = named.filter_map(|it| given(it, data)).map(|it| it.0).next();
                    first.unwrap_or_default().to_owned()
                };
                let (one, two) = (name(first), name(second));
                let at = format!("{pointer}/{}", escape_pointer(&two));
                let finding = Finding::new(Code::ConflictingFields).at(at);
                self.find(finding.fact("field", two).fact("other", one));
            }
        }
    }

    /// Any number of several, in the order in which they were given.
    fn mixed(
        &mut self,
        choice: &Choice,
        other: Option<&Shape>,
        data: &Map<String, Value>,
        pointer: &str,
    ) {
        let elements: Vec<_> =
            choice.alternatives.iter().flat_map(|alternative| names_in(alternative)).collect();
        let before = self.out.len();
        let mut any = false;
        for (name, value) in data {
            let at = format!("{pointer}/{}", escape_pointer(name));
            if name == LINES {
                any |= self.ordered_lines(&elements, other, value, &at);
                continue;
            }
            let Some(element) = elements.iter().find(|element| is_named(element, name)) else {
                continue;
            };
            match value {
                Value::Null => {}
                Value::Array(items) => {
                    any |= !items.is_empty();
                    for (index, item) in items.iter().take(MAX_REPEATS).enumerate() {
                        self.occurrence(element, other, item, &format!("{at}/{index}"));
                    }
                }
                one => {
                    any = true;
                    self.occurrence(element, other, one, &at);
                }
            }
        }
        let missing = !any && self.out.len() == before && choice.rule == Rule::Some;
        if missing && choice.availability.allows(self.target) {
            let names: Vec<_> = elements.iter().map(|element| element.base_name()).collect();
            let finding = Finding::new(Code::MissingField).cause("one_of").at(pointer);
            self.find(finding.fact("field", names.join(" or ")));
        }
    }

    /// `"Lines": [{"InvoiceLine": {…}}, {"InvoiceLineGroup": {…}}]`: several sorts, in their order.
    fn ordered_lines(
        &mut self,
        elements: &[&Element],
        other: Option<&Shape>,
        value: &Value,
        at: &str,
    ) -> bool {
        let Value::Array(items) = value else {
            let finding = Finding::new(Code::InvalidValue).cause("not_a_list").at(at);
            self.find(finding.fact("field", LINES).fact("expected", "a list"));
            return true;
        };
        for (index, item) in items.iter().take(MAX_REPEATS).enumerate() {
            let at = format!("{at}/{index}");
            let one = item.as_object().filter(|members| members.len() == 1);
            let only = one.and_then(|members| members.iter().next());
            let found = only.and_then(|(name, value)| {
                let element = elements.iter().find(|element| is_named(element, name))?;
                Some((element, value, name))
            });
            if let Some((element, value, name)) = found {
                self.occurrence(element, other, value, &format!("{at}/{}", escape_pointer(name)));
            } else {
                let names: Vec<_> = elements.iter().map(|element| element.base_name()).collect();
                let finding = Finding::new(Code::InvalidValue).cause("not_a_line").at(&at);
                let expected = format!("an object with one of {}", names.join(", "));
                self.find(finding.fact("field", LINES).fact("expected", expected));
            }
        }
        !items.is_empty()
    }

    fn occurrence(&mut self, element: &Element, other: Option<&Shape>, value: &Value, at: &str) {
        if !self.available(element.availability, element.base_name(), at) {
            return;
        }
        match &element.content {
            Content::Empty => {
                self.open(element, value, at);
                self.close(element);
            }
            Content::Value(kind) => self.value(element, kind, value, at),
            Content::Aggregate(shape) => {
                let counterpart = other
                    .and_then(|other| {
                        other.elements().find(|it| it.base_name() == element.base_name())
                    })
                    .and_then(Element::shape)
                    .cloned();
                self.nested(element, shape, counterpart.as_deref(), value, at);
            }
        }
    }

    fn nested(
        &mut self,
        element: &Element,
        shape: &Shape,
        other: Option<&Shape>,
        value: &Value,
        at: &str,
    ) {
        let members = match value {
            Value::Object(members) => members,
            // Clears a reference in a change, says nothing in a new object.
            Value::Null => {
                if element.occurs.is_required() {
                    let finding = Finding::new(Code::MissingField).at(at);
                    self.find(finding.fact("field", element.base_name()));
                } else if self.mode == Mode::Change && shape.is_reference() {
                    self.open(element, value, at);
                    self.close(element);
                }
                return;
            }
            _ => {
                let finding = Finding::new(Code::InvalidValue).cause("not_an_object").at(at);
                let finding = finding.fact("field", element.base_name());
                self.find(finding.fact("expected", "an object"));
                return;
            }
        };
        if shape.is_reference() && members.contains_key("source") {
            self.open(element, value, at);
            self.reference(element, members, at);
            self.close(element);
            return;
        }
        let line = self.depth == 1 && self.line_names.contains(&element.base_name());
        let known = line.then(|| self.line(members, at));
        let (before, found) = (self.out.len(), self.findings.len());
        self.open(element, value, at);
        let opened = self.out.len();
        match known {
            Some(id) if self.mode == Mode::Change => {
                let mut members = members.clone();
                if given_by_name("TxnLineID", &members).is_none() {
                    members.insert("TxnLineID".to_owned(), Value::String(id));
                }
                self.aggregate(shape, other, &members, at);
            }
            _ => self.aggregate(shape, other, members, at),
        }
        let names_nothing = shape.is_reference() && self.out.len() == opened;
        if names_nothing && self.findings.len() == found {
            if element.occurs.is_required() {
                let finding = Finding::new(Code::MissingField).at(at);
                self.find(finding.fact("field", element.base_name()));
            } else if self.mode == Mode::New {
                self.out.truncate(before);
                return;
            }
        }
        self.close(element);
    }

    /// Notes a line's key; its `TxnLineID`, or `-1` for one that QuickBooks does not have yet.
    fn line(&mut self, members: &Map<String, Value>, at: &str) -> String {
        let key = match members.get(LINE_KEY) {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) => Some(key.clone()),
            Some(Value::Number(key)) => Some(key.to_string()),
            Some(_) => {
                let at = format!("{at}/{LINE_KEY}");
                let finding = Finding::new(Code::InvalidValue).cause("not_a_value").at(at);
                self.find(finding.fact("field", LINE_KEY).fact("expected", "a text"));
                None
            }
        };
        if key.is_some() && self.lines.contains(&key) {
            let at = format!("{at}/{LINE_KEY}");
            let finding = Finding::new(Code::InvalidValue).cause("line_key_twice").at(at);
            let shown: String = key.iter().flat_map(|key| key.chars()).take(80).collect();
            self.find(finding.fact("field", LINE_KEY).fact("value", shown));
        }
        let known = key.as_ref().and_then(|key| self.line_ids?.get(key).cloned());
        self.lines.push(key);
        known.unwrap_or_else(|| "-1".to_owned())
    }
}

/// Whether a member of that name means the element: with or without `Add` or `Mod` at its end.
fn is_named(element: &Element, name: &str) -> bool {
    element.name == name || (element.shape().is_some() && element.base_name() == base_name(name))
}

/// The member that an element is given by. Both spellings at once: the exact one counts.
fn given<'d>(element: &Element, data: &'d Map<String, Value>) -> Option<(&'d str, &'d Value)> {
    let exact = data.get_key_value(element.name);
    let found = exact.or_else(|| {
        element.shape()?;
        data.iter().find(|(name, _)| is_named(element, name))
    });
    found.map(|(name, value)| (name.as_str(), value))
}

fn given_by_name<'d>(name: &str, data: &'d Map<String, Value>) -> Option<&'d Value> {
    data.get(name).filter(|value| !value.is_null())
}

/// Every element of a sequence, those inside choices too.
pub(crate) fn names_in(particles: &[Particle]) -> Vec<&Element> {
    let mut elements = Vec::new();
    for particle in particles {
        match particle {
            Particle::Element(element) => elements.push(element),
            Particle::Choice(choice) => {
                for alternative in &choice.alternatives {
                    elements.extend(names_in(alternative));
                }
            }
        }
    }
    elements
}

fn joined(particles: &[Particle], with: &str) -> String {
    let names: Vec<_> = names_in(particles).iter().map(|element| element.base_name()).collect();
    if names.len() > 4 { format!("{}, …", names[..3].join(", ")) } else { names.join(with) }
}

/// A member's name in a JSON pointer (RFC 6901).
fn escape_pointer(name: &str) -> String {
    let shown: String = name.chars().take(80).collect();
    shown.replace('~', "~0").replace('/', "~1")
}
