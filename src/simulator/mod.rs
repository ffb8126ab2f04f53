//! A Web Connector and a QuickBooks Desktop to try things against, and to witness what came of them.
//!
//! Read in this order: [`quickbooks`] is the company file and what answers qbXML, [`web_connector`]
//! is the client that polls a server, [`fault`] is what goes wrong on order.
//!
//! Uses no other module of the crate: an oracle that shares code with what it judges shares its
//! mistakes.

pub mod fault;
pub mod quickbooks;
pub mod web_connector;

pub use fault::Fault;
pub use quickbooks::QuickBooks;
pub use quickbooks::Setup;
pub use web_connector::Ended;
pub use web_connector::Endpoint;
pub use web_connector::Report;
pub use web_connector::WebConnector;
pub use web_connector::qwc::Qwc;
