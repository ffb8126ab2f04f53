//! The real program, from outside: arguments, exit codes, stdout.

mod house;
mod settings;
mod usage;
