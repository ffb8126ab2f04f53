//! Everything a store keeps, as lines of JSON that any store reads.
//!
//! The format is documented in `docs/export-format.md`. It is the way from one release to the next,
//! from one store to another, and out of a damaged database; so it knows nothing of any of them.

use std::fs;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::Serialize;

use crate::store::entity::Entity;

/// What this release writes, and the newest that it reads.
const VERSION: u32 = 1;

const FORMAT: &str = "bookbridge-export";

/// Bytes of a body in one line; a multiple of three has no padding.
const PART: usize = 48 << 10;

/// The longest line that is read: the longest entity, its tag, and something over.
const LONGEST: u64 = 65 << 20;

/// A file that gets its name when it is whole and durable, and goes if it is dropped before.
///
/// It holds the books: only its owner may read it.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
    to: PathBuf,
    is_named: bool,
}

impl Draft {
    /// Begins it beside its place.
    ///
    /// # Errors
    ///
    /// [`io::Error`] if there is a file of that name already, or none can be made.
    pub fn begin(to: &Path) -> io::Result<Self> {
        if to.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file already"));
        }
        let mut path = to.as_os_str().to_owned();
        path.push(".tmp");
        let path = PathBuf::from(path);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: options.open(&path)?, path, to: to.to_owned(), is_named: false })
    }

    /// What is written to it.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes it durable under its name.
    ///
    /// # Errors
    ///
    /// [`io::Error`] of the file system.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.to)?;
        self.is_named = true;
        let parent = self.to.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_named {
            // Half an export is worse than none.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Header {
    format: String,
    version: u32,
    /// The release that wrote it.
    written_by: String,
    /// The last place in the queue that was given.
    pub(crate) sequence: u64,
}

/// A part of a long body; the message set that names it follows.
#[derive(Debug, Deserialize, Serialize)]
struct Part {
    body: Piece,
}

#[derive(Debug, Deserialize, Serialize)]
struct Piece {
    name: String,
    base64: String,
}

/// The last line.
#[derive(Debug, Deserialize, Serialize)]
struct Last {
    end: End,
}

#[derive(Debug, Deserialize, Serialize)]
struct End {
    /// Lines before this one.
    lines: u64,
    /// CRC-32 of all bytes before this line.
    crc32: u32,
}

/// Writes an export.
pub(crate) struct Exporter<W> {
    to: W,
    crc: crc32fast::Hasher,
    lines: u64,
}

impl<W: Write> Exporter<W> {
    /// Begins with the header.
    pub(crate) fn new(to: W, sequence: u64) -> io::Result<Self> {
        let mut exporter = Self { to, crc: crc32fast::Hasher::new(), lines: 0 };
        exporter.line(&Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            written_by: format!("bookbridge {}", env!("CARGO_PKG_VERSION")),
            sequence,
        })?;
        Ok(exporter)
    }

    /// Adds an entity.
    pub(crate) fn entity(&mut self, entity: &Entity) -> io::Result<()> {
        self.line(entity)
    }

    /// Adds a body, before the entity that names it.
    pub(crate) fn body(&mut self, name: &str, mut from: impl Read) -> io::Result<()> {
        loop {
            let mut part = Vec::with_capacity(PART);
            from.by_ref().take(PART as u64).read_to_end(&mut part)?;
            if part.is_empty() {
                return Ok(());
            }
            let body = Piece { name: name.to_owned(), base64: STANDARD.encode(&part) };
            self.line(&Part { body })?;
        }
    }

    /// Ends it; returns the lines and where they went.
    pub(crate) fn finish(mut self) -> io::Result<(u64, W)> {
        let end = End { lines: self.lines, crc32: self.crc.clone().finalize() };
        self.line(&Last { end })?;
        Ok((self.lines, self.to))
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.crc.update(&bytes);
        self.lines += 1;
        self.to.write_all(&bytes)
    }
}

/// What a line between the first and the last says.
#[derive(Debug)]
pub(crate) enum Line {
    /// An entity.
    Entity(Box<Entity>),
    /// The next bytes of a body.
    Body {
        /// Its name in the store that was exported.
        name: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// Reads an export from its header to its end, and holds its lines against what the end says of them.
/// What they hold is not looked at. Returns how many there are.
///
/// # Errors
///
/// A sentence, if it is no export, or not whole.
pub fn check(from: impl BufRead) -> Result<u64, String> {
    let mut importer = Importer::new(from)?;
    while importer.next_text()?.is_some() {}
    Ok(importer.lines())
}

/// Reads an export; it is whole only if the last call returned `None`.
pub(crate) struct Importer<R> {
    from: R,
    crc: crc32fast::Hasher,
    lines: u64,
    header: Header,
}

impl<R: BufRead> Importer<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// A sentence, if it is no export or of a newer release.
    pub(crate) fn new(from: R) -> Result<Self, String> {
        let header =
            Header { format: String::new(), version: 0, written_by: String::new(), sequence: 0 };
        let mut importer = Self { from, crc: crc32fast::Hasher::new(), lines: 0, header };
        let line = importer.read()?;
        importer.header = serde_json::from_str(&line)
            .map_err(|_| "line 1: this is no export of Bookbridge".to_owned())?;
        let Header { format, version, written_by, .. } = &importer.header;
        if format != FORMAT {
            return Err("line 1: this is no export of Bookbridge".to_owned());
        }
        if *version > VERSION {
            return Err(format!(
                "it is of version {version}, written by {written_by}; this release reads up to \
                 {VERSION}: import it with that release or a newer one"
            ));
        }
        Ok(importer)
    }

    /// What the first line said.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Lines so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// The next line; `None` after the last, if all is as it was written.
    ///
    /// # Errors
    ///
    /// A sentence that names the line.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, String> {
        let Some(text) = self.next_text()? else { return Ok(None) };
        let number = self.lines;
        let wrong = |error: serde_json::Error| format!("line {number}: {error}");
        if text.starts_with("{\"body\":") {
            let Part { body } = serde_json::from_str(&text).map_err(wrong)?;
            let bytes =
                STANDARD.decode(&body.base64).map_err(|error| format!("line {number}: {error}"))?;
            return Ok(Some(Line::Body { name: body.name, bytes }));
        }
        serde_json::from_str(&text).map(|entity| Some(Line::Entity(entity))).map_err(wrong)
    }

    /// The text of the next line; `None` after the last, if all is as it was written.
    fn next_text(&mut self) -> Result<Option<String>, String> {
        let (lines, crc32) = (self.lines, self.crc.clone().finalize());
        let text = self.read()?;
        let number = self.lines;
        let wrong = |error: serde_json::Error| format!("line {number}: {error}");
        if text.starts_with("{\"end\":") {
            let Last { end } = serde_json::from_str(&text).map_err(wrong)?;
            if (end.lines, end.crc32) != (lines, crc32) {
                return Err(format!(
                    "line {number}: the {lines} lines before it are not the {} that were written",
                    end.lines
                ));
            }
            return self.hold_end().map(|()| None);
        }
        Ok(Some(text))
    }

    fn hold_end(&mut self) -> Result<(), String> {
        match self.from.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(format!("line {}: something stands after the end", self.lines + 1)),
            Err(error) => Err(format!("line {}: {error}", self.lines + 1)),
        }
    }

    fn read(&mut self) -> Result<String, String> {
        let number = self.lines + 1;
        let mut line = Vec::new();
        let read = self.from.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        read.map_err(|error| format!("line {number}: {error}"))?;
        if line.last() != Some(&b'\n') {
            return Err(format!(
                "line {number}: it ends too soon; the rest of the file is missing"
            ));
        }
        self.crc.update(&line);
        self.lines = number;
        line.pop();
        String::from_utf8(line).map_err(|_| format!("line {number}: it is no UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::ConnectorState;
    use crate::domain::ids::ConnectionId;

    fn exported() -> Vec<u8> {
        let state = ConnectorState::new(ConnectionId::parse("acme").unwrap());
        let mut exporter = Exporter::new(Vec::new(), 7).unwrap();
        exporter.body("body-1-1", &vec![b'x'; PART + 1][..]).unwrap();
        exporter.entity(&Entity::State(state)).unwrap();
        let (lines, bytes) = exporter.finish().unwrap();
        assert_eq!(lines, 5);
        bytes
    }

    fn import(bytes: &[u8]) -> Result<u64, String> {
        let mut importer = Importer::new(bytes)?;
        while importer.next()?.is_some() {}
        Ok(importer.lines())
    }

    #[test]
    fn an_export_is_read_to_its_end() {
        assert_eq!(import(&exported()), Ok(5));
        assert_eq!(check(&exported()[..]), Ok(5));
    }

    #[test]
    fn every_missing_end_and_every_changed_byte_is_noticed() {
        let whole = exported();

        for end in 0..whole.len() {
            assert!(import(&whole[..end]).is_err(), "cut at {end}");
            assert!(check(&whole[..end]).is_err(), "cut at {end}");
        }
        for at in (0..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(import(&changed).is_err(), "changed at {at}");
            assert!(check(&changed[..]).is_err(), "changed at {at}");
        }
        assert!(import(&[&whole[..], b"{}\n"].concat()).unwrap_err().contains("after the end"));
    }

    #[test]
    fn a_newer_version_is_refused_with_a_sentence() {
        let header = format!(
            "{{\"format\":\"{FORMAT}\",\"version\":2,\"written_by\":\"bookbridge 9.0\",\"sequence\":0}}\n"
        );

        let why = import(header.as_bytes()).unwrap_err();

        assert!(why.contains("version 2, written by bookbridge 9.0"), "{why}");
    }
}
