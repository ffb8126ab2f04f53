//! The company itself: what it tells of itself, and the lists that a new one begins with.

use super::QuickBooks;
use super::Setup;
use super::books::Books;
use super::desk::Desk;
use super::grammar::Version;
use super::lists;
use super::requests::Answered;
use super::xml;
use super::xml::Node;

/// The versions that a host lists, lowest first.
const VERSIONS: &[&str] = &[
    "1.0", "1.1", "2.0", "2.1", "3.0", "4.0", "4.1", "5.0", "6.0", "7.0", "8.0", "9.0", "10.0",
    "11.0", "12.0", "13.0", "14.0", "15.0", "16.0",
];

/// The lists of a new company, as requests.
const OPENING: &str = include_str!("opening.xml");

/// Enters what a new company begins with.
pub(crate) fn open_books(books: &mut Books, now: i64) {
    let root = xml::read_node(OPENING).unwrap_or_default();
    for add in &root.children {
        let mut desk = Desk {
            books,
            locks: &mut Vec::new(),
            macros: &mut std::collections::BTreeMap::new(),
            now,
            version: Version(16, 0),
            request_id: String::new(),
        };
        let kind = add.name.strip_suffix("Add").unwrap_or(&add.name);
        let entered = lists::add(&mut desk, kind, add);
        debug_assert!(entered.is_ok(), "{}: {entered:?}", add.to_text());
    }
}

/// `HostRet`.
pub(crate) fn host(setup: &Setup) -> Node {
    let highest: Version = setup.sdk.parse().unwrap_or_default();
    let mut host = Node::of(
        "HostRet",
        vec![
            Node::leaf("ProductName", "QuickBooks Enterprise Solutions 23.0"),
            Node::leaf("MajorVersion", "33"),
            Node::leaf("MinorVersion", "0"),
            Node::leaf("Country", setup.edition.as_str()),
        ],
    );
    for version in VERSIONS.iter().filter(|it| it.parse::<Version>().is_ok_and(|it| it <= highest))
    {
        host.children.push(Node::leaf("SupportedQBXMLVersion", *version));
    }
    host.children.push(Node::leaf("IsAutomaticLogin", "false"));
    host.children.push(Node::leaf("QBFileMode", "MultiUser"));
    host
}

/// `CompanyRet`, with the extensions of the owners that are asked for.
pub(crate) fn company(desk: &Desk<'_>, request: &Node) -> Node {
    let owners: Vec<String> =
        request.all("OwnerID").map(|owner| owner.text.trim().to_ascii_lowercase()).collect();
    of_books(desk.books, |owner| owners.iter().any(|it| it == owner))
}

fn of_books(books: &Books, shown: impl Fn(&str) -> bool) -> Node {
    let name = books.ledger.settings.get("CompanyName").map_or("", String::as_str);
    let mut company = Node::of(
        "CompanyRet",
        vec![
            Node::leaf("IsSampleCompany", "false"),
            Node::leaf("CompanyName", name),
            Node::leaf("LegalCompanyName", name),
            Node::leaf("FirstMonthFiscalYear", "January"),
            Node::leaf("FirstMonthIncomeTaxYear", "January"),
        ],
    );
    for (key, value) in &books.ledger.extensions {
        let Some((owner, field)) = key.split_once('/').filter(|(owner, _)| shown(owner)) else {
            continue;
        };
        company.children.push(Node::of(
            "DataExtRet",
            vec![
                Node::leaf("OwnerID", owner),
                Node::leaf("DataExtName", field),
                Node::leaf("DataExtType", "STR255TYPE"),
                Node::leaf("DataExtValue", value.as_str()),
            ],
        ));
    }
    company
}

/// `PreferencesRet`, as far as anything here depends on it.
pub(crate) fn preferences(desk: &Desk<'_>) -> Node {
    of_settings(desk.books)
}

fn of_settings(books: &Books) -> Node {
    let mut accounting = Node::of(
        "AccountingPreferences",
        vec![
            Node::leaf("IsUsingAccountNumbers", "true"),
            Node::leaf("IsRequiringAccounts", "true"),
            Node::leaf("IsUsingClassTracking", "true"),
            Node::leaf("IsUsingAuditTrail", "true"),
            Node::leaf("IsAssigningJournalEntryNumbers", "true"),
        ],
    );
    if let Some(date) = books.ledger.settings.get("ClosingDate").filter(|date| !date.is_empty()) {
        accounting.children.push(Node::leaf("ClosingDate", date.as_str()));
    }
    Node::of(
        "PreferencesRet",
        vec![
            accounting,
            Node::of(
                "JobsAndEstimatesPreferences",
                vec![
                    Node::leaf("IsUsingEstimates", "true"),
                    Node::leaf("IsUsingProgressInvoicing", "false"),
                    Node::leaf("IsPrintingItemsWithZeroAmounts", "false"),
                ],
            ),
            Node::of(
                "PurchasesAndVendorsPreferences",
                vec![
                    Node::leaf("IsUsingInventory", "true"),
                    Node::leaf("DaysBillsAreDue", "10"),
                    Node::leaf("IsAutomaticallyUsingDiscounts", "false"),
                ],
            ),
            Node::of(
                "SalesAndCustomersPreferences",
                vec![
                    Node::leaf("IsTrackingReimbursedExpensesAsIncome", "false"),
                    Node::leaf("IsAutoApplyingPayments", "false"),
                ],
            ),
        ],
    )
}

/// The three answers as one document, as the Web Connector carries them.
pub(crate) fn document(it: &QuickBooks, _now: i64) -> String {
    let answers = [
        ("HostQuery", host(&it.setup)),
        ("CompanyQuery", of_books(&it.books, |_| true)),
        ("PreferencesQuery", of_settings(&it.books)),
    ];
    let answers = answers.into_iter().enumerate().map(|(number, (name, ret))| {
        let request = Node::new(&format!("{name}Rq"));
        Answered::ok(vec![ret]).node(&request, &number.to_string())
    });
    let root = Node::of("QBXML", vec![Node::of("QBXMLMsgsRs", answers.collect())]);
    format!("<?xml version=\"1.0\" ?>\n{}", root.to_text())
}
