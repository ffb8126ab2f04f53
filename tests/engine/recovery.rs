//! Lost answers: nothing lost, nothing twice.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Login;

use super::bench::Bench;
use super::bench::attribute;

#[actix_web::test]
async fn a_lost_answer_is_asked_for_in_the_same_bytes() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let lost = bench.open().await;
    assert_eq!(bench.login().await, Login::Busy);
    bench.hands.pass(901);

    let again = bench.open().await;

    assert_eq!(again.qbxml, lost.qbxml);
    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
    let answer = bench.agree(&again.qbxml);
    assert_eq!(bench.bring(&again.ticket, &answer).await, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn the_next_write_acknowledges_the_last() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let answer = bench.agree(&first.qbxml);
    bench.bring(&first.ticket, &answer).await;
    bench.customer("Customer/2").await;

    let second = bench.send(&first.ticket).await;

    assert_eq!(attribute(&second, "oldMessageSetID"), attribute(&first.qbxml, "newMessageSetID"));
    assert_ne!(attribute(&second, "newMessageSetID"), attribute(&first.qbxml, "newMessageSetID"));
}

#[actix_web::test]
async fn a_second_send_in_one_session_gets_nothing_and_the_next_recovers() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;

    let doubled = bench.send(&first.ticket).await;

    assert_eq!(doubled, "");
    let line = bench.engine.last_error(&first.ticket).await.unwrap();
    assert!(line.contains("lost"), "{line}");
    let again = bench.open().await;
    assert_eq!(again.qbxml, first.qbxml);
}

#[actix_web::test]
async fn an_answer_under_a_dead_ticket_still_counts() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let answer = bench.agree(&first.qbxml);
    bench.engine.close_connection(&first.ticket).await.unwrap();
    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);

    let percent = bench.bring(&first.ticket, &answer).await;

    assert_eq!(percent, -1);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
    assert!(matches!(bench.login().await, Login::None { .. }));
}

#[actix_web::test]
async fn a_dead_ticket_gets_no_work() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let Login::Work { ticket, .. } = bench.login().await else { panic!() };
    bench.hands.pass(901);
    let second = bench.open().await;
    assert!(!second.qbxml.is_empty());

    assert_eq!(bench.send(&ticket).await, "");
    assert_eq!(bench.send("unknown").await, "");
    assert_eq!(bench.bring("unknown", "<x/>").await, -1);
}

#[actix_web::test]
async fn what_quickbooks_does_not_remember_is_never_sent_again_by_itself() {
    for status in ["600", "9001", "9002"] {
        let bench = Bench::new().await;
        bench.customer("Customer/1").await;
        let first = bench.open().await;
        let id = attribute(&first.qbxml, "newMessageSetID").unwrap();
        let answer = format!(
            "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"{status}\"/></QBXML>"
        );

        bench.bring(&first.ticket, &answer).await;

        let record = bench.record("Customer/1").await;
        assert_eq!(record.status, Status::Failed, "{status}");
        assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
        bench.customer("Customer/1").await;
        assert_eq!(bench.record("Customer/1").await.status, Status::Failed);
    }
}

#[actix_web::test]
async fn a_refused_message_set_is_split_until_one_stands_alone() {
    let mut bench = Bench::new().await;
    for number in 0..5 {
        bench.customer(&format!("Customer/{number}")).await;
    }
    let Login::Work { ticket, .. } = bench.login().await else { panic!() };

    let mut rounds = 0;
    loop {
        let qbxml = bench.send(&ticket).await;
        if qbxml.is_empty() {
            break;
        }
        rounds += 1;
        assert!(rounds < 20);
        let percent = if qbxml.contains("Customer 3") {
            bench.throw(&ticket, "0x80040400").await
        } else {
            let answer = bench.agree(&qbxml);
            bench.bring(&ticket, &answer).await
        };
        assert!(percent > 0);
        if percent == 100 {
            break;
        }
    }

    for number in [0, 1, 2, 4] {
        let record = bench.record(&format!("Customer/{number}")).await;
        assert_eq!(record.status, Status::Synced, "{number}");
    }
    let bad = bench.record("Customer/3").await;
    assert_eq!(bad.status, Status::Failed);
    assert_eq!(bad.findings[0].code, Code::RequestRejected);
}

#[actix_web::test]
async fn an_exception_in_the_middle_leaves_the_message_set_in_doubt() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;

    assert_eq!(bench.throw(&first.ticket, "0x8004040D").await, -1);

    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
    let again = bench.open().await;
    assert_eq!(again.qbxml, first.qbxml);
}

#[actix_web::test]
async fn a_torn_response_is_kept_and_asked_for_again() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let answer = bench.agree(&first.qbxml);

    assert_eq!(bench.bring(&first.ticket, &answer[..answer.len() - 30]).await, -1);

    let again = bench.open().await;
    assert_eq!(again.qbxml, first.qbxml);
    assert_eq!(bench.bring(&again.ticket, &answer).await, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn an_answer_that_misses_one_request_leaves_that_one_unknown() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/0").await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let whole = bench.agree(&first.qbxml);
    let end = whole.find("<CustomerAddRs requestID=\"2\"").unwrap();
    let missing = format!("{}</QBXMLMsgsRs></QBXML>", &whole[..end]);

    bench.bring(&first.ticket, &missing).await;

    assert_eq!(bench.record("Customer/0").await.status, Status::Synced);
    let unknown = bench.record("Customer/1").await;
    assert_eq!(unknown.status, Status::Failed);
    assert_eq!(unknown.findings[0].code, Code::OutcomeUnknown);
}
