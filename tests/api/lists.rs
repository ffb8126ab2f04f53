//! Lists: filters, parts, and what is wrong with them.

use serde_json::Value;
use serde_json::json;

use crate::support::app::TestApp;

const RECORDS: &str = "/v1/connections/acme/records";

fn app() -> TestApp {
    let app = TestApp::with_connection();
    for n in 1..=5 {
        let body = json!({"data": {"Name": format!("Customer {n}")}});
        app.put(&format!("{RECORDS}/Customer/C-{n}"), &body).with(201);
    }
    app.put(&format!("{RECORDS}/Vendor/V-1"), &json!({"data": {"Name": "Vendor 1"}})).with(201);
    let long = json!({"data": {"Name": "x".repeat(99)}});
    app.put(&format!("{RECORDS}/Vendor/V-2"), &long).with(201);
    app
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["sourceId"].as_str().unwrap())
        .collect()
}

#[test]
fn filters_must_all_hold() {
    let app = app();
    for (query, expected) in [
        ("", &["V-2", "V-1", "C-5", "C-4", "C-3", "C-2", "C-1"][..]),
        ("?kind=Vendor", &["V-2", "V-1"]),
        ("?status=failed", &["V-2"]),
        ("?status=failed&kind=Customer", &[]),
        ("?cause=STRING_TOO_LONG", &["V-2"]),
        ("?q=c-3", &["C-3"]),
        ("?q=nothing", &[]),
        ("?limit=2", &["V-2", "V-1"]),
    ] {
        let list = app.get(&format!("{RECORDS}{query}")).with(200).json();
        assert_eq!(ids(&list), expected, "{query}");
    }
}

#[test]
fn a_list_is_walked_in_parts() {
    let app = app();
    let mut path = format!("{RECORDS}?limit=3&kind=Customer");
    let mut seen = Vec::new();
    loop {
        let list = app.get(&path).with(200).json();
        seen.extend(ids(&list).into_iter().map(str::to_owned));
        assert_eq!(list["hasMore"], json!(list["nextCursor"].is_string()));
        let Some(cursor) = list["nextCursor"].as_str() else { break };
        path = format!("{RECORDS}?limit=3&kind=Customer&cursor={cursor}");
    }

    assert_eq!(seen, ["C-5", "C-4", "C-3", "C-2", "C-1"]);
}

#[test]
fn a_cursor_belongs_to_its_list() {
    let app = app();
    let list = app.get(&format!("{RECORDS}?limit=1")).json();
    let cursor = list["nextCursor"].as_str().unwrap();
    for path in [
        format!("{RECORDS}?kind=Vendor&cursor={cursor}"),
        format!("/v1/connections/acme/sessions?cursor={cursor}"),
        format!("/v1/connections?cursor={cursor}"),
        format!("{RECORDS}?cursor={cursor}x"),
        format!("{RECORDS}?cursor=%00"),
    ] {
        let problem = app.get(&path).problem(400, "INVALID_PARAMETER");
        assert!(problem["detail"].as_str().unwrap().contains("cursor"), "{path}");
    }
}

#[test]
fn what_is_wrong_with_a_query_is_named() {
    let app = app();
    for (query, names) in [
        ("limit=0", "limit"),
        ("limit=501", "500"),
        ("limit=ten", "limit"),
        ("limit=5&limit=6", "limit"),
        ("status=faild", "did you mean failed?"),
        ("status=done", "status"),
        ("cause=NAME_IN_US", "did you mean NAME_IN_USE?"),
        ("kind=Custommer", "did you mean Customer?"),
        ("stats=failed", "did you mean status?"),
        ("q=", ""),
        ("page=2", "page"),
    ] {
        let answer = app.get(&format!("{RECORDS}?{query}"));
        if names.is_empty() {
            answer.with(200);
            continue;
        }
        let problem = answer.problem(400, "INVALID_PARAMETER");
        assert!(problem["detail"].as_str().unwrap().contains(names), "{query}: {problem}");
    }
    let long = "x".repeat(201);
    app.get(&format!("{RECORDS}?q={long}")).problem(400, "INVALID_PARAMETER");
}

#[test]
fn connections_and_keys_are_walked_in_parts() {
    let app = TestApp::spawn();
    for name in ["a", "b", "c"] {
        app.post("/v1/connections", &json!({"name": name})).with(201);
    }

    let first = app.get("/v1/connections?limit=2").json();
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = app.get(&format!("/v1/connections?limit=2&cursor={cursor}")).json();

    assert_eq!(first["data"][1]["id"], "b");
    assert_eq!(rest["data"][0]["id"], "c");
    assert_eq!(rest["hasMore"], false);
    assert_eq!(app.get("/v1/keys?limit=1").json()["data"].as_array().unwrap().len(), 1);
}

#[test]
fn what_was_done_is_listed_with_who_did_it() {
    let app = app();

    let activity = app.get("/v1/connections/acme/activity?limit=500").with(200).json();

    let first = activity["data"].as_array().unwrap().last().unwrap();
    assert_eq!(first["actor"], "test admin", "{activity:#}");
    let sessions = app.get("/v1/connections/acme/sessions").with(200).json();
    assert_eq!(sessions["data"], json!([]));
    for id in ["nonsense", "0192f0c1-0000-7000-8000-000000000000"] {
        app.get(&format!("/v1/connections/acme/sessions/{id}")).problem(404, "NOT_FOUND");
    }
}

#[test]
fn every_list_comes_in_parts() {
    let app = TestApp::with_connection();
    for id in ["a:", "b".repeat(60).as_str(), ""] {
        let path = format!("/v1/connections/acme/records/Customer/x{}", id.len());
        app.put(&path, &json!({"data": {"Name": id}})).with(201);
    }
    for (path, whole) in [
        ("/v1/connections/acme/problems", 3),
        ("/v1/schema", 239),
        ("/v1/errors", app.get("/v1/errors").json()["data"].as_array().unwrap().len()),
    ] {
        let first = app.get(&format!("{path}?limit=2")).with(200).json();
        assert_eq!(first["data"].as_array().unwrap().len(), 2, "{path}");
        assert_eq!(first["hasMore"], true);
        let cursor = first["nextCursor"].as_str().unwrap();
        let rest = app.get(&format!("{path}?limit=500&cursor={cursor}")).with(200).json();
        assert_eq!(rest["data"].as_array().unwrap().len(), whole - 2, "{path}");
        assert_ne!(rest["data"][0], first["data"][1]);
        app.get(&format!("{path}?limit=0")).problem(400, "INVALID_PARAMETER");
    }
    let attempts = "/v1/connections/acme/records/Customer/x2/attempts?limit=1";
    assert_eq!(app.get(attempts).with(200).json()["data"], json!([]));
}

#[test]
fn a_search_finds_names_and_causes_are_found_by_their_finer_label() {
    let app = TestApp::with_connection();
    let put = |id: &str, name: &str| {
        let path = format!("/v1/connections/acme/records/Customer/{id}");
        app.put(&path, &json!({ "data": { "Name": name } })).with(201);
    };
    put("1", "Müller");
    put("2", "Site: 2");
    let found = |query: &str| {
        let list = app.get(&format!("/v1/connections/acme/records?{query}")).with(200).json();
        let ids = list["data"].as_array().unwrap().iter().map(|it| it["sourceId"].clone());
        ids.collect::<Vec<_>>()
    };

    assert_eq!(found("q=m%C3%BCll"), [json!("1")]);
    assert_eq!(found("q=customer/2"), [json!("2")]);
    assert_eq!(found("cause=colon_in_name"), [json!("2")]);
    let problems = app.get("/v1/connections/acme/problems").with(200).json();
    let problem = problems["data"][0]["problem"].as_str().unwrap();
    assert_eq!(found(&format!("problem={problem}")), [json!("2")]);
    assert_eq!(found("problem=0123456789abcdef").len(), 0);
    let wrong = app.get("/v1/connections/acme/records?problem=all").with(400).json();
    assert!(wrong["detail"].as_str().unwrap().contains("16 hexadecimal digits"), "{wrong}");
}
