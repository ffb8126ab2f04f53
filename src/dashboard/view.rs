//! How values are shown: statuses with a sign and a tone, times, references.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::SignedDuration;
use jiff::Timestamp;

use crate::diagnosis;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Candidate;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Health;
use crate::engine::HealthState;
use crate::store::Counts;
use crate::store::Store;
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

/// A moment that may not have been yet: in UTC, and said so; the script shows it in the reader's own
/// time.
#[derive(Clone, Copy)]
pub(super) struct When {
    at: Option<Timestamp>,
    class: &'static str,
}

impl When {
    /// A point in time.
    pub(super) fn at(at: impl Into<Option<Timestamp>>) -> Self {
        Self { at: at.into(), class: "" }
    }

    /// The same, which the script tells by how far away it is.
    pub(super) fn away(at: Option<Timestamp>) -> Self {
        Self { at, class: " class=\"away\"" }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.at else { return f.write_str("–") };
        let text = time(at);
        write!(f, "<time datetime=\"{}\"{}>{text}</time>", at.strftime("%FT%TZ"), self.class)
    }
}

/// It writes its own markup, and nothing in it comes from elsewhere.
impl HtmlSafe for When {}

/// A moment in plain words.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long something took.
pub(super) fn took(span: SignedDuration) -> String {
    let (seconds, millis) = (span.as_secs().max(0), span.as_millis().max(0));
    match seconds {
        0 => format!("{millis} ms"),
        1..=59 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
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

/// What people call a status.
pub(super) const fn called(status: Status) -> &'static str {
    match status {
        Status::InDoubt => "in doubt",
        other => other.as_str(),
    }
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
        Count { status: called(status), mark, tone, records: counts.of(status) }
    });
    all.filter(|count| count.records > 0).collect()
}

/// Where a record's page is.
pub(super) fn href(key: &RecordKey) -> String {
    let all = percent_encoding::NON_ALPHANUMERIC;
    let source_id = percent_encoding::utf8_percent_encode(&key.source_id, all);
    format!("/c/{}/records/{}/{source_id}", key.connection, key.kind)
}

/// Where the records of a problem are listed.
pub(super) fn failing(connection: &ConnectionId, problem: Group) -> String {
    format!("/c/{connection}/records?status=failed&problem={problem}")
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
    /// The same in a sentence, of what failed.
    pub(super) more: String,
    pub(super) changed: When,
}

impl Row {
    /// Of a record.
    pub(super) fn of(record: &Record) -> Self {
        let (mark, tone) = sign(record.status);
        let told = record.findings.first().map(diagnosis::render);
        let (title, more) =
            told.map(|words| (words.title, words.user_facing_message)).unwrap_or_default();
        let why = match record.status {
            Status::Blocked => {
                let names: Vec<_> = record.blocked_by.iter().map(RecordKey::path).collect();
                format!("waits for {}", names.join(", "))
            }
            Status::Bypassed => record.bypass_reason.clone().unwrap_or_default(),
            _ => title,
        };
        Self {
            href: href(&record.key),
            path: record.key.path(),
            name: record.name().unwrap_or_default().to_owned(),
            status: called(record.status),
            mark,
            tone,
            reference: reference(record),
            why,
            more: if record.status == Status::Failed { more } else { String::new() },
            changed: When::at(record.updated_at),
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
    /// What it would do, or why it cannot be done as it is; only where it can be pressed.
    pub(super) would: String,
    pub(super) who: &'static str,
    pub(super) pressable: bool,
    /// It needs an object of QuickBooks that is to be looked for first.
    pub(super) sought: bool,
}

/// The fixes of a finding in words, and which of them can be pressed.
pub(super) fn help(fixes: Vec<diagnosis::Fix>, pressable: impl Fn(&str) -> bool) -> Vec<Help> {
    let shown = fixes.into_iter().map(|fix| Help {
        pressable: pressable(&fix.id),
        sought: false,
        // Some labels say it themselves.
        who: Some(who(&fix.actor)).filter(|who| !fix.label.ends_with(who)).unwrap_or_default(),
        id: fix.id,
        label: fix.label,
        how: fix.how.unwrap_or_default(),
        would: String::new(),
    });
    shown.collect()
}

/// Who does a fix, in words.
fn who(actor: &str) -> &'static str {
    match actor {
        "quickbooks-user" => "in QuickBooks",
        "developer" => "in your application",
        "system" => "by itself",
        _ => "",
    }
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

/// One hour: synced from the ground up, failed on top.
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
    pub(super) bad: u64,
    pub(super) bad_y: u64,
}

impl Plot {
    /// Of a connection, the hour of this moment last.
    async fn of(
        store: &dyn Store,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut hours = [(0_u64, 0_u64); HOURS];
        let first = now - DAY;
        for hour in store.hours(&connection.id, first).await? {
            let ago = now.duration_since(hour.began_at).as_hours();
            // A clock that was put back leaves hours that have not been yet.
            let ago = usize::try_from(ago).ok().filter(|_| hour.began_at <= now);
            if let Some(place) = ago.and_then(|ago| HOURS.checked_sub(ago + 1)) {
                hours[place] = (hour.synced, hour.failed);
            }
        }
        let most = hours.iter().map(|(ok, bad)| ok + bad).max().unwrap_or(0).max(1);
        let tall = |count: u64| (count * TALLEST).div_ceil(most);
        let bars = hours.iter().enumerate().map(|(hour, (ok, bad))| {
            let (height, bad) = (tall(*ok), tall(*bad));
            let y = GROUND - height.min(GROUND);
            Bar { x: hour * 12 + 1, y, height, bad, bad_y: y.saturating_sub(bad) }
        });
        Ok(Self {
            synced: hours.iter().map(|hour| hour.0).sum(),
            failed: hours.iter().map(|hour| hour.1).sum(),
            bars: bars.collect(),
        })
    }
}

/// A connection as the overview shows it.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    /// Another connection is called so too.
    pub(super) twin: bool,
    pub(super) state: &'static str,
    pub(super) mark: &'static str,
    pub(super) tone: &'static str,
    pub(super) summary: String,
    pub(super) percent: Option<u64>,
    pub(super) counts: Vec<Count>,
    pub(super) plot: Plot,
    pub(super) last: When,
    pub(super) next: When,
    pub(super) oldest: When,
    pub(super) problems: Vec<Needs>,
}

/// A problem that a person has to look at.
pub(super) struct Needs {
    pub(super) href: String,
    pub(super) summary: String,
}

/// What the plot shows.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Hours in it.
const HOURS: usize = 24;
/// Problems that a card names.
const PROBLEMS: usize = 3;
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
    ) -> Result<Self, EngineError> {
        let store = engine.store();
        let state = store.state(&connection.id).await?;
        let living = match state.and_then(|state| state.living) {
            Some(id) => store.session(id).await?,
            None => None,
        };
        let percent = living.and_then(|session| {
            let left = health.counts.of(Status::Queued) + health.counts.of(Status::Sent);
            let done = session.accepted + session.refused;
            (done + left > 0).then(|| done * 100 / (done + left).max(1))
        });
        let problems = engine.problems(&connection.id, PROBLEMS).await?;
        let problems = problems.into_iter().map(|problem| Needs {
            href: failing(&connection.id, problem.id),
            summary: problem.summary(),
        });
        let plot = Plot::of(store, connection, engine.now()).await?;
        let failed = health.counts.of(Status::Failed);
        let open = matches!(health.state, HealthState::Ok | HealthState::Waiting);
        let (words, mark, tone) = match percent {
            Some(_) => ("at work", "↗", "work"),
            None if open && failed > 0 => ("works, but records need you", "!", "wait"),
            None => self::state(health.state),
        };
        let mut summary = health.summary.clone();
        // Where it works this is said of what failed already.
        if health.state != HealthState::Ok && failed > 0 {
            let need = if failed == 1 { "record needs" } else { "records need" };
            summary = format!("{summary} {failed} {need} a person.");
        }
        Ok(Self {
            id: connection.id.to_string(),
            name: connection.name.clone(),
            twin: false,
            state: words,
            mark,
            tone,
            summary,
            percent,
            counts: counts(&health.counts),
            plot,
            last: When::away(health.last_seen_at),
            next: When::away(health.next_expected_at),
            oldest: When::away(health.oldest_waiting_at),
            problems: problems.collect(),
        })
    }
}
