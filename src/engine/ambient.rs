//! The clock and randomness, read here and nowhere else, so that a simulation can hold both.

use jiff::Timestamp;
use uuid::Uuid;

/// What the engine takes from the world besides the store.
pub trait Ambient: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;
    /// 128 bits that nobody can guess.
    fn bits(&self) -> u128;
}

/// An identifier ordered by time: milliseconds first, then random bits.
pub fn time_ordered(ambient: &dyn Ambient) -> Uuid {
    let milliseconds = u64::try_from(ambient.now().as_millisecond()).unwrap_or(0);
    let random = ambient.bits().to_be_bytes();
    let mut tail = [0; 10];
    tail.copy_from_slice(&random[..10]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid()
}

/// The real clock and the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Ambient for System {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// # Panics
    ///
    /// If the operating system has no randomness: going on would make tickets guessable.
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        u128::from_be_bytes(bytes)
    }
}
