//! Exact formats of qbXML values: a JSON value becomes the text that QuickBooks takes, or says why not.
//!
//! No floats anywhere: a JSON number is taken by its digits. Source: `qbxmltypes130.xsd`, and the
//! messages of 3040 and 3045 in field logs (`97.5` is no amount, an unrounded rate no price).

use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::qbxml::schema::Range;
use crate::qbxml::schema::ValueType;
use crate::qbxml::text;
use crate::qbxml::version::Edition;

/// Most digits before the point of an amount, and of the other numbers.
const AMOUNT_DIGITS: usize = 13;
const NUMBER_DIGITS: usize = 10;
/// Most decimals of prices, quantities and percentages.
const DECIMALS: u32 = 5;
/// Longest id (OSR, `IDTYPE`).
const MAX_ID: usize = 36;
/// A value shown in a finding is cut after this many characters.
const SHOWN: usize = 80;

/// The text of a value. An empty text stays empty: it clears the field.
///
/// # Errors
///
/// A finding without its place: code, cause, and the facts `value`, `expected`, `limit`, `actual`,
/// `allowed`, `nearest`.
pub(crate) fn canonical(
    kind: &ValueType,
    value: &Value,
    edition: Edition,
) -> Result<String, Box<Finding>> {
    let given = match value {
        Value::Null => return Ok(String::new()),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) => return Err(bad("not_a_value", value, "one value, not a list")),
        Value::Object(_) => return Err(bad("not_a_value", value, "a value, not an object")),
    };
    if let ValueType::Text(limit) = kind {
        return text::limited(&given, limit.of(edition));
    }
    let given = given.trim();
    if given.is_empty() {
        return Ok(String::new());
    }
    match kind {
        ValueType::Amount => amount(given),
        ValueType::Bool => boolean(given),
        ValueType::Date => date(given),
        ValueType::DateTime => date_time(given),
        ValueType::Enum(allowed) => enumeration(given, allowed),
        ValueType::Float => decimal(given, "bad_number", "a number such as 1.25", 28)
            .map(|number| number.normalize().to_string()),
        ValueType::Guid => guid(given),
        ValueType::Id => id(given),
        ValueType::Int(range) => integer(given, *range),
        ValueType::Interval => interval(given),
        ValueType::Percent | ValueType::Quantity => number(given, Range::default()),
        ValueType::Price(range) => number(given, *range),
        ValueType::Text(_) => Ok(String::new()),
    }
}

fn bad(cause: &str, value: impl std::fmt::Display, expected: &str) -> Box<Finding> {
    let shown: String = value.to_string().chars().take(SHOWN).collect();
    let finding = Finding::new(Code::InvalidValue).cause(cause);
    Box::new(finding.fact("value", shown).fact("expected", expected))
}

fn decimal(
    given: &str,
    cause: &str,
    expected: &str,
    digits: usize,
) -> Result<Decimal, Box<Finding>> {
    let refused = || bad(cause, given, expected);
    // A comma may mean thousands or decimals; guessing would post another amount.
    if given.contains(',') {
        return Err(Box::new(refused().fact("hint", "write the decimal point as a point")));
    }
    let plain = given.strip_prefix('+').unwrap_or(given);
    let number = if plain.contains(['e', 'E']) {
        Decimal::from_scientific(plain).map_err(|_| refused())?
    } else {
        Decimal::from_str_exact(plain).map_err(|_| refused())?
    };
    let whole = number.trunc().abs().to_string();
    if whole.len() > digits {
        return Err(refused());
    }
    Ok(number)
}

fn amount(given: &str) -> Result<String, Box<Finding>> {
    let expected = "an amount with at most two decimals, such as 125.00";
    let number = decimal(given, "bad_amount", expected, AMOUNT_DIGITS)?;
    if number.normalize().scale() > 2 {
        return Err(bad("bad_amount", given, expected));
    }
    Ok(format!("{:.2}", number.normalize()))
}

fn number(given: &str, range: Range) -> Result<String, Box<Finding>> {
    let expected = "a number with at most five decimals, such as 1.5";
    let number = decimal(given, "bad_number", expected, NUMBER_DIGITS)?.normalize();
    if number.scale() > DECIMALS {
        return Err(bad("bad_number", given, expected));
    }
    within(number, range, given)?;
    Ok(number.to_string())
}

fn integer(given: &str, range: Range) -> Result<String, Box<Finding>> {
    let expected = "a whole number";
    let number = decimal(given, "bad_number", expected, 18)?.normalize();
    if number.scale() > 0 {
        return Err(bad("bad_number", given, expected));
    }
    within(number, range, given)?;
    Ok(number.to_string())
}

fn within(number: Decimal, range: Range, given: &str) -> Result<(), Box<Finding>> {
    let bound = |text: &str| Decimal::from_str_exact(text).ok();
    let low = bound(range.min).is_some_and(|min| number < min);
    let high = bound(range.max).is_some_and(|max| number > max);
    if low || high {
        let expected = match (range.min, range.max) {
            (min, "") => format!("a number of at least {min}"),
            ("", max) => format!("a number of at most {max}"),
            (min, max) => format!("a number from {min} to {max}"),
        };
        return Err(bad("out_of_range", given, &expected));
    }
    Ok(())
}

fn boolean(given: &str) -> Result<String, Box<Finding>> {
    match given.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok("true".to_owned()),
        "false" | "0" => Ok("false".to_owned()),
        _ => Err(bad("bad_boolean", given, "true or false")),
    }
}

fn date(given: &str) -> Result<String, Box<Finding>> {
    let refused = || bad("bad_date", given, "a date such as 2026-03-31");
    let parsed: jiff::civil::Date = given.parse().map_err(|_| refused())?;
    // What the host's calendar takes (field logs).
    if !(1901..=9999).contains(&parsed.year()) {
        return Err(refused());
    }
    Ok(parsed.strftime("%Y-%m-%d").to_string())
}

/// Local time of the host, without offset: QuickBooks' own offsets are wrong in summer
/// (quickbooks-sync, README).
fn date_time(given: &str) -> Result<String, Box<Finding>> {
    let expected = "a time such as 2026-03-31T14:30:00";
    if let Ok(time) = given.parse::<jiff::civil::DateTime>() {
        return Ok(time.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    }
    date(given).map_err(|_| bad("bad_date", given, expected))
}

fn interval(given: &str) -> Result<String, Box<Finding>> {
    let refused = || bad("bad_interval", given, "a duration such as PT8H30M0S");
    let rest = given.strip_prefix(['+', '-']).unwrap_or(given);
    let mut rest = rest.strip_prefix("PT").ok_or_else(refused)?;
    let mut any = false;
    for unit in ['H', 'M', 'S'] {
        if let Some((number, behind)) = rest.split_once(unit) {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || number.len() > 9 {
                return Err(refused());
            }
            any = true;
            rest = behind;
        }
    }
    if any && rest.is_empty() { Ok(given.to_owned()) } else { Err(refused()) }
}

fn guid(given: &str) -> Result<String, Box<Finding>> {
    if given == "0" {
        return Ok(given.to_owned());
    }
    let parsed = uuid::Uuid::try_parse(given);
    let refused =
        |_| bad("bad_guid", given, "a GUID such as {12345678-9abc-def0-1234-56789abcdef0}");
    Ok(parsed.map_err(refused)?.braced().to_string())
}

fn id(given: &str) -> Result<String, Box<Finding>> {
    let length = given.chars().count();
    if length > MAX_ID || !given.chars().all(|c| c.is_ascii_graphic()) {
        return Err(bad("bad_id", given, "an id that QuickBooks gave, of at most 36 characters"));
    }
    Ok(given.to_owned())
}

fn enumeration(given: &str, allowed: &[&str]) -> Result<String, Box<Finding>> {
    if allowed.contains(&given) {
        return Ok(given.to_owned());
    }
    let mut finding =
        bad("bad_enum", given, "one of the listed values").fact("allowed", allowed.join(", "));
    if let Some(nearest) = text::nearest(given, allowed.iter().copied()) {
        finding = finding.fact("nearest", nearest);
    }
    Err(Box::new(finding))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(kind: &ValueType, value: &Value, expected: Result<&str, &str>) {
        let got = canonical(kind, value, Edition::Us);

        match (got, expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text, expected, "{value}"),
            (Err(finding), Err(cause)) => assert_eq!(finding.cause, cause, "{value}"),
            (got, expected) => panic!("{value}: {got:?}, not {expected:?}"),
        }
    }

    #[test]
    fn amounts_have_two_decimals_and_no_floats() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        check(&ValueType::Amount, &parse("97.5"), Ok("97.50"));
        check(&ValueType::Amount, &parse("0.1"), Ok("0.10"));
        check(&ValueType::Amount, &parse("1e2"), Ok("100.00"));
        check(&ValueType::Amount, &parse("-3"), Ok("-3.00"));
        check(&ValueType::Amount, &json!("1234567890123.45"), Ok("1234567890123.45"));
        check(&ValueType::Amount, &json!("12345678901234"), Err("bad_amount"));
        check(&ValueType::Amount, &json!("1.005"), Err("bad_amount"));
        check(&ValueType::Amount, &json!("1,50"), Err("bad_amount"));
        check(&ValueType::Amount, &json!("abc"), Err("bad_amount"));
        check(&ValueType::Amount, &json!(["1"]), Err("not_a_value"));
    }

    #[test]
    fn other_scalars_take_their_exact_form() {
        check(&ValueType::Quantity, &json!("1.500000"), Ok("1.5"));
        check(&ValueType::Quantity, &json!("1.123456"), Err("bad_number"));
        check(&ValueType::Date, &json!("2026-02-30"), Err("bad_date"));
        check(&ValueType::Date, &json!("2026-02-28"), Ok("2026-02-28"));
        check(&ValueType::DateTime, &json!("2026-02-28T10:00:00Z"), Err("bad_date"));
        check(&ValueType::Bool, &json!("True"), Ok("true"));
        check(&ValueType::Bool, &json!("yes"), Err("bad_boolean"));
        check(&ValueType::Interval, &json!("PT8H30M0S"), Ok("PT8H30M0S"));
        check(&ValueType::Interval, &json!("8:30"), Err("bad_interval"));
        check(&ValueType::Guid, &json!("0"), Ok("0"));
        check(&ValueType::Int(Range::default()), &json!(3.5), Err("bad_number"));
        check(&ValueType::Amount, &json!(""), Ok(""));
    }
}
