//! A call goes to the engine once; whatever happens there, the Web Connector gets a word that it
//! knows. What went wrong is logged here, and nowhere else.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tracing::error;

use crate::domain::message_set::Body;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Login;
use crate::engine::Sign;
use crate::soap::contract::Call;
use crate::soap::contract::Operation;
use crate::soap::envelope::Answer;
use crate::soap::logins::Logins;
use crate::soap::logins::Who;

/// What `serverVersion` answers.
const SERVER: &str = concat!("Bookbridge ", env!("CARGO_PKG_VERSION"));
/// What `getLastError` says if the engine does not.
const UNKNOWN: &str = "Bookbridge has an error of its own; its log says more";

/// The failed logins, and who makes this call.
pub(crate) struct Caller<'a> {
    pub(crate) logins: &'a Logins,
    pub(crate) peer: Option<std::net::IpAddr>,
}

/// Answers any call but `receiveResponseXML`.
pub(crate) async fn answer(engine: &Engine, call: Call, caller: &Caller<'_>) -> Answer {
    let text = |operation, text: &str| Answer::Text(operation, text.to_owned());
    match call {
        Call::ServerVersion => {
            engine.saw(Sign::Version);
            text(Operation::ServerVersion, SERVER)
        }
        // Any version will do: the protocol has not changed since 2.0. Other answers open a dialog.
        Call::ClientVersion => {
            engine.saw(Sign::Version);
            text(Operation::ClientVersion, "")
        }
        Call::Authenticate { username, password } => {
            let who = Who::new(&username, caller.peer);
            let attempt = Box::pin(engine.authenticate(&username, &password));
            let answer = tried(Operation::Authenticate, attempt).await.unwrap_or(Login::Busy);
            engine.saw(Sign::Login);
            // A right password always passes: nobody locks out the real one.
            match answer {
                Login::Refused if !caller.logins.may_hear(who) => login(Login::Busy),
                answer => login(answer),
            }
        }
        Call::SendRequest { ticket, first } => {
            let operation = Operation::SendRequestXml;
            let document = tried(operation, Box::pin(engine.send_request(&ticket, first))).await;
            Answer::Text(operation, document.unwrap_or_default())
        }
        Call::ConnectionError { ticket, hresult, message } => {
            let operation = Operation::ConnectionError;
            let step = Box::pin(engine.connection_error(&ticket, &hresult, &message));
            let said = tried(operation, step).await;
            Answer::Text(operation, said.unwrap_or_else(|| "done".to_owned()))
        }
        Call::GetLastError { ticket } => {
            let operation = Operation::GetLastError;
            let said = tried(operation, engine.last_error(&ticket)).await;
            Answer::Text(operation, one_line(&said.unwrap_or_else(|| UNKNOWN.to_owned())))
        }
        Call::CloseConnection { ticket } => {
            let operation = Operation::CloseConnection;
            let said = tried(operation, Box::pin(engine.close_connection(&ticket))).await;
            Answer::Text(operation, one_line(&said.unwrap_or_else(|| "OK".to_owned())))
        }
        // We never ask for the interactive mode; a client that enters it all the same goes on.
        Call::GetInteractiveUrl => text(Operation::GetInteractiveUrl, ""),
        Call::InteractiveRejected => text(Operation::InteractiveRejected, "OK"),
        Call::InteractiveDone(operation) => text(operation, "DONE"),
    }
}

/// Hands the engine a response that is here as a whole.
pub(crate) async fn received(
    engine: &Engine,
    ticket: &str,
    response: Body,
    hresult: &str,
    message: &str,
) -> Answer {
    let step = Box::pin(engine.receive_response(ticket, response, hresult, message));
    let Some(progress) = tried(Operation::ReceiveResponseXml, step).await else {
        return failed(engine, ticket).await;
    };
    // More than 100 is not documented.
    Answer::Progress(progress.min(100))
}

/// An answer that was not taken by a fault of ours; `getLastError` says so, if the store still can.
pub(crate) async fn failed(engine: &Engine, ticket: &str) -> Answer {
    tried(Operation::ReceiveResponseXml, engine.remember_fault(ticket, UNKNOWN)).await;
    Answer::Progress(-1)
}

/// What the engine answers, unless it fails or panics. Its futures are large, so callers box them.
pub(crate) async fn tried<T>(
    operation: Operation,
    step: impl Future<Output = Result<T, EngineError>>,
) -> Option<T> {
    match AssertUnwindSafe(step).catch_unwind().await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            error!("{} was not done: {}", operation.name(), chain(&error));
            None
        }
        Err(_) => {
            error!("{} was not done: it panicked", operation.name());
            None
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The strings of `authenticateResult`. The third and fourth are there only if they mean something: a
/// third one postpones the update even if there is work (QBWC Programmer's Guide 2.0, p. 63).
fn login(login: Login) -> Answer {
    let text = |seconds: Option<u64>| seconds.map(|it| it.to_string()).unwrap_or_default();
    Answer::Login(match login {
        Login::Work { ticket, company_file } => vec![ticket, company_file],
        Login::None { postpone: None, at_least: None } => two("none"),
        Login::None { postpone, at_least } => {
            let mut strings = two("none");
            strings.extend([text(postpone), text(at_least)]);
            strings
        }
        Login::Refused => two("nvu"),
        Login::Busy => two("busy"),
    })
}

fn two(second: &str) -> Vec<String> {
    vec![String::new(), second.to_owned()]
}

/// The Web Connector's log and status column take one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_login_has_its_strings() {
        let none = |postpone, at_least| Login::None { postpone, at_least };
        let work = Login::Work { ticket: "t".to_owned(), company_file: String::new() };
        for (answer, strings) in [
            (work, vec!["t", ""]),
            (none(None, None), vec!["", "none"]),
            (none(Some(600), None), vec!["", "none", "600", ""]),
            (none(None, Some(60)), vec!["", "none", "", "60"]),
            (none(Some(600), Some(60)), vec!["", "none", "600", "60"]),
            (Login::Refused, vec!["", "nvu"]),
            (Login::Busy, vec!["", "busy"]),
        ] {
            let strings = strings.into_iter().map(str::to_owned).collect();

            assert_eq!(login(answer), Answer::Login(strings));
        }
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = EngineError::Store(crate::store::StoreError::Io {
            what: "cannot write spool/1".to_owned(),
            source: std::io::Error::other("disk on fire"),
        });

        assert_eq!(chain(&error), "cannot write spool/1: disk on fire");
    }
}
