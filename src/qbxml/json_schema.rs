//! The JSON Schema of a kind's `data`, from the table.
//!
//! It says what the shape alone can say: names, types, limits, enumerations, what is required, which
//! elements exclude each other. Limits are those of the US edition; where another differs, the
//! description says so. Dialect: JSON Schema 2020-12.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::qbxml::schema::Content;
use crate::qbxml::schema::Element;
use crate::qbxml::schema::Kind;
use crate::qbxml::schema::Limit;
use crate::qbxml::schema::Particle;
use crate::qbxml::schema::Range;
use crate::qbxml::schema::Rule;
use crate::qbxml::schema::Shape;
use crate::qbxml::schema::ValueType;
use crate::qbxml::version::Edition;
use crate::qbxml::version::Editions;
use crate::qbxml::write::LINE_KEY;
use crate::qbxml::write::names_in;

/// What `{"source": …}` must look like.
const SOURCE: &str = "^[A-Za-z0-9]+/.+$";

/// The schema of `data` of a record of that kind.
pub fn of_kind(kind: &Kind) -> Value {
    let mut schema = object(Kind::shape(&kind.add), &kind.lines);
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name,
        "description": format!("`data` of a {} record; Bookbridge writes it as {}.", kind.name,
            kind.modify.as_ref().map_or_else(
                || kind.add.name.to_owned(),
                |modify| format!("{} or {}", kind.add.name, modify.name),
            )),
    });
    // What only a change knows may stand in data too; it waits for the change.
    if let Some(modify) = &kind.modify
        && let Some(Value::Object(properties)) = schema.get_mut("properties")
    {
        for element in Kind::shape(modify).elements() {
            let own = matches!(element.name, "ListID" | "TxnID" | "EditSequence");
            if !own && !properties.contains_key(element.base_name()) {
                let repeated = element.occurs.is_repeated();
                let schema = of_element(element, repeated, &kind.lines);
                properties.insert(element.base_name().to_owned(), schema);
            }
        }
    }
    let mut whole = Map::new();
    for part in [head, schema] {
        if let Value::Object(members) = part {
            whole.extend(members);
        }
    }
    Value::Object(whole)
}

fn object(shape: &Shape, lines: &[&str]) -> Value {
    let mut properties = Map::new();
    let mut rules = Vec::new();
    let mut required = Vec::new();
    for element in shape.elements() {
        let repeated = element.occurs.is_repeated() || is_mixed(shape, element);
        let schema = of_element(element, repeated, lines);
        properties.insert(element.base_name().to_owned(), schema);
    }
    for particle in &shape.particles {
        match particle {
            Particle::Element(element) if element.occurs.is_required() => {
                required.push(Value::from(element.base_name()));
            }
            Particle::Element(_) => {}
            Particle::Choice(choice) => {
                let names: Vec<Vec<&str>> = choice
                    .alternatives
                    .iter()
                    .map(|it| names_in(it).iter().map(|element| element.base_name()).collect())
                    .collect();
                let given = |names: &Vec<&str>| {
                    let each: Vec<_> =
                        names.iter().map(|name| json!({"required": [name]})).collect();
                    json!({ "anyOf": each })
                };
                let each: Vec<_> = names.iter().map(given).collect();
                match choice.rule {
                    Rule::One => rules.push(json!({ "oneOf": each })),
                    Rule::Some => rules.push(json!({ "anyOf": each })),
                    Rule::AtMostOne => {
                        let none = json!({ "not": { "anyOf": each.clone() } });
                        let mut each = each;
                        each.push(none);
                        rules.push(json!({ "oneOf": each }));
                    }
                    Rule::Any => {}
                }
            }
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), Value::from("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    if !rules.is_empty() {
        schema.insert("allOf".to_owned(), Value::Array(rules));
    }
    Value::Object(schema)
}

/// Whether it is one of several that may stand there any number of times.
fn is_mixed(shape: &Shape, element: &Element) -> bool {
    shape.particles.iter().any(|particle| match particle {
        Particle::Choice(choice) if choice.rule.is_repeated() => {
            let mut all = choice.alternatives.iter().flat_map(|it| names_in(it));
            all.any(|one| one.name == element.name)
        }
        _ => false,
    })
}

fn of_element(element: &Element, repeated: bool, lines: &[&str]) -> Value {
    let one = match &element.content {
        Content::Empty => json!({"type": "object"}),
        Content::Value(kind) => of_value(kind),
        Content::Aggregate(shape) if shape.is_reference() => reference(),
        Content::Aggregate(shape) => {
            let mut inner = object(shape, &[]);
            if lines.contains(&element.base_name())
                && let Some(Value::Object(properties)) = inner.get_mut("properties")
            {
                let key = json!({"type": ["string", "number"],
                    "description": "The source's own key of the line, kept with its TxnLineID."});
                properties.insert(LINE_KEY.to_owned(), key);
            }
            inner
        }
    };
    let mut schema = if repeated {
        json!({"anyOf": [one.clone(), {"type": "array", "items": one}]})
    } else {
        one
    };
    if let (Some(text), Value::Object(members)) = (remarks(element), &mut schema) {
        members.insert("description".to_owned(), Value::from(text));
    }
    schema
}

/// Since when and where it exists, and what QuickBooks takes for nothing.
fn remarks(element: &Element) -> Option<String> {
    let mut remarks = Vec::new();
    if let Some(since) = element.availability.since {
        remarks.push(format!("Since qbXML {since}."));
    }
    if element.availability.editions != Editions::ALL {
        remarks.push(format!("Only in editions: {}.", element.availability.editions));
    }
    if let Some(default) = element.default {
        remarks.push(format!("QuickBooks takes {default} if it is missing."));
    }
    if let Some(ValueType::Text(limit)) = element.value() {
        remarks.extend(other_limits(*limit));
    }
    if remarks.is_empty() { None } else { Some(remarks.join(" ")) }
}

fn other_limits(limit: Limit) -> Option<String> {
    let us = limit.of(Edition::Us);
    let others: Vec<_> = Edition::ALL
        .into_iter()
        .filter(|edition| limit.of(*edition) != us)
        .filter_map(|edition| Some(format!("{} in {edition}", limit.of(edition)?)))
        .collect();
    if others.is_empty() {
        None
    } else {
        Some(format!("At most {} characters.", others.join(", ")))
    }
}

fn reference() -> Value {
    json!({"anyOf": [
        source(),
        {"type": "object", "properties": {"ListID": of_value(&ValueType::Id)}, "required": ["ListID"]},
        {"type": "object", "properties": {"FullName": {"type": "string"}}, "required": ["FullName"]},
        {"type": "null"},
    ]})
}

fn source() -> Value {
    json!({"type": "object", "required": ["source"], "additionalProperties": false,
        "properties": {"source": {"type": "string", "pattern": SOURCE,
            "description": "Another record of the same connection: Kind/sourceId."}}})
}

fn of_value(kind: &ValueType) -> Value {
    let number = |range: &Range, description: &str| {
        let mut schema = json!({"type": ["string", "number"], "description": description});
        for (name, bound) in [("minimum", range.min), ("maximum", range.max)] {
            if let Ok(bound) = bound.parse::<serde_json::Number>() {
                schema[name] = Value::Number(bound);
            }
        }
        schema
    };
    let none = Range::default();
    match kind {
        ValueType::Amount => number(&none, "An amount of money, at most two decimals."),
        ValueType::Bool => json!({"type": ["boolean", "string"]}),
        ValueType::Date => json!({"type": "string", "format": "date"}),
        ValueType::DateTime => {
            json!({"type": "string", "description": "Local time of the host: 2026-03-31T14:30:00."})
        }
        ValueType::Enum(values) => json!({"type": "string", "enum": values.to_vec()}),
        ValueType::Float => number(&none, "A number."),
        ValueType::Guid => json!({"type": "string", "description": "0, or a GUID in braces."}),
        ValueType::Id => json!({"anyOf": [{"type": "string", "maxLength": 36}, source()]}),
        ValueType::Int(range) => number(range, "A whole number."),
        ValueType::Interval => {
            json!({"type": "string", "description": "A duration such as PT8H30M0S."})
        }
        ValueType::Percent => number(&none, "Per cent, at most five decimals."),
        ValueType::Price(range) => number(range, "A price, at most five decimals."),
        ValueType::Quantity => number(&none, "A quantity, at most five decimals."),
        ValueType::Text(limit) => {
            let mut schema = json!({"type": ["string", "number", "boolean"]});
            if let Some(limit) = limit.of(Edition::Us) {
                schema["maxLength"] = Value::from(limit);
            }
            schema
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qbxml::schema::schema;

    #[test]
    fn a_customer_s_name_is_required_and_limited() {
        let schema = of_kind(schema().kind("Customer").unwrap());

        assert_eq!(schema["required"], json!(["Name"]));
        assert_eq!(schema["properties"]["Name"]["maxLength"], 41);
        assert_eq!(schema["properties"]["JobStatus"]["enum"][0], "Awarded");
    }

    #[test]
    fn the_lines_of_an_invoice_take_a_key() {
        let schema = of_kind(schema().kind("Invoice").unwrap());

        let line = &schema["properties"]["InvoiceLine"]["anyOf"][0]["properties"];
        assert!(line["#id"].is_object(), "{line}");
        assert!(line["ItemRef"]["anyOf"].is_array(), "{line}");
    }
}
