//! What a fix would put in the place of what QuickBooks refuses: pure.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::diagnosis::ACCOUNT_TYPE;
use crate::diagnosis::BY_ID;
use crate::domain::outcome::Finding;
use crate::qbxml::check;
use crate::qbxml::lists;
use crate::qbxml::version::Edition;

/// Names that are tried before a person has to say one.
pub(crate) const MAX_TRIES: usize = 200;

/// The most characters that a pointer such as `/data/Name` may have.
pub(crate) fn limit_at(kind: &str, pointer: &str, edition: Edition) -> Option<usize> {
    check::limit(kind, pointer.strip_prefix("/data/")?, edition)
}

/// A text with an end, cut so that both fit.
fn ended(text: &str, end: &str, limit: Option<usize>) -> String {
    let room = limit.map_or(usize::MAX, |limit| limit.saturating_sub(end.chars().count()));
    let kept: String = text.trim().chars().take(room).collect();
    format!("{}{end}", kept.trim_end())
}

/// Other names: `Acme (2)`, `Acme (3)`, …
pub(crate) fn renamed(name: &str, limit: Option<usize>) -> impl Iterator<Item = String> {
    (2..).map(move |number: u32| ended(name, &format!(" ({number})"), limit))
}

/// Other numbers: `1001-2`, `1001-3`, …
pub(crate) fn suffixed(number: &str, limit: Option<usize>) -> impl Iterator<Item = String> {
    (2..).map(move |suffix: u32| ended(number, &format!("-{suffix}"), limit))
}

/// Shorter texts: cut at a word if that costs little, then with a number so that they differ.
pub(crate) fn shortened(text: &str, limit: usize) -> impl Iterator<Item = String> {
    let cut: String = text.trim().chars().take(limit).collect();
    let cut_in_word = text.trim().chars().nth(limit).is_some_and(|next| !next.is_whitespace());
    let at_word = cut.rfind(' ').filter(|at| cut_in_word && *at * 10 >= cut.len() * 7);
    let first =
        at_word.map_or_else(|| cut.trim_end().to_owned(), |at| cut[..at].trim_end().to_owned());
    let first = first.trim_end_matches([',', ';', '-', '(', '&']).trim_end().to_owned();
    let base = text.trim().to_owned();
    let more = (2..).map(move |number: u32| ended(&base, &format!("~{number}"), Some(limit)));
    std::iter::once(first).chain(more)
}

/// The text with what QuickBooks cannot store taken out, and a dash for a colon; `None` if that
/// leaves no letter and no digit.
pub(crate) fn replaced(text: &str) -> Option<String> {
    let plain = crate::qbxml::text::storable(text);
    let plain = plain.replace(':', " - ");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    plain.contains(char::is_alphanumeric).then_some(plain)
}

/// The day after a date such as `2025-12-31`.
pub(crate) fn day_after(date: &str) -> Option<String> {
    let date: Date = date.trim().parse().ok()?;
    Some(date.checked_add(1.day()).ok()?.to_string())
}

/// The request that makes what is missing, its data, and what people call it. Customers, vendors and
/// items are more than a name: an application pushes them. So is an account of which nobody can tell
/// the type.
pub(crate) fn missing(finding: &Finding) -> Option<(String, Value, String)> {
    let fact = |name: &str| finding.facts.get(name).map_or("", String::as_str);
    let (add, name) = (lists::made_by_name(fact("kind"))?, fact("value"));
    if finding.facts.contains_key(BY_ID) {
        return None;
    }
    let (parent, last) = name.rsplit_once(':').map_or((None, name), |(up, last)| (Some(up), last));
    if last.trim().is_empty() {
        return None;
    }
    let mut data = Map::new();
    data.insert("Name".to_owned(), last.trim().into());
    match add {
        "StandardTerms" => {
            let digits: String = last.chars().filter(char::is_ascii_digit).collect();
            if !digits.is_empty() && digits.len() <= 3 {
                data.insert("StdDueDays".to_owned(), digits.into());
            }
        }
        "Account" => {
            let of_type = finding.facts.get(ACCOUNT_TYPE)?;
            data.insert("AccountType".to_owned(), of_type.as_str().into());
        }
        _ => {}
    }
    if let Some(parent) = parent {
        data.insert("ParentRef".to_owned(), json!({ "FullName": parent }));
    }
    let what = format!("{add} \u{201c}{name}\u{201d}");
    Some((format!("{add}AddRq"), json!({ format!("{add}Add"): data }), what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Code;

    #[test]
    fn other_names_fit_and_differ() {
        let long = "A customer name that is just as long as it may be".repeat(2);
        for name in renamed(&long, Some(41)).take(20) {
            assert!(name.chars().count() <= 41 && name.ends_with(')'), "{name}");
        }
        assert_eq!(renamed("Acme", Some(41)).next().unwrap(), "Acme (2)");
        assert_eq!(suffixed("12345678901", Some(11)).next().unwrap(), "123456789-2");
    }

    #[test]
    fn a_text_is_cut_at_a_word_and_then_told_apart() {
        let mut tries =
            shortened("Client Name: The very long name of a company and its branch", 41);

        assert_eq!(tries.next().unwrap(), "Client Name: The very long name of a");
        assert_eq!(tries.next().unwrap(), "Client Name: The very long name of a co~2");
        assert_eq!(shortened("Ünïcödé", 3).next().unwrap(), "Ünï");
    }

    #[test]
    fn a_colon_becomes_a_dash_and_foreign_letters_go() {
        assert_eq!(replaced("Smith: Site 漢字 A").as_deref(), Some("Smith - Site A"));
        assert_eq!(replaced("漢字"), None);
        assert_eq!(replaced(": 漢"), None);
    }

    #[test]
    fn the_first_open_day_is_the_day_after() {
        assert_eq!(day_after("2025-12-31").unwrap(), "2026-01-01");
        assert_eq!(day_after("soon"), None);
    }

    #[test]
    fn what_is_more_than_a_name_is_not_made() {
        let finding = |kind: &str| {
            Finding::new(Code::ReferenceNotFound).fact("kind", kind).fact("value", "Net 45")
        };
        assert!(missing(&finding("Account")).is_none());
        let (_, account, _) = missing(&finding("Account").fact(ACCOUNT_TYPE, "Expense")).unwrap();
        assert_eq!(account["AccountAdd"]["AccountType"], "Expense");
        assert!(missing(&finding("Customer")).is_none());
        let (request, data, _) = missing(&finding("Terms")).unwrap();
        assert_eq!(request, "StandardTermsAddRq");
        assert_eq!(data["StandardTermsAdd"]["StdDueDays"], "45");
    }
}
