//! An independent SOAP toolkit makes a client of the served WSDL and completes calls with it.

use std::process::Command;

use bookbridge::soap::SoapSettings;

use crate::soap::http::Server;
use crate::soap::out_of_order;

/// The interpreter that has zeep, if there is one: `ZEEP_PYTHON`, or `python3`.
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("ZEEP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import zeep"]).output();
    if found.is_ok_and(|it| it.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {python} has no zeep (pip install zeep; ZEEP_PYTHON names it)");
    None
}

/// Runs the client; panics with what it said if it is not content.
pub(crate) fn zeep(python: &str, server: &Server, arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/soap/zeep_client.py");
    let wsdl = format!("{}?wsdl", server.url());
    let ran = Command::new(python).arg(script).arg(wsdl).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    said
}

#[test]
fn zeep_makes_a_client_and_calls() {
    let Some(python) = python() else { return };
    let server = Server::start(out_of_order::engine().0, SoapSettings::default());

    let said = zeep(&python, &server, &["--versions"]);

    assert!(said.contains("serverVersion: Bookbridge "), "{said}");
    assert!(said.contains("clientVersion: ''"), "{said}");
    assert!(said.contains("authenticate: ['', 'busy']"), "{said}");
}
