//! Many records in one body: one JSON object a line, or an array, read as they come.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::BytesMut;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::body;
use crate::api::body::Incoming;
use crate::api::body::typed;
use crate::api::body::value;
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
    Values(std::vec::IntoIter<Value>),
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
            let body = lines.whole().await?;
            let values = match value(without_mark(&body))? {
                Value::Array(values) => values,
                value @ Value::Object(_) => vec![value],
                _ => {
                    let detail = "The body must be an array of records, or one record.";
                    return Err(Problem::new(Refusal::InvalidRequest, detail).at(""));
                }
            };
            if values.len() > MAX_ROWS {
                return Err(too_many());
            }
            (From::Values(values.into_iter()), Form::Array)
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
        let value = match &mut self.from {
            From::Values(values) => {
                let Some(value) = values.next() else { return Ok(None) };
                self.line += 1;
                Ok(value)
            }
            From::Lines(lines) => {
                let line = lines.next().await?;
                let Some(line) = line else { return Ok(None) };
                self.line = lines.line;
                if self.read >= MAX_ROWS {
                    self.line -= 1;
                    lines.incoming.rest().await;
                    return Err(too_many());
                }
                *bytes += line.as_ref().map_or(0, BytesMut::len);
                line.and_then(|line| json_of_line(&line))
            }
        };
        self.read += 1;
        Ok(Some(row(self.line, value)))
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

fn json_of_line(line: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(line).map_err(|why| {
        let said = why.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        let detail = format!("The line is no JSON at column {}: {said}.", why.column());
        Problem::new(Refusal::MalformedBody, detail)
    })
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
                return Ok(Some(Err(too_long())));
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
                return Ok(Err(too_long()));
            }
            self.buffer.clear();
            if self.ended {
                return Ok(Err(too_long()));
            }
            self.more().await?;
        }
    }
}

fn too_long() -> Problem {
    let detail = format!("A line has at most {} MiB.", body::RECORD >> 20);
    Problem::new(Refusal::TooLarge, detail)
}
