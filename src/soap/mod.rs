//! What the QuickBooks Web Connector speaks: SOAP 1.1 over HTTP.
//!
//! Lenient in, exact out. A call passes the [`guard`], becomes a [`contract`] type, goes to the engine
//! once, and its answer is written byte for byte as Intuit's own service writes it. Only an envelope
//! that cannot be read or an operation that does not exist is a fault: a fault in mid-session ends the
//! session without `getLastError`, so everything else is said in the protocol's own words.
//!
//! | file | is |
//! |---|---|
//! | `handler` | routes; a request in, a response out |
//! | `receive` | `receiveResponseXML`, as a stream in constant memory |
//! | `answer` | a call to the engine, and what is said if that fails |
//! | `contract` `envelope` | the calls and answers as types; the answers as bytes |
//! | `guard` `source` `unescape` | the bytes of a request, within limits |
//! | `logins` | how often a wrong password may be tried |
//! | `wsdl` | for toolkits; the Web Connector never asks |
//!
//! Nothing here knows of sessions, records, or the store's layout. No password, ticket or XML body is
//! ever logged. Held by `tests/soap`, which speaks HTTP alone.

mod answer;
mod body;
mod contract;
mod envelope;
mod guard;
mod handler;
mod logins;
mod receive;
mod source;
mod unescape;
mod wsdl;

use std::time::Duration;

pub use crate::soap::handler::routes;
pub use crate::soap::receive::Gates;

/// What an operator may set, and what all workers share.
#[derive(Debug)]
pub struct SoapSettings {
    /// `https://host` under which clients reach us; `None`: as each request says.
    pub public_url: Option<String>,
    /// The longest response of QuickBooks that is kept, in bytes.
    pub max_response_bytes: u64,
    /// How long a request may pause before the rest of it is not waited for.
    pub body_idle: Duration,
    /// How many responses are read at once; leave it at its default.
    pub gates: Gates,
}

impl Default for SoapSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            max_response_bytes: 512 << 20,
            body_idle: Duration::from_secs(30),
            gates: Gates::default(),
        }
    }
}
