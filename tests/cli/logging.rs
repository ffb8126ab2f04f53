//! The log: as it was set, and never with a secret.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;

use super::house::House;

/// What `authenticate` brings.
const ENVELOPE: &str = r#"<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><authenticate xmlns="http://developer.intuit.com/"><strUserName>somebody</strUserName><strPassword>OPEN-SESAME</strPassword></authenticate></soap:Body></soap:Envelope>"#;

#[test]
fn the_most_talkative_log_holds_no_password() {
    let house = House::new();
    let server = house.serve(&["--log-level", "trace", "--log-format", "json"]);
    let made = house.run(&["connection", "add", "Acme", "--json"]).with(0).json();
    let (user, password) = (made["username"].as_str(), made["password"].as_str());
    let (user, password) = (user.unwrap(), password.unwrap());

    for envelope in
        [ENVELOPE.to_owned(), ENVELOPE.replace("somebody", user).replace("OPEN-SESAME", password)]
    {
        let answer = ureq::post(&format!("{}/qbwc", server.url))
            .header("Content-Type", "text/xml; charset=utf-8")
            .header("SOAPAction", "\"http://developer.intuit.com/authenticate\"")
            .send(&envelope);
        assert_eq!(answer.unwrap().status(), 200);
    }

    let log = std::fs::read_to_string(house.path().join("serve.log")).unwrap();
    let key = std::fs::read_to_string(house.path().join("bookbridge-data/admin.key")).unwrap();
    for secret in ["OPEN-SESAME", password, key.trim()] {
        assert!(!log.contains(secret), "the log holds {secret}:\n{log}");
    }
    assert!(!log.is_empty());
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn a_stranger_that_speaks_no_http_is_no_error_of_ours() {
    let house = House::new();
    let server = house.serve(&["--log-level", "info"]);
    let address = server.url.trim_start_matches("http://");

    let mut stranger = TcpStream::connect(address).unwrap();
    stranger.write_all(b"\x16\x03\x01\x02\x00\r\n\r\n").unwrap();
    let mut answer = String::new();
    stranger.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let log = std::fs::read_to_string(house.path().join("serve.log")).unwrap();
    assert!(log.contains("INFO") && !log.contains("ERROR"), "{log}");
}

/// `a.b` names in the parentheses of a macro, such as `fields(connection.name = %id)`.
fn dotted_fields(text: &str, found: &mut BTreeSet<String>) {
    for start in ["fields(", "_span!(", "info!(", "warn!(", "error!(", "debug!("] {
        for part in text.split(start).skip(1) {
            let end = if start == "fields(" { ")]" } else { ";" };
            for field in part.split(end).next().unwrap_or_default().split(',') {
                let name = field.split('=').next().unwrap_or_default();
                let name = name.trim().trim_end_matches(')');
                let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
                if name.matches('.').count() == 1 && name.chars().all(plain) {
                    found.insert(name.to_owned());
                }
            }
        }
    }
}

fn sources(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            dotted_fields(&std::fs::read_to_string(path).unwrap(), found);
        }
    }
}

#[test]
fn every_field_of_the_log_is_in_its_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/logging.md")).unwrap();
    let mut found = BTreeSet::new();

    sources(&root.join("src"), &mut found);

    assert!(found.contains("connection.name"), "{found:?}");
    let missing: Vec<_> =
        found.iter().filter(|field| !document.contains(&format!("| `{field}` |"))).collect();
    assert!(missing.is_empty(), "docs/logging.md has no row for {missing:?}");
}
