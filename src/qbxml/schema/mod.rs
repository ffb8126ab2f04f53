//! Every request and response type of qbXML, as data.
//!
//! The tables in `tables/` are the one place that knows what a customer or an invoice is: order of
//! elements, types, limits, enumerations, choices, versions, editions. A field is added by adding a
//! line there ([`parse`] says how a line reads); builder, checks and documents follow. Nothing here
//! knows of JSON, XML or findings.
//!
//! Invariant: a table that cannot be read is a failing test, never a panic. The tables agree with the
//! published schema in full (`tests/qbxml/table.rs`).
//!
//! Source: Intuit's Onscreen Reference (OSR), qbXML 14.0, and the XML Schema of qbXML 13.0.

mod element;
mod kind;
mod parse;
mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;

pub use element::Attribute;
pub use element::Choice;
pub use element::Content;
pub use element::Element;
pub use element::Limit;
pub use element::Message;
pub use element::Occurs;
pub use element::Particle;
pub use element::Range;
pub use element::Rule;
pub use element::Shape;
pub use element::ValueType;
pub use element::base_name;
pub use kind::Identity;
pub use kind::Kind;
pub use parse::TableError;

/// Names the tables, in an order in which each uses only what stands before it.
macro_rules! tables {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("tables/", $name, ".table"))),)*]
    };
}

const TABLES: &[(&str, &str)] = tables![
    "shared",
    "company",
    "accounts",
    "customers",
    "vendors",
    "employees",
    "terms",
    "items",
    "sales",
    "receipts",
    "purchases",
    "payments",
    "banking",
    "inventory",
    "reports",
    "extensions",
];

/// The grammar of qbXML.
#[derive(Debug, Default)]
pub struct Schema {
    messages: Vec<Arc<Message>>,
    by_name: HashMap<&'static str, Arc<Message>>,
    kinds: Vec<Kind>,
}

/// The schema that this program has on board, read once.
pub fn schema() -> &'static Schema {
    // The default knows no message at all: every kind is unknown then, and a test has failed.
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::load().unwrap_or_default());
    &SCHEMA
}

impl Schema {
    /// Reads the tables.
    ///
    /// # Errors
    ///
    /// [`TableError`] names the line that cannot be read.
    pub fn load() -> Result<Self, TableError> {
        let mut tables = parse::Tables::default();
        for &(name, text) in TABLES {
            tables.read(name, text)?;
        }
        let messages = tables.messages;
        let by_name: HashMap<_, _> =
            messages.iter().map(|message| (message.name, Arc::clone(message))).collect();
        let find = |name: &str| by_name.get(name).map(Arc::clone);
        let kinds = messages.iter().filter_map(|message| Kind::new(message, &find)).collect();
        Ok(Self { messages, by_name, kinds })
    }

    /// The request of that name, such as `CustomerAddRq`.
    pub fn request(&self, name: &str) -> Option<&Arc<Message>> {
        self.message(name, "Rq")
    }

    /// The response of that name, such as `CustomerAddRs`.
    pub fn response(&self, name: &str) -> Option<&Arc<Message>> {
        self.message(name, "Rs")
    }

    fn message(&self, name: &str, suffix: &str) -> Option<&Arc<Message>> {
        self.by_name.get(name).filter(|_| name.ends_with(suffix))
    }

    /// Every request, in the order of the tables.
    pub fn requests(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.messages.iter().filter(|message| message.name.ends_with("Rq"))
    }

    /// Every response, in the order of the tables.
    pub fn responses(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.messages.iter().filter(|message| message.name.ends_with("Rs"))
    }

    /// Every kind: every object name that has an `…AddRq`.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }

    /// The kind of that name, such as `Customer`.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read() {
        let schema = Schema::load().unwrap();

        assert_eq!(schema.requests().count(), 239);
        assert_eq!(schema.responses().count(), 239);
        assert_eq!(schema.kinds().count(), 73);
    }

    #[test]
    fn a_kind_knows_what_can_be_done_with_it() {
        let kind = |name| schema().kind(name).unwrap();

        let customer = kind("Customer");
        assert_eq!(customer.identity, Identity::List);
        assert_eq!(customer.delete_type, Some("Customer"));
        assert_eq!(customer.void_type, None);
        assert_eq!(customer.ret, "CustomerRet");
        let invoice = kind("Invoice");
        assert_eq!(invoice.identity, Identity::Transaction);
        assert_eq!(invoice.void_type, Some("Invoice"));
        assert_eq!(invoice.lines, ["InvoiceLine", "InvoiceLineGroup"]);
        assert_eq!(kind("JournalEntry").lines, ["JournalDebitLine", "JournalCreditLine"]);
        assert_eq!(kind("Bill").lines, ["ExpenseLine", "ItemLine", "ItemGroupLine"]);
        assert!(kind("StandardTerms").modify.is_none());
        assert_eq!(kind("SpecialAccount").delete_type, Some("Account"));
        assert_eq!(kind("DataExt").identity, Identity::Nothing);
        assert_eq!(schema().kinds().filter(|kind| kind.void_type.is_some()).count(), 16);
        assert_eq!(schema().kinds().filter(|kind| kind.modify.is_some()).count(), 54);
    }
}
