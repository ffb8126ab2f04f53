//! What people decide.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action;
use bookbridge::engine::BulkAction;
use bookbridge::engine::Engine;
use bookbridge::engine::EngineError;
use bookbridge::engine::HealthState;
use bookbridge::engine::Pressed;
use bookbridge::store::RecordFilter;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use super::bench::told;
use super::twice::agreed;

fn bypass(reference: Option<&str>) -> Action {
    Action::Bypass {
        reason: "it is in QuickBooks already".to_owned(),
        reference: reference.map(str::to_owned),
    }
}

#[actix_web::test]
async fn a_bypassed_parent_sets_its_child_free() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench
        .put(
            "Invoice/1",
            json!({"CustomerRef": {"source": "Customer/1"}, "InvoiceLine": {"Desc": "x"}}),
        )
        .await;

    let key = bench.key("Customer/1");
    bench.engine.act(&key, bypass(Some("80-77")), &actor()).await.unwrap();

    assert_eq!(bench.record("Customer/1").await.status, Status::Bypassed);
    assert_eq!(bench.record("Invoice/1").await.status, Status::Queued);
}

#[actix_web::test]
async fn nothing_is_decided_while_quickbooks_has_it() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.open().await;

    let key = bench.key("Customer/1");
    let pressed = Pressed { id: "bypass".to_owned(), ..Pressed::default() };
    let said = "Customer/1 is with QuickBooks now; decide once its answer is here";

    for action in [bypass(None), Action::Fix(pressed.clone())] {
        let refused = bench.engine.act(&key, action, &actor()).await;
        assert!(matches!(&refused, Err(EngineError::NotNow(why)) if why == said), "{refused:?}");
    }
    let shown = bench.engine.preview(&key, &pressed).await;
    let said = "Customer/1 is sent; it cannot be bypassed";
    assert!(matches!(&shown, Err(EngineError::NotNow(why)) if why == said), "{shown:?}");
}

#[actix_web::test]
async fn two_records_cannot_stand_at_one_object() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.customer("Customer/2").await;
    let link = || Action::Link { id: "80-1".to_owned() };
    bench.engine.act(&bench.key("Customer/1"), link(), &actor()).await.unwrap();

    let second = bench.engine.act(&bench.key("Customer/2"), link(), &actor()).await;

    assert!(matches!(second, Err(EngineError::NotNow(_))), "{second:?}");
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn a_linked_record_that_changes_asks_for_the_edit_sequence_first() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let link = Action::Link { id: "80-1".to_owned() };
    bench.engine.act(&bench.key("Customer/1"), link, &actor()).await.unwrap();

    bench.put("Customer/1", json!({"Name": "Other"})).await;

    let carried = bench.open().await;
    assert!(carried.qbxml.contains("<CustomerQueryRq"), "{}", carried.qbxml);
}

#[actix_web::test]
async fn a_record_withdrawn_before_it_went_never_goes() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;

    let key = bench.key("Customer/1");
    bench.engine.act(&key, Action::Withdraw(Wanted::Deleted), &actor()).await.unwrap();

    assert_eq!(bench.record("Customer/1").await.status, Status::Withdrawn);
    assert!(bench.engine.store().ready(&bench.id, bench.engine.now(), 9).await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_bulk_retry_counts_and_then_does() {
    let mut bench = Bench::new().await;
    for number in 0..4 {
        bench.customer(&format!("Customer/{number}")).await;
    }
    let carried = bench.open().await;
    let answer = bench.answer(&carried.qbxml, |_| {
        Some((3140, "There is an invalid reference to QuickBooks Item &quot;x&quot; in the y."))
    });
    bench.bring(&carried.ticket, &answer).await;
    let filter = RecordFilter { cause: Some(Code::ReferenceNotFound), ..RecordFilter::default() };
    let act = |only_count| {
        bench.engine.act_on_all(&bench.id, &filter, BulkAction::Retry, "", only_count, &ACTOR)
    };

    assert_eq!(act(true).await.unwrap(), 4);
    assert_eq!(bench.record("Customer/2").await.status, Status::Failed);
    assert_eq!(act(false).await.unwrap(), 4);
    assert_eq!(bench.record("Customer/2").await.status, Status::Queued);
    assert_eq!(bench.engine.problems(&bench.id, 9).await.unwrap().len(), 0);
}

static ACTOR: std::sync::LazyLock<bookbridge::engine::Actor> = std::sync::LazyLock::new(actor);

#[actix_web::test]
async fn a_permission_error_pauses_the_connection_and_fails_nobody() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.customer("Customer/2").await;
    let carried = bench.open().await;
    let answer = bench.answer(&carried.qbxml, |_| {
        Some((3260, "Insufficient permission level to perform this action."))
    });

    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);

    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.findings[0].code), (Status::Queued, Code::PermissionDenied));
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.state, HealthState::Paused);
    assert_eq!(health.findings[0].code, Code::PermissionDenied);
}

#[actix_web::test]
async fn a_connection_never_called_says_how_to_pair_it() {
    let bench = Bench::new().await;

    let health = bench.engine.health(&bench.id).await.unwrap();

    assert_eq!(health.state, HealthState::NeverPaired);
    assert!(health.summary.contains(".qwc"));
}

#[actix_web::test]
async fn a_bypass_that_is_taken_back_takes_its_reference_with_it() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let key = bench.key("Customer/1");
    let bypass = Action::Bypass { reason: "there".to_owned(), reference: Some("80-7".to_owned()) };
    bench.engine.act(&key, bypass, &actor()).await.unwrap();

    bench.engine.act(&key, Action::Unbypass, &actor()).await.unwrap();

    assert_eq!(bench.record("Customer/1").await.reference, None);
    assert!(bench.open().await.qbxml.contains("<CustomerAddRq"));
}

#[actix_web::test]
async fn an_id_that_only_a_person_knows_is_asked_for() {
    for (answer, status) in [
        (
            "statusCode=\"0\"><CustomerRet><ListID>80-7</ListID><EditSequence>5</EditSequence>\
             <FullName>Acme</FullName></CustomerRet>",
            Status::Synced,
        ),
        ("statusCode=\"500\" statusSeverity=\"Warn\"/>", Status::Failed),
    ] {
        let bench = Bench::new().await;
        bench.customer("Customer/1").await;
        let key = bench.key("Customer/1");
        let linked = Action::Link { id: "80-7".to_owned() };
        let record = bench.engine.act(&key, linked, &actor()).await.unwrap();
        assert_eq!(record.status, Status::Synced);

        let asked = bench.open().await;
        assert!(asked.qbxml.contains("<ListID>80-7</ListID>"), "{}", asked.qbxml);
        bench.bring(&asked.ticket, &told(&asked.qbxml, &[answer])).await;

        let record = bench.record("Customer/1").await;
        assert_eq!(record.status, status, "{answer}");
        if status == Status::Failed {
            assert_eq!(record.findings[0].cause, "link_not_there");
            assert_eq!(record.reference, None);
        }
    }
}

#[actix_web::test]
async fn a_record_is_not_linked_to_what_is_known_as_another_kind() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml).replace("</ListID>", "</ListID><Name>A</Name>");
    bench.bring(&carried.ticket, &answer).await;
    bench.put("Vendor/1", json!({"Name": "V"})).await;
    let id = bench.record("Customer/1").await.reference.unwrap().id;

    let linked = Action::Link { id };
    let refused = bench.engine.act(&bench.key("Vendor/1"), linked, &actor()).await.unwrap_err();

    assert!(refused.to_string().contains("is a Customer in QuickBooks, not a Vendor"), "{refused}");
}

#[actix_web::test]
async fn an_edit_of_older_data_is_refused_in_the_same_step() {
    let bench = Bench::new().await;
    bench.put("Customer/1", json!({"Name": "a:b", "Phone": "1"})).await;
    let seen = bench.record("Customer/1").await;
    bench.put("Customer/1", json!({"Name": "a:b", "Phone": "2"})).await;
    let key = bench.key("Customer/1");
    let values = vec![("/Name".to_owned(), "a".to_owned())];

    let version = Engine::version_of(&seen);
    let edit = Action::Edit { values: values.clone(), version };
    let refused = bench.engine.act(&key, edit, &actor()).await.unwrap_err();
    assert!(refused.to_string().contains("changed while it was edited"), "{refused}");
    assert_eq!(bench.record("Customer/1").await.status, Status::Failed);

    let version = Engine::version_of(&bench.record("Customer/1").await);
    let edited = bench.engine.act(&key, Action::Edit { values, version }, &actor()).await.unwrap();
    assert_eq!((edited.status, &edited.amended()["Name"]), (Status::Queued, &json!("a")));
}

#[actix_web::test]
async fn what_is_edited_to_name_another_record_waits_for_that_one() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let data = json!({
        "CustomerRef": {"source": "Customer/1"}, "RefNumber": "7", "Memo": "x".repeat(5000),
        "InvoiceLine": [{"Desc": "Labor"}],
    });
    bench.put("Invoice/7", data).await;
    let seen = bench.record("Invoice/7").await;
    assert_eq!((seen.status, seen.findings[0].code), (Status::Failed, Code::StringTooLong));
    let key = bench.key("Invoice/7");
    let edited = |pointer: &str, to: &str| (pointer.to_owned(), to.to_owned());

    let values = vec![edited("/CustomerRef/source", "Customer/2"), edited("/Memo", "short")];
    let edit = Action::Edit { values, version: Engine::version_of(&seen) };
    let waits = bench.engine.act(&key, edit, &actor()).await.unwrap();
    assert_eq!((waits.status, waits.blocked_by), (Status::Blocked, vec![bench.key("Customer/2")]));

    bench.customer("Customer/2").await;
    assert_eq!(bench.record("Invoice/7").await.status, Status::Blocked);
    let documents = agreed(&mut bench).await;
    let invoice = documents.iter().find(|it| it.contains("InvoiceAddRq")).unwrap();
    let customer = bench.record("Customer/2").await.reference.unwrap().id;
    assert!(invoice.contains(&format!("<CustomerRef><ListID>{customer}</ListID>")), "{invoice}");
    assert_eq!(bench.record("Invoice/7").await.status, Status::Synced);
}

#[actix_web::test]
async fn a_wrong_password_is_noted_once_a_minute_and_forgotten_after_a_right_one() {
    let bench = Bench::new().await;
    let noted = async || {
        let state = bench.engine.store().state(&bench.id).await.unwrap();
        state.and_then(|state| state.last_login_failed_at)
    };
    bench.wrong_login().await;
    let first = noted().await.unwrap();

    bench.hands.pass(59);
    bench.wrong_login().await;
    assert_eq!(noted().await, Some(first));
    bench.hands.pass(2);
    bench.wrong_login().await;
    assert!(noted().await.unwrap() > first);
    bench.login().await;
    assert_eq!(noted().await, None);
}
