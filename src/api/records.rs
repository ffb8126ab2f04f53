//! Records: put, seen, listed, withdrawn.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web;
use serde::Deserialize;
use serde::Deserializer;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::api::auth::Reader;
use crate::api::auth::Writer;
use crate::api::body;
use crate::api::body::Json;
use crate::api::page::Listed;
use crate::api::page::Part;
use crate::api::path::Named;
use crate::api::path::RecordNamed;
use crate::api::prefer::Prefer;
use crate::api::problem::Problem;
use crate::api::query::Parameters;
use crate::api::query::Params;
use crate::api::query::Query;
use crate::api::query::one_of;
use crate::api::query::wrong;
use crate::api::shape::Attempt;
use crate::api::shape::Cause;
use crate::api::shape::Record;
use crate::api::shape::Waits;
use crate::api::words;
use crate::domain::ids::RecordKey;
use crate::domain::outcome::Code;
use crate::domain::outcome::Group;
use crate::domain::record;
use crate::domain::record::OnDuplicate;
use crate::domain::record::Status;
use crate::domain::record::Wanted;
use crate::engine::Action;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::NewRecord;
use crate::engine::Put;
use crate::store::Order;
use crate::store::RecordFilter;

/// The longest text to search for, in characters.
const MAX_SEARCH: usize = 200;
/// Problems that are listed.
const MAX_PROBLEMS: usize = 1000;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/connections/{connection}/records/{kind}/{source_id:[^/]*}")
                .route(web::put().to(put))
                .route(web::get().to(show))
                .route(web::delete().to(withdraw)),
        )
        .service(
            web::resource("/connections/{connection}/records/{kind}/{source_id:[^/]*}/attempts")
                .route(web::get().to(attempts)),
        )
        .service(
            web::resource("/connections/{connection}/problems").route(web::get().to(problems)),
        );
}

/// A record to put.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RecordToPut {
    /// qbXML written as JSON; `GET /v1/schema/{kind}` has its schema.
    #[schema(value_type = Object)]
    data: Value,
    /// False: keep it, do not send it yet.
    #[schema(default = true)]
    posted: Option<bool>,
    /// -1000 to 1000; higher goes first.
    #[schema(default = 0)]
    priority: Option<i32>,
    /// `Kind/sourceId` of records that go before, beyond those that `data` refers to.
    depends_on: Option<Vec<String>>,
    /// What to do when the name is in use: `fail`, or `link` to adopt the object of that name.
    #[schema(value_type = Option<String>, default = "fail")]
    on_duplicate: Option<OnDuplicate>,
}

impl RecordToPut {
    /// With its name.
    fn named(self, kind: String, source_id: String) -> NewRecord {
        NewRecord {
            kind,
            source_id,
            data: self.data,
            posted: self.posted.unwrap_or(true),
            priority: self.priority.unwrap_or(0),
            depends_on: self.depends_on.unwrap_or_default(),
            on_duplicate: self.on_duplicate.unwrap_or_default(),
        }
    }
}

/// Put a record.
///
/// It is on disk when this answers; QuickBooks gets it in the connection's next session. The same
/// content put again changes nothing. What QuickBooks would refuse is kept as `failed` with its
/// diagnosis; with `Prefer: handling=strict` it is refused instead.
#[utoipa::path(put, path = "/v1/connections/{connection}/records/{kind}/{sourceId}",
    tag = "records", params(("Prefer" = Option<String>, Header, description = "handling=strict")),
    request_body = RecordToPut,
    responses((status = 201, body = Record, description = "It was not known"),
        (status = 200, body = Record, description = "It was known, with the same or other content")))]
async fn put(
    caller: Writer,
    named: RecordNamed,
    prefer: Prefer,
    _: Params<()>,
    body: Json<RecordToPut, { body::RECORD }>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let RecordKey { connection, kind, source_id } = named.0;
    let new = body.0.named(kind, source_id);
    let put = engine.put(&connection, new, prefer.handling(), &caller.0).await?;
    let mut response = match &put {
        Put::New(_) => HttpResponse::Created(),
        Put::Changed(_) | Put::Same(_) => HttpResponse::Ok(),
    };
    prefer.applied(&mut response);
    let (Put::New(record) | Put::Changed(record) | Put::Same(record)) = put;
    Ok(response.json(shaped(&engine, record).await?))
}

/// A record as it is shown.
pub(super) async fn shaped(engine: &Engine, record: record::Record) -> Result<Record, Problem> {
    let mut shaped = shaped_all(engine, vec![record]).await?;
    shaped.pop().ok_or_else(|| EngineError::NotFound("record".to_owned()).into())
}

/// Records as they are shown: with where those stand that they wait for.
async fn shaped_all(engine: &Engine, records: Vec<record::Record>) -> Result<Vec<Record>, Problem> {
    let mut statuses: HashMap<RecordKey, Option<Status>> = HashMap::new();
    let mut shaped = Vec::with_capacity(records.len());
    for record in records {
        let mut waits = Vec::with_capacity(record.blocked_by.len());
        for key in &record.blocked_by {
            let status = match statuses.get(key) {
                Some(status) => *status,
                None => engine.store().record(key).await?.map(|record| record.status),
            };
            statuses.insert(key.clone(), status);
            waits.push(Waits::new(key, status));
        }
        let reasons = engine.reasons(&record).await?;
        shaped.push(Record::of(record, waits, &reasons));
    }
    Ok(shaped)
}

/// Show a record.
#[utoipa::path(get, path = "/v1/connections/{connection}/records/{kind}/{sourceId}",
    tag = "records", responses((status = 200, body = Record)))]
async fn show(
    _: Reader,
    named: RecordNamed,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let Some(record) = engine.store().record(&named.0).await? else {
        // The nearer cause first: a record of no connection.
        Named(named.0.connection.clone()).known(&engine).await?;
        return Err(EngineError::NoRecord(named.0).into());
    };
    Ok(HttpResponse::Ok().json(shaped(&engine, record).await?))
}

/// Which records a list shows; all that is set must hold.
#[derive(Clone, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filter {
    #[serde(deserialize_with = "given")]
    status: Option<String>,
    /// Such as `Customer`.
    #[serde(deserialize_with = "given")]
    kind: Option<String>,
    /// The code of one of the findings, such as `NAME_IN_USE`, or its finer `cause`.
    #[serde(deserialize_with = "given")]
    cause: Option<String>,
    /// The `problem` of `GET …/problems`: records that fail of it.
    #[serde(deserialize_with = "given")]
    problem: Option<String>,
    /// A part of `Kind/sourceId`, of the name or number, or of the id in QuickBooks.
    #[serde(deserialize_with = "given")]
    q: Option<String>,
}

/// Null is refused: what an application forgot to fill in must not mean all records.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

impl Filter {
    /// What the store looks for.
    fn read(self) -> Result<RecordFilter, Problem> {
        let statuses = Status::ALL.map(|status| (status.as_str(), status));
        let codes: Vec<_> = Code::ALL.iter().map(|code| (code.as_str(), *code)).collect();
        if let Some(kind) = &self.kind {
            words::known_kind(kind)?;
        }
        if self.q.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            return Err(wrong("q", &format!("has at most {MAX_SEARCH} characters")));
        }
        let problem = self.problem.map(|text| {
            let parsed = Group::parse(&text);
            parsed.ok_or_else(|| {
                wrong("problem", "has 16 hexadecimal digits, as GET …/problems has it")
            })
        });
        let (label, code) = self.cause.into_iter().partition::<Vec<_>, _>(|it| words::is_label(it));
        let status = self.status.map(|text| one_of("status", &text, &statuses)).transpose()?;
        let cause = code.first().map(|text| one_of("cause", text, &codes)).transpose()?;
        let label = label.into_iter().next();
        let problem = problem.transpose()?;
        Ok(RecordFilter {
            status,
            kind: self.kind,
            cause,
            label,
            problem,
            text: self.q,
            order: Order::Newest,
        })
    }

    /// The same as a member of a body, with the place of what is wrong.
    pub(super) fn of_body(self) -> Result<RecordFilter, Problem> {
        let Self { status, kind, cause, problem, q } = self.clone();
        for (alone, at) in [
            (Self { status, ..Self::default() }, "/filter/status"),
            (Self { kind, ..Self::default() }, "/filter/kind"),
            (Self { cause, ..Self::default() }, "/filter/cause"),
            (Self { problem, ..Self::default() }, "/filter/problem"),
            (Self { q, ..Self::default() }, "/filter/q"),
        ] {
            alone.read().map_err(|problem| problem.of_member(at))?;
        }
        self.read()
    }
}

/// A filter and a part of what it finds.
pub(super) struct Search(RecordFilter, Part);

impl Parameters for Search {
    fn take(query: &mut Query) -> Result<Self, Problem> {
        let filter = Filter {
            status: query.text("status")?,
            kind: query.text("kind")?,
            cause: query.text("cause")?,
            problem: query.text("problem")?,
            q: query.text("q")?,
        };
        Ok(Self(filter.read()?, Part::take(query)?))
    }
}

/// List records, newest first.
#[utoipa::path(get, path = "/v1/connections/{connection}/records", tag = "records",
    params(Filter, Part), responses((status = 200, body = Listed<Record>)))]
pub(super) async fn list(
    _: Reader,
    named: Named,
    search: Params<Search>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let Search(filter, part) = search.0;
    let connection = named.known(&engine).await?.id;
    let name = format!("records/{connection}/{filter:?}");
    let cursor = part.cursor(&name)?;
    let page =
        engine.store().records(&connection, &filter, cursor.as_deref(), part.limit()).await?;
    let records = shaped_all(&engine, page.items).await?;
    Ok(HttpResponse::Ok().json(Listed::shaped(&name, page.next, records)))
}

/// List each time that a record went out, with the XML of both sides; the last 50.
#[utoipa::path(get, path = "/v1/connections/{connection}/records/{kind}/{sourceId}/attempts",
    tag = "records", params(Part), responses((status = 200, body = Listed<Attempt>)))]
async fn attempts(
    _: Reader,
    named: RecordNamed,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let attempts = engine.attempts(&named.0).await?;
    let attempts = attempts.into_iter().map(Attempt::from).collect();
    Ok(HttpResponse::Ok().json(part.0.of_all(&format!("attempts/{}", named.0), attempts)?))
}

/// What becomes of a withdrawn record in QuickBooks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Fate {
    /// `keep` (the default), `delete` or `void`.
    #[param(value_type = Option<String>)]
    quickbooks: Wanted,
}

impl Parameters for Fate {
    fn take(query: &mut Query) -> Result<Self, Problem> {
        let fates =
            [("keep", Wanted::Withdrawn), ("delete", Wanted::Deleted), ("void", Wanted::Voided)];
        let quickbooks = query.word("quickbooks", &fates)?;
        Ok(Self { quickbooks: quickbooks.unwrap_or(Wanted::Withdrawn) })
    }
}

/// Withdraw a record, or also delete or void it in QuickBooks.
#[utoipa::path(delete, path = "/v1/connections/{connection}/records/{kind}/{sourceId}",
    tag = "records", params(Fate), responses((status = 200, body = Record)))]
async fn withdraw(
    caller: Writer,
    named: RecordNamed,
    fate: Params<Fate>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let action = Action::Withdraw(fate.0.quickbooks);
    let record = engine.act(&named.0, action, &caller.0).await?;
    Ok(HttpResponse::Ok().json(shaped(&engine, record).await?))
}

/// List failures grouped by cause, biggest first; at most the 1,000 biggest.
#[utoipa::path(get, path = "/v1/connections/{connection}/problems", tag = "records",
    params(Part), responses((status = 200, body = Listed<Cause>)))]
async fn problems(
    _: Reader,
    named: Named,
    part: Params<Part>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let problems = engine.problems(&named.0, MAX_PROBLEMS).await?;
    let problems = problems.into_iter().map(Cause::from).collect();
    Ok(HttpResponse::Ok().json(part.0.of_all(&format!("problems/{}", named.0), problems)?))
}
