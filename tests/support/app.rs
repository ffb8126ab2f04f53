//! The REST API on a port of its own, over a real engine and a real store, and a client for it.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::App;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::web;
use bookbridge::api;
use bookbridge::api::ApiSettings;
use bookbridge::dashboard;
use bookbridge::dashboard::DashboardSettings;
use bookbridge::domain::activity::Scope;
use bookbridge::engine::Actor;
use bookbridge::engine::Engine;
use bookbridge::engine::Settings;
use bookbridge::engine::ambient::System;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use ureq::http::Method;
use ureq::http::Request;

/// A server that ends with the test.
pub(crate) struct TestApp {
    url: String,
    engine: Engine,
    key: String,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    directory: TempDir,
}

/// Does what waits for the store.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl TestApp {
    /// Over this engine, which stands on nothing in the directory.
    pub(crate) fn over(engine: Engine) -> Self {
        Self::start(engine, TempDir::new().unwrap())
    }

    /// Over a real engine and an empty store.
    pub(crate) fn spawn() -> Self {
        let directory = TempDir::new().unwrap();
        let options = Options { reserve: 0, ..Options::default() };
        let store = SledStore::open(&directory.path().join("store"), &options).unwrap();
        let engine = Engine::new(Arc::new(store), Arc::new(System), Settings::default());
        let mut app = Self::start(engine, directory);
        app.key = app.key_of(Scope::Admin);
        app
    }

    /// The same with a connection `acme`.
    pub(crate) fn with_connection() -> Self {
        let app = Self::spawn();
        app.post("/v1/connections", &json!({"name": "Acme"})).with(201);
        app
    }

    /// Another key.
    pub(crate) fn key_of(&self, scope: Scope) -> String {
        let name = format!("test {}", scope.as_str());
        let actor = Actor("test".to_owned());
        let (_, key) = block_on(self.engine.create_key(&name, scope, &actor)).unwrap();
        key.expose_secret().to_owned()
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What stands behind the API.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A call of an administrator.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Call {
        self.call(method, path).key(&self.key)
    }

    /// Asks as an administrator.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.admin("GET", path).send()
    }

    /// Posts as an administrator.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.admin("POST", path).json(body)
    }

    /// Puts as an administrator.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.admin("PUT", path).json(body)
    }

    fn start(engine: Engine, directory: TempDir) -> Self {
        let behind = engine.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = ApiSettings::new(None, directory.path().to_owned());
        let pages = DashboardSettings { public_url: None, logins: Arc::default() };
        let (started, wait) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let (engine, settings) = (web::Data::new(engine), web::Data::new(settings));
                let pages = web::Data::new(pages);
                let app = move || {
                    App::new()
                        .app_data(engine.clone())
                        .app_data(settings.clone())
                        .app_data(pages.clone())
                        .wrap(actix_web::middleware::from_fn(api::every_call))
                        .configure(dashboard::routes)
                        .configure(api::routes)
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(1)
                    .listen(listener)
                    .unwrap()
                    .run();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = wait.recv().unwrap();
        let key = String::new();
        let thread = Some(thread);
        Self { url, engine: behind, key, handle, thread, directory }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A call without a key.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let method = method.parse::<Method>().unwrap();
        Call { request: Some(Request::builder().method(method).uri(format!("{}{path}", self.url))) }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server panicked");
        }
    }
}

/// A call on its way.
pub(crate) struct Call {
    request: Option<ureq::http::request::Builder>,
}

impl Call {
    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.take().map(|request| request.header(name, value));
        self
    }

    /// With a key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Authorization", &format!("Bearer {key}"))
    }

    /// With nothing in it.
    pub(crate) fn send(self) -> Answer {
        self.body(Vec::new())
    }

    /// With JSON in it.
    pub(crate) fn json(self, body: &Value) -> Answer {
        self.header("Content-Type", "application/json").body(body.to_string().into_bytes())
    }

    /// With bytes in it.
    pub(crate) fn body(self, body: Vec<u8>) -> Answer {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .new_agent();
        let request = self.request.unwrap().body(body).unwrap();
        let mut response = agent.run(request).unwrap();
        let body = response.body_mut().with_config().limit(256 << 20).read_to_vec().unwrap();
        Answer { head: response.into_parts().0, body }
    }
}

/// What came back.
pub(crate) struct Answer {
    head: ureq::http::response::Parts,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    /// The same, if the status is this one.
    #[track_caller]
    pub(crate) fn with(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The problem of this status and code; checks what every problem has.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let answer = self.with(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/docs/errors/{code}"));
        assert_eq!(problem["requestId"].as_str(), answer.header("x-request-id"), "{problem:#}");
        for member in ["title", "detail", "userFacingMessage"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem:#}");
        }
        assert!(problem["retryable"].is_boolean());
        assert!(problem["fixes"].is_array());
        problem
    }
}
