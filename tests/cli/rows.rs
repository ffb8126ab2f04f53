//! Files of records, as `push` and `check` take them and tell of them.

use serde_json::Value;
use serde_json::json;

use super::house::House;
use super::stand_in::StandIn;

/// Three rows of a file, the second over two lines; the third cannot be read.
const PEOPLE: &str = "kind,sourceId,posted,Name,Notes\n\
                      Customer,C-1,,Ann,\n\
                      Customer,C-2,,,\"two\nlines\"\n\
                      Customer,C-3,perhaps,Cid,\n";

fn house() -> (House, super::house::Server) {
    let house = House::new();
    let server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    (house, server)
}

#[test]
fn a_quote_that_nothing_closes_swallows_no_rows() {
    let (house, _server) = house();
    house.write("people.csv", "kind,sourceId,Name\nCustomer,C-1,\"Ann\nCustomer,C-2,Bob\n");

    let checked = house.run(&["check", "acme", "people.csv"]).with(1).stdout;
    let pushed = house.run(&["push", "acme", "people.csv"]).with(1).stdout;
    let kept = house.run(&["records", "acme", "--json"]).with(0).json();

    let place = "people.csv:2 Customer/C-1: the quote that begins here is not closed";
    assert!(checked.contains(place) && pushed.contains(place), "{checked}{pushed}");
    assert_eq!(kept["data"], json!([]));
}

#[test]
fn csv_is_known_by_its_header_whatever_the_file_is_called() {
    let (house, _server) = house();

    let first = "\u{feff}kind,sourceId,Name\r\nCustomer,C-1,Ann\r\n";
    house.run_with(&["push", "acme", "-"], first).with(0);
    house.write("people.txt", "sourceId,Name\nC-2,Bob\n");
    house.run(&["push", "acme", "people.txt", "--kind", "Customer"]).with(0);
    let strange = house.run_with(&["push", "acme", "-"], "hello\nworld\n").with(2);

    house.run(&["record", "show", "acme", "Customer/C-1"]).with(0);
    house.run(&["record", "show", "acme", "Customer/C-2"]).with(0);
    assert!(strange.stderr.contains("a column sourceId; say --format"), "{}", strange.stderr);
}

#[test]
fn with_json_a_bad_row_has_the_members_of_the_others_and_its_line_in_the_file() {
    let (house, _server) = house();
    house.write("people.csv", PEOPLE);
    house.write("broken.ndjson", &format!("{}no json\n", "\n".repeat(600)));

    let pushed = house.run(&["push", "acme", "people.csv", "--json"]).with(1).json();
    let checked = house.run(&["check", "acme", "people.csv", "--json"]).with(1).json();
    let broken = house.run(&["push", "acme", "broken.ndjson", "--json"]).with(1).json();

    let named = |result: &Value| (result["kind"].clone(), result["sourceId"].clone());
    let third = (json!("Customer"), json!("C-3"));
    assert_eq!(named(&pushed["data"][2]), third, "{pushed}");
    assert_eq!(named(&checked["data"][2]), third, "{checked}");
    assert_eq!((&pushed["data"][2]["line"], &checked["data"][2]["line"]), (&json!(5), &json!(5)));
    assert_eq!(pushed["data"][2]["error"]["pointer"], "/posted");
    assert_eq!(checked["data"][2]["findings"][0], checked["data"][2]["error"]);
    assert_eq!(checked["data"][1]["findings"][0]["code"], "MISSING_FIELD");
    assert_eq!(broken["data"][0]["line"], 601);
}

#[test]
fn records_are_counted_by_what_came_of_them() {
    let (house, _server) = house();
    house.write("people.csv", PEOPLE);
    let one = r#"{"kind":"Customer","sourceId":"C-1","data":{"Name":"Ann"},"posted":false}"#;

    let checked = house.run(&["check", "acme", "people.csv"]).with(1).stdout;
    let pushed = house.run(&["push", "acme", "people.csv"]).with(1).stdout;
    let held = house.run_with(&["push", "acme", "-"], one).with(0).stdout;
    let again = house.run_with(&["push", "acme", "-"], one).with(0).stdout;

    assert!(checked.ends_with("\n3 records: 1 would be accepted, 2 would fail\n"), "{checked}");
    assert!(pushed.ends_with("\n3 records: 1 queued, 1 failed, 1 refused\n"), "{pushed}");
    assert_eq!(held, "1 record: 1 held\n");
    assert_eq!(again, "1 record (1 unchanged): 1 held\n");
}

#[test]
fn a_file_without_records_still_asks_for_the_connection() {
    let (house, _server) = house();

    let nobody = house.run_with(&["push", "nobody", "-"], "").with(1);
    let nothing = house.run_with(&["check", "acme", "-"], "").with(0);

    assert!(nobody.stderr.contains("nobody"), "{}", nobody.stderr);
    assert_eq!(nothing.stdout, "there is no record in it\n");
}

#[test]
fn a_push_that_breaks_off_says_how_many_were_kept() {
    let server = StandIn::new(|line, body| {
        let records = body.lines().count();
        match (line.starts_with("POST"), records) {
            (false, _) => Some(("200 OK", String::new(), "{}".to_owned())),
            (true, 500) => {
                let result = r#"{"kind":"Customer","sourceId":"C","status":"queued"}"#;
                let type_ = "Content-Type: application/x-ndjson\r\n".to_owned();
                Some(("200 OK", type_, format!("{result}\n").repeat(records)))
            }
            (true, _) => None,
        }
    });
    let house = House::new();
    house.write("many.ndjson", &"{\"kind\":\"Customer\"}\n".repeat(600));
    let arguments = ["push", "acme", "many.ndjson", "--server", &server.url];

    let text = house.run(&arguments).with(1).stderr;
    let object = house.run(&[&arguments[..], &["--json"]].concat()).with(1).json();

    let hint = "500 records were kept before this; push the file again";
    assert!(text.contains(hint), "{text}");
    assert!(object["error"]["fixes"][0]["label"].as_str().unwrap().contains(hint), "{object}");
    assert_eq!(object["data"].as_array().unwrap().len(), 500);
}

#[test]
fn the_ids_of_fixes_are_shown_where_they_help() {
    let (house, _server) = house();
    let long = "A name that is far too long for a customer in QuickBooks";
    let record = json!({"kind": "Customer", "sourceId": "C-1", "data": {"Name": long}}).to_string();

    let checked = house.run_with(&["check", "acme", "-"], &record).with(1).stdout;
    let pushed = house.run_with(&["push", "acme", "-"], &record).with(1).stdout;
    let shown = house.run(&["record", "show", "acme", "Customer/C-1"]).with(0).stdout;
    let problems = house.run(&["problems", "acme"]).with(0).stdout;
    let nofix = house.run(&["record", "fix", "acme", "Customer/C-1", "nofix"]).with(1).stderr;

    for text in [checked, pushed, shown, problems] {
        assert!(text.contains("→ Shorten the name (shorten)"), "{text}");
    }
    assert!(nofix.contains("There is no fix \"nofix\""), "{nofix}");

    let all = ["problems", "acme", "--cause", "STRING_TOO_LONG", "--fix", "shorten"];
    let counted = house.run(&[&all[..], &["--dry-run"]].concat()).with(0).stdout;
    assert_eq!(counted, "1 would be fixed\n");
    assert_eq!(house.run(&all).with(0).stdout, "1 fixed\n");
    assert_eq!(house.run(&all).with(0).stdout, "0 fixed\n");
    let shown = house.run(&["record", "show", "acme", "Customer/C-1"]).with(0).stdout;
    assert!(shown.contains("queued"), "{shown}");
}
