//! The rules of lists and transactions, and the words of their errors.

use super::*;

/// A company with a customer that has a job, a vendor, items, a bill and an invoice.
struct Shop {
    company: Company,
    customer: String,
    job: String,
    invoice: String,
    bill: String,
}

fn item(kind: &str, name: &str, price: &str) -> String {
    format!(
        "<Item{kind}AddRq><Item{kind}Add><Name>{name}</Name><SalesOrPurchase><Desc>The {name}</Desc>\
         <Price>{price}</Price><AccountRef><FullName>Services</FullName></AccountRef>\
         </SalesOrPurchase></Item{kind}Add></Item{kind}AddRq>"
    )
}

fn line(kind: &str, item: &str, rest: &str) -> String {
    format!("<{kind}LineAdd><ItemRef><FullName>{item}</FullName></ItemRef>{rest}</{kind}LineAdd>")
}

fn add(kind: &str, inner: &str) -> String {
    format!("<{kind}AddRq><{kind}Add>{inner}</{kind}Add></{kind}AddRq>")
}

fn customer(name: &str) -> String {
    format!("<CustomerRef><FullName>{name}</FullName></CustomerRef>")
}

impl Shop {
    fn new() -> Self {
        let mut company = Company::new();
        let sue =
            company.id(&add("Customer", "<Name>Sue</Name><CreditLimit>1000.00</CreditLimit>"));
        let job = company.id(&add(
            "Customer",
            "<Name>Attic</Name><ParentRef><FullName>Sue</FullName></ParentRef>",
        ));
        company.id(&add("Vendor", "<Name>Brightwell</Name>"));
        company.id(&item("Service", "Labor", "100.00"));
        company.id(&item("OtherCharge", "Trip", "35.00"));
        let invoice = company.id(&add(
            "Invoice",
            &format!(
                "{}<RefNumber>I-1</RefNumber>{}",
                customer("Sue"),
                line("Invoice", "Labor", "<Quantity>2</Quantity>")
            ),
        ));
        let expense = "<ExpenseLineAdd><AccountRef><FullName>Rent Expense</FullName></AccountRef><Amount>80.00</Amount></ExpenseLineAdd>";
        let bill = company.id(&add("Bill", &format!("<VendorRef><FullName>Brightwell</FullName></VendorRef><TxnDate>2026-02-01</TxnDate>{expense}")));
        Self { company, customer: sue, job, invoice, bill }
    }

    fn said(&mut self, request: &str) -> (u32, String) {
        let said = self.company.one(request);
        (said.code(), said.message().to_owned())
    }

    fn check(&mut self, request: &str, code: u32, words: &str) {
        let said = self.company.one(request);
        assert_eq!(said.code(), code, "{}", said.message());
        assert!(said.message().contains(words), "{}", said.message());
    }

    fn balance(&mut self, name: &str) -> String {
        let query = format!("<CustomerQueryRq><FullName>{name}</FullName></CustomerQueryRq>");
        self.company.one(&query).at("Balance").to_owned()
    }

    fn sequence(&self, id: &str) -> i64 {
        self.company.quickbooks.books().get(id).unwrap().edit_sequence
    }

    fn body(&self, id: &str) -> &Node {
        &self.company.quickbooks.books().get(id).unwrap().body
    }

    fn pay(who: &str, rest: &str) -> String {
        add("ReceivePayment", &format!("{}{rest}", customer(who)))
    }

    fn change_invoice(&self, inner: &str) -> String {
        format!(
            "<InvoiceModRq><InvoiceMod><TxnID>{}</TxnID><EditSequence>{}</EditSequence>{inner}</InvoiceMod></InvoiceModRq>",
            self.invoice,
            self.sequence(&self.invoice)
        )
    }
}

fn applied(id: &str, amount: &str) -> String {
    format!(
        "<AppliedToTxnAdd><TxnID>{id}</TxnID><PaymentAmount>{amount}</PaymentAmount></AppliedToTxnAdd>"
    )
}

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
