//! The address at which Web Connectors call: whether they take it, its certificate, and what answers
//! there.

use std::path::Path;

use super::NOBODY;
use super::Report;
use super::State;
use super::certificate;
use super::is_ours;
use super::try_get;
use crate::cli::client::Answer;
use crate::cli::client::Client;
use crate::cli::failure;
use crate::cli::output;
use crate::config::Settings;
use crate::qwc;
use crate::qwc::Reach;

/// A certificate with fewer days left is to be renewed.
const SOON: i64 = 14;

/// Whether the Web Connector takes the address.
pub(super) fn public_url(report: &mut Report, settings: &Settings, base: &str) {
    let check = "public address";
    let url = settings.public_url.as_deref().unwrap_or(base);
    match qwc::reach(url) {
        Reach::Here => {
            let detail = format!("{url} works for a Web Connector on this very machine alone");
            let fix = "for another machine set public-url to https:// and a host name";
            report.add(check, State::Warning, detail, fix);
        }
        Reach::Refused(why) => report.add(check, State::Error, format!("{url}: {why}"), qwc::MEND),
        Reach::Anywhere => report.ok(check, url),
    }
}

/// The certificate of an address with https, as a Web Connector meets it.
pub(super) fn certificate_of(report: &mut Report, url: &str, roots: Option<&Path>, now: i64) {
    let Some(rest) = url.strip_prefix("https://") else { return };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = authority
        .rsplit_once(':')
        .map_or((authority, 443), |(host, port)| (host, port.parse().unwrap_or(443)));
    if let Err(why) = certificate::called(host, port) {
        let detail = format!("nobody answers at {host}, port {port}: {why}");
        report.add("certificate", State::Error, detail, NOBODY);
        return;
    }
    match certificate::look(host, port, roots) {
        Err(why) => {
            let fix = "get a certificate that Windows trusts and that is valid for this host, with \
                       its intermediate certificates (QBWC1048)";
            report.add("certificate", State::Error, why, fix);
        }
        Ok(met) => {
            let days = (met.expires_at - now).div_euclid(86_400);
            if days < SOON {
                let detail = format!("it expires in {days} days");
                report.add("certificate", State::Warning, detail, "renew it");
            } else {
                report.ok("certificate", format!("trusted; it expires in {days} days"));
            }
            match (met.tls12, met.tls13) {
                (true, true) => report.ok("TLS", "versions 1.2 and 1.3"),
                (true, false) => report.ok("TLS", "version 1.2"),
                _ => report.add(
                    "TLS",
                    State::Warning,
                    "version 1.3 alone".to_owned(),
                    "switch TLS 1.2 on: the Web Connector on older Windows has no 1.3",
                ),
            }
        }
    }
}

/// What the Web Connector calls, at the address that it is given: whether it answers as it should.
/// `wrong` is what another address in the WSDL counts as: the server may have one that this command
/// was not told. `silent` is what to do where nobody answers.
pub(super) fn endpoint(report: &mut Report, client: &Client, wrong: State, silent: &str) -> bool {
    let fix = "let the proxy in front pass /qbwc and /support without asking for a login";
    let url = format!("{}/qbwc", client.base());
    let mut answers = false;
    match try_get(client, "/qbwc") {
        Ok(answer) if is_ours(&answer, "Bookbridge") => {
            report.ok("endpoint", format!("GET {url} answers 200"));
            answers = true;
        }
        Ok(answer) if answer.status == 200 => {
            let detail = format!("GET {url} answers with somebody else's page");
            report.add("endpoint", State::Error, detail, fix);
        }
        Ok(Answer { status, .. }) => {
            let detail =
                format!("GET {url} answers {status}; the Web Connector looks there for 200 first");
            report.add("endpoint", State::Error, detail, fix);
        }
        Err(error) => {
            let detail = output::text(&failure::document(&error), "/detail").into_owned();
            report.add("endpoint", State::Error, detail, silent);
            return false;
        }
    }
    let told = try_get(client, "/qbwc?wsdl").ok();
    let text = told.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    let place =
        text.as_deref().and_then(|text| text.split("location=\"").nth(1)?.split('"').next());
    match place {
        Some(place) if place == url => report.ok("WSDL", format!("it names {url}")),
        Some(place) => {
            let detail = format!("it names {place}, not {url}");
            let fix = "set public-url, or let the proxy in front keep the Host header";
            report.add("WSDL", wrong, detail, fix);
        }
        None => report.add(
            "WSDL",
            State::Warning,
            "GET /qbwc?wsdl gives no WSDL".to_owned(),
            "let the proxy in front pass query strings",
        ),
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;
    use crate::config::Origin;

    #[test]
    fn the_public_address_is_one_that_the_web_connector_takes() {
        for (url, state) in [
            ("https://books.example.com", State::Ok),
            ("http://books.example.com", State::Error),
            ("https://192.0.2.1", State::Error),
            ("https://[2001:db8::1]:8170", State::Error),
            ("http://localhost:8170", State::Warning),
        ] {
            let mut layers = Layers::default();
            layers.set("public-url", url, Origin::Flag);
            let mut report = Report::default();

            public_url(&mut report, &Settings::of(&layers).unwrap(), "http://127.0.0.1:1");

            assert_eq!(report.0[0].state, state, "{url}");
        }
    }
}
