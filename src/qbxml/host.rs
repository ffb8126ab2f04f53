//! What the first `strHCPResponse` of a session tells: host, company, preferences.
//!
//! It comes from the network, so a quick-xml pass bounds its size and depth and cuts out the three
//! objects before yaserde sees them. Nothing in it is needed to go on: what is missing or unreadable
//! is empty.
//!
//! Source: *QBWC Programmer's Guide* 2.0, chapter 8; OSR, `HostQuery`, `CompanyQuery`,
//! `PreferencesQuery`. QuickBooks Point of Sale sends a sentence instead of XML.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::Writer;
use quick_xml::events::Event;
use yaserde::YaDeserialize;

/// A first call is a few kilobytes; company data with many data extensions a few dozen.
const MAX_BYTES: usize = 4 << 20;
/// `PreferencesRet` has four levels below the envelope's three.
const MAX_DEPTH: usize = 16;
/// Longest default that is kept, in characters: full names have at most 209.
const MAX_DEFAULT: usize = 209;

/// What QuickBooks says of itself (`HostQueryRs`).
///
/// Unknown elements are ignored: newer hosts send more.
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "HostRet")]
pub struct HostRet {
    /// Such as `QuickBooks Enterprise Solutions 24.0`.
    #[yaserde(rename = "ProductName")]
    pub product_name: Option<String>,
    /// `US`, `CA`, `UK`, `AU`.
    #[yaserde(rename = "Country")]
    pub country: Option<String>,
    /// Every qbXML version that the host speaks, such as `13.0`; the highest is not always the last.
    #[yaserde(rename = "SupportedQBXMLVersion")]
    pub supported_versions: Vec<String>,
    /// `SingleUser` or `MultiUser`.
    #[yaserde(rename = "QBFileMode")]
    pub file_mode: Option<String>,
}

/// One data extension of the company file.
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "DataExtRet")]
pub struct DataExtRet {
    /// Whose it is.
    #[yaserde(rename = "OwnerID")]
    pub owner_id: Option<String>,
    /// `FileID` or `AppLock`, for the Web Connector's own.
    #[yaserde(rename = "DataExtName")]
    pub name: Option<String>,
    /// Its value.
    #[yaserde(rename = "DataExtValue")]
    pub value: Option<String>,
}

/// Which company file is open (`CompanyQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "CompanyRet")]
pub struct CompanyRet {
    /// The company's name.
    #[yaserde(rename = "CompanyName")]
    pub name: Option<String>,
    /// Stamps of the Web Connector.
    #[yaserde(rename = "DataExtRet")]
    pub extensions: Vec<DataExtRet>,
}

/// The preferences that decide what QuickBooks refuses (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "AccountingPreferences")]
pub struct AccountingPreferences {
    /// Transactions dated on or before it are closed.
    #[yaserde(rename = "ClosingDate")]
    pub closing_date: Option<String>,
    /// Whether class references are accepted.
    #[yaserde(rename = "IsUsingClassTracking")]
    pub class_tracking: Option<String>,
}

/// Whether several currencies are used (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "MultiCurrencyPreferences")]
pub struct MultiCurrencyPreferences {
    /// Whether currencies are accepted.
    #[yaserde(rename = "IsMultiCurrencyOn")]
    pub is_on: Option<String>,
}

/// Whether estimates are used (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "JobsAndEstimatesPreferences")]
pub struct JobsAndEstimatesPreferences {
    /// Whether estimates are accepted.
    #[yaserde(rename = "IsUsingEstimates")]
    pub estimates: Option<String>,
}

/// Whether inventory and purchase orders are used (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "PurchasesAndVendorsPreferences")]
pub struct PurchasesAndVendorsPreferences {
    /// Whether items of inventory, their receipts and purchase orders are accepted.
    #[yaserde(rename = "IsUsingInventory")]
    pub inventory: Option<String>,
    /// Days after which a bill without terms is due.
    #[yaserde(rename = "DaysBillsAreDue")]
    pub days: Option<String>,
    /// Where discounts that are taken go.
    #[yaserde(rename = "DefaultDiscountAccountRef")]
    pub discounts: Option<Called>,
}

/// An object that a preference names.
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
pub struct Called {
    /// Its full name.
    #[yaserde(rename = "FullName")]
    pub name: Option<String>,
}

/// What sales have where nothing else is said (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "SalesAndCustomersPreferences")]
pub struct SalesAndCustomersPreferences {
    /// How it is shipped.
    #[yaserde(rename = "DefaultShipMethodRef")]
    pub ship_method: Option<Called>,
    /// Where it changes hands.
    #[yaserde(rename = "DefaultFOB")]
    pub fob: Option<String>,
    /// Percent.
    #[yaserde(rename = "DefaultMarkup")]
    pub markup: Option<String>,
}

/// The sales tax where nothing else is said (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "SalesTaxPreferences")]
pub struct SalesTaxPreferences {
    /// The tax.
    #[yaserde(rename = "DefaultItemSalesTaxRef")]
    pub item: Option<Called>,
    /// Of what is taxed.
    #[yaserde(rename = "DefaultTaxableSalesTaxCodeRef")]
    pub taxable: Option<Called>,
    /// Of what is not.
    #[yaserde(rename = "DefaultNonTaxableSalesTaxCodeRef")]
    pub other: Option<Called>,
}

/// Whether inventory stands in several places (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "MultiLocationInventoryPreferences")]
pub struct MultiLocationInventoryPreferences {
    /// Whether sites are accepted.
    #[yaserde(rename = "IsMultiLocationInventoryEnabled")]
    pub is_on: Option<String>,
}

/// How items of inventory are told apart (`PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "ItemsAndInventoryPreferences")]
pub struct ItemsAndInventoryPreferences {
    /// `None`, `SerialNumber` or `LotNumber`.
    #[yaserde(rename = "IsTrackingSerialOrLotNumber")]
    pub tracking: Option<String>,
}

/// Whether price levels are used (`SalesAndCustomersPreferences` of `PreferencesQueryRs`).
#[derive(Clone, Debug, Default, PartialEq, YaDeserialize)]
#[yaserde(rename = "PriceLevels")]
pub struct PriceLevels {
    /// Whether price levels are accepted.
    #[yaserde(rename = "IsUsingPriceLevels")]
    pub is_on: Option<String>,
}

/// What the first call of a session tells, as far as we use it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostFacts {
    /// `ProductName`.
    pub product_name: String,
    /// `Country`.
    pub country: String,
    /// Every qbXML version that the host speaks.
    pub supported_versions: Vec<String>,
    /// `SingleUser` or `MultiUser`.
    pub file_mode: String,
    /// `CompanyName`.
    pub company_name: String,
    /// The `FileID` that stands in the company file under our owner id.
    pub company_file_id: Option<String>,
    /// Whether the Web Connector holds its `AppLock` in the file for our owner id: then it runs our
    /// `.qwc`, and would tell the `FileID` of that, too.
    pub is_locked: bool,
    /// `YYYY-MM-DD`.
    pub closing_date: Option<String>,
    /// Whether classes are used; `None` if it was not told.
    pub class_tracking: Option<bool>,
    /// Whether several currencies are used; `None` if it was not told.
    pub multi_currency: Option<bool>,
    /// Whether estimates are used; `None` if it was not told.
    pub estimates: Option<bool>,
    /// Whether inventory and purchase orders are used; `None` if it was not told.
    pub inventory: Option<bool>,
    /// Whether inventory stands at several sites; `None` if it was not told.
    pub sites: Option<bool>,
    /// Whether price levels are used; `None` if it was not told.
    pub price_levels: Option<bool>,
    /// `None`, `SerialNumber` or `LotNumber`, if it was told.
    pub tracking: Option<String>,
    /// What QuickBooks takes where a record says nothing, by the element of `PreferencesRet`.
    pub defaults: BTreeMap<String, String>,
}

impl HostFacts {
    /// Reads the text of a first call. `owner_id` is a GUID, with or without braces.
    pub fn read(hcp: &str, owner_id: &str) -> Self {
        if hcp.len() > MAX_BYTES {
            return Self::default();
        }
        let host: HostRet = typed(hcp, "HostRet");
        let company: CompanyRet = typed(hcp, "CompanyRet");
        let accounting: AccountingPreferences = typed(hcp, "AccountingPreferences");
        let currency: MultiCurrencyPreferences = typed(hcp, "MultiCurrencyPreferences");
        let jobs: JobsAndEstimatesPreferences = typed(hcp, "JobsAndEstimatesPreferences");
        let purchases: PurchasesAndVendorsPreferences =
            typed(hcp, "PurchasesAndVendorsPreferences");
        let sites: MultiLocationInventoryPreferences =
            typed(hcp, "MultiLocationInventoryPreferences");
        let items: ItemsAndInventoryPreferences = typed(hcp, "ItemsAndInventoryPreferences");
        let levels: PriceLevels = typed(hcp, "PriceLevels");
        let row = |name: &str| {
            company.extensions.iter().find(|extension| {
                extension.name.as_deref() == Some(name)
                    && extension.owner_id.as_deref().is_some_and(|owner| same_id(owner, owner_id))
            })
        };
        let stamp = row("FileID");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self {
            product_name: text(&host.product_name),
            country: text(&host.country),
            supported_versions: host.supported_versions,
            file_mode: text(&host.file_mode),
            company_name: text(&company.name),
            company_file_id: stamp.and_then(|stamp| given(&stamp.value)),
            is_locked: row("AppLock").is_some(),
            closing_date: given(&accounting.closing_date),
            class_tracking: given(&accounting.class_tracking).map(|text| text == "true"),
            multi_currency: given(&currency.is_on).map(|text| text == "true"),
            estimates: given(&jobs.estimates).map(|text| text == "true"),
            inventory: given(&purchases.inventory).map(|text| text == "true"),
            sites: given(&sites.is_on).map(|text| text == "true"),
            price_levels: given(&levels.is_on).map(|text| text == "true"),
            tracking: given(&items.tracking),
            defaults: defaults(hcp, purchases),
        }
    }
}

/// What QuickBooks takes where a record says nothing.
fn defaults(hcp: &str, purchases: PurchasesAndVendorsPreferences) -> BTreeMap<String, String> {
    let sales: SalesAndCustomersPreferences = typed(hcp, "SalesAndCustomersPreferences");
    let tax: SalesTaxPreferences = typed(hcp, "SalesTaxPreferences");
    let name = |called: Option<Called>| called.and_then(|it| it.name);
    let all = [
        ("DaysBillsAreDue", purchases.days),
        ("DefaultDiscountAccountRef", name(purchases.discounts)),
        ("DefaultFOB", sales.fob),
        ("DefaultItemSalesTaxRef", name(tax.item)),
        ("DefaultMarkup", sales.markup),
        ("DefaultNonTaxableSalesTaxCodeRef", name(tax.other)),
        ("DefaultShipMethodRef", name(sales.ship_method)),
        ("DefaultTaxableSalesTaxCodeRef", name(tax.taxable)),
    ];
    let told = all.into_iter().filter_map(|(element, value)| {
        let value: String = value?.trim().chars().take(MAX_DEFAULT).collect();
        (!value.is_empty()).then(|| (element.to_owned(), value))
    });
    told.collect()
}

fn same_id(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.trim().trim_matches(['{', '}']).to_ascii_lowercase();
    bare(a) == bare(b)
}

fn typed<T: YaDeserialize + Default>(text: &str, element: &str) -> T {
    cut(text, element).and_then(|xml| yaserde::de::from_str(&xml).ok()).unwrap_or_default()
}

/// The first element of a name, by itself; `None` if the text is no XML, too deep, or has none.
fn cut(text: &str, element: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    let mut cut: Option<(usize, Writer<Vec<u8>>)> = None;
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Start(start) => {
                if cut.is_none() && start.local_name().as_ref() == element {
                    cut = Some((depth, Writer::new(Vec::new())));
                }
                depth += 1;
                if depth > MAX_DEPTH {
                    return None;
                }
            }
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::DocType(_) | Event::Eof => return None,
            _ => {}
        }
        let ends = matches!(event, Event::End(_));
        if let Some((at, writer)) = &mut cut {
            writer.write_event(event).ok()?;
            if ends && depth == *at {
                let (_, writer) = cut.take()?;
                return String::from_utf8(writer.into_inner()).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "{6C0D5F0E-3C55-4B0C-9A57-0F2F3BD0A111}";

    #[test]
    fn a_first_call_tells_host_company_and_preferences() {
        let hcp = format!(
            "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs>\
             <HostQueryRs requestID=\"0\" statusCode=\"0\"><HostRet><ProductName>QuickBooks Pro</ProductName>\
             <Country>US</Country><SupportedQBXMLVersion>13.0</SupportedQBXMLVersion>\
             <SupportedQBXMLVersion>9.0</SupportedQBXMLVersion><QBFileMode>SingleUser</QBFileMode></HostRet></HostQueryRs>\
             <CompanyQueryRs><CompanyRet><CompanyName>Acme &amp; Co</CompanyName>\
             <DataExtRet><OwnerID>{{other}}</OwnerID><DataExtName>FileID</DataExtName><DataExtValue>no</DataExtValue></DataExtRet>\
             <DataExtRet><OwnerID>{owner}</OwnerID><DataExtName>FileID</DataExtName><DataExtValue>{{b1}}</DataExtValue></DataExtRet>\
             </CompanyRet></CompanyQueryRs><PreferencesQueryRs><PreferencesRet><AccountingPreferences>\
             <IsUsingClassTracking>true</IsUsingClassTracking><ClosingDate>2025-12-31</ClosingDate>\
             </AccountingPreferences><PurchasesAndVendorsPreferences><DaysBillsAreDue>10</DaysBillsAreDue>\
             </PurchasesAndVendorsPreferences><SalesTaxPreferences><DefaultItemSalesTaxRef>\
             <ListID>80000001-1</ListID><FullName>County &amp; State</FullName></DefaultItemSalesTaxRef>\
             </SalesTaxPreferences></PreferencesRet></PreferencesQueryRs></QBXMLMsgsRs></QBXML>",
            owner = OWNER.to_lowercase()
        );

        let facts = HostFacts::read(&hcp, OWNER);

        assert_eq!(facts.company_name, "Acme & Co");
        assert_eq!(facts.company_file_id.as_deref(), Some("{b1}"));
        assert_eq!(facts.supported_versions, ["13.0", "9.0"]);
        assert_eq!(facts.closing_date.as_deref(), Some("2025-12-31"));
        assert_eq!(facts.class_tracking, Some(true));
        let defaults = [("DaysBillsAreDue", "10"), ("DefaultItemSalesTaxRef", "County & State")];
        let defaults = defaults.map(|(element, value)| (element.to_owned(), value.to_owned()));
        assert_eq!(facts.defaults, BTreeMap::from(defaults));
    }

    #[test]
    fn what_cannot_be_read_is_empty() {
        let deep = "<HostRet>".repeat(5000);
        for hcp in [
            "",
            "HOSTQUERY is currently not supported in QBPOS.",
            "<QBXML><HostRet>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><HostRet><Country>&e;</Country></HostRet>",
            &deep,
        ] {
            assert_eq!(HostFacts::read(hcp, OWNER), HostFacts::default(), "{hcp:.40}");
        }
    }
}
