//! `serve`: the endpoint.

use std::sync::Arc;

use clap::Args;

use super::arguments::Global;
use super::arguments::ServerFlags;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::output;
use super::store;
use crate::engine::ambient::System;
use crate::server;
use crate::telemetry;

/// Serve the Web Connector and the REST API until SIGTERM or Ctrl-C.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bookbridge serve
  bookbridge serve --listen 127.0.0.1:0
  bookbridge serve --public-url https://books.example.com --log-format json

Once it listens it prints one line on stdout: listening on http://127.0.0.1:8170
Every setting is a BOOKBRIDGE_… variable and a line of bookbridge.toml too.")]
pub(super) struct Serve {
    #[command(flatten)]
    flags: ServerFlags,
}

/// Runs `serve`.
pub(super) fn run(command: &Serve, global: &Global) -> anyhow::Result<()> {
    let settings = global.settings(&command.flags.0)?;
    if let Some(files) = &settings.tls {
        // What is wrong with a setting is said before anything is made.
        server::check_tls(files).map_err(|why| Failure::Usage(why.to_string()))?;
    }
    let interrupt = Interrupt::listen()?;
    store::for_its_owner_alone();
    telemetry::start(settings.log_format, settings.log_level);
    actix_web::rt::System::new().block_on(async {
        let listener = server::bind(&settings)?;
        let open = server::open(&settings, Arc::new(System)).await?;
        let server = server::build(listener, open, &settings)?;
        output::line(format_args!("listening on {}", server.url()))?;
        if let Some(setup) = server.setup_url() {
            output::line(format_args!("make the first user of the pages, once: {setup}"))?;
        }
        Ok(server.run(interrupt.wait()).await?)
    })
}
