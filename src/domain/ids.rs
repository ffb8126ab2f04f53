//! Names and identifiers. Each parses what it may hold, and nothing else can be held.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

/// The name of a connection, as it stands in paths: 1 to 64 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionId(String);

/// Why a text is no [`ConnectionId`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a connection id is 1 to 64 of a-z, 0-9 and '-', and begins with a letter or digit")]
pub struct InvalidConnectionId;

impl ConnectionId {
    /// Parses the text of a path segment.
    ///
    /// # Errors
    ///
    /// [`InvalidConnectionId`] if it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidConnectionId> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid =
            (1..=64).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidConnectionId) }
    }

    /// Makes an id of a display name: `Acme Ltd.` becomes `acme-ltd`.
    pub fn from_name(name: &str) -> Self {
        let mut id = String::new();
        for c in name.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() {
                id.push(c);
            } else if !id.is_empty() && !id.ends_with('-') {
                id.push('-');
            }
        }
        id.truncate(48);
        let id = id.trim_end_matches('-');
        Self(if id.is_empty() { "connection".to_owned() } else { id.to_owned() })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ConnectionId {
    type Error = InvalidConnectionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ConnectionId> for String {
    fn from(id: ConnectionId) -> Self {
        id.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a record: `{kind}/{sourceId}` of a connection.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct RecordKey {
    /// The connection it belongs to.
    pub connection: ConnectionId,
    /// The qbXML object name, such as `Customer`.
    pub kind: String,
    /// The source application's own key, 1 to 200 characters.
    pub source_id: String,
}

/// The longest source id, in characters.
pub const MAX_SOURCE_ID: usize = 200;

/// Why a source id is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidSourceId {
    /// Too short or too long.
    #[error("a source id has 1 to {MAX_SOURCE_ID} characters, not {0}")]
    Length(usize),
    /// A control character cannot be named in a path or a page.
    #[error("a source id holds no control characters")]
    Control,
}

impl RecordKey {
    /// Names a record. The kind is trusted: the schema table knows which exist.
    ///
    /// # Errors
    ///
    /// [`InvalidSourceId`] if the source id has another length or holds control characters.
    pub fn new(
        connection: &ConnectionId,
        kind: &str,
        source_id: &str,
    ) -> Result<Self, InvalidSourceId> {
        Self::check_source_id(source_id)?;
        Ok(Self {
            connection: connection.clone(),
            kind: kind.to_owned(),
            source_id: source_id.to_owned(),
        })
    }

    /// Whether a text may be a source id.
    ///
    /// # Errors
    ///
    /// [`InvalidSourceId`] if it has another length or holds control characters.
    pub fn check_source_id(text: &str) -> Result<(), InvalidSourceId> {
        let length = text.chars().count();
        if !(1..=MAX_SOURCE_ID).contains(&length) {
            return Err(InvalidSourceId::Length(length));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidSourceId::Control);
        }
        Ok(())
    }

    /// `Kind/sourceId`, as people write it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind, self.source_id)
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.connection, self.kind, self.source_id)
    }
}

/// Names one message set to QuickBooks, as its `newMessageSetID`.
///
/// Written in 22 letters and digits: QuickBooks takes at most 23 characters (OSR, "Attributes in
/// QBXMLMsgs"; status 9004), and a hyphenated UUID has 36.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct MessageSetId(String);

impl MessageSetId {
    /// Writes 128 random bits in base 62.
    pub fn from_bits(bits: u128) -> Self {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut rest = bits;
        let mut digits = [b'0'; 22];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[usize::try_from(rest % 62).unwrap_or_default()];
            rest /= 62;
        }
        Self(digits.iter().map(|digit| char::from(*digit)).collect())
    }

    /// The 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageSetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares identifiers that are UUIDs ordered by time.
macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
            pub struct $name(pub Uuid);

            impl $name {
                /// Parses a UUID in any of its usual writings.
                ///
                /// # Errors
                ///
                /// [`uuid::Error`] if it is none.
                pub fn parse(text: &str) -> Result<Self, uuid::Error> {
                    Uuid::try_parse(text).map(Self)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

uuid_ids! {
    /// One session of the Web Connector.
    SessionId;
    /// One raw request.
    RequestId;
    /// One API key.
    KeyId;
}

/// How often a stored thing was written; 0 if never. Guards against lost updates.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
pub struct Revision(pub u64);

impl Revision {
    /// Not stored yet.
    pub const NEW: Self = Self(0);

    /// After one more write.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// SHA-256 of a secret or a content, as stored and compared.
#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq as _;
        self.0.ct_eq(&other.0).into()
    }

    /// Its first half, in hexadecimal digits: long enough to tell that something is the same.
    pub fn short(&self) -> String {
        let half: [u8; 16] = std::array::from_fn(|at| self.0[at]);
        format!("{:032x}", u128::from_be_bytes(half))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_set_id_has_22_letters_and_digits() {
        for bits in [0, 1, u128::MAX, 0x1234_5678_9abc_def0] {
            let id = MessageSetId::from_bits(bits);

            assert_eq!(id.as_str().len(), 22);
            assert!(id.as_str().chars().all(|c| c.is_ascii_alphanumeric()));
        }
        assert_ne!(MessageSetId::from_bits(1), MessageSetId::from_bits(2));
    }

    #[test]
    fn a_connection_id_is_made_of_any_name() {
        for (name, id) in [("Acme Ltd.", "acme-ltd"), ("  ", "connection"), ("Ä & B", "b")] {
            assert_eq!(ConnectionId::from_name(name).as_str(), id);
            assert!(ConnectionId::parse(id).is_ok());
        }
        for bad in ["", "A", "a b", "-a", "a/b", &"a".repeat(65)] {
            assert_eq!(ConnectionId::parse(bad), Err(InvalidConnectionId));
        }
    }

    #[test]
    fn a_source_id_is_bounded() {
        let connection = ConnectionId::from_name("c");

        assert!(RecordKey::new(&connection, "Customer", "a/b ü").is_ok());
        assert_eq!(
            RecordKey::new(&connection, "Customer", &"x".repeat(201)),
            Err(InvalidSourceId::Length(201))
        );
        assert_eq!(
            RecordKey::new(&connection, "Customer", "a\u{0}"),
            Err(InvalidSourceId::Control)
        );
    }
}
