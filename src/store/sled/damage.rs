//! Where a database is damaged, in plain words.
//!
//! sled says of most damage only that there is some. This looks at its files as they lie on the disk,
//! and only after something was found to be wrong: it tells which file, and how far it can be read.
//!
//! Source of the layout: sled 0.34.7, `config.rs`, `serialization.rs` and `logger.rs`.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::store::sled::open::SEGMENT;

/// Bytes of the head of a segment: its check sum, its number, and the last that was safe.
const HEAD: usize = 20;
/// The last bytes of a segment hold no message.
const MARGIN: usize = 32;
/// A message that fills up the rest of its segment.
const CAP: u8 = 2;

/// What an error of sled says, without what is of no use to people.
pub(super) fn said(error: &::sled::Error) -> String {
    match error {
        ::sled::Error::Corruption { at: Some(at), .. } => {
            format!("the file sled/db is damaged at byte {}", at.lid())
        }
        ::sled::Error::Corruption { at: None, .. } => "it cannot be read".to_owned(),
        ::sled::Error::CollectionNotFound(name) => {
            format!("its tree {} is gone", name.escape_ascii())
        }
        ::sled::Error::Unsupported(why) | ::sled::Error::ReportableBug(why) => {
            why.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        ::sled::Error::Io(error) => error.to_string(),
    }
}

/// Which file of a damaged database is damaged, and where, as far as can be seen.
pub(super) fn place(base: &Path) -> String {
    match found(base) {
        Ok(place) => place,
        Err(error) => format!("its files cannot be read ({error})"),
    }
}

fn found(base: &Path) -> io::Result<String> {
    for file in fs::read_dir(base)? {
        let name = file?.file_name().to_string_lossy().into_owned();
        let sum = match name.as_str() {
            "conf" => 4,
            name if name.starts_with("snap.") => 12,
            _ => continue,
        };
        let bytes = fs::read(base.join(&name))?;
        // The check sum stands at the end, behind a length in one of them.
        let is_whole = bytes.split_last_chunk::<4>().is_some_and(|(_, crc)| {
            let summed = bytes.len().saturating_sub(sum);
            crc32fast::hash(&bytes[..summed]) == u32::from_le_bytes(*crc)
        });
        if !is_whole {
            return Ok(format!("the file sled/{name} is damaged"));
        }
    }
    let at = end_of_log(File::open(base.join("db"))?)?;
    Ok(format!("the file sled/db can be read up to byte {at}"))
}

/// How far the log can be read: the end of the youngest segment, or where one breaks before it.
fn end_of_log(mut log: File) -> io::Result<u64> {
    let mut stops = Vec::new();
    let mut segment = Vec::with_capacity(SEGMENT);
    let mut base = 0;
    loop {
        segment.clear();
        log.by_ref().take(SEGMENT as u64).read_to_end(&mut segment)?;
        if segment.is_empty() {
            break;
        }
        if let Some(number) = number(&segment) {
            stops.push((number, base, messages(&segment)));
        }
        base += segment.len() as u64;
    }
    stops.sort_unstable();
    let broken = stops.iter().find(|(_, _, (_, goes_on))| !goes_on).or(stops.last());
    Ok(broken.map_or(0, |(_, base, (at, _))| base + *at as u64))
}

/// The number of a segment, if its head is whole; one that is free has none.
fn number(segment: &[u8]) -> Option<u64> {
    let (crc, rest) = segment.get(..HEAD)?.split_first_chunk::<4>()?;
    let (number, _) = rest.split_first_chunk::<8>()?;
    let whole = crc32fast::hash(rest) == !u32::from_le_bytes(*crc);
    whole.then_some(u64::from_le_bytes(*number) ^ (u64::MAX >> 1))
}

/// Where the messages of a segment end, and whether the log goes on in another.
fn messages(segment: &[u8]) -> (usize, bool) {
    let mut at = HEAD;
    while at + MARGIN <= SEGMENT {
        let Some((kind, length)) = message(&segment[at.min(segment.len())..]) else {
            return (at, false);
        };
        at += length;
        if kind == CAP {
            break;
        }
    }
    (at, true)
}

/// The kind and the length of a message, if it is whole.
fn message(bytes: &[u8]) -> Option<(u8, usize)> {
    let (crc, after) = bytes.split_first_chunk::<4>()?;
    let (&kind, mut rest) = after.split_first()?;
    // Length, segment, page.
    let length = usize::try_from(varint(&mut rest)?).ok()?;
    varint(&mut rest)?;
    varint(&mut rest)?;
    let body = rest.get(..length)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(body);
    sum.update(&after[..after.len() - rest.len()]);
    let whole = kind != 0 && sum.finalize() == !u32::from_le_bytes(*crc);
    whole.then_some((kind, bytes.len() - rest.len() + length))
}

/// A number of one to nine bytes, in the way of `SQLite` 4.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    let byte = |at: usize| rest.get(at).copied().map(u64::from);
    let (number, more) = match first {
        0..=240 => (first.into(), 0),
        241..=248 => (240 + 256 * (u64::from(first) - 241) + byte(0)?, 1),
        249 => (2288 + 256 * byte(0)? + byte(1)?, 2),
        250.. => {
            let more = usize::from(first) - 247;
            let number = rest.get(..more)?.iter().rev();
            (number.fold(0, |number, byte| (number << 8) | u64::from(*byte)), more)
        }
    };
    *bytes = rest.get(more..)?;
    Some(number)
}
