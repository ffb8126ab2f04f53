//! All tests above the floor of a single file, in one binary.

mod cli;
mod samples;
mod soap;
mod store;
mod tidy;
