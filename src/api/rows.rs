//! Many records in one body: one JSON object a line, or an array, read as they come.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::web::BytesMut;
use serde::Deserialize;
use serde::Deserializer as _;
use serde::de::IgnoredAny;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::body;
use crate::api::body::Incoming;
use crate::api::body::not_json;
use crate::api::body::typed;
use crate::api::body::without_mark;
use crate::api::problem::Problem;
use crate::api::refusal::Refusal;
use crate::domain::record::OnDuplicate;
use crate::engine::NewRecord;

/// How many records one call takes.
pub(super) const MAX_ROWS: usize = 50_000;
/// How many bytes of lines are gathered before they are put.
const CHUNK_BYTES: usize = 4 << 20;

/// One of many records to put.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RecordOfMany {
    /// The qbXML object name, such as `Customer`.
    kind: String,
    /// The application's own key, 1 to 200 characters.
    source_id: String,
    /// qbXML written as JSON.
    #[schema(value_type = Object)]
    data: Value,
    #[schema(default = true)]
    posted: Option<bool>,
    #[schema(default = 0)]
    priority: Option<i32>,
    depends_on: Option<Vec<String>>,
    #[schema(value_type = Option<String>, default = "fail")]
    on_duplicate: Option<OnDuplicate>,
}

impl RecordOfMany {
    fn into_record(self) -> NewRecord {
        NewRecord {
            kind: self.kind,
            source_id: self.source_id,
            data: self.data,
            posted: self.posted.unwrap_or(true),
            priority: self.priority.unwrap_or(0),
            depends_on: self.depends_on.unwrap_or_default(),
            on_duplicate: self.on_duplicate.unwrap_or_default(),
        }
    }
}

/// Where in the body a record stands, and its name as far as it can be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The line, from 1; in an array, the element, from 1.
    pub(super) line: usize,
    /// The kind, if there is one.
    pub(super) kind: String,
    /// The source id, if there is one.
    pub(super) source_id: String,
}

/// One record of many.
pub(super) struct Row {
    /// Where it stands.
    pub(super) place: Place,
    /// The record, or why it is none.
    pub(super) record: Result<NewRecord, Problem>,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// One object a line.
    Lines,
    /// `{"data": […]}`.
    Array,
}

/// The records of a body.
pub(super) struct Rows {
    from: From,
    /// How many were read.
    read: usize,
    /// The line that was read last.
    line: usize,
    /// What ended the body too early; told after what was read before it.
    failed: Option<Problem>,
}

enum From {
    Lines(Lines),
    Elements(std::vec::IntoIter<Bytes>),
}

impl Rows {
    /// Begins to read; an array is read whole, lines as they come.
    pub(super) async fn open(
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<(Self, Form), Problem> {
        let mut lines = Lines::new(Incoming::open(request, payload, body::BULK)?);
        let (from, form) = if is_lines(request, &mut lines).await? {
            (From::Lines(lines), Form::Lines)
        } else {
            let body = lines.whole().await?.freeze();
            (From::Elements(elements(&body)?.into_iter()), Form::Array)
        };
        Ok((Self { from, read: 0, line: 0, failed: None }, form))
    }

    /// The next records, at most so many; none at the end.
    ///
    /// # Errors
    ///
    /// What ended the body too early. What came before it was given.
    pub(super) async fn chunk(&mut self, most: usize) -> Result<Vec<Row>, Problem> {
        if let Some(problem) = self.failed.take() {
            return Err(problem);
        }
        let mut rows = Vec::new();
        let mut bytes = 0;
        while rows.len() < most && bytes < CHUNK_BYTES {
            match self.row(&mut bytes).await {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => break,
                Err(problem) if rows.is_empty() => return Err(problem),
                Err(problem) => {
                    self.failed = Some(problem);
                    break;
                }
            }
        }
        Ok(rows)
    }

    /// The line at which the next record would stand.
    pub(super) fn next_line(&self) -> usize {
        self.line + 1
    }

    async fn row(&mut self, bytes: &mut usize) -> Result<Option<Row>, Problem> {
        let json = match &mut self.from {
            From::Elements(elements) => {
                let Some(element) = elements.next() else { return Ok(None) };
                self.line += 1;
                if element.len() > body::RECORD { Err(too_long("An element")) } else { Ok(element) }
            }
            From::Lines(lines) => {
                let Some(line) = lines.next().await? else { return Ok(None) };
                if self.read >= MAX_ROWS {
                    lines.incoming.rest().await;
                    return Err(too_many());
                }
                self.line = lines.line;
                line.map(BytesMut::freeze)
            }
        };
        self.read += 1;
        *bytes += json.as_ref().map_or(0, Bytes::len);
        Ok(Some(row(self.line, json.and_then(|json| json_of_row(&json)))))
    }
}

/// The elements of an array, each as it is written: what is in them is read one by one, so that a
/// body of many small values is not held as many large ones.
fn elements(body: &Bytes) -> Result<Vec<Bytes>, Problem> {
    let json = without_mark(body);
    let written: &RawValue = serde_json::from_slice(json).map_err(|why| not_json(&why))?;
    match written.get().as_bytes().first() {
        Some(b'{') => Ok(vec![body.slice_ref(written.get().as_bytes())]),
        Some(b'[') => {
            let mut json = serde_json::Deserializer::from_slice(json);
            let all = json.deserialize_seq(Elements).map_err(|why| not_json(&why))?;
            let all = all.ok_or_else(too_many)?;
            Ok(all.into_iter().map(|one| body.slice_ref(one.get().as_bytes())).collect())
        }
        _ => {
            let detail = "The body must be an array of records, or one record.";
            Err(Problem::new(Refusal::InvalidRequest, detail).at(""))
        }
    }
}

/// Takes the elements of an array; `None` if there are too many.
struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(element) = from.next_element()? {
            if all.len() < MAX_ROWS {
                all.push(element);
            } else {
                while from.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
        }
        Ok(Some(all))
    }
}

/// Whether the body is one object a line: as its type says, or else as it begins.
async fn is_lines(request: &HttpRequest, lines: &mut Lines) -> Result<bool, Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-lines" => Ok(true),
        "application/json" => Ok(false),
        _ => Ok(lines.first_byte().await? != Some(b'[')),
    }
}

fn too_many() -> Problem {
    let detail = format!("One call takes at most {MAX_ROWS} records; send the others in another.");
    Problem::new(Refusal::TooLarge, detail)
}

fn json_of_row(line: &[u8]) -> Result<Value, Problem> {
    let value = serde_json::from_slice(line).map_err(|why| {
        let said = why.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        let detail = format!("This is no JSON at column {}: {said}.", why.column());
        Problem::new(Refusal::MalformedBody, detail)
    })?;
    body::once(line)?;
    Ok(value)
}

fn row(line: usize, value: Result<Value, Problem>) -> Row {
    let mut place = Place { line, ..Place::default() };
    let record = value.and_then(|value| {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        place.kind = text("kind").chars().take(80).collect();
        place.source_id = text("sourceId").chars().take(200).collect();
        typed(value).map(RecordOfMany::into_record)
    });
    Row { place, record }
}

/// The lines of a body.
struct Lines {
    incoming: Incoming,
    buffer: BytesMut,
    /// So much of the buffer holds no end of a line.
    searched: usize,
    ended: bool,
    /// The line that was read last.
    line: usize,
}

impl Lines {
    fn new(incoming: Incoming) -> Self {
        Self { incoming, buffer: BytesMut::new(), searched: 0, ended: false, line: 0 }
    }

    async fn more(&mut self) -> Result<(), Problem> {
        match self.incoming.next().await? {
            Some(bytes) => self.buffer.extend_from_slice(&bytes),
            None => self.ended = true,
        }
        Ok(())
    }

    /// The first byte that is no space.
    async fn first_byte(&mut self) -> Result<Option<u8>, Problem> {
        loop {
            let found = without_mark(&self.buffer).trim_ascii_start().first().copied();
            if found.is_some() || self.ended {
                return Ok(found);
            }
            self.more().await?;
        }
    }

    async fn whole(mut self) -> Result<BytesMut, Problem> {
        while !self.ended {
            self.more().await?;
        }
        Ok(self.buffer)
    }

    /// The next line that is not empty, or why it cannot be taken; `None` at the end.
    async fn next(&mut self) -> Result<Option<Result<BytesMut, Problem>>, Problem> {
        loop {
            let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            let length = match end {
                Some(end) => self.searched + end,
                None if self.ended && self.buffer.is_empty() => return Ok(None),
                None if self.ended => self.buffer.len(),
                None if self.buffer.len() > body::RECORD => return self.skip().await.map(Some),
                None => {
                    self.searched = self.buffer.len();
                    self.more().await?;
                    continue;
                }
            };
            let mut line = self.buffer.split_to(length);
            let _ = self.buffer.split_to(1.min(self.buffer.len()));
            self.searched = 0;
            self.line += 1;
            if self.line == 1 && line.starts_with(b"\xef\xbb\xbf") {
                let _ = line.split_to(3);
            }
            if line.len() > body::RECORD {
                return Ok(Some(Err(too_long("A line"))));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Ok(line)));
            }
        }
    }

    /// Goes to the end of a line that is too long.
    async fn skip(&mut self) -> Result<Result<BytesMut, Problem>, Problem> {
        self.line += 1;
        self.searched = 0;
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let _ = self.buffer.split_to(end + 1);
                return Ok(Err(too_long("A line")));
            }
            self.buffer.clear();
            if self.ended {
                return Ok(Err(too_long("A line")));
            }
            self.more().await?;
        }
    }
}

fn too_long(what: &str) -> Problem {
    let detail = format!("{what} has at most {} MiB.", body::RECORD >> 20);
    Problem::new(Refusal::TooLarge, detail)
}
