//! A document of every request type, written from the table, is valid by Intuit's schema, and the
//! checks take it.
//!
//! `QBXML_SCHEMA_DIR` names the folder of Intuit's schema of qbXML 13.0, which may not be shipped
//! with this project.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use bookbridge::domain::request::OnError;
use bookbridge::qbxml::raw;
use bookbridge::qbxml::request::message_set;
use bookbridge::qbxml::schema::Content;
use bookbridge::qbxml::schema::Element;
use bookbridge::qbxml::schema::Message;
use bookbridge::qbxml::schema::Particle;
use bookbridge::qbxml::schema::Shape;
use bookbridge::qbxml::schema::ValueType;
use bookbridge::qbxml::schema::schema;
use bookbridge::qbxml::version::Edition;
use bookbridge::qbxml::version::Target;
use bookbridge::qbxml::version::Version;

/// How much of a message is written.
#[derive(Clone, Copy, Debug)]
enum Fill {
    /// What is required alone.
    Least,
    /// Everything; of alternatives, the one with that number, counted round.
    Most(usize),
}

struct Author {
    target: Target,
    fill: Fill,
    out: String,
}

impl Author {
    fn shape(&mut self, shape: &Shape) {
        self.particles(&shape.particles);
    }

    fn particles(&mut self, particles: &[Particle]) {
        for particle in particles {
            match particle {
                Particle::Element(element) => self.element(element),
                Particle::Choice(choice) => {
                    let there = |alternative: &&Vec<Particle>| {
                        alternative.iter().all(|particle| match particle {
                            Particle::Element(element) => element.availability.allows(self.target),
                            Particle::Choice(_) => true,
                        })
                    };
                    let usable: Vec<_> = choice.alternatives.iter().filter(there).collect();
                    if usable.is_empty() || !choice.availability.allows(self.target) {
                        continue;
                    }
                    match self.fill {
                        Fill::Least if choice.rule.is_required() => self.required(usable[0]),
                        Fill::Least => {}
                        Fill::Most(number) => {
                            let one = usable[number % usable.len()];
                            self.required(one);
                            if choice.rule.is_repeated() {
                                self.required(one);
                            }
                        }
                    }
                }
            }
        }
    }

    /// An alternative that was chosen: something must stand in it, though all is optional.
    fn required(&mut self, particles: &[Particle]) {
        let before = self.out.len();
        self.particles(particles);
        if self.out.len() == before
            && let Some(Particle::Element(element)) = particles.first()
        {
            self.one(element);
        }
    }

    fn element(&mut self, element: &Element) {
        let wanted = element.occurs.is_required() || matches!(self.fill, Fill::Most(_));
        if !wanted || !element.availability.allows(self.target) {
            return;
        }
        self.one(element);
        if element.occurs.is_repeated() && matches!(self.fill, Fill::Most(_)) {
            self.one(element);
        }
    }

    fn one(&mut self, element: &Element) {
        let _ = write!(self.out, "<{}", element.name);
        for attribute in element.attributes.iter().filter(|it| it.required) {
            let _ = write!(self.out, " {}=\"{}\"", attribute.name, value(&attribute.value, ""));
        }
        self.out.push('>');
        match &element.content {
            Content::Aggregate(shape) => self.shape(shape),
            Content::Empty => {}
            Content::Value(kind) => self.out.push_str(&value(kind, element.name)),
        }
        let _ = write!(self.out, "</{}>", element.name);
    }
}

fn value(kind: &ValueType, name: &str) -> String {
    match kind {
        ValueType::Amount => "1234.50".to_owned(),
        ValueType::Bool => "true".to_owned(),
        ValueType::Date => "2026-02-28".to_owned(),
        ValueType::DateTime => "2026-02-28T10:30:00".to_owned(),
        ValueType::Enum(values) => values[0].to_owned(),
        ValueType::Float => "1.25".to_owned(),
        ValueType::Guid => "{12345678-9abc-def0-1234-56789abcdef0}".to_owned(),
        ValueType::Id => "80000001-1234567890".to_owned(),
        ValueType::Int(range) if range.min.is_empty() => "1".to_owned(),
        ValueType::Interval => "PT8H30M0S".to_owned(),
        ValueType::Percent => "7.5".to_owned(),
        ValueType::Price(range) if range.min.is_empty() => "2.5".to_owned(),
        ValueType::Int(range) | ValueType::Price(range) => range.min.to_owned(),
        ValueType::Quantity => "3.25".to_owned(),
        ValueType::Text(limit) => {
            // As long as it may be, with what must be escaped.
            let most = limit.of(Edition::Us).unwrap_or(60);
            let text = format!("{name} é");
            text.chars().cycle().take(most).collect::<String>().trim().to_owned()
        }
    }
}

fn document(message: &Message, fill: Fill) -> String {
    let target = Target { version: Version::COMMON, edition: Edition::Us };
    let mut author = Author { target, fill, out: String::new() };
    let _ = write!(author.out, "<{} requestID=\"1\"", message.name);
    for attribute in message.attributes.iter().filter(|it| it.required) {
        let _ = write!(author.out, " {}=\"{}\"", attribute.name, value(&attribute.value, ""));
    }
    author.out.push('>');
    author.shape(&message.shape);
    let _ = write!(author.out, "</{}>", message.name);
    author.out
}

/// Every message that a US host of qbXML 13.0 knows, written in several ways.
fn documents() -> Vec<(String, String)> {
    let target = Target { version: Version::COMMON, edition: Edition::Us };
    let mut all = Vec::new();
    let known = schema()
        .requests()
        .filter(|message| !message.subscription && message.availability.allows(target));
    for message in known {
        let mut fills = vec![Fill::Least];
        fills.extend((0..6).map(Fill::Most));
        let mut written: Vec<String> = Vec::new();
        for fill in fills {
            let xml = document(message, fill);
            if !written.contains(&xml) {
                all.push((format!("{}-{}", message.name, written.len()), xml.clone()));
                written.push(xml);
            }
        }
    }
    all
}

#[test]
fn the_checks_take_a_document_of_every_type() {
    let target = Target { version: Version::COMMON, edition: Edition::Us };
    for (name, xml) in documents() {
        let raw = raw::check_xml(&xml, &target).unwrap_or_else(|findings| {
            panic!("{name}: {:?}\n{xml}", &findings[..findings.len().min(3)])
        });

        assert!(raw.xml.is_ascii(), "{name}");
        let again = raw::check_xml(&raw.xml, &target).unwrap();
        assert_eq!(again.xml, raw.xml, "{name}: written twice, it differs");
    }
}

#[test]
fn a_document_of_every_type_is_valid_by_the_schema_of_intuit() {
    let Some(folder) = super::folder("QBXML_SCHEMA_DIR", "qbxml130.xsd") else { return };
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: no xmllint (apt-get install libxml2-utils)");
        return;
    }
    let target = Target { version: Version::COMMON, edition: Edition::Us };
    let place = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, xml) in documents() {
        let raw = raw::check_xml(&xml, &target).unwrap();
        let file = place.path().join(format!("{name}.xml"));
        let set = message_set(
            Version::COMMON,
            None,
            None,
            OnError::default(),
            std::iter::once(raw.xml.as_str()),
        );
        fs::write(&file, set).unwrap();
        files.push(file);
    }
    // One document that is not valid, or the test could not fail.
    let wrong = place.path().join("wrong.xml");
    let set = message_set(
        Version::COMMON,
        None,
        None,
        OnError::default(),
        std::iter::once("<CustomerAddRq/>"),
    );
    fs::write(&wrong, set).unwrap();

    let ran = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .arg(folder.join("qbxmlops130.xsd"))
        .args(&files)
        .arg(&wrong)
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&ran.stderr);
    let bad: Vec<_> = said.lines().filter(|line| line.ends_with("fails to validate")).collect();
    assert_eq!(
        bad.len(),
        1,
        "{}",
        said.lines()
            .filter(|it| !it.ends_with("validates"))
            .take(40)
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(bad[0].contains("wrong.xml"), "{bad:?}");
    assert!(files.len() > 600, "{}", files.len());
}
