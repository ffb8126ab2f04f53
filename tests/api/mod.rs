//! The REST API from outside: HTTP alone, one file a resource.

mod edge;
mod openapi;
