//! What several floors' tests stand on.

pub(crate) mod app;
pub(crate) mod hands;
pub(crate) mod office;
