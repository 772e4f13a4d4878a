//! `serve`: serves until a signal arrives.

use std::time::Duration;

use super::sources::SourceArgs;
use super::{Failure, output};
use crate::config::Config;
use crate::{compose, telemetry};
use edge::listen::Listen;

/// Threads of the background runtime. Its tasks wait for the database and compute little.
const BACKGROUND_THREADS: usize = 2;

/// How long a thread for blocking work stays idle before it ends. The allocator returns memory to the system when a thread
/// ends, and the thread that ran the migrations leaves a fifth of an idle server's memory behind. Starting a new thread costs
/// less than any work that is given to one.
const BLOCKING_IDLE: Duration = Duration::from_secs(2);

/// Options of `serve`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    #[arg(
        long,
        value_name = "PLACE",
        help = "The address to listen on: address:port (port 0 selects a free one) or unix:/path/to/socket [env: NOLAPSE_LISTEN]"
    )]
    listen: Option<String>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let listen = args.listen.map(|address| ("server.listen", "--listen", address));
    let flags: Vec<_> = listen.into_iter().collect();
    let loaded = args.sources.clone().load(flags.clone())?;
    let reload = move || -> Result<Config, Failure> { Ok(args.sources.clone().load(flags.clone())?.config) };
    let log = telemetry::start(&loaded.config.log)?;
    let background = background()?;
    let served = actix_web::rt::System::new().block_on(compose::serve(
        &loaded.config,
        &background,
        &log,
        reload,
        |announcement| {
            // Programs that start this one wait for the line. Write errors are ignored.
            let place = match announcement.place {
                Listen::Network(address) => format!("http://{address}"),
                socket @ Listen::Socket(_) => socket.to_string(),
            };
            let _ = output::emit(&format!("listening on {place}\n"));
            if let Some(link) = announcement.setup_link {
                let _ = output::emit(&format!("to set up this deployment, open this link (it works once): {link}\n"));
            }
        },
    ));
    log.finish();
    served
}

/// The runtime for work that must outlive its request.
pub(super) fn background() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(BACKGROUND_THREADS)
        .thread_name("background")
        .thread_keep_alive(BLOCKING_IDLE)
        .enable_all()
        .build()
}
