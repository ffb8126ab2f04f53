//! Every order of events in a small world, tried once: the session machine between two Web
//! Connectors and one QuickBooks.
//!
//! Breadth first over all states that five records, two connectors and every loss can reach. The
//! machine is the real one; what its effects do is written down here in the fewest words, so that a
//! wrong effect shows as a wrong world.

use std::collections::HashMap;
use std::collections::VecDeque;

use bookbridge::domain::ids::MessageSetId;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::session::Company;
use bookbridge::domain::session::Effect;
use bookbridge::domain::session::Event;
use bookbridge::domain::session::Machine;
use bookbridge::domain::session::Reply;
use bookbridge::domain::session::Stage;

/// Records of the world; the last cannot be read by QuickBooks.
const RECORDS: usize = 5;
const BAD: usize = RECORDS - 1;
/// Requests of a message set.
const SIZE: usize = 3;
/// Events from the beginning.
const DEPTH: usize = 80;

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Status {
    Queued,
    Out(usize),
    Synced,
    Failed,
}

/// What a connector holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Hand {
    Nothing,
    Request(usize),
    Answer(usize),
    Refusal,
    Error,
}

#[derive(Clone, Debug)]
struct World {
    machines: [Option<Machine>; 2],
    hands: [Hand; 2],
    /// The message set that each session was handed last.
    last: [Option<usize>; 2],
    outstanding: Option<usize>,
    doubt: bool,
    splits: Vec<Vec<usize>>,
    sets: Vec<Vec<usize>>,
    records: [Status; RECORDS],
    /// Message sets that QuickBooks remembers.
    memory: Vec<usize>,
    made: [u8; RECORDS],
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Login(usize),
    Send(usize, Delivered),
    Process(usize),
    /// QuickBooks raises an error, before or after it did the work.
    Throw(usize, bool),
    Receive(usize, Delivered),
    Close(usize),
    /// The connector dies with what it holds.
    Die(usize),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Delivered {
    Yes,
    /// Our answer is lost.
    No,
}

fn id(set: usize) -> MessageSetId {
    MessageSetId::from_bits(set as u128)
}

impl World {
    fn new() -> Self {
        Self {
            machines: [None, None],
            hands: [Hand::Nothing; 2],
            last: [None, None],
            outstanding: None,
            doubt: false,
            splits: Vec::new(),
            sets: Vec::new(),
            records: [Status::Queued; RECORDS],
            memory: Vec::new(),
            made: [0; RECORDS],
        }
    }

    /// What tells two worlds apart. `getLastError` and progress do not.
    fn key(&self) -> String {
        let stages = self.machines.each_ref().map(|it| it.as_ref().map(|it| it.stage.clone()));
        format!(
            "{stages:?}{:?}{:?}{:?}{}{:?}{:?}{:?}{:?}{:?}",
            self.hands,
            self.last,
            self.outstanding,
            self.doubt,
            self.splits,
            self.sets,
            self.records,
            self.memory,
            self.made
        )
    }

    fn set_of(&self, wanted: &MessageSetId) -> usize {
        (0..=self.sets.len()).find(|set| id(*set) == *wanted).unwrap()
    }

    /// What would be sent next.
    fn next(&self) -> Option<Vec<usize>> {
        let queued = |record: &usize| self.records[*record] == Status::Queued;
        for group in self.splits.iter().rev() {
            let left: Vec<_> = group.iter().copied().filter(queued).collect();
            if !left.is_empty() {
                return Some(left);
            }
        }
        let ready: Vec<_> = (0..RECORDS).filter(queued).take(SIZE).collect();
        (!ready.is_empty()).then_some(ready)
    }

    fn happen(&mut self, who: usize, event: Event, fresh: Option<&Vec<usize>>) -> Reply {
        let Some(machine) = self.machines[who].clone() else { return Reply::Failed };
        let step = machine.step(event);
        for effect in step.effects {
            self.apply(who, effect, fresh);
        }
        self.machines[who] = Some(step.machine);
        step.reply
    }

    fn apply(&mut self, who: usize, effect: Effect, fresh: Option<&Vec<usize>>) {
        match effect {
            Effect::Send(message_set) => {
                assert!(self.outstanding.is_none(), "fresh work while something is outstanding");
                assert_eq!(message_set, id(self.sets.len()));
                let members = fresh.unwrap().clone();
                let group = self
                    .splits
                    .iter()
                    .rposition(|it| it.iter().any(|record| members.contains(record)));
                if let Some(group) = group {
                    self.splits.truncate(group);
                }
                for record in &members {
                    self.records[*record] = Status::Out(self.sets.len());
                }
                self.outstanding = Some(self.sets.len());
                self.doubt = false;
                self.last[who] = self.outstanding;
                self.sets.push(members);
            }
            Effect::Resend(message_set) => {
                let set = self.set_of(&message_set);
                assert_eq!(self.outstanding, Some(set));
                self.last[who] = Some(set);
                self.doubt = false;
            }
            Effect::Settle(message_set) => self.settle(self.set_of(&message_set)),
            Effect::Split(message_set) => {
                let set = self.set_of(&message_set);
                assert_eq!(self.outstanding, Some(set));
                self.outstanding = None;
                let members = self.sets[set].clone();
                if let [one] = members[..] {
                    self.records[one] = Status::Failed;
                    return;
                }
                for record in &members {
                    self.records[*record] = Status::Queued;
                }
                let (first, second) = members.split_at(members.len().div_ceil(2));
                self.splits.push(second.to_vec());
                self.splits.push(first.to_vec());
            }
            Effect::Doubt(message_set) => {
                assert_eq!(self.outstanding, Some(self.set_of(&message_set)));
                self.doubt = true;
            }
            Effect::End(_) => {}
        }
    }

    fn settle(&mut self, set: usize) {
        assert_eq!(self.outstanding, Some(set));
        for record in self.sets[set].clone() {
            assert_eq!(self.records[record], Status::Out(set));
            self.records[record] = Status::Synced;
        }
        self.outstanding = None;
        self.doubt = false;
    }

    /// Does a step, if it can happen.
    fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Login(who) => {
                let other = 1 - who;
                // After a silence that counts as death: the other session is superseded.
                for session in [other, who] {
                    let living = self.machines[session]
                        .as_ref()
                        .is_some_and(|machine| machine.stage != Stage::Ended);
                    if living {
                        self.happen(session, Event::Superseded, None);
                    }
                }
                self.machines[who] = Some(Machine::opened());
                // An answer in hand belongs to the session before: it is gone with its ticket.
                self.hands[who] = Hand::Nothing;
                self.last[who] = None;
                true
            }
            Step::Send(who, delivered) => {
                if self.hands[who] != Hand::Nothing || self.machines[who].is_none() {
                    return false;
                }
                let fresh = self.next();
                let event = Event::Send {
                    company: Company::Ours,
                    outstanding: self.outstanding.map(id),
                    fresh: fresh.as_ref().map(|_| id(self.sets.len())),
                };
                if let Reply::MessageSet(message_set) = self.happen(who, event, fresh.as_ref())
                    && delivered == Delivered::Yes
                {
                    self.hands[who] = Hand::Request(self.set_of(&message_set));
                }
                true
            }
            Step::Process(who) => {
                let Hand::Request(set) = self.hands[who] else { return false };
                self.hands[who] = if self.execute(set) { Hand::Answer(set) } else { Hand::Refusal };
                true
            }
            Step::Throw(who, done) => {
                let Hand::Request(set) = self.hands[who] else { return false };
                if done {
                    self.execute(set);
                }
                self.hands[who] = Hand::Error;
                true
            }
            Step::Receive(who, delivered) => {
                let hand = std::mem::replace(&mut self.hands[who], Hand::Nothing);
                let waiting = self.machines[who]
                    .as_ref()
                    .is_some_and(|machine| matches!(machine.stage, Stage::Waiting(_)));
                let left = RECORDS as u64;
                let event = match hand {
                    Hand::Nothing | Hand::Request(_) => {
                        self.hands[who] = hand;
                        return false;
                    }
                    Hand::Answer(set) if !waiting => {
                        // The only copy of an answer counts under a dead ticket too.
                        if self.outstanding == Some(set)
                            && self.doubt
                            && self.last[who] == Some(set)
                        {
                            self.settle(set);
                        }
                        Event::Answered { settled: 0, left }
                    }
                    Hand::Answer(_) => Event::Answered { settled: SIZE as u64, left },
                    Hand::Refusal => Event::Refused { left },
                    Hand::Error => {
                        let finding = Finding::new(Code::QuickbooksUnavailable);
                        Event::Trouble(Box::new(finding), String::new())
                    }
                };
                self.happen(who, event, None);
                if delivered == Delivered::No {
                    // The connector thinks that the server is gone and logs in anew.
                    self.hands[who] = Hand::Nothing;
                }
                true
            }
            Step::Close(who) => {
                let there = self.machines[who].is_some();
                self.happen(who, Event::Close, None);
                there
            }
            Step::Die(who) => {
                let holds = self.hands[who] != Hand::Nothing;
                self.hands[who] = Hand::Nothing;
                holds
            }
        }
    }

    /// QuickBooks: executes once, then answers from its memory. False if it cannot read it.
    fn execute(&mut self, set: usize) -> bool {
        if self.sets[set].contains(&BAD) {
            return false;
        }
        if !self.memory.contains(&set) {
            self.memory.push(set);
            for record in self.sets[set].clone() {
                self.made[record] += 1;
            }
        }
        true
    }

    fn hold(&self) {
        for record in 0..RECORDS {
            assert!(self.made[record] <= 1, "record {record} was made {} times", self.made[record]);
            if self.records[record] == Status::Synced {
                assert_eq!(self.made[record], 1, "record {record} is synced and not there");
            }
            if let Status::Out(set) = self.records[record] {
                assert_eq!(self.outstanding, Some(set), "record {record} is out and nobody knows");
            }
        }
        let waiting =
            self.machines.iter().flatten().filter(|it| matches!(it.stage, Stage::Waiting(_)));
        assert!(waiting.count() <= 1, "two sessions wait at once");
    }

    /// Without further faults everything settles within a bounded number of sessions.
    fn drains(mut self) {
        for _ in 0..8 {
            self.step(Step::Login(0));
            for _ in 0..8 {
                self.step(Step::Send(0, Delivered::Yes));
                if !self.step(Step::Process(0)) {
                    break;
                }
                self.step(Step::Receive(0, Delivered::Yes));
            }
            self.step(Step::Close(0));
        }
        for record in 0..RECORDS {
            let expected = if record == BAD { Status::Failed } else { Status::Synced };
            assert_eq!(self.records[record], expected, "record {record} never settles");
        }
    }
}

fn steps() -> Vec<Step> {
    let of = |who| {
        [
            Step::Login(who),
            Step::Send(who, Delivered::Yes),
            Step::Send(who, Delivered::No),
            Step::Process(who),
            Step::Throw(who, false),
            Step::Throw(who, true),
            Step::Receive(who, Delivered::Yes),
            Step::Receive(who, Delivered::No),
            Step::Close(who),
            Step::Die(who),
        ]
    };
    [of(0), of(1)].concat()
}

#[test]
fn no_order_of_events_loses_or_doubles_a_record() {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut next = VecDeque::from([(World::new(), 0_usize)]);
    let mut deepest = 0;
    let mut moves = 0_u64;
    while let Some((world, depth)) = next.pop_front() {
        deepest = deepest.max(depth);
        world.clone().drains();
        if depth == DEPTH {
            continue;
        }
        for step in steps() {
            let mut after = world.clone();
            if !after.step(step) {
                continue;
            }
            moves += 1;
            after.hold();
            if seen.insert(after.key(), depth + 1).is_none() {
                next.push_back((after, depth + 1));
            }
        }
    }
    println!("{} states, {moves} moves, depth {deepest}", seen.len());
    assert!(deepest < DEPTH, "the world is not exhausted at depth {DEPTH}");
    assert!(seen.len() > 1_000, "{} states are no proof", seen.len());
}
