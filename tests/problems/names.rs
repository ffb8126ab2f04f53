//! Names that are in use.

use bookbridge::domain::record::OnDuplicate;
use bookbridge::engine::Action;
use serde_json::json;

use super::Run;
use super::office;
use super::office_with_mirror;
use super::synced;

const BY_HAND: &str = "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>Mike Smith</Name>\
    <BillAddress><Addr1>1 High Street</Addr1><City>Leeds</City></BillAddress></CustomerAdd>\
    </CustomerAddRq>";

pub(super) async fn a_job_of_the_same_name_is_linked(run: &Run) {
    let mut office = office().await;
    office.push("Customer/1", json!({"Name": "Jones"})).await;
    office.poll(&[]);
    office.person(
        "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>Site A</Name><ParentRef><FullName>Jones\
         </FullName></ParentRef></CustomerAdd></CustomerAddRq>",
    );
    let job = json!({"Name": "Site A", "ParentRef": {"source": "Customer/1"}});
    office.push("Customer/2", job.clone()).await;
    office.push_with("Customer/3", job, true, OnDuplicate::Link).await;
    office.act("Customer/3", Action::Bypass { reason: "later".to_owned(), reference: None }).await;
    office.poll(&[]);

    let record = run.tells(&office, "Customer/2").await;
    let candidate = &record.findings[0].candidates[0];
    assert_eq!((candidate.kind.as_str(), candidate.name.as_str()), ("Customer", "Jones:Site A"));
    assert_eq!(record.findings[0].facts["renamed"], "Site A (2)");
    run.press(&office, "Customer/2").await;
    office.poll(&[]);
    synced(&office.record("Customer/2").await);
    assert!(office.in_quickbooks("Customer").contains(&"Jones:Site A (2)".to_owned()));

    // Who said beforehand that it is the same is asked nothing.
    office.act("Customer/3", Action::Unbypass).await;
    office.poll(&[]);
    let linked = office.record("Customer/3").await;
    synced(&linked);
    assert_eq!(linked.reference.unwrap().id, office.object("Customer", "Jones:Site A").0);
    assert_eq!(office.in_quickbooks("Customer").len(), 3);
}

pub(super) async fn a_name_in_other_words_is_the_same(run: &Run) {
    let mut office = office_with_mirror().await;
    office.person(BY_HAND);
    office.hands.pass(3601);
    office.poll(&[]);

    for (path, name) in [("Customer/1", " mike  SMITH "), ("Customer/2", "Smith, Mike")] {
        office.push(path, json!({ "Name": name })).await;
        let kept = run.tells(&office, path).await;
        assert_eq!(kept.findings[0].candidates[0].hint.as_deref(), Some("1 High Street, Leeds"));
    }

    run.press(&office, "Customer/1").await;
    synced(&office.record("Customer/1").await);
    office.poll(&[]);
    assert_eq!(office.in_quickbooks("Customer"), ["Mike Smith"]);
}

pub(super) async fn a_name_that_would_merge_is_told(run: &Run) {
    let mut office = office().await;
    office.person(BY_HAND);
    office.push("Customer/1", json!({"Name": "Mike Smith 2"})).await;
    office.poll(&[]);

    office.push("Customer/1", json!({"Name": "Mike Smith"})).await;
    office.poll(&[]);

    run.tells(&office, "Customer/1").await;
    run.press(&office, "Customer/1").await;
    office.poll(&[]);
    synced(&office.record("Customer/1").await);
    assert_eq!(office.in_quickbooks("Customer").len(), 2);
}
