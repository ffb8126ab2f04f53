//! What nobody can know for sure: a person decides with one press, and what an identity or a company
//! file that changed leaves in doubt is looked for in the books.

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::EngineError;
use bookbridge::engine::FirstCall;
use bookbridge::engine::Login;
use bookbridge::engine::Pressed;
use serde_json::json;

use super::bench::Bench;
use super::bench::Carried;
use super::bench::actor;
use super::bench::attribute;
use super::twice::tell_of;

const STAMPED: &str = "C:\\Books\\Acme.QBW";

fn fix(id: &str, object: Option<&str>) -> Action {
    let object = object.map(str::to_owned);
    Action::Fix(Pressed { id: id.to_owned(), object, ..Pressed::default() })
}

async fn press(bench: &Bench, path: &str, action: Action) -> Result<Record, EngineError> {
    bench.engine.act(&bench.key(path), action, &actor()).await
}

/// QuickBooks' answer to a question, under the ids of its requests: the n-th has n here.
fn told(question: &str, answers: &str) -> String {
    let mut answers = answers.to_owned();
    for (at, rest) in question.split("requestID=\"").skip(1).enumerate() {
        let id = rest.split('"').next().unwrap();
        let place = format!("requestID=\"{}\"", at + 1);
        answers = answers.replace(&place, &format!("requestID=\"{id}\""));
    }
    format!("<QBXML><QBXMLMsgsRs>{answers}</QBXMLMsgsRs></QBXML>")
}

fn invoice(id: &str, number: &str, amount: &str) -> String {
    format!(
        "<InvoiceRet><TxnID>{id}</TxnID><CustomerRef><ListID>80-1</ListID></CustomerRef>\
         <TxnDate>2026-03-02</TxnDate><RefNumber>{number}</RefNumber><Subtotal>{amount}</Subtotal>\
         </InvoiceRet>"
    )
}

/// Has QuickBooks forget the message set of the one record, and answers the search of the books.
async fn found(bench: &Bench, rets: &str) {
    let Carried { ticket, qbxml } = bench.open().await;
    let id = attribute(&qbxml, "newMessageSetID").unwrap();
    let forgot = format!(
        "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"9002\"/></QBXML>"
    );
    assert!((1..100).contains(&bench.bring(&ticket, &forgot).await));
    let question = bench.send(&ticket).await;
    assert!(question.contains("QueryRq"), "{question}");
    let kind = if question.contains("InvoiceQueryRq") { "Invoice" } else { "Customer" };
    let answer = format!(
        "<{kind}QueryRs requestID=\"1\" statusCode=\"0\">{rets}</{kind}QueryRs>\
         <{kind}QueryRs requestID=\"2\" statusCode=\"1\"/>"
    );
    bench.bring(&ticket, &told(&question, &answer)).await;
    bench.engine.close_connection(&ticket).await.unwrap();
}

async fn unknown_invoice(rets: &str) -> Bench {
    let bench = Bench::new().await;
    let data = json!({
        "CustomerRef": {"ListID": "80-1"}, "RefNumber": "77", "InvoiceLine": {"Desc": "x"},
    });
    bench.put("Invoice/1", data).await;
    found(&bench, rets).await;
    let record = bench.record("Invoice/1").await;
    assert_eq!((record.status, record.findings[0].code), (Status::Failed, Code::OutcomeUnknown));
    bench
}

#[actix_web::test]
async fn what_may_be_it_is_offered_the_likeliest_first() {
    let rets = invoice("43-1", "78", "1.00") + &invoice("43-2", "77", "2.00");
    let bench = unknown_invoice(&(rets + &invoice("43-3", "77", "3.00"))).await;

    let finding = &bench.record("Invoice/1").await.findings[0];
    let offered = finding.candidates.iter().map(|it| (it.id.as_str(), it.name.as_str()));
    assert_eq!(
        offered.collect::<Vec<_>>(),
        [("43-2", "77"), ("43-3", "77"), ("43-1", "78")],
        "{finding:?}"
    );
    let first = &finding.candidates[0];
    assert_eq!((first.kind.as_str(), first.amount.as_deref()), ("Invoice", Some("2.00")));
    assert_eq!(first.date.as_deref(), Some("2026-03-02"));
    assert!(diagnosis::render(finding).detail.contains("77 (43-2)"));

    let which = press(&bench, "Invoice/1", fix("link", None)).await.unwrap_err();
    assert!(which.to_string().contains("43-3"), "{which}");
    let linked = press(&bench, "Invoice/1", fix("link", Some("43-3"))).await.unwrap();

    assert_eq!((linked.status, linked.reference.unwrap().id.as_str()), (Status::Synced, "43-3"));
}

#[actix_web::test]
async fn an_inactive_one_is_offered_behind_an_active_one() {
    let customer = |id: &str, name: &str, active: &str| {
        format!(
            "<CustomerRet><ListID>{id}</ListID><FullName>{name}</FullName>\
             <IsActive>{active}</IsActive></CustomerRet>"
        )
    };
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;

    found(&bench, &(customer("80-1", "A", "false") + &customer("80-2", "B", "true"))).await;

    let record = bench.record("Customer/1").await;
    let offered = record.findings[0].candidates.iter().map(|it| (it.id.as_str(), it.is_active));
    assert_eq!(offered.collect::<Vec<_>>(), [("80-2", Some(true)), ("80-1", Some(false))]);
}

#[actix_web::test]
async fn the_only_one_is_linked_with_one_press() {
    let bench = unknown_invoice(&invoice("43-1", "78", "1.00")).await;

    let linked = press(&bench, "Invoice/1", fix("link", None)).await.unwrap();

    assert_eq!((linked.status, linked.reference.unwrap().id.as_str()), (Status::Synced, "43-1"));
    bench.hands.pass(3600);
    let carried = bench.open().await;
    assert!(carried.qbxml.contains("<InvoiceQueryRq") && !carried.qbxml.contains("AddRq"));
    let there = told(
        &carried.qbxml,
        &format!(
            "<InvoiceQueryRs requestID=\"1\" statusCode=\"0\">{}</InvoiceQueryRs>",
            invoice("43-1", "78", "1.00")
        ),
    );
    assert_eq!(bench.bring(&carried.ticket, &there).await, 100);
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    bench.hands.pass(3600);
    assert!(matches!(bench.login().await, Login::None { .. }), "nothing is sent");
}

#[actix_web::test]
async fn each_fix_says_first_what_it_would_do() {
    let bench = unknown_invoice(&invoice("43-1", "78", "1.00")).await;
    let before = bench.record("Invoice/1").await;

    for (id, would) in [
        ("link", "It is linked to 43-1; nothing is sent, and no second one is made."),
        ("retry", "books are searched for it at the next session, and it is sent again only if"),
        (
            "bypass",
            "It is marked as done in QuickBooks; nothing is sent, and it can be taken back.",
        ),
        ("send-again", "a person says that QuickBooks does not have it."),
    ] {
        let pressed = Pressed { id: id.to_owned(), ..Pressed::default() };
        let told = bench.engine.preview(&bench.key("Invoice/1"), &pressed).await.unwrap();
        assert!(told.contains(would), "{id}: {told}");
    }

    assert_eq!(bench.record("Invoice/1").await, before);
}

#[actix_web::test]
async fn a_link_to_what_is_called_quite_differently_says_so() {
    for (name, warned) in [("Zimmer Ltd", true), ("Customer  1", false)] {
        let mut bench = Bench::new().await;
        bench.customer("Customer/1").await;
        let other = "<CustomerRet><ListID>80-3</ListID><FullName>x</FullName></CustomerRet>";
        found(&bench, other).await;
        tell_of(&mut bench, "80-9", name).await;

        let object = Some("80-9".to_owned());
        let pressed = Pressed { id: "link".to_owned(), object, ..Pressed::default() };
        let told = bench.engine.preview(&bench.key("Customer/1"), &pressed).await.unwrap();

        assert!(told.starts_with("It is linked to 80-9; nothing is sent"), "{told}");
        assert_eq!(told.contains(&format!("calls it \u{201c}{name}\u{201d}")), warned, "{told}");
    }
}

#[actix_web::test]
async fn a_bypass_does_not_guess_which_one_it_is() {
    let bench = unknown_invoice(&invoice("43-1", "78", "1.00")).await;

    let bypassed = press(&bench, "Invoice/1", fix("bypass", None)).await.unwrap();

    assert_eq!((bypassed.status, bypassed.reference), (Status::Bypassed, None));
}

#[actix_web::test]
async fn what_is_not_there_is_sent_again_with_one_press_and_once() {
    let mut bench = unknown_invoice(&invoice("43-1", "78", "1.00")).await;

    let queued = press(&bench, "Invoice/1", fix("send-again", None)).await.unwrap();

    assert_eq!(queued.status, Status::Queued);
    let carried = bench.open().await;
    assert_eq!(carried.qbxml.matches("<InvoiceAddRq").count(), 1, "{}", carried.qbxml);
    let answer = bench.agree(&carried.qbxml);
    assert_eq!(bench.bring(&carried.ticket, &answer).await, 100);
    assert_eq!(bench.record("Invoice/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn what_the_application_changed_meanwhile_goes_after_the_link() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.put("Customer/2", json!({"Name": "C", "ParentRef": {"source": "Customer/1"}})).await;
    found(&bench, "<CustomerRet><ListID>80-9</ListID><FullName>Other</FullName></CustomerRet>")
        .await;
    bench.put("Customer/1", json!({"Name": "Customer 1", "Phone": "7"})).await;
    assert_eq!(bench.record("Customer/1").await.status, Status::Failed);

    let linked = press(&bench, "Customer/1", fix("link", None)).await.unwrap();

    assert_eq!((linked.status, linked.reference.unwrap().id.as_str()), (Status::Queued, "80-9"));
    assert_eq!(bench.record("Customer/2").await.status, Status::Queued);
    let Login::Work { ticket, .. } = bench.login().await else { panic!() };
    let (mut sent, mut changed) = (Vec::new(), false);
    for _ in 0..6 {
        let qbxml = bench.send(&ticket).await;
        if qbxml.is_empty() {
            break;
        }
        changed |= qbxml.contains("<CustomerModRq") && qbxml.contains("<Phone>7</Phone>");
        let ret = "<CustomerRet><ListID>80-9</ListID><EditSequence>5</EditSequence>\
                   <FullName>Other</FullName></CustomerRet>";
        let answer = if qbxml.contains("QueryRq") {
            let there = format!(
                "<CustomerQueryRs requestID=\"1\" statusCode=\"0\">{ret}</CustomerQueryRs>"
            );
            told(&qbxml, &there)
        } else {
            bench.agree(&qbxml)
        };
        bench.bring(&ticket, &answer).await;
        sent.push(qbxml);
    }
    assert!(changed, "{sent:?}");
    assert!(!sent.iter().any(|it| it.contains("<Name>Customer 1</Name></CustomerAdd>")));
}

/// A first call of the company file at [`STAMPED`] that carries this stamp under the connection's
/// owner id.
async fn first_call(bench: &Bench, stamp: Option<&str>) -> FirstCall {
    let owner = bench.engine.store().connection(&bench.id).await.unwrap().unwrap().owner_id;
    let stamp = stamp.map(|stamp| {
        format!(
            "<DataExtRet><OwnerID>{{{owner}}}</OwnerID><DataExtName>FileID</DataExtName>\
             <DataExtType>STR255TYPE</DataExtType><DataExtValue>{{{stamp}}}</DataExtValue></DataExtRet>"
        )
    });
    FirstCall {
        hcp: format!(
            "<QBXML><QBXMLMsgsRs><CompanyQueryRs><CompanyRet><CompanyName>Acme</CompanyName>{}\
             </CompanyRet></CompanyQueryRs></QBXMLMsgsRs></QBXML>",
            stamp.unwrap_or_default()
        ),
        company_file: STAMPED.to_owned(),
        country: "US".to_owned(),
        major: 13,
        ..FirstCall::default()
    }
}

/// Logs in and takes the first message set, with this stamp in the company file.
async fn open_stamped(bench: &Bench, stamp: Option<&str>) -> (String, String) {
    let Login::Work { ticket, .. } = bench.login().await else { panic!("there is no work") };
    let call = first_call(bench, stamp).await;
    let qbxml = bench.engine.send_request(&ticket, call).await.unwrap();
    (ticket, qbxml)
}

async fn stamp(bench: &Bench) -> String {
    bench.engine.store().connection(&bench.id).await.unwrap().unwrap().file_id.to_string()
}

/// A record whose message set was handed out, and its answer lost.
async fn in_doubt() -> (Bench, String) {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let ours = stamp(&bench).await;
    let (ticket, first) = open_stamped(&bench, Some(&ours)).await;
    assert!(first.contains("CustomerAddRq"), "{first}");
    bench.throw(&ticket, "0x80040414").await;
    bench.engine.close_connection(&ticket).await.unwrap();
    assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
    (bench, first)
}

const NOTHING: &str = "<CustomerQueryRs requestID=\"1\" statusCode=\"1\" statusSeverity=\"Info\"/>\
                       <CustomerQueryRs requestID=\"2\" statusCode=\"1\" statusSeverity=\"Info\"/>";

fn customers(all: &[(&str, &str)]) -> String {
    let rets = all.iter().map(|(id, name)| {
        format!("<CustomerRet><ListID>{id}</ListID><FullName>{name}</FullName></CustomerRet>")
    });
    let rets: String = rets.collect();
    format!(
        "<CustomerQueryRs requestID=\"1\" statusCode=\"0\">{rets}</CustomerQueryRs>\
         <CustomerQueryRs requestID=\"2\" statusCode=\"1\"/>"
    )
}

#[actix_web::test]
async fn the_identity_is_not_rotated_while_an_answer_is_recovered() {
    let (bench, first) = in_doubt().await;
    let before = bench.engine.store().connection(&bench.id).await.unwrap().unwrap();

    let refused = bench.engine.rotate_identity(&bench.id, &actor()).await;

    assert!(matches!(refused, Err(EngineError::NotNow(_))), "{refused:?}");
    let after = bench.engine.store().connection(&bench.id).await.unwrap().unwrap();
    assert_eq!((after.owner_id, after.file_id), (before.owner_id, before.file_id));
    let ours = stamp(&bench).await;
    assert_eq!(open_stamped(&bench, Some(&ours)).await.1, first);
}

#[actix_web::test]
async fn what_was_in_doubt_when_the_identity_was_rotated_is_looked_for_in_the_books() {
    for (answer, expected) in [
        (customers(&[("80-9", "Customer 1")]), Status::Synced),
        (customers(&[("80-8", "A"), ("80-9", "B")]), Status::Failed),
        (NOTHING.to_owned(), Status::Queued),
    ] {
        let (mut bench, first) = in_doubt().await;
        press(&bench, "Customer/1", fix("ask-books", None)).await.unwrap();
        bench.engine.rotate_identity(&bench.id, &actor()).await.unwrap();

        // QuickBooks keeps message sets per application: the new one is not told of the old one's.
        let ours = stamp(&bench).await;
        let (ticket, question) = open_stamped(&bench, Some(&ours)).await;
        assert!(question.contains("<FullName>Customer 1</FullName>"), "{question}");
        assert!(!question.contains("MessageSetID"), "{question}");
        bench.bring(&ticket, &told(&question, &answer)).await;

        let record = bench.record("Customer/1").await;
        assert_eq!(record.status, expected, "{answer}");
        let next = bench.send(&ticket).await;
        match expected {
            Status::Queued => {
                assert_eq!(next.matches("<CustomerAddRq").count(), 1, "{next}");
                assert_ne!(
                    attribute(&next, "newMessageSetID"),
                    attribute(&first, "newMessageSetID")
                );
                assert_eq!(attribute(&next, "oldMessageSetID"), None, "{next}");
                let agreed = bench.agree(&next);
                assert_eq!(bench.bring(&ticket, &agreed).await, 100);
                assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
            }
            Status::Failed => {
                assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
                assert_eq!(record.findings[0].candidates.len(), 2);
                assert_eq!(next, "");
            }
            _ => {
                assert_eq!(record.reference.unwrap().id, "80-9");
                assert_eq!(next, "");
            }
        }
    }
}

#[actix_web::test]
async fn a_late_answer_to_the_old_identity_still_counts_and_nothing_is_made_twice() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let ours = stamp(&bench).await;
    let (ticket, first) = open_stamped(&bench, Some(&ours)).await;
    bench.engine.close_connection(&ticket).await.unwrap();
    press(&bench, "Customer/1", fix("ask-books", None)).await.unwrap();
    bench.engine.rotate_identity(&bench.id, &actor()).await.unwrap();

    let answer = bench.agree(&first);
    assert_eq!(bench.bring(&ticket, &answer).await, -1);

    let record = bench.record("Customer/1").await;
    let mut sent = Vec::new();
    if let Login::Work { ticket, .. } = bench.login().await {
        let ours = stamp(&bench).await;
        let call = first_call(&bench, Some(&ours)).await;
        let question = bench.engine.send_request(&ticket, call).await.unwrap();
        bench.bring(&ticket, &told(&question, &customers(&[("80-1", "Customer 1")]))).await;
        sent.extend([question, bench.send(&ticket).await]);
    }
    assert!(!sent.iter().any(|it| it.contains("CustomerAddRq")), "{record:?} {sent:?}");
    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.reference.unwrap().id.as_str()), (Status::Synced, "80-1"));
}

#[actix_web::test]
async fn a_company_file_that_was_made_anew_gets_nothing_until_a_person_says_so() {
    let (mut bench, first) = in_doubt().await;

    // It has the same name and stands at the same place, but our stamp is not in it.
    for stamp in [None, Some("57f3b9b0-0000-0000-0000-000000000000")] {
        let (ticket, qbxml) = open_stamped(&bench, stamp).await;
        assert_eq!(qbxml, "", "{stamp:?}");
        bench.engine.close_connection(&ticket).await.unwrap();
        assert_eq!(bench.record("Customer/1").await.status, Status::InDoubt);
    }
    let health = bench.engine.health(&bench.id).await.unwrap();
    assert_eq!(health.findings[0].code, Code::WrongCompanyFile);

    press(&bench, "Customer/1", fix("ask-books", None)).await.unwrap();
    bench.engine.rotate_identity(&bench.id, &actor()).await.unwrap();
    let (ticket, question) = open_stamped(&bench, None).await;
    assert!(question.contains("<FullName>Customer 1</FullName>"), "{question}");
    bench.bring(&ticket, &told(&question, NOTHING)).await;

    let again = bench.send(&ticket).await;
    assert_eq!(again.matches("<CustomerAddRq").count(), 1, "{again}");
    assert_ne!(attribute(&again, "newMessageSetID"), attribute(&first, "newMessageSetID"));
    let answer = bench.agree(&again);
    assert_eq!(bench.bring(&ticket, &answer).await, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn the_old_company_file_that_comes_back_is_asked_in_the_same_bytes() {
    let (mut bench, first) = in_doubt().await;
    let (ticket, nothing) = open_stamped(&bench, None).await;
    assert_eq!(nothing, "");
    bench.engine.close_connection(&ticket).await.unwrap();

    let ours = stamp(&bench).await;
    let (ticket, again) = open_stamped(&bench, Some(&ours)).await;

    assert_eq!(again, first);
    let answer = bench.agree(&again);
    assert_eq!(bench.bring(&ticket, &answer).await, 100);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}
