//! JSON data and table to ordered, escaped qbXML.
