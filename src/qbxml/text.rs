//! Text as QuickBooks keeps it: the repertoire of windows-1252, written as pure ASCII.
//!
//! QuickBooks stores windows-1252 and shows `?` for the rest (qbxml gem, README), and raw bytes above
//! ASCII make it refuse a whole document (consolibyte wiki), so what goes out is decimal references.
//! Lengths are counted in characters after this mapping and before escaping: `&amp;` counts one.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;

/// Characters of windows-1252 that are not in ISO-8859-1.
const EXTRA: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
/// A value shown in a finding is cut after this many characters.
const SHOWN: usize = 80;
/// Longest text that is looked at, in bytes: longer than any limit by far.
const MAX_TEXT: usize = 1 << 20;

/// What QuickBooks will keep of a text, if it fits.
///
/// # Errors
///
/// `STRING_TOO_LONG` with `limit` and `actual`; `INVALID_CHARACTERS` with `characters`, if a
/// character has no counterpart.
pub(crate) fn limited(given: &str, limit: Option<usize>) -> Result<String, Box<Finding>> {
    let shown = || given.chars().take(SHOWN).collect::<String>();
    if given.len() > MAX_TEXT {
        let actual = given.chars().count();
        let finding = Finding::new(Code::StringTooLong).fact("actual", actual);
        return Err(Box::new(
            finding.fact("limit", limit.unwrap_or(MAX_TEXT)).fact("value", shown()),
        ));
    }
    let mut mapped = String::with_capacity(given.len());
    let mut foreign = String::new();
    for character in given.trim().nfc() {
        match map(character) {
            Mapped::Same => mapped.push(character),
            Mapped::As(text) => mapped.push_str(text),
            Mapped::Dropped => {}
            Mapped::Foreign if foreign.contains(character) => {}
            Mapped::Foreign => foreign.push(character),
        }
    }
    if !foreign.is_empty() {
        let finding = Finding::new(Code::InvalidCharacters).cause("unsupported_characters");
        let foreign = foreign.chars().take(20).map(visible).collect::<String>();
        return Err(Box::new(finding.fact("characters", foreign).fact("value", shown())));
    }
    let actual = mapped.chars().count();
    match limit {
        Some(limit) if actual > limit => {
            let finding = Finding::new(Code::StringTooLong).fact("limit", limit);
            Err(Box::new(finding.fact("actual", actual).fact("value", shown())))
        }
        _ => Ok(mapped),
    }
}

/// A character as people can see it.
fn visible(character: char) -> String {
    if character.is_control() {
        format!("U+{:04X} ", u32::from(character))
    } else {
        character.to_string()
    }
}

/// The text without what QuickBooks cannot store.
pub fn storable(text: &str) -> String {
    let mut stored = String::with_capacity(text.len());
    for character in text.trim().nfc() {
        match map(character) {
            Mapped::Same => stored.push(character),
            Mapped::As(text) => stored.push_str(text),
            Mapped::Dropped | Mapped::Foreign => {}
        }
    }
    stored
}

enum Mapped {
    Same,
    As(&'static str),
    Dropped,
    Foreign,
}

fn map(character: char) -> Mapped {
    match character {
        '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{ff}' => Mapped::Same,
        '\r' => Mapped::Dropped,
        '\u{85}' | '\u{2028}' | '\u{2029}' => Mapped::As("\n"),
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Mapped::Foreign,
        // Invisible: joiners, direction marks, byte order mark, soft breaks.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' => {
            Mapped::Dropped
        }
        '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Mapped::As(" "),
        '‐' | '‑' | '‒' | '−' => Mapped::As("-"),
        '―' => Mapped::As("—"),
        '′' => Mapped::As("'"),
        '″' => Mapped::As("\""),
        'ﬁ' => Mapped::As("fi"),
        'ﬂ' => Mapped::As("fl"),
        '№' => Mapped::As("No."),
        '≤' => Mapped::As("<="),
        '≥' => Mapped::As(">="),
        other if EXTRA.contains(other) => Mapped::Same,
        other => letter(other),
    }
}

/// Letters of the Latin script that windows-1252 lacks, without their marks.
fn letter(character: char) -> Mapped {
    const PLAIN: &[(&str, &str)] = &[
        ("ĀĂĄ", "A"),
        ("āăą", "a"),
        ("ĆĈĊČ", "C"),
        ("ćĉċč", "c"),
        ("ĎĐ", "D"),
        ("ďđ", "d"),
        ("ĒĔĖĘĚ", "E"),
        ("ēĕėęě", "e"),
        ("ĜĞĠĢ", "G"),
        ("ĝğġģ", "g"),
        ("ĤĦ", "H"),
        ("ĥħ", "h"),
        ("ĨĪĬĮİ", "I"),
        ("ĩīĭįı", "i"),
        ("Ĵ", "J"),
        ("ĵ", "j"),
        ("Ķ", "K"),
        ("ķ", "k"),
        ("ĹĻĽĿŁ", "L"),
        ("ĺļľŀł", "l"),
        ("ŃŅŇŊ", "N"),
        ("ńņňŋ", "n"),
        ("ŌŎŐ", "O"),
        ("ōŏő", "o"),
        ("ŔŖŘ", "R"),
        ("ŕŗř", "r"),
        ("ŚŜŞȘ", "S"),
        ("śŝşș", "s"),
        ("ŢŤŦȚ", "T"),
        ("ţťŧț", "t"),
        ("ŨŪŬŮŰŲ", "U"),
        ("ũūŭůűų", "u"),
        ("Ŵ", "W"),
        ("ŵ", "w"),
        ("Ŷ", "Y"),
        ("ŷ", "y"),
        ("ŹŻ", "Z"),
        ("źż", "z"),
    ];
    PLAIN
        .iter()
        .find(|(marked, _)| marked.contains(character))
        .map_or(Mapped::Foreign, |(_, plain)| Mapped::As(plain))
}

/// Writes text for XML: pure ASCII, whatever encoding somebody declares around it.
pub(crate) fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&apos;"),
            '\n' | '\t' | ' '..='~' => into.push(character),
            other => {
                let _ = write!(into, "&#{};", u32::from(other));
            }
        }
    }
}

/// The name that was probably meant: at most a third of its letters differ.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given: String = given.chars().take(64).flat_map(char::to_lowercase).collect();
    let most = (given.chars().count() / 3).max(1);
    names
        .map(|name| (strsim::osa_distance(&given, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        escape(&limited(text, None).unwrap(), &mut out);
        out
    }

    #[test]
    fn text_goes_out_as_ascii() {
        assert_eq!(written("Jones & Sons <\"x\">"), "Jones &amp; Sons &lt;&quot;x&quot;&gt;");
        assert_eq!(written("Décor"), "D&#233;cor");
        assert_eq!(written("De\u{301}cor"), "D&#233;cor");
        assert_eq!(written("Łódź “q” 5€\u{200b}"), "L&#243;dz &#8220;q&#8221; 5&#8364;");
    }

    #[test]
    fn what_has_no_counterpart_is_named() {
        let finding = limited("Tokyo 東京", Some(5)).unwrap_err();

        assert_eq!(finding.code, Code::InvalidCharacters);
        assert_eq!(finding.facts["characters"], "東京");
    }

    #[test]
    fn length_is_counted_as_quickbooks_keeps_it() {
        assert!(limited("&&&", Some(3)).is_ok());
        let finding = limited("ééé ", Some(2)).unwrap_err();

        assert_eq!(finding.facts["actual"], "3");
    }

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["CompanyName", "CustomerRef", "Name", "Notes"];
        assert_eq!(nearest("companyname", names.into_iter()), Some("CompanyName"));
        assert_eq!(nearest("Nmae", names.into_iter()), Some("Name"));
        assert_eq!(nearest("CustomreRef", names.into_iter()), Some("CustomerRef"));
        assert_eq!(nearest("Zebra", names.into_iter()), None);
    }
}
