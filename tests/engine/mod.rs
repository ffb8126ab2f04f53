//! The engine with a QuickBooks that answers as it is told: each test is a story of a few calls.

mod bench;
mod conflicts;
mod decisions;
mod knowledge;
mod lost;
mod mended;
mod misled;
mod numbers;
mod offered;
mod paid;
mod pairing;
mod questions;
mod queue;
mod recovery;
mod taken_back;
mod thrown;
mod twice;
mod unknown;
mod watchdog;
