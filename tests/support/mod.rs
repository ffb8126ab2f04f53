//! What several floors' tests stand on.

#![expect(clippy::unwrap_used, reason = "tests")]

pub(crate) mod app;
