//! The WSDL, with the address under which it was asked for.
//!
//! The Web Connector never asks: its proxy is compiled in. A SOAP toolkit makes a client of it.

const WSDL: &str = include_str!("../../wsdl/QBWebConnectorSvc.wsdl");
const ADDRESS: &str = "http://localhost/qbwc";

/// The WSDL of the service at `address`.
pub(crate) fn at(address: &str) -> String {
    WSDL.replace(ADDRESS, &quick_xml::escape::escape(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::contract::Operation;
    use crate::soap::guard::INTUIT;

    #[test]
    fn the_address_stands_in_it_once_and_escaped() {
        let wsdl = at("https://sync.example.com/qbwc?a=1&b=\"2\"");

        assert_eq!(
            wsdl.matches(r#"location="https://sync.example.com/qbwc?a=1&amp;b=&quot;2&quot;""#)
                .count(),
            1
        );
        assert!(!wsdl.contains(ADDRESS));
    }

    #[test]
    fn it_has_the_eight_operations_of_a_session_and_no_others() {
        for operation in &Operation::ALL[..8] {
            let action = format!("soapAction=\"{INTUIT}{}\"", operation.name());

            assert_eq!(WSDL.matches(&action).count(), 1, "{operation:?}");
        }
        assert_eq!(WSDL.matches("soapAction=").count(), 8);
    }
}
