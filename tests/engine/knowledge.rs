//! What is known of a company file before a record goes, and what becomes of it when that changes.

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::EngineError;
use bookbridge::engine::NewConnection;
use bookbridge::engine::Pressed;
use serde_json::Value;
use serde_json::json;

use super::bench::Bench;
use super::bench::actor;
use crate::support::office::Office;

const DAY: i64 = 24 * 3600;

/// An office with two vendors, a customer, and something to sell; its mirror was told all.
pub(super) async fn office_with_mirror() -> Office {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    furnish(&mut office);
    office.poll(&[]);
    office
}

fn furnish(office: &mut Office) {
    office.sells_labor();
    for (kind, name) in [("Customer", "Jones"), ("Vendor", "Paper Ltd"), ("Vendor", "Ink Ltd")] {
        office.knows(kind, name);
    }
}

pub(super) fn invoice(number: &str) -> Value {
    json!({
        "CustomerRef": {"FullName": "Jones"}, "TxnDate": "2026-03-02", "RefNumber": number,
        "InvoiceLine": [{"ItemRef": {"FullName": "Labor"}, "Quantity": "2", "Rate": "50.00"}],
    })
}

fn bill(vendor: &str, number: &str) -> Value {
    json!({
        "VendorRef": {"FullName": vendor}, "TxnDate": "2026-03-02", "RefNumber": number,
        "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "40.00"}],
    })
}

fn payment(applied: &[(&str, &str)]) -> Value {
    let rows = applied
        .iter()
        .map(|(invoice, amount)| json!({"TxnID": {"source": invoice}, "PaymentAmount": amount}));
    json!({
        "CustomerRef": {"FullName": "Jones"}, "TxnDate": "2026-03-02", "TotalAmount": "500.00",
        "AppliedToTxn": rows.collect::<Vec<_>>(),
    })
}

fn bill_payment(vendor: &str, bill: &str, amount: &str) -> Value {
    json!({
        "PayeeEntityRef": {"FullName": vendor}, "TxnDate": "2026-03-02", "IsToBePrinted": true,
        "BankAccountRef": {"FullName": "Checking"},
        "AppliedToTxn": [{"TxnID": {"source": bill}, "PaymentAmount": amount}],
    })
}

#[track_caller]
pub(super) fn synced(record: &Record) {
    let shown = format!("{}: {:?} {:?}", record.key, record.findings, record.timeline.last());
    assert_eq!(record.status, Status::Synced, "{shown}");
}

/// The record failed of this; in a sentence.
#[track_caller]
pub(super) fn failed(record: &Record, code: Code, cause: &str) -> String {
    let shown = format!("{}: {} {:?}", record.key, record.status, record.findings);
    assert_eq!(record.status, Status::Failed, "{shown}");
    let finding = &record.findings[0];
    assert_eq!((finding.code, finding.cause.as_str()), (code, cause), "{shown}");
    diagnosis::render(finding).detail
}

#[track_caller]
pub(super) fn offers(record: &Record, fix: &str) -> bool {
    let fixes = diagnosis::render(&record.findings[0]).fixes;
    assert!(!fixes.is_empty());
    fixes.iter().any(|it| it.id == fix)
}

#[actix_web::test]
async fn an_account_is_made_where_its_type_is_known_and_not_offered_elsewhere() {
    let mut office = office_with_mirror().await;
    let line = json!([{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}]);
    let on = |account: &str| {
        json!({
            "AccountRef": {"FullName": account}, "PayeeEntityRef": {"FullName": "Ink Ltd"},
            "TxnDate": "2026-03-02", "RefNumber": "1", "ExpenseLine": line,
        })
    };

    let check = office.push("Check/1", on("Petty Cash")).await;
    let charge = office.push("CreditCardCharge/1", on("Blue Card")).await;

    failed(&check, Code::ReferenceNotFound, "not_in_any_list");
    assert!(offers(&check, "create-missing") && !offers(&check, "make-in-quickbooks"));
    failed(&charge, Code::ReferenceNotFound, "not_in_any_list");
    assert!(!offers(&charge, "create-missing") && offers(&charge, "make-in-quickbooks"));
    let pressed = Pressed { id: "create-missing".to_owned(), ..Pressed::default() };
    let refused = office.engine.act(&charge.key, Action::Fix(pressed), &actor()).await;
    assert!(matches!(refused, Err(EngineError::NotNow(_))), "{refused:?}");
    office.press("Check/1", "create-missing").await;
    office.poll(&[]);
    assert_eq!(office.told("Account", "Petty Cash", "AccountType"), "Bank");
    synced(&office.record("Check/1").await);
}

#[actix_web::test]
async fn what_an_id_names_is_not_made_by_its_name() {
    let mut office = office_with_mirror().await;
    let id = office.delete("StandardTerms", "Net 60");
    let with = |name: &str, terms: Value| json!({"Name": name, "TermsRef": terms});
    office.push("Customer/1", with("One", json!({"ListID": id}))).await;
    office.push("Customer/2", with("Two", json!({"ListID": "99-1"}))).await;
    office.push("Customer/3", with("Three", json!({"FullName": "Net 77"}))).await;
    office.poll(&[]);
    office.hands.pass(2 * 3600);
    office.poll(&[]);
    // The mirror knows by now.
    office.push("Customer/4", with("Four", json!({"ListID": id}))).await;

    for (path, offered) in
        [("Customer/1", false), ("Customer/2", false), ("Customer/3", true), ("Customer/4", false)]
    {
        let record = office.record(path).await;
        assert_eq!(record.status, Status::Failed, "{path}");
        assert_eq!(record.findings[0].code, Code::ReferenceNotFound, "{path}");
        assert_eq!(offers(&record, "create-missing"), offered, "{path} {:?}", record.findings);
        assert_eq!(offers(&record, "make-in-quickbooks"), !offered, "{path}");
    }
}

#[actix_web::test]
async fn an_account_of_the_wrong_type_is_found_wherever_its_type_is_known() {
    let office = office_with_mirror().await;
    let check = |account: &str| {
        json!({
            "AccountRef": {"FullName": account}, "PayeeEntityRef": {"FullName": "Ink Ltd"},
            "ExpenseLine": [{"AccountRef": {"FullName": "Checking"}, "Amount": "9.00"}],
        })
    };
    let item = |income: &str, asset: &str| {
        json!({
            "Name": format!("W {asset}"),
            "IncomeAccountRef": {"FullName": income}, "AssetAccountRef": {"FullName": asset},
            "COGSAccountRef": {"FullName": "Cost of Goods Sold"},
        })
    };
    for (path, data, pointer) in [
        ("Check/1", check("Office Supplies"), "/data/AccountRef"),
        ("ItemInventory/1", item("Checking", "Inventory Asset"), "/data/IncomeAccountRef"),
        ("ItemInventory/2", item("Sales", "Furniture and Equipment"), "/data/AssetAccountRef"),
    ] {
        let record = office.push(path, data).await;

        failed(&record, Code::AccountMismatch, "");
        assert_eq!(record.findings[0].pointer, pointer, "{path}");
    }
    for (path, data) in
        [("Check/2", check("Checking")), ("ItemInventory/3", item("Sales", "Inventory Asset"))]
    {
        let record = office.push(path, data).await;
        assert_eq!(record.status, Status::Queued, "{path} {:?}", record.findings);
    }
}

#[actix_web::test]
async fn what_needs_a_feature_goes_by_itself_once_it_is_on() {
    let mut office = Office::open().await;
    furnish(&mut office);
    office
        .person("<ClassAddRq requestID=\"1\"><ClassAdd><Name>North</Name></ClassAdd></ClassAddRq>");
    office.connector.quickbooks().set("feature:Class", "off").unwrap();
    office.push("Invoice/1", invoice("1001")).await;
    office.push("Bill/1", bill("Ink Ltd", "B-1")).await;
    office.poll(&["feature-off:Bill"]);
    let mut with_class = invoice("1002");
    with_class["ClassRef"] = json!({"FullName": "North"});
    failed(
        &office.push("Invoice/2", with_class).await,
        Code::FeatureNotAvailable,
        "class_tracking",
    );
    failed(&office.record("Bill/1").await, Code::FeatureNotAvailable, "feature_not_enabled");

    // Nothing changed: nothing goes.
    office.push("Customer/1", json!({"Name": "Brown"})).await;
    office.poll(&[]);
    failed(&office.record("Invoice/2").await, Code::FeatureNotAvailable, "class_tracking");
    office.connector.quickbooks().set("feature:Class", "on").unwrap();
    office.connector.quickbooks().set("feature:Bill", "on").unwrap();
    office.push("Customer/2", json!({"Name": "Green"})).await;
    office.poll(&[]);

    synced(&office.record("Invoice/2").await);
    synced(&office.record("Bill/1").await);
    assert_eq!(office.in_quickbooks("Bill").len(), 1);
}

#[actix_web::test]
async fn what_is_refused_for_a_feature_goes_again_at_one_press() {
    let mut office = Office::open().await;
    furnish(&mut office);
    office.push("Bill/1", bill("Ink Ltd", "B-1")).await;
    office.poll(&["feature-off:Bill"]);
    let record = office.record("Bill/1").await;
    failed(&record, Code::FeatureNotAvailable, "feature_not_enabled");
    assert!(offers(&record, "retry"));
    office.connector.quickbooks().set("feature:Bill", "on").unwrap();

    office.press("Bill/1", "retry").await;
    office.poll(&[]);

    synced(&office.record("Bill/1").await);
}

#[actix_web::test]
async fn what_lacks_an_account_goes_by_itself_once_there_is_one() {
    let mut office = office_with_mirror().await;
    let set = |office: &mut Office, active: bool| {
        office.hands.pass(60);
        office.set_active("Account", "Accounts Payable", active);
    };
    set(&mut office, false);
    office.push("Bill/1", bill("Ink Ltd", "B-1")).await;
    office.poll(&[]);
    let record = office.record("Bill/1").await;
    assert_eq!((record.status, record.findings[0].code), (Status::Failed, Code::MissingAccount));

    set(&mut office, true);
    office.hands.pass(2 * 3600);
    office.poll(&[]);
    office.poll(&[]);

    synced(&office.record("Bill/1").await);
    assert_eq!(office.in_quickbooks("Bill").len(), 1);
}

#[actix_web::test]
async fn what_lacks_an_account_does_not_go_for_one_that_was_told_before() {
    let mut office = office_with_mirror().await;
    office.person(
        "<AccountAddRq requestID=\"1\"><AccountAdd><Name>More Payable</Name><AccountType>\
         AccountsPayable</AccountType></AccountAdd></AccountAddRq>",
    );
    office.hands.pass(3 * 3600);
    office.poll(&[]);
    office.hands.pass(3 * 3600);
    let mut data = bill("Ink Ltd", "B-1");
    data["APAccountRef"] = json!({"FullName": "No Payable"});
    office.push("Bill/1", data).await;
    office.poll(&[]);
    let attempts = async |office: &Office| {
        let key = office.record("Bill/1").await.key;
        office.engine.attempts(&key).await.unwrap().len()
    };
    let record = office.record("Bill/1").await;
    assert_eq!((record.status, record.findings[0].code), (Status::Failed, Code::MissingAccount));
    let before = attempts(&office).await;

    for _ in 0..3 {
        office.hands.pass(3 * 3600);
        office.poll(&[]);
    }

    assert_eq!(attempts(&office).await, before);
}

#[actix_web::test]
async fn a_payment_of_more_than_is_due_is_found_while_the_mirror_is_new() {
    let mut office = office_with_mirror().await;
    office.push("Invoice/1", invoice("1001")).await;
    office.push("Bill/1", bill("Ink Ltd", "B-1")).await;
    office.poll(&[]);
    synced(&office.record("Bill/1").await);
    office.hands.pass(2 * 3600);
    office.poll(&[]);

    let twice = payment(&[("Invoice/1", "60.00"), ("Invoice/1", "40.01")]);
    let said =
        failed(&office.push("ReceivePayment/1", twice).await, Code::AlreadyPaid, "more_than_due");
    assert!(said.contains("100.01") && said.contains("100.00") && said.contains("1001"), "{said}");
    let too_much = bill_payment("Ink Ltd", "Bill/1", "40.50");
    let said = failed(
        &office.push("BillPaymentCheck/1", too_much).await,
        Code::AlreadyPaid,
        "more_than_due",
    );
    assert!(said.contains("40.50") && said.contains("40.00"), "{said}");
    let exact = payment(&[("Invoice/1", "60.00"), ("Invoice/1", "40.00")]);
    let exact = office.push("ReceivePayment/2", exact).await;
    assert_eq!(exact.status, Status::Queued, "{:?}", exact.findings);

    // What was told long ago is held against nobody.
    office.hands.pass(2 * 3600);
    let old = payment(&[("Invoice/1", "100.01")]);
    assert_eq!(office.push("ReceivePayment/3", old).await.status, Status::Queued);
}

#[actix_web::test]
async fn a_payment_of_another_vendors_bill_names_both() {
    let mut office = office_with_mirror().await;
    office.push("Bill/1", bill("Ink Ltd", "B-1")).await;
    office.poll(&[]);

    let known =
        office.push("BillPaymentCheck/1", bill_payment("Paper Ltd", "Bill/1", "40.00")).await;

    let said = failed(&known, Code::CustomerMismatch, "another_vendor");
    assert!(said.contains("Paper Ltd") && said.contains("Ink Ltd"), "{said}");
    // QuickBooks says only that it cannot be found; the answer to a question says why.
    office.press("BillPaymentCheck/1", "retry").await;
    office.poll(&[]);
    let told = failed(
        &office.record("BillPaymentCheck/1").await,
        Code::CustomerMismatch,
        "another_vendor",
    );
    assert!(told.contains("Paper Ltd") && told.contains("Ink Ltd"), "{told}");
    office.push("BillPaymentCheck/1", bill_payment("Ink Ltd", "Bill/1", "40.00")).await;
    office.poll(&[]);
    synced(&office.record("BillPaymentCheck/1").await);
}

#[actix_web::test]
async fn what_was_deleted_more_than_ninety_days_ago_is_known_to_be_gone() {
    let mut office = office_with_mirror().await;
    let by_name = |number: &str, vendor: &str| bill(vendor, number);
    assert_eq!(office.push("Bill/1", by_name("B-1", "Ink Ltd")).await.status, Status::Queued);
    office.poll(&[]);
    office.hands.pass(5 * DAY);
    office.delete("Vendor", "Paper Ltd");

    office.hands.pass(100 * DAY);
    office.poll(&[]);
    office.poll(&[]);

    failed(
        &office.push("Bill/2", by_name("B-2", "Paper Ltd")).await,
        Code::ReferenceNotFound,
        "not_in_any_list",
    );
    let there = office.push("Bill/3", by_name("B-3", "Ink Ltd")).await;
    assert_eq!(there.status, Status::Queued, "{:?}", there.findings);
    let name = office.push("Vendor/1", json!({"Name": "Paper Ltd"})).await;
    assert_eq!(name.status, Status::Queued, "{:?}", name.findings);
    let name = office.push("Vendor/2", json!({"Name": "Ink Ltd"})).await;
    failed(&name, Code::NameInUse, "name_in_use");
}

#[actix_web::test]
async fn a_link_that_nobody_could_check_says_so() {
    let bench = Bench::new().await;
    bench.customer("Customer/1").await;
    let key = bench.key("Customer/1");
    let link = Action::Link { id: "80-7".to_owned() };
    bench.engine.act(&key, link, &actor()).await.unwrap();
    for _ in 0..3 {
        let asked = bench.open().await;
        assert!(asked.qbxml.contains("<ListID>80-7</ListID>"), "{}", asked.qbxml);
        bench.hands.pass(3600);
    }
    let _ = bench.login().await;

    let record = bench.record("Customer/1").await;
    assert_eq!(record.status, Status::Synced);
    let said = diagnosis::render(&record.findings[0]);
    assert_eq!((said.code, said.cause.as_str()), (Code::OutcomeUnknown, "link_not_checked"));
    assert!(said.detail.contains("80-7") && !said.fixes.is_empty(), "{}", said.detail);
    // Linked again, it is asked for again.
    let press = Pressed { id: "link".to_owned(), ..Pressed::default() };
    bench.engine.act(&key, Action::Fix(press), &actor()).await.unwrap();
    assert!(bench.record("Customer/1").await.findings.is_empty());
    assert!(bench.open().await.qbxml.contains("<ListID>80-7</ListID>"));
}

/// An invoice whose date is in a closed period.
async fn with_a_closed_date() -> (Office, Value) {
    let mut office = office_with_mirror().await;
    office.connector.quickbooks().set("ClosingDate", "2026-02-28").unwrap();
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    office.poll(&[]);
    let old = json!({
        "CustomerRef": {"source": "Customer/1"}, "RefNumber": "7", "TxnDate": "2026-02-15",
        "InvoiceLine": {"ItemRef": {"FullName": "Labor"}, "Quantity": "1", "Rate": "5.00"},
    });
    let closed = office.push("Invoice/1", old.clone()).await;
    failed(&closed, Code::ClosedPeriod, "");
    (office, old)
}

#[actix_web::test]
async fn a_memo_about_a_moved_date_goes_with_that_date() {
    let (mut office, mut data) = with_a_closed_date().await;
    office.press("Invoice/1", "move-date").await;
    data["TxnDate"] = json!("2026-03-05");

    office.push("Invoice/1", data).await;
    office.poll(&[]);

    assert_eq!(office.record("Invoice/1").await.status, Status::Synced);
    assert_eq!(office.told("Invoice", "7", "TxnDate"), "2026-03-05");
    assert_eq!(office.told("Invoice", "7", "Memo"), "");
}

#[actix_web::test]
async fn a_date_that_is_none_is_not_taken() {
    let (office, _) = with_a_closed_date().await;
    let key = office.record("Invoice/1").await.key;
    let value = Some("30.11.2026".to_owned());
    let press = Pressed { id: "move-date".to_owned(), value, ..Pressed::default() };

    let refused = office.engine.act(&key, Action::Fix(press), &actor()).await.unwrap_err();

    assert!(matches!(refused, EngineError::BadInput { .. }), "{refused}");
}

#[actix_web::test]
async fn one_value_is_not_put_into_several_texts() {
    let office = office_with_mirror().await;
    let long = "x".repeat(60);
    let data = json!({"Name": "Smith", "FirstName": long, "LastName": long});
    let record = office.push("Customer/1", data).await;
    failed(&record, Code::StringTooLong, "");
    let value = Some("y".to_owned());
    let press = Pressed { id: "shorten".to_owned(), value, ..Pressed::default() };

    let refused = office.engine.act(&record.key, Action::Fix(press), &actor()).await.unwrap_err();

    assert!(refused.to_string().contains("several texts"), "{refused}");
    office.press("Customer/1", "shorten").await;
    assert_eq!(office.record("Customer/1").await.status, Status::Queued);
}

#[actix_web::test]
async fn a_link_says_whose_the_document_is() {
    let mut office = office_with_mirror().await;
    office.person(
        "<InvoiceAddRq requestID=\"1\"><InvoiceAdd><CustomerRef><FullName>Jones</FullName>\
         </CustomerRef><TxnDate>2026-03-02</TxnDate><RefNumber>7</RefNumber><InvoiceLineAdd><ItemRef>\
         <FullName>Labor</FullName></ItemRef><Quantity>1</Quantity><Rate>5.00</Rate></InvoiceLineAdd>\
         </InvoiceAdd></InvoiceAddRq>",
    );
    office.hands.pass(2 * 3600);
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    office.poll(&[]);
    let ours = json!({
        "CustomerRef": {"source": "Customer/1"}, "RefNumber": "7",
        "InvoiceLine": {"ItemRef": {"FullName": "Labor"}, "Quantity": "1", "Rate": "70.00"},
    });
    let record = office.push("Invoice/1", ours).await;
    failed(&record, Code::DuplicateRefNumber, "");
    let offered = diagnosis::render(&record.findings[0]).fixes;
    assert_eq!(offered.first().map(|fix| fix.id.as_str()), Some("suffix-number"));

    let link = Pressed { id: "link".to_owned(), ..Pressed::default() };
    let told = office.engine.preview(&record.key, &link).await.unwrap();

    assert!(told.contains("it is of 2026-03-02 for Jones over 5.00"), "{told}");
}

#[actix_web::test]
async fn what_has_no_name_is_not_renamed() {
    let of = Finding::new(Code::ReferenceNotFound).cause("name_wrong_type");
    let fixes = diagnosis::render(&of).fixes;
    assert!(fixes.iter().all(|fix| fix.id != "rename"), "{fixes:?}");
}

#[actix_web::test]
async fn an_empty_list_is_a_whole_one() {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    office.poll(&[]);

    let missing = office.push("Bill/1", bill("Paper Ltd", "B-1")).await;
    failed(&missing, Code::ReferenceNotFound, "not_in_any_list");
    let state = office.engine.store().state(&office.id).await.unwrap().unwrap();
    assert_eq!(state.mirror["Vendor"].since, None);

    // Two hours later there may be one, and the queue decides no more.
    office.hands.pass(2 * 3600);
    let queued = office.push("Bill/1", bill("Ink Ltd", "B-1")).await;
    assert_eq!(queued.status, Status::Queued, "{:?}", queued.findings);
}

#[actix_web::test]
async fn what_begins_anew_knows_no_empty_list() {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    office.poll(&[]);
    office.hands.pass(100 * DAY);
    // The connection begins the mirror anew, and its questions are lost.
    office.poll(&["lose-response:1"]);

    let state = office.engine.store().state(&office.id).await.unwrap().unwrap();
    assert_eq!(state.mirror_era, 1);
    assert!(state.mirror.values().all(|part| !part.was_told()), "{:?}", state.mirror);
}

#[actix_web::test]
async fn a_name_that_a_change_would_take_is_told_before_it_is_sent() {
    let mut office = office_with_mirror().await;
    for (path, name) in [("Customer/1", "Smith"), ("Customer/2", "Brown")] {
        office.push(path, json!({"Name": name})).await;
    }
    office.poll(&[]);
    synced(&office.record("Customer/1").await);

    let taken = office.push("Customer/1", json!({"Name": "JONES"})).await;
    let said = failed(&taken, Code::MergeRefused, "merge");
    assert!(said.contains("“JONES”") && offers(&taken, "rename"), "{said}");
    assert_eq!(taken.findings[0].candidates[0].name, "Jones");
    // A vendor is no customer: there is nothing to merge, and nothing to link to.
    let other = office.push("Customer/1", json!({"Name": "Paper Ltd"})).await;
    failed(&other, Code::NameInUse, "name_in_use");
    assert!(!offers(&other, "link"));
    office.press("Customer/1", "rename").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert!(office.in_quickbooks("Customer").contains(&"Paper Ltd (2)".to_owned()));

    // A name that another record is about to give up is free by then.
    office.push("Customer/2", json!({"Name": "Brown and Sons"})).await;
    let next = office.push("Customer/1", json!({"Name": "Brown"})).await;
    assert_eq!(next.status, Status::Queued, "{:?}", next.findings);
    office.poll(&[]);
    for path in ["Customer/1", "Customer/2"] {
        synced(&office.record(path).await);
    }
    assert_eq!(office.in_quickbooks("Customer").len(), 3);
}

#[actix_web::test]
async fn a_list_that_quickbooks_did_not_tell_is_not_taken_for_complete() {
    let mut office = office_with_mirror().await;
    office.knows("Vendor", "New Ltd");
    office.hands.pass(3700);
    office.poll(&["internal-error:Vendor"]);
    office.hands.pass(3700);

    let bill = office.push("Bill/1", bill("New Ltd", "7")).await;

    assert_eq!(bill.status, Status::Queued, "{:?}", bill.findings);
    office.poll(&[]);
    synced(&office.record("Bill/1").await);
}

#[actix_web::test]
async fn the_company_file_tells_what_is_off_and_what_it_takes_where_nothing_is_said() {
    let office = office_with_mirror().await;

    let host = office.engine.health(&office.id).await.unwrap().host.unwrap();

    assert!(host.defaults.contains_key("DaysBillsAreDue"), "{:?}", host.defaults);
    let of = |name: &str| host.features().into_iter().find(|(it, _)| *it == name).unwrap().1;
    assert_eq!((of("multi_currency"), of("class_tracking").is_some()), (Some(false), true));
}

/// Two invoices that fail because a person made what they sell inactive; then made it active again.
async fn office_that_sold_labor_meanwhile() -> Office {
    let mut office = office_with_mirror().await;
    office.set_active("ItemService", "Labor", false);
    office.hands.pass(3700);
    office.poll(&[]);
    for (path, number) in [("Invoice/1", "71"), ("Invoice/2", "72")] {
        failed(&office.push(path, invoice(number)).await, Code::InactiveReference, "");
    }
    office.hands.pass(60);
    office.set_active("ItemService", "Labor", true);
    office
}

#[actix_web::test]
async fn what_quickbooks_takes_again_frees_all_that_failed_for_it() {
    let mut office = office_that_sold_labor_meanwhile().await;

    office.act("Invoice/1", Action::Retry).await;
    office.poll(&[]);
    office.poll(&[]);

    synced(&office.record("Invoice/1").await);
    synced(&office.record("Invoice/2").await);
    // Nobody has to insist on the next one.
    assert_eq!(office.push("Invoice/3", invoice("73")).await.status, Status::Queued);
}

#[actix_web::test]
async fn what_is_active_again_frees_what_failed_for_it() {
    let mut office = office_that_sold_labor_meanwhile().await;
    office.hands.pass(3700);
    office.poll(&[]);
    office.poll(&[]);

    for path in ["Invoice/1", "Invoice/2"] {
        synced(&office.record(path).await);
    }
}

#[actix_web::test]
async fn what_a_person_makes_frees_what_failed_for_want_of_it() {
    let mut office = office_with_mirror().await;
    let missing = office.push("Bill/1", bill("New Ltd", "7")).await;
    failed(&missing, Code::ReferenceNotFound, "not_in_any_list");
    office.knows("Vendor", "New Ltd");
    office.hands.pass(3700);
    office.poll(&[]);
    office.poll(&[]);

    synced(&office.record("Bill/1").await);
}
