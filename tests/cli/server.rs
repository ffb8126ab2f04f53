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
fn with_certificate_and_key_the_server_speaks_https() {
    let house = House::new();
    let made = rcgen::generate_simple_self_signed(["books.example.com".to_owned()]).unwrap();
    house.write("chain.pem", &made.cert.pem());
    house.write("key.pem", &made.signing_key.serialize_pem());

    let server = house.serve(&["--tls-cert", "chain.pem", "--tls-key", "key.pem"]);
    house.run(&["connection", "add", "Acme"]).with(0);
    let elsewhere = house.run(&["connection", "list", "--server", &server.url]).with(1);

    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    assert!(elsewhere.stderr.contains("certificate"), "{}", elsewhere.stderr);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let house = House::new();
    house.write("empty.pem", "");

    for (certificate, part) in [("none.pem", "none.pem"), ("empty.pem", "no certificate")] {
        let ended = house
            .run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", "k"])
            .with(1);
        assert!(ended.stderr.contains("tls-cert") && ended.stderr.contains(part), "{ended:?}");
    }
}
