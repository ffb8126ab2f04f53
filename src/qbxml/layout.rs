//! A document as people read it: an element a line, indented.

/// What a piece of a document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// A tag, with its attributes.
    Tag,
    /// Text between tags.
    Text,
    /// The end of a line, and how far the next one is indented.
    Break,
}

/// Takes a document apart; put together, the pieces are what is shown.
pub fn parts(text: &str) -> Vec<(Part, String)> {
    let mut parts: Vec<(Part, String)> = Vec::new();
    let (mut rest, mut depth, mut after_text) = (text.trim(), 0_usize, false);
    while let Some(open) = rest.find('<') {
        let between = &rest[..open];
        if !between.trim().is_empty() {
            parts.push((Part::Text, between.to_owned()));
            after_text = true;
        }
        let Some(length) = rest[open..].find('>') else { break };
        let tag = &rest[open..=open + length];
        let closes = tag.starts_with("</");
        if closes {
            depth = depth.saturating_sub(1);
        }
        let follows_opening = closes && after_text;
        if !parts.is_empty() && !follows_opening {
            let leaf = closes
                && parts.last().is_some_and(|(part, it)| {
                    *part == Part::Tag && !it.starts_with("</") && !it.ends_with("/>")
                });
            if !leaf {
                parts.push((Part::Break, format!("\n{}", "  ".repeat(depth))));
            }
        }
        parts.push((Part::Tag, tag.to_owned()));
        after_text = false;
        if !closes && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!") {
            depth += 1;
        }
        rest = &rest[open + length + 1..];
    }
    if !rest.trim().is_empty() {
        parts.push((Part::Text, rest.to_owned()));
    }
    parts
}

/// The document as it is shown.
pub fn lines(text: &str) -> String {
    parts(text).into_iter().map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_indented_and_nothing_of_it_is_lost() {
        let text = "<A><B>x &amp; y</B><C/><D a=\"1\"></D></A>";

        assert_eq!(lines(text), "<A>\n  <B>x &amp; y</B>\n  <C/>\n  <D a=\"1\"></D>\n</A>");
        assert_eq!(parts("no markup"), [(Part::Text, "no markup".to_owned())]);
        assert_eq!(parts("<open").len(), 1);
    }
}
