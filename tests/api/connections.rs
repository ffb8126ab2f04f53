//! Connections: made, changed, paused, rotated, removed.

use serde_json::Value;
use serde_json::json;

use crate::support::app::TestApp;

#[test]
fn a_connection_shows_its_password_once() {
    let app = TestApp::spawn();

    let made = app.post("/v1/connections", &json!({"name": "Acme Ltd."})).with(201);

    assert_eq!(made.header("location"), Some("/v1/connections/acme-ltd"));
    let made = made.json();
    assert_eq!(made["id"], "acme-ltd");
    assert_eq!(made["paused"], false);
    assert_eq!(made["everyMinutes"], 5);
    assert_eq!(made["qwcUrl"], format!("{}/v1/connections/acme-ltd/qwc", app.url()));
    assert!(made["password"].as_str().unwrap().len() >= 22);
    assert!(made["username"].is_string());
    let page = made["pairingUrl"].as_str().unwrap().strip_prefix(app.url()).unwrap();
    app.call("GET", page).send().with(200);

    let shown = app.get("/v1/connections/acme-ltd").with(200).json();
    assert!(shown.get("password").is_none());
    assert_eq!(shown["ownerId"], made["ownerId"]);
    assert_eq!(app.get("/v1/connections").json()["data"], json!([shown]));
}

#[test]
fn what_is_wrong_with_a_connection_is_named() {
    let app = TestApp::spawn();
    let check = |body: Value, status: u16, names: &str| {
        let answer = app.post("/v1/connections", &body).with(status);
        assert!(answer.text().contains(names), "{body}: {}", answer.text());
    };

    check(json!({}), 422, "name");
    check(json!({"name": ""}), 422, "/name");
    check(json!({"name": "x".repeat(101)}), 422, "/name");
    check(json!({"name": 7}), 422, "/name");
    check(json!({"name": "a", "everyMinutes": 0}), 422, "/everyMinutes");
    check(json!({"name": "a", "everyMinutes": 10081}), 422, "/everyMinutes");
    check(json!({"name": "a", "everyMinutes": "5"}), 422, "/everyMinutes");
    check(json!({"name": "a", "id": "A b"}), 422, "/id");
    check(json!({"name": "a", "pasword": "x"}), 422, "pasword");
    check(json!([]), 422, "array");
    assert_eq!(app.get("/v1/connections").json()["data"], json!([]));
}

#[test]
fn quickbooks_tells_connections_apart_by_their_app_names() {
    let app = TestApp::spawn();
    let made = |body: Value| app.post("/v1/connections", &body).with(201).json();

    assert_eq!(made(json!({"name": "Acme"}))["appName"], "Bookbridge (Acme)");
    assert_eq!(made(json!({"name": "Acme"}))["appName"], "Bookbridge (Acme, 2)");
    let same = json!({"name": "Other", "appName": "Bookbridge (Acme)"});
    let refused = app.post("/v1/connections", &same).with(422);
    assert!(refused.text().contains("/appName"), "{}", refused.text());
    let change = json!({"appName": "Bookbridge (Acme)"});
    app.admin("PATCH", "/v1/connections/acme").json(&change).with(200);
    app.admin("PATCH", "/v1/connections/acme-2").json(&change).with(422);
}

#[test]
fn long_names_that_begin_alike_get_ids_of_their_own() {
    let app = TestApp::spawn();
    let made = |name: String| {
        let answer = app.post("/v1/connections", &json!({"name": name})).with(201).json();
        answer["id"].as_str().unwrap().to_owned()
    };

    assert_eq!(made("a".repeat(100)), "a".repeat(48));
    assert_eq!(made("A".repeat(80)), format!("{}-2", "a".repeat(44)));
}

#[test]
fn an_id_is_taken_once() {
    let app = TestApp::spawn();
    app.post("/v1/connections", &json!({"name": "Acme", "id": "a"})).with(201);

    app.post("/v1/connections", &json!({"name": "Other", "id": "a"})).problem(409, "CONFLICT");
}

#[test]
fn a_change_leaves_the_rest() {
    let app = TestApp::with_connection();
    let change = |body: Value| app.admin("PATCH", "/v1/connections/acme").json(&body);
    let before = app.get("/v1/connections/acme").json();

    let changed = change(json!({"companyFile": "C:\\a.qbw", "everyMinutes": 9})).with(200).json();
    assert_eq!(changed["companyFile"], "C:\\a.qbw");
    assert_eq!(changed["everyMinutes"], 9);
    assert_eq!(changed["name"], before["name"]);
    assert_eq!(changed["fileId"], before["fileId"]);

    let same = change(json!({})).with(200).json();
    assert_eq!(same["companyFile"], "C:\\a.qbw");
    let none = change(json!({"companyFile": null})).with(200).json();
    assert_eq!(none["companyFile"], Value::Null);
    change(json!({"everyMinutes": 0})).problem(422, "INVALID_REQUEST");
    change(json!({"id": "b"})).problem(422, "INVALID_REQUEST");
}

#[test]
fn actions_do_what_they_say() {
    let app = TestApp::with_connection();
    let act =
        |action: &str| app.admin("POST", &format!("/v1/connections/acme/actions/{action}")).send();
    let before = app.get("/v1/connections/acme").json();

    assert_eq!(act("pause").with(200).json()["paused"], true);
    assert_eq!(app.get("/v1/connections/acme/health").json()["state"], "paused");
    assert_eq!(act("resume").with(200).json()["paused"], false);
    act("sync-now").with(200);
    let first = act("rotate-password").with(200).json()["password"].clone();
    assert_ne!(act("rotate-password").json()["password"], first);
    assert_ne!(act("rotate-identity").with(200).json()["fileId"], before["fileId"]);
    let problem = act("puase").problem(404, "NOT_FOUND");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean pause?"));
    app.post("/v1/connections/acme/actions/pause", &json!({"for": 5}))
        .problem(422, "INVALID_REQUEST");
}

#[test]
fn a_new_connection_was_never_paired() {
    let app = TestApp::with_connection();

    let health = app.get("/v1/connections/acme/health").with(200).json();

    assert_eq!(health["state"], "never_paired");
    assert!(health["summary"].as_str().unwrap().ends_with('.'));
    assert_eq!(health["lastSeenAt"], Value::Null);
    assert_eq!(health["counts"].as_object().unwrap().len(), 9);
    assert_eq!(health["counts"]["queued"], 0);
    assert_eq!(health["fixes"][0]["id"], "pair");
}

#[test]
fn the_qwc_is_the_same_at_every_download() {
    let app = TestApp::with_connection();

    let first = app.get("/v1/connections/acme/qwc").with(200);
    let second = app.get("/v1/connections/acme/qwc").with(200);

    assert_eq!(first.body, second.body);
    assert_eq!(first.header("content-type"), Some("application/x-qwc"));
    let name = first.header("content-disposition").unwrap();
    assert_eq!(name, "attachment; filename=\"acme.qwc\"");
    let by_name = app.url().replace("127.0.0.1", "localhost");
    assert!(first.text().contains(&format!("<AppURL>{by_name}/qbwc</AppURL>")));
    let shown = app.get("/v1/connections/acme").json();
    assert!(first.text().contains(shown["username"].as_str().unwrap()));
}

#[test]
fn a_host_that_is_none_does_not_get_into_a_file() {
    let app = TestApp::with_connection();

    let answer = app.admin("GET", "/v1/connections/acme/qwc").header("X-Forwarded-Host", "<x>");

    answer.send().problem(400, "INVALID_PARAMETER");
}

#[test]
fn a_connection_goes_with_its_records() {
    let app = TestApp::with_connection();
    let record = "/v1/connections/acme/records/Customer/C-1";
    app.put(record, &json!({"data": {"Name": "Ann"}})).with(201);

    app.admin("DELETE", "/v1/connections/acme").send().with(204);

    for path in ["/v1/connections/acme", "/v1/connections/acme/health", record] {
        app.get(path).problem(404, "NOT_FOUND");
    }
    app.admin("DELETE", "/v1/connections/acme").send().problem(404, "NOT_FOUND");
}

#[test]
fn a_connection_that_does_not_exist_is_named_everywhere() {
    let app = TestApp::spawn();
    for (method, rest) in [
        ("GET", ""),
        ("PATCH", ""),
        ("GET", "/health"),
        ("GET", "/qwc"),
        ("POST", "/actions/pause"),
        ("GET", "/records"),
        ("POST", "/records"),
        ("POST", "/check"),
        ("GET", "/records/Customer/1"),
        ("GET", "/records/Customer/1/attempts"),
        ("DELETE", "/records/Customer/1"),
        ("POST", "/records/Customer/1/actions/retry"),
        ("GET", "/problems"),
        ("GET", "/requests"),
        ("GET", "/requests/0192f0c1-0000-7000-8000-000000000000"),
        ("GET", "/sessions"),
        ("GET", "/activity"),
    ] {
        for id in ["acme", "A%20b", "%2e%2e"] {
            let call = app.admin(method, &format!("/v1/connections/{id}{rest}"));
            call.send().problem(404, "NOT_FOUND");
        }
    }
    app.put("/v1/connections/acme/records/Customer/1", &json!({"data": {"Name": "A"}}))
        .problem(404, "NOT_FOUND");
}

#[test]
fn what_is_done_about_numbers_and_the_mirror_are_settings_of_a_connection() {
    let app = TestApp::with_connection();
    let shown = app.get("/v1/connections/acme").with(200).json();
    assert_eq!((&shown["duplicateNumbers"], &shown["mirror"]), (&json!("fail"), &json!(false)));

    let change = json!({"duplicateNumbers": "suffix", "mirror": true});
    let call = app.admin("PATCH", "/v1/connections/acme").json(&change).with(200).json();

    assert_eq!((&call["duplicateNumbers"], &call["mirror"]), (&json!("suffix"), &json!(true)));
    let wrong = json!({"duplicateNumbers": "ignore"});
    app.admin("PATCH", "/v1/connections/acme").json(&wrong).problem(422, "INVALID_REQUEST");
    app.post("/v1/connections/acme/actions/refresh-mirror", &json!({})).with(200);
    let queued = app.get("/v1/connections/acme/health").with(200).json()["requestsQueued"].clone();
    assert!(queued.as_u64().unwrap() > 10, "{queued}");
}
