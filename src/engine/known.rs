//! What QuickBooks would refuse, or take without a word, as far as the mirror tells.
//!
//! The mirror is knowledge, not truth: a person who tries again overrides it, and QuickBooks has the
//! last word. Only what QuickBooks takes silently, a number that is used or an equal entry, needs a
//! decision of its own.

pub(super) mod company;
pub(super) mod numbers;
pub(super) mod payments;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::connection::DuplicateNumbers;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Facts;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Insisted;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::EngineError;
use crate::engine::references;
use crate::engine::references::Named;
use crate::engine::work::Work;
use crate::qbxml::build::Resolved;
use crate::qbxml::lists;
use crate::store::Find;
use crate::store::StoreError;

/// Objects of one name that are looked at.
pub(crate) const MAX_SAME: usize = 20;
/// Objects of a similar beginning that are looked at.
const MAX_NEAR: usize = 40;
/// Kinds of which an equal entry is probably the same one.
const EQUAL: [&str; 4] = ["Invoice", "SalesReceipt", "CreditMemo", "Bill"];
/// Where the records that a record refers to stand.
pub(crate) type Places = BTreeMap<String, Resolved>;

/// What the mirror says to a record.
pub(crate) enum Knowledge {
    /// Nothing against it.
    Fine,
    /// It is there already, and the application said that then it is this one.
    Same(Box<Mirrored>),
    /// QuickBooks would refuse it, or take it twice.
    Wrong(Vec<Finding>),
}

impl Work<'_> {
    /// Holds a record against the mirror.
    pub(crate) async fn known(
        &mut self,
        record: &Record,
        places: &Places,
    ) -> Result<Knowledge, EngineError> {
        let data = record.amended().into_owned();
        let mut findings = Vec::new();
        if record.insisted < Insisted::Retried {
            if let Some((finding, same)) = self.name_in_use(record, &data, places).await? {
                if let Some(same) = same {
                    return Ok(Knowledge::Same(Box::new(same)));
                }
                findings.push(finding);
            }
            findings.extend(self.closed(record, &data));
            findings.extend(self.no_account(record));
            findings.extend(self.switched_off(record, &data));
            for named in references::of(&record.key.kind, &data, places) {
                findings.extend(self.reference(&record.key.kind, &named).await?);
            }
            findings.extend(self.paid(record, &data, places).await?);
        }
        let fails = self.connection.duplicate_numbers == DuplicateNumbers::Fail;
        if record.insisted < Insisted::Duplicate && findings.is_empty() {
            let number = self.number_in_use(record, &data, places).await?;
            findings.extend(number.filter(|_| fails));
            if findings.is_empty() {
                findings.extend(self.equal_entry(record, &data, places).await?);
            }
        }
        Ok(if findings.is_empty() { Knowledge::Fine } else { Knowledge::Wrong(findings) })
    }

    async fn find(&self, find: &Find) -> Result<Vec<Mirrored>, StoreError> {
        self.mirror_find(find, MAX_SAME).await
    }

    /// Without what is this record's own.
    async fn others(
        &self,
        record: &Record,
        found: Vec<Mirrored>,
    ) -> Result<Vec<(Mirrored, Option<RecordKey>)>, StoreError> {
        let own = record.reference.as_ref().map(|reference| &reference.id);
        let own = own.or(record.former.as_ref());
        let mut others = Vec::new();
        for it in
            found.into_iter().filter(|it| Some(&it.id) != own && !self.vanished.contains(&it.id))
        {
            let ours = self.record_at(&it.id).await?;
            if ours.as_ref() != Some(&record.key) {
                others.push((it, ours));
            }
        }
        Ok(others)
    }

    /// Who has the name of a list element that is to be made, or renamed; and whether it is this one.
    async fn name_in_use(
        &self,
        record: &Record,
        data: &Value,
        places: &Places,
    ) -> Result<Option<(Finding, Option<Mirrored>)>, EngineError> {
        let Some(name) = data.get("Name").and_then(Value::as_str) else { return Ok(None) };
        let Some(full) = self.full_name_of(data, name, places).await? else { return Ok(None) };
        let kind = &record.key.kind;
        let space = mirror::space(kind).to_owned();
        let mut found = self.find(&Find::Named(space.clone(), mirror::normal(&full))).await?;
        let stands_at = record.reference.as_ref();
        if let Some(own) = stands_at {
            let known = self.mirrored(&own.id).await?;
            if known.is_none_or(|it| mirror::normal(&it.facts.name) == mirror::normal(&full)) {
                return Ok(None);
            }
        } else if let Some(turned) = mirror::turned(&full).filter(|_| space == "Name") {
            found.extend(self.find(&Find::Named(space, mirror::normal(&turned))).await?);
        }
        let mut others = self.others(record, found).await?;
        if stands_at.is_some() {
            others = self.that_keep_it(others, name).await?;
        }
        if others.is_empty() {
            return Ok(None);
        }
        let same = others.iter().find(|(it, ours)| {
            let named = mirror::normal(&it.facts.name) == mirror::normal(&full);
            ours.is_none() && it.facts.kind == *kind && named
        });
        let links = record.on_duplicate == OnDuplicate::Link && stands_at.is_none();
        let same = same.filter(|_| links).map(|(it, _)| it.clone());
        // Two of one kind QuickBooks would have to merge.
        let merges = stands_at.is_some() && others.iter().any(|(it, _)| it.facts.kind == *kind);
        // As QuickBooks' own refusal is called, so that both are one problem.
        let (code, cause) =
            if merges { (Code::MergeRefused, "merge") } else { (Code::NameInUse, "name_in_use") };
        let mut finding = Finding::new(code)
            .cause(cause)
            .at("/data/Name")
            .fact("field", "Name")
            .fact("value", name)
            .fact("kind", kind);
        if let Some(ours) = others.iter().find_map(|(_, ours)| ours.as_ref()) {
            finding = finding.fact("record", ours.path());
        }
        finding.candidates = candidates(kind, others.iter().map(|(it, _)| it));
        Ok(Some((finding, same)))
    }

    /// Those that are not on their way to another name.
    async fn that_keep_it(
        &self,
        others: Vec<(Mirrored, Option<RecordKey>)>,
        name: &str,
    ) -> Result<Vec<(Mirrored, Option<RecordKey>)>, EngineError> {
        let mut keep = Vec::new();
        for (it, ours) in others {
            let here = self.records_here().find(|it| Some(&it.key) == ours.as_ref()).cloned();
            let record = match (here, &ours) {
                (None, Some(key)) => self.engine.store.record(key).await?,
                (here, _) => here,
            };
            let goes = record.filter(|it| it.status != Status::Failed).is_some_and(|it| {
                it.wanted != Wanted::Present
                    || it.name().is_some_and(|other| mirror::normal(other) != mirror::normal(name))
            });
            if !goes {
                keep.push((it, ours));
            }
        }
        Ok(keep)
    }

    /// The full name that a list element would get; `None` if its parent's is not known.
    pub(crate) async fn full_name_of(
        &self,
        data: &Value,
        name: &str,
        places: &Places,
    ) -> Result<Option<String>, EngineError> {
        let Some(parent) = data.get("ParentRef").filter(|it| !it.is_null()) else {
            return Ok(Some(name.trim().to_owned()));
        };
        let above = match references::place(parent, places) {
            Some(Resolved::FullName(above)) => Some(above),
            Some(Resolved::Id(id)) => {
                let known = self.mirrored(&id).await?;
                known.map(|known| known.facts.name)
            }
            None => None,
        };
        Ok(above.map(|above| format!("{above}:{}", name.trim())))
    }

    /// ListID of a customer or vendor that data refers to, if it is known.
    pub(crate) async fn entity(
        &self,
        reference: &Value,
        places: &Places,
    ) -> Result<Option<String>, StoreError> {
        Ok(match references::place(reference, places) {
            Some(Resolved::Id(id)) => Some(id),
            Some(Resolved::FullName(name)) => {
                let find = Find::Named("Name".to_owned(), mirror::normal(&name));
                self.find(&find).await?.into_iter().next().map(|it| it.id)
            }
            None => None,
        })
    }

    /// What a reference points at: missing, gone, inactive, of the wrong type.
    async fn reference(&self, own: &str, named: &Named) -> Result<Option<Finding>, EngineError> {
        let finding = |code: Code, value: &str| {
            let finding = Finding::new(code).at(&named.pointer).fact("field", &named.field);
            finding.fact("kind", spoken(&named.kind)).fact("value", value)
        };
        let found = self.known_as(named).await?;
        let shown = match (&named.place, &found) {
            (Resolved::FullName(name), _) => name.clone(),
            (Resolved::Id(_), Some(known)) => known.facts.name.clone(),
            (Resolved::Id(_), None) => return Ok(None),
        };
        let Some(known) = found else {
            if !self.has_all(&named.kind) || self.comes(named, &shown).await? {
                return Ok(None);
            }
            let mut missing = finding(Code::ReferenceNotFound, &shown).cause("not_in_any_list");
            missing.candidates = self.near(&named.kind, &shown).await?;
            if let Some(nearest) = missing.candidates.first() {
                missing.facts.insert("nearest".to_owned(), nearest.name.clone());
            }
            return Ok(Some(missing));
        };
        let facts = &known.facts;
        let types = lists::account_types(own, &named.pointer);
        let wrong_type = facts.account_type.as_ref().filter(|it| {
            facts.kind == "Account" && !types.is_empty() && !types.contains(&it.as_str())
        });
        Ok(if let Some(gone) = &facts.gone {
            Some(
                finding(Code::ReferenceNotFound, &shown)
                    .cause("gone")
                    .fact("at", mirror::day(gone)),
            )
        } else if !lists::fits(&named.kind, &facts.kind) {
            Some(
                finding(Code::ReferenceNotFound, &shown)
                    .cause("name_wrong_type")
                    .fact("other", spoken(&facts.kind)),
            )
        } else if facts.is_active == Some(false) {
            Some(finding(Code::InactiveReference, &shown))
        } else {
            wrong_type.map(|of_type| {
                finding(Code::AccountMismatch, &shown)
                    .fact("actual", of_type)
                    .fact("expected", types.join(" or "))
            })
        })
    }

    /// What the mirror has where a reference points.
    async fn known_as(&self, named: &Named) -> Result<Option<Mirrored>, StoreError> {
        let name = match &named.place {
            Resolved::Id(id) => return self.mirrored(id).await,
            Resolved::FullName(name) => mirror::normal(name),
        };
        let space = mirror::space(&named.kind).to_owned();
        let mut found = self.find(&Find::Named(space, name)).await?;
        let right = found.iter().position(|it| lists::fits(&named.kind, &it.facts.kind));
        let right = right.map(|at| found.swap_remove(at));
        Ok(right.or_else(|| found.pop()))
    }

    /// QuickBooks took a record: nothing that it refers to is inactive, whatever the mirror says.
    pub(crate) async fn took(&mut self, record: &Record) -> Result<(), EngineError> {
        let places = self.places(record).await?;
        for named in references::of(&record.key.kind, &record.amended(), &places) {
            let known = self.known_as(&named).await?;
            if let Some(mut known) = known.filter(|it| it.facts.is_active == Some(false)) {
                self.is_active_again(&known.facts.name);
                if let Resolved::FullName(name) = &named.place {
                    self.is_active_again(name);
                }
                known.facts.is_active = None;
                self.mirror(known.id, known.facts);
            }
        }
        Ok(())
    }

    /// What QuickBooks tells of an element of a list: what failed because it was not there, or inactive,
    /// goes again once this step is written.
    pub(super) async fn heals(&mut self, id: &str, facts: &Facts) -> Result<(), StoreError> {
        if facts.is_transaction() || facts.gone.is_some() || facts.is_active == Some(false) {
            return Ok(());
        }
        match self.mirrored(id).await?.map(|before| before.facts) {
            Some(before) if before.is_active == Some(false) => self.is_active_again(&facts.name),
            Some(before) if before.gone.is_none() => {}
            _ => {
                let missing = Finding::new(Code::ReferenceNotFound).fact("value", &facts.name);
                self.gone.push(missing.group());
            }
        }
        Ok(())
    }

    fn is_active_again(&mut self, name: &str) {
        let inactive = Finding::new(Code::InactiveReference).fact("value", name);
        self.gone.push(inactive.group());
    }

    /// Whether a record of ours that is not in QuickBooks yet will make what is missing.
    async fn comes(&self, named: &Named, name: &str) -> Result<bool, StoreError> {
        let last = name.rsplit(':').next().unwrap_or(name);
        let (space, normal) = (mirror::space(&named.kind), mirror::normal(last));
        let store = &self.engine.store;
        Ok(!store.records_named(&self.connection.id, space, &normal, 1).await?.is_empty())
    }

    /// Objects with this part number or bar code, or with a similar name: of those that begin as it
    /// does, the longest beginning first, so that few are looked at however many there are.
    pub(crate) async fn near(&self, kind: &str, name: &str) -> Result<Vec<Candidate>, StoreError> {
        let text = mirror::normal(name);
        let number = Find::Named(mirror::NUMBERS.to_owned(), text.clone());
        let mut numbered = self.find(&number).await?;
        numbered.retain(|it| lists::fits(kind, &it.facts.kind) && !self.vanished.contains(&it.id));
        if !numbered.is_empty() {
            return Ok(candidates(kind, numbered.iter()));
        }
        let normal: Vec<char> = text.chars().collect();
        let long = normal.len();
        let mut seen = BTreeSet::new();
        for kept in [long.saturating_sub(1), long.saturating_sub(2), long * 3 / 4, long / 2, 3] {
            let kept = kept.max(3).min(long);
            let find =
                Find::Prefix(mirror::space(kind).to_owned(), normal[..kept].iter().collect());
            let found = self.mirror_find(&find, MAX_NEAR).await?;
            let fits = |it: &&Mirrored| {
                lists::fits(kind, &it.facts.kind) && !self.vanished.contains(&it.id)
            };
            let told = found.iter().filter(|it| seen.insert(it.id.clone())).filter(fits);
            let mut ranked: Vec<(usize, &Mirrored)> = told
                .map(|it| (strsim::osa_distance(&text, &mirror::normal(&it.facts.name)), it))
                .filter(|(distance, _)| *distance <= (long / 3).max(1))
                .collect();
            if !ranked.is_empty() {
                ranked.sort_by_key(|(distance, _)| *distance);
                return Ok(candidates(kind, ranked.into_iter().map(|(_, it)| it)));
            }
        }
        Ok(Vec::new())
    }

    /// An entry in QuickBooks that is none of ours, of the same customer, day and amount.
    async fn equal_entry(
        &self,
        record: &Record,
        data: &Value,
        places: &Places,
    ) -> Result<Option<Finding>, EngineError> {
        let kind = record.key.kind.as_str();
        if record.reference.is_some() || !EQUAL.contains(&kind) {
            return Ok(None);
        }
        let party = data.get("CustomerRef").or_else(|| data.get("VendorRef"));
        let day = data.get("TxnDate").and_then(Value::as_str);
        let (Some(party), Some(day), Some(amount)) = (party, day, amount(data)) else {
            return Ok(None);
        };
        let Some(party) = self.entity(party, places).await? else { return Ok(None) };
        let amount = format!("{amount:.2}");
        let find = Find::Equal(kind.to_owned(), mirror::equal(&party, day, &amount));
        let found = self.find(&find).await?;
        let mut others = self.others(record, found).await?;
        others.retain(|(_, ours)| ours.is_none());
        let Some((first, _)) = others.first() else { return Ok(None) };
        let mut finding = Finding::new(Code::PossibleDuplicate)
            .at("/data")
            .fact("kind", kind)
            .fact("number", &first.facts.name)
            .fact("party", first.facts.entity_name.clone().unwrap_or_default())
            .fact("value", &amount)
            .fact("at", day);
        finding.candidates = candidates(kind, others.iter().map(|(it, _)| it));
        Ok(Some(finding))
    }
}

/// `ItemService` as people call it.
pub(crate) fn spoken(kind: &str) -> &str {
    if kind.starts_with("Item") && kind != "ItemReceipt" { "Item" } else { kind }
}

/// Shown to a person: the same kind first, active before inactive.
pub(crate) fn candidates<'a>(
    kind: &str,
    found: impl Iterator<Item = &'a Mirrored>,
) -> Vec<Candidate> {
    let mut found: Vec<&Mirrored> = found.collect();
    found.sort_by_key(|it| (it.facts.kind != kind, it.facts.is_active == Some(false)));
    let shown = found.into_iter().take(MAX_SAME).map(|it| {
        let facts = it.facts.clone();
        Candidate {
            id: it.id.clone(),
            kind: facts.kind,
            name: facts.name,
            is_active: facts.is_active,
            balance: facts.balance,
            hint: facts.hint,
            date: facts.date,
            amount: facts.amount,
        }
    });
    shown.collect()
}

/// What the lines come to; `None` if one of them does not say.
fn amount(data: &Value) -> Option<Decimal> {
    let lines = data.as_object()?.iter().filter(|(name, _)| {
        let name = crate::qbxml::schema::base_name(name);
        name.ends_with("Line")
    });
    let mut total = Decimal::ZERO;
    let mut any = false;
    for (_, lines) in lines {
        let one = std::slice::from_ref(lines);
        for line in lines.as_array().map_or(one, Vec::as_slice) {
            let number = |name: &str| {
                let value = line.get(name)?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text.trim().parse::<Decimal>().ok()
            };
            let product = || {
                Some(
                    number("Quantity").unwrap_or(Decimal::ONE)
                        * number("Rate").or_else(|| number("Cost"))?,
                )
            };
            total += number("Amount").or_else(product)?;
            any = true;
        }
    }
    any.then_some(total)
}
