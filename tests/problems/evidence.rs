//! What is shown to who decides: what became of an object, both values of a conflict, and in one
//! sentence why not all is in QuickBooks.

use bookbridge::diagnosis;
use bookbridge::domain::ids::Revision;
use bookbridge::domain::mirror::Facts;
use bookbridge::domain::mirror::Mirrored;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Status;
use bookbridge::engine::Action;
use bookbridge::engine::HealthState;
use bookbridge::engine::Pressed;
use bookbridge::store::Change;
use bookbridge::store::Commit;
use serde_json::json;

use super::invoice;
use super::office;
use super::office_with_mirror;
use super::says;
use super::synced;
use super::with_customer;
use crate::support::office::Office;

fn customer_by_hand(office: &mut Office, name: &str) {
    office.person(&format!(
        "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>{name}</Name></CustomerAdd></CustomerAddRq>"
    ));
}

/// The sentence of a connection that works.
async fn health(office: &Office) -> String {
    let health = office.engine.health(&office.id).await.unwrap();
    assert_eq!(health.state, HealthState::Ok, "{}", health.summary);
    health.summary
}

#[actix_web::test]
async fn what_was_merged_shows_who_may_have_stayed_and_never_itself() {
    let mut office = office_with_mirror().await;
    customer_by_hand(&mut office, "Merge Two");
    customer_by_hand(&mut office, "Zeta Ltd");
    office.push("Customer/1", json!({"Name": "Merge One"})).await;
    for _ in 0..3 {
        office.hands.pass(4000);
        office.poll(&[]);
    }
    synced(&office.record("Customer/1").await);
    let (gone, before) = office.object("Customer", "Merge One");
    let (stayed, sequence) = office.object("Customer", "Zeta Ltd");
    office.person(&format!(
        "<ListMergeRq requestID=\"1\"><ListMergeType>Customer</ListMergeType><MergeFrom><ListID>\
         {gone}</ListID><EditSequence>{before}</EditSequence></MergeFrom><MergeTo><ListID>{stayed}\
         </ListID><EditSequence>{sequence}</EditSequence></MergeTo></ListMergeRq>"
    ));
    office.hands.pass(600);

    office.push("Customer/1", json!({"Name": "Merge One", "Phone": "5"})).await;
    office.poll(&[]);

    let record = office.record("Customer/1").await;
    let told = says(&record, Code::ObjectNotFound);
    assert!(told.starts_with("It was deleted in QuickBooks on 2026-03-0"), "{told}");
    assert!(told.ends_with(", or merged into another.") && told.len() < 70, "{told}");
    let names = record.findings[0].candidates.iter().map(|it| it.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["Zeta Ltd", "Merge Two"]);
    let known = office.engine.store().mirrored(&office.id, &gone).await.unwrap().unwrap();
    assert!(known.facts.gone.is_some());

    // Who names it by its old id reads the day, not the time that QuickBooks writes.
    let mut data = invoice("Customer/1", "1001");
    data["CustomerRef"] = json!({"ListID": gone});
    let told = says(&office.push("Invoice/1", data).await, Code::ReferenceNotFound);
    assert!(
        told.contains("“Merge One” was deleted or merged in QuickBooks on 2026-03-0"),
        "{told}"
    );
    assert_eq!(told.rsplit(' ').next().map(str::len), Some("2026-03-02.".len()), "{told}");

    let link =
        Pressed { id: "link".to_owned(), object: Some(stayed.clone()), ..Pressed::default() };
    office.press_as("Customer/1", link).await;
    office.poll(&[]);
    let linked = office.record("Customer/1").await;
    assert_eq!((linked.status, linked.reference.unwrap().id), (Status::Synced, stayed));
}

#[actix_web::test]
async fn what_is_gone_when_it_is_fetched_for_a_change_says_when_it_went() {
    let mut office = office().await;
    customer_by_hand(&mut office, "Jones");
    with_customer(&mut office).await;
    office.poll(&[]);
    office.press("Customer/1", "link").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    let (id, _) = office.object("Customer", "Jones");
    office.person(&format!(
        "<ListDelRq requestID=\"1\"><ListDelType>Customer</ListDelType><ListID>{id}</ListID></ListDelRq>"
    ));

    office.push("Customer/1", json!({"Name": "Jones", "Phone": "5"})).await;
    office.poll(&[]);

    let record = office.record("Customer/1").await;
    let told = says(&record, Code::ObjectNotFound);
    assert_eq!(told, "It was deleted in QuickBooks on 2026-03-02, or merged into another.");
    assert_eq!(record.findings[0].candidates, []);
    office.press("Customer/1", "reset-reference").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(office.in_quickbooks("Customer"), ["Jones"]);
}

#[actix_web::test]
async fn what_was_moved_names_both_customers_before_it_is_made_anew() {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.push("Customer/2", json!({"Name": "Brown"})).await;
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    office.poll(&[]);
    let elements = "<CustomerRef><FullName>Brown</FullName></CustomerRef>";
    office.change("Invoice", "1001", elements);

    office.act("Invoice/1", Action::ResetReference).await;
    office.poll(&[]);

    let record = office.record("Invoice/1").await;
    let told = says(&record, Code::PossibleDuplicate);
    assert!(
        told.starts_with("It is still in QuickBooks, but for Brown instead of Jones."),
        "{told}"
    );
    assert_eq!(record.findings[0].candidates[0].hint.as_deref(), Some("Brown"));
    assert_eq!(office.in_quickbooks("Invoice"), ["1001"]);
}

#[actix_web::test]
async fn all_fields_that_both_sides_changed_are_shown_with_both_values() {
    let mut office = office().await;
    office.push("Customer/1", json!({"Name": "Jones", "Phone": "1", "Fax": "1"})).await;
    office.poll(&[]);
    let elements = "<Phone>3</Phone><Fax>4</Fax>";
    office.change("Customer", "Jones", elements);

    office.push("Customer/1", json!({"Name": "Jones", "Phone": "2", "Fax": "2"})).await;
    office.poll(&[]);

    let record = office.record("Customer/1").await;
    let both = "Fax (“2” in your application, “4” in QuickBooks), Phone (“2” in your application, “3” \
                in QuickBooks).";
    let told = says(&record, Code::EditSequenceStale);
    assert_eq!(told, format!("These fields were changed in both: {both}"));
    let words = diagnosis::render(&record.findings[0]).user_facing_message;
    assert!(
        words.contains("phone number (your application says “2”, QuickBooks says “3”)"),
        "{words}"
    );
    let explained = format!("Customer/1 failed: these fields were changed in both: {both}");
    assert_eq!(health(&office).await, explained);
    office.press("Customer/1", "keep-theirs").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    let kept = ["Phone", "Fax"].map(|field| office.told("Customer", "Jones", field));
    assert_eq!(kept, ["3", "4"]);
}

#[actix_web::test]
async fn why_not_all_is_in_quickbooks_is_one_sentence_with_the_cause_first() {
    let mut office = office().await;
    office.poll(&[]);
    assert_eq!(health(&office).await, "Everything that can be sent is in QuickBooks.");
    customer_by_hand(&mut office, "Jones");
    office.push("Invoice/1", invoice("Customer/1", "1001")).await;
    let told = "Invoice/1 is not in QuickBooks yet: it waits for Customer/1, which was never sent to \
                Bookbridge.";
    assert_eq!(health(&office).await, told);
    office.push("Invoice/2", invoice("Customer/1", "1002")).await;
    assert_eq!(health(&office).await, told.replace('.', "; 1 more waits for another."));

    with_customer(&mut office).await;
    office.poll(&[]);
    let told = "2 records wait for Customer/1, which failed: the name “Jones” is in use in QuickBooks \
                already.";
    assert_eq!(health(&office).await, told);

    // What else there is comes after it.
    office.push("Customer/2", json!({"Name": "x".repeat(60)})).await;
    let held = json!({"Name": "Later"});
    office.push_with("Customer/3", held, false, OnDuplicate::Fail).await;
    let more = "; 1 more needs a person; 1 record is held until it is posted.";
    assert_eq!(health(&office).await, told.replace('.', more));
}

#[actix_web::test]
async fn many_that_wait_for_one_object_are_counted_with_it() {
    let mut office = office().await;
    with_customer(&mut office).await;
    office.poll(&[]);
    office.set_active("ItemService", "Labor", false);
    for number in 1..=3 {
        let data = invoice("Customer/1", &format!("100{number}"));
        office.push(&format!("Invoice/{number}"), data).await;
    }
    office.poll(&[]);

    let told = health(&office).await;

    assert!(
        told.starts_with("3 records wait for ") && told.ends_with("“Labor”, which is inactive.")
    );
}

#[actix_web::test]
async fn a_misspelt_name_is_found_among_a_thousand_that_begin_alike() {
    let office = office_with_mirror().await;
    let told = (0..1000).map(|number| {
        let facts = Facts {
            kind: "ItemService".to_owned(),
            name: format!("Item number {number}"),
            is_active: Some(true),
            ..Facts::default()
        };
        let (connection, id) = (office.id.clone(), format!("90-{number}"));
        Change::Mirror(Box::new(Mirrored { connection, id, revision: Revision::NEW, facts }))
    });
    let commit = Commit { guards: Vec::new(), changes: told.collect() };
    office.engine.store().commit(commit).await.unwrap();
    let mut data = invoice("Customer/1", "1001");
    data["InvoiceLine"][0]["ItemRef"]["FullName"] = json!("Item number 979x");

    let record = office.push("Invoice/1", data).await;

    let told = says(&record, Code::ReferenceNotFound);
    assert!(told.contains("there is “Item number 979”"), "{told}");
}
