//! An accountant's office: the real engine behind the real endpoint, a simulated Web Connector and
//! QuickBooks, and one clock that is moved by hand.

use std::sync::Arc;

use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Record;
use bookbridge::engine::Action;
use bookbridge::engine::Actor;
use bookbridge::engine::Engine;
use bookbridge::engine::EngineError;
use bookbridge::engine::Handling;
use bookbridge::engine::NewConnection;
use bookbridge::engine::NewRecord;
use bookbridge::engine::Pressed;
use bookbridge::engine::Settings;
use bookbridge::engine::ambient::Ambient as _;
use bookbridge::simulator::Ended;
use bookbridge::simulator::Endpoint;
use bookbridge::simulator::QuickBooks;
use bookbridge::simulator::Setup;
use bookbridge::simulator::WebConnector;
use bookbridge::soap::SoapSettings;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::soap::http::Server;
use crate::store::Place;
use crate::support::hands::Hands;

pub(crate) struct Office {
    pub(crate) engine: Engine,
    pub(crate) hands: Arc<Hands>,
    pub(crate) connector: WebConnector,
    pub(crate) id: ConnectionId,
    _server: Server,
    _place: Place,
}

fn actor() -> Actor {
    Actor("a test".to_owned())
}

/// Whether an object is a document with a TxnID, as far as these tests go.
fn is_document(kind: &str) -> bool {
    matches!(
        kind,
        "Bill" | "Estimate" | "Invoice" | "ItemReceipt" | "ReceivePayment" | "SalesOrder"
    )
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::with(NewConnection { name: "Acme".to_owned(), ..NewConnection::default() }).await
    }

    pub(crate) async fn with(new: NewConnection) -> Self {
        let place = Place::new();
        let hands = Arc::new(Hands::new(5));
        let settings = Settings { message_set_size: 2, ..Settings::default() };
        let engine = Engine::new(place.shared(), hands.clone(), settings);
        let (connection, password) = engine.add_connection(new, &actor()).await.unwrap();
        let server = Server::start(engine.clone(), SoapSettings::default());
        let endpoint = Endpoint {
            url: server.url(),
            user: connection.username,
            password: password.expose_secret().to_owned(),
        };
        let ticking = hands.clone();
        let now = move || ticking.now().as_second();
        let quickbooks = QuickBooks::open(None, &Setup::default(), now()).unwrap();
        let connector = WebConnector::new(endpoint, quickbooks, Box::new(now));
        Self { engine, hands, connector, id: connection.id, _server: server, _place: place }
    }

    pub(crate) async fn put(&self, path: &str, data: Value) {
        let (kind, source_id) = path.split_once('/').unwrap();
        let new = NewRecord {
            kind: kind.to_owned(),
            source_id: source_id.to_owned(),
            data,
            posted: true,
            priority: 0,
            depends_on: Vec::new(),
            on_duplicate: OnDuplicate::Fail,
        };
        self.engine.put(&self.id, new, Handling::Strict, &actor()).await.unwrap();
    }

    pub(crate) async fn record(&self, path: &str) -> Record {
        let (kind, source_id) = path.split_once('/').unwrap();
        let key = RecordKey::new(&self.id, kind, source_id).unwrap();
        self.engine.store().record(&key).await.unwrap().unwrap()
    }

    pub(crate) async fn act(&self, path: &str, action: Action) {
        let (kind, source_id) = path.split_once('/').unwrap();
        let key = RecordKey::new(&self.id, kind, source_id).unwrap();
        self.engine.act(&key, action, &actor()).await.unwrap();
    }

    /// As an application does, whatever comes of it.
    pub(crate) async fn push(&self, path: &str, data: Value) -> Record {
        self.push_with(path, data, true, OnDuplicate::Fail).await
    }

    pub(crate) async fn push_with(
        &self,
        path: &str,
        data: Value,
        posted: bool,
        on_duplicate: OnDuplicate,
    ) -> Record {
        let (kind, source_id) = path.split_once('/').unwrap();
        let new = NewRecord {
            kind: kind.to_owned(),
            source_id: source_id.to_owned(),
            data,
            posted,
            priority: 0,
            depends_on: Vec::new(),
            on_duplicate,
        };
        self.engine.put(&self.id, new, Handling::Lenient, &actor()).await.unwrap();
        self.record(path).await
    }

    /// A button is pressed, and pressed again: the second time nothing may come of it.
    pub(crate) async fn press(&self, path: &str, id: &str) {
        self.press_as(path, Pressed { id: id.to_owned(), ..Pressed::default() }).await;
    }

    pub(crate) async fn press_as(&self, path: &str, pressed: Pressed) {
        let key = self.record(path).await.key;
        let press = Action::Fix(pressed);
        let once = self.engine.act(&key, press.clone(), &actor()).await.unwrap();
        let again = match self.engine.act(&key, press, &actor()).await {
            Ok(again) => again,
            Err(EngineError::NotNow(_)) => self.record(path).await,
            Err(error) => panic!("{error}"),
        };
        assert_eq!((again.status, again.asked), (once.status, once.asked), "{path}");
        assert_eq!(again.reference, once.reference, "{path}");
    }

    /// A person enters something to sell: the service Labor, for 50.00.
    #[track_caller]
    pub(crate) fn sells_labor(&mut self) {
        self.person(
            "<ItemServiceAddRq requestID=\"1\"><ItemServiceAdd><Name>Labor</Name><SalesOrPurchase>\
             <Price>50.00</Price><AccountRef><FullName>Services</FullName></AccountRef>\
             </SalesOrPurchase></ItemServiceAdd></ItemServiceAddRq>",
        );
    }

    /// A person enters somebody by name alone.
    #[track_caller]
    pub(crate) fn knows(&mut self, kind: &str, name: &str) {
        self.person(&format!(
            "<{kind}AddRq requestID=\"1\"><{kind}Add><Name>{name}</Name></{kind}Add></{kind}AddRq>"
        ));
    }

    /// What a person does in QuickBooks, as qbXML; the answer.
    #[track_caller]
    pub(crate) fn person(&mut self, request: &str) -> String {
        let now = self.hands.now().as_second();
        let document = format!(
            "<?xml version=\"1.0\"?><?qbxml version=\"13.0\"?><QBXML><QBXMLMsgsRq \
             onError=\"stopOnError\">{request}</QBXMLMsgsRq></QBXML>"
        );
        let answer = self.connector.quickbooks().process(&document, now).unwrap();
        assert!(answer.contains("statusCode=\"0\""), "{request}\n{answer}");
        answer
    }

    /// A person changes an object in QuickBooks: these elements of it.
    #[track_caller]
    pub(crate) fn change(&mut self, kind: &str, name: &str, elements: &str) {
        let (id, sequence) = self.object(kind, name);
        let member = if is_document(kind) { "TxnID" } else { "ListID" };
        self.person(&format!(
            "<{kind}ModRq requestID=\"1\"><{kind}Mod><{member}>{id}</{member}><EditSequence>{sequence}\
             </EditSequence>{elements}</{kind}Mod></{kind}ModRq>"
        ));
    }

    /// A person deletes an object in QuickBooks; the id that it had.
    #[track_caller]
    pub(crate) fn delete(&mut self, kind: &str, name: &str) -> String {
        let (id, _) = self.object(kind, name);
        let (family, member) =
            if is_document(kind) { ("Txn", "TxnID") } else { ("List", "ListID") };
        self.person(&format!(
            "<{family}DelRq requestID=\"1\"><{family}DelType>{kind}</{family}DelType><{member}>{id}\
             </{member}></{family}DelRq>"
        ));
        id
    }

    /// A person makes something active, or inactive, in QuickBooks.
    #[track_caller]
    pub(crate) fn set_active(&mut self, kind: &str, name: &str, active: bool) {
        self.change(kind, name, &format!("<IsActive>{active}</IsActive>"));
    }

    /// ListID or TxnID, and edit sequence, of an object by its name or number.
    #[track_caller]
    pub(crate) fn object(&mut self, kind: &str, name: &str) -> (String, String) {
        let books = self.connector.quickbooks().books();
        let found = books.find(kind, name).unwrap_or_else(|| panic!("there is no {kind} {name}"));
        (found.id.clone(), found.edit_sequence.to_string())
    }

    /// An element of an object in QuickBooks.
    #[track_caller]
    pub(crate) fn told(&mut self, kind: &str, name: &str, path: &str) -> String {
        let books = self.connector.quickbooks().books();
        books.find(kind, name).unwrap().body.at(path).to_owned()
    }

    /// One poll with these faults; how it ended.
    pub(crate) fn poll(&mut self, faults: &[&str]) -> Ended {
        let faults: Vec<_> = faults.iter().map(|spec| spec.parse().unwrap()).collect();
        self.connector.session(&faults, &mut |_| {}).ended
    }

    /// The objects of a kind in QuickBooks, by name or number.
    pub(crate) fn in_quickbooks(&mut self, kind: &str) -> Vec<String> {
        let books = self.connector.quickbooks().books();
        books.of_kind(kind).map(|object| object.name().to_owned()).collect()
    }
}
