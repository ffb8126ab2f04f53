//! A `.qwc`, read as the Web Connector reads it when it is added.
//!
//! Source: *QBWC Programmer's Guide* 2.0, chapter 4 and appendix A.

use std::net::IpAddr;

use ureq::http::Uri;

use super::xml;
use super::xml::Element;

/// What a `.qwc` says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Qwc {
    /// Shown to the user.
    pub app_name: String,
    /// Where to poll.
    pub app_url: String,
    /// The support page.
    pub app_support: String,
    /// Whose certificate is looked at; that of `AppURL` if missing.
    pub cert_url: String,
    /// The user name.
    pub user_name: String,
    /// A GUID in braces.
    pub owner_id: String,
    /// A GUID in braces: the stamp in the company file.
    pub file_id: String,
    /// `QBFS` or `QBPOS`.
    pub qb_type: String,
    /// Seconds between two runs, if the file proposes some.
    pub every_seconds: Option<u64>,
}

impl Qwc {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// What the Web Connector would say when the file is added.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root = xml::read(text).map_err(|why| format!("QBWC1039: {why}"))?;
        if !root.is("", "QBWCXML") {
            return Err(format!("QBWC1039: the root is {}, not QBWCXML", root.called()));
        }
        let value = |name: &str| {
            let found = root.child("", name);
            found.map(|found| found.text.trim().to_owned()).unwrap_or_default()
        };
        for name in ["AppID", "AppDescription"] {
            if root.child("", name).is_none() {
                return Err(format!("QBWC1039: {name} is missing"));
            }
        }
        // A file that only reads cannot be stamped (3263), and RPC is another contract.
        if value("IsReadOnly").eq_ignore_ascii_case("true") {
            return Err("QBWC1039: IsReadOnly is true, so that nothing can be stamped".to_owned());
        }
        if value("Style").eq_ignore_ascii_case("RPC") {
            return Err("Style is RPC, which the simulated Web Connector does not speak".to_owned());
        }
        let qwc = Self {
            app_name: value("AppName"),
            app_url: value("AppURL"),
            app_support: value("AppSupport"),
            cert_url: value("CertURL"),
            user_name: value("UserName"),
            owner_id: value("OwnerID"),
            file_id: value("FileID"),
            qb_type: value("QBType"),
            every_seconds: root.child("", "Scheduler").and_then(interval),
        };
        qwc.check()?;
        Ok(qwc)
    }

    fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("AppName", &self.app_name),
            ("AppURL", &self.app_url),
            ("AppSupport", &self.app_support),
            ("UserName", &self.user_name),
            ("OwnerID", &self.owner_id),
            ("FileID", &self.file_id),
        ] {
            if value.is_empty() {
                return Err(format!("QBWC1039: {name} is missing"));
            }
        }
        for (name, value) in [("OwnerID", &self.owner_id), ("FileID", &self.file_id)] {
            if !is_guid(value) {
                return Err(format!("QBWC1039: {name} is no GUID in braces: {value}"));
            }
        }
        if !matches!(self.qb_type.as_str(), "QBFS" | "QBPOS") {
            return Err(format!("QBWC1039: QBType is {:?}", self.qb_type));
        }
        let (scheme, host) = split(&self.app_url)?;
        let (_, support) = split(&self.app_support)?;
        for (code, name, host) in [(1001, "AppURL", &host), (1002, "AppSupport", &support)] {
            if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
                return Err(format!("QBWC{code}: {name} is an IP address: {host}"));
            }
        }
        if !scheme.eq_ignore_ascii_case("https") && !host.eq_ignore_ascii_case("localhost") {
            return Err("QBWC1010: AppURL is https, but for localhost".to_owned());
        }
        if !support.eq_ignore_ascii_case(&host) {
            return Err("QBWC1000: AppURL and AppSupport have different hosts".to_owned());
        }
        Ok(())
    }
}

/// The first of the two elements of a scheduler, in seconds.
fn interval(scheduler: &Element) -> Option<u64> {
    let units = [("RunEveryNMinutes", 60), ("RunEveryNSeconds", 1)];
    let (text, unit) = scheduler.children.iter().find_map(|child| {
        let unit = units.iter().find(|(name, _)| *name == child.name)?;
        Some((child.text.trim(), unit.1))
    })?;
    text.parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds > 0)
}

/// Scheme and host of a URL, without the port.
fn split(url: &str) -> Result<(String, String), String> {
    let parsed: Option<Uri> = url.parse().ok();
    let parts = parsed.as_ref().and_then(|url| Some((url.scheme_str()?, url.host()?)));
    let (scheme, host) = parts.ok_or_else(|| format!("QBWC1039: {url} is no URL"))?;
    Ok((scheme.to_owned(), host.to_owned()))
}

fn is_guid(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| {
        let parts: Vec<&str> = inner.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        lengths == [8, 4, 4, 4, 12]
            && inner.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<?xml version=\"1.0\"?>
<!-- <AppName>Not this</AppName> -->
<QBWCXML>
<AppName>A &amp; B</AppName><AppID></AppID><AppURL>https://books.example.com/qbwc?a=1&amp;b=2</AppURL>
<AppDescription><![CDATA[<x>]]></AppDescription><AppSupport>https://books.example.com/</AppSupport>
<UserName> u </UserName><OwnerID>{6c0d5f0e-3c55-4b0c-9a57-0f2f3bd0a111}</OwnerID>
<FileID>{b1b1e1d2-9a0e-4a51-8f6f-5a6f3c0a2222}</FileID><QBType>QBFS</QBType>
<Scheduler><RunEveryNSeconds>30</RunEveryNSeconds><RunEveryNMinutes>5</RunEveryNMinutes></Scheduler>
</QBWCXML>";

    #[test]
    fn a_file_is_read_as_xml() {
        let qwc = Qwc::parse(FILE).unwrap();

        assert_eq!((qwc.app_name.as_str(), qwc.user_name.as_str()), ("A & B", "u"));
        assert_eq!(qwc.app_url, "https://books.example.com/qbwc?a=1&b=2");
        assert_eq!(qwc.every_seconds, Some(30));
        let minutes = FILE.replace("<RunEveryNSeconds>30</RunEveryNSeconds>", "");
        assert_eq!(Qwc::parse(&minutes).unwrap().every_seconds, Some(300));
    }

    #[test]
    fn what_cannot_be_added_is_refused_under_its_code() {
        for (from, to, code) in [
            ("</QBWCXML>", "", "QBWC1039"),
            ("QBWCXML>", "QBWC>", "QBWC1039"),
            ("<AppID></AppID>", "", "QBWC1039"),
            ("<AppName>A &amp; B</AppName>", "", "QBWC1039"),
            ("<QBType>", "<IsReadOnly>true</IsReadOnly><QBType>", "QBWC1039"),
            ("{6c0d5f0e-3c55-4b0c-9a57-0f2f3bd0a111}", "6c0d5f0e", "QBWC1039"),
            ("https://books.example.com/<", "https://www.example.com/<", "QBWC1000"),
            ("https://books.example.com", "https://192.0.2.1", "QBWC1001"),
            ("https://books.example.com/<", "https://[2001:db8::1]/<", "QBWC1002"),
            ("https://books.example.com", "http://books.example.com", "QBWC1010"),
        ] {
            let refused = Qwc::parse(&FILE.replace(from, to)).unwrap_err();
            assert!(refused.starts_with(code), "{to}: {refused}");
        }
        assert!(
            Qwc::parse(&FILE.replace("https://books.example.com", "http://localhost:8170")).is_ok()
        );
    }
}
