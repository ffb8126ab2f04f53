//! One update at work: the calls in their order, and what goes wrong on order.
//!
//! It holds no state beyond its end: what the next session needs is in QuickBooks and in the server.
//!
//! Source: *QBWC Programmer's Guide* 2.0, chapters 2, 8 and 10, and appendix A for the codes.

use std::time::Duration;

use super::Endpoint;
use super::hresults;
use super::report::Call;
use super::report::Ended;
use super::report::Report;
use super::soap::CallError;
use super::soap::Wire;
use crate::simulator::fault::Fault;
use crate::simulator::quickbooks::QuickBooks;
use crate::simulator::quickbooks::Refused;

/// The version that this client tells.
const VERSION: &str = "34.0.10010.76";
/// How often `NoOp` is waited for in one session.
const MAX_NOOPS: u32 = 120;
/// The pause after `NoOp` (guide, chapter 2).
const NOOP_PAUSE: Duration = Duration::from_secs(5);
/// How often another company file is tried after a `connectionError`.
const MAX_FILES: u32 = 3;
/// The stamp that keeps two machines apart: `LOCKED:`, a machine, its time (`QWCLog.txt` of 2.2).
/// No log shows what stands there afterwards.
const APP_LOCK: &str = "AppLock";
/// The machine that this client runs on.
const MACHINE: &str = "SIMULATOR";
/// More rounds than this are a loop.
const MAX_ROUNDS: u32 = 100_000;

/// A session at work.
pub(super) struct Session<'a> {
    pub(super) wire: &'a Wire,
    pub(super) faults: &'a [Fault],
    pub(super) watch: &'a mut dyn FnMut(&Call<'_>),
    pub(super) stop: &'a dyn Fn() -> bool,
    pub(super) report: Report,
    pub(super) ticket: String,
    /// Whose stamps it may see; "": those of all, because nobody has said.
    pub(super) owner: &'a str,
    /// Whether QuickBooks is gone.
    pub(super) crashed: bool,
    /// How many message sets were fetched.
    pub(super) rounds: u32,
}

/// Why a session ends before its time.
pub(super) type Stop = Ended;

impl Session<'_> {
    fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    fn call(
        &mut self,
        operation: &str,
        arguments: &[(&str, &str)],
    ) -> Result<Vec<String>, CallError> {
        self.report.calls += 1;
        let answered = self.wire.call(operation, arguments);
        let answer = match &answered {
            // The ticket is a secret while the session lives.
            Ok(texts) if operation == "authenticate" => {
                let ticket = texts.first().filter(|ticket| !ticket.is_empty());
                let rest = texts.iter().skip(1).map(|text| short(text));
                let head = ticket.map_or("no ticket", |_| "a ticket").to_owned();
                std::iter::once(head).chain(rest).collect::<Vec<_>>().join(" | ")
            }
            Ok(texts) => texts.iter().map(|text| short(text)).collect::<Vec<_>>().join(" | "),
            Err(error) => error.to_string(),
        };
        (self.watch)(&Call { operation, answer });
        answered
    }

    /// A call whose failure ends the session.
    fn must(&mut self, operation: &str, arguments: &[(&str, &str)]) -> Result<Vec<String>, Stop> {
        self.call(operation, arguments).map_err(|error| broken(operation, &error))
    }

    fn text(&mut self, operation: &str, arguments: &[(&str, &str)]) -> Result<String, Stop> {
        Ok(self.must(operation, arguments)?.into_iter().next().unwrap_or_default())
    }

    /// All of it, from `serverVersion` on.
    ///
    /// # Errors
    ///
    /// How it ended, before its time.
    pub(super) fn run(
        &mut self,
        endpoint: &Endpoint,
        quickbooks: &mut QuickBooks,
        now: &dyn Fn() -> i64,
    ) -> Result<Ended, Stop> {
        // A server without it, or one that fails here, is polled all the same.
        let _ = self.call("serverVersion", &[]);
        let version = self.call("clientVersion", &[("strVersion", VERSION)]);
        let version = version.ok().and_then(|texts| texts.into_iter().next()).unwrap_or_default();
        match version.split_once(':').map(|(head, _)| head) {
            Some("E") => return Err(Ended::Stopped(format!("QBWC1037: {version}"))),
            Some("W" | "O") => {}
            _ if version.is_empty() => {}
            _ => return Err(Ended::Broken(format!("QBWC1046: incorrect syntax: {version}"))),
        }
        self.log_in(endpoint, quickbooks)?;
        if self.owner.is_empty() {
            let hcp = quickbooks.host_company_preferences(now());
            return self.exchange(quickbooks, now, hcp);
        }
        let locked = format!("LOCKED:{MACHINE}:{}", ticks(now()));
        quickbooks.stamp(self.owner, APP_LOCK, &locked).map_err(|error| own(&error))?;
        let hcp = quickbooks.told_to(self.owner, now());
        let ended = self.exchange(quickbooks, now, hcp);
        // One that dies leaves the company locked.
        if !matches!(ended, Ok(Ended::Died(_)) | Err(Ended::Died(_))) {
            quickbooks.stamp(self.owner, APP_LOCK, "UNLOCKED").map_err(|error| own(&error))?;
        }
        ended
    }

    fn log_in(&mut self, endpoint: &Endpoint, quickbooks: &mut QuickBooks) -> Result<(), Stop> {
        let other = format!("{}x", endpoint.password);
        let password = if self.has(&Fault::WrongPassword) { &other } else { &endpoint.password };
        let arguments = [("strUserName", endpoint.user.as_str()), ("strPassword", password)];
        let answered = self.must("authenticate", &arguments)?;
        let [ticket, verdict, rest @ ..] = answered.as_slice() else {
            let why = "Index was outside the bounds of the array.";
            return Err(broken("authenticate", &why));
        };
        self.ticket.clone_from(ticket);
        let seconds = |at: usize| match rest.get(at).map(|text| text.trim()) {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| broken("authenticate", &format!("{text:?} is no number of seconds"))),
        };
        self.report.every_at_least = seconds(1)?;
        let seconds = seconds(0)?;
        match (verdict.to_ascii_lowercase().as_str(), seconds) {
            ("nvu", _) => {
                self.close()?;
                Err(Ended::WrongPassword)
            }
            ("busy", _) => Err(Ended::Busy),
            (_, Some(seconds)) => {
                self.close()?;
                Err(Ended::Postponed(seconds))
            }
            ("none", None) => {
                self.close()?;
                Err(Ended::NothingToDo)
            }
            _ => self.open(verdict.clone(), quickbooks),
        }
    }

    /// Opens QuickBooks, with the company file that the server named or the one that is open.
    fn open(&mut self, mut file: String, quickbooks: &mut QuickBooks) -> Result<(), Stop> {
        for _ in 0..MAX_FILES {
            let refused = self.refused_to_open(&file, quickbooks)?;
            let Some(refused) = refused else { return Ok(()) };
            let ticket = self.ticket.clone();
            let hresult = format!("0x{:08X}", refused.hresult);
            let arguments =
                [("ticket", ticket.as_str()), ("hresult", &hresult), ("message", &refused.message)];
            file = self.text("connectionError", &arguments)?;
            if file.eq_ignore_ascii_case("done") {
                return Err(Ended::NoQuickBooks(format!("QBWC1013: {refused}")));
            }
        }
        Err(Ended::NoQuickBooks("QBWC1013: no company file could be opened".to_owned()))
    }

    /// What `BeginSession` raises, if anything.
    fn refused_to_open(
        &self,
        file: &str,
        quickbooks: &mut QuickBooks,
    ) -> Result<Option<Refused>, Stop> {
        let ordered = self.faults.iter().find_map(|fault| match fault {
            Fault::ConnectionError(hresult) => Some(*hresult),
            _ => None,
        });
        if let Some(hresult) = ordered {
            return Ok(Some(hresults::refused(hresult)));
        }
        let is_open = quickbooks.open_file(file).map_err(|error| own(&error))?;
        Ok((!is_open).then(|| hresults::refused(hresults::OTHER_FILE)))
    }

    /// Requests and responses, in turns.
    fn exchange(
        &mut self,
        quickbooks: &mut QuickBooks,
        now: &dyn Fn() -> i64,
        hcp: String,
    ) -> Result<Ended, Stop> {
        let (mut hcp, mut noops) = (hcp, 0);
        for _ in 0..MAX_ROUNDS {
            let round = self.rounds + 1;
            if self.has(&Fault::StopBefore(round)) {
                self.rounds = round;
                return Err(Ended::Died("a user stopped it".to_owned()));
            }
            if (self.stop)() {
                self.close()?;
                return Err(Ended::Died("a user stopped it".to_owned()));
            }
            let (qbxml, after) = self.ask(quickbooks, &std::mem::take(&mut hcp), round)?;
            if qbxml.is_empty() {
                match after.as_str() {
                    "NoOp" if noops < MAX_NOOPS => {
                        noops += 1;
                        std::thread::sleep(NOOP_PAUSE);
                        continue;
                    }
                    "Interactive mode" => {
                        let ticket = self.ticket.clone();
                        let reason = "nobody is there";
                        self.text(
                            "interactiveRejected",
                            &[("wcTicket", &ticket), ("reason", reason)],
                        )?;
                    }
                    _ => {}
                }
                self.close()?;
                return Ok(Ended::Stopped(after));
            }
            self.rounds = round;
            if self.has(&Fault::LoseRequest(round)) {
                return Err(Ended::Died(format!("message set {round} was lost")));
            }
            let (response, hresult, message) = self.process(quickbooks, &qbxml, round, now())?;
            let percent = self.bring(&response, &hresult, &message)?;
            if self.has(&Fault::DoubleReceive(round)) {
                self.bring(&response, &hresult, &message)?;
            }
            if self.has(&Fault::LoseProgress(round)) {
                return Err(Ended::Died(format!("the answer to response {round} was lost")));
            }
            match percent {
                ..0 => {
                    let why = self.last_error()?;
                    self.close()?;
                    return Ok(Ended::Stopped(why));
                }
                0..100 => {}
                100 => {
                    self.close()?;
                    return Ok(Ended::Done);
                }
                _ => {
                    let why = format!("{percent} is more than 100");
                    return Err(broken("receiveResponseXML", &why));
                }
            }
        }
        Err(Ended::Broken(format!("it goes on after {MAX_ROUNDS} message sets")))
    }

    /// `sendRequestXML`; with nothing to send, what `getLastError` says.
    fn ask(
        &mut self,
        quickbooks: &QuickBooks,
        hcp: &str,
        round: u32,
    ) -> Result<(String, String), Stop> {
        let ticket = self.ticket.clone();
        let file = quickbooks.file().to_owned();
        let (major, minor) = quickbooks.version();
        let (major, minor) = (major.to_string(), minor.to_string());
        let edition = quickbooks.edition().to_owned();
        let arguments = [
            ("ticket", ticket.as_str()),
            ("strHCPResponse", hcp),
            ("strCompanyFileName", &file),
            ("qbXMLCountry", &edition),
            ("qbXMLMajorVers", &major),
            ("qbXMLMinorVers", &minor),
        ];
        let qbxml = self.text("sendRequestXML", &arguments)?;
        if self.has(&Fault::DoubleSend(round)) {
            self.text("sendRequestXML", &arguments)?;
        }
        if !qbxml.is_empty() {
            return Ok((qbxml, String::new()));
        }
        let after = self.last_error()?;
        Ok((qbxml, after))
    }

    /// Gives a message set to QuickBooks: response, hresult, message.
    fn process(
        &mut self,
        quickbooks: &mut QuickBooks,
        qbxml: &str,
        round: u32,
        now: i64,
    ) -> Result<(String, String, String), Stop> {
        let threw = |refused: &Refused| {
            let hresult = format!("0x{:08X}", refused.hresult);
            Ok((String::new(), hresult, refused.message.clone()))
        };
        for fault in self.faults {
            if let Fault::Slow(duration) = fault {
                std::thread::sleep(*duration);
            }
        }
        // Nobody starts it again before the session ends.
        if self.crashed {
            return threw(&hresults::refused(hresults::CRASHED));
        }
        for fault in self.faults {
            if let Fault::Throws { hresult, at } = fault
                && *at == round
            {
                return threw(&hresults::refused(*hresult));
            }
        }
        self.report.message_sets += 1;
        self.report.requests += u32::try_from(qbxml.matches("Rq requestID=").count()).unwrap_or(0);
        let answered = quickbooks.process(qbxml, now);
        let what = match &answered {
            Ok(response) => format!("{} bytes", response.len()),
            Err(refused) => refused.to_string(),
        };
        (self.watch)(&Call { operation: "QuickBooks", answer: what });
        if self.has(&Fault::Forget(round)) {
            quickbooks.forget_last().map_err(|error| own(&error))?;
            return Err(Ended::Died(format!("answer {round} was lost, and QuickBooks forgot it")));
        }
        if self.has(&Fault::LoseResponse(round)) {
            return Err(Ended::Died(format!("answer {round} of QuickBooks was lost")));
        }
        if self.has(&Fault::Crash(round)) {
            self.crashed = true;
            return threw(&hresults::refused(hresults::CRASHED));
        }
        match answered {
            Err(refused) => threw(&refused),
            Ok(mut response) => {
                if self.has(&Fault::TornResponse(round)) {
                    response.truncate(response.floor_char_boundary(response.len() / 2));
                }
                Ok((response, String::new(), String::new()))
            }
        }
    }

    fn bring(&mut self, response: &str, hresult: &str, message: &str) -> Result<i32, Stop> {
        let ticket = self.ticket.clone();
        let arguments = [
            ("ticket", ticket.as_str()),
            ("response", response),
            ("hresult", hresult),
            ("message", message),
        ];
        let percent = self.text("receiveResponseXML", &arguments)?;
        let parsed: Result<i32, _> = percent.trim().parse();
        parsed.map_err(|_| {
            broken("receiveResponseXML", &format!("{percent:?} is no whole number of 32 bits"))
        })
    }

    fn last_error(&mut self) -> Result<String, Stop> {
        let ticket = self.ticket.clone();
        self.text("getLastError", &[("ticket", &ticket)])
    }

    fn close(&mut self) -> Result<(), Stop> {
        let ticket = self.ticket.clone();
        self.report.closing = self.text("closeConnection", &[("ticket", &ticket)])?;
        Ok(())
    }
}

/// Why a call ended the session, under the code that the log of the Web Connector has for it.
///
/// Source: guide, appendix A.
fn broken(operation: &str, why: &dyn std::fmt::Display) -> Stop {
    let code = match operation {
        "authenticate" => "QBWC1012: ",
        "sendRequestXML" => "QBWC1041: ",
        "receiveResponseXML" => "QBWC1042: ",
        "getLastError" => "QBWC1043: ",
        "closeConnection" => "QBWC1044: ",
        "connectionError" => "QBWC1045: ",
        _ => "",
    };
    Ended::Broken(format!("{code}{why}"))
}

/// Seconds since 1970 as .NET counts: tenths of microseconds since the year 1.
const fn ticks(seconds: i64) -> i64 {
    (seconds + 62_135_596_800) * 10_000_000
}

/// What the disk of the simulated QuickBooks says.
pub(super) fn own(error: &std::io::Error) -> Stop {
    Ended::Broken(format!("the simulated QuickBooks: {error}"))
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    const MOST: usize = 100;
    if text.starts_with("<?xml") {
        return format!("{} bytes of qbXML", text.len());
    }
    let mut shown: String =
        text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > MOST {
        shown.push('…');
    }
    shown
}
