//! What goes when: order, blocking, changes, retries.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Login;
use bookbridge::engine::NewRequest;
use bookbridge::engine::Put;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use super::bench::attribute;

#[actix_web::test]
async fn a_record_is_sent_and_synced() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;

    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    let percent = bench.bring(&carried.ticket, &answer).await;

    assert_eq!(percent, 100);
    let record = bench.record("Customer/1").await;
    assert_eq!(record.status, Status::Synced);
    assert_eq!(record.reference.unwrap().id, "80-1");
    assert_eq!(bench.engine.close_connection(&carried.ticket).await.unwrap(), "OK");
    assert_eq!(bench.login().await, Login::None { postpone: None, at_least: None });
}

#[actix_web::test]
async fn the_same_content_put_again_changes_nothing() {
    let bench = Bench::new().await;
    let first = bench.put("Customer/1", json!({"Name": "A", "Phone": "1"})).await;

    let second = bench.put("Customer/1", json!({"Phone": "1", "Name": "A"})).await;

    let Put::Same(same) = second else { panic!("{second:?}") };
    assert_eq!(same.revision, bench.record("Customer/1").await.revision);
    assert_eq!(first.record().sequence, 0);
}

#[actix_web::test]
async fn a_record_changed_while_it_is_sent_is_sent_once_more() {
    let mut bench = Bench::new().await;
    bench.put("Customer/1", json!({"Name": "A"})).await;
    let carried = bench.open().await;
    bench.put("Customer/1", json!({"Name": "B"})).await;
    assert_eq!(bench.record("Customer/1").await.status, Status::Sent);

    let answer = bench.agree(&carried.qbxml);
    let percent = bench.bring(&carried.ticket, &answer).await;

    assert!(percent < 100, "{percent}");
    assert_eq!(bench.record("Customer/1").await.status, Status::Queued);
    let again = bench.send(&carried.ticket).await;
    assert!(again.contains("<CustomerModRq") && again.contains("<Name>B</Name>"), "{again}");
    let answer = bench.agree(&again);
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn a_child_waits_for_its_parent_and_wakes_in_the_same_session() {
    let mut bench = Bench::new().await;
    bench
        .put(
            "Invoice/1",
            json!({"CustomerRef": {"source": "Customer/1"}, "InvoiceLine": {"Desc": "x"}}),
        )
        .await;
    let waiting = bench.record("Invoice/1").await;
    assert_eq!(waiting.status, Status::Blocked);
    assert_eq!(waiting.blocked_by, [bench.key("Customer/1")]);
    bench.customer("Customer/1").await;

    let carried = bench.open().await;
    assert!(!carried.qbxml.contains("InvoiceAdd"));
    let answer = bench.agree(&carried.qbxml);
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 99);

    let child = bench.send(&carried.ticket).await;
    assert!(child.contains("InvoiceAddRq"), "{child}");
}

#[actix_web::test]
async fn records_that_wait_for_each_other_fail() {
    let bench = Bench::new().await;
    bench.put("Customer/1", json!({"Name": "1", "ParentRef": {"source": "Customer/2"}})).await;
    bench.put("Customer/2", json!({"Name": "2", "ParentRef": {"source": "Customer/1"}})).await;

    let second = bench.record("Customer/2").await;

    assert_eq!(second.status, Status::Failed);
    assert_eq!(second.findings[0].code, Code::CircularReference);
    assert_eq!(bench.record("Customer/1").await.status, Status::Blocked);
}

#[actix_web::test]
async fn a_record_that_refers_to_itself_is_not_sent_though_it_is_there() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;

    bench.put("Customer/1", json!({"Name": "1", "ParentRef": {"source": "Customer/1"}})).await;

    let record = bench.record("Customer/1").await;
    assert_eq!(record.status, Status::Failed);
    assert_eq!(record.findings[0].code, Code::CircularReference);
    assert_eq!(record.findings[0].cause, "itself");
}

#[actix_web::test]
async fn a_locked_record_is_tried_again_later_and_the_connector_is_told_when() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let carried = bench.open().await;
    let answer = bench.answer(&carried.qbxml, |_| Some((3175, "it is in use")));

    let percent = bench.bring(&carried.ticket, &answer).await;

    assert_eq!(percent, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Queued);
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    let Login::None { postpone, .. } = bench.login().await else { panic!() };
    assert_eq!(postpone, Some(60));
    bench.hands.pass(61);
    assert!(matches!(bench.login().await, Login::Work { .. }));
}

#[actix_web::test]
async fn one_refusal_does_not_touch_the_others() {
    let mut bench = Bench::new().await;
    for number in 0..3 {
        bench.customer(&format!("Customer/{number}")).await;
    }
    let carried = bench.open().await;

    let answer = bench.answer(&carried.qbxml, |text| {
        text.contains("Customer 1").then_some((
            3100,
            "The name &quot;Customer 1&quot; of the list element is already in use.",
        ))
    });
    bench.bring(&carried.ticket, &answer).await;

    assert_eq!(bench.record("Customer/0").await.status, Status::Synced);
    assert_eq!(bench.record("Customer/2").await.status, Status::Synced);
    let refused = bench.record("Customer/1").await;
    assert_eq!(refused.status, Status::Failed);
    assert_eq!(refused.findings[0].code, Code::NameInUse);
    assert_eq!(refused.findings[0].facts["value"], "Customer 1");
}

#[actix_web::test]
async fn a_stale_edit_sequence_is_asked_for_once_by_itself() {
    let mut bench = Bench::new().await;
    bench.put("Customer/1", json!({"Name": "A"})).await;
    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    bench.put("Customer/1", json!({"Name": "B"})).await;

    let carried = bench.open().await;
    let stale = "The provided edit sequence &quot;1&quot; is out-of-date. ";
    let answer = bench.answer(&carried.qbxml, |_| Some((3200, stale)));
    assert!(bench.bring(&carried.ticket, &answer).await < 100);
    let question = bench.send(&carried.ticket).await;
    assert!(question.contains("<CustomerQueryRq"), "{question}");
    assert_eq!(attribute(&question, "newMessageSetID"), None);
    let answer = bench.agree(&question);
    assert!(bench.bring(&carried.ticket, &answer).await < 100);
    let again = bench.send(&carried.ticket).await;
    assert!(again.contains("<EditSequence>2</EditSequence>"), "{again}");
    let answer = bench.answer(&again, |_| Some((3200, stale)));
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);

    let record = bench.record("Customer/1").await;
    assert_eq!(record.status, Status::Failed);
    assert_eq!(record.findings[0].code, Code::EditSequenceStale);
}

#[actix_web::test]
async fn the_same_content_in_other_words_changes_nothing() {
    let mut bench = Bench::new().await;
    let line = json!({"Desc": "x", "Amount": "5.00"});
    bench.put("Customer/1", json!({"Name": "A", "CreditLimit": 5})).await;
    bench
        .put(
            "Invoice/1",
            json!({"CustomerRef": {"source": "Customer/1"}, "InvoiceLine": line.clone()}),
        )
        .await;
    for _ in 0..2 {
        let carried = bench.open().await;
        let answer = bench.agree(&carried.qbxml);
        bench.bring(&carried.ticket, &answer).await;
        bench.engine.close_connection(&carried.ticket).await.unwrap();
    }

    let limit = bench.put("Customer/1", json!({"CreditLimit": "5.00", "Name": " A"})).await;
    let lines = bench
        .put(
            "Invoice/1",
            json!({"InvoiceLineAdd": [line], "CustomerRef": {"source": "Customer/1"}}),
        )
        .await;

    assert!(matches!(limit, Put::Same(_)), "{limit:?}");
    assert!(matches!(lines, Put::Same(_)), "{lines:?}");
    let emptied = bench.put("Customer/1", json!({"Name": "A", "CreditLimit": ""})).await;
    assert!(matches!(emptied, Put::Changed(_)), "{emptied:?}");
}

#[actix_web::test]
async fn fifty_callers_with_one_record_are_all_answered() {
    let bench = Bench::new().await;
    let names = (0..50).map(|number| json!({ "Name": format!("Name {number}") }));

    let puts =
        futures_util::future::join_all(names.map(|data| bench.put("Customer/1", data))).await;

    assert_eq!(puts.iter().filter(|put| matches!(put, Put::New(_))).count(), 1);
    assert_eq!(bench.record("Customer/1").await.revision.0, 50);
}

#[actix_web::test]
async fn a_record_in_a_circle_goes_once_the_circle_is_open() {
    let mut bench = Bench::new().await;
    let child = |of: &str| json!({"Name": "A", "ParentRef": {"source": of}});
    bench.put("Customer/1", child("Customer/2")).await;
    bench.put("Customer/2", child("Customer/1")).await;
    assert_eq!(bench.record("Customer/2").await.findings[0].code, Code::CircularReference);

    bench.put("Customer/1", json!({"Name": "A"})).await;
    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;

    assert_eq!(bench.record("Customer/2").await.status, Status::Queued);
}

#[actix_web::test]
async fn a_record_that_waits_says_for_whom_and_how_that_one_stands() {
    let bench = Bench::new().await;
    let invoice = json!({"CustomerRef": {"source": "Customer/1"}, "InvoiceLine": {"Desc": "x"}});
    bench.put("Invoice/1", invoice).await;
    let why = async || {
        let record = bench.record("Invoice/1").await;
        let reasons = bench.engine.reasons(&record).await.unwrap();
        assert_eq!(reasons[0].code, Code::WaitsForRecord);
        bookbridge::diagnosis::render(&reasons[0]).detail
    };

    let never = why().await;
    bench.put("Customer/1", json!({"Name": "A: B"})).await;
    let failed = why().await;
    bench.put("Customer/1", json!({"Name": "A"})).await;
    let queued = why().await;

    assert_eq!(never, "It waits for Customer/1, which was never sent to Bookbridge.");
    assert_eq!(failed, "It waits for Customer/1, which cannot go yet: A colon in a name.");
    assert_eq!(queued, "It waits for Customer/1, which is queued.");
}

#[actix_web::test]
async fn a_session_is_done_with_the_answer_that_settles_what_still_waits() {
    let mut bench = Bench::new().await;
    bench.put("Customer/1", json!({"Name": "A"})).await;
    let carried = bench.open().await;
    bench.put("Customer/2", json!({"Name": "A"})).await;
    assert_eq!(bench.record("Customer/2").await.status, Status::Queued);

    let answer = bench.agree(&carried.qbxml).replace("</ListID>", "</ListID><Name>A</Name>");
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);

    let second = bench.record("Customer/2").await;
    assert_eq!((second.status, second.findings[0].code), (Status::Failed, Code::NameInUse));
    assert_eq!(bench.engine.close_connection(&carried.ticket).await.unwrap(), "OK");
}

#[actix_web::test]
async fn nobody_waits_for_an_answer_while_the_server_stops() {
    let bench = Bench::new().await;
    let query = NewRequest::Xml("<CustomerQueryRq/>".to_owned());
    let request = bench.engine.submit(&bench.id, query, None, &actor()).await.unwrap();

    let longest = std::time::Duration::from_mins(1);
    let waiting = bench.engine.wait_for(&bench.id, request.id, longest);
    let leaving = async {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
        bench.engine.leave();
    };
    let began = std::time::Instant::now();
    let (told, ()) = futures_util::future::join(waiting, leaving).await;

    assert_eq!(told.unwrap().id, request.id);
    assert!(began.elapsed().as_secs() < 30);
}
