//! Many records in one call: put, or only checked.
//!
//! Lines are put while the rest is still on its way, a few hundred in one commit, but their results
//! are written when all have come: most clients read nothing before they have written everything, and
//! two sides that both wait for the other to read would wait for ever.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::auth::Reader;
use crate::api::auth::Writer;
use crate::api::path::Named;
use crate::api::prefer::Prefer;
use crate::api::problem::Problem;
use crate::api::problem::internal;
use crate::api::query::Params;
use crate::api::records;
use crate::api::rows::Form;
use crate::api::rows::MAX_ROWS;
use crate::api::rows::Place;
use crate::api::rows::RecordOfMany;
use crate::api::rows::Row;
use crate::api::rows::Rows;
use crate::api::shape::Diagnosis;
use crate::api::shape::Finding;
use crate::api::words;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::NewRecord;
use crate::engine::Put;

/// How many records go in one commit.
const CHUNK: usize = 200;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/connections/{connection}/records")
                .route(web::get().to(records::list))
                .route(web::post().to(put_many)),
        )
        .service(web::resource("/connections/{connection}/check").route(web::post().to(check)));
}

/// What became of one record of many.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutResult {
    kind: String,
    source_id: String,
    /// Where it stands; null if it was not kept.
    status: Option<&'static str>,
    /// `new`, `changed` or `same`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
    /// The line, or the element of the array, that was not kept; from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// Why it was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Diagnosis>,
}

impl PutResult {
    fn of(place: Place, put: Result<Put, Problem>) -> Self {
        let Place { line, kind, source_id } = place;
        let mut shape = Self {
            kind,
            source_id,
            status: None,
            result: None,
            diagnosis: None,
            line: None,
            error: None,
        };
        match put {
            Ok(put) => {
                let record = put.record();
                shape.status = Some(record.status.as_str());
                shape.diagnosis = words::of_record(record, &record.findings);
                shape.result = Some(match put {
                    Put::New(_) => "new",
                    Put::Changed(_) => "changed",
                    Put::Same(_) => "same",
                });
            }
            Err(problem) => {
                shape.line = Some(line);
                shape.error = Some(problem.into_words());
            }
        }
        shape
    }
}

/// What a put would find wrong with one record of many.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckResult {
    kind: String,
    source_id: String,
    /// None if it would be queued.
    findings: Vec<Finding>,
    /// The line, or the element of the array, that cannot be read; from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// Why it would not be kept at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Diagnosis>,
}

impl CheckResult {
    fn of(place: Place, findings: Result<Vec<Finding>, Problem>) -> Self {
        let Place { line, kind, source_id } = place;
        match findings {
            Ok(findings) => Self { kind, source_id, findings, line: None, error: None },
            Err(problem) => {
                let words = problem.into_words();
                let findings = if words.errors.is_empty() {
                    vec![words.first.clone()]
                } else {
                    words.errors.clone()
                };
                Self { kind, source_id, findings, line: Some(line), error: Some(words) }
            }
        }
    }
}

/// Put many records.
///
/// One JSON object a line gives one result a line, in order; an array gives `{"data": […]}`. Good
/// ones are kept, bad ones say why. At most 50,000 records and 64 MiB a call.
#[utoipa::path(post, path = "/v1/connections/{connection}/records", tag = "records",
    request_body(content((Vec<RecordOfMany> = "application/json"),
        (RecordOfMany = "application/x-ndjson"))),
    responses((status = 200, content((PutResults = "application/json"),
        (PutResult = "application/x-ndjson")))))]
async fn put_many(
    caller: Writer,
    named: Named,
    prefer: Prefer,
    _: Params<()>,
    call: HttpRequest,
    payload: web::Payload,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?.id;
    let (mut rows, form) = Rows::open(&call, payload.into_inner()).await?;
    let mut results = Results::new(form);
    loop {
        let chunk = match rows.chunk(CHUNK).await {
            Ok(chunk) if chunk.is_empty() => break,
            Ok(chunk) => chunk,
            Err(problem) if results.count == 0 => return Err(problem),
            Err(problem) => {
                let place = Place { line: rows.next_line(), ..Place::default() };
                results.push(&PutResult::of(place, Err(problem)))?;
                break;
            }
        };
        let (places, good) = sorted(chunk);
        let done = engine.put_many(&connection, good, prefer.handling(), &caller.0).await;
        for (place, put) in together(places, done) {
            results.push(&PutResult::of(place, put))?;
        }
    }
    let mut response = HttpResponse::Ok();
    prefer.applied(&mut response);
    Ok(response.content_type(results.media_type()).body(results.finish()))
}

/// Results in an array.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: results are written one by one")]
pub(super) struct PutResults {
    data: Vec<PutResult>,
}

/// Results in an array.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: results are written one by one")]
pub(super) struct CheckResults {
    data: Vec<CheckResult>,
}

/// Check records as a put would, and keep nothing.
#[utoipa::path(post, path = "/v1/connections/{connection}/check", tag = "records",
    request_body(content((Vec<RecordOfMany> = "application/json"),
        (RecordOfMany = "application/x-ndjson"))),
    responses((status = 200, body = CheckResults)))]
async fn check(
    _: Reader,
    named: Named,
    _: Params<()>,
    call: HttpRequest,
    payload: web::Payload,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let connection = named.known(&engine).await?.id;
    let (mut rows, _) = Rows::open(&call, payload.into_inner()).await?;
    let mut all = Vec::new();
    loop {
        let chunk = rows.chunk(MAX_ROWS).await?;
        if chunk.is_empty() {
            break;
        }
        all.extend(chunk);
    }
    let (places, good) = sorted(all);
    let done = engine.check(&connection, good).await;
    let mut results = Results::new(Form::Array);
    for (place, findings) in together(places, done) {
        let findings = findings.map(|all| all.iter().map(words::finding).collect());
        results.push(&CheckResult::of(place, findings))?;
    }
    Ok(HttpResponse::Ok().content_type(results.media_type()).body(results.finish()))
}

/// Good records apart, and for each place whether it has one.
fn sorted(rows: Vec<Row>) -> (Vec<(Place, Option<Problem>)>, Vec<NewRecord>) {
    let mut places = Vec::with_capacity(rows.len());
    let mut good = Vec::with_capacity(rows.len());
    for Row { place, record } in rows {
        match record {
            Ok(record) => {
                good.push(record);
                places.push((place, None));
            }
            Err(problem) => places.push((place, Some(problem))),
        }
    }
    (places, good)
}

/// Every place with its result, in order.
fn together<T>(
    places: Vec<(Place, Option<Problem>)>,
    done: Result<Vec<Result<T, EngineError>>, EngineError>,
) -> impl Iterator<Item = (Place, Result<T, Problem>)> {
    let (done, all) = match done {
        Ok(done) => (done, None),
        Err(why) => (Vec::new(), Some(Problem::from(why))),
    };
    let mut done = done.into_iter();
    places.into_iter().map(move |(place, bad)| {
        let result = match (bad, &all) {
            (Some(problem), _) => Err(problem),
            (None, Some(problem)) => Err(problem.clone()),
            (None, None) => match done.next() {
                Some(result) => result.map_err(Problem::from),
                None => Err(EngineError::NotFound("result".to_owned()).into()),
            },
        };
        (place, result)
    })
}

/// Results as they are written.
struct Results {
    form: Form,
    count: usize,
    json: Vec<u8>,
}

impl Results {
    fn new(form: Form) -> Self {
        let json = if form == Form::Array { b"{\"data\":[".to_vec() } else { Vec::new() };
        Self { form, count: 0, json }
    }

    fn push(&mut self, result: &impl Serialize) -> Result<(), Problem> {
        if self.form == Form::Array && self.count > 0 {
            self.json.push(b',');
        }
        self.count += 1;
        serde_json::to_writer(&mut self.json, result).map_err(|why| internal(&why))?;
        if self.form == Form::Lines {
            self.json.push(b'\n');
        }
        Ok(())
    }

    fn media_type(&self) -> &'static str {
        match self.form {
            Form::Lines => "application/x-ndjson",
            Form::Array => "application/json",
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.form == Form::Array {
            self.json.extend_from_slice(b"]}");
        }
        self.json
    }
}
