//! A simulated QuickBooks Desktop: one company file, and the request processor before it.
//!
//! [`QuickBooks::process`] takes a request document as the Web Connector hands it over and answers
//! as QuickBooks does: a response document, or the HRESULT that the request processor raises. What
//! a document changed is on disk, together with the answer that is kept for its recovery, before
//! the answer is given.
//!
//! Read in this order: `xml` and `grammar` (what a document may be), `message_sets` (how it is
//! carried out, once), `requests` (who answers what), `lists` and `transactions` (what changes),
//! `queries` (what is found), `books` and `journal` (what is kept).
//!
//! Source: Onscreen Reference; QuickBooks SDK Programmer's Guide; field logs.

mod answer;
mod balances;
mod books;
mod clock;
mod company;
mod deposits;
mod desk;
mod extensions;
mod filters;
mod grammar;
mod journal;
mod kinds;
mod lines;
mod links;
mod lists;
mod message_sets;
mod number;
mod payments;
mod purchases;
mod queries;
mod references;
mod removals;
mod requests;
mod sales;
mod shape;
mod starter;
mod status;
#[cfg(test)]
mod tests;
mod transactions;
mod values;
mod xml;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use desk::Desk;
use grammar::Version;
use journal::Commit;
use journal::Journal;
use message_sets::Course;
use message_sets::Kept;
use message_sets::MessageSet;
use message_sets::MessageSets;
use message_sets::OnError;
use message_sets::ResponseData;
use requests::Answer;

pub use books::Books;
pub use books::Deleted;
pub use books::Object;
pub use desk::Lock;
pub use number::Number;
pub use xml::Node;

/// What a company file is made as; an existing one keeps its name and its path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setup {
    /// The company's name.
    pub company_name: String,
    /// The path of the company file, as QuickBooks reports it; "": that of the first session.
    pub file: String,
    /// `US`; other editions have another grammar.
    pub edition: String,
    /// The highest version of qbXML, such as `16.0`.
    pub sdk: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            company_name: "Rock Castle Construction".to_owned(),
            file: r"C:\QuickBooks\Rock Castle Construction.QBW".to_owned(),
            edition: "US".to_owned(),
            sdk: "16.0".to_owned(),
        }
    }
}

impl Setup {
    /// A company with a file at that path, called as its file.
    pub fn of_file(path: &str) -> Self {
        let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Self { company_name: stem.to_owned(), file: path.to_owned(), ..Self::default() }
    }
}

/// The request processor refused a whole document: nothing was carried out, nothing is remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Such as 0x80040400.
    pub hresult: u32,
    /// QuickBooks' own sentence.
    pub message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "0x{:08X}: {}", self.hresult, self.message)
    }
}

impl std::error::Error for Refused {}

/// The setting that holds the company's name.
const NAME: &str = "CompanyName";
/// The setting that holds the path of its file.
const FILE: &str = "File";

/// One company file that is open in QuickBooks.
#[derive(Debug)]
pub struct QuickBooks {
    books: Books,
    message_sets: MessageSets,
    iterators: BTreeMap<String, Vec<String>>,
    locks: Vec<Lock>,
    /// Settings of the session, which stand before those of the company.
    supposed: BTreeMap<String, String>,
    /// The id of the message set that was answered last.
    last: Option<String>,
    setup: Setup,
    journal: Option<Journal>,
}

impl QuickBooks {
    /// Opens the company file in `directory`, or makes it; in memory without one.
    ///
    /// # Errors
    ///
    /// The directory cannot be read or written, another program has the company file open, or it is
    /// damaged.
    pub fn open(directory: Option<&Path>, setup: &Setup, now: i64) -> io::Result<Self> {
        let (journal, commits) = match directory {
            Some(directory) => {
                let (journal, commits) = Journal::open(directory)?;
                (Some(journal), commits)
            }
            None => (None, Vec::new()),
        };
        let mut opened = Self {
            books: Books::default(),
            message_sets: MessageSets::default(),
            iterators: BTreeMap::new(),
            locks: Vec::new(),
            supposed: BTreeMap::new(),
            last: None,
            setup: setup.clone(),
            journal,
        };
        let is_new = commits.is_empty();
        for commit in commits {
            opened.books.load(commit.changes);
            opened.message_sets.settle(commit.kept, &commit.forgotten);
        }
        if is_new {
            let settings = &mut opened.books.ledger_mut().settings;
            settings.insert(NAME.to_owned(), setup.company_name.clone());
            settings.insert(FILE.to_owned(), setup.file.clone());
            starter::fill(&mut opened.desk(&mut BTreeMap::new(), Version(16, 0), now))
                .map_err(|status| io::Error::other(status.message))?;
            opened.commit(None, Vec::new())?;
        }
        opened.take_name();
        Ok(opened)
    }

    /// The name and the path that the company file has.
    fn take_name(&mut self) {
        let settings = &self.books.ledger.settings;
        if let (Some(name), Some(file)) = (settings.get(NAME), settings.get(FILE)) {
            name.clone_into(&mut self.setup.company_name);
            file.clone_into(&mut self.setup.file);
        }
    }

    /// Opens a company file by its path, or keeps the one that is open ("" as the path). Answers
    /// whether that one is open then: this QuickBooks has one, and where that was made without a
    /// path, it is the first one that is asked for.
    ///
    /// # Errors
    ///
    /// The change cannot be written to disk.
    pub fn open_file(&mut self, path: &str) -> io::Result<bool> {
        if self.setup.file.is_empty() {
            let setup = if path.is_empty() { Setup::default() } else { Setup::of_file(path) };
            let settings = &mut self.books.ledger_mut().settings;
            settings.insert(NAME.to_owned(), setup.company_name);
            settings.insert(FILE.to_owned(), setup.file);
            self.commit(None, Vec::new())?;
            self.take_name();
        }
        // Windows tells no case apart.
        Ok(path.is_empty() || path.to_lowercase() == self.setup.file.to_lowercase())
    }

    /// Carries out one request document, `now` being seconds since 1970.
    ///
    /// What it changed is on disk before this returns.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the HRESULT that the request processor raises.
    pub fn process(&mut self, qbxml: &str, now: i64) -> Result<String, Refused> {
        let set = MessageSet::read(qbxml, &self.setup)?;
        self.last.clone_from(&set.new_id);
        let forget = match self.message_sets.course(&set) {
            Course::Repeat(response) => return Ok(response),
            Course::Say(code) => return Ok(response(&set, Some(code), Vec::new())),
            Course::CarryOut { forget } => forget,
        };
        let answers = self.carry_out(&set, now);
        let settings = [&self.supposed, &self.books.ledger.settings];
        let full = settings.iter().find_map(|set| set.get("MessageSets"));
        let full = full.is_some_and(|is| is == "full");
        let recovers = set.new_id.is_some() || set.old_id.is_some();
        let code = recovers.then_some(if full && set.new_id.is_some() { 9005 } else { 0 });
        let response = response(&set, code, answers);
        let kept = set.new_id.filter(|_| !full).map(|id| Kept {
            id,
            checksum: set.checksum,
            response: response.clone(),
        });
        self.commit(kept, forget).map_err(|error| Refused::disk(&error))?;
        Ok(response)
    }

    /// Carries out the requests of a message set, one after the other.
    fn carry_out(&mut self, set: &MessageSet, now: i64) -> Vec<Node> {
        let mut macros = BTreeMap::new();
        let mut desk = self.desk(&mut macros, set.version, now);
        let mut stopped = false;
        let mut answers = Vec::with_capacity(set.requests.len());
        for request in &set.requests {
            request.attribute("requestID").unwrap_or_default().clone_into(&mut desk.request_id);
            let mut answer = if stopped {
                Answer::status(status::not_processed())
            } else {
                requests::carry_out(&mut desk, request)
            };
            stopped |= answer.is_error() && set.on_error == OnError::Stop;
            if set.response_data == ResponseData::None {
                answer.content.clear();
            }
            answers.push(answer.into_node(request));
        }
        answers
    }

    /// What the Web Connector hands over in the first call of a session: host, company and
    /// preferences in one response document, with the stamps of every owner. The iterators of the
    /// session before are gone.
    pub fn host_company_preferences(&mut self, now: i64) -> String {
        self.told_to("*", now)
    }

    /// The same, with the stamps of one owner alone.
    pub fn told_to(&mut self, owner_id: &str, now: i64) -> String {
        self.iterators.clear();
        let version = self.setup.sdk.parse().unwrap_or_default();
        let mut macros = BTreeMap::new();
        let desk = self.desk(&mut macros, version, now);
        let mut answers = Vec::new();
        for (id, name) in ["HostQueryRq", "CompanyQueryRq", "PreferencesQueryRq"].iter().enumerate()
        {
            let mut request = Node::of(name, vec![Node::leaf("OwnerID", owner_id)]);
            request.attributes.push(("requestID".to_owned(), id.to_string()));
            let answer = match id {
                0 => company::host(&desk, &request),
                1 => company::company(&desk, &request),
                _ => company::preferences(&desk, &request),
            };
            answers.push(answer.into_node(&request));
        }
        document(Node::of("QBXMLMsgsRs", answers))
    }

    /// Lets another user hold something open.
    pub fn lock(&mut self, lock: Lock) {
        self.locks.push(lock);
    }

    /// Sets something of the company until [`QuickBooks::as_before`]; see [`QuickBooks::set`].
    pub fn suppose(&mut self, setting: &str, value: &str) {
        self.supposed.insert(setting.to_owned(), value.to_owned());
    }

    /// Lets everybody else close what they hold open; nothing is supposed any more.
    pub fn as_before(&mut self) {
        self.locks.clear();
        self.supposed.clear();
    }

    /// Changes a setting of the company: `ClosingDate` to a day, `feature:Estimate` to `off` (the
    /// edition lacks it), `forbidden` (the user may not), `single-user` (not while others work in
    /// the file), `broken` (an internal error), or `damaged` (the record has an error);
    /// `SalesTax` to `on` (a sale must name its tax) and `MultiCurrency` to `on` (there are others).
    /// `feature:*` stands for every kind that has no setting of its own. `MessageSets` is set to
    /// `full` (no answer can be kept). An empty value takes the setting away.
    ///
    /// # Errors
    ///
    /// The change cannot be written to disk.
    pub fn set(&mut self, setting: &str, value: &str) -> io::Result<()> {
        let settings = &mut self.books.ledger_mut().settings;
        if value.is_empty() {
            settings.remove(setting);
        } else {
            settings.insert(setting.to_owned(), value.to_owned());
        }
        self.commit(None, Vec::new())
    }

    /// Loses the answer of the last message set, if it is kept for recovery: the message set is
    /// remembered as carried out, but not stored (9002).
    ///
    /// # Errors
    ///
    /// The change cannot be written to disk.
    pub fn forget_last(&mut self) -> io::Result<()> {
        let lost = self.last.as_deref().and_then(|id| self.message_sets.lost(id));
        self.commit(lost, Vec::new())
    }

    /// Writes the Web Connector's stamp into the company file, as adding a `.qwc` does.
    ///
    /// # Errors
    ///
    /// The change cannot be written to disk.
    pub fn stamp(&mut self, owner_id: &str, name: &str, value: &str) -> io::Result<()> {
        extensions::stamp(self.books.ledger_mut(), owner_id, name, value);
        self.commit(None, Vec::new())
    }

    /// The stamp of that name, if there is one.
    pub fn stamp_of(&self, owner_id: &str, name: &str) -> Option<String> {
        extensions::stamp_of(&self.books.ledger, owner_id, name)
    }

    /// The books, for witnesses.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The path of the company file, as QuickBooks reports it.
    pub fn file(&self) -> &str {
        &self.setup.file
    }

    /// The highest version of qbXML that it speaks.
    pub fn version(&self) -> (u16, u16) {
        let version: Version = self.setup.sdk.parse().unwrap_or_default();
        (version.0, version.1)
    }

    /// The edition: `US`.
    pub fn edition(&self) -> &str {
        &self.setup.edition
    }

    fn desk<'a>(
        &'a mut self,
        macros: &'a mut BTreeMap<String, String>,
        version: Version,
        now: i64,
    ) -> Desk<'a> {
        Desk {
            books: &mut self.books,
            locks: &mut self.locks,
            macros,
            iterators: &mut self.iterators,
            supposed: &self.supposed,
            setup: &self.setup,
            now,
            version,
            request_id: String::new(),
        }
    }

    /// Makes what happened final: on disk first, then in memory; neither if the disk refuses.
    fn commit(&mut self, kept: Option<Kept>, forgotten: Vec<String>) -> io::Result<()> {
        let commit = Commit { changes: self.books.changes(), kept, forgotten };
        if let Some(journal) = self.journal.as_mut().filter(|_| !commit.is_empty())
            && let Err(error) = journal.append(&commit)
        {
            self.books.back_to(0);
            return Err(error);
        }
        self.books.settle();
        self.message_sets.settle(commit.kept, &commit.forgotten);
        Ok(())
    }
}

/// Whether QuickBooks has objects of that kind: `Customer`, `Invoice`.
pub(crate) fn is_kind(kind: &str) -> bool {
    kinds::is_transaction(kind) || shape::ret(kind).is_some()
}

/// The answer to a message set.
fn response(set: &MessageSet, code: Option<u32>, answers: Vec<Node>) -> String {
    let mut node = Node::of("QBXMLMsgsRs", answers);
    if let (Some(id), Some(_)) = (&set.new_id, code) {
        node.attributes.push(("newMessageSetID".to_owned(), id.clone()));
    }
    if let Some(code) = code {
        node.attributes.push(("messageSetStatusCode".to_owned(), code.to_string()));
    }
    document(node)
}

/// A response document; QuickBooks names no encoding.
fn document(set: Node) -> String {
    let mut text = "<?xml version=\"1.0\" ?>\n".to_owned();
    Node::of("QBXML", vec![set]).write(&mut text);
    text
}
