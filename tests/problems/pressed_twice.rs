//! Each fix pressed again and again: before the session, after one whose answer is lost, and when all
//! is done. The second press answers what the first did, or refuses in a sentence, and QuickBooks
//! never has a second object.

use std::collections::BTreeSet;

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::Actor;
use bookbridge::engine::EngineError;
use bookbridge::engine::FIXES;
use bookbridge::engine::Pressed;
use serde_json::Value;
use serde_json::json;

use super::invoice;
use super::office;
use super::payment;
use super::says;
use super::synced;
use super::with_customer;
use crate::support::office::Office;

/// A record for which a fix is about to be pressed, and how it ends.
struct Case {
    office: Office,
    path: &'static str,
    action: Action,
    /// Where the record stands in the end.
    ends: Status,
    /// All objects of these kinds in QuickBooks then, by name or number.
    books: Vec<(&'static str, Vec<&'static str>)>,
}

/// What a second press is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Again {
    /// What the first one did.
    Same,
    /// A sentence.
    Refused,
}
use Again::Refused;
use Again::Same;

/// What becomes of the session after the first press.
const SESSIONS: [&[&str]; 5] =
    [&[], &["lose-request:1"], &["lose-response:1"], &["lose-response:2"], &["lose-progress:1"]];

/// Declares the rows, by what is pressed, and a test for each.
macro_rules! rows {
    ($($fix:literal $again:ident => $test:ident;)*) => {
        const ROWS: &[&str] = &[$($fix,)*];

        mod row {
            $(#[actix_web::test]
            async fn $test() {
                for faults in super::SESSIONS {
                    super::check(super::$test().await, super::$again, faults).await;
                }
            })*
        }
    };
}

rows! {
    "ask-books" Refused => what_waits_for_a_lost_answer_is_looked_for;
    "bypass" Same => a_payment_that_is_there_is_bypassed;
    "create-missing" Same => an_account_that_is_missing_is_made;
    "keep-ours" Same => of_two_values_ours_is_kept;
    "keep-theirs" Same => of_two_values_theirs_is_kept;
    "link" Same => a_customer_that_is_there_is_linked;
    "link" Same => a_change_goes_to_what_is_linked;
    "move-date" Same => a_date_in_a_closed_period_is_moved;
    "reactivate" Same => an_inactive_item_is_made_active;
    "refresh-edit-sequence" Same => a_version_that_is_old_again_is_fetched_again;
    "rename" Same => a_name_that_is_taken_becomes_another;
    "replace-characters" Same => a_colon_is_replaced;
    "reset-reference" Same => what_was_deleted_is_made_anew;
    "retry" Same => a_payment_goes_once_the_invoice_is_open_again;
    "send-again" Same => what_is_not_there_is_sent_again;
    "send-anyway" Same => a_number_that_is_used_is_sent_anyway;
    "shorten" Same => a_long_name_becomes_shorter;
    "suffix-number" Same => a_number_that_is_used_becomes_another;
    "undo" Same => what_was_made_by_mistake_is_taken_back;
    "wait" Same => what_quickbooks_could_not_do_is_tried_again;
    "a link" Same => a_change_goes_to_what_a_person_links;
    "a bypass" Same => a_person_bypasses_with_a_reason;
    "a reset" Same => a_person_has_it_made_anew;
}

#[test]
fn every_fix_that_is_pressed_has_a_row() {
    let rows: BTreeSet<_> = ROWS.iter().copied().filter(|row| !row.starts_with("a ")).collect();

    assert_eq!(rows, FIXES.into_iter().collect());
}

#[actix_web::test]
async fn another_fix_than_the_one_that_is_on_its_way_is_refused() {
    let case = a_name_that_is_taken_becomes_another().await;
    act(&case).await.unwrap();
    let before = case.office.record(case.path).await;

    for (id, value, object) in [
        ("rename", Some("Jones junior"), None),
        ("link", None, Some("80-1")),
        ("link", None, None),
        ("shorten", None, None),
        ("send-anyway", None, None),
    ] {
        let pressed = Pressed {
            id: id.to_owned(),
            value: value.map(str::to_owned),
            object: object.map(str::to_owned),
        };
        let refused = case.office.engine.act(&before.key, Action::Fix(pressed), &actor()).await;
        assert!(
            matches!(&refused, Err(EngineError::NotNow(why)) if why.contains("on its way already")),
            "{id}: {refused:?}"
        );
    }
    assert_eq!(case.office.record(case.path).await, before);
}

fn actor() -> Actor {
    Actor("a test".to_owned())
}

async fn act(case: &Case) -> Result<(), EngineError> {
    let key = case.office.record(case.path).await.key;
    let action = case.action.clone();
    case.office.engine.act(&key, action, &actor()).await.map(drop)
}

/// Pressed where it may not make sense any more: nothing, or a sentence.
async fn act_late(case: &Case) {
    match act(case).await {
        Ok(()) => {}
        Err(EngineError::NotNow(why)) => {
            assert!(why.starts_with(case.path) || why.contains(case.path), "{why}");
        }
        Err(error) => panic!("{error}"),
    }
}

async fn check(mut case: Case, again: Again, faults: &[&str]) {
    let waiting = async |case: &Case| {
        case.office.engine.store().counts(&case.office.id).await.unwrap().requests_queued
    };
    act(&case).await.unwrap();
    let once = (case.office.record(case.path).await, waiting(&case).await);

    let answered = act(&case).await;

    match again {
        Same => assert!(answered.is_ok(), "{answered:?}"),
        Refused => assert!(matches!(answered, Err(EngineError::NotNow(_))), "{answered:?}"),
    }
    assert_eq!((case.office.record(case.path).await, waiting(&case).await), once);
    case.office.poll(faults);
    act_late(&case).await;
    for _ in 0..3 {
        case.office.hands.pass(1000);
        case.office.poll(&[]);
        act_late(&case).await;
    }
    case.office.hands.pass(1000);
    case.office.poll(&[]);
    let record = case.office.record(case.path).await;
    let shown = format!("{faults:?}: {:?} {:#?}", record.findings, record.timeline);
    assert_eq!(record.status, case.ends, "{shown}");
    let accounts = case.office.in_quickbooks("Account");
    let different: BTreeSet<_> = accounts.iter().collect();
    assert_eq!(different.len(), accounts.len(), "{shown}");
    for (kind, names) in &case.books {
        assert_eq!(case.office.in_quickbooks(kind), *names, "{shown}");
    }
}

/// A case whose record is synced in the end.
fn case(
    office: Office,
    path: &'static str,
    fix: &str,
    books: &[(&'static str, &[&'static str])],
) -> Case {
    let pressed = Pressed { id: fix.to_owned(), ..Pressed::default() };
    let books = books.iter().map(|(kind, names)| (*kind, names.to_vec())).collect();
    Case { office, path, action: Action::Fix(pressed), ends: Status::Synced, books }
}

fn customer_by_hand(office: &mut Office, name: &str) -> String {
    office.person(&format!(
        "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>{name}</Name></CustomerAdd></CustomerAddRq>"
    ));
    office.object("Customer", name).0
}

fn jones(phone: &str) -> Value {
    json!({"Name": "Jones", "Phone": phone})
}

async fn what_waits_for_a_lost_answer_is_looked_for() -> Case {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&["modal-dialog:1"]);
    assert_eq!(office.record("Customer/1").await.status, Status::InDoubt);
    case(office, "Customer/1", "ask-books", &[("Customer", &["Jones"])])
}

/// An office with an invoice over 100.00 that is paid by hand.
async fn paid() -> Office {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    let (id, _) = office.object("Invoice", "1001");
    office.person(&format!(
        "<ReceivePaymentAddRq requestID=\"1\"><ReceivePaymentAdd><CustomerRef><FullName>Jones\
         </FullName></CustomerRef><RefNumber>C-9</RefNumber><TotalAmount>100.00</TotalAmount>\
         <AppliedToTxnAdd><TxnID>{id}</TxnID><PaymentAmount>100.00</PaymentAmount>\
         </AppliedToTxnAdd></ReceivePaymentAdd></ReceivePaymentAddRq>"
    ));
    let mut data = payment("Customer/1", "Invoice/1", "100.00");
    data["RefNumber"] = json!("P-1");
    office.push("ReceivePayment/1", data).await;
    office.poll(&[]);
    says(&office.record("ReceivePayment/1").await, Code::AlreadyPaid);
    office
}

async fn a_payment_that_is_there_is_bypassed() -> Case {
    let case = case(paid().await, "ReceivePayment/1", "bypass", &[("ReceivePayment", &["C-9"])]);
    Case { ends: Status::Bypassed, ..case }
}

async fn a_payment_goes_once_the_invoice_is_open_again() -> Case {
    let mut office = paid().await;
    office.delete("ReceivePayment", "C-9");
    case(office, "ReceivePayment/1", "retry", &[("ReceivePayment", &["P-1"])])
}

async fn an_account_that_is_missing_is_made() -> Case {
    let mut office = office().await;
    let item = json!({
        "Name": "Widget", "IncomeAccountRef": {"FullName": "Online Sales"},
        "COGSAccountRef": {"FullName": "Cost of Goods Sold"},
        "AssetAccountRef": {"FullName": "Inventory Asset"},
    });
    office.push("ItemInventory/1", item).await;
    office.poll(&[]);
    says(&office.record("ItemInventory/1").await, Code::ReferenceNotFound);
    case(office, "ItemInventory/1", "create-missing", &[("ItemInventory", &["Widget"])])
}

/// An office where a phone number was changed on both sides.
async fn changed_in_both() -> Office {
    let mut office = office().await;
    office.push("Customer/1", jones("1")).await;
    office.poll(&[]);
    office.change("Customer", "Jones", "<Phone>3</Phone>");
    office.push("Customer/1", jones("2")).await;
    office.poll(&[]);
    says(&office.record("Customer/1").await, Code::EditSequenceStale);
    office
}

async fn of_two_values_ours_is_kept() -> Case {
    case(changed_in_both().await, "Customer/1", "keep-ours", &[("Customer", &["Jones"])])
}

async fn of_two_values_theirs_is_kept() -> Case {
    case(changed_in_both().await, "Customer/1", "keep-theirs", &[("Customer", &["Jones"])])
}

async fn name_in_use() -> Office {
    let mut office = office().await;
    customer_by_hand(&mut office, "Jones");
    with_customer(&mut office).await;
    office.poll(&[]);
    says(&office.record("Customer/1").await, Code::NameInUse);
    office
}

async fn a_customer_that_is_there_is_linked() -> Case {
    case(name_in_use().await, "Customer/1", "link", &[("Customer", &["Jones"])])
}

async fn a_name_that_is_taken_becomes_another() -> Case {
    case(name_in_use().await, "Customer/1", "rename", &[("Customer", &["Jones", "Jones (2)"])])
}

async fn a_person_bypasses_with_a_reason() -> Case {
    let case = case(name_in_use().await, "Customer/1", "", &[("Customer", &["Jones"])]);
    let action = Action::Bypass { reason: "it is there".to_owned(), reference: None };
    Case { action, ends: Status::Bypassed, ..case }
}

/// An office where the customer that is to be changed is gone, and the ListID of another.
async fn gone() -> (Office, String) {
    let mut office = office().await;
    let other = customer_by_hand(&mut office, "Smith");
    office.push("Customer/1", jones("1")).await;
    office.poll(&[]);
    let (id, _) = office.object("Customer", "Jones");
    office.person(&format!(
        "<ListDelRq requestID=\"1\"><ListDelType>Customer</ListDelType><ListID>{id}</ListID></ListDelRq>"
    ));
    office.push("Customer/1", jones("2")).await;
    office.poll(&[]);
    says(&office.record("Customer/1").await, Code::ObjectNotFound);
    (office, other)
}

async fn a_change_goes_to_what_is_linked() -> Case {
    let (office, other) = gone().await;
    let case = case(office, "Customer/1", "link", &[("Customer", &["Jones"])]);
    let pressed = Pressed { id: "link".to_owned(), object: Some(other), ..Pressed::default() };
    Case { action: Action::Fix(pressed), ..case }
}

async fn a_change_goes_to_what_a_person_links() -> Case {
    let (office, other) = gone().await;
    // What it has here goes there, its name too.
    let case = case(office, "Customer/1", "", &[("Customer", &["Jones"])]);
    Case { action: Action::Link { id: other }, ..case }
}

async fn a_date_in_a_closed_period_is_moved() -> Case {
    let mut office = office().await;
    office.connector.quickbooks().set("ClosingDate", "2026-02-28").unwrap();
    with_customer(&mut office).await;
    office.poll(&[]);
    let mut old = invoice("Customer/1", "1001");
    old["TxnDate"] = json!("2026-02-15");
    says(&office.push("Invoice/1", old).await, Code::ClosedPeriod);
    case(office, "Invoice/1", "move-date", &[("Invoice", &["1001"])])
}

async fn an_inactive_item_is_made_active() -> Case {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    office.change("ItemService", "Labor", "<IsActive>false</IsActive>");
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    says(&office.record("Invoice/1").await, Code::InactiveReference);
    case(office, "Invoice/1", "reactivate", &[("Invoice", &["1001"]), ("ItemService", &["Labor"])])
}

async fn a_version_that_is_old_again_is_fetched_again() -> Case {
    let mut office = office().await;
    office.push("Customer/1", jones("1")).await;
    office.poll(&[]);
    office.change("Customer", "Jones", "<Fax>3</Fax>");
    office.push("Customer/1", jones("2")).await;
    // The change, and the question for the newest version; somebody edits it before the next one.
    office.poll(&["stop-before:3"]);
    office.change("Customer", "Jones", "<Fax>4</Fax>");
    office.hands.pass(1000);
    office.poll(&[]);
    let record = office.record("Customer/1").await;
    says(&record, Code::EditSequenceStale);
    assert_eq!(record.findings[0].cause, "stale_edit_sequence");
    case(office, "Customer/1", "refresh-edit-sequence", &[("Customer", &["Jones"])])
}

async fn a_colon_is_replaced() -> Case {
    let mut office = office().await;
    office.push("Customer/1", json!({"Name": "Smith: Site A"})).await;
    office.poll(&[]);
    says(&office.record("Customer/1").await, Code::InvalidCharacters);
    case(office, "Customer/1", "replace-characters", &[("Customer", &["Smith - Site A"])])
}

async fn what_was_deleted_is_made_anew() -> Case {
    let (office, _) = gone().await;
    case(office, "Customer/1", "reset-reference", &[("Customer", &["Smith", "Jones"])])
}

async fn a_person_has_it_made_anew() -> Case {
    let (office, _) = gone().await;
    let case = case(office, "Customer/1", "", &[("Customer", &["Smith", "Jones"])]);
    // Said again when it is there, it is a decision of its own: QuickBooks is asked, and has it.
    Case { action: Action::ResetReference, ends: Status::Failed, ..case }
}

async fn what_is_not_there_is_sent_again() -> Case {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&["modal-dialog:1"]);
    assert_eq!(office.record("Invoice/1").await.status, Status::InDoubt);
    // Somebody makes another one, which may be it.
    office.person(
        "<InvoiceAddRq requestID=\"1\"><InvoiceAdd><CustomerRef><FullName>Jones</FullName>\
         </CustomerRef><TxnDate>2026-03-02</TxnDate><RefNumber>77</RefNumber><InvoiceLineAdd>\
         <ItemRef><FullName>Labor</FullName></ItemRef><Quantity>1</Quantity><Rate>7</Rate>\
         </InvoiceLineAdd></InvoiceAdd></InvoiceAddRq>",
    );
    office.press("Invoice/1", "ask-books").await;
    office.poll(&[]);
    says(&office.record("Invoice/1").await, Code::OutcomeUnknown);
    case(office, "Invoice/1", "send-again", &[("Invoice", &["77", "1001"])])
}

async fn a_number_that_is_used_is_sent_anyway() -> Case {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Invoice/2", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    let kept = office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    says(&kept, Code::DuplicateRefNumber);
    case(office, "Invoice/1", "send-anyway", &[("Invoice", &["1001", "1001"])])
}

async fn a_long_name_becomes_shorter() -> Case {
    let office = office().await;
    let long = "The very long name of a customer that nobody can shorten";
    says(&office.push("Customer/1", json!({ "Name": long })).await, Code::StringTooLong);
    case(
        office,
        "Customer/1",
        "shorten",
        &[("Customer", &["The very long name of a customer that"])],
    )
}

fn bill(number: &str) -> Value {
    json!({
        "VendorRef": {"FullName": "Paper Ltd"}, "RefNumber": number, "TxnDate": "2026-03-02",
        "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}],
    })
}

async fn a_number_that_is_used_becomes_another() -> Case {
    let mut office = office().await;
    office.push("Bill/2", bill("D-77")).await;
    office.poll(&[]);
    says(&office.push("Bill/1", bill("D-77")).await, Code::DuplicateRefNumber);
    case(office, "Bill/1", "suffix-number", &[("Bill", &["D-77", "D-77-2"])])
}

async fn what_was_made_by_mistake_is_taken_back() -> Case {
    let mut office = office().await;
    office.push("Bill/1", bill("D-77")).await;
    office.push("Bill/2", bill("D-78")).await;
    office.poll(&[]);
    synced(&office.record("Bill/1").await);
    let case = case(office, "Bill/1", "undo", &[("Bill", &["D-78"])]);
    Case { ends: Status::Withdrawn, ..case }
}

async fn what_quickbooks_could_not_do_is_tried_again() -> Case {
    let mut office = office().await;
    office.connector.quickbooks().set("feature:Bill", "broken").unwrap();
    office.push("Bill/1", bill("D-77")).await;
    for _ in 0..5 {
        office.poll(&[]);
        office.hands.pass(3600);
    }
    says(&office.record("Bill/1").await, Code::InternalError);
    office.connector.quickbooks().set("feature:Bill", "").unwrap();
    case(office, "Bill/1", "wait", &[("Bill", &["D-77"])])
}
