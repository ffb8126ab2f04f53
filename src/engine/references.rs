//! What data refers to.

use serde_json::Value;

use crate::engine::known::Places;
use crate::qbxml::build::Resolved;
use crate::qbxml::lists;

/// Nesting of data that is looked into.
const MAX_DEPTH: usize = 16;
/// References of one record that are looked at.
const MAX_NAMED: usize = 1000;

/// A reference in data to an element of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    /// Where, beginning with `/data`.
    pub(crate) pointer: String,
    /// The element, such as `ARAccountRef`.
    pub(crate) field: String,
    /// What stands there: `Account`, `Item`, `Entity` for any name.
    pub(crate) kind: String,
    /// How it is named.
    pub(crate) place: Resolved,
}

/// The references of a record, each that is resolved.
pub(crate) fn of(kind: &str, data: &Value, places: &Places) -> Vec<Named> {
    let mut found = Vec::new();
    collect(kind, data, "/data", 0, places, &mut found);
    found
}

fn collect(
    kind: &str,
    value: &Value,
    pointer: &str,
    depth: usize,
    places: &Places,
    found: &mut Vec<Named>,
) {
    if depth > MAX_DEPTH || found.len() >= MAX_NAMED {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let pointer = format!("{pointer}/{name}");
                match (lists::of(name, kind), place(value, places)) {
                    (Some(list), Some(place)) => found.push(Named {
                        pointer,
                        field: name.clone(),
                        kind: list.to_owned(),
                        place,
                    }),
                    _ => collect(kind, value, &pointer, depth + 1, places, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(kind, item, &format!("{pointer}/{index}"), depth + 1, places, found);
            }
        }
        _ => {}
    }
}

/// The place of the first member of that name, however deep.
pub(crate) fn find(data: &Value, member: &str) -> Option<String> {
    fn search(value: &Value, member: &str, at: &str, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        match value {
            Value::Object(members) => members.iter().find_map(|(name, value)| {
                let at = format!("{at}/{name}");
                let here = name == member && !value.is_null();
                if here { Some(at) } else { search(value, member, &at, depth + 1) }
            }),
            Value::Array(items) => {
                let mut items = items.iter().enumerate();
                items.find_map(|(n, item)| search(item, member, &format!("{at}/{n}"), depth + 1))
            }
            _ => None,
        }
    }
    search(data, member, "/data", 0)
}

/// Where a reference points: its ListID or TxnID, or its full name.
pub(crate) fn place(reference: &Value, places: &Places) -> Option<Resolved> {
    let text = |name: &str| reference.get(name).and_then(Value::as_str).map(str::trim);
    let given = |text: &&str| !text.is_empty();
    if let Some(source) = text("source") {
        return places.get(source).cloned();
    }
    if let Some(id) = text("ListID").or_else(|| text("TxnID")).filter(given) {
        return Some(Resolved::Id(id.to_owned()));
    }
    if let Some(name) = text("FullName").filter(given) {
        return Some(Resolved::FullName(name.to_owned()));
    }
    let id = reference.as_str().map(str::trim).filter(given)?;
    Some(Resolved::Id(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_with_their_lists() {
        let data = json!({
            "CustomerRef": {"source": "Customer/1"},
            "InvoiceLine": [{"ItemRef": {"FullName": "Labor"}}, {"OverrideUOMSetRef": {"FullName": "x"}}],
            "ARAccountRef": {"ListID": "80-1"},
        });
        let places = [("Customer/1".to_owned(), Resolved::Id("80-9".to_owned()))].into();

        let found = of("Invoice", &data, &places);

        let shown: Vec<_> =
            found.iter().map(|it| (it.pointer.as_str(), it.kind.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("/data/CustomerRef", "Customer"),
                ("/data/InvoiceLine/0/ItemRef", "Item"),
                ("/data/ARAccountRef", "Account"),
            ]
        );
        assert_eq!(found[0].place, Resolved::Id("80-9".to_owned()));
    }
}
