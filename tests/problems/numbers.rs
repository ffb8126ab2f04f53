//! Numbers that are used, and entries that are there already.

use serde_json::json;

use super::Run;
use super::invoice;
use super::office;
use super::office_with_mirror;
use super::synced;
use super::with_customer;

pub(super) async fn a_bill_number_of_the_same_vendor_gets_a_suffix(run: &Run) {
    let mut office = office().await;
    let bill = |vendor: &str| {
        json!({
            "VendorRef": {"FullName": vendor}, "RefNumber": "D-77", "TxnDate": "2026-03-02",
            "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}],
        })
    };
    office.push("Bill/1", bill("Paper Ltd")).await;
    office.poll(&[]);

    office.push("Bill/2", bill("Paper Ltd")).await;

    run.tells(&office, "Bill/2").await;
    run.press(&office, "Bill/2").await;
    office.poll(&[]);
    synced(&office.record("Bill/2").await);
    assert_eq!(office.in_quickbooks("Bill"), ["D-77", "D-77-2"]);
}

pub(super) async fn a_number_that_is_used_waits_for_a_decision(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    let memo = json!({
        "CustomerRef": {"source": "Customer/1"}, "RefNumber": "1001",
        "CreditMemoLine": [{"ItemRef": {"FullName": "Labor"}, "Quantity": "1", "Rate": "5.00"}],
    });
    office.push("CreditMemo/1", memo).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;

    office.push("Invoice/2", invoice("Customer/1", "1001")).await;
    run.tells(&office, "Invoice/2").await;
    office.poll(&[]);

    // The number of a credit memo is another number.
    synced(&office.record("CreditMemo/1").await);
    synced(&office.record("Invoice/1").await);
    run.press(&office, "Invoice/2").await;
    office.poll(&[]);
    synced(&office.record("Invoice/2").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["1001", "1001"]);
}

pub(super) async fn an_equal_invoice_by_hand_is_linked(run: &Run) {
    let mut office = office_with_mirror().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    office.person(
        "<InvoiceAddRq requestID=\"1\"><InvoiceAdd><CustomerRef><FullName>Jones</FullName>\
         </CustomerRef><TxnDate>2026-03-02</TxnDate><RefNumber>77</RefNumber><InvoiceLineAdd>\
         <ItemRef><FullName>Labor</FullName></ItemRef><Quantity>2</Quantity><Rate>50</Rate>\
         </InvoiceLineAdd></InvoiceAdd></InvoiceAddRq>",
    );
    office.hands.pass(3601);
    office.poll(&[]);

    office.push("Invoice/1", invoice("Customer/1", "1001")).await;

    run.tells(&office, "Invoice/1").await;
    run.press(&office, "Invoice/1").await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["77"]);
}
