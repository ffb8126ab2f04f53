//! The samples: what the demo sends, and every request of the folder.

use serde_json::Value;

use super::*;

/// Elements in the order of the grammar: what a builder does.
fn build(kind: &str, data: &Value, ids: &dyn Fn(&str) -> Option<String>) -> String {
    let mut add = Node::new(&format!("{kind}Add"));
    fill(&mut add, data, ids);
    let production = REQUESTS.head(&add.name).unwrap();
    REQUESTS.arrange(&mut add, production, Version(13, 0));
    Node::of(&format!("{kind}AddRq"), vec![add]).to_text()
}

fn fill(node: &mut Node, data: &Value, ids: &dyn Fn(&str) -> Option<String>) {
    for (name, value) in data.as_object().unwrap() {
        if name == "#id" {
            continue;
        }
        let line = name.ends_with("Line") && !name.starts_with("Journal");
        let name = if line || name == "AppliedToTxn" { format!("{name}Add") } else { name.clone() };
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let mut child = Node::new(&name);
            match value {
                Value::Object(map) if map.contains_key("source") => {
                    let source = map["source"].as_str().unwrap();
                    let id = ids(source).unwrap_or_else(|| "80000000-1".to_owned());
                    if name == "TxnID" {
                        child.text = id;
                    } else {
                        child.children.push(Node::leaf("ListID", id));
                    }
                }
                Value::Object(_) => fill(&mut child, value, ids),
                Value::String(text) => child.text.clone_from(text),
                other => child.text = other.to_string(),
            }
            node.children.push(child);
        }
    }
}

/// A company with all records of the demo in it, as far as QuickBooks takes them; what was said to
/// each record.
pub(super) fn company() -> (Company, Vec<(String, u32, String, String)>) {
    let mut company = Company::new();
    company.quickbooks.set("ClosingDate", "2025-12-31").unwrap();
    let before = company.quickbooks.process(&sample("demo.company.xml"), NOW).unwrap();
    assert!(answers(&before).iter().all(|said| said.code() == 0), "{before}");
    let mut records: Vec<Value> =
        sample("demo.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The bridge holds the invoice back until its customer is there.
    let invoice = records.iter().position(|it| it["sourceId"] == "INV-2001").unwrap();
    let invoice = records.remove(invoice);
    records.insert(40, invoice);
    let mut said: Vec<(String, u32, String, String)> = Vec::new();
    for record in &records {
        let kind = record["kind"].as_str().unwrap();
        let key = format!("{kind}/{}", record["sourceId"].as_str().unwrap());
        if ["Vendor/V-203", "Invoice/INV-2008"].contains(&key.as_str()) {
            continue;
        }
        let ids = |source: &str| {
            said.iter().find(|it| it.0 == source && it.1 == 0).map(|it| it.3.clone())
        };
        let answer = company.one(&build(kind, &record["data"], &ids));
        let id = if answer.code() == 0 { answer.id() } else { String::new() };
        said.push((key, answer.code(), answer.message().to_owned(), id));
    }
    (company, said)
}

#[test]
fn the_records_of_the_demo_come_out_as_its_script_says() {
    let (_, said) = company();

    let failed: Vec<(&str, u32, &str)> = said
        .iter()
        .filter(|it| it.1 != 0)
        .map(|(key, code, message, _)| (key.as_str(), *code, message.as_str()))
        .collect();
    let codes: Vec<(&str, u32)> = failed.iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(
        codes,
        [
            ("ItemService/S-DUCT", 3045),
            ("Customer/C-110", 3100),
            ("Customer/C-110/P-1", 3130),
            ("Customer/C-111", 3070),
            ("Customer/C-112", 3070),
            ("Customer/C-112/P-1", 3130),
            ("Customer/C-113", 3090),
            ("Invoice/INV-2007", 3140),
            ("Invoice/INV-2009", 3140),
            ("Invoice/INV-2010", 3140),
            ("Invoice/INV-2011", 3171),
            ("ReceivePayment/PMT-3003", 3210),
            ("BillPaymentCheck/BP-952", 3140),
        ],
        "{failed:#?}"
    );
}

#[test]
fn the_words_of_the_demo_are_those_of_quickbooks() {
    let (_, said) = company();
    let words = |key: &str| said.iter().find(|it| it.0 == key).unwrap().2.as_str();

    assert_eq!(
        words("ReceivePayment/PMT-3003"),
        "The \"AppliedToTxnAdd payment amount\" field has an invalid value \"555.00\".  QuickBooks \
         error message: You cannot pay more than the amount due."
    );
    assert_eq!(
        words("Invoice/INV-2010"),
        "There is an invalid reference to QuickBooks Item \"R-22 refrigerant\" in the Invoice line.  \
         QuickBooks error message: Invalid argument.  The specified record does not exist in the \
         list."
    );
    assert!(
        words("BillPaymentCheck/BP-952")
            .starts_with("There is an invalid reference to QuickBooks Check Account \"8000")
    );
    assert!(words("BillPaymentCheck/BP-952").ends_with(
        "in the BillPaymentCheck.  QuickBooks error message: The account for this transaction must \
         be of type Bank."
    ));
}

#[test]
fn what_the_bookkeeper_does_comes_out_as_the_script_says() {
    let (mut company, said) = company();
    let id = |key: &str| said.iter().find(|it| it.0 == key).unwrap().3.clone();
    let (hillcrest, paid, deleted) =
        (id("Customer/C-102"), id("Invoice/INV-2006"), id("Invoice/INV-2012"));
    let sound_view = company.quickbooks.books().get(&id("Customer/C-104")).unwrap().clone();
    let payment = format!(
        "<ReceivePaymentAddRq><ReceivePaymentAdd><CustomerRef><ListID>{hillcrest}</ListID>\
         </CustomerRef><TxnDate>2026-02-20</TxnDate><RefNumber>1187</RefNumber>\
         <TotalAmount>540.00</TotalAmount><AppliedToTxnAdd><TxnID>{paid}</TxnID>\
         <PaymentAmount>540.00</PaymentAmount></AppliedToTxnAdd></ReceivePaymentAdd>\
         </ReceivePaymentAddRq>"
    );
    let change = |phone: &str| {
        format!(
            "<CustomerModRq><CustomerMod><ListID>{}</ListID><EditSequence>{}</EditSequence>\
             <Phone>{phone}</Phone></CustomerMod></CustomerModRq>",
            sound_view.id, sound_view.edit_sequence
        )
    };

    assert_eq!(company.one(&payment).code(), 0);
    let removal =
        format!("<TxnDelRq><TxnDelType>Invoice</TxnDelType><TxnID>{deleted}</TxnID></TxnDelRq>");
    assert_eq!(company.one(&removal).code(), 0);
    assert_eq!(company.one(&change("1")).code(), 0);

    assert_eq!(company.one(&payment).code(), 3120);
    let gone = company.one(&format!(
        "<InvoiceModRq><InvoiceMod><TxnID>{deleted}</TxnID><EditSequence>1</EditSequence>\
         </InvoiceMod></InvoiceModRq>"
    ));
    assert_eq!(gone.code(), 3120);
    let stale = company.one(&change("2"));
    assert_eq!(stale.code(), 3200);
    assert_eq!(
        stale.message(),
        format!("The provided edit sequence \"{}\" is out-of-date. ", sound_view.edit_sequence)
    );
}

#[test]
fn a_customer_that_someone_has_open_is_in_use() {
    let (mut company, said) = company();
    let id = &said.iter().find(|it| it.0 == "Customer/C-103").unwrap().3;
    let sequence = company.quickbooks.books().get(id).unwrap().edit_sequence;
    let name = "Bluebird Café & Roastery".to_owned();
    let change = format!(
        "<CustomerModRq><CustomerMod><ListID>{id}</ListID><EditSequence>{sequence}</EditSequence>\
         <Phone>1</Phone></CustomerMod></CustomerModRq>"
    );

    company.quickbooks.lock(Lock { kind: "Customer".to_owned(), name, times: Some(1) });

    let locked = company.one(&change);
    assert_eq!(locked.code(), 3175);
    assert!(locked.message().ends_with("The list element is in use."));
    assert_eq!(company.one(&change).code(), 0);
}

#[test]
fn every_sample_request_is_taken_by_the_parser() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("qbxml-samples/requests");
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();

        let outcome = Company::new().quickbooks.process(&text, NOW);

        assert!(outcome.is_ok(), "{}: {outcome:?}", path.display());
        seen += 1;
    }
    assert!(seen > 40);
}

#[test]
fn every_answer_follows_the_grammar_of_answers() {
    let (mut company, _) = company();
    let mut seen = 0;
    for kind in super::super::kinds::TRANSACTIONS
        .iter()
        .chain(&["Customer", "Vendor", "Item", "Account", "Terms", "Employee", "Class", "Template"])
    {
        let lines = "<IncludeLineItems>1</IncludeLineItems>";
        let query = format!("<{kind}QueryRq>{lines}</{kind}QueryRq>");
        let node = xml::read_node(&query).unwrap();
        let inner = if REQUESTS.accepts(&node, Version(13, 0)).is_ok() { lines } else { "" };
        let said = company.one(&format!("<{kind}QueryRq>{inner}</{kind}QueryRq>"));
        let outcome = super::super::grammar::ANSWERS.accepts(&said.0, Version(13, 0));
        assert_eq!(outcome, Ok(()), "{}", said.0.to_text());
        seen += said.0.children.len();
    }
    assert!(seen > 80, "{seen}");
}
