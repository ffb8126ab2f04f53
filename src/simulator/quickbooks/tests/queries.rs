//! Queries: what is found, in what form, page by page.

use super::demo;
use super::*;

/// The names or numbers that a query finds.
fn found(company: &mut Company, query: &str) -> (u32, Vec<String>) {
    let said = company.one(query);
    let name = |ret: &Node| format!("{}{}", ret.get("FullName"), ret.get("RefNumber"));
    (said.code(), said.0.children.iter().map(name).collect())
}

#[test]
fn lists_are_found_by_name_and_by_filter() {
    let mut company = demo::company().0;
    let mut check = |query: &str, code: u32, expected: &[&str]| {
        let query = query.replace("CustomerQuery>", "CustomerQueryRq>");
        assert_eq!(
            found(&mut company, &query),
            (code, expected.iter().map(|it| (*it).to_owned()).collect()),
            "{query}"
        );
    };

    check(
        "<CustomerQuery><FullName>okafor, adaeze</FullName></CustomerQuery>",
        0,
        &["Okafor, Adaeze"],
    );
    check("<CustomerQuery><FullName>Nobody</FullName></CustomerQuery>", 500, &[]);
    check(
        "<CustomerQuery><FullName>Nobody</FullName><FullName>Lindqvist, Nils</FullName></CustomerQuery>",
        500,
        &["Lindqvist, Nils"],
    );
    check(
        "<CustomerQuery><NameFilter><MatchCriterion>Contains</MatchCriterion><Name>ruston way 14</Name></NameFilter></CustomerQuery>",
        0,
        &["Sound View Property Mgmt:Ruston Way 14"],
    );
    check(
        "<CustomerQuery><NameFilter><MatchCriterion>StartsWith</MatchCriterion><Name>zz</Name></NameFilter></CustomerQuery>",
        1,
        &[],
    );
    check(
        "<CustomerQuery><NameRangeFilter><FromName>H</FromName><ToName>J</ToName></NameRangeFilter></CustomerQuery>",
        0,
        &["Juniper Street Bakery", "Hillcrest Dental, P.S."],
    );
    check("<CustomerQuery><FromModifiedDate>2038-01-01</FromModifiedDate></CustomerQuery>", 1, &[]);
    check(
        "<CustomerQuery><FromModifiedDate>2027-01-02</FromModifiedDate><ToModifiedDate>2027-01-01</ToModifiedDate></CustomerQuery>",
        3030,
        &[],
    );
    check(
        "<CustomerQuery><TotalBalanceFilter><Operator>GreaterThan</Operator><Amount>540.00</Amount></TotalBalanceFilter></CustomerQuery>",
        0,
        &["Sound View Property Mgmt"],
    );
    check(
        "<ItemQueryRq><FullName>R-22 refrigerant</FullName></ItemQueryRq>",
        0,
        &["R-22 refrigerant"],
    );
    check("<ItemNonInventoryQueryRq></ItemNonInventoryQueryRq>", 0, &["R-410A refrigerant"]);
    check(
        "<ItemNonInventoryQueryRq><ActiveStatus>InactiveOnly</ActiveStatus></ItemNonInventoryQueryRq>",
        0,
        &["R-22 refrigerant"],
    );
    check(
        "<EntityQueryRq><NameFilter><MatchCriterion>EndsWith</MatchCriterion><Name>Permits</Name></NameFilter></EntityQueryRq>",
        0,
        &[""],
    );
}

#[test]
fn transactions_are_found_by_number_and_by_filter() {
    let mut company = demo::company().0;
    let mut check = |filters: &str, code: u32, expected: &[&str]| {
        let query = format!("<InvoiceQueryRq>{filters}</InvoiceQueryRq>");
        assert_eq!(
            found(&mut company, &query),
            (code, expected.iter().map(|it| (*it).to_owned()).collect()),
            "{query}"
        );
    };

    check("<RefNumber>2002</RefNumber>", 0, &["2002"]);
    check("<TxnID>1-1</TxnID>", 500, &[]);
    check(
        "<RefNumberFilter><MatchCriterion>EndsWith</MatchCriterion><RefNumber>04</RefNumber></RefNumberFilter>",
        0,
        &["2004"],
    );
    check("<PaidStatus>PaidOnly</PaidStatus>", 0, &["2002", "2001"]);
    check(
        "<TxnDateRangeFilter><FromTxnDate>2026-02-10</FromTxnDate><ToTxnDate>2026-02-11</ToTxnDate></TxnDateRangeFilter>",
        0,
        &["2005", "2006"],
    );
    check(
        "<EntityFilter><FullName>Sound View Property Mgmt</FullName></EntityFilter>",
        0,
        &["2013"],
    );
    check(
        "<EntityFilter><FullNameWithChildren>Sound View Property Mgmt</FullNameWithChildren></EntityFilter>",
        0,
        &["2003", "2013"],
    );
    check(
        "<AccountFilter><FullName>Accounts Receivable</FullName></AccountFilter><PaidStatus>PaidOnly</PaidStatus>",
        0,
        &["2002", "2001"],
    );
}

#[test]
fn lines_and_links_come_when_they_are_asked_for() {
    let mut company = demo::company().0;
    let mut ask = |rest: &str| {
        company
            .one(&format!("<InvoiceQueryRq><RefNumber>2001</RefNumber>{rest}</InvoiceQueryRq>"))
            .ret()
            .clone()
    };

    let (plain, lines) = (ask(""), ask("<IncludeLineItems>true</IncludeLineItems>"));
    let linked = ask("<IncludeLinkedTxns>1</IncludeLinkedTxns>");
    let few = ask("<IncludeRetElement>RefNumber</IncludeRetElement>");

    assert_eq!((plain.all("InvoiceLineRet").count(), plain.all("LinkedTxn").count()), (0, 0));
    assert_eq!((lines.all("InvoiceLineRet").count(), lines.all("LinkedTxn").count()), (2, 0));
    assert_eq!(linked.at("LinkedTxn/TxnType"), "ReceivePayment");
    assert_eq!(linked.at("LinkedTxn/Amount"), "-401.50");
    assert_eq!(few.children.len(), 1);
    assert_eq!(
        (plain.get("IsPaid"), plain.get("BalanceRemaining"), plain.get("AppliedAmount")),
        ("true", "0.00", "-401.50")
    );
}

#[test]
fn an_iterator_pages_until_nothing_is_left_and_dies_with_the_session() {
    let mut company = demo::company().0;
    let page = |step: &str| {
        format!("<CustomerQueryRq iterator={step}><MaxReturned>4</MaxReturned></CustomerQueryRq>")
    };
    let first = company.one(&page("\"Start\""));
    let id = first.0.attribute("iteratorID").unwrap().to_owned();
    let mut seen: Vec<String> =
        first.0.children.iter().map(|ret| ret.get("ListID").to_owned()).collect();
    assert_eq!(first.0.attribute("iteratorRemainingCount"), Some("4"));

    let second = company.one(&page(&format!("\"Continue\" iteratorID=\"{id}\"")));

    seen.extend(second.0.children.iter().map(|ret| ret.get("ListID").to_owned()));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 8);
    assert_eq!(second.0.attribute("iteratorRemainingCount"), Some("0"));
    assert_eq!(company.one(&page(&format!("\"Continue\" iteratorID=\"{id}\""))).code(), 3391);
    let other = company.one(&page("\"Start\"")).0.attribute("iteratorID").unwrap().to_owned();
    company.quickbooks.host_company_preferences(NOW);
    assert_eq!(company.one(&page(&format!("\"Continue\" iteratorID=\"{other}\""))).code(), 3391);
    let without = company.one("<CustomerQueryRq iterator=\"Start\"></CustomerQueryRq>");
    assert_eq!(
        (without.code(), without.message()),
        (3150, "There is a missing element: MaxReturned")
    );
}

#[test]
fn metadata_counts() {
    let mut company = demo::company().0;

    let only = company.one("<CustomerQueryRq metaData=\"MetaDataOnly\"></CustomerQueryRq>");

    assert_eq!((only.0.attribute("retCount"), only.0.children.len()), (Some("8"), 0));
}

#[test]
fn what_is_deleted_is_remembered_for_ninety_days() {
    let mut company = demo::company().0;
    let id = company.id("<ClassAddRq><ClassAdd><Name>Gone</Name></ClassAdd></ClassAddRq>");
    let del = company.one(&format!(
        "<ListDelRq><ListDelType>Class</ListDelType><ListID>{id}</ListID></ListDelRq>"
    ));
    let query = "<ListDeletedQueryRq><ListDelType>Class</ListDelType></ListDeletedQueryRq>";

    assert_eq!(del.0.get("FullName"), "Gone");
    assert_eq!(company.one(query).at("ListID"), id);
    company.now += 91 * 86_400;
    assert_eq!(company.one(query).code(), 1);
    assert_eq!(
        company
            .one(&format!(
                "<ListDelRq><ListDelType>Class</ListDelType><ListID>{id}</ListID></ListDelRq>"
            ))
            .code(),
        3120
    );
}

#[test]
fn extensions_are_answered_in_order_and_held_against_their_definition() {
    let mut company = Company::new();
    let said = company.one(
        "<DataExtDefAddRq><DataExtDefAdd><OwnerID>0</OwnerID><DataExtName>Color</DataExtName>\
         <DataExtType>STR255TYPE</DataExtType><AssignToObject>Item</AssignToObject>\
         <AssignToObject>Invoice</AssignToObject></DataExtDefAdd></DataExtDefAddRq>",
    );
    let order: Vec<_> = said.ret().children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(
        order,
        [
            "OwnerID",
            "DataExtID",
            "DataExtName",
            "DataExtType",
            "AssignToObject",
            "AssignToObject",
            "DataExtListRequire",
            "DataExtTxnRequire",
            "DataExtFormatString"
        ]
    );
    company.id("<CustomerAddRq><CustomerAdd><Name>Sue</Name></CustomerAdd></CustomerAddRq>");
    let mut invoice = |name: &str| {
        company.one(&format!(
            "<InvoiceAddRq><InvoiceAdd><CustomerRef><FullName>Sue</FullName></CustomerRef>\
             <InvoiceLineAdd><Desc>x</Desc><DataExt><OwnerID>0</OwnerID><DataExtName>{name}\
             </DataExtName><DataExtValue>red</DataExtValue></DataExt></InvoiceLineAdd></InvoiceAdd>\
             </InvoiceAddRq>"
        ))
    };

    let (known, unknown) = (invoice("color"), invoice("Size"));

    assert_eq!((known.code(), unknown.code()), (0, 3121));
    let line = known.at("InvoiceLineRet/TxnLineID");
    let mut add = |place: &str| {
        company.one(&format!(
            "<DataExtAddRq><DataExtAdd><OwnerID>0</OwnerID><DataExtName>Color</DataExtName>{place}\
             <DataExtValue>blue</DataExtValue></DataExtAdd></DataExtAddRq>"
        ))
    };
    let of_line = |line: &str| {
        format!(
            "<TxnDataExtType>Invoice</TxnDataExtType><TxnID>{}</TxnID><TxnLineID>{line}</TxnLineID>",
            known.id()
        )
    };
    assert_eq!(add(&of_line(line)).at("DataExtType"), "STR255TYPE");
    assert_eq!(add(&of_line("1-1")).code(), 3120);
    let customer = "<ListDataExtType>Customer</ListDataExtType><ListObjRef><FullName>Sue</FullName>\
                    </ListObjRef>";
    assert_eq!(add(customer).code(), 3121);
    let body = &company.quickbooks.books().get(&known.id()).unwrap().body;
    assert_eq!(body.at("InvoiceLineRet/DataExtRet/DataExtValue"), "blue");
}

#[test]
fn the_file_id_is_stamped_into_the_company() {
    let mut company = Company::new();
    let owner = "<OwnerID>{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}</OwnerID><DataExtName>FileID</DataExtName>";
    let value = format!(
        "<DataExtAddRq><DataExtAdd>{owner}<OtherDataExtType>Company</OtherDataExtType><DataExtValue>{{90A4}}</DataExtValue></DataExtAdd></DataExtAddRq>"
    );
    assert_eq!(company.one(&value).code(), 3121);
    company.one(&format!("<DataExtDefAddRq><DataExtDefAdd>{owner}<DataExtType>STR255TYPE</DataExtType><AssignToObject>Company</AssignToObject></DataExtDefAdd></DataExtDefAddRq>"));

    assert_eq!(company.one(&value).code(), 0);

    let asked = company.one("<CompanyQueryRq><OwnerID>{57f3b9b6-86f1-4fcc-b1ff-966de1813d20}</OwnerID></CompanyQueryRq>");
    assert_eq!(asked.at("DataExtRet/DataExtValue"), "{90A4}");
    assert!(
        company
            .quickbooks
            .host_company_preferences(NOW)
            .contains("<DataExtName>FileID</DataExtName>")
    );
    assert!(company.one("<CompanyQueryRq></CompanyQueryRq>").ret().child("DataExtRet").is_none());
}

#[test]
fn the_start_of_a_session_tells_host_company_and_preferences() {
    let text = Company::new().quickbooks.host_company_preferences(NOW);

    let ids: Vec<_> = answers(&text)
        .iter()
        .map(|said| said.0.attribute("requestID").unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["0", "1", "2"]);
    assert!(text.contains("<CompanyName>Rock Castle Construction</CompanyName>"));
    assert!(text.contains("<SupportedQBXMLVersion>16.0</SupportedQBXMLVersion>"));
    for said in answers(&text) {
        assert_eq!(super::super::grammar::ANSWERS.accepts(&said.0, Version(16, 0)), Ok(()));
    }
}
