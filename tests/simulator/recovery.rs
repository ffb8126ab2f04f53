//! Error recovery of the simulated QuickBooks, by the truth table of the SDK.

use bookbridge::simulator::QuickBooks;
use bookbridge::simulator::Setup;

fn document(ids: &str, name: &str) -> String {
    let add = if name.is_empty() {
        String::new()
    } else {
        format!(
            "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>{name}</Name></CustomerAdd></CustomerAddRq>"
        )
    };
    format!(
        "<?xml version=\"1.0\"?><?qbxml version=\"13.0\"?><QBXML><QBXMLMsgsRq onError=\"continueOnError\"{ids}>\
         {add}</QBXMLMsgsRq></QBXML>"
    )
}

struct Desk(QuickBooks);

impl Desk {
    fn new() -> Self {
        Self(QuickBooks::open(None, &Setup::default(), 1_764_000_000).unwrap())
    }

    fn send(&mut self, ids: &str, name: &str) -> String {
        self.0.process(&document(ids, name), 1_764_000_001).unwrap()
    }

    fn customers(&self) -> usize {
        self.0.books().of_kind("Customer").count()
    }
}

fn code(response: &str) -> &str {
    let rest = response.split("messageSetStatusCode=\"").nth(1);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or("none")
}

#[test]
fn the_same_message_set_is_executed_once() {
    let mut desk = Desk::new();

    let first = desk.send(" newMessageSetID=\"x\"", "A");
    let again = desk.send(" newMessageSetID=\"x\"", "A");

    assert_eq!(code(&first), "0");
    assert_eq!(first, again);
    assert_eq!(desk.customers(), 1);
}

#[test]
fn other_bytes_under_the_same_id_are_refused() {
    let mut desk = Desk::new();
    desk.send(" newMessageSetID=\"x\"", "A");

    assert_eq!(code(&desk.send(" newMessageSetID=\"x\"", "B")), "9001");
    assert_eq!(desk.customers(), 1);
}

#[test]
fn the_next_one_acknowledges_the_last() {
    let mut desk = Desk::new();
    desk.send(" newMessageSetID=\"x\"", "A");

    assert_eq!(code(&desk.send(" newMessageSetID=\"y\" oldMessageSetID=\"x\"", "B")), "0");
    assert_eq!(code(&desk.send(" oldMessageSetID=\"x\"", "")), "600");
    assert_eq!(code(&desk.send(" newMessageSetID=\"y\" oldMessageSetID=\"y\"", "")), "0");
    assert_eq!(desk.customers(), 2);
}

#[test]
fn an_answer_that_was_not_stored_is_told_so() {
    let mut desk = Desk::new();
    desk.send(" newMessageSetID=\"x\"", "A");
    desk.0.forget_last().unwrap();

    assert_eq!(code(&desk.send(" newMessageSetID=\"x\"", "A")), "9002");
    assert_eq!(code(&desk.send(" newMessageSetID=\"z\" oldMessageSetID=\"z\"", "")), "9002");
    assert_eq!(code(&desk.send(" newMessageSetID=\"123456789012345678901234\"", "B")), "9004");
    assert_eq!(desk.customers(), 1);
}

#[test]
fn without_ids_nothing_is_remembered() {
    let mut desk = Desk::new();

    let response = desk.send("", "A");

    assert_eq!(code(&response), "none");
    assert!(desk.send("", "A").contains("statusCode=\"3100\""));
}

#[test]
fn a_company_file_is_on_disk_with_its_memory() {
    let place = tempfile::tempdir().unwrap();
    let open = || QuickBooks::open(Some(place.path()), &Setup::default(), 1_764_000_000).unwrap();
    let asked = document(" newMessageSetID=\"x\"", "A");
    let first = open().process(&asked, 1_764_000_001).unwrap();
    // The machine stopped in the middle of the next line.
    let journal = place.path().join("company.journal");
    let mut text = std::fs::read(&journal).unwrap();
    text.extend_from_slice(b"{\"objects\":[{\"kind\":\"Cust");
    std::fs::write(&journal, text).unwrap();

    let mut again = open();

    assert_eq!(again.process(&asked, 1_764_000_002).unwrap(), first);
    assert_eq!(again.books().of_kind("Customer").count(), 1);
    assert!(again.books().named("Account", "Checking").is_some());
}
