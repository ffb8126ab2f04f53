//! A clock that is moved by hand, and randomness that comes back with its seed.

use std::sync::Mutex;

use bookbridge::engine::ambient::Ambient;
use jiff::SignedDuration;
use jiff::Timestamp;

/// `SplitMix64`: small, quick, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, but not including, `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }

    /// True once in `n`.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What the engine takes from the world.
pub(crate) struct Hands {
    state: Mutex<(Timestamp, Dice)>,
}

impl Hands {
    pub(crate) fn new(seed: u64) -> Self {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        Self { state: Mutex::new((start, Dice::new(seed))) }
    }

    /// Moves the clock; backwards too.
    pub(crate) fn pass(&self, seconds: i64) {
        let mut state = self.state.lock().unwrap();
        state.0 += SignedDuration::from_secs(seconds);
    }
}

impl Ambient for Hands {
    fn now(&self) -> Timestamp {
        self.state.lock().unwrap().0
    }

    fn bits(&self) -> u128 {
        let mut state = self.state.lock().unwrap();
        (u128::from(state.1.next()) << 64) | u128::from(state.1.next())
    }
}
