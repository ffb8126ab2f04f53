//! What may happen in the world, as data: a run is a list of these, so that it can be shrunk.

use bookbridge::domain::record::Wanted;

use crate::support::hands::Dice;

/// How many records each application pushes and changes.
pub(crate) const CUSTOMERS: usize = 4;
pub(crate) const INVOICES: usize = 6;
pub(crate) const PAYMENTS: usize = 3;
/// Invoices with the number of another one: the first has its customer too.
pub(crate) const TWINS: usize = 2;

/// A record of the world.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Thing {
    Customer(usize),
    Invoice(usize),
    Payment(usize),
    /// An invoice with the number of another one.
    Twin(usize),
}

impl Thing {
    /// Whether no other record refers to it.
    fn is_leaf(self) -> bool {
        match self {
            Self::Customer(_) => false,
            Self::Invoice(n) => n >= PAYMENTS,
            Self::Payment(_) | Self::Twin(_) => true,
        }
    }
}

/// What goes wrong between two calls of the Web Connector.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// `sendRequestXML` was answered, the answer is lost: QuickBooks never sees it.
    RequestLost,
    /// QuickBooks did it, its answer never reaches us.
    ResponseLost,
    /// Our answer to `receiveResponseXML` is lost.
    PercentLost,
    /// `sendRequestXML` comes twice.
    Doubled,
    /// `receiveResponseXML` comes twice.
    ReceivedTwice,
    /// QuickBooks throws in the middle, and nobody knows what it did.
    Thrown,
    /// QuickBooks throws before it did anything.
    ThrownEarly,
    /// The response is cut off on its way to us.
    Torn,
    /// The connector of a second PC logs in.
    Second(Moment),
    /// QuickBooks cannot be opened: `connectionError` instead of `sendRequestXML`.
    NotOpened,
    /// QuickBooks is gone when the request is there: `connectionError` after `sendRequestXML`.
    Unreachable,
    /// QuickBooks refuses the first write of the message set with an internal error (1000).
    Internal,
    /// QuickBooks did it and could not store its answer, which it says in it (9005).
    Unstored,
    /// The answer comes after another session began.
    Late,
    /// QuickBooks cannot read the document.
    Rejected,
    /// The session is over, and asks for more.
    Ghost,
    /// QuickBooks did it, could not store its answer, and the answer is lost too.
    Forgotten,
}

/// Between which two calls of a round something happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// Before `sendRequestXML`: after the login, or between two rounds.
    BeforeSend,
    /// While QuickBooks is at work.
    BeforeReceive,
    /// After `receiveResponseXML`.
    AfterReceive,
}

const FAULTS: [Fault; 19] = [
    Fault::RequestLost,
    Fault::ResponseLost,
    Fault::PercentLost,
    Fault::Doubled,
    Fault::ReceivedTwice,
    Fault::Thrown,
    Fault::ThrownEarly,
    Fault::Torn,
    Fault::Second(Moment::BeforeSend),
    Fault::Second(Moment::BeforeReceive),
    Fault::Second(Moment::AfterReceive),
    Fault::NotOpened,
    Fault::Unreachable,
    Fault::Internal,
    Fault::Unstored,
    Fault::Late,
    Fault::Forgotten,
    Fault::Rejected,
    Fault::Ghost,
];
/// What a person may press.
const FIXES: [&str; 7] =
    ["undo", "undo", "send-anyway", "suffix-number", "ask-books", "bypass", "reactivate"];
/// Rounds of a session at which a fault may strike; the first ones are what most sessions have.
const ROUNDS: usize = 7;
const FIRST_ROUNDS: usize = 3;

/// One run of so many ends with a backup that brings back what was deleted.
const RESTORED: u64 = 3;

/// One thing that happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// The application puts a record, in one of a few versions.
    Put(Thing, usize),
    /// The application takes it back, out of QuickBooks too if it says so.
    Withdraw(Thing, Wanted),
    /// A person presses a fix.
    Press(Thing, &'static str),
    /// A person looks in QuickBooks for what nobody knows the outcome of.
    Resolve(Thing),
    /// A person tries it again, or has it made anew if it is gone from QuickBooks.
    Retry(Thing),
    /// A session of the Web Connector, with a fault at one of its rounds.
    Session(Option<(usize, Fault)>),
    /// The server is stopped and started.
    Restart,
    /// The server dies at a commit from now on: before it is durable, or after.
    Crash { after: u64, durable: bool },
    /// Time passes; the clock may go back.
    Pass(i64),
    /// Somebody has an object open in QuickBooks for that many requests.
    Lock(Thing, u32),
    /// A person edits an object in QuickBooks.
    Edit(Thing),
    /// A person deletes an object in QuickBooks.
    Delete(Thing),
    /// A person merges a customer into another: it is gone, the other one is changed.
    Merge(usize, usize),
    /// A backup of the company file is made.
    Backup,
    /// The last backup is restored.
    Restore,
    /// A poll while another company file is open.
    OtherFile,
    /// A person makes a customer inactive, or active again.
    Activate(usize, bool),
    /// A person closes the books up to a date that no transaction is after, or opens them.
    CloseBooks(bool),
    /// Somebody logs in with another password.
    WrongPassword,
    /// A person links a record to an id that is not there.
    Mistype(Thing),
}

fn thing(dice: &mut Dice) -> Thing {
    match dice.below(10) {
        0..=3 => Thing::Customer(dice.below(CUSTOMERS)),
        4..=7 => Thing::Invoice(dice.below(INVOICES)),
        8 => Thing::Payment(dice.below(PAYMENTS)),
        _ => Thing::Twin(dice.below(TWINS)),
    }
}

/// What QuickBooks can do to it.
fn taken(it: Thing, dice: &mut Dice) -> Wanted {
    match (it, dice.below(3)) {
        (_, 0) => Wanted::Withdrawn,
        (Thing::Invoice(_) | Thing::Twin(_), 1) => Wanted::Voided,
        _ => Wanted::Deleted,
    }
}

/// The run of a seed.
pub(crate) fn plan(seed: u64, length: usize) -> Vec<(usize, Action)> {
    let mut dice = Dice::new(seed);
    let mut actions = Vec::with_capacity(length);
    for _ in 0..length {
        let it = thing(&mut dice);
        // Most happens to the first of two connections, so that its stories are long.
        let at = usize::from(dice.once_in(4));
        let action = match dice.below(56) {
            0..=13 => Action::Put(it, dice.below(3)),
            14 | 48 => Action::Withdraw(it, taken(it, &mut dice)),
            15 | 16 => Action::Retry(it),
            17..=24 => {
                let rounds = if dice.once_in(2) { ROUNDS } else { FIRST_ROUNDS };
                let fault = (dice.below(3) > 0).then(|| (dice.below(rounds), *dice.pick(&FAULTS)));
                Action::Session(fault)
            }
            25..=27 => Action::Session(None),
            28 => Action::Restart,
            29 | 30 => Action::Crash { after: dice.below(6) as u64 + 1, durable: dice.once_in(2) },
            31..=33 => Action::Pass([1, 61, 301, 901, 3600, 86_400][dice.below(6)]),
            34 => Action::Pass(-[1, 60, 3600][dice.below(3)]),
            35 => Action::Lock(it, u32::try_from(dice.below(3)).unwrap() + 1),
            36 => Action::Edit(it),
            37 => Action::Delete(it),
            38 => Action::Backup,
            39 if dice.once_in(3) => Action::Restore,
            40 => Action::OtherFile,
            41 => Action::Merge(dice.below(CUSTOMERS), dice.below(CUSTOMERS)),
            42 => Action::CloseBooks(dice.once_in(2)),
            43 => Action::WrongPassword,
            // What others refer to would be made for the wrong id, as the person wanted.
            47 if it.is_leaf() => Action::Mistype(it),
            44..=47 => Action::Activate(dice.below(CUSTOMERS), dice.once_in(2)),
            49..=52 => Action::Press(it, dice.pick::<&str>(&FIXES)),
            _ => Action::Resolve(it),
        };
        actions.push((at, action));
    }
    if seed.is_multiple_of(RESTORED) {
        actions.extend(restored(&mut Dice::new(!seed)));
    }
    actions
}

/// A record is deleted in QuickBooks for us, a backup brings it back, and it is put again: chance alone
/// hardly ever does these in this order.
fn restored(dice: &mut Dice) -> Vec<(usize, Action)> {
    let (it, at) = (thing(dice), usize::from(dice.once_in(2)));
    let session = |dice: &mut Dice| {
        let fault = dice.once_in(3).then(|| (dice.below(ROUNDS), *dice.pick(&FAULTS)));
        Action::Session(fault)
    };
    let mut actions = vec![Action::CloseBooks(false), Action::Put(it, 0)];
    actions.extend([Action::Session(None), Action::Session(None), Action::Backup]);
    actions.push(Action::Withdraw(it, Wanted::Deleted));
    actions.extend([session(dice), session(dice)]);
    // Put before it came back, it may have been asked for and not been made yet.
    if dice.once_in(2) {
        actions.extend([Action::Put(it, 1), session(dice)]);
    }
    actions.extend([Action::Restore, Action::Put(it, 2), session(dice)]);
    actions.into_iter().map(|action| (at, action)).collect()
}
