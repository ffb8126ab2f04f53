//! The simulator: by itself, and against the real endpoint over real HTTP.

mod books;
mod office;
mod recovery;
mod sessions;
