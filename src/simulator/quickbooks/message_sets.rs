//! Message sets: what a document must be, and how its answer is recovered.
//!
//! A message set with a `newMessageSetID` is carried out once. Its answer is kept under that id
//! until it is acknowledged; the same bytes again get the same answer, and nothing is carried out.
//!
//! Source: QuickBooks SDK Programmer's Guide, "Error recovery", table 31-2; Intuit's sample
//! `InvoiceAdd` (texts of 600 and 9001 to 9005); Onscreen Reference, "Attributes in `QBXMLMsgs`".

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use super::Refused;
use super::Setup;
use super::grammar::REQUESTS;
use super::grammar::Version;
use super::xml;
use super::xml::Node;

/// Drops the answers of all message sets, as an `oldMessageSetID`.
const CLEAR_ALL: &str = "ClearAllMessageSets";

/// The longest id.
const LONGEST: usize = 23;

/// Requests that an iterator may walk through.
///
/// Source: attribute `iterator` in the schema of qbXML 13.0.
const ITERABLE: &[&str] = &[
    "LeadQueryRq",
    "CustomerQueryRq",
    "VendorQueryRq",
    "EntityQueryRq",
    "ItemQueryRq",
    "InvoiceQueryRq",
    "EstimateQueryRq",
    "SalesOrderQueryRq",
    "SalesReceiptQueryRq",
    "CreditMemoQueryRq",
    "ReceivePaymentQueryRq",
    "ChargeQueryRq",
    "PurchaseOrderQueryRq",
    "BillQueryRq",
    "ItemReceiptQueryRq",
    "VendorCreditQueryRq",
    "BillPaymentCheckQueryRq",
    "BillPaymentCreditCardQueryRq",
    "SalesTaxPaymentCheckQueryRq",
    "InventoryAdjustmentQueryRq",
    "TimeTrackingQueryRq",
    "CheckQueryRq",
    "CreditCardChargeQueryRq",
    "CreditCardCreditQueryRq",
    "JournalEntryQueryRq",
    "DepositQueryRq",
    "TransactionQueryRq",
    "BuildAssemblyQueryRq",
    "ARRefundCreditCardQueryRq",
    "VehicleMileageQueryRq",
    "TransferInventoryQueryRq",
    "ItemSitesQueryRq",
    "BarCodeQueryRq",
    "TransferQueryRq",
];

/// What happens behind the first error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OnError {
    Continue,
    Stop,
}

/// Whether the answers carry objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ResponseData {
    All,
    None,
}

/// One request document that the parser took.
#[derive(Debug)]
pub(crate) struct MessageSet {
    pub(crate) version: Version,
    pub(crate) on_error: OnError,
    pub(crate) response_data: ResponseData,
    pub(crate) new_id: Option<String>,
    pub(crate) old_id: Option<String>,
    pub(crate) requests: Vec<Node>,
    /// Of its bytes.
    pub(crate) checksum: String,
}

/// An answer kept for recovery.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Kept {
    pub(crate) id: String,
    /// Of the request's bytes.
    pub(crate) checksum: String,
    /// Empty: it could not be stored.
    pub(crate) response: String,
}

/// What becomes of a message set.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Course {
    /// Its requests are carried out, after these ids are forgotten.
    CarryOut { forget: Vec<String> },
    /// The kept answer is given again.
    Repeat(String),
    /// Nothing but this `messageSetStatusCode`.
    Say(u32),
}

/// The answers that are kept.
#[derive(Debug, Default)]
pub(crate) struct MessageSets {
    kept: BTreeMap<String, Kept>,
}

impl MessageSets {
    /// What becomes of a message set, by its two ids.
    pub(crate) fn course(&self, set: &MessageSet) -> Course {
        let ids = [&set.new_id, &set.old_id];
        if ids.into_iter().flatten().any(|id| id.chars().count() > LONGEST) {
            return Course::Say(9004);
        }
        match (set.new_id.as_deref(), set.old_id.as_deref()) {
            (None, None) => Course::CarryOut { forget: Vec::new() },
            (None, Some(CLEAR_ALL)) => Course::CarryOut { forget: self.ids() },
            (None, Some(old)) if self.kept.contains_key(old) => {
                Course::CarryOut { forget: vec![old.to_owned()] }
            }
            (None, Some(_)) => Course::Say(600),
            (Some(new), old) => match self.kept.get(new) {
                Some(kept) if kept.response.is_empty() => Course::Say(9002),
                // A status check need not say again what it asks about.
                Some(kept) if old == Some(new) || kept.checksum == set.checksum => {
                    Course::Repeat(kept.response.clone())
                }
                Some(_) => Course::Say(9001),
                None if old == Some(new) && set.requests.is_empty() => Course::Say(9002),
                None => Course::CarryOut {
                    forget: old
                        .filter(|old| self.kept.contains_key(*old))
                        .map(str::to_owned)
                        .into_iter()
                        .collect(),
                },
            },
        }
    }

    /// The ids of all answers that are kept.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.kept.keys().cloned().collect()
    }

    /// What is kept under an id without its answer: there was one, and it is lost.
    pub(crate) fn lost(&self, id: &str) -> Option<Kept> {
        self.kept.get(id).map(|kept| Kept { response: String::new(), ..kept.clone() })
    }

    /// Drops some answers, then keeps one.
    pub(crate) fn settle(&mut self, kept: Option<Kept>, forgotten: &[String]) {
        for id in forgotten {
            self.kept.remove(id);
        }
        if let Some(kept) = kept {
            self.kept.insert(kept.id.clone(), kept);
        }
    }
}

impl MessageSet {
    /// Reads a document, strictly.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the parser of QuickBooks would not take it.
    pub(crate) fn read(text: &str, setup: &Setup) -> Result<Self, Refused> {
        let unparsed = |_: String| Refused::unparsed();
        let document = xml::read(text).map_err(unparsed)?;
        let declared = document.qbxml.filter(|_| document.declared);
        let version = declared_version(&declared.ok_or_else(Refused::unparsed)?)?;
        if version > setup.sdk.parse().unwrap_or_default() {
            return Err(Refused::version());
        }
        let mut sets = document.root.children;
        let [set] = sets.as_mut_slice() else { return Err(Refused::unparsed()) };
        let names = (document.root.name.as_str(), set.name.as_str());
        if names != ("QBXML", "QBXMLMsgsRq") || !document.root.attributes.is_empty() {
            return Err(Refused::unparsed());
        }
        let set = std::mem::take(set);
        for request in &set.children {
            attributes(request)
                .and_then(|()| REQUESTS.accepts(request, version))
                .map_err(unparsed)?;
        }
        let mut read = Self {
            version,
            on_error: OnError::Continue,
            response_data: ResponseData::All,
            new_id: None,
            old_id: None,
            requests: Vec::new(),
            checksum: checksum(text),
        };
        read.attributes(&set).map_err(unparsed)?;
        read.requests = set.children;
        Ok(read)
    }

    /// Reads the attributes of `QBXMLMsgsRq`.
    fn attributes(&mut self, set: &Node) -> Result<(), String> {
        let mut on_error = None;
        for (name, value) in &set.attributes {
            match (name.as_str(), value.as_str()) {
                ("onError", "continueOnError") => on_error = Some(OnError::Continue),
                ("onError", "stopOnError") => on_error = Some(OnError::Stop),
                // rollbackOnError is in the schema, but QuickBooks Desktop refuses it.
                ("onError", other) => return Err(format!("onError says {other}")),
                ("responseData", "includeAll") => self.response_data = ResponseData::All,
                ("responseData", "includeNone") => self.response_data = ResponseData::None,
                ("newMessageSetID", id) => self.new_id = id_of(id),
                ("oldMessageSetID", id) => self.old_id = id_of(id),
                (other, _) => return Err(format!("QBXMLMsgsRq has the attribute {other}")),
            }
        }
        self.on_error = on_error.ok_or("onError is missing")?;
        Ok(())
    }
}

/// An id, if it says anything.
fn id_of(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads `version="13.0"`.
fn declared_version(instruction: &str) -> Result<Version, Refused> {
    let value = instruction.strip_prefix("version").map(str::trim_start);
    let value = value.and_then(|rest| rest.strip_prefix('=')).map(str::trim);
    let value = value.map(|quoted| quoted.trim_matches(['"', '\'']));
    value.and_then(|text| text.parse().ok()).ok_or_else(Refused::version)
}

/// Holds the attributes of a request against what it may have.
fn attributes(request: &Node) -> Result<(), String> {
    for (name, value) in &request.attributes {
        let query = request.name.ends_with("QueryRq");
        let known = match name.as_str() {
            "requestID" => true,
            "metaData" => {
                let values = ["NoMetaData", "MetaDataOnly", "MetaDataAndResponseData"];
                query && values.contains(&value.as_str())
            }
            "iterator" => {
                iterable(&request.name) && matches!(value.as_str(), "Start" | "Continue" | "Stop")
            }
            "iteratorID" => iterable(&request.name),
            _ => false,
        };
        if !known {
            return Err(format!("{} has the attribute {name}={value:?}", request.name));
        }
    }
    Ok(())
}

fn iterable(request: &str) -> bool {
    let item = request.starts_with("Item") && !request.starts_with("ItemAssemblies");
    ITERABLE.contains(&request) || (item && request.ends_with("QueryRq"))
}

/// SHA-256 in hexadecimal digits.
fn checksum(text: &str) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

impl Refused {
    /// The parser does not take the text.
    pub(crate) fn unparsed() -> Self {
        let message = "QuickBooks found an error when parsing the provided XML text stream.";
        Self { hresult: 0x8004_0400, message: message.to_owned() }
    }

    /// The version is newer than this QuickBooks, or none.
    pub(crate) fn version() -> Self {
        let message = "The version of qbXML that was requested is not supported or is unknown.";
        Self { hresult: 0x8004_0423, message: message.to_owned() }
    }

    /// The disk does not take the change.
    pub(crate) fn disk(error: &std::io::Error) -> Self {
        let message = format!("Unexpected error. Check the error log (qbsdklog.txt): {error}");
        Self { hresult: 0x8004_0402, message }
    }
}
