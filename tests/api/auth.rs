//! Who may do what.

use bookbridge::domain::activity::Scope;
use serde_json::json;

use crate::support::app::TestApp;

const RECORD: &str = "/v1/connections/acme/records/Customer/C-1";

#[test]
fn a_scope_includes_those_before_it_and_no_other() {
    let app = TestApp::with_connection();
    let keys = [Scope::Read, Scope::Write, Scope::Admin].map(|scope| (scope, app.key_of(scope)));
    let record = json!({"data": {"Name": "Ann"}});
    for (needed, method, path, body) in [
        (Scope::Read, "GET", "/v1/connections", json!({})),
        (Scope::Read, "GET", "/v1/connections/acme/records", json!({})),
        (Scope::Read, "POST", "/v1/connections/acme/check", json!([])),
        (Scope::Write, "PUT", RECORD, record.clone()),
        (Scope::Write, "POST", "/v1/connections/acme/records", json!([])),
        (Scope::Write, "DELETE", RECORD, json!({})),
        (Scope::Admin, "GET", "/v1/keys", json!({})),
        (Scope::Admin, "GET", "/v1/activity", json!({})),
        (Scope::Admin, "PATCH", "/v1/connections/acme", json!({})),
        (Scope::Admin, "POST", "/v1/connections/acme/actions/pause", json!({})),
        (Scope::Admin, "GET", "/v1/export", json!({})),
    ] {
        for (scope, key) in &keys {
            let answer = app.call(method, path).key(key).json(&body);

            if *scope < needed {
                let problem = answer.problem(403, "FORBIDDEN");
                assert!(problem["detail"].as_str().unwrap().contains(needed.as_str()));
            } else {
                let status = answer.status();
                assert!((200..300).contains(&status), "{method} {path}: {}", answer.text());
            }
        }
    }
}

#[test]
fn a_key_that_is_not_ours_is_refused_in_every_writing() {
    let app = TestApp::with_connection();
    let key = app.key_of(Scope::Admin);
    for header in [
        String::new(),
        key.clone(),
        format!("Basic {key}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {key}x"),
        format!("Bearer {}", &key[1..]),
        format!("Bearer {}", "x".repeat(5000)),
    ] {
        let call = app.call("GET", "/v1/connections").header("Authorization", &header);
        call.send().problem(401, "UNAUTHENTICATED");
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let app = TestApp::with_connection();
    let key = app.key_of(Scope::Read);

    app.call("PUT", RECORD).key(&key).json(&json!({"data": {"Name": "Ann"}})).with(403);
    app.call("PUT", RECORD).json(&json!({"data": {"Name": "Ann"}})).with(401);

    app.get(RECORD).problem(404, "NOT_FOUND");
}
