//! A response of QuickBooks as JSON, one object in memory at a time.
//!
//! Each `…Rs` becomes an object: its `type`, its attributes by their own names, and `data`, a list of
//! what stands in it, each as an object of one member. Inside, an element is its text, or an object;
//! what is named `…Ret` or stands there more than once is an array.

use std::io;
use std::io::BufRead;

use actix_web::web::Bytes;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::BytesRef;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use serde_json::Map;
use serde_json::Value;

/// Deeper than any response of QuickBooks.
const MAX_DEPTH: usize = 64;

/// The members of a JSON array, with the commas between them.
pub(super) struct Answers<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
    place: Place,
    /// Whether something stands before what comes next, at the same level.
    first: bool,
}

/// Where the reader stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// Before the first `…Rs`, or between two.
    Between,
    /// Inside one.
    Inside,
    /// After the last.
    After,
}

impl<R: BufRead> Answers<R> {
    /// Of a whole response document.
    pub(super) fn of(from: R) -> Self {
        let reader = Reader::from_reader(from);
        Self { reader, buffer: Vec::new(), place: Place::Between, first: true }
    }

    /// Of one more document, whose answers follow others in the same array.
    pub(super) fn after_others(from: R) -> Self {
        Self { first: false, ..Self::of(from) }
    }

    fn event(&mut self) -> io::Result<Event<'_>> {
        self.buffer.clear();
        self.reader.read_event_into(&mut self.buffer).map_err(io::Error::other)
    }

    /// The next bytes of JSON.
    fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let inside = self.place == Place::Inside;
            match self.event()?.into_owned() {
                Event::Eof if inside => return Err(io::ErrorKind::UnexpectedEof.into()),
                Event::Eof => {
                    self.place = Place::After;
                    return Ok(None);
                }
                Event::Start(start) if inside => {
                    let name = start.name().0.to_owned();
                    let value = self.element(&start, 0)?;
                    return self.member(name, value).map(Some);
                }
                Event::Empty(start) if inside => {
                    let value = of_attributes(&start)?;
                    return self.member(start.name().0.to_owned(), value).map(Some);
                }
                Event::End(_) if inside => {
                    self.place = Place::Between;
                    self.first = false;
                    return Ok(Some(b"]}".to_vec()));
                }
                Event::Start(start) if start.name().0.ends_with("Rs") && !is_envelope(&start) => {
                    let head = self.head(&start)?;
                    self.place = Place::Inside;
                    self.first = true;
                    return Ok(Some(head));
                }
                Event::Empty(start) if start.name().0.ends_with("Rs") && !is_envelope(&start) => {
                    let mut whole = self.head(&start)?;
                    whole.extend_from_slice(b"]}");
                    self.first = false;
                    return Ok(Some(whole));
                }
                _ => {}
            }
        }
    }

    /// The beginning of an answer, up to its `data`.
    fn head(&self, start: &BytesStart<'_>) -> io::Result<Vec<u8>> {
        let mut head = Map::new();
        head.insert("type".to_owned(), start.name().0.into());
        for (name, value) in attributes(start)? {
            let number = (name == "statusCode").then(|| value.parse::<i32>().ok()).flatten();
            head.insert(name, number.map_or(Value::String(value), Value::from));
        }
        let mut json = if self.first { Vec::new() } else { b",".to_vec() };
        serde_json::to_writer(&mut json, &head)?;
        json.pop();
        json.extend_from_slice(b",\"data\":[");
        Ok(json)
    }

    fn member(&mut self, name: String, value: Value) -> io::Result<Vec<u8>> {
        let mut json = if self.first { Vec::new() } else { b",".to_vec() };
        self.first = false;
        serde_json::to_writer(&mut json, &Map::from_iter([(name, value)]))?;
        Ok(json)
    }

    /// An element that was just begun, to its end.
    fn element(&mut self, start: &BytesStart<'_>, depth: usize) -> io::Result<Value> {
        if depth > MAX_DEPTH {
            return Err(io::Error::other("a response is nested too deeply"));
        }
        let mut members: Map<_, _> =
            attributes(start)?.into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut text = String::new();
        let mut leaf = true;
        loop {
            match self.event()?.into_owned() {
                Event::Start(child) => {
                    leaf = false;
                    let value = self.element(&child, depth + 1)?;
                    add(&mut members, child.name().0, value);
                }
                Event::Empty(child) => {
                    leaf = false;
                    add(&mut members, child.name().0, of_attributes(&child)?);
                }
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(name) => text.push_str(&character(&name)?),
                Event::End(_) if !leaf => return Ok(Value::Object(members)),
                Event::End(_) if members.is_empty() => return Ok(Value::String(text)),
                Event::End(_) => {
                    if !text.trim().is_empty() {
                        members.insert("#text".to_owned(), text.into());
                    }
                    return Ok(Value::Object(members));
                }
                Event::Eof => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
    }
}

impl<R: BufRead> Iterator for Answers<R> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.place == Place::After {
            return None;
        }
        let piece = self.piece();
        if piece.is_err() {
            self.place = Place::After;
        }
        piece.map(|piece| piece.map(Bytes::from)).transpose()
    }
}

fn is_envelope(start: &BytesStart<'_>) -> bool {
    start.name().0 == "QBXMLMsgsRs"
}

fn attributes(start: &BytesStart<'_>) -> io::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(io::Error::other)?;
        let value =
            attribute.normalized_value(XmlVersion::Explicit1_0).map_err(io::Error::other)?;
        all.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    Ok(all)
}

fn of_attributes(start: &BytesStart<'_>) -> io::Result<Value> {
    let all = attributes(start)?;
    if all.is_empty() {
        return Ok(Value::String(String::new()));
    }
    Ok(Value::Object(all.into_iter().map(|(name, value)| (name, value.into())).collect()))
}

/// One more member; a second of its name makes an array.
fn add(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        Some(Value::Array(all)) => all.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None if name.ends_with("Ret") => {
            members.insert(name.to_owned(), Value::Array(vec![value]));
        }
        None => {
            members.insert(name.to_owned(), value);
        }
    }
}

fn character(name: &BytesRef<'_>) -> io::Result<String> {
    if let Some(character) = name.resolve_char_ref().map_err(io::Error::other)? {
        return Ok(character.to_string());
    }
    let known = quick_xml::escape::resolve_xml_entity(&name.xml10_content());
    known.map(str::to_owned).ok_or_else(|| io::Error::other("a response has an unknown entity"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(qbxml: &str) -> io::Result<Value> {
        let mut written = b"[".to_vec();
        for piece in Answers::of(qbxml.as_bytes()) {
            written.extend_from_slice(&piece?);
        }
        written.push(b']');
        Ok(serde_json::from_slice(&written).expect("JSON"))
    }

    #[test]
    fn a_response_is_read_object_by_object() {
        let qbxml = r#"<?xml version="1.0"?><QBXML><QBXMLMsgsRs>
            <CustomerQueryRs requestID="1" statusCode="0" statusSeverity="Info" statusMessage="OK">
              <CustomerRet><Name>A &amp; B&#233;</Name><BillAddress><City>X</City></BillAddress>
              </CustomerRet><CustomerRet><Name/></CustomerRet>
            </CustomerQueryRs>
            <InvoiceAddRs statusCode="3140" statusSeverity="Error" statusMessage="no"/>
            <InvoiceQueryRs><InvoiceRet><InvoiceLineRet><Quantity>1</Quantity></InvoiceLineRet>
              <A>1</A><A>2</A></InvoiceRet></InvoiceQueryRs>
            </QBXMLMsgsRs></QBXML>"#;

        let expected = json!([
            {"type": "CustomerQueryRs", "requestID": "1", "statusCode": 0,
             "statusSeverity": "Info", "statusMessage": "OK", "data": [
                {"CustomerRet": {"Name": "A & Bé", "BillAddress": {"City": "X"}}},
                {"CustomerRet": {"Name": ""}}]},
            {"type": "InvoiceAddRs", "statusCode": 3140, "statusSeverity": "Error",
             "statusMessage": "no", "data": []},
            {"type": "InvoiceQueryRs", "data": [
                {"InvoiceRet": {"InvoiceLineRet": [{"Quantity": "1"}], "A": ["1", "2"]}}]},
        ]);
        assert_eq!(read(qbxml).unwrap(), expected);
    }

    #[test]
    fn a_report_keeps_its_attributes() {
        let qbxml = r#"<QBXML><QBXMLMsgsRs><GeneralSummaryReportQueryRs><ReportRet>
            <ReportData><DataRow rowNumber="2"><RowData rowType="account" value="Checking"/>
            <ColData colID="2" value="10.00"/></DataRow></ReportData>
            </ReportRet></GeneralSummaryReportQueryRs></QBXMLMsgsRs></QBXML>"#;

        let read = read(qbxml).unwrap();

        let row = &read[0]["data"][0]["ReportRet"]["ReportData"]["DataRow"];
        assert_eq!(row["rowNumber"], "2");
        assert_eq!(row["ColData"]["value"], "10.00");
    }

    #[test]
    fn a_response_that_breaks_off_is_an_error() {
        for qbxml in [
            "<QBXML><QBXMLMsgsRs><ARs><B>",
            "<QBXML><QBXMLMsgsRs><ARs><B>&nope;</B></ARs>",
            &format!("<QBXML><QBXMLMsgsRs><ARs>{}", "<B>".repeat(100)),
        ] {
            assert!(read(qbxml).is_err(), "{qbxml}");
        }
        assert_eq!(read("<QBXML><QBXMLMsgsRs/></QBXML>").unwrap(), json!([]));
    }
}
