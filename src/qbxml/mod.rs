//! The language of QuickBooks: what a message set is made of, and what may stand in it.
//!
//! Read in this order: [`version`], `scalar` and `text` are the words, [`schema`] is the grammar as
//! data, [`check`] and [`build`] apply it to what an application pushed, [`request`] writes a
//! message set. [`raw`] takes requests that an application wrote itself; [`layout`] shows a document
//! to people.

pub mod build;
pub mod check;
pub mod classify;
mod decode;
pub mod host;
pub mod json_schema;
pub mod layout;
pub mod lists;
pub mod raw;
pub mod request;
pub mod response;
mod scalar;
pub mod schema;
pub mod text;
pub mod version;
mod write;
