//! The words of one line of the table: types, limits, versions, editions, attributes.

use std::collections::HashMap;
use std::sync::Arc;

use super::element::Attribute;
use super::element::Content;
use super::element::Limit;
use super::element::Range;
use super::element::Shape;
use super::element::ValueType;
use crate::qbxml::version::Availability;
use crate::qbxml::version::Edition;
use crate::qbxml::version::Editions;
use crate::qbxml::version::Version;

/// What lines before this one defined.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) enums: HashMap<&'static str, Arc<[&'static str]>>,
    pub(super) shapes: HashMap<&'static str, Arc<Shape>>,
}

/// What stands behind name and type.
pub(super) struct Tail {
    pub(super) availability: Availability,
    pub(super) may_be_macro: bool,
    pub(super) attributes: Vec<Attribute>,
    pub(super) default: Option<&'static str>,
}

/// The rest of a line, taken word by word.
pub(super) struct Words {
    rest: &'static str,
}

impl Words {
    pub(super) fn new(line: &'static str) -> Self {
        Self { rest: line.trim() }
    }

    /// The next word; a parenthesis belongs to the word before it.
    pub(super) fn next(&mut self) -> Option<&'static str> {
        let (word, rest) = self.split()?;
        self.rest = rest;
        Some(word)
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        match self.split() {
            Some((word, rest)) if word == expected => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn split(&self) -> Option<(&'static str, &'static str)> {
        if self.rest.is_empty() {
            return None;
        }
        let space = self.rest.find(' ').unwrap_or(self.rest.len());
        let end = match self.rest[..space].find('(') {
            Some(_) => self.rest.find(')').map_or(self.rest.len(), |close| close + 1),
            None => space,
        };
        Some((&self.rest[..end], self.rest[end..].trim_start()))
    }

    /// The type of an element; `None` if its content is indented below.
    pub(super) fn content(&mut self, names: &Names) -> Result<Option<Content>, String> {
        let Some((word, rest)) = self.split() else { return Ok(None) };
        if matches!(word, "since" | "not" | "only" | "macro" | "has") {
            return Ok(None);
        }
        if word == "empty" {
            self.rest = rest;
            return Ok(Some(Content::Empty));
        }
        if word.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            self.rest = rest;
            let shape = names.shapes.get(word).ok_or_else(|| format!("{word} is no shape"))?;
            return Ok(Some(Content::Aggregate(Arc::clone(shape))));
        }
        self.value(names).map(|value| Some(Content::Value(value)))
    }

    fn value(&mut self, names: &Names) -> Result<ValueType, String> {
        let word = self.next().ok_or("a type is missing")?;
        let (name, inner) = match word.split_once('(') {
            Some((name, inner)) => (name, inner.strip_suffix(')').ok_or("no closing parenthesis")?),
            None => (word, ""),
        };
        Ok(match name {
            "amount" => ValueType::Amount,
            "bool" => ValueType::Bool,
            "date" => ValueType::Date,
            "datetime" => ValueType::DateTime,
            "enum" if inner.is_empty() => {
                let list = self.next().ok_or("a list of values is missing")?;
                let values = names.enums.get(list).ok_or_else(|| format!("{list} is no list"))?;
                ValueType::Enum(Arc::clone(values))
            }
            "enum" => ValueType::Enum(inner.split('|').collect()),
            "float" => ValueType::Float,
            "guid" => ValueType::Guid,
            "id" => ValueType::Id,
            "int" => ValueType::Int(range(inner)?),
            "interval" => ValueType::Interval,
            "percent" => ValueType::Percent,
            "price" => ValueType::Price(range(inner)?),
            "quantity" => ValueType::Quantity,
            "text" => ValueType::Text(limit(inner)?),
            other => return Err(format!("{other} is no type")),
        })
    }

    /// Everything behind the type.
    pub(super) fn tail(mut self, names: &Names) -> Result<Tail, String> {
        let default = if self.take("default") { self.next() } else { None };
        let since = if self.take("since") {
            let text = self.next().unwrap_or_default();
            Some(Version::parse(text).ok_or_else(|| format!("{text} is no version"))?)
        } else {
            None
        };
        let editions = if self.take("not") {
            self.editions()?.complement()
        } else if self.take("only") {
            self.editions()?
        } else {
            Editions::ALL
        };
        let may_be_macro = self.take("macro");
        let attributes = if self.take("has") { self.attributes(names)? } else { Vec::new() };
        match self.next() {
            None => Ok(Tail {
                availability: Availability { since, editions },
                may_be_macro,
                attributes,
                default,
            }),
            Some(word) => Err(format!("{word} says nothing here")),
        }
    }

    fn editions(&mut self) -> Result<Editions, String> {
        if self.take("OE") {
            return Ok(Editions::NONE);
        }
        let mut editions = Editions::NONE;
        while let Some((word, rest)) = self.split() {
            let Some(edition) = edition(word) else { break };
            editions = editions.with(edition);
            self.rest = rest;
        }
        if editions == Editions::NONE { Err("an edition is missing".into()) } else { Ok(editions) }
    }

    fn attributes(&mut self, names: &Names) -> Result<Vec<Attribute>, String> {
        let mut attributes = Vec::new();
        for text in std::mem::take(&mut self.rest).split(',') {
            let text = text.trim();
            match text {
                "defMacro" => attributes.push(attribute("defMacro text", names)?),
                "metaData" => {
                    attributes.push(attribute("metaData enum MetaData default NoMetaData", names)?);
                }
                "iterator" => {
                    attributes.push(attribute("iterator enum Iterator", names)?);
                    attributes.push(attribute("iteratorID text", names)?);
                }
                text => attributes.push(attribute(text, names)?),
            }
        }
        Ok(attributes)
    }
}

fn attribute(text: &'static str, names: &Names) -> Result<Attribute, String> {
    let mut words = Words::new(text);
    let marked = words.next().ok_or("an attribute is missing")?;
    let name = marked.trim_end_matches('!');
    let value = words.value(names)?;
    let tail = words.tail(names)?;
    Ok(Attribute { name, required: name != marked, value, default: tail.default })
}

fn edition(code: &str) -> Option<Edition> {
    Edition::ALL.into_iter().find(|edition| edition.code() == code)
}

fn limit(inner: &str) -> Result<Limit, String> {
    let mut words = inner.split_whitespace();
    let number = |word: &str| word.parse::<u16>().map_err(|_| format!("{word} is no limit"));
    let Some(first) = words.next() else { return Ok(Limit::default()) };
    let mut limit = Limit::all(number(first)?);
    while let Some(code) = words.next() {
        let edition = edition(code).ok_or_else(|| format!("{code} is no edition"))?;
        limit = limit.but(edition, number(words.next().unwrap_or_default())?);
    }
    Ok(limit)
}

fn range(inner: &'static str) -> Result<Range, String> {
    if inner.is_empty() {
        return Ok(Range::default());
    }
    let (min, max) = inner.split_once("..").ok_or_else(|| format!("{inner} is no range"))?;
    Ok(Range { min, max })
}
