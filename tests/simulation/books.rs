//! A QuickBooks small enough for a million sessions: objects, edit sequences, locks, and the memory
//! of message sets by the truth table of the SDK's error recovery.
//!
//! The counts are made with this one. The simulator that the program brings along
//! (`src/simulator`) knows all kinds, fields and refusals; its stories are those of
//! `tests/simulator` and `tests/whole`.

use std::collections::BTreeMap;

/// Whether QuickBooks keeps a response to tell it again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Storing {
    #[default]
    Works,
    /// Asked for it again, QuickBooks says that it is not stored (9002).
    Fails,
    /// It says so in the response itself (9005).
    FailsAloud,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    pub(crate) kind: String,
    /// What was written last.
    pub(crate) name: String,
    pub(crate) edit_sequence: u64,
    pub(crate) active: bool,
    /// Whom it is with, as it was sent.
    pub(crate) party: String,
}

/// The company file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) objects: BTreeMap<String, Object>,
    /// How often an object was made for each record: the witness against duplicates.
    pub(crate) made: BTreeMap<String, u64>,
    /// Record tokens whose objects are locked for that many requests.
    pub(crate) locks: BTreeMap<String, u32>,
    /// How many objects of each record a person deleted.
    pub(crate) deleted: BTreeMap<String, u64>,
    /// The record that each id was given to. No backup takes that back.
    pub(crate) given: BTreeMap<String, String>,
    /// Records whose objects were made or changed, until somebody takes note of it.
    pub(crate) written: Vec<String>,
    memory: BTreeMap<String, (String, String)>,
    /// What becomes of the next response.
    pub(crate) storing: Storing,
    /// The next write is refused with an internal error.
    pub(crate) stumbles: bool,
    /// The books are closed up to a date that no transaction is after.
    pub(crate) closed: bool,
    serial: u64,
    pub(crate) executed: u64,
}

pub(crate) fn attribute(text: &str, name: &str) -> Option<String> {
    let rest = text.split(&format!("{name}=\"")).nth(1)?;
    Some(rest.split('"').next()?.to_owned())
}

pub(crate) fn element(text: &str, name: &str) -> Option<String> {
    let rest = text.split(&format!("<{name}>")).nth(1)?;
    Some(rest.split('<').next()?.to_owned())
}

fn between(text: &str, begins: &str, ends: &str) -> Option<String> {
    Some(text.split(begins).nth(1)?.split(ends).next()?.to_owned())
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
            let status = match (bytes == qbxml, response.is_empty()) {
                (true, false) => return response.clone(),
                (true, true) => 9002,
                (false, _) => 9001,
            };
            return format!(
                "<QBXML><QBXMLMsgsRs newMessageSetID=\"{new}\" messageSetStatusCode=\"{status}\"/></QBXML>"
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
        let storing = std::mem::take(&mut self.storing);
        let status = if storing == Storing::FailsAloud { 9005 } else { 0 };
        let response = format!(
            "<QBXML><QBXMLMsgsRs newMessageSetID=\"{new}\" messageSetStatusCode=\"{status}\">{answers}\
             </QBXMLMsgsRs></QBXML>"
        );
        let kept = if storing == Storing::Works { response.clone() } else { String::new() };
        self.memory.insert(new, (qbxml.to_owned(), kept));
        response
    }

    fn one(&mut self, name: &str, rest: &str) -> String {
        let request_id = rest.split('"').next().unwrap().to_owned();
        let text = rest.split("Rq>").next().unwrap();
        let done = |rets: &str| {
            format!(
                "<{name}Rs requestID=\"{request_id}\" statusCode=\"0\" statusSeverity=\"Info\">{rets}</{name}Rs>"
            )
        };
        let refused = |code: i32, message: &str| {
            format!(
                "<{name}Rs requestID=\"{request_id}\" statusCode=\"{code}\" statusSeverity=\"Error\" \
                 statusMessage=\"{message}\"/>"
            )
        };
        let number = element(text, "RefNumber").unwrap_or_default();
        let full_name = element(text, "Name")
            .unwrap_or_else(|| format!("{number} {}", element(text, "Memo").unwrap_or_default()));
        let writes = !name.ends_with("Query");
        if writes && std::mem::take(&mut self.stumbles) {
            return refused(1000, "There has been an internal error when processing the request.");
        }
        if writes && self.closed && !name.starts_with("Customer") {
            let kind = name.trim_end_matches("Add").trim_end_matches("Mod");
            let message = format!(
                "An attempt was made to modify a {kind} with a date that is on or before the \
                 closing date of the company."
            );
            return refused(3171, &message);
        }
        if let Some(kind) = name.strip_suffix("Add") {
            let token = token(&full_name);
            if kind == "Invoice"
                && let Some(id) = element(text, "ListID")
                && !self.objects.get(&id).is_some_and(|customer| customer.active)
            {
                let message = format!(
                    "There is an invalid reference to QuickBooks Customer &quot;{id}&quot; in the \
                     Invoice.  QuickBooks error message: Invalid argument.  The specified record \
                     does not exist in the list."
                );
                return refused(3140, &message);
            }
            if self.locked(&token) {
                return refused(3175, "it is already in use");
            }
            let is_same = |object: &Object| object.kind == "Customer" && object.name == full_name;
            if kind == "Customer" && self.objects.values().any(is_same) {
                let message = format!(
                    "The name &quot;{full_name}&quot; of the list element is already in use."
                );
                return refused(3100, &message);
            }
            self.serial += 1;
            let id = format!("{}-{}", self.serial, kind.len());
            *self.made.entry(token.clone()).or_default() += 1;
            self.given.insert(id.clone(), token.clone());
            self.written.push(token);
            let object = Object {
                kind: kind.to_owned(),
                name: full_name,
                edit_sequence: self.serial,
                active: true,
                party: between(text, "<CustomerRef>", "</CustomerRef>").unwrap_or_default(),
            };
            let made = ret(&id, &object);
            self.objects.insert(id, object);
            return done(&made);
        }
        let asked = element(text, "FullName").map(|name| (name, true));
        let asked = asked.or_else(|| element(text, "RefNumber").map(|number| (number, false)));
        let since = text.contains("FromModifiedDate");
        // What is asked by its modification is all that there is, here without a clock.
        if let Some(kind) = name.strip_suffix("Query").filter(|_| since || asked.is_some()) {
            let mut rets = String::new();
            for (id, object) in self.objects.iter().filter(|(_, object)| object.kind == kind) {
                let found = asked.as_ref().is_none_or(|(asked, whole)| {
                    if *whole { object.name == *asked } else { token(&object.name) == *asked }
                });
                if found {
                    rets.push_str(&ret(id, object));
                }
            }
            return if rets.is_empty() { refused(1, "nothing was found") } else { done(&rets) };
        }
        // An invoice names its customer by a ListID, behind its own TxnID.
        let id = element(text, "TxnID").or_else(|| element(text, "ListID")).unwrap_or_default();
        let Some(object) = self.objects.get(&id).cloned() else {
            let gone = format!("Object &quot;{id}&quot; specified in the request cannot be found.");
            return refused(if name.ends_with("Query") { 500 } else { 3120 }, &gone);
        };
        if name.ends_with("Query") {
            return done(&ret(&id, &object));
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
        self.written.push(token(&changed.name));
        let now = ret(&id, changed);
        done(&now)
    }

    /// Goes back to a backup. Ids are not given twice: QuickBooks puts the time into them.
    pub(crate) fn restore(&mut self, backup: Self) {
        let given = std::mem::take(&mut self.given);
        *self = Self { serial: self.serial, given, ..backup };
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

fn ret(id: &str, object: &Object) -> String {
    let Object { kind, name, edit_sequence, active, party } = object;
    let is_list = kind == "Customer";
    let (id_name, name) = if is_list {
        ("ListID", format!("<FullName>{name}</FullName><IsActive>{active}</IsActive>"))
    } else {
        let number = token(name);
        ("TxnID", format!("<CustomerRef>{party}</CustomerRef><RefNumber>{number}</RefNumber>"))
    };
    format!(
        "<{kind}Ret><{id_name}>{id}</{id_name}><EditSequence>{edit_sequence}</EditSequence>{name}</{kind}Ret>"
    )
}

fn names(qbxml: &str) -> Vec<String> {
    let heads = qbxml.split("Rq requestID=\"");
    let mut names: Vec<_> =
        heads.map(|before| before.rsplit('<').next().unwrap().to_owned()).collect();
    names.pop();
    names
}
