//! For the machines that watch us, and for backups.

use serde_json::Value;
use serde_json::json;

use crate::support::app::TestApp;

#[test]
fn a_store_that_answers_is_ready() {
    let app = TestApp::spawn();

    app.call("GET", "/readyz").send().with(200);
    app.call("HEAD", "/readyz").send().with(200);
}

#[test]
fn metrics_count_records_by_status() {
    let app = TestApp::with_connection();
    let path = "/v1/connections/acme/records/Customer/C-1";
    app.put(path, &json!({"data": {"Name": "Ann"}})).with(201);

    let metrics = app.call("GET", "/metrics").send().with(200);

    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    for line in [
        "bookbridge_records{connection=\"acme\",status=\"queued\"} 1",
        "bookbridge_records{connection=\"acme\",status=\"failed\"} 0",
        "bookbridge_requests_queued{connection=\"acme\"} 0",
        "bookbridge_session_open{connection=\"acme\"} 0",
        "# TYPE bookbridge_uptime_seconds gauge",
    ] {
        assert!(metrics.text().lines().any(|found| found == line), "{line}");
    }
    let proxied = app.call("GET", "/metrics").header("X-Forwarded-For", "203.0.113.9");
    proxied.send().problem(401, "UNAUTHENTICATED");
    app.admin("GET", "/metrics").header("X-Forwarded-For", "203.0.113.9").send().with(200);
}

#[test]
fn an_export_holds_every_record_and_no_password() {
    let app = TestApp::spawn();
    let made = app.post("/v1/connections", &json!({"name": "Acme"})).with(201).json();
    for n in 0..300 {
        let path = format!("/v1/connections/acme/records/Customer/C-{n}");
        app.put(&path, &json!({"data": {"Name": format!("Customer {n}")}})).with(201);
    }

    let export = app.get("/v1/export").with(200);

    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));
    for line in export.text().lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert!(export.text().contains("Customer 299"));
    assert!(!export.text().contains(made["password"].as_str().unwrap()));
    let left = std::fs::read_dir(app.directory()).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().path().extension().is_some());
    assert_eq!(left.count(), 0);
}
