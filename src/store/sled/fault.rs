//! Where a test may let the process die: between any two writes.

use std::fmt::Debug;

/// What happens to a transaction.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The store stops before it is written: nothing of it is there after reopening.
    Before,
    /// The store stops when it is durable, before it is acknowledged.
    After,
}

/// Decides, by the number of the transaction: it grows by one, and goes on after reopening.
#[doc(hidden)]
pub trait Faults: Debug + Send + Sync {
    /// What happens to this transaction.
    fn at(&self, commit: u64) -> Fault;
}
