//! What stands at the ends of the walk: values, references, attributes.

use serde_json::Map;
use serde_json::Value;

use super::ATTRIBUTE;
use super::Mode;
use super::Writer;
use super::escape_pointer;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::qbxml::build::Resolved;
use crate::qbxml::lists;
use crate::qbxml::scalar;
use crate::qbxml::schema::Attribute;
use crate::qbxml::schema::Element;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::Kind;
use crate::qbxml::schema::ValueType;
use crate::qbxml::schema::schema;
use crate::qbxml::text;

impl Writer<'_> {
    pub(super) fn reference(&mut self, element: &Element, members: &Map<String, Value>, at: &str) {
        match self.resolved(element, members, at) {
            Some(Resolved::Id(id)) => self.text_element("ListID", &id),
            Some(Resolved::FullName(name)) => self.text_element("FullName", &name),
            None => {}
        }
    }

    /// Where another record stands. A reference that cannot be resolved is a finding.
    fn resolved(
        &mut self,
        element: &Element,
        members: &Map<String, Value>,
        at: &str,
    ) -> Option<Resolved> {
        let source = members.get("source").and_then(Value::as_str).unwrap_or_default();
        let named = source.split_once('/').filter(|_| members.len() == 1);
        let named = named.filter(|(_, id)| RecordKey::check_source_id(id).is_ok());
        let Some((kind, _)) = named.and_then(|(kind, id)| Some((schema().kind(kind)?, id))) else {
            let finding = Finding::new(Code::InvalidValue).cause("bad_source").at(at);
            let expected = "{\"source\": \"Kind/sourceId\"} and nothing else";
            let kind = named.map(|(kind, _)| kind).unwrap_or_default();
            let kinds = schema().kinds().map(|kind| kind.name);
            let finding = match text::nearest(kind, kinds).filter(|_| !kind.is_empty()) {
                Some(nearest) => finding.fact("nearest", nearest),
                None => finding,
            };
            let shown: String = source.chars().take(250).collect();
            let finding = finding.fact("field", "source").fact("value", shown);
            self.find(finding.fact("expected", expected));
            return None;
        };
        if let Some(expected) = self.expected(element, kind) {
            let finding = Finding::new(Code::InvalidValue).cause("source_of_other_kind").at(at);
            let finding = finding.fact("field", element.base_name()).fact("value", source);
            self.find(finding.fact("expected", expected));
            return None;
        }
        let Some(resolve) = self.resolve else { return Some(Resolved::Id("0".to_owned())) };
        let found = resolve(source);
        if found.is_none() {
            let finding = Finding::new(Code::ReferenceNotFound).cause("source_not_there").at(at);
            self.find(finding.fact("value", source));
        }
        found
    }

    /// What belongs there, if a record of that kind does not.
    fn expected(&self, element: &Element, kind: &Kind) -> Option<String> {
        let name = element.name;
        if let Some(list) = lists::of(name, self.own).filter(|list| !list.is_empty()) {
            return (!lists::fits(list, kind.name)).then(|| list.to_owned());
        }
        match kind.identity {
            Identity::List if name.ends_with("TxnID") => Some("a transaction".to_owned()),
            Identity::Transaction if name.ends_with("ListID") || name.ends_with("Ref") => {
                Some("an element of a list".to_owned())
            }
            _ => None,
        }
    }

    pub(super) fn value(&mut self, element: &Element, kind: &ValueType, value: &Value, at: &str) {
        let from_source = match (kind, value) {
            (ValueType::Id, Value::Object(members)) if members.contains_key("source") => {
                match self.resolved(element, members, at) {
                    Some(Resolved::Id(id)) => Some(id),
                    Some(Resolved::FullName(_)) => {
                        let finding = Finding::new(Code::ReferenceNotFound);
                        let source = members["source"].as_str().unwrap_or_default();
                        let finding = finding.cause("source_without_id").at(at);
                        self.find(finding.fact("value", source));
                        return;
                    }
                    None => return,
                }
            }
            _ => None,
        };
        let canonical = match from_source {
            Some(id) => Ok(id),
            None => scalar::canonical(kind, value, self.target.edition),
        };
        match canonical {
            Ok(text)
                if text.is_empty() && self.mode == Mode::New && !element.occurs.is_required() => {}
            Ok(text) if text.is_empty() && element.occurs.is_required() => {
                let finding = Finding::new(Code::MissingField).at(at);
                self.find(finding.fact("field", element.base_name()));
            }
            Ok(text) => {
                self.names(element.name, &text, at);
                self.open(element, value, at);
                text::escape(&text, &mut self.out);
                self.close(element);
            }
            Err(finding) => self.find(finding.at(at).fact("field", element.base_name())),
        }
    }

    /// A colon separates the levels of a full name and cannot stand in a name (status 3090).
    fn names(&mut self, name: &str, text: &str, at: &str) {
        if name == "Name" && self.depth == 1 && text.contains(':') {
            let finding = Finding::new(Code::InvalidCharacters).cause("colon_in_name").at(at);
            self.find(finding.fact("field", name).fact("characters", ":").fact("value", text));
        }
    }

    pub(super) fn text_element(&mut self, name: &str, text: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        text::escape(text, &mut self.out);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    pub(super) fn open(&mut self, element: &Element, value: &Value, at: &str) {
        self.out.push('<');
        self.out.push_str(element.name);
        if let Value::Object(members) = value {
            self.attributes(&element.attributes, members, at);
        }
        self.out.push('>');
    }

    pub(super) fn close(&mut self, element: &Element) {
        self.out.push_str("</");
        self.out.push_str(element.name);
        self.out.push('>');
    }

    /// Writes the attributes, given as members that begin with `@`.
    pub(crate) fn attributes(
        &mut self,
        known: &[Attribute],
        members: &Map<String, Value>,
        pointer: &str,
    ) {
        for (name, value) in members {
            let Some(name) = name.strip_prefix(ATTRIBUTE) else { continue };
            let at = format!("{pointer}/@{}", escape_pointer(name));
            let Some(attribute) = known.iter().find(|attribute| attribute.name == name) else {
                let finding = Finding::new(Code::UnknownField).at(at);
                let shown: String = name.chars().take(80).collect();
                self.find(finding.fact("field", format!("@{shown}")));
                continue;
            };
            match scalar::canonical(&attribute.value, value, self.target.edition) {
                Ok(text) => {
                    self.out.push(' ');
                    self.out.push_str(attribute.name);
                    self.out.push_str("=\"");
                    text::escape(&text, &mut self.out);
                    self.out.push('"');
                }
                Err(finding) => {
                    self.find(finding.at(at).fact("field", format!("@{name}")));
                }
            }
        }
    }
}
