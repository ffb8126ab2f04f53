//! What the Web Connector calls.
//!
//! Each call loads the session and what it may need, lets [`Machine::step`] decide, and writes all
//! effects in one commit against the revision of the connection's state, so that of two calls at
//! once one is refused by the store and made again.

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use tracing::info;
use tracing::instrument;
use tracing::warn;

use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::ids::Digest;
use crate::domain::ids::Revision;
use crate::domain::ids::SessionId;
use crate::domain::message_set::Body;
use crate::domain::outcome::Said;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::domain::session::Company;
use crate::domain::session::Ending;
use crate::domain::session::Event;
use crate::domain::session::Machine;
use crate::domain::session::Reply;
use crate::domain::session::Session;
use crate::domain::session::Stage;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ambient;
use crate::engine::answer::Reading;
use crate::engine::arriving::Arriving;
use crate::engine::thrown;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::qbxml::classify;
use crate::store::Change;
use crate::store::StoreError;

/// What `authenticate` answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    /// There is work.
    Work {
        /// Names the session; 128 random bits.
        ticket: String,
        /// Path of the company file; empty: the one that is open.
        company_file: String,
    },
    /// Nothing to do, or not now.
    None {
        /// Seconds until the next try, if it should wait longer than its own interval.
        postpone: Option<u64>,
        /// The shortest interval in seconds that makes sense.
        at_least: Option<u64>,
    },
    /// The name or password is wrong.
    Refused,
    /// Another session of the connection is at work.
    Busy,
}

/// What `sendRequestXML` brings.
#[derive(Clone, Debug, Default)]
pub struct FirstCall {
    /// `strHCPResponse`: host, company and preferences; empty but in the first call of a session.
    pub hcp: String,
    /// `strCompanyFileName`.
    pub company_file: String,
    /// `qbXMLCountry`.
    pub country: String,
    /// `qbXMLMajorVers`.
    pub major: u16,
    /// `qbXMLMinorVers`.
    pub minor: u16,
}

/// `getLastError` for a ticket that nobody knows.
const EXPIRED: &str = "the session expired; it goes on at the next run";
/// `getLastError` where a person, or an alert, paused the connection.
const PAUSED: &str = "the connection is paused in Bookbridge; nothing is sent until it is resumed";
/// `getLastError` where a person has yet to confirm the company file.
const UNCONFIRMED: &str = "nothing is written until the company file is confirmed on the pairing \
                           page of Bookbridge";
/// A session that is between two calls has nothing of QuickBooks to wait for: it speaks again within
/// this time, or its last answer was lost on the way.
const BETWEEN_CALLS: SignedDuration = SignedDuration::from_mins(2);
/// Longest text of the Web Connector that is kept, in characters.
const MAX_MESSAGE: usize = 4000;
/// A paused connection is asked again after this many seconds: soon enough after a resume, and no
/// load while it lasts.
const PAUSED_SECONDS: u64 = 300;
/// The shortest interval for a connection that has nothing due, in seconds.
const PACE_SECONDS: u64 = 60;
/// A refused password is written down at most this often, so that guessing cannot fill the disk.
const LOGIN_NOTE: SignedDuration = SignedDuration::from_secs(60);

/// A session with all that a call of it needs.
pub(crate) struct Loaded {
    pub(crate) session: Session,
    pub(crate) connection: Connection,
    pub(crate) state: ConnectorState,
}

impl Loaded {
    /// Whether the session may still act for its connection.
    fn living(&self) -> bool {
        self.state.living == Some(self.session.id)
    }
}

impl Engine {
    /// `authenticate`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers `busy`.
    #[instrument(name = "authenticate", skip_all, fields(connection.name))]
    pub async fn authenticate(
        &self,
        username: &str,
        password: &SecretString,
    ) -> Result<Login, EngineError> {
        let given = Digest::of(password.expose_secret().as_bytes());
        let Some(connection) = self.store.connection_of_user(username).await? else {
            warn!("a login was refused: no connection has this user name");
            return Ok(Login::Refused);
        };
        tracing::Span::current().record("connection.name", connection.id.as_str());
        if !connection.password.matches(&given) {
            warn!("a login for {} was refused: wrong password", connection.id);
            self.remember_refusal(&connection).await?;
            return Ok(Login::Refused);
        }
        until_settled!(self.log_in(&connection))
    }

    async fn remember_refusal(&self, connection: &Connection) -> Result<(), EngineError> {
        let now = self.now();
        let mut state = self.state(&connection.id).await?;
        // One that came after a new password was shown is another story.
        let shown = connection.pairing.as_ref().and_then(|pairing| pairing.revealed_at);
        let noted = state.last_login_failed_at.filter(|at| shown.is_none_or(|shown| shown <= *at));
        if noted.is_some_and(|at| now.duration_since(at) < LOGIN_NOTE) {
            return Ok(());
        }
        state.last_login_failed_at = Some(now);
        match self.store.commit(Change::PutState(state).into()).await {
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn log_in(&self, connection: &Connection) -> Result<Login, EngineError> {
        let now = self.now();
        let mut work = Work::new(self, connection.clone(), self.state(&connection.id).await?);
        if let Some(living) = work.state.living {
            if let Some(session) = self.store.session(living).await? {
                if self.still_speaks(&session) && !planted(Plant::TwoSessions) {
                    return Ok(Login::Busy);
                }
                work.supersede(session).await?;
            }
            work.state.living = None;
        }
        work.state.last_seen_at = Some(now);
        work.state.last_login_failed_at = None;
        if connection.pause.is_some() {
            work.commit().await?;
            return Ok(Login::None {
                postpone: Some(PAUSED_SECONDS),
                at_least: Some(PACE_SECONDS),
            });
        }
        work.freshen_mirror();
        // What the session before held goes back into the queue in this very step; and who is to
        // confirm the company file wants to see which one is open.
        let due = connection.awaits_confirmation()
            || work.requeued_now() > 0
            || !self.store.ready(&connection.id, now, 1).await?.is_empty();
        if work.state.outstanding.is_none() && work.state.splits.is_empty() && !due {
            work.state.last_success_at = Some(now);
            let wanted = std::mem::take(&mut work.state.wanted);
            let next = self.store.next_due(&connection.id, now).await?;
            work.commit().await?;
            return Ok(nothing_due(connection, next.filter(|_| !wanted), now));
        }
        let ticket = format!("{:032x}", self.ambient.bits());
        let session = Session {
            id: SessionId(ambient::time_ordered(self.ambient.as_ref())),
            revision: Revision::NEW,
            connection: connection.id.clone(),
            ticket: Digest::of(ticket.as_bytes()),
            machine: Machine::opened(),
            started_at: now,
            last_call_at: now,
            ended_at: None,
            calls: 1,
            connection_errors: 0,
            accepted: 0,
            refused: 0,
            company_file: String::new(),
            last: None,
        };
        work.state.living = Some(session.id);
        work.state.wanted = false;
        work.log(&session, "authenticate", "work", 0);
        info!("session {} of {} began", session.id, connection.id);
        work.put_session(session);
        work.commit().await?;
        let company_file = connection.company_file.clone().unwrap_or_default();
        Ok(Login::Work { ticket, company_file })
    }

    /// Whether a session that is open may call again: then no other is let in.
    pub(crate) fn still_speaks(&self, session: &Session) -> bool {
        let idle = self.settings.session_idle;
        let patience = match session.machine.stage {
            Stage::Ended => return false,
            // QuickBooks is being opened, or at work.
            Stage::Opened | Stage::Waiting(_) => idle,
            Stage::Ready if session.machine.finished => return false,
            Stage::Ready => idle.min(BETWEEN_CALLS),
        };
        let silent = self.now().duration_since(session.last_call_at);
        self.arriving.has(&session.ticket) || (silent < patience && !silent.is_negative())
    }

    /// A response of a session is on its way in, until the guard is dropped: however long it
    /// takes, the session is not silent.
    pub fn arriving(&self, ticket: &str) -> Arriving {
        self.arriving.begin(Digest::of(ticket.as_bytes()))
    }

    /// A fault of ours kept a call from being done: `getLastError` says so.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn remember_fault(&self, ticket: &str, what: &str) -> Result<(), EngineError> {
        let Some(Loaded { mut session, .. }) = self.load(ticket).await? else { return Ok(()) };
        what.clone_into(&mut session.machine.last_error);
        Ok(self.store.commit(Change::PutSession(Box::new(session)).into()).await?)
    }

    pub(crate) async fn load(&self, ticket: &str) -> Result<Option<Loaded>, EngineError> {
        let digest = Digest::of(ticket.as_bytes());
        let Some(session) = self.store.session_of_ticket(&digest).await? else { return Ok(None) };
        let Some(connection) = self.store.connection(&session.connection).await? else {
            return Ok(None);
        };
        let state = self.state(&connection.id).await?;
        Ok(Some(Loaded { session, connection, state }))
    }

    /// `sendRequestXML`: the document for QuickBooks, or an empty text.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers an empty text.
    #[instrument(name = "send_request", skip_all)]
    pub async fn send_request(&self, ticket: &str, call: FirstCall) -> Result<String, EngineError> {
        until_settled!(self.hand_out(ticket, &call))
    }

    async fn hand_out(&self, ticket: &str, call: &FirstCall) -> Result<String, EngineError> {
        let Some(loaded) = self.load(ticket).await? else { return Ok(String::new()) };
        if !loaded.living() && !planted(Plant::DeadTicketSends) {
            return Ok(String::new());
        }
        let Loaded { mut session, connection, mut state } = loaded;
        if planted(Plant::DeadTicketSends) && session.machine.stage == Stage::Ended {
            session.machine.stage = Stage::Ready;
        }
        if planted(Plant::FreshBeforeDoubt) {
            state.outstanding = None;
        }
        let mut work = Work::new(self, connection, state);
        let company = if session.machine.stage == Stage::Opened {
            session.company_file.clone_from(&call.company_file);
            work.hear(call)
        } else {
            Company::Ours
        };
        let changed = company == Company::Ours
            && (Box::pin(work.give_up_what_never_ends(session.id)).await? || !work.gone.is_empty());
        if changed {
            // What is asked instead, or goes again, stands in the queue then.
            work.commit().await?;
            work.wake().await?;
            return Box::pin(self.hand_out(ticket, call)).await;
        }
        let may_send = company == Company::Ours
            && matches!(session.machine.stage, Stage::Opened | Stage::Ready)
            && work.state.outstanding.is_none()
            && work.connection.pause.is_none();
        let fresh =
            if may_send { Box::pin(self.compose(&mut work, session.id)).await? } else { None };
        let event = Event::Send {
            company,
            outstanding: work.state.outstanding.clone(),
            fresh: fresh.as_ref().map(|message_set| message_set.id.clone()),
        };
        let mut step = session.machine.clone().step(event);
        if work.connection.pause.is_some() && step.reply == Reply::Nothing {
            PAUSED.clone_into(&mut step.machine.last_error);
            step.machine.finished = false;
        } else if work.connection.awaits_confirmation() && step.machine.ending == Some(Ending::Done)
        {
            UNCONFIRMED.clone_into(&mut step.machine.last_error);
            step.machine.finished = false;
        }
        work.fresh = fresh;
        let sent = work.apply(&mut session, step, Some("sendRequestXML")).await?;
        work.commit().await?;
        // The document is durable, and goes whatever comes of those that it sets free.
        if let Err(error) = Box::pin(work.wake()).await {
            warn!("what waits is looked at later: {error}");
        }
        match sent {
            Reply::MessageSet(_) => Ok(work.bytes.take().unwrap_or_default()),
            _ => Ok(String::new()),
        }
    }

    /// `receiveResponseXML`: percent done, or a negative number. The response was spooled through
    /// [`crate::store::Store::spool`] (it is empty when `hresult` is not).
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers a negative number.
    #[instrument(name = "receive_response", skip_all)]
    pub async fn receive_response(
        &self,
        ticket: &str,
        response: Body,
        hresult: &str,
        message: &str,
    ) -> Result<i32, EngineError> {
        let Some(loaded) = self.load(ticket).await? else { return Ok(-1) };
        let said = Said {
            message: message.trim().chars().take(MAX_MESSAGE).collect(),
            hresult: Some(hresult.trim().to_owned()).filter(|text| !text.is_empty()),
            ..Said::default()
        };
        let reading = match &said.hresult {
            Some(_) => Reading::Failed(said),
            None if response.is_empty() => Reading::Nothing(said.message),
            None => self.read_response(&loaded.session, response).await?,
        };
        self.take(ticket, reading).await
    }

    /// `receiveResponseXML` whose response is longer than what is taken: a negative number, or how
    /// far the session is where nothing was lost by it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers a negative number.
    pub async fn response_too_long(&self, ticket: &str, limit: u64) -> Result<i32, EngineError> {
        self.take(ticket, Reading::TooLong(limit)).await
    }

    async fn take(&self, ticket: &str, reading: Reading) -> Result<i32, EngineError> {
        // On the heap: it is long, and every caller's future would carry it.
        let answered = until_settled!(Box::pin(self.take_response(ticket, &reading)))?;
        self.settled.notify_waiters();
        Ok(answered)
    }

    async fn take_response(&self, ticket: &str, reading: &Reading) -> Result<i32, EngineError> {
        let Some(loaded) = self.load(ticket).await? else { return Ok(-1) };
        let living = loaded.living();
        let Loaded { mut session, connection, state } = loaded;
        let mut work = Work::new(self, connection, state);
        work.received = reading.length();
        if !living || session.machine.stage == Stage::Ended {
            // The ticket is dead, but this may be the only copy of what QuickBooks did.
            Box::pin(work.take_late(&session, reading)).await?;
            work.commit().await?;
            work.wake().await?;
            return Ok(-1);
        }
        let event = Box::pin(work.read(&session, reading)).await?;
        let step = session.machine.clone().step(event);
        let reply = work.apply(&mut session, step, Some("receiveResponseXML")).await?;
        work.commit().await?;
        let woken = work.wake().await?;
        let percent = match reply {
            Reply::Percent(100) if woken > 0 => 99,
            Reply::Percent(percent) => i32::from(percent),
            _ => return Ok(-1),
        };
        // The answer is settled: what goes wrong from here on must not have it taken again.
        let is_done = percent < 100
            && until_settled!(self.settle_rest(ticket)).unwrap_or_else(|error| {
                tracing::warn!("the rest of the queue is looked at later: {error}");
                false
            });
        Ok(if is_done { 100 } else { percent })
    }

    /// `connectionError`: `done`, or the company file to try instead.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers `done`.
    #[instrument(name = "connection_error", skip_all)]
    pub async fn connection_error(
        &self,
        ticket: &str,
        hresult: &str,
        message: &str,
    ) -> Result<String, EngineError> {
        let said = Said {
            message: message.trim().chars().take(MAX_MESSAGE).collect(),
            hresult: Some(hresult.trim().to_owned()),
            ..Said::default()
        };
        let finding = classify::hresult(&said);
        let line = one_line(&thrown::line(&finding));
        until_settled!(self.end(ticket, "connectionError", || Event::Trouble(
            Box::new(finding.clone()),
            line.clone()
        )))?;
        Ok("done".to_owned())
    }

    /// `getLastError`: one plain line.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone.
    pub async fn last_error(&self, ticket: &str) -> Result<String, EngineError> {
        let loaded = self.load(ticket).await?;
        Ok(loaded.map_or_else(|| EXPIRED.to_owned(), |it| one_line(&it.session.machine.last_error)))
    }

    /// `closeConnection`: the line that the Web Connector shows.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers `OK`.
    #[instrument(name = "close_connection", skip_all)]
    pub async fn close_connection(&self, ticket: &str) -> Result<String, EngineError> {
        let session = until_settled!(self.end(ticket, "closeConnection", || Event::Close))?;
        Ok(match session {
            Some(session) if session.refused > 0 => {
                format!("OK; {} refused by QuickBooks, see Bookbridge", session.refused)
            }
            _ => "OK".to_owned(),
        })
    }

    async fn end(
        &self,
        ticket: &str,
        operation: &str,
        event: impl Fn() -> Event,
    ) -> Result<Option<Session>, EngineError> {
        let Some(loaded) = self.load(ticket).await? else { return Ok(None) };
        if !loaded.living() {
            return Ok(Some(loaded.session));
        }
        let Loaded { mut session, connection, state } = loaded;
        let mut work = Work::new(self, connection, state);
        let step = session.machine.clone().step(event());
        work.apply(&mut session, step, Some(operation)).await?;
        work.commit().await?;
        Ok(Some(session))
    }
}

/// Tells the Web Connector when it is worth coming back: when the next try is due, but never later
/// than its own interval, so that what is pushed meanwhile does not wait longer.
fn nothing_due(
    connection: &Connection,
    next: Option<jiff::Timestamp>,
    now: jiff::Timestamp,
) -> Login {
    let interval = u64::from(connection.every_minutes) * 60;
    let postpone = next.map(|due| {
        let seconds = due.duration_since(now).as_secs().max(1).unsigned_abs();
        seconds.min(interval.max(1))
    });
    let at_least = postpone.map(|_| PACE_SECONDS.min(interval));
    Login::None { postpone, at_least }
}

/// The Web Connector's log and status column take one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
