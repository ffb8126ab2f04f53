//! An engine on a real store, a clock moved by hand, and a QuickBooks that answers as it is told.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::message_set::Body;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Record;
use bookbridge::engine::Actor;
use bookbridge::engine::Engine;
use bookbridge::engine::FirstCall;
use bookbridge::engine::Handling;
use bookbridge::engine::Login;
use bookbridge::engine::NewConnection;
use bookbridge::engine::NewRecord;
use bookbridge::engine::Put;
use bookbridge::engine::Settings;
use bookbridge::store::StoreError;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use secrecy::SecretString;
use serde_json::Value;
use serde_json::json;

use crate::support::hands::Hands;

pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) hands: Arc<Hands>,
    pub(super) id: ConnectionId,
    username: String,
    password: SecretString,
    made: u32,
    dir: tempfile::TempDir,
}

/// What the connector carries of one message set.
pub(super) struct Carried {
    pub(super) ticket: String,
    pub(super) qbxml: String,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// One whose connection keeps the mirror.
    pub(super) async fn mirrored() -> Self {
        Self::opened(Settings::default(), true).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        Self::opened(settings, false).await
    }

    async fn opened(settings: Settings, mirror: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir.path().join("store")).unwrap();
        let hands = Arc::new(Hands::new(7));
        let engine = Engine::new(Arc::new(store), hands.clone(), settings);
        let new = NewConnection { name: "Acme".to_owned(), mirror, ..NewConnection::default() };
        let (connection, password) = engine.add_connection(new, &actor()).await.unwrap();
        Self {
            engine,
            hands,
            id: connection.id,
            username: connection.username,
            password,
            made: 0,
            dir,
        }
    }

    /// What a damaged disk does: every place in the queue is gone.
    pub(super) async fn lose_the_queue(&mut self) {
        let at = self.dir.path().join("store");
        self.engine.store().close().await.unwrap();
        // The store is let go of, and opened again below.
        let elsewhere = tempfile::tempdir().unwrap();
        let other = Arc::new(store(&elsewhere.path().join("store")).unwrap());
        self.engine = Engine::new(other, self.hands.clone(), Settings::default());
        {
            let db =
                opened(|| ::sled::Config::new().path(at.join("sled")).segment_size(8 << 20).open());
            db.open_tree("queue").unwrap().clear().unwrap();
            db.flush().unwrap();
        }
        let store = Arc::new(opened(|| store(&at)));
        self.engine = Engine::new(store, self.hands.clone(), Settings::default());
    }

    pub(super) fn key(&self, path: &str) -> RecordKey {
        let (kind, source_id) = path.split_once('/').unwrap();
        RecordKey::new(&self.id, kind, source_id).unwrap()
    }

    pub(super) async fn put(&self, path: &str, data: Value) -> Put {
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
        self.engine.put(&self.id, new, Handling::Lenient, &actor()).await.unwrap()
    }

    pub(super) async fn customer(&self, path: &str) -> Put {
        self.put(path, json!({ "Name": path.replace('/', " ") })).await
    }

    pub(super) async fn record(&self, path: &str) -> Record {
        self.engine.store().record(&self.key(path)).await.unwrap().unwrap()
    }

    pub(super) async fn login(&self) -> Login {
        self.engine.authenticate(&self.username, &self.password).await.unwrap()
    }

    pub(super) async fn wrong_login(&self) {
        let refused = self.engine.authenticate(&self.username, &SecretString::from("wrong")).await;
        assert!(matches!(refused.unwrap(), Login::Refused));
    }

    /// Logs in and takes the first message set; empty if there is none.
    pub(super) async fn open(&self) -> Carried {
        let carried = self.open_as_it_comes().await;
        if !asks_number(&carried.qbxml) {
            return carried;
        }
        // Nobody has the number.
        self.bring(&carried.ticket, &told(&carried.qbxml, &[])).await;
        let qbxml = self.send(&carried.ticket).await;
        Carried { ticket: carried.ticket, qbxml }
    }

    /// The same with the question for a number, if that is the first.
    pub(super) async fn open_as_it_comes(&self) -> Carried {
        let Login::Work { ticket, .. } = self.login().await else { panic!("there is no work") };
        let qbxml = self.send(&ticket).await;
        Carried { ticket, qbxml }
    }

    pub(super) async fn send(&self, ticket: &str) -> String {
        let call = FirstCall { country: "US".to_owned(), major: 13, ..FirstCall::default() };
        self.engine.send_request(ticket, call).await.unwrap()
    }

    pub(super) async fn bring(&self, ticket: &str, response: &str) -> i32 {
        let body = Body::Inline(response.to_owned());
        self.engine.receive_response(ticket, body, "", "").await.unwrap()
    }

    pub(super) async fn throw(&self, ticket: &str, hresult: &str) -> i32 {
        let nothing = Body::Inline(String::new());
        self.engine.receive_response(ticket, nothing, hresult, "QuickBooks said so").await.unwrap()
    }

    /// One session to its end, an hour later, answered by `answers`; what it carried.
    pub(super) async fn session(
        &mut self,
        mut answers: impl FnMut(&mut Self, &str) -> String,
    ) -> Vec<String> {
        self.hands.pass(3600);
        let mut sent = Vec::new();
        let Login::Work { ticket, .. } = self.login().await else { return sent };
        loop {
            let qbxml = self.send(&ticket).await;
            if qbxml.is_empty() {
                break;
            }
            let answer = answers(self, &qbxml);
            sent.push(qbxml);
            if self.bring(&ticket, &answer).await == 100 {
                break;
            }
        }
        self.engine.close_connection(&ticket).await.unwrap();
        sent
    }

    /// QuickBooks' answer to a message set in which everything succeeds.
    pub(super) fn agree(&mut self, qbxml: &str) -> String {
        self.answer(qbxml, |_| None)
    }

    /// QuickBooks' answer; `refuse` gives code and text for the request that it refuses.
    pub(super) fn answer(
        &mut self,
        qbxml: &str,
        refuse: impl Fn(&str) -> Option<(i32, &'static str)>,
    ) -> String {
        let mut answers = String::new();
        for request in qbxml.split("Rq requestID=\"").skip(1).zip(names(qbxml)) {
            let (rest, name) = request;
            let id = rest.split('"').next().unwrap();
            let text = rest.split("Rq>").next().unwrap();
            if let Some((code, message)) = refuse(text) {
                let _ = write!(
                    answers,
                    "<{name}Rs requestID=\"{id}\" statusCode=\"{code}\" statusSeverity=\"Error\" \
                     statusMessage=\"{message}\"/>"
                );
            } else {
                self.made += 1;
                let kind = name.trim_end_matches("Add").trim_end_matches("Mod");
                let kind = kind.trim_end_matches("Query");
                let _ = write!(
                    answers,
                    "<{name}Rs requestID=\"{id}\" statusCode=\"0\" statusSeverity=\"Info\">\
                     <{kind}Ret><ListID>80-{made}</ListID><EditSequence>{made}</EditSequence>\
                     </{kind}Ret></{name}Rs>",
                    made = self.made,
                );
            }
        }
        let id = attribute(qbxml, "newMessageSetID");
        let head = id.map_or(String::new(), |id| {
            format!(" newMessageSetID=\"{id}\" messageSetStatusCode=\"0\"")
        });
        format!("<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs{head}>{answers}</QBXMLMsgsRs></QBXML>")
    }
}

/// QuickBooks' answer to a question: what is given, under the ids that were asked for in order, and
/// nothing for the requests behind.
pub(super) fn told(question: &str, answers: &[&str]) -> String {
    let mut whole = String::new();
    for (at, (rest, name)) in
        question.split("Rq requestID=\"").skip(1).zip(names(question)).enumerate()
    {
        let id = rest.split('"').next().unwrap();
        let nothing = "statusCode=\"1\" statusSeverity=\"Info\"/>";
        let answer = answers.get(at).copied().unwrap_or(nothing);
        let _ = write!(whole, "<{name}Rs requestID=\"{id}\" {answer}");
        if !answer.ends_with("/>") {
            let _ = write!(whole, "</{name}Rs>");
        }
    }
    format!("<QBXML><QBXMLMsgsRs>{whole}</QBXMLMsgsRs></QBXML>")
}

/// Whether a message set asks who has the number of a document that is to be made.
pub(super) fn asks_number(qbxml: &str) -> bool {
    let named = qbxml.contains("QueryRq requestID") && qbxml.contains("<RefNumber>");
    named && !qbxml.contains("FromModifiedDate") && !qbxml.contains("newMessageSetID")
}

fn store(at: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(at, &Options { reserve: 0, ..Options::default() })
}

/// sled lets go of its files a moment after it was dropped.
fn opened<T, E: std::fmt::Debug>(mut open: impl FnMut() -> Result<T, E>) -> T {
    for _ in 0..100 {
        if let Ok(opened) = open() {
            return opened;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    open().unwrap()
}

/// Names of the requests in a document, without `Rq`.
fn names(qbxml: &str) -> Vec<String> {
    let heads = qbxml.split("Rq requestID=\"");
    let mut names: Vec<_> =
        heads.map(|before| before.rsplit('<').next().unwrap().to_owned()).collect();
    names.pop();
    names
}

pub(super) fn attribute(qbxml: &str, name: &str) -> Option<String> {
    let rest = qbxml.split(&format!("{name}=\"")).nth(1)?;
    Some(rest.split('"').next()?.to_owned())
}

pub(super) fn actor() -> Actor {
    Actor("a test".to_owned())
}
