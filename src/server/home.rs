//! The data directory: its rights, the local admin key, the address of the running server.
//!
//! Everything in it is for its owner alone: who can read `admin.key` may do everything.

use std::fs;
use std::io;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use tracing::info;
use tracing::warn;

use crate::domain::activity::Scope;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;

/// The file with the key that commands on this machine use.
const ADMIN_KEY: &str = "admin.key";
/// What that key is called.
const LOCAL_ADMIN: &str = "local admin";
/// The file with the address of the running server.
const ADDRESS: &str = "server.url";

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The file system refused.
    #[error("data directory: cannot {what} {path}")]
    Io {
        /// A verb.
        what: &'static str,
        /// Of what.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The key could not be made.
    #[error(transparent)]
    Key(#[from] EngineError),
}

/// The address that reaches a listener from this machine: one that listens everywhere has none.
pub(crate) fn near(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Whether others on this machine may read it, or look into it.
#[cfg(unix)]
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

/// Whether others on this machine may read it: not told here.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &Path) -> bool {
    false
}

/// A data directory.
#[derive(Clone, Debug)]
pub struct Home {
    directory: PathBuf,
}

impl Home {
    /// One that is there already, or not; only for reading.
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Makes it, with its parents, for its owner alone. One that is there keeps its rights, for it may
    /// hold more than ours; what we put into it is closed to others anyway.
    ///
    /// # Errors
    ///
    /// [`HomeError::Io`].
    pub fn make(directory: &Path) -> Result<Self, HomeError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).map_err(|source| HomeError::Io {
            what: "make",
            path: directory.display().to_string(),
            source,
        })?;
        if is_open_to_others(directory) {
            let shown = directory.display();
            warn!("others on this machine may look into {shown}; close it: chmod go-rwx {shown}");
        }
        Ok(Self::at(directory))
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The local admin key, if there is one that we may read.
    pub fn admin_key(&self) -> Option<String> {
        self.read(ADMIN_KEY)
    }

    /// The address of the server that runs on it, if one does, or did until it was killed.
    pub fn address(&self) -> Option<String> {
        self.read(ADDRESS)
    }

    /// Sees that the key in the file is one that the store knows, and the file for its owner alone. An
    /// empty or an imported store gets a new key, and so does one whose file was removed; the one
    /// before is refused then.
    ///
    /// # Errors
    ///
    /// [`HomeError`].
    pub async fn see_to_admin_key(&self, engine: &Engine) -> Result<(), HomeError> {
        if let Some(text) = self.admin_key()
            && engine.authorise(&text).await?.is_some()
        {
            return self.close_admin_key();
        }
        for old in engine.store().keys().await.map_err(EngineError::from)? {
            if old.name == LOCAL_ADMIN && old.scope == Scope::Admin && old.revoked_at.is_none() {
                engine.revoke_key(old.id, &Actor::ourselves()).await?;
            }
        }
        let ourselves = Actor::ourselves();
        let (key, text) = engine.create_key(LOCAL_ADMIN, Scope::Admin, &ourselves).await?;
        self.write(ADMIN_KEY, text.expose_secret())?;
        info!(key.id = %key.id, "made the local admin key {}", self.path(ADMIN_KEY).display());
        Ok(())
    }

    /// Takes the key's file from others, if they may read it.
    fn close_admin_key(&self) -> Result<(), HomeError> {
        let path = self.path(ADMIN_KEY);
        if !is_open_to_others(&path) {
            return Ok(());
        }
        let shown = path.display();
        warn!(
            "others on this machine could read {shown}, and so do everything; it is closed now. If \
             somebody may have read it, remove it and start again: a new key is made, and the old \
             one is refused"
        );
        #[cfg(unix)]
        {
            let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&path, closed).map_err(|source| HomeError::Io {
                what: "close",
                path: shown.to_string(),
                source,
            })?;
        }
        Ok(())
    }

    /// Tells commands on this machine where the server is.
    ///
    /// # Errors
    ///
    /// [`HomeError::Io`].
    pub fn tell_address(&self, url: &str) -> Result<(), HomeError> {
        self.write(ADDRESS, url)
    }

    /// Takes the address back. That it is gone already is fine.
    pub fn forget_address(&self) {
        if let Err(error) = fs::remove_file(self.path(ADDRESS)) {
            tracing::debug!("{} stays: {error}", self.path(ADDRESS).display());
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn read(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.path(name)).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Writes a file for its owner alone, whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), HomeError> {
        let path = self.path(name);
        let draft = self.path(&format!("{name}.new"));
        let wrong = |what, source| HomeError::Io { what, path: path.display().to_string(), source };
        // The rights count only when the file is made, so an old draft must not be in the way.
        if let Err(error) = fs::remove_file(&draft)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(wrong("replace the draft of", error));
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft).map_err(|source| wrong("write", source))?;
        writeln!(file, "{text}").map_err(|source| wrong("write", source))?;
        file.sync_all().map_err(|source| wrong("write", source))?;
        fs::rename(&draft, &path).map_err(|source| wrong("write", source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");

        let home = Home::make(&inner).unwrap();
        home.write(ADMIN_KEY, "secret").unwrap();
        home.write(ADMIN_KEY, "other").unwrap();

        let rights = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(&inner), 0o700);
        assert_eq!(rights(&inner.join(ADMIN_KEY)), 0o600);
        assert_eq!(home.admin_key().as_deref(), Some("other"));
    }

    #[test]
    fn the_address_is_told_and_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::make(directory.path()).unwrap();

        home.tell_address("http://127.0.0.1:1").unwrap();

        assert_eq!(home.address().as_deref(), Some("http://127.0.0.1:1"));
        home.forget_address();
        home.forget_address();
        assert_eq!(home.address(), None);
    }
}
