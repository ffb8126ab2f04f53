//! The bytes of a request, as a blocking reader over the pieces in which they arrive.
//!
//! It lets through at most `budget` bytes of what the XML reader buffers; the text of `response`,
//! which is not buffered, is taken past the budget with [`Source::ahead`] and [`Source::skip`].

use std::io;
use std::io::BufRead;
use std::io::Read;

use bytes::Buf;
use bytes::Bytes;
use bytes::BytesMut;
use tokio::sync::mpsc::Receiver;

/// Gives the next piece, or `None` at the end.
type Next = Box<dyn FnMut() -> io::Result<Option<Bytes>> + Send>;

/// The bytes of one request.
pub(crate) struct Source {
    next: Next,
    current: Bytes,
    budget: usize,
    left: usize,
    ended: bool,
}

impl Source {
    /// A request that is here as a whole.
    pub(crate) fn of(bytes: Bytes, budget: usize) -> Self {
        Self { next: Box::new(|| Ok(None)), current: bytes, budget, left: budget, ended: false }
    }

    /// A request of which `opening` is here; the rest arrives, and this blocks for it.
    pub(crate) fn arriving(
        opening: Bytes,
        mut rest: Receiver<io::Result<Bytes>>,
        budget: usize,
    ) -> Self {
        let next = Box::new(move || rest.blocking_recv().transpose());
        Self { next, ..Self::of(opening, budget) }
    }

    /// The bytes that come next, without taking them: at least `count`, or all that are left.
    pub(crate) fn ahead(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.current.len() < count && !self.ended {
            match (self.next)() {
                Ok(Some(piece)) if self.current.is_empty() => self.current = piece,
                Ok(Some(piece)) => {
                    let mut joined = BytesMut::with_capacity(self.current.len() + piece.len());
                    joined.extend_from_slice(&self.current);
                    joined.extend_from_slice(&piece);
                    self.current = joined.freeze();
                }
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(&self.current)
    }

    /// Takes bytes that [`Source::ahead`] showed; they do not count.
    pub(crate) fn skip(&mut self, count: usize) {
        self.current.advance(count);
    }

    /// Whether no more bytes are let through, though there may be more.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Whether all bytes were taken.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.current.is_empty()
    }

    /// How many bytes are let through.
    pub(crate) fn budget(&self) -> usize {
        self.budget
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.left;
        let available = self.ahead(1)?;
        if left == 0 && !available.is_empty() {
            return Err(io::Error::other("the budget is spent"));
        }
        Ok(&available[..available.len().min(left)])
    }

    fn consume(&mut self, count: usize) {
        self.left -= count.min(self.left);
        self.skip(count);
    }
}
