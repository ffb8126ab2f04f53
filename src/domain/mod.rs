//! Values and pure functions of the field: no I/O, no clock, no randomness, no async.

pub mod activity;
pub mod backoff;
pub mod connection;
pub mod ids;
pub mod message_set;
pub mod mirror;
pub mod outcome;
pub mod plant;
pub mod record;
pub mod request;
pub mod session;
pub mod user;
