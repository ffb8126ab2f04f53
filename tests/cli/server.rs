//! The server as a process: its address, its files, its end.

use super::house::House;

#[cfg(unix)]
#[test]
fn a_server_ends_with_0_after_sigterm_and_keeps_what_it_took() {
    let house = House::new();
    let server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    let record = r#"{"kind":"Customer","sourceId":"C-1","data":{"Name":"Ann"}}"#;
    house.run_with(&["push", "acme", "-"], record).with(0);

    assert_eq!(server.terminate(), Some(0));

    assert!(!house.path().join("bookbridge-data/server.url").exists());
    let _again = house.serve(&[]);
    let shown = house.run(&["record", "show", "acme", "Customer/C-1", "--json"]).with(0).json();
    assert_eq!(shown["status"], "queued");
}

#[cfg(unix)]
#[test]
fn a_call_in_flight_is_answered_after_sigterm_and_what_it_brought_is_kept() {
    use std::io::Read as _;
    use std::io::Write as _;
    let house = House::new();
    let server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    let key = std::fs::read_to_string(house.path().join("bookbridge-data/admin.key")).unwrap();
    let body = r#"{"data":{"Name":"Ann"}}"#;
    let (early, late) = body.split_at(10);
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "PUT /v1/connections/acme/records/Customer/C-1 HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        key.trim(),
        body.len()
    )
    .unwrap();
    // Its answer to `Expect` tells that the call is at work.
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(early.as_bytes()).unwrap();

    super::house::signal(&server.child, "TERM");
    let log = house.path().join("serve.log");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !std::fs::read_to_string(&log).unwrap().contains("finishing the calls in flight") {
        assert!(std::time::Instant::now() < until, "it did not hear the signal");
        std::thread::yield_now();
    }
    stream.write_all(late.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(server.ended(), Some(0));
    let _again = house.serve(&[]);
    let shown = house.run(&["record", "show", "acme", "Customer/C-1", "--json"]).with(0).json();
    assert_eq!(shown["status"], "queued");
}

#[cfg(unix)]
#[test]
fn the_data_directory_and_the_key_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    let _server = house.serve(&[]);

    for (name, rights) in [("", 0o700), ("admin.key", 0o600), ("server.url", 0o600)] {
        let path = house.path().join("bookbridge-data").join(name);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, rights, "{}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn nothing_that_is_kept_is_for_others_whatever_the_umask() {
    fn open_to_others(directory: &std::path::Path, found: &mut Vec<String>) {
        use std::os::unix::fs::PermissionsExt as _;
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let meta = entry.metadata().unwrap();
            if meta.permissions().mode() & 0o077 != 0 {
                found.push(entry.path().display().to_string());
            }
            if meta.is_dir() {
                open_to_others(&entry.path(), found);
            }
        }
    }
    let house = House::new();
    let program = env!("CARGO_BIN_EXE_bookbridge");
    let mut shell = std::process::Command::new("sh");
    let script = "umask 0; exec \"$0\" serve --listen 127.0.0.1:0 --store sled:kept/books";
    let server = house.started(shell.current_dir(house.path()).args(["-c", script, program]));
    house.run(&["connection", "add", "Acme"]).with(0);
    // Long enough for a file of its own.
    let notes = "x".repeat(100_000);
    let record = format!(
        r#"{{"kind":"Customer","sourceId":"C-1","data":{{"Name":"Ann","Notes":"{notes}"}}}}"#
    );
    house.run_with(&["push", "acme", "-"], &record);

    assert_eq!(server.terminate(), Some(0));

    let mut found = Vec::new();
    open_to_others(house.path(), &mut found);
    found.retain(|path| !path.ends_with("serve.log"));
    assert_eq!(found, Vec::<String>::new());
    assert!(house.path().join("kept/books/spool").read_dir().unwrap().next().is_some());
}

#[cfg(unix)]
#[test]
fn what_others_could_read_is_closed_or_named_at_the_start() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    drop(house.serve(&[]));
    let data = house.path().join("bookbridge-data");
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mode =
        |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    set(&data, 0o755);
    set(&data.join("admin.key"), 0o644);
    set(&data.join("store/sled"), 0o755);

    let _server = house.serve(&[]);

    assert_eq!((mode("admin.key"), mode("store/sled")), (0o600, 0o700));
    let log = std::fs::read_to_string(house.path().join("serve.log")).unwrap();
    assert!(log.contains("admin.key") && log.contains("chmod go-rwx"), "{log}");
}

#[test]
fn a_local_key_that_was_removed_is_refused_after_the_next_start() {
    let house = House::new();
    drop(house.serve(&[]));
    let file = house.path().join("bookbridge-data/admin.key");
    let old = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();

    let _server = house.serve(&[]);
    let with_old = super::house::ended(
        house.command(&["connection", "list"]).env("BOOKBRIDGE_API_KEY", old.trim()),
    );

    house.run(&["connection", "list"]).with(0);
    assert!(with_old.with(1).stderr.contains("UNAUTHENTICATED"));
}

/// A handler stands when the address is told, so no signal after it kills the process.
#[cfg(target_os = "linux")]
#[test]
fn signals_are_heard_before_the_address_is_told() {
    let house = House::new();
    let server = house.serve(&[]);

    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();

    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    for (name, number) in [("SIGINT", 2), ("SIGTERM", 15)] {
        assert_ne!(caught & (1 << (number - 1)), 0, "{name}");
    }
}

#[test]
fn a_second_server_on_the_same_directory_says_so() {
    let house = House::new();
    let _first = house.serve(&[]);

    let second = house.run(&["serve", "--listen", "127.0.0.1:0"]).with(1);

    assert!(second.stderr.contains("cannot open the store"), "{}", second.stderr);
    assert!(second.stdout.is_empty(), "{}", second.stdout);
}

#[test]
fn a_taken_port_is_named() {
    let house = House::new();
    let first = house.serve(&[]);
    let address = first.url.strip_prefix("http://").unwrap();

    let second = House::new().run(&["serve", "--listen", address]).with(1);

    assert!(second.stderr.contains(&format!("cannot listen on {address}")), "{}", second.stderr);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let house = House::new();
    house.write("empty.pem", "");

    for (certificate, part) in [("none.pem", "none.pem"), ("empty.pem", "no certificate")] {
        let serve = ["serve", "--data-dir", "made", "--tls-cert", certificate, "--tls-key", "k"];
        let ended = house.run(&serve).with(2);
        assert!(!house.path().join("made").exists(), "a data directory was made");
        assert!(ended.stderr.contains("tls-cert") && ended.stderr.contains(part), "{ended:?}");
    }
}
