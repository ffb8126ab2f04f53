//! The rest of a queue that the last answer of a session settles.

use super::callbacks::Loaded;
use crate::domain::session::Session;
use crate::domain::session::Stage;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::work::Work;
use crate::store::Change;
use crate::store::StoreError;

/// So few that wait are looked at ahead of the question for them.
const LITTLE: usize = 25;

impl Engine {
    /// Settles the little that still waits, if what the last answer told is enough for it; true if
    /// the session is done by that. Else the next `sendRequestXML` would be handed nothing, which
    /// looks like an error to the Web Connector.
    pub(crate) async fn settle_rest(&self, ticket: &str) -> Result<bool, EngineError> {
        let Some(Loaded { mut session, connection, state }) = self.load(ticket).await? else {
            return Ok(false);
        };
        if session.machine.finished {
            self.comes_again(session).await?;
            return Ok(false);
        }
        let ready = self.store.ready(&connection.id, self.now(), LITTLE + 1).await?.len();
        let asks = session.machine.stage == Stage::Ready && state.outstanding.is_none();
        if ready > LITTLE || !asks || connection.pause.is_some() {
            return Ok(false);
        }
        let mut work = Work::new(self, connection, state);
        if self.compose(&mut work, session.id).await?.is_some() {
            return Ok(false);
        }
        session.machine.finished = true;
        work.put_session(session);
        work.commit().await?;
        let is_done = work.wake().await? == 0;
        if !is_done && let Some(Loaded { session, .. }) = self.load(ticket).await? {
            self.comes_again(session).await?;
        }
        Ok(is_done)
    }

    /// What a session settled set others free: it is asked to come again, and is waited for.
    async fn comes_again(&self, mut session: Session) -> Result<(), EngineError> {
        session.machine.finished = false;
        match self.store.commit(Change::PutSession(Box::new(session)).into()).await {
            // Another call of the session came between: it knows better.
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
