//! Ctrl-C and SIGTERM: heard from the moment that somebody listens, so that neither kills us.
//!
//! A thread of its own hears them; what serves, what sleeps and what works in between all look here.

use std::io;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::timeout;

/// Whether somebody asked us to end.
#[derive(Clone, Debug)]
pub(super) struct Interrupt {
    heard: watch::Receiver<Option<&'static str>>,
}

impl Interrupt {
    /// Listens. No signal that comes after this returned is missed.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (tell, heard) = watch::channel(None);
        let signals = {
            let _in = runtime.enter();
            Signals::listen()?
        };
        let hear = move || {
            let signal = runtime.block_on(signals.hear());
            // Nobody looks any more if the command ended meanwhile.
            let _ = tell.send(Some(signal));
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(hear)?;
        Ok(Self { heard })
    }

    /// Whether one came.
    pub(super) fn came(&self) -> bool {
        self.heard.borrow().is_some()
    }

    /// Waits for one; its name.
    pub(super) async fn wait(mut self) -> &'static str {
        loop {
            if let Some(signal) = *self.heard.borrow_and_update() {
                return signal;
            }
            if self.heard.changed().await.is_err() {
                // The thread is gone without a word: none will come.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sleeps for so long, or until one came.
    pub(super) fn sleep(&self, time: Duration) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let slept = runtime.block_on(async { timeout(time, self.clone().wait()).await });
        // Both ends are fine.
        drop(slept);
        Ok(())
    }
}

/// Those that ask a program to end.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::SignalKind;
        use tokio::signal::unix::signal;
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn hear(mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The one that asks a program to end.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn hear(mut self) -> &'static str {
        self.0.recv().await;
        "Ctrl-C"
    }
}
