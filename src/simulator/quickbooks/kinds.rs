//! The kinds of objects: which name space they live in, and where a reference leads.
//!
//! Customers (at the top), vendors, employees and other names share one name space, inactive ones
//! included; jobs live inside their parent; all items share one; every other list has its own.
//!
//! Source: Onscreen Reference, "Name"; QuickBooks' own message on a duplicate name.

/// Whoever may be paid or may pay.
pub(crate) const ENTITIES: &[&str] = &["Customer", "Vendor", "Employee", "OtherName"];

/// Whatever may stand in a line.
pub(crate) const ITEMS: &[&str] = &[
    "ItemService",
    "ItemNonInventory",
    "ItemOtherCharge",
    "ItemInventory",
    "ItemInventoryAssembly",
    "ItemFixedAsset",
    "ItemSubtotal",
    "ItemDiscount",
    "ItemPayment",
    "ItemSalesTax",
    "ItemSalesTaxGroup",
    "ItemGroup",
];

/// Payment terms.
pub(crate) const TERMS: &[&str] = &["StandardTerms", "DateDrivenTerms"];

/// All transactions that can be added.
pub(crate) const TRANSACTIONS: &[&str] = &[
    "ARRefundCreditCard",
    "Bill",
    "BillPaymentCheck",
    "BillPaymentCreditCard",
    "BuildAssembly",
    "Charge",
    "Check",
    "CreditCardCharge",
    "CreditCardCredit",
    "CreditMemo",
    "Deposit",
    "Estimate",
    "InventoryAdjustment",
    "Invoice",
    "ItemReceipt",
    "JournalEntry",
    "PurchaseOrder",
    "ReceivePayment",
    "SalesOrder",
    "SalesReceipt",
    "SalesTaxPaymentCheck",
    "TimeTracking",
    "Transfer",
    "TransferInventory",
    "VehicleMileage",
    "VendorCredit",
];

/// Transactions that have no effect on the accounts and so are free of the closing date.
pub(crate) const NON_POSTING: &[&str] =
    &["Estimate", "PurchaseOrder", "SalesOrder", "TimeTracking", "VehicleMileage"];

/// Whether it is a transaction, and no element of a list.
pub(crate) fn is_transaction(kind: &str) -> bool {
    TRANSACTIONS.contains(&kind)
}

/// The name space of a list.
pub(crate) fn space(kind: &str) -> &str {
    if ENTITIES.contains(&kind) {
        "name"
    } else if ITEMS.contains(&kind) {
        "item"
    } else if TERMS.contains(&kind) {
        "terms"
    } else {
        kind
    }
}

/// The element that holds the name.
pub(crate) fn name_element(kind: &str) -> &'static str {
    match kind {
        "SalesRep" => "Initial",
        "Lead" => "FullName",
        "SpecialAccount" => "SpecialAccountType",
        "SpecialItem" => "SpecialItemType",
        "ToDo" => "Notes",
        _ => "Name",
    }
}

/// Whether elements of that list have parents.
pub(crate) fn has_parents(kind: &str) -> bool {
    matches!(
        kind,
        "Account"
            | "Class"
            | "Customer"
            | "CustomerType"
            | "JobType"
            | "VendorType"
            | "InventorySite"
    ) || matches!(
        kind,
        "ItemService"
            | "ItemNonInventory"
            | "ItemOtherCharge"
            | "ItemInventory"
            | "ItemInventoryAssembly"
            | "ItemDiscount"
    )
}

/// Whether a name in that list cannot have a colon: it would look like a parent and a child, and
/// what is without parents shares its name space with what has some.
pub(crate) fn has_no_colon(kind: &str) -> bool {
    has_parents(kind) || ENTITIES.contains(&kind) || ITEMS.contains(&kind)
}

/// The list as the messages name it: `Customers`, `Items`.
pub(crate) fn list(kind: &str) -> String {
    match kind {
        _ if ITEMS.contains(&kind) => "Items".to_owned(),
        "Class" => "Classes".to_owned(),
        "StandardTerms" | "DateDrivenTerms" => "Terms".to_owned(),
        "OtherName" => "Other Names".to_owned(),
        _ => format!("{kind}s"),
    }
}

/// What a query returns: one kind, or all of a family.
pub(crate) fn family(query: &str) -> Vec<&str> {
    match query {
        "Entity" => vec!["Customer", "Employee", "OtherName", "Vendor"],
        "Item" => ITEMS.to_vec(),
        "Terms" => TERMS.to_vec(),
        "Transaction" => TRANSACTIONS.to_vec(),
        other => vec![other],
    }
}

/// The kinds that an element such as `CustomerRef` may lead to; `None` if it is no reference of ours.
pub(crate) fn targets(element: &str) -> Option<&'static [&'static str]> {
    let stem = element.strip_suffix("Ref")?;
    let ends = |end: &str| stem.ends_with(end);
    Some(match stem {
        "ItemService" => &["ItemService"],
        "ItemInventory" => &["ItemInventory", "ItemInventoryAssembly"],
        "ItemInventoryAssembly" => &["ItemInventoryAssembly"],
        "ItemGroup" => &["ItemGroup"],
        "ItemOtherCharge" => &["ItemOtherCharge"],
        "ItemNonInventory" => &["ItemNonInventory"],
        "Employee" | "Supervisor" => &["Employee"],
        "Lead" => &["Lead"],
        "ShipMethod" | "DefaultShipMethod" => &["ShipMethod"],
        "CustomerMsg" => &["CustomerMsg"],
        "CustomerType" => &["CustomerType"],
        "VendorType" => &["VendorType"],
        "JobType" => &["JobType"],
        "PriceLevel" => &["PriceLevel"],
        "Template" => &["Template"],
        "SalesRep" => &["SalesRep"],
        "Vehicle" => &["Vehicle"],
        "BillingRate" => &["BillingRate"],
        "PayrollItemWage" => &["PayrollItemWage"],
        "WorkersCompCode" => &["WorkersCompCode"],
        "UnitOfMeasureSet" | "OverrideUOMSet" => &["UnitOfMeasureSet"],
        _ if ends("Account") => &["Account"],
        _ if ends("ItemSalesTax") => &["ItemSalesTax", "ItemSalesTaxGroup"],
        _ if ends("SalesTaxCode") => &["SalesTaxCode"],
        _ if ends("Vendor") => &["Vendor"],
        _ if ends("Customer") => &["Customer"],
        _ if ends("Entity") => ENTITIES,
        _ if ends("Class") => &["Class"],
        _ if ends("Terms") => TERMS,
        _ if ends("PaymentMethod") => &["PaymentMethod"],
        _ if ends("Currency") => &["Currency"],
        _ if ends("InventorySite") || ends("InventorySiteLocation") => &["InventorySite"],
        _ if ends("Item") => ITEMS,
        _ => return None,
    })
}

/// A reference as the messages name it: `CustomerRef` → `Customer`, `ItemSalesTaxRef` →
/// `Item Sales Tax`.
pub(crate) fn spoken(element: &str, object: &str) -> String {
    let stem = element.strip_suffix("Ref").unwrap_or(element);
    match (stem, object) {
        ("ARAccount", _) => "AR Account".to_owned(),
        ("APAccount", _) => "AP Account".to_owned(),
        ("BankAccount", "BillPaymentCheck") | ("Account", "Check") => "Check Account".to_owned(),
        ("SalesTaxCode", line) if line.ends_with("Line") => format!("{line} SalesTaxCode"),
        ("ItemSalesTax", _) => "Item Sales Tax".to_owned(),
        ("SalesTaxCode", _) => "SalesTaxCode".to_owned(),
        _ => {
            let mut words = String::new();
            for character in stem.chars() {
                if character.is_ascii_uppercase()
                    && words.ends_with(|c: char| c.is_ascii_lowercase())
                {
                    words.push(' ');
                }
                words.push(character);
            }
            words
        }
    }
}

/// Whether it pays other transactions.
pub(crate) fn is_payment(kind: &str) -> bool {
    matches!(kind, "ReceivePayment" | "BillPaymentCheck" | "BillPaymentCreditCard")
}
