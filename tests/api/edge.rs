//! What holds for every path.

use crate::soap::out_of_order;
use crate::support::app::TestApp;

fn app() -> TestApp {
    TestApp::over(out_of_order::engine().0)
}

#[test]
fn a_path_that_does_not_exist_is_a_problem() {
    let app = app();
    for path in ["/nowhere", "/v2", "/docs/nowhere", "/healthz/x", "/%2e%2e/"] {
        app.call("GET", path).send().problem(404, "NOT_FOUND");
    }
}

#[test]
fn a_method_that_does_not_exist_is_a_problem_that_names_those_that_do() {
    let app = app();
    for path in ["/openapi.json", "/metrics", "/docs"] {
        let answer = app.call("DELETE", path).send();

        assert_eq!(answer.header("allow"), Some("GET"), "{path}");
        answer.problem(405, "METHOD_NOT_ALLOWED");
    }
}

#[test]
fn every_answer_has_a_request_id_and_safe_headers() {
    let app = app();
    for path in ["/healthz", "/nowhere", "/docs", "/openapi.json", "/v1/connections"] {
        let answer = app.call("GET", path).send();

        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 36), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn a_request_id_of_the_client_is_kept_if_it_is_a_name() {
    let app = app();
    let id = |sent: &str| {
        let answer = app.call("GET", "/nowhere").header("X-Request-Id", sent).send();
        answer.header("x-request-id").unwrap().to_owned()
    };

    assert_eq!(id("order-17:a.b_C"), "order-17:a.b_C");
    for bad in ["", "a b", "<x>", &"x".repeat(129)] {
        assert_ne!(id(bad), *bad);
    }
}

#[test]
fn a_path_or_query_that_is_no_utf8_is_refused() {
    let app = app();
    for path in ["/v1/connections/%FF", "/v1/connections?q=%C3", "/docs/errors/%ff%fe"] {
        let problem = app.call("GET", path).send().problem(400, "INVALID_PARAMETER");
        assert!(problem["detail"].as_str().unwrap().contains("UTF-8"));
    }
}

#[test]
fn nothing_under_v1_is_answered_without_a_key() {
    let app = app();
    for (method, path) in [
        ("GET", "/v1/connections"),
        ("PUT", "/v1/connections/acme/records/Customer/1"),
        ("GET", "/v1/nowhere"),
        ("DELETE", "/v1"),
    ] {
        let answer = app.call(method, path).send();

        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"bookbridge\""));
        answer.problem(401, "UNAUTHENTICATED");
    }
}

#[test]
fn probes_tell_running_from_ready() {
    let app = app();

    for method in ["GET", "HEAD"] {
        app.call(method, "/healthz").send().with(200);
    }
    assert!(app.call("GET", "/readyz").send().status() >= 500);
}

#[test]
fn pages_load_nothing_and_explain_every_code() {
    let app = app();
    for path in ["/docs", "/docs/", "/docs/pairing?connection=a", "/docs/errors"] {
        let page = app.call("GET", path).send().with(200);

        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert!(!page.text().contains("<script"));
    }
    for code in ["STRING_TOO_LONG", "UNAUTHENTICATED", "OUTCOME_UNKNOWN"] {
        let page = app.call("GET", &format!("/docs/errors/{code}")).send().with(200);
        assert!(page.text().contains(code));
    }
    let problem = app.call("GET", "/docs/errors/NAME_IN_US").send().problem(404, "NOT_FOUND");
    assert!(problem["detail"].as_str().unwrap().contains("NAME_IN_USE"));
    let problem = app.call("GET", "/docs/errors/%3Cscript%3E").send().problem(404, "NOT_FOUND");
    assert!(problem["detail"].as_str().unwrap().contains("<script>"));
}

#[test]
fn every_answer_has_a_request_id_and_every_get_a_head() {
    let app = TestApp::with_connection();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/pair/nothing"),
        ("DELETE", "/login"),
        ("GET", "/v1/connections"),
        ("GET", "/nowhere"),
        ("GET", "/docs"),
    ] {
        let answer = app.call(method, path).header("X-Request-Id", "abc-1").send();

        assert_eq!(answer.header("x-request-id"), Some("abc-1"), "{method} {path}");
    }
    for path in ["/v1/connections", "/v1/connections/acme/qwc", "/openapi.json", "/docs"] {
        let head = app.admin("HEAD", path).send().with(200);
        let length = app.get(path).with(200).body.len().to_string();

        assert_eq!(head.header("content-length"), Some(length.as_str()), "{path}");
        assert!(head.body.is_empty());
    }
    app.call("HEAD", "/v1/connections").send().with(401);
}
