//! The Web Connector's floor, over real HTTP: bytes in, bytes out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod connector;
mod http;
mod large;
pub(crate) mod out_of_order;
mod toolkit;
