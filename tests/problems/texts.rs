//! Texts that are too long, missing, or of characters that QuickBooks does not store.

use bookbridge::domain::outcome::Code;
use bookbridge::engine::Pressed;
use serde_json::json;

use super::invoice;
use super::office;
use super::says;
use super::synced;
use super::with_customer;

const LONG: &str = "The very long name of a customer that nobody can shorten";

pub(super) async fn a_long_name_is_shortened() {
    let mut office = office().await;
    let first = office.push("Customer/1", json!({ "Name": LONG })).await;
    office.push("Customer/2", json!({ "Name": format!("{LONG} again") })).await;

    let told = says(&first, Code::StringTooLong);
    assert!(told.contains("41") && told.contains(&LONG.len().to_string()), "{told}");
    office.press("Customer/1", "shorten").await;
    office.poll(&[]);
    office.press("Customer/2", "shorten").await;
    office.poll(&[]);

    synced(&office.record("Customer/1").await);
    synced(&office.record("Customer/2").await);
    let names = office.in_quickbooks("Customer");
    assert!(names.len() == 2 && names[0] != names[1], "{names:?}");
    assert!(names.iter().all(|name| name.chars().count() <= 41), "{names:?}");
    assert_eq!(office.record("Customer/1").await.data["Name"], LONG);
}

pub(super) async fn missing_fields_are_named_at_once() {
    let mut office = office().await;
    let data = json!({"TxnDate": "2026-03-02"});

    let kept = office.push("Invoice/1", data).await;

    says(&kept, Code::MissingField);
    assert!(kept.findings.len() >= 2, "{:?}", kept.findings);
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
}

pub(super) async fn special_characters_go_and_a_colon_becomes_a_dash() {
    let mut office = office().await;
    office.push("Customer/1", json!({"Name": "Müller & Sons #1 / \"A\" <b>"})).await;
    office.push("Customer/2", json!({"Name": "Smith: Site A"})).await;
    office.push("Customer/3", json!({"Name": "Tokyo 東京 Ltd"})).await;
    office.poll(&[]);

    synced(&office.record("Customer/1").await);
    for path in ["Customer/2", "Customer/3"] {
        says(&office.record(path).await, Code::InvalidCharacters);
        office.press(path, "replace-characters").await;
    }
    office.poll(&[]);

    assert_eq!(
        office.in_quickbooks("Customer"),
        ["Müller & Sons #1 / \"A\" <b>", "Smith - Site A", "Tokyo Ltd"]
    );
}

pub(super) async fn a_long_line_inside_is_shortened() {
    let mut office = office().await;
    let data = json!({
        "Name": "Jones",
        "BillAddress": {"Addr1": "c/o the caretaker of the house behind the church", "City": "Bath"},
    });

    let kept = office.push("Customer/1", data).await;

    let told = says(&kept, Code::StringTooLong);
    assert!(told.contains("41"), "{told}");
    assert_eq!(kept.findings[0].pointer, "/data/BillAddress/Addr1");
    office.press("Customer/1", "shorten").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(
        office.told("Customer", "Jones", "BillAddress/Addr1"),
        "c/o the caretaker of the house behind the"
    );
}

pub(super) async fn an_invoice_number_has_eleven_characters() {
    let mut office = office().await;
    with_customer(&mut office).await;

    let kept = office.push("Invoice/1", invoice("Customer/1", "INV-2026-000042")).await;

    let told = says(&kept, Code::StringTooLong);
    assert!(told.contains("11") && told.contains("15"), "{told}");
    let pressed = Pressed {
        id: "shorten".to_owned(),
        value: Some("26-000042".to_owned()),
        ..Pressed::default()
    };
    office.press_as("Invoice/1", pressed).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["26-000042"]);
}
