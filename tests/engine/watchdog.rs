//! What should never happen, made by hand: the watchdog finds it.

use bookbridge::domain::connection::ConnectorState;
use bookbridge::domain::ids::MessageSetId;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Stuck;
use bookbridge::store::Change;
use serde_json::json;

use super::bench::Bench;

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
