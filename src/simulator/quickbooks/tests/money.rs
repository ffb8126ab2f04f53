//! What is paid, credited and deposited.

use super::shop::*;

#[test]
fn a_payment_settles_and_a_second_one_is_too_much() {
    let mut shop = Shop::new();
    let id = shop.invoice.clone();
    assert_eq!(shop.balance("Sue"), "200.00");

    let paid =
        Shop::pay("Sue", &format!("<TotalAmount>250.00</TotalAmount>{}", applied(&id, "200.00")));
    let said = shop.company.one(&paid);

    assert_eq!((said.code(), said.at("UnusedPayment")), (0, "50.00"));
    assert_eq!(shop.balance("Sue"), "-50.00");
    assert_eq!(shop.body(&id).get("IsPaid"), "true");
    shop.check(&paid, 3120, &id);
    let removal = format!(
        "<TxnDelRq><TxnDelType>ReceivePayment</TxnDelType><TxnID>{}</TxnID></TxnDelRq>",
        said.id()
    );
    assert_eq!(shop.said(&removal).0, 0);
    assert_eq!(shop.balance("Sue"), "200.00");
    assert_eq!(shop.body(&id).get("IsPaid"), "false");
}

#[test]
fn a_payment_is_for_what_its_customer_owes() {
    let mut shop = Shop::new();
    shop.company.id(&add("Customer", "<Name>Bob</Name>"));
    let id = shop.invoice.clone();
    let words = format!("Object \"{id}\" specified in the request cannot be found.");

    let bob =
        Shop::pay("Bob", &format!("<TotalAmount>200.00</TotalAmount>{}", applied(&id, "200.00")));
    let nothing = Shop::pay("Sue", &applied("77-1", "1.00"));
    let minus_one = Shop::pay("Sue", &applied("-1", "1.00"));
    let more =
        Shop::pay("Sue", &format!("<TotalAmount>10.00</TotalAmount>{}", applied(&id, "20.00")));

    shop.check(&bob, 3120, &words);
    shop.check(&nothing, 3120, "Object \"77-1\"");
    shop.check(
        &minus_one,
        3000,
        "The given object ID \"-1\" in the field \"Transaction id\" is invalid",
    );
    shop.check(&more, 3210, "\"AppliedToTxnAdd payment amount\"");
    assert_eq!(shop.balance("Sue"), "200.00");
}

#[test]
fn a_parent_pays_for_its_job_and_the_oldest_invoice_first() {
    let mut shop = Shop::new();
    let old = shop.company.id(&add(
        "Invoice",
        &format!(
            "{}<TxnDate>2026-01-05</TxnDate>{}",
            customer("Sue:Attic"),
            line("Invoice", "Trip", "")
        ),
    ));

    let said = shop
        .company
        .one(&Shop::pay("Sue", "<TotalAmount>135.00</TotalAmount><IsAutoApply>true</IsAutoApply>"));

    assert_eq!(said.at("AppliedToTxnRet/TxnID"), old);
    assert_eq!(said.ret().all("AppliedToTxnRet").count(), 2);
    assert_eq!(shop.body(&shop.invoice).get("BalanceRemaining"), "100.00");
    let query = format!("<CustomerQueryRq><ListID>{}</ListID></CustomerQueryRq>", shop.customer);
    assert_eq!(shop.company.one(&query).at("TotalBalance"), "100.00");
    assert_eq!(shop.company.quickbooks.books().get(&shop.job).unwrap().name(), "Sue:Attic");
}

#[test]
fn a_changed_payment_settles_anew() {
    let mut shop = Shop::new();
    let id = shop.invoice.clone();
    let payment = shop.company.id(&Shop::pay(
        "Sue",
        &format!("<TotalAmount>150.00</TotalAmount>{}", applied(&id, "150.00")),
    ));
    let change = |shop: &Shop, amount: &str| {
        format!(
            "<ReceivePaymentModRq><ReceivePaymentMod><TxnID>{payment}</TxnID><EditSequence>{}</EditSequence>\
             <AppliedToTxnMod><TxnID>{id}</TxnID><PaymentAmount>{amount}</PaymentAmount></AppliedToTxnMod>\
             </ReceivePaymentMod></ReceivePaymentModRq>",
            shop.sequence(&payment)
        )
    };

    let less = change(&shop, "50.00");
    assert_eq!(shop.said(&less).0, 0);

    assert_eq!(shop.body(&id).get("BalanceRemaining"), "150.00");
    assert_eq!(shop.body(&id).all("LinkedTxn").count(), 1);
    assert_eq!(shop.body(&payment).get("UnusedPayment"), "100.00");
    let much = change(&shop, "151.00");
    assert_eq!(shop.said(&much).0, 3210);
    assert_eq!(shop.body(&id).get("BalanceRemaining"), "150.00");
}

#[test]
fn a_payment_in_a_deposit_stays_as_it_is() {
    let mut shop = Shop::new();
    let payment = shop
        .company
        .id(&Shop::pay("Sue", "<TotalAmount>40.00</TotalAmount><IsAutoApply>true</IsAutoApply>"));
    let deposit = add(
        "Deposit",
        &format!(
            "<DepositToAccountRef><FullName>Checking</FullName></DepositToAccountRef><DepositLineAdd><PaymentTxnID>{payment}</PaymentTxnID></DepositLineAdd>"
        ),
    );
    let waiting = "<ReceivePaymentToDepositQueryRq></ReceivePaymentToDepositQueryRq>";
    assert_eq!(shop.company.one(waiting).at("TxnID"), payment);

    let said = shop.company.one(&deposit);

    assert_eq!((said.code(), said.at("DepositTotal")), (0, "40.00"));
    assert_eq!(shop.said(waiting).0, 1);
    let change = format!(
        "<ReceivePaymentModRq><ReceivePaymentMod><TxnID>{payment}</TxnID><EditSequence>{}</EditSequence><TotalAmount>50.00</TotalAmount></ReceivePaymentMod></ReceivePaymentModRq>",
        shop.sequence(&payment)
    );
    shop.check(&change, 3170, "There was an error when modifying a ReceivePayment.  QuickBooks error message: You need to delete this transaction from the deposit before you can edit its name or amount.");
    assert_eq!(shop.said(&deposit).0, 3120);
    let checking = "<AccountQueryRq><FullName>Checking</FullName></AccountQueryRq>";
    let undeposited = "<AccountQueryRq><FullName>Undeposited Funds</FullName></AccountQueryRq>";
    assert_eq!(shop.company.one(checking).at("Balance"), "40.00");
    assert_eq!(shop.company.one(undeposited).at("Balance"), "0.00");
}

#[test]
fn bills_are_paid_once_from_a_bank() {
    let mut shop = Shop::new();
    let bill = shop.bill.clone();
    let pay = |account: &str, amount: &str| {
        add(
            "BillPaymentCheck",
            &format!(
                "<PayeeEntityRef><FullName>Brightwell</FullName></PayeeEntityRef><BankAccountRef><FullName>{account}</FullName></BankAccountRef><RefNumber>1</RefNumber>{}",
                applied(&bill, amount)
            ),
        )
    };

    shop.check(&pay("Rent Expense", "80.00"), 3140, "QuickBooks Check Account \"Rent Expense\" in the BillPaymentCheck.  QuickBooks error message: The account for this transaction must be of type Bank.");
    shop.check(&pay("Checking", "81.00"), 3210, "You cannot pay more than the amount due.");
    shop.check(&pay("Checking", "80.00"), 0, "Status OK");
    shop.check(&pay("Checking", "80.00"), 3120, &bill);
    assert_eq!(shop.body(&bill).get("IsPaid"), "true");
}

#[test]
fn a_credit_is_used_once() {
    let mut shop = Shop::new();
    let credit = shop
        .company
        .id(&add("CreditMemo", &format!("{}{}", customer("Sue"), line("CreditMemo", "Trip", ""))));
    let id = shop.invoice.clone();
    let using = |amount: &str| {
        format!(
            "<TotalAmount>0.00</TotalAmount><AppliedToTxnAdd><TxnID>{id}</TxnID>\
             <PaymentAmount>0.00</PaymentAmount><SetCredit><CreditTxnID>{credit}</CreditTxnID>\
             <AppliedAmount>{amount}</AppliedAmount></SetCredit></AppliedToTxnAdd>"
        )
    };

    let much = Shop::pay("Sue", &using("35.01"));
    shop.check(
        &much,
        3210,
        "The \"AppliedToTxnAdd credit amount\" field has an invalid value \"35.01\".",
    );
    let right = Shop::pay("Sue", &using("35.00"));
    assert_eq!(shop.said(&right).0, 0);

    assert_eq!(shop.body(&id).get("BalanceRemaining"), "165.00");
    assert_eq!(shop.body(&credit).get("CreditRemaining"), "0.00");
}

#[test]
fn nothing_is_paid_backwards() {
    let mut shop = Shop::new();
    let invoice = shop.invoice.clone();

    let negative = Shop::pay("Sue", &applied(&invoice, "-5.00"));
    shop.check(&negative, 3210, "has an invalid value \"-5.00\"");
    let total = Shop::pay("Sue", "<TotalAmount>-5.00</TotalAmount><IsAutoApply>true</IsAutoApply>");
    shop.check(&total, 3210, "The \"TotalAmount\" field has an invalid value \"-5.00\".");

    assert_eq!(shop.balance("Sue"), "200.00");
}

#[test]
fn an_invoice_is_not_made_less_than_what_is_paid() {
    let mut shop = Shop::new();
    let invoice = shop.invoice.clone();
    shop.company.id(&Shop::pay("Sue", &applied(&invoice, "150.00")));
    let id = shop.body(&invoice).at("InvoiceLineRet/TxnLineID").to_owned();
    let line = |quantity: &str| {
        format!(
            "<InvoiceLineMod><TxnLineID>{id}</TxnLineID><Quantity>{quantity}</Quantity></InvoiceLineMod>"
        )
    };

    let less = shop.change_invoice(&line("1"));
    shop.check(&less, 3170, "There was an error when modifying a Invoice.");
    let more = shop.change_invoice(&line("1.5"));
    shop.check(&more, 0, "Status OK");

    assert_eq!(shop.body(&invoice).get("IsPaid"), "true");
}
