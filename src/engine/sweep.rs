//! What time alone brings about: sessions that fell silent, records that wait for nothing.

use tracing::info;

use crate::domain::connection::Connection;
use crate::domain::record::Status;
use crate::domain::session::Stage;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::until_settled;
use crate::engine::work::Work;
use crate::store::RecordFilter;

/// Blocked records looked at in one go.
const PAGE: usize = 200;

impl Engine {
    /// Ends sessions that fell silent, so that what they held is shown as in doubt. Call it every
    /// now and then; it changes nothing that is well.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn sweep(&self) -> Result<(), EngineError> {
        let mut swept = Ok(());
        for connection in self.store.connections().await? {
            // What is wrong with one connection is not the others'.
            swept = swept.and(until_settled!(self.end_silent(&connection)));
        }
        swept
    }

    async fn end_silent(&self, connection: &Connection) -> Result<(), EngineError> {
        let state = self.state(&connection.id).await?;
        let Some(living) = state.living else { return Ok(()) };
        let Some(session) = self.store.session(living).await? else { return Ok(()) };
        let silent = self.now().duration_since(session.last_call_at);
        let quiet = silent >= self.settings.session_idle && !self.arriving.has(&session.ticket);
        if session.machine.stage == Stage::Ended || !quiet {
            return Ok(());
        }
        info!("session {} of {} fell silent", session.id, connection.id);
        let mut work = Work::new(self, connection.clone(), state);
        work.supersede(session).await?;
        work.commit().await
    }

    /// Wakes records that wait although nothing holds them: the process ended between a parent's
    /// answer and their wake-up. Call it once after the store was opened.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn resume_work(&self) -> Result<(), EngineError> {
        let blocked = RecordFilter { status: Some(Status::Blocked), ..RecordFilter::default() };
        for connection in self.store.connections().await? {
            let mut cursor = None;
            loop {
                let page =
                    self.store.records(&connection.id, &blocked, cursor.as_deref(), PAGE).await?;
                for record in page.items {
                    for parent in &record.blocked_by {
                        self.wake(parent).await?;
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }
}
