//! What runs beside the calls: the sweep, the watchdog, the pulse of the store.

use std::time::Duration;

use tracing::warn;

use crate::domain::ids::ConnectionId;
use crate::domain::ids::Revision;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::store::Commit;
use crate::store::Guard;
use crate::store::StoreError;

/// How often the store is asked whether it still writes.
const PULSE: Duration = Duration::from_secs(1);
/// How often the watchdog looks for what is stuck.
const WATCHDOG: Duration = Duration::from_mins(10);
/// The shortest time between two sweeps.
const SHORTEST_SWEEP: Duration = Duration::from_millis(250);
/// The longest time between two sweeps.
const LONGEST_SWEEP: Duration = Duration::from_mins(1);

/// Sweeps what expired, again and again; returns when the store stopped.
pub(super) async fn until_stopped(engine: Engine, session_idle: Duration) -> StoreError {
    let every = (session_idle / 4).clamp(SHORTEST_SWEEP, LONGEST_SWEEP);
    let mut sweep = tokio::time::interval(every);
    let mut pulse = tokio::time::interval(PULSE);
    let mut watchdog = tokio::time::interval(WATCHDOG);
    loop {
        let done = tokio::select! {
            _ = sweep.tick() => engine.sweep().await,
            _ = watchdog.tick() => engine.watch().await.map(drop),
            _ = pulse.tick() => still_writes(&engine).await.map_err(Into::into),
        };
        match done {
            Ok(()) => {}
            Err(EngineError::Store(error @ StoreError::Stopped(_))) => return error,
            Err(error) => warn!("the sweep will be tried again: {error}"),
        }
    }
}

/// Asks the writer for something that it must refuse: it answers without a write, if it lives.
async fn still_writes(engine: &Engine) -> Result<(), StoreError> {
    let nobody = ConnectionId::from_name("nobody");
    let never = Guard::Connection(nobody, Revision(u64::MAX));
    let pulse = Commit { guards: vec![never], changes: Vec::new() };
    match engine.store().commit(pulse).await {
        Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
