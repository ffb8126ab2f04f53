//! The sample requests and answers: well formed, in order, valid.

use std::path::PathBuf;
use std::process::Command;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::documents;
use super::folder;

/// Names of the elements at this depth, the root being 1; fails if it is not well formed.
fn names_at(depth: usize, name: &str, document: &[u8]) -> Vec<String> {
    // Both encodings are read as characters here; that the product does it too is tested there.
    let text: String = match std::str::from_utf8(document) {
        Ok(text) => text.to_owned(),
        Err(_) => document.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut reader = Reader::from_str(&text);
    let mut names = Vec::new();
    let mut open = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}")) {
            Event::Start(start) => {
                open += 1;
                if open == depth {
                    names.push(start.name().as_ref().to_owned());
                }
            }
            Event::Empty(start) if open + 1 == depth => {
                names.push(start.name().as_ref().to_owned());
            }
            Event::End(_) => open -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, 0, "{name}");
    names
}

#[test]
fn a_request_is_a_whole_message_set() {
    for (name, document) in documents("requests") {
        let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?qbxml version=\"13.0\"?>\n";
        assert!(document.starts_with(head.as_bytes()), "{name}");
        assert!(document.is_ascii(), "{name}");
        assert_eq!(names_at(2, &name, &document), ["QBXMLMsgsRq"], "{name}");
        for request in names_at(3, &name, &document) {
            assert!(request.ends_with("Rq"), "{name}: {request}");
        }
    }
}

#[test]
fn an_answer_is_a_whole_document() {
    for (name, document) in documents("responses") {
        assert!(document.starts_with(b"<?xml version=\"1.0\" "), "{name}");
        assert_eq!(names_at(2, &name, &document), ["QBXMLMsgsRs"], "{name}");
        for answer in names_at(3, &name, &document) {
            assert!(answer.ends_with("Rs"), "{name}: {answer}");
        }
    }
}

/// Intuit's schema, if `QBXML_SCHEMA_DIR` names a folder that has it, and xmllint is there.
fn schema() -> Option<PathBuf> {
    let folder = std::env::var_os("QBXML_SCHEMA_DIR").map(PathBuf::from);
    let schema = folder.map(|folder| folder.join("qbxmlops130.xsd")).filter(|file| file.exists());
    if schema.is_none() {
        eprintln!("skipped: QBXML_SCHEMA_DIR names no folder with qbxmlops130.xsd");
    } else if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: no xmllint (apt-get install libxml2-utils)");
        return None;
    }
    schema
}

#[test]
fn every_document_is_valid_by_the_schema_of_intuit() {
    let Some(schema) = schema() else { return };
    let names = [documents("requests"), documents("responses")].concat();

    let ran = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .arg(schema)
        .arg(folder().join("demo.company.xml"))
        .args(names.iter().map(|(name, _)| folder().join(name)))
        .output()
        .unwrap();

    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
