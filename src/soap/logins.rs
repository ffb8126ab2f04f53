//! How often a wrong password may be tried.
//!
//! A Web Connector may be set to call every second, so calls with a good password are not limited. Once
//! a user name has failed from an address, every further try of that pair is counted until one
//! succeeds; ten a minute are let through to the engine, and the others are answered `busy`: `nvu`
//! would tell somebody who has just typed the right password that it is wrong. The pair, and not the
//! name alone, so that a stranger cannot lock out the real one; the address is the peer's, because a
//! header can say anything. Behind a proxy all share one address, and the limit is by name.

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::PoisonError;

use governor::DefaultKeyedRateLimiter;
use governor::Quota;
use governor::RateLimiter;

use crate::domain::ids::Digest;

const TRIES_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
/// More names than this are forgotten all at once: remembering costs memory.
const MOST_REMEMBERED: usize = 10_000;

/// A user name and an address, of any length, in 32 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Who([u8; 32]);

impl Who {
    pub(crate) fn new(username: &str, peer: Option<IpAddr>) -> Self {
        Self(Digest::of(format!("{peer:?} {username}").as_bytes()).0)
    }
}

/// Who failed, and how often since.
#[derive(Debug)]
pub(crate) struct Logins {
    failed: Mutex<HashSet<Who>>,
    tries: DefaultKeyedRateLimiter<Who>,
}

impl Default for Logins {
    fn default() -> Self {
        let tries = RateLimiter::keyed(Quota::per_minute(TRIES_A_MINUTE));
        Self { failed: Mutex::default(), tries }
    }
}

impl Logins {
    /// Whether a try may go to the engine.
    pub(crate) fn allows(&self, who: &Who) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).contains(who);
        !failed || self.tries.check_key(who).is_ok()
    }

    /// Remembers a wrong password.
    pub(crate) fn failed(&self, who: Who) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= MOST_REMEMBERED {
            failed.clear();
            self.tries.retain_recent();
        }
        failed.insert(who);
    }

    /// Forgets the wrong ones.
    pub(crate) fn succeeded(&self, who: &Who) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_logins_are_never_counted() {
        let logins = Logins::default();
        let who = Who::new("acme", None);

        for _ in 0..1000 {
            assert!(logins.allows(&who));
            logins.succeeded(&who);
        }
    }

    #[test]
    fn after_ten_more_failures_the_pair_waits_and_no_other_does() {
        let logins = Logins::default();
        let who = Who::new("acme", Some([10, 0, 0, 1].into()));
        let elsewhere = Who::new("acme", Some([10, 0, 0, 2].into()));

        let mut allowed = 0;
        while logins.allows(&who) && allowed < 100 {
            logins.failed(who);
            allowed += 1;
        }

        assert_eq!(allowed, 11);
        assert!(logins.allows(&elsewhere));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let logins = Logins::default();
        for number in 0..=MOST_REMEMBERED {
            logins.failed(Who::new(&number.to_string(), None));
        }

        assert!(logins.failed.lock().unwrap().len() <= MOST_REMEMBERED);
    }
}
