//! A disk that is full, read-only, or not ours any more, under the real program.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use bookbridge::simulator::Ended;
use bookbridge::simulator::Endpoint;
use bookbridge::simulator::QuickBooks;
use bookbridge::simulator::Setup;
use bookbridge::simulator::WebConnector;
use serde_json::Value;
use serde_json::json;
use ureq::Agent;

use crate::cli::house::House;
use crate::cli::house::Server;

/// A small disk of its own, gone with the test.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// `None` if nobody may mount here; it says so.
    fn mount(at: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let option = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(at).output();
        match mounted {
            Ok(mounted) if mounted.status.success() => Some(Self(at)),
            _ => {
                eprintln!("skipped: no right to mount a disk");
                None
            }
        }
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        let done = Command::new("mount").args(["-o", &option]).arg(self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

/// Puts one customer: status, `Retry-After`, code.
fn put(url: &str, key: &str, number: u32) -> (u16, String, String) {
    let data = json!({"Name": format!("C{number}"), "Notes": "n".repeat(4000)});
    put_record(url, key, &format!("Customer/{number}"), &data)
}

/// Puts any record.
fn put_record(url: &str, key: &str, path: &str, data: &Value) -> (u16, String, String) {
    let called = agent()
        .put(format!("{url}/v1/connections/acme/records/{path}"))
        .header("Authorization", format!("Bearer {key}"))
        .send_json(json!({ "data": data }));
    told(called.unwrap())
}

/// Status, `Retry-After`, code.
fn told(mut answer: ureq::http::Response<ureq::Body>) -> (u16, String, String) {
    let after =
        answer.headers().get("retry-after").map_or("", |it| it.to_str().unwrap()).to_owned();
    let body: Value =
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap_or_default();
    (answer.status().as_u16(), after, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Downloads everything: status, `Retry-After`, code.
fn export(url: &str, key: &str) -> (u16, String, String) {
    let called = agent()
        .get(format!("{url}/v1/export"))
        .header("Authorization", format!("Bearer {}", key.trim()))
        .call();
    told(called.unwrap())
}

fn readiness(url: &str) -> (u16, String, String) {
    told(agent().get(format!("{url}/readyz")).call().unwrap())
}

/// Starts the server without root's power to do what rights forbid.
fn serve_as_anybody(house: &House) -> Server {
    let mut serve = house.command(&["serve", "--listen", "127.0.0.1:0", "--session-idle", "1"]);
    if rustix::process::geteuid().is_root() {
        let mut plain = Command::new("setpriv");
        plain
            .args(["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"])
            .arg(serve.get_program())
            .args(serve.get_args())
            .current_dir(house.path());
        for (name, value) in serve.get_envs() {
            match value {
                Some(value) => plain.env(name, value),
                None => plain.env_remove(name),
            };
        }
        serve = plain;
    }
    house.started(&mut serve)
}

/// A directory that lost its rights, until this is dropped.
struct Locked(PathBuf);

impl Locked {
    fn new(path: PathBuf, mode: u32) -> Self {
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Self(path)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        std::fs::set_permissions(&self.0, Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_disk_without_room_refuses_new_records_and_keeps_the_others() {
    let house = House::new();
    let data = house.path().join("bookbridge-data");
    let Some(disk) = SmallDisk::mount(&data, "600m") else { return };
    let server = house.serve(&[]);
    house.run(&["connection", "add", "acme"]).with(0);
    let key = std::fs::read_to_string(data.join("admin.key")).unwrap();
    assert_eq!(put(&server.url, key.trim(), 1).0, 201);

    // Somebody else fills the disk.
    disk.remount("size=60m");
    let (status, after, code) = put(&server.url, key.trim(), 2);

    assert_eq!((status, code.as_str()), (503, "STORE_FULL"));
    assert!(after.parse::<u32>().is_ok(), "{after}");
    assert_eq!(readiness(&server.url).2, "STORE_FULL");
    // Not a byte is left for a copy.
    let filler = data.join("filler");
    std::fs::write(&filler, vec![0; 64 << 20]).unwrap_err();
    let (status, after, code) = export(&server.url, &key);
    std::fs::remove_file(&filler).unwrap();
    assert_eq!((status, code.as_str()), (503, "STORE_FULL"));
    assert!(after.parse::<u32>().is_ok(), "{after}");
    let doctor = house.run(&["doctor"]).with(1).stdout;
    assert!(doctor.contains("store: The disk is full"), "{doctor}");
    let shown = house.run(&["record", "show", "acme", "Customer/1", "--json"]).with(0).json();
    assert_eq!(shown["status"], "queued");
    disk.remount("size=600m");
    assert_eq!(put(&server.url, key.trim(), 2).0, 201);
    assert_eq!(readiness(&server.url).0, 200);
}

#[test]
fn a_disk_that_becomes_read_only_ends_the_program_and_loses_nothing() {
    let house = House::new();
    let data = house.path().join("bookbridge-data");
    let Some(disk) = SmallDisk::mount(&data, "600m") else { return };
    {
        let server = house.serve(&[]);
        house.run(&["connection", "add", "acme"]).with(0);
        let key = std::fs::read_to_string(data.join("admin.key")).unwrap();
        assert_eq!(put(&server.url, key.trim(), 1).0, 201);
    }
    disk.remount("ro");

    let refused = house.run(&["serve", "--listen", "127.0.0.1:0"]).with(1);
    assert!(refused.stderr.contains("Read-only"), "{}", refused.stderr);

    disk.remount("rw");
    let _server = house.serve(&[]);
    let shown = house.run(&["record", "show", "acme", "Customer/1", "--json"]).with(0).json();
    assert_eq!(shown["status"], "queued");
}

/// An invoice that is too long for a row of the database.
fn long_invoice() -> Value {
    let line =
        json!({"ItemRef": {"FullName": "Labor"}, "Desc": "d".repeat(4000), "Amount": "1.00"});
    json!({"CustomerRef": {"FullName": "Ann"}, "TxnDate": "2026-02-03", "InvoiceLine": vec![line; 20]})
}

#[test]
fn a_data_directory_that_lost_its_rights_refuses_what_it_cannot_keep() {
    let house = House::new();
    let data = house.path().join("bookbridge-data");
    let server = serve_as_anybody(&house);
    house.run(&["connection", "add", "acme"]).with(0);
    let key = std::fs::read_to_string(data.join("admin.key")).unwrap();
    let key = key.trim();
    let put_invoice =
        |number: &str| put_record(&server.url, key, &format!("Invoice/{number}"), &long_invoice());
    assert_eq!(put_invoice("before").0, 201);

    for (number, (inside, mode)) in [("", 0o000), ("store/spool", 0o500)].into_iter().enumerate() {
        let locked = Locked::new(data.join(inside), mode);
        let refused = put_invoice(&format!("I-{number}"));
        let ready = readiness(&server.url);
        let exported = inside.is_empty().then(|| export(&server.url, key));
        drop(locked);

        for (status, after, code) in [refused, ready].into_iter().chain(exported) {
            assert_eq!((status, code.as_str()), (503, "STORE_FULL"), "{inside}");
            assert!(after.parse::<u32>().is_ok(), "{after}");
        }
        assert_eq!(readiness(&server.url).0, 200);
        // Nothing of it was kept: it is new.
        assert_eq!(put_invoice(&format!("I-{number}")).0, 201);
    }
    let log = std::fs::read_to_string(house.path().join("serve.log")).unwrap();
    assert!(log.contains("cannot be written") && log.contains("Permission denied"), "{log}");
    assert_eq!(server.terminate(), Some(0));
    house.run(&["store", "check"]).with(0);
}

#[test]
fn a_response_that_cannot_be_kept_is_asked_for_again_and_posts_nothing_twice() {
    let house = House::new();
    let data = house.path().join("bookbridge-data");
    let server = serve_as_anybody(&house);
    let made = house.run(&["connection", "add", "acme", "--json"]).with(0).json();
    let key = std::fs::read_to_string(data.join("admin.key")).unwrap();
    for number in 0..20 {
        assert_eq!(put(&server.url, key.trim(), number).0, 201);
    }
    let endpoint = Endpoint {
        url: format!("{}/qbwc", server.url),
        user: made["username"].as_str().unwrap().to_owned(),
        password: made["password"].as_str().unwrap().to_owned(),
    };
    let quickbooks = QuickBooks::open(None, &Setup::default(), 1_764_000_000).unwrap();
    let mut connector = WebConnector::new(endpoint, quickbooks, Box::new(|| 1_764_000_000));

    // QuickBooks wrote all of them; its answer comes while nothing can be written.
    let mut locked = None;
    let lost = connector.session(&[], &mut |call| {
        let bytes = call.answer.strip_suffix(" bytes").and_then(|it| it.parse::<u32>().ok());
        if call.operation == "QuickBooks" && bytes.is_some_and(|bytes| bytes > 60_000) {
            locked = Some(Locked::new(data.clone(), 0o000));
        }
    });
    assert!(locked.is_some() && matches!(lost.ended, Ended::Stopped(_)), "{lost:?}");
    let written = connector.quickbooks().books().of_kind("Customer").count();
    drop(locked);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let again = connector.session(&[], &mut |_| {});

    assert_eq!(again.ended, Ended::Done, "{lost:?}");
    assert_eq!(connector.quickbooks().books().of_kind("Customer").count(), written);
    for number in 0..20 {
        let path = format!("Customer/{number}");
        let shown = house.run(&["record", "show", "acme", &path, "--json"]).with(0).json();
        assert_eq!(shown["status"], "synced", "{number}");
    }
    assert_eq!(server.terminate(), Some(0));
    house.run(&["store", "check"]).with(0);
}
