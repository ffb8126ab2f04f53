//! A simulated QuickBooks Desktop: a company file and the request processor in front of it.
//!
//! [`QuickBooks::process`] takes a document and gives the answer, or the HRESULT that the request
//! processor raises. What it did is on disk before it returns, together with the answer that it
//! remembers for error recovery, as in QuickBooks.
//!
//! Strict where QuickBooks is strict: order, types, lengths, names, references. What it does not
//! know it answers as QuickBooks answers requests of another edition (1030).

mod answer;
mod applied;
mod balances;
mod books;
mod clock;
mod company;
mod desk;
mod extensions;
mod grammar;
mod journal;
mod kinds;
mod lines;
mod lists;
mod message_sets;
mod number;
mod queries;
mod references;
mod requests;
mod shape;
mod status;
mod totals;
mod transactions;
mod values;
mod xml;

use std::fmt;
use std::io;
use std::path::Path;

pub use books::Books;
pub use books::Object;
pub use desk::Lock;
pub use xml::Node;

use grammar::Version;
use journal::Journal;
use message_sets::Memory;
use queries::Iterators;

/// What a company file is made as; an existing one keeps its name.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The company's name.
    pub company_name: String,
    /// Its path on the simulated machine.
    pub file: String,
    /// Country: `US`.
    pub edition: String,
    /// The highest qbXML version, such as `16.0`.
    pub sdk: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            company_name: "Rock Castle Construction".to_owned(),
            file: "C:\\QuickBooks\\Rock Castle Construction.QBW".to_owned(),
            edition: "US".to_owned(),
            sdk: "16.0".to_owned(),
        }
    }
}

/// An HRESULT that the request processor raises: nothing was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Such as `0x80040400`.
    pub hresult: u32,
    /// QuickBooks' words.
    pub message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}: {}", self.hresult, self.message)
    }
}

impl Refused {
    /// The parser's refusal of a whole document. Where and why, only the log of the SDK says.
    fn parse(why: &str) -> Self {
        tracing::debug!("QuickBooks cannot read a document: {why}");
        Self {
            hresult: 0x8004_0400,
            message: "QuickBooks found an error when parsing the provided XML text stream."
                .to_owned(),
        }
    }
}

/// One company file, open.
#[derive(Debug)]
pub struct QuickBooks {
    setup: Setup,
    books: Books,
    memory: Memory,
    journal: Option<Journal>,
    locks: Vec<Lock>,
    iterators: Iterators,
}

impl QuickBooks {
    /// Opens the company file in a directory, or makes it; in memory without one.
    ///
    /// # Errors
    ///
    /// If its journal cannot be read or made.
    pub fn open(directory: Option<&Path>, setup: &Setup, now: i64) -> io::Result<Self> {
        let mut books = Books::default();
        let mut memory = Memory::default();
        let journal = match directory {
            None => None,
            Some(directory) => Some(Journal::open(directory, &mut books, &mut memory)?),
        };
        let (locks, iterators) = (Vec::new(), Iterators::default());
        let mut this = Self { setup: setup.clone(), books, memory, journal, locks, iterators };
        if this.books.ledger.settings.is_empty() {
            let ledger = this.books.ledger_mut();
            ledger.settings.insert("CompanyName".to_owned(), setup.company_name.clone());
            ledger.settings.insert("File".to_owned(), setup.file.clone());
            company::open_books(&mut this.books, now);
            this.keep(message_sets::Change::None)?;
        }
        let known = |name: &str| this.books.ledger.settings.get(name).cloned().unwrap_or_default();
        (this.setup.company_name, this.setup.file) = (known("CompanyName"), known("File"));
        Ok(this)
    }

    /// Processes one document.
    ///
    /// # Errors
    ///
    /// [`Refused`]: what the request processor raises; nothing was done.
    pub fn process(&mut self, qbxml: &str, now: i64) -> Result<String, Refused> {
        message_sets::process(self, qbxml, now)
    }

    /// What the Web Connector tells of host, company and preferences in its first call
    /// (`strHCPResponse`). A session begins: iterators of the one before are gone.
    pub fn host_company_preferences(&mut self, now: i64) -> String {
        self.iterators = Iterators::default();
        company::document(self, now)
    }

    /// Another user opens something.
    pub fn lock(&mut self, lock: Lock) {
        self.locks.push(lock);
    }

    /// All others close everything.
    pub fn unlock_all(&mut self) {
        self.locks.clear();
    }

    /// Sets a preference: `ClosingDate`, or `feature:KIND` to `off` or `forbidden`.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn set(&mut self, setting: &str, value: &str) -> io::Result<()> {
        self.books.ledger_mut().settings.insert(setting.to_owned(), value.to_owned());
        self.keep(message_sets::Change::None)
    }

    /// Writes the Web Connector's stamp into the company file, as adding a `.qwc` does.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn stamp(&mut self, owner_id: &str, name: &str, value: &str) -> io::Result<()> {
        let key = extensions::key(owner_id, name);
        self.books.ledger_mut().extensions.insert(key, value.to_owned());
        self.keep(message_sets::Change::None)
    }

    /// The stamp of that name, if there is one.
    pub fn stamp_of(&self, owner_id: &str, name: &str) -> Option<&str> {
        self.books.ledger.extensions.get(&extensions::key(owner_id, name)).map(String::as_str)
    }

    /// The books, for witnesses.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Its path on the simulated machine.
    pub fn file(&self) -> &str {
        &self.setup.file
    }

    /// The highest qbXML version.
    pub fn version(&self) -> (u16, u16) {
        let version: Version = self.setup.sdk.parse().unwrap_or_default();
        (version.0, version.1)
    }

    /// The country.
    pub fn edition(&self) -> &str {
        &self.setup.edition
    }

    /// Loses the memory of message sets whose answers were not fetched: they are remembered as not
    /// stored (9002).
    pub fn forget_message_sets(&mut self) {
        self.memory.forget_responses();
    }

    /// Writes what changed to disk and makes it final; takes it back if that fails.
    fn keep(&mut self, change: message_sets::Change) -> io::Result<()> {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.write(&self.books, &change)
        {
            self.books.back_to(0);
            return Err(error);
        }
        self.memory.apply(change);
        self.books.settle();
        Ok(())
    }
}
