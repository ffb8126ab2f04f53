//! One server, one connection, one simulated company file, each in the test's own directory.

use std::process::Child;
use std::process::Stdio;
use std::time::Duration;

use bookbridge::simulator::QuickBooks;
use bookbridge::simulator::Setup;
use serde_json::Value;
use serde_json::json;
use ureq::Agent;
use ureq::http::StatusCode;

use crate::cli::house::House;
use crate::cli::house::Server;

/// The id of the connection.
pub(super) const CONNECTION: &str = "acme";

/// What a test plays on.
pub(super) struct Stage {
    pub(super) house: House,
    user: String,
    password: String,
}

/// The REST API of a server that runs.
#[derive(Clone)]
pub(super) struct Api {
    agent: Agent,
    url: String,
    key: String,
}

impl Stage {
    /// Makes the connection. No server runs afterwards.
    pub(super) fn new() -> Self {
        let house = House::new();
        let server = house.serve(&[]);
        let added = house.run(&["connection", "add", CONNECTION, "--json"]).with(0).json();
        drop(server);
        let text = |member: &str| added[member].as_str().unwrap().to_owned();
        Self { user: text("username"), password: text("password"), house }
    }

    /// Starts the server. A session of the one before counts as lost after a second.
    pub(super) fn serve(&self) -> (Server, Api) {
        let server = self.house.serve(&["--session-idle", "1", "--log-level", "error"]);
        let api = Api {
            agent: Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_mins(1)))
                .build()
                .into(),
            url: server.url.clone(),
            key: std::fs::read_to_string(self.house.path().join("bookbridge-data/admin.key"))
                .unwrap()
                .trim()
                .to_owned(),
        };
        (server, api)
    }

    /// Pushes one record by the command line; whether it was acknowledged.
    pub(super) fn push_by_command(&self, kind: &str, source: &str, data: &Value) -> bool {
        let line = json!({"kind": kind, "sourceId": source, "data": data}).to_string();
        self.house.run_with(&["push", CONNECTION, "-"], &line).code == 0
    }

    /// Every invoice in QuickBooks' books: its number and its TxnID.
    pub(super) fn invoices(&self) -> Vec<(u32, String)> {
        let company = self.house.path().join("company");
        let quickbooks = QuickBooks::open(Some(&company), &Setup::default(), 0).unwrap();
        let invoices = quickbooks.books().of_kind("Invoice");
        invoices.map(|it| (it.body.get("RefNumber").parse().unwrap(), it.id.clone())).collect()
    }

    /// One session of the simulated Web Connector, in a process of its own.
    pub(super) fn connector(&self, url: &str) -> Child {
        let url = format!("{url}/qbwc");
        self.house
            .command(&["simulate", "--once", "--company", "company", "--url", &url])
            .args(["--user", &self.user, "--password", &self.password])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

impl Api {
    fn at(&self, path: &str) -> String {
        format!("{}/v1/connections/{CONNECTION}/{path}", self.url)
    }

    /// Puts a record; whether it was acknowledged. A server that dies meanwhile did not.
    pub(super) fn put(&self, kind: &str, source: &str, data: &Value) -> bool {
        let called = self
            .agent
            .put(self.at(&format!("records/{kind}/{source}")))
            .header("Authorization", format!("Bearer {}", self.key))
            .send_json(json!({ "data": data }));
        match called {
            Ok(answer) => {
                let status = answer.status();
                assert!(matches!(status, StatusCode::CREATED | StatusCode::OK), "{status}");
                true
            }
            Err(_) => false,
        }
    }

    /// Pushes lines of NDJSON in one body; the results, one a line.
    pub(super) fn push(&self, lines: String) -> Vec<Value> {
        let mut answer = self
            .agent
            .post(self.at("records"))
            .header("Authorization", format!("Bearer {}", self.key))
            .content_type("application/x-ndjson")
            .send(lines)
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A page of something, as JSON.
    pub(super) fn get(&self, path: &str) -> Value {
        let mut answer = self
            .agent
            .get(self.at(path))
            .header("Authorization", format!("Bearer {}", self.key))
            .call()
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Every record.
    pub(super) fn records(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut path = "records?limit=500".to_owned();
        loop {
            let mut page = self.get(&path);
            let Value::Array(mut more) = page["data"].take() else { panic!("{page}") };
            all.append(&mut more);
            match page["nextCursor"].as_str() {
                Some(cursor) => path = format!("records?limit=500&cursor={cursor}"),
                None => return all,
            }
        }
    }

    /// How many records stand in this status.
    pub(super) fn count(&self, status: &str) -> u64 {
        self.get("health")["counts"][status].as_u64().unwrap_or_default()
    }
}
