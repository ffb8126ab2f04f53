//! What transactions settle of each other: the open amount, and the `LinkedTxn` that tells by whom.
//!
//! The links are the truth; what is open is always the total less the links.

use super::books::Object;
use super::desk::Desk;
use super::number::Number;
use super::transactions::Draft;
use super::xml::Node;

/// The element that says how much of a transaction is open.
pub(crate) fn open_element(kind: &str) -> Option<&'static str> {
    match kind {
        "Invoice" | "Charge" => Some("BalanceRemaining"),
        "Bill" | "VendorCredit" => Some("OpenAmount"),
        "CreditMemo" => Some("CreditRemaining"),
        _ => None,
    }
}

/// How much of a transaction is open.
pub(crate) fn open_amount(object: &Object) -> Number {
    open_element(&object.kind).map_or(Number::ZERO, |element| Number::of(object.body.get(element)))
}

/// What a link is made of.
pub(crate) struct Other {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) date: String,
    pub(crate) number: String,
}

impl Other {
    /// A transaction that is being written.
    pub(crate) fn draft(draft: &Draft<'_>) -> Self {
        Self::new(draft.id, draft.kind, &draft.body)
    }

    /// A transaction of the books.
    pub(crate) fn object(object: &Object) -> Self {
        Self::new(&object.id, &object.kind, &object.body)
    }

    fn new(id: &str, kind: &str, body: &Node) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            date: body.get("TxnDate").to_owned(),
            number: body.get("RefNumber").to_owned(),
        }
    }

    /// The link to it.
    pub(crate) fn link(&self, of_type: &str, amount: Number) -> Node {
        let mut link = vec![
            Node::leaf("TxnID", self.id.as_str()),
            Node::leaf("TxnType", self.kind.as_str()),
            Node::leaf("TxnDate", self.date.as_str()),
        ];
        if !self.number.is_empty() {
            link.push(Node::leaf("RefNumber", self.number.as_str()));
        }
        link.push(Node::leaf("LinkType", of_type));
        link.push(Node::leaf("Amount", amount.amount()));
        Node::of("LinkedTxn", link)
    }
}

/// What the links of a transaction have settled.
pub(crate) fn settled(body: &Node) -> Number {
    let links = body.all("LinkedTxn").filter(|link| link.get("LinkType") == "AMTTYPE");
    -links.map(|link| Number::of(link.get("Amount"))).sum::<Number>()
}

/// Sets what is open of a transaction: its total less what is settled.
pub(crate) fn reckon(kind: &str, body: &mut Node, total: Number) {
    let settled = settled(body);
    let open = (total - settled).max(Number::ZERO);
    if let Some(element) = open_element(kind) {
        body.set(element, open.amount());
    }
    match kind {
        "Invoice" => body.set("AppliedAmount", (-settled).amount()),
        "CreditMemo" | "VendorCredit" => return,
        _ => {}
    }
    body.set("IsPaid", if open == Number::ZERO { "true" } else { "false" });
}

/// The total of a transaction that can be settled.
fn total(body: &Node, kind: &str) -> Number {
    match kind {
        "Invoice" => Number::of(body.get("Subtotal")) + Number::of(body.get("SalesTaxTotal")),
        "Bill" => Number::of(body.get("AmountDue")),
        "VendorCredit" => Number::of(body.get("CreditAmount")),
        "CreditMemo" => Number::of(body.get("TotalAmount")),
        _ => Number::of(body.get("Amount")),
    }
}

/// Settles some of a transaction by another.
pub(crate) fn settle(desk: &mut Desk<'_>, id: &str, by: &Other, amount: Number) {
    let Some(object) = desk.books.get(id).cloned() else { return };
    let mut body = object.body.clone();
    body.children.push(by.link("AMTTYPE", -amount));
    let total = total(&body, &object.kind);
    reckon(&object.kind, &mut body, total);
    desk.change(&object, body);
}

/// Takes back all that another settled of a transaction.
pub(crate) fn release(desk: &mut Desk<'_>, id: &str, other: &str) {
    let Some(object) = desk.books.get(id).cloned() else { return };
    let mut body = object.body.clone();
    body.children.retain(|child| child.name != "LinkedTxn" || child.get("TxnID") != other);
    let applied = |node: &Node| node.name.contains("AppliedToTxnRet") && node.get("TxnID") == other;
    let freed: Number = body
        .children
        .iter()
        .filter(|child| applied(child))
        .map(|child| Number::of(child.get("Amount")))
        .sum();
    body.children.retain(|child| !applied(child));
    if object.kind == "ReceivePayment" {
        let unused = Number::of(body.get("UnusedPayment")) + freed;
        body.set("UnusedPayment", unused.amount());
    }
    match object.kind.as_str() {
        "SalesOrder" => body.set("IsFullyInvoiced", "false"),
        "PurchaseOrder" => body.set("IsFullyReceived", "false"),
        _ => {}
    }
    if open_element(&object.kind).is_some() {
        let total = total(&body, &object.kind);
        reckon(&object.kind, &mut body, total);
    }
    desk.change(&object, body);
}

/// Takes back everything between a transaction and all others: it is voided or deleted.
pub(crate) fn release_all(desk: &mut Desk<'_>, object: &Object) {
    let linked = object
        .body
        .children
        .iter()
        .filter(|child| child.name == "LinkedTxn" || child.name.contains("AppliedToTxnRet"));
    for other in linked.map(|link| link.get("TxnID").to_owned()).collect::<Vec<_>>() {
        release(desk, &other, &object.id);
    }
}
