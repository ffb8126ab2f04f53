//! A disk that is full or read-only, under the real program.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::cli::house::House;

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

/// Puts one customer: status, `Retry-After`, code.
fn put(url: &str, key: &str, number: u32) -> (u16, String, String) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent
        .put(format!("{url}/v1/connections/acme/records/Customer/{number}"))
        .header("Authorization", format!("Bearer {key}"))
        .send_json(json!({"data": {"Name": format!("C{number}"), "Notes": "n".repeat(4000)}}))
        .unwrap();
    let after =
        answer.headers().get("retry-after").map_or("", |it| it.to_str().unwrap()).to_owned();
    let body: Value = answer.body_mut().read_json().unwrap();
    (answer.status().as_u16(), after, body["code"].as_str().unwrap_or_default().to_owned())
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
    let shown = house.run(&["record", "show", "acme", "Customer/1", "--json"]).with(0).json();
    assert_eq!(shown["status"], "queued");
    disk.remount("size=600m");
    assert_eq!(put(&server.url, key.trim(), 2).0, 201);
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
