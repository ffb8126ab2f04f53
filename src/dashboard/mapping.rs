//! Mapping: which record stands at which object of QuickBooks, and many linked at once.
//!
//! For a first import records are held; what the mirror has of the same kind is proposed by name
//! (`proposal`): the same, as QuickBooks compares, or similar. A person ticks; what is similar is
//! confirmed pair by pair. For one record its object is looked for by any part of its name
//! (`hits`), and linked with one press.

mod hits;
mod proposal;

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use askama::Template;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::Sure;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::see_saying;
use crate::dashboard::frame::show;
use crate::dashboard::mapping::hits::Hit;
use crate::dashboard::mapping::hits::Sought;
use crate::dashboard::mapping::proposal::Proposal;
use crate::dashboard::mapping::proposal::Proposals;
use crate::dashboard::mapping::proposal::unlike;
use crate::dashboard::records;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::view::Choice;
use crate::dashboard::view::Row;
use crate::dashboard::view::choices;
use crate::dashboard::visitor::Visitor;
use crate::domain::activity::Scope;
use crate::domain::ids::RecordKey;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::qbxml::schema::schema;
use crate::store::RecordFilter;

pub(super) use crate::dashboard::mapping::hits::search_for;

/// Records on a page: as many as a first import is confirmed at once.
const PAGE: usize = 500;
/// Pages without anything to show that are looked through at once; then a link leads on.
const MOST_PAGES: usize = 6;
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

impl Line {
    /// Whether it may be ticked with all others.
    fn same(&self) -> bool {
        self.proposal.as_ref().is_some_and(|it| it.same)
    }
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
    /// Whether some of them can be ticked, and some all at once.
    proposed: bool,
    same: bool,
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
    let mut proposals = Proposals::default();
    for _ in 0..most {
        let page = store.records(&connection.id, &filter, next.as_deref(), PAGE).await?;
        if chosen != "linked" {
            proposals = Proposals::of(&engine, &page.items).await?;
        }
        for record in &page.items {
            let linked = record.reference.is_some();
            let shown = match chosen.as_str() {
                "linked" => linked,
                "all" => true,
                _ => !linked && record.status != Status::Withdrawn,
            };
            if shown {
                rows.push(line(record, proposals.take(&record.key), &asked));
            }
        }
        next = page.next;
        if next.is_none() || !rows.is_empty() {
            break;
        }
    }
    let sought = Sought::of(&engine, &connection, &kind, &asked).await?;
    let (found, on) = hits::found(&engine, &connection.id, &kind, &asked, sought.as_ref()).await?;
    let (query, may) = (asked.query(&FILTERS), visitor.scope >= Scope::Write);
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
        proposed: may && rows.iter().any(|row| row.proposal.is_some()),
        same: may && rows.iter().any(Line::same),
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
    let home = format!("/c/{}/mapping?{}", connection.id, asked.query(&FILTERS));
    let (mut alike, mut others, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for pick in form.all("key") {
        let Some((object, source_id)) = pick.split_once(' ') else { continue };
        let key = RecordKey::new(&connection.id, kind, source_id);
        let key = key.map_err(|_| Trouble::nowhere())?;
        match unlike(&engine, &key, object).await? {
            None => alike.push((key, object, pick)),
            Some(pair) => {
                others.push((key, object, pick));
                pairs.push(pair);
            }
        }
    }
    // Where the name is the same nobody else gets the object.
    alike.append(&mut others);
    if !pairs.is_empty() && form.given("sure").is_none() {
        let frame = Frame::of(&visitor, "Link them", "mapping").within(&connection);
        let hidden: Vec<_> = alike.iter().map(|(.., pick)| ("key", *pick)).collect();
        return Ok(show(&Sure {
            frame,
            title: "Link them",
            place: "Mapping",
            home: &home,
            action: &home,
            would: &would(alike.len() - pairs.len()),
            pairs: &pairs,
            hidden: &hidden,
        }));
    }
    let (mut linked, mut left) = (0_u32, 0_u32);
    for (key, object, _) in alike {
        let action = Action::Link { id: object.to_owned() };
        match engine.act(&key, action, &visitor.actor()).await {
            Ok(_) => linked += 1,
            Err(EngineError::Store(error)) => return Err(error.into()),
            Err(_) => left += 1,
        }
    }
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

/// What is asked before records are linked to what has another name.
fn would(same: usize) -> String {
    let mut would =
        "These have another name in QuickBooks than here. Look at each: what is linked to the \
                     wrong one changes that one from now on."
            .to_owned();
    match same {
        0 => {}
        1 => would.push_str(" 1 more, whose name is the same, is linked too."),
        more => {
            let _ = write!(would, " {more} more, whose names are the same, are linked too.");
        }
    }
    would
}
