//! The text of one element, un-escaped as it streams by.
//!
//! quick-xml hands out a text or CDATA section as one piece, which for a response may be 500 MB; this
//! is the one place where we look at bytes ourselves instead. Whatever is cut by the edge of a network
//! packet (an entity, `]]>`, a character of several bytes) is held back until it is whole; the test
//! cuts at every byte.
//!
//! A reference to a control character is let through, though XML 1.0 forbids it: the .NET writer of
//! the Web Connector produces them, and this may be the only copy of what QuickBooks did.

use crate::soap::guard::Malformed;
use crate::soap::guard::Response;
use crate::soap::source::Source;

/// The longest thing that must be seen whole: a reference such as `&#x0010FFFF;`.
const LOOK: usize = 16;
const PIECE: usize = 64 << 10;
const CDATA: &[u8] = b"<![CDATA[";
const COMMENT: &[u8] = b"<!--";

#[derive(Clone, Copy, Eq, PartialEq)]
enum Inside {
    Text,
    Cdata,
    Comment,
}

/// Writes the text up to the end tag, which stays unread.
///
/// # Errors
///
/// [`Malformed`], also if the writer fails or the text is longer than allowed.
pub(crate) fn copy(source: &mut Source, response: &mut Response<'_>) -> Result<(), Malformed> {
    let mut inside = Inside::Text;
    let mut text = Vec::with_capacity(PIECE + LOOK);
    let mut total = 0_u64;
    // How many bytes must be ahead before anything more can be decided.
    let mut wanted = 1;
    loop {
        let ahead = source.ahead(wanted).map_err(|_| Malformed::Truncated)?;
        let whole = ahead.len() < wanted;
        if ahead.is_empty() {
            return Err(Malformed::Truncated);
        }
        let step = decide(&ahead[..ahead.len().min(PIECE)], &mut inside, &mut text)?;
        if step.taken == 0 && whole && !step.ended {
            return Err(Malformed::Truncated);
        }
        wanted = if step.taken == 0 { ahead.len() + 1 } else { 1 };
        source.skip(step.taken);
        // Only whole characters go on; the bytes of a cut one wait for the rest.
        let valid = match std::str::from_utf8(&text) {
            Ok(_) => text.len(),
            Err(error) if error.error_len().is_none() && !step.ended => error.valid_up_to(),
            Err(_) => return Err(Malformed::NotUtf8),
        };
        total += valid as u64;
        if total > response.limit {
            return Err(Malformed::ResponseTooLarge(response.limit));
        }
        response.to.write_all(&text[..valid]).map_err(Malformed::Sink)?;
        text.drain(..valid);
        if step.ended {
            return Ok(());
        }
    }
}

struct Step {
    taken: usize,
    ended: bool,
}

/// Un-escapes as much of `ahead` as can be decided.
fn decide(ahead: &[u8], inside: &mut Inside, text: &mut Vec<u8>) -> Result<Step, Malformed> {
    let mut taken = 0;
    loop {
        let rest = &ahead[taken..];
        if rest.is_empty() {
            return Ok(Step { taken, ended: false });
        }
        match *inside {
            Inside::Text => {
                let plain = rest.iter().position(|byte| matches!(byte, b'&' | b'<'));
                let plain = plain.unwrap_or(rest.len());
                text.extend_from_slice(&rest[..plain]);
                taken += plain;
                let rest = &rest[plain..];
                if rest.is_empty() {
                    return Ok(Step { taken, ended: false });
                }
                if rest[0] == b'&' {
                    let near = &rest[..rest.len().min(LOOK)];
                    let Some(end) = near.iter().position(|byte| *byte == b';') else {
                        if rest.len() >= LOOK {
                            return Err(Malformed::Entity("…".to_owned()));
                        }
                        return Ok(Step { taken, ended: false });
                    };
                    reference(&rest[1..end], text)?;
                    taken += end + 1;
                } else if rest.starts_with(b"</") {
                    return Ok(Step { taken, ended: true });
                } else if rest.starts_with(CDATA) {
                    *inside = Inside::Cdata;
                    taken += CDATA.len();
                } else if rest.starts_with(COMMENT) {
                    *inside = Inside::Comment;
                    taken += COMMENT.len();
                } else if CDATA.starts_with(rest) || COMMENT.starts_with(rest) {
                    return Ok(Step { taken, ended: false });
                } else {
                    return Err(Malformed::Nested("response".to_owned()));
                }
            }
            Inside::Cdata | Inside::Comment => {
                let close: &[u8] = if *inside == Inside::Cdata { b"]]>" } else { b"-->" };
                let plain = rest.iter().position(|byte| *byte == close[0]).unwrap_or(rest.len());
                let (plain, closed) = match &rest[plain..] {
                    at if at.starts_with(close) => (plain, true),
                    at if close.starts_with(at) => (plain, false),
                    _ => (plain + 1, false),
                };
                if *inside == Inside::Cdata {
                    text.extend_from_slice(&rest[..plain]);
                }
                taken += plain;
                if closed {
                    *inside = Inside::Text;
                    taken += close.len();
                } else if plain < rest.len() && close.starts_with(&rest[plain..]) {
                    return Ok(Step { taken, ended: false });
                }
            }
        }
    }
}

fn reference(name: &[u8], text: &mut Vec<u8>) -> Result<(), Malformed> {
    let name = std::str::from_utf8(name).map_err(|_| Malformed::NotUtf8)?;
    if let Some(named) = quick_xml::escape::resolve_xml_entity(name) {
        text.extend_from_slice(named.as_bytes());
        return Ok(());
    }
    let c = numeric(name).ok_or_else(|| Malformed::Entity(name.to_owned()))?;
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}

/// The character of a numeric reference, given without `&` and `;`. What no text can hold becomes
/// U+FFFD, the character that stands for such ones.
pub(crate) fn numeric(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16).ok()?
        }
        None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some(char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER))
}
