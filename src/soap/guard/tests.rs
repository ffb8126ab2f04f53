//! The guard against hostile bytes: limits, namespaces, and the time that the worst input takes.

use std::time::Instant;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const BUDGET: usize = 64 << 10;

/// An `authenticate` with a header, in these prefixes.
fn authenticate(soap: &str, prefix: &str, own: &str) -> String {
    let (open, declared) = match own {
        "" => (String::new(), format!("xmlns=\"{INTUIT}\"")),
        own => (format!("{own}:"), format!("xmlns:{own}=\"{INTUIT}\"")),
    };
    format!(
        "<?xml version=\"1.0\"?><{prefix}:Envelope xmlns:{prefix}=\"{soap}\"><{prefix}:Header><a><b/>\
         </a></{prefix}:Header><{prefix}:Body><{open}authenticate {declared}><{open}strUserName>\
         u&amp;&#65;</{open}strUserName><{open}strPassword> p <![CDATA[<w>]]> </{open}strPassword>\
         </{open}authenticate></{prefix}:Body></{prefix}:Envelope>"
    )
}

fn plain() -> String {
    authenticate(SOAP_11, "s", "")
}

fn around(body: &str) -> String {
    format!("<s:Envelope xmlns:s=\"{SOAP_11}\"><s:Body>{body}</s:Body></s:Envelope>")
}

/// Reads a document whole; the response text comes with it.
fn whole(document: &[u8], limit: u64) -> (Envelope, String, Result<(), Malformed>) {
    let mut envelope = Envelope::default();
    let mut text = Vec::new();
    let source = Source::of(Bytes::copy_from_slice(document), BUDGET);
    let read = read(&mut envelope, source, Response { to: &mut text, limit });
    (envelope, String::from_utf8(text).unwrap(), read)
}

/// Reads a document that arrives in pieces of these sizes.
fn pieces(
    document: &[u8],
    mut size: impl FnMut() -> usize,
) -> (Envelope, String, Result<(), Malformed>) {
    let (sender, receiver) = tokio::sync::mpsc::channel(document.len() + 1);
    let mut rest = document;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size().clamp(1, rest.len()));
        sender.try_send(Ok(Bytes::copy_from_slice(piece))).unwrap();
        rest = after;
    }
    drop(sender);
    let mut envelope = Envelope::default();
    let mut text = Vec::new();
    let source = Source::arriving(Bytes::new(), receiver, BUDGET);
    let read = read(&mut envelope, source, Response { to: &mut text, limit: u64::MAX });
    (envelope, String::from_utf8(text).unwrap(), read)
}

#[test]
fn any_prefix_and_both_versions_are_read_and_nothing_is_trimmed() {
    for soap in [SOAP_11, SOAP_12] {
        for prefix in ["soap", "E", "SOAP-ENV", "s"] {
            for own in ["", "dev", "tns"] {
                let document = authenticate(soap, prefix, own);

                let (envelope, _, read) = whole(document.as_bytes(), 0);

                read.unwrap();
                assert_eq!(envelope.operation.as_deref(), Some("authenticate"));
                assert_eq!(envelope.text("strUserName"), "u&A");
                assert_eq!(envelope.text("strPassword"), " p <w> ");
            }
        }
    }
}

#[test]
fn what_a_web_connector_may_send_is_read() {
    let call =
        |inner: &str| around(&format!("<clientVersion xmlns=\"{INTUIT}\">{inner}</clientVersion>"));
    let xsi = "http://www.w3.org/2001/XMLSchema-instance";
    let rpc = format!(
        "<q1:clientVersion xmlns:q1=\"{INTUIT}\" s:encodingStyle=\"x\">\
         <strVersion xmlns:xsi=\"{xsi}\" xsi:type=\"xsd:string\">34.0</strVersion></q1:clientVersion>"
    );
    for (document, version) in [
        (call("<strVersion>34.0</strVersion>"), "34.0"),
        (call(""), ""),
        (call("<strVersion/>"), ""),
        (call("<strVersion />"), ""),
        (call("<strVersion></strVersion>"), ""),
        (call(&format!("<strVersion xmlns:i=\"{xsi}\" i:nil=\"true\"/>")), ""),
        (call(" <unknown>1</unknown>\n <strVersion>34.0</strVersion> "), "34.0"),
        (around("<clientVersion/>"), ""),
        (around(&rpc), "34.0"),
        (format!("\u{feff}{}", call("<strVersion>34.0</strVersion>")), "34.0"),
        (format!("\n  {}\n", call("<strVersion>34.0</strVersion>")), "34.0"),
        (format!("{}<!-- end -->", call("<strVersion>3<!-- x -->4.0</strVersion>")), "34.0"),
    ] {
        let (envelope, _, read) = whole(document.as_bytes(), 0);

        read.unwrap_or_else(|error| panic!("{error}: {document}"));
        assert_eq!(envelope.operation.as_deref(), Some("clientVersion"), "{document}");
        assert_eq!(envelope.text("strVersion"), version, "{document}");
    }
    let (envelope, _, read) = whole(around("").as_bytes(), 0);
    assert!(read.is_ok() && envelope.operation.is_none());
}

#[test]
fn what_nobody_sends_is_refused() {
    let good = plain();
    for (what, document) in [
        ("another namespace", good.replace(INTUIT, "http://evil/")),
        ("another root", good.replace("s:Envelope", "s:Banana")),
        ("another SOAP", good.replace(SOAP_11, "http://schemas.xmlsoap.org/soap/envelope")),
        (
            "a parameter twice",
            good.replace("<strPassword>", "<strUserName>x</strUserName><strPassword>"),
        ),
        ("two operations", good.replace("</s:Body>", &format!("<x xmlns=\"{INTUIT}\"/></s:Body>"))),
        ("two bodies", good.replace("</s:Envelope>", "<s:Body/></s:Envelope>")),
        ("no body", format!("<s:Envelope xmlns:s=\"{SOAP_11}\"/>")),
        ("elements in a parameter", good.replace("u&amp;", "<i/>")),
        ("text behind the end", format!("{good}xx")),
        ("a second root", format!("{good}{}", good.replace("<?xml version=\"1.0\"?>", ""))),
        ("a DOCTYPE", good.replace("?>", "?><!DOCTYPE a [<!ENTITY e \"x\">]>")),
        ("an unknown entity", good.replace("&amp;", "&nbsp;")),
        ("an unclosed entity", good.replace("&amp;", "&amp ")),
        ("an undeclared prefix", good.replace("<strUserName>", "<z:strUserName>")),
        ("wrong nesting", good.replace("</strUserName>", "</strPassword>")),
        ("cut off", good[..good.len() - 9].to_owned()),
        ("an attribute twice", good.replace("<strUserName>", "<strUserName a='1' a='2'>")),
        ("nothing", String::new()),
        ("blanks", "   ".to_owned()),
        ("HTML", "<html><body>hello</body></html>".to_owned()),
        ("JSON", "{\"a\":1}".to_owned()),
        ("text", "authenticate".to_owned()),
    ] {
        assert!(whole(document.as_bytes(), u64::MAX).2.is_err(), "{what} was taken");
    }
    assert!(whole(b"\xff\xfe<\0a\0>\0", 0).2.is_err());
    let latin = plain().replace("u&amp;", "\u{1}").into_bytes();
    let latin: Vec<u8> =
        latin.into_iter().map(|byte| if byte == 1 { 0xfc } else { byte }).collect();
    assert!(whole(&latin, 0).2.is_err());
}

#[test]
fn masses_are_refused_at_once() {
    let good = plain();
    let header = |inner: &str| good.replace("</s:Header>", &format!("{inner}</s:Header>"));
    let many =
        |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    for (what, document) in [
        ("depth", header(&"<z>".repeat(15_000))),
        (
            "attributes",
            good.replace(
                "<strPassword>",
                &format!("<strPassword{}>", many(6000, &|i| format!(" a{i}=''"))),
            ),
        ),
        (
            "namespaces",
            good.replace(
                "<s:Body>",
                &format!("<s:Body{}>", many(3000, &|i| format!(" xmlns:p{i}='u'"))),
            ),
        ),
        (
            "parameters",
            good.replace(
                "<strPassword>",
                &format!("{}<strPassword>", many(4000, &|i| format!("<p{i}/>"))),
            ),
        ),
        ("bytes", header(&"x".repeat(70_000))),
        ("one name", good.replace("strUserName", &"n".repeat(70_000))),
        ("one text", good.replace("u&amp;", &"u".repeat(70_000))),
        ("one comment", header(&format!("<!--{}-->", "x".repeat(70_000)))),
        ("references", good.replace("u&amp;", &"&#".repeat(30_000))),
    ] {
        let began = Instant::now();

        let read = whole(document.as_bytes(), 0).2;

        assert!(read.is_err(), "{what} was taken");
        assert!(began.elapsed().as_millis() < 500, "{what} took {:?}", began.elapsed());
    }
}

fn response(text: &str) -> String {
    around(&format!(
        "<receiveResponseXML xmlns=\"{INTUIT}\"><response>{text}</response><ticket>t1</ticket>\
         <hresult/><message>m &lt;1&gt;</message></receiveResponseXML>"
    ))
}

#[test]
fn a_response_is_unescaped_wherever_the_network_cuts_it() {
    let text = "&lt;?xml version=\"1.0\" ?&gt;&lt;a b=&quot;&apos;&quot;&gt;Müller &amp;amp; Söhne € 𝄞 \
                &#38;#65;&#x41;&#x0010FFFF;]] ]&gt;<![CDATA[<c>]]]]><![CDATA[>]>]] &amp;</c>]]><!-- - \
                -- no --&#13;&#1;&#0;&lt;/a&gt;";
    let meant = "<?xml version=\"1.0\" ?><a b=\"'\">Müller &amp; Söhne € 𝄞 &#65;A\u{10ffff}]] ]>\
                 <c>]]>]>]] &amp;</c>\r\u{1}\u{fffd}</a>";
    let document = response(&text.replace("<!-- - -- no --", "<!-- - - no -->"));

    let mut random = 7_u64;
    let mut sizes: Vec<Box<dyn FnMut() -> usize>> = Vec::new();
    for size in 1..=70 {
        sizes.push(Box::new(move || size));
    }
    for _ in 0..200 {
        random += 1;
        let mut state = random;
        sizes.push(Box::new(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 97).unwrap()
        }));
    }
    for mut size in sizes {
        let (envelope, read_text, read) = pieces(document.as_bytes(), &mut size);

        read.unwrap();
        assert_eq!(read_text, meant);
        assert!(envelope.response_ended);
        assert_eq!(envelope.text("ticket"), "t1");
        assert_eq!(envelope.text("message"), "m <1>");
    }
}

#[test]
fn an_empty_or_missing_response_is_read() {
    for document in [response(""), response("").replace("<response></response>", "<response />")] {
        let (envelope, text, read) = whole(document.as_bytes(), 0);

        read.unwrap();
        assert!(envelope.response_ended && text.is_empty());
        assert_eq!(envelope.text("ticket"), "t1");
    }
    let none = response("").replace("<response></response>", "");
    let (envelope, _, read) = whole(none.as_bytes(), 0);
    assert!(read.is_ok() && !envelope.response_ended);
}

#[test]
fn a_response_cut_off_anywhere_is_not_whole() {
    let document = response("&lt;QBXML&gt;ü<![CDATA[x]]>&lt;/QBXML&gt;");
    for length in 0..document.len() {
        let (_, _, read) = pieces(&document.as_bytes()[..length], || 7);

        assert!(read.is_err(), "{length} bytes of {} were taken", document.len());
    }
}

#[test]
fn a_response_is_as_long_as_allowed_and_no_longer() {
    let document = response(&"&lt;".repeat(1000));

    assert!(whole(document.as_bytes(), 1000).2.is_ok());
    assert!(matches!(whole(document.as_bytes(), 999).2, Err(Malformed::ResponseTooLarge(999))));
}

#[test]
fn a_response_needs_no_budget_and_the_rest_of_the_envelope_does() {
    let long = response(&"x".repeat(200_000));
    let (envelope, text, read) = pieces(long.as_bytes(), || 10_000);
    read.unwrap();
    assert_eq!(text.len(), 200_000);
    assert_eq!(envelope.text("ticket"), "t1");

    let message = long.replace("m &lt;1&gt;", &"y".repeat(70_000));
    assert!(matches!(pieces(message.as_bytes(), || 10_000).2, Err(Malformed::TooLarge(BUDGET))));
}

#[test]
fn bad_things_in_a_response_are_refused() {
    for text in [
        "<a/>",
        "&nbsp;",
        "&#xZZ;",
        "&#;",
        "&#+65;",
        "&aaaaaaaaaaaaaaaaaaaaaaaa",
        "<?pi?>",
        "<!DOCTYPE a>",
    ] {
        assert!(whole(response(text).as_bytes(), u64::MAX).2.is_err(), "{text} was taken");
    }
    let invalid: Vec<u8> = response("\u{1}")
        .into_bytes()
        .into_iter()
        .map(|it| if it == 1 { 0xff } else { it })
        .collect();
    assert!(matches!(whole(&invalid, u64::MAX).2, Err(Malformed::NotUtf8)));
}

proptest! {
    /// Whatever is done to an envelope, it is read or refused: no panic, and the same at any cut.
    #[test]
    fn mutated_envelopes_are_read_or_refused(
        which in 0..4_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6_u8, any::<u8>(), 0..40_usize), 1..12),
        size in 1..50_usize,
    ) {
        let documents = [
            plain(),
            authenticate(SOAP_12, "soap", "q"),
            response("&lt;a&gt;ü&amp;amp;<![CDATA[ ]]> ]]>&lt;/a&gt;"),
            around("<serverVersion/>"),
        ];
        let mut document = documents[which].clone().into_bytes();
        for (at, how, byte, length) in edits {
            if document.is_empty() {
                break;
            }
            let at = at.index(document.len());
            let to = (at + length).min(document.len());
            match how {
                0 => document[at] = byte,
                1 => document.insert(at, byte),
                2 => { document.drain(at..to); }
                3 => { let part = document[at..to].to_vec(); document.splice(at..at, part); }
                4 => document.truncate(at),
                _ => { document.splice(at..at, b"<>&;\"']]>/!-?"[usize::from(byte) % 13..].iter().copied()); }
            }
        }
        let mut envelope = Envelope::default();
        let mut text = Vec::new();
        let source = Source::of(Bytes::from(document.clone()), BUDGET);
        let first = read(&mut envelope, source, Response { to: &mut text, limit: u64::MAX });
        let (cut, cut_text, second) = pieces(&document, || size);
        prop_assert_eq!(first.is_ok(), second.is_ok());
        if first.is_ok() {
            prop_assert_eq!(envelope.operation, cut.operation);
            prop_assert_eq!(envelope.parameters, cut.parameters);
            prop_assert_eq!(String::from_utf8(text).unwrap(), cut_text);
        }
    }
}
