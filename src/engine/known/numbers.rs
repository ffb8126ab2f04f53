//! Who has the number of a document that is to be made, or that is to get another number.
//!
//! QuickBooks Desktop takes a number twice without a word, so it is ours to look: per kind, and for
//! what a vendor numbered, per vendor. A vendor is named by ListID, by a record of ours, or by name;
//! [`Party`] tells whether two of these are one.

use serde_json::Value;

use crate::domain::connection::DuplicateNumbers;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Facts;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::NumberCheck;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::EngineError;
use crate::engine::known::MAX_SAME;
use crate::engine::known::Places;
use crate::engine::known::candidates;
use crate::engine::place::sources;
use crate::engine::references;
use crate::engine::work::Work;
use crate::qbxml::build::Resolved;
use crate::store::Find;
use crate::store::StoreError;

/// Kinds whose numbers are told apart by vendor.
const OF_VENDORS: [&str; 3] = ["Bill", "ItemReceipt", "VendorCredit"];
/// Kinds whose numbers are told apart by kind alone. Numbers of payments and checks are another
/// party's, or the bank's.
const NUMBERED: [&str; 6] =
    ["Invoice", "SalesReceipt", "CreditMemo", "Estimate", "SalesOrder", "PurchaseOrder"];

/// Whose number it is, as far as that is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Party {
    /// `Kind/sourceId` of the record of ours that is named.
    source: Option<String>,
    /// Its ListID.
    id: Option<String>,
    /// Each `ListID` that the mirror knows by its name.
    ids: Vec<String>,
    /// Its full name, as QuickBooks compares it.
    name: Option<String>,
}

impl Party {
    fn of(facts: &Facts) -> Self {
        let name = facts.entity_name.as_deref().map(mirror::normal);
        Self { id: facts.entity.clone(), name, ..Self::default() }
    }

    /// Whether both are one; `None` if nobody knows.
    fn is(&self, other: &Self) -> Option<bool> {
        if let (Some(one), Some(another)) = (&self.id, &other.id) {
            return Some(one == another);
        }
        let named =
            |one: &Self, id: &Option<String>| id.as_ref().is_some_and(|id| one.ids.contains(id));
        let same = self.source.is_some() && self.source == other.source;
        if same || named(self, &other.id) || named(other, &self.id) {
            return Some(true);
        }
        Some(self.name.as_ref()? == other.name.as_ref()?)
    }
}

/// Another record of ours with the same number that is to go to QuickBooks too.
struct Rival {
    key: RecordKey,
    /// False: nobody knows yet whether both are of one vendor.
    is_same: bool,
    /// Whether QuickBooks has it, or may.
    is_on_its_way: bool,
}

/// The number of a document that is told apart by it.
pub(crate) fn number_of<'a>(kind: &str, data: &'a Value) -> Option<&'a str> {
    let numbered = OF_VENDORS.contains(&kind) || NUMBERED.contains(&kind);
    let number = data.get("RefNumber").filter(|_| numbered)?;
    number.as_str().map(str::trim).filter(|number| !number.is_empty())
}

impl Work<'_> {
    /// Whether a record brings a number to QuickBooks: it is to be made, or what stands there has
    /// another number. An old duplicate keeps back no change of anything else.
    pub(crate) async fn brings_number(
        &self,
        record: &Record,
        number: &str,
    ) -> Result<bool, StoreError> {
        let Some(reference) = &record.reference else { return Ok(true) };
        let known = self.mirrored(&reference.id).await?;
        // What this step was told is in the record, and not in the mirror yet.
        let told = known.iter().map(|it| it.facts.name.as_str()).chain([reference.label.as_str()]);
        let mut told = told.filter(|told| !told.trim().is_empty()).peekable();
        if told.peek().is_none() {
            return Ok(known.is_some());
        }
        Ok(told.all(|told| mirror::normal(told) != mirror::normal(number)))
    }

    /// Who has the number that a transaction brings.
    pub(crate) async fn number_in_use(
        &mut self,
        record: &Record,
        data: &Value,
        places: &Places,
    ) -> Result<Option<Finding>, EngineError> {
        let kind = record.key.kind.as_str();
        let Some(number) = number_of(kind, data) else { return Ok(None) };
        if !self.brings_number(record, number).await? {
            return Ok(None);
        }
        let doubted = record.number.as_ref().is_some_and(NumberCheck::is_doubted);
        if !doubted {
            let space = mirror::space(kind).to_owned();
            let found = self.find(&Find::Named(space, mirror::normal(number))).await?;
            if let Some(finding) = self.number_found(record, data, places, found).await? {
                return Ok(Some(finding));
            }
        }
        let rivals = self.rivals_of(record, number, data, places).await?;
        let ours = rivals.into_iter().find(|rival| rival.is_same);
        Ok(ours.map(|ours| taken(record, number).fact("record", ours.key.path())))
    }

    /// What is wrong if transactions of the number are in QuickBooks.
    pub(crate) async fn number_found(
        &mut self,
        record: &Record,
        data: &Value,
        places: &Places,
        found: Vec<Mirrored>,
    ) -> Result<Option<Finding>, EngineError> {
        let kind = record.key.kind.as_str();
        let Some(number) = number_of(kind, data) else { return Ok(None) };
        let mut others = self.others(record, found).await?;
        if OF_VENDORS.contains(&kind) && !others.is_empty() {
            let party = self.vendor(record, data, places).await?;
            others.retain(|(it, _)| party.is(&Party::of(&it.facts)) == Some(true));
        }
        let Some((first, ours)) = others.first() else { return Ok(None) };
        let party = first.facts.entity_name.clone().unwrap_or_default();
        let mut finding = taken(record, number).fact("party", party);
        if let Some(ours) = ours {
            finding = finding.fact("record", ours.path());
        }
        finding.candidates = candidates(kind, others.iter().map(|(it, _)| it));
        Ok(Some(finding))
    }

    /// That the number is used, where the connection only wants to be told.
    pub(crate) async fn number_remark(
        &mut self,
        record: &Record,
    ) -> Result<Option<Finding>, EngineError> {
        if self.connection.duplicate_numbers != DuplicateNumbers::Warn {
            return Ok(None);
        }
        let places = self.places(record).await?;
        let data = record.amended().into_owned();
        self.number_in_use(record, &data, &places).await
    }

    /// An earlier record of the same number that is on its way, and of which nobody can tell before
    /// QuickBooks has it whether it is of the same vendor.
    pub(crate) async fn unclear_rival(
        &mut self,
        record: &Record,
    ) -> Result<Option<RecordKey>, EngineError> {
        let data = record.amended().into_owned();
        let Some(number) = number_of(&record.key.kind, &data) else { return Ok(None) };
        let of_vendor = OF_VENDORS.contains(&record.key.kind.as_str());
        if !of_vendor || !self.brings_number(record, number).await? {
            return Ok(None);
        }
        let places = self.places(record).await?;
        let rivals = self.rivals_of(record, number, &data, &places).await?;
        let unclear = rivals.into_iter().find(|rival| !rival.is_same && rival.is_on_its_way);
        Ok(unclear.map(|rival| rival.key))
    }

    /// Earlier records of ours with the same number that are to go to QuickBooks too, or are there.
    async fn rivals_of(
        &mut self,
        record: &Record,
        number: &str,
        data: &Value,
        places: &Places,
    ) -> Result<Vec<Rival>, EngineError> {
        let (kind, normal) = (record.key.kind.as_str(), mirror::normal(number));
        let fits = |other: &Record| {
            let stands =
                !matches!(other.status, Status::Failed | Status::Bypassed | Status::Withdrawn);
            let named = other.name().is_some_and(|name| mirror::normal(name) == normal);
            // Of two that were put at one moment, one goes.
            let first = (other.created_at, &other.key) < (record.created_at, &record.key);
            // A change is of an older record: what is out may be there before it.
            let first = first || (record.reference.is_some() && other.status.is_out());
            other.key.kind == kind && other.key != record.key && stands && named && first
        };
        let mut others: Vec<Record> = self.records_here().filter(|it| fits(it)).cloned().collect();
        let store = &self.engine.store;
        let space = mirror::space(kind);
        for key in store.records_named(&self.connection.id, space, &normal, MAX_SAME).await? {
            if key.kind == kind && !self.has_record(&key) {
                others.extend(store.record(&key).await?.filter(fits));
            }
        }
        let mut rivals = Vec::new();
        let of_vendor = OF_VENDORS.contains(&kind) && !others.is_empty();
        let party =
            if of_vendor { self.vendor(record, data, places).await? } else { Party::default() };
        for other in others {
            if other.status == Status::Synced && !self.still_has(&other, record, &normal).await? {
                continue;
            }
            let same = if of_vendor {
                // Boxed, as it resolves what another record refers to.
                let theirs = Box::pin(self.places(&other)).await?;
                party.is(&self.vendor(&other, &other.amended(), &theirs).await?)
            } else {
                Some(true)
            };
            if same == Some(false) {
                continue;
            }
            let out = matches!(other.status, Status::Queued | Status::Sent | Status::InDoubt);
            rivals.push(Rival { key: other.key, is_same: same.is_some(), is_on_its_way: out });
        }
        Ok(rivals)
    }

    /// Whether a record that is in QuickBooks has its number there still, as far as is known.
    async fn still_has(
        &self,
        other: &Record,
        record: &Record,
        normal: &str,
    ) -> Result<bool, EngineError> {
        if record.number.as_ref().is_some_and(NumberCheck::is_doubted) {
            return Ok(false);
        }
        let Some(reference) = &other.reference else { return Ok(true) };
        let known = self.mirrored(&reference.id).await?;
        let told_at = record.number.as_ref().and_then(|number| number.told_at);
        Ok(match known {
            Some(known) => known.facts.place().is_some_and(|(_, name)| name == normal),
            // QuickBooks was asked after it was made, and did not name it.
            None => told_at.is_none_or(|at| other.synced_at.is_none_or(|synced| synced >= at)),
        })
    }

    /// The vendor of a bill, a receipt or a credit.
    async fn vendor(
        &mut self,
        record: &Record,
        data: &Value,
        places: &Places,
    ) -> Result<Party, EngineError> {
        let Some(vendor) = data.get("VendorRef") else { return Ok(Party::default()) };
        let mut party = Party::default();
        match references::place(vendor, places) {
            Some(Resolved::Id(id)) => {
                let known = self.mirrored(&id).await?;
                party.name = known.map(|known| mirror::normal(&known.facts.name));
                party.id = Some(id);
            }
            Some(Resolved::FullName(name)) => party.name = Some(mirror::normal(&name)),
            None => {}
        }
        if let Some(source) = sources(&record.key.connection, vendor).into_iter().next() {
            let named = self.record(&source).await?;
            let named = named.as_ref().and_then(|named| named.name()).map(mirror::normal);
            party.name = party.name.or(named);
            party.source = Some(source.path());
        }
        if let Some(name) = party.name.clone().filter(|_| party.id.is_none()) {
            let found = self.find(&Find::Named("Name".to_owned(), name)).await?;
            let vendors = found.into_iter().filter(|it| it.facts.kind == "Vendor");
            party.ids = vendors.map(|it| it.id).collect();
        }
        Ok(party)
    }
}

/// A change is not helped by a link: it would go over what has the number.
fn taken(record: &Record, number: &str) -> Finding {
    let finding = Finding::new(Code::DuplicateRefNumber)
        .at("/data/RefNumber")
        .fact("field", "RefNumber")
        .fact("value", number)
        .fact("kind", &record.key.kind);
    if record.reference.is_some() { finding.cause("changed") } else { finding }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_the_same_however_it_is_named() {
        let party = |id: &str, ids: &[&str], name: &str| Party {
            source: None,
            id: Some(id.to_owned()).filter(|id| !id.is_empty()),
            ids: ids.iter().map(|&id| id.to_owned()).collect(),
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        };
        let check = |one: Party, other: Party, wanted| {
            assert_eq!(one.is(&other), wanted, "{one:?} {other:?}");
            assert_eq!(other.is(&one), wanted, "{other:?} {one:?}");
        };
        check(party("80-1", &[], ""), party("80-1", &[], ""), Some(true));
        check(party("80-1", &[], "paper"), party("80-2", &[], "paper"), Some(false));
        check(party("", &["80-1"], "paper"), party("80-1", &[], ""), Some(true));
        check(party("", &["80-1"], "paper"), party("80-1", &[], "paper ltd"), Some(true));
        check(party("", &[], "paper"), party("80-1", &[], "paper"), Some(true));
        check(party("", &[], "paper"), party("80-1", &[], "ink"), Some(false));
        check(party("", &[], "paper"), party("80-1", &[], ""), None);
        let source = Party { source: Some("Vendor/1".to_owned()), ..Party::default() };
        check(source.clone(), source, Some(true));
    }
}
