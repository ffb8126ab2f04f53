//! What may be pushed, and what can go wrong.

use serde_json::json;

use crate::support::app::TestApp;

#[test]
fn every_request_type_is_listed_and_every_kind_has_a_schema() {
    let app = TestApp::spawn();

    let list = app.get("/v1/schema").with(200).json();

    let all = list["data"].as_array().unwrap();
    assert_eq!(all.len(), 239);
    let kinds: Vec<_> = all.iter().filter_map(|one| one["kind"].as_str()).collect();
    assert!(kinds.contains(&"Customer") && kinds.contains(&"Invoice"), "{kinds:?}");
    for kind in ["Customer", "Invoice", "ItemService", "ReceivePayment"] {
        let schema = app.get(&format!("/v1/schema/{kind}")).with(200).json();
        assert_eq!(schema["type"], "object", "{kind}: {schema:#}");
        assert!(schema["$schema"].is_string());
    }
    let problem = app.get("/v1/schema/Custommer").problem(404, "NOT_FOUND");
    assert!(problem["detail"].as_str().unwrap().contains("Customer"));
}

#[test]
fn every_code_is_explained() {
    let app = TestApp::spawn();

    let list = app.get("/v1/errors").with(200).json();

    for entry in list["data"].as_array().unwrap() {
        let code = entry["code"].as_str().unwrap();
        assert_eq!(&app.get(&format!("/v1/errors/{code}")).with(200).json(), entry);
        for member in ["title", "explanation"] {
            assert!(entry[member].as_str().is_some_and(|text| text.len() > 5), "{entry}");
        }
        let page = app.call("GET", entry["page"].as_str().unwrap()).send().with(200);
        assert!(page.text().contains(code));
    }
    let problem = app.get("/v1/errors/NAME_IN_US").problem(404, "NOT_FOUND");
    assert!(problem["detail"].as_str().unwrap().contains("NAME_IN_USE"));
    assert_eq!(list["hasMore"], json!(false));
}
