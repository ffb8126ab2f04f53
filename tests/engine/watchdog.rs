//! What should never happen, made by hand: the watchdog finds it.

use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::ids::MessageSetId;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::session::Stage;
use bookbridge::engine::HealthState;
use bookbridge::engine::Login;
use bookbridge::engine::Stuck;
use bookbridge::store::Change;
use serde_json::json;

use super::bench::Bench;
use super::bench::attribute;
use super::twice::invoice;

#[actix_web::test]
async fn nothing_is_stuck_where_all_is_well() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.customer("Customer/2").await;
    bench.put("Customer/3", json!({"Name": "C", "ParentRef": {"source": "Customer/4"}})).await;
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    let carried = bench.open().await;
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    bench.hands.pass(3600);
    bench.engine.sweep().await.unwrap();
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    let again = bench.open().await;
    assert_eq!(again.qbxml, carried.qbxml);
    let answer = bench.agree(&again.qbxml);
    bench.bring(&again.ticket, &answer).await;

    assert_eq!(bench.engine.watch().await.unwrap(), []);
}

#[actix_web::test]
async fn a_record_that_nobody_carries_is_a_person_s() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let mut record = bench.record("Customer/1").await;
    record.status = Status::Sent;
    bench.engine.store().commit(Change::PutRecord(Box::new(record)).into()).await.unwrap();

    let found = bench.engine.watch().await.unwrap();

    assert_eq!(found, [Stuck::Orphan(bench.key("Customer/1"))]);
    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.findings[0].code), (Status::Failed, Code::OutcomeUnknown));
    assert_eq!(bench.engine.watch().await.unwrap(), []);
}

#[actix_web::test]
async fn a_record_that_waits_for_nothing_goes() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let mut record = bench.record("Customer/1").await;
    record.status = Status::Blocked;
    bench.engine.store().commit(Change::PutRecord(Box::new(record)).into()).await.unwrap();

    let found = bench.engine.watch().await.unwrap();

    assert_eq!(found, [Stuck::Forgotten(bench.key("Customer/1"))]);
    assert_eq!(bench.record("Customer/1").await.status, Status::Queued);
}

#[actix_web::test]
async fn a_message_set_that_is_gone_holds_nobody_up() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let mut state = ConnectorState::new(bench.id.clone());
    state.outstanding = Some(MessageSetId::from_bits(7));
    bench.engine.store().commit(Change::PutState(state).into()).await.unwrap();

    assert_eq!(bench.engine.watch().await.unwrap(), [Stuck::LostMessageSet]);

    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);
}

#[actix_web::test]
async fn a_record_without_a_place_in_the_queue_gets_one() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.customer("Customer/2").await;
    bench.lose_the_queue().await;
    bench.customer("Customer/3").await;
    assert_eq!(
        bench.engine.store().ready(&bench.id, bench.engine.now(), 9).await.unwrap().len(),
        1
    );

    let mut found = bench.engine.watch().await.unwrap();

    found.sort_by_key(|stuck| format!("{stuck:?}"));
    let unlisted = ["Customer/1", "Customer/2"].map(|path| Stuck::Unlisted(bench.key(path)));
    assert_eq!(found, unlisted);
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    assert_eq!(bench.engine.store().check().await.unwrap(), [""; 0]);
    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);
    for path in ["Customer/1", "Customer/2", "Customer/3"] {
        assert_eq!(bench.record(path).await.status, Status::Synced, "{path}");
        assert_eq!(
            carried.qbxml.matches(&format!("<Name>{}</Name>", path.replace('/', " "))).count(),
            1
        );
    }
}

/// Puts a customer and runs a session in which everything succeeds.
async fn session(bench: &mut Bench, path: &str) {
    bench.hands.pass(600);
    bench.customer(path).await;
    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);
    bench.engine.close_connection(&carried.ticket).await.unwrap();
}

/// Queued at this moment, and due then by hand.
async fn due_at(bench: &Bench, path: &str, due: Option<jiff::Timestamp>) {
    let mut record = bench.record(path).await;
    record.due = due;
    bench.engine.store().commit(Change::PutRecord(Box::new(record)).into()).await.unwrap();
}

#[actix_web::test]
async fn a_record_that_sessions_pass_over_is_seen_in_the_health() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    // A mistake keeps it back as if its time had not come.
    let later = bench.engine.now() + jiff::SignedDuration::from_mins(50);
    due_at(&bench, "Customer/1", Some(later)).await;
    for number in 2..5 {
        let health = bench.engine.health(&bench.id).await.unwrap();
        let passed = health.findings.iter().any(|it| it.cause == "passed_over");
        assert!(!passed, "{number}: {:?}", health.findings);
        session(&mut bench, &format!("Customer/{number}")).await;
        assert_eq!(bench.engine.watch().await.unwrap(), [], "{number}");
    }

    due_at(&bench, "Customer/1", None).await;

    assert_eq!(bench.engine.watch().await.unwrap(), [Stuck::PassedOver(bench.key("Customer/1"))]);
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.state, HealthState::Waiting);
    let finding = &health.findings[0];
    assert_eq!((finding.code, finding.cause.as_str()), (Code::InternalError, "passed_over"));
    let told = "Customer/1 is due since 2026-03-02 08:00 UTC and does not go";
    assert!(health.summary.contains(told), "{}", health.summary);
    assert!(
        health.summary.starts_with("1 record waits for the next session"),
        "{}",
        health.summary
    );

    // Once it goes, all is well.
    session(&mut bench, "Customer/5").await;
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    assert!(bench.engine.health(&bench.id).await.unwrap().findings.is_empty());
}

#[actix_web::test]
async fn what_came_after_the_sessions_was_not_passed_over() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    due_at(&bench, "Customer/1", Some(jiff::Timestamp::MAX)).await;
    for number in 2..5 {
        session(&mut bench, &format!("Customer/{number}")).await;
    }

    // Its time came a moment ago: the sessions before could not take it.
    due_at(&bench, "Customer/1", Some(bench.engine.now())).await;
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    due_at(&bench, "Customer/1", None).await;
    let pause = bench.engine.pause(&bench.id, &super::bench::actor()).await;
    pause.unwrap();
    assert_eq!(bench.engine.watch().await.unwrap(), []);
}

#[actix_web::test]
async fn a_long_queue_that_is_drained_slowly_is_not_stuck() {
    let mut bench = Bench::new().await;
    for number in 0..120 {
        bench.customer(&format!("Customer/{number}")).await;
    }
    for left in [95, 70, 45, 20] {
        bench.hands.pass(600);
        let carried = bench.open().await;
        let answer = bench.agree(&carried.qbxml);
        assert!(bench.bring(&carried.ticket, &answer).await < 100);
        // Somebody stops the Web Connector after one message set.
        bench.engine.close_connection(&carried.ticket).await.unwrap();

        let waiting = bench.engine.store().counts(&bench.id).await.unwrap().of(Status::Queued);
        assert_eq!(waiting, left);
        assert_eq!(bench.engine.watch().await.unwrap(), []);
    }
}

#[actix_web::test]
async fn what_waits_for_a_time_at_which_the_clock_was_wrong_goes() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let carried = bench.open().await;
    let locked = "Object is in use by another user.";
    let answer = bench.answer(&carried.qbxml, |_| Some((3175, locked)));
    bench.bring(&carried.ticket, &answer).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    assert!(bench.record("Customer/1").await.due.is_some());
    assert_eq!(bench.engine.watch().await.unwrap(), []);

    bench.hands.pass(-30 * 86_400);

    assert_eq!(bench.engine.watch().await.unwrap(), [Stuck::TooLate(bench.key("Customer/1"))]);
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    let carried = bench.open().await;
    assert!(carried.qbxml.contains("<Name>Customer 1</Name>"), "{}", carried.qbxml);
}

#[actix_web::test]
async fn a_question_without_a_place_in_the_queue_is_asked() {
    let mut bench = Bench::new().await;
    bench.put("Invoice/1", invoice("77")).await;
    let carried = bench.open().await;
    let id = attribute(&carried.qbxml, "newMessageSetID").unwrap();
    let forgotten = format!(
        "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"9002\"/></QBXML>"
    );
    bench.bring(&carried.ticket, &forgotten).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    assert_eq!(bench.record("Invoice/1").await.status, Status::InDoubt);
    bench.lose_the_queue().await;

    let found = bench.engine.watch().await.unwrap();

    assert!(matches!(found.as_slice(), [Stuck::UnlistedRequest(_)]), "{found:?}");
    assert_eq!(bench.engine.watch().await.unwrap(), []);
    let carried = bench.open().await;
    assert!(carried.qbxml.contains("InvoiceQueryRq"), "{}", carried.qbxml);
}

#[actix_web::test]
async fn a_session_whose_message_set_is_gone_does_not_live_for_ever() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let carried = bench.open().await;
    let store = bench.engine.store();
    let mut state = store.state(&bench.id).await.unwrap().unwrap();
    let mut session = store.session(state.living.unwrap()).await.unwrap().unwrap();
    let gone = MessageSetId::from_bits(7);
    state.outstanding = Some(gone.clone());
    session.machine.stage = Stage::Waiting(gone);
    store.commit(Change::PutState(state).into()).await.unwrap();
    store.commit(Change::PutSession(Box::new(session)).into()).await.unwrap();

    bench.hands.pass(3600);
    bench.engine.sweep().await.unwrap();

    bench.customer("Customer/2").await;
    assert!(matches!(bench.login().await, Login::Work { .. }));
    assert_eq!(bench.send(&carried.ticket).await, "");
}
