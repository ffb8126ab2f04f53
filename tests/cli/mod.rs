//! The real program, from outside: arguments, exit codes, stdout.

mod export;
pub(crate) mod house;
mod logging;
mod main_path;
mod rows;
mod server;
mod settings;
mod stand_in;
mod usage;
mod way;
