//! What nobody knows the outcome of: no decision makes it twice.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action;
use bookbridge::engine::BulkAction;
use bookbridge::engine::Engine;
use bookbridge::engine::EngineError;
use bookbridge::engine::Pressed;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use bookbridge::store::RecordFilter;
use serde_json::Value;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use super::bench::attribute;
use super::bench::told;

/// An object that may be the lost one, or not: nobody knows.
const STRANGER: &str = "statusCode=\"0\"><InvoiceRet><TxnID>43-9</TxnID><CustomerRef><ListID>80-1</ListID>\
     </CustomerRef></InvoiceRet>";
const NOTHING: &str = "statusCode=\"1\" statusSeverity=\"Info\"/>";

fn invoice() -> Value {
    json!({ "CustomerRef": {"ListID": "80-1"}, "InvoiceLine": {"Desc": "x"} })
}

fn fix(id: &str) -> Action {
    Action::Fix(Pressed { id: id.to_owned(), ..Pressed::default() })
}

/// One session in which QuickBooks does not remember what it is asked for again, finds this in its
/// books, and takes all else; what it was sent.
async fn session(bench: &mut Bench, forgets: bool, books: &str) -> Vec<String> {
    bench
        .session(|bench, qbxml| {
            if qbxml.contains("QueryRq") {
                told(qbxml, &[books; 2])
            } else if forgets && qbxml.contains("AddRq") {
                let id = attribute(qbxml, "newMessageSetID").unwrap();
                format!(
                    "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"9002\"/></QBXML>"
                )
            } else {
                bench.agree(qbxml)
            }
        })
        .await
}

/// An invoice of which nobody knows whether QuickBooks has it.
async fn unknown() -> Bench {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice()).await;
    session(&mut bench, true, STRANGER).await;
    is_unknown(&bench).await;
    bench
}

async fn is_unknown(bench: &Bench) {
    let record = bench.record("Invoice/1").await;
    assert_eq!(record.status, Status::Failed);
    assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
}

async fn act(bench: &Bench, action: Action) -> Result<Status, EngineError> {
    let done = bench.engine.act(&bench.key("Invoice/1"), action, &actor()).await;
    done.map(|record| record.status)
}

/// Everything that a person or an application may do about it without saying that it is not there.
async fn decide(bench: &Bench, how: &str) {
    let record = bench.record("Invoice/1").await;
    match how {
        "withdraw" => {
            let withdrawn = act(bench, Action::Withdraw(Wanted::Withdrawn)).await.unwrap();
            assert_eq!(withdrawn, Status::Withdrawn);
            bench.put("Invoice/1", invoice()).await;
        }
        "bypass" => {
            for reference in [None, Some("43-50".to_owned())] {
                let reason = "x".to_owned();
                act(bench, Action::Bypass { reason, reference }).await.unwrap();
                act(bench, Action::Unbypass).await.unwrap();
            }
        }
        "edit" => {
            let values = vec![("/Memo".to_owned(), "edited".to_owned())];
            let version = Engine::version_of(&record);
            act(bench, Action::Edit { values, version }).await.unwrap();
        }
        "retry" => assert_eq!(act(bench, Action::Retry).await.unwrap(), Status::Failed),
        _ => assert_eq!(act(bench, Action::ResetReference).await.unwrap(), Status::Failed),
    }
}

#[actix_web::test]
async fn no_decision_sends_it_before_the_books_are_searched() {
    for how in ["withdraw", "bypass", "edit", "retry", "reset"] {
        let mut bench = unknown().await;
        decide(&bench, how).await;

        let sent = session(&mut bench, false, STRANGER).await;

        let asks = sent.iter().all(|it| it.contains("<InvoiceQueryRq"));
        assert!(asks && !sent.is_empty(), "{how}: {sent:?}");
        is_unknown(&bench).await;
        decide(&bench, how).await;
        let sent = session(&mut bench, false, NOTHING).await;
        assert!(sent[0].contains("<InvoiceQueryRq"), "{how}: {sent:?}");
        assert_eq!(sent.iter().filter(|it| it.contains("<InvoiceAddRq")).count(), 1, "{how}");
        assert_eq!(bench.record("Invoice/1").await.status, Status::Synced, "{how}");
    }
}

#[actix_web::test]
async fn a_record_of_an_older_store_is_searched_too() {
    let mut bench = unknown().await;
    let mut record = bench.record("Invoice/1").await;
    record.lost = None;
    let changes = vec![Change::PutRecord(Box::new(record))];
    bench.engine.store().commit(Commit { guards: Vec::new(), changes }).await.unwrap();

    decide(&bench, "withdraw").await;

    let sent = session(&mut bench, false, STRANGER).await;
    assert!(sent.len() == 1 && sent[0].contains("<InvoiceQueryRq"), "{sent:?}");
}

#[actix_web::test]
async fn decisions_about_many_leave_it_alone() {
    let mut bench = unknown().await;
    for id in ["retry", "reset-reference", "send-again"] {
        let pressed = Pressed { id: id.to_owned(), ..Pressed::default() };
        let (all, fix) = (RecordFilter::default(), BulkAction::Fix(pressed));
        let done = bench.engine.act_on_all(&bench.id, &all, fix, "", false, &actor()).await;
        assert_eq!(done.unwrap(), 0, "{id}");
    }
    assert!(session(&mut bench, false, NOTHING).await.is_empty());
}

#[actix_web::test]
async fn a_person_who_says_that_it_is_not_there_is_believed() {
    let mut bench = unknown().await;

    assert_eq!(act(&bench, fix("send-again")).await.unwrap(), Status::Queued);

    let sent = session(&mut bench, false, NOTHING).await;
    assert!(sent.len() == 1 && sent[0].contains("<InvoiceAddRq"), "{sent:?}");
    assert_eq!(bench.record("Invoice/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn what_cannot_be_searched_is_not_sent_and_a_retry_says_so() {
    let mut bench = Bench::new().await;
    let job = json!({ "Name": "Job", "ParentRef": {"ListID": "80-77"} });
    bench.put("Customer/1", job.clone()).await;
    session(&mut bench, true, NOTHING).await;
    let key = bench.key("Customer/1");
    assert_eq!(bench.record("Customer/1").await.findings[0].code, Code::OutcomeUnknown);

    let refused = bench.engine.act(&key, Action::Retry, &actor()).await.unwrap_err();
    assert!(refused.to_string().contains("send-again"), "{refused}");
    let taken_back = Action::Withdraw(Wanted::Withdrawn);
    bench.engine.act(&key, taken_back, &actor()).await.unwrap();
    bench.put("Customer/1", job).await;

    assert_eq!(bench.record("Customer/1").await.status, Status::Failed);
    assert!(session(&mut bench, false, NOTHING).await.is_empty());
}

#[actix_web::test]
async fn an_answered_question_leaves_no_fix_without_effect() {
    let mut bench = unknown().await;
    assert_eq!(bench.record("Invoice/1").await.asked, None);
    let object = Some("43-9".to_owned());
    let link = Action::Fix(Pressed { id: "link".to_owned(), object, value: None });

    // While the books are asked, a press would do nothing, and is refused.
    act(&bench, Action::Retry).await.unwrap();
    for action in [link.clone(), fix("send-again"), Action::Retry] {
        let refused = act(&bench, action).await.unwrap_err();
        assert!(matches!(refused, EngineError::NotNow(_)), "{refused}");
    }
    session(&mut bench, false, STRANGER).await;

    assert_eq!(act(&bench, link).await.unwrap(), Status::Synced);
}

#[actix_web::test]
async fn a_search_that_finds_nothing_leaves_no_fix_without_effect() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let id = attribute(&first.qbxml, "newMessageSetID").unwrap();
    let forgotten = format!(
        "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"600\"/></QBXML>"
    );
    bench.bring(&first.ticket, &forgotten).await;
    let question = bench.send(&first.ticket).await;
    bench.bring(&first.ticket, &told(&question, &[])).await;
    let again = bench.send(&first.ticket).await;
    let taken = "The name &quot;Customer 1&quot; of the list element is already in use.";
    let refused = bench.answer(&again, |_| Some((3100, taken)));
    bench.bring(&first.ticket, &refused).await;
    let value = Some("Another".to_owned());
    let rename = Action::Fix(Pressed { id: "rename".to_owned(), value, object: None });

    let renamed = bench.engine.act(&bench.key("Customer/1"), rename, &actor()).await.unwrap();

    assert_eq!(renamed.status, Status::Queued);
}

#[actix_web::test]
async fn what_was_made_for_one_that_moved_on_frees_the_others() {
    for how in ["put", "withdraw", "bypass"] {
        let mut bench = Bench::new().await;
        let data = |memo: &str| {
            json!({
                "CustomerRef": {"ListID": "80-1"}, "TermsRef": {"FullName": "Net 30"}, "Memo": memo,
                "InvoiceLine": {"Desc": memo},
            })
        };
        for path in ["Invoice/1", "Invoice/2"] {
            bench.put(path, data(path)).await;
        }
        let carried = bench.open().await;
        let missing = "There is an invalid reference to QuickBooks Terms &quot;Net 30&quot; in the \
                       Invoice.  QuickBooks error message: Invalid argument.  The specified record \
                       does not exist in the list.";
        let answer = bench.answer(&carried.qbxml, |_| Some((3140, missing)));
        bench.bring(&carried.ticket, &answer).await;
        bench.engine.close_connection(&carried.ticket).await.unwrap();
        session(&mut bench, false, NOTHING).await;
        act(&bench, fix("create-missing")).await.unwrap();

        match how {
            "put" => drop(bench.put("Invoice/1", data("new")).await),
            "withdraw" => {
                act(&bench, Action::Withdraw(Wanted::Withdrawn)).await.unwrap();
            }
            _ => {
                let reason = "x".to_owned();
                act(&bench, Action::Bypass { reason, reference: None }).await.unwrap();
            }
        }
        session(&mut bench, false, NOTHING).await;
        session(&mut bench, false, NOTHING).await;

        assert_eq!(bench.record("Invoice/2").await.status, Status::Synced, "{how}");
    }
}
