//! Which list a `…Ref` names, and what may stand there.
//!
//! A field that this does not know is not checked: QuickBooks has the last word.

use crate::qbxml::schema::schema;

/// The list that a reference names (OSR: what each `…Ref` refers to).
pub fn of<'a>(field: &'a str, own: &'a str) -> Option<&'a str> {
    let name = field.strip_suffix("Ref")?;
    Some(match name {
        "Parent" => own,
        "Customer" | "Job" => "Customer",
        "Vendor" | "PrefVendor" | "TaxVendor" => "Vendor",
        "Entity" | "PayeeEntity" => "Entity",
        "Class" | "OverrideClass" => "Class",
        "Terms" => "Terms",
        "PaymentMethod" | "PreferredPaymentMethod" => "PaymentMethod",
        "ShipMethod" => "ShipMethod",
        "SalesRep" => "SalesRep",
        "CustomerType" | "VendorType" | "JobType" | "CustomerMsg" => name,
        "SalesTaxCode" | "CustomerSalesTaxCode" | "VendorSalesTaxCode" => "SalesTaxCode",
        "Item" | "ItemService" | "ItemInventory" | "ItemSalesTax" | "DiscountItem" => "Item",
        _ if name.ends_with("Account") => "Account",
        _ => return None,
    })
}

/// Whether an object of a kind may stand where a list is named.
pub fn fits(list: &str, kind: &str) -> bool {
    match list {
        "Entity" => matches!(kind, "Customer" | "Vendor" | "Employee" | "OtherName"),
        "Terms" => matches!(kind, "StandardTerms" | "DateDrivenTerms" | "Terms"),
        _ if list.starts_with("Item") => kind.starts_with("Item"),
        _ => list == kind,
    }
}

/// Kinds of which QuickBooks makes one by a name, and an account by a name and a type.
const BY_NAME: [&str; 8] = [
    "StandardTerms",
    "PaymentMethod",
    "ShipMethod",
    "CustomerType",
    "VendorType",
    "JobType",
    "Class",
    "Account",
];

/// The kind of an element that is no more than a name; `None` if it is more. QuickBooks calls it as
/// its SDK does, or in words: `Payment Method`, `AR Account`.
pub fn made_by_name(called: &str) -> Option<&'static str> {
    let plain: String = called.split_whitespace().collect();
    if plain.ends_with("Terms") {
        return Some("StandardTerms");
    }
    let kind = BY_NAME.into_iter().find(|kind| plain.ends_with(kind));
    // It has no other ones.
    kind.or_else(|| plain.ends_with("Method").then_some("ShipMethod"))
}

/// Whether no program can change an element of a list, because qbXML has no `…ModRq` for it: terms,
/// ways to pay and to ship, types of customers. It is called as in [`made_by_name`].
pub fn cannot_be_changed(called: &str) -> bool {
    let plain: String = called.split_whitespace().collect();
    let kind = schema().kind(made_by_name(called).unwrap_or(&plain));
    kind.is_some_and(|kind| kind.modify.is_none())
}

/// The types of accounts that QuickBooks takes at a place of a kind, such as `/data/AccountRef` of a
/// `Check`; empty where it takes several that nobody lists.
///
/// Source: what its refusals say ("must be of type Bank", "must be of type Accounts Receivable";
/// field logs of 3140 and 3180); OSR, `CheckAdd`, `BillPaymentCheckAdd`, and `ItemInventoryAdd`. A
/// charge to a card is not here: it is taken from banks too.
pub fn account_types(kind: &str, pointer: &str) -> &'static [&'static str] {
    let stocked = matches!(kind, "ItemInventory" | "ItemInventoryAssembly");
    match pointer.rsplit('/').next().unwrap_or_default() {
        "ARAccountRef" => &["AccountsReceivable"],
        "APAccountRef" => &["AccountsPayable"],
        "BankAccountRef" => &["Bank"],
        "CreditCardAccountRef" => &["CreditCard"],
        "COGSAccountRef" => &["CostOfGoodsSold"],
        "AssetAccountRef" if stocked => &["OtherCurrentAsset"],
        "IncomeAccountRef" if stocked => &["Income", "OtherIncome"],
        "AccountRef" if kind == "Check" && pointer == "/data/AccountRef" => &["Bank"],
        _ => &[],
    }
}

/// The type of an account that is made for a place of a kind; `None` if nobody can tell. Where the
/// place is not known, what QuickBooks calls it may tell: `AR Account`.
pub fn account_made(kind: &str, pointer: &str, called: &str) -> Option<&'static str> {
    if let Some(of_type) = account_types(kind, pointer).first() {
        return Some(of_type);
    }
    let has = |word: &str| called.split_whitespace().any(|it| it == word);
    Some(match pointer.rsplit('/').next().unwrap_or_default() {
        "IncomeAccountRef" => "Income",
        "ExpenseAccountRef" => "Expense",
        "DepositToAccountRef" => "Bank",
        "AccountRef" if pointer.contains("/ExpenseLine") => "Expense",
        // What a service, other charge or part is sold under.
        "AccountRef" if pointer.contains("/SalesOrPurchase/") => "Income",
        _ if has("AR") => "AccountsReceivable",
        _ if has("AP") => "AccountsPayable",
        _ if has("Income") => "Income",
        _ if has("Expense") => "Expense",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_takes_what_its_list_has() {
        let check = |field: &str, own: &str, kind: &str, expected: bool| {
            let list = of(field, own).unwrap();
            assert_eq!(fits(list, kind), expected, "{kind} in {field}");
        };
        check("CustomerRef", "Invoice", "Customer", true);
        check("CustomerRef", "Invoice", "Vendor", false);
        check("EntityRef", "TimeTracking", "Employee", true);
        check("EntityRef", "TimeTracking", "Account", false);
        check("ParentRef", "ItemService", "ItemService", true);
        check("ItemRef", "Invoice", "ItemInventory", true);
        check("TermsRef", "Invoice", "StandardTerms", true);
        check("DepositToAccountRef", "ReceivePayment", "Account", true);
        assert_eq!(of("TemplateRef", "Invoice"), None);
    }

    #[test]
    fn what_is_no_more_than_a_name_is_told_from_the_rest() {
        for (called, kind) in [
            ("Terms", Some("StandardTerms")),
            ("Payment Method", Some("PaymentMethod")),
            ("Shipping Method", Some("ShipMethod")),
            ("Customer Type", Some("CustomerType")),
            ("AR Account", Some("Account")),
            ("Customer", None),
            ("Item", None),
            ("SalesTaxCode", None),
            ("", None),
        ] {
            assert_eq!(made_by_name(called), kind, "{called}");
        }
    }

    #[test]
    fn what_no_program_can_change_is_told_from_the_rest() {
        for called in
            ["Terms", "StandardTerms", "Payment Method", "ShipMethod", "Job Type", "CustomerMsg"]
        {
            assert!(cannot_be_changed(called), "{called}");
        }
        for called in ["Item", "ItemService", "Customer", "Class", "AR Account", "SalesTaxCode", ""]
        {
            assert!(!cannot_be_changed(called), "{called}");
        }
    }

    #[test]
    fn an_account_has_the_type_that_its_place_takes() {
        for (kind, at, called, wanted) in [
            ("Check", "/data/AccountRef", "Account", Some("Bank")),
            ("Check", "/data/ExpenseLine/0/AccountRef", "Account", Some("Expense")),
            ("CreditCardCharge", "/data/AccountRef", "Account", None),
            ("ItemInventory", "/data/AssetAccountRef", "Account", Some("OtherCurrentAsset")),
            ("ItemFixedAsset", "/data/AssetAccountRef", "Account", None),
            ("ItemService", "/data/SalesOrPurchase/AccountRef", "Account", Some("Income")),
            ("ItemService", "/data/SalesAndPurchase/IncomeAccountRef", "Account", Some("Income")),
            ("ItemDiscount", "/data/AccountRef", "Account", None),
            ("Invoice", "", "AR Account", Some("AccountsReceivable")),
            ("Invoice", "", "Account", None),
        ] {
            assert_eq!(account_made(kind, at, called), wanted, "{kind} {at}");
        }
        // What is made may stand there; of what may be anything, nothing is refused.
        assert!(account_types("Check", "/data/ExpenseLine/0/AccountRef").is_empty());
        assert!(account_types("ItemService", "/data/SalesAndPurchase/IncomeAccountRef").is_empty());
    }
}
