//! Mapping: which record stands at which object of QuickBooks, and many linked at once.
//!
//! For a first import records are held; what the mirror has of the same kind is proposed by name:
//! exactly, as QuickBooks compares, or similar. A person ticks and confirms. For one record its object
//! is looked for by any part of its name (`hits`), and linked with one press.

mod hits;

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::see_saying;
use crate::dashboard::frame::show;
use crate::dashboard::mapping::hits::Hit;
use crate::dashboard::mapping::hits::Sought;
use crate::dashboard::records;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::view::Choice;
use crate::dashboard::view::Row;
use crate::dashboard::view::choices;
use crate::dashboard::visitor::Visitor;
use crate::domain::activity::Scope;
use crate::domain::ids::RecordKey;
use crate::domain::mirror;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::qbxml::schema::schema;
use crate::store::Find;
use crate::store::RecordFilter;

pub(super) use crate::dashboard::mapping::hits::search_for;

/// Records on a page: as many as a first import is confirmed at once.
const PAGE: usize = 500;
/// Pages without anything to show that are looked through at once; then a link leads on.
const MOST_PAGES: usize = 6;
/// Objects of QuickBooks among which a similar name is looked for.
const FOUND: usize = 50;
/// Letters of its beginning by which a similar name is looked up.
const BEGIN: usize = 4;
/// First letters that are typed one for another.
const ALIKE: [&str; 6] = ["ckq", "fpv", "sz", "iyj", "gj", "uvw"];
/// What an address keeps.
const FILTERS: [&str; 4] = ["kind", "show", "q", "there"];
/// The same without the search in QuickBooks.
const OURS: [&str; 3] = ["kind", "show", "q"];
/// The same with the record for which it is searched.
const SEARCH: [&str; 5] = ["kind", "show", "q", "there", "for"];
/// What can be shown.
const SHOWS: [(&str, &str); 3] = [("open", "not linked"), ("linked", "linked"), ("all", "all")];

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/c/{connection}/mapping")
            .route(web::get().to(page))
            .route(web::post().to(link)),
    );
}

struct Proposal {
    how: &'static str,
    id: String,
    kind: String,
    name: String,
    known_by: String,
}

struct Line {
    href: String,
    path: String,
    name: String,
    status: &'static str,
    mark: &'static str,
    tone: &'static str,
    reference: String,
    pick: String,
    proposal: Option<Proposal>,
    /// Where it is looked for in QuickBooks.
    search: String,
    /// It stands somewhere, and may be put elsewhere.
    linked: bool,
}

#[derive(Template)]
#[template(path = "mapping.html")]
struct Page {
    frame: Frame,
    id: String,
    mirrored: u64,
    kinds: Vec<&'static str>,
    kind: String,
    shows: Vec<Choice>,
    q: String,
    there: String,
    query: String,
    found: Vec<Hit>,
    /// Where the search in QuickBooks goes on.
    on: Option<String>,
    /// The record for which something is looked for there.
    sought: Option<Row>,
    sought_id: String,
    /// The address without the search in QuickBooks.
    back: String,
    rows: Vec<Line>,
    /// Whether some of them can be ticked.
    proposed: bool,
    next: Option<String>,
}

async fn page(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let asked = Fields::of_query(request.query_string());
    let connection = known(&engine, &id).await?;
    let kind = asked.given("kind").unwrap_or("Customer");
    let kind = records::kind(kind)
        .ok_or_else(|| Trouble::bad(&format!("There is no kind {kind}.")))?
        .to_owned();
    let chosen = asked.given("show").unwrap_or("open").to_owned();
    let filter = RecordFilter {
        kind: Some(kind.clone()),
        text: asked.given("q").map(str::to_owned),
        ..RecordFilter::default()
    };
    let store = engine.store();
    let mut rows = Vec::new();
    let mut next = asked.given("cursor").map(str::to_owned);
    // A search looks at many records for each page of its own.
    let most = if filter.text.is_some() { 1 } else { MOST_PAGES };
    for _ in 0..most {
        let page = store.records(&connection.id, &filter, next.as_deref(), PAGE).await?;
        for record in &page.items {
            let linked = record.reference.is_some();
            let shown = match chosen.as_str() {
                "linked" => linked,
                "all" => true,
                _ => !linked && record.status != Status::Withdrawn,
            };
            if shown {
                let proposal = if linked { None } else { propose(&engine, record).await? };
                rows.push(line(record, proposal, &asked));
            }
        }
        next = page.next;
        if next.is_none() || !rows.is_empty() {
            break;
        }
    }
    let sought = Sought::of(&engine, &connection, &kind, &asked).await?;
    let (found, on) = hits::found(&engine, &connection.id, &kind, &asked, sought.as_ref()).await?;
    let query = asked.query(&FILTERS);
    Ok(show(&Page {
        frame: Frame::of(&visitor, "Mapping", "mapping").within(&connection),
        id: connection.id.to_string(),
        mirrored: store.mirror_size(&connection.id).await?,
        kinds: schema().kinds().map(|kind| kind.name).collect(),
        kind,
        shows: choices(SHOWS, &chosen),
        q: asked.text("q").to_owned(),
        there: asked.text("there").to_owned(),
        next: next.map(|next| format!("?{query}&cursor={next}")),
        on: on.map(|on| format!("?{}&on={on}", asked.query(&SEARCH))),
        back: asked.query(&OURS),
        query,
        found,
        proposed: rows.iter().any(|row| row.proposal.is_some()) && visitor.scope >= Scope::Write,
        sought: sought.map(|sought| sought.row),
        sought_id: asked.text("for").to_owned(),
        rows,
    }))
}

fn line(record: &Record, proposal: Option<Proposal>, asked: &Fields) -> Line {
    let row = Row::of(record);
    let search = search_for(&record.key, record.name().unwrap_or_default());
    let pick = proposal.as_ref().map(|it| format!("{} {}", it.id, record.key.source_id));
    Line {
        href: row.href,
        path: row.path,
        name: row.name,
        status: row.status,
        mark: row.mark,
        tone: row.tone,
        reference: row.reference,
        pick: pick.unwrap_or_default(),
        proposal,
        search: format!("{search}&{}#there", asked.query(&["show", "q"])),
        linked: record.reference.is_some(),
    }
}

/// The object that the mirror has under the record's name, and how sure that is.
async fn propose(engine: &Engine, record: &Record) -> Result<Option<Proposal>, Trouble> {
    let Some(name) = record.name() else { return Ok(None) };
    let connection = &record.key.connection;
    let space = mirror::space(&record.key.kind).to_owned();
    let names = [Some(name.to_owned()), mirror::turned(name)];
    let names: Vec<_> = names.iter().flatten().map(|name| mirror::normal(name)).collect();
    let same = ["same name", "same name, turned round"].into_iter().zip(&names);
    let mut tries: Vec<_> =
        same.map(|(how, name)| (how, Find::Named(space.clone(), name.clone()))).collect();
    for begin in names.iter().flat_map(|name| beginnings(name)) {
        tries.push(("similar name", Find::Prefix(space.clone(), begin)));
    }
    for (how, find) in tries {
        let found = engine.store().mirror_find(connection, &find, FOUND).await?;
        let mut best = None;
        for it in found.into_iter().filter(|it| it.facts.kind == record.key.kind) {
            let there = mirror::normal(&it.facts.name);
            let distances = names.iter().map(|name| strsim::osa_distance(name, &there));
            let distance = distances.min().unwrap_or(usize::MAX);
            let near = distance <= there.chars().count() / 5;
            let better = best.as_ref().is_none_or(|(known, _)| distance < *known);
            if near && better && engine.store().record_at(connection, &it.id).await?.is_none() {
                best = Some((distance, it));
            }
        }
        if let Some((_, it)) = best {
            let exact = it.facts.name == name;
            return Ok(Some(Proposal {
                how: if exact { "exactly the same name" } else { how },
                id: it.id,
                kind: it.facts.kind,
                name: it.facts.name,
                known_by: it.facts.hint.unwrap_or_default(),
            }));
        }
    }
    Ok(None)
}

/// How a similar name may begin: like this one, or with a letter that sounds like its first.
fn beginnings(normal: &str) -> Vec<String> {
    let rest: String = normal.chars().skip(1).take(BEGIN - 1).collect();
    let Some(first) = normal.chars().next() else { return Vec::new() };
    let alike = ALIKE.iter().filter(|letters| letters.contains(first));
    let others = alike.flat_map(|letters| letters.chars()).filter(|letter| *letter != first);
    std::iter::once(first).chain(others).map(|letter| format!("{letter}{rest}")).collect()
}

async fn link(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Write)?;
    let asked = Fields::of_query(request.query_string());
    let connection = known(&engine, &id).await?;
    let kind = asked.given("kind").unwrap_or("Customer");
    let (mut linked, mut left) = (0_u32, 0_u32);
    for pick in form.all("key") {
        let Some((object, source_id)) = pick.split_once(' ') else { continue };
        let key = RecordKey::new(&connection.id, kind, source_id);
        let key = key.map_err(|_| Trouble::nowhere())?;
        let action = Action::Link { id: object.to_owned() };
        match engine.act(&key, action, &visitor.actor()).await {
            Ok(_) => linked += 1,
            Err(EngineError::Store(error)) => return Err(error.into()),
            Err(_) => left += 1,
        }
    }
    let home = format!("/c/{}/mapping?{}", connection.id, asked.query(&FILTERS));
    if linked + left == 0 {
        return Ok(see_refusal(&home, "Nothing is linked: tick what belongs together first."));
    }
    let mut said = format!("{linked} linked.");
    if left > 0 {
        let _ = write!(
            said,
            " {left} were not: another record stands there, or they are with QuickBooks now."
        );
    }
    Ok(if linked > 0 { see_saying(&home, &said) } else { see_refusal(&home, &said) })
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
}
