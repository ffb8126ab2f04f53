//! A QuickBooks small enough for a million sessions: objects, edit sequences, locks, and the memory
//! of message sets by the truth table of the SDK's error recovery.
//!
//! The counts are made with this one. The simulator that the program brings along
//! (`src/simulator`) knows all kinds, fields and refusals; its stories are those of
//! `tests/simulator` and `tests/whole`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::Timestamp;

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

/// Kinds that are switched off.
const OFF: [&str; 4] = ["Class", "Estimate", "SalesOrder", "PurchaseOrder"];
/// Objects in one answer of an iterator, whatever is asked for.
const PAGE: usize = 2;
/// How far the PC's time is from ours, in hours: it tells its own, and reads all others as such.
const ZONE: i64 = -8;

/// One object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    pub(crate) kind: String,
    /// What was written last: a name, or a number and a memo.
    pub(crate) name: String,
    pub(crate) edit_sequence: u64,
    pub(crate) active: bool,
    pub(crate) voided: bool,
    /// Whom it is with, as it was sent.
    pub(crate) party: String,
    created: i64,
    modified: i64,
}

impl Object {
    fn number(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    fn ret(&self, id: &str) -> String {
        let Self { kind, name, edit_sequence, active, party, .. } = self;
        let (created, modified) = (stamp(self.created), stamp(self.modified));
        let times = format!(
            "<TimeCreated>{created}</TimeCreated><TimeModified>{modified}</TimeModified>\
             <EditSequence>{edit_sequence}</EditSequence>"
        );
        if kind == "Customer" {
            return format!(
                "<CustomerRet><ListID>{id}</ListID>{times}<Name>{name}</Name>\
                 <FullName>{name}</FullName><IsActive>{active}</IsActive></CustomerRet>"
            );
        }
        let number = self.number();
        format!(
            "<{kind}Ret><TxnID>{id}</TxnID>{times}<CustomerRef>{party}</CustomerRef>\
             <TxnDate>2026-03-02</TxnDate><RefNumber>{number}</RefNumber></{kind}Ret>"
        )
    }
}

/// What was deleted, as QuickBooks remembers it.
#[derive(Clone, Debug)]
struct Gone {
    id: String,
    object: Object,
    at: i64,
}

/// What was deleted or voided because we said so.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) token: String,
    /// A person had changed it.
    pub(crate) edited: bool,
}

/// The company file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) objects: BTreeMap<String, Object>,
    /// How often an object was made for each record: the witness against duplicates.
    pub(crate) made: BTreeMap<String, u64>,
    /// Record tokens whose objects are locked for that many requests.
    pub(crate) locks: BTreeMap<String, u32>,
    /// How many objects of each record were deleted.
    pub(crate) deleted: BTreeMap<String, u64>,
    /// The record that each id was given to. No backup takes that back.
    pub(crate) given: BTreeMap<String, String>,
    /// Records whose objects were made or changed, until somebody takes note of it.
    pub(crate) written: Vec<String>,
    /// What was taken out for us, until somebody takes note of it.
    pub(crate) taken: Vec<Taken>,
    memory: BTreeMap<String, (String, String)>,
    /// What becomes of the next response.
    pub(crate) storing: Storing,
    /// The next write is refused with an internal error.
    pub(crate) stumbles: bool,
    /// The books are closed up to a date that no transaction is after.
    pub(crate) closed: bool,
    /// The PC's clock, in seconds.
    pub(crate) now: i64,
    /// What the iterators of this session have not told yet.
    iterators: BTreeMap<String, Vec<String>>,
    gone: Vec<Gone>,
    serial: u64,
    pub(crate) executed: u64,
}

pub(crate) fn attribute(text: &str, name: &str) -> Option<String> {
    let rest = text.split(&format!("{name}=\"")).nth(1)?;
    Some(rest.split('"').next()?.to_owned())
}

pub(crate) fn element(text: &str, name: &str) -> Option<String> {
    between(text, &format!("<{name}>"), "<")
}

fn between(text: &str, begins: &str, ends: &str) -> Option<String> {
    Some(text.split(begins).nth(1)?.split(ends).next()?.to_owned())
}

/// The record that an object stands for: the first word of its name, or the second one, if that is
/// a twin, which has another one's number. A suffix that makes a number unique is no part of it.
pub(crate) fn token(name: &str) -> String {
    let mut words = name.split(' ');
    let first = words.next().unwrap_or_default();
    let own = words.next().filter(|word| word.starts_with('T')).unwrap_or(first);
    own.split('-').next().unwrap_or_default().to_owned()
}

/// A time as QuickBooks tells it.
fn stamp(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds).unwrap() + SignedDuration::from_hours(ZONE);
    at.strftime("%Y-%m-%dT%H:%M:%S-08:00").to_string()
}

/// One request, taken apart.
struct Asked<'a> {
    name: &'a str,
    request_id: String,
    head: &'a str,
    text: &'a str,
}

impl Asked<'_> {
    fn get(&self, member: &str) -> Option<String> {
        element(self.text, member)
    }

    fn answer(&self, attributes: &str, rets: &str) -> String {
        let Self { name, request_id, .. } = self;
        format!(
            "<{name}Rs requestID=\"{request_id}\" statusCode=\"0\" statusSeverity=\"Info\"{attributes}>\
             {rets}</{name}Rs>"
        )
    }

    fn done(&self, rets: &str) -> String {
        self.answer("", rets)
    }

    fn refused(&self, code: i32, message: &str) -> String {
        let Self { name, request_id, .. } = self;
        format!(
            "<{name}Rs requestID=\"{request_id}\" statusCode=\"{code}\" statusSeverity=\"Error\" \
             statusMessage=\"{message}\"/>"
        )
    }
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
        for (name, rest) in requests(qbxml) {
            let (request_id, text) = rest.split_once('"').unwrap();
            let (head, text) = text.split_once('>').unwrap();
            let text = text.split("Rq>").next().unwrap();
            let text = if head.ends_with('/') { "" } else { text };
            let asked = Asked { name, request_id: request_id.to_owned(), head, text };
            answers.push_str(&self.one(&asked));
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

    fn one(&mut self, asked: &Asked<'_>) -> String {
        self.now += 1;
        let name = asked.name;
        if let Some(kind) = name.strip_suffix("Query") {
            return self.query(kind, asked);
        }
        if std::mem::take(&mut self.stumbles) {
            let why = "There has been an internal error when processing the request.";
            return asked.refused(1000, why);
        }
        if self.closed && !name.starts_with("Customer") && !name.starts_with("List") {
            let kind = name.trim_end_matches("Add").trim_end_matches("Mod");
            let message = format!(
                "An attempt was made to modify a {kind} with a date that is on or before the \
                 closing date of the company."
            );
            return asked.refused(if name == "TxnDel" { 3161 } else { 3171 }, &message);
        }
        if let Some(kind) = name.strip_suffix("Add") {
            return self.add(kind, asked);
        }
        // An invoice names its customer by a ListID, behind its own TxnID.
        let id = asked.get("TxnID").or_else(|| asked.get("ListID")).unwrap_or_default();
        let Some(object) = self.objects.get(&id).cloned() else {
            let gone = format!("Object &quot;{id}&quot; specified in the request cannot be found.");
            return asked.refused(3120, &gone);
        };
        if self.locked(&token(&object.name)) {
            return asked.refused(3175, "it is already in use");
        }
        match name {
            "ListDel" | "TxnDel" => self.delete(&id, &object, asked),
            "TxnVoid" => self.void(&id, &object, asked),
            _ => self.change(&id, &object, asked),
        }
    }

    fn add(&mut self, kind: &str, asked: &Asked<'_>) -> String {
        let name = asked.get("Name").unwrap_or_else(|| called(asked, ""));
        let token = token(&name);
        if kind == "Invoice"
            && let Some(named) = asked.get("ListID").or_else(|| asked.get("FullName"))
            && !self.has_customer(&named)
        {
            let message = format!(
                "There is an invalid reference to QuickBooks Customer &quot;{named}&quot; in the \
                 Invoice.  QuickBooks error message: Invalid argument.  The specified record \
                 does not exist in the list."
            );
            return asked.refused(3140, &message);
        }
        if self.locked(&token) {
            return asked.refused(3175, "it is already in use");
        }
        let is_same = |object: &Object| object.kind == "Customer" && object.name == name;
        if kind == "Customer" && self.objects.values().any(is_same) {
            let message =
                format!("The name &quot;{name}&quot; of the list element is already in use.");
            return asked.refused(3100, &message);
        }
        self.serial += 1;
        let id = format!("{}-{}", self.serial, kind.len());
        *self.made.entry(token.clone()).or_default() += 1;
        self.given.insert(id.clone(), token.clone());
        self.written.push(token);
        let object = Object {
            kind: kind.to_owned(),
            name,
            edit_sequence: self.serial,
            active: true,
            voided: false,
            party: party(asked).unwrap_or_default(),
            created: self.now,
            modified: self.now,
        };
        let made = object.ret(&id);
        self.objects.insert(id, object);
        asked.done(&made)
    }

    /// Whether there is an active customer of an id or a name.
    fn has_customer(&self, named: &str) -> bool {
        let of_name = |object: &Object| object.kind == "Customer" && object.name == named;
        let mut fits = self.objects.iter().filter(|(id, it)| *id == named || of_name(it));
        fits.any(|(_, object)| object.active)
    }

    fn change(&mut self, id: &str, object: &Object, asked: &Asked<'_>) -> String {
        let edit_sequence = asked.get("EditSequence").unwrap_or_default();
        if edit_sequence != object.edit_sequence.to_string() {
            let stale =
                format!("The provided edit sequence &quot;{edit_sequence}&quot; is out-of-date. ");
            return asked.refused(3200, &stale);
        }
        let name = if object.kind == "Customer" {
            asked.get("Name").unwrap_or_else(|| object.name.clone())
        } else {
            called(asked, &object.name)
        };
        let active = asked.get("IsActive").map_or(object.active, |it| it == "true");
        let party = party(asked).unwrap_or_else(|| object.party.clone());
        self.serial += 1;
        let (edit_sequence, modified) = (self.serial, self.now);
        self.written.push(token(&name));
        let kind = object.kind.clone();
        let created = object.created;
        let changed =
            Object { kind, name, edit_sequence, active, voided: false, party, created, modified };
        let now = changed.ret(id);
        self.objects.insert(id.to_owned(), changed);
        asked.done(&now)
    }

    fn delete(&mut self, id: &str, object: &Object, asked: &Asked<'_>) -> String {
        let named = format!("<ListID>{id}</ListID>");
        if self.objects.values().any(|other| other.party.contains(&named)) {
            let why = format!(
                "Cannot delete the object specified by the id = &quot;{id}&quot;.  QuickBooks error \
                 message: This list element is in use by another list element or a transaction."
            );
            return asked.refused(3160, &why);
        }
        self.take(object);
        *self.deleted.entry(token(&object.name)).or_default() += 1;
        self.forget(id);
        let (kind, time) = (&object.kind, stamp(self.now));
        let (of, id_name) =
            if asked.name == "ListDel" { ("List", "ListID") } else { ("Txn", "TxnID") };
        asked.done(&format!(
            "<{of}DelType>{kind}</{of}DelType><{id_name}>{id}</{id_name}><TimeDeleted>{time}</TimeDeleted>"
        ))
    }

    fn void(&mut self, id: &str, object: &Object, asked: &Asked<'_>) -> String {
        self.take(object);
        self.serial += 1;
        let serial = self.serial;
        self.touch(id, |object| {
            object.edit_sequence = serial;
            object.voided = true;
        });
        let (kind, time) = (&object.kind, stamp(self.now));
        asked.done(&format!(
            "<TxnVoidType>{kind}</TxnVoidType><TxnID>{id}</TxnID><TimeCreated>{time}</TimeCreated>\
             <TimeModified>{time}</TimeModified><EditSequence>{serial}</EditSequence>"
        ))
    }

    fn take(&mut self, object: &Object) {
        let edited = object.name.contains(" edited");
        self.taken.push(Taken { token: token(&object.name), edited });
    }

    /// A person does something to an object.
    pub(crate) fn edit(&mut self, id: &str, change: impl FnOnce(&mut Object)) {
        self.touch(id, |object| {
            object.edit_sequence += 1_000_000;
            change(object);
        });
    }

    fn touch(&mut self, id: &str, change: impl FnOnce(&mut Object)) {
        let object = self.objects.get_mut(id).unwrap();
        change(object);
        object.modified = self.now;
    }

    /// An object leaves the books.
    pub(crate) fn forget(&mut self, id: &str) {
        if let Some(object) = self.objects.remove(id) {
            self.gone.push(Gone { id: id.to_owned(), object, at: self.now });
        }
    }

    fn query(&mut self, kind: &str, asked: &Asked<'_>) -> String {
        if let Some(of) = kind.strip_suffix("Deleted") {
            return self.deletions(of, asked);
        }
        if OFF.contains(&kind) {
            let why = "This feature is not enabled or not available in this version of QuickBooks.";
            return asked.refused(3250, why);
        }
        if let Some(id) = asked.get("TxnID").or_else(|| asked.get("ListID")) {
            let Some(object) = self.objects.get(&id) else {
                let gone = "specified in the request cannot be found.";
                return asked.refused(500, &format!("Object &quot;{id}&quot; {gone}"));
            };
            return asked.done(&object.ret(&id));
        }
        let ids = match attribute(asked.head, "iteratorID") {
            Some(iterator) => {
                let Some(rest) = self.iterators.remove(&iterator) else {
                    let why = format!("The iterator &quot;{iterator}&quot; is not valid.");
                    return asked.refused(3391, &why);
                };
                rest
            }
            None => self.found(kind, asked),
        };
        let pages = asked.head.contains("iterator=");
        let (ids, rest) =
            if pages { ids.split_at(ids.len().min(PAGE)) } else { (&ids[..], &[][..]) };
        let mut attributes = String::new();
        if pages {
            self.serial += 1;
            let (iterator, left) = (format!("{{{}}}", self.serial), rest.len());
            attributes = format!(" iteratorRemainingCount=\"{left}\" iteratorID=\"{iterator}\"");
            if left > 0 {
                self.iterators.insert(iterator, rest.to_vec());
            }
        }
        let rets: String =
            ids.iter().filter_map(|id| Some(self.objects.get(id)?.ret(id))).collect();
        if rets.is_empty() {
            asked.refused(1, "nothing was found")
        } else {
            asked.answer(&attributes, &rets)
        }
    }

    /// The ids of what a query asks for.
    fn found(&self, kind: &str, asked: &Asked<'_>) -> Vec<String> {
        // Names are shared by customers and others, of which there are none here.
        let kind = if kind == "Entity" { "Customer" } else { kind };
        let (named, number) = (asked.get("FullName"), asked.get("RefNumber"));
        let since = asked.get("FromModifiedDate").unwrap_or_default();
        let all = asked.get("ActiveStatus").is_some_and(|it| it == "All") || named.is_some();
        let fits = |object: &Object| {
            object.kind == kind
                && (all || object.active)
                && stamp(object.modified) >= since
                && named.as_ref().is_none_or(|name| object.name == *name)
                && number.as_ref().is_none_or(|number| object.number() == number)
        };
        let found = self.objects.iter().filter(|(_, object)| fits(object));
        found.map(|(id, _)| id.clone()).collect()
    }

    fn deletions(&self, of: &str, asked: &Asked<'_>) -> String {
        let since = asked.get("FromDeletedDate").unwrap_or_default();
        let id_name = if of == "List" { "ListID" } else { "TxnID" };
        let mut rets = String::new();
        for Gone { id, object, at } in &self.gone {
            let (kind, time) = (&object.kind, stamp(*at));
            if !asked.text.contains(&format!("<{of}DelType>{kind}<")) || time < since {
                continue;
            }
            let created = stamp(object.created);
            let name = match of {
                "List" => format!("<FullName>{}</FullName>", object.name),
                _ => format!("<RefNumber>{}</RefNumber>", object.number()),
            };
            let _ = write!(
                rets,
                "<{of}DeletedRet><{of}DelType>{kind}</{of}DelType><{id_name}>{id}</{id_name}>\
                 <TimeCreated>{created}</TimeCreated><TimeDeleted>{time}</TimeDeleted>{name}\
                 </{of}DeletedRet>"
            );
        }
        if rets.is_empty() { asked.refused(1, "nothing was found") } else { asked.done(&rets) }
    }

    /// A session begins: no iterator outlives the one before.
    pub(crate) fn begin(&mut self) {
        self.iterators.clear();
    }

    /// Goes back to a backup. Ids are not given twice: QuickBooks puts the time into them.
    pub(crate) fn restore(&mut self, backup: Self) {
        let given = std::mem::take(&mut self.given);
        *self = Self { serial: self.serial, now: self.now, given, ..backup };
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

    /// The objects that stand for a record; what is voided does not.
    pub(crate) fn of(&self, token: &str) -> Vec<(&String, &Object)> {
        let stands = |object: &Object| !object.voided && self::token(&object.name) == token;
        self.objects.iter().filter(|(_, it)| stands(it)).collect()
    }

    /// How many objects have a number.
    pub(crate) fn numbered(&self, kind: &str, number: &str) -> usize {
        let fits = |object: &&Object| object.kind == kind && object.number() == number;
        self.objects.values().filter(fits).count()
    }
}

/// Number and memo as they are sent; what is not sent stays.
fn called(asked: &Asked<'_>, before: &str) -> String {
    let (number, memo) = before.split_once(' ').unwrap_or((before, ""));
    let number = asked.get("RefNumber").unwrap_or_else(|| number.to_owned());
    format!("{number} {}", asked.get("Memo").unwrap_or_else(|| memo.to_owned()))
}

fn party(asked: &Asked<'_>) -> Option<String> {
    between(asked.text, "<CustomerRef>", "</CustomerRef>")
}

/// Each request: its name, and what stands behind it from its requestID on.
fn requests(qbxml: &str) -> impl Iterator<Item = (&str, &str)> {
    parts(qbxml, "Rq requestID=\"")
}

fn parts<'a>(xml: &'a str, mark: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut parts = xml.split(mark);
    let mut before = parts.next().unwrap_or_default();
    parts.map(move |rest| {
        let name = before.rsplit('<').next().unwrap_or_default();
        before = rest;
        (name, rest)
    })
}

/// A message set, or its answer, in a few words.
pub(crate) fn brief(xml: &str) -> String {
    let mut words = Vec::new();
    for (name, rest) in requests(xml) {
        let told = ["RefNumber", "Name", "FullName", "TxnID", "ListID", "FromModifiedDate"];
        let whom = told.iter().find_map(|member| element(rest, member)).unwrap_or_default();
        words.push(format!("{name} {whom}"));
    }
    for (name, rest) in parts(xml, "Rs requestID=\"") {
        let code = attribute(rest, "statusCode").unwrap_or_default();
        let id = element(rest, "TxnID").or_else(|| element(rest, "ListID")).unwrap_or_default();
        words.push(format!("{name} {code} {id}"));
    }
    let set = ["newMessageSetID", "messageSetStatusCode"].map(|it| attribute(xml, it));
    let set: Vec<_> = set.into_iter().flatten().collect();
    format!("{} {{{}}}", set.join(" "), words.join(", "))
}
