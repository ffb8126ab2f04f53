//! What goes wrong, on order: `lose-response:3`, `slow:2s`, `locked:Customer/Jones`.

use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;

use super::quickbooks::is_kind;

/// One fault of one session. Message sets are counted from 1 in each session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The connector dies when QuickBooks has answered that message set.
    LoseResponse(u32),
    /// The connector dies when it has fetched that message set: QuickBooks never sees it.
    LoseRequest(u32),
    /// The connector dies when that response was delivered: the answer to it is lost.
    LoseProgress(u32),
    /// That response is delivered twice.
    DoubleReceive(u32),
    /// That message set is asked for twice.
    DoubleSend(u32),
    /// `BeginSession` raises this HRESULT.
    ConnectionError(u32),
    /// `ProcessRequest` raises this HRESULT for that message set, and nothing is done.
    Throws {
        /// Such as 0x80040400.
        hresult: u32,
        /// Which message set.
        at: u32,
    },
    /// QuickBooks crashes while it works on that message set; it was done.
    Crash(u32),
    /// QuickBooks cannot store the answer of that message set, and it is lost too: 9002.
    Forget(u32),
    /// That response is cut off on its way.
    TornResponse(u32),
    /// Another company file is open, at this path.
    WrongCompany(String),
    /// Another user has something open, for that many requests or the whole session.
    Locked {
        /// `Customer`, `Invoice`, …
        kind: String,
        /// Full name, number or id.
        name: String,
        /// How many requests it refuses; `None`: all.
        times: Option<u32>,
    },
    /// The company is set so for the session: see [`QuickBooks::suppose`].
    ///
    /// [`QuickBooks::suppose`]: super::QuickBooks::suppose
    Suppose {
        /// `ClosingDate`, `feature:Invoice`, …
        setting: String,
        /// `2025-12-31`, `off`, …
        value: String,
    },
    /// QuickBooks takes so long for each message set.
    Slow(Duration),
    /// The password is another one.
    WrongPassword,
    /// The user stops it before it asks for that message set.
    StopBefore(u32),
}

impl Fault {
    /// Its name and its message set, if it is a fault of one.
    pub(crate) const fn numbered(&self) -> Option<(&'static str, u32)> {
        Some(match self {
            Self::LoseResponse(at) => ("lose-response", *at),
            Self::LoseRequest(at) => ("lose-request", *at),
            Self::LoseProgress(at) => ("lose-progress", *at),
            Self::DoubleReceive(at) => ("double-receive", *at),
            Self::DoubleSend(at) => ("double-send", *at),
            Self::Throws { at, .. } => ("hresult", *at),
            Self::Crash(at) => ("crash", *at),
            Self::Forget(at) => ("forget", *at),
            Self::TornResponse(at) => ("torn-response", *at),
            Self::StopBefore(at) => ("stop-before", *at),
            Self::ConnectionError(_)
            | Self::Locked { .. }
            | Self::Slow(_)
            | Self::Suppose { .. }
            | Self::WrongCompany(_)
            | Self::WrongPassword => return None,
        })
    }
}

/// A fault as it is ordered, and what it does; for `--help`.
pub const HELP: &[(&str, &str)] = &[
    ("lose-response[:N]", "the N-th answer of QuickBooks is lost: the connector dies"),
    ("kill-before-receive", "the same as lose-response:1"),
    ("lose-request[:N]", "the connector dies with the N-th message set in hand"),
    ("lose-progress[:N]", "our answer to the N-th response is lost"),
    ("double-receive[:N]", "the N-th response is delivered twice"),
    ("double-send[:N]", "the N-th message set is asked for twice"),
    ("parse-error[:N]", "QuickBooks cannot read the N-th message set (0x80040400)"),
    ("crash[:N]", "QuickBooks crashes after it did the N-th message set, and is gone (0x800706BA)"),
    ("forget[:N]", "QuickBooks cannot store the N-th answer, and it is lost (9002)"),
    ("torn-response[:N]", "the N-th response is cut off"),
    ("connection-error:CODE", "QuickBooks cannot be opened, by an HRESULT such as 0x80040408"),
    ("hresult:CODE[:N]", "QuickBooks raises this instead of doing the N-th message set"),
    ("modal-dialog", "a dialog is open in QuickBooks when the session begins (0x80040414)"),
    ("modal-dialog:N", "the dialog is opened before the N-th message set is done"),
    ("unavailable", "QuickBooks cannot be started (0x80040408)"),
    ("no-access", "the application has no permission for the file (0x8004041A)"),
    ("wrong-company[:PATH]", "another company file is open"),
    ("locked:KIND/NAME[:TIMES]", "another user has it open, for so many requests"),
    ("closing-date:DATE", "transactions up to that day, such as 2025-12-31, are closed (3171)"),
    ("feature-off:KIND", "the edition or a preference lacks it (3250)"),
    ("forbidden[:KIND]", "the user may not add or change it (3260)"),
    ("single-user[:KIND]", "not while others work in the company file (3162)"),
    ("damaged[:KIND]", "the record has an error in it (3180)"),
    ("internal-error[:KIND]", "QuickBooks has an internal error (1000)"),
    ("sales-tax-on", "sales tax is used: a sale without its tax item is refused (3180)"),
    ("multi-currency-on", "other currencies are used"),
    ("message-sets-full", "QuickBooks can keep no answer for its recovery (9005)"),
    ("slow:DURATION", "QuickBooks takes so long for each message set: 2s, 500ms"),
    ("wrong-password", "the password is another one"),
    ("stop-before:N", "a user stops it before the N-th message set"),
];

/// Why a text orders no fault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{spec:?} is no fault: {why}")]
pub struct UnknownFault {
    spec: String,
    why: String,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(spec: &str) -> Result<Self, UnknownFault> {
        let refuse = |why: &str| UnknownFault { spec: spec.to_owned(), why: why.to_owned() };
        let (name, rest) = match spec.split_once(':') {
            Some((name, rest)) => (name, Some(rest)),
            None => (spec, None),
        };
        let number = || match rest {
            None => Ok(1),
            Some(text) => match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(refuse("after the colon stands the number of a message set, from 1")),
            },
        };
        let alone = |fault: Self| match rest {
            None => Ok(fault),
            Some(_) => Err(refuse("nothing follows it")),
        };
        // Of one kind of objects, or of all.
        let of_kind = |how: &str| match rest {
            None if how == "off" => Err(refuse("after the colon stands a kind: SalesOrder")),
            None => Ok(suppose("feature:*", how)),
            Some(kind) if is_kind(kind) => Ok(suppose(&format!("feature:{kind}"), how)),
            Some(kind) => Err(refuse(&format!("QuickBooks has no {kind:?}"))),
        };
        match name {
            "lose-response" => Ok(Self::LoseResponse(number()?)),
            "kill-before-receive" => alone(Self::LoseResponse(1)),
            "lose-request" => Ok(Self::LoseRequest(number()?)),
            "lose-progress" => Ok(Self::LoseProgress(number()?)),
            "double-receive" => Ok(Self::DoubleReceive(number()?)),
            "double-send" => Ok(Self::DoubleSend(number()?)),
            "parse-error" => Ok(Self::Throws { hresult: 0x8004_0400, at: number()? }),
            "crash" => Ok(Self::Crash(number()?)),
            "forget" => Ok(Self::Forget(number()?)),
            "torn-response" => Ok(Self::TornResponse(number()?)),
            "stop-before" => Ok(Self::StopBefore(number()?)),
            "connection-error" => {
                let code = hresult(rest.unwrap_or_default());
                let code = code.ok_or_else(|| refuse("after the colon stands 0x and 8 digits"))?;
                Ok(Self::ConnectionError(code))
            }
            "hresult" => {
                let (code, at) = rest.map_or(("", None), |rest| match rest.split_once(':') {
                    Some((code, at)) => (code, Some(at)),
                    None => (rest, None),
                });
                let code = hresult(code);
                let at = at.map_or(Some(1), |at| at.parse().ok()).filter(|at| *at > 0);
                let whole = code.zip(at).map(|(hresult, at)| Self::Throws { hresult, at });
                whole.ok_or_else(|| {
                    refuse("after the colon stands 0x and 8 digits, or these and :N")
                })
            }
            "modal-dialog" if rest.is_none() => Ok(Self::ConnectionError(0x8004_0414)),
            "modal-dialog" => Ok(Self::Throws { hresult: 0x8004_0414, at: number()? }),
            "unavailable" => alone(Self::ConnectionError(0x8004_0408)),
            "no-access" => alone(Self::ConnectionError(0x8004_041A)),
            "wrong-password" => alone(Self::WrongPassword),
            "wrong-company" => {
                let path = rest.filter(|path| !path.is_empty());
                Ok(Self::WrongCompany(path.unwrap_or("C:\\QuickBooks\\Other.QBW").to_owned()))
            }
            "closing-date" => {
                let day: Option<Date> = rest.and_then(|day| day.parse().ok());
                let day = day.ok_or_else(|| refuse("after the colon stands a day: 2025-12-31"))?;
                Ok(suppose("ClosingDate", &day.to_string()))
            }
            "feature-off" => of_kind("off"),
            "forbidden" => of_kind("forbidden"),
            "single-user" => of_kind("single-user"),
            "damaged" => of_kind("damaged"),
            "internal-error" => of_kind("broken"),
            "sales-tax-on" => alone(suppose("SalesTax", "on")),
            "multi-currency-on" => alone(suppose("MultiCurrency", "on")),
            "message-sets-full" => alone(suppose("MessageSets", "full")),
            "slow" => {
                let why = "after the colon stands a duration: 2s, 500ms";
                duration(rest.unwrap_or_default()).map(Self::Slow).ok_or_else(|| refuse(why))
            }
            "locked" => {
                let why = "after the colon stands KIND/NAME, or KIND/NAME:TIMES, of a kind such as \
                           Customer";
                locked(rest.unwrap_or_default()).ok_or_else(|| refuse(why))
            }
            _ => Err(refuse("see simulate --help for those that there are")),
        }
    }
}

/// Reads `0x80040414`.
fn hresult(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let hexadecimal = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)
}

fn suppose(setting: &str, value: &str) -> Fault {
    Fault::Suppose { setting: setting.to_owned(), value: value.to_owned() }
}

fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = digits.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}

fn locked(text: &str) -> Option<Fault> {
    let (kind, rest) = text.split_once('/')?;
    // A job's name has colons of its own: only a number behind the last one counts.
    let (name, times) = match rest.rsplit_once(':') {
        Some((name, times)) if times.parse::<u32>().is_ok() => (name, times.parse().ok()),
        _ => (rest, None),
    };
    let whole = is_kind(kind) && !name.is_empty();
    whole.then(|| Fault::Locked { kind: kind.to_owned(), name: name.to_owned(), times })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_ordered_in_words() {
        for (spec, expected) in [
            ("lose-response:3", Fault::LoseResponse(3)),
            ("lose-response", Fault::LoseResponse(1)),
            ("kill-before-receive", Fault::LoseResponse(1)),
            ("slow:250ms", Fault::Slow(Duration::from_millis(250))),
            ("wrong-company", Fault::WrongCompany("C:\\QuickBooks\\Other.QBW".to_owned())),
            (
                "locked:Customer/A:B:2",
                Fault::Locked { kind: "Customer".into(), name: "A:B".into(), times: Some(2) },
            ),
            ("modal-dialog", Fault::ConnectionError(0x8004_0414)),
            ("modal-dialog:2", Fault::Throws { hresult: 0x8004_0414, at: 2 }),
            ("connection-error:0x8004041d", Fault::ConnectionError(0x8004_041D)),
            ("hresult:0x80040400", Fault::Throws { hresult: 0x8004_0400, at: 1 }),
            ("hresult:0x8004040D:3", Fault::Throws { hresult: 0x8004_040D, at: 3 }),
            ("closing-date:2025-12-31", suppose("ClosingDate", "2025-12-31")),
            ("feature-off:SalesOrder", suppose("feature:SalesOrder", "off")),
            ("single-user", suppose("feature:*", "single-user")),
            ("internal-error:Bill", suppose("feature:Bill", "broken")),
        ] {
            assert_eq!(spec.parse(), Ok(expected), "{spec}");
        }
    }

    #[test]
    fn what_is_no_fault_is_named() {
        for spec in [
            "",
            "loose-response",
            "lose-response:0",
            "slow",
            "slow:2",
            "locked:x",
            "locked:Custommer/A",
            "unavailable:1",
            "closing-date",
            "closing-date:31/12/2025",
            "feature-off",
            "forbidden:Custommer",
            "message-sets-full:2",
            "connection-error",
            "connection-error:80040408",
            "connection-error:0x8004",
            "hresult:0x80040400:0",
            "modal-dialog:0",
        ] {
            let refused = spec.parse::<Fault>().unwrap_err();
            assert!(refused.to_string().starts_with(&format!("{spec:?} is no fault")), "{refused}");
        }
    }

    #[test]
    fn the_help_lists_faults_that_there_are() {
        for (spec, _) in HELP {
            let spec = spec
                .replace("[:N]", ":2")
                .replace(":N", ":2")
                .replace("[:PATH]", "")
                .replace("KIND/NAME[:TIMES]", "Customer/A:1")
                .replace("DURATION", "1s")
                .replace("CODE", "0x80040408")
                .replace("DATE", "2025-12-31")
                .replace("[:KIND]", ":Invoice")
                .replace(":KIND", ":Invoice");
            assert!(spec.parse::<Fault>().is_ok(), "{spec}");
        }
    }

    #[test]
    fn the_document_lists_every_fault() {
        let document = include_str!("../../docs/cli.md");

        for (spec, does) in HELP {
            assert!(document.contains(&format!("| `{spec}` | {does} |\n")), "{spec}");
        }
    }
}
