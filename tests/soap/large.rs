//! A response of any size needs constant memory. The server is a process of its own, so that nothing
//! but it is measured: this test binary, started again for one test.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use bookbridge::soap::SoapSettings;

use crate::soap::http::HEAD;
use crate::soap::http::TAIL;
use crate::soap::session::Books;
use crate::soap::session::attribute;

const CHILD: &str = "TEST_LARGE_CHILD";
const RECORD: &str = "&lt;CustomerRet&gt;&lt;ListID&gt;80000001-1234567890&lt;/ListID&gt;&lt;EditSequence&gt;1&lt;/EditSequence&gt;&lt;Name&gt;\
                      M&#252;ller &amp;amp; S\u{f6}hne&lt;/Name&gt;&lt;/CustomerRet&gt;";

/// Not a test by itself: serves a session that waits for an answer, until its parent closes the pipe.
#[actix_web::test]
async fn serves_for_the_test_below() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let books = Books::with(&["A"], SoapSettings::default()).await;
    let ticket = books.ticket();
    let document = books.next(&ticket, "");
    let message_set = attribute(&document, "newMessageSetID");
    let request = attribute(&document, "requestID");
    println!("\nlistening on {} {ticket} {message_set} {request}", books.server.address);
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
}

#[test]
fn a_large_response_needs_constant_memory() {
    let megabytes = std::env::var("TEST_RESPONSE_MB").ok();
    let megabytes = megabytes.map_or(20, |it| it.parse().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "soap::large::serves_for_the_test_below", "--nocapture"])
        .env(CHILD, "1")
        // A backtrace would need more memory than the response.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let session = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        .unwrap();

    let before = peak(child.id());
    let began = Instant::now();
    let (sent, answer) = post(&session, megabytes << 20);
    let after = peak(child.id());
    eprintln!(
        "{sent} bytes in {:?}; peak memory {before} kB before, {after} kB after",
        began.elapsed()
    );

    drop(child.stdin.take());
    child.wait().unwrap();
    drop(lines);
    assert!(answer.contains("<receiveResponseXMLResult>100<"), "{answer}");
    assert!(after < before + 12_000, "{before} kB before, {after} kB after");
}

/// Posts a response of about so many bytes in pieces; gives how many there were, and the answer.
fn post(session: &str, bytes: usize) -> (usize, String) {
    let [address, ticket, message_set, request] = session.split(' ').collect::<Vec<_>>()[..] else {
        panic!("not a session: {session}")
    };
    let open = format!(
        "{HEAD}<receiveResponseXML xmlns=\"http://developer.intuit.com/\"><ticket>{ticket}</ticket>\
         <response>&lt;?xml version=\"1.0\" ?&gt;&lt;QBXML&gt;&lt;QBXMLMsgsRs newMessageSetID=\
         \"{message_set}\" messageSetStatusCode=\"0\"&gt;&lt;CustomerAddRs requestID=\"{request}\" \
         statusCode=\"0\" statusSeverity=\"Info\" statusMessage=\"Status OK\"&gt;"
    );
    let close = format!(
        "&lt;/CustomerAddRs&gt;&lt;/QBXMLMsgsRs&gt;&lt;/QBXML&gt;</response><hresult /><message />\
         </receiveResponseXML>{TAIL}"
    );
    let piece = RECORD.repeat(500);
    let pieces = bytes.div_ceil(piece.len());
    let length = open.len() + pieces * piece.len() + close.len();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /qbwc HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(open.as_bytes()).unwrap();
    for _ in 0..pieces {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    stream.write_all(close.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (length, answer)
}

/// The most memory that a process has had, in kB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
