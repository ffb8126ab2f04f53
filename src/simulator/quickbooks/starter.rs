//! What stands in a company file that QuickBooks has just made.
//!
//! Source: the files that QuickBooks' own interview makes; names as in Intuit's samples.

use super::desk::Desk;
use super::lists;
use super::status::Outcome;
use super::xml::Node;

/// Templates: name, type. No request makes one.
const TEMPLATES: &[(&str, &str)] = &[
    ("Intuit Product Invoice", "Invoice"),
    ("Custom Credit Memo", "CreditMemo"),
    ("Custom Sales Receipt", "SalesReceipt"),
    ("Custom Estimate", "Estimate"),
    ("Custom Purchase Order", "PurchaseOrder"),
];

/// Accounts: name, type, what QuickBooks itself uses it for.
const ACCOUNTS: &[(&str, &str, &str)] = &[
    ("Accounts Receivable", "AccountsReceivable", "AccountsReceivable"),
    ("Accounts Payable", "AccountsPayable", "AccountsPayable"),
    ("Undeposited Funds", "OtherCurrentAsset", "UndepositedFunds"),
    ("Checking", "Bank", ""),
    ("Savings", "Bank", ""),
    ("Company Credit Card", "CreditCard", ""),
    ("Inventory Asset", "OtherCurrentAsset", "InventoryAssets"),
    ("Furniture and Equipment", "FixedAsset", ""),
    ("Sales Tax Payable", "OtherCurrentLiability", "SalesTaxPayable"),
    ("Payroll Liabilities", "OtherCurrentLiability", "PayrollLiabilities"),
    ("Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
    ("Retained Earnings", "Equity", "RetainedEarnings"),
    ("Sales", "Income", ""),
    ("Services", "Income", ""),
    ("Cost of Goods Sold", "CostOfGoodsSold", "CostOfGoodsSold"),
    ("Advertising and Promotion", "Expense", ""),
    ("Automobile Expense", "Expense", ""),
    ("Bank Service Charges", "Expense", ""),
    ("Insurance Expense", "Expense", ""),
    ("Office Supplies", "Expense", ""),
    ("Payroll Expenses", "Expense", "PayrollExpenses"),
    ("Rent Expense", "Expense", ""),
    ("Repairs and Maintenance", "Expense", ""),
    ("Telephone Expense", "Expense", ""),
    ("Utilities", "Expense", ""),
    ("Estimates", "NonPosting", "Estimates"),
    ("Purchase Orders", "NonPosting", "PurchaseOrders"),
    ("Sales Orders", "NonPosting", "SalesOrders"),
];

/// Elements of other lists: kind, name, and one more element.
const OTHERS: &[(&str, &str, (&str, &str))] = &[
    ("SalesTaxCode", "Tax", ("IsTaxable", "true")),
    ("SalesTaxCode", "Non", ("IsTaxable", "false")),
    ("StandardTerms", "Due on receipt", ("StdDueDays", "0")),
    ("StandardTerms", "Net 15", ("StdDueDays", "15")),
    ("StandardTerms", "Net 30", ("StdDueDays", "30")),
    ("StandardTerms", "Net 60", ("StdDueDays", "60")),
    ("PaymentMethod", "Cash", ("PaymentMethodType", "Cash")),
    ("PaymentMethod", "Check", ("PaymentMethodType", "Check")),
    ("PaymentMethod", "American Express", ("PaymentMethodType", "AmericanExpress")),
    ("PaymentMethod", "Discover", ("PaymentMethodType", "Discover")),
    ("PaymentMethod", "MasterCard", ("PaymentMethodType", "MasterCard")),
    ("PaymentMethod", "Visa", ("PaymentMethodType", "Visa")),
    ("CustomerType", "Corporate", ("IsActive", "true")),
    ("CustomerType", "Individual", ("IsActive", "true")),
    ("VendorType", "Service Providers", ("IsActive", "true")),
    ("VendorType", "Suppliers", ("IsActive", "true")),
    ("ShipMethod", "DHL", ("IsActive", "true")),
    ("ShipMethod", "Federal Express", ("IsActive", "true")),
    ("ShipMethod", "UPS", ("IsActive", "true")),
    ("ShipMethod", "US Mail", ("IsActive", "true")),
    ("CustomerMsg", "Thank you for your business.", ("IsActive", "true")),
    ("CustomerMsg", "Please remit to above address.", ("IsActive", "true")),
];

/// Fills a new company file.
pub(crate) fn fill(desk: &mut Desk<'_>) -> Outcome<()> {
    for (name, of_type) in TEMPLATES {
        let id = desk.list_id();
        let body = vec![Node::leaf("Name", *name), Node::leaf("TemplateType", *of_type)];
        desk.create("Template", id, Node::of("TemplateRet", body));
    }
    for (name, of_type, special) in ACCOUNTS {
        let mut asked = vec![Node::leaf("Name", *name), Node::leaf("AccountType", *of_type)];
        asked.push(Node::leaf("SpecialAccountType", *special));
        lists::add(desk, "Account", &Node::of("AccountAdd", asked))?;
    }
    for (kind, name, (element, text)) in OTHERS {
        let asked = vec![Node::leaf("Name", *name), Node::leaf(element, *text)];
        lists::add(desk, kind, &Node::of(kind, asked))?;
    }
    Ok(())
}
