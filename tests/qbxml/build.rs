//! Records become requests: the cases that applications meet.

use std::collections::BTreeMap;

use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::qbxml::build::Build;
use bookbridge::qbxml::build::Operation;
use bookbridge::qbxml::build::Resolved;
use bookbridge::qbxml::build::build;
use bookbridge::qbxml::check::check;
use bookbridge::qbxml::version::Edition;
use bookbridge::qbxml::version::Target;
use bookbridge::qbxml::version::Version;
use serde_json::Value;
use serde_json::json;

fn resolve(source: &str) -> Option<Resolved> {
    match source {
        "Customer/C-1" => Some(Resolved::Id("80-1".to_owned())),
        "Invoice/I-1" => Some(Resolved::Id("43-1".to_owned())),
        "Customer/by-name" => Some(Resolved::FullName("Jones & Sons".to_owned())),
        _ => None,
    }
}

fn written(kind: &str, operation: Operation<'_>, data: &Value) -> Result<String, Vec<Finding>> {
    let target = Target::default();
    let build_of =
        Build { kind, operation, data, target: &target, request_id: "7", resolve: &resolve };
    build(&build_of).map(|built| built.xml)
}

fn add(kind: &str, data: &Value, expected: &str) {
    assert_eq!(written(kind, Operation::Add, data).unwrap(), expected);
}

/// Codes and pointers of all findings.
fn findings(kind: &str, data: &Value) -> Vec<(Code, String)> {
    let found = check(kind, data, &Target::default());
    found.into_iter().map(|finding| (finding.code, finding.pointer)).collect()
}

fn found(kind: &str, data: &Value, expected: &[(Code, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(code, at)| (*code, (*at).to_owned())).collect();
    assert_eq!(findings(kind, data), expected, "{data}");
}

#[test]
fn members_of_any_order_go_out_in_the_order_of_quickbooks() {
    add(
        "Customer",
        &json!({"Phone": "1", "BillAddress": {"City": "Tacoma", "Addr1": "A"}, "Name": "Décor & Co"}),
        "<CustomerAddRq requestID=\"7\"><CustomerAdd><Name>D&#233;cor &amp; Co</Name><BillAddress>\
         <Addr1>A</Addr1><City>Tacoma</City></BillAddress><Phone>1</Phone></CustomerAdd></CustomerAddRq>",
    );
}

#[test]
fn a_line_is_written_for_add_or_mod_and_keeps_its_id() {
    let data = json!({
        "CustomerRef": {"source": "Customer/C-1"},
        "InvoiceLine": [
            {"#id": "b", "ItemRef": {"FullName": "Labor"}, "Quantity": 2, "Rate": "12.50"},
            {"#id": "c", "Desc": "a note"},
        ],
    });
    add(
        "Invoice",
        &data,
        "<InvoiceAddRq requestID=\"7\"><InvoiceAdd><CustomerRef><ListID>80-1</ListID></CustomerRef>\
         <InvoiceLineAdd><ItemRef><FullName>Labor</FullName></ItemRef><Quantity>2</Quantity>\
         <Rate>12.5</Rate></InvoiceLineAdd><InvoiceLineAdd><Desc>a note</Desc></InvoiceLineAdd>\
         </InvoiceAdd></InvoiceAddRq>",
    );
    let lines = BTreeMap::from([("c".to_owned(), "L-3".to_owned())]);
    let change = Operation::Mod { id: "43-1", edit_sequence: "17", lines: &lines };
    assert_eq!(
        written("Invoice", change, &data).unwrap(),
        "<InvoiceModRq requestID=\"7\"><InvoiceMod><TxnID>43-1</TxnID><EditSequence>17</EditSequence>\
         <CustomerRef><ListID>80-1</ListID></CustomerRef><InvoiceLineMod><TxnLineID>-1</TxnLineID>\
         <ItemRef><FullName>Labor</FullName></ItemRef><Quantity>2</Quantity><Rate>12.5</Rate>\
         </InvoiceLineMod><InvoiceLineMod><TxnLineID>L-3</TxnLineID><Desc>a note</Desc></InvoiceLineMod>\
         </InvoiceMod></InvoiceModRq>"
    );
}

#[test]
fn both_spellings_of_a_line_are_the_same() {
    let line = json!({"Desc": "x"});
    let spelt = |name: &str| {
        let mut data = json!({"CustomerRef": {"source": "Customer/C-1"}});
        data[name] = line.clone();
        written("Invoice", Operation::Add, &data).unwrap()
    };
    assert_eq!(spelt("InvoiceLine"), spelt("InvoiceLineAdd"));
    assert_eq!(spelt("InvoiceLine"), spelt("InvoiceLineMod"));
}

#[test]
fn a_reference_works_wherever_quickbooks_wants_an_id() {
    add(
        "ReceivePayment",
        &json!({
            "CustomerRef": {"source": "Customer/by-name"},
            "TotalAmount": 540,
            "AppliedToTxn": [{"TxnID": {"source": "Invoice/I-1"}, "PaymentAmount": "540.00"}],
        }),
        "<ReceivePaymentAddRq requestID=\"7\"><ReceivePaymentAdd><CustomerRef>\
         <FullName>Jones &amp; Sons</FullName></CustomerRef><TotalAmount>540.00</TotalAmount>\
         <AppliedToTxnAdd><TxnID>43-1</TxnID><PaymentAmount>540.00</PaymentAmount></AppliedToTxnAdd>\
         </ReceivePaymentAdd></ReceivePaymentAddRq>",
    );
    let nobody =
        json!({"CustomerRef": {"source": "Customer/nobody"}, "InvoiceLine": {"Desc": "x"}});
    let refused = written("Invoice", Operation::Add, &nobody).unwrap_err();
    assert_eq!(refused[0].pointer, "/data/CustomerRef");
}

#[test]
fn an_empty_text_says_nothing_in_an_add_and_clears_in_a_mod() {
    let data = json!({"Name": "A", "Fax": ""});
    let no_lines = BTreeMap::new();
    let change = Operation::Mod { id: "80-1", edit_sequence: "2", lines: &no_lines };

    let added = written("Customer", Operation::Add, &data).unwrap();
    let changed = written("Customer", change, &data).unwrap();

    assert!(!added.contains("Fax"), "{added}");
    assert!(changed.contains("<Fax></Fax>"), "{changed}");
}

#[test]
fn a_reference_that_names_nothing_is_missing_or_left_out_and_clears_in_a_mod() {
    let no_lines = BTreeMap::new();
    let change = Operation::Mod { id: "80-1", edit_sequence: "2", lines: &no_lines };
    for nothing in [json!({}), json!({"FullName": ""}), json!({"ListID": null})] {
        let job = json!({"Name": "A", "ParentRef": nothing});
        let added = written("Customer", Operation::Add, &job).unwrap();
        assert!(!added.contains("ParentRef"), "{added}");

        let kept = json!({"SalesRepRef": nothing});
        let changed = written("Customer", change, &kept).unwrap();
        assert!(changed.contains("<SalesRepRef>"), "{changed}");

        found(
            "Invoice",
            &json!({"CustomerRef": nothing, "InvoiceLine": {"Desc": "x"}}),
            &[(Code::MissingField, "/data/CustomerRef")],
        );
    }
}

#[test]
fn deletes_and_voids_name_kind_and_id() {
    let nothing = json!({});
    assert_eq!(
        written("Invoice", Operation::Void { id: "43-1" }, &nothing).unwrap(),
        "<TxnVoidRq requestID=\"7\"><TxnVoidType>Invoice</TxnVoidType><TxnID>43-1</TxnID></TxnVoidRq>"
    );
    assert_eq!(
        written("Customer", Operation::Delete { id: "80-1" }, &nothing).unwrap(),
        "<ListDelRq requestID=\"7\"><ListDelType>Customer</ListDelType><ListID>80-1</ListID></ListDelRq>"
    );
    let refused = written("Customer", Operation::Void { id: "80-1" }, &nothing).unwrap_err();
    assert_eq!((refused[0].code, &*refused[0].cause), (Code::FeatureNotAvailable, "no_void"));
}

#[test]
fn all_findings_come_at_once_each_with_its_place() {
    found(
        "Invoice",
        &json!({
            "CustomrRef": {"source": "Customer/C-1"},
            "TxnDate": "31.12.2026",
            "RefNumber": "123456789012",
            "IsPending": "perhaps",
            "InvoiceLine": [{"Quantity": "1,5"}, {"Rate": "1", "RatePercent": "2"}],
            "BillAddress": {"Addr1": "漢"},
        }),
        &[
            (Code::UnknownField, "/data/CustomrRef"),
            (Code::MissingField, "/data/CustomerRef"),
            (Code::InvalidValue, "/data/TxnDate"),
            (Code::StringTooLong, "/data/RefNumber"),
            (Code::InvalidCharacters, "/data/BillAddress/Addr1"),
            (Code::InvalidValue, "/data/IsPending"),
            (Code::InvalidValue, "/data/InvoiceLine/0/Quantity"),
            (Code::ConflictingFields, "/data/InvoiceLine/1/RatePercent"),
        ],
    );
}

#[test]
fn what_the_schema_lets_pass_and_quickbooks_refuses_is_found() {
    let customer = json!({"source": "Customer/C-1"});
    found("Invoice", &json!({"CustomerRef": customer}), &[(Code::MissingField, "/data")]);
    found("Customer", &json!({"Name": "A:B"}), &[(Code::InvalidCharacters, "/data/Name")]);
    let address = json!({"Addr1": "a", "Addr5": "b", "City": "c"});
    found(
        "Customer",
        &json!({"Name": "A", "BillAddress": address}),
        &[(Code::InvalidValue, "/data/BillAddress/Addr4")],
    );
}

#[test]
fn an_attribute_that_the_kind_does_not_have_is_found_too() {
    let employee = json!({"@defMacro": "ListID:a", "FirstName": "A"});
    found("Employee", &employee, &[(Code::UnknownField, "/data/@defMacro")]);
}

#[test]
fn an_element_of_another_edition_or_a_newer_version_is_told() {
    let old = Target { version: Version::new(6, 0), edition: Edition::Us };
    let data = json!({"Name": "A", "ClassRef": {"FullName": "x"}});

    let newer = check("Customer", &data, &old);
    let foreign =
        check("Customer", &json!({"Name": "A", "SalesTaxCountry": "Canada"}), &Target::default());

    assert_eq!((newer[0].code, &*newer[0].cause), (Code::FeatureNotAvailable, "version"));
    assert_eq!((foreign[0].code, &*foreign[0].cause), (Code::FeatureNotAvailable, "edition"));
}
