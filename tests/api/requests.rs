//! Raw qbXML through the queue.

use std::time::Duration;
use std::time::Instant;

use bookbridge::domain::message_set::Body;
use bookbridge::engine::FirstCall;
use bookbridge::engine::Login;
use secrecy::SecretString;
use serde_json::Value;
use serde_json::json;

use crate::support::app::Answer;
use crate::support::app::TestApp;
use crate::support::app::block_on;

const REQUESTS: &str = "/v1/connections/acme/requests";
const QUERY: &str = "<CustomerQueryRq><MaxReturned>5</MaxReturned></CustomerQueryRq>";

fn post_xml(app: &TestApp, qbxml: &str) -> Answer {
    let call = app.admin("POST", REQUESTS).header("Content-Type", "text/xml");
    call.body(qbxml.as_bytes().to_vec())
}

#[test]
fn a_request_is_queued_and_has_a_place() {
    let app = TestApp::with_connection();

    let queued = post_xml(&app, QUERY).with(202);

    let location = queued.header("location").unwrap().to_owned();
    let queued = queued.json();
    assert_eq!(location, format!("{REQUESTS}/{}", queued["id"].as_str().unwrap()));
    assert_eq!(queued["status"], "queued");
    assert_eq!(queued["types"], json!(["CustomerQueryRq"]));
    assert_eq!(queued["writes"], false);
    let shown = app.get(&location).with(200).json();
    assert_eq!(shown["id"], queued["id"]);
    assert_eq!(shown["response"], Value::Null);
    assert_eq!(app.get(REQUESTS).json()["data"][0]["id"], queued["id"]);
}

#[test]
fn a_request_of_the_schema_is_written_as_json() {
    let app = TestApp::with_connection();

    let body = json!({"type": "CustomerQueryRq", "data": {"MaxReturned": 5}});
    let queued = app.post(REQUESTS, &body).with(202).json();

    assert_eq!(queued["types"], json!(["CustomerQueryRq"]));
}

#[test]
fn what_is_no_request_is_refused() {
    let app = TestApp::with_connection();
    for body in
        ["<a", "<CustomerQueryRq>", "<Nonsense/>", "<CustomerQueryRq><X/></CustomerQueryRq>"]
    {
        let answer = post_xml(&app, body);
        assert!([400, 422].contains(&answer.status()), "{body}: {}", answer.text());
    }
    for body in [
        json!({}),
        json!({"type": "NonsenseRq", "data": {}}),
        json!({"type": "CustomerQueryRq", "data": []}),
        json!({"type": "CustomerQueryRq", "data": {"X": 1}}),
        json!({"type": "CustomerQueryRq", "dat": {}}),
    ] {
        app.post(REQUESTS, &body).with(422);
    }
    assert_eq!(app.get(REQUESTS).json()["data"], json!([]));
}

#[test]
fn the_same_key_gives_the_same_request() {
    let app = TestApp::with_connection();
    let post = |key: &str, body: &str| {
        let call = app.admin("POST", REQUESTS).header("Idempotency-Key", key);
        call.header("Content-Type", "text/xml").body(body.as_bytes().to_vec())
    };

    let first = post("k-1", QUERY).with(202).json();

    assert_eq!(post("k-1", QUERY).with(202).json()["id"], first["id"]);
    assert_ne!(post("k-2", QUERY).with(202).json()["id"], first["id"]);
    post("k-1", "<CustomerQueryRq/>").problem(409, "CONFLICT");
    post(&"k".repeat(256), QUERY).problem(400, "INVALID_PARAMETER");
}

#[test]
fn a_wait_is_bounded() {
    let app = TestApp::with_connection();
    let location = post_xml(&app, QUERY).header("location").unwrap().to_owned();
    for wait in ["-1", "121", "x", "1.5"] {
        app.get(&format!("{location}?wait={wait}")).problem(400, "INVALID_PARAMETER");
    }

    let begun = Instant::now();
    let waited = app.get(&format!("{location}?wait=1")).with(200).json();

    assert_eq!(waited["status"], "queued");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    app.get(&format!("{REQUESTS}/nonsense")).problem(404, "NOT_FOUND");
}

/// Plays the Web Connector for one session that answers whatever is sent.
fn answer(app: &TestApp, username: &str, password: &str, answer: impl Fn(&str) -> String) {
    let engine = app.engine();
    let password = SecretString::from(password.to_owned());
    block_on(async {
        let login = engine.authenticate(username, &password).await.unwrap();
        let Login::Work { ticket, .. } = login else { panic!("{login:?}") };
        let call = FirstCall { major: 13, country: "US".to_owned(), ..FirstCall::default() };
        let sent = engine.send_request(&ticket, call).await.unwrap();
        assert!(!sent.is_empty(), "{:?}", engine.last_error(&ticket).await);
        let body = Body::Inline(answer(&sent));
        engine.receive_response(&ticket, body, "", "").await.unwrap();
        engine.close_connection(&ticket).await.unwrap();
    });
}

#[test]
fn a_response_is_json_or_quickbooks_own_document() {
    let app = TestApp::spawn();
    let made = app.post("/v1/connections", &json!({"name": "Acme"})).json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    let location = post_xml(&app, QUERY).with(202).header("location").unwrap().to_owned();

    answer(&app, &text("username"), &text("password"), |sent| {
        let id = sent.split("requestID=\"").nth(1).unwrap().split('"').next().unwrap();
        format!(
            "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs><CustomerQueryRs requestID=\"{id}\" \
             statusCode=\"0\" statusSeverity=\"Info\" statusMessage=\"Status OK\"><CustomerRet>\
             <ListID>80000001-1</ListID><Name>A &amp; B</Name></CustomerRet></CustomerQueryRs>\
             </QBXMLMsgsRs></QBXML>"
        )
    });

    let shown = app.get(&format!("{location}?wait=5")).with(200).json();
    assert_eq!(shown["status"], "answered", "{shown:#}");
    let message = &shown["response"][0];
    assert_eq!(message["type"], "CustomerQueryRs");
    assert_eq!(message["statusCode"], 0);
    assert_eq!(message["data"][0]["CustomerRet"]["Name"], "A & B");
    let xml = app.admin("GET", &location).header("Accept", "text/xml").send().with(200);
    assert_eq!(xml.header("content-type"), Some("text/xml; charset=utf-8"));
    assert!(xml.text().contains("<Name>A &amp; B</Name>"));

    let sessions = app.get("/v1/connections/acme/sessions").json();
    let id = sessions["data"][0]["id"].as_str().unwrap();
    let session = app.get(&format!("/v1/connections/acme/sessions/{id}")).with(200).json();
    assert_eq!(session["state"], "ended");
    assert!(!session["log"].as_array().unwrap().is_empty());
    assert_ne!(app.get("/v1/connections/acme/health").json()["state"], "never_paired");
}

#[test]
fn what_is_no_xml_cannot_be_read_and_both_error_rules_are_taken() {
    let app = TestApp::with_connection();
    let path = "/v1/connections/acme/requests";
    let send = |body: &str| {
        app.admin("POST", path).header("Content-Type", "text/xml").body(body.as_bytes().to_vec())
    };
    for bad in ["<QBXML>\n<a", "hello"] {
        let problem = send(bad).problem(400, "MALFORMED_BODY");
        assert!(problem["detail"].as_str().unwrap().starts_with("Line "), "{problem:#}");
    }
    let both = |rule: &str| {
        format!(
            "<?qbxml version=\"13.0\"?><QBXML><QBXMLMsgsRq onError=\"{rule}\"><HostQueryRq/>\
             <CompanyQueryRq/></QBXMLMsgsRq></QBXML>"
        )
    };
    send(&both("continueOnError")).with(202);
    let stops = send(&both("stopOnError")).with(202).json();
    let refused = send(&both("rollbackOnError")).problem(422, "INVALID_VALUE");
    assert!(refused["detail"].as_str().unwrap().contains("continueOnError, stopOnError"));

    let id = bookbridge::domain::ids::RequestId(stops["id"].as_str().unwrap().parse().unwrap());
    let connection = bookbridge::domain::ids::ConnectionId::parse("acme").unwrap();
    let kept = block_on(app.engine().store().request(&connection, id)).unwrap().unwrap();
    assert_eq!(kept.on_error.as_str(), "stopOnError");
}
