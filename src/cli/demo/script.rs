//! What the demo does: `qbxml-samples/demo.expect.json`, built in.
//!
//! The samples' own page says what each member means.

use anyhow::Context as _;
use anyhow::ensure;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The version of the script that is understood here.
const FORMAT: u64 = 1;

/// The script.
#[derive(Debug, Deserialize)]
pub(super) struct Script {
    format: u64,
    /// The company file.
    pub(super) company: Company,
    /// What happens, in order.
    pub(super) steps: Vec<Step>,
    /// Where every record stands at the end.
    pub(super) records: Vec<Expected>,
}

/// The simulated company file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Company {
    /// Its name.
    pub(super) name: String,
    /// Its path, as QuickBooks tells it.
    pub(super) file: String,
    /// Transactions up to this day are refused.
    pub(super) closing_date: String,
    /// The file with the requests that enter what is there before.
    before: String,
}

/// One step, with a sentence for the person who watches.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Step {
    /// The sentence.
    pub(super) say: String,
    /// What happens.
    pub(super) what: What,
}

/// What happens in a step.
#[derive(Debug)]
pub(super) enum What {
    /// The records of a file are pushed.
    Push {
        /// The file.
        file: String,
    },
    /// One record is put.
    Put {
        /// As `POST …/records` takes it.
        record: Value,
    },
    /// One poll of the Web Connector.
    Session {
        /// As `simulate --fault` takes them.
        faults: Vec<String>,
    },
    /// A person works in QuickBooks.
    Quickbooks {
        /// Requests, with `{{Kind/sourceId}}` for ids.
        qbxml: String,
    },
    /// A person bypasses a record.
    Bypass {
        /// `Kind/sourceId`.
        record: String,
        /// Why.
        reason: String,
    },
    /// QuickBooks is asked for its lists and numbers at the next session.
    RefreshMirror,
    /// Time passes.
    Wait {
        /// How much.
        seconds: i64,
    },
    /// Records stand so now.
    Expect {
        /// Those that are looked at.
        records: Vec<Expected>,
    },
}

/// By hand, member by member: serde buffers a tagged enum, and a buffered number is no number any
/// more where `serde_json` keeps numbers as they were written.
impl TryFrom<Value> for Step {
    type Error = serde_json::Error;

    fn try_from(mut step: Value) -> Result<Self, serde_json::Error> {
        fn member<T: DeserializeOwned>(step: &mut Value, name: &str) -> serde_json::Result<T> {
            serde_json::from_value(step.get_mut(name).map(Value::take).unwrap_or_default())
        }
        let what = match step.get("do").and_then(Value::as_str) {
            Some("push") => What::Push { file: member(&mut step, "file")? },
            Some("put") => What::Put { record: member(&mut step, "record")? },
            Some("session") => {
                let faults: Option<_> = member(&mut step, "faults")?;
                What::Session { faults: faults.unwrap_or_default() }
            }
            Some("quickbooks") => What::Quickbooks { qbxml: member(&mut step, "qbxml")? },
            Some("bypass") => What::Bypass {
                record: member(&mut step, "record")?,
                reason: member(&mut step, "reason")?,
            },
            Some("refresh-mirror") => What::RefreshMirror,
            Some("wait") => What::Wait { seconds: member(&mut step, "seconds")? },
            Some("expect") => What::Expect { records: member(&mut step, "records")? },
            other => return Err(serde::de::Error::custom(format!("no step {other:?}"))),
        };
        Ok(Self { say: member(&mut step, "say")?, what })
    }
}

/// Where a record stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(super) struct Expected {
    /// `Kind/sourceId`.
    pub(super) record: String,
    /// Its status.
    pub(super) status: String,
    /// The code of its diagnosis, if it failed.
    #[serde(default)]
    pub(super) code: String,
}

impl Script {
    /// Reads it.
    pub(super) fn read() -> anyhow::Result<Self> {
        let script: Self =
            serde_json::from_str(include_str!("../../../qbxml-samples/demo.expect.json"))
                .context("demo.expect.json")?;
        ensure!(script.format == FORMAT, "demo.expect.json has format {}", script.format);
        Ok(script)
    }

    /// How much time passes.
    pub(super) fn seconds(&self) -> i64 {
        let waits = self.steps.iter().map(|step| match step.what {
            What::Wait { seconds } => seconds,
            _ => 0,
        });
        waits.sum()
    }
}

impl Company {
    /// The requests that enter what is there before.
    pub(super) fn before(&self) -> anyhow::Result<&'static str> {
        file(&self.before)
    }
}

/// A file of the samples, built in.
pub(super) fn file(name: &str) -> anyhow::Result<&'static str> {
    match name {
        "demo.company.xml" => Ok(include_str!("../../../qbxml-samples/demo.company.xml")),
        "demo.ndjson" => Ok(include_str!("../../../qbxml-samples/demo.ndjson")),
        _ => anyhow::bail!("the sample {name} is not built in"),
    }
}

/// `{{Kind/sourceId}}` and `{{Kind/sourceId#editSequence}}` replaced by what QuickBooks gave.
pub(super) fn filled(
    text: &str,
    mut ask: impl FnMut(&str, &str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let mut parts = text.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").context("{{ without }}")?;
        let (record, member) = name.split_once('#').unwrap_or((name, "id"));
        filled.push_str(&ask(record, member)?);
        filled.push_str(rest);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_its_files_are_there() {
        let script = Script::read().unwrap();

        assert!(script.company.before().unwrap().contains("AccountAddRq"));
        assert!(script.records.len() >= 40);
        for step in &script.steps {
            if let What::Push { file: name } = &step.what {
                assert!(file(name).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn ids_are_filled_in() {
        let text = filled("a{{X/1}}b{{X/2#editSequence}}", |record, member| {
            Ok(format!("[{record} {member}]"))
        });

        assert_eq!(text.unwrap(), "a[X/1 id]b[X/2 editSequence]");
        assert!(filled("{{x", |_, _| Ok(String::new())).is_err());
    }
}
