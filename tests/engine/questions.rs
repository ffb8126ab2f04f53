//! Questions whose answers are lost: they changed nothing, so they are asked anew, and never for
//! ever.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::request::RequestStatus;
use bookbridge::engine::Action;
use bookbridge::engine::NewRequest;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use super::bench::attribute;
use super::bench::told;

async fn ask(bench: &Bench) -> bookbridge::domain::ids::RequestId {
    let new = NewRequest::Xml("<CustomerQueryRq/>".to_owned());
    bench.engine.submit(&bench.id, new, None, &actor()).await.unwrap().id
}

async fn status(bench: &Bench, id: bookbridge::domain::ids::RequestId) -> RequestStatus {
    bench.engine.store().request(&bench.id, id).await.unwrap().unwrap().status
}

#[actix_web::test]
async fn a_question_that_quickbooks_never_answers_fails_after_three_tries() {
    let bench = Bench::new().await;
    let id = ask(&bench).await;
    for left in [2, 1, 0] {
        let carried = bench.open().await;
        assert!(carried.qbxml.contains("CustomerQueryRq"));
        bench.engine.close_connection(&carried.ticket).await.unwrap();
        let expected = if left == 0 { RequestStatus::Failed } else { RequestStatus::Queued };
        assert_eq!(status(&bench, id).await, expected, "{left}");
    }
}

#[actix_web::test]
async fn a_closed_quickbooks_is_no_fault_of_the_question() {
    let mut bench = Bench::new().await;
    let id = ask(&bench).await;
    for _ in 0..6 {
        let carried = bench.open().await;
        bench.throw(&carried.ticket, "0x80040408").await;
        assert_eq!(status(&bench, id).await, RequestStatus::Queued);
    }

    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;

    assert_eq!(status(&bench, id).await, RequestStatus::Answered);
}

/// A payment that QuickBooks refuses with 3120, and what its code is when the invoice was asked for.
async fn refused_payment(invoice: &str) -> Code {
    let mut bench = Bench::new().await;
    let data = json!({
        "CustomerRef": {"ListID": "80-1"}, "TotalAmount": "1.00",
        "AppliedToTxn": {"TxnID": "43-1", "PaymentAmount": "1.00"},
    });
    bench.put("ReceivePayment/1", data).await;
    let carried = bench.open().await;
    let gone = "Object &quot;43-1&quot; specified in the request cannot be found.";
    let answer = bench.answer(&carried.qbxml, |_| Some((3120, gone)));
    bench.bring(&carried.ticket, &answer).await;
    assert_eq!(bench.record("ReceivePayment/1").await.findings[0].code, Code::ObjectNotFound);

    let question = bench.send(&carried.ticket).await;
    assert!(question.contains("\"><TxnID>43-1</TxnID><IncludeLinkedTxns>"), "{question}");
    bench.bring(&carried.ticket, &told(&question, &[invoice])).await;

    let record = bench.record("ReceivePayment/1").await;
    assert_eq!(record.status, Status::Failed);
    record.findings[0].code
}

#[actix_web::test]
async fn why_a_payment_is_refused_is_settled_by_a_question() {
    let invoice = |paid: &str| {
        format!(
            "statusCode=\"0\"><InvoiceRet><TxnID>43-1</TxnID><RefNumber>7</RefNumber>\
             <IsPaid>{paid}</IsPaid></InvoiceRet>"
        )
    };
    let gone = "statusCode=\"500\" statusSeverity=\"Warn\"/>";

    assert_eq!(refused_payment(&invoice("true")).await, Code::AlreadyPaid);
    assert_eq!(refused_payment(&invoice("false")).await, Code::CustomerMismatch);
    assert_eq!(refused_payment(gone).await, Code::ObjectNotFound);
}

/// QuickBooks' answer to a message set of one write.
fn said(qbxml: &str, answers: &str) -> String {
    let [set, request] = ["newMessageSetID", "requestID"].map(|it| attribute(qbxml, it).unwrap());
    let answers = answers.replace("requestID=\"1\"", &format!("requestID=\"{request}\""));
    let head = format!("newMessageSetID=\"{set}\" messageSetStatusCode=\"0\"");
    format!("<QBXML><QBXMLMsgsRs {head}>{answers}</QBXMLMsgsRs></QBXML>")
}

/// A session of one message set; what it carried.
async fn session(bench: &Bench, answers: &str) -> String {
    let carried = bench.open().await;
    bench.bring(&carried.ticket, &said(&carried.qbxml, answers)).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    carried.qbxml
}

#[actix_web::test]
async fn what_is_there_for_another_customer_is_said_so_and_not_made_anew_unasked() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let mut data = json!({
        "CustomerRef": {"source": "Customer/1"}, "RefNumber": "7", "Memo": "a",
        "InvoiceLine": [{"ItemRef": {"FullName": "Labor"}}],
    });
    bench.put("Invoice/1", data.clone()).await;
    let made = "<CustomerAddRs requestID=\"1\" statusCode=\"0\"><CustomerRet><ListID>80-1</ListID>\
                <EditSequence>1</EditSequence><FullName>M1</FullName></CustomerRet></CustomerAddRs>";
    session(&bench, made).await;
    let made = "<InvoiceAddRs requestID=\"1\" statusCode=\"0\"><InvoiceRet><TxnID>43-1</TxnID>\
                <EditSequence>1</EditSequence><RefNumber>7</RefNumber></InvoiceRet></InvoiceAddRs>";
    session(&bench, made).await;
    data["Memo"] = json!("b");
    bench.put("Invoice/1", data).await;
    let gone = "<InvoiceModRs requestID=\"1\" statusCode=\"3120\" statusSeverity=\"Error\" \
                statusMessage=\"Object &quot;43-1&quot; specified in the request cannot be found.\"/>";
    assert!(session(&bench, gone).await.contains("<InvoiceModRq "));

    let there = "statusCode=\"0\"><InvoiceRet><TxnID>43-1</TxnID><CustomerRef><ListID>80-9</ListID>\
                 <FullName>M2</FullName></CustomerRef><TxnDate>2026-03-02</TxnDate>\
                 <RefNumber>7</RefNumber></InvoiceRet>";
    let asked = bench.open().await;
    bench.bring(&asked.ticket, &told(&asked.qbxml, &[there])).await;
    bench.engine.close_connection(&asked.ticket).await.unwrap();

    let finding = bench.record("Invoice/1").await.findings.remove(0);
    assert_eq!((finding.code, finding.cause.as_str()), (Code::ObjectNotFound, "moved"));
    let words = bookbridge::diagnosis::render(&finding).detail;
    assert_eq!(words, "It is still in QuickBooks, but for M2 instead of M1.");
    assert_eq!(finding.candidates[0].hint.as_deref(), Some("M2"));
    bench.engine.act(&bench.key("Invoice/1"), Action::ResetReference, &actor()).await.unwrap();
    let asked = bench.open().await.qbxml;
    assert!(asked.contains("<InvoiceQueryRq ") && !asked.contains("<InvoiceAddRq "), "{asked}");
}
