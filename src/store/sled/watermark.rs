//! The highest transaction that was acknowledged, in a file of its own.
//!
//! After an unclean stop sled opens a database whose end was cut off, and misses rows without a word.
//! The watermark knows better. It is written after each barrier and synced at most once a second: a
//! process that dies loses nothing of it, a power cut at most the last second's certainty.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use crate::store::sled::files;

const NAME: &str = "watermark";
const EVERY: Duration = Duration::from_secs(1);

/// The open file.
#[derive(Debug)]
pub(super) struct Watermark {
    file: File,
    synced: Instant,
}

/// Reads the watermark of a store; 0 if there is none, or if the power was cut while it was written.
pub(super) fn read(dir: &Path) -> io::Result<u64> {
    let bytes = match std::fs::read(dir.join(NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let Some((number, crc)) = bytes.split_first_chunk::<8>() else { return Ok(0) };
    if crc != crc32fast::hash(number).to_be_bytes() {
        tracing::warn!(
            "the watermark cannot be read, so a shortened database would not be noticed"
        );
        return Ok(0);
    }
    Ok(u64::from_be_bytes(*number))
}

impl Watermark {
    /// Opens it, and makes it if it is missing.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = files::private(&mut options).open(&path)?;
        file.sync_all()?;
        files::sync(dir)?;
        Ok(Self { file, synced: Instant::now() })
    }

    /// Writes it, after the barrier of this transaction.
    pub(super) fn write(&mut self, commit: u64) -> io::Result<()> {
        let number = commit.to_be_bytes();
        let crc = crc32fast::hash(&number).to_be_bytes();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&[&number[..], &crc].concat())?;
        if self.synced.elapsed() >= EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes it durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.synced = Instant::now();
        self.file.sync_data()
    }
}
