//! Whatever comes in is answered, and nothing panics.

use proptest::prelude::*;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::support::app::TestApp;

/// Any JSON, with names that mean something here more often than chance would have it.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("Name".to_owned()),
        Just("data".to_owned()),
        Just("kind".to_owned()),
        Just("sourceId".to_owned()),
        Just("source".to_owned()),
        Just("ListID".to_owned()),
        Just("InvoiceLine".to_owned()),
        Just("CustomerRef".to_owned()),
        Just("dependsOn".to_owned()),
        Just("#id".to_owned()),
        ".{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!("Customer/C-1")),
        ".{0,60}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn any_json_is_answered() {
    let app = TestApp::with_connection();
    let calls = [
        ("PUT", "/v1/connections/acme/records/Customer/C-1"),
        ("PUT", "/v1/connections/acme/records/Invoice/I-1"),
        ("POST", "/v1/connections/acme/records"),
        ("POST", "/v1/connections/acme/check"),
        ("POST", "/v1/connections/acme/requests"),
        ("POST", "/v1/connections/acme/records/Customer/C-1/actions/link"),
        ("POST", "/v1/connections/acme/records/actions/retry"),
        ("POST", "/v1/connections"),
        ("POST", "/v1/keys"),
    ];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(150));
    runner
        .run(&any_json(), |value| {
            for (method, path) in calls {
                let wrapped = if method == "PUT" { json!({"data": value}) } else { value.clone() };

                let answer = app.admin(method, path).json(&wrapped);

                let status = answer.status();
                prop_assert!(status < 500, "{method} {path} {wrapped}: {}", answer.text());
                if status >= 400 {
                    prop_assert!(answer.json()["code"].is_string());
                    prop_assert!(answer.header("x-request-id").is_some());
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_bytes_are_answered() {
    let app = TestApp::with_connection();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(150));
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\":,0-9a-z<>/&;\\n ]{0,80}".prop_map(String::into_bytes),
    ];
    runner
        .run(&bytes, |bytes| {
            for (method, path) in [
                ("PUT", "/v1/connections/acme/records/Customer/C-1"),
                ("POST", "/v1/connections/acme/records"),
                ("POST", "/v1/connections/acme/requests"),
            ] {
                let answer = app.admin(method, path).body(bytes.clone());

                prop_assert!(answer.status() < 500, "{method} {path}: {}", answer.text());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_path_and_query_is_answered() {
    let app = TestApp::with_connection();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let text = "([a-zA-Z0-9=&/.~_-]|%[0-9A-F]{2}){0,40}";
    runner
        .run(&(text, text), |(path, query)| {
            for start in
                ["/v1/connections/acme/", "/v1/connections/acme/records/Customer/", "/docs/"]
            {
                let answer = app.get(&format!("{start}{path}?{query}"));

                prop_assert!(answer.status() < 500, "{start}{path}?{query}: {}", answer.text());
                prop_assert!(answer.header("x-request-id").is_some());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_member_that_is_given_twice_is_refused_and_nothing_is_kept() {
    let app = TestApp::with_connection();
    let path = "/v1/connections/acme/records/Invoice/1";
    let lines = r#"{"data":{"InvoiceLine":{"Desc":"one"},"InvoiceLine":{"Desc":"two"}}}"#;
    let twice = app.admin("PUT", path).body(lines.as_bytes().to_vec());
    assert_eq!(twice.problem(422, "INVALID_REQUEST")["pointer"], "/data/InvoiceLine");
    app.get(path).problem(404, "NOT_FOUND");

    let row = r#"{"kind":"Customer","sourceId":"a","sourceId":"b","data":{"Name":"A"}}"#;
    let many = app.admin("POST", "/v1/connections/acme/records");
    let many = many.header("Content-Type", "application/x-ndjson").body(row.as_bytes().to_vec());
    let told = many.with(200).json();
    assert_eq!(told["error"]["pointer"], "/sourceId", "{told:#}");
    assert_eq!(told["status"], serde_json::Value::Null);
}

#[test]
fn a_path_that_is_not_encoded_names_nothing() {
    let app = TestApp::with_connection();
    for id in ["%zz", "%", "a%4"] {
        let path = format!("/v1/connections/acme/records/Customer/{id}");

        app.admin("GET", &path).send().problem(400, "INVALID_PARAMETER");
    }
}
