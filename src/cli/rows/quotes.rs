//! What the reader of CSV does not tell: where a row begins, and a quote that nothing closes.
//!
//! A quote that is not closed swallows the rows after it, up to the next quote or to the end of the
//! file, and the reader takes all of that for one cell. So the bytes pass through here on their way
//! to it. The rules are those of RFC 4180: what begins with a quote ends with one, before a comma or
//! the end of the line, and a quote inside is written twice.

use std::collections::VecDeque;
use std::io;
use std::io::Read;

/// Where something stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Place {
    /// Bytes before it.
    offset: u64,
    /// Its line, from 1.
    line: u64,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Before a row.
    Row,
    /// Before a cell.
    Cell,
    /// In a cell without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// After a quote in quotes.
    Closing,
    /// After the end of the file.
    End,
}

/// A reader that keeps an eye on the quotes that pass.
pub(super) struct Watched<R> {
    from: R,
    /// Longest row.
    longest: u64,
    state: State,
    next: Place,
    row: Place,
    quote: Place,
    rows: VecDeque<Place>,
    wrong: VecDeque<(Place, String)>,
}

/// What was seen of one row.
pub(super) struct Seen {
    /// The line on which it begins.
    pub(super) line: u64,
    /// The line of a quote that is not closed as it should be, and why.
    pub(super) wrong: Option<(u64, String)>,
}

impl<R> Watched<R> {
    /// Watches what is read.
    pub(super) fn new(from: R, longest: u64) -> Self {
        let begin = Place { offset: 0, line: 1 };
        let (rows, wrong) = (VecDeque::new(), VecDeque::new());
        let state = State::Row;
        Self { from, longest, state, next: begin, row: begin, quote: begin, rows, wrong }
    }

    /// What was seen of the row that ends before this byte.
    pub(super) fn row_before(&mut self, end: u64) -> Seen {
        let line = self.rows.front().map_or(self.next.line, |row| row.line);
        while self.rows.front().is_some_and(|row| row.offset < end) {
            self.rows.pop_front();
        }
        let mut wrong = None;
        while self.wrong.front().is_some_and(|(quote, _)| quote.offset < end) {
            let first = self.wrong.pop_front().map(|(quote, why)| (quote.line, why));
            wrong = wrong.or(first);
        }
        Seen { line, wrong }
    }

    fn see(&mut self, byte: u8) {
        let is_end = matches!(byte, b'\r' | b'\n');
        if self.state == State::Row && !is_end {
            self.row = self.next;
            self.rows.push_back(self.next);
            self.state = State::Cell;
        }
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::Closing,
            (State::Quoted, _) | (State::Closing, b'"') => State::Quoted,
            (_, b'\r' | b'\n') => State::Row,
            (_, b',') => State::Cell,
            (State::Cell, b'"') => {
                self.quote = self.next;
                State::Quoted
            }
            (State::Closing, _) => {
                let why = format!(
                    "the quote that begins here is closed in the middle of a cell, on line {}; is \
                     its end missing? A quote inside a text is written twice",
                    self.next.line
                );
                self.wrong.push_back((self.quote, why));
                State::Plain
            }
            _ => State::Plain,
        };
        self.next.offset += 1;
        self.next.line += u64::from(byte == b'\n');
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(to)?;
        if length == 0 && !to.is_empty() {
            if self.state == State::Quoted {
                let why = "the quote that begins here is not closed";
                self.wrong.push_back((self.quote, why.to_owned()));
            }
            self.state = State::End;
        }
        to[..length].iter().for_each(|byte| self.see(*byte));
        if self.state != State::Row && self.next.offset - self.row.offset > self.longest {
            let why =
                format!("the row has more than {} bytes: is a quote not closed?", self.longest);
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(length)
    }
}
