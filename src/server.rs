//! The server: the endpoint of the Web Connector and the REST API on one listener.
//!
//! [`open`] makes the data directory, opens the store and gives an engine; [`build`] puts the
//! adapters on a listener that is bound already, so that port 0 works and a test knows the address;
//! [`Server::run`] serves until somebody asks it to stop or until the store stops. Then calls in
//! flight are finished, the store is closed, and only then it returns.
//!
//! A store that stopped after an I/O error ends the process: what is on disk is known again only
//! after reopening, and a supervisor does that better than we do.

mod home;
mod routes;
mod tls;
mod watch;

use std::net::TcpListener;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use jiff::SignedDuration;
use tracing::info;
use tracing::warn;

pub use home::Home;
pub use home::HomeError;
pub(crate) use home::is_open_to_others;
pub(crate) use home::near;
pub use tls::TlsError;
pub use tls::check as check_tls;

use crate::config::Settings;
use crate::dashboard::Logins;
use crate::engine;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ambient::Ambient;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::sled;
use crate::store::sled::SledStore;

/// How long calls in flight get to finish at the end, in seconds.
const FINISH_SECONDS: u64 = 10;
/// How long a client gets to send the head of its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an idle connection is kept: a little longer than the proxies in front usually do.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Most connections of a worker at a time; more wait in the kernel.
const CONNECTIONS: usize = 4096;

/// Why the server does not run, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or is not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// As it was set.
        address: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The store cannot be opened, or stopped.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A use case that the start needs did not work.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The server itself broke.
    #[error("the server stopped")]
    Broken(#[source] std::io::Error),
}

/// Everything behind the listener.
pub struct Open {
    /// The use cases.
    pub engine: Engine,
    /// What they stand on; closed by [`Server::run`].
    pub store: Arc<dyn Store>,
    /// The data directory.
    pub home: Home,
    /// Who is logged in to the pages.
    pub logins: Arc<Logins>,
    /// The token of the link that makes the first user, while there is none.
    pub setup: Option<String>,
}

/// Opens the store that the settings name, without a server.
///
/// # Errors
///
/// [`ServerError::Store`] if another process has it.
pub fn open_store(settings: &Settings) -> Result<Arc<dyn Store>, ServerError> {
    Ok(Arc::new(SledStore::open(&settings.store, &sled::Options::default())?))
}

/// Makes the data directory if it is not there, opens the store, and sees that the local admin key
/// is there.
///
/// # Errors
///
/// [`ServerError`], with what to do about it in its text.
pub async fn open(settings: &Settings, ambient: Arc<dyn Ambient>) -> Result<Open, ServerError> {
    let home = Home::make(&settings.data_dir)?;
    let store = open_store(settings)?;
    let engine = Engine::new(
        store.clone(),
        ambient,
        engine::Settings {
            session_idle: SignedDuration::from_secs(settings.session_idle_seconds.into()),
            message_set_size: settings.message_set_size,
        },
    );
    home.see_to_admin_key(&engine).await?;
    engine.resume_work().await?;
    let logins = Arc::new(Logins::default());
    let setup = store.users().await?.is_empty().then(|| engine.secret());
    if let Some(token) = &setup {
        logins.offer_setup(token);
    }
    Ok(Open { engine, store, home, logins, setup })
}

/// Binds the address of the settings.
///
/// # Errors
///
/// [`ServerError::Listen`] if it is taken or not ours.
pub fn bind(settings: &Settings) -> Result<TcpListener, ServerError> {
    TcpListener::bind(settings.listen)
        .map_err(|source| ServerError::Listen { address: settings.listen.to_string(), source })
}

/// A server that listens.
pub struct Server {
    inner: actix_web::dev::Server,
    url: String,
    near: String,
    open: Open,
    session_idle: Duration,
}

/// Puts the adapters on a listener, and tells commands on this machine where it is.
///
/// # Errors
///
/// [`ServerError::Tls`] if certificate or key cannot be used; [`ServerError::Broken`] if the
/// listener cannot.
pub fn build(
    listener: TcpListener,
    open: Open,
    settings: &Settings,
) -> Result<Server, ServerError> {
    let address = listener.local_addr().map_err(ServerError::Broken)?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    let near = format!("{scheme}://{}", near(address));
    let logins = open.logins.clone();
    let routes = routes::Routes::new(open.engine.clone(), settings, logins);
    let server = HttpServer::new(move || routes.clone().app())
        .disable_signals()
        .shutdown_timeout(FINISH_SECONDS)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .max_connections(CONNECTIONS);
    let server = match &settings.tls {
        Some(files) => server.listen_rustls_0_23(listener, tls::server_config(files)?),
        None => server.listen(listener),
    };
    let inner = server.map_err(ServerError::Broken)?.run();
    if let Err(error) = open.home.tell_address(&near) {
        warn!("commands on this machine will not find the server by themselves: {error}");
    }
    let session_idle = Duration::from_secs(settings.session_idle_seconds.into());
    Ok(Server { inner, url, near, open, session_idle })
}

impl Server {
    /// The link that makes the first user of the pages, while there is none.
    pub fn setup_url(&self) -> Option<String> {
        self.open.setup.as_ref().map(|token| format!("{}/setup/{token}", self.near))
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is reached from this machine.
    pub fn near(&self) -> &str {
        &self.near
    }

    /// Stops it from outside.
    pub fn handle(&self) -> ServerHandle {
        self.inner.handle()
    }

    /// Serves until `stop` comes with the name of what asked for it, or [`Server::handle`], or until
    /// the store stops; then finishes the calls in flight and closes the store.
    ///
    /// # Errors
    ///
    /// [`ServerError::Store`] if the store stopped or could not be closed; [`ServerError::Broken`].
    pub async fn run(self, stop: impl Future<Output = &'static str>) -> Result<(), ServerError> {
        let Self { inner, open, session_idle, .. } = self;
        let handle = inner.handle();
        let stopped = watch::until_stopped(open.engine.clone(), session_idle);
        let mut serving = std::pin::pin!(inner);
        let failure = tokio::select! {
            ended = &mut serving => return finish(&open, ended.err().map(ServerError::Broken)).await,
            signal = stop => {
                info!(signal, "{signal}: finishing the calls in flight");
                open.engine.leave();
                None
            }
            error = stopped => Some(ServerError::Store(error)),
        };
        let (ended, ()) = tokio::join!(serving, handle.stop(failure.is_none()));
        finish(&open, failure.or(ended.err().map(ServerError::Broken))).await
    }
}

/// Closes the store; the first thing that went wrong is what is told.
async fn finish(open: &Open, failure: Option<ServerError>) -> Result<(), ServerError> {
    open.home.forget_address();
    let closed = open.store.close().await;
    if let Some(failure) = failure {
        Err(failure)
    } else {
        closed?;
        info!("stopped");
        Ok(())
    }
}
