//! What is printed, and what happens if nobody reads it.

use std::fmt::Write as _;
use std::process::Stdio;

use super::house::House;
use super::house::ended;

#[test]
fn a_push_whose_output_nobody_reads_goes_on_to_its_end() {
    let house = House::new();
    let _server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    // Each part of 500 has something to say, and the last record comes after all of them.
    let mut records = String::new();
    for number in 0..1_200 {
        let name = if number % 100 == 0 { String::new() } else { format!("Ann {number}") };
        writeln!(
            records,
            r#"{{"kind":"Customer","sourceId":"C-{number}","data":{{"Name":"{name}"}}}}"#
        )
        .unwrap();
    }
    house.write("records.ndjson", &records);

    for more in [&[][..], &["--json"]] {
        let arguments = [&["push", "acme", "records.ndjson"], more].concat();
        let mut push = house.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        drop(push.stdout.take());

        assert_eq!(push.wait().unwrap().code(), Some(1), "some records fail");
        house.run(&["record", "show", "acme", "Customer/C-1199"]).with(0);
    }
}

#[test]
fn an_error_that_nobody_reads_keeps_its_exit_code() {
    let house = House::new();
    let unreachable = ["records", "acme", "--server", "http://127.0.0.1:9"];

    let mut child = house.command(&unreachable).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());

    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn with_json_every_error_is_an_object_with_code_detail_and_fixes() {
    let house = House::new();
    let set = |name: &str, value: &str| {
        let mut command = house.command(&["records", "acme", "--json"]);
        command.env(name, value);
        ended(&mut command)
    };

    for (ended, exit, code) in [
        (
            house.run(&["records", "acme", "--json", "--server", "http://127.0.0.1:9"]),
            1,
            "SERVER_UNREACHABLE",
        ),
        (house.run(&["records", "acme", "--json", "--nonsense"]), 2, "WRONG_USAGE"),
        (house.run(&["export", "-", "--json"]), 2, "WRONG_USAGE"),
        (house.run(&["export", "x.ndjson", "--json"]), 1, "COMMAND_FAILED"),
        (set("BOOKBRIDGE_NONSENSE", "1"), 2, "WRONG_SETTING"),
    ] {
        let error = ended.with(exit).json();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["fixes"].is_array() && error["detail"].is_string(), "{error}");
    }
}
