//! What is offered against a problem, and what comes of it when it is pressed.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::BulkAction;
use bookbridge::engine::EngineError;
use bookbridge::engine::Pressed;
use bookbridge::store::RecordFilter;
use serde_json::json;

use super::bench::actor;
use super::knowledge::failed;
use super::knowledge::invoice;
use super::knowledge::offers;
use super::knowledge::office_with_mirror;
use super::knowledge::synced;

#[actix_web::test]
async fn a_bypass_takes_nothing_for_the_record_that_is_something_else() {
    let mut office = office_with_mirror().await;
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    office.poll(&[]);
    let own = office.record("Customer/1").await.reference.unwrap().id;
    let stands_at = |record: &Record| record.reference.as_ref().map(|it| it.id.clone());

    // The name of another one.
    office.push("Customer/1", json!({"Name": "Jones"})).await;
    office.press("Customer/1", "bypass").await;
    let bypassed = office.record("Customer/1").await;
    assert_eq!((bypassed.status, stands_at(&bypassed)), (Status::Bypassed, Some(own)));
    // A parent that is spelt otherwise.
    let job = json!({"Name": "Kitchen", "ParentRef": {"FullName": "Jonse"}});
    failed(&office.push("Customer/2", job).await, Code::ReferenceNotFound, "not_in_any_list");
    office.press("Customer/2", "bypass").await;
    assert_eq!(stands_at(&office.record("Customer/2").await), None);
    // Its own twin, entered by hand, is taken.
    office.person(
        "<InvoiceAddRq requestID=\"1\"><InvoiceAdd><CustomerRef><FullName>Jones</FullName>\
         </CustomerRef><RefNumber>500</RefNumber><InvoiceLineAdd><ItemRef><FullName>Labor\
         </FullName></ItemRef></InvoiceLineAdd></InvoiceAdd></InvoiceAddRq>",
    );
    office.hands.pass(3700);
    office.poll(&[]);
    let twin = office.push("Invoice/1", invoice("500")).await;
    failed(&twin, Code::DuplicateRefNumber, "");
    let id = twin.findings[0].candidates[0].id.clone();
    office.press("Invoice/1", "bypass").await;
    assert_eq!(stands_at(&office.record("Invoice/1").await), Some(id));
}

#[actix_web::test]
async fn reactivated_twice_both_records_go() {
    let mut office = office_with_mirror().await;
    office.set_active("ItemService", "Labor", false);
    office.hands.pass(3700);
    office.poll(&[]);
    for (path, number) in [("Invoice/1", "71"), ("Invoice/2", "72")] {
        failed(&office.push(path, invoice(number)).await, Code::InactiveReference, "");
        office.press(path, "reactivate").await;
    }
    let filter = RecordFilter { status: Some(Status::Failed), ..RecordFilter::default() };
    let press = Pressed { id: "reactivate".to_owned(), ..Pressed::default() };
    let again = BulkAction::Fix(press);
    let count = office.engine.act_on_all(&office.id, &filter, again, "", true, &actor()).await;
    assert_eq!(count.unwrap(), 0, "it is on its way");
    office.poll(&[]);
    office.poll(&[]);

    for path in ["Invoice/1", "Invoice/2"] {
        synced(&office.record(path).await);
    }
}

#[actix_web::test]
async fn a_date_that_is_moved_does_not_help_what_stands_in_a_closed_period() {
    let mut office = office_with_mirror().await;
    office.push("Invoice/1", invoice("71")).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    let mut later = invoice("71");
    later["TxnDate"] = json!("2026-03-28");
    office.poll(&["closing-date:2026-03-10"]);
    office.push("Invoice/1", later).await;
    office.poll(&["closing-date:2026-03-10"]);

    let record = office.record("Invoice/1").await;
    failed(&record, Code::ClosedPeriod, "closed_there");
    assert!(!offers(&record, "move-date") && offers(&record, "open-period"));
    office.act("Invoice/1", Action::Retry).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
}

#[actix_web::test]
async fn what_a_person_types_is_looked_at_before_it_is_done() {
    let mut office = office_with_mirror().await;
    // With nothing to do, the Web Connector tells nothing.
    office.push("Customer/2", json!({"Name": "Smith"})).await;
    office.poll(&["closing-date:2026-03-10"]);
    let typed = |id: &str, value: &str| Pressed {
        id: id.to_owned(),
        value: Some(value.to_owned()),
        ..Pressed::default()
    };
    let closed = office.push("Invoice/1", invoice("71")).await;
    failed(&closed, Code::ClosedPeriod, "");
    let name = office.push("Customer/1", json!({"Name": "Jones"})).await;

    for (key, pressed) in [
        (&closed.key, typed("move-date", "2026-03-05")),
        (&closed.key, typed("move-date", "soon")),
        (&name.key, typed("rename", "")),
        (&name.key, typed("rename", "a:b")),
        (&name.key, typed("rename", &"x".repeat(60))),
    ] {
        let shown = office.engine.preview(key, &pressed).await;
        assert!(
            matches!(&shown, Err(EngineError::BadInput { pointer, .. }) if pointer == "/value"),
            "{shown:?}"
        );
        let done = office.engine.act(key, Action::Fix(pressed.clone()), &actor()).await;
        assert!(matches!(done, Err(EngineError::BadInput { .. })), "{pressed:?}");
    }
    // Moved twice, the memo has the date that the application gave, once.
    for day in ["2026-03-11", "2026-03-20"] {
        office.press_as("Invoice/1", typed("move-date", day)).await;
        office.poll(&["closing-date:2026-03-15"]);
    }
    office.poll(&["closing-date:2026-03-15"]);
    synced(&office.record("Invoice/1").await);
    let memo = office.told("Invoice", "71", "Memo");
    assert_eq!(memo.matches("Dated").count(), 1, "{memo}");
    assert!(memo.contains("Dated 2026-03-02"), "{memo}");
}

#[actix_web::test]
async fn what_stands_second_is_fixed_as_well() {
    let mut office = office_with_mirror().await;
    let data = json!({"Name": "Jones", "TermsRef": {"FullName": "Net 74"}});
    let record = office.push("Customer/1", data).await;
    assert_eq!(record.findings.len(), 2, "{:?}", record.findings);

    office.press("Customer/1", "create-missing").await;
    office.poll(&[]);

    assert!(office.in_quickbooks("StandardTerms").contains(&"Net 74".to_owned()));
    failed(&office.record("Customer/1").await, Code::NameInUse, "name_in_use");
}

#[actix_web::test]
async fn an_undo_that_quickbooks_refuses_leaves_the_record_where_it_is() {
    let mut office = office_with_mirror().await;
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    let with = |number: &str| {
        let mut data = invoice(number);
        data["CustomerRef"] = json!({"source": "Customer/1"});
        data
    };
    office.push("Invoice/1", with("71")).await;
    office.poll(&[]);
    office.press("Customer/1", "undo").await;
    office.poll(&[]);
    office.poll(&[]);

    let kept = office.record("Customer/1").await;
    synced(&kept);
    let said = &kept.findings[0];
    assert_eq!(said.code, Code::LinkedOrInUse);
    assert_eq!(said.facts["value"], "Smith");
    assert_eq!(office.push("Invoice/2", with("72")).await.status, Status::Queued);
    office.poll(&[]);
    synced(&office.record("Invoice/2").await);
}

#[actix_web::test]
async fn what_was_told_to_be_gone_is_asked_for_before_it_is_made_anew() {
    let mut office = office_with_mirror().await;
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    office.poll(&[]);
    let id = office.delete("Customer", "Smith");
    office.push("Customer/1", json!({"Name": "Smith", "Phone": "555 0100"})).await;
    office.poll(&[]);
    failed(&office.record("Customer/1").await, Code::ObjectNotFound, "deleted_or_merged");

    // A backup may have brought it back meanwhile (simulation, seed 2687).
    office.press("Customer/1", "reset-reference").await;

    let record = office.record("Customer/1").await;
    assert_eq!((record.reference, record.former), (None, Some(id)));
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
}
