//! A stand-in for the floors below that are still being built, so that the adapters can be tried.
//! It goes as soon as they are there.

#![expect(missing_docs, clippy::pedantic, reason = "a stand-in that goes within the hour")]

pub(crate) mod schema {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Identity {
        List,
        Transaction,
    }
    pub(crate) struct Kind {
        pub(crate) identity: Identity,
        pub(crate) modify: Option<()>,
        pub(crate) delete_type: Option<()>,
        pub(crate) void_type: Option<()>,
    }
    static LIST: Kind =
        Kind { identity: Identity::List, modify: Some(()), delete_type: Some(()), void_type: None };
    static TXN: Kind = Kind {
        identity: Identity::Transaction,
        modify: Some(()),
        delete_type: Some(()),
        void_type: Some(()),
    };
    pub(crate) struct Schema;
    pub(crate) fn schema() -> &'static Schema {
        &Schema
    }
    impl Schema {
        pub(crate) fn kind(&self, name: &str) -> Option<&'static Kind> {
            match name {
                "Customer" | "Vendor" | "Account" | "Class" | "ItemService" => Some(&LIST),
                "Invoice" | "Bill" | "ReceivePayment" | "CreditMemo" => Some(&TXN),
                _ => None,
            }
        }
    }
}
pub(crate) mod version {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Version(u16, u16);
    impl Version {
        pub(crate) const FIRST: Self = Self(1, 0);
        pub(crate) fn parse(_text: &str) -> Option<Self> {
            Some(Self(13, 0))
        }
        pub(crate) fn declared(_host: Self, _needed: Self) -> Option<Self> {
            Some(Self(13, 0))
        }
    }
    impl std::fmt::Display for Version {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}.{}", self.0, self.1)
        }
    }
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Edition;
    impl Edition {
        pub(crate) fn parse(_text: &str) -> Option<Self> {
            Some(Self)
        }
    }
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Target {
        pub(crate) version: Version,
        pub(crate) edition: Edition,
    }
    impl Default for Target {
        fn default() -> Self {
            Self { version: Version(13, 0), edition: Edition }
        }
    }
}
pub(crate) mod check {
    use super::version::Target;
    use crate::domain::outcome::Code;
    use crate::domain::outcome::Finding;
    pub(crate) fn check(_kind: &str, data: &serde_json::Value, target: &Target) -> Vec<Finding> {
        let _ = (target.version, target.edition);
        let name = data.get("Name").and_then(serde_json::Value::as_str).unwrap_or("");
        if name.chars().count() > 41 {
            let finding = Finding::new(Code::StringTooLong).at("/data/Name").fact("field", "Name");
            let finding = finding.fact("limit", 41).fact("actual", name.chars().count());
            return vec![finding];
        }
        Vec::new()
    }
}
pub(crate) mod build {
    use super::version::Target;
    use super::version::Version;
    use crate::domain::outcome::Finding;
    use std::collections::BTreeMap;
    #[derive(Clone, Debug)]
    pub(crate) enum Resolved {
        Id(String),
        FullName(String),
    }
    pub(crate) enum Operation<'a> {
        Add,
        Mod { id: &'a str, edit_sequence: &'a str, lines: &'a BTreeMap<String, String> },
        Delete { id: &'a str },
        Void { id: &'a str },
        Query { id: &'a str },
    }
    pub(crate) struct Build<'a> {
        pub(crate) kind: &'a str,
        pub(crate) operation: Operation<'a>,
        pub(crate) data: &'a serde_json::Value,
        pub(crate) target: &'a Target,
        pub(crate) request_id: &'a str,
        pub(crate) resolve: &'a dyn Fn(&str) -> Option<Resolved>,
    }
    pub(crate) struct Built {
        pub(crate) xml: String,
        pub(crate) lines: Vec<Option<String>>,
        pub(crate) version: Version,
    }
    pub(crate) fn build(build: &Build<'_>) -> Result<Built, Vec<Finding>> {
        let Build { kind, request_id, .. } = build;
        let _ = (build.target, build.resolve);
        let name = build.data.get("Name").and_then(serde_json::Value::as_str).unwrap_or("");
        let inner = match &build.operation {
            Operation::Add => format!(
                "<{kind}AddRq requestID=\"{request_id}\"><{kind}Add><Name>{name}</Name></{kind}Add></{kind}AddRq>"
            ),
            Operation::Mod { id, edit_sequence, lines } => {
                let _ = lines;
                format!(
                    "<{kind}ModRq requestID=\"{request_id}\"><{kind}Mod><ListID>{id}</ListID><EditSequence>{edit_sequence}</EditSequence><Name>{name}</Name></{kind}Mod></{kind}ModRq>"
                )
            }
            Operation::Delete { id } | Operation::Void { id } | Operation::Query { id } => format!(
                "<{kind}QueryRq requestID=\"{request_id}\"><ListID>{id}</ListID></{kind}QueryRq>"
            ),
        };
        Ok(Built { xml: inner, lines: Vec::new(), version: Version::FIRST })
    }
    pub(crate) struct SourceReference {
        pub(crate) kind: String,
        pub(crate) source_id: String,
    }
    pub(crate) fn references(data: &serde_json::Value) -> Vec<SourceReference> {
        let mut found = Vec::new();
        match data {
            serde_json::Value::Object(members) => {
                if let Some((kind, id)) = members
                    .get("source")
                    .and_then(|it| it.as_str())
                    .and_then(|it| it.split_once('/'))
                {
                    found.push(SourceReference { kind: kind.to_owned(), source_id: id.to_owned() });
                }
                for value in members.values() {
                    found.extend(references(value));
                }
            }
            serde_json::Value::Array(items) => {
                items.iter().for_each(|it| found.extend(references(it)))
            }
            _ => {}
        }
        found
    }
}
pub(crate) mod request {
    use super::version::Version;
    pub(crate) fn message_set<'a>(
        version: Version,
        new: Option<&str>,
        old: Option<&str>,
        requests: impl Iterator<Item = &'a str>,
    ) -> String {
        let mut ids = String::new();
        for (name, id) in [("newMessageSetID", new), ("oldMessageSetID", old)] {
            if let Some(id) = id {
                ids.push_str(&format!(" {name}=\"{id}\""));
            }
        }
        let requests: String = requests.collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><?qbxml version=\"{version}\"?><QBXML><QBXMLMsgsRq onError=\"continueOnError\"{ids}>{requests}</QBXMLMsgsRq></QBXML>"
        )
    }
}
pub(crate) mod raw {
    use super::version::Target;
    use super::version::Version;
    use crate::domain::outcome::Code;
    use crate::domain::outcome::Finding;
    pub(crate) struct Raw {
        pub(crate) xml: String,
        pub(crate) types: Vec<String>,
        pub(crate) writes: bool,
        pub(crate) version: Version,
    }
    pub(crate) fn check_xml(xml: &str, _target: &Target) -> Result<Raw, Vec<Finding>> {
        if !xml.contains("Rq") {
            return Err(vec![Finding::new(Code::RequestRejected)]);
        }
        let types = vec!["CustomerQueryRq".to_owned()];
        Ok(Raw { xml: xml.to_owned(), types, writes: false, version: Version::FIRST })
    }
    pub(crate) fn build(
        kind: &str,
        _data: &serde_json::Value,
        target: &Target,
    ) -> Result<Raw, Vec<Finding>> {
        check_xml(&format!("<{kind} requestID=\"1\"/>"), target)
    }
}
pub(crate) mod diagnosis {
    use crate::domain::outcome::Finding;
    pub(crate) struct Rendered {
        pub(crate) title: String,
        pub(crate) detail: String,
    }
    pub(crate) fn render(finding: &Finding) -> Rendered {
        let text = finding.code.to_string();
        Rendered { title: text.clone(), detail: text }
    }
}
