//! How much room there is.

use std::path::Path;

/// Whether less than the reserve is free. sled cannot even be opened on a full disk, so new records
/// are refused while there is still room for the sessions that drain the queue.
#[cfg(unix)]
pub(super) fn is_full(dir: &Path, reserve: u64) -> bool {
    match rustix::fs::statvfs(dir) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize) < reserve,
        Err(error) => {
            tracing::warn!("cannot see how much of the disk is free: {error}");
            false
        }
    }
}

/// Not known here.
#[cfg(not(unix))]
pub(super) fn is_full(_dir: &Path, _reserve: u64) -> bool {
    false
}
