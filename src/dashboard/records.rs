//! Records: filtered by the address, walked by keys, decided about all at once.

use std::fmt::Write as _;
use std::io;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;
use askama::Template;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::dashboard::connection::known;
use crate::dashboard::fields::Fields;
use crate::dashboard::frame::Frame;
use crate::dashboard::frame::see;
use crate::dashboard::frame::see_refusal;
use crate::dashboard::frame::show;
use crate::dashboard::trouble::Trouble;
use crate::dashboard::trouble::sentence;
use crate::dashboard::view::Choice;
use crate::dashboard::view::Row;
use crate::dashboard::view::called;
use crate::dashboard::view::choices;
use crate::dashboard::visitor::Visitor;
use crate::diagnosis;
use crate::domain::activity::Scope;
use crate::domain::ids::ConnectionId;
use crate::domain::outcome::Code;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::BulkAction;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::FIXES;
use crate::engine::MATCHED;
use crate::engine::Pressed;
use crate::qbxml::schema::schema;
use crate::store::Order;
use crate::store::RecordFilter;

/// Records on a page.
const PAGE: usize = 50;
/// Records that the preview of a decision about many names.
const EXAMPLES: usize = 5;
/// Records of an exported table that are in memory at a time.
const EXPORTED: usize = 500;
/// What an address keeps.
const FILTERS: [&str; 7] = ["status", "kind", "cause", "label", "problem", "q", "sort"];
/// What else it may say.
const BESIDE: [&str; 6] = ["cursor", "task", "said", "refused", "mark", "from"];
/// In which order records are listed.
const SORTS: [(&str, &str, Order); 3] = [
    ("", "newest first", Order::Newest),
    ("oldest", "oldest first", Order::Oldest),
    ("name", "by kind and id", Order::Name),
];

fn sort(text: &str) -> Option<Order> {
    SORTS.iter().find(|(value, ..)| *value == text).map(|(.., order)| *order)
}

/// Its routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/c/{connection}/records").route(web::get().to(page)))
        .service(web::resource("/c/{connection}/records.csv").route(web::get().to(export)))
        .service(web::resource("/c/{connection}/records/bulk").route(web::post().to(bulk)));
}

#[derive(Template)]
#[template(path = "records.html")]
struct Page {
    frame: Frame,
    id: String,
    statuses: Vec<Choice>,
    kinds: Vec<&'static str>,
    kind: String,
    causes: Vec<Choice>,
    q: String,
    sorts: Vec<Choice>,
    query: String,
    caption: String,
    problem: Option<String>,
    problem_id: String,
    without_problem: String,
    not_understood: Option<String>,
    progress: Option<Progress>,
    rows: Vec<Row>,
    next: Option<String>,
    bulk: [(&'static str, &'static str); BULK.len()],
    preview: Option<Preview>,
    chosen_words: String,
    /// Where it came from, if it is not done.
    leave: String,
}

/// What a decision about many would change, before it is made.
struct Preview {
    count: u64,
    /// The first of them, each with what would become of it, where that is known.
    examples: Vec<(Row, String)>,
    /// Whether there are no others.
    all: bool,
    chosen: String,
    reason: String,
    /// Tells whether the same records match.
    mark: String,
    /// Others matched when it was counted before.
    again: bool,
}

/// The filter that an address says.
///
/// # Errors
///
/// A sentence about what is not understood. Then nothing matches: a slip of the pen must not mean
/// all records.
pub(super) fn filter(asked: &Fields) -> Result<RecordFilter, String> {
    let unknown = |what: &str, text: &str| format!("There is no {what} “{text}”.");
    let known = |name: &&str| FILTERS.contains(name) || BESIDE.contains(name);
    if let Some(name) = asked.names().find(|name| !known(name)) {
        return Err(unknown("filter", name));
    }
    let status = asked
        .given("status")
        .map(|text| Status::parse(text).ok_or_else(|| unknown("status", text)));
    let kind = asked.given("kind").map(|text| kind(text).ok_or_else(|| unknown("kind", text)));
    let cause = asked.given("cause").map(|text| code(text).ok_or_else(|| unknown("cause", text)));
    let order = match asked.given("sort") {
        Some(text) => Some(sort(text).ok_or_else(|| unknown("order", text))?),
        None => None,
    };
    let problem = asked
        .given("problem")
        .map(|text| Group::parse(text).ok_or_else(|| unknown("problem", text)));
    Ok(RecordFilter {
        status: status.transpose()?,
        kind: kind.transpose()?.map(str::to_owned),
        cause: cause.transpose()?,
        label: asked.given("label").map(str::to_owned),
        problem: problem.transpose()?,
        text: asked.given("q").map(str::to_owned),
        order: order.unwrap_or_default(),
    })
}

fn code(text: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str() == text)
}

/// A kind as QuickBooks writes it, whatever the case.
pub(super) fn kind(text: &str) -> Option<&'static str> {
    schema().kinds().map(|kind| kind.name).find(|name| name.eq_ignore_ascii_case(text))
}

async fn page(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let asked = Fields::of_query(request.query_string());
    shown(&visitor, &id, &engine, &asked, None).await
}

/// How far a decision about many is, in words.
struct Progress {
    tone: &'static str,
    said: String,
}

impl Progress {
    /// Of the task that the address names, if it is still remembered.
    fn of(engine: &Engine, connection: &ConnectionId, task: &str) -> Option<Self> {
        let task = engine.task(connection, uuid::Uuid::parse_str(task).ok()?).ok()?;
        let left = task.looked_at.saturating_sub(task.done);
        let to_do = task.total.saturating_sub(task.looked_at);
        let mut said = format!("{} changed", records_in_words(task.done));
        if left > 0 {
            let _ = write!(said, ", {left} left as they were");
        }
        let tone = match (&task.error, task.ended_at) {
            (Some(why), _) => {
                let _ = write!(said, ", {to_do} not done: it broke off. {}", sentence(why));
                "bad"
            }
            (None, Some(_)) => {
                said.insert_str(0, "Done: ");
                said.push('.');
                if task.done > 0 { "" } else { "bad" }
            }
            (None, None) => {
                let _ = write!(said, ", {to_do} still to do.");
                ""
            }
        };
        Some(Self { tone, said })
    }
}

fn records_in_words(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

async fn shown(
    visitor: &Visitor,
    id: &str,
    engine: &Engine,
    asked: &Fields,
    preview: Option<Preview>,
) -> Result<HttpResponse, Trouble> {
    let connection = known(engine, id).await?;
    let (found, not_understood) = match filter(asked) {
        Ok(filter) => {
            let store = engine.store();
            (store.records(&connection.id, &filter, asked.given("cursor"), PAGE).await?, None)
        }
        Err(why) => (crate::store::Page { items: Vec::new(), next: None }, Some(why)),
    };
    let query = asked.query(&FILTERS);
    let next = found.next.as_ref().map(|next| format!("?{query}&cursor={next}"));
    let records = found.items;
    let count = records_in_words(records.len() as u64);
    let caption = match next {
        Some(_) => format!("{count} of those that match; more on the next page."),
        None => format!("{count}."),
    };
    let text = |name: &str| asked.text(name).to_owned();
    let causes: Vec<_> = diagnosis::entries().collect();
    let chosen = preview.as_ref().map_or("", |preview| &preview.chosen);
    let chosen_words = bulk_words(chosen).unwrap_or(chosen).to_owned();
    let leave = match asked.text("from") {
        "problems" => format!("/c/{}/problems", connection.id),
        _ => format!("/c/{}/records?{query}", connection.id),
    };
    Ok(show(&Page {
        frame: Frame::of(visitor, "Records", "records").within(&connection),
        id: connection.id.to_string(),
        statuses: choices(
            Status::ALL.iter().map(|it| (it.as_str(), called(*it))),
            asked.text("status"),
        ),
        kinds: schema().kinds().map(|kind| kind.name).collect(),
        kind: text("kind"),
        causes: choices(
            causes.iter().map(|it| (it.code.as_str(), it.words.title.as_str())),
            asked.text("cause"),
        ),
        q: text("q"),
        sorts: choices(SORTS.map(|(value, words, _)| (value, words)), asked.text("sort")),
        problem: problem_title(engine, &connection.id, asked).await?,
        problem_id: text("problem"),
        without_problem: asked
            .query(&FILTERS.map(|name| if name == "problem" { "" } else { name })),
        query,
        caption,
        not_understood,
        progress: asked.given("task").and_then(|task| Progress::of(engine, &connection.id, task)),
        rows: records.iter().map(Row::of).collect(),
        next,
        chosen_words,
        bulk: BULK,
        preview,
        leave,
    }))
}

impl Preview {
    /// Of a decision about all that match.
    async fn of(
        engine: &Engine,
        connection: &ConnectionId,
        filter: &RecordFilter,
        action: &BulkAction,
        chosen: &str,
        reason: String,
    ) -> Result<Self, EngineError> {
        let (count, found, mark) =
            engine.examples_of_all(connection, filter, action, EXAMPLES).await?;
        let mut examples = Vec::new();
        for record in found {
            let would = match action {
                BulkAction::Fix(pressed) => engine.preview(&record.key, pressed).await,
                _ => Ok(String::new()),
            };
            let would = match would {
                Err(error @ EngineError::Store(_)) => return Err(error),
                // It changed since it was counted.
                Err(error) => sentence(&error.to_string()),
                Ok(would) => would,
            };
            examples.push((Row::of(&record), would));
        }
        let all = examples.len() as u64 == count;
        Ok(Self { count, examples, all, chosen: chosen.to_owned(), reason, mark, again: false })
    }
}

/// What the problem is whose records the address asks for.
async fn problem_title(
    engine: &Engine,
    connection: &ConnectionId,
    asked: &Fields,
) -> Result<Option<String>, Trouble> {
    let Some(problem) = asked.given("problem").and_then(Group::parse) else { return Ok(None) };
    let first = engine.store().failing(connection, problem, 1).await?.into_iter().next();
    let finding = first.and_then(|record| record.findings.into_iter().next());
    let solved = || "It is solved: nothing fails of it any more".to_owned();
    Ok(Some(finding.map_or_else(solved, |finding| diagnosis::render(&finding).title)))
}

/// What can be done with many, and what it is called.
const BULK: [(&str, &str); 15] = [
    ("retry", "Try again"),
    ("bypass", "Bypass"),
    ("reset-reference", "Forget the QuickBooks ids and make them anew"),
    ("fix:shorten", "Shorten the texts"),
    ("fix:replace-characters", "Replace the characters"),
    ("fix:rename", "Give each a free name"),
    ("fix:suffix-number", "Give each a number of its own"),
    ("fix:move-date", "Move the dates into the open period"),
    ("fix:reactivate", "Make active in QuickBooks what they need"),
    ("fix:create-missing", "Make in QuickBooks what they need"),
    ("fix:link", "Link to the one that is there"),
    ("fix:refresh-edit-sequence", "Fetch the newest versions and try again"),
    ("fix:keep-ours", "Take what your application says"),
    ("fix:keep-theirs", "Keep what QuickBooks has"),
    ("fix:ask-books", "Look in QuickBooks' books for them"),
];

/// What something that can be done with many is called.
pub(super) fn bulk_words(value: &str) -> Option<&'static str> {
    let value = if value == "fix:retry" { "retry" } else { value };
    BULK.iter().find(|(known, _)| *known == value).map(|(_, words)| *words)
}

async fn bulk(
    request: HttpRequest,
    visitor: Visitor,
    id: web::Path<String>,
    form: Fields,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    visitor.sent(&form, Scope::Write)?;
    let asked = Fields::of_query(request.query_string());
    let connection = known(&engine, &id).await?;
    let chosen = form.text("do");
    let action = match chosen {
        "retry" => BulkAction::Retry,
        "bypass" => BulkAction::Bypass,
        "reset-reference" => BulkAction::ResetReference,
        fix => match fix.strip_prefix("fix:").filter(|fix| FIXES.contains(fix)) {
            Some(fix) => BulkAction::Fix(Pressed { id: fix.to_owned(), ..Pressed::default() }),
            None => return Err(Trouble::bad("There is nothing of that name to do.")),
        },
    };
    let reason = form.given("reason").unwrap_or(MATCHED).to_owned();
    let filter = filter(&asked).map_err(|why| Trouble::bad(&why))?;
    let actor = visitor.actor();
    let sure = form.given("sure").is_some();
    if sure {
        let back = format!("/c/{}/records?{}", connection.id, asked.query(&FILTERS));
        let (action, reason, counted) = (action.clone(), reason.clone(), form.text("counted"));
        let begun =
            engine.begin_on_counted(&connection.id, &filter, action, reason, counted, &actor).await;
        match begun {
            Ok(Some(task)) => return Ok(see(&format!("{back}&task={}", task.id))),
            // It is asked again, about those that match now.
            Ok(None) => {}
            Err(EngineError::NotNow(why)) => return Ok(see_refusal(&back, &why)),
            Err(error) => return Err(error.into()),
        }
    }
    let preview = Preview::of(&engine, &connection.id, &filter, &action, chosen, reason);
    let preview = Preview { again: sure, ..Box::pin(preview).await? };
    Box::pin(shown(&visitor, &id, &engine, &asked, Some(preview))).await
}

async fn export(
    request: HttpRequest,
    _: Visitor,
    id: web::Path<String>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Trouble> {
    let asked = Fields::of_query(request.query_string());
    let connection = known(&engine, &id).await?;
    let filter = filter(&asked).map_err(|why| Trouble::bad(&why))?;
    let head = ["kind", "sourceId", "status", "name", "quickbooksId", "code", "why", "changedAt"];
    // Spreadsheets take a file without this mark for one of an older encoding.
    let mark = Vec::from("\u{feff}");
    let mut table = Table { engine, connection: connection.id, filter, cursor: None };
    // What fails at once is said as a page.
    let first = table.piece(mark, Some(head)).await?;
    let name = format!("attachment; filename=\"{}-records.csv\"", table.connection);
    let rest = stream::try_unfold(table, |mut table| async {
        if table.cursor.is_none() {
            return Ok(None);
        }
        let piece = table.piece(Vec::new(), None).await;
        let piece = piece.map_err(|why| io::Error::other(why.to_string()))?;
        Ok(Some((piece, table)))
    });
    let pieces = stream::once(std::future::ready(Ok::<_, io::Error>(first))).chain(rest);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(pieces))
}

/// All records that match as lines, of which a page is in memory at a time. A table that cannot go on
/// breaks off as a download that did not end.
struct Table {
    engine: web::Data<Engine>,
    connection: ConnectionId,
    filter: RecordFilter,
    /// Where the next piece begins; `None` at the end.
    cursor: Option<String>,
}

impl Table {
    /// The next lines, behind what is there already. Never empty but at the end.
    async fn piece(&mut self, before: Vec<u8>, head: Option<[&str; 8]>) -> Result<Bytes, Trouble> {
        let broken = |_| Trouble::bad("The table cannot be written.");
        let mut writer = csv::Writer::from_writer(before);
        if let Some(head) = head {
            writer.write_record(head).map_err(broken)?;
        }
        let store = self.engine.store();
        loop {
            let at = self.cursor.as_deref();
            let page = store.records(&self.connection, &self.filter, at, EXPORTED).await?;
            for record in &page.items {
                writer.write_record(line(record)).map_err(broken)?;
            }
            self.cursor = page.next;
            if !page.items.is_empty() || self.cursor.is_none() {
                break;
            }
        }
        let lines =
            writer.into_inner().map_err(|_| Trouble::bad("The table cannot be written."))?;
        Ok(lines.into())
    }
}

/// A record as a line; what a spreadsheet would take for a formula is shown as text.
fn line(record: &Record) -> [String; 8] {
    let row = Row::of(record);
    let reference = record.reference.as_ref().map(|it| it.id.clone()).unwrap_or_default();
    let code = record.findings.first().map(|it| it.code.to_string()).unwrap_or_default();
    let plain = |text: String| {
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
    };
    [
        record.key.kind.clone(),
        plain(record.key.source_id.clone()),
        record.status.as_str().to_owned(),
        plain(row.name),
        reference,
        code,
        plain(row.why),
        record.updated_at.to_string(),
    ]
}
