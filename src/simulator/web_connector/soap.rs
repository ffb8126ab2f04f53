//! The calls of the contract, as the real client writes and reads them.
//!
//! Exact out, strict in: an answer that the .NET client would not read is an error here, in its words.
//!
//! Source: *QBWC Programmer's Guide* 2.0; captured calls of QBWC 2.2 and 2.3 (johnballantyne/qbws#10);
//! `SoapHttpClientProtocol` of .NET.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::Proxy;
use ureq::config::AutoHeaderValue;
use ureq::http::Uri;
use ureq::tls::PemItem;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;
use ureq::tls::parse_pem;

use super::xml;
use super::xml::Element;

/// The namespace of the contract.
const INTUIT: &str = "http://developer.intuit.com/";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const USER_AGENT: &str =
    "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)";
/// The .NET default for one call.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long .NET waits for `100 Continue` before it sends the body all the same.
const AWAIT_100: Duration = Duration::from_millis(350);
/// The longest answer that is read.
const MAX_ANSWER: u64 = 64 << 20;

/// Why a call did not work; the words are those of the .NET client where it has some.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody answers.
    #[error("{operation}: unable to connect to the remote server: {why}")]
    Network {
        /// The call.
        operation: String,
        /// What the network said.
        why: String,
    },
    /// Somebody answers whose certificate nobody vouches for.
    #[error(
        "{operation}: could not establish a trust relationship for the SSL/TLS secure channel: {why}"
    )]
    Trust {
        /// The call.
        operation: String,
        /// What is wrong with the certificate.
        why: String,
    },
    /// Not 200.
    #[error("{operation}: the request failed with HTTP status {status}{fault}")]
    Status {
        /// The call.
        operation: String,
        /// The status code.
        status: u16,
        /// `: ` and the text of a SOAP fault, if there is one.
        fault: String,
    },
    /// Not what the contract says.
    #[error("{operation}: {why}")]
    Contract {
        /// The call.
        operation: String,
        /// What is wrong.
        why: String,
    },
}

impl CallError {
    /// Why no answer came.
    fn of(operation: &str, error: &ureq::Error) -> Self {
        let tls = match error {
            ureq::Error::Rustls(error) => Some(error),
            ureq::Error::Io(error) => error.get_ref().and_then(|it| it.downcast_ref()),
            _ => None,
        };
        let (operation, why) = (operation.to_owned(), error.to_string());
        match tls {
            Some(rustls::Error::InvalidCertificate(why)) => {
                Self::Trust { operation, why: why.to_string() }
            }
            _ => Self::Network { operation, why },
        }
    }
}

/// A connection to one endpoint.
#[derive(Debug)]
pub(crate) struct Wire {
    agent: Agent,
    url: String,
    roots: RootCerts,
    /// What the server wants to be told again, until the session ends.
    cookies: RefCell<BTreeMap<String, String>>,
}

/// What an operation answered: one text, or the texts of an array.
pub(crate) type Answered = Result<Vec<String>, CallError>;

impl Wire {
    pub(crate) fn new(url: &str) -> Self {
        let roots = RootCerts::WebPki;
        let cookies = RefCell::default();
        Self { agent: agent(url, &roots), url: url.to_owned(), roots, cookies }
    }

    /// Forgets the cookies of the session before.
    pub(crate) fn begin(&self) {
        self.cookies.borrow_mut().clear();
    }

    /// The header that tells the cookies, if there are some.
    fn told(&self) -> Option<String> {
        let cookies = self.cookies.borrow();
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what a `Set-Cookie` says; the address is always the same, so path and domain are too.
    fn keep(&self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let gone = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
        let mut cookies = self.cookies.borrow_mut();
        if gone {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Trusts the certificates of a PEM text, and no others.
    pub(crate) fn trust(&mut self, pem: &[u8]) -> Result<(), String> {
        let mut roots = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(root) = item.map_err(|error| error.to_string())? {
                roots.push(root);
            }
        }
        if roots.is_empty() {
            return Err("there is no certificate in it (PEM)".to_owned());
        }
        self.roots = RootCerts::Specific(Arc::new(roots));
        self.agent = agent(&self.url, &self.roots);
        Ok(())
    }

    /// The `GET` that looks at the certificate: any answer will do.
    pub(crate) fn preflight(&self, url: &str) -> Result<u16, CallError> {
        let called = agent(url, &self.roots).get(url).call();
        let called = called.map_err(|error| CallError::of(&format!("GET {url}"), &error))?;
        Ok(called.status().as_u16())
    }

    /// One call. `arguments` in the order of the schema.
    pub(crate) fn call(&self, operation: &str, arguments: &[(&str, &str)]) -> Answered {
        let wrong = |why: String| CallError::Contract { operation: operation.to_owned(), why };
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "text/xml; charset=utf-8")
            .header("SOAPAction", format!("\"{INTUIT}{operation}\""))
            .header("Expect", "100-continue");
        if let Some(cookies) = self.told() {
            request = request.header("Cookie", cookies);
        }
        let answer = request.send(envelope(operation, arguments));
        let mut answer = answer.map_err(|error| CallError::of(operation, &error))?;
        for cookie in answer.headers().get_all("set-cookie") {
            self.keep(cookie.to_str().unwrap_or_default());
        }
        let status = answer.status().as_u16();
        let media_type = answer.headers().get("content-type").and_then(|it| it.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        let body = body.map_err(|error| CallError::of(operation, &error))?;
        let is_xml = media_type
            .split(';')
            .next()
            .is_some_and(|it| it.trim().eq_ignore_ascii_case("text/xml"));
        if status != 200 {
            // Of other errors the client reads no body.
            let fault = if is_xml && status == 500 { fault(&body) } else { String::new() };
            return Err(CallError::Status { operation: operation.to_owned(), status, fault });
        }
        if !is_xml {
            return Err(wrong(format!(
                "Client found response content type of '{media_type}', but expected 'text/xml'."
            )));
        }
        read(&body, operation).map_err(wrong)
    }
}

/// A client for one address. What is on this machine is called without a proxy, whatever the
/// environment says, as Windows does it.
fn agent(url: &str, roots: &RootCerts) -> Agent {
    let proxy = if is_local(url) { None } else { Proxy::try_from_env() };
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .timeout_await_100(Some(AWAIT_100))
        .user_agent(USER_AGENT)
        .accept(AutoHeaderValue::None)
        .proxy(proxy)
        .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
        .build()
        .into()
}

/// Whether an address is on this machine.
fn is_local(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The request, byte for byte as the client writes it.
fn envelope(operation: &str, arguments: &[(&str, &str)]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope \
         xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>",
    );
    if arguments.is_empty() {
        let _ = write!(out, "<{operation} xmlns=\"{INTUIT}\" />");
    } else {
        let _ = write!(out, "<{operation} xmlns=\"{INTUIT}\">");
        for (name, value) in arguments {
            if value.is_empty() {
                let _ = write!(out, "<{name} />");
            } else {
                let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let _ = write!(out, "<{name}>{value}</{name}>");
            }
        }
        let _ = write!(out, "</{operation}>");
    }
    out.push_str("</soap:Body></soap:Envelope>");
    out
}

/// What an answer says: the envelope and the body of SOAP 1.1, whatever stands beside them.
fn body(bytes: &[u8]) -> Result<Element, String> {
    if bytes.is_empty() {
        return Err("the response is empty".to_owned());
    }
    let not_well_formed = |why: String| format!("Response is not well-formed XML. {why}");
    if !bytes.starts_with(b"<") {
        return Err(not_well_formed("It does not begin with <.".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_well_formed(error.to_string()))?;
    let mut envelope = xml::read(text).map_err(not_well_formed)?;
    if !envelope.is(SOAP, "Envelope") {
        return Err(format!("expected {{{SOAP}}}Envelope, found {}", envelope.called()));
    }
    let body = envelope.children.iter_mut().find(|child| child.is(SOAP, "Body"));
    body.map(std::mem::take).ok_or_else(|| format!("there is no {{{SOAP}}}Body"))
}

/// Reads `{op}Response/{op}Result` out of an answer: the items of an array, or one text.
fn read(bytes: &[u8], operation: &str) -> Result<Vec<String>, String> {
    let null = || "Object reference not set to an instance of an object.".to_owned();
    let body = body(bytes)?;
    let Some(first) = body.children.first() else { return Err(null()) };
    if first.is(SOAP, "Fault") {
        return Err(format!("the server answered with a fault{}", faultstring(first)));
    }
    if !first.is(INTUIT, &format!("{operation}Response")) {
        return Err(format!("{} was not expected", first.called()));
    }
    let result = first.child(INTUIT, &format!("{operation}Result"));
    let result = result.filter(|result| !result.is_nil).ok_or_else(null)?;
    if operation == "authenticate" {
        let items = result.children.iter().filter(|item| item.is(INTUIT, "string"));
        return Ok(items.map(|item| item.text.clone()).collect());
    }
    match result.children.first() {
        None => Ok(vec![result.text.clone()]),
        Some(child) => Err(format!("{} stands where a text is expected", child.called())),
    }
}

/// `: ` and the text of a fault.
fn faultstring(fault: &Element) -> String {
    let said = fault.children.iter().find(|child| child.name == "faultstring");
    said.map_or_else(String::new, |said| format!(": {}", said.text.trim()))
}

/// The same of the body of an error.
fn fault(bytes: &[u8]) -> String {
    let fault = body(bytes).ok().and_then(|body| body.child(SOAP, "Fault").cloned());
    fault.as_ref().map_or_else(String::new, faultstring)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(inner: &str) -> Vec<u8> {
        format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{SOAP}\"><s:Body>{inner}</s:Body></s:Envelope>"
        )
        .into_bytes()
    }

    #[test]
    fn what_is_on_this_machine_is_known_by_its_host() {
        for url in ["http://127.0.0.1:8170/qbwc", "http://LocalHost/qbwc", "https://[::1]:1/x"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["https://books.example.com/qbwc", "http://localhost.example.com", ""] {
            assert!(!is_local(url), "{url}");
        }
    }

    #[test]
    fn a_call_is_written_as_the_client_writes_it() {
        let sent = envelope("authenticate", &[("strUserName", "a&b"), ("strPassword", "")]);

        assert!(sent.ends_with(
            "<soap:Body><authenticate xmlns=\"http://developer.intuit.com/\"><strUserName>a&amp;b\
             </strUserName><strPassword /></authenticate></soap:Body></soap:Envelope>"
        ));
        assert!(
            envelope("serverVersion", &[])
                .contains("<serverVersion xmlns=\"http://developer.intuit.com/\" />")
        );
    }

    /// A response with this in it.
    fn of(operation: &str, inner: &str) -> Vec<u8> {
        let response = format!("{operation}Response");
        answer(&format!("<{response} xmlns=\"{INTUIT}\">{inner}</{response}>"))
    }

    #[test]
    fn texts_and_arrays_are_read() {
        assert_eq!(read(&of("a", "<aResult>1 &lt; 2</aResult>"), "a").unwrap(), ["1 < 2"]);
        assert_eq!(read(&of("a", "<aResult/>"), "a").unwrap(), [""]);
        let array = answer(
            "<i:authenticateResponse xmlns:i=\"http://developer.intuit.com/\"><i:authenticateResult>\
             <i:string>t</i:string><i:string/></i:authenticateResult></i:authenticateResponse>",
        );
        assert_eq!(read(&array, "authenticate").unwrap(), ["t", ""]);
        // Items of another namespace are none.
        let foreign = of(
            "authenticate",
            "<authenticateResult><string>t</string><string xmlns=\"\">x</string></authenticateResult>",
        );
        assert_eq!(read(&foreign, "authenticate").unwrap(), ["t"]);
    }

    #[test]
    fn what_stands_beside_is_passed_over() {
        let with_header = String::from_utf8(of("a", "<b>y</b><aResult>x</aResult><c/>")).unwrap();
        let with_header =
            with_header.replace("<s:Body>", "<s:Header><h xmlns=\"urn:h\"/></s:Header>\n<s:Body>");

        assert_eq!(read(with_header.as_bytes(), "a").unwrap(), ["x"]);
    }

    #[test]
    fn a_fault_is_told_whatever_its_status() {
        let sent = answer(
            "<s:Fault><faultcode>s:Server</faultcode><faultstring>a &amp; b</faultstring></s:Fault>",
        );

        assert_eq!(fault(&sent), ": a & b");
        let read = read(&sent, "a").unwrap_err();
        assert!(read.ends_with("fault: a & b"), "{read}");
    }

    #[test]
    fn what_the_client_would_not_read_is_refused() {
        for inner in [
            "<aResponse><aResult>x</aResult></aResponse>",
            "<bResponse xmlns=\"http://developer.intuit.com/\"/>",
            "<aResponse xmlns=\"http://developer.intuit.com/\"/>",
            "<aResponse xmlns=\"http://developer.intuit.com/\"><aResult xmlns=\"\">t</aResult></aResponse>",
            "<aResponse xmlns=\"http://developer.intuit.com/\"><aResult><string>t</string></aResult></aResponse>",
            "",
        ] {
            assert!(read(&answer(inner), "a").is_err(), "{inner}");
        }
        let nil = "<aResult xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>";
        assert!(read(&of("a", nil), "a").is_err());
        assert!(read(b"", "a").is_err());
        assert!(read(b"\n<?xml version=\"1.0\"?><a/>", "a").is_err());
    }
}
