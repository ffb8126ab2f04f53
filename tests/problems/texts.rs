//! Texts that are too long, missing, or of characters that QuickBooks does not store.

use bookbridge::domain::outcome::Code;
use serde_json::json;

use super::Run;
use super::invoice;
use super::office;
use super::says;
use super::synced;
use super::with_customer;

const LONG: &str = "The very long name of a customer that nobody can shorten";

pub(super) async fn a_long_name_is_shortened(run: &Run) {
    let mut office = office().await;
    office.push("Customer/1", json!({ "Name": LONG })).await;
    office.push("Customer/2", json!({ "Name": format!("{LONG} again") })).await;

    run.tells(&office, "Customer/1").await;
    run.press(&office, "Customer/1").await;
    office.poll(&[]);
    run.press(&office, "Customer/2").await;
    office.poll(&[]);

    synced(&office.record("Customer/1").await);
    synced(&office.record("Customer/2").await);
    let names = office.in_quickbooks("Customer");
    assert!(names.len() == 2 && names[0] != names[1], "{names:?}");
    assert!(names.iter().all(|name| name.chars().count() <= 41), "{names:?}");
    assert_eq!(office.record("Customer/1").await.data["Name"], LONG);
}

pub(super) async fn missing_fields_are_named_at_once(run: &Run) {
    let mut office = office().await;
    let data = json!({"TxnDate": "2026-03-02"});

    office.push("Invoice/1", data).await;

    let kept = run.tells(&office, "Invoice/1").await;
    assert!(kept.findings.len() >= 2, "{:?}", kept.findings);
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
}

pub(super) async fn special_characters_go_and_a_colon_becomes_a_dash(run: &Run) {
    let mut office = office().await;
    office.push("Customer/1", json!({"Name": "Müller & Sons #1 / \"A\" <b>"})).await;
    office.push("Customer/2", json!({"Name": "Smith: Site A"})).await;
    office.push("Customer/3", json!({"Name": "Tokyo 東京 Ltd"})).await;
    office.poll(&[]);

    synced(&office.record("Customer/1").await);
    run.tells(&office, "Customer/2").await;
    let told = says(&office.record("Customer/3").await, Code::InvalidCharacters);
    assert!(told.contains("東"), "{told}");
    for path in ["Customer/2", "Customer/3"] {
        run.press(&office, path).await;
    }
    office.poll(&[]);

    assert_eq!(
        office.in_quickbooks("Customer"),
        ["Müller & Sons #1 / \"A\" <b>", "Smith - Site A", "Tokyo Ltd"]
    );
}

pub(super) async fn a_long_line_inside_is_shortened(run: &Run) {
    let mut office = office().await;
    let data = json!({
        "Name": "Jones",
        "BillAddress": {"Addr1": "c/o the caretaker of the house behind the church", "City": "Bath"},
    });

    office.push("Customer/1", data).await;

    let kept = run.tells(&office, "Customer/1").await;
    assert_eq!(kept.findings[0].pointer, "/data/BillAddress/Addr1");
    run.press(&office, "Customer/1").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(
        office.told("Customer", "Jones", "BillAddress/Addr1"),
        "c/o the caretaker of the house behind the"
    );
}

pub(super) async fn an_invoice_number_has_eleven_characters(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;

    office.push("Invoice/1", invoice("Customer/1", "INV-2026-000042")).await;

    run.tells(&office, "Invoice/1").await;
    run.press_as(&office, "Invoice/1", Some("26-000042")).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["26-000042"]);
}
