//! All tests above the floor of a single file, in one binary.

#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod cli;
mod diagnosis;
mod engine;
mod model;
mod power;
mod problems;
mod qbxml;
mod samples;
mod simulation;
mod simulator;
mod soap;
mod store;
mod support;
mod tidy;
mod whole;
