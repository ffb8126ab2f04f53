//! The simulated Web Connector as a process: its password, its end.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Stdio;

use super::house::House;
use super::house::ended;

#[test]
fn a_password_need_not_stand_on_the_command_line() {
    let house = House::new();
    let server = house.serve(&[]);
    let made = house.run(&["connection", "add", "Acme", "--json"]).with(0).json();
    let (user, password) = (made["username"].as_str().unwrap(), made["password"].as_str().unwrap());
    let url = format!("{}/qbwc", server.url);
    let simulate = ["simulate", "--url", &url, "--user", user, "--once"];

    let piped = [&simulate[..], &["--password", "-"]].concat();
    house.run_with(&piped, &format!("{password}\r\n")).with(0);
    let mut set = house.command(&simulate);
    ended(set.env("BOOKBRIDGE_SIMULATE_PASSWORD", password)).with(0);
    let mut help = house.command(&["simulate", "--help"]);
    let help = ended(help.env("BOOKBRIDGE_SIMULATE_PASSWORD", "OPEN-SESAME")).with(0).stdout;

    assert!(help.contains("BOOKBRIDGE_SIMULATE_PASSWORD"), "{help}");
    assert!(!help.contains("OPEN-SESAME"), "{help}");
}

#[test]
fn a_connection_with_a_company_file_can_be_simulated() {
    let house = House::new();
    let server = house.serve(&[]);
    let add = ["connection", "add", "Acme", "--company-file", "D:\\Books\\Acme.QBW", "--json"];
    let made = house.run(&add).with(0).json();
    let (user, password) = (made["username"].as_str().unwrap(), made["password"].as_str().unwrap());
    let url = format!("{}/qbwc", server.url);
    let simulate =
        ["simulate", "--url", &url, "--user", user, "--password", password, "--company", "books"];
    let push = |name: &str| {
        let record = format!(
            "{{\"kind\":\"Customer\",\"sourceId\":\"{name}\",\"data\":{{\"Name\":\"{name}\"}}}}\n"
        );
        house.run_with(&["push", "acme", "-"], &record).with(0);
    };

    push("A");
    house.run(&[&simulate[..], &["--once"]].concat()).with(0);
    push("B");
    let other = ["--company-file", "D:\\Other.QBW", "--once"];
    let elsewhere = [&simulate[..7], &other].concat();
    let refused = house.run(&elsewhere).with(1).stdout;
    assert!(refused.contains("QBWC1013: 0x8004040A"), "{refused}");
    // The file that there is keeps its path.
    let again = house.run(&[&simulate[..], &other].concat()).with(0).stdout;
    assert!(again.contains("1 message set"), "{again}");
}

#[test]
fn another_company_file_gets_nothing_in_a_first_session() {
    let house = House::new();
    let _server = house.serve(&[]);
    let made = house.run(&["connection", "add", "Acme", "--json"]).with(0).json();
    let password = made["password"].as_str().unwrap();
    house.run(&["connection", "qwc", "acme", "-o", "acme.qwc"]).with(0);
    let record = r#"{"kind":"Customer","sourceId":"C-1","data":{"Name":"Ann"}}"#;
    house.run_with(&["push", "acme", "-"], record).with(0);
    let simulate = ["simulate", "--qwc", "acme.qwc", "--password", password, "--company", "books"];
    let record = || house.run(&["record", "show", "acme", "Customer/C-1", "--json"]).with(0).json();

    let wrong = [&simulate[..], &["--once", "--fault", "wrong-company"]].concat();
    let ended = house.run(&wrong).with(1).stdout;

    assert!(ended.contains("does not carry this connection's stamp"), "{ended}");
    assert_eq!(record()["status"], "queued");
    let health = house.run(&["explain", "acme", "--json"]).with(0).json();
    assert!(health.to_string().contains("WRONG_COMPANY_FILE"), "{health}");
    house.run(&[&simulate[..], &["--once"]].concat()).with(0);
    assert_eq!(record()["status"], "synced");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_0() {
    let house = House::new();
    let server = house.serve(&[]);
    let url = format!("{}/qbwc", server.url);

    for signal in ["INT", "TERM"] {
        let mut child = house
            .command(&["simulate", "--url", &url, "--user", "u", "--password", "p"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "the name or password is wrong (QBWC1040)"));
        super::house::signal(&child, signal);

        assert!(lines.any(|line| line == "stopped"));
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn settings_that_nobody_knows_are_named_by_what_needs_none() {
    let house = House::new();
    let simulate = ["simulate", "--url", "http://127.0.0.1:9", "--user", "u", "--password", "p"];
    let completions = ["completions", "bash"];

    for arguments in [&simulate[..], &completions] {
        let foo = ended(house.command(arguments).env("BOOKBRIDGE_FOO", "1")).with(2).stderr;
        assert!(foo.contains("unknown setting BOOKBRIDGE_FOO"), "{foo}");
        let none = house.run(&[arguments, &["--config", "none.toml"]].concat()).with(2).stderr;
        assert!(none.contains("none.toml"), "{none}");
    }
}
