//! Lost answers: nothing lost, nothing twice.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Login;

use super::bench::Bench;
use super::bench::Carried;
use super::bench::attribute;
use super::bench::told;

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

/// A message set of one Add that QuickBooks does not remember, and the question that follows.
async fn forgotten(bench: &Bench, status: &str) -> Carried {
    let first = bench.open().await;
    let id = attribute(&first.qbxml, "newMessageSetID").unwrap();
    let answer = format!(
        "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"{status}\"/></QBXML>"
    );
    assert!((1..100).contains(&bench.bring(&first.ticket, &answer).await));
    let qbxml = bench.send(&first.ticket).await;
    Carried { ticket: first.ticket, qbxml }
}

#[actix_web::test]
async fn the_books_are_asked_for_what_quickbooks_does_not_remember() {
    for status in ["600", "9001", "9002"] {
        let bench = Bench::new().await;
        bench.customer("Customer/1").await;
        let question = forgotten(&bench, status).await;
        assert!(question.qbxml.contains("<FullName>Customer 1</FullName>"), "{}", question.qbxml);
        assert!(!question.qbxml.contains("newMessageSetID"));
        assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);

        let found = "statusCode=\"0\" statusSeverity=\"Info\"><CustomerRet><ListID>80-9</ListID>\
             <EditSequence>5</EditSequence><FullName>Customer 1</FullName></CustomerRet>";
        let answer = told(&question.qbxml, &[found]);
        assert_eq!(bench.bring(&question.ticket, &answer).await, 100);

        let record = bench.record("Customer/1").await;
        assert_eq!(record.status, Status::Synced, "{status}");
        let reference = record.reference.unwrap();
        assert_eq!((reference.id, reference.edit_sequence), ("80-9".into(), Some("5".into())));
    }
}

#[actix_web::test]
async fn an_answer_that_quickbooks_could_not_store_is_final_all_the_same() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let answer = bench.agree(&first.qbxml);
    let answer = answer.replace("messageSetStatusCode=\"0\"", "messageSetStatusCode=\"9005\"");

    assert_eq!(bench.bring(&first.ticket, &answer).await, 100);

    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn what_is_not_in_the_books_is_sent_again_but_not_for_ever() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    for round in 0..6 {
        bench.hands.pass(3600);
        let question = forgotten(&bench, "9002").await;
        bench.bring(&question.ticket, &told(&question.qbxml, &[])).await;
        bench.engine.close_connection(&question.ticket).await.unwrap();
        let expected = if round == 5 { Status::Failed } else { Status::Queued };
        assert_eq!(bench.record("Customer/1").await.status, expected, "{round}");
    }
}

#[actix_web::test]
async fn an_answer_that_says_nothing_leaves_it_to_a_person() {
    for answer in ["statusCode=\"0\"/>", "statusCode=\"1000\" statusSeverity=\"Error\"/>"] {
        let bench = Bench::new().await;
        bench.customer("Customer/1").await;
        let question = forgotten(&bench, "9002").await;

        bench.bring(&question.ticket, &told(&question.qbxml, &[answer])).await;

        let record = bench.record("Customer/1").await;
        assert_eq!(record.status, Status::Failed);
        assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
        assert_eq!(record.asked, None, "a press of a fix counts");
        bench.customer("Customer/1").await;
        assert_eq!(bench.record("Customer/1").await.status, Status::Failed);
    }
}

#[actix_web::test]
async fn of_transactions_only_the_one_with_the_number_is_taken() {
    let invoice = |id: &str, number: &str, customer: &str| {
        format!(
            "<InvoiceRet><TxnID>{id}</TxnID>\
             <CustomerRef><ListID>{customer}</ListID></CustomerRef><RefNumber>{number}</RefNumber></InvoiceRet>"
        )
    };
    for (rets, expected) in [
        (invoice("43-1", "77", "80-1"), Status::Synced),
        (invoice("43-1", "78", "80-1"), Status::Failed),
        (invoice("43-1", "77", "80-1") + &invoice("43-2", "77", "80-1"), Status::Failed),
        // A person may have moved it to another customer.
        (invoice("43-1", "77", "80-2"), Status::Failed),
        (invoice("43-1", "78", "80-2"), Status::Queued),
    ] {
        let bench = Bench::new().await;
        let data = serde_json::json!({
            "CustomerRef": {"ListID": "80-1"}, "RefNumber": "77", "InvoiceLine": {"Desc": "x"},
        });
        bench.put("Invoice/1", data).await;
        let question = forgotten(&bench, "9002").await;
        assert!(question.qbxml.contains("<RefNumber>77</RefNumber>"), "{}", question.qbxml);
        assert!(question.qbxml.contains("<FromModifiedDate>"), "{}", question.qbxml);

        let answer = format!("statusCode=\"0\">{rets}");
        bench.bring(&question.ticket, &told(&question.qbxml, &[&answer])).await;

        assert_eq!(bench.record("Invoice/1").await.status, expected, "{rets}");
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
async fn what_is_refused_when_it_is_sent_again_may_have_been_done_before() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.open().await;
    bench.hands.pass(901);
    let again = bench.open().await;

    assert_eq!(bench.throw(&again.ticket, "0x80040400").await, 1);

    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
    let question = bench.send(&again.ticket).await;
    assert!(question.contains("<FullName>Customer 1</FullName>"), "{question}");
}

#[actix_web::test]
async fn a_refused_request_names_what_is_suspect() {
    let bench = Bench::new().await;
    let data = serde_json::json!({"Name": "A", "ClassRef": {"FullName": "x"}});
    bench.put("Customer/1", data).await;
    let carried = bench.open().await;

    bench.throw(&carried.ticket, "0x80040400").await;

    let record = bench.record("Customer/1").await;
    let finding = &record.findings[0];
    assert_eq!(finding.facts["field"], "ClassRef");
    assert_eq!(finding.facts["since"], "12.0");
    assert_eq!(shown_in_line(&bench, &finding.facts["line"]).await, "<ClassRef>");
    let said = bookbridge::diagnosis::render(finding).detail;
    let told = format!("ClassRef (line {} of the request", finding.facts["line"]);
    assert!(said.contains(&told) && said.contains("needs the newest qbXML: 12.0"), "{said}");
}

/// A line of the last request for `Customer/1`, as pages show it.
async fn shown_in_line(bench: &Bench, line: &str) -> String {
    let attempts = bench.engine.attempts(&bench.key("Customer/1")).await.unwrap();
    let request = &attempts.last().unwrap().request_xml;
    let shown = bookbridge::qbxml::layout::lines(request);
    let line: usize = line.parse().unwrap();
    shown.lines().nth(line - 1).unwrap().trim().to_owned()
}

#[actix_web::test]
async fn a_refused_request_names_element_line_and_what_is_expected_there() {
    let bench = Bench::new().await;
    let data = serde_json::json!({"Name": "A", "ClassRef": {"FullName": "x"}, "Phone": "7"});
    bench.put("Customer/1", data).await;
    let carried = bench.open().await;
    // By now it is known that the QuickBooks there is an older one.
    let store = bench.engine.store();
    let mut state = store.state(&bench.id).await.unwrap().unwrap();
    state.host.as_mut().unwrap().qbxml_version = "11.0".to_owned();
    store.commit(bookbridge::store::Change::PutState(state).into()).await.unwrap();

    bench.throw(&carried.ticket, "0x80040400").await;

    let record = bench.record("Customer/1").await;
    let finding = &record.findings[0];
    assert_eq!((record.status, finding.code), (Status::Failed, Code::RequestRejected));
    let line = &finding.facts["line"];
    assert_eq!(shown_in_line(&bench, line).await, "<ClassRef>");
    let said = bookbridge::diagnosis::render(finding).detail;
    assert!(said.contains(&format!("because of ClassRef, line {line} of the request")), "{said}");
    assert!(said.contains("ClassRef needs qbXML 12.0; this QuickBooks speaks 11.0"), "{said}");
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
    // Answers that were lost on their way are none that could not be read.
    for _ in 0..2 {
        bench.open().await;
        bench.hands.pass(901);
    }
    let first = bench.open().await;
    let answer = bench.agree(&first.qbxml);

    assert_eq!(bench.bring(&first.ticket, &answer[..answer.len() - 30]).await, -1);

    let again = bench.open().await;
    assert_eq!(again.qbxml, first.qbxml);
    assert_eq!(bench.bring(&again.ticket, &answer).await, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn an_answer_that_misses_one_request_has_the_books_asked_for_it() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/0").await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let whole = bench.agree(&first.qbxml);
    let end = whole.rfind("<CustomerAddRs ").unwrap();
    let missing = format!("{}</QBXMLMsgsRs></QBXML>", &whole[..end]);

    bench.bring(&first.ticket, &missing).await;

    assert_eq!(bench.record("Customer/0").await.status, Status::Synced);
    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
    let question = bench.send(&first.ticket).await;
    assert!(question.contains("<FullName>Customer 1</FullName>"), "{question}");
}

#[actix_web::test]
async fn a_session_that_was_told_that_all_is_done_holds_up_nobody() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let answer = bench.agree(&first.qbxml);
    assert_eq!(bench.bring(&first.ticket, &answer).await, 100);
    bench.customer("Customer/2").await;

    // Its closeConnection was lost.
    assert!(matches!(bench.login().await, Login::Work { .. }));

    assert_eq!(bench.send(&first.ticket).await, "");
}

#[actix_web::test]
async fn a_session_between_two_calls_is_waited_for_two_minutes() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.customer("Customer/2").await;
    let first = bench.open().await;
    bench.customer("Customer/3").await;
    let answer = bench.agree(&first.qbxml);
    assert_eq!(bench.bring(&first.ticket, &answer).await, 66);

    assert_eq!(bench.login().await, Login::Busy);
    bench.hands.pass(121);

    assert!(matches!(bench.login().await, Login::Work { .. }));
}

#[actix_web::test]
async fn a_session_is_not_silent_while_its_response_is_on_its_way() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let first = bench.open().await;
    let arriving = bench.engine.arriving(&first.ticket);
    bench.hands.pass(5000);

    bench.engine.sweep().await.unwrap();

    assert_eq!(bench.record("Customer/1").await.status, Status::Sent);
    assert_eq!(bench.login().await, Login::Busy);
    drop(arriving);
    bench.engine.sweep().await.unwrap();
    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
}

#[actix_web::test]
async fn a_session_that_fell_silent_is_no_call_of_the_web_connector() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.open().await;
    let seen = bench.engine.health(&bench.id).await.unwrap().last_seen_at;
    bench.hands.pass(1000);

    bench.engine.sweep().await.unwrap();

    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.last_seen_at, seen);
    assert_eq!(health.state.as_str(), "late");
    bench.hands.pass(-900);
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.state.as_str(), "waiting");
    assert!(health.summary.starts_with("The answer to 1 record was lost"), "{}", health.summary);
    assert!(health.oldest_waiting_at.is_some());
}

#[actix_web::test]
async fn another_company_is_told_apart_by_its_name_where_there_is_no_stamp() {
    let bench = Bench::new().await;
    let call = |company: &str| bookbridge::engine::FirstCall {
        hcp: format!(
            "<QBXML><QBXMLMsgsRs><CompanyQueryRs><CompanyRet><CompanyName>{company}</CompanyName>\
             </CompanyRet></CompanyQueryRs></QBXMLMsgsRs></QBXML>"
        ),
        company_file: "C:\\Books\\Acme.QBW".to_owned(),
        major: 13,
        ..bookbridge::engine::FirstCall::default()
    };
    for (number, company, sent) in [(1, "Acme", true), (2, "Other", false), (3, "acme ", true)] {
        bench.customer(&format!("Customer/{number}")).await;
        let Login::Work { ticket, .. } = bench.login().await else { panic!() };

        let qbxml = bench.engine.send_request(&ticket, call(company)).await.unwrap();

        assert_eq!(!qbxml.is_empty(), sent, "{company}");
        if !sent {
            let line = bench.engine.last_error(&ticket).await.unwrap();
            assert!(line.ends_with("its company is Other, and it was Acme before."), "{line}");
        }
        bench.engine.close_connection(&ticket).await.unwrap();
    }
}
