//! What is kept of one object of a response.

/// Members that hold a link to another transaction.
pub(super) const LINKS: [&str; 2] = ["LinkedTxn", "AppliedToTxnRet"];

/// What is kept of one object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ret {
    /// Such as `CustomerRet`.
    pub name: String,
    /// `ListID` of a list object.
    pub list_id: Option<String>,
    /// `TxnID` of a transaction.
    pub txn_id: Option<String>,
    /// `EditSequence`.
    pub edit_sequence: Option<String>,
    /// `TimeModified`, as QuickBooks writes it.
    pub time_modified: Option<String>,
    /// `FullName`, or `Name` where the kind has no levels.
    pub full_name: Option<String>,
    /// `RefNumber`.
    pub ref_number: Option<String>,
    /// `TimeCreated`, as QuickBooks writes it.
    pub time_created: Option<String>,
    /// `TxnDate`.
    pub txn_date: Option<String>,
    /// ListID of the customer, vendor or payee.
    pub entity: Option<String>,
    /// `IsPaid`.
    pub is_paid: Option<bool>,
    /// `IsActive`.
    pub is_active: Option<bool>,
    /// Full name of the customer, vendor or payee.
    pub entity_name: Option<String>,
    /// `Subtotal`, or else `TotalAmount`, `AmountDue` or `Amount`.
    pub amount: Option<String>,
    /// `Balance`, `BalanceRemaining`, or `OpenAmount`.
    pub balance: Option<String>,
    /// `ManufacturerPartNumber` and `BarCodeValue` of an item.
    pub numbers: Vec<String>,
    /// `AccountType` of an account.
    pub account_type: Option<String>,
    /// What people tell it by: street and city, or a description.
    pub hint: Option<String>,
    /// `ListDelType` or `TxnDelType` of what was deleted.
    pub deleted_kind: Option<String>,
    /// `TimeDeleted` of what was deleted.
    pub time_deleted: Option<String>,
    /// What it is linked to, or what it pays.
    pub linked: Vec<Linked>,
    /// `TxnLineID`s of the lines directly in it, in order; what a group line holds is not counted.
    pub line_ids: Vec<String>,
}

/// A transaction that another is linked to (`LinkedTxn`), or pays (`AppliedToTxnRet`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Linked {
    /// `TxnID`.
    pub id: String,
    /// `TxnType`, such as `ReceivePayment`.
    pub kind: String,
    /// `TxnDate`.
    pub date: String,
    /// `RefNumber`.
    pub number: String,
    /// `Amount`.
    pub amount: String,
    /// `BalanceRemaining` of what is paid.
    pub balance: Option<String>,
}

impl Ret {
    pub(super) fn take(&mut self, name: &str, text: String) {
        match name {
            "ListID" => self.list_id = Some(text),
            "TxnID" => self.txn_id = Some(text),
            "EditSequence" => self.edit_sequence = Some(text),
            "TimeCreated" => self.time_created = Some(text),
            "TimeModified" => self.time_modified = Some(text),
            "TxnDate" => self.txn_date = Some(text),
            "FullName" => self.full_name = Some(text),
            "Name" => {
                self.full_name.get_or_insert(text);
            }
            // A sales rep is named by its initials.
            "Initial" if self.name == "SalesRepRet" => {
                self.full_name.get_or_insert(text);
            }
            "RefNumber" => self.ref_number = Some(text),
            "IsPaid" => self.is_paid = Some(text == "true" || text == "1"),
            "IsActive" => self.is_active = Some(text == "true" || text == "1"),
            "AccountType" => self.account_type = Some(text),
            "BarCodeValue" | "ManufacturerPartNumber" if !text.is_empty() => {
                self.numbers.push(text);
            }
            "Balance" | "BalanceRemaining" | "OpenAmount" => self.balance = Some(text),
            "Subtotal" => self.amount = Some(text),
            "TotalAmount" | "AmountDue" | "Amount" => {
                self.amount.get_or_insert(text);
            }
            "Desc" | "SalesDesc" | "Memo" => {
                self.hint.get_or_insert(text);
            }
            "ListDelType" | "TxnDelType" => self.deleted_kind = Some(text),
            "TimeDeleted" => self.time_deleted = Some(text),
            _ => {}
        }
    }

    pub(super) fn take_inner(&mut self, outer: &str, name: &str, text: String) {
        if LINKS.contains(&outer) {
            let Some(linked) = self.linked.last_mut() else { return };
            match name {
                "TxnID" => linked.id = text,
                "TxnType" => linked.kind = text,
                "TxnDate" => linked.date = text,
                "RefNumber" => linked.number = text,
                "Amount" => linked.amount = text,
                "BalanceRemaining" => linked.balance = Some(text),
                _ => {}
            }
            return;
        }
        match (outer, name) {
            ("BillAddress" | "VendorAddress", "Addr1" | "Addr2" | "City") if !text.is_empty() => {
                let hint = self.hint.get_or_insert_default();
                if !hint.is_empty() {
                    hint.push_str(", ");
                }
                hint.push_str(&text);
            }
            ("SalesOrPurchase", "Desc") | ("SalesAndPurchase", "SalesDesc") => {
                self.hint.get_or_insert(text);
            }
            _ => {}
        }
    }
}
