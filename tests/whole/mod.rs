//! The program as a whole: its own processes, real HTTP, and QuickBooks' books as the witness.

mod disk;
mod export;
mod kill;
mod many;
mod stage;
