//! The client against a server that says what it is told to say.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

use super::*;
use crate::simulator::quickbooks::Setup;

const OWNER: &str = "{6c0d5f0e-3c55-4b0c-9a57-0f2f3bd0a111}";

/// One request: its first line with its headers, and its body.
#[derive(Clone, Debug)]
struct Request {
    head: String,
    body: String,
}

impl Request {
    /// The operation, by its `SOAPAction`.
    fn operation(&self) -> &str {
        let rest = self.head.split("developer.intuit.com/").nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default()
    }
}

/// A server on a port of its own; it ends with the test.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// `answer` makes a whole HTTP response of a request.
    fn start(answer: impl Fn(&Request) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}/qbwc", listener.local_addr().unwrap().port());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                noted.lock().unwrap().push(request.clone());
                let _ = stream.write_all(answer(&request).as_bytes());
            }
        });
        Self { url, seen }
    }

    /// A session that hands out no work: these answers, by operation, others as usual.
    fn saying(answers: &'static [(&'static str, &'static str)]) -> Self {
        Self::start(move |request| {
            let operation = request.operation();
            let said = answers.iter().find(|(name, _)| *name == operation).map(|(_, said)| *said);
            if said.is_some_and(|said| said.starts_with("HTTP/")) {
                return said.unwrap().to_owned();
            }
            http("200 OK", "", &result(operation, said.unwrap_or_else(|| usual(operation))))
        })
    }

    fn connector(&self) -> WebConnector {
        let endpoint =
            Endpoint { url: self.url.clone(), user: "u".to_owned(), password: "p".to_owned() };
        let setup = Setup { file: String::new(), ..Setup::default() };
        let quickbooks = QuickBooks::open(None, &setup, 1_764_000_000).unwrap();
        WebConnector::new(endpoint, quickbooks, Box::new(|| 1_764_000_000))
    }

    /// The application of this server.
    fn qwc(&self) -> Qwc {
        let file = format!(
            "<QBWCXML><AppName>A</AppName><AppID/><AppURL>{0}</AppURL><AppDescription/><AppSupport>\
             {0}/support</AppSupport><UserName>u</UserName><OwnerID>{OWNER}</OwnerID><FileID>\
             {{b1b1e1d2-9a0e-4a51-8f6f-5a6f3c0a2222}}</FileID><QBType>QBFS</QBType></QBWCXML>",
            self.url
        );
        Qwc::parse(&file).unwrap()
    }

    fn session(&self) -> Report {
        self.connector().session(&[], &mut |_| {})
    }

    /// What was called, in order.
    fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Reads one request, as far as its length says.
fn read(stream: &mut TcpStream) -> Request {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        if name.eq_ignore_ascii_case("expect") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request { head, body: String::from_utf8(body).unwrap() }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: Text/XML; charset=utf-8\r\nConnection: close\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An answer with this in its result, in the name space of the contract.
fn result(operation: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <e:Body><{operation}Response xmlns=\"http://developer.intuit.com/\"><{operation}Result>{inner}\
         </{operation}Result></{operation}Response></e:Body></e:Envelope>"
    )
}

fn usual(operation: &str) -> &'static str {
    match operation {
        "authenticate" => "<string>t</string><string></string>",
        "sendRequestXML" => "x",
        "receiveResponseXML" => "100",
        "connectionError" => "done",
        _ => "",
    }
}

#[test]
fn a_company_file_without_a_path_is_the_one_that_is_asked_for() {
    let server =
        Server::saying(&[("authenticate", "<string>t</string><string>D:\\A.QBW</string>")]);
    let mut connector = server.connector();

    assert_eq!(connector.session(&[], &mut |_| {}).ended, Ended::Done);

    assert_eq!(connector.quickbooks().file(), "D:\\A.QBW");
    let asked = "<strCompanyFileName>D:\\A.QBW</strCompanyFileName>";
    let seen = server.seen();
    assert!(seen.iter().any(|it| it.operation() == "sendRequestXML" && it.body.contains(asked)));
    let other = Server::saying(&[("authenticate", "<string>t</string><string>D:\\B.QBW</string>")]);
    connector.endpoint.url.clone_from(&other.url);
    connector.wire = Wire::new(&other.url);
    let refused = connector.session(&[], &mut |_| {}).ended;
    assert!(
        matches!(&refused, Ended::NoQuickBooks(why) if why.starts_with("QBWC1013: 0x8004040A")),
        "{refused:?}"
    );
}

#[test]
fn what_breaks_a_session_has_the_code_of_its_call() {
    const BROKEN: &str =
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let check = |answers: &'static [(&'static str, &'static str)], code: &str| {
        let ended = Server::saying(answers).session().ended;
        assert!(
            matches!(&ended, Ended::Broken(why) | Ended::Stopped(why) if why.starts_with(code)),
            "{code}: {ended:?}"
        );
    };

    check(&[("clientVersion", "E:too old")], "QBWC1037: E:too old");
    check(&[("clientVersion", "hello")], "QBWC1046");
    check(&[("authenticate", BROKEN)], "QBWC1012");
    check(&[("authenticate", "<string>t</string>")], "QBWC1012: Index was outside");
    check(&[("sendRequestXML", BROKEN)], "QBWC1041");
    check(&[("receiveResponseXML", BROKEN)], "QBWC1042");
    check(&[("receiveResponseXML", "50.0")], "QBWC1042");
    check(&[("receiveResponseXML", "101")], "QBWC1042");
    check(&[("sendRequestXML", ""), ("getLastError", BROKEN)], "QBWC1043");
    check(&[("closeConnection", BROKEN)], "QBWC1044");
    let server = Server::saying(&[("connectionError", BROKEN)]);
    let fault = "unavailable".parse().unwrap();
    let ended = server.connector().session(&[fault], &mut |_| {}).ended;
    assert!(matches!(&ended, Ended::Broken(why) if why.starts_with("QBWC1045")), "{ended:?}");
}

#[test]
fn a_fault_that_does_not_happen_is_told() {
    let server = Server::saying(&[]);
    let faults = ["double-receive:1", "stop-before:2", "crash:3"].map(|spec| spec.parse().unwrap());

    let report = server.connector().session(&faults, &mut |_| {});

    assert_eq!(
        (report.ended, report.missed),
        (Ended::Done, vec!["stop-before:2".to_owned(), "crash:3".to_owned()])
    );
}

#[test]
fn a_quickbooks_that_crashed_is_gone_for_the_session() {
    let server = Server::start(|request| {
        let said = match request.operation() {
            "receiveResponseXML" if request.body.contains("<response />") => "1",
            operation => usual(operation),
        };
        http("200 OK", "", &result(request.operation(), said))
    });
    let stop = "stop-before:4".parse().unwrap();

    let report = server.connector().session(&["crash:1".parse().unwrap(), stop], &mut |_| {});

    assert_eq!((report.message_sets, report.missed.len()), (1, 0));
    let seen = server.seen();
    let thrown = seen.iter().filter(|it| it.body.contains("<hresult>0x800706BA</hresult>"));
    assert_eq!(thrown.count(), 3);
}

#[test]
fn a_percentage_may_have_blanks_around_it() {
    assert_eq!(Server::saying(&[("receiveResponseXML", "\n 100 ")]).session().ended, Ended::Done);
}

#[test]
fn the_server_says_how_often_it_wants_to_be_called() {
    let session =
        |answer: &'static [(&'static str, &'static str)]| Server::saying(answer).session();

    let last = session(&[(
        "authenticate",
        "<string>t</string><string></string><string></string><string>300</string>",
    )]);
    assert_eq!((last.ended, last.every_at_least), (Ended::Done, Some(300)));
    let both = session(&[(
        "authenticate",
        "<string>t</string><string></string><string>600</string><string>300</string>",
    )]);
    assert_eq!((both.ended, both.every_at_least), (Ended::Postponed(600), Some(300)));
    let bad = session(&[(
        "authenticate",
        "<string>t</string><string></string><string></string><string>5 min</string>",
    )]);
    assert!(matches!(&bad.ended, Ended::Broken(why) if why.starts_with("QBWC1012")), "{bad:?}");
}

#[test]
fn an_application_is_added_only_if_its_pages_are_there() {
    let add = |certificate: u16, support: u16| {
        let server = Server::start(move |request| {
            let status = if request.head.contains("/support") { support } else { certificate };
            http(&format!("{status} Said"), "", "")
        });
        let qwc = server.qwc();
        let added = server.connector().add(&qwc);
        added.map_err(|why| why[..8].to_owned())
    };

    assert_eq!(add(200, 200), Ok(()));
    assert_eq!(add(200, 202), Ok(()));
    for status in [202, 301, 404, 405, 500] {
        assert_eq!(add(status, 200), Err("QBWC1048".to_owned()), "{status}");
    }
    assert_eq!(add(200, 404), Err("QBWC1003".to_owned()));
}

#[test]
fn a_call_has_the_headers_of_the_client_and_the_cookies_of_its_session() {
    let server = Server::start(|request| {
        let operation = request.operation();
        let cookies = match operation {
            "authenticate" => "Set-Cookie: a=1; path=/\r\nSet-Cookie: b=2; HttpOnly\r\n",
            "sendRequestXML" => "set-cookie: b=; Max-Age=0\r\n",
            _ => "",
        };
        http("200 OK", cookies, &result(operation, usual(operation)))
    });
    let mut connector = server.connector();
    for _ in 0..2 {
        assert_eq!(connector.session(&[], &mut |_| {}).ended, Ended::Done);
    }

    let told = |request: &Request, name: &str| {
        let lines = request.head.lines().filter_map(|line| line.split_once(": "));
        let found: Vec<_> = lines.filter(|line| line.0.eq_ignore_ascii_case(name)).collect();
        found.first().map(|found| found.1.to_owned())
    };
    let cookies: Vec<_> = server.seen().iter().map(|it| told(it, "cookie")).collect();
    let [a, ab] = ["a=1", "a=1; b=2"].map(|text| Some(text.to_owned()));
    // serverVersion, clientVersion, authenticate, sendRequestXML, receiveResponseXML, the end.
    let session = [None, None, None, ab, a.clone(), a];
    assert_eq!(cookies, [session.clone(), session].concat());
    for request in server.seen() {
        assert_eq!(told(&request, "expect").as_deref(), Some("100-continue"));
        assert_eq!((told(&request, "accept"), told(&request, "accept-encoding")), (None, None));
    }
}

#[test]
fn a_company_tells_an_application_its_own_stamps() {
    let server = Server::saying(&[]);
    let foreign = "{11111111-3c55-4b0c-9a57-0f2f3bd0a111}";
    let mut connector = server.connector();
    connector.quickbooks().stamp(foreign, "FileID", "{x}").unwrap();
    connector.add(&server.qwc()).unwrap();

    for (faults, expected) in [("", "UNLOCKED"), ("lose-response", "LOCKED:SIMULATOR:")] {
        let faults: Vec<_> = faults.parse().into_iter().collect();
        connector.session(&faults, &mut |_| {});
        let lock = connector.quickbooks().stamp_of(OWNER, "AppLock").unwrap();
        assert!(lock.starts_with(expected), "{lock}");
    }

    let seen = server.seen();
    let first = seen.iter().find(|request| request.operation() == "sendRequestXML").unwrap();
    for (text, is_there) in [(OWNER, true), ("LOCKED:SIMULATOR:638", true), (foreign, false)] {
        assert_eq!(first.body.contains(text), is_there, "{text}");
    }
}
