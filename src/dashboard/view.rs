//! How values are shown: statuses with a sign and a tone, times, references.

use jiff::Timestamp;

use crate::diagnosis;
use crate::domain::connection::Connection;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Candidate;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::engine::FIXES;
use crate::engine::Health;
use crate::engine::HealthState;
use crate::store::Counts;
use crate::store::StoreError;

/// A status as people see it: never by colour alone.
pub(super) const fn sign(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Synced => ("✓", "ok"),
        Status::Failed => ("✗", "bad"),
        Status::Blocked => ("…", "wait"),
        Status::Held => ("‖", "wait"),
        Status::InDoubt => ("?", "wait"),
        Status::Queued => ("○", "work"),
        Status::Sent => ("↗", "work"),
        Status::Bypassed => ("−", ""),
        Status::Withdrawn => ("↩", ""),
    }
}

/// How a connection is: words, sign, tone.
pub(super) const fn state(health: HealthState) -> (&'static str, &'static str, &'static str) {
    match health {
        HealthState::Ok => ("works", "✓", "ok"),
        HealthState::Waiting => ("waits for the Web Connector", "○", "work"),
        HealthState::Late => ("late", "…", "wait"),
        HealthState::NeverPaired => ("not paired yet", "…", "wait"),
        HealthState::Paused => ("paused", "‖", "wait"),
        HealthState::Offline => ("offline", "✗", "bad"),
        HealthState::Blocked => ("blocked", "✗", "bad"),
    }
}

/// A moment, as people read it; UTC, and said so.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A moment that may not have been yet.
pub(super) fn maybe_time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), time)
}

/// One of several that a form offers.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) words: String,
    pub(super) chosen: bool,
}

/// What a form offers, with the one that is chosen.
pub(super) fn choices<'a>(
    all: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: &str,
) -> Vec<Choice> {
    let choice = |(value, words): (&str, &str)| Choice {
        value: value.to_owned(),
        words: words.to_owned(),
        chosen: value == chosen,
    };
    all.into_iter().map(choice).collect()
}

/// A number of records of one status.
pub(super) struct Count {
    pub(super) status: &'static str,
    pub(super) mark: &'static str,
    pub(super) tone: &'static str,
    pub(super) records: u64,
}

/// How many stand where, none of the empty ones.
pub(super) fn counts(counts: &Counts) -> Vec<Count> {
    let all = Status::ALL.into_iter().map(|status| {
        let (mark, tone) = sign(status);
        Count { status: status.as_str(), mark, tone, records: counts.of(status) }
    });
    all.filter(|count| count.records > 0).collect()
}

/// Where a record's page is.
pub(super) fn href(key: &RecordKey) -> String {
    let all = percent_encoding::NON_ALPHANUMERIC;
    let source_id = percent_encoding::utf8_percent_encode(&key.source_id, all);
    format!("/c/{}/records/{}/{source_id}", key.connection, key.kind)
}

/// A record in a list.
pub(super) struct Row {
    pub(super) href: String,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) status: &'static str,
    pub(super) mark: &'static str,
    pub(super) tone: &'static str,
    pub(super) reference: String,
    pub(super) why: String,
    pub(super) changed: String,
}

impl Row {
    /// Of a record.
    pub(super) fn of(record: &Record) -> Self {
        let (mark, tone) = sign(record.status);
        let why = match record.status {
            Status::Blocked => {
                let names: Vec<_> = record.blocked_by.iter().map(RecordKey::path).collect();
                format!("waits for {}", names.join(", "))
            }
            Status::Bypassed => record.bypass_reason.clone().unwrap_or_default(),
            _ => record
                .findings
                .first()
                .map(|finding| diagnosis::render(finding).title)
                .unwrap_or_default(),
        };
        Self {
            href: href(&record.key),
            path: record.key.path(),
            name: record.name().unwrap_or_default().to_owned(),
            status: record.status.as_str(),
            mark,
            tone,
            reference: reference(record),
            why,
            changed: time(record.updated_at),
        }
    }
}

/// Where a record stands in QuickBooks.
pub(super) fn reference(record: &Record) -> String {
    match &record.reference {
        None => String::new(),
        Some(reference) if reference.label.is_empty() => reference.id.clone(),
        Some(reference) => format!("{} · {}", reference.label, reference.id),
    }
}

/// A fix that helps.
pub(super) struct Help {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) how: String,
    pub(super) preview: String,
    pub(super) pressable: bool,
}

/// The fixes of a finding in words.
pub(super) fn help(fixes: Vec<diagnosis::Fix>) -> Vec<Help> {
    let shown = fixes.into_iter().map(|fix| Help {
        pressable: FIXES.contains(&fix.id.as_str()) && fix.id != "wait",
        id: fix.id,
        label: fix.label,
        how: fix.how.unwrap_or_default(),
        preview: fix.preview.map(|preview| format!("→ {preview}")).unwrap_or_default(),
    });
    shown.collect()
}

/// An object of QuickBooks that may be meant.
pub(super) struct Meant {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) inactive: bool,
    pub(super) balance: String,
    pub(super) known_by: String,
    pub(super) same_kind: bool,
}

impl Meant {
    /// For a record of a kind.
    pub(super) fn of(candidate: &Candidate, kind: &str) -> Self {
        let told = [&candidate.hint, &candidate.date, &candidate.amount];
        let told: Vec<&str> = told.into_iter().flatten().map(String::as_str).collect();
        Self {
            id: candidate.id.clone(),
            kind: candidate.kind.clone(),
            name: candidate.name.clone(),
            inactive: candidate.is_active == Some(false),
            balance: candidate.balance.clone().unwrap_or_default(),
            known_by: told.join(" · "),
            same_kind: candidate.kind == kind,
        }
    }
}

/// The last 24 hours, an hour a bar.
pub(super) struct Plot {
    pub(super) synced: u64,
    pub(super) failed: u64,
    pub(super) bars: Vec<Bar>,
}

/// One hour: accepted from the ground up, refused on top.
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
    pub(super) bad: u64,
    pub(super) bad_y: u64,
}

/// A connection as the overview shows it.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) mark: &'static str,
    pub(super) tone: &'static str,
    pub(super) summary: String,
    pub(super) percent: Option<u64>,
    pub(super) counts: Vec<Count>,
    pub(super) plot: Plot,
    pub(super) last: String,
    pub(super) next: String,
    pub(super) oldest: String,
}

/// Hours in the plot.
const HOURS: usize = 24;
/// Sessions that the plot looks at.
const SESSIONS: usize = 500;
/// Height of the tallest bar.
const TALLEST: u64 = 44;
/// Where the bars stand.
const GROUND: u64 = 50;

impl Card {
    /// Of a connection as it is now.
    pub(super) async fn of(
        engine: &Engine,
        connection: &Connection,
        health: &Health,
    ) -> Result<Self, StoreError> {
        let now = engine.now();
        let store = engine.store();
        let sessions = store.sessions(&connection.id, None, SESSIONS).await?.items;
        let mut hours = [(0_u64, 0_u64); HOURS];
        let mut percent = None;
        for session in &sessions {
            let ago = now.duration_since(session.started_at).as_hours();
            let Some(hour) = usize::try_from(ago).ok().filter(|hour| *hour < HOURS) else { break };
            hours[HOURS - 1 - hour].0 += session.accepted;
            hours[HOURS - 1 - hour].1 += session.refused;
        }
        let state = store.state(&connection.id).await?;
        let living = state.and_then(|state| state.living);
        if let Some(session) = sessions.iter().find(|it| Some(it.id) == living) {
            let left = health.counts.of(Status::Queued) + health.counts.of(Status::Sent);
            let done = session.accepted + session.refused;
            percent = (done + left > 0).then(|| done * 100 / (done + left).max(1));
        }
        let most = hours.iter().map(|(ok, bad)| ok + bad).max().unwrap_or(0).max(1);
        let tall = |count: u64| (count * TALLEST).div_ceil(most);
        let bars = hours.iter().enumerate().map(|(hour, (ok, bad))| {
            let (height, bad) = (tall(*ok), tall(*bad));
            let y = GROUND - height.min(GROUND);
            Bar { x: hour * 12 + 1, y, height, bad, bad_y: y.saturating_sub(bad) }
        });
        let plot = Plot {
            synced: hours.iter().map(|hour| hour.0).sum(),
            failed: hours.iter().map(|hour| hour.1).sum(),
            bars: bars.collect(),
        };
        let (words, mark, tone) = match percent {
            Some(_) => ("at work", "↗", "work"),
            None => self::state(health.state),
        };
        Ok(Self {
            id: connection.id.to_string(),
            name: connection.name.clone(),
            state: words,
            mark,
            tone,
            summary: health.summary.clone(),
            percent,
            counts: counts(&health.counts),
            plot,
            last: maybe_time(health.last_seen_at),
            next: maybe_time(health.next_expected_at),
            oldest: maybe_time(health.oldest_waiting_at),
        })
    }
}
