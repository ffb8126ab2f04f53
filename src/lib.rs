//! Bookbridge: the endpoint that the QuickBooks Web Connector polls, and the durable queue behind it.

pub mod api;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod diagnosis;
pub mod domain;
pub mod engine;
pub mod qbxml;
pub mod qwc;
pub mod server;
pub mod simulator;
pub mod soap;
pub mod store;
pub mod telemetry;
