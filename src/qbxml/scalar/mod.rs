//! Exact formats of single values.
