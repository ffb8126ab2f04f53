//! Fixes pressed against the simulated QuickBooks, beyond what the table of problems shows.

use bookbridge::domain::connection::DuplicateNumbers;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::Actor;
use bookbridge::engine::BulkAction;
use bookbridge::engine::EngineError;
use bookbridge::engine::NewConnection;
use bookbridge::engine::Pressed;
use bookbridge::store::RecordFilter;
use serde_json::json;

use crate::support::office::Office;

fn bill(number: &str) -> serde_json::Value {
    json!({
        "VendorRef": {"source": "Vendor/1"}, "RefNumber": number, "TxnDate": "2026-03-02",
        "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}],
    })
}

async fn with_policy(duplicate_numbers: DuplicateNumbers) -> Office {
    let new =
        NewConnection { name: "Acme".to_owned(), duplicate_numbers, ..NewConnection::default() };
    let office = Office::with(new).await;
    office.push("Vendor/1", json!({"Name": "Paper Ltd"})).await;
    office
}

fn pressed(id: &str) -> Pressed {
    Pressed { id: id.to_owned(), ..Pressed::default() }
}

fn actor() -> Actor {
    Actor("a test".to_owned())
}

#[actix_web::test]
async fn a_connection_may_give_another_number_by_itself() {
    let mut office = with_policy(DuplicateNumbers::Suffix).await;
    for id in 1..=3 {
        office.push(&format!("Bill/{id}"), bill("D-1")).await;
    }

    office.poll(&[]);

    assert_eq!(office.in_quickbooks("Bill"), ["D-1", "D-1-2", "D-1-3"]);
    assert_eq!(office.record("Bill/3").await.data["RefNumber"], "D-1");
}

#[actix_web::test]
async fn a_connection_may_only_want_to_be_told_of_a_number_that_is_used() {
    let mut office = with_policy(DuplicateNumbers::Warn).await;
    office.push("Bill/1", bill("D-1")).await;
    office.push("Bill/2", bill("D-1")).await;

    office.poll(&[]);

    assert_eq!(office.in_quickbooks("Bill"), ["D-1", "D-1"]);
    let told = office.record("Bill/2").await;
    assert_eq!((told.status, told.findings[0].code), (Status::Synced, Code::DuplicateRefNumber));
    assert!(office.record("Bill/1").await.findings.is_empty());
}

#[actix_web::test]
async fn what_both_sides_changed_waits_for_a_choice() {
    let mut office = Office::open().await;
    let put = async |office: &Office, phone: &str, fax: &str| {
        for id in 1..=2 {
            let data = json!({"Name": format!("C{id}"), "Phone": phone, "Fax": fax});
            office.push(&format!("Customer/{id}"), data).await;
        }
    };
    put(&office, "1", "1").await;
    office.poll(&[]);
    for name in ["C1", "C2"] {
        let (id, sequence) = office.object("Customer", name);
        office.person(&format!(
            "<CustomerModRq requestID=\"1\"><CustomerMod><ListID>{id}</ListID><EditSequence>\
             {sequence}</EditSequence><Phone>3</Phone></CustomerMod></CustomerModRq>"
        ));
    }

    put(&office, "2", "2").await;
    office.poll(&[]);

    for id in 1..=2 {
        let record = office.record(&format!("Customer/{id}")).await;
        assert_eq!(record.status, Status::Failed, "{:?}", record.findings);
        let finding = &record.findings[0];
        assert_eq!(
            (finding.code, finding.cause.as_str()),
            (Code::EditSequenceStale, "changed_in_both")
        );
        assert_eq!((finding.facts["value"].as_str(), finding.facts["other"].as_str()), ("2", "3"));
    }
    let key = office.record("Customer/1").await.key;
    for (id, would) in [
        ("keep-ours", "In QuickBooks Phone: “3” becomes “2”"),
        ("keep-theirs", "Phone: “2” becomes “3”"),
        ("retry", "It is sent again at the next session, as it is."),
        (
            "bypass",
            "It is marked as done in QuickBooks; nothing is sent, and it can be taken back.",
        ),
    ] {
        assert_eq!(office.engine.preview(&key, &pressed(id)).await.unwrap(), would);
    }
    office.press("Customer/1", "keep-ours").await;
    office.press("Customer/2", "keep-theirs").await;
    office.poll(&[]);
    assert_eq!(office.told("Customer", "C1", "Phone"), "2");
    assert_eq!(office.told("Customer", "C2", "Phone"), "3");
    for (path, name) in [("Customer/1", "C1"), ("Customer/2", "C2")] {
        assert_eq!(office.told("Customer", name, "Fax"), "2");
        assert_eq!(office.record(path).await.status, Status::Synced);
    }
}

#[actix_web::test]
async fn what_one_side_changed_needs_nobody() {
    let mut office = Office::open().await;
    office.push("Customer/1", json!({"Name": "C1", "Phone": "1"})).await;
    office.poll(&[]);
    let (id, sequence) = office.object("Customer", "C1");
    office.person(&format!(
        "<CustomerModRq requestID=\"1\"><CustomerMod><ListID>{id}</ListID><EditSequence>{sequence}\
         </EditSequence><Fax>9</Fax></CustomerMod></CustomerModRq>"
    ));

    office.push("Customer/1", json!({"Name": "C1", "Phone": "2"})).await;
    office.poll(&[]);

    assert_eq!(office.record("Customer/1").await.status, Status::Synced);
    assert_eq!(office.told("Customer", "C1", "Phone"), "2");
    assert_eq!(office.told("Customer", "C1", "Fax"), "9");
}

#[actix_web::test]
async fn what_was_made_by_mistake_is_taken_back_unless_somebody_edited_it() {
    let mut office = with_policy(DuplicateNumbers::Fail).await;
    office.push("Bill/1", bill("1")).await;
    office.push("Bill/2", bill("2")).await;
    office.poll(&[]);
    let (id, sequence) = office.object("Bill", "2");
    office.person(&format!(
        "<BillModRq requestID=\"1\"><BillMod><TxnID>{id}</TxnID><EditSequence>{sequence}\
         </EditSequence><Memo>checked</Memo></BillMod></BillModRq>"
    ));

    for path in ["Bill/1", "Bill/2", "Bill/1"] {
        office.press(path, "undo").await;
    }
    office.poll(&[]);

    assert_eq!(office.record("Bill/1").await.status, Status::Withdrawn);
    let kept = office.record("Bill/2").await;
    assert_eq!(kept.status, Status::Synced);
    assert_eq!(kept.findings[0].cause, "edited_since");
    assert_eq!(office.in_quickbooks("Bill"), ["2"]);
}

#[actix_web::test]
async fn what_a_person_made_is_not_undone_though_it_is_linked_and_was_changed() {
    let mut office = Office::open().await;
    office.person(
        "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>Jones</Name></CustomerAdd></CustomerAddRq>",
    );
    let (id, _) = office.object("Customer", "Jones");
    office.push("Customer/1", json!({"Name": "Jones"})).await;
    office.act("Customer/1", Action::Link { id }).await;
    office.poll(&[]);
    office.push("Customer/1", json!({"Name": "Jones", "Phone": "1"})).await;
    office.poll(&[]);
    let linked = office.record("Customer/1").await;
    assert!(linked.reference.is_some_and(|reference| reference.edit_sequence.is_some()));

    let refused = office.engine.preview(&linked.key, &pressed("undo")).await;

    assert!(matches!(refused, Err(EngineError::NotNow(_))), "{refused:?}");
}

#[actix_web::test]
async fn a_fix_shows_first_what_it_would_do() {
    let office = Office::open().await;
    let long = "A name of a customer that is longer than QuickBooks takes";
    let record = office.push("Customer/1", json!({ "Name": long })).await;

    let told = office.engine.preview(&record.key, &pressed("shorten")).await.unwrap();

    assert!(told.contains(long) && told.contains("becomes"), "{told}");
    assert_eq!(office.record("Customer/1").await, record);
    let refused = office.engine.preview(&record.key, &pressed("reactivate")).await;
    assert!(matches!(refused, Err(EngineError::NotNow(_))), "{refused:?}");
}

#[actix_web::test]
async fn one_fix_for_all_is_counted_and_then_done_in_the_background() {
    let mut office = Office::open().await;
    for id in 0..30 {
        office.push(&format!("Customer/{id}"), json!({"Name": format!("Site: {id}")})).await;
    }
    office.push("Customer/x", json!({"Name": ""})).await;
    office.poll(&[]);
    let (filter, all) = (RecordFilter::default(), BulkAction::Fix(pressed("replace-characters")));
    let engine = &office.engine;

    let counted = engine.act_on_all(&office.id, &filter, all.clone(), "", true, &actor()).await;
    assert_eq!(counted.unwrap(), 30);
    let begun = engine.begin_on_all(&office.id, &filter, all, String::new(), &actor()).await;
    let begun = begun.unwrap();
    assert_eq!((begun.total, begun.ended_at), (30, None));
    let task = loop {
        tokio::task::yield_now().await;
        let task = engine.task(&office.id, begun.id).unwrap();
        if task.ended_at.is_some() {
            break task;
        }
    };

    assert_eq!((task.done, task.looked_at, task.error), (30, 30, None));
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("Customer").len(), 30);
}

#[actix_web::test]
async fn the_mirror_is_told_in_pages_and_kept_fresh() {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    for number in 0..230 {
        office.person(&format!(
            "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>By hand {number}</Name>\
             </CustomerAdd></CustomerAddRq>"
        ));
    }
    office.poll(&[]);

    let size = office.engine.store().mirror_size(&office.id).await.unwrap();
    let books = office.connector.quickbooks().books();
    let lists = books.all().filter(|it| it.kind != "Template").count();
    assert_eq!(size, lists as u64);

    // What is deleted is not found by its name any more.
    let (id, _) = office.object("Customer", "By hand 7");
    office.person(&format!(
        "<ListDelRq requestID=\"1\"><ListDelType>Customer</ListDelType><ListID>{id}</ListID></ListDelRq>"
    ));
    office.hands.pass(3601);
    office.poll(&[]);
    office.push("Customer/7", json!({"Name": "By hand 7"})).await;
    office.push("Customer/8", json!({"Name": "By hand 8"})).await;
    assert_eq!(office.record("Customer/7").await.status, Status::Queued);
    assert_eq!(office.record("Customer/8").await.findings[0].code, Code::NameInUse);
}

#[actix_web::test]
async fn a_mirror_whose_session_breaks_off_is_told_from_the_beginning() {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    for number in 0..150 {
        office.person(&format!(
            "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>By hand {number}</Name>\
             </CustomerAdd></CustomerAddRq>"
        ));
    }
    office.poll(&["lose-response:16"]);
    office.hands.pass(1000);
    office.poll(&[]);

    let size = office.engine.store().mirror_size(&office.id).await.unwrap();
    let books = office.connector.quickbooks().books();
    assert_eq!(size, books.all().filter(|it| it.kind != "Template").count() as u64);
}

#[actix_web::test]
async fn what_is_off_in_the_company_file_is_not_sent() {
    let mut office = Office::open().await;
    office.connector.quickbooks().set("feature:Class", "off").unwrap();
    office.connector.quickbooks().set("feature:Estimate", "off").unwrap();
    office.push("Customer/1", json!({"Name": "Jones"})).await;
    office.poll(&[]);
    let lines = json!([{"Desc": "Work", "ClassRef": {"FullName": "North"}}]);
    let customer = json!({"source": "Customer/1"});

    let class = json!({"CustomerRef": customer, "InvoiceLine": lines});
    let class = office.push("Invoice/1", class).await;
    let estimate = json!({"CustomerRef": customer, "EstimateLine": [{"Desc": "Work"}]});
    let estimate = office.push("Estimate/1", estimate).await;

    let cause = |record: &bookbridge::domain::record::Record| {
        (record.findings[0].code, record.findings[0].cause.clone())
    };
    assert_eq!(cause(&class), (Code::FeatureNotAvailable, "class_tracking".to_owned()));
    assert_eq!(class.findings[0].pointer, "/data/InvoiceLine/0/ClassRef");
    assert_eq!(cause(&estimate), (Code::FeatureNotAvailable, "estimates".to_owned()));
}

#[actix_web::test]
async fn what_needs_inventory_sites_or_price_levels_is_not_sent_where_they_are_off() {
    let mut office = Office::open().await;
    for feature in ["ItemInventory", "InventorySite", "PriceLevel"] {
        office.connector.quickbooks().set(&format!("feature:{feature}"), "off").unwrap();
    }
    office.push("Customer/1", json!({"Name": "Jones"})).await;
    office.poll(&[]);
    let customer = json!({"source": "Customer/1"});
    let invoice = |member: &str, value: serde_json::Value| json!({"CustomerRef": customer, "InvoiceLine": [{"Desc": "Work", member: value}]});
    let order = json!({
        "VendorRef": {"FullName": "Ink Ltd"}, "PurchaseOrderLine": [{"Desc": "Paper"}],
    });

    for (path, data, cause, pointer) in [
        ("PurchaseOrder/1", order, "inventory", ""),
        ("InventorySite/1", json!({"Name": "North"}), "sites", ""),
        (
            "PriceLevel/1",
            json!({"Name": "Staff", "PriceLevelFixedPercentage": "5"}),
            "price_levels",
            "",
        ),
        (
            "Invoice/1",
            invoice("InventorySiteRef", json!({"FullName": "North"})),
            "sites",
            "/data/InvoiceLine/0/InventorySiteRef",
        ),
        (
            "Invoice/2",
            invoice("SerialNumber", json!("S1")),
            "serial_numbers",
            "/data/InvoiceLine/0/SerialNumber",
        ),
        (
            "Invoice/3",
            invoice("LotNumber", json!("L1")),
            "lot_numbers",
            "/data/InvoiceLine/0/LotNumber",
        ),
    ] {
        let record = office.push(path, data).await;
        let finding = record.findings.first().unwrap_or_else(|| panic!("{path} {}", record.status));
        assert_eq!(finding.code, Code::FeatureNotAvailable, "{path}: {finding:?}");
        assert_eq!((finding.cause.as_str(), finding.pointer.as_str()), (cause, pointer), "{path}");
        let words = bookbridge::diagnosis::render(finding);
        assert!(!words.detail.contains(['{', '}']), "{}", words.detail);
    }
}
