//! The demo as a process: what it prints, where it is, how it ends.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Stdio;

use super::house::House;
use super::house::ended;

/// A demo that runs, with what it prints.
struct Demo {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Demo {
    fn start(house: &House, arguments: &[&str]) -> Self {
        let mut command =
            house.command(&[&["demo", "--listen", "127.0.0.1:0"], arguments].concat());
        command.env("TMPDIR", house.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads on to a line that begins so; the rest of it.
    fn until(&mut self, begin: &str) -> String {
        loop {
            let line = self.lines.next().expect(begin).unwrap();
            if let Some(rest) = line.trim_start().strip_prefix(begin) {
                return rest.to_owned();
            }
        }
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        super::house::signal(&self.child, name);
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Directories that a demo made for itself.
fn left_over(house: &House) -> Vec<String> {
    let names = std::fs::read_dir(house.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("bookbridge-demo-")).collect()
}

#[cfg(unix)]
#[test]
fn a_demo_tells_its_address_serves_and_ends_with_its_directory() {
    let house = House::new();
    let mut demo = Demo::start(&house, &[]);

    let url = demo.until("listening on ");
    demo.until("the API");
    let answer = ureq::get(&format!("{url}/healthz")).call().unwrap().status();
    assert_eq!(left_over(&house).len(), 1);
    demo.signal("INT");

    assert_eq!(demo.until("stopped"), "");
    assert_eq!(demo.child.wait().unwrap().code(), Some(0));
    assert_eq!(answer, 200);
    assert!(left_over(&house).is_empty());
}

#[cfg(unix)]
#[test]
fn a_demo_that_is_interrupted_says_stopped_and_leaves_nothing() {
    for signal in ["INT", "TERM"] {
        let house = House::new();
        let mut demo = Demo::start(&house, &["--exit"]);

        demo.until("listening on ");
        demo.signal(signal);

        // It may have been done before the signal came.
        let code = demo.child.wait().unwrap().code();
        let rest: Vec<_> = demo.lines.by_ref().map(Result::unwrap).collect();
        let stopped = rest.iter().any(|line| line == "stopped");
        assert!(code == Some(0) || (code == Some(1) && stopped), "{code:?} {rest:?}");
        assert!(left_over(&house).is_empty());
    }
}

#[test]
fn a_directory_that_holds_something_is_left_as_it_is() {
    let house = House::new();
    let demo = ["demo", "--exit", "--listen", "127.0.0.1:0", "--data-dir", "my demo"];
    house.run(&demo).with(0);

    let again = house.run(&demo).with(1);
    let mut served = house.command(&["demo", "--exit"]);
    let _server = house.serve(&["--data-dir", "books"]);
    let served = ended(served.env("BOOKBRIDGE_DATA_DIR", "books")).with(1);

    assert!(again.stderr.contains("my demo holds a demo already; remove it"), "{}", again.stderr);
    assert!(again.stderr.contains("/my demo'\n"), "{}", again.stderr);
    assert!(served.stderr.contains("books holds a store already"), "{}", served.stderr);
}

#[test]
fn a_demo_reads_settings_as_every_command_does() {
    let house = House::new();
    let with = |name: &str, value: &str, arguments: &[&str]| {
        ended(house.command(&[&["demo", "--exit"], arguments].concat()).env(name, value))
    };

    let set = with("BOOKBRIDGE_LISTEN", "127.0.0.1:0", &["--json"]).with(0).json();
    let far = with("BOOKBRIDGE_LISTEN", "192.0.2.1:8170", &[]).with(2).stderr;
    let unknown = with("BOOKBRIDGE_FOO", "1", &[]).with(2).stderr;
    let help = house.run(&["demo", "--help"]).with(0).stdout;

    assert!(!set["url"].as_str().unwrap().ends_with(":8170"), "{}", set["url"]);
    assert!(far.contains("setting listen") && far.contains("not on 192.0.2.1:8170"), "{far}");
    assert!(unknown.contains("unknown setting BOOKBRIDGE_FOO"), "{unknown}");
    assert!(help.contains("--listen") && !help.contains("--server"), "{help}");
    assert!(!help.contains("./bookbridge-data") && !help.contains("--public-url"), "{help}");
}

#[test]
fn the_clock_of_a_demo_ends_at_the_present() {
    let house = House::new();
    house.write("before", "");

    let demo = house.run(&["demo", "--exit", "--json", "--listen", "127.0.0.1:0"]).with(0).json();
    house.write("after", "");

    let at = |name: &str| {
        let time = std::fs::metadata(house.path().join(name)).unwrap().modified().unwrap();
        jiff::Timestamp::try_from(time).unwrap().as_second()
    };
    let all = demo["data"].as_array().unwrap();
    let last = all.iter().map(|record| {
        record["updatedAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
    });
    let last = last.max().unwrap();
    assert!(
        (at("before")..=at("after")).contains(&last),
        "{last} {} {}",
        at("before"),
        at("after")
    );
}
