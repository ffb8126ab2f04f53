//! The command line: a thin client of the REST API, and the commands that start something.
//!
//! One file a command group. Commands print what they found on stdout and what went wrong on stderr;
//! with `--json` both are an object on stdout, that which the REST call answered if there was one.
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage, which a wrong setting is too.
//!
//! Nothing here knows rules: what a command may do is decided by the server.

mod arguments;
mod client;
mod completions;
mod connection;
mod demo;
mod doctor;
mod failure;
mod interrupt;
mod key;
mod output;
mod problems;
mod progress;
mod push;
mod record;
mod records;
mod request;
mod rows;
mod serve;
mod simulate;
mod store;

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::FromArgMatches as _;
use clap::Parser;
use clap::Subcommand;

use arguments::Global;
use failure::Failure;

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  bookbridge demo                        see it work, with nothing else installed
  bookbridge serve                       the endpoint, on 127.0.0.1:8170
  bookbridge connection add \"Acme Ltd.\"  a connection, with its password, once
  bookbridge connection qwc acme-ltd -o acme.qwc
  bookbridge push acme-ltd customers.csv
  bookbridge records acme-ltd --status failed
  bookbridge explain acme-ltd            one sentence on why nothing syncs

Exit codes: 0 done, 1 refused or failed, 2 wrong usage or wrong setting.";

/// The QuickBooks Web Connector endpoint, the durable queue behind it, and a simulator of both ends.
#[derive(Debug, Parser)]
#[command(name = "bookbridge", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    #[command(subcommand)]
    Connection(connection::Connection),
    Push(push::Push),
    Check(push::Check),
    Records(records::Records),
    #[command(subcommand)]
    Record(record::Record),
    Request(request::Request),
    Problems(problems::Problems),
    Explain(problems::Explain),
    Simulate(simulate::Simulate),
    Doctor(doctor::Doctor),
    Export(store::Export),
    Import(store::Import),
    #[command(subcommand)]
    Store(store::Store),
    #[command(subcommand)]
    Key(key::Key),
    Completions(completions::Completions),
    Openapi(completions::Openapi),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let parsed = command().try_get_matches().and_then(|it| Arguments::from_arg_matches(&it));
    let Arguments { global, command } = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(&error),
    };
    let done = prepare().and_then(|()| match command {
        Command::Demo(command) => demo::run(&command, &global),
        Command::Serve(command) => serve::run(&command, &global),
        Command::Connection(command) => connection::run(command, &global),
        Command::Push(command) => push::push(&command, &global),
        Command::Check(command) => push::check(&command, &global),
        Command::Records(command) => records::run(&command, &global),
        Command::Record(command) => record::run(command, &global),
        Command::Request(command) => request::run(&command, &global),
        Command::Problems(command) => problems::problems(&command, &global),
        Command::Explain(command) => problems::explain(&command, &global),
        Command::Simulate(command) => simulate::run(&command, &global),
        Command::Doctor(command) => doctor::run(&command, &global),
        Command::Export(command) => store::export(&command, &global),
        Command::Import(command) => store::import(&command, &global),
        Command::Store(command) => store::run(&command, &global),
        Command::Key(command) => key::run(command, &global),
        Command::Completions(command) => completions::completions(&command, &global),
        Command::Openapi(command) => completions::openapi(&command, &global),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, global.json),
    }
}

/// Chooses the one provider of cryptography that is built in.
fn prepare() -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| Failure::Refused("TLS was prepared twice".to_owned()).into())
}

/// Flags of every command that do nothing in some.
const NOTHING: [(&str, &[&str]); 6] = [
    ("completions", &["server", "ca-file", "data-dir", "log-format", "log-level"]),
    ("demo", &["server", "ca-file"]),
    ("import", &["server", "ca-file"]),
    ("serve", &["server", "ca-file"]),
    ("simulate", &["server", "data-dir", "log-format", "log-level"]),
    ("store", &["server", "ca-file"]),
];

/// The command line as clap sees it, for completions and documents.
pub fn command() -> clap::Command {
    NOTHING.iter().fold(Arguments::command(), |all, (name, flags)| {
        all.mut_subcommand(name, |command| arguments::without(command, flags))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_agree_with_each_other() {
        super::command().debug_assert();
    }

    #[test]
    fn the_document_has_every_command() {
        fn check(command: &clap::Command, path: &str, document: &str) {
            for inner in command.get_subcommands() {
                let path = format!("{path}{}", inner.get_name());
                if inner.has_subcommands() {
                    check(inner, &format!("{path} "), document);
                } else {
                    assert!(document.contains(&format!("`{path}`")), "docs/cli.md: {path}");
                }
            }
        }
        check(&super::command(), "", include_str!("../docs/cli.md"));
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn check(command: &clap::Command, path: &str) {
            for inner in command.get_subcommands() {
                let path = format!("{path} {}", inner.get_name());
                assert!(inner.get_about().is_some(), "{path} has no description");
                assert!(
                    inner.has_subcommands() || inner.get_after_help().is_some(),
                    "{path} has no example"
                );
                check(inner, &path);
            }
        }
        check(&super::command(), "bookbridge");
    }
}
