//! Sentences with places for facts.

use std::collections::BTreeMap;

/// The longest value in a sentence; what is longer is cut, and stands whole in the record.
const LONGEST_VALUE: usize = 80;

/// Names of fields that nobody outside would understand, or that would read badly.
const WORDS: &[(&str, &str)] = &[
    ("Addr1", "first address line"),
    ("Addr2", "second address line"),
    ("Addr3", "third address line"),
    ("Addr4", "fourth address line"),
    ("Addr5", "fifth address line"),
    ("AltPhone", "second phone number"),
    ("COGSAccountRef", "account of the costs"),
    ("IsAutoApply or AppliedToTxn", "document that it pays"),
    ("InvoiceLine or InvoiceLineGroup", "line"),
    ("AppliedToTxnAdd payment amount", "payment amount"),
    ("AppliedToTxnAdd credit amount", "credit amount"),
    ("Cc", "second e-mail address"),
    ("Desc", "description"),
    ("Email", "e-mail address"),
    ("FOB", "F.O.B."),
    ("JobDesc", "job description"),
    ("PONumber", "P.O. number"),
    ("Phone", "phone number"),
    ("PurchaseDesc", "purchase description"),
    ("RefNumber", "number"),
    ("SalesDesc", "sales description"),
    ("TxnDate", "date"),
];

/// Says the first sentence whose facts are all known.
///
/// The last one needs none; if the catalogue breaks that, its places stay empty.
pub(super) fn say(sentences: &[String], facts: &BTreeMap<&str, String>) -> String {
    let last = || sentences.last().map(|it| fill(it, &BTreeMap::new()).unwrap_or_default());
    sentences.iter().find_map(|it| fill(it, facts)).or_else(last).unwrap_or_default()
}

/// Puts facts into a sentence; `None` if one is not known. What a fact says is not looked at again.
pub(super) fn fill(sentence: &str, facts: &BTreeMap<&str, String>) -> Option<String> {
    let mut text = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}')?;
        text.push_str(before);
        if let Some(name) = place.strip_suffix(".words") {
            text.push_str(&in_words(facts.get(name)?));
        } else if let Some(name) = place.strip_suffix(".list") {
            // Its parts are cut already.
            text.push_str(facts.get(name)?);
        } else {
            text.push_str(&cut(facts.get(place)?));
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// The names of the facts that a sentence needs.
#[cfg(test)]
pub(super) fn places(sentence: &str) -> impl Iterator<Item = &str> {
    sentence.split('{').skip(1).filter_map(|it| it.split_once('}')).map(|(place, _)| place)
}

/// One line, and not too long for a sentence.
pub(super) fn cut(value: &str) -> String {
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_VALUE {
        return line;
    }
    let mut short: String = line.chars().take(LONGEST_VALUE - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// A name of a field in plain words: `CompanyName` is "company name".
pub(super) fn in_words(field: &str) -> String {
    let last = field.rsplit(['/', '.']).find(|part| !part.is_empty()).unwrap_or(field);
    let last = last.split('[').next().unwrap_or(last);
    if let Some((_, words)) = WORDS.iter().find(|(name, _)| *name == last) {
        return (*words).to_owned();
    }
    let last = last.strip_suffix("Ref").filter(|rest| !rest.is_empty()).unwrap_or(last);
    let mut words = String::new();
    let mut before = ' ';
    for letter in last.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        before = letter;
    }
    cut(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentences: &[&str], expected: &str) {
        let facts = BTreeMap::from([
            ("field", "InvoiceLine/0/CompanyName".to_owned()),
            ("value", "{limit} a\n b".to_owned()),
        ]);
        let sentences: Vec<_> = sentences.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(say(&sentences, &facts), expected);
    }

    #[test]
    fn the_first_sentence_is_said_whose_facts_are_known() {
        check(&["{field} has {actual}", "the {field.words}", "x"], "the company name");
        check(&["{actual}", "x"], "x");
        check(&["is “{value}”"], "is “{limit} a b”");
        check(&["only {actual}"], "");
        check(&[], "");
    }

    #[test]
    fn a_field_is_named_in_plain_words() {
        for (field, words) in [
            ("Name", "name"),
            ("BillAddress/Addr1", "first address line"),
            ("InvoiceLine[2].Desc", "description"),
            ("CustomerRef", "customer"),
            ("PONumber", "P.O. number"),
            ("customer name", "customer name"),
            ("", ""),
        ] {
            assert_eq!(in_words(field), words);
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(cut(&"é".repeat(200)).chars().count(), LONGEST_VALUE);
    }
}
