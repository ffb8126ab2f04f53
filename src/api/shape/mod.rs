//! What stands in answers: the field's values as JSON, named as the contract names them.

mod connection;
mod diagnosis;
mod record;
mod request;
mod session;

pub(super) use crate::api::shape::connection::Connection;
pub(super) use crate::api::shape::connection::Health;
pub(super) use crate::api::shape::connection::counts;
pub(super) use crate::api::shape::diagnosis::Diagnosis;
pub(super) use crate::api::shape::diagnosis::Entry;
pub(super) use crate::api::shape::diagnosis::Finding;
pub(super) use crate::api::shape::diagnosis::Fix;
pub(super) use crate::api::shape::diagnosis::Meaning;
pub(super) use crate::api::shape::diagnosis::Quickbooks;
pub(super) use crate::api::shape::record::Attempt;
pub(super) use crate::api::shape::record::Cause;
pub(super) use crate::api::shape::record::Record;
pub(super) use crate::api::shape::record::Waits;
pub(super) use crate::api::shape::request::Request;
pub(super) use crate::api::shape::session::Activity;
pub(super) use crate::api::shape::session::Key;
pub(super) use crate::api::shape::session::Session;
pub(super) use crate::api::shape::session::SessionWithCalls;
