//! Values and pure functions of the field: no I/O, no clock, no randomness, no async.

pub mod outcome;
