//! Nothing twice: one object is one record's, an answer is to its own question, and nothing is made
//! or deleted by hearsay.

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::domain::request::RequestStatus;
use bookbridge::engine::Action;
use bookbridge::engine::EngineError;
use bookbridge::engine::FIXES;
use bookbridge::engine::Handling;
use bookbridge::engine::Login;
use bookbridge::engine::NewRecord;
use bookbridge::engine::NewRequest;
use bookbridge::engine::Pressed;
use bookbridge::engine::is_of_use;
use bookbridge::engine::is_pressable;
use serde_json::Value;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use super::bench::asks_number;
use super::bench::attribute;
use super::bench::told;

/// What QuickBooks does with one document.
pub(super) enum Does {
    Agrees,
    Answers(String),
    Throws(&'static str),
}

/// One session to its end, an hour later; the documents in it.
pub(super) async fn session(bench: &mut Bench, does: impl Fn(&str) -> Does) -> Vec<String> {
    bench.hands.pass(3600);
    let Login::Work { ticket, .. } = bench.login().await else { return Vec::new() };
    let mut documents = Vec::new();
    loop {
        let qbxml = bench.send(&ticket).await;
        if qbxml.is_empty() {
            break;
        }
        let percent = match does(&qbxml) {
            Does::Agrees => {
                let answer = bench.agree(&qbxml);
                bench.bring(&ticket, &answer).await
            }
            Does::Answers(answer) => bench.bring(&ticket, &answer).await,
            Does::Throws(hresult) => bench.throw(&ticket, hresult).await,
        };
        documents.push(qbxml);
        if !(0..100).contains(&percent) {
            break;
        }
    }
    bench.engine.close_connection(&ticket).await.unwrap();
    documents
}

pub(super) async fn agreed(bench: &mut Bench) -> Vec<String> {
    session(bench, |_| Does::Agrees).await
}

pub(super) async fn act(bench: &Bench, path: &str, action: Action) -> Result<Record, EngineError> {
    bench.engine.act(&bench.key(path), action, &actor()).await
}

pub(super) async fn press(bench: &Bench, path: &str, id: &str) -> Record {
    let pressed = Pressed { id: id.to_owned(), ..Pressed::default() };
    act(bench, path, Action::Fix(pressed)).await.unwrap()
}

pub(super) fn link(id: &str) -> Action {
    Action::Link { id: id.to_owned() }
}

/// QuickBooks does not remember any write.
pub(super) fn forgets(qbxml: &str) -> Does {
    match attribute(qbxml, "newMessageSetID") {
        Some(id) => Does::Answers(format!(
            "<QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"9002\"/></QBXML>"
        )),
        None => Does::Agrees,
    }
}

/// A raw query tells Bookbridge of a customer that is none of ours.
pub(super) async fn tell_of(bench: &mut Bench, id: &str, name: &str) {
    let new = NewRequest::Xml("<CustomerQueryRq/>".to_owned());
    bench.engine.submit(&bench.id, new, None, &actor()).await.unwrap();
    let ret = format!(
        "statusCode=\"0\"><CustomerRet><ListID>{id}</ListID><Name>{name}</Name>\
         <FullName>{name}</FullName><IsActive>true</IsActive></CustomerRet>"
    );
    session(bench, |qbxml| Does::Answers(told(qbxml, &[&ret]))).await;
}

fn linked(source_id: &str, name: &str) -> NewRecord {
    NewRecord {
        kind: "Customer".to_owned(),
        source_id: source_id.to_owned(),
        data: json!({ "Name": name }),
        posted: true,
        priority: 0,
        depends_on: Vec::new(),
        on_duplicate: OnDuplicate::Link,
    }
}

/// An invoice of the customer 80-1.
pub(super) fn invoice(number: &str) -> Value {
    json!({
        "CustomerRef": {"ListID": "80-1"}, "RefNumber": number, "InvoiceLine": {"Desc": "x"},
    })
}

pub(super) fn payment(invoice: &str) -> Value {
    json!({
        "CustomerRef": {"ListID": "80-90"}, "TotalAmount": "1.00",
        "AppliedToTxn": {"TxnID": invoice, "PaymentAmount": "1.00"},
    })
}

#[actix_web::test]
async fn a_record_is_there_though_what_it_refers_to_is_gone() {
    let mut bench = Bench::new().await;
    bench.put("ReceivePayment/1", payment("43-1")).await;
    agreed(&mut bench).await;
    bench.put("ReceivePayment/1", payment("99-9")).await;
    let gone = "Object &quot;99-9&quot; specified in the request cannot be found.";
    let carried = bench.open().await;
    let refused = bench.answer(&carried.qbxml, |_| Some((3120, gone)));
    bench.bring(&carried.ticket, &refused).await;
    let question = bench.send(&carried.ticket).await;
    bench.bring(&carried.ticket, &told(&question, &[])).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    let finding = bench.record("ReceivePayment/1").await.findings[0].clone();
    assert_eq!((finding.code, finding.cause.as_str()), (Code::ObjectNotFound, "refers_to_gone"));
    let fixes = diagnosis::render(&finding).fixes;
    assert!(fixes.iter().all(|fix| fix.id != "reset-reference"));

    act(&bench, "ReceivePayment/1", Action::ResetReference).await.unwrap();
    let documents = agreed(&mut bench).await;

    assert!(documents[0].contains("<ReceivePaymentQueryRq"), "{documents:?}");
    assert!(documents.iter().all(|it| !it.contains("AddRq")), "{documents:?}");
    let record = bench.record("ReceivePayment/1").await;
    assert_eq!((record.status, record.findings[0].cause.as_str()), (Status::Failed, "still_there"));
}

#[actix_web::test]
async fn of_two_links_at_once_one_is_refused() {
    for round in 0..20 {
        let bench = Bench::new().await;
        bench.customer("Customer/1").await;
        bench.customer("Customer/2").await;

        let (one, other) = tokio::join!(
            act(&bench, "Customer/1", link("80-1")),
            act(&bench, "Customer/2", link("80-1")),
        );

        assert!(one.is_ok() != other.is_ok(), "{round}: {one:?} {other:?}");
        let lost = one.err().or(other.err());
        assert!(matches!(lost, Some(EngineError::NotNow(_))), "{round}: {lost:?}");
    }
}

#[actix_web::test]
async fn of_two_records_of_one_name_in_one_put_one_is_linked() {
    let mut bench = Bench::new().await;
    tell_of(&mut bench, "80-50", "Bob").await;

    let both = vec![linked("1", "Bob"), linked("2", "Bob")];
    let put = bench.engine.put_many(&bench.id, both, Handling::Lenient, &actor()).await.unwrap();

    assert_eq!(put.len(), 2);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
    let other = bench.record("Customer/2").await;
    assert_eq!((other.status, other.reference), (Status::Failed, None));
    assert_eq!(other.findings[0].code, Code::NameInUse);
}

#[actix_web::test]
async fn what_quickbooks_made_for_one_record_is_not_that_of_another() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let carried = bench.open().await;
    bench.customer("Customer/2").await;
    // The answer is on its way, and somebody sees the new customer in QuickBooks.
    act(&bench, "Customer/2", link("80-1")).await.unwrap();

    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;

    assert_eq!(bench.record("Customer/1").await.reference.unwrap().id, "80-1");
    let other = bench.record("Customer/2").await;
    assert_eq!((other.status, other.reference), (Status::Failed, None));
    assert_eq!(other.findings[0].cause, "made_for_another");
}

#[actix_web::test]
async fn what_may_be_another_s_is_not_taken_for_what_was_lost() {
    let mut bench = Bench::new().await;
    let invoice = json!({
        "CustomerRef": {"ListID": "80-1"}, "RefNumber": "77", "InvoiceLine": {"Desc": "x"},
    });
    bench.put("Invoice/A", invoice.clone()).await;
    let silent = "statusCode=\"1000\" statusSeverity=\"Error\"/>";
    session(&mut bench, |qbxml| match forgets(qbxml) {
        Does::Agrees if asks_number(qbxml) => Does::Answers(told(qbxml, &[])),
        Does::Agrees => Does::Answers(told(qbxml, &[silent, silent])),
        other => other,
    })
    .await;
    assert_eq!(bench.record("Invoice/A").await.findings[0].code, Code::OutcomeUnknown);
    bench.put("Invoice/B", invoice).await;

    let found = "statusCode=\"0\"><InvoiceRet><TxnID>43-1</TxnID><CustomerRef><ListID>80-1</ListID>\
         </CustomerRef><RefNumber>77</RefNumber></InvoiceRet>";
    session(&mut bench, |qbxml| match forgets(qbxml) {
        Does::Agrees if asks_number(qbxml) => Does::Answers(told(qbxml, &[])),
        Does::Agrees => Does::Answers(told(qbxml, &[found, found])),
        other => other,
    })
    .await;

    let record = bench.record("Invoice/B").await;
    assert_eq!((record.status, record.reference), (Status::Failed, None));
    assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
}

#[actix_web::test]
async fn the_answer_to_one_question_is_no_answer_to_the_next() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.customer("Customer/2").await;
    let carried = bench.open().await;
    let Does::Answers(forgotten) = forgets(&carried.qbxml) else { panic!("it is a write") };
    bench.bring(&carried.ticket, &forgotten).await;
    let first = bench.send(&carried.ticket).await;
    let nothing = told(&first, &[]);
    bench.bring(&carried.ticket, &nothing).await;
    let (one, other) = if first.contains("Customer 1") {
        ("Customer/1", "Customer/2")
    } else {
        ("Customer/2", "Customer/1")
    };
    assert_eq!(bench.record(one).await.status, Status::Queued);

    let second = bench.send(&carried.ticket).await;
    assert!(second.contains("QueryRq") && second.contains(&other.replace('/', " ")), "{second}");
    let percent = bench.bring(&carried.ticket, &nothing).await;

    assert_eq!(percent, -1);
    assert_eq!(bench.record(other).await.status, Status::InDoubt);
}

#[actix_web::test]
async fn the_answer_to_something_else_is_not_taken_for_a_success() {
    let bench = Bench::new().await;
    bench.put("Vendor/1", json!({"Name": "V"})).await;
    let carried = bench.open().await;
    let id = attribute(&carried.qbxml, "requestID").unwrap();
    let other = format!(
        "<QBXML><QBXMLMsgsRs><CustomerQueryRs requestID=\"{id}\" statusCode=\"0\"><CustomerRet>\
         <ListID>80-9</ListID></CustomerRet></CustomerQueryRs></QBXMLMsgsRs></QBXML>"
    );

    assert_eq!(bench.bring(&carried.ticket, &other).await, -1);

    assert_eq!(bench.record("Vendor/1").await.reference, None);
    let again = bench.open().await;
    assert_eq!(again.qbxml, carried.qbxml);
    let echoed = attribute(&again.qbxml, "newMessageSetID").unwrap();
    let head = format!("Rs newMessageSetID=\"{echoed}\" messageSetStatusCode=\"0\">");
    bench.bring(&again.ticket, &other.replacen("Rs>", &head, 1)).await;
    let record = bench.record("Vendor/1").await;
    assert_eq!((record.status, record.reference), (Status::InDoubt, None));
}

#[actix_web::test]
async fn an_answer_without_any_request_id_counts_by_its_order() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    bench.put("Vendor/1", json!({"Name": "V"})).await;
    let carried = bench.open().await;
    let mut answer = bench.agree(&carried.qbxml);
    while let Some(id) = attribute(&answer, "requestID") {
        answer = answer.replacen(&format!(" requestID=\"{id}\""), "", 1);
    }

    bench.bring(&carried.ticket, &answer).await;

    assert_eq!(bench.record("Customer/1").await.reference.unwrap().id, "80-1");
    assert_eq!(bench.record("Vendor/1").await.reference.unwrap().id, "80-2");
}

#[actix_web::test]
async fn what_a_person_insisted_on_is_forgotten_once_it_is_linked() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    agreed(&mut bench).await;
    act(&bench, "Customer/1", Action::ResetReference).await.unwrap();
    agreed(&mut bench).await;
    press(&bench, "Customer/1", "send-anyway").await;
    act(&bench, "Customer/1", link("80-1")).await.unwrap();

    act(&bench, "Customer/1", Action::ResetReference).await.unwrap();
    let documents = agreed(&mut bench).await;

    assert!(documents.iter().all(|it| !it.contains("AddRq")), "{documents:?}");
    assert_eq!(bench.record("Customer/1").await.findings[0].cause, "still_there");
}

/// What QuickBooks has of that customer.
pub(super) fn customer_ret(sequence: &str) -> String {
    format!(
        "statusCode=\"0\"><CustomerRet><ListID>80-1</ListID><EditSequence>{sequence}\
         </EditSequence></CustomerRet>"
    )
}

/// A customer that we made, and that is to be undone.
pub(super) async fn to_be_undone() -> Bench {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    agreed(&mut bench).await;
    press(&bench, "Customer/1", "undo").await;
    bench
}

#[actix_web::test]
async fn what_quickbooks_does_not_tell_of_is_not_undone() {
    let mut bench = to_be_undone().await;

    let refused = "statusCode=\"1000\" statusSeverity=\"Error\"/>";
    let documents = session(&mut bench, |qbxml| Does::Answers(told(qbxml, &[refused]))).await;

    assert_eq!(documents.len(), 1);
    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.wanted), (Status::Synced, Wanted::Present));
    assert_eq!(record.findings[0].code, Code::InternalError);
    assert!(agreed(&mut bench).await.is_empty());
}

#[actix_web::test]
async fn what_is_undone_later_is_asked_for_again() {
    let mut bench = to_be_undone().await;
    let carried = bench.open().await;
    let answer = told(&carried.qbxml, &[&customer_ret("1")]);
    bench.bring(&carried.ticket, &answer).await;
    bench.engine.close_connection(&carried.ticket).await.unwrap();
    assert_eq!(bench.record("Customer/1").await.status, Status::Queued);

    let mut documents = Vec::new();
    for _ in 0..3 {
        let edited = |qbxml: &str| Does::Answers(told(qbxml, &[&customer_ret("2")]));
        documents.extend(session(&mut bench, edited).await);
    }

    assert!(documents[0].contains("<CustomerQueryRq"), "{documents:?}");
    assert!(documents.iter().all(|it| !it.contains("DelRq")), "{documents:?}");
    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.wanted), (Status::Synced, Wanted::Present));
    assert_eq!(record.findings[0].cause, "edited_since");
    // What is done with offers nothing that would be refused.
    for fix in diagnosis::render(&record.findings[0]).fixes {
        assert!(!FIXES.contains(&fix.id.as_str()), "{}", fix.id);
    }
    assert!(!is_of_use(&record, "bypass") && !is_of_use(&record, "retry"));
    assert!(is_pressable(&record, "undo"));
}

#[actix_web::test]
async fn what_is_undone_at_once_is_deleted() {
    let mut bench = to_be_undone().await;

    let ret = "statusCode=\"0\"><CustomerRet><ListID>80-1</ListID><EditSequence>1</EditSequence>\
         </CustomerRet>";
    let documents = session(&mut bench, |qbxml| {
        if qbxml.contains("QueryRq") { Does::Answers(told(qbxml, &[ret])) } else { Does::Agrees }
    })
    .await;

    assert!(documents[1].contains("<ListDelRq"), "{documents:?}");
    assert_eq!(bench.record("Customer/1").await.status, Status::Withdrawn);
}

#[actix_web::test]
async fn what_is_known_is_asked_for_all_the_same_when_it_is_linked() {
    for by_name in [true, false] {
        let mut bench = Bench::new().await;
        tell_of(&mut bench, "80-50", "Bob").await;
        if by_name {
            let new = linked("1", "Bob");
            bench.engine.put(&bench.id, new, Handling::Lenient, &actor()).await.unwrap();
        } else {
            bench.customer("Customer/1").await;
            act(&bench, "Customer/1", link("80-50")).await.unwrap();
        }
        assert_eq!(bench.record("Customer/1").await.status, Status::Synced);

        let missing = "statusCode=\"500\" statusSeverity=\"Warn\"/>";
        let documents = session(&mut bench, |qbxml| Does::Answers(told(qbxml, &[missing]))).await;

        assert!(documents[0].contains("<ListID>80-50</ListID>"), "{documents:?}");
        let record = bench.record("Customer/1").await;
        assert_eq!((record.status, record.reference), (Status::Failed, None));
        assert_eq!(record.findings[0].cause, "link_not_there");
    }
}

#[actix_web::test]
async fn a_change_that_was_taken_goes_though_the_record_is_linked_meanwhile() {
    let mut bench = Bench::new().await;
    bench.customer("Customer/1").await;
    agreed(&mut bench).await;
    bench.put("Customer/1", json!({"Name": "Customer 1", "Phone": "2"})).await;

    act(&bench, "Customer/1", link("80-1")).await.unwrap();
    let documents = agreed(&mut bench).await;

    let sent = documents.iter().any(|it| it.contains("ModRq") && it.contains("<Phone>2</Phone>"));
    assert!(sent, "{documents:?}");
    // What never went is taken for what is there.
    bench.customer("Customer/2").await;
    act(&bench, "Customer/2", link("80-70")).await.unwrap();
    let documents = agreed(&mut bench).await;
    assert!(documents.iter().all(|it| it.contains("QueryRq")), "{documents:?}");
}

#[actix_web::test]
async fn a_change_at_which_quickbooks_breaks_holds_up_nobody() {
    for withdrawn in [false, true] {
        let mut bench = Bench::new().await;
        bench.customer("Customer/1").await;
        agreed(&mut bench).await;
        if withdrawn {
            act(&bench, "Customer/1", Action::Withdraw(Wanted::Deleted)).await.unwrap();
        } else {
            bench.put("Customer/1", json!({"Name": "Customer 1", "Phone": "2"})).await;
        }
        bench.customer("Customer/2").await;

        for count in 0..40 {
            session(&mut bench, |qbxml| {
                if qbxml.contains("ModRq") || qbxml.contains("DelRq") {
                    Does::Throws("0x800706BA")
                } else if qbxml.contains("FromModifiedDate") {
                    Does::Answers(told(qbxml, &[]))
                } else {
                    Does::Agrees
                }
            })
            .await;
            let other = bench.record("Customer/2").await.status;
            assert!(count < 8 || other == Status::Synced, "{count}: {other}");
        }

        let record = bench.record("Customer/1").await;
        assert_eq!(record.status, Status::Failed, "{withdrawn}");
        assert_eq!(record.findings[0].code, Code::OutcomeUnknown);
        assert_eq!(record.reference.unwrap().id, "80-1");
    }
}

#[actix_web::test]
async fn a_question_at_which_quickbooks_breaks_holds_up_nobody() {
    let mut bench = Bench::new().await;
    let new =
        NewRequest::Xml("<InvoiceQueryRq><RefNumber>7</RefNumber></InvoiceQueryRq>".to_owned());
    let asked = bench.engine.submit(&bench.id, new, None, &actor()).await.unwrap().id;
    bench.customer("Customer/1").await;

    for _ in 0..5 {
        session(&mut bench, |qbxml| {
            let bad = qbxml.contains("InvoiceQueryRq");
            if bad { Does::Throws("0x800706BA") } else { Does::Agrees }
        })
        .await;
    }

    let asked = bench.engine.store().request(&bench.id, asked).await.unwrap().unwrap();
    assert_eq!(asked.status, RequestStatus::Failed);
    assert_eq!(bench.record("Customer/1").await.status, Status::Synced);
}

#[actix_web::test]
async fn an_undo_that_had_to_wait_is_done_once_it_can_be() {
    let mut bench = to_be_undone().await;
    let unedited = |qbxml: &str| Does::Answers(told(qbxml, &[&customer_ret("1")]));
    session(&mut bench, |qbxml| {
        let Some(id) = attribute(qbxml, "newMessageSetID") else { return unedited(qbxml) };
        let head = format!("<QBXMLMsgsRs newMessageSetID=\"{id}\" messageSetStatusCode=\"0\">");
        let locked = told(qbxml, &["statusCode=\"3175\" statusSeverity=\"Error\"/>"]);
        Does::Answers(locked.replacen("<QBXMLMsgsRs>", &head, 1))
    })
    .await;
    assert_eq!(bench.record("Customer/1").await.status, Status::Queued);

    for _ in 0..2 {
        session(
            &mut bench,
            |qbxml| {
                if qbxml.contains("DelRq") { Does::Agrees } else { unedited(qbxml) }
            },
        )
        .await;
    }

    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.wanted), (Status::Withdrawn, Wanted::Deleted));
}

#[actix_web::test]
async fn what_is_put_again_is_not_undone() {
    let mut bench = to_be_undone().await;
    bench.customer("Customer/1").await;

    let unedited = |qbxml: &str| Does::Answers(told(qbxml, &[&customer_ret("1")]));
    let documents = session(&mut bench, unedited).await;

    assert!(documents.iter().all(|it| !it.contains("DelRq")), "{documents:?}");
    let record = bench.record("Customer/1").await;
    assert_eq!((record.status, record.wanted), (Status::Synced, Wanted::Present));
    let last = record.timeline.last().map(|moment| moment.note.as_str());
    assert_eq!(last, Some("put again; it is not undone"));
}
