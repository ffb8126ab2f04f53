//! Until a person at the pairing page has confirmed the company file, nothing is written.

use bookbridge::domain::record::Status;
use bookbridge::engine::EngineError;
use bookbridge::engine::FirstCall;
use bookbridge::engine::HealthState;
use bookbridge::engine::Login;
use bookbridge::engine::Settings;

use super::bench::Bench;
use super::bench::actor;

const WRONG: &str = "C:\\Books\\Wrong.qbw";
const RIGHT: &str = "C:\\Books\\Right.qbw";

/// A session with this company file open: what it is handed first.
async fn session(bench: &Bench, file: &str) -> (String, String) {
    bench.hands.pass(1);
    let Login::Work { ticket, .. } = bench.login().await else { panic!("there is no work") };
    let call = FirstCall {
        company_file: file.to_owned(),
        country: "US".to_owned(),
        major: 13,
        ..FirstCall::default()
    };
    let qbxml = bench.engine.send_request(&ticket, call).await.unwrap();
    (ticket, qbxml)
}

/// A person opens the page of a new link.
async fn opened(bench: &Bench) -> String {
    let token = bench.engine.begin_pairing(&bench.id, &actor()).await.unwrap();
    let (connection, pairing) = bench.engine.pairing(&token).await.unwrap().unwrap();
    bench.engine.pairing_opened(&connection, &pairing).await.unwrap();
    bench.engine.ask_for_company(&connection, &pairing).await.unwrap();
    token
}

async fn file(bench: &Bench) -> String {
    let state = bench.engine.store().state(&bench.id).await.unwrap().unwrap();
    state.host.map(|host| host.company_file).unwrap_or_default()
}

#[actix_web::test]
async fn pairing_hands_out_a_question_alone_until_the_company_file_is_confirmed() {
    let mut bench = Bench::with(Settings::default()).await;
    opened(&bench).await;
    bench.customer("Customer/1").await;

    let (ticket, qbxml) = session(&bench, WRONG).await;
    assert!(qbxml.contains("CompanyQueryRq") && !qbxml.contains("CustomerAdd"), "{qbxml}");
    let answer = bench.agree(&qbxml);
    assert_eq!(bench.bring(&ticket, &answer).await, 100);
    bench.engine.close_connection(&ticket).await.unwrap();
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.state, HealthState::Waiting);
    let told = "Nothing is written until the company file (C:\\Books\\Wrong.qbw) is confirmed on \
                the pairing page.";
    assert_eq!(health.summary, told);

    // Another link changes nothing about it, and every session tells anew what is open.
    bench.engine.begin_pairing(&bench.id, &actor()).await.unwrap();
    let (ticket, qbxml) = session(&bench, RIGHT).await;
    assert_eq!(qbxml, "");
    assert!(bench.engine.last_error(&ticket).await.unwrap().contains("is confirmed"));
    bench.engine.close_connection(&ticket).await.unwrap();
    assert_eq!(file(&bench).await, RIGHT);
    assert_eq!(bench.record("Customer/1").await.status, Status::Queued);

    // What was seen counts.
    let refused = bench.engine.confirm_company(&bench.id, WRONG, "").await.unwrap_err();
    assert!(matches!(&refused, EngineError::NotNow(why) if why.contains(RIGHT)), "{refused}");
    bench.engine.confirm_company(&bench.id, RIGHT, "").await.unwrap();
    let (_, qbxml) = session(&bench, WRONG).await;
    assert_eq!(qbxml, "");
    let (_, qbxml) = session(&bench, RIGHT).await;
    assert!(qbxml.contains("CustomerAdd"), "{qbxml}");
}

#[actix_web::test]
async fn pairing_holds_up_nothing_whose_page_nobody_opened() {
    let bench = Bench::new().await;
    bench.engine.begin_pairing(&bench.id, &actor()).await.unwrap();
    bench.customer("Customer/1").await;

    let (_, qbxml) = session(&bench, WRONG).await;

    assert!(qbxml.contains("CustomerAdd"), "{qbxml}");
}

#[actix_web::test]
async fn pairing_takes_no_other_file_for_what_was_written_into_one() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let (ticket, qbxml) = session(&bench, RIGHT).await;
    let answer = bench.agree(&qbxml);
    bench.bring(&ticket, &answer).await;
    bench.engine.close_connection(&ticket).await.unwrap();
    opened(&bench).await;
    bench.customer("Customer/2").await;

    let (_, qbxml) = session(&bench, WRONG).await;

    assert_eq!((qbxml.as_str(), file(&bench).await.as_str()), ("", RIGHT));
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.state, HealthState::Blocked);
}
