//! Callers that write the same records take turns.
//!
//! The store refuses a step that raced with another, and the step is made again; that alone is
//! right, but of fifty callers with one record the last would be refused forty-nine times. A turn is
//! no lock of the data: sessions do not wait for it, and nothing depends on it but how often a step
//! is made again.

use std::collections::BTreeSet;
use std::hash::DefaultHasher;
use std::hash::Hash as _;
use std::hash::Hasher as _;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::sync::MutexGuard;

use crate::domain::ids::RecordKey;

/// Records share a lane by chance; more lanes than callers that write at once are enough.
const LANES: usize = 64;

/// Lanes, shared by all who call.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<[Mutex<()>; LANES]>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::default())))
    }
}

impl Turns {
    /// Waits until no other caller writes one of these records. Lanes are taken in one order, so
    /// that two callers never wait for each other.
    pub(crate) async fn take<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a RecordKey>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let lanes: BTreeSet<usize> = keys.into_iter().map(lane).collect();
        let mut taken = Vec::with_capacity(lanes.len());
        for lane in lanes {
            taken.push(self.0[lane].lock().await);
        }
        taken
    }
}

fn lane(key: &RecordKey) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default()
}
