//! What QuickBooks has under the name of a record, or under a similar one.
//!
//! An object is proposed to one record only, and the same name wins. What has the name of another
//! record, or other numbers in it, is never taken for similar: "Unit 4" is not "Unit 1".

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry;

use serde_json::Value;

use crate::dashboard::trouble::Trouble;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::mirror::Mirrored;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Engine;
use crate::qbxml::schema::Identity;
use crate::qbxml::schema::schema;
use crate::store::Find;
use crate::store::StoreError;

/// Objects of QuickBooks among which a similar name is looked for.
const FOUND: usize = 50;
/// Letters of its beginning by which a similar name is looked up.
const BEGIN: usize = 4;
/// First letters that are typed one for another.
const ALIKE: [&str; 6] = ["ckq", "fpv", "sz", "iyj", "gj", "uvw"];
/// Levels of a name in QuickBooks.
const MAX_LEVELS: usize = 5;
/// Records of one name that are looked at.
const MAX_SAME: usize = 20;

/// How sure an object is that has the name of a record.
const SAME: [&str; 3] = ["exactly the same name", "same name", "same name, turned round"];
/// Where nobody can tell by the name.
const AS_OTHERS: &str = "same name as others of yours";

/// An object for a record.
pub(super) struct Proposal {
    pub(super) how: &'static str,
    /// It has the record's name, and no other record has it: it may be ticked with all others.
    pub(super) same: bool,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) known_by: String,
}

impl Proposal {
    fn of(how: &'static str, same: bool, it: Mirrored) -> Self {
        Self {
            how,
            same,
            id: it.id,
            kind: it.facts.kind,
            name: it.facts.name,
            known_by: it.facts.hint.unwrap_or_default(),
        }
    }
}

/// What is proposed for the records of a page.
#[derive(Default)]
pub(super) struct Proposals(HashMap<RecordKey, Proposal>);

impl Proposals {
    /// Of those that are not linked.
    pub(super) async fn of(engine: &Engine, records: &[Record]) -> Result<Self, Trouble> {
        let open = |it: &&Record| it.reference.is_none() && it.status != Status::Withdrawn;
        let mut found = HashMap::new();
        let mut wanted: Vec<(usize, &Record, Mirrored)> = Vec::new();
        let mut others = Vec::new();
        for record in records.iter().filter(open) {
            let Some(name) = full_name(engine, record).await? else { continue };
            match named(engine, record, &name).await? {
                None => others.push((record, name)),
                // Another record stands there, and what is called else is another one.
                Some((_, it)) if taken(engine, record, &it).await? => {}
                Some((rank, it)) => wanted.push((rank, record, it)),
            }
        }
        wanted.sort_by_key(|(rank, ..)| *rank);
        let mut claims: HashMap<String, (usize, RecordKey)> = HashMap::new();
        for (rank, record, it) in wanted {
            match claims.get(&it.id) {
                Some((first, key)) if *first == rank => {
                    // Which of the two is meant nobody can tell by the name.
                    let first: Option<&mut Proposal> = found.get_mut(key);
                    if let Some(first) = first {
                        (first.how, first.same) = (AS_OTHERS, false);
                    }
                }
                Some(_) => {}
                None => {
                    claims.insert(it.id.clone(), (rank, record.key.clone()));
                    let same = !twice(engine, record, &mirror::normal(&it.facts.name)).await?;
                    let how = if same { SAME[rank] } else { AS_OTHERS };
                    found.insert(record.key.clone(), Proposal::of(how, same, it));
                }
            }
        }
        let names = records.iter().filter_map(Record::name).map(mirror::normal);
        let names: HashSet<_> = names.collect();
        let mut given: HashSet<String> = claims.into_keys().collect();
        let mut begun = Begun::new();
        for (record, name) in others {
            if let Some(it) = similar(engine, record, &name, &names, &given, &mut begun).await? {
                given.insert(it.id.clone());
                found.insert(record.key.clone(), Proposal::of("similar name", false, it));
            }
        }
        Ok(Self(found))
    }

    /// That of a record.
    pub(super) fn take(&mut self, record: &RecordKey) -> Option<Proposal> {
        self.0.remove(record)
    }
}

/// The name of a record and the name of an object, if they are not the same to QuickBooks.
pub(super) async fn unlike(
    engine: &Engine,
    record: &RecordKey,
    object: &str,
) -> Result<Option<(String, String)>, Trouble> {
    let store = engine.store();
    let Some(record) = store.record(record).await? else { return Ok(None) };
    let here = full_name(engine, &record).await?;
    let here = here.or_else(|| record.name().map(str::to_owned)).unwrap_or_default();
    let there = store.mirrored(&record.key.connection, object).await?;
    let there = there.map_or_else(|| object.to_owned(), |it| it.facts.name);
    let normal = mirror::normal(&there);
    let same = forms(&here).contains(&normal) && !twice(engine, &record, &normal).await?;
    Ok((!same).then_some((here, there)))
}

/// How QuickBooks may compare a name: as it is, and turned round.
fn forms(name: &str) -> Vec<String> {
    let both = [Some(name.to_owned()), mirror::turned(name)];
    both.iter().flatten().map(|name| mirror::normal(name)).collect()
}

/// The object that has the record's name, and how sure that is: 0 is surest.
async fn named(
    engine: &Engine,
    record: &Record,
    name: &str,
) -> Result<Option<(usize, Mirrored)>, StoreError> {
    let space = mirror::space(&record.key.kind);
    for (turned, form) in forms(name).into_iter().enumerate() {
        let find = Find::Named(space.to_owned(), form);
        let found = engine.store().mirror_find(&record.key.connection, &find, FOUND).await?;
        let mut found = found.into_iter().filter(|it| it.facts.kind == record.key.kind);
        if let Some(it) = found.next() {
            let rank = if it.facts.name == name { 0 } else { 1 + turned };
            return Ok(Some((rank, it)));
        }
    }
    Ok(None)
}

/// Whether a record stands at an object.
async fn taken(engine: &Engine, record: &Record, it: &Mirrored) -> Result<bool, StoreError> {
    let stands = engine.store().record_at(&record.key.connection, &it.id).await?;
    Ok(stands.is_some())
}

/// The objects of a list whose names begin so, with their names as QuickBooks compares them: many
/// records of a page begin alike, and each beginning is looked up once.
type Begun = HashMap<(String, String), Vec<(String, Mirrored)>>;

/// The object that is called nearly as the record, if no other record is called so.
async fn similar(
    engine: &Engine,
    record: &Record,
    name: &str,
    names: &HashSet<String>,
    given: &HashSet<String>,
    begun: &mut Begun,
) -> Result<Option<Mirrored>, StoreError> {
    let (store, connection) = (engine.store(), &record.key.connection);
    let space = mirror::space(&record.key.kind);
    let forms = forms(name);
    let mut best = None;
    for form in &forms {
        let (above, last) = parts(form);
        for begin in beginnings(last) {
            let key = (space.to_owned(), format!("{above}{begin}"));
            let found = match begun.entry(key) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => {
                    let (names_of, prefix) = place.key().clone();
                    let find = Find::Prefix(names_of, prefix);
                    let found = store.mirror_find(connection, &find, FOUND).await?;
                    let told = found.into_iter().map(|it| (mirror::normal(&it.facts.name), it));
                    place.insert(told.collect())
                }
            };
            for (there, it) in found {
                if it.facts.kind != record.key.kind || given.contains(&it.id) {
                    continue;
                }
                let Some(distance) = near(form, there) else { continue };
                let better = best.as_ref().is_none_or(|(known, _)| distance < *known);
                if better
                    && !names.contains(parts(there).1)
                    && !shared(engine, record, there).await?
                    && !taken(engine, record, it).await?
                {
                    best = Some((distance, it.clone()));
                }
            }
        }
    }
    Ok(best.map(|(_, it)| it))
}

/// Whether another record may be meant by the name of this one. Many jobs are called alike, each
/// below another customer.
async fn twice(engine: &Engine, record: &Record, normal: &str) -> Result<bool, StoreError> {
    Ok(!normal.contains(':') && shared(engine, record, normal).await?)
}

/// Whether another record of the kind has this name.
async fn shared(engine: &Engine, record: &Record, normal: &str) -> Result<bool, StoreError> {
    let key = &record.key;
    let (space, last) = (mirror::space(&key.kind), parts(normal).1);
    let found = engine.store().records_named(&key.connection, space, last, MAX_SAME).await?;
    Ok(found.iter().any(|it| it.kind == key.kind && it != key))
}

/// What a normal name stands below, with the colon, and its own last part.
fn parts(normal: &str) -> (&str, &str) {
    normal.split_at(normal.rfind(':').map_or(0, |at| at + 1))
}

/// How far apart two normal names are, if they are similar at all: they stand below the same, and
/// have the same numbers in them.
fn near(here: &str, there: &str) -> Option<usize> {
    let ((above, here), (above_there, there)) = (parts(here), parts(there));
    // The cheap questions first: most names are not similar.
    let (long, long_there) = (here.chars().count(), there.chars().count());
    let most = long_there / 5;
    if long.abs_diff(long_there) > most || above != above_there || numbers(here) != numbers(there) {
        return None;
    }
    let distance = strsim::osa_distance(here, there);
    (distance <= most).then_some(distance)
}

/// The numbers in a name.
fn numbers(name: &str) -> Vec<&str> {
    name.split(|letter: char| !letter.is_numeric()).filter(|it| !it.is_empty()).collect()
}

/// How a similar name may begin: like this one, or with a letter that sounds like its first.
fn beginnings(normal: &str) -> Vec<String> {
    let rest: String = normal.chars().skip(1).take(BEGIN - 1).collect();
    let Some(first) = normal.chars().next() else { return Vec::new() };
    let alike = ALIKE.iter().filter(|letters| letters.contains(first));
    let others = alike.flat_map(|letters| letters.chars()).filter(|letter| *letter != first);
    std::iter::once(first).chain(others).map(|letter| format!("{letter}{rest}")).collect()
}

/// The name under which a record stands in QuickBooks, with what it stands below; `None` if that is
/// not known.
async fn full_name(engine: &Engine, record: &Record) -> Result<Option<String>, StoreError> {
    let Some(name) = record.name() else { return Ok(None) };
    let (store, connection) = (engine.store(), &record.key.connection);
    let mut name = name.trim().to_owned();
    let kind = schema().kind(&record.key.kind);
    if kind.is_none_or(|kind| kind.identity != Identity::List) {
        return Ok(Some(name));
    }
    let mut data = record.amended().into_owned();
    for _ in 0..MAX_LEVELS {
        let Some(parent) = data.get("ParentRef").filter(|it| !it.is_null()) else {
            return Ok(Some(name));
        };
        let text = |member: &str| parent.get(member).and_then(Value::as_str).map(str::trim);
        if let Some((kind, source_id)) = text("source").and_then(|it| it.split_once('/')) {
            let Ok(key) = RecordKey::new(connection, kind, source_id) else { return Ok(None) };
            let Some(above) = store.record(&key).await? else { return Ok(None) };
            if let Some(reference) = &above.reference {
                let known = store.mirrored(connection, &reference.id).await?;
                let known = known.map_or_else(|| reference.label.clone(), |it| it.facts.name);
                return Ok((!known.is_empty()).then(|| format!("{known}:{name}")));
            }
            let Some(above_name) = above.name() else { return Ok(None) };
            name = format!("{}:{name}", above_name.trim());
            data = above.amended().into_owned();
        } else if let Some(id) = text("ListID").filter(|it| !it.is_empty()) {
            let known = store.mirrored(connection, id).await?;
            return Ok(known.map(|it| format!("{}:{name}", it.facts.name)));
        } else {
            let above = text("FullName").filter(|it| !it.is_empty());
            return Ok(above.map(|above| format!("{above}:{name}")));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_name_may_begin_with_a_letter_that_sounds_like_it() {
        assert_eq!(beginnings("kust q"), ["kust", "cust", "qust"]);
        assert_eq!(beginnings("bo"), ["bo"]);
        assert!(beginnings("").is_empty());
    }

    #[test]
    fn names_with_other_numbers_or_below_others_are_not_similar() {
        let check = |here, there, near: Option<usize>| {
            assert_eq!(super::near(here, there), near, "{here} {there}");
        };
        check("harbor street unit 1", "harbour street unit 1", Some(1));
        check("harbor street unit 4", "harbor street unit 1", None);
        check("harbor street unit 4", "harbour street unit 1", None);
        check("harbor street unit", "harbor street unit 1", None);
        check("alder court:kitchen", "alder court:kitchens", Some(1));
        check("alder court:kitchen", "elder court:kitchen", None);
        check("johnson, mark", "johnson, mary", Some(1));
        check("bo", "bob", None);
    }
}
