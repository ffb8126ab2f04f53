//! A server, and the commands that people use with it.

use serde_json::json;

use super::house::House;

/// One customer, and an invoice that waits for it.
const RECORDS: &str = concat!(
    r#"{"kind":"Customer","sourceId":"C-1","data":{"Name":"Ann Example"}}"#,
    "\n",
    r#"{"kind":"Customer","sourceId":"C-2","data":{"Name":"A name that is far too long for a customer in QuickBooks"}}"#,
    "\n",
    "no json\n",
);

#[test]
fn a_connection_is_made_and_its_qwc_is_the_same_at_every_download() {
    let house = House::new();
    let _server = house.serve(&[]);

    let made = house.run(&["connection", "add", "Acme Ltd.", "--json"]).with(0).json();
    let first = house.run(&["connection", "qwc", "acme-ltd"]).with(0).stdout;
    house.run(&["connection", "qwc", "acme-ltd", "-o", "acme.qwc"]).with(0);
    let shown = house.run(&["connection", "show", "acme-ltd", "--json"]).with(0).json();

    assert_eq!(made["id"], "acme-ltd");
    assert!(made["password"].as_str().unwrap().len() >= 20, "{made}");
    assert!(shown.get("password").is_none(), "{shown}");
    assert!(first.contains("<QBWCXML>"), "{first}");
    assert_eq!(std::fs::read_to_string(house.path().join("acme.qwc")).unwrap(), first);
}

#[test]
fn a_connection_is_paused_rotated_and_removed() {
    let house = House::new();
    let _server = house.serve(&[]);
    let made = house.run(&["connection", "add", "Acme", "--json"]).with(0).json();

    house.run(&["connection", "pause", "acme"]).with(0);
    let explained = house.run(&["explain", "acme", "--json"]).with(0).json();
    house.run(&["connection", "resume", "acme"]).with(0);
    let rotated = house.run(&["connection", "rotate-password", "acme", "--json"]).with(0).json();
    let identity = house.run(&["connection", "rotate-identity", "acme"]).with(0).stdout;
    house.run(&["connection", "remove", "acme"]).with(0);
    let gone = house.run(&["connection", "show", "acme"]).with(1);

    assert_eq!(explained["state"], "paused");
    assert_ne!(rotated["password"], made["password"]);
    assert!(identity.contains("bookbridge connection qwc acme -o acme.qwc"), "{identity}");
    assert!(gone.stderr.contains("acme"), "{}", gone.stderr);
}

#[test]
fn records_are_pushed_checked_listed_and_decided_about() {
    let house = House::new();
    let _server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    house.write("records.ndjson", RECORDS);

    let checked = house.run(&["check", "acme", "records.ndjson", "--json"]).with(1).json();
    let pushed = house.run(&["push", "acme", "records.ndjson"]).with(1);
    let again = house.run(&["push", "acme", "records.ndjson", "--json"]).with(1).json();
    let failed = house.run(&["records", "acme", "--status", "failed", "--json"]).with(0).json();
    let shown = house.run(&["record", "show", "acme", "Customer/C-2"]).with(0).stdout;
    let bypassed = ["record", "bypass", "acme", "Customer/C-2", "--reason", "by hand", "--json"];
    let bypassed = house.run(&bypassed).with(0).json();
    let nobody = house.run(&["record", "show", "acme", "Customer/C-9"]).with(1);

    assert_eq!(checked["data"][0]["findings"], json!([]));
    assert_eq!(checked["data"][1]["findings"][0]["code"], "STRING_TOO_LONG");
    assert!(pushed.stdout.contains("records.ndjson:2 Customer/C-2"), "{}", pushed.stdout);
    assert!(pushed.stdout.contains("records.ndjson:3"), "{}", pushed.stdout);
    assert!(pushed.stdout.contains("3 records: 1 "), "{}", pushed.stdout);
    assert_eq!(again["data"][0]["status"], "queued");
    assert_eq!(again["data"][1]["status"], "failed");
    assert!(again["data"][2].get("error").is_some(), "{again}");
    assert_eq!(failed["data"][0]["sourceId"], "C-2");
    assert!(shown.contains("STRING_TOO_LONG"), "{shown}");
    assert_eq!(bypassed["status"], "bypassed");
    assert!(nobody.stderr.contains("Customer/C-9"), "{}", nobody.stderr);
}

#[test]
fn csv_and_stdin_are_pushed_too() {
    let house = House::new();
    let _server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    house.write("people.csv", "sourceId,Name,BillAddress.City\nC-1,Ann,Bern\nC-2,Bob,\n");

    let file = house.run(&["push", "acme", "people.csv", "--kind", "Customer", "--json"]).with(0);
    let one = r#"{"kind":"Vendor","sourceId":"V/1 ä","data":{"Name":"Vic"}}"#;
    house.run_with(&["push", "acme", "-"], one).with(0);
    let ann = house.run(&["record", "show", "acme", "Customer/C-1", "--json"]).with(0).json();
    let vic = house.run(&["record", "show", "acme", "Vendor/V/1 ä", "--json"]).with(0).json();

    assert_eq!(file.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(ann["data"]["BillAddress"]["City"], "Bern");
    assert_eq!(vic["sourceId"], "V/1 ä");
}

#[test]
fn a_file_that_is_no_file_of_records_names_the_place() {
    let house = House::new();
    let _server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    house.write("broken.json", "[{\"kind\":\"Customer\"},");
    house.write("header.csv", "kind,Name\nCustomer,Ann\n");

    for (file, code, part) in [
        ("none.json", 1, "none.json"),
        (".", 2, "directory"),
        ("broken.json", 1, "broken.json: "),
        ("header.csv", 2, "header.csv: the header has no column sourceId"),
    ] {
        let ended = house.run(&["push", "acme", file]).with(code);
        assert!(ended.stderr.contains(part), "{file}: {}", ended.stderr);
    }
    let nowhere = house.run_with(&["push", "nobody", "-"], "{\"kind\":\"Customer\"}").with(1);
    assert!(nowhere.stderr.contains("nobody"), "{}", nowhere.stderr);
}

#[test]
fn a_key_may_do_what_its_scope_says() {
    let house = House::new();
    let server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);

    let made = house.run(&["key", "create", "--scope", "read", "--name", "eye", "--json"]).with(0);
    let key = made.json();
    let with_key = |arguments: &[&str], key: &str| {
        super::house::ended(
            house
                .command(arguments)
                .env("BOOKBRIDGE_API_KEY", key)
                .env("BOOKBRIDGE_SERVER", &server.url),
        )
    };
    let text = key["key"].as_str().unwrap();
    with_key(&["records", "acme"], text).with(0);
    let refused = with_key(&["connection", "pause", "acme"], text).with(1);
    let listed = house.run(&["key", "list", "--json"]).with(0);
    house.run(&["key", "revoke", key["id"].as_str().unwrap()]).with(0);
    let revoked = with_key(&["records", "acme"], text).with(1);

    assert!(key["scopes"].as_array().unwrap().contains(&json!("read")), "{key}");
    assert!(refused.stderr.contains("scope"), "{}", refused.stderr);
    assert!(listed.stdout.contains("eye") && !listed.stdout.contains(text));
    assert!(!revoked.stderr.is_empty());
}

#[test]
fn the_doctor_names_what_is_wrong_and_how_to_mend_it() {
    let house = House::new();

    let before = house.run(&["doctor"]).with(1).stdout;
    let _server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    let well = house.run(&["doctor"]).with(0).stdout;
    let never_paired = well.split("⚠ connection acme").nth(1).unwrap_or(&well);
    let strange =
        super::house::ended(house.command(&["doctor", "--json"]).env("BOOKBRIDGE_API_KEY", "x"));

    assert!(before.contains("✗ server") && before.contains("→ start it"), "{before}");
    for line in [
        "✓ data directory",
        "✓ server",
        "✓ store: it answers; it writes format 1",
        "✓ endpoint",
        "✓ WSDL",
        "✓ API key",
        "connection acme",
    ] {
        assert!(well.contains(line), "{line} is not in:\n{well}");
    }
    assert!(never_paired.contains("→ make the file to install: bookbridge connection qwc acme"));
    let refused = strange.with(1).json();
    let lines = refused["data"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["check"] == "API key" && line["state"] == "error"));
}
