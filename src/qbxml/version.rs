//! Versions and editions of qbXML: what a host speaks, what a table row needs, what we declare.
//!
//! Nothing here knows of messages. Source: OSR, "qbXML versions"; the Web Connector tells the host's
//! version and country with every `sendRequestXML`, `HostQueryRs` tells all that it speaks.

use std::fmt;

/// A version of the qbXML specification, such as `13.0`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// What we declare where nothing needs more: every QuickBooks that is still supported speaks it
    /// (QuickBooks 2014 was the first).
    pub const COMMON: Self = Self::new(13, 0);

    /// The first version there was; what has no `since` was always there.
    pub const FIRST: Self = Self::new(1, 0);

    /// The oldest that is worth a try: QuickBooks 2007.
    pub const OLDEST: Self = Self::new(6, 0);

    /// The version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Parses `13.0`, `13`, `CA3.0`, or `UK3.0`; the country of the last two is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        if text.len() - number.len() > 2 {
            return None;
        }
        let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| -> Option<u16> {
            let plain = part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        Some(Self::new(digits(major)?, digits(minor)?))
    }

    /// The highest of the versions that a host lists; what cannot be read is skipped.
    ///
    /// The list is not always in order, and old hosts mix in `CA3.0` and the like.
    pub fn highest<'a>(listed: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        listed.into_iter().filter_map(Self::parse).max()
    }

    /// The one before: what a host may speak that refused this one. None is older than
    /// [`Self::OLDEST`].
    pub fn before(self) -> Option<Self> {
        let before = Self::new(self.major.saturating_sub(u16::from(self.minor == 0)), 0);
        (before >= Self::OLDEST).then_some(before)
    }

    /// The version to declare to a host for a message that needs `needed`: [`Self::COMMON`] or the
    /// host's if that is lower, more only where the message needs it. `None` if the host cannot.
    pub fn declared(host: Self, needed: Self) -> Option<Self> {
        let usual = host.min(Self::COMMON);
        if needed <= usual { Some(usual) } else { (needed <= host).then_some(needed) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A country edition of QuickBooks Desktop. Fields, limits and enumerations differ between them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Edition {
    /// United States, "QBD" in the OSR.
    #[default]
    Us,
    /// Canada, "QBCA".
    Canada,
    /// United Kingdom, "QBUK".
    Uk,
    /// Australia, "QBAU".
    Australia,
}

impl Edition {
    /// All, in the order of the OSR.
    pub const ALL: [Self; 4] = [Self::Us, Self::Canada, Self::Uk, Self::Australia];

    /// The country code of the Web Connector and of our table: `US`, `CA`, `UK`, `AU`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Canada => "CA",
            Self::Uk => "UK",
            Self::Australia => "AU",
        }
    }

    /// Parses a country as the Web Connector or `HostRet` tells it, or a name of the OSR.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_uppercase().as_str() {
            "US" | "QBD" => Some(Self::Us),
            "CA" | "QBCA" => Some(Self::Canada),
            "UK" | "GB" | "QBUK" => Some(Self::Uk),
            "AU" | "QBAU" => Some(Self::Australia),
            _ => None,
        }
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A set of [`Edition`]s.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Editions(u8);

impl Editions {
    /// Every edition.
    pub const ALL: Self = Self(0b1111);

    /// No edition of QuickBooks Desktop: an element of the Online Edition alone.
    pub const NONE: Self = Self(0);

    /// Whether the edition is in the set.
    pub const fn contains(self, edition: Edition) -> bool {
        self.0 & (1 << edition as u8) != 0
    }

    /// The set with one edition more.
    #[must_use]
    pub const fn with(self, edition: Edition) -> Self {
        Self(self.0 | 1 << edition as u8)
    }

    /// All editions that are not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }

    /// The editions in the set.
    pub fn iter(self) -> impl Iterator<Item = Edition> {
        Edition::ALL.into_iter().filter(move |&edition| self.contains(edition))
    }
}

impl fmt::Display for Editions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<_> = self.iter().map(Edition::code).collect();
        f.write_str(&codes.join(", "))
    }
}

/// The QuickBooks that a request is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Target {
    /// The highest version that the host speaks.
    pub version: Version,
    /// Its country edition.
    pub edition: Edition,
}

impl Default for Target {
    /// What we assume of a host that has not spoken yet.
    fn default() -> Self {
        Self { version: Version::COMMON, edition: Edition::Us }
    }
}

/// Since when, and in which editions, a message or an element exists.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Availability {
    /// The first version; `None` if it was always there.
    pub since: Option<Version>,
    /// The editions that have it.
    pub editions: Editions,
}

impl Availability {
    /// There always and everywhere.
    pub const ALWAYS: Self = Self { since: None, editions: Editions::ALL };

    /// Whether the target's edition has it, in whatever version.
    pub const fn in_edition(&self, target: Target) -> bool {
        self.editions.contains(target.edition)
    }

    /// Whether the target has it.
    pub fn allows(&self, target: Target) -> bool {
        self.in_edition(target) && self.since.is_none_or(|since| since <= target.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_strings_are_read() {
        for (text, expected) in [
            ("13.0", Some(Version::new(13, 0))),
            (" 2.1 ", Some(Version::new(2, 1))),
            ("CA3.0", Some(Version::new(3, 0))),
            ("16", Some(Version::new(16, 0))),
            ("", None),
            ("13.x", None),
            ("99999.0", None),
            ("SDK13.0", None),
        ] {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn the_declared_version_is_as_low_as_the_message_allows() {
        let version = Version::new;
        for (host, needed, expected) in [
            (version(16, 0), version(8, 0), Some(version(13, 0))),
            (version(16, 0), version(14, 0), Some(version(14, 0))),
            (version(12, 0), version(8, 0), Some(version(12, 0))),
            (version(12, 0), version(13, 0), None),
        ] {
            assert_eq!(Version::declared(host, needed), expected, "{host} {needed}");
        }
    }

    #[test]
    fn the_highest_version_is_not_always_the_last() {
        let listed = ["1.0", "13.0", "CA3.0", "nonsense", "12.0"];

        assert_eq!(Version::highest(listed), Some(Version::new(13, 0)));
    }

    #[test]
    fn a_set_of_editions_and_its_complement_are_all() {
        let set = Editions::NONE.with(Edition::Uk).with(Edition::Us);

        assert_eq!(set.to_string(), "US, UK");
        assert_eq!(set.complement().to_string(), "CA, AU");
    }
}
