//! Versions and editions of qbXML.
