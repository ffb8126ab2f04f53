//! Many customers: pushed in one body, drained by one session.

use std::fmt::Write as _;

use super::stage::Stage;

/// How many. `scripts/bench-10k` does ten thousand with a release build; a debug build has less time.
const CUSTOMERS: u64 = 2_000;

#[test]
fn many_customers_in_one_body_are_drained_by_one_session() {
    let stage = Stage::new();
    let (server, api) = stage.serve();
    let mut lines = String::new();
    for number in 1..=CUSTOMERS {
        writeln!(
            lines,
            r#"{{"kind":"Customer","sourceId":"C-{number}","data":{{"Name":"Customer {number}"}}}}"#
        )
        .unwrap();
    }

    let results = api.push(lines);
    let ended = stage.connector(&server.url).wait().unwrap();

    assert_eq!(results.len() as u64, CUSTOMERS);
    assert!(results.iter().all(|result| result["status"] == "queued"));
    assert!(ended.success());
    assert_eq!(api.count("synced"), CUSTOMERS, "{}", api.get("health"));
    assert_eq!(api.get("sessions")["data"].as_array().unwrap().len(), 1);
}
