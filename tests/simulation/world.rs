//! A whole world in one process: applications, a connector, QuickBooks, the real engine on the real
//! store; no sockets, no sleeps, time moved by hand.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use bookbridge::domain::ids::ConnectionId;
use bookbridge::domain::ids::RecordKey;
use bookbridge::domain::message_set::Body;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::OnDuplicate;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::domain::record::Wanted;
use bookbridge::engine::Action as Decision;
use bookbridge::engine::Actor;
use bookbridge::engine::ConnectionChange;
use bookbridge::engine::Engine;
use bookbridge::engine::EngineError;
use bookbridge::engine::FirstCall;
use bookbridge::engine::Handling;
use bookbridge::engine::Login;
use bookbridge::engine::NewConnection;
use bookbridge::engine::NewRecord;
use bookbridge::engine::Pressed;
use bookbridge::engine::Settings;
use bookbridge::engine::ambient::Ambient as _;
use bookbridge::store::RecordFilter;
use bookbridge::store::StoreError;
use bookbridge::store::sled::Fault as Death;
use bookbridge::store::sled::Faults;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;
use secrecy::SecretString;
use serde_json::json;

use super::action::Action;
use super::action::CUSTOMERS;
use super::action::Fault;
use super::action::INVOICES;
use super::action::Moment;
use super::action::PAYMENTS;
use super::action::TWINS;
use super::action::Thing;
use super::books::Books;
use super::books::Storing;
use super::books::Taken;
use super::books::attribute;
use super::books::brief;
use super::books::element;
use super::books::token;
use crate::support::hands::Hands;

/// Sessions in which a queue without obstacles must be empty.
const DRAIN_SESSIONS: usize = 30;
/// How often a person tries again what failed, once its obstacles are gone.
const PRESSES: usize = 3;
/// So many polls without work in a row, an hour apart, and nothing is left: no wait is longer.
const IDLE_POLLS: usize = 3;
/// Rounds of one session: more is a loop.
const MAX_ROUNDS: usize = 200;

/// Lets the store die at a commit that the run chooses.
#[derive(Debug, Default)]
struct Reaper {
    left: AtomicI64,
    durable: std::sync::atomic::AtomicBool,
}

impl Faults for Reaper {
    fn at(&self, _commit: u64) -> Death {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Death::None;
        }
        self.left.store(left - 1, Ordering::SeqCst);
        match (left, self.durable.load(Ordering::SeqCst)) {
            (1, true) => Death::After,
            (1, false) => Death::Before,
            _ => Death::None,
        }
    }
}

pub(crate) struct World {
    dir: PathBuf,
    hands: Arc<Hands>,
    reaper: Arc<Reaper>,
    engine: Option<Engine>,
    lanes: Vec<Lane>,
    story: Vec<String>,
    /// Whether the story has every call, answer and status, and not only what was done.
    tells_all: bool,
    /// True time, in seconds: ours may be wrong.
    time: i64,
    pub(crate) sessions: u64,
}

/// One connection: its application, its Web Connector, its QuickBooks.
struct Lane {
    id: ConnectionId,
    username: String,
    password: SecretString,
    books: Books,
    backup: Books,
    /// Whether a session told which company file is open.
    paired: bool,
    /// Names of records whose put was acknowledged.
    acknowledged: BTreeSet<RecordKey>,
    /// Records whose object a person took away, or that a backup took back, until QuickBooks
    /// makes or changes it anew.
    forgiven: BTreeSet<String>,
    /// Who wanted each record out of QuickBooks last.
    released: BTreeMap<String, Release>,
    /// Records that QuickBooks deleted or voided for us, until it makes or changes them anew.
    taken: BTreeSet<String>,
    /// Records that a person sent although their number is another one's.
    insisted: BTreeSet<String>,
    /// Where each record stood when it was looked at last, and its place in the queue.
    places: BTreeMap<String, (Status, u64)>,
    /// Write message sets that were handed out.
    handed: BTreeSet<String>,
    /// The bytes of every write message set.
    sent: BTreeMap<String, String>,
    /// The one that was handed out last, until it is settled for sure.
    unsettled: Option<String>,
    /// A late answer: ticket and response.
    late: Option<(String, String)>,
}

/// Who wants a record out of QuickBooks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Release {
    Application,
    /// Only if nobody changed it.
    Undo,
}

/// What broke, and how it came about.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) what: String,
    pub(crate) story: Vec<String>,
}

/// What became of a poll.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Polled {
    /// There was nothing to do.
    Idle,
    /// There was, or another session was at work.
    Worked,
}

type Went<T> = Result<T, String>;

impl Thing {
    fn token(self) -> String {
        match self {
            Self::Customer(n) => format!("C{n}"),
            Self::Invoice(n) => format!("I{n}"),
            Self::Payment(n) => format!("P{n}"),
            Self::Twin(n) => format!("T{n}"),
        }
    }

    /// The one that has the number first.
    fn twin(self) -> Option<Self> {
        match self {
            Self::Twin(n) => Some(Self::Invoice(n)),
            _ => None,
        }
    }

    /// The other one of its number.
    fn rival(self) -> Option<Self> {
        match self {
            Self::Invoice(n) if n < TWINS => Some(Self::Twin(n)),
            other => other.twin(),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Customer(_) => "Customer",
            Self::Invoice(_) | Self::Twin(_) => "Invoice",
            Self::Payment(_) => "ReceivePayment",
        }
    }

    /// Each invoice has a customer, each payment an invoice.
    fn parent(self) -> Option<Self> {
        match self {
            Self::Customer(_) => None,
            Self::Invoice(n) => Some(Self::Customer(n % CUSTOMERS)),
            Self::Payment(n) => Some(Self::Invoice(n % INVOICES)),
            Self::Twin(n) => Some(Self::Customer(2 * n % CUSTOMERS)),
        }
    }

    fn path(self) -> String {
        format!("{}/{}", self.kind(), self.token())
    }
}

fn all_things() -> Vec<Thing> {
    let customers = (0..CUSTOMERS).map(Thing::Customer);
    let invoices = (0..INVOICES).map(Thing::Invoice);
    let twins = (0..TWINS).map(Thing::Twin);
    customers.chain(invoices).chain((0..PAYMENTS).map(Thing::Payment)).chain(twins).collect()
}

impl World {
    pub(crate) async fn new(seed: u64, dir: PathBuf, tells_all: bool) -> Self {
        let hands = Arc::new(Hands::new(seed));
        let (lanes, story) = (Vec::new(), Vec::new());
        let reaper = Arc::default();
        let time = hands.now().as_second();
        let (engine, sessions) = (None, 0);
        let mut world =
            Self { dir, hands, reaper, engine, lanes, story, tells_all, time, sessions };
        world.start().unwrap();
        // The second one keeps the mirror.
        for (name, mirror) in [("One", false), ("Two", true)] {
            let new = NewConnection { name: name.to_owned(), mirror, ..NewConnection::default() };
            let made = world.engine().add_connection(new, &actor()).await.unwrap();
            world.lanes.push(Lane {
                id: made.0.id,
                username: made.0.username,
                password: made.1,
                books: Books::default(),
                backup: Books::default(),
                paired: false,
                acknowledged: BTreeSet::new(),
                forgiven: BTreeSet::new(),
                released: BTreeMap::new(),
                taken: BTreeSet::new(),
                insisted: BTreeSet::new(),
                sent: BTreeMap::new(),
                handed: BTreeSet::new(),
                unsettled: None,
                places: BTreeMap::new(),
                late: None,
            });
        }
        world
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    fn start(&mut self) -> Went<()> {
        self.engine = None;
        self.reaper.left.store(0, Ordering::SeqCst);
        let faults: Arc<dyn Faults> = self.reaper.clone();
        let options = Options { reserve: 0, cache: 8 << 20, faults: Some(faults) };
        let store = SledStore::open(&self.dir, &options).map_err(|error| error.to_string())?;
        let settings = Settings { message_set_size: 3, ..Settings::default() };
        self.engine = Some(Engine::new(Arc::new(store), self.hands.clone(), settings));
        Ok(())
    }

    /// Runs a plan, then lets the world come to rest; what broke, if anything did.
    pub(crate) async fn run(mut self, plan: &[(usize, Action)]) -> Result<u64, Broken> {
        let went = self.live(plan).await;
        match went {
            Ok(()) => Ok(self.sessions),
            Err(what) => Err(Broken { what, story: self.story }),
        }
    }

    async fn live(&mut self, plan: &[(usize, Action)]) -> Went<()> {
        for (at, action) in plan {
            self.story.push(format!("{}: {action:?}", at + 1));
            self.tick(*at);
            self.act(*at, action).await?;
            self.look(*at).await?;
        }
        self.rest().await
    }

    async fn act(&mut self, at: usize, action: &Action) -> Went<()> {
        match action {
            Action::Put(thing, version) => self.put(at, *thing, *version).await,
            Action::Withdraw(thing, wanted) => {
                if matches!(wanted, Wanted::Deleted | Wanted::Voided) {
                    self.lanes[at].released.insert(thing.token(), Release::Application);
                }
                self.decide(at, *thing, Decision::Withdraw(*wanted)).await
            }
            Action::Press(thing, fix) => self.press(at, *thing, fix).await,
            Action::Resolve(thing) => self.resolve(at, *thing).await,
            Action::Retry(thing) => self.retry(at, *thing).await,
            Action::Session(fault) => self.session(at, *fault).await.map(|_| ()),
            Action::Restart => self.restart().await,
            Action::Crash { after, durable } => {
                self.reaper.durable.store(*durable, Ordering::SeqCst);
                self.reaper.left.store(i64::try_from(*after).unwrap(), Ordering::SeqCst);
                Ok(())
            }
            Action::Pass(seconds) => {
                self.hands.pass(*seconds);
                self.time += (*seconds).max(0);
                let swept = self.engine().sweep().await;
                self.survive(swept).await.map(|_| ())
            }
            Action::Lock(thing, times) => {
                self.lanes[at].books.locks.insert(thing.token(), *times);
                Ok(())
            }
            Action::Edit(thing) => {
                let token = thing.token();
                let ids: Vec<_> =
                    self.lanes[at].books.of(&token).iter().map(|it| it.0.clone()).collect();
                for id in ids {
                    self.lanes[at].books.edit(&id, |object| object.name.push_str(" edited"));
                }
                Ok(())
            }
            Action::Delete(thing) => {
                self.remove(at, &thing.token());
                Ok(())
            }
            Action::Merge(from, into) => {
                let into = Thing::Customer(*into).token();
                let found = self.lanes[at].books.of(&into).first().map(|it| it.0.clone());
                if let Some(id) = found.filter(|_| Thing::Customer(*from).token() != into) {
                    let from = Thing::Customer(*from).token();
                    let gone: Vec<_> =
                        self.lanes[at].books.of(&from).iter().map(|it| it.0.clone()).collect();
                    self.remove(at, &from);
                    // Its documents are the other one's now.
                    for object in self.lanes[at].books.objects.values_mut() {
                        for gone in &gone {
                            object.party = object.party.replace(gone.as_str(), &id);
                        }
                    }
                    self.lanes[at].books.edit(&id, |_| {});
                }
                Ok(())
            }
            Action::Backup => {
                self.lanes[at].backup = self.lanes[at].books.clone();
                Ok(())
            }
            Action::Restore => {
                // What was made or changed since is gone, with QuickBooks' memory of it, and with
                // the session that QuickBooks was open for.
                let lane = &mut self.lanes[at];
                let backup = lane.backup.clone();
                let tokens = all_things().into_iter().map(Thing::token);
                let tokens = tokens.filter(|token| backup.of(token) != lane.books.of(token));
                let changed: Vec<String> = tokens.collect();
                // Nobody tells us that what we took out is there again.
                lane.taken.retain(|token| !changed.contains(token));
                lane.forgiven.extend(changed);
                lane.books.restore(backup);
                lane.late = None;
                // What is being made again is sent again in the same bytes, whatever came back: who
                // restores a backup takes that out.
                for thing in all_things() {
                    let record = self.record(at, thing).await?;
                    if record.is_some_and(|it| it.status.is_out() && it.former.is_some()) {
                        self.remove(at, &thing.token());
                    }
                }
                Ok(())
            }
            Action::OtherFile => self.other_file(at).await,
            Action::Activate(number, active) => {
                let token = Thing::Customer(*number).token();
                let ids: Vec<_> =
                    self.lanes[at].books.of(&token).iter().map(|it| it.0.clone()).collect();
                for id in ids {
                    self.lanes[at].books.edit(&id, |object| object.active = *active);
                }
                Ok(())
            }
            Action::CloseBooks(closed) => {
                self.lanes[at].books.closed = *closed;
                Ok(())
            }
            Action::Mistype(thing) => {
                let Some(before) = self.record(at, *thing).await? else { return Ok(()) };
                let id = format!("0-{}", thing.token());
                self.decide(at, *thing, Decision::Link { id }).await?;
                if self.record(at, *thing).await?.is_some_and(|it| it.reference != before.reference)
                {
                    self.lanes[at].forgiven.insert(thing.token());
                }
                Ok(())
            }
            Action::WrongPassword => {
                let wrong = SecretString::from("another");
                let login = self.engine().authenticate(&self.lanes[at].username, &wrong).await;
                match self.survive(login).await? {
                    None | Some(Login::Refused) => Ok(()),
                    Some(other) => Err(format!("a wrong password was answered {other:?}")),
                }
            }
        }
    }

    /// A person tries a record again, or has it made anew who looked and saw that it is gone.
    async fn retry(&mut self, at: usize, thing: Thing) -> Went<()> {
        let Some(record) = self.record(at, thing).await? else { return Ok(()) };
        // A person who sends what nobody knows the outcome of takes the blame.
        let code = record.findings.first().map(|it| it.code);
        if code == Some(Code::OutcomeUnknown) {
            return Ok(());
        }
        let gone = self.lanes[at].books.of(&thing.token()).is_empty();
        // Who mistyped an id is told that nothing is there, and believes it.
        let gone = gone || code == Some(Code::ObjectNotFound);
        let had = record.reference.is_some() && !record.status.is_out();
        let decision = if had && gone { Decision::ResetReference } else { Decision::Retry };
        self.decide(at, thing, decision).await
    }

    /// A person looks in QuickBooks whether it is there, and says so.
    async fn resolve(&mut self, at: usize, thing: Thing) -> Went<()> {
        let Some(record) = self.record(at, thing).await? else { return Ok(()) };
        if let Some(id) = self.stands_elsewhere(at, thing, &record) {
            return self.decide(at, thing, Decision::Link { id }).await;
        }
        let code = record.findings.first().map(|it| it.code);
        if record.status != Status::Failed
            || !matches!(code, Some(Code::OutcomeUnknown | Code::PossibleDuplicate))
        {
            return Ok(());
        }
        let there = self.lanes[at].books.of(&thing.token());
        if let Some((id, _)) = there.first() {
            let id = (*id).clone();
            return self.decide(at, thing, Decision::Link { id }).await;
        }
        self.fix(at, thing, "send-again").await
    }

    /// Where a record is found that is not at its place any more: a backup brought back the one
    /// before. Who mistyped where it stands does not look.
    fn stands_elsewhere(&self, at: usize, thing: Thing, record: &Record) -> Option<String> {
        let books = &self.lanes[at].books;
        let is_gone = record.findings.first().is_some_and(|it| it.code == Code::ObjectNotFound);
        let looks = match record.status {
            Status::Synced => true,
            Status::Failed => is_gone && record.former.is_none(),
            _ => false,
        };
        let place = record.reference.as_ref().filter(|_| looks)?;
        let there = books.of(&thing.token()).first().map(|it| it.0.clone());
        there.filter(|_| !books.objects.contains_key(&place.id))
    }

    /// A person presses a fix, if it is offered.
    async fn press(&mut self, at: usize, thing: Thing, fix: &str) -> Went<()> {
        let token = thing.token();
        let there = !self.lanes[at].books.of(&token).is_empty();
        match fix {
            // Who sends it anyway sees that it is not there.
            "send-anyway" if there => return Ok(()),
            "send-anyway" => {
                self.lanes[at].insisted.insert(token);
            }
            "undo" => {
                let record = self.record(at, thing).await?;
                if record.is_some_and(|it| it.wanted == Wanted::Present) {
                    self.lanes[at].released.insert(token, Release::Undo);
                }
            }
            _ => {}
        }
        self.fix(at, thing, fix).await
    }

    async fn fix(&mut self, at: usize, thing: Thing, fix: &str) -> Went<()> {
        let pressed = Pressed { id: fix.to_owned(), ..Pressed::default() };
        let key = self.key(at, thing);
        match self.engine().act(&key, Decision::Fix(pressed), &actor()).await {
            Err(EngineError::BadInput { .. } | EngineError::Refused(_)) => Ok(()),
            other => self.survive(other).await.map(|_| ()),
        }
    }

    /// True time goes on, and the PC's clock with it.
    fn tick(&mut self, at: usize) {
        self.time += 1;
        let now = &mut self.lanes[at].books.now;
        *now = self.time.max(*now);
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.tells_all {
            self.story.push(format!("    {}", what()));
        }
    }

    /// What QuickBooks did: no undo takes out what a person changed.
    fn took_note(&mut self, at: usize) -> Went<()> {
        let lane = &mut self.lanes[at];
        for token in std::mem::take(&mut lane.books.written) {
            lane.forgiven.remove(&token);
            lane.taken.remove(&token);
        }
        for Taken { token, edited } in std::mem::take(&mut lane.books.taken) {
            if edited && lane.released.get(&token) == Some(&Release::Undo) {
                return Err(format!("{token} was undone, but a person had changed it"));
            }
            lane.forgiven.insert(token.clone());
            lane.taken.insert(token);
        }
        Ok(())
    }

    /// What we took out is out.
    fn really_out(&self, at: usize, thing: Thing, record: &Record) -> Went<()> {
        let (token, path) = (thing.token(), record.key.path());
        let out = matches!(record.wanted, Wanted::Deleted | Wanted::Voided);
        let forgiven = self.lanes[at].forgiven.contains(&token);
        let there = !self.lanes[at].books.of(&token).is_empty();
        if out && there && !forgiven {
            Err(format!("{path} is to be out, and is there"))
        } else {
            Ok(())
        }
    }

    /// Where the mirror is kept, no number is used twice unless a person wants it.
    fn numbers_differ(&self, at: usize) -> Went<()> {
        let lane = &self.lanes[at];
        for twin in (0..TWINS).map(Thing::Twin) {
            let first = twin.twin().map(Thing::token).unwrap_or_default();
            let wanted = [&twin.token(), &first].iter().any(|it| lane.insisted.contains(*it));
            if at == 1 && !wanted && lane.books.numbered("Invoice", &first) > 1 {
                return Err(format!("two invoices have the number {first}"));
            }
        }
        Ok(())
    }

    /// Takes what stands for a record out of the books.
    fn remove(&mut self, at: usize, token: &str) {
        let lane = &mut self.lanes[at];
        let ids: Vec<_> = lane.books.of(token).iter().map(|it| it.0.clone()).collect();
        for id in ids {
            lane.books.forget(&id);
            *lane.books.deleted.entry(token.to_owned()).or_default() += 1;
            lane.forgiven.insert(token.to_owned());
        }
    }

    async fn restart(&mut self) -> Went<()> {
        self.start()?;
        let resumed = self.engine().resume_work().await;
        self.survive(resumed).await.map(|_| ())
    }

    /// What an engine's answer means to a caller: a store that stopped is a process that died.
    async fn survive<T>(&mut self, result: Result<T, EngineError>) -> Went<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(EngineError::Store(StoreError::Stopped(_))) => {
                self.story.push("    the process died and was started again".to_owned());
                self.start()?;
                let resumed = self.engine().resume_work().await;
                resumed.map_err(|error| format!("after a restart: {error}"))?;
                Ok(None)
            }
            Err(EngineError::NotNow(_) | EngineError::NoRecord(_)) => Ok(None),
            Err(error) => Err(format!("the engine answered: {error:?}")),
        }
    }

    async fn put(&mut self, at: usize, thing: Thing, version: usize) -> Went<()> {
        let (token, memo) = (thing.token(), format!("v{version}"));
        let (number, memo) = match thing.twin() {
            Some(twin) => (twin.token(), format!("{token} {memo}")),
            None => (token.clone(), memo),
        };
        let parent = thing.parent().map(|parent| json!({ "source": parent.path() }));
        let customer = thing.parent().and_then(Thing::parent);
        let customer = customer.map(|customer| json!({ "source": customer.path() }));
        let data = match thing {
            Thing::Customer(_) => json!({ "Name": format!("{token} {memo}") }),
            Thing::Invoice(_) | Thing::Twin(_) => json!({
                "CustomerRef": parent, "RefNumber": number, "Memo": memo, "InvoiceLine": {"Desc": "x"},
            }),
            Thing::Payment(_) => json!({
                "CustomerRef": customer, "RefNumber": number, "Memo": memo,
                "TotalAmount": "10.00", "AppliedToTxn": {"TxnID": parent, "PaymentAmount": "10.00"},
            }),
        };
        let new = NewRecord {
            kind: thing.kind().to_owned(),
            source_id: thing.token(),
            data,
            posted: true,
            priority: 0,
            depends_on: Vec::new(),
            on_duplicate: OnDuplicate::Fail,
        };
        // What may be on its way out goes on; it is put into QuickBooks again after that.
        let out = self.record(at, thing).await?.is_some_and(|record| record.status.is_out());
        let put = self.engine().put(&self.lanes[at].id, new, Handling::Lenient, &actor()).await;
        if self.survive(put).await?.is_some() {
            let key = self.key(at, thing);
            self.lanes[at].acknowledged.insert(key);
            if !out {
                self.lanes[at].released.remove(&token);
            }
        }
        Ok(())
    }

    fn key(&self, at: usize, thing: Thing) -> RecordKey {
        RecordKey::new(&self.lanes[at].id, thing.kind(), &thing.token()).unwrap()
    }

    async fn record(&self, at: usize, thing: Thing) -> Went<Option<Record>> {
        let key = self.key(at, thing);
        self.engine().store().record(&key).await.map_err(|error| error.to_string())
    }

    async fn decide(&mut self, at: usize, thing: Thing, decision: Decision) -> Went<()> {
        let key = self.key(at, thing);
        let decided = self.engine().act(&key, decision, &actor()).await;
        self.survive(decided).await.map(|_| ())
    }

    /// One poll of the connector, with a fault at one of its rounds.
    async fn session(&mut self, at: usize, fault: Option<(usize, Fault)>) -> Went<Polled> {
        self.sessions += 1;
        self.tick(at);
        self.lanes[at].books.begin();
        let login =
            self.engine().authenticate(&self.lanes[at].username, &self.lanes[at].password).await;
        match self.survive(login).await? {
            Some(Login::Work { ticket, .. }) => self.work(at, ticket, fault).await?,
            Some(Login::None { .. }) => return Ok(Polled::Idle),
            _ => {}
        }
        Ok(Polled::Worked)
    }

    async fn work(&mut self, at: usize, ticket: String, fault: Option<(usize, Fault)>) -> Went<()> {
        // A late answer comes before the next session asks, others while it is at work,
        // or a session later.
        if self.lanes[at].late.is_some() && self.sessions.is_multiple_of(4) {
            self.bring_late(at).await?;
        }
        for round in 0..MAX_ROUNDS {
            let fault = fault.filter(|(when, _)| *when == round).map(|(_, fault)| fault);
            let call = FirstCall {
                company_file: format!("C:\\{at}.qbw"),
                country: "US".to_owned(),
                major: 13,
                ..FirstCall::default()
            };
            if fault == Some(Fault::Second(Moment::BeforeSend)) {
                self.second(at).await?;
            }
            if fault == Some(Fault::NotOpened) {
                return self.connection_error(&ticket).await;
            }
            let sent = self.engine().send_request(&ticket, call.clone()).await;
            let Some(qbxml) = self.survive(sent).await? else { return Ok(()) };
            self.tell(|| format!("sendRequestXML: {}", brief(&qbxml)));
            self.lanes[at].paired |= !qbxml.is_empty();
            self.in_order(at, &qbxml)?;
            self.takes_out_well(at, &qbxml)?;
            self.refers_well(at, &qbxml)?;
            if self.lanes[at].late.is_some() && self.sessions % 4 == 2 {
                self.bring_late(at).await?;
            }
            if fault == Some(Fault::RequestLost) {
                return Ok(());
            }
            if fault == Some(Fault::Doubled) {
                let again = self.engine().send_request(&ticket, call.clone()).await;
                if self.survive(again).await?.is_some_and(|again| !again.is_empty()) {
                    return Err("a doubled sendRequestXML was handed work".to_owned());
                }
            }
            if qbxml.is_empty() {
                let closed = self.engine().close_connection(&ticket).await;
                return self.survive(closed).await.map(|_| ());
            }
            if fault == Some(Fault::Rejected) {
                self.bring(at, &ticket, "", "0x80040400").await?;
                continue;
            }
            if fault == Some(Fault::Ghost) {
                let closed = self.engine().close_connection(&ticket).await;
                self.survive(closed).await?;
                let more = self.engine().send_request(&ticket, call).await;
                return match self.survive(more).await? {
                    Some(more) if !more.is_empty() => {
                        Err("a dead ticket was handed work".to_owned())
                    }
                    _ => Ok(()),
                };
            }
            if fault == Some(Fault::ThrownEarly) {
                self.bring(at, &ticket, "", "0x8004040D").await?;
                let closed = self.engine().close_connection(&ticket).await;
                return self.survive(closed).await.map(|_| ());
            }
            if fault == Some(Fault::Unreachable) {
                return self.connection_error(&ticket).await;
            }
            let lane = &mut self.lanes[at];
            lane.books.storing = match fault {
                Some(Fault::Forgotten) => Storing::Fails,
                Some(Fault::Unstored) => Storing::FailsAloud,
                _ => Storing::Works,
            };
            lane.books.stumbles = fault == Some(Fault::Internal);
            let response = lane.books.process(&qbxml);
            self.tell(|| format!("QuickBooks: {}", brief(&response)));
            self.took_note(at)?;
            let percent = match fault {
                Some(Fault::ResponseLost | Fault::Forgotten) => return Ok(()),
                Some(Fault::Late) => {
                    self.lanes[at].late = Some((ticket, response));
                    return Ok(());
                }
                Some(Fault::Thrown) => self.bring(at, &ticket, "", "0x800706BA").await?,
                Some(Fault::Torn) => {
                    let cut = response.len() * 2 / 3;
                    self.bring(at, &ticket, &response[..cut], "").await?
                }
                Some(Fault::Second(Moment::BeforeReceive)) => {
                    self.second(at).await?;
                    self.bring(at, &ticket, &response, "").await?
                }
                Some(Fault::ReceivedTwice) => {
                    self.bring(at, &ticket, &response, "").await?;
                    self.bring(at, &ticket, &response, "").await?
                }
                _ => self.bring(at, &ticket, &response, "").await?,
            };
            if fault == Some(Fault::PercentLost) {
                return Ok(());
            }
            match percent {
                None => return Ok(()),
                Some(1..=99) if fault == Some(Fault::Second(Moment::AfterReceive)) => {
                    self.second(at).await?;
                }
                Some(1..=99) => {}
                Some(_) => {
                    let closed = self.engine().close_connection(&ticket).await;
                    return self.survive(closed).await.map(|_| ());
                }
            }
        }
        Err(format!("a session went on for {MAX_ROUNDS} rounds"))
    }

    /// The connector of a second PC logs in while a session is at work.
    async fn second(&mut self, at: usize) -> Went<()> {
        let lane = &self.lanes[at];
        let second = self.engine().authenticate(&lane.username, &lane.password).await;
        match self.survive(second).await? {
            Some(Login::Work { .. }) => Err("two sessions were let in at once".to_owned()),
            _ => Ok(()),
        }
    }

    /// The Web Connector cannot reach QuickBooks.
    async fn connection_error(&mut self, ticket: &str) -> Went<()> {
        let message = "Could not start QuickBooks.";
        let told = self.engine().connection_error(ticket, "0x80040408", message).await;
        self.survive(told).await.map(|_| ())
    }

    /// The Web Connector polls while another company file is open.
    async fn other_file(&mut self, at: usize) -> Went<()> {
        if !self.lanes[at].paired {
            return Ok(());
        }
        let lane = &self.lanes[at];
        let login = self.engine().authenticate(&lane.username, &lane.password).await;
        let Some(Login::Work { ticket, .. }) = self.survive(login).await? else { return Ok(()) };
        let call = FirstCall { company_file: "D:\\other.qbw".to_owned(), ..FirstCall::default() };
        let sent = self.engine().send_request(&ticket, call).await;
        match self.survive(sent).await? {
            Some(qbxml) if !qbxml.is_empty() => {
                Err("another company file was handed work".to_owned())
            }
            _ => Ok(()),
        }
    }

    async fn bring_late(&mut self, at: usize) -> Went<()> {
        let Some((ticket, response)) = self.lanes[at].late.take() else { return Ok(()) };
        self.story.push("    a late answer came".to_owned());
        let waiting = self.lanes[at].unsettled.take();
        self.bring(at, &ticket, &response, "").await?;
        // It may have settled what the session before was handed, not what this one is.
        if waiting.as_ref().is_some_and(|id| !response.contains(id.as_str())) {
            self.lanes[at].unsettled = waiting;
        }
        self.look(at).await
    }

    async fn bring(
        &mut self,
        at: usize,
        ticket: &str,
        response: &str,
        hresult: &str,
    ) -> Went<Option<i32>> {
        let body = Body::Inline(response.to_owned());
        let brought = self.engine().receive_response(ticket, body, hresult, "").await;
        let brought = self.survive(brought).await?;
        self.tell(|| format!("receiveResponseXML {hresult}: {brought:?}"));
        // Settled, under a dead ticket too; or it died while it settled, and nobody knows.
        let whole = response.ends_with("</QBXML>");
        if whole || brought.is_none_or(|percent| percent > 0) {
            self.lanes[at].unsettled = None;
        }
        Ok(brought)
    }

    /// What is handed out: nothing new while something is unsettled, and that in the same bytes.
    fn in_order(&mut self, at: usize, qbxml: &str) -> Went<()> {
        let Some(id) = attribute(qbxml, "newMessageSetID") else { return Ok(()) };
        let bytes = self.lanes[at].sent.entry(id.clone()).or_insert_with(|| qbxml.to_owned());
        if bytes != qbxml {
            return Err(format!("message set {id} was sent in other bytes"));
        }
        match self.lanes[at].unsettled.replace(id.clone()) {
            Some(before) if before != id && !self.is_undo(at, &before) => {
                Err(format!("message set {id} was handed out while {before} is unsettled"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a message set is an undo alone: that is not sent a second time, as a person may have
    /// changed it since, but asked about anew.
    fn is_undo(&self, at: usize, message_set: &str) -> bool {
        let lane = &self.lanes[at];
        let Some(qbxml) = lane.sent.get(message_set) else { return false };
        let id = element(qbxml, "TxnID").or_else(|| element(qbxml, "ListID")).unwrap_or_default();
        let token = lane.books.given.get(&id).cloned().unwrap_or_default();
        let takes_out = ["TxnDelRq", "TxnVoidRq", "ListDelRq"].iter().any(|it| qbxml.contains(it));
        takes_out && lane.released.get(&token) == Some(&Release::Undo)
    }

    /// Nothing is taken out of QuickBooks that nobody wants out, when it is first handed out.
    fn takes_out_well(&mut self, at: usize, qbxml: &str) -> Went<()> {
        let Some(id) = attribute(qbxml, "newMessageSetID") else { return Ok(()) };
        if !self.lanes[at].handed.insert(id) {
            return Ok(());
        }
        for del in ["TxnDelRq ", "TxnVoidRq ", "ListDelRq "] {
            for rest in qbxml.split(del).skip(1).filter_map(|rest| rest.split("Rq>").next()) {
                let id = element(rest, "TxnID").or_else(|| element(rest, "ListID"));
                let token = self.lanes[at].books.given.get(&id.unwrap_or_default()).cloned();
                // An id that a person mistyped is nothing's.
                if let Some(token) = token.filter(|it| !self.lanes[at].released.contains_key(it)) {
                    return Err(format!("{token} is taken out, and nobody wants that"));
                }
            }
        }
        Ok(())
    }

    /// A child is made for its parent's object, and hence after it.
    fn refers_well(&self, at: usize, qbxml: &str) -> Went<()> {
        for (kind, member) in [("InvoiceAddRq", "ListID"), ("ReceivePaymentAddRq", "TxnID")] {
            let (begins, ends) = (format!("<{kind} "), format!("</{kind}>"));
            let adds = qbxml.split(&begins).skip(1).filter_map(|rest| rest.split(&ends).next());
            for add in adds {
                let number = element(add, "RefNumber").unwrap_or_default();
                let memo = element(add, "Memo").unwrap_or_default();
                let token = token(&format!("{number} {memo}"));
                let child = all_things().into_iter().find(|thing| thing.token() == token);
                let parent = child.and_then(Thing::parent).map(Thing::token);
                let id = element(add, member).unwrap_or_default();
                // What a person says is there is named as the application names it.
                let place = parent.as_ref().and_then(|parent| self.lanes[at].places.get(parent));
                if id.is_empty() && place.is_some_and(|(status, _)| *status == Status::Bypassed) {
                    continue;
                }
                if parent.is_none() || self.lanes[at].books.given.get(&id) != parent.as_ref() {
                    return Err(format!("{number} was handed out for {id:?}, not for {parent:?}"));
                }
            }
        }
        Ok(())
    }

    /// What comes into the queue anew stands behind what waits there already.
    fn keeps_its_place(&mut self, at: usize, records: &[(Thing, Record)]) -> Went<()> {
        let places = &mut self.lanes[at].places;
        let waited = places.values().filter(|(status, _)| *status == Status::Queued);
        let last = waited.map(|(_, sequence)| *sequence).max().unwrap_or_default();
        for (thing, record) in records {
            let place = (record.status, record.sequence);
            let before = places.insert(thing.token(), place);
            let was = before.map(|(status, _)| status.to_string()).unwrap_or_default();
            if self.tells_all && was != record.status.to_string() {
                let why = record.findings.first().map(|it| format!(" {} {}", it.code, it.cause));
                let (path, now) = (record.key.path(), record.status);
                self.story.push(format!("    {path}: {was} -> {now}{}", why.unwrap_or_default()));
            }
            let came = before.is_some_and(|(it, _)| it != Status::Queued && !it.is_out());
            if came && record.status == Status::Queued && record.sequence < last {
                let path = record.key.path();
                return Err(format!("{path} came back before what waited already"));
            }
        }
        Ok(())
    }

    /// What must hold after every step.
    async fn look(&mut self, at: usize) -> Went<()> {
        let things = all_things();
        let mut records = Vec::new();
        for thing in &things {
            let key = self.key(at, *thing);
            let Some(record) = self.record(at, *thing).await? else {
                if self.lanes[at].acknowledged.contains(&key) {
                    return Err(format!("{} was acknowledged and is gone", key.path()));
                }
                continue;
            };
            let token = thing.token();
            let made = self.lanes[at].books.made.get(&token).copied().unwrap_or(0);
            let deleted = self.lanes[at].books.deleted.get(&token).copied().unwrap_or(0);
            if made > 1 + deleted || self.lanes[at].books.of(&token).len() > 1 {
                return Err(format!("{} was made {made} times in QuickBooks", key.path()));
            }
            let no_reason = record.findings.is_empty() && record.status == Status::Failed
                || record.blocked_by.is_empty() && record.status == Status::Blocked;
            if no_reason {
                return Err(format!("{} is {} without a reason", key.path(), record.status));
            }
            if record.status == Status::Synced && !self.lanes[at].forgiven.contains(&token) {
                self.agrees(at, &record, &token)?;
            }
            records.push((*thing, record));
        }
        self.numbers_differ(at)?;
        self.keeps_its_place(at, &records)
    }

    /// A synced record has exactly one object, with its content and at its reference.
    fn agrees(&self, at: usize, record: &Record, token: &str) -> Went<()> {
        let path = record.key.path();
        let objects = self.lanes[at].books.of(token);
        let [(id, object)] = objects.as_slice() else {
            return Err(format!("{path} is synced, but has {} objects", objects.len()));
        };
        let reference = record.reference.as_ref().map(|reference| reference.id.as_str());
        if reference != Some(id.as_str()) {
            return Err(format!("{path} is synced at {reference:?}, but stands at {id}"));
        }
        let data = record.amended();
        let text = |member: &str| data[member].as_str().unwrap_or_default();
        let wanted = match data.get("Name") {
            Some(_) => text("Name").to_owned(),
            None => format!("{} {}", text("RefNumber"), text("Memo")),
        };
        if object.name.replace(" edited", "") != wanted {
            return Err(format!("{path} is {wanted:?} here and {:?} there", object.name));
        }
        Ok(())
    }

    /// Without obstacles a queue drains, and the books agree.
    async fn rest(&mut self) -> Went<()> {
        self.story.push("the world comes to rest".to_owned());
        self.reaper.left.store(0, Ordering::SeqCst);
        for lane in &mut self.lanes {
            lane.books.locks.clear();
            lane.books.closed = false;
            lane.books.objects.values_mut().for_each(|object| object.active = true);
        }
        self.restart().await?;
        // A mirror that is kept asks for ever.
        for lane in &self.lanes {
            let off = ConnectionChange { mirror: Some(false), ..ConnectionChange::default() };
            let changed = self.engine().change_connection(&lane.id, off, &actor()).await;
            changed.map_err(|error| error.to_string())?;
        }
        self.drain().await?;
        // What is gone is made anew; what the mirror then still knows of it takes one press more. A
        // press tells one cause: refused whole, then nothing under the id, then it stands elsewhere.
        let mut tried = BTreeSet::new();
        for _ in 0..PRESSES {
            let again = self.try_again().await?;
            if again.is_empty() {
                break;
            }
            tried.extend(again);
            self.drain().await?;
        }
        for (at, thing) in tried {
            self.failed_for_good(at, thing).await?;
        }
        let stuck = self.engine().watch().await.map_err(|error| error.to_string())?;
        if let Some(stuck) = stuck.first() {
            return Err(format!("the watchdog found something: {stuck:?}"));
        }
        let store = self.engine().store();
        let wrong = store.check().await.unwrap_or_default();
        if let Some(wrong) = wrong.first() {
            return Err(format!("the store's books are wrong: {wrong}"));
        }
        for at in 0..self.lanes.len() {
            for thing in all_things() {
                let Some(record) = self.record(at, thing).await? else { continue };
                let path = record.key.path();
                match record.status {
                    Status::Queued | Status::Sent | Status::InDoubt | Status::Held => {
                        return Err(format!("{path} is still {} at rest", record.status));
                    }
                    Status::Blocked => self.really_blocked(at, &record).await?,
                    Status::Synced if self.lanes[at].taken.contains(&thing.token()) => {
                        return Err(format!("{path} is synced, but was taken out"));
                    }
                    Status::Withdrawn => self.really_out(at, thing, &record)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Polls until nothing is left to do for a while.
    async fn drain(&mut self) -> Went<()> {
        let mut idle = 0;
        for _ in 0..DRAIN_SESSIONS {
            self.hands.pass(3600);
            self.time += 3600;
            idle += 1;
            for at in 0..self.lanes.len() {
                if self.session(at, None).await? == Polled::Worked {
                    idle = 0;
                }
                self.look(at).await?;
            }
            if idle == IDLE_POLLS {
                return Ok(());
            }
        }
        Err(format!("there was work in each of {DRAIN_SESSIONS} sessions"))
    }

    /// A person tries again, once, what failed, and has made anew what is gone; what it was.
    async fn try_again(&mut self) -> Went<Vec<(usize, Thing)>> {
        let mut tried = Vec::new();
        for at in 0..self.lanes.len() {
            for thing in all_things() {
                let Some(record) = self.record(at, thing).await? else { continue };
                let gone = self.lanes[at].books.of(&thing.token()).is_empty();
                let elsewhere = self.stands_elsewhere(at, thing, &record).is_some();
                let missing = record.status == Status::Synced && (gone || elsewhere);
                if record.status == Status::Failed || missing {
                    self.resolve(at, thing).await?;
                    self.retry(at, thing).await?;
                    tried.push((at, thing));
                }
            }
        }
        Ok(tried)
    }

    /// What failed again did so for a reason that stands.
    async fn failed_for_good(&self, at: usize, thing: Thing) -> Went<()> {
        let Some(record) = self.record(at, thing).await? else { return Ok(()) };
        let Some(finding) = record.findings.first().filter(|_| record.status == Status::Failed)
        else {
            return Ok(());
        };
        let books = &self.lanes[at].books;
        let is_there = |thing: Thing| !books.of(&thing.token()).is_empty();
        let text = |member: &str| record.data[member].as_str().unwrap_or_default();
        let stands = match finding.code {
            Code::NameInUse => books.objects.values().any(|it| it.name == text("Name")),
            Code::DuplicateRefNumber => {
                books.numbered("Invoice", text("RefNumber")) > 0
                    || self.claims(at, thing.rival()).await?
            }
            Code::LinkedOrInUse => is_there(thing),
            Code::ReferenceNotFound => {
                let customer = thing.parent().and_then(Thing::parent);
                !thing.parent().is_some_and(is_there) || !customer.is_none_or(is_there)
            }
            Code::ObjectNotFound => {
                record.reference.as_ref().is_none_or(|it| !books.objects.contains_key(&it.id))
            }
            _ => false,
        };
        let (path, code) = (thing.path(), finding.code);
        if stands { Ok(()) } else { Err(format!("{path} fails with {code}, which is gone")) }
    }

    /// Whether another one is still to have the number.
    async fn claims(&self, at: usize, rival: Option<Thing>) -> Went<bool> {
        let Some(rival) = rival else { return Ok(false) };
        let record = self.record(at, rival).await?;
        let over = [Status::Failed, Status::Bypassed, Status::Withdrawn];
        Ok(record.is_some_and(|record| !over.contains(&record.status)))
    }

    /// A record is blocked only behind one that is not in QuickBooks.
    async fn really_blocked(&self, at: usize, record: &Record) -> Went<()> {
        for parent in &record.blocked_by {
            let found = self.engine().store().record(parent).await;
            let found = found.map_err(|error| error.to_string())?;
            if found.is_some_and(|parent| parent.status == Status::Synced) {
                let (path, parent) = (record.key.path(), parent.path());
                return Err(format!("{path} waits for {parent}, which is synced"));
            }
        }
        let filter = RecordFilter { status: Some(Status::Blocked), ..RecordFilter::default() };
        let page = self.engine().store().records(&self.lanes[at].id, &filter, None, 500).await;
        let page = page.map_err(|error| error.to_string())?;
        if page.items.iter().any(|item| item.key == record.key) {
            Ok(())
        } else {
            Err(format!("{} is blocked, but not listed as such", record.key.path()))
        }
    }
}

fn actor() -> Actor {
    Actor("the world".to_owned())
}
