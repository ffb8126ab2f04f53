//! The REST API from outside: HTTP alone, one file a resource.

mod auth;
mod bulk;
mod connections;
mod decide;
mod edge;
mod hostile;
mod keys;
mod lists;
mod openapi;
mod operation;
mod records;
mod reference;
mod requests;
