//! The settings, in one table: names, defaults, words.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in the file and, with `--` before it, as a flag.
    pub name: &'static str,
    /// How a value looks in help.
    pub value: &'static str,
    /// What holds if nobody sets it; `None`: it is then absent, or made of others.
    pub default: Option<&'static str>,
    /// Whether every command takes the flag, or only those that serve.
    pub reach: Reach,
    /// What it does, in a sentence.
    pub help: &'static str,
}

/// Which commands take a setting as a flag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// All.
    Everywhere,
    /// `serve`, `demo` and those that open a store.
    Server,
}

impl Setting {
    /// The name as an environment variable.
    pub fn variable(&self) -> String {
        format!("BOOKBRIDGE_{}", self.name.replace('-', "_").to_ascii_uppercase())
    }
}

/// A row of the table.
const fn row(
    name: &'static str,
    value: &'static str,
    default: Option<&'static str>,
    reach: Reach,
    help: &'static str,
) -> Setting {
    Setting { name, value, default, reach, help }
}

/// Every setting, in the order of `docs/settings.md`.
pub const SETTINGS: &[Setting] = &[
    row(
        "data-dir",
        "DIR",
        Some("./bookbridge-data"),
        Reach::Everywhere,
        "Where everything is kept; made with owner-only rights",
    ),
    row(
        "listen",
        "ADDRESS",
        Some("127.0.0.1:8170"),
        Reach::Server,
        "Address and port; port 0 takes any that is free and prints it",
    ),
    row(
        "public-url",
        "URL",
        None,
        Reach::Server,
        "How the Web Connector reaches the server; the request's own address if missing",
    ),
    row(
        "store",
        "STORE",
        None,
        Reach::Server,
        "sled:PATH, an embedded store there; below the data directory if missing",
    ),
    row(
        "tls-cert",
        "FILE",
        None,
        Reach::Server,
        "Certificate chain (PEM) for HTTPS of its own; needs tls-key",
    ),
    row(
        "tls-key",
        "FILE",
        None,
        Reach::Server,
        "Private key (PEM) for HTTPS of its own; needs tls-cert",
    ),
    row(
        "log-format",
        "FORMAT",
        Some("text"),
        Reach::Everywhere,
        "text for people, json for machines; on stderr",
    ),
    row(
        "log-level",
        "LEVEL",
        Some("info"),
        Reach::Everywhere,
        "off, error, warn, info, debug or trace",
    ),
    row(
        "max-response-bytes",
        "BYTES",
        Some("536870912"),
        Reach::Server,
        "Longest answer of QuickBooks that is taken",
    ),
    row(
        "session-idle",
        "SECONDS",
        Some("900"),
        Reach::Server,
        "Seconds without a call after which a session counts as lost",
    ),
    row("message-set-size", "COUNT", Some("25"), Reach::Server, "Most requests in a message set"),
];

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The one of these names that was perhaps meant.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_the_same_settings() {
        let document = include_str!("../../docs/settings.md");

        let rows: Vec<&str> = document
            .lines()
            .filter(|line| line.starts_with("| `") && line.ends_with('|'))
            .collect();

        assert_eq!(rows.len(), SETTINGS.len() + 5, "docs/settings.md: a row a setting and others");
        for (line, setting) in rows.iter().zip(SETTINGS) {
            let default = setting.default.map_or("–".to_owned(), |text| format!("`{text}`"));
            let expected =
                format!("| `{}` | `{}` | {default} | ", setting.name, setting.variable());
            assert!(line.starts_with(&expected), "docs/settings.md: {line}\nexpected {expected}");
        }
    }

    #[test]
    fn the_nearest_name_is_found() {
        let names = || SETTINGS.iter().map(|setting| setting.name);

        assert_eq!(nearest("data_dir", names()), Some("data-dir"));
        assert_eq!(nearest("lisen", names()), Some("listen"));
        assert_eq!(nearest("zzz", names()), None);
    }
}
