//! The language of QuickBooks, held against what is published of it.

mod build;
mod documents;
mod messages;
mod properties;
mod table;

use std::path::PathBuf;

/// A folder that a variable names, if it has the file; says so if it has not.
fn folder(variable: &str, file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    let found = folder.filter(|folder| folder.join(file).exists());
    if found.is_none() {
        eprintln!("skipped: {variable} names no folder with {file}");
    }
    found
}
