//! A QuickBooks small enough for a million sessions: objects, edit sequences, locks, and the memory
//! of message sets by the truth table of the SDK's error recovery.
//!
//! The full simulator runs the same worlds, slower; this one is what the counts are made with.

use std::collections::BTreeMap;

/// One object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) kind: String,
    /// What was written last.
    pub(crate) name: String,
    pub(crate) edit_sequence: u64,
    pub(crate) active: bool,
}

/// The company file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) objects: BTreeMap<String, Object>,
    /// How often an object was made for each record: the witness against duplicates.
    pub(crate) made: BTreeMap<String, u64>,
    /// Record tokens whose objects are locked for that many requests.
    pub(crate) locks: BTreeMap<String, u32>,
    memory: BTreeMap<String, (String, String)>,
    serial: u64,
    pub(crate) executed: u64,
}

fn attribute(text: &str, name: &str) -> Option<String> {
    let rest = text.split(&format!("{name}=\"")).nth(1)?;
    Some(rest.split('"').next()?.to_owned())
}

fn element(text: &str, name: &str) -> Option<String> {
    let rest = text.split(&format!("<{name}>")).nth(1)?;
    Some(rest.split('<').next()?.to_owned())
}

/// The record that an object stands for: the first word of its name.
pub(crate) fn token(name: &str) -> String {
    name.split(' ').next().unwrap_or_default().to_owned()
}

impl Books {
    /// Carries out a message set, or answers from memory.
    pub(crate) fn process(&mut self, qbxml: &str) -> String {
        let head = qbxml.split("<QBXMLMsgsRq").nth(1).unwrap().split('>').next().unwrap();
        let (new, old) = (attribute(head, "newMessageSetID"), attribute(head, "oldMessageSetID"));
        if let Some(new) = &new
            && let Some((bytes, response)) = self.memory.get(new)
        {
            if bytes == qbxml {
                return response.clone();
            }
            return format!(
                "<QBXML><QBXMLMsgsRs newMessageSetID=\"{new}\" messageSetStatusCode=\"9001\"/></QBXML>"
            );
        }
        if let Some(old) = &old {
            self.memory.remove(old);
        }
        self.executed += 1;
        let mut answers = String::new();
        for request in qbxml.split("Rq requestID=\"").skip(1).zip(names(qbxml)) {
            answers.push_str(&self.one(&request.1, request.0));
        }
        let Some(new) = new else {
            return format!("<QBXML><QBXMLMsgsRs>{answers}</QBXMLMsgsRs></QBXML>");
        };
        let response = format!(
            "<QBXML><QBXMLMsgsRs newMessageSetID=\"{new}\" messageSetStatusCode=\"0\">{answers}\
             </QBXMLMsgsRs></QBXML>"
        );
        self.memory.insert(new, (qbxml.to_owned(), response.clone()));
        response
    }

    fn one(&mut self, name: &str, rest: &str) -> String {
        let request_id = rest.split('"').next().unwrap().to_owned();
        let text = rest.split("Rq>").next().unwrap();
        let done = |kind: &str, id: &str, edit_sequence: u64| {
            format!(
                "<{name}Rs requestID=\"{request_id}\" statusCode=\"0\" statusSeverity=\"Info\"><{kind}Ret>\
                 <ListID>{id}</ListID><EditSequence>{edit_sequence}</EditSequence></{kind}Ret></{name}Rs>"
            )
        };
        let refused = |code: i32, message: &str| {
            format!(
                "<{name}Rs requestID=\"{request_id}\" statusCode=\"{code}\" statusSeverity=\"Error\" \
                 statusMessage=\"{message}\"/>"
            )
        };
        let full_name = element(text, "Name").unwrap_or_default();
        if let Some(kind) = name.strip_suffix("Add") {
            let token = token(&full_name);
            if self.locked(&token) {
                return refused(3175, "it is already in use");
            }
            self.serial += 1;
            let id = format!("{}-{}", self.serial, kind.len());
            *self.made.entry(token).or_default() += 1;
            let object = Object {
                kind: kind.to_owned(),
                name: full_name,
                edit_sequence: self.serial,
                active: true,
            };
            self.objects.insert(id.clone(), object);
            return done(kind, &id, self.serial);
        }
        let id = element(text, "ListID").unwrap_or_default();
        let Some(object) = self.objects.get(&id).cloned() else {
            let gone = format!("Object &quot;{id}&quot; specified in the request cannot be found.");
            return refused(if name.ends_with("Query") { 500 } else { 3120 }, &gone);
        };
        if name.ends_with("Query") {
            return done(&object.kind, &id, object.edit_sequence);
        }
        if self.locked(&token(&object.name)) {
            return refused(3175, "it is already in use");
        }
        let edit_sequence = element(text, "EditSequence").unwrap_or_default();
        if edit_sequence != object.edit_sequence.to_string() {
            let stale =
                format!("The provided edit sequence &quot;{edit_sequence}&quot; is out-of-date. ");
            return refused(3200, &stale);
        }
        self.serial += 1;
        let serial = self.serial;
        let changed = self.objects.get_mut(&id).unwrap();
        changed.name = full_name;
        changed.edit_sequence = serial;
        done(&object.kind, &id, serial)
    }

    fn locked(&mut self, token: &str) -> bool {
        match self.locks.get_mut(token) {
            Some(0) | None => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// The objects that stand for a record.
    pub(crate) fn of(&self, token: &str) -> Vec<(&String, &Object)> {
        self.objects.iter().filter(|(_, it)| self::token(&it.name) == token).collect()
    }
}

fn names(qbxml: &str) -> Vec<String> {
    let heads = qbxml.split("Rq requestID=\"");
    let mut names: Vec<_> =
        heads.map(|before| before.rsplit('<').next().unwrap().to_owned()).collect();
    names.pop();
    names
}
