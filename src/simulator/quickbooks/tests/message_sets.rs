//! Message sets: what is refused whole, what is carried out once, what survives a restart.

use std::fmt::Write as _;

use super::*;

const ONE: &str =
    "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>Okafor</Name></CustomerAdd></CustomerAddRq>";
const OTHER: &str =
    "<CustomerAddRq requestID=\"1\"><CustomerAdd><Name>Vega</Name></CustomerAdd></CustomerAddRq>";

/// A message set with these ids; "" is no id.
fn set(new: &str, old: &str, requests: &str) -> String {
    let id = |name: &str, id: &str| {
        if id.is_empty() { String::new() } else { format!(" {name}=\"{id}\"") }
    };
    let ids = format!("{}{}", id("newMessageSetID", new), id("oldMessageSetID", old));
    with_attributes(&format!("onError=\"continueOnError\"{ids}"), requests)
}

/// The messageSetStatusCode, and the statusCodes.
fn codes(response: &str) -> (String, Vec<u32>) {
    let document = xml::read(response).unwrap();
    let code = document.root.children[0].attribute("messageSetStatusCode").unwrap_or_default();
    (code.to_owned(), answers(response).iter().map(Said::code).collect())
}

fn customers(quickbooks: &QuickBooks) -> usize {
    quickbooks.books().of_kind("Customer").count()
}

#[test]
fn the_same_bytes_again_get_the_same_answer_and_do_nothing() {
    let mut quickbooks = Company::new().quickbooks;
    let first = quickbooks.process(&set("a", "", ONE), NOW).unwrap();

    let second = quickbooks.process(&set("a", "", ONE), NOW + 60).unwrap();

    assert_eq!(first, second);
    assert_eq!(codes(&first), ("0".to_owned(), vec![0]));
    assert_eq!(customers(&quickbooks), 1);
}

#[test]
fn the_truth_table_of_the_two_ids() {
    let mut quickbooks = Company::new().quickbooks;
    let mut check = |new: &str, old: &str, requests: &str, code: &str, count: usize| {
        let response = quickbooks.process(&set(new, old, requests), NOW).unwrap();
        let (said, statuses) = codes(&response);
        assert_eq!((said.as_str(), statuses.len()), (code, count), "{new}/{old}");
    };

    check("a", "", ONE, "0", 1);
    check("a", "", OTHER, "9001", 0);
    check("a", "a", "", "0", 1);
    check("b", "a", OTHER, "0", 1);
    check("b", "a", OTHER, "0", 1);
    check("a", "a", "", "9002", 0);
    check("", "a", "", "600", 0);
    check("", "b", "", "0", 0);
    check("", "b", "", "600", 0);
    check("c", "never", "", "0", 0);
    check("", "ClearAllMessageSets", "", "0", 0);
    check("c", "c", "", "9002", 0);
    check(&"x".repeat(24), "", ONE, "9004", 0);
    check(&"x".repeat(23), "", ONE, "0", 1);
    assert_eq!(customers(&quickbooks), 2);
}

#[test]
fn an_answer_that_cannot_be_kept_is_told() {
    let mut quickbooks = Company::new().quickbooks;
    quickbooks.set("MessageSets", "full").unwrap();

    let response = quickbooks.process(&set("a", "", ONE), NOW).unwrap();

    assert_eq!(codes(&response), ("9005".to_owned(), vec![0]));
    assert_eq!(customers(&quickbooks), 1);
}

#[test]
fn a_document_that_breaks_the_grammar_is_refused_whole() {
    let bad = [
        String::new(),
        "<QBXML><QBXMLMsgsRq onError=\"stopOnError\"></QBXMLMsgsRq></QBXML>".to_owned(),
        document(ONE).replace("<?qbxml version=\"13.0\"?>", ""),
        document(ONE).replace("continueOnError", "rollbackOnError"),
        document(ONE).replace(" onError=\"continueOnError\"", ""),
        document(&format!("{ONE}<CustomerAddRq><CustomerAdd></CustomerAdd></CustomerAddRq>")),
        document(
            "<CustomerAddRq><CustomerAdd><Phone>1</Phone><Name>A</Name></CustomerAdd></CustomerAddRq>",
        ),
        document("<NonsenseRq></NonsenseRq>"),
        document("<ClassQueryRq iterator=\"Start\"><MaxReturned>1</MaxReturned></ClassQueryRq>"),
    ];
    for text in bad {
        let mut quickbooks = Company::new().quickbooks;

        let refused = quickbooks.process(&text, NOW).unwrap_err();

        assert_eq!(refused, Refused::unparsed(), "{text}");
        assert_eq!(customers(&quickbooks), 0);
    }
}

#[test]
fn a_version_that_is_too_new_is_refused() {
    let text = document(ONE).replace("13.0", "17.0");

    let refused = Company::new().quickbooks.process(&text, NOW).unwrap_err();

    assert_eq!(refused.hresult, 0x8004_0423);
    assert!(Refused::unparsed().to_string().starts_with("0x80040400: QuickBooks found an error"));
}

#[test]
fn stop_on_error_leaves_the_rest_unprocessed() {
    let three = format!("{ONE}{ONE}{OTHER}");
    let check = |on_error: &str, expected: &[u32]| {
        let mut quickbooks = Company::new().quickbooks;
        let text = with_attributes(&format!("onError=\"{on_error}\""), &three);
        let response = quickbooks.process(&text, NOW).unwrap();
        assert_eq!(codes(&response), (String::new(), expected.to_vec()));
    };

    check("continueOnError", &[0, 3100, 0]);
    check("stopOnError", &[0, 3100, 3231]);
}

#[test]
fn a_macro_stands_for_what_the_set_has_just_made() {
    let mut company = Company::new();
    let account = "<AccountRef><FullName>Services</FullName></AccountRef>";
    company.id(&format!(
        "<ItemServiceAddRq><ItemServiceAdd><Name>Labor</Name><SalesOrPurchase><Price>10.00</Price>\
         {account}</SalesOrPurchase></ItemServiceAdd></ItemServiceAddRq>"
    ));
    let customer = "<CustomerRef><FullName>Okafor</FullName></CustomerRef>";
    let said = company.ask(&format!(
        "{ONE}<InvoiceAddRq><InvoiceAdd defMacro=\"TxnID:one\">{customer}<InvoiceLineAdd><ItemRef>\
         <FullName>Labor</FullName></ItemRef></InvoiceLineAdd></InvoiceAdd></InvoiceAddRq>\
         <ReceivePaymentAddRq><ReceivePaymentAdd>{customer}<TotalAmount>10.00</TotalAmount>\
         <AppliedToTxnAdd><TxnID useMacro=\"TxnID:one\"></TxnID></AppliedToTxnAdd>\
         </ReceivePaymentAdd></ReceivePaymentAddRq>"
    ));

    assert_eq!(said.iter().map(Said::code).collect::<Vec<_>>(), [0, 0, 0]);
    assert_eq!(said[2].at("AppliedToTxnRet/TxnID"), said[1].id());
    let unknown = company.one(
        "<ReceivePaymentAddRq><ReceivePaymentAdd><CustomerRef><FullName>Okafor</FullName>\
         </CustomerRef><AppliedToTxnAdd><TxnID useMacro=\"TxnID:one\"></TxnID></AppliedToTxnAdd>\
         </ReceivePaymentAdd></ReceivePaymentAddRq>",
    );
    assert_eq!(unknown.code(), 9100);
}

#[test]
fn include_none_answers_the_status_alone() {
    let text = with_attributes("onError=\"stopOnError\" responseData=\"includeNone\"", ONE);

    let response = Company::new().quickbooks.process(&text, NOW).unwrap();

    assert_eq!(answers(&response)[0].0.children, []);
}

#[test]
fn a_company_file_opened_again_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let open = || QuickBooks::open(Some(directory.path()), &Setup::default(), NOW).unwrap();
    let mut before = open();
    let first = before.process(&set("a", "", &format!("{ONE}{OTHER}")), NOW).unwrap();
    let id = before.books().named("Customer", "Vega").unwrap().id.clone();
    let delete =
        format!("<ListDelRq><ListDelType>Customer</ListDelType><ListID>{id}</ListID></ListDelRq>");
    before.process(&document(&delete), NOW).unwrap();
    before.set("ClosingDate", "2025-12-31").unwrap();
    let preferences = before.host_company_preferences(NOW);
    drop(before);

    let mut after = open();

    assert_eq!(after.process(&set("a", "", &format!("{ONE}{OTHER}")), NOW + 9).unwrap(), first);
    assert_eq!(customers(&after), 1);
    assert_eq!(after.host_company_preferences(NOW), preferences);
    assert!(preferences.contains("<ClosingDate>2025-12-31</ClosingDate>"));
    // What is lost stays lost, and nothing else is.
    after.process(&set("b", "", ""), NOW).unwrap();
    after.process(&set("a", "a", ""), NOW).unwrap();
    after.forget_last().unwrap();
    drop(after);
    let mut again = open();
    for (id, code) in [("a", "9002"), ("b", "0")] {
        let said = again.process(&set(id, id, ""), NOW).unwrap();
        assert_eq!(codes(&said).0, code, "{id}");
    }
}

#[test]
fn ten_thousand_customers_are_no_burden() {
    let directory = tempfile::tempdir().unwrap();
    let mut quickbooks = QuickBooks::open(Some(directory.path()), &Setup::default(), NOW).unwrap();
    let started = std::time::Instant::now();
    for set_number in 0..400 {
        let mut requests = String::new();
        for number in 0..25 {
            write!(
                requests,
                "<CustomerAddRq><CustomerAdd><Name>Customer {set_number}-{number}</Name><Phone>1</Phone>\
                 </CustomerAdd></CustomerAddRq>"
            )
            .unwrap();
        }
        let old = if set_number == 0 { String::new() } else { format!("{}", set_number - 1) };
        quickbooks.process(&set(&set_number.to_string(), &old, &requests), NOW).unwrap();
    }
    let each = started.elapsed() / 400;
    let query = document("<CustomerQueryRq></CustomerQueryRq>");

    let found = answers(&quickbooks.process(&query, NOW).unwrap())[0].0.children.len();

    assert_eq!((customers(&quickbooks), found), (10_000, 10_000));
    assert!(each.as_millis() < 200, "{each:?} a message set");
    drop(quickbooks);
    let again = QuickBooks::open(Some(directory.path()), &Setup::default(), NOW).unwrap();
    assert_eq!(customers(&again), 10_000);
}
