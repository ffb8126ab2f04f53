//! What stands where a server should: it answers what it is told to, and remembers what it was asked.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

/// An answer: status line without the version, header lines, body.
pub(crate) type Said = (&'static str, String, String);

/// Something that listens.
pub(crate) struct StandIn {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// Answers each call by its first line and body; `None` hangs up.
    pub(crate) fn new(answer: impl Fn(&str, &str) -> Option<Said> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembered = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                call(&stream.unwrap(), &answer, &remembered);
            }
        });
        Self { url, asked }
    }

    /// The heads of all calls, as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn call(
    mut stream: &TcpStream,
    answer: &impl Fn(&str, &str) -> Option<Said>,
    asked: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap_or(0) > 0 && !head.ends_with("\r\n\r\n") {}
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    asked.lock().unwrap().push(head.clone());
    let first = head.lines().next().unwrap_or_default();
    if let Some((status, headers, text)) = answer(first, &String::from_utf8_lossy(&body)) {
        let length = text.len();
        let whole = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{text}"
        );
        stream.write_all(whole.as_bytes()).unwrap();
    }
}
