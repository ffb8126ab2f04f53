//! What the simulated QuickBooks takes, refuses and answers.

use std::fs;
use std::path::Path;

use bookbridge::simulator::QuickBooks;
use bookbridge::simulator::Setup;

const NOW: i64 = 1_764_000_000;

fn quickbooks() -> QuickBooks {
    QuickBooks::open(None, &Setup::default(), NOW).unwrap()
}

fn document(requests: &str, on_error: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><?qbxml version=\"13.0\"?><QBXML><QBXMLMsgsRq onError=\"{on_error}\">{requests}\
         </QBXMLMsgsRq></QBXML>"
    )
}

/// Status codes of all answers.
fn codes(quickbooks: &mut QuickBooks, requests: &str) -> Vec<String> {
    let response = quickbooks.process(&document(requests, "continueOnError"), NOW).unwrap();
    let rest = response.split(" statusCode=\"").skip(1);
    rest.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn add(kind: &str, content: &str) -> String {
    format!("<{kind}AddRq><{kind}Add>{content}</{kind}Add></{kind}AddRq>")
}

#[test]
fn the_company_of_the_demo_is_entered_without_a_refusal() {
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("qbxml-samples/demo.company.xml"),
    );

    let response = quickbooks().process(&text.unwrap(), NOW).unwrap();

    assert_eq!(
        response.matches(" statusCode=\"0\"").count(),
        response.matches(" statusCode=").count()
    );
}

#[test]
fn every_sample_request_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("qbxml-samples/requests");
    let mut quickbooks = quickbooks();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let read = quickbooks.process(&fs::read_to_string(&path).unwrap(), NOW);
        assert!(read.is_ok(), "{}: {read:?}", path.display());
        assert!(!read.unwrap().contains("statusCode=\"1030\""), "{}", path.display());
    }
}

#[test]
fn a_document_that_cannot_be_read_is_refused_whole() {
    let mut quickbooks = quickbooks();
    let good = add("Customer", "<Name>A</Name>");
    for bad in [
        add("Customer", "<Phone>1</Phone><Name>B</Name>"),
        add("Customer", "<Name>B</Name><Nmae>x</Nmae>"),
        add("Customer", ""),
        "<CustomreAddRq/>".to_owned(),
        add("Customer", "<Name>é</Name>"),
    ] {
        let refused =
            quickbooks.process(&document(&format!("{good}{bad}"), "continueOnError"), NOW);
        assert_eq!(refused.unwrap_err().hresult, 0x8004_0400, "{bad}");
    }
    assert!(quickbooks.process(&document(&good, "rollbackOnError"), NOW).is_err());
    assert!(quickbooks.process(&good, NOW).is_err());
    assert_eq!(quickbooks.books().of_kind("Customer").count(), 0);
}

#[test]
fn names_are_shared_and_jobs_live_under_their_parent() {
    let mut quickbooks = quickbooks();
    let requests = [
        add("Customer", "<Name>Jones</Name>"),
        add("Vendor", "<Name>jones</Name>"),
        add("Customer", "<Name>Roof</Name><ParentRef><FullName>Jones</FullName></ParentRef>"),
        add("Customer", "<Name>Roof</Name>"),
        add("Customer", "<Name>Roof</Name><ParentRef><FullName>Jones</FullName></ParentRef>"),
        add("Customer", "<Name>A:B</Name>"),
        add("Customer", "<Name>X</Name><ParentRef><FullName>Nobody</FullName></ParentRef>"),
        add("Customer", &format!("<Name>{}</Name>", "x".repeat(42))),
        add("Customer", "<Name>Y</Name><TermsRef><FullName>Net 31</FullName></TermsRef>"),
    ];

    let codes = codes(&mut quickbooks, &requests.concat());

    assert_eq!(codes, ["0", "3100", "0", "0", "3100", "3090", "3130", "3070", "3140"]);
}

#[test]
fn an_edit_sequence_counts_once() {
    let mut quickbooks = quickbooks();
    codes(&mut quickbooks, &add("Customer", "<Name>A</Name>"));
    let customer = quickbooks.books().named("Customer", "A").unwrap().clone();
    let change = |phone: &str| {
        format!(
            "<CustomerModRq><CustomerMod><ListID>{}</ListID><EditSequence>{}</EditSequence><Phone>{phone}</Phone>\
             </CustomerMod></CustomerModRq>",
            customer.id, customer.edit_sequence
        )
    };

    assert_eq!(codes(&mut quickbooks, &change("1")), ["0"]);
    assert_eq!(codes(&mut quickbooks, &change("2")), ["3200"]);
    assert_eq!(quickbooks.books().named("Customer", "A").unwrap().body.get("Phone"), "1");
}

#[test]
fn payments_pay_what_is_open_and_no_more() {
    let mut quickbooks = quickbooks();
    quickbooks.set("ClosingDate", "2025-10-31").unwrap();
    let invoice = |date: &str| {
        add(
            "Invoice",
            &format!(
                "<CustomerRef><FullName>A</FullName></CustomerRef><TxnDate>{date}</TxnDate><InvoiceLineAdd>\
                 <ItemRef><FullName>Labor</FullName></ItemRef><Quantity>2</Quantity></InvoiceLineAdd>"
            ),
        )
    };
    let before = [
        add("Customer", "<Name>A</Name>"),
        add("Customer", "<Name>B</Name>"),
        add(
            "ItemService",
            "<Name>Labor</Name><SalesOrPurchase><Price>50.00</Price><AccountRef><FullName>Services</FullName>\
             </AccountRef></SalesOrPurchase>",
        ),
        invoice("2025-11-01"),
        invoice("2025-10-31"),
    ];
    assert_eq!(codes(&mut quickbooks, &before.concat()), ["0", "0", "0", "0", "3171"]);
    let id = quickbooks.books().of_kind("Invoice").next().unwrap().id.clone();
    let payment = |customer: &str, amount: &str| {
        add(
            "ReceivePayment",
            &format!(
                "<CustomerRef><FullName>{customer}</FullName></CustomerRef><TotalAmount>{amount}</TotalAmount>\
                 <AppliedToTxnAdd><TxnID>{id}</TxnID><PaymentAmount>{amount}</PaymentAmount></AppliedToTxnAdd>"
            ),
        )
    };
    let payments = [
        payment("B", "10.00"),
        payment("A", "40.00"),
        payment("A", "60.01"),
        payment("A", "60.00"),
        payment("A", "1.00"),
    ];

    assert_eq!(codes(&mut quickbooks, &payments.concat()), ["3120", "0", "3210", "0", "3120"]);
    let invoice = quickbooks.books().get(&id).unwrap();
    assert_eq!(
        (invoice.body.get("BalanceRemaining"), invoice.body.get("IsPaid")),
        ("0.00", "true")
    );

    let payment = quickbooks.books().of_kind("ReceivePayment").next().unwrap().id.clone();
    let delete = format!(
        "<TxnDelRq><TxnDelType>ReceivePayment</TxnDelType><TxnID>{payment}</TxnID></TxnDelRq>"
    );
    assert_eq!(codes(&mut quickbooks, &delete), ["0"]);
    assert_eq!(quickbooks.books().get(&id).unwrap().body.get("BalanceRemaining"), "40.00");
}

#[test]
fn a_query_comes_page_by_page() {
    let mut quickbooks = quickbooks();
    let many: String =
        (0..5).map(|number| add("Customer", &format!("<Name>C{number}</Name>"))).collect();
    codes(&mut quickbooks, &many);
    let ask = |quickbooks: &mut QuickBooks, attributes: &str| {
        let query =
            format!("<CustomerQueryRq {attributes}><MaxReturned>2</MaxReturned></CustomerQueryRq>");
        quickbooks.process(&document(&query, "continueOnError"), NOW).unwrap()
    };
    let part = |response: &str, name: &str| -> String {
        let rest = response.split(&format!("{name}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };

    let first = ask(&mut quickbooks, "iterator=\"Start\"");
    assert_eq!(part(&first, "iteratorRemainingCount"), "3");
    assert_eq!(first.matches("<CustomerRet>").count(), 2);
    let id = part(&first, "iteratorID");
    let next = format!("iterator=\"Continue\" iteratorID=\"{id}\"");
    assert_eq!(part(&ask(&mut quickbooks, &next), "iteratorRemainingCount"), "1");
    assert_eq!(part(&ask(&mut quickbooks, &next), "iteratorRemainingCount"), "0");
    assert!(ask(&mut quickbooks, &next).contains("statusCode=\"3391\""));
    // Another session does not know it.
    let id = part(&ask(&mut quickbooks, "iterator=\"Start\""), "iteratorID");
    quickbooks.host_company_preferences(NOW);
    let next = format!("iterator=\"Continue\" iteratorID=\"{id}\"");
    assert!(ask(&mut quickbooks, &next).contains("statusCode=\"3391\""));
}

#[test]
fn what_is_not_there_is_told_as_it_is_asked() {
    let mut quickbooks = quickbooks();
    let ask = |content: &str| format!("<CustomerQueryRq>{content}</CustomerQueryRq>");
    let requests = [
        ask("<FullName>Nobody</FullName>"),
        ask("<ListID>80000001-1</ListID>"),
        ask("<FromModifiedDate>2030-01-01</FromModifiedDate>"),
        "<InvoiceQueryRq><RefNumber>9</RefNumber></InvoiceQueryRq>".to_owned(),
    ];

    assert_eq!(codes(&mut quickbooks, &requests.concat()), ["500", "500", "1", "500"]);
}

#[test]
fn after_the_first_error_nothing_is_processed_if_so_asked() {
    let mut quickbooks = quickbooks();
    let requests = [
        add("Customer", "<Name>A</Name>"),
        add("Customer", "<Name>A</Name>"),
        add("Customer", "<Name>B</Name>"),
    ];

    let response = quickbooks.process(&document(&requests.concat(), "stopOnError"), NOW).unwrap();

    let found: Vec<_> = response.split(" statusCode=\"").skip(1).map(|rest| &rest[..4]).collect();
    assert_eq!(found, ["0\" s", "3100", "3231"]);
}
