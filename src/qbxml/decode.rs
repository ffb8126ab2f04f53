//! Bytes of QuickBooks as UTF-8, whatever they were.
//!
//! What is valid UTF-8 stays. A byte that is not is read as windows-1252, which is what QuickBooks
//! stores; declared encodings are not believed, because the Web Connector re-codes what it carries
//! and leaves the declaration as it was.

use std::io;
use std::io::BufRead;
use std::io::Read;

/// Windows-1252's characters 0x80 to 0x9F; its five holes are read as the control they are in
/// ISO-8859-1.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];
/// Longest text, tag or comment of a response, in bytes: the XML reader holds one of them whole, and
/// the longest that QuickBooks writes has some thousand characters (OSR).
const LONGEST: usize = 1 << 20;
/// Bytes decoded in one go.
const CHUNK: usize = 16 << 10;

/// A reader whose bytes are UTF-8.
pub(crate) struct Decoded<R> {
    inner: R,
    /// The beginning of a character whose end is not here yet.
    rest: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    /// Bytes given since the XML reader's last event.
    given: usize,
}

impl<R: BufRead> Decoded<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, rest: Vec::new(), ready: Vec::new(), at: 0, given: 0 }
    }

    /// The next event begins.
    pub(crate) fn renew(&mut self) {
        self.given = 0;
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.at = 0;
        while self.ready.is_empty() {
            let bytes = self.inner.fill_buf()?;
            let ended = bytes.is_empty();
            let taken = bytes.len().min(CHUNK);
            self.rest.extend_from_slice(&bytes[..taken]);
            self.inner.consume(taken);
            self.decode(ended);
            if ended {
                return Ok(());
            }
        }
        Ok(())
    }

    fn decode(&mut self, ended: bool) {
        let mut from = 0;
        while from < self.rest.len() {
            match std::str::from_utf8(&self.rest[from..]) {
                Ok(text) => {
                    self.ready.extend_from_slice(text.as_bytes());
                    from = self.rest.len();
                }
                Err(error) => {
                    let valid = from + error.valid_up_to();
                    self.ready.extend_from_slice(&self.rest[from..valid]);
                    from = valid;
                    if error.error_len().is_none() && !ended {
                        break;
                    }
                    let mut utf8 = [0; 4];
                    let text = windows_1252(self.rest[from]).encode_utf8(&mut utf8);
                    self.ready.extend_from_slice(text.as_bytes());
                    from += 1;
                }
            }
        }
        self.rest.drain(..from);
    }
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given > LONGEST {
            let why = format!("a text or tag is longer than {LONGEST} bytes");
            return Err(io::Error::other(why));
        }
        if self.at >= self.ready.len() {
            self.refill()?;
        }
        Ok(&self.ready[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.ready.len());
        self.given += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_between_two_pieces_is_whole() {
        let text = "Grüße, 中, 🦀, \u{e9}";
        for size in 1..8 {
            let pieces = std::io::BufReader::with_capacity(size, text.as_bytes());
            let mut decoded = String::new();

            Decoded::new(pieces).read_to_string(&mut decoded).unwrap();

            assert_eq!(decoded, text);
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_windows_1252() {
        let mut decoded = String::new();

        Decoded::new(&b"na\xefve \x93q\x94 caf\xe9"[..]).read_to_string(&mut decoded).unwrap();

        assert_eq!(decoded, "naïve “q” café");
    }
}
