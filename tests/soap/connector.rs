//! What the Web Connector sees of us, whatever state we are in.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use bookbridge::soap::SoapSettings;

use crate::soap::http::HEAD;
use crate::soap::http::Server;
use crate::soap::http::TAIL;
use crate::soap::http::call;
use crate::soap::http::result;
use crate::soap::out_of_order;

fn server() -> Server {
    Server::start(out_of_order::engine().0, SoapSettings::default())
}

fn fault(server: &Server, body: &str) -> String {
    let answer = server.post(body);
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    let open = format!("{HEAD}<soap:Fault><faultcode>soap:Client</faultcode><faultstring>");
    let close = format!("</faultstring></soap:Fault>{TAIL}");
    let text = answer.body.strip_prefix(&open).and_then(|it| it.strip_suffix(&close));
    text.unwrap_or_else(|| panic!("no fault: {}", answer.body)).to_owned()
}

#[test]
fn the_address_answers_get_and_head_so_that_the_certificate_can_be_seen() {
    let server = server();
    for path in ["/qbwc", "/qbwc?x=1", "/qbwc/", "/support"] {
        let get = server.get(path);
        let head = server.raw(&format!("HEAD {path} HTTP/1.1"), &[]);

        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(get.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(get.body.contains("Bookbridge"));
        assert_eq!(head.body, "");
    }
}

#[test]
fn other_methods_are_not_allowed_and_nothing_redirects() {
    let server = server();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = server.raw(&format!("{method} /qbwc HTTP/1.1"), &[]);

        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").unwrap().contains("GET"));
        assert!(answer.body.contains("GET"));
    }
}

#[test]
fn the_wsdl_has_the_address_under_which_it_was_asked_for() {
    let server = server();
    for query in ["wsdl", "WSDL", "Wsdl", "wsdl=", "a=1&WsDl=2"] {
        let answer = server.get(&format!("/qbwc?{query}"));

        assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
        let location = format!("location=\"http://{}/qbwc\"", server.address);
        assert!(answer.body.contains(&location), "{query}");
    }
    let behind = server.raw(
        "GET /qbwc?wsdl HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: \"><x>",
        &[],
    );
    assert_eq!(behind.status, 400);
    assert!(!behind.body.contains("<x>"));
    let behind = server.raw(
        "GET /qbwc?wsdl HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.example.com",
        &[],
    );
    assert!(behind.body.contains("location=\"https://b.example.com/qbwc\""));

    let settings = SoapSettings {
        public_url: Some("https://sync.example.com/".to_owned()),
        ..SoapSettings::default()
    };
    let server = Server::start(out_of_order::engine().0, settings);
    let answer = server.get("/qbwc?wsdl");
    assert!(answer.body.contains("location=\"https://sync.example.com/qbwc\""));
}

#[test]
fn calls_that_need_no_session_are_answered() {
    let server = server();

    assert!(server.call("serverVersion", &[]).starts_with("Bookbridge "));
    for version in ["34.0.10010.76", "2.1.0.30", "", "nonsense"] {
        assert_eq!(server.call("clientVersion", &[("strVersion", version)]), "");
    }
    let ticket = ("wcTicket", "t");
    assert_eq!(server.call("getInteractiveURL", &[ticket, ("sessionID", "s")]), "");
    assert_eq!(server.call("interactiveRejected", &[ticket, ("reason", "r")]), "OK");
    assert_eq!(server.call("interactiveDone", &[ticket]), "DONE");
    assert_eq!(server.call("isInteractiveDone", &[ticket]), "DONE");
}

#[test]
fn a_store_that_is_out_of_order_is_told_in_the_protocols_words() {
    let server = server();
    let ticket = ("ticket", "0b8f");

    assert_eq!(
        server.call("authenticate", &[("strUserName", "u"), ("strPassword", "p")]),
        "<string></string><string>busy</string>"
    );
    assert_eq!(server.call("sendRequestXML", &[ticket]), "");
    assert_eq!(server.call("receiveResponseXML", &[ticket, ("response", "<a/>")]), "-1");
    assert_eq!(server.call("connectionError", &[ticket, ("hresult", "0x80040408")]), "done");
    assert!(server.call("getLastError", &[ticket]).starts_with("Bookbridge"));
    assert_eq!(server.call("closeConnection", &[ticket]), "OK");
}

#[test]
fn only_what_cannot_be_read_is_a_fault() {
    let server = server();

    assert_eq!(fault(&server, &call("foo", &[])), "Unknown operation foo");
    assert_eq!(fault(&server, &format!("{HEAD}{TAIL}")), "Unknown operation (none)");
    for body in ["", "{}", "<html/>", "<a", &call("authenticate", &[])[..200]] {
        assert!(!fault(&server, body).is_empty());
    }
    let doctype = call("serverVersion", &[]).replace("?>", "?><!DOCTYPE a [<!ENTITY e \"x\">]>");
    assert_eq!(fault(&server, &doctype), "a DOCTYPE is not allowed");
    let long = call("getLastError", &[("ticket", &"x".repeat(70_000))]);
    assert_eq!(fault(&server, &long), "the envelope is larger than 65536 bytes");
}

#[test]
fn the_soap_action_names_the_operation_only_if_the_body_does_not() {
    let server = server();
    let action = |name: &str| format!("\r\nSOAPAction: \"http://developer.intuit.com/{name}\"");
    for (name, body, operation) in [
        ("serverVersion", format!("{HEAD}{TAIL}"), "serverVersion"),
        ("clientVersion", call("q", &[]), "clientVersion"),
        ("authenticate", call("clientVersion", &[]), "clientVersion"),
        ("nonsense", call("clientVersion", &[]), "clientVersion"),
    ] {
        let answer = server.post_with(&action(name), body.as_bytes());

        result(operation, &answer);
    }
}

#[test]
fn a_soap_12_call_is_answered_in_soap_11() {
    let server = server();
    let body = call("clientVersion", &[]).replace(
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/2003/05/soap-envelope",
    );

    assert_eq!(result("clientVersion", &server.post(&body)), "");
}

#[test]
fn an_answer_has_a_length_and_is_never_compressed() {
    let server = server();
    let body = call("serverVersion", &[]);

    let plain = server.post(&body);
    assert_eq!(plain.header("content-length"), Some(plain.body.len().to_string().as_str()));
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("transfer-encoding"), None);
    let asked = server.post_with("\r\nAccept-Encoding: gzip, deflate", body.as_bytes());
    assert_eq!(asked.body, plain.body);
    assert_eq!(asked.header("content-encoding"), Some("identity"));
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it() {
    let server = server();
    let body = call("clientVersion", &[]);

    let answer = server.post_with("\r\nExpect: 100-continue", body.as_bytes());

    assert_eq!(result("clientVersion", &answer), "");
}

#[test]
fn a_call_in_chunks_is_taken() {
    let server = server();
    let body = call("clientVersion", &[]);
    let (one, two) = body.split_at(100);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());

    let answer = server.raw(
        "POST /qbwc HTTP/1.1\r\nTransfer-Encoding: chunked",
        &[chunk(one).as_bytes(), chunk(two).as_bytes(), b"0\r\n\r\n"],
    );

    assert_eq!(result("clientVersion", &answer), "");
}

#[test]
fn a_long_first_call_is_taken() {
    let server = server();
    let company = "<a>".repeat(60_000);

    let sent = server.call("sendRequestXML", &[("ticket", "t"), ("strHCPResponse", &company)]);

    assert_eq!(sent, "");
    let company = "<a>".repeat(900_000);
    let body = call("sendRequestXML", &[("strHCPResponse", &company)]);
    assert_eq!(fault(&server, &body), "the envelope is larger than 4194304 bytes");
    let said = "x".repeat(100_000);
    let error = [("ticket", "t"), ("hresult", "0x80040408"), ("message", said.as_str())];
    assert_eq!(server.call("connectionError", &error), "done");
}

#[test]
fn a_response_arrives_whole_whatever_its_order() {
    let (engine, spooled) = out_of_order::engine();
    let server = Server::start(engine, SoapSettings::default());
    let long = format!("<QBXML>{}</QBXML>", "<N>ä & b</N>".repeat(50_000));
    for parameters in [
        [("ticket", "t"), ("response", long.as_str()), ("hresult", ""), ("message", "")],
        [("message", ""), ("hresult", ""), ("response", long.as_str()), ("ticket", "t")],
        [("ticket", "t"), ("response", "<a/>"), ("hresult", ""), ("message", "")],
        [("response", ""), ("ticket", "t"), ("hresult", "0x80040400"), ("message", "m")],
    ] {
        let given = parameters.iter().find(|it| it.0 == "response").unwrap().1;

        assert_eq!(server.call("receiveResponseXML", &parameters), "-1");

        let last = spooled.lock().unwrap().pop().unwrap();
        assert!(last == given.as_bytes());
        assert!(spooled.lock().unwrap().is_empty());
    }
}

#[test]
fn a_response_that_is_cut_off_is_not_kept() {
    let (engine, spooled) = out_of_order::engine();
    let server = Server::start(engine, SoapSettings::default());
    let body = call("receiveResponseXML", &[("ticket", "t"), ("response", &"<a>".repeat(100_000))]);

    fault(&server, &body[..body.len() - TAIL.len()]);
    fault(&server, &body[..body.len() / 2]);

    assert!(spooled.lock().unwrap().is_empty());
}

#[test]
fn a_response_longer_than_allowed_is_refused_in_the_protocols_words() {
    let (engine, spooled) = out_of_order::engine();
    let settings = SoapSettings { max_response_bytes: 100_000, ..SoapSettings::default() };
    let server = Server::start(engine, settings);

    let fits = [("ticket", "t"), ("response", &*"<a>".repeat(33_333))];
    assert_eq!(server.call("receiveResponseXML", &fits), "-1");
    assert_eq!(spooled.lock().unwrap().drain(..).count(), 1);
    for times in [33_334, 200_000] {
        let response = "<a>".repeat(times);
        let parameters = [("ticket", "t"), ("response", response.as_str())];
        assert_eq!(server.call("receiveResponseXML", &parameters), "-1");
    }
    assert!(spooled.lock().unwrap().is_empty());
}

#[test]
fn a_client_that_stops_sending_is_not_waited_for() {
    let settings =
        SoapSettings { body_idle: Duration::from_millis(200), ..SoapSettings::default() };
    let (engine, spooled) = out_of_order::engine();
    let server = Server::start(engine, settings);
    let short = call("serverVersion", &[]);
    let long = call("receiveResponseXML", &[("ticket", "t"), ("response", &"<a>".repeat(100_000))]);
    for body in [short, long] {
        let began = Instant::now();
        let head = format!("POST /qbwc HTTP/1.1\r\nContent-Length: {}", body.len());

        let answer = server.raw(&head, &[&body.as_bytes()[..body.len() - 10]]);

        assert_eq!(answer.status, 500);
        assert!(answer.body.contains("the envelope ends too early"));
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    assert!(spooled.lock().unwrap().is_empty());
}

#[test]
fn clients_that_hang_up_hold_up_nobody() {
    let (engine, spooled) = out_of_order::engine();
    let server = Server::start(engine, SoapSettings::default());
    let body = call("receiveResponseXML", &[("ticket", "t"), ("response", &"<a>".repeat(100_000))]);
    for _ in 0..40 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let head =
            format!("POST /qbwc HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
    }

    assert_eq!(server.call("receiveResponseXML", &[("ticket", "t"), ("response", "x")]), "-1");
    assert_eq!(*spooled.lock().unwrap(), [b"x"]);
}

#[test]
fn whatever_is_posted_the_answer_is_an_envelope() {
    let server = server();
    let operations =
        ["serverVersion", "authenticate", "sendRequestXML", "receiveResponseXML", "getLastError"];
    let parameters = [("ticket", "t"), ("response", "<a>&amp;</a>"), ("strUserName", "u")];
    let mut random = 0x9e37_79b9_u64;
    let mut below = |most: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % most as u64).unwrap()
    };
    let mut faults = 0;
    for round in 0..300 {
        let mut body = call(operations[round % operations.len()], &parameters).into_bytes();
        for _ in 0..below(4) {
            let at = below(body.len());
            match below(4) {
                0 => body[at] = u8::try_from(below(256)).unwrap(),
                1 => body.truncate(at.max(1)),
                2 => body.insert(at, b"<>&;\"'/]!?"[below(10)]),
                _ => drop(body.drain(at..(at + below(30)).min(body.len()))),
            }
            body.push(b' ');
        }

        let answer = server.post_with("", &body);

        assert!(matches!(answer.status, 200 | 500), "{}", answer.status);
        assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
        assert!(answer.body.starts_with(HEAD) && answer.body.ends_with(TAIL));
        let mut reader = quick_xml::Reader::from_str(&answer.body);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        faults += usize::from(answer.status == 500);
    }
    assert!((50..250).contains(&faults), "{faults} of 300 were faults");
}
