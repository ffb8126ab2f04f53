//! How often a wrong password is heard.
//!
//! The password has 128 random bits and is compared as a hash, so guessing is hopeless and a good
//! login costs next to nothing: it is never limited, and no stranger can lock out the real Web
//! Connector, not even behind a proxy, where all share one address. Of refused ones ten a minute
//! are answered `nvu` for a user name and address; the others hear `busy`, and leave no trace in
//! the log.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use governor::DefaultKeyedRateLimiter;
use governor::Quota;
use governor::RateLimiter;

use crate::domain::ids::Digest;

const TRIES_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
/// After so many new names, those that are at rest are forgotten: remembering costs memory.
const SWEEP_EVERY: u32 = 1_000;

/// A user name and an address, of any length, in 32 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Who([u8; 32]);

impl Who {
    pub(crate) fn new(username: &str, peer: Option<IpAddr>) -> Self {
        Self(Digest::of(format!("{peer:?} {username}").as_bytes()).0)
    }
}

/// Refused logins.
#[derive(Debug)]
pub(crate) struct Logins {
    refused: DefaultKeyedRateLimiter<Who>,
    since_sweep: AtomicU32,
}

impl Default for Logins {
    fn default() -> Self {
        let refused = RateLimiter::keyed(Quota::per_minute(TRIES_A_MINUTE));
        Self { refused, since_sweep: AtomicU32::new(0) }
    }
}

impl Logins {
    /// Counts a refused login; whether it may hear that it was refused.
    pub(crate) fn may_hear(&self, who: Who) -> bool {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) >= SWEEP_EVERY {
            self.since_sweep.store(0, Ordering::Relaxed);
            self.refused.retain_recent();
            self.refused.shrink_to_fit();
        }
        self.refused.check_key(&who).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_refusals_are_heard_and_those_of_others_too() {
        let logins = Logins::default();
        let who = Who::new("acme", Some([10, 0, 0, 1].into()));
        let elsewhere = Who::new("acme", Some([10, 0, 0, 2].into()));

        let heard = (0..100).filter(|_| logins.may_hear(who)).count();

        assert_eq!(heard, 10);
        assert!(logins.may_hear(elsewhere));
    }
}
