//! What was changed, deleted, or closed in QuickBooks meanwhile.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action;
use serde_json::json;

use super::Run;
use super::invoice;
use super::office;
use super::says;
use super::synced;
use super::with_customer;

pub(super) async fn an_invoice_that_was_deleted_is_made_again(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    office.delete("Invoice", "1001");
    let mut changed = invoice("Customer/1", "1001");
    changed["Memo"] = json!("changed");

    office.push("Invoice/1", changed).await;
    office.poll(&[]);

    run.tells(&office, "Invoice/1").await;
    run.press(&office, "Invoice/1").await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["1001"]);
}

pub(super) async fn a_receipt_that_comes_back_is_a_new_one(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    let receipt = json!({
        "CustomerRef": {"source": "Customer/1"}, "RefNumber": "R-1",
        "SalesReceiptLine": [{"ItemRef": {"FullName": "Labor"}, "Quantity": "1", "Rate": "5.00"}],
    });
    office.push("SalesReceipt/1", receipt.clone()).await;
    office.poll(&[]);
    let first = office.record("SalesReceipt/1").await.reference.unwrap().id;

    office.act("SalesReceipt/1", Action::Withdraw(Wanted::Deleted)).await;
    office.poll(&[]);
    assert_eq!(office.record("SalesReceipt/1").await.status, Status::Withdrawn);
    office.push("SalesReceipt/1", receipt).await;
    office.poll(&[]);

    let second = run.tells(&office, "SalesReceipt/1").await;
    assert_ne!(second.reference.unwrap().id, first);
    assert_eq!(office.in_quickbooks("SalesReceipt"), ["R-1"]);
}

pub(super) async fn a_closed_period_moves_the_date(run: &Run) {
    let mut office = office().await;
    office.connector.quickbooks().set("ClosingDate", "2026-02-28").unwrap();
    with_customer(&mut office).await;
    office.poll(&[]);
    let mut old = invoice("Customer/1", "1001");
    old["TxnDate"] = json!("2026-02-15");

    office.push("Invoice/1", old).await;

    run.tells(&office, "Invoice/1").await;
    run.press(&office, "Invoice/1").await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.told("Invoice", "1001", "TxnDate"), "2026-03-01");
    assert!(office.told("Invoice", "1001", "Memo").contains("2026-02-15"));
    assert_eq!(office.record("Invoice/1").await.data["TxnDate"], "2026-02-15");
}

pub(super) async fn what_is_deleted_here_is_deleted_there(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.push("Invoice/2", invoice("Customer/1", "1002")).await;
    office.push("Invoice/3", invoice("Customer/1", "1003")).await;
    office.poll(&[]);
    office.delete("Invoice", "1002");

    office.act("Invoice/1", Action::Withdraw(Wanted::Deleted)).await;
    office.act("Invoice/2", Action::Withdraw(Wanted::Deleted)).await;
    office.act("Invoice/3", Action::Withdraw(Wanted::Voided)).await;
    office.poll(&[]);

    for path in ["Invoice/1", "Invoice/2", "Invoice/3"] {
        run.tells(&office, path).await;
    }
    assert_eq!(office.in_quickbooks("Invoice"), ["1003"]);
    assert!(office.told("Invoice", "1003", "Memo").starts_with("VOID:"));
}

/// Not a row of the table: nobody wrote about it, because elsewhere it makes a second one.
#[actix_web::test]
async fn an_id_that_is_reset_for_nothing_makes_no_second_one() {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    let (id, _) = office.object("Invoice", "1001");

    office.act("Invoice/1", Action::ResetReference).await;
    let reset = office.record("Invoice/1").await;
    assert_eq!((reset.status, &reset.reference), (Status::Queued, &None));
    office.poll(&[]);

    let kept = office.record("Invoice/1").await;
    let told = says(&kept, Code::PossibleDuplicate);
    assert!(told.contains("1001"), "{told}");
    assert_eq!((kept.findings[0].candidates.len(), &kept.findings[0].candidates[0].id), (1, &id));
    assert_eq!(office.in_quickbooks("Invoice"), ["1001"]);
    office.act("Invoice/1", Action::Retry).await;
    office.poll(&[]);
    says(&office.record("Invoice/1").await, Code::PossibleDuplicate);
    assert_eq!(office.in_quickbooks("Invoice"), ["1001"]);
    office.press("Invoice/1", "link").await;
    office.poll(&[]);
    let linked = office.record("Invoice/1").await;
    assert_eq!((linked.status, linked.reference.unwrap().id), (Status::Synced, id));

    // Who wants a second one has it; what is gone is made anew without a word.
    office.act("Invoice/1", Action::ResetReference).await;
    office.poll(&[]);
    office.press("Invoice/1", "send-anyway").await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["1001", "1001"]);
    let mut other = invoice("Customer/1", "2002");
    other["InvoiceLine"][0]["Quantity"] = json!("7");
    office.push("Invoice/2", other).await;
    office.poll(&[]);
    office.delete("Invoice", "2002");
    office.act("Invoice/2", Action::ResetReference).await;
    office.poll(&[]);
    synced(&office.record("Invoice/2").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["1001", "1001", "2002"]);
}
