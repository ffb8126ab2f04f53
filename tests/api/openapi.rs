//! The document that programs read.

use serde_json::Value;

/// Every call of the contract.
const CALLS: &[(&str, &str)] = &[
    ("post", "/v1/connections"),
    ("get", "/v1/connections"),
    ("get", "/v1/connections/{connection}"),
    ("patch", "/v1/connections/{connection}"),
    ("delete", "/v1/connections/{connection}"),
    ("post", "/v1/connections/{connection}/actions/{action}"),
    ("get", "/v1/connections/{connection}/health"),
    ("get", "/v1/connections/{connection}/qwc"),
    ("put", "/v1/connections/{connection}/records/{kind}/{sourceId}"),
    ("get", "/v1/connections/{connection}/records/{kind}/{sourceId}"),
    ("delete", "/v1/connections/{connection}/records/{kind}/{sourceId}"),
    ("get", "/v1/connections/{connection}/records/{kind}/{sourceId}/attempts"),
    ("post", "/v1/connections/{connection}/records/{kind}/{sourceId}/actions/{action}"),
    ("post", "/v1/connections/{connection}/records"),
    ("get", "/v1/connections/{connection}/records"),
    ("post", "/v1/connections/{connection}/records/actions/{action}"),
    ("get", "/v1/connections/{connection}/problems"),
    ("post", "/v1/connections/{connection}/check"),
    ("post", "/v1/connections/{connection}/requests"),
    ("get", "/v1/connections/{connection}/requests/{id}"),
    ("get", "/v1/connections/{connection}/sessions"),
    ("get", "/v1/connections/{connection}/activity"),
    ("get", "/v1/activity"),
    ("get", "/v1/schema"),
    ("get", "/v1/schema/{kind}"),
    ("get", "/v1/errors"),
    ("get", "/v1/errors/{code}"),
    ("get", "/openapi.json"),
    ("get", "/docs"),
    ("get", "/metrics"),
    ("get", "/healthz"),
    ("get", "/readyz"),
];

fn document() -> Value {
    serde_json::from_str(&bookbridge::api::openapi().unwrap()).unwrap()
}

#[test]
fn every_call_of_the_contract_is_described() {
    let document = document();

    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (method, path) in CALLS {
        let operation = &document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(operation["responses"]["default"].is_object(), "{method} {path}");
    }
}

#[test]
fn every_parameter_of_a_path_is_described_and_every_reference_leads_somewhere() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let named = |name: &str| {
                operation["parameters"].as_array().unwrap().iter().any(|one| one["name"] == name)
            };
            for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                assert!(named(name), "{method} {path}: {name}");
            }
        }
    }
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let found = document.pointer(to.trim_start_matches('#'));
                    assert!(found.is_some(), "{to}");
                }
                open.extend(members.values());
            }
            Value::Array(all) => open.extend(all),
            _ => {}
        }
    }
}

#[test]
fn names_of_operations_are_unique() {
    let document = document();
    let mut names: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let all = names.len();

    names.sort_unstable();
    names.dedup();

    assert_eq!(names.len(), all, "{names:?}");
}

#[test]
fn the_document_changes_only_on_purpose() {
    insta::assert_snapshot!(bookbridge::api::openapi().unwrap());
}
