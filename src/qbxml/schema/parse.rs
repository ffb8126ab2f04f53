//! The text form of the table, read.
//!
//! One line is one element; what is indented below an aggregate stands in it, in this order.
//!
//! ```text
//! # a remark
//! enum JobStatus                     a named list of values, on the indented lines below
//!   Awarded Closed InProgress
//! shape Address                      an aggregate that several elements share
//!   Addr1 text(41)
//! request InvoiceAddRq               or: response InvoiceAddRs
//!   InvoiceAdd! has defMacro         an aggregate of its own, and an attribute
//!     CustomerRef! Ref209            a shape by its name
//!     BillAddress Address
//!     IsTaxIncluded bool since 6.0 not US
//!     LinkToTxnID* id
//!     choose any                     one | at most one | any | some (any, but not none)
//!       InvoiceLineAdd! …
//!       together                     an alternative of several elements
//!         …
//! ```
//!
//! Marks after a name: none optional, `!` once, `*` any number, `+` at least one; inside a choice
//! they hold within the alternative. Types: `text(LIMIT)`, or `text(21 US 15)` where editions differ;
//! `id bool date datetime amount price quantity percent float interval guid empty int(1..12)`;
//! `enum Name` or `enum(One|Two)`. Then, in this order: `default VALUE`, `since VERSION`,
//! `not EDITION…` or `only EDITION…`, `macro`, `has ATTRIBUTE, …`. `only OE` is an element of the
//! Online Edition alone. A shape or a list stands before its first use.

use std::collections::HashSet;
use std::sync::Arc;

use super::element::Choice;
use super::element::Content;
use super::element::Element;
use super::element::Message;
use super::element::Occurs;
use super::element::Particle;
use super::element::Rule;
use super::element::Shape;
use super::words::Names;
use super::words::Words;

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{table}, line {line}: {what}")]
pub struct TableError {
    /// The name of the table.
    pub table: &'static str,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// All messages, in the order of the tables.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) messages: Vec<Arc<Message>>,
    names: Names,
}

impl Tables {
    /// Reads one more table. It may use what earlier ones define.
    pub(super) fn read(
        &mut self,
        table: &'static str,
        text: &'static str,
    ) -> Result<(), TableError> {
        let mut lines = Lines::new(text);
        while let Some(line) = lines.next_at(0) {
            self.definition(line, &mut lines).map_err(|what| TableError {
                table,
                line: lines.last,
                what,
            })?;
        }
        match lines.rest.front() {
            None => Ok(()),
            Some(line) => Err(TableError { table, line: line.number, what: "indented".into() }),
        }
    }

    fn definition(&mut self, line: &'static str, lines: &mut Lines) -> Result<(), String> {
        let (keyword, rest) = line.split_once(' ').ok_or("a definition without a name")?;
        match keyword {
            "enum" => {
                let mut values = Vec::new();
                while let Some(more) = lines.next_at(1) {
                    values.extend(more.split_whitespace());
                }
                self.names.enums.insert(rest, values.into());
            }
            "shape" => {
                let shape = self.shape(1, lines)?;
                self.names.shapes.insert(rest, shape);
            }
            "request" | "response" => {
                let mut words = Words::new(rest);
                let name = words.next().ok_or("a message without a name")?;
                let subscription = words.take("subscription");
                let tail = words.tail(&self.names)?;
                let shape = self.shape(1, lines)?;
                self.messages.push(Arc::new(Message {
                    name,
                    subscription,
                    availability: tail.availability,
                    attributes: tail.attributes,
                    shape,
                }));
            }
            other => return Err(format!("{other} begins no definition")),
        }
        Ok(())
    }

    fn shape(&self, depth: usize, lines: &mut Lines) -> Result<Arc<Shape>, String> {
        let shape = Arc::new(Shape { particles: self.particles(depth, lines)? });
        let mut seen = HashSet::new();
        for element in shape.elements() {
            if !seen.insert(element.name) {
                return Err(format!("{} stands twice in one place", element.name));
            }
        }
        Ok(shape)
    }

    fn particles(&self, depth: usize, lines: &mut Lines) -> Result<Vec<Particle>, String> {
        let mut particles = Vec::new();
        while let Some(line) = lines.next_at(depth) {
            particles.push(self.particle(line, depth, lines)?);
        }
        Ok(particles)
    }

    fn particle(
        &self,
        line: &'static str,
        depth: usize,
        lines: &mut Lines,
    ) -> Result<Particle, String> {
        match line.strip_prefix("choose ") {
            Some(rest) => self.choice(rest, depth, lines).map(Particle::Choice),
            None => self.element(line, depth, lines).map(Particle::Element),
        }
    }

    fn choice(
        &self,
        rest: &'static str,
        depth: usize,
        lines: &mut Lines,
    ) -> Result<Choice, String> {
        let mut words = Words::new(rest);
        let rule = match words.next() {
            Some("one") => Rule::One,
            Some("at") if words.take("most") && words.take("one") => Rule::AtMostOne,
            Some("any") => Rule::Any,
            Some("some") => Rule::Some,
            _ => return Err(format!("choose {rest} is no rule")),
        };
        let tail = words.tail(&self.names)?;
        let mut alternatives = Vec::new();
        while let Some(line) = lines.next_at(depth + 1) {
            alternatives.push(match line {
                "together" => self.particles(depth + 2, lines)?,
                line => vec![self.particle(line, depth + 1, lines)?],
            });
        }
        if alternatives.len() < 2 {
            return Err("a choice needs two alternatives".into());
        }
        Ok(Choice { rule, availability: tail.availability, alternatives })
    }

    fn element(
        &self,
        line: &'static str,
        depth: usize,
        lines: &mut Lines,
    ) -> Result<Element, String> {
        let mut words = Words::new(line);
        let marked = words.next().ok_or("an empty line")?;
        let name = marked.trim_end_matches(['!', '*', '+']);
        let occurs = match &marked[name.len()..] {
            "" => Occurs::Optional,
            "!" => Occurs::Once,
            "*" => Occurs::AnyNumber,
            "+" => Occurs::AtLeastOnce,
            other => return Err(format!("{other} is no mark")),
        };
        let content = words.content(&self.names)?;
        let tail = words.tail(&self.names)?;
        let content = match content {
            Some(content) => content,
            None => Content::Aggregate(self.shape(depth + 1, lines)?),
        };
        Ok(Element {
            name,
            occurs,
            content,
            availability: tail.availability,
            may_be_macro: tail.may_be_macro,
            attributes: tail.attributes,
            default: tail.default,
        })
    }
}

struct Line {
    number: usize,
    depth: usize,
    text: &'static str,
}

/// The lines of a table that say something, taken one by one by their depth.
struct Lines {
    rest: std::collections::VecDeque<Line>,
    last: usize,
}

impl Lines {
    fn new(text: &'static str) -> Self {
        let rest = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(index, line)| Line {
                number: index + 1,
                depth: (line.len() - line.trim_start().len()) / 2,
                text: line.trim(),
            })
            .collect();
        Self { rest, last: 0 }
    }

    /// The next line, if it stands at this depth.
    fn next_at(&mut self, depth: usize) -> Option<&'static str> {
        let line = self.rest.pop_front_if(|line| line.depth == depth)?;
        self.last = line.number;
        Some(line.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &'static str) -> String {
        Tables::default().read("test", text).unwrap_err().to_string()
    }

    #[test]
    fn a_line_that_says_nothing_known_is_refused_with_its_place() {
        for (text, expected) in [
            ("request ARq\n  B text(x)\n", "test, line 2: x is no limit"),
            ("request ARq\n  B words\n", "test, line 2: words is no type"),
            ("request ARq\n  B Unknown\n", "test, line 2: Unknown is no shape"),
            ("request ARq\n  B enum Unknown\n", "test, line 2: Unknown is no list"),
            ("request ARq\n  B bool sometimes\n", "test, line 2: sometimes says nothing here"),
            ("request ARq\n  B bool\n  B bool\n", "test, line 3: B stands twice in one place"),
            ("request ARq\n      B bool\n", "test, line 2: indented"),
            ("request ARq\n  choose two\n", "test, line 2: choose two is no rule"),
            (
                "request ARq\n  choose one\n    B bool\n",
                "test, line 3: a choice needs two alternatives",
            ),
            ("table A\n", "test, line 1: table begins no definition"),
        ] {
            assert_eq!(refused(text), expected);
        }
    }
}
