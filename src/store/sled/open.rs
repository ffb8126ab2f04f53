//! Opening: the order of things that a crash may have left in any state.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fs;
use std::fs::File;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use crate::store::StoreError;
use crate::store::sled::Options;
use crate::store::sled::SledStore;
use crate::store::sled::damage;
use crate::store::sled::disk::Room;
use crate::store::sled::draft::Marks;
use crate::store::sled::files;
use crate::store::sled::files::Files;
use crate::store::sled::import;
use crate::store::sled::keys;
use crate::store::sled::links;
use crate::store::sled::remove;
use crate::store::sled::shelf;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::trees::Tree;
use crate::store::sled::trees::Trees;
use crate::store::sled::trees::Writes;
use crate::store::sled::watermark;
use crate::store::sled::watermark::Watermark;
use crate::store::sled::writer::Writer;

/// For the life of a database: it cannot be changed later. A leaf above a quarter of it would become
/// a blob file, which sled never syncs; rows of at most 64 KiB keep far below.
pub(super) const SEGMENT: usize = 8 << 20;

/// A process that ends gives its lock back a moment later.
const PATIENCE: Duration = Duration::from_millis(500);

const DATABASE: &str = "sled";
const SPOOL: &str = "spool";
const OPENINGS: &[u8] = b"openings";
/// Set once records are found by name.
const NAMES: &[u8] = b"names";
/// Set once records are found by the problem that they fail of.
const PROBLEMS: &[u8] = b"problems";

/// Set once activity is found by the record that it is about.
const ACTIVITY: &[u8] = b"activity of records";

/// Opens, and makes if it is missing, the store in a directory.
pub(super) fn open(dir: &Path, options: &Options) -> Result<SledStore, StoreError> {
    let refuse = |why: String| StoreError::Open { path: dir.display().to_string(), why };
    let io = |what: &str| {
        let what = format!("cannot {what} {}", dir.display());
        move |source: io::Error| StoreError::Io { what, source }
    };
    let base = dir.join(DATABASE);
    let spool = dir.join(SPOOL);
    for inner in [&base, &spool] {
        files::make_private(inner).map_err(io("make"))?;
    }

    let db = database(&base, options.cache).map_err(&refuse)?;
    let trees = Trees::open(&db).map_err(|error| refuse(unusable(&base, &error)))?;
    let opened = || -> io::Result<File> {
        db.flush()?;
        // sled syncs neither its configuration nor any directory: without this, a power cut soon
        // after the first start leaves a database that cannot be opened.
        for path in [base.join("conf"), base.join("blobs"), base.clone(), spool.clone()] {
            files::sync(&path)?;
        }
        files::sync(dir)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            files::sync(parent)?;
        }
        let log = File::open(base.join("db"))?;
        log.sync_all()?;
        Ok(log)
    };
    let log = opened().map_err(io("sync"))?;
    if fs::read_dir(base.join("blobs")).map_err(io("read"))?.next().is_some() {
        tracing::error!("the database has a blob file, which is not safe against a power cut");
    }

    let opening = opening(&trees).map_err(|error| refuse(error.to_string()))?;
    let shelf = Shelf { files: Arc::new(Files::new(spool, opening)), trees };
    let marks = Marks::read(&shelf)?;
    let acknowledged = watermark::read(dir).map_err(io("read the watermark of"))?;
    if marks.commit < acknowledged {
        return Err(refuse(format!(
            "the database ends at transaction {}, but transaction {acknowledged} was acknowledged: \
             its end is lost, {}; import the last export into a new directory",
            marks.commit,
            damage::place(&base)
        )));
    }
    if shelf.trees.get(Tree::Meta, import::UNFINISHED)?.is_some() {
        return Err(refuse(
            "an import into it was broken off; remove the directory and import again".to_owned(),
        ));
    }
    let mut first = Writes::default();
    first.set(Tree::Meta, OPENINGS.to_vec(), Some(keys::number(opening).to_vec()));
    shelf.trees.write(&first).map_err(|error| refuse(unusable(&base, &error)))?;
    for (mark, rows, index) in [
        (NAMES, Tree::Record, Tree::RecordName),
        (PROBLEMS, Tree::Record, Tree::Problem),
        (ACTIVITY, Tree::Activity, Tree::ActivityOf),
    ] {
        index_rows(&shelf, mark, rows, index).map_err(|error| refuse(error.to_string()))?;
    }
    db.flush().map_err(|error| refuse(unusable(&base, &error)))?;
    log.sync_data().map_err(io("sync"))?;
    sweep(&shelf)?;

    let removals = remove::unfinished(&shelf)?.into();
    let watermark = Watermark::open(dir).map_err(io("write the watermark of"))?;
    let stopped = Arc::new(OnceLock::new());
    let room = Room { dir: dir.to_owned(), reserve: options.reserve };
    let writer = Writer {
        db,
        shelf: shelf.clone(),
        log,
        watermark,
        marks,
        blobs: base.join("blobs"),
        room: room.clone(),
        faults: options.faults.clone(),
        removals,
        removed: BTreeMap::new(),
        stopped: stopped.clone(),
    };
    let (asks, asked) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run(&asked))
        .map_err(io("start the writer of"))?;
    Ok(SledStore { shelf, asks: Some(asks), thread: Some(thread), stopped, room })
}

/// Stores of older releases lack an index of rows: it is made once, with what it counts.
fn index_rows(shelf: &Shelf, mark: &[u8], rows: Tree, index: Tree) -> Result<(), StoreError> {
    if shelf.trees.get(Tree::Meta, mark)?.is_some() {
        return Ok(());
    }
    let write = |writes: &Writes| {
        let written = shelf.trees.write(writes);
        written.map_err(|error| shelf::corrupt(index, mark, damage::said(&error)))
    };
    let mut writes = Writes::default();
    let mut counts = BTreeMap::<Vec<u8>, u64>::new();
    for (number, entry) in shelf.trees.scan(rows, &[]).enumerate() {
        let (key, _) = entry?;
        let Some(row) = shelf.row(rows, &key)? else { continue };
        for link in links::links(&row.entity, row.head.ordinal) {
            if link.tree == index {
                writes.set(link.tree, link.key, Some(link.value));
            }
        }
        for count in links::counted(&row.entity) {
            *counts.entry(count).or_default() += 1;
        }
        if number % 1000 == 999 {
            write(&std::mem::take(&mut writes))?;
        }
    }
    for (key, count) in counts {
        writes.set(Tree::Count, key, Some(keys::number(count).to_vec()));
    }
    writes.set(Tree::Meta, mark.to_vec(), Some(Vec::new()));
    write(&writes)
}

/// Opens sled, which panics on some damage, and says in a sentence why it cannot.
fn database(base: &Path, cache: u64) -> Result<::sled::Db, String> {
    let config = ::sled::Config::new()
        .path(base)
        .segment_size(SEGMENT)
        .mode(::sled::Mode::LowSpace)
        .cache_capacity(cache)
        .flush_every_ms(Some(500));
    let begun = Instant::now();
    loop {
        let opened = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error)) if !error.to_string().contains("acquire lock") => {
                return Err(unusable(base, &error));
            }
            Ok(Err(_)) if begun.elapsed() > PATIENCE => {
                return Err(
                    "another process has it open; commands go through the server while it \
                            runs"
                        .to_owned(),
                );
            }
            Ok(Err(_)) => std::thread::sleep(Duration::from_millis(20)),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                tracing::debug!("the database panicked: {}", text.unwrap_or_default());
                return Err(damaged(&damage::place(base)));
            }
        }
    }
}

/// What to do about an error of sled.
fn unusable(base: &Path, error: &::sled::Error) -> String {
    match error {
        ::sled::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            "the disk is full, and it cannot be opened before there is room".to_owned()
        }
        ::sled::Error::Io(error) => format!("its files cannot be used ({error})"),
        ::sled::Error::Corruption { at: Some(_), .. } => damaged(&damage::said(error)),
        ::sled::Error::Corruption { at: None, .. } => damaged(&damage::place(base)),
        other => damaged(&format!("{}; {}", damage::said(other), damage::place(base))),
    }
}

fn damaged(where_and_how: &str) -> String {
    format!("the database is damaged: {where_and_how}; import the last export into a new directory")
}

/// Which opening this is.
fn opening(trees: &Trees) -> Result<u64, StoreError> {
    let last = trees.get(Tree::Meta, OPENINGS)?.as_deref().and_then(keys::last_number);
    Ok(last.unwrap_or(0) + 1)
}

/// Removes files that no transaction names: of commits that never were, and of a process that died.
fn sweep(shelf: &Shelf) -> Result<(), StoreError> {
    let named = shelf
        .trees
        .scan(Tree::File, &[])
        .map(|entry| entry.map(|(key, _)| String::from_utf8_lossy(&key).into_owned()))
        .collect::<Result<HashSet<_>, _>>()?;
    match shelf.files.sweep(&named) {
        Ok(0) => {}
        Ok(swept) => tracing::info!("swept {swept} spool files that nothing names"),
        Err(error) => tracing::warn!("cannot sweep the spool directory: {error}"),
    }
    Ok(())
}
