//! XML as people read it: indented, with its parts told apart.

use crate::qbxml::layout;
use crate::qbxml::layout::Part;

/// More of a document is not shown.
const MAX_SHOWN: usize = 200 << 10;

/// Texts with the class that colours them.
pub(super) type Marked = Vec<(&'static str, String)>;

/// Splits XML into what is shown.
pub(super) fn xml(text: &str) -> Marked {
    let mut rest = text.trim();
    if rest.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
        rest = &rest[..end];
    }
    let class = |part| match part {
        Part::Tag => "x-tag",
        Part::Text => "x-text",
        Part::Break => "",
    };
    layout::parts(rest).into_iter().map(|(part, text)| (class(part), text)).collect()
}
