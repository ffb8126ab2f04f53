//! Payments, and what they are for.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use serde_json::json;

use super::invoice;
use super::office;
use super::payment;
use super::says;
use super::synced;
use super::with_customer;
use crate::support::office::Office;

async fn with_invoice() -> Office {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Customer/2", json!({"Name": "Brown"})).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    office
}

/// Somebody enters a payment of all that is open; its TxnID.
fn pay_by_hand(office: &mut Office) -> String {
    let (id, _) = office.object("Invoice", "1001");
    let answer = office.person(&format!(
        "<ReceivePaymentAddRq requestID=\"1\"><ReceivePaymentAdd><CustomerRef><FullName>Jones\
         </FullName></CustomerRef><RefNumber>C-9</RefNumber><TotalAmount>100.00</TotalAmount>\
         <AppliedToTxnAdd><TxnID>{id}</TxnID><PaymentAmount>100.00</PaymentAmount>\
         </AppliedToTxnAdd></ReceivePaymentAdd></ReceivePaymentAddRq>"
    ));
    answer.split("<TxnID>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

pub(super) async fn an_invoice_that_was_moved_names_both_customers() {
    let mut office = with_invoice().await;
    let move_to = |office: &mut Office, customer: &str| {
        let (id, sequence) = office.object("Invoice", "1001");
        office.person(&format!(
            "<InvoiceModRq requestID=\"1\"><InvoiceMod><TxnID>{id}</TxnID><EditSequence>{sequence}\
             </EditSequence><CustomerRef><FullName>{customer}</FullName></CustomerRef></InvoiceMod>\
             </InvoiceModRq>"
        ));
    };
    move_to(&mut office, "Brown");

    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);

    let told = says(&office.record("ReceivePayment/1").await, Code::CustomerMismatch);
    assert!(told.contains("Jones") && told.contains("Brown"), "{told}");
    move_to(&mut office, "Jones");
    office.act("ReceivePayment/1", Action::Retry).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}

pub(super) async fn a_payment_that_is_there_is_bypassed_with_its_id() {
    let mut office = with_invoice().await;
    let there = pay_by_hand(&mut office);

    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);

    let record = office.record("ReceivePayment/1").await;
    says(&record, Code::AlreadyPaid);
    assert_eq!(record.findings[0].candidates[0].amount.as_deref(), Some("100.00"));
    office.press("ReceivePayment/1", "bypass").await;
    let record = office.record("ReceivePayment/1").await;
    assert_eq!(record.status, Status::Bypassed);
    assert_eq!(record.reference.unwrap().id, there);
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

pub(super) async fn a_paid_invoice_takes_the_payment_once_it_is_open_again() {
    let mut office = with_invoice().await;
    let there = pay_by_hand(&mut office);
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);
    says(&office.record("ReceivePayment/1").await, Code::AlreadyPaid);

    office.person(&format!(
        "<TxnDelRq requestID=\"1\"><TxnDelType>ReceivePayment</TxnDelType><TxnID>{there}</TxnID>\
         </TxnDelRq>"
    ));
    office.press("ReceivePayment/1", "retry").await;
    office.poll(&[]);

    synced(&office.record("ReceivePayment/1").await);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

pub(super) async fn a_payment_of_another_customer_is_kept_back() {
    let mut office = with_invoice().await;

    let kept = office.push("ReceivePayment/1", payment("Customer/2", "Invoice/1", "100.00")).await;

    let told = says(&kept, Code::CustomerMismatch);
    assert!(told.contains("Jones") && told.contains("Brown"), "{told}");
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}

pub(super) async fn a_payment_that_is_not_posted_is_held() {
    let mut office = with_invoice().await;
    let data = payment("Customer/1", "Invoice/1", "100.00");

    let held = office.push_with("ReceivePayment/1", data, false, OnDuplicate::Fail).await;

    assert_eq!(held.status, Status::Held);
    office.poll(&[]);
    assert!(office.in_quickbooks("ReceivePayment").is_empty());
    office.act("ReceivePayment/1", Action::Release).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}

pub(super) async fn a_payment_of_another_program_is_shown() {
    let mut office = with_invoice().await;
    let there = pay_by_hand(&mut office);

    // Without what it pays, QuickBooks would take it as money on account.
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "60.00")).await;
    office.poll(&[]);

    let record = office.record("ReceivePayment/1").await;
    says(&record, Code::AlreadyPaid);
    let candidate = &record.findings[0].candidates[0];
    assert_eq!((candidate.id.as_str(), candidate.name.as_str()), (there.as_str(), "C-9"));
    office.press("ReceivePayment/1", "bypass").await;
    assert_eq!(office.record("ReceivePayment/1").await.status, Status::Bypassed);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

pub(super) async fn a_payment_of_too_much_says_what_is_open() {
    let mut office = with_invoice().await;

    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "108.00")).await;
    office.poll(&[]);

    let record = office.record("ReceivePayment/1").await;
    let told = says(&record, Code::AlreadyPaid);
    assert!(told.contains("108.00") && told.contains("100.00"), "{told}");
    assert_eq!(record.findings[0].cause, "more_than_due");
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}
