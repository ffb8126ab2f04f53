//! What QuickBooks says of itself and of its company file: host, company, preferences.

use super::clock;
use super::desk::Desk;
use super::extensions;
use super::grammar::ANSWERS;
use super::references;
use super::requests::Answer;
use super::requests::include;
use super::xml::Node;

/// Every version of qbXML there is; a host speaks those up to its own.
const VERSIONS: &[&str] = &[
    "1.0", "1.1", "2.0", "2.1", "3.0", "4.0", "4.1", "5.0", "6.0", "7.0", "8.0", "9.0", "10.0",
    "11.0", "12.0", "13.0", "14.0", "15.0", "16.0", "17.0",
];

/// Names the program and the versions that it speaks.
pub(crate) fn host(desk: &Desk<'_>, request: &Node) -> Answer {
    let mut host = leaves(&[
        ("ProductName", "QuickBooks Enterprise Solutions 24.0"),
        ("MajorVersion", "34"),
        ("MinorVersion", "0"),
        ("Country", &desk.setup.edition),
    ]);
    let highest = desk.setup.sdk.parse().unwrap_or(desk.version);
    for version in VERSIONS.iter().filter(|version| version.parse().is_ok_and(|v| highest >= v)) {
        host.push(Node::leaf("SupportedQBXMLVersion", *version));
    }
    host.extend(leaves(&[("IsAutomaticLogin", "false"), ("QBFileMode", "MultiUser")]));
    shown(desk, request, "HostRet", host)
}

/// Names the company, with the data extensions of those owners that are asked for.
pub(crate) fn company(desk: &Desk<'_>, request: &Node) -> Answer {
    let name = desk.setup.company_name.as_str();
    let mut company = leaves(&[
        ("IsSampleCompany", "false"),
        ("CompanyName", name),
        ("LegalCompanyName", name),
        ("FirstMonthFiscalYear", "January"),
        ("FirstMonthIncomeTaxYear", "January"),
    ]);
    let service = leaves(&[
        ("Name", "QuickBooks Online Banking"),
        ("Domain", "banking.qb"),
        ("ServiceStatus", "Never"),
    ]);
    company.push(Node::of("SubscribedServices", vec![Node::of("Service", service)]));
    company.push(Node::of("AccountantCopy", leaves(&[("AccountantCopyExists", "false")])));
    company.extend(extensions::of_company(desk, request));
    shown(desk, request, "CompanyRet", company)
}

/// When the company file was last restored and condensed: never.
pub(crate) fn activity(desk: &Desk<'_>, request: &Node) -> Answer {
    let never = clock::stamp(0);
    let activity = leaves(&[("LastRestoreTime", &never), ("LastCondenseTime", &never)]);
    shown(desk, request, "CompanyActivityRet", activity)
}

/// The preferences, the closing date among them.
pub(crate) fn preferences(desk: &Desk<'_>, request: &Node) -> Answer {
    let switched = |feature: &str| {
        let off = matches!(desk.setting(&format!("feature:{feature}")), "off" | "forbidden");
        if off { "false" } else { "true" }
    };
    let mut accounting = leaves(&[
        ("IsUsingAccountNumbers", "true"),
        ("IsRequiringAccounts", "true"),
        ("IsUsingClassTracking", switched("Class")),
        ("IsUsingAuditTrail", "true"),
        ("IsAssigningJournalEntryNumbers", "true"),
    ]);
    if !desk.setting("ClosingDate").is_empty() {
        accounting.push(Node::leaf("ClosingDate", desk.setting("ClosingDate")));
    }
    let levels = leaves(&[
        ("IsUsingPriceLevels", switched("PriceLevel")),
        ("IsRoundingSalesPriceUp", "false"),
    ]);
    let mut sales = leaves(&[
        ("IsTrackingReimbursedExpensesAsIncome", "false"),
        ("IsAutoApplyingPayments", "false"),
    ]);
    sales.push(Node::of("PriceLevels", levels));
    let currencies = desk.is_on("MultiCurrency");
    let mut preferences = vec![
        Node::of("AccountingPreferences", accounting),
        group(
            "FinanceChargePreferences",
            &[
                ("AnnualInterestRate", "0.00"),
                ("MinFinanceCharge", "0.00"),
                ("GracePeriod", "0"),
                ("IsAssessingForOverdueCharges", "false"),
                ("CalculateChargesFrom", "DueDate"),
                ("IsMarkedToBePrinted", "false"),
            ],
        ),
        group(
            "JobsAndEstimatesPreferences",
            &[
                ("IsUsingEstimates", switched("Estimate")),
                ("IsUsingProgressInvoicing", "false"),
                ("IsPrintingItemsWithZeroAmounts", "false"),
            ],
        ),
        group(
            "MultiCurrencyPreferences",
            &[("IsMultiCurrencyOn", if currencies { "true" } else { "false" })],
        ),
        group(
            "MultiLocationInventoryPreferences",
            &[
                ("IsMultiLocationInventoryAvailable", "true"),
                ("IsMultiLocationInventoryEnabled", switched("InventorySite")),
            ],
        ),
        group(
            "PurchasesAndVendorsPreferences",
            &[
                ("IsUsingInventory", switched("ItemInventory")),
                ("DaysBillsAreDue", "10"),
                ("IsAutomaticallyUsingDiscounts", "false"),
            ],
        ),
        group(
            "ReportsPreferences",
            &[("AgingReportBasis", "AgeFromDueDate"), ("SummaryReportBasis", "Accrual")],
        ),
        Node::of("SalesAndCustomersPreferences", sales),
        group("TimeTrackingPreferences", &[("FirstDayOfWeek", "Monday")]),
        group(
            "CurrentAppAccessRights",
            &[("IsAutomaticLoginAllowed", "true"), ("IsPersonalDataAccessAllowed", "false")],
        ),
        group(
            "ItemsAndInventoryPreferences",
            &[
                ("EnhancedInventoryReceivingEnabled", "false"),
                ("IsTrackingSerialOrLotNumber", "None"),
                ("FIFOEnabled", "false"),
                ("IsRSBEnabled", "false"),
                ("IsBarcodeEnabled", "false"),
            ],
        ),
    ];
    preferences.extend(sales_tax(desk));
    shown(desk, request, "PreferencesRet", preferences)
}

/// The preferences of the sales tax, which is used once there is a tax to default to.
fn sales_tax(desk: &Desk<'_>) -> Option<Node> {
    let item = desk.books.of_kind("ItemSalesTax").find(|item| item.is_active())?;
    let codes = ["Tax", "Non"].map(|code| desk.books.find("SalesTaxCode", code));
    let [Some(taxable), Some(other)] = codes else { return None };
    Some(Node::of(
        "SalesTaxPreferences",
        vec![
            references::to("DefaultItemSalesTaxRef", item),
            Node::leaf("PaySalesTax", "Monthly"),
            references::to("DefaultTaxableSalesTaxCodeRef", taxable),
            references::to("DefaultNonTaxableSalesTaxCodeRef", other),
        ],
    ))
}

/// The Ret in the order of the grammar, without what this version does not know.
fn shown(desk: &Desk<'_>, request: &Node, name: &str, children: Vec<Node>) -> Answer {
    let mut ret = Node::of(name, children);
    if let Some(production) = ANSWERS.head(name) {
        ANSWERS.arrange(&mut ret, production, desk.version);
    }
    include(request, &mut ret);
    Answer::of(vec![ret])
}

fn group(name: &str, children: &[(&str, &str)]) -> Node {
    Node::of(name, leaves(children))
}

fn leaves(pairs: &[(&str, &str)]) -> Vec<Node> {
    pairs.iter().map(|(name, text)| Node::leaf(name, *text)).collect()
}
