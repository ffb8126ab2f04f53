//! Payments of what is paid already, as the mirror knows before QuickBooks is asked: the payment that
//! is there is found all the same.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::NewConnection;
use serde_json::Value;
use serde_json::json;

use crate::support::office::Office;

fn payment(amount: &str) -> Value {
    json!({
        "CustomerRef": {"FullName": "Jones"}, "TxnDate": "2026-03-02", "TotalAmount": amount,
        "AppliedToTxn": [{"TxnID": {"source": "Invoice/1"}, "PaymentAmount": amount}],
    })
}

/// An office whose mirror knows that an invoice of 100.00 is paid, by hand, with this; the TxnID of
/// that payment.
async fn office_with_paid_invoice(amount: &str) -> (Office, String) {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    office.sells_labor();
    office.knows("Customer", "Jones");
    office.poll(&[]);
    let invoice = json!({
        "CustomerRef": {"FullName": "Jones"}, "TxnDate": "2026-03-02", "RefNumber": "1001",
        "InvoiceLine": [{"ItemRef": {"FullName": "Labor"}, "Quantity": "2", "Rate": "50.00"}],
    });
    office.push("Invoice/1", invoice).await;
    office.poll(&[]);
    let (invoice, _) = office.object("Invoice", "1001");
    let answer = office.person(&format!(
        "<ReceivePaymentAddRq requestID=\"1\"><ReceivePaymentAdd><CustomerRef><FullName>Jones\
         </FullName></CustomerRef><RefNumber>C-9</RefNumber><TotalAmount>{amount}</TotalAmount>\
         <AppliedToTxnAdd><TxnID>{invoice}</TxnID><PaymentAmount>{amount}</PaymentAmount>\
         </AppliedToTxnAdd></ReceivePaymentAdd></ReceivePaymentAddRq>"
    ));
    office.hands.pass(2 * 3600);
    office.poll(&[]);
    let there = answer.split("<TxnID>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    (office, there)
}

#[track_caller]
fn kept_back(record: &Record, cause: &str) {
    assert_eq!(record.status, Status::Failed, "{:?}", record.findings);
    let finding = &record.findings[0];
    assert_eq!((finding.code, finding.cause.as_str()), (Code::AlreadyPaid, cause));
    assert!(finding.said.is_none(), "QuickBooks was not given it");
}

async fn waiting(office: &Office) -> u64 {
    office.engine.store().counts(&office.id).await.unwrap().requests_queued
}

#[actix_web::test]
async fn a_payment_that_the_mirror_keeps_back_is_bypassed_with_the_one_that_is_there() {
    let (mut office, there) = office_with_paid_invoice("100.00").await;
    kept_back(&office.push("ReceivePayment/1", payment("100.00")).await, "paid_in_full");
    assert_eq!(waiting(&office).await, 1);

    // It is looked at again before the answer, and after it: it is asked once, and what was told stands.
    let mut data = payment("100.00");
    data["Memo"] = json!("again");
    kept_back(&office.push("ReceivePayment/1", data.clone()).await, "paid_in_full");
    assert_eq!(waiting(&office).await, 1);
    office.hands.pass(60);
    office.poll(&[]);
    data["Memo"] = json!("and again");
    kept_back(&office.push("ReceivePayment/1", data).await, "paid_in_full");
    assert_eq!(waiting(&office).await, 0);

    let shown = office.record("ReceivePayment/1").await.findings.remove(0).candidates;
    let shown: Vec<_> = shown.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
    assert_eq!(shown, [(there.as_str(), "C-9")]);
    office.press("ReceivePayment/1", "bypass").await;
    let record = office.record("ReceivePayment/1").await;
    assert_eq!((record.status, record.reference.unwrap().id), (Status::Bypassed, there));
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

#[actix_web::test]
async fn a_payment_of_more_than_is_due_shows_the_payment_that_is_there() {
    let (mut office, there) = office_with_paid_invoice("60.00").await;
    kept_back(&office.push("ReceivePayment/1", payment("50.00")).await, "more_than_due");

    office.poll(&[]);

    let record = office.record("ReceivePayment/1").await;
    kept_back(&record, "more_than_due");
    assert_eq!(record.findings[0].facts["value"], "50.00");
    assert_eq!(record.findings[0].facts["due"], "40.00");
    assert_eq!(record.findings[0].candidates[0].id, there);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

#[actix_web::test]
async fn a_payment_goes_where_the_mirror_was_behind() {
    let (mut office, there) = office_with_paid_invoice("100.00").await;
    kept_back(&office.push("ReceivePayment/1", payment("100.00")).await, "paid_in_full");
    office.person(&format!(
        "<TxnDelRq requestID=\"1\"><TxnDelType>ReceivePayment</TxnDelType><TxnID>{there}</TxnID>\
         </TxnDelRq>"
    ));

    office.poll(&[]);

    let record = office.record("ReceivePayment/1").await;
    assert_eq!(record.status, Status::Synced, "{:?}", record.findings);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}
