//! The HTTP server: sockets, workers, time limits, and the order in which it stops.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::KeepAlive;

use super::app::Site;
use super::drain::Drain;
use super::edge::LINGER;
use crate::config::sections;

/// Connections the kernel holds while all workers are busy accepting.
const BACKLOG: u32 = 2048;

/// A server that accepts connections.
pub struct Running {
    /// Where; the port is the real one, also when 0 was asked for.
    pub address: SocketAddr,
    server: Server,
    handle: ServerHandle,
    drain: Drain,
    drain_delay: Duration,
}

/// Binds and starts. Must run inside an actix system.
pub fn start(site: Site, settings: &sections::Server) -> io::Result<Running> {
    let drain = site.edge.drain.clone();
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let server = HttpServer::new(move || site.app())
        .workers(workers)
        .backlog(BACKLOG)
        .max_connections(settings.max_connections)
        .keep_alive(KeepAlive::from(settings.keep_alive))
        .client_request_timeout(settings.head_deadline)
        .client_disconnect_timeout(LINGER)
        // A client that has closed its sending half is gone for us: its request is dropped rather than finished for nobody.
        .h1_allow_half_closed(false)
        .shutdown_timeout(settings.shutdown_grace.as_secs())
        .disable_signals()
        .bind(settings.listen)?;
    let address = server.addrs().first().copied().ok_or_else(|| io::Error::other("the server has no address"))?;
    let server = server.run();
    let handle = server.handle();
    Ok(Running { address, server, handle, drain, drain_delay: settings.drain_delay })
}

impl Running {
    /// Serves until `stop` completes, then drains: readiness fails, after the drain delay nothing more is accepted, running
    /// requests end within the grace. Returns when the last worker has stopped; what outlives requests is stopped after that.
    pub async fn until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { server, handle, drain, drain_delay, .. } = self;
        let stopping = async move {
            stop.await;
            tracing::info!("stopping: readiness fails from now on");
            drain.begin();
            tokio::time::sleep(drain_delay).await;
            tracing::info!("stopping: no new connections from now on");
            handle.stop(true).await;
        };
        // The server ends when it was stopped, or when it cannot go on by itself.
        let (served, ()) = futures::future::join(server, stopping).await;
        served
    }
}

/// Completes on SIGTERM or SIGINT. A second signal ends the process at once: the first handler is gone by then.
pub async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    futures::future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
    Ok(())
}
