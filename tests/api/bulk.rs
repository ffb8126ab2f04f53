//! Many records in one call.

use std::fmt::Write as _;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::support::app::Answer;
use crate::support::app::TestApp;

const RECORDS: &str = "/v1/connections/acme/records";

fn post_lines(app: &TestApp, path: &str, lines: &str) -> Answer {
    let call = app.admin("POST", path).header("Content-Type", "application/x-ndjson");
    call.body(lines.as_bytes().to_vec())
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_give_lines_in_order_and_bad_ones_say_why() {
    let app = TestApp::with_connection();
    let sent = "\u{feff}{\"kind\":\"Customer\",\"sourceId\":\"1\",\"data\":{\"Name\":\"A\"}}\r\n\
                \n\
                {\"kind\":\"Customer\",\"sourceId\":\"2\",\"data\":{\"Name\":\"B\"},\"x\":1}\n\
                nonsense\n\
                {\"kind\":\"Custommer\",\"sourceId\":\"3\",\"data\":{}}\n\
                {\"kind\":\"Customer\",\"sourceId\":\"\",\"data\":{}}\n\
                {\"kind\":\"Customer\",\"sourceId\":\"4\",\"data\":{\"Name\":\"\"}}\n\
                {\"kind\":\"Customer\",\"sourceId\":\"5\",\"data\":[]}\n\
                {\"kind\":\"Customer\",\"sourceId\":\"1\",\"data\":{\"Name\":\"A\"}}";

    let answer = post_lines(&app, RECORDS, sent).with(200);

    let results = lines(&answer);
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            let text = |at: &str| result.pointer(at).and_then(Value::as_str).unwrap_or("-");
            (
                text("/sourceId").to_owned(),
                text("/status").to_owned(),
                text("/error/code").to_owned(),
            )
        })
        .collect();
    let expected = [
        ("1", "queued", "-"),
        ("2", "-", "INVALID_REQUEST"),
        ("", "-", "MALFORMED_BODY"),
        ("3", "-", "UNKNOWN_KIND"),
        ("", "-", "INVALID_REQUEST"),
        ("4", "failed", "-"),
        ("5", "-", "INVALID_REQUEST"),
        ("1", "queued", "-"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(told, expected, "{results:#?}");
    assert_eq!(results[2]["line"], 4);
    assert!(results[2]["error"]["detail"].as_str().unwrap().contains("column 2"), "{results:#?}");
    assert!(results[1]["error"]["detail"].as_str().unwrap().contains("`x`"));
    assert!(results[5]["diagnosis"]["code"].is_string());
    let kept = app.get(RECORDS).json();
    assert_eq!(kept["data"].as_array().unwrap().len(), 2, "{kept:#}");
}

#[test]
fn an_array_gives_an_array() {
    let app = TestApp::with_connection();
    let sent = json!([
        {"kind": "Customer", "sourceId": "1", "data": {"Name": "A"}},
        7,
        {"kind": "Customer", "sourceId": "2", "data": {"Name": "B"}},
    ]);

    let answer = app.post(RECORDS, &sent).with(200);

    assert_eq!(answer.header("content-type"), Some("application/json"));
    let results = answer.json();
    let results = results["data"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[0]["result"], "new");
    assert_eq!(results[1]["line"], 2);
    assert_eq!(results[1]["error"]["code"], "INVALID_REQUEST");
    assert_eq!(results[2]["status"], "queued");
    assert_eq!(app.post(RECORDS, &json!([])).with(200).json(), json!({"data": []}));
}

#[test]
fn a_body_of_no_known_type_is_known_by_its_beginning() {
    let app = TestApp::with_connection();
    let one = "{\"kind\":\"Customer\",\"sourceId\":\"1\",\"data\":{\"Name\":\"A\"}}";

    let array = app.admin("POST", RECORDS).body(format!(" [{one}]").into_bytes()).with(200);
    assert_eq!(array.json()["data"][0]["result"], "new");
    let line = app.admin("POST", RECORDS).body(one.as_bytes().to_vec()).with(200);
    assert_eq!(lines(&line)[0]["result"], "same");
    let nothing = app.admin("POST", RECORDS).body(Vec::new()).with(200);
    assert_eq!(nothing.body, b"");
    for (body, status) in [("{]", 400), ("\"a\"", 422), ("7", 422), ("[{]", 400)] {
        let call = app.admin("POST", RECORDS).header("Content-Type", "application/json");
        call.body(body.as_bytes().to_vec()).with(status);
    }
}

#[test]
fn strict_lines_that_quickbooks_would_refuse_are_not_kept() {
    let app = TestApp::with_connection();
    let sent = "{\"kind\":\"Customer\",\"sourceId\":\"1\",\"data\":{\"Name\":\"\"}}\n\
                {\"kind\":\"Customer\",\"sourceId\":\"2\",\"data\":{\"Name\":\"B\"}}\n";

    let call = app.admin("POST", RECORDS).header("Prefer", "handling=strict");
    let call = call.header("Content-Type", "application/x-ndjson");
    let results = lines(&call.body(sent.as_bytes().to_vec()).with(200));

    assert!(results[0]["error"]["pointer"] == "/data/Name", "{results:#?}");
    assert_eq!(results[1]["status"], "queued");
    app.get(&format!("{RECORDS}/Customer/1")).problem(404, "NOT_FOUND");
}

#[test]
fn a_line_that_is_too_long_is_one_bad_line() {
    let app = TestApp::with_connection();
    let good = |id| {
        format!("{{\"kind\":\"Customer\",\"sourceId\":\"{id}\",\"data\":{{\"Name\":\"{id}\"}}}}\n")
    };
    let sent = good("a") + &"x".repeat(3 << 20) + "\n" + &good("b") + &"y".repeat(2 << 20);

    let results = lines(&post_lines(&app, RECORDS, &sent).with(200));

    let codes: Vec<_> = results.iter().map(|result| result["error"]["code"].as_str()).collect();
    assert_eq!(codes, [None, Some("BODY_TOO_LARGE"), None, Some("BODY_TOO_LARGE")]);
    assert_eq!(results[3]["line"], 4);
}

#[test]
fn a_check_keeps_nothing_and_says_all() {
    let app = TestApp::with_connection();
    let path = "/v1/connections/acme/check";
    let good = json!({"kind": "Customer", "sourceId": "1", "data": {"Name": "A"}});
    let bad = json!({"kind": "Customer", "sourceId": "2", "data": {"Nmae": "A"}});

    let one = app.post(path, &good).with(200).json();
    let expected = json!({"data": [{"kind": "Customer", "sourceId": "1", "findings": []}]});
    assert_eq!(one, expected);

    let many = app.post(path, &json!([good, bad, {"kind": "X"}])).with(200).json();
    assert_eq!(many["data"][0]["findings"], json!([]));
    let findings = many["data"][1]["findings"].as_array().unwrap();
    let codes: Vec<_> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"UNKNOWN_FIELD") && codes.contains(&"MISSING_FIELD"), "{many:#}");
    assert_eq!(many["data"][2]["findings"].as_array().unwrap().len(), 1);

    let as_lines = post_lines(&app, path, &format!("{good}\n{bad}\n")).with(200).json();
    assert_eq!(as_lines["data"][1]["findings"], many["data"][1]["findings"]);
    assert_eq!(app.get(RECORDS).json()["data"], json!([]));
}

#[test]
fn more_than_a_call_takes_is_said_and_what_came_before_is_kept() {
    let app = TestApp::with_connection();

    let array = format!("[{}7]", "7,".repeat(50_000)).into_bytes();
    let problem = app.admin("POST", RECORDS).body(array).problem(413, "BODY_TOO_LARGE");
    assert!(problem["detail"].as_str().unwrap().contains("50000 records"));

    let lines = lines(&post_lines(&app, RECORDS, &"7\n".repeat(60_000)).with(200));
    assert_eq!(lines.len(), 50_001);
    assert_eq!(lines[49_999]["error"]["code"], "INVALID_REQUEST");
    assert_eq!(lines[50_000]["error"]["code"], "BODY_TOO_LARGE");
    assert_eq!(lines[50_000]["line"], 50_001);
}

#[test]
fn an_element_that_is_too_long_is_one_bad_element() {
    let app = TestApp::with_connection();
    let record =
        |id: &str, name: &str| json!({"kind": "Customer", "sourceId": id, "data": {"Name": name}});

    let sent = json!([record("a", "A"), record("b", &"x".repeat(1 << 20)), record("c", "C")]);
    let results = app.post(RECORDS, &sent).with(200).json();

    assert_eq!(results["data"][1]["error"]["code"], "BODY_TOO_LARGE");
    assert_eq!(results["data"][2]["status"], "queued");
}

#[test]
fn ten_thousand_lines_are_kept_in_one_call() {
    let app = TestApp::with_connection();
    let mut sent = String::new();
    for n in 0..10_000 {
        let line = json!({"kind": "Customer", "sourceId": n.to_string(),
            "data": {"Name": format!("Customer {n}")}});
        writeln!(sent, "{line}").unwrap();
    }

    let begun = Instant::now();
    let results = lines(&post_lines(&app, RECORDS, &sent).with(200));

    assert_eq!(results.len(), 10_000);
    assert!(results.iter().all(|result| result["status"] == "queued"));
    assert_eq!(results[9_999]["sourceId"], "9999");
    let health = app.get("/v1/connections/acme/health").json();
    assert_eq!(health["counts"]["queued"], 10_000);
    // Far more than it takes; a commit for each line would take longer.
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
}
