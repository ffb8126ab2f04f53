//! QuickBooks is asked who has the number of a document, before it is made or gets another number.
//!
//! It takes a number twice without a word. Where a connection keeps the mirror, and that cannot know
//! the number, because it is old or was not told of the kind yet, the record itself goes out first as
//! a question, many to a message set, and comes back to its place in the queue; where it keeps none,
//! only a number that a person doubts is asked for. What QuickBooks says feeds the mirror and holds for
//! a while; an answer that is lost is asked for again, a few times, and what QuickBooks cannot say
//! holds up nobody.
//!
//! Source: OSR, `RefNumber` of `…QueryRq`.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::Value;
use serde_json::json;

use crate::domain::backoff;
use crate::domain::connection::DuplicateNumbers;
use crate::domain::ids::Revision;
use crate::domain::message_set::Item;
use crate::domain::mirror;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Disposition;
use crate::domain::record::Amendment;
use crate::domain::record::Insisted;
use crate::domain::record::NumberCheck;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::EngineError;
use crate::engine::answer::Answer;
use crate::engine::compose;
use crate::engine::known::Places;
use crate::engine::known::numbers::number_of;
use crate::engine::mirror::told;
use crate::engine::propose;
use crate::engine::work::Work;
use crate::qbxml::check;
use crate::qbxml::classify;
use crate::qbxml::raw;
use crate::qbxml::raw::Raw;
use crate::qbxml::version::Target;
use crate::store::Find;
use crate::store::StoreError;

/// What QuickBooks said of a number holds this long.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// QuickBooks is asked this often: whatever became of the answers, the document goes then.
const MAX_ASKED: u32 = 3;
/// A document whose vendor nobody can tell from that of one before it waits this long for that one.
const WAIT: SignedDuration = SignedDuration::from_mins(1);

impl Work<'_> {
    /// The question for the number that a record brings to QuickBooks, unless QuickBooks has answered
    /// it, or the mirror can.
    pub(super) async fn number_question(
        &self,
        record: &Record,
        target: Target,
    ) -> Result<Option<Raw>, StoreError> {
        let (kind, data) = (record.key.kind.as_str(), record.amended());
        let Some(number) = number_of(kind, &data) else { return Ok(None) };
        let no_number = NumberCheck::default();
        let check = record.number.as_ref().unwrap_or(&no_number);
        let told = check.told_at.is_some_and(|at| {
            let age = self.engine.now().duration_since(at);
            age < FRESH && !age.is_negative()
        });
        let knows = !check.is_doubted() && self.tells_of(kind);
        // Without the mirror, sessions ask for nothing but what records need.
        let asks = self.connection.mirror || check.doubted;
        let goes = !asks || record.insisted >= Insisted::Duplicate || check.asked >= MAX_ASKED;
        if told || knows || goes || record.lost.is_some() || record.wanted != Wanted::Present {
            return Ok(None);
        }
        if !self.brings_number(record, number).await? {
            return Ok(None);
        }
        let question = json!({ "RefNumber": [number] });
        Ok(raw::build(&format!("{kind}QueryRq"), &question, &target).ok())
    }

    /// Whether a record waits for one before it: only once QuickBooks has that one, it tells whether
    /// both are of one vendor.
    pub(super) async fn waits_for_rival(&mut self, record: &Record) -> Result<bool, EngineError> {
        let insists = record.insisted >= Insisted::Duplicate;
        let Some(rival) = self.unclear_rival(record).await?.filter(|_| !insists) else {
            return Ok(false);
        };
        let mut record = record.clone();
        let now = self.engine.now();
        record.due = Some(now + WAIT);
        let note = format!("waits for {}, which has the same number", rival.path());
        record.become_status(Status::Queued, now, &note);
        self.put_record(record);
        Ok(true)
    }

    /// QuickBooks said who has the number, or would not say it.
    pub(super) async fn number_told(
        &mut self,
        mut record: Record,
        item: &Item,
        answer: Option<&Answer>,
    ) -> Result<(), EngineError> {
        let Some(answer) = answer else { return self.number_untold(record).await };
        if record.digest != item.digest || record.wanted != Wanted::Present || !record.posted {
            return self.look_anew(record).await;
        }
        let class = classify::status(&answer.said, "QueryRq");
        let found = match class.disposition {
            // What ails QuickBooks ails the document too.
            of @ (Disposition::Retry | Disposition::Requeue) => {
                return self.refuse(record, item.purpose, of, class.finding(&answer.said)).await;
            }
            Disposition::Done | Disposition::Warned | Disposition::Empty => {
                self.has_number(&record, answer).await?
            }
            // It may not be asked, or does not know such documents: their own answer says more.
            _ => Vec::new(),
        };
        let places = self.places(&record).await?;
        let data = record.amended().into_owned();
        let used = self.number_found(&record, &data, &places, found).await?;
        match (used, self.connection.duplicate_numbers) {
            (Some(finding), DuplicateNumbers::Fail) => {
                record.number = None;
                let note = "QuickBooks has its number already";
                return self.keep_back(record, vec![finding], note).await;
            }
            (Some(_), DuplicateNumbers::Suffix) if self.give_suffix(&mut record).await? => {
                // The new one is asked for as well.
                record.number = None;
            }
            _ => {
                let check = record.number.get_or_insert_default();
                check.told_at = Some(self.engine.now());
                check.asked += 1;
            }
        }
        self.again(record, "QuickBooks said who has its number");
        Ok(())
    }

    /// The answer to the question was lost, or there was none.
    pub(super) async fn number_untold(&mut self, mut record: Record) -> Result<(), EngineError> {
        if record.wanted != Wanted::Present || !record.posted {
            return self.look_anew(record).await;
        }
        let now = self.engine.now();
        let check = record.number.get_or_insert_default();
        record.due = Some(now + backoff::of_question(check.asked));
        check.asked += 1;
        let given_up = check.asked >= MAX_ASKED;
        if given_up {
            check.told_at = Some(now);
        }
        let note = if given_up {
            "QuickBooks does not say who has its number; it goes without"
        } else {
            "the question who has its number was lost"
        };
        self.again(record, note);
        Ok(())
    }

    /// QuickBooks cannot read the question, or its answer is too long: the document goes without.
    pub(super) async fn number_unasked(&mut self, mut record: Record) -> Result<(), EngineError> {
        record.number.get_or_insert_default().asked = MAX_ASKED;
        self.number_untold(record).await
    }

    /// It changed while QuickBooks was asked.
    async fn look_anew(&mut self, mut record: Record) -> Result<(), EngineError> {
        record.become_status(Status::Queued, self.engine.now(), "changed since");
        Box::pin(self.place(record, "changed since")).await
    }

    /// The transactions that QuickBooks named. What the mirror had under this number and QuickBooks
    /// did not name has it no more.
    async fn has_number(
        &mut self,
        record: &Record,
        answer: &Answer,
    ) -> Result<Vec<Mirrored>, EngineError> {
        let (kind, data) = (record.key.kind.as_str(), record.amended());
        let number = number_of(kind, &data).unwrap_or_default();
        let same = |name: &str| mirror::normal(name) == mirror::normal(number);
        let mut found = Vec::new();
        for ret in &answer.rets {
            let named = ret.ref_number.as_deref().is_some_and(same);
            if let Some(id) = ret.txn_id.clone().filter(|_| named) {
                let (connection, revision) = (self.connection.id.clone(), Revision::NEW);
                let number = ret.ref_number.clone().unwrap_or_default();
                found.push(Mirrored { connection, id, revision, facts: told(kind, number, ret) });
            }
        }
        if answer.is_cut {
            return Ok(found);
        }
        let here: BTreeSet<&str> = found.iter().map(|it| it.id.as_str()).collect();
        let find = Find::Named(mirror::space(kind).to_owned(), mirror::normal(number));
        let known = self.mirror_find(&find, usize::MAX).await?;
        for mut past in known.into_iter().filter(|it| !here.contains(it.id.as_str())) {
            // QuickBooks tells spaces apart: it was asked for this text alone.
            if past.facts.name.trim().eq_ignore_ascii_case(number) {
                past.facts.name.clear();
                self.mirror(past.id, past.facts);
            }
        }
        Ok(found)
    }

    /// Where a connection wants it, a number that is used gets a suffix.
    pub(super) async fn number_anew(
        &mut self,
        record: &mut Record,
        places: &Places,
    ) -> Result<bool, EngineError> {
        if self.connection.duplicate_numbers != DuplicateNumbers::Suffix
            || record.insisted >= Insisted::Duplicate
        {
            return Ok(false);
        }
        let data = record.amended().into_owned();
        let used = self.number_in_use(record, &data, places).await?.is_some();
        Ok(used && self.give_suffix(record).await?)
    }

    /// Gives a number of its own to a record; false if none is free. Of a series, one that was given
    /// is not given again, so that this ends.
    async fn give_suffix(&self, record: &mut Record) -> Result<bool, StoreError> {
        let kind = record.key.kind.as_str();
        let data = record.amended();
        let Some(now) = number_of(kind, &data).map(str::to_owned) else { return Ok(false) };
        let edition = compose::target(self.state.host.as_ref()).edition;
        let limit = check::limit(kind, "RefNumber", edition);
        let first = number_of(kind, &record.data).unwrap_or(&now);
        let at = propose::suffixed(first, limit).take(propose::MAX_TRIES).position(|it| it == now);
        let (base, past) = match at {
            Some(at) => (first, at + 1),
            None => (now.as_str(), 0),
        };
        let tries = propose::suffixed(base, limit).skip(past);
        let Some(free) = self.first_free(kind, tries).await? else { return Ok(false) };
        let note = format!("gets the number {free}: {now} is used already");
        record.become_status(Status::Queued, self.engine.now(), &note);
        record.amendments.retain(|it| it.pointer != "/RefNumber");
        record.amendments.push(Amendment {
            pointer: "/RefNumber".to_owned(),
            from: record.data.get("RefNumber").cloned().unwrap_or(Value::Null),
            to: free.into(),
            fix: "suffix-number".to_owned(),
        });
        Ok(true)
    }
}
