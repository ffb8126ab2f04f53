//! The mirror: what is known of the objects in a company file, and how QuickBooks compares names.
//!
//! It is knowledge, not truth: an object of the mirror was so when QuickBooks last told of it.

use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Revision;

/// The name space of [`Facts::numbers`].
pub const NUMBERS: &str = "Number";

/// One object of the company file, as QuickBooks last told of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Facts {
    /// Such as `Customer` or `Invoice`.
    pub kind: String,
    /// `FullName` of a list element, `RefNumber` of a transaction.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `EditSequence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_sequence: Option<String>,
    /// `IsActive`; `None` for what cannot be inactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// `AccountType` of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_type: Option<String>,
    /// Part number and bar code of an item: applications call it by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
    /// What people tell it by: an address, a description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What is open: `Balance`, `BalanceRemaining`, or `OpenAmount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    /// ListID of whom a transaction is with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Full name of whom a transaction is with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_name: Option<String>,
    /// `TxnDate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `Subtotal`, `TotalAmount`, or `AmountDue`: the amount before tax where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// `IsPaid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_paid: Option<bool>,
    /// `TimeModified`, as QuickBooks writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// `TimeDeleted`, once it is deleted or merged into another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// How often the mirror was begun anew before this was told: what is of an earlier time may be
    /// gone by now, and is not known any more.
    #[serde(skip_serializing_if = "is_zero")]
    pub era: u32,
}

/// [`Facts`] of one object of one company file. It is written without being read first: the last
/// word of QuickBooks wins.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mirrored {
    /// Whose company file.
    pub connection: ConnectionId,
    /// ListID or TxnID.
    pub id: String,
    /// How often it was written; the store counts it.
    pub revision: Revision,
    /// What is known.
    #[serde(flatten)]
    pub facts: Facts,
}

impl Facts {
    /// Whether it is a transaction: those have dates.
    pub const fn is_transaction(&self) -> bool {
        self.date.is_some()
    }

    /// Where its name must be unique, if it has one and is there.
    pub fn place(&self) -> Option<(&str, String)> {
        let named = self.gone.is_none() && !self.name.trim().is_empty();
        named.then(|| (space(&self.kind), normal(&self.name)))
    }

    /// What equal entries have in common: who, when, how much.
    pub fn equal(&self) -> Option<String> {
        let (entity, date, amount) =
            (self.entity.as_ref()?, self.date.as_ref()?, self.amount.as_ref()?);
        self.gone.is_none().then(|| equal(entity, date, amount))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The day of a time that QuickBooks told.
pub fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// The text under which equal transactions are found.
pub fn equal(entity: &str, date: &str, amount: &str) -> String {
    let amount = amount.trim();
    let amount = if amount.contains('.') {
        amount.trim_end_matches('0').trim_end_matches('.')
    } else {
        amount
    };
    format!("{entity} {date} {amount}")
}

/// Where names of a kind must be unique: customers, vendors, employees, and other names share one
/// list of names, and so do items of all sorts. Numbers of transactions are told apart by kind.
///
/// Source: OSR, status 3100; QuickBooks Desktop help, "Name already in use".
pub fn space(kind: &str) -> &str {
    match kind {
        "Customer" | "Vendor" | "Employee" | "OtherName" | "Entity" => "Name",
        "StandardTerms" | "DateDrivenTerms" | "Terms" => "Terms",
        _ if kind.starts_with("Item") && kind != "ItemReceipt" => "Item",
        _ => kind,
    }
}

/// A name as QuickBooks compares it: without case, without spaces at the ends of a level, and with
/// one space where there are several.
pub fn normal(name: &str) -> String {
    let levels = name
        .split(':')
        .map(|level| level.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" "));
    levels.collect::<Vec<_>>().join(":")
}

/// The other way to write a person's name: "Smith, Mike" for "Mike Smith", and the other way round.
/// QuickBooks takes them for one (Acctivate, "Fix duplicate name error").
pub fn turned(name: &str) -> Option<String> {
    if name.contains(':') {
        return None;
    }
    if let Some((last, first)) = name.split_once(',') {
        let (last, first) = (last.trim(), first.trim());
        return (!last.is_empty() && !first.is_empty()).then(|| format!("{first} {last}"));
    }
    let mut words = name.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(first), Some(last), None) => Some(format!("{last}, {first}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_whatever_their_case_and_spaces() {
        assert_eq!(normal(" Smith  Ltd : Site 1 "), "smith ltd:site 1");
        assert_eq!(space("Vendor"), space("Customer"));
        assert_eq!(space("ItemService"), space("ItemGroup"));
        assert_ne!(space("ItemReceipt"), space("ItemService"));
    }

    #[test]
    fn a_persons_name_is_turned_both_ways() {
        assert_eq!(turned("Mike Smith").as_deref(), Some("Smith, Mike"));
        assert_eq!(turned("Smith, Mike").as_deref(), Some("Mike Smith"));
        assert_eq!(turned("Acme Tools Ltd"), None);
        assert_eq!(turned("Acme:Site A"), None);
    }

    #[test]
    fn equal_entries_are_equal_however_the_amount_is_written() {
        assert_eq!(equal("1", "2026-01-02", "10.00"), equal("1", "2026-01-02", "10"));
        assert_ne!(equal("1", "2026-01-02", "100"), equal("1", "2026-01-02", "10"));
    }
}
