//! A session whose queue is settled by what its last answer told.

use super::callbacks::Loaded;
use crate::domain::session::Stage;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::work::Work;

/// So few that wait are looked at ahead of the question for them.
const LITTLE: usize = 25;

impl Engine {
    /// Whether the next `sendRequestXML` would be handed nothing: what this answer told may settle
    /// the little that still waits. A session that ends at that question looks like an error to the
    /// Web Connector; so that little is settled here, and the session is done.
    pub(crate) async fn is_drained(&self, ticket: &str) -> Result<bool, EngineError> {
        let Some(Loaded { mut session, connection, state }) = self.load(ticket).await? else {
            return Ok(false);
        };
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
        Ok(work.wake().await? == 0)
    }
}
