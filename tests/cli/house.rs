//! A directory of its own for every test, the program in it, and a server that ends with the test.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

/// A directory in which the program runs.
pub(crate) struct House {
    directory: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The same, if it did what it should.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// What stdout says, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// The program, with nothing of the environment that is ours.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bookbridge"));
        command.current_dir(self.path()).args(arguments).env_remove("RUST_BACKTRACE");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BOOKBRIDGE_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).stdin(Stdio::null()))
    }

    /// The same with something on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        of(&child.wait_with_output().unwrap())
    }

    /// Starts `serve` on any port that is free; ready when this returns.
    pub(crate) fn serve(&self, more: &[&str]) -> Server {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        self.started(&mut self.command(&arguments))
    }

    /// The same of a command that ends up as `serve`.
    pub(crate) fn started(&self, serve: &mut Command) -> Server {
        let mut child = serve
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.path().join("serve.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(self.path().join("serve.log")).unwrap();
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("{line:?} {}", log())).to_owned();
        Server { child, url }
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    of(&command.output().unwrap())
}

fn of(output: &std::process::Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Sends a signal to a process, as a supervisor or a terminal does it.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
    assert!(sent.success());
}

/// A server that is killed with the test, if it did not end before.
pub(crate) struct Server {
    pub(super) child: Child,
    pub(crate) url: String,
}

impl Server {
    /// SIGTERM, as a supervisor does it; the exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(self) -> Option<i32> {
        signal(&self.child, "TERM");
        self.ended()
    }

    /// Waits for its end; the exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
