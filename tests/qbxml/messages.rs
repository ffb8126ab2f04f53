//! Every message of QuickBooks that is known from the field finds its cause.

use std::collections::BTreeMap;

use bookbridge::domain::outcome::Said;
use bookbridge::qbxml::classify;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Message {
    code: Option<i32>,
    hresult: Option<String>,
    #[serde(rename = "message")]
    text: String,
    cause: String,
    /// What is to be done about it; of those that answer a request.
    disposition: Option<String>,
    captures: BTreeMap<String, String>,
    source: String,
}

fn messages() -> Vec<Message> {
    serde_json::from_str(include_str!("messages.json")).unwrap()
}

/// Whether it answers a query.
fn request(cause: &str) -> &'static str {
    if matches!(cause, "query_not_found" | "no_match") { "CustomerQueryRq" } else { "InvoiceAddRq" }
}

#[test]
fn every_message_of_the_field_finds_its_cause() {
    let all = messages();

    assert!(all.len() >= 90);
    assert!(all.iter().filter(|one| one.disposition.is_some()).count() >= 80);
    let mut wrong = Vec::new();
    for one in &all {
        let said = Said {
            status_code: one.code,
            severity: Some("Error".to_owned()),
            message: one.text.clone(),
            hresult: one.hresult.clone(),
        };
        let cause = match &one.hresult {
            Some(_) => classify::hresult(&said).cause,
            None => classify::status(&said, request(&one.cause)).cause.to_owned(),
        };
        if cause != one.cause {
            wrong.push(format!(
                "{:?} {} ({})\n  is {}, not {}",
                one.code, one.text, one.source, cause, one.cause
            ));
        }
        let disposition = format!("{:?}", classify::status(&said, request(&one.cause)).disposition);
        if one.disposition.as_ref().is_some_and(|wanted| *wanted != disposition) {
            wrong.push(format!("{:?} {}\n  is {disposition}", one.code, one.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_message_quotes_is_captured() {
    let mut wrong = Vec::new();
    for one in messages().iter().filter(|one| one.hresult.is_none()) {
        let said = Said { status_code: one.code, message: one.text.clone(), ..Said::default() };
        let class = classify::status(&said, request(&one.cause));
        for (name, value) in &one.captures {
            let found = class.facts.values().any(|fact| fact.contains(value.trim()));
            if !value.trim().is_empty() && !found {
                wrong.push(format!("{}\n  {name} {value:?} is not in {:?}", one.text, class.facts));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What people type: names, quotes, line breaks, other languages, and what QuickBooks says elsewhere.
fn typed() -> impl Strategy<Value = String> {
    let says: Vec<String> = messages().into_iter().map(|one| one.text).collect();
    let piece = prop_oneof![
        Just("could not be locked".to_owned()),
        Just("This list has been modified by another user".to_owned()),
        Just("credit limit".to_owned()),
        Just("closing date".to_owned()),
        Just("books are closed".to_owned()),
        Just("must be of type".to_owned()),
        Just("sales tax".to_owned()),
        Just("currency".to_owned()),
        Just("cannot merge list elements".to_owned()),
        Just("pay more than the amount due".to_owned()),
        Just("transaction is empty".to_owned()),
        Just("delete this transaction from the deposit".to_owned()),
        Just("account number is already in use".to_owned()),
        Just("QuickBooks error message: in use by another user".to_owned()),
        Just("\" in the field \"Name\" is too long.".to_owned()),
        Just("\" of the list element is already in use.".to_owned()),
        Just(" of the list element is already in use. QuickBooks error message: ".to_owned()),
        Just("\"quoted\"".to_owned()),
        Just("pipe 7\"".to_owned()),
        Just("“".to_owned()),
        Just("it's".to_owned()),
        Just("a\nb\r\nc\td".to_owned()),
        Just("Größe 東京 Приве́т مرحبا İ".to_owned()),
        "[A-Za-z0-9 .,:&#/()\"'-]{0,40}",
        prop::sample::select(says),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.join(" "))
}

/// The messages that quote data once, and what they quote.
fn quoting() -> Vec<(Message, String)> {
    let quoting = messages().into_iter().filter_map(|one| {
        let quoted = format!("\"{}\"", one.captures.get("value")?.trim());
        let fits = one.hresult.is_none() && quoted.len() > 2;
        (fits && one.text.matches(&quoted).count() == 1).then_some((one, quoted))
    });
    quoting.collect()
}

/// The cause of a message to who sent this data.
fn cause_of(one: &Message, text: &str, data: &str) -> &'static str {
    let said = Said { status_code: one.code, message: text.to_owned(), ..Said::default() };
    classify::status_of(&said, request(&one.cause), &json!({"Name": data})).cause
}

/// A name that QuickBooks does not quote, or quotes without marking the quotes in it.
#[test]
fn a_quote_in_a_name_never_steers_a_cause() {
    for name in [
        "7\" pipe, closing date",
        "credit limit 7\"",
        "x of the list element is already in use. QuickBooks error message: The books are closed",
        "\"books are closed",
        "a \"b\" could not be locked",
    ] {
        for quoted in [name.to_owned(), format!("\"{name}\"")] {
            let text = format!("The name {quoted} of the list element is already in use.");
            let said = Said { status_code: Some(3100), message: text, ..Said::default() };
            let class = classify::status(&said, "CustomerAddRq");
            assert_eq!(class.cause, "name_in_use", "{name}");
            assert_eq!(class.facts["value"], name);
        }
        // Of a message that nobody knows, the data that was sent is not QuickBooks' word.
        let said = Said {
            status_code: Some(3260),
            message: format!("You may not change {name} here."),
            ..Said::default()
        };
        let class = classify::status_of(&said, "CustomerModRq", &json!({"Name": name}));
        assert_eq!(class.cause, "permission", "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The same message with other data in its quotes means the same.
    #[test]
    fn what_people_type_never_steers_a_cause(data in typed(), pick in any::<prop::sample::Index>()) {
        let quoting = quoting();
        prop_assert!(quoting.len() >= 20, "{}", quoting.len());
        let (one, quoted) = pick.get(&quoting);
        let text = one.text.replace(quoted, &format!("\"{data}\""));
        let said = Said { status_code: one.code, message: text.clone(), ..Said::default() };

        let class = classify::status(&said, request(&one.cause));

        prop_assert_eq!(class.cause, &one.cause, "{}", text);
    }

    /// Where QuickBooks marks data by nothing, it may make the cause vaguer, never another.
    #[test]
    fn data_without_quotes_never_steers_a_cause(data in typed(), pick in any::<prop::sample::Index>()) {
        let quoting = quoting();
        let (one, quoted) = pick.get(&quoting);
        let with = |data: &str| cause_of(one, &one.text.replace(quoted, data), data);

        let cause = with(&data);

        let mark = one.text.to_lowercase().find("quickbooks error message");
        let head = one.text[..mark.unwrap_or(one.text.len())].replace(quoted, "Zq");
        let vaguer = [with("Zq"), cause_of(one, &head, ""), cause_of(one, "", "")];
        // With quotes of its own it may look as if QuickBooks had quoted it.
        let allowed = [&one.cause, vaguer[0], vaguer[1], vaguer[2]];
        prop_assert!(allowed.contains(&cause), "{} of {:?}\n{} {}", cause, allowed, one.text, data);
    }
}
