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
use tokio::sync::oneshot;
use tracing::warn;

use super::COMPANY;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
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
    /// The directory that was named, or a fresh one. One that is in use stays as it is.
    pub(super) fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        let (directory, is_ours) = if let Some(directory) = named {
            let in_use = [(COMPANY, "a demo"), ("store", "a store")].into_iter();
            let in_use = in_use.filter(|(name, _)| directory.join(name).exists());
            if let Some((_, what)) = in_use.into_iter().next() {
                let shown = directory.display();
                let why = format!(
                    "{shown} holds {what} already; remove it, or name another with --data-dir\n  \
                     → to see what is in it: {} serve --data-dir {}",
                    output::program(),
                    output::path(directory)
                );
                return Err(Failure::Refused(why).into());
            }
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

/// A clock that begins in the past and is moved on, so that at the end it tells the time: nobody who
/// watches waits two minutes for a second try.
#[derive(Debug)]
pub(super) struct Clock {
    seconds_behind: AtomicI64,
}

impl Clock {
    /// Lets time pass.
    fn move_on(&self, seconds: i64) {
        self.seconds_behind.fetch_sub(seconds, Ordering::Relaxed);
    }
}

impl Ambient for Clock {
    fn now(&self) -> Timestamp {
        let behind = SignedDuration::from_secs(self.seconds_behind.load(Ordering::Relaxed));
        System.now().checked_sub(behind).unwrap_or(Timestamp::MIN)
    }

    fn bits(&self) -> u128 {
        System.bits()
    }
}

/// A server that runs.
pub(super) struct Stage {
    /// Where it listens, as every server tells it.
    pub(super) listens: String,
    /// Where it is reached from this machine.
    pub(super) url: String,
    /// The link that makes the first user of the pages, while there is none.
    pub(super) setup: Option<String>,
    /// The time of the demo.
    pub(super) clock: Arc<Clock>,
    handle: ServerHandle,
    thread: JoinHandle<Result<(), ServerError>>,
    /// Dropped when the play is over: a signal does not take the server away from it.
    playing: oneshot::Sender<()>,
}

/// What the server's thread tells when it listens.
struct Told {
    listens: String,
    url: String,
    setup: Option<String>,
    handle: ServerHandle,
}

impl Stage {
    /// Starts it, with a clock that is so many seconds behind; it answers when this returns.
    pub(super) fn start(
        settings: Settings,
        seconds_behind: i64,
        interrupt: Interrupt,
    ) -> anyhow::Result<Self> {
        let (tell, told) = mpsc::channel();
        let (playing, over) = oneshot::channel();
        let clock = Arc::new(Clock { seconds_behind: AtomicI64::new(seconds_behind) });
        let ambient = clock.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = listener(&settings)?;
                let open = server::open(&settings, ambient).await?;
                let server = server::build(listener, open, &settings)?;
                // Nobody listens any more if the demo was interrupted meanwhile.
                let _ = tell.send(Told {
                    listens: server.url().to_owned(),
                    url: server.near().to_owned(),
                    setup: server.setup_url(),
                    handle: server.handle(),
                });
                let stop = async {
                    // It is dropped, never sent.
                    let _ = over.await;
                    interrupt.wait().await
                };
                server.run(stop).await
            })
        });
        match told.recv() {
            Ok(Told { listens, url, setup, handle }) => {
                Ok(Self { listens, url, setup, clock, handle, thread, playing })
            }
            Err(_) => Err(Self::joined(thread).err().context("the server did not start")?),
        }
    }

    /// Lets time pass.
    pub(super) fn wait_seconds(&self, seconds: i64) {
        self.clock.move_on(seconds);
    }

    /// Ends it: calls in flight are finished, the store is closed.
    pub(super) fn end(self) -> anyhow::Result<()> {
        drop(self.handle.stop(true));
        Self::joined(self.thread)
    }

    /// The play is over: waits until a signal ends it, if none came already.
    pub(super) fn until_signal(self) -> anyhow::Result<()> {
        drop(self.playing);
        Self::joined(self.thread)
    }

    fn joined(thread: JoinHandle<Result<(), ServerError>>) -> anyhow::Result<()> {
        match thread.join() {
            Ok(done) => Ok(done?),
            Err(_) => Err(anyhow::anyhow!("the server panicked")),
        }
    }
}

/// Refuses an address at which no Web Connector would call a server without a certificate.
pub(super) fn must_be_near(listen: SocketAddr) -> anyhow::Result<()> {
    if listen.ip() == Ipv4Addr::LOCALHOST || listen.ip().is_unspecified() {
        return Ok(());
    }
    let why = format!(
        "setting listen: a demo listens on 127.0.0.1, or on every address (0.0.0.0), not on \
         {listen}: a Web Connector speaks plain HTTP with its own machine alone"
    );
    Err(Failure::Usage(why).into())
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
