//! The server of a demo: the real one, in a thread, on a directory that goes away with it.

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use anyhow::Context as _;
use jiff::SignedDuration;
use jiff::Timestamp;
use tracing::warn;

use crate::config::Settings;
use crate::engine::ambient::Ambient;
use crate::engine::ambient::System;
use crate::server;
use crate::server::ServerError;

/// A directory, which is removed at the end if nobody named it.
pub(super) struct Place {
    directory: PathBuf,
    is_ours: bool,
}

impl Place {
    /// The directory that was named, or a fresh one.
    pub(super) fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        let (directory, is_ours) = if let Some(directory) = named {
            (directory.to_owned(), false)
        } else {
            let name = format!("bookbridge-demo-{:016x}", System.bits() >> 64);
            (std::env::temp_dir().join(name), true)
        };
        server::Home::make(&directory)?;
        Ok(Self { directory, is_ours })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = std::fs::remove_dir_all(&self.directory)
        {
            warn!("{} stays: {error}", self.directory.display());
        }
    }
}

/// A clock that can be set ahead: nobody who watches waits two minutes for a second try.
#[derive(Debug, Default)]
pub(super) struct Clock {
    seconds_ahead: AtomicI64,
}

impl Ambient for Clock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.seconds_ahead.load(Ordering::Relaxed));
        System.now().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    fn bits(&self) -> u128 {
        System.bits()
    }
}

/// A server that runs.
pub(super) struct Stage {
    /// Where it listens.
    pub(super) url: String,
    /// The link that makes the first user of the pages, while there is none.
    pub(super) setup: Option<String>,
    /// The time of the demo.
    pub(super) clock: Arc<Clock>,
    handle: ServerHandle,
    thread: JoinHandle<Result<(), ServerError>>,
}

impl Stage {
    /// Starts it; it answers when this returns.
    pub(super) fn start(settings: Settings) -> anyhow::Result<Self> {
        let (tell, told) = mpsc::channel();
        let clock = Arc::new(Clock::default());
        let ambient = clock.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = listener(&settings)?;
                let open = server::open(&settings, ambient).await?;
                let server = server::build(listener, open, &settings)?;
                // Nobody listens any more if the demo was interrupted meanwhile.
                let _ = tell.send((server.url().to_owned(), server.setup_url(), server.handle()));
                server.run().await
            })
        });
        match told.recv() {
            Ok((url, setup, handle)) => Ok(Self { url, setup, clock, handle, thread }),
            Err(_) => Err(Self::joined(thread).err().context("the server did not start")?),
        }
    }

    /// Lets time pass.
    pub(super) fn wait_seconds(&self, seconds: i64) {
        self.clock.seconds_ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Ends it: calls in flight are finished, the store is closed.
    pub(super) fn end(self) -> anyhow::Result<()> {
        drop(self.handle.stop(true));
        Self::joined(self.thread)
    }

    /// Waits until a signal ends it.
    pub(super) fn until_signal(self) -> anyhow::Result<()> {
        Self::joined(self.thread)
    }

    fn joined(thread: JoinHandle<Result<(), ServerError>>) -> anyhow::Result<()> {
        match thread.join() {
            Ok(done) => Ok(done?),
            Err(_) => Err(anyhow::anyhow!("the server panicked")),
        }
    }
}

/// The usual port, or any that is free if another program has it.
fn listener(settings: &Settings) -> Result<std::net::TcpListener, ServerError> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8170));
    match server::bind(settings) {
        Err(_) if settings.listen == usual => {
            let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            server::bind(&Settings { listen: free, ..settings.clone() })
        }
        bound => bound,
    }
}
