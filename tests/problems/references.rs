//! What a record refers to: missing, inactive, of the wrong type, not there yet.

use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::BulkAction;
use bookbridge::engine::EngineError;
use bookbridge::engine::Pressed;
use bookbridge::store::RecordFilter;
use serde_json::json;

use super::Run;
use super::invoice;
use super::office;
use super::office_with_mirror;
use super::says;
use super::synced;
use super::with_customer;

pub(super) async fn an_account_of_the_wrong_type_is_named(run: &Run) {
    let mut office = office_with_mirror().await;
    let bill = |account: &str| {
        json!({
            "VendorRef": {"FullName": "Paper Ltd"}, "APAccountRef": {"FullName": account},
            "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}],
        })
    };

    office.push("Bill/1", bill("Checking")).await;

    run.tells(&office, "Bill/1").await;
    // QuickBooks says the same, to who insists.
    office.act("Bill/1", Action::Retry).await;
    office.poll(&[]);
    says(&office.record("Bill/1").await, Code::AccountMismatch);
    office.push("Bill/1", bill("Accounts Payable")).await;
    office.poll(&[]);
    synced(&office.record("Bill/1").await);
}

pub(super) async fn an_inactive_item_is_made_active_for_all_that_wait(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    office.set_active("ItemService", "Labor", false);
    for number in 1..=3 {
        office
            .push(&format!("Invoice/{number}"), invoice("Customer/1", &format!("100{number}")))
            .await;
    }
    office.poll(&[]);
    for number in 1..=3 {
        run.tells(&office, &format!("Invoice/{number}")).await;
    }
    let problems = office.engine.problems(&office.id, 9).await.unwrap();
    assert_eq!((problems.len(), problems[0].count), (1, 3));

    run.press(&office, "Invoice/1").await;
    office.poll(&[]);

    assert_eq!(office.told("ItemService", "Labor", "IsActive"), "true");
    for number in 1..=3 {
        synced(&office.record(&format!("Invoice/{number}")).await);
    }
    assert_eq!(office.in_quickbooks("Invoice").len(), 3);

    // For all of a problem at once, QuickBooks is asked once.
    office.set_active("ItemService", "Labor", false);
    for number in 4..=6 {
        office
            .push(&format!("Invoice/{number}"), invoice("Customer/1", &format!("100{number}")))
            .await;
    }
    office.poll(&[]);
    let problem = Some(office.engine.problems(&office.id, 9).await.unwrap()[0].id);
    let filter = RecordFilter { problem, ..RecordFilter::default() };
    let fix = BulkAction::Fix(Pressed { id: "reactivate".to_owned(), ..Pressed::default() });
    let actor = super_actor();
    let pressed = office.engine.act_on_all(&office.id, &filter, fix, "", false, &actor).await;
    assert_eq!(pressed.unwrap(), 3);
    let counts = office.engine.store().counts(&office.id).await.unwrap();
    assert_eq!(counts.requests_queued, 1);
    office.poll(&[]);
    for number in 4..=6 {
        synced(&office.record(&format!("Invoice/{number}")).await);
    }
}

pub(super) async fn an_inactive_customer_is_made_active(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    office.set_active("Customer", "Jones", false);

    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);

    run.tells(&office, "Invoice/1").await;
    run.press(&office, "Invoice/1").await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
}

pub(super) async fn what_is_not_mapped_waits_and_says_for_what(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    let mut data = invoice("Customer/1", "1001");
    data["InvoiceLine"][0]["ItemRef"] = json!({"source": "ItemService/SKU-1"});

    office.push("Invoice/1", data).await;

    let waits = run.tells(&office, "Invoice/1").await;
    assert!(waits.blocked_by.iter().any(|it| it.path() == "ItemService/SKU-1"));
    let item = json!({"Name": "Sku one", "SalesOrPurchase": {"Price": "1.00",
        "AccountRef": {"FullName": "Services"}}});
    office.push("ItemService/SKU-1", item).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
}

pub(super) async fn two_records_cannot_share_one_object(run: &Run) {
    let mut office = office().await;
    with_customer(&mut office).await;
    let other = office.push("Customer/2", json!({"Name": "Brown"})).await;
    office.poll(&[]);
    let (id, _) = office.object("Customer", "Jones");

    let refused = office.engine.act(&other.key, Action::Link { id }, &super_actor()).await;

    assert!(matches!(&refused, Err(EngineError::NotNow(why)) if why.contains("Customer/1")));
    // Nor by the name: it stays until a person says what it is.
    office.push("Customer/3", json!({"Name": "JONES"})).await;
    office.poll(&[]);
    let kept = run.tells(&office, "Customer/3").await;
    let link = Pressed { id: "link".to_owned(), ..Pressed::default() };
    let refused = office.engine.act(&kept.key, Action::Fix(link), &super_actor()).await;
    assert!(matches!(&refused, Err(EngineError::NotNow(why)) if why.contains("Customer/1")));
    office.poll(&[]);
    run.tells(&office, "Customer/3").await;
    run.press(&office, "Customer/3").await;
    office.poll(&[]);
    synced(&office.record("Customer/3").await);
    assert_eq!(office.in_quickbooks("Customer"), ["Jones", "Brown", "JONES (2)"]);
}

fn super_actor() -> bookbridge::engine::Actor {
    bookbridge::engine::Actor("a test".to_owned())
}

pub(super) async fn a_misspelt_item_gets_the_nearest_name(run: &Run) {
    let mut office = office_with_mirror().await;
    office.person(
        "<ItemNonInventoryAddRq requestID=\"1\"><ItemNonInventoryAdd><Name>Hinge</Name>\
         <ManufacturerPartNumber>WX-100</ManufacturerPartNumber><SalesOrPurchase><AccountRef>\
         <FullName>Services</FullName></AccountRef></SalesOrPurchase></ItemNonInventoryAdd>\
         </ItemNonInventoryAddRq>",
    );
    office.hands.pass(3601);
    office.poll(&[]);
    with_customer(&mut office).await;
    let mut data = invoice("Customer/1", "1001");
    data["InvoiceLine"][0]["ItemRef"]["FullName"] = json!("wx-100");
    let told = says(&office.push("Invoice/2", data.clone()).await, Code::ReferenceNotFound);
    assert!(told.contains("“wx-100”") && told.contains("there is “Hinge”"), "{told}");
    data["InvoiceLine"][0]["ItemRef"]["FullName"] = json!("Labour");

    office.push("Invoice/1", data.clone()).await;

    let record = run.tells(&office, "Invoice/1").await;
    assert_eq!(record.findings[0].pointer, "/data/InvoiceLine/0/ItemRef");
    data["InvoiceLine"][0]["ItemRef"]["FullName"] = json!("Labor");
    office.push("Invoice/1", data).await;
    office.poll(&[]);
    synced(&office.record("Invoice/1").await);
}

pub(super) async fn a_missing_account_is_made(run: &Run) {
    let mut office = office().await;
    let item = json!({
        "Name": "Widget", "IncomeAccountRef": {"FullName": "Online Sales"},
        "COGSAccountRef": {"FullName": "Cost of Goods Sold"},
        "AssetAccountRef": {"FullName": "Inventory Asset"},
    });
    office.push("ItemInventory/1", item).await;
    office.poll(&[]);

    let record = run.tells(&office, "ItemInventory/1").await;
    let finding = &record.findings[0];
    assert_eq!(
        (finding.cause.as_str(), finding.pointer.as_str()),
        ("not_in_any_list", "/data/IncomeAccountRef")
    );
    run.press(&office, "ItemInventory/1").await;
    office.poll(&[]);

    synced(&office.record("ItemInventory/1").await);
    assert_eq!(office.told("Account", "Online Sales", "AccountType"), "Income");
}

pub(super) async fn a_missing_payable_account_is_named(run: &Run) {
    let mut office = office().await;
    office.set_active("Account", "Accounts Payable", false);
    office
        .push(
            "Bill/1",
            json!({
                "VendorRef": {"FullName": "Paper Ltd"},
                "ExpenseLine": [{"AccountRef": {"FullName": "Office Supplies"}, "Amount": "9.00"}],
            }),
        )
        .await;
    office.poll(&[]);

    run.tells(&office, "Bill/1").await;
    office.set_active("Account", "Accounts Payable", true);
    office.press("Bill/1", "retry").await;
    office.poll(&[]);
    synced(&office.record("Bill/1").await);
}

pub(super) async fn what_hangs_on_a_failed_record_goes_after_it(run: &Run) {
    let mut office = office().await;
    office.push("Customer/1", json!({"Name": "Smith: A"})).await;
    let waits = office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    assert_eq!(waits.status, Status::Blocked);
    office.poll(&[]);
    run.tells(&office, "Invoice/1").await;

    office.press("Customer/1", "replace-characters").await;
    office.poll(&[]);

    synced(&office.record("Invoice/1").await);
}
