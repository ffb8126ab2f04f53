//! What is changed, cleared, voided, deleted or locked.

use super::shop::*;
use super::*;

#[test]
fn a_mod_keeps_the_lines_it_names_adds_new_ones_and_deletes_the_rest() {
    let mut shop = Shop::new();
    let kept = shop.body(&shop.invoice).at("InvoiceLineRet/TxnLineID").to_owned();
    let both = shop.change_invoice(&format!(
        "<InvoiceLineMod><TxnLineID>{kept}</TxnLineID><Quantity>3</Quantity></InvoiceLineMod>\
         <InvoiceLineMod><TxnLineID>-1</TxnLineID><ItemRef><FullName>Trip</FullName></ItemRef></InvoiceLineMod>"
    ));
    let said = shop.company.one(&both);
    assert_eq!((said.code(), said.at("Subtotal")), (0, "335.00"));
    let lines: Vec<&str> =
        said.ret().all("InvoiceLineRet").map(|line| line.get("TxnLineID")).collect();
    assert_eq!((lines.len(), lines[0]), (2, kept.as_str()));
    let second = lines[1].to_owned();
    assert!(second.ends_with(&shop.company.now.to_string()));

    let header = shop.change_invoice("<Memo>Later</Memo>");
    assert_eq!(shop.company.one(&header).at("Subtotal"), "335.00");
    let one = shop.change_invoice(&format!(
        "<InvoiceLineMod><TxnLineID>{second}</TxnLineID></InvoiceLineMod>"
    ));
    assert_eq!(shop.company.one(&one).at("Subtotal"), "35.00");
    let gone = shop
        .change_invoice(&format!("<InvoiceLineMod><TxnLineID>{kept}</TxnLineID></InvoiceLineMod>"));
    shop.check(&gone, 3120, &kept);
    assert_eq!(shop.body(&shop.invoice).get("Memo"), "Later");
}

#[test]
fn the_closing_date_holds_for_adding_changing_deleting_and_voiding() {
    let mut shop = Shop::new();
    let id = shop.invoice.clone();
    let words = "with a date that is on or before the closing date of the company.";
    let old = add(
        "Invoice",
        &format!("{}<TxnDate>2026-02-20</TxnDate>{}", customer("Sue"), line("Invoice", "Trip", "")),
    );
    let estimate = add(
        "Estimate",
        &format!(
            "{}<TxnDate>2026-02-20</TxnDate>{}",
            customer("Sue"),
            line("Estimate", "Trip", "")
        ),
    );
    shop.company.quickbooks.set("ClosingDate", "2026-02-20").unwrap();

    shop.check(&old, 3171, words);
    shop.check(&estimate, 0, "Status OK");
    let change = shop.change_invoice("<Memo>x</Memo>");
    shop.check(&change, 3171, words);
    shop.check(
        &format!("<TxnDelRq><TxnDelType>Invoice</TxnDelType><TxnID>{id}</TxnID></TxnDelRq>"),
        3161,
        words,
    );
    shop.check(
        &format!("<TxnVoidRq><TxnVoidType>Invoice</TxnVoidType><TxnID>{id}</TxnID></TxnVoidRq>"),
        3171,
        words,
    );
}

#[test]
fn a_void_leaves_nothing_but_the_number() {
    let mut shop = Shop::new();
    let id = shop.invoice.clone();
    let payment = shop.company.id(&Shop::pay(
        "Sue",
        &format!("<TotalAmount>50.00</TotalAmount>{}", applied(&id, "50.00")),
    ));

    let said = shop.company.one(&format!(
        "<TxnVoidRq><TxnVoidType>Invoice</TxnVoidType><TxnID>{id}</TxnID></TxnVoidRq>"
    ));

    assert_eq!((said.code(), said.0.get("RefNumber")), (0, "I-1"));
    let body = shop.body(&id);
    assert_eq!(
        (body.get("Subtotal"), body.at("InvoiceLineRet/Amount"), body.get("Memo")),
        ("0.00", "0.00", "VOID:")
    );
    assert_eq!(shop.body(&payment).get("UnusedPayment"), "50.00");
    assert_eq!(shop.balance("Sue"), "-50.00");
}

#[test]
fn what_is_used_is_not_deleted() {
    let mut shop = Shop::new();
    let del = |id: &str| {
        format!("<ListDelRq><ListDelType>Customer</ListDelType><ListID>{id}</ListID></ListDelRq>")
    };
    let (sue, job) = (shop.customer.clone(), shop.job.clone());

    shop.check(&del(&sue), 3160, "Cannot delete the object specified by the id");
    shop.check(&del(&job), 0, "Status OK");
    shop.check(&del(&job), 3120, &job);
    shop.check(
        &del("nonsense"),
        3000,
        "The given object ID \"nonsense\" in the field \"list id\" is invalid.",
    );
}

#[test]
fn locks_say_who_is_in_the_way() {
    let mut shop = Shop::new();
    let lock = |kind: &str, name: &str| Lock {
        kind: kind.to_owned(),
        name: name.to_owned(),
        times: Some(1),
    };
    let id = shop.invoice.clone();
    shop.company.quickbooks.lock(lock("Invoice", &id));
    let change = shop.change_invoice("<Memo>x</Memo>");
    shop.check(&change, 3175, "There was an error adding, modifying or deleting");
    shop.company.quickbooks.lock(lock("Invoice", "I-1"));
    let pay = Shop::pay("Sue", &applied(&id, "1.00"));
    shop.check(&pay, 3176, "The application failed to acquire the lock.");
    shop.company.quickbooks.lock(lock("Invoice", "I-1"));
    shop.check(
        &format!("<TxnVoidRq><TxnVoidType>Invoice</TxnVoidType><TxnID>{id}</TxnID></TxnVoidRq>"),
        3185,
        "Cannot void the object",
    );
    shop.company.quickbooks.lock(Lock { times: None, ..lock("Customer", "New") });
    let new = add("Customer", "<Name>New</Name>");
    shop.check(&new, 3180, "There was an error when saving a Customers list, element \"New\".  QuickBooks error message: This list has been modified by another user.");
    shop.check(&new, 3180, "This list has been modified by another user.");

    shop.company.quickbooks.as_before();

    shop.check(&new, 0, "Status OK");
}

#[test]
fn a_field_is_cleared_but_not_one_that_must_be_there() {
    let mut shop = Shop::new();
    let stock = shop.company.id(&add("ItemInventory", "<Name>Cap</Name><IncomeAccountRef><FullName>Sales</FullName></IncomeAccountRef><COGSAccountRef><FullName>Cost of Goods Sold</FullName></COGSAccountRef><AssetAccountRef><FullName>Inventory Asset</FullName></AssetAccountRef>"));
    let clear = format!(
        "<ItemInventoryModRq><ItemInventoryMod><ListID>{stock}</ListID><EditSequence>{}</EditSequence><IncomeAccountRef><ListID></ListID></IncomeAccountRef></ItemInventoryMod></ItemInventoryModRq>",
        shop.sequence(&stock)
    );
    let without = shop.change_invoice("<CustomerRef></CustomerRef>");
    let memo = shop.change_invoice("<Memo></Memo>");

    shop.check(&clear, 3190, "Cannot clear the element in the IncomeAccountRef field. ");
    shop.check(&without, 3190, "Cannot clear the element in the CustomerRef field. ");
    shop.check(&memo, 0, "Status OK");
}

#[test]
fn what_is_in_an_item_is_cleared_but_not_its_account() {
    let mut shop = Shop::new();
    let labor = shop.company.quickbooks.books().named("ItemService", "Labor").unwrap().id.clone();
    let change = |shop: &Shop, inner: &str| {
        format!(
            "<ItemServiceModRq><ItemServiceMod><ListID>{labor}</ListID><EditSequence>{}</EditSequence>{inner}</ItemServiceMod></ItemServiceModRq>",
            shop.sequence(&labor)
        )
    };
    let part = |inner: &str| format!("<SalesOrPurchaseMod>{inner}</SalesOrPurchaseMod>");

    let account = change(&shop, &part("<AccountRef></AccountRef>"));
    shop.check(&account, 3190, "Cannot clear the element in the AccountRef field. ");
    let whole = change(&shop, &part(""));
    shop.check(&whole, 3190, "Cannot clear the element in the SalesOrPurchaseMod field. ");
    let words = change(&shop, &part("<Desc></Desc>"));
    shop.check(&words, 0, "Status OK");

    let body = shop.body(&labor);
    assert_eq!(body.at("SalesOrPurchase/Desc"), "");
    assert_eq!(body.at("SalesOrPurchase/Price"), "100.00");
    assert_eq!(body.at("SalesOrPurchase/AccountRef/FullName"), "Services");
}
