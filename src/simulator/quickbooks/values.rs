//! The values of a request, looked at one by one.
//!
//! The parser lets a bad number or an overlong text through; QuickBooks then answers that request
//! alone with a conversion error. Only the first one is told.
//!
//! Source: field logs (3070 with the limit of 7 of an account number; 3040 for `97.5`; 3045 for an
//! unrounded rate); patterns of the schema, Onscreen Reference.

use jiff::civil::Date;

use super::grammar::Form;
use super::grammar::REQUESTS;
use super::number::Number;
use super::status;
use super::status::Outcome;
use super::status::Status;
use super::xml::Node;

/// Looks at each value of a request.
pub(crate) fn check(request: &Node) -> Outcome<()> {
    if let Some((element, form)) = REQUESTS.blank(request) {
        return Err(match form {
            Form::Id => status::invalid_id("", &words(&element.name)),
            _ => status::missing(&element.name),
        });
    }
    let mut found = None;
    REQUESTS.leaves(request, &mut |leaf, form| {
        if found.is_none() {
            found = fault(leaf, form);
        }
    });
    found.map_or(Ok(()), Err)
}

/// What is wrong with a value, if anything. Empty values are legal: they clear a field.
fn fault(leaf: &Node, form: Form) -> Option<Status> {
    let (value, field) = (leaf.text.trim(), leaf.name.as_str());
    if value.is_empty() {
        return None;
    }
    let decimals = [0, 1, 2, 3, 4, 5];
    let convert = |code, what| Some(status::conversion(code, what, value, field));
    match form {
        Form::Amount if Number::parse(value, 13, &[0, 2]).is_none() => convert(3040, "amount"),
        Form::Boolean if !matches!(value, "true" | "false" | "0" | "1") => convert(3010, "boolean"),
        Form::Date if date(value).is_none() => convert(3020, "date"),
        Form::DateTime if moment(value).is_none() => convert(3020, "date"),
        Form::Float if Number::parse(value, 13, &decimals).is_none() => convert(3065, "float"),
        Form::Guid if !guid(value) => convert(3065, "GUID"),
        Form::Id if value.len() > 36 => Some(status::invalid_id(value, &words(field))),
        Form::Integer if value.parse::<i64>().is_err() => convert(3065, "integer"),
        Form::Interval if minutes(value).is_none() => convert(3035, "time interval"),
        Form::Percent if Number::parse(value, 10, &decimals).is_none() => {
            convert(3050, "percentage")
        }
        Form::Price if Number::parse(value, 10, &decimals).is_none() => convert(3045, "price"),
        Form::Quantity if Number::parse(value, 10, &decimals).is_none() => {
            convert(3060, "quantity")
        }
        Form::Text(Some(limit)) if leaf.text.chars().count() > limit => {
            Some(status::too_long(&leaf.text, field))
        }
        _ => None,
    }
}

/// `ListID` → `list id`, as the messages write it.
pub(crate) fn words(field: &str) -> String {
    match field {
        "ListID" => "list id".to_owned(),
        "TxnID" => "Transaction id".to_owned(),
        other => other.to_owned(),
    }
}

/// Reads `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}

/// Reads a date with an optional time; an offset is ignored here (`clock` looks at it).
pub(crate) fn moment(text: &str) -> Option<jiff::civil::DateTime> {
    let (day, time) = text.split_once('T').unwrap_or((text, "0"));
    let mut parts = day.split('-').map(str::parse::<i16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() {
        return None;
    }
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let time = time.split(['+', '-']).next()?;
    let mut parts = time.split(':').map(str::parse::<i8>);
    let mut part = || parts.next().unwrap_or(Ok(0)).ok();
    let (hour, minute, second) = (part()?, part()?, part()?);
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    Some(date.to_datetime(time))
}

/// Reads `PT8H30M0S` as minutes.
pub(crate) fn minutes(text: &str) -> Option<i64> {
    let rest = text.trim_start_matches(['+', '-']).strip_prefix("PT")?;
    let (mut total, mut digits) = (0, String::new());
    for character in rest.chars() {
        match character {
            '0'..='9' => digits.push(character),
            'H' | 'M' | 'S' => {
                let count: i64 = std::mem::take(&mut digits).parse().ok()?;
                total += match character {
                    'H' => count.checked_mul(60)?,
                    'M' => count,
                    _ => 0,
                };
            }
            _ => return None,
        }
    }
    digits.is_empty().then_some(total)
}

/// Whether a text is `0` or a GUID in braces.
fn guid(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    text == "0"
        || inner.is_some_and(|inner| inner.len() == 36 && inner.parse::<uuid::Uuid>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::quickbooks::xml::read_node;

    fn said(inner: &str) -> String {
        let request = format!("<InvoiceAddRq><InvoiceAdd>{inner}</InvoiceAdd></InvoiceAddRq>");
        check(&read_node(&request).unwrap())
            .map_or_else(|status| status.message, |()| String::new())
    }

    #[test]
    fn conversion_errors_have_the_words_of_quickbooks() {
        assert_eq!(
            said("<InvoiceLineAdd><Amount>97.5</Amount></InvoiceLineAdd>"),
            "There was an error when converting the amount \"97.5\" in the field \"Amount\""
        );
        assert_eq!(
            said("<RefNumber>123456789012</RefNumber>"),
            "The string \"123456789012\" in the field \"RefNumber\" is too long."
        );
        assert_eq!(
            said("<TxnDate>2026-02-30</TxnDate>"),
            "There was an error when converting the date value \"2026-02-30\" in the field \"TxnDate\""
        );
        assert_eq!(said("<RefNumber>12345678901</RefNumber><IsPending>1</IsPending>"), "");
    }

    #[test]
    fn what_is_needed_and_says_nothing_is_not_there() {
        let missing = |element: &str| format!("There is a missing element: \"{element}\"");
        for customer in [
            "<CustomerRef></CustomerRef>",
            "<CustomerRef><ListID></ListID></CustomerRef>",
            "<CustomerRef><FullName> </FullName></CustomerRef>",
        ] {
            assert_eq!(said(customer), missing("CustomerRef"), "{customer}");
        }
        let good = "<CustomerRef><FullName>A</FullName></CustomerRef>";
        assert_eq!(said(&format!("{good}<Memo></Memo><ClassRef></ClassRef>")), "");
        let check = |request: &str| {
            check(&read_node(request).unwrap())
                .map_or_else(|status| (status.code, status.message), |()| (0, String::new()))
        };
        let change = |id: &str, sequence: &str| {
            check(&format!(
                "<CustomerModRq><CustomerMod><ListID>{id}</ListID><EditSequence>{sequence}\
                 </EditSequence><Phone></Phone></CustomerMod></CustomerModRq>"
            ))
        };
        let id = "The given object ID \"\" in the field \"list id\" is invalid.";
        assert_eq!(change("", "1"), (3000, id.to_owned()));
        assert_eq!(change("80000001-1", ""), (3150, missing("EditSequence")));
        assert_eq!(change("80000001-1", "1").0, 0);
        let query = "<CustomerQueryRq><NameFilter><MatchCriterion></MatchCriterion><Name>A</Name>\
                     </NameFilter></CustomerQueryRq>";
        assert_eq!(check(query), (3150, missing("MatchCriterion")));
    }

    #[test]
    fn moments_may_miss_their_end() {
        for good in ["2026-1-2", "2026-01-02T3", "2026-01-02T03:04", "2026-01-02T03:04:05-08:00"] {
            assert!(moment(good).is_some(), "{good}");
        }
        assert!(moment("2026-13-02").is_none());
    }
}
