//! What holds for the whole company file: closed periods, features that are off, missing accounts.

use serde_json::Value;

use crate::domain::connection::Host;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
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

impl Work<'_> {
    /// A date in a closed period.
    pub(super) fn closed(&self, record: &Record, data: &Value) -> Option<Finding> {
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
        // QuickBooks tells items apart by one of the two, or by none.
        let tracks = |by: &str| host.tracking.as_deref().map(|tracking| tracking == by);
        let off = [
            ("ClassRef", host.class_tracking, "class_tracking"),
            ("CurrencyRef", host.multi_currency, "multi_currency"),
            ("ExchangeRate", host.multi_currency, "multi_currency"),
            ("InventorySiteRef", host.sites, "sites"),
            ("InventorySiteLocationRef", host.sites, "sites"),
            ("SerialNumber", tracks("SerialNumber"), "serial_numbers"),
            ("LotNumber", tracks("LotNumber"), "lot_numbers"),
        ];
        let (pointer, cause) = off.into_iter().find_map(|(member, on, cause)| {
            let at = references::find(data, member).filter(|_| on == Some(false))?;
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

/// The feature that is off without which there are no such objects.
fn kind_off(host: &Host, kind: &str) -> Option<&'static str> {
    let (on, cause) = match kind {
        "Estimate" => (host.estimates, "estimates"),
        "InventorySite" | "TransferInventory" => (host.sites, "sites"),
        "PriceLevel" => (host.price_levels, "price_levels"),
        _ if OF_INVENTORY.contains(&kind) => (host.inventory, "inventory"),
        _ => return None,
    };
    (on == Some(false)).then_some(cause)
}
