//! XML as people read it: indented, with its parts told apart.

/// More of a document is not shown.
const MAX_SHOWN: usize = 200 << 10;

/// Texts with the class that colours them.
pub(super) type Marked = Vec<(&'static str, String)>;

/// Splits XML into what is shown.
pub(super) fn xml(text: &str) -> Marked {
    let mut marked = Marked::new();
    let (mut rest, mut depth, mut after_text) = (text.trim(), 0_usize, false);
    if rest.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
        rest = &rest[..end];
    }
    while let Some(open) = rest.find('<') {
        let between = &rest[..open];
        if !between.trim().is_empty() {
            marked.push(("x-text", between.to_owned()));
            after_text = true;
        }
        let Some(length) = rest[open..].find('>') else { break };
        let tag = &rest[open..=open + length];
        let closes = tag.starts_with("</");
        if closes {
            depth = depth.saturating_sub(1);
        }
        let follows_opening = closes && after_text;
        if !marked.is_empty() && !follows_opening {
            let leaf = closes
                && marked.last().is_some_and(|(class, it)| {
                    *class == "x-tag" && !it.starts_with("</") && !it.ends_with("/>")
                });
            if !leaf {
                marked.push(("", format!("\n{}", "  ".repeat(depth))));
            }
        }
        marked.push(("x-tag", tag.to_owned()));
        after_text = false;
        if !closes && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!") {
            depth += 1;
        }
        rest = &rest[open + length + 1..];
    }
    if !rest.trim().is_empty() {
        marked.push(("x-text", rest.to_owned()));
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_indented_and_nothing_of_it_is_lost() {
        let text = "<A><B>x &amp; y</B><C/><D a=\"1\"></D></A>";

        let marked = xml(text);

        let shown: String = marked.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(shown, "<A>\n  <B>x &amp; y</B>\n  <C/>\n  <D a=\"1\"></D>\n</A>");
        assert_eq!(xml("no markup"), [("x-text", "no markup".to_owned())]);
        assert_eq!(xml("<open").len(), 1);
    }
}
