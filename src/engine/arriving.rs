//! Sessions whose response is on its way in: a large one on a slow line takes longer than a session
//! may be silent. In memory alone: after a restart nothing is on its way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::domain::ids::Digest;

type Counts = BTreeMap<[u8; 32], u32>;

/// Who is sending, shared by all who call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Counts>>);

/// One response on its way in.
#[derive(Debug)]
pub struct Arriving {
    all: Arrivals,
    ticket: Digest,
}

impl Arrivals {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, ticket: Digest) -> Arriving {
        *self.counts().entry(ticket.0).or_default() += 1;
        Arriving { all: self.clone(), ticket }
    }

    pub(crate) fn has(&self, ticket: &Digest) -> bool {
        self.counts().contains_key(&ticket.0)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        if let Some(count) = counts.get_mut(&self.ticket.0) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ticket.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_sends_until_its_last_response_is_here() {
        let arrivals = Arrivals::default();
        let ticket = Digest::of(b"a ticket");

        let first = arrivals.begin(ticket);
        let second = arrivals.begin(ticket);
        drop(first);
        assert!(arrivals.has(&ticket));
        drop(second);

        assert!(!arrivals.has(&ticket));
    }
}
