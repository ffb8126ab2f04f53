//! A record becomes the request that brings it into QuickBooks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::Kind;
use crate::qbxml::schema::Message;
use crate::qbxml::schema::schema;
use crate::qbxml::text;
use crate::qbxml::version::Target;
use crate::qbxml::version::Version;
use crate::qbxml::write::Mode;
use crate::qbxml::write::Writer;

/// References in data that are followed; more is a mistake.
const MAX_REFERENCES: usize = 10_000;
/// Nesting of data that is looked into.
const MAX_DEPTH: usize = 16;

/// Where another record stands in QuickBooks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resolved {
    /// Its ListID or TxnID.
    Id(String),
    /// Its full name, for a list object whose id nobody knows.
    FullName(String),
}

/// What the request does.
#[derive(Clone, Copy, Debug)]
pub enum Operation<'a> {
    /// Makes the object.
    Add,
    /// Changes the object.
    Mod {
        /// Its ListID or TxnID.
        id: &'a str,
        /// Its edit sequence.
        edit_sequence: &'a str,
        /// `"#id"` of lines and their `TxnLineID`s.
        lines: &'a BTreeMap<String, String>,
    },
    /// Deletes the object.
    Delete {
        /// Its ListID or TxnID.
        id: &'a str,
    },
    /// Voids the transaction.
    Void {
        /// Its TxnID.
        id: &'a str,
    },
    /// Asks for the object as it stands, with its lines.
    Query {
        /// Its ListID or TxnID.
        id: &'a str,
    },
}

/// Where the record of a `{"source": …}` stands.
pub type Resolve<'a> = dyn Fn(&str) -> Option<Resolved> + 'a;

/// What is to be built.
pub struct Build<'a> {
    /// The kind of the record.
    pub kind: &'a str,
    /// What the request does.
    pub operation: Operation<'a>,
    /// The record's data.
    pub data: &'a Value,
    /// The QuickBooks that it is for.
    pub target: &'a Target,
    /// `requestID`, at most 50 characters (status 1060).
    pub request_id: &'a str,
    /// Where the record behind `{"source": …}` stands.
    pub resolve: &'a Resolve<'a>,
}

/// A request, written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Built {
    /// The whole `…Rq` element, ASCII.
    pub xml: String,
    /// `"#id"` of the lines, in the order written.
    pub lines: Vec<Option<String>>,
    /// The lowest qbXML version that knows everything in it.
    pub version: Version,
}

/// Writes the request.
///
/// # Errors
///
/// All that QuickBooks would refuse, or a reference that does not resolve.
pub fn build(build: &Build<'_>) -> Result<Built, Vec<Finding>> {
    let Some(kind) = schema().kind(build.kind) else {
        return Err(vec![Finding::new(Code::UnknownField).at("/kind").fact("field", build.kind)]);
    };
    match build.operation {
        Operation::Add => write(build, kind, &kind.add, Mode::New, &Map::new(), None),
        Operation::Mod { id, edit_sequence, lines } => {
            let Some(message) = &kind.modify else { return Err(vec![cannot(kind, "no_mod")]) };
            let mut own = Map::new();
            own.insert(id_element(kind).to_owned(), Value::from(id));
            own.insert("EditSequence".to_owned(), Value::from(edit_sequence));
            write(build, kind, message, Mode::Change, &own, Some(lines))
        }
        Operation::Delete { id } => {
            let Some(kind_name) = kind.delete_type else {
                return Err(vec![cannot(kind, "no_delete")]);
            };
            let family = if kind.identity == Identity::List { "List" } else { "Txn" };
            Ok(short(
                build,
                &format!("{family}Del"),
                &[(&format!("{family}DelType"), kind_name), (id_element(kind), id)],
            ))
        }
        Operation::Void { id } => {
            let Some(kind_name) = kind.void_type else {
                return Err(vec![cannot(kind, "no_void")]);
            };
            Ok(short(build, "TxnVoid", &[("TxnVoidType", kind_name), ("TxnID", id)]))
        }
        Operation::Query { id } => {
            let Some(message) = &kind.query else { return Err(vec![cannot(kind, "no_query")]) };
            let name = message.name.strip_suffix("Rq").unwrap_or(message.name);
            let mut content = vec![(id_element(kind), id)];
            if message.shape.element("IncludeLineItems").is_some() {
                content.push(("IncludeLineItems", "true"));
            }
            Ok(short(build, name, &content))
        }
    }
}

fn id_element(kind: &Kind) -> &'static str {
    kind.identity.element().unwrap_or("ListID")
}

fn cannot(kind: &Kind, cause: &str) -> Finding {
    Finding::new(Code::FeatureNotAvailable).cause(cause).fact("kind", kind.name)
}

/// A request of a few plain elements.
fn short(build: &Build<'_>, name: &str, content: &[(&str, &str)]) -> Built {
    let mut xml = open(name, build.request_id);
    for (element, value) in content {
        xml.push('<');
        xml.push_str(element);
        xml.push('>');
        text::escape(value, &mut xml);
        xml.push_str("</");
        xml.push_str(element);
        xml.push('>');
    }
    let _ = write!(xml, "</{name}Rq>");
    Built { xml, lines: Vec::new(), version: Version::FIRST }
}

fn open(name: &str, request_id: &str) -> String {
    let mut xml = format!("<{name}Rq requestID=\"");
    text::escape(request_id, &mut xml);
    xml.push_str("\">");
    xml
}

fn write(
    build: &Build<'_>,
    kind: &Kind,
    message: &Message,
    mode: Mode,
    own: &Map<String, Value>,
    line_ids: Option<&BTreeMap<String, String>>,
) -> Result<Built, Vec<Finding>> {
    let Value::Object(members) = build.data else {
        let finding = Finding::new(Code::InvalidValue).cause("not_an_object").at("/data");
        return Err(vec![finding.fact("field", "data").fact("expected", "an object")]);
    };
    let mut writer = Writer::new(*build.target, mode);
    writer.resolve = Some(build.resolve);
    writer.own = kind.name;
    writer.line_names = &kind.lines;
    writer.line_ids = line_ids;
    let mut members = members.clone();
    members.extend(own.clone());
    let other = match mode {
        Mode::New => kind.modify.as_ref(),
        Mode::Change => Some(&kind.add),
    };
    let other = other.map(|message| Kind::shape(message).clone());
    let name = message.name.strip_suffix("Rq").unwrap_or(message.name);
    writer.out = open(name, build.request_id);
    if let Some(body) = Kind::body(message) {
        let _ = write!(writer.out, "<{}", body.name);
        writer.attributes(&body.attributes, &members, "/data");
        writer.out.push('>');
    }
    writer.aggregate(Kind::shape(message), other.as_deref(), &members, "/data");
    if let Some(body) = Kind::body(message) {
        let _ = write!(writer.out, "</{}>", body.name);
    }
    let _ = write!(writer.out, "</{name}Rq>");
    if writer.findings.is_empty() {
        Ok(Built { xml: writer.out, lines: writer.lines, version: writer.needs })
    } else {
        Err(writer.findings)
    }
}

/// All that would go to QuickBooks of a record, as an Add and as a Mod, whatever the host: two
/// records with the same content are the same to QuickBooks. `None` if it could not be written.
pub fn content(kind: &str, data: &Value) -> Option<String> {
    let resolve = |source: &str| Some(Resolved::Id(format!("source {source}")));
    let no_lines = BTreeMap::new();
    let change = Operation::Mod { id: "0", edit_sequence: "0", lines: &no_lines };
    let changes = schema().kind(kind)?.modify.is_some();
    let mut content = String::new();
    for operation in [Some(Operation::Add), Some(change).filter(|_| changes)].into_iter().flatten()
    {
        let target = &Target::default();
        let whole = Build { kind, operation, data, target, request_id: "0", resolve: &resolve };
        let built = build(&whole).ok()?;
        let _ = write!(content, "{}{:?}", built.xml, built.lines);
    }
    Some(content)
}

/// A `{"source": "Kind/sourceId"}` in data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceReference {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// The kind of the record that it names.
    pub kind: String,
    /// Its source id, which may hold slashes.
    pub source_id: String,
}

/// Every reference to another record, in the order of the data.
pub fn references(data: &Value) -> Vec<SourceReference> {
    let mut found = Vec::new();
    collect(data, "/data", 0, &mut found);
    found
}

fn collect(value: &Value, pointer: &str, depth: usize, found: &mut Vec<SourceReference>) {
    if depth > MAX_DEPTH || found.len() >= MAX_REFERENCES {
        return;
    }
    match value {
        Value::Object(members) => {
            let source = members.get("source").and_then(Value::as_str);
            if let Some((kind, source_id)) = source.and_then(|source| source.split_once('/')) {
                found.push(SourceReference {
                    pointer: pointer.to_owned(),
                    kind: kind.to_owned(),
                    source_id: source_id.to_owned(),
                });
            }
            for (name, value) in members {
                collect(value, &format!("{pointer}/{name}"), depth + 1, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{index}"), depth + 1, found);
            }
        }
        _ => {}
    }
}
