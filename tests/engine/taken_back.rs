//! What an application wants while a record is out is what happens in the end, and nothing else.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action;
use bookbridge::engine::EngineError;
use bookbridge::engine::Login;
use bookbridge::engine::Pressed;
use bookbridge::engine::Put;
use serde_json::Value;
use serde_json::json;

use super::bench::Bench;
use super::bench::Carried;
use super::bench::actor;
use super::bench::asks_number;
use super::bench::attribute;
use super::bench::told;

fn invoice(memo: &str) -> Value {
    json!({ "CustomerRef": {"ListID": "80-1"}, "RefNumber": "7", "Memo": memo, "InvoiceLine": {"Desc": "x"} })
}

async fn want(bench: &Bench, wanted: Wanted) -> Status {
    act(bench, Action::Withdraw(wanted)).await
}

async fn act(bench: &Bench, action: Action) -> Status {
    bench.engine.act(&bench.key("Invoice/1"), action, &actor()).await.unwrap().status
}

async fn status(bench: &Bench) -> Status {
    bench.record("Invoice/1").await.status
}

async fn close(bench: &Bench, carried: &Carried) {
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    bench.hands.pass(3600);
}

/// QuickBooks takes what it is given in one session; what that was, but for questions who has its
/// number.
async fn drain(bench: &mut Bench) -> Vec<String> {
    let mut sent = bench.session(Bench::agree).await;
    sent.retain(|qbxml| !asks_number(qbxml));
    sent
}

/// The same, where nothing is there any more under the ids that are asked for.
async fn drain_of_none(bench: &mut Bench) -> Vec<String> {
    let answers = |bench: &mut Bench, qbxml: &str| {
        if qbxml.contains("QueryRq") && qbxml.contains("<TxnID>") {
            empty(qbxml)
        } else {
            bench.agree(qbxml)
        }
    };
    let mut sent = bench.session(answers).await;
    sent.retain(|qbxml| !asks_number(qbxml));
    sent
}

/// Asked for where it stood, and made only then.
#[track_caller]
fn asked_and_made(sent: &[String]) {
    let [question, made] = sent else { panic!("{sent:?}") };
    assert!(question.contains("<InvoiceQueryRq") && made.contains("<InvoiceAddRq"), "{sent:?}");
}

/// The application puts the invoice while QuickBooks takes it out, which it then does.
async fn put_while(bench: &mut Bench, wanted: Wanted) -> Carried {
    want(bench, wanted).await;
    let carried = bench.open().await;
    bench.put("Invoice/1", invoice("b")).await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;
    carried
}

/// An invoice that stands in QuickBooks.
async fn synced() -> Bench {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice("a")).await;
    drain(&mut bench).await;
    assert_eq!(status(&bench).await, Status::Synced);
    bench
}

async fn refused(bench: &mut Bench, carried: &Carried, code: i32, text: &'static str) {
    let answer = bench.answer(&carried.qbxml, |_| Some((code, text)));
    bench.bring(&carried.ticket, &answer).await;
    close(bench, carried).await;
}

/// QuickBooks does not have what it is asked for by its id.
fn empty(question: &str) -> String {
    told(question, &["statusCode=\"500\" statusSeverity=\"Warn\"/>"; 2])
}

fn forgotten(qbxml: &str) -> String {
    let id = attribute(qbxml, "newMessageSetID").unwrap();
    format!("<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"9002\"/></QBXML>")
}

const INTERNAL: &str = "There has been an internal error when processing the request.";
const STALE: &str = "The provided edit sequence &quot;1&quot; is out-of-date. ";
const LINKED: &str = "There was an error when modifying it: it has been linked.";
const NUMBER: &str = "There was an error when converting the amount &quot;2.00&quot;.";

#[actix_web::test]
async fn what_was_taken_back_while_it_was_out_is_not_made_afterwards() {
    for wanted in [Wanted::Withdrawn, Wanted::Deleted, Wanted::Voided] {
        for (code, text) in [(1000, INTERNAL), (3040, NUMBER)] {
            let mut bench = Bench::new().await;
            bench.put("Invoice/1", invoice("a")).await;
            let carried = bench.open().await;
            assert_eq!(want(&bench, wanted).await, Status::Sent);

            refused(&mut bench, &carried, code, text).await;

            assert_eq!(status(&bench).await, Status::Withdrawn, "{wanted:?} {code}");
            assert!(drain(&mut bench).await.is_empty(), "{wanted:?} {code}");
        }
    }
}

#[actix_web::test]
async fn what_was_taken_back_is_not_in_the_halves_of_a_refused_document() {
    for wanted in [Wanted::Withdrawn, Wanted::Deleted] {
        let mut bench = Bench::new().await;
        bench.put("Invoice/1", invoice("a")).await;
        bench.customer("Customer/2").await;
        let carried = bench.open().await;
        want(&bench, wanted).await;

        bench.throw(&carried.ticket, "0x80040400").await;
        close(&bench, &carried).await;

        assert_eq!(status(&bench).await, Status::Withdrawn);
        let sent = drain(&mut bench).await;
        assert!(sent.len() == 1 && !sent[0].contains("Invoice"), "{sent:?}");
    }
}

#[actix_web::test]
async fn what_was_taken_back_while_in_doubt_is_withdrawn_if_nobody_knows_of_it() {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice("a")).await;
    let carried = bench.open().await;
    want(&bench, Wanted::Withdrawn).await;

    bench.bring(&carried.ticket, &forgotten(&carried.qbxml)).await;
    close(&bench, &carried).await;

    assert_eq!(status(&bench).await, Status::Withdrawn);
    assert!(drain(&mut bench).await.is_empty());
    // Put again, it is looked for first.
    bench.put("Invoice/1", invoice("a")).await;
    let carried = bench.open().await;
    assert!(carried.qbxml.contains("<InvoiceQueryRq"), "{}", carried.qbxml);
}

#[actix_web::test]
async fn a_change_that_was_taken_back_is_not_sent_again() {
    for (code, text) in [(3200, STALE), (1000, INTERNAL)] {
        let mut bench = synced().await;
        bench.put("Invoice/1", invoice("b")).await;
        let carried = bench.open().await;
        want(&bench, Wanted::Withdrawn).await;

        refused(&mut bench, &carried, code, text).await;

        assert_eq!(status(&bench).await, Status::Withdrawn);
        assert!(drain(&mut bench).await.is_empty());
    }
}

#[actix_web::test]
async fn what_is_gone_is_not_made_anew_if_it_was_taken_back_meanwhile() {
    for wanted in [Wanted::Withdrawn, Wanted::Deleted, Wanted::Voided] {
        let mut bench = synced().await;
        act(&bench, Action::ResetReference).await;
        let carried = bench.open().await;
        assert!(carried.qbxml.contains("<InvoiceQueryRq"));
        want(&bench, wanted).await;

        bench.bring(&carried.ticket, &empty(&carried.qbxml)).await;
        close(&bench, &carried).await;

        assert_eq!(status(&bench).await, Status::Withdrawn, "{wanted:?}");
        assert!(drain(&mut bench).await.is_empty(), "{wanted:?}");
    }
}

#[actix_web::test]
async fn what_stands_where_the_id_was_reset_is_deleted_there() {
    for reset_first in [true, false] {
        let mut bench = synced().await;
        let stood = bench.record("Invoice/1").await.reference.unwrap().id;
        if reset_first {
            act(&bench, Action::ResetReference).await;
            assert_eq!(want(&bench, Wanted::Deleted).await, Status::Queued);
        } else {
            want(&bench, Wanted::Deleted).await;
            act(&bench, Action::ResetReference).await;
        }

        let sent = drain(&mut bench).await;

        assert!(sent[0].contains("<InvoiceQueryRq"), "{sent:?}");
        assert!(sent[1].contains(&format!("<TxnID>{stood}</TxnID>")), "{sent:?}");
        assert!(sent[1].contains("<TxnDelRq"), "{sent:?}");
        assert_eq!(status(&bench).await, Status::Withdrawn);
    }
}

#[actix_web::test]
async fn a_deletion_while_it_is_voided_is_done_too() {
    let mut bench = synced().await;
    want(&bench, Wanted::Voided).await;
    let carried = bench.open().await;
    assert!(carried.qbxml.contains("<TxnVoidRq"));
    want(&bench, Wanted::Deleted).await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;
    close(&bench, &carried).await;

    let sent = drain(&mut bench).await;

    assert!(sent.len() == 1 && sent[0].contains("<TxnDelRq"), "{sent:?}");
    assert_eq!(status(&bench).await, Status::Withdrawn);
    assert_eq!(bench.record("Invoice/1").await.reference, None);
}

#[actix_web::test]
async fn what_was_withdrawn_and_stands_is_still_voided_and_deleted() {
    let mut bench = synced().await;
    want(&bench, Wanted::Withdrawn).await;
    for (wanted, request) in [(Wanted::Voided, "<TxnVoidRq"), (Wanted::Deleted, "<TxnDelRq")] {
        assert_eq!(want(&bench, wanted).await, Status::Queued);
        let sent = drain(&mut bench).await;
        assert!(sent.len() == 1 && sent[0].contains(request), "{sent:?}");
        assert_eq!(want(&bench, wanted).await, Status::Withdrawn, "it is done");
        assert!(drain(&mut bench).await.is_empty());
    }
}

/// A lost invoice of which the application wants that it is deleted.
async fn lost_and_deleted() -> (Bench, Carried) {
    let bench = Bench::new().await;
    bench.put("Invoice/1", invoice("a")).await;
    let carried = bench.open().await;
    bench.bring(&carried.ticket, &forgotten(&carried.qbxml)).await;
    let question = bench.send(&carried.ticket).await;
    let cannot = told(&question, &["statusCode=\"1000\" statusSeverity=\"Error\"/>"; 2]);
    assert!(question.contains("<InvoiceQueryRq"));
    bench.bring(&carried.ticket, &cannot).await;
    close(&bench, &carried).await;
    assert_eq!(want(&bench, Wanted::Deleted).await, Status::Failed);
    let carried = bench.open().await;
    assert!(carried.qbxml.contains("<InvoiceQueryRq"), "{}", carried.qbxml);
    (bench, carried)
}

#[actix_web::test]
async fn what_nobody_knows_of_is_searched_before_it_is_deleted() {
    let (mut bench, carried) = lost_and_deleted().await;
    let found = "statusCode=\"0\"><InvoiceRet><TxnID>43-9</TxnID><CustomerRef><ListID>80-1</ListID>\
         </CustomerRef><RefNumber>7</RefNumber></InvoiceRet>";
    let answer = told(&carried.qbxml, &[found; 2]);
    bench.bring(&carried.ticket, &answer).await;
    close(&bench, &carried).await;
    let sent = drain(&mut bench).await;
    assert!(sent[0].contains("<TxnDelRq") && sent[0].contains("43-9"), "{sent:?}");
    assert_eq!(status(&bench).await, Status::Withdrawn);

    let (mut bench, carried) = lost_and_deleted().await;
    bench.bring(&carried.ticket, &empty(&carried.qbxml)).await;
    close(&bench, &carried).await;
    assert_eq!(status(&bench).await, Status::Withdrawn);
    assert!(drain(&mut bench).await.is_empty());
}

#[actix_web::test]
async fn a_link_does_not_end_a_deletion() {
    let (mut bench, carried) = lost_and_deleted().await;
    close(&bench, &carried).await;

    let linked = act(&bench, Action::Link { id: "43-9".to_owned() }).await;

    assert_eq!(linked, Status::Queued);
    let sent = drain(&mut bench).await;
    let deleted = sent.iter().filter(|it| it.contains("<TxnDelRq") && it.contains("43-9"));
    assert_eq!(deleted.count(), 1, "{sent:?}");
    assert_eq!(status(&bench).await, Status::Withdrawn);
    let link = Action::Link { id: "43-9".to_owned() };
    let refused = bench.engine.act(&bench.key("Invoice/1"), link, &actor()).await.unwrap_err();
    assert!(matches!(refused, EngineError::NotNow(_)), "{refused}");
}

#[actix_web::test]
async fn what_is_put_while_it_is_deleted_is_made_anew() {
    let mut bench = synced().await;
    let carried = put_while(&mut bench, Wanted::Deleted).await;
    assert!(carried.qbxml.contains("<TxnDelRq"));
    assert_eq!(status(&bench).await, Status::Queued);
    close(&bench, &carried).await;

    let sent = drain_of_none(&mut bench).await;

    asked_and_made(&sent);
    assert!(sent[1].contains("<Memo>b</Memo>"));
    assert_eq!(status(&bench).await, Status::Synced);
    assert!(matches!(bench.put("Invoice/1", invoice("b")).await, Put::Same(_)));
}

#[actix_web::test]
async fn what_is_put_again_in_the_session_that_deleted_it_is_made_without_a_question() {
    let mut bench = synced().await;
    let carried = put_while(&mut bench, Wanted::Deleted).await;

    let mut next = bench.send(&carried.ticket).await;
    while asks_number(&next) {
        let nobody = told(&next, &[]);
        bench.bring(&carried.ticket, &nobody).await;
        next = bench.send(&carried.ticket).await;
    }

    assert!(next.contains("<InvoiceAddRq"), "{next}");
}

/// An invoice that QuickBooks deleted for us, and that the application puts again.
async fn deleted_and_put() -> Bench {
    let mut bench = synced().await;
    want(&bench, Wanted::Deleted).await;
    drain(&mut bench).await;
    assert_eq!(status(&bench).await, Status::Withdrawn);
    bench.put("Invoice/1", invoice("b")).await;
    bench
}

#[actix_web::test]
async fn what_a_backup_brought_back_is_not_made_beside_it() {
    let mut bench = deleted_and_put().await;
    let stood = bench.record("Invoice/1").await.former.unwrap();

    let ret = format!(
        "statusCode=\"0\"><InvoiceRet><TxnID>{stood}</TxnID><EditSequence>5</EditSequence>\
         <RefNumber>7</RefNumber></InvoiceRet>"
    );
    let sent = bench.session(|_, qbxml| told(qbxml, &[&ret])).await;

    assert!(sent.iter().all(|it| !it.contains("AddRq")), "{sent:?}");
    assert!(sent.iter().any(|it| it.contains(&format!("<TxnID>{stood}</TxnID>"))), "{sent:?}");
    let record = bench.record("Invoice/1").await;
    let finding = &record.findings[0];
    assert_eq!(record.status, Status::Failed);
    assert_eq!((finding.code, finding.cause.as_str()), (Code::PossibleDuplicate, "still_there"));
    assert_eq!(finding.candidates[0].id, stood);

    let pressed = Pressed { id: "link".to_owned(), ..Pressed::default() };
    act(&bench, Action::Fix(pressed)).await;
    let sent = bench.session(|bench, qbxml| {
        if qbxml.contains("QueryRq") { told(qbxml, &[&ret]) } else { bench.agree(qbxml) }
    });
    let sent = sent.await;
    let change = sent.iter().find(|it| it.contains("<InvoiceModRq"));
    let change = change.unwrap_or_else(|| panic!("{sent:?}"));
    assert!(change.contains(&format!("<TxnID>{stood}</TxnID>")), "{change}");
    assert!(change.contains("<Memo>b</Memo>"), "{change}");
    assert_eq!(status(&bench).await, Status::Synced);
}

#[actix_web::test]
async fn what_was_told_to_be_gone_is_asked_for_again_in_the_next_session() {
    let mut bench = deleted_and_put().await;
    let Login::Work { ticket, .. } = bench.login().await else { panic!() };
    let question = bench.send(&ticket).await;
    assert!(question.contains("<InvoiceQueryRq"), "{question}");
    bench.bring(&ticket, &empty(&question)).await;
    assert_eq!(status(&bench).await, Status::Queued);
    bench.engine.close_connection(&ticket).await.unwrap();

    asked_and_made(&drain_of_none(&mut bench).await);

    let record = bench.record("Invoice/1").await;
    assert_eq!((record.status, record.former, record.gone_in), (Status::Synced, None, None));
}

#[actix_web::test]
async fn what_was_deleted_is_not_asked_for_to_be_deleted_again() {
    let mut bench = synced().await;
    want(&bench, Wanted::Deleted).await;
    drain(&mut bench).await;

    assert_eq!(want(&bench, Wanted::Deleted).await, Status::Withdrawn);
    assert!(drain(&mut bench).await.is_empty());
}

#[actix_web::test]
async fn what_is_put_while_it_is_voided_is_changed_afterwards() {
    let mut bench = synced().await;
    let carried = put_while(&mut bench, Wanted::Voided).await;
    close(&bench, &carried).await;

    let sent = drain(&mut bench).await;

    assert!(sent[0].contains("<InvoiceQueryRq"), "{sent:?}");
    assert!(sent[1].contains("<InvoiceModRq") && sent[1].contains("<Memo>b</Memo>"), "{sent:?}");
    assert_eq!(status(&bench).await, Status::Synced);
}

#[actix_web::test]
async fn what_is_put_while_nobody_knows_of_its_deletion_is_asked_for() {
    for gone in [true, false] {
        let mut bench = synced().await;
        want(&bench, Wanted::Deleted).await;
        let carried = bench.open().await;
        bench.put("Invoice/1", invoice("b")).await;
        bench.bring(&carried.ticket, &forgotten(&carried.qbxml)).await;
        let question = bench.send(&carried.ticket).await;
        assert!(question.contains("<InvoiceQueryRq"), "{question}");
        let there = bench.agree(&question);
        let answer = if gone { empty(&question) } else { there };
        bench.bring(&carried.ticket, &answer).await;
        close(&bench, &carried).await;

        if gone {
            asked_and_made(&drain_of_none(&mut bench).await);
        } else {
            let sent = drain(&mut bench).await;
            assert!(sent.len() == 1 && sent[0].contains("<InvoiceModRq"), "{sent:?}");
        }
        assert_eq!(status(&bench).await, Status::Synced);
    }
}

#[actix_web::test]
async fn a_put_that_was_swallowed_by_a_deletion_before_is_taken_again() {
    let mut bench = synced().await;
    let mut record = bench.record("Invoice/1").await;
    // As older versions left it.
    record.status = Status::Withdrawn;
    let changes = vec![bookbridge::store::Change::PutRecord(Box::new(record))];
    let commit = bookbridge::store::Commit { guards: Vec::new(), changes };
    bench.engine.store().commit(commit).await.unwrap();

    let put = bench.put("Invoice/1", invoice("a")).await;

    assert!(matches!(put, Put::Changed(_)), "{put:?}");
    drain(&mut bench).await;
    assert_eq!(status(&bench).await, Status::Synced);
}

#[actix_web::test]
async fn a_refused_change_does_not_end_a_deletion() {
    for (wanted, request) in [(Wanted::Deleted, "<TxnDelRq"), (Wanted::Voided, "<TxnVoidRq")] {
        let mut bench = synced().await;
        bench.put("Invoice/1", invoice("b")).await;
        let carried = bench.open().await;
        want(&bench, wanted).await;

        refused(&mut bench, &carried, 3040, NUMBER).await;

        let sent = drain(&mut bench).await;
        assert!(sent.len() == 1 && sent[0].contains(request), "{sent:?}");
        assert_eq!(status(&bench).await, Status::Withdrawn);
    }
}

#[actix_web::test]
async fn a_refused_deletion_of_what_is_wanted_again_is_no_failure() {
    let mut bench = synced().await;
    want(&bench, Wanted::Deleted).await;
    let carried = bench.open().await;
    bench.put("Invoice/1", invoice("a")).await;

    refused(&mut bench, &carried, 3170, LINKED).await;
    drain(&mut bench).await;

    assert_eq!(status(&bench).await, Status::Synced);
    // Still wanted, the refusal is what it fails of.
    want(&bench, Wanted::Deleted).await;
    let carried = bench.open().await;
    refused(&mut bench, &carried, 3170, LINKED).await;
    assert_eq!(status(&bench).await, Status::Failed);
}

#[actix_web::test]
async fn what_is_to_be_deleted_and_is_gone_is_withdrawn() {
    for (wanted, expected) in [
        (Wanted::Deleted, Status::Withdrawn),
        (Wanted::Withdrawn, Status::Withdrawn),
        (Wanted::Present, Status::Failed),
    ] {
        let mut bench = synced().await;
        act(&bench, Action::Link { id: "43-9".to_owned() }).await;
        bench.put("Invoice/1", invoice("b")).await;
        let Login::Work { ticket, .. } = bench.login().await else { panic!() };
        let linked = bench.send(&ticket).await;
        let there = bench.agree(&linked);
        bench.bring(&ticket, &there).await;
        let qbxml = bench.send(&ticket).await;
        assert!(qbxml.contains("<InvoiceQueryRq"), "{qbxml}");
        if wanted != Wanted::Present {
            want(&bench, wanted).await;
        }

        bench.bring(&ticket, &empty(&qbxml)).await;

        assert_eq!(status(&bench).await, expected, "{wanted:?}");
        if expected == Status::Failed {
            let record = bench.record("Invoice/1").await;
            assert_eq!(record.findings[0].code, Code::ObjectNotFound);
        }
    }
}

#[actix_web::test]
async fn what_is_to_be_taken_out_is_not_linked_to_another_one() {
    let mut bench = synced().await;
    want(&bench, Wanted::Deleted).await;

    let link = Action::Link { id: "43-9".to_owned() };
    let refused = bench.engine.act(&bench.key("Invoice/1"), link, &actor()).await.unwrap_err();

    assert!(matches!(refused, EngineError::NotNow(_)), "{refused}");
    let sent = drain(&mut bench).await;
    assert!(sent.iter().all(|it| !it.contains("43-9")), "{sent:?}");
    assert_eq!(status(&bench).await, Status::Withdrawn);
}
