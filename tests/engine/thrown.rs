//! QuickBooks throws instead of answering: one bad request holds up nobody else for ever.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::BulkAction;
use bookbridge::engine::EngineError;
use bookbridge::engine::FirstCall;
use bookbridge::engine::HealthState;
use bookbridge::engine::Login;
use bookbridge::engine::Pressed;
use bookbridge::store::RecordFilter;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;

/// Runs sessions with a QuickBooks that throws at every document with this text, and has nothing in
/// its books; what it took, in order.
async fn sessions(bench: &mut Bench, bad: &str, hresult: &str, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..count {
        bench.hands.pass(3600);
        let Login::Work { ticket, .. } = bench.login().await else { continue };
        loop {
            let qbxml = bench.send(&ticket).await;
            if qbxml.is_empty() {
                break;
            }
            let told = if qbxml.contains(bad) {
                bench.throw(&ticket, hresult).await
            } else if qbxml.contains("QueryRq") {
                let nothing = "<CustomerQueryRs statusCode=\"1\" statusSeverity=\"Info\"/>";
                let both = nothing.repeat(qbxml.matches("<CustomerQueryRq").count());
                let answer = format!("<QBXML><QBXMLMsgsRs>{both}</QBXMLMsgsRs></QBXML>");
                bench.bring(&ticket, &answer).await
            } else {
                let answer = bench.agree(&qbxml);
                taken.push(qbxml);
                bench.bring(&ticket, &answer).await
            };
            if !(0..100).contains(&told) {
                break;
            }
        }
        bench.engine.close_connection(&ticket).await.unwrap();
    }
    taken
}

#[actix_web::test]
async fn a_request_at_which_quickbooks_breaks_stands_alone_in_the_end() {
    for hresult in ["0x80040402", "0x800706BA", "0x8004FFFF", "0x80040414"] {
        let mut bench = Bench::new().await;
        for path in ["Customer/A", "Customer/BAD", "Customer/B"] {
            bench.customer(path).await;
        }

        let taken = sessions(&mut bench, "<Name>Customer BAD</Name>", hresult, 80).await;

        for path in ["Customer/A", "Customer/B"] {
            let name = path.replace('/', " ");
            let made = taken.iter().filter(|it| it.contains(&format!("<Name>{name}</Name>")));
            assert_eq!(made.count(), 1, "{hresult} {path}");
            assert_eq!(bench.record(path).await.status, Status::Synced, "{hresult} {path}");
        }
        let bad = bench.record("Customer/BAD").await;
        assert_eq!(bad.status, Status::Failed, "{hresult}");
        assert_eq!(bad.findings[0].code, Code::OutcomeUnknown, "{hresult}");
    }
}

#[actix_web::test]
async fn what_is_written_for_too_new_a_quickbooks_is_written_again_for_an_older_one() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/A").await;

    let taken = sessions(&mut bench, "<?qbxml version=\"13.0\"?>", "0x80040423", 1).await;

    assert!(taken[0].contains("<?qbxml version=\"12.0\"?>"), "{taken:?}");
    assert_eq!(bench.record("Customer/A").await.status, Status::Synced);
}

#[actix_web::test]
async fn a_message_set_whose_sessions_end_without_a_word_is_looked_for_in_the_books() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/A").await;
    for _ in 0..10 {
        assert!(bench.open().await.qbxml.contains("CustomerAdd"));
        bench.hands.pass(901);
    }

    let asked = bench.open().await.qbxml;

    assert!(asked.contains("CustomerQueryRq") && !asked.contains("newMessageSetID"), "{asked}");
    assert_eq!(bench.record("Customer/A").await.status, Status::InDoubt);
    bench.hands.pass(901);
    let taken = sessions(&mut bench, "nothing", "", 2).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(bench.record("Customer/A").await.status, Status::Synced);
}

#[actix_web::test]
async fn a_person_need_not_wait_for_a_lost_answer() {
    let bench = Bench::new().await;
    bench.customer("Customer/A").await;
    let ticket = bench.open().await.ticket;
    bench.throw(&ticket, "0x80040414").await;
    let key = bench.key("Customer/A");
    let record = bench.record("Customer/A").await;
    assert_eq!(record.status, Status::InDoubt);
    let reasons = bench.engine.reasons(&record).await.unwrap();
    assert_eq!((reasons[0].code, reasons[0].cause.as_str()), (Code::OutcomeUnknown, "recovering"));
    let ask = || Action::Fix(Pressed { id: "ask-books".to_owned(), ..Pressed::default() });

    let for_all = BulkAction::Fix(Pressed { id: "ask-books".to_owned(), ..Pressed::default() });
    let (connection, all) = (&key.connection, RecordFilter::default());
    let counted = bench.engine.act_on_all(connection, &all, for_all, "", true, &actor()).await;
    assert_eq!(counted.unwrap(), 1);

    bench.engine.act(&key, ask(), &actor()).await.unwrap();

    let again = bench.engine.act(&key, ask(), &actor()).await.unwrap_err();
    assert!(matches!(again, EngineError::NotNow(_)), "{again}");
    assert!(bench.open().await.qbxml.contains("CustomerQueryRq"));
}

#[actix_web::test]
async fn nobody_decides_about_a_lost_answer_while_a_session_is_at_work() {
    let bench = Bench::new().await;
    bench.customer("Customer/A").await;
    let ticket = bench.open().await.ticket;
    bench.throw(&ticket, "0x80040414").await;
    let Login::Work { .. } = bench.login().await else { panic!() };
    let ask = Action::Fix(Pressed { id: "ask-books".to_owned(), ..Pressed::default() });

    let refused = bench.engine.act(&bench.key("Customer/A"), ask, &actor()).await.unwrap_err();

    assert!(refused.to_string().contains("a session is at work"), "{refused}");
}

#[actix_web::test]
async fn the_last_error_shows_the_code_by_which_people_search() {
    let bench = Bench::new().await;
    bench.customer("Customer/A").await;
    let Login::Work { ticket, .. } = bench.login().await else { panic!() };

    bench.engine.connection_error(&ticket, "0x80042500", "Line one.\nLine two.").await.unwrap();

    let line = bench.engine.last_error(&ticket).await.unwrap();
    assert_eq!(line, "QuickBooks could not be used: Line one. Line two. (0x80042500)");
}

#[actix_web::test]
async fn an_answer_that_is_longer_than_what_is_taken_is_not_asked_for_again_and_again() {
    let bench = Bench::new().await;
    let query = bookbridge::engine::NewRequest::Json {
        kind: "CustomerQueryRq".to_owned(),
        data: json!({}),
    };
    let request = bench.engine.submit(&bench.id, query, None, &actor()).await.unwrap();
    let asked = bench.open().await;

    let percent = bench.engine.response_too_long(&asked.ticket, 3000).await.unwrap();

    assert_eq!(percent, 100);
    let failed = bench.engine.store().request(&bench.id, request.id).await.unwrap().unwrap();
    assert_eq!(failed.findings[0].cause, "answer_too_long");
    let said = bookbridge::diagnosis::render(&failed.findings[0]).detail;
    assert!(said.contains("3000 bytes") && said.contains("max-response-bytes"), "{said}");
}

#[actix_web::test]
async fn what_kept_quickbooks_closed_is_over_once_it_lets_the_connector_in() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let Login::Work { ticket, .. } = bench.login().await else { panic!("there is no work") };
    bench.engine.connection_error(&ticket, "0x80040408", "Could not start.").await.unwrap();
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.state, HealthState::Blocked);
    bench.hands.pass(3600);

    let Login::Work { ticket, .. } = bench.login().await else { panic!("there is no work") };
    let call = FirstCall {
        company_file: "C:\\a.qbw".to_owned(),
        country: "US".to_owned(),
        major: 13,
        ..FirstCall::default()
    };
    bench.engine.send_request(&ticket, call).await.unwrap();

    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_ne!(health.state, HealthState::Blocked, "{:?}", health.summary);
}
