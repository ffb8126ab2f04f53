//! The REST API from outside: HTTP alone, one file a resource.

#![expect(clippy::unwrap_used, reason = "tests")]

mod edge;
mod openapi;
