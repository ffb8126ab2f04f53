//! Payments, and what they are for.

use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use serde_json::json;

use super::Run;
use super::invoice;
use super::office;
use super::payment;
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

pub(super) async fn an_invoice_that_was_moved_names_both_customers(run: &Run) {
    let mut office = with_invoice().await;
    let move_to = |office: &mut Office, customer: &str| {
        let elements = format!("<CustomerRef><FullName>{customer}</FullName></CustomerRef>");
        office.change("Invoice", "1001", &elements);
    };
    move_to(&mut office, "Brown");

    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);

    run.tells(&office, "ReceivePayment/1").await;
    move_to(&mut office, "Jones");
    office.act("ReceivePayment/1", Action::Retry).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}

pub(super) async fn a_payment_that_is_there_is_bypassed_with_its_id(run: &Run) {
    let mut office = with_invoice().await;
    let there = pay_by_hand(&mut office);

    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);

    let record = run.tells(&office, "ReceivePayment/1").await;
    assert_eq!(record.findings[0].candidates[0].amount.as_deref(), Some("100.00"));
    run.press(&office, "ReceivePayment/1").await;
    let record = office.record("ReceivePayment/1").await;
    assert_eq!(record.status, Status::Bypassed);
    assert_eq!(record.reference.unwrap().id, there);
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

pub(super) async fn a_paid_invoice_takes_the_payment_once_it_is_open_again(run: &Run) {
    let mut office = with_invoice().await;
    let there = pay_by_hand(&mut office);
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);
    run.tells(&office, "ReceivePayment/1").await;

    office.person(&format!(
        "<TxnDelRq requestID=\"1\"><TxnDelType>ReceivePayment</TxnDelType><TxnID>{there}</TxnID>\
         </TxnDelRq>"
    ));
    run.press(&office, "ReceivePayment/1").await;
    office.poll(&[]);

    synced(&office.record("ReceivePayment/1").await);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

pub(super) async fn a_payment_of_another_customer_is_kept_back(run: &Run) {
    let mut office = with_invoice().await;

    office.push("ReceivePayment/1", payment("Customer/2", "Invoice/1", "100.00")).await;

    run.tells(&office, "ReceivePayment/1").await;
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "100.00")).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}

pub(super) async fn a_payment_that_is_not_posted_is_held(run: &Run) {
    let mut office = with_invoice().await;
    let data = payment("Customer/1", "Invoice/1", "100.00");

    office.push_with("ReceivePayment/1", data, false, OnDuplicate::Fail).await;

    run.tells(&office, "ReceivePayment/1").await;
    office.poll(&[]);
    assert!(office.in_quickbooks("ReceivePayment").is_empty());
    office.act("ReceivePayment/1", Action::Release).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
}

pub(super) async fn a_payment_of_another_program_is_shown(run: &Run) {
    let mut office = with_invoice().await;
    let there = pay_by_hand(&mut office);

    // Without what it pays, QuickBooks would take it as money on account.
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "60.00")).await;
    office.poll(&[]);

    let record = run.tells(&office, "ReceivePayment/1").await;
    let candidate = &record.findings[0].candidates[0];
    assert_eq!((candidate.id.as_str(), candidate.name.as_str()), (there.as_str(), "C-9"));
    run.press(&office, "ReceivePayment/1").await;
    assert_eq!(office.record("ReceivePayment/1").await.status, Status::Bypassed);
    assert_eq!(office.in_quickbooks("ReceivePayment").len(), 1);
}

/// The application reckons with 8 % of sales tax, and QuickBooks with 7.
pub(super) async fn a_payment_of_too_much_says_what_is_open(run: &Run) {
    let mut office = office().await;
    office.connector.quickbooks().set("feature:SalesTax", "on").unwrap();
    office.person(
        "<ItemSalesTaxAddRq requestID=\"1\"><ItemSalesTaxAdd><Name>State</Name><TaxRate>7</TaxRate>\
         <TaxVendorRef><FullName>Paper Ltd</FullName></TaxVendorRef></ItemSalesTaxAdd>\
         </ItemSalesTaxAddRq>",
    );
    with_customer(&mut office).await;
    let mut data = invoice("Customer/1", "1001");
    data["ItemSalesTaxRef"] = json!({"FullName": "State"});
    data["InvoiceLine"][0]["SalesTaxCodeRef"] = json!({"FullName": "Tax"});
    office.push("Invoice/1", data).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.told("Invoice", "1001", "SalesTaxTotal"), "7.00");

    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "108.00")).await;
    office.poll(&[]);

    let record = run.tells(&office, "ReceivePayment/1").await;
    assert_eq!(record.findings[0].cause, "more_than_due");
    office.push("ReceivePayment/1", payment("Customer/1", "Invoice/1", "107.00")).await;
    office.poll(&[]);
    synced(&office.record("ReceivePayment/1").await);
    assert_eq!(office.told("Invoice", "1001", "BalanceRemaining"), "0.00");
}
