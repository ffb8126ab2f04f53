//! The same changed in QuickBooks and in the application: a person chooses, and nobody's work is
//! written over without a word.

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

#[track_caller]
fn synced(record: &Record) {
    let shown = format!("{}: {:?} {:?}", record.key, record.findings, record.timeline.last());
    assert_eq!(record.status, Status::Synced, "{shown}");
}

/// The record waits for a choice; of what, in a sentence.
#[track_caller]
fn waits(record: &Record) -> String {
    let shown = format!("{}: {} {:?}", record.key, record.status, record.findings);
    assert_eq!(record.status, Status::Failed, "{shown}");
    let finding = &record.findings[0];
    let is = (finding.code, finding.cause.as_str());
    assert_eq!(is, (Code::EditSequenceStale, "changed_in_both"), "{shown}");
    diagnosis::render(finding).detail
}

async fn with_customer(data: Value) -> Office {
    let mut office = Office::open().await;
    office.push("Customer/1", data).await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    office
}

#[actix_web::test]
async fn what_a_person_emptied_is_not_filled_again_without_a_word() {
    for keeps in ["keep-ours", "keep-theirs"] {
        let mut office = with_customer(json!({"Name": "Jones", "Phone": "1", "Fax": "1"})).await;
        office.change("Customer", "Jones", "<Phone></Phone>");

        office.push("Customer/1", json!({"Name": "Jones", "Phone": "2", "Fax": "2"})).await;
        office.poll(&[]);

        let said = waits(&office.record("Customer/1").await);
        assert!(said.contains("“2”") && said.contains("emptied in QuickBooks"), "{said}");
        office.press("Customer/1", keeps).await;
        office.poll(&[]);
        synced(&office.record("Customer/1").await);
        let phone = if keeps == "keep-ours" { "2" } else { "" };
        assert_eq!(office.told("Customer", "Jones", "Phone"), phone);
        assert_eq!(office.told("Customer", "Jones", "Fax"), "2");
    }
}

#[actix_web::test]
async fn the_opposite_choice_is_refused_while_the_first_is_on_its_way() {
    for (first, second) in [("keep-ours", "keep-theirs"), ("keep-theirs", "keep-ours")] {
        let mut office = with_customer(json!({"Name": "Jones", "Phone": "1"})).await;
        office.change("Customer", "Jones", "<Phone>700</Phone>");
        office.push("Customer/1", json!({"Name": "Jones", "Phone": "2"})).await;
        office.poll(&[]);
        waits(&office.record("Customer/1").await);

        office.press("Customer/1", first).await;
        let pressed = Pressed { id: second.to_owned(), ..Pressed::default() };
        let key = office.record("Customer/1").await.key;
        let other = office.engine.act(&key, Action::Fix(pressed), &actor()).await;

        assert!(matches!(other, Err(EngineError::NotNow(_))), "{first}: {other:?}");
    }
}

#[actix_web::test]
async fn who_keeps_ours_after_theirs_sends_what_the_application_has() {
    let mut office = with_customer(json!({"Name": "Jones", "Phone": "1"})).await;
    let ours = json!({"Name": "Jones", "Phone": "2"});
    office.change("Customer", "Jones", "<Phone>700</Phone>");
    office.push("Customer/1", ours.clone()).await;
    office.poll(&[]);
    waits(&office.record("Customer/1").await);
    office.press("Customer/1", "keep-theirs").await;
    office.change("Customer", "Jones", "<Phone>800</Phone>");
    office.poll(&[]);
    waits(&office.record("Customer/1").await);

    office.press("Customer/1", "keep-ours").await;
    office.poll(&[]);

    synced(&office.record("Customer/1").await);
    assert_eq!(office.told("Customer", "Jones", "Phone"), "2");
}

#[actix_web::test]
async fn what_a_person_filled_in_is_not_written_over_without_a_word() {
    let mut office = with_customer(json!({"Name": "Jones", "Phone": "1"})).await;
    office.change("Customer", "Jones", "<Fax>9</Fax>");

    office.push("Customer/1", json!({"Name": "Jones", "Phone": "1", "Fax": "2"})).await;
    office.poll(&[]);

    let said = waits(&office.record("Customer/1").await);
    assert!(said.contains("“2”") && said.contains("“9”"), "{said}");
    assert_eq!(office.told("Customer", "Jones", "Fax"), "9");
}

#[actix_web::test]
async fn an_address_that_both_changed_waits_for_a_choice() {
    let is = |addr1: &str, city: &str| json!({"Name": "Jones", "BillAddress": {"Addr1": addr1, "City": city}});
    let mut office = with_customer(is("1 High Street", "Ulm")).await;
    let theirs = "<BillAddress><Addr1>2 Low Road</Addr1><City>Ulm</City></BillAddress>";
    office.change("Customer", "Jones", theirs);

    office.push("Customer/1", is("1 High Street", "Bonn")).await;
    office.poll(&[]);

    let said = waits(&office.record("Customer/1").await);
    assert!(said.contains("2 Low Road") && said.contains("Bonn"), "{said}");
    office.press("Customer/1", "keep-theirs").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(office.told("Customer", "Jones", "BillAddress/Addr1"), "2 Low Road");
    assert_eq!(office.told("Customer", "Jones", "BillAddress/City"), "Ulm");
    // It holds as long as the application says the same; then what it says goes again.
    office.push("Customer/1", is("3 New Lane", "Bonn")).await;
    office.poll(&[]);
    assert_eq!(office.told("Customer", "Jones", "BillAddress/Addr1"), "3 New Lane");
}

#[actix_web::test]
async fn terms_that_both_changed_wait_for_a_choice() {
    let is = |terms: &str| json!({"Name": "Jones", "TermsRef": {"FullName": terms}});
    let mut office = with_customer(is("Net 15")).await;
    office.change("Customer", "Jones", "<TermsRef><FullName>Net 60</FullName></TermsRef>");

    office.push("Customer/1", is("Net 30")).await;
    office.poll(&[]);

    let said = waits(&office.record("Customer/1").await);
    assert!(said.contains("“Net 30”") && said.contains("“Net 60”"), "{said}");
    office.press("Customer/1", "keep-theirs").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(office.told("Customer", "Jones", "TermsRef/FullName"), "Net 60");
}

/// An invoice in QuickBooks, of two lines.
async fn with_invoice() -> Office {
    let mut office = with_customer(json!({"Name": "Jones"})).await;
    office.person(
        "<ItemServiceAddRq requestID=\"1\"><ItemServiceAdd><Name>Labor</Name><SalesOrPurchase>\
         <Price>50.00</Price><AccountRef><FullName>Services</FullName></AccountRef>\
         </SalesOrPurchase></ItemServiceAdd></ItemServiceAddRq>",
    );
    office.push("Invoice/1", invoice("2", "Work")).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    office
}

fn invoice(quantity: &str, memo: &str) -> Value {
    let item = json!({"FullName": "Labor"});
    json!({
        "CustomerRef": {"source": "Customer/1"}, "TxnDate": "2026-03-02", "RefNumber": "1001",
        "Memo": memo,
        "InvoiceLine": [
            {"#id": "a", "ItemRef": item, "Desc": "First", "Quantity": quantity, "Rate": "50.00"},
            {"#id": "b", "ItemRef": item, "Desc": "Second", "Quantity": "1", "Rate": "50.00"},
        ],
    })
}

/// A person changes the quantity of the first line.
async fn edit_first_line(office: &mut Office, quantity: &str) {
    let lines = office.record("Invoice/1").await.reference.unwrap().lines;
    let (first, second) = (&lines["a"], &lines["b"]);
    let inside = format!(
        "<InvoiceLineMod><TxnLineID>{first}</TxnLineID><Quantity>{quantity}</Quantity>\
         </InvoiceLineMod><InvoiceLineMod><TxnLineID>{second}</TxnLineID></InvoiceLineMod>"
    );
    office.change("Invoice", "1001", &inside);
}

#[actix_web::test]
async fn lines_that_both_changed_wait_for_a_choice() {
    let mut office = with_invoice().await;
    edit_first_line(&mut office, "7").await;

    office.push("Invoice/1", invoice("3", "Work")).await;
    office.poll(&[]);

    let record = office.record("Invoice/1").await;
    let said = waits(&record);
    assert!(said.contains("Labor 3 50") && said.contains("Labor 7 50.00"), "{said}");
    let fixes = diagnosis::render(&record.findings[0]).fixes;
    let ids: Vec<_> = fixes.iter().map(|fix| fix.id.as_str()).collect();
    assert_eq!(ids, ["keep-ours", "bypass"]);
    office.press("Invoice/1", "keep-ours").await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
    assert_eq!(office.told("Invoice", "1001", "Subtotal"), "200.00");
}

#[actix_web::test]
async fn a_line_that_a_person_added_is_not_taken_away_without_a_word() {
    let mut office = with_invoice().await;
    let lines = office.record("Invoice/1").await.reference.unwrap().lines;
    let kept = lines
        .values()
        .map(|id| format!("<InvoiceLineMod><TxnLineID>{id}</TxnLineID></InvoiceLineMod>"));
    let more = "<InvoiceLineMod><TxnLineID>-1</TxnLineID><ItemRef><FullName>Labor</FullName>\
                </ItemRef><Quantity>9</Quantity></InvoiceLineMod>";
    let inside = format!("{}{more}", kept.collect::<String>());
    office.change("Invoice", "1001", &inside);

    office.push("Invoice/1", invoice("3", "Work")).await;
    office.poll(&[]);

    waits(&office.record("Invoice/1").await);
    assert_eq!(office.told("Invoice", "1001", "Subtotal"), "600.00");
}

#[actix_web::test]
async fn what_quickbooks_reckons_itself_stops_no_change() {
    let mut office = with_invoice().await;
    let (id, _) = office.object("Invoice", "1001");
    office.person(&format!(
        "<ReceivePaymentAddRq requestID=\"1\"><ReceivePaymentAdd><CustomerRef><FullName>Jones\
         </FullName></CustomerRef><TotalAmount>10.00</TotalAmount><AppliedToTxnAdd><TxnID>{id}\
         </TxnID><PaymentAmount>10.00</PaymentAmount></AppliedToTxnAdd></ReceivePaymentAdd>\
         </ReceivePaymentAddRq>"
    ));

    office.push("Invoice/1", invoice("3", "More work")).await;
    office.poll(&[]);

    synced(&office.record("Invoice/1").await);
    assert_eq!(office.told("Invoice", "1001", "Memo"), "More work");
    assert_eq!(office.told("Invoice", "1001", "Subtotal"), "200.00");
}

#[actix_web::test]
async fn what_changed_after_quickbooks_was_asked_is_compared_too() {
    let mut office = with_customer(json!({"Name": "Jones", "Phone": "1", "Fax": "1"})).await;
    office.change("Customer", "Jones", "<Phone>3</Phone>");
    office.push("Customer/1", json!({"Name": "Jones", "Phone": "1", "Fax": "2"})).await;
    // QuickBooks refuses the change as old; what it has was asked for, and its answer is lost.
    office.poll(&["lose-response:2"]);
    assert!(office.record("Customer/1").await.refresh);

    office.push("Customer/1", json!({"Name": "Jones", "Phone": "2", "Fax": "2"})).await;
    for _ in 0..2 {
        office.hands.pass(3600);
        office.poll(&[]);
    }

    waits(&office.record("Customer/1").await);
    assert_eq!(office.told("Customer", "Jones", "Phone"), "3");
}

#[actix_web::test]
async fn what_was_made_by_a_request_whose_answer_is_lost_is_compared_too() {
    let mut office = Office::open().await;
    office.push("Customer/1", json!({"Name": "Jones", "Phone": "1"})).await;
    office.poll(&["forget"]);
    for _ in 0..2 {
        office.hands.pass(3600);
        office.poll(&[]);
    }
    synced(&office.record("Customer/1").await);
    office.change("Customer", "Jones", "<Phone>3</Phone>");

    office.push("Customer/1", json!({"Name": "Jones", "Phone": "2"})).await;
    office.poll(&[]);

    waits(&office.record("Customer/1").await);
    assert_eq!(office.told("Customer", "Jones", "Phone"), "3");
    assert_eq!(office.in_quickbooks("Customer"), ["Jones"]);
}

#[actix_web::test]
async fn a_retry_for_another_reason_writes_over_nobody_without_a_word() {
    let mut office = with_customer(json!({"Name": "Jones", "Phone": "1"})).await;
    let refused = json!({"Name": "Jones", "Phone": "2", "TermsRef": {"FullName": "Net 77"}});
    office.push("Customer/1", refused).await;
    office.poll(&[]);
    assert_eq!(office.record("Customer/1").await.findings[0].code, Code::ReferenceNotFound);
    office.change("Customer", "Jones", "<Phone>700</Phone>");
    office.person(
        "<StandardTermsAddRq requestID=\"1\"><StandardTermsAdd><Name>Net 77</Name>\
         <StdDueDays>77</StdDueDays></StandardTermsAdd></StandardTermsAddRq>",
    );

    office.press("Customer/1", "retry").await;
    office.poll(&[]);

    let said = waits(&office.record("Customer/1").await);
    assert!(said.contains("“2”") && said.contains("“700”"), "{said}");
    assert_eq!(office.told("Customer", "Jones", "Phone"), "700");
}
