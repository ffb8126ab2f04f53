//! JSON in which no object names a member twice: of two values serde would keep the last, and the
//! other, such as an invoice's lines, would be lost without a word (RFC 8259, section 4).

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

/// A member that is given twice: its JSON pointer.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Twice(pub(super) String);

/// Looks for a member that is given twice. What is no JSON is left to others.
pub(super) fn check(json: &[u8]) -> Result<(), Twice> {
    let path = RefCell::new(Vec::new());
    let found = RefCell::new(None);
    let walk = Walk { path: &path, found: &found };
    let read = walk.deserialize(&mut serde_json::Deserializer::from_slice(json));
    match (read, found.into_inner()) {
        (Err(_), Some(pointer)) => Err(Twice(pointer)),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a RefCell<Vec<String>>,
    found: &'a RefCell<Option<String>>,
}

impl Walk<'_> {
    fn pointer(&self) -> String {
        let path = self.path.borrow();
        path.iter().fold(String::new(), |pointer, name| {
            pointer + "/" + &name.replace('~', "~0").replace('/', "~1")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = from.next_key::<String>()? {
            self.path.borrow_mut().push(name.clone());
            if !seen.insert(name) {
                *self.found.borrow_mut() = Some(self.pointer());
                return Err(A::Error::custom("a member is given twice"));
            }
            from.next_value_seed(self)?;
            self.path.borrow_mut().pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        loop {
            self.path.borrow_mut().push(index.to_string());
            if from.next_element_seed(self)?.is_none() {
                self.path.borrow_mut().pop();
                return Ok(());
            }
            self.path.borrow_mut().pop();
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_given_twice_is_found_at_its_place() {
        let twice = |json: &str| check(json.as_bytes()).err().map(|Twice(pointer)| pointer);
        assert_eq!(twice(r#"{"a":1,"a":2}"#).as_deref(), Some("/a"));
        assert_eq!(twice(r#"{"a":[{},{"b/c":1.50,"b/c":1}]}"#).as_deref(), Some("/a/1/b~1c"));
        assert_eq!(twice(r#"{"\u0061":1,"a":2}"#).as_deref(), Some("/a"));
        for fine in [r#"{"a":{"a":1},"b":{"a":1e400}}"#, "[1,2,[true,null,\"x\"]]", "{\"a\":1,", ""]
        {
            assert_eq!(twice(fine), None, "{fine}");
        }
    }
}
