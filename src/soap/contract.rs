//! The calls of the Web Connector and our answers, as types.
//!
//! Calls are plain enums, made of what the guard gathered, and not yaserde types: yaserde trims every
//! text (a password `" p "` would become `"p"`) and writes it to the log at debug level. The guard has
//! all values, untrimmed, so a second parse could only lose something. Answers are yaserde types.
//!
//! Source of names and order: Intuit's WSDL of `TroubleshootWebServiceFS`; for the three interactive
//! operations, which stand in no WSDL, the SDK sample `WCWebService` and the Programmer's Guide 2.0,
//! which disagree on `interactiveDone` and `isInteractiveDone`: both are answered.

use secrecy::SecretString;
use yaserde::YaSerialize;

use crate::engine::FirstCall;
use crate::soap::guard::Envelope;

/// Every operation that we answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    ServerVersion,
    ClientVersion,
    Authenticate,
    SendRequestXml,
    ReceiveResponseXml,
    ConnectionError,
    GetLastError,
    CloseConnection,
    GetInteractiveUrl,
    InteractiveRejected,
    InteractiveDone,
    IsInteractiveDone,
}

impl Operation {
    /// All of them, in the order of a session.
    pub(crate) const ALL: [Self; 12] = [
        Self::ServerVersion,
        Self::ClientVersion,
        Self::Authenticate,
        Self::SendRequestXml,
        Self::ReceiveResponseXml,
        Self::ConnectionError,
        Self::GetLastError,
        Self::CloseConnection,
        Self::GetInteractiveUrl,
        Self::InteractiveRejected,
        Self::InteractiveDone,
        Self::IsInteractiveDone,
    ];

    /// Its name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ServerVersion => "serverVersion",
            Self::ClientVersion => "clientVersion",
            Self::Authenticate => "authenticate",
            Self::SendRequestXml => "sendRequestXML",
            Self::ReceiveResponseXml => "receiveResponseXML",
            Self::ConnectionError => "connectionError",
            Self::GetLastError => "getLastError",
            Self::CloseConnection => "closeConnection",
            Self::GetInteractiveUrl => "getInteractiveURL",
            Self::InteractiveRejected => "interactiveRejected",
            Self::InteractiveDone => "interactiveDone",
            Self::IsInteractiveDone => "isInteractiveDone",
        }
    }

    /// The operation of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// One call, but for `receiveResponseXML`, which is read as a stream.
pub(crate) enum Call {
    ServerVersion,
    ClientVersion,
    Authenticate { username: String, password: SecretString },
    SendRequest { ticket: String, first: FirstCall },
    ConnectionError { ticket: String, hresult: String, message: String },
    GetLastError { ticket: String },
    CloseConnection { ticket: String },
    GetInteractiveUrl,
    InteractiveRejected,
    InteractiveDone(Operation),
}

impl Call {
    /// Takes a call out of its envelope; `None` for `receiveResponseXML`. Anything missing is empty.
    pub(crate) fn of(operation: Operation, mut envelope: Envelope) -> Option<Self> {
        let ticket = ticket(&envelope);
        Some(match operation {
            Operation::ServerVersion => Self::ServerVersion,
            Operation::ClientVersion => Self::ClientVersion,
            Operation::Authenticate => Self::Authenticate {
                username: envelope.take("strUserName"),
                password: envelope.take("strPassword").into(),
            },
            Operation::SendRequestXml => Self::SendRequest {
                ticket,
                first: FirstCall {
                    hcp: envelope.take("strHCPResponse"),
                    company_file: envelope.take("strCompanyFileName"),
                    country: envelope.text("qbXMLCountry").trim().to_owned(),
                    major: version(envelope.text("qbXMLMajorVers")),
                    minor: version(envelope.text("qbXMLMinorVers")),
                },
            },
            Operation::ReceiveResponseXml => return None,
            Operation::ConnectionError => Self::ConnectionError {
                ticket,
                hresult: envelope.take("hresult"),
                message: envelope.take("message"),
            },
            Operation::GetLastError => Self::GetLastError { ticket },
            Operation::CloseConnection => Self::CloseConnection { ticket },
            Operation::GetInteractiveUrl => Self::GetInteractiveUrl,
            Operation::InteractiveRejected => Self::InteractiveRejected,
            Operation::InteractiveDone | Operation::IsInteractiveDone => {
                Self::InteractiveDone(operation)
            }
        })
    }
}

/// The ticket of a call. Ours has no white space, so what a client puts around it is noise.
pub(crate) fn ticket(envelope: &Envelope) -> String {
    envelope.text("ticket").trim().to_owned()
}

/// A part of the qbXML version; what is no number is unknown, and so 0.
fn version(text: &str) -> u16 {
    text.trim().parse().unwrap_or(0)
}

/// Declares the answers whose Result is a text or a number.
macro_rules! answers {
    ($($name:ident($response:literal, $result:literal, $type:ty);)*) => {
        $(
            #[derive(YaSerialize)]
            #[yaserde(
                rename = $response,
                prefix = "qb",
                default_namespace = "qb",
                namespaces = {"qb" = "http://developer.intuit.com/"}
            )]
            pub(crate) struct $name {
                #[yaserde(rename = $result, prefix = "qb")]
                pub(crate) result: $type,
            }
        )*
    };
}

answers! {
    ServerVersionResponse("serverVersionResponse", "serverVersionResult", String);
    ClientVersionResponse("clientVersionResponse", "clientVersionResult", String);
    AuthenticateResponse("authenticateResponse", "authenticateResult", ArrayOfString);
    SendRequestXmlResponse("sendRequestXMLResponse", "sendRequestXMLResult", String);
    ReceiveResponseXmlResponse("receiveResponseXMLResponse", "receiveResponseXMLResult", i32);
    ConnectionErrorResponse("connectionErrorResponse", "connectionErrorResult", String);
    GetLastErrorResponse("getLastErrorResponse", "getLastErrorResult", String);
    CloseConnectionResponse("closeConnectionResponse", "closeConnectionResult", String);
    GetInteractiveUrlResponse("getInteractiveURLResponse", "getInteractiveURLResult", String);
    InteractiveRejectedResponse("interactiveRejectedResponse", "interactiveRejectedResult", String);
    InteractiveDoneResponse("interactiveDoneResponse", "interactiveDoneResult", String);
    IsInteractiveDoneResponse("isInteractiveDoneResponse", "isInteractiveDoneResult", String);
}

/// The strings of `authenticateResult`: two, or four to postpone. Every one is written, also an empty
/// one: a client that finds fewer stops with QBWC1012, "Index was outside the bounds of the array".
#[derive(YaSerialize)]
#[yaserde(
    rename = "ArrayOfString",
    prefix = "qb",
    default_namespace = "qb",
    namespaces = {"qb" = "http://developer.intuit.com/"}
)]
pub(crate) struct ArrayOfString {
    #[yaserde(rename = "string", prefix = "qb")]
    pub(crate) strings: Vec<String>,
}
