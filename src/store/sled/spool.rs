//! A text on its way to the disk: in memory while it is short.

use std::io;
use std::io::Write;
use std::sync::Arc;

use crate::domain::message_set::Body;
use crate::store::Spool;
use crate::store::sled::files::Files;
use crate::store::sled::files::Unfinished;

/// The longest text that stays beside its owner, in bytes.
const SHORT: usize = 32 << 10;

/// Bytes so far.
pub(super) struct SledSpool {
    files: Arc<Files>,
    /// Everything while there is no file; then what the file does not have yet.
    memory: Vec<u8>,
    file: Option<Unfinished>,
    length: u64,
}

impl SledSpool {
    /// Of a spool directory.
    pub(super) fn new(files: Arc<Files>) -> Self {
        Self { files, memory: Vec::new(), file: None, length: 0 }
    }

    fn spill(&mut self) -> io::Result<&mut Unfinished> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.files.begin("body")?,
        };
        let file = self.file.insert(file);
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(file)
    }
}

impl Write for SledSpool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.memory.len() + bytes.len() > SHORT {
            self.spill()?;
        }
        let kept = &bytes[..bytes.len().min(SHORT)];
        self.memory.extend(kept);
        self.length += kept.len() as u64;
        Ok(kept.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spool for SledSpool {
    fn finish(mut self: Box<Self>) -> io::Result<Body> {
        if self.file.is_none() {
            match String::from_utf8(std::mem::take(&mut self.memory)) {
                Ok(text) => return Ok(Body::Inline(text)),
                // QuickBooks answers in the code page of its machine too: kept byte for byte.
                Err(error) => self.memory = error.into_bytes(),
            }
        }
        self.spill()?;
        let length = self.length;
        let file = self.file.take().map_or_else(|| self.files.begin("body"), Ok)?;
        Ok(Body::Spooled { name: file.finish()?, length })
    }
}
