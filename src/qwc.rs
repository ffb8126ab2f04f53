//! A connection as its `.qwc`: the file that an administrator opens in the Web Connector.
//!
//! The same connection gives the same bytes at every download. QuickBooks keeps the first OwnerID and
//! FileID that it sees: a file with new ones cannot be installed again (QBWC1039), and removing the
//! application does not help.
//!
//! Source of the elements: *QBWC Programmer's Guide* 2.0, chapter 4, but for `IsReadOnly`, whose
//! sentence there is inverted: with `true` the Web Connector cannot even register itself (status 3263,
//! seen with version 34). Each is explained to administrators in `qwc/README.md`.

use std::fmt::Write as _;
use std::net::IpAddr;

use yaserde::YaSerialize;
use yaserde::ser::Config;

use crate::domain::connection::Connection;

/// The longest `AppDescription` that the guide advises, in characters.
const MAX_DESCRIPTION: usize = 80;

/// `scheme://host`, if it can be one. A client may write anything into its headers, and the address
/// goes into files that people open.
pub fn address(scheme: &str, host: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    let is_one = matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain);
    is_one.then(|| format!("{scheme}://{host}"))
}

/// From where Web Connectors take an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// From this very machine alone.
    Here,
    /// From nowhere, and why.
    Refused(&'static str),
    /// From everywhere, if its certificate is trusted there.
    Anywhere,
}

/// What to do about an address that is refused.
pub const MEND: &str =
    "set public-url to https:// and a host name, with a certificate that is valid for it";

/// What the Web Connector takes: HTTPS, except on its own machine, and a host name that a certificate
/// can carry (*QBWC Programmer's Guide* 2.0, appendix A: QBWC1001 and 1010).
pub fn reach(url: &str) -> Reach {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<IpAddr>().ok();
    // `by_name` calls these by their name; another address of this machine has none.
    if matches!(host, "localhost" | "127.0.0.1" | "::1") {
        return Reach::Here;
    }
    match (scheme == "https", address.is_some()) {
        (true, false) => Reach::Anywhere,
        (true, true) => Reach::Refused("the Web Connector refuses an IP address (QBWC1001)"),
        (false, false) => Reach::Refused("the Web Connector refuses plain HTTP (QBWC1010)"),
        (false, true) => Reach::Refused(
            "the Web Connector refuses plain HTTP (QBWC1010) and an IP address (QBWC1001)",
        ),
    }
}

/// The document; elements in the order of the guide's example.
#[derive(YaSerialize)]
#[yaserde(rename = "QBWCXML")]
struct Qwc {
    #[yaserde(rename = "AppName")]
    app_name: String,
    #[yaserde(rename = "AppID")]
    app_id: String,
    #[yaserde(rename = "AppURL")]
    app_url: String,
    #[yaserde(rename = "AppDescription")]
    app_description: String,
    #[yaserde(rename = "AppSupport")]
    app_support: String,
    #[yaserde(rename = "UserName")]
    user_name: String,
    #[yaserde(rename = "OwnerID")]
    owner_id: String,
    #[yaserde(rename = "FileID")]
    file_id: String,
    #[yaserde(rename = "QBType")]
    qb_type: String,
    #[yaserde(rename = "Style")]
    style: String,
    #[yaserde(rename = "AuthFlags")]
    auth_flags: String,
    #[yaserde(rename = "IsReadOnly")]
    is_read_only: String,
    #[yaserde(rename = "Notify")]
    notify: String,
    #[yaserde(rename = "PersonalDataPref")]
    personal_data_pref: String,
    #[yaserde(rename = "UnattendedModePref")]
    unattended_mode_pref: String,
    #[yaserde(rename = "Scheduler")]
    scheduler: Scheduler,
}

#[derive(YaSerialize)]
struct Scheduler {
    #[yaserde(rename = "RunEveryNMinutes")]
    run_every_n_minutes: String,
}

/// Writes the `.qwc` of a connection, in ASCII.
pub fn write(connection: &Connection, app_url: &str, support_url: &str) -> String {
    let text = |text: &str| text.chars().filter(|c| is_text(*c)).collect::<String>();
    let description = format!("Brings the records of {} into QuickBooks", connection.name);
    let document = Qwc {
        app_name: text(&connection.app_name),
        app_id: String::new(),
        app_url: text(&by_name(app_url)),
        app_description: text(&shortened(&description)),
        app_support: text(&by_name(support_url)),
        user_name: text(&connection.username),
        owner_id: connection.owner_id.braced().to_string(),
        file_id: connection.file_id.braced().to_string(),
        qb_type: "QBFS".to_owned(),
        style: "Document".to_owned(),
        auth_flags: "0xF".to_owned(),
        is_read_only: "false".to_owned(),
        notify: "false".to_owned(),
        personal_data_pref: "pdpNotNeeded".to_owned(),
        unattended_mode_pref: "umpRequired".to_owned(),
        scheduler: Scheduler { run_every_n_minutes: connection.every_minutes.to_string() },
    };
    let config =
        Config { perform_indent: true, write_document_declaration: true, indent_string: None };
    let xml = yaserde::ser::to_string_with_config(&document, &config);
    ascii(&xml.expect("memory takes every text"))
}

/// The Web Connector takes no IP address (QBWC1001, QBWC1002), and this machine has a name.
fn by_name(url: &str) -> String {
    for address in ["://127.0.0.1", "://[::1]"] {
        if let Some((scheme, rest)) = url.split_once(address)
            && (rest.is_empty() || rest.starts_with([':', '/']))
        {
            return format!("{scheme}://localhost{rest}");
        }
    }
    url.to_owned()
}

/// What XML 1.0 can hold, in one line.
fn is_text(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_DESCRIPTION {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_DESCRIPTION - 3).collect();
    short.push_str("...");
    short
}

/// Numeric references instead of other characters, so that no reader can mistake the encoding.
fn ascii(xml: &str) -> String {
    let mut ascii = String::with_capacity(xml.len() + 1);
    for c in xml.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let _ = write!(ascii, "&#{};", u32::from(c));
        }
    }
    ascii.push('\n');
    ascii
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::ConnectionId;
    use crate::domain::ids::Digest;
    use crate::domain::ids::Revision;

    fn connection(name: &str, app_name: &str) -> Connection {
        let id = ConnectionId::from_name(name);
        Connection {
            username: format!("{id}-7f3a9c2e"),
            id,
            revision: Revision::NEW,
            name: name.to_owned(),
            password: Digest::of(b"password"),
            company_file: None,
            every_minutes: 5,
            app_name: app_name.to_owned(),
            owner_id: Uuid::from_u128(0x6c0d_5f0e_3c55_4b0c_9a57_0f2f_3bd0_a111),
            file_id: Uuid::from_u128(0xb1b1_e1d2_9a0e_4a51_8f6f_5a6f_3c0a_2222),
            pause: None,
            duplicate_numbers: crate::domain::connection::DuplicateNumbers::Fail,
            mirror: false,
            pairing: None,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_connection_is_written_as_the_examples_show() {
        let https = connection("Acme Ltd.", "Bookbridge (Acme Ltd.)");
        let mut local = connection("Müller & Söhne", "Bookbridge (Müller & Söhne)");
        local.every_minutes = 60;
        for (connection, url, golden) in [
            (https, "https://sync.example.com", include_str!("../qwc/https.qwc")),
            (local, "http://localhost:8170", include_str!("../qwc/localhost.qwc")),
        ] {
            let (app, support) = (format!("{url}/qbwc"), format!("{url}/support"));

            let written = write(&connection, &app, &support);

            assert_eq!(written, golden);
            assert_eq!(write(&connection, &app, &support), written);
            assert!(written.is_ascii());
        }
    }

    #[test]
    fn any_name_gives_a_file_that_can_be_read() {
        let hostile = "<]]>&\"'\u{0}\r\n\u{fffe}\u{10ffff}ü".repeat(50);

        let written = write(&connection(&hostile, &hostile), "https://x/?a=1&b=2", "https://x");

        let mut reader = quick_xml::Reader::from_str(&written);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        assert!(written.contains("<AppURL>https://x/?a=1&amp;b=2</AppURL>"));
        assert!(!written.contains("&#65534;"));
    }

    #[test]
    fn an_address_that_the_web_connector_refuses_is_told_from_one_that_it_takes() {
        let check = |url: &str, codes: &[&str]| {
            let Reach::Refused(why) = reach(url) else { panic!("{url}") };
            let told: Vec<_> =
                ["QBWC1001", "QBWC1010"].into_iter().filter(|code| why.contains(code)).collect();
            assert_eq!(told, codes, "{url}");
        };

        check("http://mybox:9153", &["QBWC1010"]);
        check("http://192.168.1.5:9153", &["QBWC1001", "QBWC1010"]);
        check("https://[2001:db8::1]:8170", &["QBWC1001"]);
        check("https://127.0.0.2:8170", &["QBWC1001"]);
        assert_eq!(reach("https://books.example.com:8170/a"), Reach::Anywhere);
        for here in ["http://localhost:8170", "http://127.0.0.1:8170", "https://[::1]"] {
            assert_eq!(reach(here), Reach::Here, "{here}");
        }
    }

    #[test]
    fn this_machine_is_called_by_its_name() {
        for (url, written) in [
            ("http://127.0.0.1:8170/qbwc", "http://localhost:8170/qbwc"),
            ("http://[::1]/qbwc", "http://localhost/qbwc"),
            ("https://127.0.0.1.example.com/qbwc", "https://127.0.0.1.example.com/qbwc"),
            ("https://sync.example.com/qbwc", "https://sync.example.com/qbwc"),
        ] {
            assert_eq!(by_name(url), written);
        }
    }

    #[test]
    fn a_description_has_at_most_80_characters() {
        for length in [1, 40, 100, 1000] {
            assert!(shortened(&"ü".repeat(length)).chars().count() <= MAX_DESCRIPTION);
        }
    }
}
