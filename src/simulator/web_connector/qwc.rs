//! A `.qwc`, read as the Web Connector reads it when it is added.
//!
//! Source: *QBWC Programmer's Guide* 2.0, chapter 4 and appendix A.

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
    /// Minutes between two runs, if the file proposes some.
    pub every_minutes: Option<u64>,
}

impl Qwc {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// What the Web Connector would say when the file is added.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = |name: &str| -> Result<String, String> {
            let Some((_, rest)) = text.split_once(&format!("<{name}>")) else {
                return Ok(String::new());
            };
            let inner = rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner);
            let inner = inner.ok_or_else(|| format!("QBWC1040: {name} is not closed"))?;
            let plain = quick_xml::escape::unescape(inner.trim());
            plain
                .map(std::borrow::Cow::into_owned)
                .map_err(|error| format!("QBWC1040: {name}: {error}"))
        };
        let qwc = Self {
            app_name: value("AppName")?,
            app_url: value("AppURL")?,
            app_support: value("AppSupport")?,
            cert_url: value("CertURL")?,
            user_name: value("UserName")?,
            owner_id: value("OwnerID")?,
            file_id: value("FileID")?,
            qb_type: value("QBType")?,
            every_minutes: value("RunEveryNMinutes")?.parse().ok(),
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
        if scheme != "https" && !matches!(host, "localhost" | "127.0.0.1") {
            return Err("QBWC1039: AppURL is https, but for localhost".to_owned());
        }
        if split(&self.app_support)?.1 != host {
            return Err("QBWC1000: AppURL and AppSupport have different hosts".to_owned());
        }
        Ok(())
    }
}

/// Scheme and host of a URL, without the port.
fn split(url: &str) -> Result<(&str, &str), String> {
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| format!("QBWC1039: {url} is no URL"))?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    Ok((scheme, authority.rsplit_once(':').map_or(authority, |(host, _)| host)))
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
