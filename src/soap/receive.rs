//! `receiveResponseXML`: QuickBooks' answer, of any size, in constant memory.
//!
//! Pieces of the request go through a short channel to a blocking thread, which un-escapes the text of
//! `response` into a [`Spool`](crate::store::Spool); the channel holds the client back while the disk
//! is slow. Only a response that was read to its end, in an envelope that was, reaches the engine: of a
//! broken one nothing is kept, the message set stays in doubt, and QuickBooks gives its answer again.
//!
//! This is where strangers could fill a disk, so the ticket is looked up before anything is written: it
//! stands before the response in what every real client sends. A response whose ticket nobody knows is
//! drained; one whose ticket comes behind it may be [`STRANGER_BYTES`] long.
//!
//! Measured on two cores, spooled to disk, read again and settled: 110 MB in 0.8 s, 524 MB in 3.7 s, with
//! 3 MB more memory than before (`tests/soap/large.rs`).

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;
use tokio::sync::mpsc;
use tracing::error;
use tracing::warn;

use crate::domain::ids::Digest;
use crate::domain::message_set;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::soap::SoapSettings;
use crate::soap::answer;
use crate::soap::body::Body;
use crate::soap::contract;
use crate::soap::contract::Operation;
use crate::soap::envelope::Answer;
use crate::soap::guard;
use crate::soap::guard::Envelope;
use crate::soap::guard::Malformed;
use crate::soap::guard::Response;
use crate::soap::handler::SMALL;
use crate::soap::logins::Logins;
use crate::soap::source::Source;

/// The longest response that is taken before its ticket is known, in bytes.
const STRANGER_BYTES: u64 = 16 << 20;
/// How long a response waits for others to end: less than the 100 seconds of the client.
const PATIENCE: Duration = Duration::from_secs(40);
/// Pieces between the network and the disk.
const CHANNEL: usize = 8;

/// What all workers share.
#[derive(Debug)]
pub struct Gates {
    /// Responses of known sessions.
    known: Semaphore,
    /// Responses whose ticket comes behind them: few, so that they hold up nobody else.
    strangers: Semaphore,
    /// Failed logins.
    pub(crate) logins: Logins,
}

impl Default for Gates {
    fn default() -> Self {
        let logins = Logins::default();
        Self { known: Semaphore::new(16), strangers: Semaphore::new(2), logins }
    }
}

/// A response that was read to its end.
struct Received {
    ticket: String,
    response: message_set::Body,
    hresult: String,
    message: String,
}

/// Why there is none.
enum Failed {
    /// The envelope cannot be read.
    Malformed(Malformed),
    /// It is larger than this.
    TooLong(u64),
    /// It could not be written.
    Lost(String),
}

/// Answers `receiveResponseXML`. `glimpse` is what the first bytes of the envelope say.
///
/// # Errors
///
/// [`Malformed`]: the envelope cannot be read, and the response was not handed on.
pub(crate) async fn receive(
    engine: &Engine,
    settings: &SoapSettings,
    glimpse: &Envelope,
    mut body: Body,
) -> Result<Answer, Malformed> {
    let ticket = contract::ticket(glimpse);
    let most = settings.max_response_bytes.saturating_mul(2).saturating_add(SMALL as u64);
    let limit = if ticket.is_empty() {
        settings.max_response_bytes.min(STRANGER_BYTES)
    } else if is_known(engine, &ticket).await == Some(false) {
        body.drain(most).await;
        return Ok(Answer::Progress(-1));
    } else {
        settings.max_response_bytes
    };
    let Some(_permit) = enter(&settings.gates, &ticket).await else {
        warn!("a response waited too long for others and was not taken");
        body.drain(most).await;
        return Ok(Answer::Progress(-1));
    };

    let _arriving = engine.arriving(&ticket);
    let (pieces, rest) = mpsc::channel::<io::Result<Bytes>>(CHANNEL);
    let source = Source::arriving(body.bytes.split().freeze(), rest, SMALL);
    let keeper = engine.clone();
    let reading = tokio::task::spawn_blocking(move || keep(&keeper, source, limit));
    if body.ended {
        drop(pieces);
    } else {
        body.pump(pieces, most).await;
    }
    match reading.await {
        Ok(Ok(Received { ticket, response, hresult, message })) => {
            Ok(answer::received(engine, &ticket, response, &hresult, &message).await)
        }
        Ok(Err(Failed::Malformed(malformed))) => Err(malformed),
        Ok(Err(Failed::TooLong(limit))) => {
            let step = Box::pin(engine.response_too_long(&ticket, limit));
            let progress = answer::tried(Operation::ReceiveResponseXml, step).await;
            Ok(Answer::Progress(progress.unwrap_or(-1)))
        }
        Ok(Err(Failed::Lost(why))) => Ok(lost(engine, &ticket, &why).await),
        Err(_) => {
            error!("receiveResponseXML was not done: it panicked");
            Ok(answer::failed(engine, &ticket).await)
        }
    }
}

/// Whether there is a session of this ticket, dead or living; `None` if the store does not say.
async fn is_known(engine: &Engine, ticket: &str) -> Option<bool> {
    let digest = Digest::of(ticket.as_bytes());
    let look = async { Ok(engine.store().session_of_ticket(&digest).await?.is_some()) };
    answer::tried(Operation::ReceiveResponseXml, look).await
}

async fn enter<'a>(gates: &'a Gates, ticket: &str) -> Option<SemaphorePermit<'a>> {
    let gate = if ticket.is_empty() { &gates.strangers } else { &gates.known };
    tokio::time::timeout(PATIENCE, gate.acquire()).await.ok()?.ok()
}

/// Reads the whole request, on a thread that may block.
fn keep(engine: &Engine, source: Source, limit: u64) -> Result<Received, Failed> {
    let mut spool = engine.store().spool().map_err(|error| failed(&error.into()))?;
    let mut envelope = Envelope::default();
    let response = Response { to: &mut spool, limit };
    guard::read(&mut envelope, source, response).map_err(|malformed| match malformed {
        Malformed::Sink(error) => failed(
            &crate::store::StoreError::Io {
                what: "cannot write a response".to_owned(),
                source: error,
            }
            .into(),
        ),
        Malformed::ResponseTooLarge(limit) => Failed::TooLong(limit),
        other => Failed::Malformed(other),
    })?;
    let response = spool.finish().map_err(|error| {
        failed(
            &crate::store::StoreError::Io {
                what: "cannot keep a response".to_owned(),
                source: error,
            }
            .into(),
        )
    })?;
    Ok(Received {
        ticket: contract::ticket(&envelope),
        hresult: envelope.take("hresult"),
        message: envelope.take("message"),
        response,
    })
}

fn failed(error: &EngineError) -> Failed {
    error!("receiveResponseXML was not done: {}", answer::chain(error));
    Failed::Lost("Bookbridge could not keep QuickBooks' answer; it will be asked again".to_owned())
}

/// Tells the engine that an answer came and is gone; `getLastError` says why.
async fn lost(engine: &Engine, ticket: &str, why: &str) -> Answer {
    let nothing = message_set::Body::Inline(String::new());
    answer::received(engine, ticket, nothing, "", why).await;
    Answer::Progress(-1)
}
