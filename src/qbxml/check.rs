//! What QuickBooks would refuse, found before anything is queued: all of it, each with its place.

use serde_json::Value;

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::qbxml::schema::Element;
use crate::qbxml::schema::Kind;
use crate::qbxml::schema::ValueType;
use crate::qbxml::schema::schema;
use crate::qbxml::version::Edition;
use crate::qbxml::version::Target;
use crate::qbxml::write::Mode;
use crate::qbxml::write::Writer;

/// Transactions that QuickBooks refuses as empty, though the schema lets them pass (status 3180,
/// "transaction is empty": field log).
const NEEDS_LINES: &[&str] = &[
    "Invoice",
    "CreditMemo",
    "Estimate",
    "SalesOrder",
    "Bill",
    "ItemReceipt",
    "VendorCredit",
    "Check",
    "CreditCardCharge",
    "CreditCardCredit",
];
/// Aggregates of five address lines.
const ADDRESSES: &[&str] = &["BillAddress", "ShipAddress", "VendorAddress", "Address"];

/// Checks `data` of a record as QuickBooks would take it anew. Pointers begin with `/data`.
pub fn check(kind: &str, data: &Value, target: &Target) -> Vec<Finding> {
    let Some(kind) = schema().kind(kind) else {
        return vec![Finding::new(Code::UnknownField).at("/kind").fact("field", kind)];
    };
    let Value::Object(members) = data else {
        let finding = Finding::new(Code::InvalidValue).cause("not_an_object").at("/data");
        return vec![finding.fact("field", "data").fact("expected", "an object")];
    };
    let mut writer = Writer::new(*target, Mode::New);
    writer.own = kind.name;
    writer.line_names = &kind.lines;
    if let Some(body) = Kind::body(&kind.add) {
        writer.attributes(&body.attributes, members, "/data");
    }
    let other = kind.modify.as_ref().map(|message| Kind::shape(message).clone());
    writer.aggregate(Kind::shape(&kind.add), other.as_deref(), members, "/data");
    practical(&mut writer, kind, members);
    writer.findings
}

/// The most characters that the value at a pointer such as `/BillAddress/Addr1` may have.
pub fn limit(kind: &str, pointer: &str, edition: Edition) -> Option<usize> {
    at(kind, pointer, |element| match element.value()? {
        ValueType::Text(limit) => limit.of(edition),
        _ => None,
    })
}

/// Where a person types what is missing at a pointer: there, or in the name of a reference.
pub fn typed_at(kind: &str, pointer: &str) -> Option<String> {
    at(kind, pointer, |element| match (element.value(), element.shape()) {
        (Some(_), _) => Some(pointer.to_owned()),
        (None, Some(shape)) if shape.is_reference() => Some(format!("{pointer}/FullName")),
        _ => None,
    })
}

/// What an element says, found by its pointer.
fn at<T>(kind: &str, pointer: &str, read: impl Fn(&Element) -> Option<T>) -> Option<T> {
    let kind = schema().kind(kind)?;
    let mut shape = Kind::shape(&kind.add).clone();
    let mut parts = pointer.trim_start_matches('/').split('/').peekable();
    while let Some(part) = parts.next() {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let add = format!("{part}Add");
        let element = shape.element(part).or_else(|| shape.element(&add))?;
        match (parts.peek(), element.shape()) {
            (Some(_), Some(inner)) => {
                let inner = inner.clone();
                shape = inner;
            }
            (None, _) => return read(element),
            _ => return None,
        }
    }
    None
}

/// Rules that the schema does not state.
fn practical(writer: &mut Writer<'_>, kind: &Kind, members: &serde_json::Map<String, Value>) {
    let has = |name: &str| {
        members.iter().any(|(key, value)| {
            crate::qbxml::schema::base_name(key) == name
                && match value {
                    Value::Array(items) => !items.is_empty(),
                    Value::Null => false,
                    _ => true,
                }
        })
    };
    let empty = NEEDS_LINES.contains(&kind.name)
        && !kind.lines.iter().any(|line| has(line))
        && !has("Lines")
        && !has("LinkToTxnID");
    if empty {
        let finding = Finding::new(Code::MissingField).cause("empty_transaction").at("/data");
        writer.find(finding.fact("field", kind.lines.join(" or ")).fact("kind", kind.name));
    }
    for name in ADDRESSES {
        let Some(address) = members.get(*name).and_then(Value::as_object) else { continue };
        let given = |line: &str| {
            address.get(line).and_then(Value::as_str).is_some_and(|it| !it.trim().is_empty())
        };
        // QuickBooks puts city, state and postal code into the lines that are left: four at most
        // (status 3210 "address": consolibyte).
        if (given("Addr4") || given("Addr5")) && (given("City") || given("PostalCode")) {
            let finding = Finding::new(Code::InvalidValue).cause("invalid_address");
            let at = format!("/data/{name}/Addr4");
            writer.find(finding.at(at).fact("field", format!("{name}/Addr4")));
        }
    }
}
