//! A record: one object of the source application that must stand in QuickBooks.
//!
//! Its life is the table in [`Status::may_become`]; the simulation holds every step to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use crate::domain::ids::Digest;
use crate::domain::ids::RecordKey;
use crate::domain::ids::RequestId;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Group;
use crate::domain::request::Sent;

/// Where a record stands, in life order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not posted yet, or waits for approval.
    Held,
    /// In the queue.
    Queued,
    /// Waits for another record.
    Blocked,
    /// Handed to the Web Connector.
    Sent,
    /// Sent, the answer was lost; being recovered.
    InDoubt,
    /// Stands in QuickBooks.
    Synced,
    /// A person or a fix is needed.
    Failed,
    /// A person decided that it is there already or must not go there.
    Bypassed,
    /// Taken back by the source application.
    Withdrawn,
}

impl Status {
    /// All, in life order.
    pub const ALL: [Self; 9] = [
        Self::Held,
        Self::Queued,
        Self::Blocked,
        Self::Sent,
        Self::InDoubt,
        Self::Synced,
        Self::Failed,
        Self::Bypassed,
        Self::Withdrawn,
    ];

    /// The name in JSON and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Blocked => "blocked",
            Self::Sent => "sent",
            Self::InDoubt => "in_doubt",
            Self::Synced => "synced",
            Self::Failed => "failed",
            Self::Bypassed => "bypassed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Parses the name in JSON.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether QuickBooks may be executing it now, so that its fate is not ours to change.
    pub const fn is_out(self) -> bool {
        matches!(self, Self::Sent | Self::InDoubt)
    }

    /// The allowed arrows: only what is queued is sent, only what was sent falls in doubt, and what
    /// is out is not held or bypassed before its answer is here.
    pub const fn may_become(self, next: Self) -> bool {
        match next {
            Self::Sent => matches!(self, Self::Queued | Self::Sent),
            Self::InDoubt => self.is_out(),
            Self::Held | Self::Bypassed => !self.is_out(),
            Self::Queued | Self::Blocked | Self::Synced | Self::Failed | Self::Withdrawn => true,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the source application wants of the record.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// That it stands in QuickBooks with its data.
    #[default]
    Present,
    /// That we forget it; what stands in QuickBooks stays.
    Withdrawn,
    /// That it is deleted in QuickBooks too.
    Deleted,
    /// That it is voided in QuickBooks.
    Voided,
}

/// What to do when QuickBooks has an object of that name already.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// Fail, and let a person decide.
    #[default]
    Fail,
    /// Adopt the object if name and kind match exactly.
    Link,
}

/// What QuickBooks gave back: where the record stands there.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reference {
    /// ListID or TxnID, whichever the kind has.
    pub id: String,
    /// Needed for the next change; `None` until QuickBooks was asked for it.
    pub edit_sequence: Option<String>,
    /// The source's own line keys (`"#id"`) and their `TxnLineID`s.
    #[serde(default)]
    pub lines: BTreeMap<String, String>,
    /// `RefNumber` or `FullName` as QuickBooks has it: people search by it.
    #[serde(default)]
    pub label: String,
    /// Whether QuickBooks answered our own Add with it: only that may be undone. What was linked,
    /// or found in the books, may be another's.
    #[serde(default)]
    pub made: bool,
}

impl Reference {
    /// Whether only a person says that it is there: QuickBooks tells an edit sequence with whatever
    /// it has.
    pub const fn is_unconfirmed(&self) -> bool {
        !self.made && self.edit_sequence.is_none() && self.label.is_empty()
    }
}

/// Which checks against the mirror a person's decision overrides, until it is synced or changed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Insisted {
    /// None.
    #[default]
    Nothing,
    /// What QuickBooks finds out itself: what we know of it may be old.
    Retried,
    /// Also what QuickBooks takes without a word: a number that is used, an equal entry.
    Duplicate,
}

impl Insisted {
    /// Whether nobody insists.
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// What QuickBooks is asked, or was, of the number of a document before it is made: it takes a number
/// twice without a word.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct NumberCheck {
    /// When QuickBooks said that it may have the number, or could not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// A person does not believe that the number is used: QuickBooks says it anew, whatever is known.
    pub doubted: bool,
    /// How often QuickBooks was asked.
    pub asked: u32,
}

impl NumberCheck {
    /// What is known of the number counts for nothing until QuickBooks was asked.
    pub const fn is_doubted(&self) -> bool {
        self.doubted && self.told_at.is_none()
    }
}

/// One value that a fix put in the place of another.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Amendment {
    /// JSON pointer into the data, such as `/Name`.
    pub pointer: String,
    /// The value that the application gave; once it gives another, the amendment is past.
    pub from: Value,
    /// What goes to QuickBooks.
    pub to: Value,
    /// The fix.
    pub fix: String,
}

/// One line of a record's history.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What the record became.
    pub status: Status,
    /// Why, in a few words.
    pub note: String,
}

/// How many moments a record keeps; older ones make room, the first stays.
pub const MAX_MOMENTS: usize = 50;

/// One object of the source application that must stand in QuickBooks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// Its name.
    pub key: RecordKey,
    /// How often it was written.
    pub revision: Revision,
    /// Its place in the queue among equals; 0 until the store gives one.
    pub sequence: u64,
    /// The qbXML object as JSON.
    pub data: Value,
    /// Digest of `data`: the same content put again changes nothing.
    pub digest: Digest,
    /// False: the source application has not posted it yet.
    pub posted: bool,
    /// Higher goes first. -1000 to 1000.
    pub priority: i32,
    /// Records that must be synced before, beyond those that `data` refers to.
    pub depends_on: Vec<RecordKey>,
    /// What to do when the name is in use.
    pub on_duplicate: OnDuplicate,
    /// What the source application wants.
    pub wanted: Wanted,
    /// Where it stands.
    pub status: Status,
    /// Records that it waits for while `blocked`, or because of which it `failed`.
    pub blocked_by: Vec<RecordKey>,
    /// Not before this time, if set: backoff.
    pub due: Option<Timestamp>,
    /// Automatic tries since the last change by a person or application.
    pub tries: u32,
    /// QuickBooks must be asked for the edit sequence before the next change.
    pub refresh: bool,
    /// It goes without others: nobody knows what became of the message set that carried it last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Where it stands in QuickBooks.
    pub reference: Option<Reference>,
    /// ListID or TxnID where it stood before a person had that forgotten, or said another that
    /// QuickBooks has not confirmed yet, or before a deletion: it is made anew only once QuickBooks
    /// says that this one is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// The session in which QuickBooks said that `former` is gone, or deleted it: only there it is
    /// made anew without a question, because a backup may bring it back later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_in: Option<SessionId>,
    /// The Add of which nobody knows whether QuickBooks did it. While this is set, none is sent:
    /// the books are searched for it, or a person says that it is not there. A link only covers it,
    /// until QuickBooks takes a change of what it is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Sent>,
    /// Digest of the data that went out last; differs from `digest` if it changed since.
    pub sent: Option<Digest>,
    /// What is wrong, while `failed`; a remark while `synced`.
    pub findings: Vec<Finding>,
    /// What people changed of the data by pressing a fix; the application's own stays as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<Amendment>,
    /// What a person wants to go although Bookbridge would keep it back.
    #[serde(default, skip_serializing_if = "Insisted::is_nothing")]
    pub insisted: Insisted,
    /// What was asked of its number before it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberCheck>,
    /// Our own request to QuickBooks whose answer it waits for: a question while `in_doubt`, a fix
    /// that is on its way while `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<RequestId>,
    /// When a person saw what both sides changed, and chose what goes over: it is not compared again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled_at: Option<Timestamp>,
    /// The session in which QuickBooks said that nobody edited it since we made it: only there it is
    /// undone, because somebody may edit it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unedited_in: Option<SessionId>,
    /// Why a person bypassed it.
    pub bypass_reason: Option<String>,
    /// First put.
    pub created_at: Timestamp,
    /// Last change of any kind.
    pub updated_at: Timestamp,
    /// When QuickBooks last confirmed it.
    pub synced_at: Option<Timestamp>,
    /// Its history, oldest first.
    pub timeline: Vec<Moment>,
}

impl Record {
    /// The problem that it fails of.
    pub fn problem(&self) -> Option<Group> {
        let first = self.findings.first().filter(|_| self.status == Status::Failed);
        first.map(Finding::group)
    }

    /// Moves to a status and remembers it.
    pub fn become_status(&mut self, status: Status, now: Timestamp, note: &str) {
        debug_assert!(
            self.timeline.is_empty() || self.status.may_become(status),
            "{} must not become {status}",
            self.status
        );
        self.status = status;
        self.updated_at = now;
        if self.timeline.len() >= MAX_MOMENTS {
            self.timeline.remove(1);
        }
        self.timeline.push(Moment { at: now, status, note: note.to_owned() });
    }

    /// The data with what people changed of it: what goes to QuickBooks.
    pub fn amended(&self) -> Cow<'_, Value> {
        let mut data = Cow::Borrowed(&self.data);
        for it in self.amendments.iter().filter(|it| self.is_amended(it)) {
            match &it.to {
                Value::Null => take_out(data.to_mut(), &it.pointer),
                to => put_at(data.to_mut(), &it.pointer, to),
            }
        }
        data
    }

    /// Whether a change still holds: the application gives what it was made over. What a memo tells
    /// of a date that was moved goes with that date.
    pub fn is_amended(&self, amendment: &Amendment) -> bool {
        let holds =
            |it: &Amendment| self.data.pointer(&it.pointer).unwrap_or(&Value::Null) == &it.from;
        let tells = amendment.fix == "move-date" && amendment.pointer == "/Memo";
        let mut dates = self.amendments.iter().filter(|it| it.pointer == "/TxnDate");
        holds(amendment) && (!tells || dates.any(holds))
    }

    /// Whether a field is found to be none that QuickBooks has, or stands below one.
    pub fn is_unknown(&self, pointer: &str) -> bool {
        let unknown = self.findings.iter().filter(|it| it.code == Code::UnknownField);
        let mut places = unknown.filter_map(|it| it.pointer.strip_prefix("/data"));
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        places.any(|place| !place.is_empty() && pointer.strip_prefix(place).is_some_and(below))
    }

    /// Its name or number, as the application gave it or a person changed it.
    pub fn name(&self) -> Option<&str> {
        for member in ["Name", "RefNumber"] {
            let Some(text) = self.data.get(member).and_then(Value::as_str) else { continue };
            let amended = self.amendments.iter().rev().find_map(|it| {
                let here = it.pointer.strip_prefix('/') == Some(member) && it.from == *text;
                it.to.as_str().filter(|_| here)
            });
            return Some(amended.unwrap_or(text)).filter(|name| !name.trim().is_empty());
        }
        None
    }

    /// Whether nothing in QuickBooks can be its own, as far as is known.
    pub const fn is_nowhere(&self) -> bool {
        self.reference.is_none() && !self.may_stand() && self.lost.is_none()
    }

    /// Whether it may still be where it stood before.
    pub const fn may_stand(&self) -> bool {
        self.former.is_some() && self.gone_in.is_none()
    }

    /// Takes where it may still be, of what it stood at before.
    pub fn take_former(&mut self) -> Option<String> {
        let gone = self.gone_in.take().is_some();
        self.former.take().filter(|_| !gone)
    }

    /// Where it stands is known: where it stood before does not matter any more.
    pub fn forget_former(&mut self) {
        (self.former, self.gone_in) = (None, None);
    }

    /// Whether nothing is left to be done for it: it was taken back, and nothing of it is to be taken
    /// out of QuickBooks.
    pub fn is_over(&self) -> bool {
        match self.wanted {
            Wanted::Present => false,
            Wanted::Withdrawn => true,
            Wanted::Deleted | Wanted::Voided => self.is_nowhere(),
        }
    }

    /// Whether the data changed since it was last handed out.
    pub fn changed_since_sent(&self) -> bool {
        self.sent.is_some_and(|sent| sent != self.digest)
    }
}

/// Puts a value at a pointer. Members that are missing are made on the way, elements of lists not.
fn put_at(data: &mut Value, pointer: &str, value: &Value) {
    if let Some(place) = data.pointer_mut(pointer) {
        place.clone_from(value);
        return;
    }
    let Some((above, member)) = pointer.rsplit_once('/') else { return };
    if member.parse::<usize>().is_ok() {
        return;
    }
    if data.pointer(above).is_none() {
        put_at(data, above, &Value::Object(Map::new()));
    }
    if let Some(Value::Object(members)) = data.pointer_mut(above) {
        members.insert(member.replace("~1", "/").replace("~0", "~"), value.clone());
    }
}

/// Takes a member out, and what is left empty by that; an element of a list leaves its place.
fn take_out(data: &mut Value, pointer: &str) {
    let Some((above, member)) = pointer.rsplit_once('/') else { return };
    match data.pointer_mut(above) {
        Some(Value::Object(members)) => {
            members.shift_remove(&member.replace("~1", "/").replace("~0", "~"));
            if members.is_empty() && !above.is_empty() {
                take_out(data, above);
            }
        }
        Some(Value::Array(_)) => {
            if let Some(place) = data.pointer_mut(pointer).filter(|place| !place.is_object()) {
                *place = Value::Null;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_leaves_nothing_empty_behind() {
        let mut data = serde_json::json!({
            "Fone": "1", "Name": "Ann", "Foo": {"Bar": "x"}, "Lines": [{"Baz": "y"}, "z"],
        });
        for pointer in ["/Fone", "/Foo/Bar", "/Lines/0/Baz", "/Lines/1", "/Not/There"] {
            take_out(&mut data, pointer);
        }

        assert_eq!(data.to_string(), r#"{"Name":"Ann","Lines":[{},null]}"#);
    }

    #[test]
    fn an_amendment_holds_while_the_application_says_the_same() {
        let mut data = serde_json::json!({"Name": "A very long name", "Phone": "1"});
        put_at(&mut data, "/Memo", &"new".into());
        put_at(&mut data, "/CustomerRef/FullName", &"Jones".into());
        put_at(&mut data, "/Lines/0/Desc", &"lost".into());
        put_at(&mut data, "/Name", &"short".into());

        let wanted = serde_json::json!({
            "Name": "short", "Phone": "1", "Memo": "new", "CustomerRef": {"FullName": "Jones"},
        });
        assert_eq!(data, wanted);
    }
}
