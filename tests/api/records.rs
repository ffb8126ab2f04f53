//! Records: put, seen, withdrawn.

use serde_json::Value;
use serde_json::json;

use crate::support::app::TestApp;

const ANN: &str = "/v1/connections/acme/records/Customer/C-1";

fn record(kind: &str, source_id: &str) -> String {
    format!("/v1/connections/acme/records/{kind}/{source_id}")
}

#[test]
fn a_record_is_new_then_the_same_then_changed() {
    let app = TestApp::with_connection();

    let new = app.put(ANN, &json!({"data": {"Name": "Ann"}})).with(201).json();
    let same = app.put(ANN, &json!({"data": {"Name": "Ann"}})).with(200).json();
    let changed = app.put(ANN, &json!({"data": {"Name": "Bob"}})).with(200).json();

    assert_eq!(new, same);
    assert_eq!(changed["data"], json!({"Name": "Bob"}));
    assert_eq!(app.get(ANN).with(200).json(), changed);
    for (member, expected) in [
        ("kind", json!("Customer")),
        ("sourceId", json!("C-1")),
        ("status", json!("queued")),
        ("posted", json!(true)),
        ("priority", json!(0)),
        ("dependsOn", json!([])),
        ("onDuplicate", json!("fail")),
        ("reference", json!(null)),
        ("diagnosis", json!(null)),
        ("blockedBy", json!([])),
        ("attempts", json!(0)),
        ("syncedAt", json!(null)),
    ] {
        assert_eq!(new[member], expected, "{member}");
    }
    assert_eq!(new["timeline"][0]["status"], "queued");
    let created = new["createdAt"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.parse::<jiff::Timestamp>().is_ok(), "{created}");
}

#[test]
fn all_that_can_be_said_of_a_record_is_kept() {
    let app = TestApp::with_connection();
    let body = json!({"data": {"Name": "Ann"}, "posted": false, "priority": -7,
        "dependsOn": ["Vendor/V 1/x"], "onDuplicate": "link"});

    let kept = app.put(ANN, &body).with(201).json();

    assert_eq!(kept["status"], "held");
    for member in ["posted", "priority", "dependsOn", "onDuplicate"] {
        assert_eq!(kept[member], body[member], "{member}");
    }
}

#[test]
fn a_source_id_is_any_text() {
    let app = TestApp::with_connection();
    for (written, id) in [
        ("A%2F1", "A/1"),
        ("a%20b+c", "a b+c"),
        ("%2525%2B", "%25+"),
        ("%25zz", "%zz"),
        ("%C3%A4%E2%82%AC%F0%9F%A6%80", "ä€🦀"),
        ("a%3Fb%23c%26d=e", "a?b#c&d=e"),
        ("%2E%2E", ".."),
        ("actions", "actions"),
        ("A%2Factions%2Fretry", "A/actions/retry"),
        ("%22%3C%3E%27", "\"<>'"),
    ] {
        let path = record("Customer", written);

        let put = app.put(&path, &json!({"data": {"Name": "Ann"}})).with(201).json();

        assert_eq!(put["sourceId"], id, "{written}");
        assert_eq!(app.get(&path).with(200).json()["sourceId"], id);
        app.get(&format!("{path}/attempts")).with(200);
        app.admin("POST", &format!("{path}/actions/fix")).json(&json!({})).with(422);
        app.admin("DELETE", &path).send().with(200);
    }
    app.put(&record("Customer", &"%C3%A4".repeat(200)), &json!({"data": {"Name": "A"}})).with(201);
}

#[test]
fn a_source_id_that_is_none_is_refused() {
    let app = TestApp::with_connection();
    for id in ["", "%00", "a%0Ab", &"x".repeat(201)] {
        let answer = app.put(&record("Customer", id), &json!({"data": {"Name": "Ann"}}));

        let problem = answer.problem(400, "INVALID_PARAMETER");
        assert!(problem["detail"].as_str().unwrap().contains("source id"), "{problem}");
    }
    app.put(&record("Customer", "a/b"), &json!({"data": {}})).problem(404, "NOT_FOUND");
}

#[test]
fn what_is_no_record_is_always_refused() {
    let app = TestApp::with_connection();
    let check = |body: &str, status: u16, pointer: Option<&str>, names: &str| {
        let answer = app.admin("PUT", ANN).body(body.as_bytes().to_vec()).with(status);
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(names), "{body}: {problem}");
        assert_eq!(problem["pointer"].as_str(), pointer, "{body}: {problem}");
    };

    check("", 422, Some("/data"), "data");
    check("nonsense", 400, None, "line 1 column 2");
    check("{\"data\":{}", 400, None, "line 1 column 10");
    check("[]", 422, Some(""), "array");
    check("{\"data\":[]}", 422, Some("/data"), "object");
    check("{\"data\":null}", 422, Some("/data"), "object");
    check("{\"data\":\"x\"}", 422, Some("/data"), "object");
    check("{\"data\":{},\"postd\":true}", 422, Some("/postd"), "postd");
    check("{\"data\":{},\"posted\":1}", 422, Some("/posted"), "boolean");
    check("{\"data\":{},\"priority\":1001}", 422, Some("/priority"), "1000");
    check("{\"data\":{},\"priority\":1.5}", 422, Some("/priority"), "whole number");
    check("{\"data\":{},\"priority\":1e99}", 422, Some("/priority"), "");
    check("{\"data\":{},\"dependsOn\":\"a\"}", 422, Some("/dependsOn"), "sequence");
    check("{\"data\":{},\"dependsOn\":[1]}", 422, Some("/dependsOn/0"), "string");
    check("{\"data\":{},\"dependsOn\":[\"a\"]}", 422, Some("/dependsOn/0"), "");
    check("{\"data\":{},\"onDuplicate\":\"merge\"}", 422, Some("/onDuplicate"), "merge");
    app.get(ANN).problem(404, "NOT_FOUND");
}

#[test]
fn an_unknown_kind_is_refused_with_the_nearest() {
    let app = TestApp::with_connection();
    for kind in ["Custommer", "customer", "Invoices"] {
        let answer = app.put(&record(kind, "1"), &json!({"data": {"Name": "A"}}));
        let problem = answer.problem(422, "UNKNOWN_KIND");
        assert!(problem["detail"].as_str().unwrap().contains("did you mean"), "{problem}");
    }
}

#[test]
fn what_quickbooks_would_refuse_is_kept_as_failed() {
    let app = TestApp::with_connection();
    let body = json!({"data": {"Name": "x".repeat(45)}});

    let kept = app.put(ANN, &body).with(201).json();

    assert_eq!(kept["status"], "failed");
    let diagnosis = &kept["diagnosis"];
    assert_eq!(diagnosis["code"], "STRING_TOO_LONG");
    assert_eq!(diagnosis["pointer"], "/data/Name");
    assert!(diagnosis["detail"].as_str().unwrap().contains("41"), "{diagnosis}");
    assert!(!diagnosis["fixes"].as_array().unwrap().is_empty());
    for absent in ["type", "status", "requestId"] {
        assert!(diagnosis.get(absent).is_none(), "{absent}");
    }
    let again = app.put(ANN, &json!({"data": {"Name": "Ann"}})).with(200).json();
    assert_eq!(again["status"], "queued");
    assert_eq!(again["diagnosis"], Value::Null);
}

#[test]
fn a_strict_caller_is_refused_instead() {
    let app = TestApp::with_connection();
    let strict =
        |body: &Value| app.admin("PUT", ANN).header("Prefer", "handling=strict").json(body);

    let problem = strict(&json!({"data": {"Name": "x".repeat(45), "Nmae": "a"}}));

    let problem = problem.with(422).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
    for error in problem["errors"].as_array().unwrap() {
        assert!(error["code"].is_string() && error["pointer"].is_string(), "{error}");
    }
    app.get(ANN).problem(404, "NOT_FOUND");

    let kept = strict(&json!({"data": {"Name": "Ann"}})).with(201);
    assert_eq!(kept.header("preference-applied"), Some("handling=strict"));
}

#[test]
fn a_record_waits_for_those_that_it_refers_to() {
    let app = TestApp::with_connection();
    let job = json!({"data": {"Name": "Job", "ParentRef": {"source": "Customer/C-1"}}});
    let path = record("Customer", "J-1");

    let blocked = app.put(&path, &job).with(201).json();
    assert_eq!(blocked["status"], "blocked");
    let waits = json!([{"kind": "Customer", "sourceId": "C-1", "status": null}]);
    assert_eq!(blocked["blockedBy"], waits);

    app.put(ANN, &json!({"data": {"Name": "Ann"}})).with(201);
    assert_eq!(app.get(&path).json()["blockedBy"][0]["status"], "queued");
}

#[test]
fn a_record_is_withdrawn_in_one_of_three_ways() {
    let app = TestApp::with_connection();
    app.put(ANN, &json!({"data": {"Name": "Ann"}})).with(201);
    let delete = |query: &str| app.admin("DELETE", &format!("{ANN}{query}")).send();

    delete("?quickbooks=burn").problem(400, "INVALID_PARAMETER");
    delete("?quickbook=keep").problem(400, "INVALID_PARAMETER");
    assert_eq!(app.get(ANN).json()["status"], "queued");
    assert_eq!(delete("?quickbooks=keep").with(200).json()["status"], "withdrawn");
}

#[test]
fn a_body_that_is_too_large_is_told_the_limit() {
    let app = TestApp::with_connection();
    let notes = "x".repeat((1 << 20) + 1);

    let answer = app.put(ANN, &json!({"data": {"Name": "Ann", "Notes": notes}}));

    let problem = answer.problem(413, "BODY_TOO_LARGE");
    assert!(problem["detail"].as_str().unwrap().contains("1 MiB"));
    let zipped = app.admin("PUT", ANN).header("Content-Encoding", "gzip").body(vec![31, 139]);
    zipped.problem(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[test]
fn a_record_that_never_went_out_has_no_attempts() {
    let app = TestApp::with_connection();
    app.put(ANN, &json!({"data": {"Name": "Ann"}})).with(201);

    let attempts = app.get(&format!("{ANN}/attempts")).with(200).json();

    assert_eq!(attempts, json!({"data": [], "nextCursor": null, "hasMore": false}));
}
