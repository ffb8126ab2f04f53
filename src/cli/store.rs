//! `export`, `import`, `store`: everything as lines of JSON, and back.
//!
//! A running server has its store to itself; an export then comes through it.

use std::fs::File;
use std::io::BufReader;
use std::io::Seek as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap::Subcommand;
use indicatif::ProgressBar;
use serde_json::json;

use super::arguments::Flags;
use super::arguments::Global;
use super::client::Client;
use super::failure::Failure;
use super::output;
use super::progress;
use crate::config::Settings;
use crate::server;
use crate::server::ServerError;
use crate::store::StoreError;
use crate::store::export;
use crate::store::export::Draft;

/// Which store.
#[derive(Args, Debug)]
struct Which {
    /// sled:PATH; the one of the settings if missing.
    #[arg(long)]
    store: Option<String>,
}

impl Which {
    fn settings(&self, global: &Global) -> anyhow::Result<Settings> {
        Ok(global.settings(&Flags::one("store", self.store.clone()))?)
    }
}

/// Write everything to a new file, as it stands at one moment.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge export backup.ndjson

While a server runs on the store, the export comes through it. The file holds everything but
plain passwords: keep it as safe as the books.")]
pub(super) struct Export {
    /// The file; it must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Read an export into an empty store; no server may run on it.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bookbridge import backup.ndjson --data-dir /var/lib/bookbridge"
)]
pub(super) struct Import {
    /// The file that `export` wrote.
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// The store itself.
#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Read everything and compare it with its indexes and counts.
    #[command(
        after_help = "Examples:\n  bookbridge store check\n\nNo server may run on the store."
    )]
    Check(Check),
    /// Copy everything to another store.
    #[command(after_help = "Examples:\n  bookbridge store copy --to sled:/var/lib/bookbridge/new")]
    Copy(Copy),
}

/// A check.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    which: Which,
}

/// A copy.
#[derive(Args, Debug)]
pub(super) struct Copy {
    #[command(flatten)]
    which: Which,
    /// The other store, which must be empty.
    #[arg(long, value_name = "STORE")]
    to: String,
}

/// Sees that whatever this process makes from now on is for its owner alone, what sled makes too.
pub(super) fn for_its_owner_alone() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Runs something that waits for the store.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Runs `export`.
pub(super) fn export(command: &Export, global: &Global) -> anyhow::Result<()> {
    let settings = command.which.settings(global)?;
    for_its_owner_alone();
    let file = &command.file;
    if file == Path::new("-") {
        let why = "an export is looked through before it counts: name a file, not -";
        return Err(Failure::Usage(why.to_owned()).into());
    }
    if file.exists() {
        return Err(Failure::Refused(format!("{} is there already", file.display())).into());
    }
    let lines = if global.server.is_some() {
        download(file, global)?
    } else {
        must_exist(&settings)?;
        match server::open_store(&settings) {
            Ok(store) => {
                let bar = progress::work("exporting");
                let done = block_on(async {
                    let lines = store.export(file).await?;
                    store.close().await?;
                    Ok(lines)
                });
                bar.finish_and_clear();
                done?
            }
            // Another process has it open: a server, if its address can be found.
            Err(ServerError::Store(StoreError::Open { .. }))
                if server::Home::at(&settings.data_dir).address().is_some() =>
            {
                download(file, global)?
            }
            Err(error) => return Err(error.into()),
        }
    };
    done("exported", lines, file, global)
}

/// Through the server, into a file for its owner alone. Returns its lines.
fn download(file: &Path, global: &Global) -> anyhow::Result<u64> {
    let client = Client::of(global)?;
    let draft = Draft::begin(file).with_context(|| format!("cannot make {}", file.display()))?;
    let bar = ProgressBar::hidden();
    progress::bytes(&bar, None);
    let downloaded = client.download("/v1/export", &mut bar.wrap_write(draft.file()));
    bar.finish_and_clear();
    downloaded?;
    draft.file().rewind()?;
    // Any page is a success to HTTP, and a proxy may cut an answer short.
    let lines = export::check(BufReader::new(draft.file())).map_err(|why| {
        let from = client.base();
        Failure::Refused(format!("what {from} answered is no whole export: {why}"))
    })?;
    draft.finish().with_context(|| format!("cannot write {}", file.display()))?;
    Ok(lines)
}

/// Runs `import`.
pub(super) fn import(command: &Import, global: &Global) -> anyhow::Result<()> {
    let settings = command.which.settings(global)?;
    for_its_owner_alone();
    File::open(&command.file).with_context(|| format!("cannot open {}", command.file.display()))?;
    server::Home::make(&settings.data_dir)?;
    let store = server::open_store(&settings)?;
    let bar = progress::work("importing");
    let lines = block_on(async {
        let lines = store.import(&command.file).await?;
        store.close().await?;
        Ok(lines)
    });
    bar.finish_and_clear();
    let lines = lines?;
    done("imported", lines, &command.file, global)
}

fn done(what: &str, lines: u64, file: &Path, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return Ok(output::json(&json!({"lines": lines, "file": file.display().to_string()}))?);
    }
    Ok(output::line(format_args!("{what} {lines} lines: {}", file.display()))?)
}

/// Opening a store makes it, which is not what somebody wants who looks at it.
fn must_exist(settings: &Settings) -> anyhow::Result<()> {
    if settings.store.is_dir() {
        return Ok(());
    }
    let why = format!("there is no store at {}", settings.store.display());
    Err(Failure::Refused(format!("{why}; name another with --data-dir or --store")).into())
}

/// Runs `store`.
pub(super) fn run(command: &Store, global: &Global) -> anyhow::Result<()> {
    for_its_owner_alone();
    match command {
        Store::Check(check) => {
            let settings = check.which.settings(global)?;
            must_exist(&settings)?;
            let store = server::open_store(&settings)?;
            let bar = progress::work("checking");
            let wrong = block_on(async {
                let wrong = store.check().await?;
                store.close().await?;
                Ok(wrong)
            });
            bar.finish_and_clear();
            let wrong = wrong?;
            if global.json {
                output::json(&json!({"findings": wrong}))?;
            } else if wrong.is_empty() {
                output::line("✓ everything is whole")?;
            }
            for line in wrong.iter().filter(|_| !global.json) {
                output::line(format_args!("✗ {}", output::clean(line)))?;
            }
            if !wrong.is_empty() && !global.json {
                output::line(
                    "To bring everything back, import the last export into a new directory.",
                )?;
            }
            if wrong.is_empty() { Ok(()) } else { Err(Failure::Said.into()) }
        }
        Store::Copy(copy) => copy_store(copy, global),
    }
}

/// Everything, through a file beside the new store.
fn copy_store(copy: &Copy, global: &Global) -> anyhow::Result<()> {
    let from = copy.which.settings(global)?;
    let to = global.settings(&Flags::one("store", Some(copy.to.clone())))?;
    must_exist(&from)?;
    if from.store == to.store {
        return Err(Failure::Usage("--to is the store itself".to_owned()).into());
    }
    let source = server::open_store(&from)?;
    let target = server::open_store(&to)?;
    let draft = from.data_dir.join("copy.ndjson");
    let bar = progress::work("copying");
    let lines = block_on(async {
        let copied = async {
            source.export(&draft).await?;
            let into = || format!("--to {}", copy.to);
            anyhow::Ok(target.import(&draft).await.with_context(into)?)
        };
        let copied = copied.await;
        target.close().await?;
        source.close().await?;
        copied
    });
    bar.finish_and_clear();
    // It is only on its way; the next copy makes its own.
    let _ = std::fs::remove_file(&draft);
    let lines = lines?;
    if global.json {
        return Ok(output::json(&json!({"lines": lines}))?);
    }
    Ok(output::line(format_args!("copied {lines} lines"))?)
}
