//! What commands take: settings as flags, `--json`, `--server`.

use std::path::PathBuf;

use clap::Arg;
use clap::ArgMatches;
use clap::Args;
use clap::FromArgMatches;

use crate::config::ConfigError;
use crate::config::Layers;
use crate::config::Origin;
use crate::config::Reach;
use crate::config::SETTINGS;
use crate::config::Setting;
use crate::config::Settings;
use crate::config::default_file;

/// What every command takes.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// Print JSON: what the REST call answers, where there is one.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Address of the server; the one that runs on the data directory if missing.
    #[arg(long, global = true, value_name = "URL", env = "BOOKBRIDGE_SERVER")]
    pub(super) server: Option<String>,
    /// Trust the certificates in this file (PEM), and no others, when a server is called.
    #[arg(id = "ca-file", long, global = true, value_name = "FILE", env = "BOOKBRIDGE_CA_FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// The settings file; bookbridge.toml if missing and there.
    #[arg(long, global = true, value_name = "FILE", env = "BOOKBRIDGE_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: EverywhereFlags,
}

impl Global {
    /// All settings, with the flags that only this command takes.
    pub(super) fn settings(&self, more: &Flags) -> Result<Settings, ConfigError> {
        Settings::of(&self.layers(more)?)
    }

    /// The texts of all settings.
    pub(super) fn layers(&self, more: &Flags) -> Result<Layers, ConfigError> {
        let mut layers = Layers::default();
        for (name, value) in self.flags.0.0.iter().chain(&more.0) {
            layers.set(name, value, Origin::Flag);
        }
        layers.variables(std::env::vars_os())?;
        match &self.config {
            Some(file) => layers.file(file)?,
            None if default_file().is_file() => layers.file(default_file())?,
            None => {}
        }
        Ok(layers)
    }
}

/// Settings that stood on the command line.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags(Vec<(&'static str, String)>);

impl Flags {
    /// One of them.
    pub(super) fn one(name: &'static str, value: Option<String>) -> Self {
        Self(value.into_iter().map(|value| (name, value)).collect())
    }

    fn of(matches: &ArgMatches, settings: &[Offered]) -> Self {
        let said = settings.iter().filter_map(|(setting, _)| {
            let value = matches.get_one::<String>(setting.name)?;
            Some((setting.name, value.clone()))
        });
        Self(said.collect())
    }
}

/// A setting as a flag, with the default that the help shows.
type Offered = (&'static Setting, Option<&'static str>);

fn of_reach(reach: Reach) -> Vec<Offered> {
    let settings = SETTINGS.iter().filter(|setting| setting.reach == reach);
    settings.map(|setting| (setting, setting.default)).collect()
}

/// What of a demo can be set. The rest is as it is, so that it looks the same on every machine.
pub(super) const OF_DEMO: [(&str, &str); 4] = [
    ("data-dir", "a fresh directory, removed at the end"),
    ("listen", "127.0.0.1:8170, or any port that is free if that is taken"),
    ("log-format", "text"),
    ("log-level", "warn"),
];

fn of_demo() -> Vec<Offered> {
    let offered = |setting: &'static Setting| {
        let (_, default) = OF_DEMO.iter().find(|(name, _)| *name == setting.name)?;
        Some((setting, Some(*default)))
    };
    SETTINGS.iter().filter_map(offered).collect()
}

/// Adds settings as flags to a command.
fn augment(mut command: clap::Command, settings: &[Offered]) -> clap::Command {
    for (setting, default) in settings {
        let default = default.map(|text| format!(" [default: {text}]"));
        let help = format!("{}{}", setting.help, default.unwrap_or_default());
        let argument = Arg::new(setting.name)
            .long(setting.name)
            .value_name(setting.value)
            .help(help)
            .help_heading("Settings")
            .global(setting.reach == Reach::Everywhere);
        command = command.arg(argument);
    }
    command
}

/// Declares settings as arguments of clap, from the table.
macro_rules! flags {
    ($(#[$doc:meta])* $name:ident, $settings:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(super) struct $name(pub(super) Flags);

        impl Args for $name {
            fn augment_args(command: clap::Command) -> clap::Command {
                augment(command, &$settings)
            }

            fn augment_args_for_update(command: clap::Command) -> clap::Command {
                augment(command, &$settings)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self(Flags::of(matches, &$settings)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

flags! {
    /// Settings that every command takes.
    EverywhereFlags, of_reach(Reach::Everywhere)
}

flags! {
    /// Settings of the server alone.
    ServerFlags, of_reach(Reach::Server)
}

flags! {
    /// Settings of a demo; those that every command takes have other defaults there.
    DemoFlags, of_demo()
}

/// Takes flags that do nothing in a command out of its help. Settings may be said all the same, as in
/// every command; who names a server to a command that calls none is told so.
pub(super) fn without(command: clap::Command, flags: &[&'static str]) -> clap::Command {
    let refuse = |_: &str| Err::<String, _>("this command calls no other server");
    flags.iter().fold(command, |command, flag| {
        let argument = Arg::new(*flag).long(*flag).value_name("VALUE").hide(true).global(true);
        let is_setting = SETTINGS.iter().any(|setting| setting.name == *flag);
        command.arg(if is_setting { argument } else { argument.value_parser(refuse) })
    })
}
