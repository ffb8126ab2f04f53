//! Which list a `…Ref` names, and what may stand there.
//!
//! A field that this does not know is not checked: QuickBooks has the last word.

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
}
