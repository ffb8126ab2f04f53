//! An answer as bytes: always SOAP 1.1, whatever the question was written in (the Web Connector
//! speaks nothing else), with no byte between the elements and none before the declaration.

use std::borrow::Cow;

use yaserde::YaSerialize;
use yaserde::ser::Config;

use crate::soap::contract;
use crate::soap::contract::ArrayOfString;
use crate::soap::contract::Operation;

const OPEN: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?>"#,
    r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/""#,
    r#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#,
    r#" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>"#,
);
const CLOSE: &str = "</soap:Body></soap:Envelope>";

/// What we answer to a call.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// One text, to this operation.
    Text(Operation, String),
    /// The strings of `authenticateResult`.
    Login(Vec<String>),
    /// `receiveResponseXMLResult`.
    Progress(i32),
}

impl Answer {
    /// The envelope.
    pub(crate) fn into_xml(self) -> String {
        match self {
            Self::Login(strings) => {
                let strings = strings.iter().map(|it| clean(it).into_owned()).collect();
                write(&contract::AuthenticateResponse { result: ArrayOfString { strings } })
            }
            Self::Progress(result) => write(&contract::ReceiveResponseXmlResponse { result }),
            Self::Text(operation, text) => text_answer(operation, clean(&text).into_owned()),
        }
    }
}

fn text_answer(operation: Operation, result: String) -> String {
    match operation {
        Operation::ServerVersion => write(&contract::ServerVersionResponse { result }),
        Operation::ClientVersion => write(&contract::ClientVersionResponse { result }),
        Operation::SendRequestXml => write(&contract::SendRequestXmlResponse { result }),
        Operation::ConnectionError => write(&contract::ConnectionErrorResponse { result }),
        Operation::GetLastError => write(&contract::GetLastErrorResponse { result }),
        Operation::CloseConnection => write(&contract::CloseConnectionResponse { result }),
        Operation::GetInteractiveUrl => write(&contract::GetInteractiveUrlResponse { result }),
        Operation::InteractiveRejected => write(&contract::InteractiveRejectedResponse { result }),
        Operation::InteractiveDone => write(&contract::InteractiveDoneResponse { result }),
        Operation::IsInteractiveDone => write(&contract::IsInteractiveDoneResponse { result }),
        Operation::Authenticate | Operation::ReceiveResponseXml => String::new(),
    }
}

/// A SOAP 1.1 fault. `code` is `Client` or `Server`.
pub(crate) fn fault(code: &str, text: &str) -> String {
    let text = clean(text);
    let text = quick_xml::escape::escape(text.as_ref());
    format!(
        "{OPEN}<soap:Fault><faultcode>soap:{code}</faultcode>\
         <faultstring>{text}</faultstring></soap:Fault>{CLOSE}"
    )
}

fn write(answer: &impl YaSerialize) -> String {
    let config = Config { write_document_declaration: false, ..Config::default() };
    let body = yaserde::ser::to_string_with_config(answer, &config);
    format!("{OPEN}{}{CLOSE}", body.expect("memory takes every text"))
}

/// Without the characters that XML 1.0 cannot hold: yaserde would write them, and the Web Connector
/// would refuse the whole answer. Line ends become LF, as every XML reader makes them.
fn clean(text: &str) -> Cow<'_, str> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(text.chars().filter(|c| allowed(*c)).collect())
}

#[cfg(test)]
mod tests;
