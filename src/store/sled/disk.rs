//! How much room there is.

use std::path::PathBuf;

/// A directory, and how much must stay free beside it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) dir: PathBuf,
    /// In bytes.
    pub(super) reserve: u64,
}

impl Room {
    /// Whether less than the reserve is free. sled cannot even be opened on a full disk, so new
    /// records are refused while there is still room for the sessions that drain the queue.
    #[cfg(unix)]
    pub(super) fn is_short(&self) -> bool {
        match rustix::fs::statvfs(&self.dir) {
            Ok(about) => about.f_bavail.saturating_mul(about.f_frsize) < self.reserve,
            Err(error) => {
                tracing::warn!("cannot see how much of the disk is free: {error}");
                false
            }
        }
    }

    /// Not known here.
    #[cfg(not(unix))]
    pub(super) fn is_short(&self) -> bool {
        false
    }
}
