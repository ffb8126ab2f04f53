//! What one row of an embedded store is made of, versioned.
//!
//! A row is a format byte, a place byte, three numbers (revision, sequence, ordinal; 8 bytes each,
//! big-endian) and JSON. The numbers stand before the JSON and win over what it says, so that callers
//! can write JSON before the writer knows them. A long JSON stands in a file that the row names.
//!
//! A release that changes the JSON of any entity raises [`FORMAT`], converts the older in
//! [`decode`], and leaves a sample of the older in `tests/store/samples`, which a test reads.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::ids::Revision;

/// What this release writes.
pub(crate) const FORMAT: u8 = 1;

/// The longest JSON that stands in the row itself. A row must stay below 64 KiB.
pub(crate) const INLINE: usize = 48 << 10;

const HEAD: usize = 26;

/// What a store knows of an entity beside its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    /// How often it was written.
    pub(crate) revision: Revision,
    /// Its place in the queue, or 0.
    pub(crate) sequence: u64,
    /// When it was first put, counted in entities: the order of lists.
    pub(crate) ordinal: u64,
}

/// Where the JSON of an entity stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    /// In the row.
    Here(Vec<u8>),
    /// In a file.
    File(RowFile),
}

/// A file that holds the JSON of one entity.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct RowFile {
    /// Its name in the spool directory.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) length: u64,
    /// CRC-32 of its bytes.
    pub(crate) crc: u32,
}

/// Writes a row.
pub(crate) fn write_row(head: &Head, content: &Content) -> Vec<u8> {
    let file;
    let (place, rest) = match content {
        Content::Here(json) => (0, json),
        Content::File(named) => {
            file = serde_json::to_vec(named).expect("two numbers and a name have a JSON form");
            (1, &file)
        }
    };
    let mut row = Vec::with_capacity(HEAD + rest.len());
    row.extend([FORMAT, place]);
    for number in [head.revision.0, head.sequence, head.ordinal] {
        row.extend(number.to_be_bytes());
    }
    row.extend(rest);
    row
}

/// Reads a row: its format, its numbers and where its JSON stands.
///
/// # Errors
///
/// A sentence, if it is no row or of a newer release.
pub(crate) fn read_row(row: &[u8]) -> Result<(u8, Head, Content), String> {
    let (&format, _) = row.split_first().ok_or("the row is empty")?;
    if format == 0 || format > FORMAT {
        return Err(format!("it is of format {format}, and this release knows 1 to {FORMAT}"));
    }
    if row.len() < HEAD {
        return Err(format!("the row ends after {} bytes", row.len()));
    }
    let (head, rest) = row.split_at(HEAD);
    let number = |at: usize| {
        head[at..at + 8].iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte))
    };
    let numbers = Head { revision: Revision(number(2)), sequence: number(10), ordinal: number(18) };
    let content = match head[1] {
        0 => Content::Here(rest.to_vec()),
        1 => {
            Content::File(serde_json::from_slice(rest).map_err(|e| format!("its file name: {e}"))?)
        }
        other => return Err(format!("the row has the place {other}")),
    };
    Ok((format, numbers, content))
}

/// Reads the JSON of an entity that was written in a format.
///
/// # Errors
///
/// A sentence, if it is damaged or of a newer release.
pub(crate) fn decode<T: DeserializeOwned>(format: u8, json: &[u8]) -> Result<T, String> {
    match format {
        1 => serde_json::from_slice(json).map_err(|error| error.to_string()),
        newer => Err(format!("format {newer} was written by a newer release")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Record;

    const NUMBERS: Head = Head { revision: Revision(3), sequence: 9, ordinal: u64::MAX };

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let file = RowFile { name: "row-1-2".to_owned(), length: 7, crc: u32::MAX };
        for content in [Content::Here(b"{}".to_vec()), Content::File(file)] {
            let row = write_row(&NUMBERS, &content);

            assert_eq!(read_row(&row), Ok((FORMAT, NUMBERS, content)));
        }
    }

    #[test]
    fn a_row_of_another_shape_is_refused_with_a_sentence() {
        for row in [&[][..], &[1], &[9, 0], &[0; 40], &[1, 7, 0, 0]] {
            let why = read_row(row).unwrap_err();

            assert!(why.contains(' '), "{why}");
        }
    }

    #[test]
    fn the_stored_record_of_format_1_can_be_read() {
        let row = include_bytes!("../../tests/store/samples/record.format-1.row");

        let (format, head, content) = read_row(row).unwrap();
        let Content::Here(json) = content else { panic!("the sample is short") };
        let record: Record = decode(format, &json).unwrap();

        assert_eq!(head, Head { revision: Revision(2), sequence: 7, ordinal: 5 });
        assert_eq!(record.key.path(), "Customer/C-100");
        assert_eq!(record.data["Rate"].to_string(), "1.10");
    }
}
