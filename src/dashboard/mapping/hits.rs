//! QuickBooks' side of the mapping: what its objects are found by, and which record stands at each.

use crate::dashboard::fields::Fields;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::view;
use crate::dashboard::view::Meant;
use crate::dashboard::view::Row;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Mirrored;
use crate::domain::outcome::Candidate;
use crate::engine::Engine;
use crate::store::Find;

/// Objects of QuickBooks on a page.
const FOUND: usize = 50;

/// A record for which an object of QuickBooks is looked for.
pub(super) struct Sought {
    pub(super) row: Row,
    key: RecordKey,
}

impl Sought {
    /// The record that the address names, if it is there.
    pub(super) async fn of(
        engine: &Engine,
        connection: &Connection,
        kind: &str,
        asked: &Fields,
    ) -> Result<Option<Self>, Trouble> {
        let Some(source_id) = asked.given("for") else { return Ok(None) };
        let Ok(key) = RecordKey::new(&connection.id, kind, source_id) else { return Ok(None) };
        let record = engine.store().record(&key).await?;
        Ok(record.map(|record| Self { row: Row::of(&record), key: record.key }))
    }
}

/// Where an object of QuickBooks is looked for that is to be linked to a record.
pub(in crate::dashboard) fn search_for(key: &RecordKey, name: &str) -> String {
    let all = percent_encoding::NON_ALPHANUMERIC;
    let written = |text| percent_encoding::utf8_percent_encode(text, all);
    let (source_id, name) = (written(&key.source_id), written(name));
    format!("/c/{}/mapping?kind={}&for={source_id}&there={name}", key.connection, key.kind)
}

/// An object that was found.
pub(super) struct Hit {
    pub(super) meant: Meant,
    /// What a form says to link it; empty where it cannot be linked to the record.
    pub(super) pick: String,
    /// The record that stands there: its page, and its name.
    pub(super) taken: Option<(String, String)>,
}

/// Objects by their names, those first that begin so; and where the search goes on.
pub(super) async fn found(
    engine: &Engine,
    connection: &ConnectionId,
    kind: &str,
    asked: &Fields,
    sought: Option<&Sought>,
) -> Result<(Vec<Hit>, Option<String>), Trouble> {
    let Some(there) = asked.given("there") else { return Ok((Vec::new(), None)) };
    let (store, on) = (engine.store(), asked.given("on"));
    let (space, text) = (mirror::space(kind), mirror::normal(there));
    let mut objects = Vec::new();
    if on.is_none() {
        let begins = Find::Prefix(space.to_owned(), text.clone());
        objects = store.mirror_find(connection, &begins, FOUND).await?;
    }
    let inside = store.mirror_search(connection, space, &text, on, FOUND).await?;
    for object in inside.items {
        if !objects.iter().any(|known: &Mirrored| known.id == object.id) {
            objects.push(object);
        }
    }
    let mut hits = Vec::new();
    for object in objects {
        let taken = store.record_at(connection, &object.id).await?;
        let candidate = Candidate {
            id: object.id,
            kind: object.facts.kind,
            name: object.facts.name,
            is_active: object.facts.is_active,
            hint: object.facts.hint,
            balance: object.facts.balance,
            date: object.facts.date,
            amount: object.facts.amount,
        };
        let meant = Meant::of(&candidate, kind);
        let free = sought.filter(|_| taken.is_none() && meant.same_kind);
        let pick = free.map(|sought| format!("{} {}", meant.id, sought.key.source_id));
        let taken = taken.map(|key| (view::href(&key), key.path()));
        hits.push(Hit { meant, pick: pick.unwrap_or_default(), taken });
    }
    Ok((hits, inside.next))
}
