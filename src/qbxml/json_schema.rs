//! JSON Schema of what an application may push.
