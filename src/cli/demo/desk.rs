//! The other side of a demo: a simulated company file, its Web Connector, its bookkeeper.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::ensure;
use serde_json::json;
use ureq::http::Method;

use super::COMPANY;
use super::CONNECTION;
use super::script::Company;
use super::stage::Clock;
use crate::cli::client::Client;
use crate::cli::client::Content;
use crate::cli::client::of_connection;
use crate::cli::output;
use crate::cli::simulate;
use crate::engine::ambient::Ambient as _;
use crate::simulator::Endpoint;
use crate::simulator::Fault;
use crate::simulator::QuickBooks;
use crate::simulator::Qwc;
use crate::simulator::Setup;
use crate::simulator::WebConnector;

/// The desk at which QuickBooks stands.
pub(super) struct Desk {
    /// The Web Connector's user name.
    pub(super) user: String,
    /// Its password.
    pub(super) password: String,
    connector: RefCell<WebConnector>,
    clock: Arc<Clock>,
}

impl Desk {
    /// Makes the connection, sets up the company file, installs the `.qwc`.
    pub(super) fn new(
        client: &Client,
        company: &Company,
        directory: &Path,
        clock: Arc<Clock>,
    ) -> anyhow::Result<Self> {
        let made = client.post(
            "/v1/connections",
            &json!({"id": CONNECTION, "name": company.name, "companyFile": company.file}),
        )?;
        let setup = Setup {
            company_name: company.name.clone(),
            file: company.file.clone(),
            ..Setup::default()
        };
        let now = clock.now().as_second();
        let mut quickbooks = QuickBooks::open(Some(&directory.join(COMPANY)), &setup, now)?;
        let before = answered(&quickbooks.process(company.before()?, now).map_err(refused)?);
        before.context("what the company file has before")?;
        quickbooks.set("ClosingDate", &company.closing_date)?;
        let file = client.call(Method::GET, &of_connection(CONNECTION, &["qwc"]), Content::None)?;
        let qwc = Qwc::parse(&String::from_utf8_lossy(&file.body)).map_err(anyhow::Error::msg)?;
        let user = output::text(&made, "/username").into_owned();
        let password = output::text(&made, "/password").into_owned();
        let endpoint =
            Endpoint { url: qwc.app_url.clone(), user: user.clone(), password: password.clone() };
        let ticking = clock.clone();
        let now = Box::new(move || ticking.now().as_second());
        let mut connector = WebConnector::new(endpoint, quickbooks, now);
        connector.add(&qwc).map_err(anyhow::Error::msg)?;
        Ok(Self { user, password, connector: RefCell::new(connector), clock })
    }

    /// One poll of the Web Connector; what it said.
    pub(super) fn session(&self, faults: &[String]) -> anyhow::Result<String> {
        let faults = faults.iter().map(|spec| spec.parse()).collect::<Result<Vec<Fault>, _>>()?;
        let report = self.connector.borrow_mut().session(&faults, &mut |_| {});
        ensure!(!report.ended.is_error(), "{}", simulate::in_words(&report));
        Ok(simulate::in_words(&report))
    }

    /// The bookkeeper works in QuickBooks, past Bookbridge; what came of it.
    pub(super) fn by_hand(&self, requests: &str) -> anyhow::Result<String> {
        let document = format!(
            "<?xml version=\"1.0\"?><?qbxml version=\"13.0\"?><QBXML><QBXMLMsgsRq \
             onError=\"stopOnError\">{requests}</QBXMLMsgsRq></QBXML>"
        );
        let mut connector = self.connector.borrow_mut();
        let response = connector.quickbooks().process(&document, self.clock.now().as_second());
        let count = answered(&response.map_err(refused)?)?;
        Ok(format!("{count} things done in QuickBooks"))
    }
}

fn refused(why: impl std::fmt::Display) -> anyhow::Error {
    anyhow::Error::msg(why.to_string())
}

/// How many requests a response answers; an error with QuickBooks' words if it refused one.
fn answered(response: &str) -> anyhow::Result<usize> {
    let codes = response.split(" statusCode=\"").skip(1);
    let mut count = 0;
    for rest in codes {
        let said = rest.split("statusMessage=\"").nth(1).and_then(|rest| rest.split('"').next());
        ensure!(rest.starts_with("0\""), "QuickBooks refused it: {}", said.unwrap_or_default());
        count += 1;
    }
    Ok(count)
}
