//! Sessions of the simulated Web Connector with the real endpoint.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bookbridge::domain::ids::RequestId;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action;
use bookbridge::engine::Actor;
use bookbridge::engine::NewConnection;
use bookbridge::engine::NewRequest;
use bookbridge::simulator::Ended;
use serde_json::json;

use crate::support::office::Office;

async fn customers(office: &Office, count: u32) {
    for number in 0..count {
        office.put(&format!("Customer/{number}"), json!({"Name": format!("C{number}")})).await;
    }
}

#[actix_web::test]
async fn a_session_brings_everything_into_quickbooks() {
    let mut office = Office::open().await;
    customers(&office, 5).await;

    assert_eq!(office.poll(&[]), Ended::Done);
    assert_eq!(office.poll(&[]), Ended::NothingToDo);

    assert_eq!(office.in_quickbooks("Customer"), ["C0", "C1", "C2", "C3", "C4"]);
    assert_eq!(office.record("Customer/4").await.status, Status::Synced);
}

/// Each fault hits the second message set of three; whatever it is, everything is there once.
#[actix_web::test]
async fn whatever_goes_wrong_everything_is_there_once() {
    for fault in [
        "lose-response:2",
        "kill-before-receive",
        "lose-request:2",
        "lose-progress:2",
        "double-receive:2",
        "double-send:2",
        "crash:2",
        "forget:2",
        "torn-response:2",
        "modal-dialog",
        "modal-dialog:2",
        "hresult:0x8004040D:2",
        "connection-error:0x80040424",
        "unavailable",
        "no-access",
        "stop-before:2",
        "parse-error:2",
        "internal-error",
        "message-sets-full",
        "wrong-password",
        "slow:1ms",
    ] {
        let mut office = Office::open().await;
        customers(&office, 5).await;

        office.poll(&[fault]);
        for _ in 0..6 {
            office.hands.pass(3600);
            office.poll(&[]);
        }

        assert_eq!(office.in_quickbooks("Customer"), ["C0", "C1", "C2", "C3", "C4"], "{fault}");
        for number in 0..5 {
            let record = office.record(&format!("Customer/{number}")).await;
            assert_eq!(record.status, Status::Synced, "{fault}: {number}: {:?}", record.findings);
        }
    }
}

#[actix_web::test]
async fn the_web_connector_shows_what_is_wrong() {
    let mut office = Office::open().await;
    customers(&office, 1).await;

    assert_eq!(office.poll(&["wrong-password"]), Ended::WrongPassword);
    let refused = office.poll(&["unavailable"]);
    assert!(
        matches!(&refused, Ended::NoQuickBooks(why) if why.contains("0x80040408")),
        "{refused:?}"
    );
    for (fault, code) in
        [("modal-dialog", "0x80040414"), ("connection-error:0x8004041D", "0x8004041D")]
    {
        let refused = office.poll(&[fault]);
        assert!(matches!(&refused, Ended::NoQuickBooks(why) if why.contains(code)), "{refused:?}");
    }
    let dialog = office.poll(&["modal-dialog:1"]);
    assert!(matches!(&dialog, Ended::Stopped(why) if why.contains("dialog is open")), "{dialog:?}");
    office.hands.pass(3600);
    assert_eq!(
        office.poll(&["lose-response"]),
        Ended::Died("answer 1 of QuickBooks was lost".to_owned())
    );
    assert_eq!(office.poll(&[]), Ended::Busy);
    office.hands.pass(3600);
    assert_eq!(office.poll(&[]), Ended::Done);
}

#[actix_web::test]
async fn a_session_that_is_asked_to_stop_is_closed_after_its_message_set() {
    let mut office = Office::open().await;
    customers(&office, 3).await;
    let asked = Arc::new(AtomicBool::new(false));
    let stop = asked.clone();
    office.connector.stop_when(Box::new(move || stop.load(Ordering::Relaxed)));

    let report = office.connector.session(&[], &mut |call| {
        asked.fetch_or(call.operation == "QuickBooks", Ordering::Relaxed);
    });

    assert_eq!(report.ended, Ended::Died("a user stopped it".to_owned()));
    assert_eq!((report.message_sets, report.closing.as_str()), (1, "OK"));
    asked.store(false, Ordering::Relaxed);
    // Nobody waits for that session, and nothing of it is in doubt.
    assert_eq!(office.poll(&[]), Ended::Done);
    assert_eq!(office.in_quickbooks("Customer"), ["C0", "C1", "C2"]);
}

#[actix_web::test]
async fn another_company_file_gets_nothing() {
    let file = Some("C:\\QuickBooks\\Rock Castle Construction.QBW".to_owned());
    let new =
        NewConnection { name: "Acme".to_owned(), company_file: file, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    customers(&office, 1).await;

    let ended = office.poll(&["wrong-company"]);

    assert!(matches!(&ended, Ended::NoQuickBooks(why) if why.contains("0x8004040A")), "{ended:?}");
    assert!(office.in_quickbooks("Customer").is_empty());
    assert_eq!(office.poll(&[]), Ended::Done);
    assert_eq!(office.in_quickbooks("Customer"), ["C0"]);
}

/// No path is asked for, so the wrong file is opened: what it tells of itself has to be enough.
#[actix_web::test]
async fn another_company_that_tells_what_it_is_gets_nothing() {
    for stamped in [true, false] {
        let mut office = Office::open().await;
        let connection = office.engine.store().connection(&office.id).await.unwrap().unwrap();
        if stamped {
            let owner = connection.owner_id.braced().to_string();
            let file = connection.file_id.braced().to_string();
            office.connector.quickbooks().stamp(&owner, "FileID", &file).unwrap();
        }
        customers(&office, 1).await;
        assert_eq!(office.poll(&[]), Ended::Done);
        office.put("Customer/1", json!({"Name": "C1"})).await;
        let ended = office.poll(&["wrong-company:D:\\Books\\Rival.QBW"]);

        assert!(matches!(&ended, Ended::Stopped(why) if why.contains("Rival")), "{ended:?}");
        let other = office.connector.other_quickbooks().unwrap();
        assert_eq!(
            (other.file(), other.books().of_kind("Customer").count()),
            ("D:\\Books\\Rival.QBW", 0)
        );
        assert_eq!(office.in_quickbooks("Customer"), ["C0"]);
        assert_eq!(office.poll(&[]), Ended::Done);
        assert_eq!(office.in_quickbooks("Customer"), ["C0", "C1"]);
    }
}

/// What is ordered for a session is not there in the next.
#[actix_web::test]
async fn a_company_is_set_for_one_session() {
    for (fault, code) in [
        ("closing-date:2100-12-31", Code::ClosedPeriod),
        ("feature-off:Bill", Code::FeatureNotAvailable),
        ("single-user:Bill", Code::FeatureNotAvailable),
        ("damaged:Bill", Code::CompanyFileDamaged),
    ] {
        let mut office = Office::open().await;
        let line = json!({"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"});
        office.person("<VendorAddRq><VendorAdd><Name>Ink</Name></VendorAdd></VendorAddRq>");
        let data = json!({"VendorRef": {"FullName": "Ink"}, "RefNumber": "1", "ExpenseLine": line});
        office.put("Bill/1", data).await;

        office.poll(&[fault]);

        let record = office.record("Bill/1").await;
        assert_eq!(record.findings.first().map(|it| it.code), Some(code), "{fault}");
        assert!(office.in_quickbooks("Bill").is_empty(), "{fault}");
        office.act("Bill/1", Action::Retry).await;
        assert_eq!(office.poll(&[]), Ended::Done, "{fault}");
        assert_eq!(office.in_quickbooks("Bill"), ["1"], "{fault}");
    }
}

#[actix_web::test]
async fn what_the_user_may_not_do_is_no_fault_of_the_record() {
    let mut office = Office::open().await;
    customers(&office, 1).await;

    office.poll(&["forbidden"]);
    assert_eq!(office.record("Customer/0").await.status, Status::Queued);
    assert!(office.in_quickbooks("Customer").is_empty());
    // Nothing is sent until a person has looked.
    office.engine.resume(&office.id, &Actor("a test".to_owned())).await.unwrap();
    office.poll(&[]);

    assert_eq!(office.in_quickbooks("Customer"), ["C0"]);
}

#[actix_web::test]
async fn what_somebody_has_open_is_tried_again() {
    let mut office = Office::open().await;
    customers(&office, 1).await;
    office.poll(&[]);
    office.put("Customer/0", json!({"Name": "C0", "Phone": "1"})).await;

    assert_eq!(office.poll(&["locked:Customer/C0"]), Ended::Done);
    let locked = office.record("Customer/0").await;
    assert_eq!((locked.status, locked.findings[0].code), (Status::Queued, Code::RecordLocked));
    assert_eq!(locked.findings[0].facts["value"], "C0", "and not its id");
    office.hands.pass(3600);
    office.poll(&[]);

    assert_eq!(office.record("Customer/0").await.status, Status::Synced);
}

/// Texts with everything that is hard on their way: through JSON, qbXML, SOAP, QuickBooks, and back.
#[actix_web::test]
async fn every_text_arrives_as_it_was_pushed() {
    let names = ["Müller & Söhne", "O'Neil \"Jim\" <x>", "]]> &amp; &#65;", "5 € – “q”", "a  b"];
    let mut office = Office::open().await;
    for (number, name) in names.iter().enumerate() {
        office
            .put(
                &format!("Customer/{number}"),
                json!({"Name": name, "Notes": format!("1\n2 {name}")}),
            )
            .await;
    }

    assert_eq!(office.poll(&[]), Ended::Done);

    assert_eq!(office.in_quickbooks("Customer"), names);
    for (number, name) in names.iter().enumerate() {
        let record = office.record(&format!("Customer/{number}")).await;
        assert_eq!(record.status, Status::Synced, "{:?}", record.findings);
        assert_eq!(record.reference.unwrap().label, *name);
    }
}

#[actix_web::test]
async fn lines_keep_their_ids_over_a_change() {
    let mut office = Office::open().await;
    let line = |key: &str, desc: &str, amount: &str| json!({"#id": key, "ItemRef": {"source": "ItemService/s"}, "Desc": desc, "Amount": amount});
    office
        .put(
            "ItemService/s",
            json!({"Name": "Labor", "SalesOrPurchase": {"AccountRef": {"FullName": "Services"}}}),
        )
        .await;
    office.put("Customer/c", json!({"Name": "C"})).await;
    let invoice = |lines: serde_json::Value| json!({"CustomerRef": {"source": "Customer/c"}, "RefNumber": "7", "InvoiceLine": lines});
    office
        .put("Invoice/7", invoice(json!([line("a", "one", "1.00"), line("b", "two", "2.00")])))
        .await;
    assert_eq!(office.poll(&[]), Ended::Done);
    let before = office.record("Invoice/7").await.reference.unwrap();

    office
        .put("Invoice/7", invoice(json!([line("b", "two", "2.50"), line("c", "three", "3.00")])))
        .await;
    assert_eq!(office.poll(&[]), Ended::Done);

    let after = office.record("Invoice/7").await.reference.unwrap();
    assert_eq!(after.lines["b"], before.lines["b"]);
    assert!(!after.lines.contains_key("a") && after.lines.contains_key("c"), "{:?}", after.lines);
    let books = office.connector.quickbooks().books();
    let object = books.get(&after.id).unwrap();
    assert_eq!(object.body.get("BalanceRemaining"), "5.50");
    assert_eq!(books.of_kind("Invoice").count(), 1);
}

#[actix_web::test]
async fn what_is_taken_back_is_deleted_or_voided_in_quickbooks() {
    let mut office = Office::open().await;
    office.put("Customer/c", json!({"Name": "C"})).await;
    for number in ["1", "2"] {
        let line = json!({"Desc": "x", "Amount": "5.00"});
        let data = json!({"CustomerRef": {"source": "Customer/c"}, "RefNumber": number, "InvoiceLine": line});
        office.put(&format!("Invoice/{number}"), data).await;
    }
    assert_eq!(office.poll(&[]), Ended::Done);

    office.act("Invoice/1", Action::Withdraw(Wanted::Deleted)).await;
    office.act("Invoice/2", Action::Withdraw(Wanted::Voided)).await;
    // The answer to both is lost: done twice, they end where they end done once.
    office.poll(&["lose-response"]);
    office.hands.pass(3600);
    assert_eq!(office.poll(&[]), Ended::Done);

    assert_eq!(office.in_quickbooks("Invoice"), ["2"]);
    let books = office.connector.quickbooks().books();
    assert!(books.of_kind("Invoice").all(|it| it.body.get("Memo").starts_with("VOID:")));
    for number in ["1", "2"] {
        let record = office.record(&format!("Invoice/{number}")).await;
        assert_eq!(record.status, Status::Withdrawn, "{:?}", record.findings);
    }
    // Put again, it is made anew.
    let line = json!({"Desc": "x", "Amount": "6.00"});
    let data =
        json!({"CustomerRef": {"source": "Customer/c"}, "RefNumber": "1", "InvoiceLine": line});
    office.put("Invoice/1", data).await;
    assert_eq!(office.poll(&[]), Ended::Done);
    assert_eq!(office.in_quickbooks("Invoice"), ["2", "1"]);
}

/// Answers and names in a response, over all its pages.
async fn response(office: &Office, id: RequestId) -> Option<(usize, Vec<String>)> {
    let request = office.engine.wait_for(&office.id, id, Duration::ZERO).await.unwrap();
    let mut names = Vec::new();
    let bodies = office.engine.responses_of(&request).await.unwrap();
    for body in &bodies {
        let mut text = String::new();
        office.engine.store().open_body(body).unwrap().read_to_string(&mut text).unwrap();
        names.extend(text.split("<FullName>").skip(1).map(|rest| rest[..2].to_owned()));
    }
    (!bodies.is_empty()).then_some((bodies.len(), names))
}

#[actix_web::test]
async fn an_iterated_query_comes_whole_and_once_whatever_interrupts_it() {
    for fault in
        ["", "lose-response:2", "lose-progress:2", "crash:2", "stop-before:2", "torn-response:3"]
    {
        let mut office = Office::open().await;
        customers(&office, 5).await;
        assert_eq!(office.poll(&[]), Ended::Done);
        let query =
            "<CustomerQueryRq iterator=\"Start\"><MaxReturned>2</MaxReturned></CustomerQueryRq>";
        let new = NewRequest::Xml(query.to_owned());
        let asked = office.engine.submit(&office.id, new, None, &Actor("a test".to_owned())).await;
        let id = asked.unwrap().id;

        let faults: Vec<_> = [fault].into_iter().filter(|fault| !fault.is_empty()).collect();
        office.poll(&faults);
        if !fault.is_empty() {
            assert_eq!(response(&office, id).await, None, "{fault}: nothing of it before the end");
            office.hands.pass(3600);
            office.poll(&[]);
        }

        let names = ["C0", "C1", "C2", "C3", "C4"].map(str::to_owned).to_vec();
        assert_eq!(response(&office, id).await, Some((3, names)), "{fault}");
        assert_eq!(office.poll(&[]), Ended::NothingToDo, "{fault}");
    }
}
