//! People who mistype, clocks that are wrong, and what looks alike: nothing is made twice, and nothing
//! is taken for what it is not.

use std::cell::Cell;

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action;
use bookbridge::engine::NewRequest;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use super::bench::told;
use super::twice::Does;
use super::twice::act;
use super::twice::agreed;
use super::twice::customer_ret;
use super::twice::forgets;
use super::twice::invoice;
use super::twice::link;
use super::twice::payment;
use super::twice::press;
use super::twice::session;
use super::twice::tell_of;
use super::twice::to_be_undone;

const MISSING: &str = "statusCode=\"500\" statusSeverity=\"Warn\"/>";
const SILENT: &str = "statusCode=\"1000\" statusSeverity=\"Error\"/>";

fn invoice_ret(id: &str, number: &str, more: &str) -> String {
    format!(
        "statusCode=\"0\"><InvoiceRet><TxnID>{id}</TxnID>{more}<CustomerRef><ListID>80-1</ListID>\
         </CustomerRef><RefNumber>{number}</RefNumber></InvoiceRet>"
    )
}

/// Every write is forgotten; every question is answered so.
fn forgets_and_says(qbxml: &str, answers: &[&str]) -> Does {
    match forgets(qbxml) {
        Does::Agrees => Does::Answers(told(qbxml, answers)),
        other => other,
    }
}

/// QuickBooks does not have what it is asked for.
async fn nothing_there(bench: &mut Bench) -> Vec<String> {
    session(bench, |qbxml| Does::Answers(told(qbxml, &[MISSING, MISSING]))).await
}

fn adds(documents: &[String]) -> bool {
    documents.iter().any(|it| it.contains("AddRq"))
}

#[actix_web::test]
async fn a_link_to_nothing_does_not_forget_what_is_lost() {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice("77")).await;
    session(&mut bench, |qbxml| forgets_and_says(qbxml, &[SILENT, SILENT])).await;
    assert_eq!(bench.record("Invoice/1").await.findings[0].code, Code::OutcomeUnknown);
    act(&bench, "Invoice/1", link("43-0")).await.unwrap();
    nothing_there(&mut bench).await;
    assert_eq!(bench.record("Invoice/1").await.findings[0].cause, "link_not_there");

    act(&bench, "Invoice/1", Action::Retry).await.unwrap();
    let documents = session(&mut bench, |qbxml| forgets_and_says(qbxml, &[SILENT, SILENT])).await;

    assert!(documents[0].contains("<InvoiceQueryRq"), "{documents:?}");
    assert!(!adds(&documents), "{documents:?}");
}

#[actix_web::test]
async fn a_link_to_nothing_does_not_forget_where_it_stood() {
    for bypassed in [false, true] {
        let mut bench = Bench::new().await;
        bench.put("ReceivePayment/1", payment("43-1")).await;
        agreed(&mut bench).await;
        if bypassed {
            bench.put("ReceivePayment/1", payment("43-2")).await;
            let reference = Some("43-99".to_owned());
            let action = Action::Bypass { reason: "by hand".to_owned(), reference };
            act(&bench, "ReceivePayment/1", action).await.unwrap();
            act(&bench, "ReceivePayment/1", Action::Unbypass).await.unwrap();
            assert_eq!(bench.record("ReceivePayment/1").await.reference.unwrap().id, "80-1");
            continue;
        }
        act(&bench, "ReceivePayment/1", link("43-98")).await.unwrap();
        // A second mistake does not cover the first.
        act(&bench, "ReceivePayment/1", link("43-99")).await.unwrap();
        nothing_there(&mut bench).await;

        act(&bench, "ReceivePayment/1", Action::Retry).await.unwrap();
        let documents = agreed(&mut bench).await;

        assert!(documents[0].contains("<TxnID>80-1</TxnID>"), "{documents:?}");
        assert!(!adds(&documents), "{documents:?}");
        assert_eq!(bench.record("ReceivePayment/1").await.findings[0].cause, "still_there");
    }
}

#[actix_web::test]
async fn a_link_that_quickbooks_confirms_is_believed() {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice("77")).await;
    agreed(&mut bench).await;
    act(&bench, "Invoice/1", link("43-9")).await.unwrap();
    let ret = invoice_ret("43-9", "77", "<EditSequence>5</EditSequence>");
    session(&mut bench, |qbxml| Does::Answers(told(qbxml, &[&ret]))).await;

    act(&bench, "Invoice/1", Action::ResetReference).await.unwrap();
    let documents = agreed(&mut bench).await;

    assert!(documents[0].contains("<TxnID>43-9</TxnID>"), "{documents:?}");
    assert!(!adds(&documents), "{documents:?}");
}

#[actix_web::test]
async fn a_change_that_was_refused_goes_to_what_it_is_linked_to() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    agreed(&mut bench).await;
    bench.put("Customer/1", json!({"Name": "Customer 1", "Phone": "2"})).await;
    let gone = "Object &quot;80-1&quot; specified in the request cannot be found.";
    let carried = bench.open().await;
    let refused = bench.answer(&carried.qbxml, |_| Some((3120, gone)));
    bench.bring(&carried.ticket, &refused).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    assert_eq!(bench.record("Customer/1").await.status, Status::Failed);

    act(&bench, "Customer/1", link("80-9")).await.unwrap();
    let ret = "statusCode=\"0\"><CustomerRet><ListID>80-9</ListID><EditSequence>5</EditSequence>\
         </CustomerRet>";
    let documents = session(&mut bench, |qbxml| {
        if qbxml.contains("ModRq") {
            Does::Agrees
        } else if qbxml.contains("<ListID>80-9</ListID>") {
            Does::Answers(told(qbxml, &[ret]))
        } else {
            Does::Answers(told(qbxml, &[]))
        }
    })
    .await;

    let change = documents.iter().find(|it| it.contains("CustomerModRq"));
    let change = change.unwrap_or_else(|| panic!("{documents:?}"));
    assert!(change.contains("<ListID>80-9</ListID><EditSequence>5</EditSequence>"), "{change}");
    assert!(change.contains("<Phone>2</Phone>"), "{change}");
}

#[actix_web::test]
async fn what_is_of_another_customer_is_not_taken_for_what_was_lost() {
    let of = |name: &str, amount: &str| {
        format!(
            "statusCode=\"0\"><ReceivePaymentRet><TxnID>43-7</TxnID><CustomerRef>\
             <ListID>80-7</ListID><FullName>{name}</FullName></CustomerRef>\
             <RefNumber>101</RefNumber><TotalAmount>{amount}</TotalAmount></ReceivePaymentRet>"
        )
    };
    for (name, amount, ours) in
        [("Smith", "1.00", false), ("Jones", "2.00", false), ("jones", "1.0", true)]
    {
        let mut bench = Bench::new().await;
        let data = json!({
            "CustomerRef": {"FullName": "Jones"}, "RefNumber": "101", "TotalAmount": "1.00",
            "IsAutoApply": "true",
        });
        bench.put("ReceivePayment/1", data).await;

        let found = of(name, amount);
        session(&mut bench, |qbxml| forgets_and_says(qbxml, &[&found, &found])).await;

        let record = bench.record("ReceivePayment/1").await;
        if ours {
            assert_eq!(record.reference.unwrap().id, "43-7");
            continue;
        }
        assert_eq!((record.status, &record.reference), (Status::Failed, &None), "{name}");
        assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
        assert_eq!(record.findings[0].candidates[0].id, "43-7");
    }
}

#[actix_web::test]
async fn what_a_person_said_is_another_one_is_not_taken_for_what_was_lost() {
    let mut bench = Bench::new().await;
    let found = invoice_ret("43-7", "77", "<TxnDate>2026-03-01</TxnDate>");
    let new = NewRequest::Xml("<InvoiceQueryRq/>".to_owned());
    bench.engine.submit(&bench.id, new, None, &actor()).await.unwrap();
    session(&mut bench, |qbxml| Does::Answers(told(qbxml, &[&found]))).await;
    bench.put("Invoice/1", invoice("77")).await;
    assert_eq!(bench.record("Invoice/1").await.findings[0].code, Code::DuplicateRefNumber);
    press(&bench, "Invoice/1", "send-anyway").await;

    let forgotten = Cell::new(false);
    let once = |qbxml: &str| {
        if qbxml.contains("AddRq") && forgotten.replace(true) {
            Does::Agrees
        } else {
            forgets_and_says(qbxml, &[&found, &found])
        }
    };
    for _ in 0..3 {
        session(&mut bench, once).await;
    }

    let record = bench.record("Invoice/1").await;
    assert_eq!(record.status, Status::Synced, "{:?}", record.findings);
    assert_eq!(record.reference.unwrap().id, "80-1");
}

#[actix_web::test]
async fn what_stood_before_a_reset_is_not_taken_for_what_was_lost() {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice("77")).await;
    agreed(&mut bench).await;
    act(&bench, "Invoice/1", Action::ResetReference).await.unwrap();
    let there = invoice_ret("80-1", "77", "");
    session(&mut bench, |qbxml| Does::Answers(told(qbxml, &[&there]))).await;
    assert_eq!(bench.record("Invoice/1").await.findings[0].cause, "still_there");
    press(&bench, "Invoice/1", "send-anyway").await;

    session(&mut bench, |qbxml| forgets_and_says(qbxml, &[&there, &there])).await;

    let record = bench.record("Invoice/1").await;
    assert!(record.reference.is_none(), "{:?}", record.reference);
    agreed(&mut bench).await;
    agreed(&mut bench).await;
    let record = bench.record("Invoice/1").await;
    assert_ne!(record.reference.unwrap().id, "80-1");
}

#[actix_web::test]
async fn what_is_there_is_not_too_old_because_our_clock_was_ahead() {
    let bench = Bench::new().await;
    let made = bench.engine.now();
    bench.hands.pass(5 * 86_400);
    bench.put("Invoice/1", invoice("77")).await;
    let carried = bench.open().await;
    bench.hands.pass(-5 * 86_400);
    let Does::Answers(forgotten) = forgets(&carried.qbxml) else { panic!("it is a write") };
    bench.bring(&carried.ticket, &forgotten).await;
    let question = bench.send(&carried.ticket).await;
    assert!(question.contains("<FromModifiedDate>2026-02-28T"), "{question}");
    let found = invoice_ret("43-7", "77", &format!("<TimeCreated>{made}</TimeCreated>"));
    bench.bring(&carried.ticket, &told(&question, &[&found, &found])).await;

    let record = bench.record("Invoice/1").await;

    assert_eq!((record.status, &record.reference), (Status::Failed, &None));
    assert_eq!(record.findings[0].candidates[0].id, "43-7");
}

#[actix_web::test]
async fn what_somebody_edited_is_not_deleted_by_an_undo_whose_answer_was_lost() {
    let mut bench = to_be_undone().await;
    let carried = bench.open().await;
    bench.bring(&carried.ticket, &told(&carried.qbxml, &[&customer_ret("1")])).await;
    let deletion = bench.send(&carried.ticket).await;
    assert!(deletion.contains("<ListDelRq"), "{deletion}");
    // It never reaches QuickBooks, and somebody edits the customer.
    bench.engine.close_connection(&carried.ticket).await.unwrap();

    let mut documents = Vec::new();
    for _ in 0..3 {
        let edited = |qbxml: &str| Does::Answers(told(qbxml, &[&customer_ret("2")]));
        documents.extend(session(&mut bench, edited).await);
    }

    assert!(documents.iter().all(|it| !it.contains("DelRq")), "{documents:?}");
    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.wanted), (Status::Synced, Wanted::Present));
    assert_eq!(record.findings[0].cause, "edited_since");
}

#[actix_web::test]
async fn an_answer_about_one_name_says_nothing_of_the_next() {
    let mut bench = Bench::new().await;
    bench.put("Customer/1", json!({"Name": "A"})).await;
    let carried = bench.open().await;
    let taken = "The name &quot;A&quot; of the list element is already in use.";
    let refused = bench.answer(&carried.qbxml, |_| Some((3100, taken)));
    bench.bring(&carried.ticket, &refused).await;
    let question = bench.send(&carried.ticket).await;
    assert!(question.contains("<FullName>A</FullName>"), "{question}");
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    bench.hands.pass(1);
    tell_of(&mut bench, "80-60", "B").await;
    bench.hands.pass(1);
    bench.put("Customer/1", json!({"Name": "B"})).await;
    let before = bench.record("Customer/1").await.findings;
    assert_eq!(before[0].candidates[0].id, "80-60");

    let found = "statusCode=\"0\"><CustomerRet><ListID>80-50</ListID><FullName>A</FullName>\
         </CustomerRet>";
    session(&mut bench, |qbxml| Does::Answers(told(qbxml, &[found]))).await;

    assert_eq!(bench.record("Customer/1").await.findings[0].candidates[0].id, "80-60");
}

#[actix_web::test]
async fn what_was_moved_to_another_customer_is_not_made_again() {
    let moved = |modified: &str| {
        format!(
            "statusCode=\"0\"><ReceivePaymentRet><TxnID>43-7</TxnID>\
             <TimeCreated>2026-03-02T09:00:00</TimeCreated><TimeModified>{modified}</TimeModified>\
             <CustomerRef><ListID>80-91</ListID></CustomerRef></ReceivePaymentRet>"
        )
    };
    for (modified, again) in [("2026-03-02T09:00:00", true), ("2026-03-02T10:00:00", false)] {
        let mut bench = Bench::new().await;
        bench.put("ReceivePayment/1", payment("43-1")).await;

        let found = moved(modified);
        let forgotten = Cell::new(false);
        let documents = session(&mut bench, |qbxml| {
            if qbxml.contains("AddRq") && forgotten.replace(true) {
                Does::Agrees
            } else {
                forgets_and_says(qbxml, &[&found, &found])
            }
        })
        .await;

        let sent = documents.iter().filter(|it| it.contains("AddRq")).count();
        assert_eq!(sent, if again { 2 } else { 1 }, "{documents:?}");
        if !again {
            let finding = &bench.record("ReceivePayment/1").await.findings[0];
            assert_eq!(finding.code, Code::OutcomeUnknown);
            assert_eq!(finding.candidates[0].id, "43-7");
        }
    }
}

#[actix_web::test]
async fn what_a_name_says_is_not_taken_for_what_quickbooks_says() {
    for (name, said, wanted) in [
        (
            "7\" pipe",
            "Not of 7&quot; pipe.  QuickBooks error message: The books are closed.",
            Code::ClosedPeriod,
        ),
        (
            "7\" pipe, the books are closed",
            "Not of 7&quot; pipe, the books are closed",
            Code::PermissionDenied,
        ),
        ("The books are closed", "Not of The books are closed", Code::PermissionDenied),
    ] {
        let mut bench = Bench::new().await;
        bench.put("Customer/1", json!({ "Name": name })).await;
        let carried = bench.open().await;
        let refused = bench.answer(&carried.qbxml, |_| Some((3260, said)));

        bench.bring(&carried.ticket, &refused).await;

        let record = bench.record("Customer/1").await;
        assert_eq!(record.findings[0].code, wanted, "{name}");
    }
}

#[actix_web::test]
async fn an_invoice_of_another_amount_is_not_taken_for_what_was_lost() {
    for (subtotal, ours) in [("7.00", false), ("30.01", true)] {
        let mut bench = Bench::new().await;
        let data = json!({
            "CustomerRef": {"ListID": "80-1"}, "RefNumber": "77",
            "InvoiceLine": [{"Quantity": "3", "Rate": "5.00"}, {"Amount": "15.00"}],
        });
        bench.put("Invoice/1", data).await;

        let found = invoice_ret("43-7", "77", &format!("<Subtotal>{subtotal}</Subtotal>"));
        session(&mut bench, |qbxml| forgets_and_says(qbxml, &[&found, &found])).await;

        let record = bench.record("Invoice/1").await;
        let wanted = if ours { Status::Synced } else { Status::Failed };
        assert_eq!(record.status, wanted, "{subtotal} {:?}", record.findings);
        let candidate = record.findings.first().and_then(|it| it.candidates.first());
        assert_eq!(candidate.map(|it| it.id.as_str()), Some("43-7").filter(|_| !ours));
    }
}
