//! What every command takes: settings as flags, `--json`, `--server`.

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
use crate::config::Settings;
use crate::config::default_file;

/// What every command takes.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// Print what the REST call answers, as JSON.
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

    /// What the command line alone says.
    pub(super) fn flags_only(&self, more: &Flags) -> Layers {
        let mut layers = Layers::default();
        for (name, value) in self.flags.0.0.iter().chain(&more.0) {
            layers.set(name, value, Origin::Flag);
        }
        layers
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

    fn of(matches: &ArgMatches, reach: Reach) -> Self {
        let said = SETTINGS.iter().filter(|setting| setting.reach == reach).filter_map(|setting| {
            let value = matches.get_one::<String>(setting.name)?;
            Some((setting.name, value.clone()))
        });
        Self(said.collect())
    }
}

/// Adds the flags of a reach to a command.
fn augment(mut command: clap::Command, reach: Reach) -> clap::Command {
    for setting in SETTINGS.iter().filter(|setting| setting.reach == reach) {
        let default = setting.default.map(|text| format!(" [default: {text}]"));
        let help = format!("{}{}", setting.help, default.unwrap_or_default());
        let argument = Arg::new(setting.name)
            .long(setting.name)
            .value_name(setting.value)
            .help(help)
            .help_heading("Settings")
            .global(reach == Reach::Everywhere);
        command = command.arg(argument);
    }
    command
}

/// Declares flags of a reach as arguments of clap, from the table.
macro_rules! flags {
    ($(#[$doc:meta])* $name:ident, $reach:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(super) struct $name(pub(super) Flags);

        impl Args for $name {
            fn augment_args(command: clap::Command) -> clap::Command {
                augment(command, $reach)
            }

            fn augment_args_for_update(command: clap::Command) -> clap::Command {
                augment(command, $reach)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self(Flags::of(matches, $reach)))
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
    EverywhereFlags, Reach::Everywhere
}

flags! {
    /// Settings of the server alone.
    ServerFlags, Reach::Server
}
