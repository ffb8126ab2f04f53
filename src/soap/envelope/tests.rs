//! Every answer, byte for byte.

use super::*;

const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?><soap:Envelope "#,
    r#"xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" "#,
    r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" "#,
    r#"xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>"#,
);
const TAIL: &str = "</soap:Body></soap:Envelope>";

fn check(answer: Answer, body: &str) {
    assert_eq!(answer.into_xml(), format!("{HEAD}{body}{TAIL}"));
}

fn text(operation: Operation, text: &str) -> Answer {
    Answer::Text(operation, text.to_owned())
}

fn login(strings: &[&str]) -> Answer {
    Answer::Login(strings.iter().map(|&it| it.to_owned()).collect())
}

#[test]
fn every_text_answer_is_written_byte_for_byte() {
    let texts = Operation::ALL.into_iter().filter(|operation| {
        !matches!(operation, Operation::Authenticate | Operation::ReceiveResponseXml)
    });
    for operation in texts {
        let name = operation.name();
        for (given, written) in [
            ("", ""),
            ("OK", "OK"),
            (" a  b ", " a  b "),
            ("a\r\nb\u{1}\u{fffe}", "a\nb"),
            ("ü€𝄞", "ü€𝄞"),
        ] {
            check(
                text(operation, given),
                &format!(
                    "<{name}Response xmlns=\"http://developer.intuit.com/\">\
                     <{name}Result>{written}</{name}Result></{name}Response>"
                ),
            );
        }
    }
}

#[test]
fn a_document_is_escaped_once_and_never_cdata() {
    check(
        text(
            Operation::SendRequestXml,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><?qbxml version=\"13.0\"?>\
             <QBXML><QBXMLMsgsRq onError='stopOnError'><N>A &amp; B ]]&gt;</N></QBXMLMsgsRq></QBXML>",
        ),
        "<sendRequestXMLResponse xmlns=\"http://developer.intuit.com/\"><sendRequestXMLResult>\
         &lt;?xml version=\"1.0\" encoding=\"utf-8\"?&gt;&lt;?qbxml version=\"13.0\"?&gt;\
         &lt;QBXML&gt;&lt;QBXMLMsgsRq onError='stopOnError'&gt;\
         &lt;N&gt;A &amp;amp; B ]]&amp;gt;&lt;/N&gt;&lt;/QBXMLMsgsRq&gt;&lt;/QBXML&gt;\
         </sendRequestXMLResult></sendRequestXMLResponse>",
    );
}

#[test]
fn authenticate_writes_every_string() {
    for (strings, written) in [
        (login(&["0b8f", ""]), "<string>0b8f</string><string></string>"),
        (
            login(&["0b8f", r"C:\A & B.QBW"]),
            r"<string>0b8f</string><string>C:\A &amp; B.QBW</string>",
        ),
        (login(&["", "none"]), "<string></string><string>none</string>"),
        (login(&["", "nvu"]), "<string></string><string>nvu</string>"),
        (login(&["", "busy"]), "<string></string><string>busy</string>"),
        (
            login(&["", "none", "600", ""]),
            "<string></string><string>none</string><string>600</string><string></string>",
        ),
    ] {
        check(
            strings,
            &format!(
                "<authenticateResponse xmlns=\"http://developer.intuit.com/\">\
                 <authenticateResult>{written}</authenticateResult></authenticateResponse>"
            ),
        );
    }
}

#[test]
fn progress_is_a_plain_number() {
    for number in [-1, 1, 50, 100] {
        check(
            Answer::Progress(number),
            &format!(
                "<receiveResponseXMLResponse xmlns=\"http://developer.intuit.com/\">\
                 <receiveResponseXMLResult>{number}</receiveResponseXMLResult>\
                 </receiveResponseXMLResponse>"
            ),
        );
    }
}

#[test]
fn a_fault_is_soap_11_and_escaped() {
    assert_eq!(
        fault("Client", "Unknown operation <foo>"),
        format!(
            "{HEAD}<soap:Fault><faultcode>soap:Client</faultcode>\
             <faultstring>Unknown operation &lt;foo&gt;</faultstring></soap:Fault>{TAIL}"
        )
    );
}
