//! The mirror of the company file: filled by every object that passes, and, where a connection wants
//! it, by questions of our own behind all records.
//!
//! A part is told once in full, by pages where QuickBooks has iterators, and then by what was
//! modified since its newest `TimeModified`, with a second of overlap: QuickBooks prints that time
//! without daylight saving, so it is compared with itself alone and sent back without an offset
//! (OSR, `FromModifiedDate`; jsgoupil's quickbooks-sync, "Time zones").

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use serde_json::Value;
use serde_json::json;

use crate::domain::ids::Revision;
use crate::domain::mirror::Facts;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::request::About;
use crate::domain::request::Question;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::compose;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::response::Ret;
use crate::qbxml::schema::schema;
use crate::qbxml::version::Target;
use crate::store::Change;
use crate::store::Find;
use crate::store::StoreError;

/// After all records: the mirror is never in the way.
const PRIORITY: i32 = -1001;
/// A part that was told is asked for again after this long.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// A list that was told in full is taken for complete this long.
const COMPLETE: SignedDuration = SignedDuration::from_hours(2);
/// So many times as seldom is asked for what QuickBooks refused for good.
const SELDOM: i32 = 24;
/// Objects in one answer of an iterator: Conductor and others found that more strains QuickBooks.
const PAGE: u32 = 100;
/// Transactions older than this are not asked for.
const TRANSACTIONS: SignedDuration = SignedDuration::from_hours(24 * 365);
/// QuickBooks remembers for 90 days what was deleted.
const DELETIONS: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Types of accounts to which QuickBooks posts by itself.
const POSTED: [&str; 2] = ["AccountsPayable", "AccountsReceivable"];
/// The causes of a missing account that a new one may be the end of.
const OF_ACCOUNTS: [&str; 3] = ["", "account_reference", "missing_posting_account"];
/// Longest hint, in characters.
const MAX_HINT: usize = 120;

/// How a part is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum How {
    /// The whole list in one answer: it has no iterator.
    List,
    /// A list, page by page.
    Pages,
    /// Transactions, page by page.
    Transactions,
    /// What was deleted.
    Deleted(&'static str, &'static [&'static str]),
}

/// The parts, in the order in which they are asked for: `…QueryRq` without its end.
///
/// Source: OSR, "Iterators" (which requests have them).
const PARTS: &[(&str, How)] = &[
    ("Account", How::List),
    ("Class", How::List),
    ("Terms", How::List),
    ("PaymentMethod", How::List),
    ("ShipMethod", How::List),
    ("SalesTaxCode", How::List),
    ("CustomerType", How::List),
    ("VendorType", How::List),
    ("JobType", How::List),
    ("SalesRep", How::List),
    ("CustomerMsg", How::List),
    ("Employee", How::List),
    ("OtherName", How::List),
    ("Item", How::Pages),
    ("Customer", How::Pages),
    ("Vendor", How::Pages),
    ("Invoice", How::Transactions),
    ("SalesReceipt", How::Transactions),
    ("CreditMemo", How::Transactions),
    ("Bill", How::Transactions),
    ("ItemReceipt", How::Transactions),
    ("VendorCredit", How::Transactions),
    ("Estimate", How::Transactions),
    ("SalesOrder", How::Transactions),
    ("PurchaseOrder", How::Transactions),
    (
        "ListDeleted",
        How::Deleted(
            "ListDelType",
            &[
                "Account",
                "Class",
                "Customer",
                "CustomerMsg",
                "CustomerType",
                "DateDrivenTerms",
                "Employee",
                "ItemDiscount",
                "ItemFixedAsset",
                "ItemGroup",
                "ItemInventory",
                "ItemInventoryAssembly",
                "ItemNonInventory",
                "ItemOtherCharge",
                "ItemPayment",
                "ItemSalesTax",
                "ItemSalesTaxGroup",
                "ItemService",
                "ItemSubtotal",
                "JobType",
                "OtherName",
                "PaymentMethod",
                "SalesRep",
                "SalesTaxCode",
                "ShipMethod",
                "StandardTerms",
                "Vendor",
                "VendorType",
            ],
        ),
    ),
    (
        "TxnDeleted",
        How::Deleted(
            "TxnDelType",
            &[
                "Bill",
                "CreditMemo",
                "Estimate",
                "Invoice",
                "ItemReceipt",
                "PurchaseOrder",
                "ReceivePayment",
                "SalesOrder",
                "SalesReceipt",
                "VendorCredit",
            ],
        ),
    ),
];

impl Engine {
    /// Asks QuickBooks for every part of the mirror at its next session; how many parts there are.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn refresh_mirror(
        &self,
        id: &crate::domain::ids::ConnectionId,
        actor: &Actor,
    ) -> Result<usize, EngineError> {
        until_settled!(async {
            let mut work = Work::new(self, self.connection(id).await?, self.state(id).await?);
            let asked = work.ask_for_parts(SignedDuration::ZERO);
            work.changes(vec![self.note(id, actor, "asked for the company file's lists", "")]);
            work.commit().await?;
            Ok::<_, EngineError>(asked)
        })
    }
}

impl Work<'_> {
    /// Asks for the parts that are old, if the connection wants a mirror.
    pub(crate) fn freshen_mirror(&mut self) {
        if self.connection.mirror {
            self.ask_for_parts(FRESH);
        }
    }

    fn ask_for_parts(&mut self, older: SignedDuration) -> usize {
        let now = self.engine.now();
        self.begin_anew(now);
        let mut asked = 0;
        for (part, how) in PARTS {
            let known = self.state.mirror.get(*part).cloned().unwrap_or_default();
            // What is refused for good is looked at now and then: somebody may switch it on.
            let older = if known.is_refused { older * SELDOM } else { older };
            let last = known.told_at.max(known.untold_at);
            if known.asked.is_some() || self.is_off(part) || is_newer(last, older, now) {
                continue;
            }
            let since = known.since.as_deref().and_then(overlap);
            let target = compose::target(self.state.host.as_ref());
            let data = question(*how, since, now, target);
            let Ok(built) = raw::build(&format!("{part}QueryRq"), &data, &target) else {
                continue;
            };
            let about = About {
                record: None,
                question: Question::Mirror((*part).to_owned()),
                problem: None,
            };
            let request = self.ask_behind(about, built, PRIORITY);
            self.state.mirror.entry((*part).to_owned()).or_default().asked = Some(request);
            asked += 1;
        }
        asked
    }

    /// Forgets what the mirror was told, if QuickBooks does not remember any more all that was
    /// deleted since: each part is told anew in full.
    fn begin_anew(&mut self, now: Timestamp) {
        let too_old = PARTS.iter().any(|(part, how)| {
            let told_at = self.state.mirror.get(*part).and_then(|part| part.told_at);
            let age = told_at.map(|at| now.duration_since(at));
            matches!(how, How::Deleted(..)) && age.is_some_and(|age| age >= DELETIONS)
        });
        if too_old {
            self.state.mirror.clear();
            self.state.mirror_era += 1;
        }
    }

    /// An answer, or a page of one, about a part.
    pub(crate) fn mirror_told(&mut self, part: &str, request: &Request, answers: &[Answer]) {
        let now = self.engine.now();
        let Some(part) = self.state.mirror.get_mut(part) else { return };
        if part.asked != Some(request.id) {
            // It was asked for before the mirror was begun anew.
            return;
        }
        let Some(answer) = answers.first() else {
            part.asked = None;
            return;
        };
        let newest = answer.rets.iter().filter_map(|ret| {
            ret.time_deleted.as_deref().or(ret.time_modified.as_deref()).map(without_offset)
        });
        if let Some(newest) = newest.max() {
            let known = part.newest.take().unwrap_or_default();
            part.newest = Some(known.max(newest.to_owned()));
        }
        let active = answer.rets.iter().filter(|ret| ret.is_active != Some(false));
        let types: BTreeSet<String> = active.filter_map(|ret| ret.account_type.clone()).collect();
        // What failed for want of an account goes again, as it may be one that changed. The newest
        // of before is told again each time.
        let since = part.since.as_deref();
        let changed = answer.rets.iter().filter(|ret| {
            let at = ret.time_modified.as_deref().map(without_offset);
            ret.is_active != Some(false) && since.is_some() && at > since
        });
        let posted = |it: &str| POSTED.contains(&it) || !part.types.contains(it);
        if changed.filter_map(|ret| ret.account_type.as_deref()).any(posted) {
            let missing = |cause: &str| Finding::new(Code::MissingAccount).cause(cause).group();
            self.gone.extend(OF_ACCOUNTS.map(missing));
        }
        part.types.extend(types);
        if request.status != RequestStatus::Answered {
            return;
        }
        part.asked = None;
        let newest = part.newest.take();
        let class = classify::status(&answer.said, "QueryRq");
        let told = matches!(
            class.disposition,
            Disposition::Done | Disposition::Warned | Disposition::Empty
        );
        part.is_refused = class.code == Code::FeatureNotAvailable;
        // Of a list that is too long to keep in one answer nobody says that something is missing.
        if told && !answer.is_cut {
            part.told_at = Some(now);
            part.untold_at = None;
            part.is_whole = true;
            part.since = newest.max(part.since.take());
        } else {
            // It is not asked for again at every session.
            part.untold_at = Some(now);
        }
    }

    /// A question of the mirror will not be answered; the next session asks anew.
    pub(crate) fn mirror_untold(&mut self, part: &str, request: &Request) {
        let part = self.state.mirror.get_mut(part);
        if let Some(part) = part.filter(|part| part.asked == Some(request.id)) {
            part.asked = None;
            part.newest = None;
        }
    }

    /// Whether the mirror was told of all of a list not long ago: what is not in it is not in
    /// QuickBooks, unless somebody made it since.
    pub(crate) fn has_all(&self, kind: &str) -> bool {
        let part = if kind.starts_with("Item") { "Item" } else { kind };
        let part = self.state.mirror.get(part).filter(|part| part.was_told());
        let now = self.engine.now();
        part.is_some_and(|part| is_newer(part.told_at, COMPLETE, now))
    }

    /// Whether the mirror was told not long ago of all transactions of a kind.
    pub(crate) fn tells_of(&self, kind: &str) -> bool {
        let part = self.state.mirror.get(kind).filter(|part| part.was_told());
        let now = self.engine.now();
        self.connection.mirror && part.is_some_and(|part| is_newer(part.told_at, FRESH, now))
    }

    /// What is known of an object.
    pub(crate) async fn mirrored(&self, id: &str) -> Result<Option<Mirrored>, StoreError> {
        let known = self.engine.store.mirrored(&self.connection.id, id).await?;
        Ok(known.filter(|known| known.facts.era == self.state.mirror_era))
    }

    /// What is known of objects that are looked for, at most `most`.
    pub(crate) async fn mirror_find(
        &self,
        find: &Find,
        most: usize,
    ) -> Result<Vec<Mirrored>, StoreError> {
        let mut found = self.engine.store.mirror_find(&self.connection.id, find, most).await?;
        found.retain(|known| known.facts.era == self.state.mirror_era);
        Ok(found)
    }

    /// Writes down what an answer tells of objects.
    pub(crate) async fn observe(&mut self, answers: &[Answer]) -> Result<(), StoreError> {
        for ret in answers.iter().flat_map(|answer| &answer.rets) {
            if let Some((id, facts)) = facts(ret) {
                self.heals(&id, &facts).await?;
                self.mirror(id, facts);
            }
            for paid in ret.linked.iter().filter(|it| it.balance.is_some()) {
                let known = self.mirrored(&paid.id).await?;
                if let Some(mut known) = known {
                    let rest = paid.balance.clone().unwrap_or_default();
                    known.facts.is_paid = Some(is_nothing(&rest));
                    known.facts.balance = Some(rest);
                    self.mirror(known.id, known.facts);
                }
            }
        }
        Ok(())
    }

    /// Writes down what is known of an object.
    pub(crate) fn mirror(&mut self, id: String, mut facts: Facts) {
        facts.era = self.state.mirror_era;
        let connection = self.connection.id.clone();
        let mirrored = Mirrored { connection, id, revision: Revision::NEW, facts };
        self.changes(vec![Change::Mirror(Box::new(mirrored))]);
    }

    /// A record's object is out of QuickBooks.
    pub(crate) async fn mirror_gone(&mut self, id: &str) -> Result<(), StoreError> {
        self.vanished.push(id.to_owned());
        let known = self.mirrored(id).await?;
        if let Some(mut known) = known {
            known.facts.gone = Some(self.engine.now().to_string());
            self.mirror(known.id, known.facts);
        }
        Ok(())
    }
}

fn is_newer(told_at: Option<Timestamp>, age: SignedDuration, now: Timestamp) -> bool {
    told_at.map(|at| now.duration_since(at)).is_some_and(|it| it < age && !it.is_negative())
}

fn is_nothing(amount: &str) -> bool {
    amount.chars().all(|c| matches!(c, '0' | '.' | '-'))
}

/// What an object tells; `None` if it is none, or only a part of one.
fn facts(ret: &Ret) -> Option<(String, Facts)> {
    let id = ret.txn_id.clone().or_else(|| ret.list_id.clone()).filter(|id| !id.is_empty())?;
    let name = ret.ref_number.clone().filter(|_| ret.txn_id.is_some());
    let name = name.or_else(|| ret.full_name.clone().filter(|_| ret.txn_id.is_none()));
    if let (Some(kind), Some(gone)) = (&ret.deleted_kind, &ret.time_deleted) {
        let facts = Facts {
            kind: kind.clone(),
            name: name.unwrap_or_default(),
            gone: Some(gone.clone()),
            ..Facts::default()
        };
        return Some((id, facts));
    }
    let kind = ret.name.strip_suffix("Ret")?;
    if ret.txn_id.is_some() == ret.txn_date.is_none() || (ret.txn_id.is_none() && name.is_none()) {
        return None;
    }
    Some((id, told(kind, name.unwrap_or_default(), ret)))
}

/// What an object of a kind tells.
pub(super) fn told(kind: &str, name: String, ret: &Ret) -> Facts {
    let hint = ret.hint.as_ref().map(|hint| hint.chars().take(MAX_HINT).collect());
    Facts {
        kind: kind.to_owned(),
        name,
        edit_sequence: ret.edit_sequence.clone(),
        is_active: ret.is_active,
        account_type: ret.account_type.clone(),
        numbers: ret.numbers.clone(),
        hint,
        balance: ret.balance.clone(),
        entity: ret.entity.clone(),
        entity_name: ret.entity_name.clone(),
        date: ret.txn_date.clone(),
        amount: ret.amount.clone(),
        is_paid: ret.is_paid,
        modified: ret.time_modified.clone(),
        gone: None,
        era: 0,
    }
}

/// What is asked of a part.
fn question(how: How, since: Option<String>, now: Timestamp, target: Target) -> Value {
    let ago = |long: SignedDuration| (now - long).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let mut data = match how {
        How::List => json!({ "ActiveStatus": "All" }),
        How::Pages => {
            json!({"@iterator": "Start", "MaxReturned": PAGE.to_string(), "ActiveStatus": "All"})
        }
        How::Transactions => {
            let from = since.clone().unwrap_or_else(|| ago(TRANSACTIONS));
            json!({"@iterator": "Start", "MaxReturned": PAGE.to_string(),
                "ModifiedDateRangeFilter": {"FromModifiedDate": from}})
        }
        How::Deleted(element, kinds) => {
            let from = since.clone().unwrap_or_else(|| ago(DELETIONS));
            // A name that the host does not know would make the whole request unreadable to it.
            let knows = |kind: &&&str| {
                let kind = schema().kind(kind);
                kind.is_some_and(|kind| kind.add.availability.allows(target))
            };
            let kinds: Vec<_> = kinds.iter().filter(knows).collect();
            json!({element: kinds, "DeletedDateRangeFilter": {"FromDeletedDate": from}})
        }
    };
    if let (How::List | How::Pages, Some(since)) = (how, since) {
        data["FromModifiedDate"] = Value::from(since);
    }
    data
}

/// `2026-11-24T08:33:06-08:00` without its offset.
fn without_offset(time: &str) -> &str {
    time.get(..19).unwrap_or(time)
}

/// A second before, so that nothing of the same second is missed.
fn overlap(since: &str) -> Option<String> {
    let time: DateTime = since.parse().ok()?;
    Some(time.checked_sub(1.second()).ok()?.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watermark_goes_a_second_back_and_has_no_offset() {
        assert_eq!(without_offset("2026-11-24T00:00:00-08:00"), "2026-11-24T00:00:00");
        assert_eq!(overlap("2026-11-24T00:00:00").unwrap(), "2026-11-23T23:59:59");
    }

    #[test]
    fn every_part_can_be_asked_for_in_full_and_by_what_changed() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let target = compose::target(None);
        for (part, how) in PARTS {
            for since in [None, Some("2026-11-24T00:00:00".to_owned())] {
                let data = question(*how, since, now, target);
                let built = raw::build(&format!("{part}QueryRq"), &data, &target);
                assert!(built.is_ok(), "{part}: {built:?}");
            }
        }
    }
}
