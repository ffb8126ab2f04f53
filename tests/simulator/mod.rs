//! The simulator: by itself, and against the real endpoint over real HTTP.

mod books;
mod fixes;
mod recovery;
mod sessions;
