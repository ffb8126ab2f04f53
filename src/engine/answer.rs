//! A response of QuickBooks, read once from its spool into the few facts that settling needs.

use std::ops::ControlFlow;

use crate::domain::message_set::Body;
use crate::domain::outcome::Said;
use crate::domain::session::Session;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::qbxml::request;
use crate::qbxml::response;
use crate::qbxml::response::MessageSetHead;
use crate::qbxml::response::Part;
use crate::qbxml::response::Ret;
use crate::qbxml::text;
use crate::store::StoreError;

/// More answers than any message set of ours has requests: what follows is kept, not read.
const MAX_ANSWERS: usize = 10_000;

/// One more object than a question about a record may have for an answer.
pub(crate) const MAX_RETS: usize = 101;

/// Objects of one answer that are kept, for the mirror: lists without iterators come whole.
const KEPT_RETS: usize = 2_000;

/// What `receiveResponseXML` brought.
pub(crate) enum Reading {
    /// The Web Connector reports that QuickBooks threw.
    Failed(Said),
    /// Nothing came; why, if that is known.
    Nothing(String),
    /// A response with more bytes than this, of which nothing was kept.
    TooLong(u64),
    /// A response that could be read to its end.
    Whole {
        /// As it came.
        body: Body,
        /// `newMessageSetID` and `messageSetStatusCode`, if the message set carried an id.
        head: MessageSetHead,
        /// One each request, in order.
        answers: Vec<Answer>,
    },
    /// A response that could not.
    Broken {
        /// As it came.
        body: Body,
        /// What is wrong with it.
        why: String,
    },
}

impl Reading {
    /// The length of what came, in bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Whole { body, .. } | Self::Broken { body, .. } => body.len(),
            Self::Failed(_) | Self::Nothing(_) | Self::TooLong(_) => 0,
        }
    }
}

/// The answer to one request.
pub(crate) struct Answer {
    /// Such as `CustomerAddRs`.
    pub(crate) name: String,
    /// The `requestID` that it echoes.
    pub(crate) request_id: Option<String>,
    /// Status code, severity and text.
    pub(crate) said: Said,
    /// `iteratorID` and `iteratorRemainingCount`, if the query has more pages.
    pub(crate) iterator: Option<(String, u64)>,
    /// The objects in it; what follows a great many is not read.
    pub(crate) rets: Vec<Ret>,
    /// Whether there were more objects than are kept.
    pub(crate) is_cut: bool,
}

impl Answer {
    /// The first object: an Add, a Mod or a query for one has no other.
    pub(crate) fn ret(&self) -> Option<&Ret> {
        self.rets.first()
    }

    fn is_to(&self, request: &str) -> bool {
        self.name.strip_suffix("Rs") == Some(request)
    }
}

/// The answer to each request of a message set. One that is to another request, or to the same one
/// of another message set, is no answer. Where QuickBooks echoes no `requestID` at all, the order
/// counts, if it is an answer to all of them.
pub(crate) fn paired<'a>(qbxml: &str, answers: &'a [Answer]) -> Vec<Option<&'a Answer>> {
    let asked = request::asked(qbxml);
    if answers.iter().all(|answer| answer.request_id.is_none()) {
        let mut pairs = answers.iter().zip(&asked);
        let whole = answers.len() == asked.len() && pairs.all(|(answer, it)| answer.is_to(it.0));
        return asked.iter().enumerate().map(|(at, _)| answers.get(at).filter(|_| whole)).collect();
    }
    let id_of = |answer: &Answer| answer.request_id.as_deref().map(escaped);
    let ids: Vec<_> = answers.iter().map(id_of).collect();
    let of = |(name, id): &(&str, &str)| {
        let mut both = answers.iter().zip(&ids);
        let fits = both.find(|(answer, it)| it.as_deref() == Some(*id) && answer.is_to(name));
        fits.map(|(answer, _)| answer)
    };
    asked.iter().map(of).collect()
}

/// As a message set writes it.
fn escaped(id: &str) -> String {
    let mut escaped = String::new();
    text::escape(id, &mut escaped);
    escaped
}

impl Engine {
    /// Reads a spooled response. Slow ones do not hold up other calls.
    pub(crate) async fn read_response(
        &self,
        session: &Session,
        body: Body,
    ) -> Result<Reading, EngineError> {
        let reader = self.store.open_body(&body)?;
        let read = tokio::task::spawn_blocking(move || read(reader)).await;
        let read = read.map_err(|error| StoreError::Stopped(error.to_string()))?;
        Ok(match read {
            Ok((head, answers)) => Reading::Whole { body, head, answers },
            Err(why) => {
                tracing::warn!("session {}: a response cannot be read: {why}", session.id);
                Reading::Broken { body, why }
            }
        })
    }
}

fn read(input: Box<dyn std::io::BufRead + Send>) -> Result<(MessageSetHead, Vec<Answer>), String> {
    let mut message_set = MessageSetHead::default();
    let mut answers: Vec<Answer> = Vec::new();
    response::read(input, &mut |part| {
        match part {
            Part::Head(head) => message_set = head,
            Part::Answer(head) if answers.len() < MAX_ANSWERS => {
                answers.push(Answer {
                    name: head.name,
                    request_id: head.request_id,
                    said: head.status,
                    iterator: head.iterator_id.zip(head.iterator_remaining),
                    rets: Vec::new(),
                    is_cut: false,
                });
            }
            Part::Ret(ret) => {
                if let Some(last) = answers.last_mut() {
                    if last.rets.len() < KEPT_RETS {
                        last.rets.push(*ret);
                    } else {
                        last.is_cut = true;
                    }
                }
            }
            Part::Answer(_) | Part::End => {}
        }
        ControlFlow::Continue(())
    })
    .map_err(|error| error.to_string())?;
    Ok((message_set, answers))
}
