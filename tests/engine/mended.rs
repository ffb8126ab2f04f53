//! Fixes that change something else in QuickBooks: what they say when they do not come about, and
//! where they are not offered because nobody can do them from outside.

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::EngineError;
use bookbridge::engine::Pressed;
use serde_json::Value;
use serde_json::json;

use super::bench::actor;
use crate::support::office::Office;

fn invoice(item: &str) -> Value {
    json!({
        "CustomerRef": {"FullName": "Jones"}, "TxnDate": "2026-03-02", "RefNumber": "1",
        "InvoiceLine": [{"ItemRef": {"FullName": item}, "Quantity": "1", "Rate": "50.00"}],
    })
}

/// An office with a customer and a service that is not active any more.
async fn office() -> Office {
    let mut office = Office::open().await;
    office.person(
        "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>Jones</Name></CustomerAdd></CustomerAddRq>",
    );
    office.person(
        "<ItemServiceAddRq requestID=\"1\"><ItemServiceAdd><Name>Labor</Name><IsActive>false\
         </IsActive><SalesOrPurchase><Price>50.00</Price><AccountRef><FullName>Services</FullName>\
         </AccountRef></SalesOrPurchase></ItemServiceAdd></ItemServiceAddRq>",
    );
    office
}

/// The record failed of this; its diagnosis, and the last line of its history.
#[track_caller]
fn failed(record: &Record, code: Code) -> (String, &str) {
    assert_eq!(record.status, Status::Failed);
    assert_eq!(record.findings[0].code, code, "{:?}", record.findings);
    assert_eq!(record.asked, None);
    (diagnosis::render(&record.findings[0]).detail, &record.timeline.last().unwrap().note)
}

#[actix_web::test]
async fn what_quickbooks_does_not_let_be_made_active_says_why() {
    let mut office = office().await;
    office.push("Invoice/1", invoice("Labor")).await;
    office.poll(&[]);
    let (before, _) = failed(&office.record("Invoice/1").await, Code::InactiveReference);
    let said = "The QuickBooks user of this connection is not allowed to do this. Ask the QuickBooks \
                administrator";

    for _ in 0..2 {
        office.press("Invoice/1", "reactivate").await;
        office.poll(&["forbidden:ItemService"]);

        let record = office.record("Invoice/1").await;
        let (detail, note) = failed(&record, Code::InactiveReference);
        let tried = "Bookbridge tried to make it active in QuickBooks, and could not:";
        assert_eq!(detail, format!("{before} {tried} {said}."));
        assert_eq!(note, format!("what it needs could not be made active: {said}"));
    }

    office.press("Invoice/1", "reactivate").await;
    office.poll(&[]);
    let record = office.record("Invoice/1").await;
    assert_eq!((record.status, record.findings.len()), (Status::Synced, 0));
}

#[actix_web::test]
async fn what_cannot_be_made_says_why() {
    let mut office = office().await;
    let mut data = invoice("Labor");
    data["ClassRef"] = json!({"FullName": "Main:Sub"});
    office.push("Invoice/1", data).await;
    office.poll(&[]);
    failed(&office.record("Invoice/1").await, Code::ReferenceNotFound);

    office.press("Invoice/1", "create-missing").await;
    office.poll(&[]);

    let record = office.record("Invoice/1").await;
    let (detail, note) = failed(&record, Code::ReferenceNotFound);
    let tried =
        "Bookbridge tried to make it in QuickBooks, and could not: QuickBooks does not find";
    assert!(detail.contains(tried) && detail.contains("“Main”"), "{detail}");
    assert!(
        note.starts_with("what it needs could not be made: QuickBooks does not find"),
        "{note}"
    );
}

#[actix_web::test]
async fn what_no_program_makes_active_is_left_to_a_person() {
    let mut office = office().await;
    for (kind, of) in [("StandardTerms", "Terms"), ("PaymentMethod", "PreferredPaymentMethod")] {
        office.person(&format!(
            "<{kind}AddRq requestID=\"1\"><{kind}Add><Name>Old {kind}</Name><IsActive>false</IsActive>\
             </{kind}Add></{kind}AddRq>"
        ));
        let path = format!("Customer/{of}");
        let mut data = json!({"Name": format!("Of {of}")});
        data[format!("{of}Ref")] = json!({"FullName": format!("Old {kind}")});
        office.push(&path, data).await;
        office.poll(&[]);

        let record = office.record(&path).await;
        failed(&record, Code::InactiveReference);
        let fixes = diagnosis::render(&record.findings[0]).fixes;
        let by_hand = fixes.iter().find(|it| it.id == "make-active").unwrap();
        assert!(by_hand.how.as_ref().unwrap().contains("Lists > Customer & Vendor Profile Lists"));
        assert!(fixes.iter().all(|it| it.id != "reactivate"), "{fixes:?}");
        let pressed = Pressed { id: "reactivate".to_owned(), ..Pressed::default() };
        let foretold = office.engine.preview(&record.key, &pressed).await.map(drop);
        let done = office.engine.act(&record.key, Action::Fix(pressed), &actor()).await.map(drop);
        for refused in [foretold, done] {
            let said =
                matches!(&refused, Err(EngineError::NotNow(why)) if why.contains("no program"));
            assert!(said, "{refused:?}");
        }
    }
}
