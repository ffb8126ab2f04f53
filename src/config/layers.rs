//! The texts of settings, each with where it came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use config::FileFormat;
use config::Source as _;
use config::ValueKind;

use super::ConfigError;
use super::table::SETTINGS;
use super::table::Setting;
use super::table::find;
use super::table::nearest;

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Variable,
    /// This file.
    File(String),
    /// Nobody said anything.
    Default,
}

/// A value as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Text {
    /// The value.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Variables that are read elsewhere than in the table.
const OTHER_VARIABLES: [&str; 5] = [
    "BOOKBRIDGE_API_KEY",
    "BOOKBRIDGE_CA_FILE",
    "BOOKBRIDGE_CONFIG",
    "BOOKBRIDGE_SERVER",
    "BOOKBRIDGE_SIMULATE_PASSWORD",
];

/// The texts of all settings, the first layer that says something winning.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    texts: BTreeMap<&'static str, Text>,
}

/// Shown with the setting's name, so that the origin reads as the place to look at.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable => f.write_str("environment"),
            Self::File(path) => f.write_str(path),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Layers {
    /// Says a value, unless an earlier layer did.
    pub fn set(&mut self, name: &'static str, value: &str, origin: Origin) {
        self.texts.entry(name).or_insert_with(|| Text { value: value.to_owned(), origin });
    }

    /// What was said; `None` if nothing was, whatever the default.
    pub fn text(&self, name: &str) -> Option<&Text> {
        self.texts.get(name)
    }

    /// Forgets all but these.
    pub fn keep(&mut self, names: impl Fn(&str) -> bool) {
        self.texts.retain(|name, _| names(name));
    }

    /// Takes the variables of the environment that are ours.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unknown`] for one that begins with `BOOKBRIDGE_` and that nobody knows;
    /// [`ConfigError::Bad`] for one that is no text.
    pub fn variables(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            if !name.starts_with("BOOKBRIDGE_") || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) {
                let value = value.into_string().map_err(|_| ConfigError::Bad {
                    name: setting.name,
                    origin: Origin::Variable,
                    why: "it is no UTF-8".to_owned(),
                })?;
                self.set(setting.name, &value, Origin::Variable);
            } else {
                let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
                let known = known.iter().map(String::as_str).chain(OTHER_VARIABLES);
                return Err(ConfigError::Unknown {
                    nearest: nearest(&name, known).map(str::to_owned),
                    name,
                    origin: Origin::Variable,
                });
            }
        }
        Ok(())
    }

    /// Takes the settings of a TOML file.
    ///
    /// # Errors
    ///
    /// [`ConfigError::File`] if it cannot be read or is no TOML; [`ConfigError::Unknown`] for a name
    /// that nobody knows; [`ConfigError::Bad`] for a value that is a list or a table.
    pub fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = path.display().to_string();
        let wrong = |why: String| ConfigError::File { path: shown.clone(), why };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let values = config::File::from_str(&text, FileFormat::Toml)
            .collect()
            .map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        let values: BTreeMap<_, _> = values.into_iter().collect();
        for (name, value) in values {
            let origin = Origin::File(shown.clone());
            let Some(setting) = find(&name) else {
                let known = SETTINGS.iter().map(|setting| setting.name);
                let nearest = nearest(&name, known).map(str::to_owned);
                return Err(ConfigError::Unknown { name, origin, nearest });
            };
            let value = match value.kind {
                ValueKind::String(text) => text,
                ValueKind::I64(number) => number.to_string(),
                _ => {
                    let why = "it is a text or a whole number".to_owned();
                    return Err(ConfigError::Bad { name: setting.name, origin, why });
                }
            };
            self.set(setting.name, &value, origin);
        }
        Ok(())
    }

    /// Makes a value of a text, or of the default.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Bad`] with the words of `parse`.
    pub fn parse<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let default = || Text {
            value: find(name).and_then(|setting| setting.default).unwrap_or_default().to_owned(),
            origin: Origin::Default,
        };
        let text = self.texts.get(name).cloned().unwrap_or_else(default);
        parse(&text.value).map_err(|why| ConfigError::Bad { name, origin: text.origin, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn the_first_layer_that_says_something_wins() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bookbridge.toml");
        std::fs::write(&file, "listen = \"0.0.0.0:1\"\nsession-idle = 3\nlog-level = \"warn\"\n")
            .unwrap();
        let mut layers = Layers::default();

        layers.set("listen", "0.0.0.0:3", Origin::Flag);
        layers
            .variables(variables(&[
                ("BOOKBRIDGE_LISTEN", "0.0.0.0:2"),
                ("BOOKBRIDGE_SESSION_IDLE", "2"),
                ("BOOKBRIDGE_API_KEY", "x"),
                ("PATH", "/bin"),
            ]))
            .unwrap();
        layers.file(&file).unwrap();

        assert_eq!(layers.text("listen").unwrap().value, "0.0.0.0:3");
        assert_eq!(layers.text("session-idle").unwrap().value, "2");
        assert_eq!(layers.text("log-level").unwrap().value, "warn");
    }

    #[test]
    fn an_unknown_name_is_named_with_the_nearest() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bookbridge.toml");
        std::fs::write(&file, "data_dir = \"x\"\n").unwrap();

        let in_file = Layers::default().file(&file).unwrap_err().to_string();
        let in_environment = Layers::default()
            .variables(variables(&[("BOOKBRIDGE_LISTENN", "x")]))
            .unwrap_err()
            .to_string();

        assert!(in_file.starts_with("unknown setting data_dir ("), "{in_file}");
        assert!(in_file.ends_with("did you mean data-dir?"), "{in_file}");
        assert_eq!(
            in_environment,
            "unknown setting BOOKBRIDGE_LISTENN (environment); did you mean BOOKBRIDGE_LISTEN?"
        );
    }

    #[test]
    fn a_file_that_is_no_settings_file_says_where() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bookbridge.toml");

        for (text, part) in [
            ("listen = ", "settings file "),
            ("listen = [1]", "setting listen ("),
            ("listen = 1.5", "setting listen ("),
            ("[server]\nlisten = \"x\"", "unknown setting server ("),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Layers::default().file(&file).unwrap_err().to_string();
            assert!(error.starts_with(part) && error.contains("bookbridge.toml"), "{error}");
        }
        let missing = Layers::default().file(&directory.path().join("no.toml")).unwrap_err();
        assert!(missing.to_string().contains("no.toml"), "{missing}");
    }
}
