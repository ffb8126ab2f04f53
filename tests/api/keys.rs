//! API keys.

use serde_json::json;

use crate::support::app::TestApp;

#[test]
fn a_key_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::spawn();

    let made = app.post("/v1/keys", &json!({"name": "shop", "scope": "read"})).with(201).json();

    let key = made["key"].as_str().unwrap();
    assert_eq!(made["scopes"], json!(["read"]));
    app.call("GET", "/v1/connections").key(key).send().with(200);
    let list = app.get("/v1/keys").with(200);
    assert!(!list.text().contains(key));
    assert!(list.text().contains("shop"));

    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    let revoked = app.admin("DELETE", &path).send().with(200).json();
    assert!(revoked["revokedAt"].is_string());
    app.call("GET", "/v1/connections").key(key).send().problem(401, "UNAUTHENTICATED");
}

#[test]
fn a_key_may_write_if_nothing_is_said() {
    let app = TestApp::spawn();

    let made = app.admin("POST", "/v1/keys").send().with(201).json();

    assert_eq!(made["scopes"], json!(["read", "write"]));
}

#[test]
fn what_is_wrong_with_a_key_is_named() {
    let app = TestApp::spawn();
    for body in [
        json!({"scope": "root"}),
        json!({"scope": ["read"]}),
        json!({"name": "x".repeat(101)}),
        json!({"name": 1}),
        json!({"nam": "x"}),
    ] {
        app.post("/v1/keys", &body).problem(422, "INVALID_REQUEST");
    }
    for id in ["nonsense", "0192f0c1-0000-7000-8000-000000000000"] {
        app.admin("DELETE", &format!("/v1/keys/{id}")).send().problem(404, "NOT_FOUND");
    }
}

#[test]
fn what_is_done_with_keys_and_connections_is_listed_with_who_did_it_and_without_any_secret() {
    let app = TestApp::spawn();
    let made = app.post("/v1/keys", &json!({"name": "shop", "scope": "read"})).with(201).json();
    let id = made["id"].as_str().unwrap();
    app.admin("DELETE", &format!("/v1/keys/{id}")).send().with(200);
    // It is revoked already: nothing is done.
    app.admin("DELETE", &format!("/v1/keys/{id}")).send().with(200);
    let added = app.post("/v1/connections", &json!({"name": "Acme"})).with(201).json();
    app.admin("DELETE", "/v1/connections/acme").send().with(204);

    let list = app.get("/v1/activity").with(200);

    let told: Vec<_> = list.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| ["actor", "action", "subject"].map(|name| it[name].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ["test admin", "removed", "connection acme"],
        ["test admin", "made", "connection acme"],
        ["test admin", "revoked", "API key shop"],
        ["test admin", "made", "API key shop"],
        ["test", "made", "API key test admin"],
    ];
    assert_eq!(told, expected);
    assert_eq!(list.json()["data"][3]["detail"], format!("scope read, id {id}"));
    for secret in [&made["key"], &added["password"]] {
        assert!(!list.text().contains(secret.as_str().unwrap()));
    }
    let first = app.get("/v1/activity?limit=2").with(200).json();
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = app.get(&format!("/v1/activity?cursor={cursor}")).with(200).json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 3);
}
