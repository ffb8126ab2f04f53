//! Every file of `qbxml-samples/` is read, and says what its page says.

mod answers;
mod demo;
mod documents;

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// The folder of the samples.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("qbxml-samples")
}

/// The bytes of each document of a folder in it, with its path from there, in order of name.
fn documents(within: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder().join(within))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| {
            (format!("{within}/{name}"), fs::read(folder().join(within).join(name)).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_page_of_the_samples_names_every_document_and_no_other() {
    let page = fs::read_to_string(folder().join("README.md")).unwrap();
    let mut named: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.contains('/') && !name.contains('*'))
        .collect();
    named.sort();

    let there: Vec<_> = [documents("requests"), documents("responses")]
        .concat()
        .into_iter()
        .map(|it| it.0)
        .collect();

    assert_eq!(named, there);
}
