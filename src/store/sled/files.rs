//! The spool directory: what is too long for the database.
//!
//! A file is written under a name of its own, synced, renamed, and its directory synced, before a
//! transaction names it ([`super::trees::Tree::File`]). What no transaction names is swept away when
//! the store is opened. No file is ever changed.

use std::collections::HashSet;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::store::format::RowFile;

/// The ending of what is not finished.
const UNFINISHED: &str = ".tmp";

/// The spool directory of an open store.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    /// How often the store was opened: names of different openings never meet.
    opening: u64,
    next: AtomicU64,
}

impl Files {
    /// Of a directory that exists.
    pub(super) fn new(dir: PathBuf, opening: u64) -> Self {
        Self { dir, opening, next: AtomicU64::new(0) }
    }

    /// Begins a file; it is removed if it is dropped unfinished.
    pub(super) fn begin(&self, sort: &str) -> io::Result<Unfinished> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{sort}-{}-{number}", self.opening);
        let path = self.dir.join(format!("{name}{UNFINISHED}"));
        let mut options = File::options();
        options.write(true).create_new(true);
        let file = private(&mut options).open(&path)?;
        Ok(Unfinished { dir: self.dir.clone(), name, path, file: Some(file) })
    }

    /// Writes the JSON of one entity.
    pub(super) fn write_row(&self, json: &[u8]) -> io::Result<RowFile> {
        let mut unfinished = self.begin("row")?;
        unfinished.write_all(json)?;
        let name = unfinished.finish()?;
        Ok(RowFile { name, length: json.len() as u64, crc: crc32fast::hash(json) })
    }

    /// Reads it back; `None` if the file is gone.
    pub(super) fn read_row(&self, file: &RowFile) -> io::Result<Option<Vec<u8>>> {
        let json = match fs::read(self.path(&file.name)?) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if crc32fast::hash(&json) != file.crc {
            let why = format!("the file {} is damaged", file.name);
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Some(json))
    }

    /// Opens a finished file.
    pub(super) fn open(&self, name: &str) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(Box::new(BufReader::new(File::open(self.path(name)?)?)))
    }

    /// The length of a finished file; `None` if it is gone.
    pub(super) fn length(&self, name: &str) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(name)?) {
            Ok(about) => Ok(Some(about.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes files that nothing names any more. One that cannot be removed now is swept later.
    pub(super) fn remove(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            if let Err(error) = self.path(&name).and_then(fs::remove_file) {
                tracing::warn!("the spool file {name} stays until the next start: {error}");
            }
        }
    }

    /// Names of all files that are there, finished or not.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.dir)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    /// Removes everything but what is named. Returns how many.
    pub(super) fn sweep(&self, named: &HashSet<String>) -> io::Result<usize> {
        let mut swept = 0;
        for name in self.names()?.into_iter().filter(|name| !named.contains(name)) {
            fs::remove_file(self.dir.join(name))?;
            swept += 1;
        }
        Ok(swept)
    }

    /// A name comes from the database or from a caller: it must not leave the directory.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if valid && !name.is_empty() {
            Ok(self.dir.join(name))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "that is no name of a spool file"))
        }
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Unfinished {
    dir: PathBuf,
    name: String,
    path: PathBuf,
    /// `None` once it is finished.
    file: Option<File>,
}

impl Unfinished {
    /// Makes it durable under its name.
    pub(super) fn finish(mut self) -> io::Result<String> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        fs::rename(&self.path, self.dir.join(&self.name))?;
        self.file = None;
        sync(&self.dir)?;
        Ok(std::mem::take(&mut self.name))
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.file.is_some() {
            // What stays is swept at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory, with its parents, for its owner alone. One that is there becomes so.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

/// The same for a file that is made now.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a file, or the entries of a directory, durable.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
