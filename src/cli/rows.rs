//! Records in a file, whatever its form: JSON, NDJSON or CSV.
//!
//! A file is read as a stream, so its length does not matter. Each [`Row`] knows its place, so that
//! what is wrong with it can be named as `customers.csv:17`. A row that cannot be read does not stop
//! the others; a file that is of no form at all does.

mod csv;
mod json;
mod quotes;

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;

use super::failure::Failure;

/// The longest line of NDJSON or row of CSV, in bytes: far above what a record may have.
const LONGEST: u64 = 8 << 20;
/// The first line is looked at as far as this, to know the form.
const HEAD: u64 = 64 << 10;

/// How a file is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Form {
    /// One object, or an array of objects.
    Json,
    /// An object a line.
    Ndjson,
    /// A header, then a record a line.
    Csv,
}

/// One record of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// Where it stands, such as `customers.csv:17`.
    pub(super) place: String,
    /// Its line in the file; in an array of JSON which element it is. From 1.
    pub(super) line: u64,
    /// The JSON of the record, on one line; or why there is none.
    pub(super) content: Result<Vec<u8>, Unreadable>,
}

/// Why a row is no record.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable {
    /// The kind, if it can be read.
    pub(super) kind: String,
    /// The source id, if it can be read.
    pub(super) source_id: String,
    /// The column or field; empty if it is the row as such.
    pub(super) pointer: String,
    /// What is wrong there, in a sentence.
    pub(super) why: String,
}

/// What to do with each row; an error of it ends the reading.
pub(super) type Take<'a> = &'a mut dyn FnMut(Row) -> anyhow::Result<()>;

/// A file, or stdin.
pub(super) struct Source {
    name: String,
    form: Form,
    reader: Box<dyn BufRead>,
    kind: Option<String>,
}

impl Source {
    /// Opens a file, `-` for stdin. The form is that of its name, if nobody says it, or of its first
    /// line. `wrap` sees the bytes pass, for a progress bar.
    pub(super) fn open(
        file: &Path,
        form: Option<Form>,
        kind: Option<String>,
        wrap: impl FnOnce(Box<dyn io::Read>, Option<u64>) -> Box<dyn io::Read>,
    ) -> anyhow::Result<Self> {
        let (name, bytes, length): (_, Box<dyn io::Read>, _) = if file == Path::new("-") {
            ("stdin".to_owned(), Box::new(io::stdin()), None)
        } else {
            let name = file.display().to_string();
            let opened = File::open(file).with_context(|| format!("cannot open {name}"))?;
            let meta = opened.metadata().with_context(|| format!("cannot open {name}"))?;
            if meta.is_dir() {
                return Err(Failure::Usage(format!("{name} is a directory")).into());
            }
            (name, Box::new(opened), meta.is_file().then_some(meta.len()))
        };
        let mut reader = BufReader::with_capacity(64 << 10, wrap(bytes, length));
        let head = head(&mut reader).with_context(|| format!("cannot read {name}"))?;
        let named = || file.extension().and_then(|end| end.to_str()).and_then(form_of_name);
        let form = form.or_else(named).or_else(|| form_of_content(&head)).ok_or_else(|| {
            let why = "begins neither as JSON nor with the header of a CSV file, which has a column \
                       sourceId; say --format";
            Failure::Usage(format!("{name} {why}"))
        })?;
        let reader = Box::new(io::Read::chain(io::Cursor::new(head), reader));
        Ok(Self { name, form, reader, kind })
    }

    /// Gives every row, in order.
    pub(super) fn each(self, take: Take<'_>) -> anyhow::Result<()> {
        let Self { name, form, reader, kind } = self;
        match form {
            Form::Csv => csv::each(&name, reader, kind.as_deref(), take),
            Form::Json => json::each_value(&name, reader, take),
            Form::Ndjson => json::each_line(&name, reader, take),
        }
    }
}

fn form_of_name(end: &str) -> Option<Form> {
    match end.to_ascii_lowercase().as_str() {
        "csv" => Some(Form::Csv),
        "json" => Some(Form::Json),
        "ndjson" | "jsonl" => Some(Form::Ndjson),
        _ => None,
    }
}

/// The first line that is not empty, with what is before it; without a byte order mark, as
/// spreadsheets write it.
fn head(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let read = io::Read::take(&mut *reader, HEAD).read_until(b'\n', &mut head)?;
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        if read == 0 || !head.trim_ascii().is_empty() {
            return Ok(head);
        }
    }
}

/// `[` begins JSON; `{` begins NDJSON if its line is a whole object, else JSON; the header of CSV has
/// the one column that every file needs.
fn form_of_content(head: &[u8]) -> Option<Form> {
    let line = head.trim_ascii();
    match line.first() {
        None | Some(b'[') => Some(Form::Json),
        Some(b'{') => {
            let whole = serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
            Some(if whole { Form::Ndjson } else { Form::Json })
        }
        Some(_) => {
            let mut titles = line.split(|byte| *byte == b',');
            let is_header = titles.any(|title| {
                let title = title.trim_ascii();
                let quoted = title.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""));
                quoted.unwrap_or(title) == b"sourceId"
            });
            is_header.then_some(Form::Csv)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Reads a file of this name and content; each row as `place content` or `place !pointer`.
    pub(super) fn read(name: &str, content: &str) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        std::fs::write(&file, content).unwrap();
        let mut rows = Vec::new();
        let source = Source::open(&file, None, None, |bytes, _| bytes);
        let done = source.and_then(|source| {
            source.each(&mut |row| {
                let place = row.place.rsplit('/').next().unwrap_or_default().to_owned();
                rows.push(match row.content {
                    Ok(bytes) => format!("{place} {}", String::from_utf8_lossy(&bytes)),
                    Err(wrong) => format!("{place} !{}", wrong.pointer),
                });
                Ok(())
            })
        });
        let prefix = format!("{}/", directory.path().display());
        done.map(|()| rows).map_err(|error| format!("{error:#}").replace(&prefix, ""))
    }

    #[test]
    fn a_form_is_known_by_its_first_byte() {
        let one = "{\"kind\":\"Customer\"}";

        assert_eq!(read("a", one).unwrap(), [format!("a:1 {one}")]);
        assert_eq!(read("a", &format!("{one}\n\n{one}\n")).unwrap().len(), 2);
        assert_eq!(read("a", &format!("\u{feff}[{one},{one}]")).unwrap().len(), 2);
        assert_eq!(read("a", "{\n\"kind\":\"Customer\"\n}").unwrap(), [format!("a#1 {one}")]);
        assert_eq!(read("a", "").unwrap(), Vec::<String>::new());
        assert_eq!(read("a", "\n\n \n").unwrap(), Vec::<String>::new());
        assert!(read("a", "kind,source\n1,2").unwrap_err().contains("say --format"));
        assert!(read("a", "kind;sourceId\n1;2").unwrap_err().contains("say --format"));
    }

    #[test]
    fn a_csv_file_of_any_name_is_known_by_its_header() {
        for header in ["kind,sourceId,Name", "\u{feff}\"kind\",\"sourceId\",\"Name\"\r"] {
            let rows = read("people.txt", &format!("{header}\nCustomer,C-1,Ann\n"));

            let expected =
                "{\"kind\":\"Customer\",\"sourceId\":\"C-1\",\"data\":{\"Name\":\"Ann\"}}";
            assert_eq!(rows.unwrap(), [format!("people.txt:2 {expected}")]);
        }
    }

    #[test]
    fn a_first_line_that_comes_in_pieces_is_read_whole() {
        let pieces = io::Read::chain(&b"kind,so"[..], &b"urceId\nCustomer,C-1\n"[..]);
        let mut reader = BufReader::new(pieces);

        let head = head(&mut reader).unwrap();

        assert_eq!(form_of_content(&head), Some(Form::Csv));
    }
}
