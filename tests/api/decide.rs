//! What people decide.

use serde_json::Value;
use serde_json::json;

use crate::support::app::Answer;
use crate::support::app::TestApp;

const RECORDS: &str = "/v1/connections/acme/records";

/// A connection with two records that fail and one that is queued.
fn app() -> TestApp {
    let app = TestApp::with_connection();
    for (id, name) in [("bad-1", ""), ("bad-2", ""), ("good", "Ann")] {
        let body = json!({"data": {"Name": name}});
        app.put(&format!("{RECORDS}/Customer/{id}"), &body).with(201);
    }
    app
}

fn act(app: &TestApp, id: &str, action: &str, body: &Value) -> Answer {
    app.post(&format!("{RECORDS}/Customer/{id}/actions/{action}"), body)
}

#[test]
fn a_record_is_bypassed_with_a_reason_and_taken_back() {
    let app = app();

    let body = json!({"reason": "entered by hand", "reference": "80000001-1"});
    let bypassed = act(&app, "bad-1", "bypass", &body).with(200).json();
    assert_eq!(bypassed["status"], "bypassed");
    assert_eq!(bypassed["bypassReason"], "entered by hand");
    assert_eq!(bypassed["reference"]["listId"], "80000001-1");

    let back = act(&app, "bad-1", "unbypass", &json!({})).with(200).json();
    assert_ne!(back["status"], "bypassed");
}

#[test]
fn a_held_record_is_released() {
    let app = TestApp::with_connection();
    let body = json!({"data": {"Name": "Ann"}, "posted": false});
    app.put(&format!("{RECORDS}/Customer/C-1"), &body).with(201);

    let released = act(&app, "C-1", "release", &json!({})).with(200).json();

    assert_eq!(released["status"], "queued");
}

#[test]
fn a_link_names_one_object() {
    let app = app();
    for body in [
        json!({}),
        json!({"listId": "1", "txnId": "2"}),
        json!({"listID": "1"}),
        json!({"listId": 1}),
    ] {
        act(&app, "good", "link", &body).problem(422, "INVALID_REQUEST");
    }

    let linked = act(&app, "good", "link", &json!({"listId": "80000002-1"})).with(200).json();

    assert_eq!(linked["reference"]["listId"], "80000002-1");
    let reset = act(&app, "good", "reset-reference", &json!({})).with(200).json();
    assert_eq!(reset["reference"], Value::Null);
}

#[test]
fn a_fix_is_done_or_says_which_are() {
    let app = app();

    let by_hand = json!({"id": "close-window"});
    let problem = act(&app, "bad-1", "fix", &by_hand).problem(422, "UNKNOWN_FIX");
    assert!(problem["detail"].as_str().unwrap().contains("a person does it"));
    assert!(problem["detail"].as_str().unwrap().contains("reset-reference"));
    let problem = act(&app, "bad-1", "fix", &json!({"id": "nofix"})).problem(422, "UNKNOWN_FIX");
    assert!(problem["detail"].as_str().unwrap().starts_with("There is no fix \"nofix\"."));
    act(&app, "bad-1", "fix", &json!({"id": "shorten"})).problem(409, "CONFLICT");
    act(&app, "bad-1", "fix", &json!({})).problem(422, "INVALID_REQUEST");
    let fixed = act(&app, "bad-1", "fix", &json!({"id": "bypass"})).with(200).json();
    assert_eq!(fixed["status"], "bypassed");
}

#[test]
fn an_action_that_does_not_exist_is_named() {
    let app = app();

    let problem = act(&app, "good", "retyr", &json!({})).problem(404, "NOT_FOUND");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean retry?"));
    act(&app, "nobody", "retry", &json!({})).problem(404, "NOT_FOUND");
    act(&app, "good", "retry", &json!({"now": true})).problem(422, "INVALID_REQUEST");
    act(&app, "good", "bypass", &json!({})).problem(422, "INVALID_REQUEST");
    act(&app, "good", "retry", &json!([])).problem(422, "INVALID_REQUEST");
}

#[test]
fn what_matches_is_counted_then_decided() {
    let app = app();
    let path = format!("{RECORDS}/actions/bypass");
    let body = |dry: bool| json!({"filter": {"status": "failed"}, "dryRun": dry, "reason": "r"});

    let counted = app.post(&path, &body(true)).with(200).json();
    assert_eq!(counted, json!({"matched": 2, "count": 2, "dryRun": true}));
    assert_eq!(app.get(&format!("{RECORDS}?status=bypassed")).json()["data"], json!([]));

    assert_eq!(app.post(&path, &body(false)).with(200).json()["matched"], 2);
    let bypassed = app.get(&format!("{RECORDS}?status=bypassed")).json();
    assert_eq!(bypassed["data"].as_array().unwrap().len(), 2);
}

#[test]
fn a_filter_that_cannot_be_read_changes_nothing() {
    let app = app();
    for body in [
        json!({}),
        json!({"filter": null}),
        json!({"filter": [], "reason": "r"}),
        json!({"filter": ["failed"], "reason": "r"}),
        json!({"filter": {}, "reason": " "}),
        json!({"filter": {}, "reason": " ", "background": true}),
        json!({"filter": {}, "reason": "r".repeat(501)}),
        json!({"filter": {"status": "faild"}}),
        json!({"filter": {"state": "failed"}}),
        json!({"filter": {"cause": "X"}}),
        json!({"filter": {}, "dryrun": true}),
        json!({"filter": {}, "dryRun": "yes"}),
    ] {
        let answer = app.post(&format!("{RECORDS}/actions/bypass"), &body);
        assert!([400, 422].contains(&answer.status()), "{body}: {}", answer.text());
    }
    app.post(&format!("{RECORDS}/actions/link"), &json!({"filter": {}})).problem(404, "NOT_FOUND");
    assert_eq!(app.get(&format!("{RECORDS}?status=bypassed")).json()["data"], json!([]));
}

#[test]
fn problems_are_grouped_by_cause() {
    let app = app();

    let problems = app.get("/v1/connections/acme/problems").with(200).json();

    let problem = &problems["data"][0];
    assert_eq!(problem["count"], 2, "{problems:#}");
    assert_eq!(problem["example"]["kind"], "Customer");
    assert!(problem["code"].is_string() && problem["title"].is_string());
    assert!(problem["fixes"].is_array() && problem["waiting"].is_number());
}

#[test]
fn a_fix_is_shown_then_done_and_pressed_again_changes_nothing() {
    let app = app();
    let long = "A name of a customer that is longer than QuickBooks takes";
    app.put(&format!("{RECORDS}/Customer/long"), &json!({"data": {"Name": long}})).with(201);

    let told = act(&app, "long", "fix", &json!({"id": "shorten", "dryRun": true})).with(200).json();
    assert!(told["preview"].as_str().unwrap().contains("becomes"), "{told:#}");
    let fixed = act(&app, "long", "fix", &json!({"id": "shorten"})).with(200).json();
    assert_eq!(fixed["status"], "queued");
    assert_eq!(fixed["data"]["Name"], long, "the application's own data stays");
    let again = act(&app, "long", "fix", &json!({"id": "shorten"})).with(200).json();
    assert_eq!(again["status"], "queued");
}

#[test]
fn a_fix_for_all_that_match_is_a_task_that_tells_how_far_it_is() {
    let app = app();
    for id in 0..5 {
        let data = json!({"data": {"Name": format!("Site: {id}")}});
        app.put(&format!("{RECORDS}/Customer/s{id}"), &data).with(201);
    }
    let path = format!("{RECORDS}/actions/fix");
    let filter = json!({"cause": "INVALID_CHARACTERS"});
    let body = |id: &str| json!({"filter": filter, "id": id, "background": true});

    app.post(&path, &body("close-window")).problem(422, "UNKNOWN_FIX");
    let begun = app.post(&path, &body("replace-characters")).with(202);
    let at = begun.header("location").unwrap().to_owned();
    assert_eq!(begun.json()["total"], 5);
    let task = loop {
        let task = app.get(&at).with(200).json();
        if task["state"] != "running" {
            break task;
        }
    };

    assert_eq!((&task["state"], &task["done"]), (&json!("done"), &json!(5)));
    app.get("/v1/connections/acme/tasks/none").problem(404, "NOT_FOUND");
}

#[test]
fn a_reference_is_of_the_sort_that_the_kind_has() {
    let app = app();
    app.put(&format!("{RECORDS}/Customer/c"), &json!({"data": {"Name": "C"}})).with(201);
    let wrong = act(&app, "c", "link", &json!({"txnId": "1A-1"})).problem(422, "INVALID_REQUEST");
    assert_eq!(wrong["pointer"], "/txnId");
    let reference = json!({"reason": "there", "reference": {"txnId": "1A-1"}});
    let wrong = act(&app, "c", "bypass", &reference).problem(422, "INVALID_REQUEST");
    assert_eq!(wrong["pointer"], "/reference/txnId");

    let reference = json!({"reason": "there", "reference": {"listId": "80-1"}});
    let bypassed = act(&app, "c", "bypass", &reference).with(200).json();

    assert_eq!(bypassed["status"], "bypassed");
    assert_eq!(bypassed["reference"]["listId"], "80-1");
}

#[test]
fn a_wrong_filter_is_told_by_its_member_and_a_reason_is_none_without_words() {
    let app = app();
    let told = |body: serde_json::Value| {
        let answer = app.post(&format!("{RECORDS}/actions/bypass"), &body);
        answer.problem(422, "INVALID_REQUEST")
    };
    for (filter, pointer) in [
        (json!({"status": "nonsense"}), "/filter/status"),
        (json!({"kind": "Custmer"}), "/filter/kind"),
        (json!({"cause": "NOPE"}), "/filter/cause"),
        (json!({"nope": 1}), "/filter/nope"),
        (json!({"status": null}), "/filter/status"),
    ] {
        assert_eq!(told(json!({"filter": filter}))["pointer"], pointer);
    }
    assert_eq!(told(json!({"filter": {}, "reason": ""}))["pointer"], "/reason");
    let shape = told(json!({"filter": []}))["detail"].as_str().unwrap().to_owned();
    assert!(!shape.contains("struct"), "{shape}");
}
