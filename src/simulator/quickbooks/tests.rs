//! The whole of it, from document to document.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::Lock;
use super::Node;
use super::QuickBooks;
use super::Refused;
use super::Setup;
use super::grammar::REQUESTS;
use super::grammar::Version;
use super::xml;

mod changes;
mod demo;
mod hierarchy;
mod message_sets;
mod money;
mod queries;
mod saving;
mod shop;

/// 2026-02-20, about noon in California.
pub(super) const NOW: i64 = 1_771_617_600;

/// A company file in memory, with what the demo finds there.
pub(super) struct Company {
    pub(super) quickbooks: QuickBooks,
    pub(super) now: i64,
}

/// One answer.
pub(super) struct Said(pub(super) Node);

impl Company {
    pub(super) fn new() -> Self {
        Self { quickbooks: QuickBooks::open(None, &Setup::default(), NOW).unwrap(), now: NOW }
    }

    /// Carries out some requests, without recovery; a second passes.
    pub(super) fn ask(&mut self, requests: &str) -> Vec<Said> {
        self.now += 1;
        let response = self.quickbooks.process(&document(requests), self.now).unwrap();
        answers(&response)
    }

    /// Carries out one request.
    pub(super) fn one(&mut self, request: &str) -> Said {
        let mut said = self.ask(request);
        assert_eq!(said.len(), 1);
        said.remove(0)
    }

    /// Carries out one request that succeeds; answers its id.
    pub(super) fn id(&mut self, request: &str) -> String {
        let said = self.one(request);
        assert_eq!(said.code(), 0, "{request}\n{}", said.0.to_text());
        said.id()
    }
}

impl Said {
    pub(super) fn code(&self) -> u32 {
        self.0.attribute("statusCode").unwrap().parse().unwrap()
    }

    pub(super) fn message(&self) -> &str {
        self.0.attribute("statusMessage").unwrap()
    }

    /// The first object in it.
    pub(super) fn ret(&self) -> &Node {
        &self.0.children[0]
    }

    pub(super) fn id(&self) -> String {
        format!("{}{}", self.ret().get("ListID"), self.ret().get("TxnID"))
    }

    pub(super) fn at(&self, path: &str) -> &str {
        self.ret().at(path)
    }
}

/// The answers in a response document.
pub(super) fn answers(response: &str) -> Vec<Said> {
    let document = xml::read(response).unwrap();
    document.root.children[0].children.iter().cloned().map(Said).collect()
}

/// A request document around some requests.
pub(super) fn document(requests: &str) -> String {
    with_attributes("onError=\"continueOnError\"", requests)
}

pub(super) fn with_attributes(attributes: &str, requests: &str) -> String {
    let mut ascii = String::new();
    for character in requests.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            write!(ascii, "&#{};", u32::from(character)).unwrap();
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?qbxml version=\"13.0\"?>\n<QBXML>\
         <QBXMLMsgsRq {attributes}>{ascii}</QBXMLMsgsRq></QBXML>"
    )
}

/// A file of `qbxml-samples`.
pub(super) fn sample(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("qbxml-samples");
    fs::read_to_string(root.join(name)).unwrap()
}
