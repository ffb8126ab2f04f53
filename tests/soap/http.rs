//! A server on a port of its own, and a client that says exactly what it is told.

use std::fmt::Write as _;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::middleware::Compress;
use actix_web::web;
use bookbridge::engine::Engine;
use bookbridge::soap::SoapSettings;

pub(crate) const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?><soap:Envelope "#,
    r#"xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" "#,
    r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" "#,
    r#"xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>"#,
);
pub(crate) const TAIL: &str = "</soap:Body></soap:Envelope>";

/// A call as the Web Connector writes it.
pub(crate) fn call(operation: &str, parameters: &[(&str, &str)]) -> String {
    let mut inner = String::new();
    for (name, value) in parameters {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        write!(inner, "<{name}>{value}</{name}>").unwrap();
    }
    format!("{HEAD}<{operation} xmlns=\"http://developer.intuit.com/\">{inner}</{operation}>{TAIL}")
}

/// What stands in the Result of an answer, escaped as it is; panics if it is not this operation's.
pub(crate) fn result(operation: &str, answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    let open = format!(
        "{HEAD}<{operation}Response xmlns=\"http://developer.intuit.com/\"><{operation}Result>"
    );
    let close = format!("</{operation}Result></{operation}Response>{TAIL}");
    let inner = answer.body.strip_prefix(&open).and_then(|it| it.strip_suffix(&close));
    inner.unwrap_or_else(|| panic!("not an answer to {operation}: {}", answer.body)).to_owned()
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A server that has answered may reset what is still being sent.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let text = text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&text);
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }
}

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(engine: Engine, settings: SoapSettings) -> Self {
        let (engine, settings) = (web::Data::new(engine), web::Data::new(settings));
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = HttpServer::new(move || {
                    App::new()
                        // The worst that the rest of the program may do to our answers.
                        .wrap(Compress::default())
                        .app_data(engine.clone())
                        .app_data(settings.clone())
                        .configure(bookbridge::soap::routes)
                })
                .workers(2)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = receiver.recv().unwrap();
        Self { address, handle, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/qbwc", self.address)
    }

    /// Sends a head and these pieces of a body, and reads the answer.
    pub(crate) fn raw(&self, head: &str, pieces: &[&[u8]]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let host = self.address;
        let head = format!("{head}\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        for piece in pieces {
            if stream.write_all(piece).is_err() {
                break;
            }
        }
        Answer::read(stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1"), &[])
    }

    /// Posts as the Web Connector does.
    pub(crate) fn post(&self, body: &str) -> Answer {
        self.post_with("", body.as_bytes())
    }

    /// Posts with more headers, each after a line break.
    pub(crate) fn post_with(&self, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "POST /qbwc HTTP/1.1\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services \
             Client Protocol 4.0.30319.42000)\r\nContent-Type: text/xml; charset=utf-8\r\n\
             Content-Length: {length}{headers}"
        );
        self.raw(&head, &[body])
    }

    /// Makes a call; gives its Result.
    pub(crate) fn call(&self, operation: &str, parameters: &[(&str, &str)]) -> String {
        result(operation, &self.post(&call(operation, parameters)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
