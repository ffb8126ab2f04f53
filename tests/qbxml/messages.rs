//! Every message of QuickBooks that is known from the field finds its cause.

use std::collections::BTreeMap;

use bookbridge::domain::outcome::Said;
use bookbridge::qbxml::classify;
use serde::Deserialize;

#[derive(Deserialize)]
struct Message {
    code: Option<i32>,
    hresult: Option<String>,
    #[serde(rename = "message")]
    text: String,
    cause: String,
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
