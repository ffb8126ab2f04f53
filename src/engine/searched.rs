//! What the books say of an Add that is lost: it is there, it is not, or a person has to look.
//!
//! It is sent again only where the books show that it is not there; what they leave open is a
//! person's.
//!
//! Source: SDK sample `QBInvoiceAdd` (error recovery); OSR, `…QueryRq`.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::backoff;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Insisted;
use crate::domain::record::Record;
use crate::domain::record::Reference;
use crate::domain::record::Status;
use crate::domain::request::Question;
use crate::domain::request::Sent;
use crate::engine::EngineError;
use crate::engine::follow_up;
use crate::engine::intake::is_unknown;
use crate::engine::questions::MARGIN;
use crate::engine::work::Work;
use crate::qbxml::response::Ret;
use crate::store::RecordFilter;

/// Records looked at in one go.
const PAGE: usize = 500;
/// QuickBooks rounds each line that has a quantity and a rate.
const ROUNDED: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// Objects that a person can choose from; the likeliest stand first.
const MAX_OFFERED: usize = 20;

impl Work<'_> {
    /// Of what was made since, without what records of ours stand at, and without what is known to be
    /// another: nothing is proof that nothing was made; one with the right name is it; all else is a
    /// person's.
    pub(super) async fn decide_lost(
        &mut self,
        record: Record,
        sent: &Sent,
        found: Vec<Ret>,
    ) -> Result<(), EngineError> {
        let Sent { name, entity, others, .. } = sent;
        let mut candidates: Vec<(String, Ret)> = Vec::new();
        // A person sent it although there was another one, which may be what is found.
        let mut doubtful = record.insisted >= Insisted::Duplicate;
        for ret in found {
            let Some(id) = ret.txn_id.clone().or_else(|| ret.list_id.clone()) else { continue };
            if record.former.as_ref() == Some(&id) || others.contains(&id) {
                continue;
            }
            let holder = self.record_at(&id).await?;
            // A person may have moved it to another customer, or merged that one away.
            let another = matches!((entity, &ret.entity), (Some(a), Some(b)) if a != b);
            let moved = another && may_have_moved(sent, &ret);
            let another = another && !moved;
            // Of what has no number, whatever a person linked may be it.
            let may_be = is_same(sent, &ret) || (name.is_none() && ret.txn_id.is_some());
            if let Some(other) = &holder
                && may_be
                && !another
                && !self.was_made_for(other).await?
            {
                // Somebody may have linked the other one to what was made for this one.
                let why = format!("{} stands at {id}, which may be it", other.path());
                return self
                    .fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why))
                    .await;
            }
            let ours = holder.is_some();
            let made = ret.time_created.as_deref().and_then(made_at);
            let before = made.is_some_and(|made| made < sent.at - MARGIN);
            // One clock or the other may be wrong. A name is in use once: that one says so itself.
            let suspect = before && ret.txn_id.is_some() && is_same(sent, &ret);
            let older = before && !suspect;
            let known = candidates.iter().any(|(known, _)| *known == id);
            if !ours && !another && !older && !known {
                doubtful |= suspect || moved;
                candidates.push((id, ret));
            }
        }
        candidates.sort_by_key(|(_, ret)| (!is_same(sent, ret), ret.is_active == Some(false)));
        let matching = candidates.iter().filter(|(_, ret)| is_same(sent, ret)).count();
        match (matching, candidates.as_slice()) {
            (_, []) => self.send_again(record).await,
            (1, [(id, ret), ..]) if !doubtful => {
                match self.rival(&record, name.as_deref()).await? {
                    None => self.found(record, id.clone(), ret).await,
                    Some(rival) => {
                        let why =
                            format!("QuickBooks has {id}, which may be that of {}", rival.path());
                        let mut finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                        finding.candidates = follow_up::candidate(ret).into_iter().collect();
                        self.fail(record, finding).await
                    }
                }
            }
            // Without a match a person may have renamed it; with several, nobody knows which.
            (_, several) => {
                let shown = several.iter().take(5).map(|(id, ret)| {
                    let called = ret.ref_number.as_deref().or(ret.full_name.as_deref());
                    format!("{} ({id})", called.unwrap_or("without a number"))
                });
                let shown: Vec<String> = shown.collect();
                let why = format!(
                    "QuickBooks has {} of the same time that may be it: {}",
                    several.len(),
                    shown.join(", ")
                );
                let mut finding = Finding::new(Code::OutcomeUnknown).fact("why", why);
                let offered = several.iter().filter_map(|(_, ret)| follow_up::candidate(ret));
                finding.candidates = offered.take(MAX_OFFERED).collect();
                self.fail(record, finding).await
            }
        }
    }

    async fn was_made_for(&mut self, key: &RecordKey) -> Result<bool, EngineError> {
        let reference = self.record(key).await?.and_then(|record| record.reference);
        Ok(reference.is_some_and(|reference| reference.made))
    }

    /// Another record of this name of which nobody knows whether QuickBooks has it: what is found
    /// may be that one's.
    async fn rival(
        &mut self,
        record: &Record,
        name: Option<&str>,
    ) -> Result<Option<RecordKey>, EngineError> {
        let last = |name: &str| mirror::normal(name.rsplit(':').next().unwrap_or(name));
        let named = name.map(last);
        let of_kind = |status, cause| RecordFilter {
            status: Some(status),
            kind: Some(record.key.kind.clone()),
            cause,
            ..RecordFilter::default()
        };
        let filters =
            [of_kind(Status::InDoubt, None), of_kind(Status::Failed, Some(Code::OutcomeUnknown))];
        for filter in filters {
            let mut cursor = None;
            loop {
                let store = &self.engine.store;
                let page =
                    store.records(&self.connection.id, &filter, cursor.as_deref(), PAGE).await?;
                for other in page.items {
                    let sent = self.sent_as(&other).await?;
                    let here = self.record(&other.key).await?.unwrap_or(other);
                    let open = here.reference.is_none()
                        && (here.status == Status::InDoubt || is_unknown(&here));
                    if here.key != record.key && open && sent.as_deref().map(last) == named {
                        return Ok(Some(here.key));
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// The name under which a record was sent, as far as it is known: it may have changed since.
    async fn sent_as(&mut self, record: &Record) -> Result<Option<String>, EngineError> {
        let asked = match record.asked {
            Some(asked) => self.request(asked).await?.and_then(|request| request.about),
            None => None,
        };
        Ok(match asked.map(|about| about.question) {
            Some(Question::Outcome(sent)) => sent.name,
            _ => record.name().map(str::to_owned),
        })
    }

    /// It is there: it was made, and only the answer was lost.
    async fn found(
        &mut self,
        mut record: Record,
        id: String,
        ret: &Ret,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        let label = ret.ref_number.clone().or_else(|| ret.full_name.clone());
        record.reference = Some(Reference {
            id,
            edit_sequence: ret.edit_sequence.clone(),
            label: label.unwrap_or_default(),
            ..Reference::default()
        });
        record.forget_former();
        record.lost = None;
        // Its lines are not known: the next change asks for it first.
        record.refresh = true;
        record.findings.clear();
        record.tries = 0;
        record.insisted = Insisted::Nothing;
        record.synced_at = Some(now);
        record.become_status(Status::Synced, now, "found in QuickBooks' books");
        self.settled.push(record.key.clone());
        self.go_on(record).await
    }

    /// It is not there: nothing was made, and sending it makes it once.
    async fn send_again(&mut self, mut record: Record) -> Result<(), EngineError> {
        let (key, tries) = (record.key.clone(), record.tries);
        let Some(wait) = backoff::after(Code::OutcomeUnknown, "", tries) else {
            let why = "QuickBooks forgets it again and again";
            return self.fail(record, Finding::new(Code::OutcomeUnknown).fact("why", why)).await;
        };
        record.lost = None;
        record.findings.clear();
        self.place(record, "it is not in QuickBooks' books; sent again").await?;
        let placed = self.record(&key).await?;
        if let Some(mut placed) = placed.filter(|placed| placed.status == Status::Queued) {
            placed.tries = tries + 1;
            placed.alone = true;
            placed.due = (tries > 0).then(|| self.engine.now() + wait);
            self.put_record(placed);
        }
        Ok(())
    }
}

/// Whether an object is as an Add that went out was to make it.
fn is_same(sent: &Sent, ret: &Ret) -> bool {
    let called = ret.ref_number.as_ref().or(ret.full_name.as_ref());
    let normal = |name: &Option<String>| name.as_deref().map(mirror::normal);
    let number = |text: &String| text.trim().parse::<Decimal>().ok();
    let amounts = sent.amount.as_ref().and_then(number).zip(ret.amount.as_ref().and_then(number));
    sent.name.is_some()
        && called == sent.name.as_ref()
        && (sent.date.is_none() || ret.txn_date == sent.date)
        && (sent.entity.is_none() || ret.entity == sent.entity)
        && (sent.entity_name.is_none() || normal(&ret.entity_name) == normal(&sent.entity_name))
        && amounts.is_none_or(|(sent, found)| (sent - found).abs() <= ROUNDED)
}

/// Whether an object that is with somebody else may be what an Add made all the same: it has its
/// number, or none, and somebody changed it.
fn may_have_moved(sent: &Sent, ret: &Ret) -> bool {
    match &sent.name {
        Some(name) => ret.ref_number.as_ref() == Some(name),
        None => ret.time_modified.is_some() && ret.time_modified != ret.time_created,
    }
}

/// When QuickBooks made an object: `2026-11-24T08:33:06-08:00`.
fn made_at(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
