//! The Web Connector's floor, over real HTTP: bytes in, bytes out.

mod connector;
pub(crate) mod http;
mod large;
pub(crate) mod out_of_order;
mod session;
mod toolkit;
