//! Numbers of documents: QuickBooks takes one twice without a word, so it is asked before.

use bookbridge::domain::connection::DuplicateNumbers;
use bookbridge::domain::message_set::Purpose;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::NewConnection;
use serde_json::Value;
use serde_json::json;

use super::bench::Bench;
use super::bench::asks_number;
use super::bench::told;
use crate::support::office::Office;

/// An office with a customer, two vendors, and something to buy and sell.
async fn office(duplicate_numbers: DuplicateNumbers) -> Office {
    furnished(with(duplicate_numbers, true)).await
}

async fn furnished(new: NewConnection) -> Office {
    let mut office = Office::with(new).await;
    office.sells_labor();
    office.knows("Customer", "Jones");
    for name in ["Paper Ltd", "Ink Ltd"] {
        office.knows("Vendor", name);
    }
    office
}

async fn plain() -> Office {
    office(DuplicateNumbers::Fail).await
}

const KINDS: [&str; 9] = [
    "Invoice",
    "SalesReceipt",
    "CreditMemo",
    "Estimate",
    "SalesOrder",
    "PurchaseOrder",
    "Bill",
    "ItemReceipt",
    "VendorCredit",
];

fn of_vendor(kind: &str) -> bool {
    matches!(kind, "PurchaseOrder" | "Bill" | "ItemReceipt" | "VendorCredit")
}

/// A document of a kind, as an application has it.
fn document(kind: &str, number: &str, quantity: &str) -> Value {
    let party = if of_vendor(kind) { "VendorRef" } else { "CustomerRef" };
    let name = if of_vendor(kind) { "Paper Ltd" } else { "Jones" };
    let expense = matches!(kind, "Bill" | "ItemReceipt" | "VendorCredit");
    let mut data = json!({
        party: {"FullName": name}, "TxnDate": "2026-03-02", "RefNumber": number,
    });
    if expense {
        let line = json!({"AccountRef": {"FullName": "Office Supplies"}, "Amount": quantity});
        data["ExpenseLine"] = json!([line]);
    } else {
        let line = json!({"ItemRef": {"FullName": "Labor"}, "Quantity": quantity});
        data[format!("{kind}Line")] = json!([line]);
    }
    data
}

/// The same as a person types it.
fn typed(kind: &str, number: &str, name: &str) -> String {
    let party = if of_vendor(kind) { "VendorRef" } else { "CustomerRef" };
    let line = match kind {
        "Bill" | "ItemReceipt" | "VendorCredit" => {
            "<ExpenseLineAdd><AccountRef><FullName>Office Supplies</FullName></AccountRef>\
             <Amount>7.00</Amount></ExpenseLineAdd>"
                .to_owned()
        }
        _ => format!(
            "<{kind}LineAdd><ItemRef><FullName>Labor</FullName></ItemRef><Quantity>7</Quantity>\
             </{kind}LineAdd>"
        ),
    };
    format!(
        "<{kind}AddRq requestID=\"1\"><{kind}Add><{party}><FullName>{name}</FullName></{party}>\
         <TxnDate>2026-01-05</TxnDate><RefNumber>{number}</RefNumber>{line}</{kind}Add></{kind}AddRq>"
    )
}

fn bill(vendor: Value, number: &str, amount: &str) -> Value {
    let mut data = document("Bill", number, amount);
    data["VendorRef"] = vendor;
    data
}

#[track_caller]
fn is_used(record: &Record) {
    let shown = format!("{}: {} {:?}", record.key, record.status, record.findings);
    assert_eq!(record.status, Status::Failed, "{shown}");
    assert_eq!(record.findings[0].code, Code::DuplicateRefNumber, "{shown}");
}

#[track_caller]
fn is_synced(record: &Record) {
    let shown = format!("{}: {:?} {:?}", record.key, record.findings, record.timeline.last());
    assert_eq!(record.status, Status::Synced, "{shown}");
}

/// What the timeline says of numbers that were given.
fn notes_of_numbers(record: &Record) -> Vec<&str> {
    let notes = record.timeline.iter().map(|moment| moment.note.as_str());
    notes.filter(|note| note.starts_with("gets the number")).collect()
}

/// What each message set that carried a record was for.
async fn purposes(office: &Office, path: &str) -> Vec<Purpose> {
    let key = office.record(path).await.key;
    let attempts = office.engine.attempts(&key).await.unwrap();
    attempts.into_iter().map(|attempt| attempt.purpose).collect()
}

#[actix_web::test]
async fn a_number_typed_by_hand_is_found_without_a_mirror() {
    let mut office = plain().await;
    for kind in KINDS {
        let name = if of_vendor(kind) { "Paper Ltd" } else { "Jones" };
        office.person(&typed(kind, "D-7", name));
        let put = office.push(&format!("{kind}/1"), document(kind, "d-7", "2")).await;
        assert_eq!(put.status, Status::Queued, "{kind}");
        office.push(&format!("{kind}/2"), document(kind, "D-8", "3")).await;
    }

    office.poll(&[]);

    for kind in KINDS {
        let kept = office.record(&format!("{kind}/1")).await;
        is_used(&kept);
        assert_eq!(kept.findings[0].candidates.len(), 1, "{kind}");
        is_synced(&office.record(&format!("{kind}/2")).await);
        assert_eq!(office.in_quickbooks(kind), ["D-7", "D-8"], "{kind}");
    }
    assert_eq!(purposes(&office, "Bill/2").await, [Purpose::Number, Purpose::Add]);
}

#[actix_web::test]
async fn a_mirror_of_these_days_spares_the_question() {
    let mut office = office(DuplicateNumbers::Fail).await;
    for kind in KINDS {
        let name = if of_vendor(kind) { "Paper Ltd" } else { "Jones" };
        office.person(&typed(kind, "D-7", name));
    }
    office.poll(&[]);

    for kind in KINDS {
        is_used(&office.push(&format!("{kind}/1"), document(kind, "D-7", "2")).await);
        office.push(&format!("{kind}/2"), document(kind, "D-8", "3")).await;
    }
    office.poll(&[]);

    for kind in KINDS {
        assert_eq!(purposes(&office, &format!("{kind}/2")).await, [Purpose::Add], "{kind}");
    }
    office.hands.pass(7200);
    office.push("Invoice/3", document("Invoice", "D-9", "4")).await;
    office.poll(&[]);
    assert_eq!(purposes(&office, "Invoice/3").await, [Purpose::Number, Purpose::Add]);
}

#[actix_web::test]
async fn a_vendor_is_the_same_by_id_by_record_and_by_name() {
    let mut office = plain().await;
    let (id, _) = office.object("Vendor", "Paper Ltd");
    let (by_id, by_name) = (json!({"ListID": id}), json!({"FullName": "paper ltd"}));
    office.push("Vendor/1", json!({"Name": "Toner Ltd"})).await;

    office.push("Bill/1", bill(by_id.clone(), "A", "1")).await;
    office.push("Bill/2", bill(by_name.clone(), "A", "2")).await;
    office.push("Bill/3", bill(by_name, "B", "3")).await;
    office.push("Bill/4", bill(by_id, "B", "4")).await;
    office.push("Bill/5", bill(json!({"source": "Vendor/1"}), "C", "5")).await;
    office.push("Bill/6", bill(json!({"FullName": "Toner Ltd"}), "C", "6")).await;
    office.push("Bill/7", bill(json!({"FullName": "Ink Ltd"}), "A", "7")).await;
    for _ in 0..4 {
        office.poll(&[]);
        office.hands.pass(61);
    }

    for number in [1, 3, 5, 7] {
        is_synced(&office.record(&format!("Bill/{number}")).await);
    }
    for number in [2, 4, 6] {
        is_used(&office.record(&format!("Bill/{number}")).await);
    }
    let mut made = office.in_quickbooks("Bill");
    made.sort();
    assert_eq!(made, ["A", "A", "B", "C"]);
}

#[actix_web::test]
async fn of_another_vendor_the_number_is_another() {
    let mut office = plain().await;
    office.person(&typed("Bill", "A", "Ink Ltd"));
    let (id, _) = office.object("Vendor", "Paper Ltd");
    office.push("Bill/1", bill(json!({"ListID": id}), "A", "1")).await;
    office.push("Bill/2", bill(json!({"FullName": "Paper Ltd"}), "B", "1")).await;

    office.poll(&[]);

    is_synced(&office.record("Bill/1").await);
    is_synced(&office.record("Bill/2").await);
}

#[actix_web::test]
async fn who_keeps_no_mirror_is_asked_for_nothing() {
    let mut bench = Bench::new().await;
    let data = json!({
        "CustomerRef": {"ListID": "80-1"}, "RefNumber": "1", "InvoiceLine": {"Desc": "x"},
    });
    bench.put("Invoice/1", data).await;

    let sent = bench.session(Bench::agree).await;

    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].contains("<InvoiceAddRq"), "{sent:?}");
}

#[actix_web::test]
async fn the_questions_of_many_go_together_and_before_their_documents() {
    let bench = Bench::mirrored().await;
    for number in 1..=3 {
        bench.customer(&format!("Customer/{number}")).await;
        let data = json!({
            "CustomerRef": {"ListID": "80-1"}, "RefNumber": format!("{number}"),
            "InvoiceLine": {"Desc": "x"},
        });
        bench.put(&format!("Invoice/{number}"), data).await;
    }

    let asked = bench.open_as_it_comes().await;
    assert_eq!(asked.qbxml.matches("<InvoiceQueryRq").count(), 3, "{}", asked.qbxml);
    assert!(!asked.qbxml.contains("AddRq"));
    let used = "statusCode=\"0\"><InvoiceRet><TxnID>43-1</TxnID><CustomerRef><ListID>80-9</ListID>\
                </CustomerRef><TxnDate>2026-03-02</TxnDate><RefNumber>1</RefNumber></InvoiceRet>";
    bench.bring(&asked.ticket, &told(&asked.qbxml, &[used])).await;

    let sent = bench.send(&asked.ticket).await;
    assert_eq!(sent.matches("<CustomerAddRq").count(), 3, "{sent}");
    assert_eq!(sent.matches("<InvoiceAddRq").count(), 2, "{sent}");
    is_used(&bench.record("Invoice/1").await);
}

#[actix_web::test]
async fn a_question_whose_answer_is_lost_is_asked_again_a_few_times() {
    let mut bench = Bench::mirrored().await;
    let data = json!({
        "CustomerRef": {"ListID": "80-1"}, "RefNumber": "1", "InvoiceLine": {"Desc": "x"},
    });
    bench.put("Invoice/1", data).await;
    for _ in 0..3 {
        let asked = bench.open_as_it_comes().await;
        assert!(asked_for(&asked.qbxml), "{}", asked.qbxml);
        bench.engine.close_connection(&asked.ticket).await.unwrap();
        assert_eq!(bench.record("Invoice/1").await.status, Status::Queued);
        bench.hands.pass(1801);
    }

    let sent = bench.session(Bench::agree).await;

    assert!(sent[0].contains("<InvoiceAddRq"), "{sent:?}");
    is_synced(&bench.record("Invoice/1").await);
}

fn asked_for(qbxml: &str) -> bool {
    asks_number(qbxml) && qbxml.matches("QueryRq requestID").count() == 1
}

#[actix_web::test]
async fn the_answer_to_a_question_for_another_number_is_none() {
    let bench = Bench::mirrored().await;
    let data = |number: &str| {
        json!({
            "CustomerRef": {"ListID": "80-1"}, "RefNumber": number, "InvoiceLine": {"Desc": "x"},
        })
    };
    bench.put("Invoice/1", data("1")).await;
    let first = bench.open_as_it_comes().await;
    bench.engine.close_connection(&first.ticket).await.unwrap();
    bench.hands.pass(61);

    let second = bench.open_as_it_comes().await;
    assert_eq!(bench.bring(&second.ticket, &told(&first.qbxml, &[])).await, -1);

    // It was changed while it was asked for.
    bench.hands.pass(901);
    let third = bench.open_as_it_comes().await;
    bench.put("Invoice/1", data("2")).await;
    bench.bring(&third.ticket, &told(&third.qbxml, &[])).await;
    let fourth = bench.send(&third.ticket).await;
    assert!(asks_number(&fourth) && fourth.contains("<RefNumber>2<"), "{fourth}");
}

#[actix_web::test]
async fn what_is_taken_back_while_it_is_asked_for_is_not_made() {
    let bench = Bench::mirrored().await;
    let data = json!({
        "CustomerRef": {"ListID": "80-1"}, "RefNumber": "1", "InvoiceLine": {"Desc": "x"},
    });
    bench.put("Invoice/1", data).await;
    let asked = bench.open_as_it_comes().await;
    let taken = Action::Withdraw(bookbridge::domain::record::Wanted::Withdrawn);
    bench.engine.act(&bench.key("Invoice/1"), taken, &super::bench::actor()).await.unwrap();

    let percent = bench.bring(&asked.ticket, &told(&asked.qbxml, &[])).await;

    assert!(percent > 0);
    assert_eq!(bench.record("Invoice/1").await.status, Status::Withdrawn);
    assert!(!bench.send(&asked.ticket).await.contains("AddRq"));
}

#[actix_web::test]
async fn a_suffix_is_asked_for_too() {
    let mut office = office(DuplicateNumbers::Suffix).await;
    office.person(&typed("Invoice", "7", "Jones"));
    office.person(&typed("Invoice", "7-2", "Jones"));
    office.push("Invoice/1", document("Invoice", "7", "2")).await;

    office.poll(&[]);

    let record = office.record("Invoice/1").await;
    is_synced(&record);
    assert_eq!(
        notes_of_numbers(&record),
        ["gets the number 7-2: 7 is used already", "gets the number 7-3: 7-2 is used already",]
    );
    assert_eq!(office.in_quickbooks("Invoice"), ["7", "7-2", "7-3"]);
}

#[actix_web::test]
async fn who_wants_to_be_told_is_told() {
    let mut office = office(DuplicateNumbers::Warn).await;
    office.person(&typed("ItemReceipt", "7", "Paper Ltd"));
    office.push("ItemReceipt/1", document("ItemReceipt", "7", "2")).await;

    office.poll(&[]);

    let record = office.record("ItemReceipt/1").await;
    is_synced(&record);
    assert_eq!(record.findings[0].code, Code::DuplicateRefNumber);
    assert_eq!(office.in_quickbooks("ItemReceipt"), ["7", "7"]);
}

#[actix_web::test]
async fn a_number_that_is_free_again_goes_at_a_press() {
    let mut office = office(DuplicateNumbers::Fail).await;
    office.person(&typed("Bill", "7", "Paper Ltd"));
    office.poll(&[]);
    office.push("Bill/1", document("Bill", "7", "2")).await;
    office.poll(&[]);
    is_used(&office.record("Bill/1").await);
    office.delete("Bill", "7");

    office.act("Bill/1", Action::Retry).await;
    assert_eq!(office.record("Bill/1").await.status, Status::Queued);
    office.poll(&[]);

    is_synced(&office.record("Bill/1").await);
    assert_eq!(office.in_quickbooks("Bill"), ["7"]);
    // It is known as used from now on.
    is_used(&office.push("Bill/2", document("Bill", "7", "3")).await);
}

#[actix_web::test]
async fn a_number_that_another_record_had_is_free_once_that_one_is_deleted_by_hand() {
    let mut office = plain().await;
    office.push("Invoice/1", document("Invoice", "7", "2")).await;
    office.poll(&[]);
    is_used(&office.push("Invoice/2", document("Invoice", "7", "3")).await);
    office.delete("Invoice", "7");

    office.act("Invoice/2", Action::Retry).await;
    office.poll(&[]);

    is_synced(&office.record("Invoice/2").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["7"]);
}

#[actix_web::test]
async fn a_number_that_is_used_still_fails_at_every_press() {
    let mut office = office(DuplicateNumbers::Fail).await;
    office.person(&typed("Invoice", "7", "Jones"));
    office.poll(&[]);
    office.push("Invoice/1", document("Invoice", "7", "2")).await;
    office.poll(&[]);
    for press in 1..=2 {
        is_used(&office.record("Invoice/1").await);
        office.act("Invoice/1", Action::Retry).await;
        office.poll(&[]);
        assert_eq!(purposes(&office, "Invoice/1").await, vec![Purpose::Number; press]);
    }
    is_used(&office.record("Invoice/1").await);
    assert_eq!(office.in_quickbooks("Invoice"), ["7"]);
}

#[actix_web::test]
async fn a_number_that_waits_for_its_customer_is_asked_for_all_the_same() {
    let mut office = plain().await;
    let mut data = document("Invoice", "7", "2");
    data["CustomerRef"] = json!({"source": "Customer/1"});
    office.person(&typed("Invoice", "7", "Jones"));
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    office.push("Invoice/1", data).await;
    office.poll(&[]);
    is_used(&office.record("Invoice/1").await);
    office.delete("Invoice", "7");

    office.act("Invoice/1", Action::Retry).await;
    office.poll(&[]);

    is_synced(&office.record("Invoice/1").await);
}

#[actix_web::test]
async fn what_came_into_the_queue_before_a_document_of_the_same_number_is_waited_for() {
    let mut office = plain().await;
    let (id, _) = office.object("Vendor", "Paper Ltd");
    let mut first = bill(json!({"ListID": id}), "A", "1");
    first["Memo"] = json!("first");
    // It waits for another record, and the second is asked for meanwhile.
    first["ExpenseLine"][0]["CustomerRef"] = json!({"source": "Customer/1"});
    office.push("Bill/1", first).await;
    office.push("Bill/2", bill(json!({"FullName": "Paper Ltd"}), "A", "2")).await;
    assert_eq!(office.record("Bill/1").await.status, Status::Blocked);
    // The answer to the question for the second is the last thing that comes.
    office.poll(&["lose-progress:1"]);
    assert_eq!(office.record("Bill/2").await.status, Status::Queued);
    assert_eq!(purposes(&office, "Bill/2").await, [Purpose::Number]);
    office.push("Customer/1", json!({"Name": "Smith"})).await;
    for _ in 0..4 {
        office.hands.pass(1801);
        office.poll(&[]);
    }

    assert_eq!(office.in_quickbooks("Bill"), ["A"]);
    let (one, other) = (office.record("Bill/1").await, office.record("Bill/2").await);
    assert!([one.status, other.status].contains(&Status::Failed), "{one:?} {other:?}");
    assert!([one.status, other.status].contains(&Status::Synced), "{one:?} {other:?}");
}

/// An office in which two documents of a kind stand: `1` with the number 1001, `3` with 1003.
async fn two_of(kind: &str, new: NewConnection) -> Office {
    let mut office = furnished(new).await;
    office.push(&format!("{kind}/1"), document(kind, "1001", "2")).await;
    office.push(&format!("{kind}/3"), document(kind, "1003", "3")).await;
    office.poll(&[]);
    assert_eq!(office.in_quickbooks(kind), ["1001", "1003"]);
    office
}

fn with(duplicate_numbers: DuplicateNumbers, mirror: bool) -> NewConnection {
    let name = "Acme".to_owned();
    NewConnection { name, duplicate_numbers, mirror, ..NewConnection::default() }
}

#[actix_web::test]
async fn a_changed_number_that_another_document_has_is_kept_back() {
    for (mirror, kind) in [(true, "Invoice"), (false, "Invoice"), (true, "Bill"), (false, "Bill")] {
        let mut office = two_of(kind, with(DuplicateNumbers::Fail, mirror)).await;
        let third = format!("{kind}/3");

        let put = office.push(&third, document(kind, "1001", "3")).await;

        is_used(&put);
        assert_eq!(put.findings[0].cause, "changed");
        office.poll(&[]);
        assert_eq!(office.in_quickbooks(kind), ["1001", "1003"], "{mirror}");
        // It goes with a number of its own, or where a person wants it.
        office.push(&third, document(kind, "1004", "3")).await;
        office.poll(&[]);
        is_synced(&office.record(&third).await);
        office.push(&third, document(kind, "1001", "3")).await;
        office.press(&third, "send-anyway").await;
        office.poll(&[]);
        assert_eq!(office.in_quickbooks(kind), ["1001", "1001"], "{mirror}");
    }
}

#[actix_web::test]
async fn a_bill_gets_the_number_of_another_vendors_bill() {
    let mut office = two_of("Bill", with(DuplicateNumbers::Fail, true)).await;
    office.person(&typed("Bill", "A", "Ink Ltd"));
    office.poll(&[]);

    office.push("Bill/3", document("Bill", "A", "3")).await;
    office.poll(&[]);

    is_synced(&office.record("Bill/3").await);
    assert_eq!(office.told("Bill", "A", "VendorRef/FullName"), "Paper Ltd");
}

#[actix_web::test]
async fn a_changed_number_that_is_used_gets_a_suffix_once_and_says_so() {
    for mirror in [true, false] {
        let mut office = two_of("Invoice", with(DuplicateNumbers::Suffix, mirror)).await;

        office.push("Invoice/3", document("Invoice", "1001", "3")).await;
        office.poll(&[]);

        let record = office.record("Invoice/3").await;
        is_synced(&record);
        assert!(record.findings.is_empty());
        assert_eq!(notes_of_numbers(&record), ["gets the number 1001-2: 1001 is used already"]);
        office.push("Invoice/3", document("Invoice", "1001", "4")).await;
        office.poll(&[]);
        is_synced(&office.record("Invoice/3").await);
        assert_eq!(office.in_quickbooks("Invoice"), ["1001", "1001-2"], "{mirror}");
    }
}

#[actix_web::test]
async fn of_a_changed_number_that_is_used_who_wants_to_be_told_is_told() {
    for mirror in [true, false] {
        let mut office = two_of("Invoice", with(DuplicateNumbers::Warn, mirror)).await;

        office.push("Invoice/3", document("Invoice", "1001", "3")).await;
        office.poll(&[]);

        let record = office.record("Invoice/3").await;
        is_synced(&record);
        assert_eq!(record.findings[0].code, Code::DuplicateRefNumber, "{mirror}");
        assert_eq!(office.in_quickbooks("Invoice"), ["1001", "1001"]);
    }
}

#[actix_web::test]
async fn an_old_duplicate_keeps_back_no_change_of_anything_else() {
    for policy in [DuplicateNumbers::Fail, DuplicateNumbers::Suffix] {
        for mirror in [true, false] {
            let mut office = two_of("Invoice", with(policy, mirror)).await;
            office.person(&typed("Invoice", "1003", "Jones"));
            if mirror {
                office.hands.pass(7200);
                office.poll(&[]);
            }

            office.push("Invoice/3", document("Invoice", "1003", "9")).await;
            office.poll(&[]);

            is_synced(&office.record("Invoice/3").await);
            let asked = purposes(&office, "Invoice/3").await;
            assert!(asked.ends_with(&[Purpose::Add, Purpose::Mod]), "{asked:?}");
            assert_eq!(office.in_quickbooks("Invoice"), ["1001", "1003", "1003"]);
            assert!(office.record("Invoice/3").await.amendments.is_empty());
        }
    }
}

#[actix_web::test]
async fn a_new_number_that_the_mirror_cannot_know_is_asked_for_before_the_change() {
    let mut office = two_of("Invoice", with(DuplicateNumbers::Fail, true)).await;
    office.hands.pass(7200);
    office.person(&typed("Invoice", "1007", "Jones"));
    office.push("Invoice/3", document("Invoice", "1007", "3")).await;
    office.push("Invoice/1", document("Invoice", "1008", "2")).await;

    office.poll(&[]);

    is_used(&office.record("Invoice/3").await);
    is_synced(&office.record("Invoice/1").await);
    let asked = purposes(&office, "Invoice/1").await;
    assert!(asked.ends_with(&[Purpose::Number, Purpose::Mod]), "{asked:?}");
    assert_eq!(office.in_quickbooks("Invoice"), ["1008", "1003", "1007"]);
}

#[actix_web::test]
async fn a_new_number_that_is_free_again_goes_at_a_press() {
    for mirror in [true, false] {
        let mut office = two_of("Invoice", with(DuplicateNumbers::Fail, mirror)).await;
        office.push("Invoice/3", document("Invoice", "1001", "3")).await;
        office.act("Invoice/3", Action::Retry).await;
        office.poll(&[]);
        is_used(&office.record("Invoice/3").await);
        office.delete("Invoice", "1001");

        office.act("Invoice/3", Action::Retry).await;
        office.poll(&[]);

        is_synced(&office.record("Invoice/3").await);
        assert_eq!(office.in_quickbooks("Invoice"), ["1001"], "{mirror}");
    }
}

#[actix_web::test]
async fn a_change_does_not_get_ahead_of_a_document_that_is_on_its_way() {
    let mut office = two_of("Invoice", with(DuplicateNumbers::Fail, false)).await;
    office.push("Invoice/4", document("Invoice", "1009", "4")).await;
    office.poll(&["lose-response:1"]);
    assert!(office.record("Invoice/4").await.status.is_out());

    is_used(&office.push("Invoice/1", document("Invoice", "1009", "2")).await);
}
