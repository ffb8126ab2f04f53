//! Whole sessions over real HTTP, on a real store.

use std::fmt::Write as _;

use bookbridge::domain::record::Status;
use bookbridge::engine::Actor;
use bookbridge::engine::Engine;
use bookbridge::engine::Handling;
use bookbridge::engine::NewConnection;
use bookbridge::engine::NewRecord;
use bookbridge::engine::Settings;
use bookbridge::engine::ambient::System;
use bookbridge::soap::SoapSettings;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::soap::http::Server;
use crate::soap::http::TAIL;
use crate::soap::http::call;
use crate::soap::toolkit;
use crate::store::Place;

const COMPANY: &str = r"C:\Books\Acme.QBW";

/// A connection with customers in its queue, and a server for it.
pub(crate) struct Books {
    pub(crate) server: Server,
    engine: Engine,
    username: String,
    password: String,
    connection: bookbridge::domain::ids::ConnectionId,
    _place: Place,
}

impl Books {
    pub(crate) async fn with(customers: &[&str], settings: SoapSettings) -> Self {
        let place = Place::new();
        let engine = Engine::new(place.shared(), std::sync::Arc::new(System), Settings::default());
        let actor = Actor("test".to_owned());
        let new = NewConnection { name: "Acme".to_owned(), ..NewConnection::default() };
        let (connection, password) = engine.add_connection(new, &actor).await.unwrap();
        for name in customers {
            let new = NewRecord {
                kind: "Customer".to_owned(),
                source_id: (*name).to_owned(),
                data: json!({ "Name": name }),
                posted: true,
                priority: 0,
                depends_on: vec![],
                on_duplicate: bookbridge::domain::record::OnDuplicate::Fail,
            };
            engine.put(&connection.id, new, Handling::Strict, &actor).await.unwrap();
        }
        Self {
            server: Server::start(engine.clone(), settings),
            engine,
            username: connection.username,
            password: password.expose_secret().to_owned(),
            connection: connection.id,
            _place: place,
        }
    }

    fn login(&self, password: &str) -> String {
        let parameters = [("strUserName", self.username.as_str()), ("strPassword", password)];
        self.server.call("authenticate", &parameters)
    }

    /// Logs in; the ticket.
    pub(crate) fn ticket(&self) -> String {
        let strings = self.login(&self.password);
        let ticket = strings.strip_prefix("<string>").and_then(|it| it.split('<').next()).unwrap();
        assert_eq!(strings, format!("<string>{ticket}</string><string></string>"));
        assert!(ticket.len() >= 22);
        ticket.to_owned()
    }

    /// Asks for the next document.
    pub(crate) fn next(&self, ticket: &str, hcp: &str) -> String {
        let sent = self.server.call(
            "sendRequestXML",
            &[
                ("ticket", ticket),
                ("strHCPResponse", hcp),
                ("strCompanyFileName", COMPANY),
                ("qbXMLCountry", "US"),
                ("qbXMLMajorVers", "13"),
                ("qbXMLMinorVers", "0"),
            ],
        );
        sent.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    fn answer(&self, ticket: &str, response: &str) -> String {
        let parameters =
            [("ticket", ticket), ("response", response), ("hresult", ""), ("message", "")];
        self.server.call("receiveResponseXML", &parameters)
    }

    fn last_error(&self, ticket: &str) -> String {
        self.server.call("getLastError", &[("ticket", ticket)])
    }

    async fn count(&self, status: Status) -> u64 {
        self.engine.store().counts(&self.connection).await.unwrap().of(status)
    }
}

/// The value of an attribute, wherever it stands first.
pub(crate) fn attribute<'a>(document: &'a str, name: &str) -> &'a str {
    let (_, after) = document.split_once(&format!(" {name}=\"")).unwrap();
    after.split('"').next().unwrap()
}

/// What QuickBooks says to the `CustomerAddRq`s of a document: made, each of them.
fn made(document: &str) -> String {
    let mut answers = String::new();
    for (number, request) in document.split("<CustomerAddRq").skip(1).enumerate() {
        let id = attribute(request, "requestID");
        let name = request.split("<Name>").nth(1).unwrap().split('<').next().unwrap();
        write!(
            answers,
            "<CustomerAddRs requestID=\"{id}\" statusCode=\"0\" statusSeverity=\"Info\" \
             statusMessage=\"Status OK\"><CustomerRet><ListID>8000000{number}-1700000000</ListID>\
             <TimeCreated>2026-01-01T00:00:00-08:00</TimeCreated>\
             <TimeModified>2026-01-01T00:00:00-08:00</TimeModified>\
             <EditSequence>1700000000</EditSequence><Name>{name}</Name><FullName>{name}</FullName>\
             </CustomerRet></CustomerAddRs>"
        )
        .unwrap();
    }
    let id = attribute(document, "newMessageSetID");
    format!(
        "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs newMessageSetID=\"{id}\" \
         messageSetStatusCode=\"0\">{answers}</QBXMLMsgsRs></QBXML>"
    )
}

#[actix_web::test]
async fn a_session_from_login_to_goodbye() {
    let books = Books::with(&["First", "Second"], SoapSettings::default()).await;

    let ticket = books.ticket();
    let document = books.next(&ticket, "");
    assert!(document.starts_with("<?xml version=\"1.0\""), "{document}");
    assert!(document.contains("<Name>First</Name>"), "{document}");
    assert_eq!(books.answer(&ticket, &made(&document)), "100");
    assert_eq!(books.server.call("closeConnection", &[("ticket", &ticket)]), "OK");

    assert_eq!(books.count(Status::Synced).await, 2);
    assert!(books.login(&books.password).starts_with("<string></string><string>none</string>"));
}

#[actix_web::test]
async fn a_second_connector_is_told_that_the_first_is_busy() {
    let books = Books::with(&["A"], SoapSettings::default()).await;

    let ticket = books.ticket();

    assert_eq!(books.login(&books.password), "<string></string><string>busy</string>");
    assert!(!books.next(&ticket, "").is_empty());
}

#[actix_web::test]
async fn a_wrong_password_is_refused_and_then_made_to_wait_and_a_right_one_never_is() {
    let books = Books::with(&["A"], SoapSettings::default()).await;
    let (refused, busy) =
        ("<string></string><string>nvu</string>", "<string></string><string>busy</string>");

    let answers: Vec<_> = (0..20).map(|_| books.login("wrong")).collect();

    assert!(answers[..10].iter().all(|it| it == refused), "{answers:?}");
    assert!(answers[10..].iter().any(|it| it == busy), "{answers:?}");
    let right = books.login(&books.password);
    assert!(right != *refused && right != *busy, "{right}");
    let nobody = [("strUserName", "nobody"), ("strPassword", "x")];
    assert_eq!(books.server.call("authenticate", &nobody), refused);
}

#[actix_web::test]
async fn a_ticket_that_nobody_knows_is_answered_in_every_call() {
    let books = Books::with(&["A"], SoapSettings::default()).await;
    for ticket in ["", "nonsense", "<x>"] {
        assert_eq!(books.next(ticket, ""), "");
        assert_eq!(books.answer(ticket, "<QBXML/>"), "-1");
        assert_eq!(books.answer(ticket, &"<QBXML/>".repeat(50_000)), "-1");
        let error = [("ticket", ticket), ("hresult", "0x80040408"), ("message", "m")];
        assert_eq!(books.server.call("connectionError", &error), "done");
        assert!(books.last_error(ticket).contains("expired"));
        assert_eq!(books.server.call("closeConnection", &[("ticket", ticket)]), "OK");
    }
}

#[actix_web::test]
async fn a_response_that_is_too_long_leaves_its_message_set_in_doubt_and_says_why() {
    let settings = SoapSettings { max_response_bytes: 10_000, ..SoapSettings::default() };
    let books = Books::with(&["A"], settings).await;
    let ticket = books.ticket();
    let document = books.next(&ticket, "");

    assert_eq!(
        books.answer(&ticket, &made(&document).replace("<Name>", &" ".repeat(300_000))),
        "-1"
    );

    let why = books.last_error(&ticket);
    assert!(why.contains("10000 bytes") && why.contains("max-response-bytes"), "{why}");
    books.server.call("closeConnection", &[("ticket", &ticket)]);
    assert_eq!(books.count(Status::InDoubt).await, 1);
    let ticket = books.ticket();
    assert_eq!(books.next(&ticket, ""), document);
    assert_eq!(books.answer(&ticket, &made(&document)), "100");
    assert_eq!(books.count(Status::Synced).await, 1);
}

#[actix_web::test]
async fn a_response_that_was_cut_off_is_asked_for_again_in_the_same_bytes() {
    let books = Books::with(&["A"], SoapSettings::default()).await;
    let ticket = books.ticket();
    let document = books.next(&ticket, "");
    let response = made(&document);
    let body = call("receiveResponseXML", &[("ticket", &ticket), ("response", &response)]);

    let cut = books.server.post(&body[..body.len() - TAIL.len() - 60]);

    assert_eq!(cut.status, 500);
    assert_eq!(books.count(Status::Synced).await, 0);
    books.server.call("closeConnection", &[("ticket", &ticket)]);
    let ticket = books.ticket();
    assert_eq!(books.next(&ticket, ""), document);
    assert_eq!(books.answer(&ticket, &response), "100");
    assert_eq!(books.count(Status::Synced).await, 1);
}

#[actix_web::test]
async fn a_soap_toolkit_completes_a_session() {
    let Some(python) = toolkit::python() else { return };
    let books = Books::with(&["A", "B", "C"], SoapSettings::default()).await;

    let said = toolkit::zeep(&python, &books.server, &[&books.username, &books.password]);

    assert!(said.contains("CustomerAddRq") && said.contains("percent: 100"), "{said}");
    assert!(said.contains("closeConnection: OK"), "{said}");
    assert_eq!(books.count(Status::Synced).await, 3);
}
