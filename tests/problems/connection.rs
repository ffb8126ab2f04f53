//! The connection as a whole: silent, refused, slow, damaged.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::Actor;
use bookbridge::engine::HealthState;
use bookbridge::simulator::Ended;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::Run;
use super::invoice;
use super::office;
use super::office_with_mirror;
use super::says;
use super::synced;
use super::with_customer;
use crate::support::office::Office;

async fn health(office: &Office) -> (HealthState, String, Option<Code>) {
    let health = office.engine.health(&office.id).await.unwrap();
    (health.state, health.summary, health.findings.first().map(|finding| finding.code))
}

pub(super) async fn nothing_stalls(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&["lose-request"]);
    office.hands.pass(86_400);

    assert!(office.engine.watch().await.unwrap().is_empty());
    office.poll(&[]);

    run.tells(&office, "Customer/1").await;
    assert_eq!(office.in_quickbooks("Customer"), ["Jones"]);
}

pub(super) async fn single_user_mode_is_asked_for(run: &Run) {
    let mut office = office().await;
    office.connector.quickbooks().set("feature:Customer", "single-user").unwrap();
    with_customer(&mut office).await;
    for number in 2..=4 {
        office.push(&format!("Customer/{number}"), json!({"Name": format!("C{number}")})).await;
    }
    office.push("Vendor/1", json!({"Name": "Ink Ltd"})).await;
    office.poll(&[]);

    let sent = |record: &Record| record.timeline.iter().any(|it| it.status == Status::Sent);
    for number in 1..=4 {
        let record = run.tells(&office, &format!("Customer/{number}")).await;
        assert!(record.due.is_some());
        let words = bookbridge::diagnosis::render(&record.findings[0]);
        assert_eq!(words.fixes[0].id, "single-user-mode");
        assert!(words.retryable);
        // A message set of two: the others were not even tried.
        assert_eq!(sent(&record), number <= 2, "{number}");
    }
    // What is of another kind goes on.
    synced(&office.record("Vendor/1").await);
    office.act("Customer/1", Action::Retry).await;
    assert_eq!(office.record("Customer/1").await.due, None);
    for _ in 0..8 {
        office.poll(&[]);
        office.hands.pass(3600);
    }
    assert_eq!(office.record("Customer/1").await.status, Status::Queued);
    assert!(office.engine.watch().await.unwrap().is_empty());

    office.connector.quickbooks().set("feature:Customer", "").unwrap();
    office.poll(&[]);
    for number in 1..=4 {
        let record = office.record(&format!("Customer/{number}")).await;
        synced(&record);
        assert!(record.findings.is_empty());
    }
    assert_eq!(office.in_quickbooks("Customer").len(), 4);
}

pub(super) async fn a_silent_connector_is_offline(run: &Run) {
    let mut office = office().await;
    office.poll(&[]);
    with_customer(&mut office).await;
    office.hands.pass(86_400);

    run.tells_of_all(&office).await;
    office.poll(&[]);
    assert_eq!(health(&office).await.0, HealthState::Ok);
    synced(&office.record("Customer/1").await);
}

pub(super) async fn a_damaged_file_is_told_apart(run: &Run) {
    let mut office = office().await;
    let bill = |number: &str| {
        json!({
            "VendorRef": {"FullName": "Paper Ltd"}, "RefNumber": number,
            "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}],
        })
    };
    office.connector.quickbooks().set("feature:Bill", "damaged").unwrap();
    office.push("Bill/1", bill("1")).await;
    office.poll(&[]);
    run.tells(&office, "Bill/1").await;

    office.connector.quickbooks().set("feature:Bill", "broken").unwrap();
    office.push("Bill/2", bill("2")).await;
    for _ in 0..5 {
        office.poll(&[]);
        office.hands.pass(3600);
    }
    let record = office.record("Bill/2").await;
    says(&record, Code::InternalError);
    let sent = record.timeline.iter().filter(|it| it.status == Status::Sent).count();
    assert_eq!(sent, 4, "once, and three times again");

    // One may be by chance; with the third it is rather the file.
    for (number, damaged) in [("3", false), ("4", true)] {
        assert!(!health(&office).await.1.contains("damaged"));
        office.push(&format!("Bill/{number}"), bill(number)).await;
        for _ in 0..5 {
            office.poll(&[]);
            office.hands.pass(3600);
        }
        let seen = office.engine.health(&office.id).await.unwrap();
        let told = seen.findings.iter().find(|it| it.code == Code::CompanyFileDamaged);
        assert_eq!(told.is_some(), damaged, "{}", seen.summary);
    }
    let (_, summary, _) = health(&office).await;
    assert!(summary.contains("an internal error at 3 different records"), "{summary}");

    office.connector.quickbooks().set("feature:Bill", "").unwrap();
    for number in 1..=4 {
        office.press(&format!("Bill/{number}"), "retry").await;
    }
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("Bill").len(), 4);
    assert!(!health(&office).await.1.contains("damaged"));
}

pub(super) async fn a_wrong_password_is_said_and_mended(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&["wrong-password"]);

    run.tells_of_all(&office).await;
    let actor = Actor("a test".to_owned());
    let (_, password) = office.engine.rotate_password(&office.id, &actor).await.unwrap();
    office.connector.retype(password.expose_secret());
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
}

pub(super) async fn what_quickbooks_cannot_read_stands_alone(run: &Run) {
    let mut office = office().await;
    for number in 1..=2 {
        let data = json!({"Name": format!("C{number}")});
        office.push(&format!("Customer/{number}"), data).await;
    }
    // The message set of both, then that of the first alone.
    office.poll(&["parse-error:1", "parse-error:2"]);

    run.tells(&office, "Customer/1").await;
    synced(&office.record("Customer/2").await);
    office.press("Customer/1", "retry").await;
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("Customer"), ["C2", "C1"]);
}

pub(super) async fn a_slow_quickbooks_makes_nothing_twice(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    // Customer, question for the number, invoice.
    office.poll(&["slow:1ms", "lose-response:2"]);
    assert_eq!(office.record("Invoice/1").await.status, Status::Sent);
    office.hands.pass(1000);

    office.poll(&["slow:1ms"]);

    run.tells(&office, "Invoice/1").await;
    assert_eq!(office.in_quickbooks("Invoice"), ["1001"]);
}

pub(super) async fn a_failure_does_not_stall_what_is_asked_for(run: &Run) {
    let mut office = office_with_mirror().await;
    let since = |office: &Office| {
        let (engine, id) = (office.engine.clone(), office.id.clone());
        async move {
            let state = engine.store().state(&id).await.unwrap().unwrap();
            state.mirror["Vendor"].since.clone().unwrap()
        }
    };
    let before = since(&office).await;
    office.push("Customer/1", json!({"Name": "a:b"})).await;
    office.hands.pass(3601);
    office.person(
        "<VendorAddRq requestID=\"1\"><VendorAdd><Name>Ink Ltd</Name></VendorAdd></VendorAddRq>",
    );
    office.poll(&[]);

    run.tells(&office, "Customer/1").await;
    run.press(&office, "Customer/1").await;
    assert!(since(&office).await > before);
}

pub(super) async fn a_network_hiccup_makes_nothing_twice(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    for fault in ["lose-request", "lose-response", "double-receive", "lose-progress"] {
        office.poll(&[fault]);
        office.hands.pass(1000);
    }
    office.poll(&[]);

    run.tells(&office, "Customer/1").await;
    assert_eq!(office.in_quickbooks("Customer"), ["Jones"]);
}

pub(super) async fn what_waits_is_counted(run: &Run) {
    let mut office = office().await;
    office.poll(&[]);
    for number in 0..30 {
        office.push(&format!("Customer/{number}"), json!({"Name": format!("C{number}")})).await;
    }

    let seen = office.engine.health(&office.id).await.unwrap();
    run.tells_of_all(&office).await;
    assert!(seen.summary.contains("30"), "{}", seen.summary);
    assert!(seen.oldest_waiting_at.is_some() && seen.next_expected_at.is_some());
    assert_eq!(office.poll(&[]), Ended::Done);
    assert_eq!(health(&office).await.0, HealthState::Ok);
}

pub(super) async fn access_that_was_taken_is_explained(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&["no-access"]);

    run.tells_of_all(&office).await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(health(&office).await.0, HealthState::Ok);
}
