//! One Web Connector session, as a machine that does no I/O.
//!
//! [`Machine::step`] takes what happened; it returns what to do and what to answer. The engine does
//! both, in that order. Nothing here knows of SOAP, of the store, or of the time.
//!
//! Invariants, held by the tests below: a message set that was sent is settled, refused or in doubt
//! before the session does anything else; while one is outstanding, nothing but it is sent, in the
//! same bytes; an ended session sends nothing.
//!
//! Source: *QBWC Programmer's Guide* 2.0, pp. 20-25 (order of calls), 42 and 51-53 (lost answers).

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::MessageSetId;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::outcome::Finding;

/// One session, from `authenticate` to `closeConnection`, as it is kept.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Session {
    /// Its name in paths; the ticket is another, secret one.
    pub id: SessionId,
    /// How often it was written.
    pub revision: Revision,
    /// Whose it is.
    pub connection: ConnectionId,
    /// SHA-256 of the ticket, which has 128 random bits.
    pub ticket: Digest,
    /// Where it stands.
    pub machine: Machine,
    /// When it logged in.
    pub started_at: Timestamp,
    /// Its last call.
    pub last_call_at: Timestamp,
    /// When it ended, if it did.
    pub ended_at: Option<Timestamp>,
    /// How many calls it made.
    pub calls: u32,
    /// How many `connectionError`s it reported.
    pub connection_errors: u32,
    /// How many requests QuickBooks accepted.
    pub accepted: u64,
    /// How many requests QuickBooks refused.
    pub refused: u64,
    /// Path of the company file that it had open.
    pub company_file: String,
    /// The message set that it was handed last: whose answer a late call brings.
    pub last: Option<MessageSetId>,
}

/// Where a session stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Stage {
    /// Authenticated; the first call must tell which company file is open.
    Opened,
    /// The company file is ours; it may ask for work.
    Ready,
    /// It was handed a message set.
    Waiting(MessageSetId),
    /// It does nothing more.
    Ended,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It did what it came for.
    Done,
    /// Something kept it from going on; `last_error` says what.
    Trouble,
    /// It fell silent, or a call of it did not arrive.
    Lost,
}

/// One session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Machine {
    /// Where it stands.
    pub stage: Stage,
    /// What `getLastError` says: one plain line.
    pub last_error: String,
    /// Requests settled so far, for the progress.
    pub settled: u64,
    /// It was told that all is done: it closes now, and nobody waits for it. What is due then and
    /// did not go was passed over.
    #[serde(default)]
    pub finished: bool,
    /// How it ended, once it did.
    #[serde(default)]
    pub ending: Option<Ending>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `sendRequestXML`.
    Send {
        /// What the first call told of the company file; later calls carry nothing.
        company: Company,
        /// A write message set that was handed out and never settled.
        outstanding: Option<MessageSetId>,
        /// The next message set, written out, if there is work.
        fresh: Option<MessageSetId>,
    },
    /// `receiveResponseXML` with a response that could be read to its end.
    Answered {
        /// How many requests it settled.
        settled: u64,
        /// How many wait still and could be sent now.
        left: u64,
    },
    /// `receiveResponseXML` with 0x80040400: nothing was executed.
    Refused {
        /// How many wait still, the parts of the refused message set included.
        left: u64,
    },
    /// `receiveResponseXML` with anything that leaves open what became of the message set.
    Lost {
        /// What `getLastError` says.
        why: String,
    },
    /// `connectionError`, or QuickBooks refused everything.
    Trouble(Box<Finding>, String),
    /// `closeConnection`.
    Close,
    /// Another session took over, or none of its calls came for too long.
    Superseded,
}

/// Whether the open company file is the connection's.
#[derive(Clone, Debug, PartialEq)]
pub enum Company {
    /// It is, or this is not a first call.
    Ours,
    /// It is not; the sentence for `getLastError` comes with it.
    Other(Box<Finding>, String),
}

/// What the engine does, in one commit, before it answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand out this message set, for the first time.
    Send(MessageSetId),
    /// Hand out this message set again, in the same bytes.
    Resend(MessageSetId),
    /// Apply the answers.
    Settle(MessageSetId),
    /// Take it apart: one of its requests cannot be read by QuickBooks.
    Split(MessageSetId),
    /// Its answer will not come in this session.
    Doubt(MessageSetId),
    /// The session is over; why it did no work, if so.
    End(Option<Box<Finding>>),
}

/// What to answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// The bytes of this message set.
    MessageSet(MessageSetId),
    /// An empty text: `getLastError` says why.
    Nothing,
    /// How far it is, 1 to 100; at 100 the Web Connector closes.
    Percent(u8),
    /// A negative number: `getLastError` says why, then the Web Connector closes.
    Failed,
    /// The closing line.
    Goodbye,
}

/// What a step decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The session afterwards.
    pub machine: Machine,
    /// What to do, in order.
    pub effects: Vec<Effect>,
    /// What to answer.
    pub reply: Reply,
}

/// Said when an ended session is asked for more.
const OVER: &str = "this session is over; the next one goes on where it stopped";

impl Machine {
    /// A session that just logged in.
    pub fn opened() -> Self {
        Self {
            stage: Stage::Opened,
            last_error: "there is nothing more to do".to_owned(),
            settled: 0,
            finished: false,
            ending: None,
        }
    }

    fn ended(
        self,
        ending: Ending,
        said: impl Into<String>,
        effects: Vec<Effect>,
        reply: Reply,
    ) -> Step {
        let ending = Some(ending);
        let machine = Self { stage: Stage::Ended, last_error: said.into(), ending, ..self };
        Step { machine, effects, reply }
    }

    fn moved(self, stage: Stage, effects: Vec<Effect>, reply: Reply) -> Step {
        Step { machine: Self { stage, ..self }, effects, reply }
    }

    /// Takes what happened; says what to do and what to answer.
    #[must_use]
    pub fn step(self, event: Event) -> Step {
        match (self.stage.clone(), event) {
            (Stage::Opened, Event::Send { company: Company::Other(finding, said), .. }) => {
                self.ended(Ending::Trouble, said, vec![Effect::End(Some(finding))], Reply::Nothing)
            }
            (Stage::Opened | Stage::Ready, Event::Send { outstanding: Some(id), .. }) => self
                .moved(
                    Stage::Waiting(id.clone()),
                    vec![Effect::Resend(id.clone())],
                    Reply::MessageSet(id),
                ),
            (Stage::Opened | Stage::Ready, Event::Send { fresh: Some(id), .. }) => self.moved(
                Stage::Waiting(id.clone()),
                vec![Effect::Send(id.clone())],
                Reply::MessageSet(id),
            ),
            (Stage::Opened | Stage::Ready, Event::Send { .. }) => {
                let said = "there is nothing more to do";
                let told = Self { finished: true, ..self };
                told.ended(Ending::Done, said, vec![Effect::End(None)], Reply::Nothing)
            }
            // A call out of order means that an answer was lost on the way (guide, p. 53).
            (Stage::Waiting(id), Event::Send { .. }) => self.ended(
                Ending::Lost,
                "an answer was lost on the way; the last requests will be sent again in the next session",
                vec![Effect::Doubt(id), Effect::End(None)],
                Reply::Nothing,
            ),
            (Stage::Waiting(id), Event::Answered { settled, left }) => {
                let settled = self.settled + settled;
                let effects = vec![Effect::Settle(id)];
                let reply = Reply::Percent(percent(settled, left));
                Self { settled, finished: left == 0, ..self }.moved(Stage::Ready, effects, reply)
            }
            (Stage::Waiting(id), Event::Refused { left }) => {
                let reply = Reply::Percent(percent(self.settled, left));
                let effects = vec![Effect::Split(id)];
                Self { finished: left == 0, ..self }.moved(Stage::Ready, effects, reply)
            }
            (Stage::Waiting(id), Event::Lost { why }) => {
                let effects = vec![Effect::Doubt(id), Effect::End(None)];
                self.ended(Ending::Trouble, why, effects, Reply::Failed)
            }
            (Stage::Waiting(id), Event::Trouble(finding, said)) => self.ended(
                Ending::Trouble,
                said,
                vec![Effect::Doubt(id), Effect::End(Some(finding))],
                Reply::Failed,
            ),
            (Stage::Waiting(id), Event::Close | Event::Superseded) => self.ended(
                Ending::Lost,
                OVER,
                vec![Effect::Doubt(id), Effect::End(None)],
                Reply::Goodbye,
            ),
            (Stage::Opened | Stage::Ready, Event::Trouble(finding, said)) => {
                self.ended(Ending::Trouble, said, vec![Effect::End(Some(finding))], Reply::Failed)
            }
            (Stage::Opened | Stage::Ready, Event::Superseded) if !self.finished => {
                self.ended(Ending::Lost, OVER, vec![Effect::End(None)], Reply::Goodbye)
            }
            (Stage::Opened | Stage::Ready, Event::Close | Event::Superseded) => {
                self.ended(Ending::Done, OVER, vec![Effect::End(None)], Reply::Goodbye)
            }
            // An answer that nothing was asked for: its copy is kept, the session goes no further.
            (
                Stage::Opened | Stage::Ready,
                Event::Answered { .. } | Event::Refused { .. } | Event::Lost { .. },
            ) => self.ended(
                Ending::Trouble,
                "an answer came that nothing was asked for; the next session goes on",
                vec![Effect::End(None)],
                Reply::Failed,
            ),
            (Stage::Ended, Event::Send { .. }) => {
                self.moved(Stage::Ended, vec![], Reply::Nothing)
            }
            (Stage::Ended, Event::Close | Event::Superseded) => {
                self.moved(Stage::Ended, vec![], Reply::Goodbye)
            }
            (Stage::Ended, _) => self.moved(Stage::Ended, vec![], Reply::Failed),
        }
    }
}

/// How far the session is: never 100 while work is left, never 0, because some clients take 0 for
/// an error (QBWC Programmer's Guide, chapter 2: "a positive number").
fn percent(settled: u64, left: u64) -> u8 {
    if left == 0 {
        return 100;
    }
    let percent = settled.saturating_mul(100) / settled.saturating_add(left).max(1);
    u8::try_from(percent.clamp(1, 99)).unwrap_or(99)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Code;

    fn id(bits: u128) -> MessageSetId {
        MessageSetId::from_bits(bits)
    }

    fn at(stage: Stage) -> Machine {
        Machine { stage, ..Machine::opened() }
    }

    fn send(outstanding: Option<u128>, fresh: Option<u128>) -> Event {
        Event::Send {
            company: Company::Ours,
            outstanding: outstanding.map(id),
            fresh: fresh.map(id),
        }
    }

    #[test]
    fn a_second_send_request_leaves_the_first_message_set_in_doubt() {
        let step = at(Stage::Waiting(id(7))).step(send(Some(7), Some(8)));

        assert_eq!(step.effects, [Effect::Doubt(id(7)), Effect::End(None)]);
        assert_eq!(step.reply, Reply::Nothing);
        assert_eq!(step.machine.stage, Stage::Ended);
    }

    #[test]
    fn what_is_outstanding_goes_before_what_is_fresh() {
        for stage in [Stage::Opened, Stage::Ready] {
            let step = at(stage).step(send(Some(7), Some(8)));

            assert_eq!(step.effects, [Effect::Resend(id(7))]);
            assert_eq!(step.reply, Reply::MessageSet(id(7)));
        }
    }

    #[test]
    fn another_company_file_gets_nothing_even_if_something_is_outstanding() {
        let finding = Box::new(Finding::new(Code::WrongCompanyFile));
        let company = Company::Other(finding.clone(), "another company file is open".to_owned());

        let step = Machine::opened().step(Event::Send {
            company,
            outstanding: Some(id(7)),
            fresh: Some(id(8)),
        });

        assert_eq!(step.effects, [Effect::End(Some(finding))]);
        assert_eq!(step.reply, Reply::Nothing);
        assert_eq!(step.machine.last_error, "another company file is open");
    }

    #[test]
    fn progress_is_100_only_when_nothing_is_left() {
        for (settled, left, expected) in
            [(0, 0, 100), (25, 0, 100), (0, 10, 1), (5, 5, 50), (1, 999, 1), (999, 1, 99)]
        {
            assert_eq!(percent(settled, left), expected, "{settled} settled, {left} left");
        }
    }

    /// Every event at every stage: an outstanding message set never vanishes, an ended session
    /// never sends.
    #[test]
    fn no_event_at_any_stage_breaks_the_invariants() {
        let finding = || Box::new(Finding::new(Code::QuickbooksUnavailable));
        let events = || {
            vec![
                send(None, None),
                send(None, Some(8)),
                send(Some(7), None),
                send(Some(7), Some(8)),
                Event::Send {
                    company: Company::Other(finding(), String::new()),
                    outstanding: Some(id(7)),
                    fresh: None,
                },
                Event::Answered { settled: 1, left: 0 },
                Event::Answered { settled: 1, left: 5 },
                Event::Refused { left: 2 },
                Event::Lost { why: String::new() },
                Event::Trouble(finding(), String::new()),
                Event::Close,
                Event::Superseded,
            ]
        };
        for stage in [Stage::Opened, Stage::Ready, Stage::Waiting(id(7)), Stage::Ended] {
            for event in events() {
                let waiting = stage == Stage::Waiting(id(7));

                let step = at(stage.clone()).step(event.clone());

                let accounted = step.effects.iter().any(|effect| {
                    matches!(effect, Effect::Settle(_) | Effect::Split(_) | Effect::Doubt(_))
                });
                assert_eq!(accounted, waiting, "{stage:?} {event:?}");
                let sends = matches!(step.reply, Reply::MessageSet(_));
                let waits = matches!(step.machine.stage, Stage::Waiting(_));
                assert_eq!(sends, waits, "{stage:?} {event:?}");
                assert!(!(sends && matches!(stage, Stage::Waiting(_) | Stage::Ended)));
            }
        }
    }
}
