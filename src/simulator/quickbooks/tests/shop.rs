//! A company in which the rules of lists and transactions are tried.

use super::*;

/// A company with a customer that has a job, a vendor, items, a bill and an invoice.
pub(super) struct Shop {
    pub(super) company: Company,
    pub(super) customer: String,
    pub(super) job: String,
    pub(super) invoice: String,
    pub(super) bill: String,
}

pub(super) fn item(kind: &str, name: &str, price: &str) -> String {
    format!(
        "<Item{kind}AddRq><Item{kind}Add><Name>{name}</Name><SalesOrPurchase><Desc>The {name}</Desc>\
         <Price>{price}</Price><AccountRef><FullName>Services</FullName></AccountRef>\
         </SalesOrPurchase></Item{kind}Add></Item{kind}AddRq>"
    )
}

pub(super) fn line(kind: &str, item: &str, rest: &str) -> String {
    format!("<{kind}LineAdd><ItemRef><FullName>{item}</FullName></ItemRef>{rest}</{kind}LineAdd>")
}

pub(super) fn add(kind: &str, inner: &str) -> String {
    format!("<{kind}AddRq><{kind}Add>{inner}</{kind}Add></{kind}AddRq>")
}

pub(super) fn customer(name: &str) -> String {
    format!("<CustomerRef><FullName>{name}</FullName></CustomerRef>")
}

impl Shop {
    pub(super) fn new() -> Self {
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

    pub(super) fn said(&mut self, request: &str) -> (u32, String) {
        let said = self.company.one(request);
        (said.code(), said.message().to_owned())
    }

    pub(super) fn check(&mut self, request: &str, code: u32, words: &str) {
        let said = self.company.one(request);
        assert_eq!(said.code(), code, "{}", said.message());
        assert!(said.message().contains(words), "{}", said.message());
    }

    pub(super) fn balance(&mut self, name: &str) -> String {
        let query = format!("<CustomerQueryRq><FullName>{name}</FullName></CustomerQueryRq>");
        self.company.one(&query).at("Balance").to_owned()
    }

    pub(super) fn sequence(&self, id: &str) -> i64 {
        self.company.quickbooks.books().get(id).unwrap().edit_sequence
    }

    pub(super) fn body(&self, id: &str) -> &Node {
        &self.company.quickbooks.books().get(id).unwrap().body
    }

    pub(super) fn pay(who: &str, rest: &str) -> String {
        add("ReceivePayment", &format!("{}{rest}", customer(who)))
    }

    pub(super) fn change_invoice(&self, inner: &str) -> String {
        format!(
            "<InvoiceModRq><InvoiceMod><TxnID>{}</TxnID><EditSequence>{}</EditSequence>{inner}</InvoiceMod></InvoiceModRq>",
            self.invoice,
            self.sequence(&self.invoice)
        )
    }
}

pub(super) fn applied(id: &str, amount: &str) -> String {
    format!(
        "<AppliedToTxnAdd><TxnID>{id}</TxnID><PaymentAmount>{amount}</PaymentAmount></AppliedToTxnAdd>"
    )
}
