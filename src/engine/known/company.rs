//! What holds for the whole company file: closed periods, features that are off, missing accounts.

use serde_json::Value;

use crate::domain::connection::Host;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Group;
use crate::domain::record::Record;
use crate::engine::references;
use crate::engine::work::Work;

/// Transactions that do not post, so that a closing date does not hold for them (QuickBooks help,
/// "Non-posting transactions").
const OPEN: [&str; 3] = ["Estimate", "SalesOrder", "PurchaseOrder"];

/// What one preference switches on: "Inventory and purchase orders are active" (QuickBooks help,
/// "Turn on inventory").
const OF_INVENTORY: [&str; 6] = [
    "PurchaseOrder",
    "ItemReceipt",
    "ItemInventory",
    "ItemInventoryAssembly",
    "InventoryAdjustment",
    "BuildAssembly",
];

/// Members that need a feature, and the cause that its absence is.
const MEMBERS: [(&str, &str); 7] = [
    ("ClassRef", "class_tracking"),
    ("CurrencyRef", "multi_currency"),
    ("ExchangeRate", "multi_currency"),
    ("InventorySiteRef", "sites"),
    ("InventorySiteLocationRef", "sites"),
    ("SerialNumber", "serial_numbers"),
    ("LotNumber", "lot_numbers"),
];

impl Work<'_> {
    /// A date in a closed period.
    pub(crate) fn closed(&self, record: &Record, data: &Value) -> Option<Finding> {
        let closing = self.state.host.as_ref()?.closing_date.as_deref()?;
        let day = data.get("TxnDate").and_then(Value::as_str)?.trim();
        if day > closing || OPEN.contains(&record.key.kind.as_str()) {
            return None;
        }
        let finding = Finding::new(Code::ClosedPeriod).at("/data/TxnDate").fact("field", "TxnDate");
        Some(finding.fact("value", day).fact("closingDate", closing).fact("kind", &record.key.kind))
    }

    /// What needs a feature that is off in the company file.
    pub(super) fn switched_off(&self, record: &Record, data: &Value) -> Option<Finding> {
        let host = self.state.host.as_ref()?;
        let finding = Finding::new(Code::FeatureNotAvailable).fact("kind", &record.key.kind);
        if let Some(cause) = kind_off(host, &record.key.kind) {
            return Some(finding.cause(cause));
        }
        let (pointer, cause) = MEMBERS.into_iter().find_map(|(member, cause)| {
            let is_off = is_on(host, cause) == Some(false);
            let at = references::find(data, member).filter(|_| is_off)?;
            Some((at, cause))
        })?;
        Some(finding.cause(cause).at(pointer))
    }

    /// Whether a feature is off without which QuickBooks has no such objects.
    pub(crate) fn is_off(&self, kind: &str) -> bool {
        self.state.host.as_ref().is_some_and(|host| kind_off(host, kind).is_some())
    }

    /// No account at all of a type that QuickBooks needs by itself.
    pub(super) fn no_account(&self, record: &Record) -> Option<Finding> {
        let (of_type, kind, field) = match record.key.kind.as_str() {
            "Invoice" | "CreditMemo" | "ReceivePayment" => {
                ("AccountsReceivable", "Accounts Receivable", "ARAccountRef")
            }
            "Bill" | "VendorCredit" | "BillPaymentCheck" | "BillPaymentCreditCard" => {
                ("AccountsPayable", "Accounts Payable", "APAccountRef")
            }
            _ => return None,
        };
        let known = self.state.mirror.get("Account").filter(|part| part.since.is_some())?;
        if known.types.contains(of_type) {
            return None;
        }
        let finding = Finding::new(Code::MissingAccount).fact("kind", kind).fact("field", field);
        Some(finding.fact("expected", of_type))
    }
}

/// Whether a company file has a feature on, by the cause that its absence is; `None` if nobody knows.
fn is_on(host: &Host, cause: &str) -> Option<bool> {
    host.features().into_iter().find(|(name, _)| *name == cause)?.1
}

/// The feature that is off without which there are no such objects.
fn kind_off(host: &Host, kind: &str) -> Option<&'static str> {
    let cause = match kind {
        "Estimate" => "estimates",
        "InventorySite" | "TransferInventory" => "sites",
        "PriceLevel" => "price_levels",
        _ if OF_INVENTORY.contains(&kind) => "inventory",
        _ => return None,
    };
    (is_on(host, cause) == Some(false)).then_some(cause)
}

/// The problems that are gone since a company file told of itself: a feature was turned on. Status
/// 3250 does not say which one it means, so any may be it; and so may another QuickBooks.
pub(crate) fn mended(before: &Host, now: &Host) -> Vec<Group> {
    let turned_on = before
        .features()
        .into_iter()
        .zip(now.features())
        .filter_map(|(was, is)| (was.1 == Some(false) && is.1 == Some(true)).then_some(is.0));
    let mut causes: Vec<&str> = turned_on.collect();
    let another = before.product != now.product || before.qbxml_version != now.qbxml_version;
    if another || !causes.is_empty() {
        causes.push("feature_not_enabled");
    }
    let groups = causes.into_iter();
    groups.map(|cause| Finding::new(Code::FeatureNotAvailable).cause(cause).group()).collect()
}
