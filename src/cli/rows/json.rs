//! Records as JSON: an array or objects one after another, and NDJSON.

use std::fmt;
use std::io;
use std::io::BufRead;

use anyhow::Context as _;
use serde::Deserializer as _;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Value;

use super::LONGEST;
use super::Row;
use super::Take;
use crate::cli::failure::Failure;

/// Lines as they are: the server says what is wrong with one.
pub(super) fn each_line(
    name: &str,
    mut reader: Box<dyn BufRead>,
    take: Take<'_>,
) -> anyhow::Result<()> {
    let mut number = 0_u64;
    loop {
        let mut line = Vec::new();
        let read = std::io::Read::take(&mut reader, LONGEST).read_until(b'\n', &mut line);
        number += 1;
        let place = format!("{name}:{number}");
        let length = read.with_context(|| format!("cannot read {place}"))?;
        if length as u64 == LONGEST {
            let why = format!("{place} has more than {LONGEST} bytes: is the file NDJSON?");
            return Err(Failure::Refused(why).into());
        }
        if length == 0 {
            return Ok(());
        }
        let content = line.trim_ascii();
        if !content.is_empty() {
            take(Row { place, line: number, content: Ok(content.to_vec()) })?;
        }
    }
}

/// The objects of an array, or objects one after another.
pub(super) fn each_value(
    name: &str,
    mut reader: Box<dyn BufRead>,
    take: Take<'_>,
) -> anyhow::Result<()> {
    let is_array = first_byte(&mut reader).with_context(|| format!("cannot read {name}"))?;
    let mut elements = Elements { name, number: 0, take, ended: None };
    let mut input = serde_json::Deserializer::from_reader(reader);
    let read = if is_array == Some(b'[') {
        input.deserialize_seq(&mut elements).and_then(|()| input.end())
    } else {
        input.into_iter().try_for_each(|value| elements.give(&value?).map_err(stop))
    };
    match (elements.ended, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(Failure::Refused(format!("{name}: {error}")).into()),
    }
}

/// The first byte that is no white space; it stays in the reader.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let seen = reader.fill_buf()?;
        if seen.is_empty() {
            return Ok(None);
        }
        let spaces = seen.len() - seen.trim_ascii_start().len();
        if let Some(byte) = seen.get(spaces) {
            return Ok(Some(*byte));
        }
        reader.consume(spaces);
    }
}

/// Gives the elements of an array one by one, so that the array need not be held.
struct Elements<'a> {
    name: &'a str,
    number: u64,
    take: Take<'a>,
    /// The error of the taker, which serde would make a text of.
    ended: Option<anyhow::Error>,
}

/// Says that the taker wants no more; what it said stands in [`Elements::ended`].
struct Ended;

fn stop<E: serde::de::Error>(_: Ended) -> E {
    E::custom("ended")
}

impl Elements<'_> {
    fn give(&mut self, value: &Value) -> Result<(), Ended> {
        self.number += 1;
        let place = format!("{}#{}", self.name, self.number);
        let content = Ok(value.to_string().into_bytes());
        (self.take)(Row { place, line: self.number, content }).map_err(|error| {
            self.ended = Some(error);
            Ended
        })
    }
}

impl<'de> Visitor<'de> for &mut Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            self.give(&value).map_err(stop)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::rows::tests::read;

    #[test]
    fn arrays_and_objects_are_read_one_by_one() {
        let array = read("a.json", " [ {\"a\": 1.10}, 2, {} ] ").unwrap();

        assert_eq!(array, ["a.json#1 {\"a\":1.10}", "a.json#2 2", "a.json#3 {}"]);
        assert_eq!(read("a.json", "{\"a\":1}{\"b\":2}").unwrap().len(), 2);
        assert_eq!(read("a.json", "").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_json_names_file_and_place() {
        for text in ["[{}", "[{}] x", "{\"a\":", "[1,]"] {
            let error = read("a.json", text).unwrap_err();
            assert!(error.starts_with("a.json: ") && error.contains("line 1"), "{error}");
        }
    }

    #[test]
    fn lines_are_given_as_they_are() {
        let rows = read("a.ndjson", "{\"a\":1}\r\n\n not json \n").unwrap();

        assert_eq!(rows, ["a.ndjson:1 {\"a\":1}", "a.ndjson:3 not json"]);
    }
}
