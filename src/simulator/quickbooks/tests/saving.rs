//! What is saved and what is refused, in the words of QuickBooks.

use super::shop::*;
use super::*;

#[test]
fn an_invoice_takes_prices_and_words_from_its_items() {
    let shop = Shop::new();

    let body = shop.body(&shop.invoice);

    assert_eq!(body.at("InvoiceLineRet/Desc"), "The Labor");
    assert_eq!(body.at("InvoiceLineRet/Rate"), "100.00");
    assert_eq!((body.get("Subtotal"), body.get("BalanceRemaining")), ("200.00", "200.00"));
    assert_eq!(body.at("ARAccountRef/FullName"), "Accounts Receivable");
}

#[test]
fn what_cannot_be_saved_is_told_in_the_words_of_quickbooks() {
    let mut shop = Shop::new();
    let debit = "<JournalDebitLine><AccountRef><FullName>Checking</FullName></AccountRef><Amount>5.00</Amount></JournalDebitLine>";
    let labor = line("Invoice", "Labor", "");
    let empty = add("Invoice", &customer("Sue"));
    let vendor = add("Invoice", &format!("{}{labor}", customer("Brightwell")));
    let nobody = add("Invoice", &format!("{}{labor}", customer("Nobody")));
    let limit = add(
        "Invoice",
        &format!("{}{}", customer("Sue"), line("Invoice", "Labor", "<Quantity>9</Quantity>")),
    );
    let account = add(
        "Invoice",
        &format!(
            "{}<ARAccountRef><FullName>Checking</FullName></ARAccountRef>{labor}",
            customer("Sue")
        ),
    );
    let amount = add(
        "Invoice",
        &format!("{}{}", customer("Sue"), line("Invoice", "Labor", "<Amount>97.5</Amount>")),
    );
    let address = add(
        "Customer",
        "<Name>X</Name><BillAddress><Addr4>4</Addr4><Addr5>5</Addr5><City>C</City></BillAddress>",
    );
    let number = add(
        "Account",
        "<Name>A</Name><AccountType>Bank</AccountType><AccountNumber>1</AccountNumber>",
    );
    let again = add(
        "Account",
        "<Name>B</Name><AccountType>Bank</AccountType><AccountNumber>1</AccountNumber>",
    );

    shop.check(&empty, 3180, "transaction is empty");
    shop.check(&vendor, 3140, "Customer \"Brightwell\" in the Invoice.  QuickBooks error message: The specified name is either invalid or of the wrong type.");
    shop.check(&nobody, 3140, "Customer \"Nobody\" in the Invoice.  QuickBooks error message: Invalid argument.  The specified record does not exist in the list.");
    shop.check(&limit, 3180, "There was an error when saving a Invoice.  QuickBooks error message: The credit limit for the name on this transaction has been exceeded.");
    shop.check(&account, 3140, "AR Account \"Checking\" in the Invoice.");
    shop.check(&amount, 3040, "There was an error when converting the amount \"97.5\"");
    shop.check(&add("JournalEntry", debit), 3180, "Transaction is not in balance.");
    shop.check(&address, 3210, "The \"address\" field has an invalid value \"\".  QuickBooks error message: The parameter is incorrect.");
    shop.check(&number, 0, "Status OK");
    shop.check(&again, 3180, "The account number is already in use.");
    shop.check(
        &add("Vendor", "<Name>sue</Name>"),
        3100,
        "The name \"sue\" of the list element is already in use.",
    );
    shop.check(
        &add("Customer", "<Name>Attic</Name><ParentRef><FullName>Sue</FullName></ParentRef>"),
        3100,
        "Attic",
    );
    shop.check(&add("Customer", "<Name>Incorrect : Name</Name>"), 3090, "There was an error when storing \"Incorrect : Name\" in the \"customer name\" field.  QuickBooks error message: Names in this list cannot contain a colon.  The colon is a special character used to indicate a parent/child relationship.");
    shop.check("<AgingReportQueryRq><AgingReportType>APAgingSummary</AgingReportType></AgingReportQueryRq>", 1030, "not supported");
}

#[test]
fn features_and_permissions_are_switched() {
    let mut shop = Shop::new();
    let order =
        add("SalesOrder", &format!("{}{}", customer("Sue"), line("SalesOrder", "Trip", "")));
    shop.company.quickbooks.set("feature:SalesOrder", "off").unwrap();
    shop.check(
        &order,
        3250,
        "This feature is not enabled or not available in this version of QuickBooks.",
    );
    shop.company.quickbooks.set("feature:SalesOrder", "forbidden").unwrap();
    shop.check(&order, 3260, "Insufficient permission level to perform this action.");
    shop.company.quickbooks.set("feature:SalesOrder", "").unwrap();

    let id = shop.company.id(&order);

    let invoice = add("Invoice", &format!("{}<LinkToTxnID>{id}</LinkToTxnID>", customer("Sue")));
    assert_eq!(shop.company.one(&invoice).at("Subtotal"), "35.00");
    assert_eq!(shop.body(&id).get("IsFullyInvoiced"), "true");
}

#[test]
fn names_that_meet_and_elements_that_merge() {
    let mut shop = Shop::new();
    let bob = shop.company.id(&add("Customer", "<Name>Bob</Name>"));
    let rename = format!(
        "<CustomerModRq><CustomerMod><ListID>{bob}</ListID><EditSequence>{}</EditSequence><Name>Sue</Name></CustomerMod></CustomerModRq>",
        shop.sequence(&bob)
    );
    shop.check(&rename, 3170, "There was an error when modifying a Customers list, element");
    let merge = |shop: &Shop, from: &str, to: &str| {
        let side = |name: &str, id: &str| {
            format!(
                "<{name}><ListID>{id}</ListID><EditSequence>{}</EditSequence></{name}>",
                shop.sequence(id)
            )
        };
        format!(
            "<ListMergeRq><ListMergeType>Customer</ListMergeType>{}{}</ListMergeRq>",
            side("MergeFrom", from),
            side("MergeTo", to)
        )
    };
    let (sue, job) = (shop.customer.clone(), shop.job.clone());
    let with_job = merge(&shop, &sue, &bob);
    shop.check(&with_job, 3500, "Merge not allowed from object with id =");
    assert_eq!(
        shop.said(&format!(
            "<ListDelRq><ListDelType>Customer</ListDelType><ListID>{job}</ListID></ListDelRq>"
        ))
        .0,
        0
    );

    let without = merge(&shop, &sue, &bob);
    assert_eq!(shop.said(&without).0, 0);

    assert_eq!(shop.body(&shop.invoice).at("CustomerRef/ListID"), bob);
    assert_eq!(shop.balance("Bob"), "200.00");
}

#[test]
fn the_store_counts_what_comes_and_goes() {
    let mut shop = Shop::new();
    let stock = "<IncomeAccountRef><FullName>Sales</FullName></IncomeAccountRef><COGSAccountRef><FullName>Cost of Goods Sold</FullName></COGSAccountRef><AssetAccountRef><FullName>Inventory Asset</FullName></AssetAccountRef>";
    shop.company.id(&add(
        "ItemInventory",
        &format!("<Name>Cap</Name><SalesPrice>10.00</SalesPrice>{stock}"),
    ));
    let on_hand = |shop: &mut Shop| {
        shop.company
            .one("<ItemInventoryQueryRq><FullName>Cap</FullName></ItemInventoryQueryRq>")
            .at("QuantityOnHand")
            .to_owned()
    };
    let vendor = "<VendorRef><FullName>Brightwell</FullName></VendorRef>";
    shop.company.id(&add(
        "ItemReceipt",
        &format!("{vendor}{}", line("Item", "Cap", "<Quantity>12</Quantity><Cost>4.00</Cost>")),
    ));
    shop.company.id(&add(
        "SalesReceipt",
        &format!("{}{}", customer("Sue"), line("SalesReceipt", "Cap", "<Quantity>2</Quantity>")),
    ));
    assert_eq!(on_hand(&mut shop), "10");

    let adjust = add(
        "InventoryAdjustment",
        "<AccountRef><FullName>Cost of Goods Sold</FullName></AccountRef><InventoryAdjustmentLineAdd><ItemRef><FullName>Cap</FullName></ItemRef><QuantityAdjustment><NewQuantity>7</NewQuantity></QuantityAdjustment></InventoryAdjustmentLineAdd>",
    );

    assert_eq!(shop.company.one(&adjust).at("InventoryAdjustmentLineRet/QuantityDifference"), "-3");
    assert_eq!(on_hand(&mut shop), "7");
}

#[test]
fn sales_tax_is_reckoned_on_taxable_lines() {
    let mut shop = Shop::new();
    shop.company.id(&add("ItemSalesTax", "<Name>Tacoma</Name><TaxRate>10.0</TaxRate><TaxVendorRef><FullName>Brightwell</FullName></TaxVendorRef>"));
    let taxed = "<SalesTaxCodeRef><FullName>Tax</FullName></SalesTaxCodeRef>";

    let said = shop.company.one(&add(
        "Invoice",
        &format!(
            "{}<ItemSalesTaxRef><FullName>Tacoma</FullName></ItemSalesTaxRef>{}{}",
            customer("Sue"),
            line("Invoice", "Labor", taxed),
            line("Invoice", "Trip", "")
        ),
    ));

    assert_eq!(
        (said.at("Subtotal"), said.at("SalesTaxTotal"), said.at("BalanceRemaining")),
        ("135.00", "10.00", "145.00")
    );
}

#[test]
fn no_name_of_a_list_that_shares_its_names_has_a_colon() {
    let mut shop = Shop::new();
    for kind in ["Customer", "Vendor", "OtherName"] {
        let said = shop.said(&add(kind, "<Name>a:b</Name>"));
        assert_eq!(said.0, 3090, "{kind}: {}", said.1);
    }
    let message = shop.said(&add("CustomerMsg", "<Name>Remit to: us</Name>"));
    assert_eq!(message.0, 0, "{}", message.1);
}

#[test]
fn a_sale_names_its_tax_where_tax_is_used_and_currencies_are_switched_on() {
    let mut shop = Shop::new();
    let sale = add("Invoice", &format!("{}{}", customer("Sue"), line("Invoice", "Trip", "")));
    let currency = add("Currency", "<Name>Groat</Name><CurrencyCode>GRT</CurrencyCode>");
    shop.check(&currency, 3250, "This feature is not enabled");
    shop.check(&sale, 0, "Status OK");

    shop.company.quickbooks.set("SalesTax", "on").unwrap();
    shop.company.quickbooks.set("MultiCurrency", "on").unwrap();

    shop.check(&sale, 3180, "Transaction Sales Tax field cannot be left blank");
    shop.check(&currency, 0, "Status OK");
    let told = shop.company.quickbooks.host_company_preferences(NOW);
    assert!(told.contains("<IsMultiCurrencyOn>true</IsMultiCurrencyOn>"), "{told}");
}
