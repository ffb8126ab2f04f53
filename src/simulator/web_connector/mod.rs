//! A simulated Web Connector: polls any QBWC server as the real one does.
//!
//! One [`WebConnector::session`] is one update: `serverVersion`, `clientVersion`, `authenticate`,
//! then `sendRequestXML` and `receiveResponseXML` in turns, `getLastError` and `closeConnection`.
//! Faults on order make it die, stumble or wait where real ones do.
//!
//! Source: *QBWC Programmer's Guide* 2.0, chapters 2, 8 and 10; `QWCLog.txt` extracts of versions 2.1
//! to 34.

mod hresults;
pub mod qwc;
mod report;
mod session;
mod soap;
#[cfg(test)]
mod tests;
mod xml;

use super::fault::Fault;
use super::quickbooks::Lock;
use super::quickbooks::QuickBooks;
use super::quickbooks::Setup;
use qwc::Qwc;
pub use report::Call;
pub use report::Ended;
pub use report::Report;
use session::Session;
use soap::Wire;

/// Where and as whom it polls.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `AppURL`.
    pub url: String,
    /// The user name of the `.qwc`.
    pub user: String,
    /// The password that the user typed.
    pub password: String,
}

/// The client, with its QuickBooks.
pub struct WebConnector {
    wire: Wire,
    endpoint: Endpoint,
    quickbooks: QuickBooks,
    /// The wrong company of the last session that had one: for witnesses.
    other: Option<QuickBooks>,
    /// The `OwnerID` of the `.qwc` that was added; "" without one.
    owner: String,
    now: Box<dyn Fn() -> i64 + Send>,
    stop: Box<dyn Fn() -> bool + Send>,
}

impl WebConnector {
    /// A client that never polled. `now` tells seconds since 1970.
    pub fn new(
        endpoint: Endpoint,
        quickbooks: QuickBooks,
        now: Box<dyn Fn() -> i64 + Send>,
    ) -> Self {
        let (wire, stop) = (Wire::new(&endpoint.url), Box::new(|| false));
        Self { wire, endpoint, quickbooks, other: None, owner: String::new(), now, stop }
    }

    /// Trusts the certificates of a PEM text, and no others.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), String> {
        self.wire.trust(pem)
    }

    /// Once this says so, a session is closed after the message set at work.
    pub fn stop_when(&mut self, stop: Box<dyn Fn() -> bool + Send>) {
        self.stop = stop;
    }

    /// Adds the application of a `.qwc`: looks at the certificate and the support page, stamps the
    /// company file.
    ///
    /// # Errors
    ///
    /// What the Web Connector would say.
    pub fn add(&mut self, qwc: &Qwc) -> Result<(), String> {
        let certificate = if qwc.cert_url.is_empty() { &qwc.app_url } else { &qwc.cert_url };
        match self.wire.preflight(certificate) {
            Ok(200) => {}
            Ok(status) => return Err(format!("QBWC1048: GET {certificate} answered {status}")),
            Err(error) => return Err(format!("QBWC1048: {error}")),
        }
        match self.wire.preflight(&qwc.app_support) {
            Ok(200 | 202) => {}
            Ok(status) => return Err(format!("QBWC1003: AppSupport answered {status}")),
            Err(error) => return Err(format!("QBWC1004: {error}")),
        }
        self.owner.clone_from(&qwc.owner_id);
        match self.quickbooks.stamp_of(&qwc.owner_id, "FileID") {
            Some(stamp) if stamp.eq_ignore_ascii_case(&qwc.file_id) => Ok(()),
            Some(_) => Err("QBWC1039: Unique OwnerID/FileID pair value required".to_owned()),
            None => self
                .quickbooks
                .stamp(&qwc.owner_id, "FileID", &qwc.file_id)
                .map_err(|error| format!("QBWC1027: {error}")),
        }
    }

    /// Somebody types another password.
    pub fn retype(&mut self, password: &str) {
        password.clone_into(&mut self.endpoint.password);
    }

    /// Its QuickBooks, for bookkeepers and witnesses.
    pub fn quickbooks(&mut self) -> &mut QuickBooks {
        &mut self.quickbooks
    }

    /// The QuickBooks of the wrong company that was open last: what was written into it.
    pub fn other_quickbooks(&self) -> Option<&QuickBooks> {
        self.other.as_ref()
    }

    /// One update.
    pub fn session(&mut self, faults: &[Fault], watch: &mut dyn FnMut(&Call<'_>)) -> Report {
        let report = Report {
            ended: Ended::Done,
            calls: 0,
            message_sets: 0,
            requests: 0,
            closing: String::new(),
            every_at_least: None,
            missed: Vec::new(),
        };
        let wrong = faults.iter().find_map(|fault| match fault {
            Fault::WrongCompany(path) => Some(path),
            _ => None,
        });
        let quickbooks = match wrong {
            None => &mut self.quickbooks,
            // Another company of its own, in memory, which nobody has stamped.
            Some(path) => match QuickBooks::open(None, &Setup::of_file(path), (self.now)()) {
                Ok(other) => self.other.insert(other),
                Err(error) => {
                    return Report { ended: session::own(&error), ..report };
                }
            },
        };
        for fault in faults {
            match fault {
                Fault::Locked { kind, name, times } => {
                    let lock = Lock { kind: kind.clone(), name: name.clone(), times: *times };
                    quickbooks.lock(lock);
                }
                Fault::Suppose { setting, value } => quickbooks.suppose(setting, value),
                _ => {}
            }
        }
        let (wire, stop, ticket) = (&self.wire, &self.stop, String::new());
        wire.begin();
        let owner = self.owner.as_str();
        let (crashed, rounds) = (false, 0);
        let mut session =
            Session { wire, faults, watch, stop, report, ticket, owner, crashed, rounds };
        let ended = session.run(&self.endpoint, quickbooks, &self.now);
        session.report.ended = ended.unwrap_or_else(|stop| stop);
        let numbered = faults.iter().filter_map(Fault::numbered);
        let missed = numbered.filter(|(_, at)| *at > session.rounds);
        session.report.missed = missed.map(|(name, at)| format!("{name}:{at}")).collect();
        let report = session.report;
        quickbooks.as_before();
        report
    }
}
