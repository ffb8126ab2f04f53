//! The real server in a directory of its own, and the command line beside it.

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

/// Longest that a test may take. Then its server ends, and with it whatever waits for it.
const LONGEST: Duration = Duration::from_mins(5);

/// A server that ends with the test.
pub(crate) struct House {
    pub(crate) url: String,
    /// The link that makes the first user.
    pub(crate) setup: String,
    /// How the demo says that its Web Connector polls once more.
    poll: Vec<String>,
    child: Arc<Mutex<Child>>,
    directory: TempDir,
    /// Its end tells the watch that the test is over.
    _open: mpsc::Sender<()>,
}

/// The program, as it was built beside the tests.
pub(crate) fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let program = path.join("bookbridge");
    assert!(program.exists(), "{} is not built: cargo build", program.display());
    program
}

fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap();
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        eprintln!("the server stays: {error}");
    }
}

fn link(line: &str) -> String {
    line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned()
}

impl House {
    /// An empty server.
    pub(crate) fn open() -> Self {
        Self::start(&["serve"], "listening on", "make the first user", None)
    }

    /// The demo, played to its end.
    pub(crate) fn demo() -> Self {
        Self::start(&["demo"], "the API", "the pages", Some("then poll"))
    }

    fn start(command: &[&str], listens: &str, makes: &str, polls: Option<&str>) -> Self {
        let directory = TempDir::new().unwrap();
        let mut child = Command::new(program())
            .args(command)
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path().join("data"))
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut url, mut setup, mut poll) = (String::new(), String::new(), Vec::new());
        let (tell, told) = mpsc::channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let telling = tell.clone();
        // What it says later must not fill the pipes.
        std::thread::spawn(move || {
            BufReader::new(out)
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(tell.send(line)));
        });
        std::thread::spawn(move || {
            let lines = BufReader::new(err).lines();
            lines.map_while(Result::ok).for_each(|line| drop(telling.send(line)));
        });
        while url.is_empty() || setup.is_empty() || (polls.is_some() && poll.is_empty()) {
            let line = told.recv_timeout(LONGEST).expect("it says where it is");
            if line.contains(listens) {
                link(&line).trim_end_matches("/docs").clone_into(&mut url);
            }
            if line.contains(makes) {
                setup = link(&line);
            }
            if polls.is_some_and(|polls| line.contains(polls)) {
                let words = line.split_whitespace().skip_while(|word| *word != "simulate");
                poll = words.map(str::to_owned).collect();
            }
        }
        let child = Arc::new(Mutex::new(child));
        let (open, over) = mpsc::channel();
        let watched = child.clone();
        std::thread::spawn(move || {
            if over.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
                end(&watched);
            }
        });
        Self { url, setup, poll, child, directory, _open: open }
    }

    /// A command of the same program, on this server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        Command::new(program())
            .args(arguments)
            .arg("--data-dir")
            .arg(self.directory.path().join("data"))
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    /// The same, which must work; what it says as JSON.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.command(&[arguments, &["--json"]].concat());
        let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {err}");
        serde_json::from_slice(out).unwrap_or(Value::Null)
    }

    /// SIGTERM, as a supervisor does it; how long the server took to end.
    pub(crate) fn stop(&self) -> Duration {
        let begun = Instant::now();
        let mut child = self.child.lock().unwrap();
        let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(told.success());
        assert!(child.wait().unwrap().success());
        begun.elapsed()
    }

    /// Pushes records, one JSON a line.
    pub(crate) fn push(&self, connection: &str, lines: &str) {
        let file = self.directory.path().join("records.ndjson");
        std::fs::write(&file, lines).unwrap();
        let pushed = self.command(&["push", connection, file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&pushed.stdout);
        assert!(pushed.status.code() != Some(2), "{said}");
    }

    /// One session of the simulated Web Connector, on a company file that stays.
    pub(crate) fn poll(
        &self,
        user: &str,
        password: &str,
        company: &str,
        faults: &[&str],
    ) -> Output {
        let url = format!("{}/qbwc", self.url);
        let company = self.directory.path().join(company);
        let mut arguments =
            vec!["simulate", "--url", &url, "--user", user, "--password", password, "--once"];
        arguments.extend(["--company", company.to_str().unwrap()]);
        for fault in faults {
            arguments.extend(["--fault", fault]);
        }
        let program = Command::new(program()).args(arguments).output();
        program.unwrap()
    }

    /// The demo's Web Connector polls once more.
    pub(crate) fn poll_demo(&self) -> Output {
        Command::new(program())
            .args(&self.poll)
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    /// One session on a company file that has this path.
    pub(crate) fn poll_file(
        &self,
        user: &str,
        password: &str,
        company: &str,
        path: &str,
    ) -> Output {
        let url = format!("{}/qbwc", self.url);
        let company = self.directory.path().join(company);
        let arguments = ["--url", &url, "--user", user, "--password", password, "--once"];
        let mut command = Command::new(program());
        command.arg("simulate").args(arguments).args(["--company-file", path]);
        command.arg("--company").arg(company).output().unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        end(&self.child);
    }
}
