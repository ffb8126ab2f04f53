//! Every request and response type as data.
