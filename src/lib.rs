//! Bookbridge: the endpoint that the QuickBooks Web Connector polls, and the durable queue behind it.

pub mod domain;
pub mod engine;
pub mod qwc;
pub mod soap;
pub mod store;
