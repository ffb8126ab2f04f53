//! The real program, from outside: arguments, exit codes, stdout.

mod demo;
mod export;
pub(crate) mod house;
mod logging;
mod main_path;
mod output;
mod rows;
mod server;
mod settings;
mod simulate;
mod stand_in;
mod usage;
mod way;
