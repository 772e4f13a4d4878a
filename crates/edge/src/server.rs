//! The HTTP server: sockets, workers, time limits, and the order in which it stops.
//!
//! Built from the parts of which `actix_web::HttpServer` is made, because that one takes no transport of ours: connections
//! have to go through `Patient`.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use actix_http::Protocol;
use actix_server::{Server, ServerBuilder, ServerHandle};
use actix_service::{ServiceFactoryExt as _, fn_service};
use futures::future::{Either, join, select};
use tokio::net::UnixStream;
use tokio::signal::unix::{self, Signal, SignalKind};

use super::app::Site;
use super::connections::{Times, connections, http};
use super::drain::Drain;
use super::listener::{self, Last, Listener, Origin};
use super::patience::Patient;
use super::socket::{self, Bound};
use crate::listen::Listen;

/// SIGXFSZ: the same number on every architecture of Linux that Rust supports, except MIPS.
const FILE_TOO_LARGE: i32 = 25;
/// How long workers may take to take up connections that were handed to them: microseconds, but on a busy machine.
const HANDED_OVER: Duration = Duration::from_millis(100);

/// Where to listen, and how long what may take. The deadline of a request is one of [`super::parts::Limits`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port 0 takes any free port.
    pub listen: Listen,
    /// Threads that serve; 0 for one per core.
    pub workers: usize,
    /// Connections per worker; more wait in the kernel.
    pub max_connections: usize,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
    /// The most the head of a request may take to arrive.
    pub head_deadline: Duration,
    /// Between the failing of readiness and the closing of the listener.
    pub drain_delay: Duration,
    /// The most that running requests may still take after that.
    pub shutdown_grace: Duration,
}

/// A server that accepts connections.
pub struct Running {
    /// Where; the port is the real one, also when 0 was asked for.
    pub place: Listen,
    /// Where what operators look at is served, if that is elsewhere.
    pub insight: Option<Listen>,
    server: Server,
    handle: ServerHandle,
    drain: Drain,
    drain_delay: Duration,
    /// What is still to be accepted at the end; nothing where another process goes on with the socket.
    last: Option<Last>,
    /// The socket files to remove at the end.
    sockets: Vec<Bound>,
}

/// Binds and starts. Must run inside an actix system.
pub fn start(site: Site, settings: &Settings) -> io::Result<Running> {
    start_with(site, settings, None)
}

/// The same, with another site at a place of its own; the same workers serve both, and both stop together.
pub fn start_with(site: Site, settings: &Settings, insight: Option<(Listen, Site)>) -> io::Result<Running> {
    let drain = site.edge.drain.clone();
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(settings.max_connections)
        .shutdown_timeout(settings.shutdown_grace.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let times = Times::new(settings.keep_alive, settings.head_deadline, site.edge.limits.deadline);
    let stopping = move || {
        let stopping = stopping.clone();
        async move { stopping.notified().await }
    };
    let mut sockets = Vec::new();
    let (builder, place, last) = match &settings.listen {
        Listen::Network(address) => {
            let Listener { socket, origin } = Listener::open(*address)?;
            let last = match origin {
                Origin::Bound => Some(Last {
                    socket: socket.try_clone()?,
                    site: site.clone(),
                    times,
                    grace: settings.shutdown_grace,
                }),
                Origin::Inherited => None,
            };
            let (builder, place) = over_network(builder, "http", socket, site, times, stopping.clone())?;
            (builder, place, last)
        }
        Listen::Socket(path) => {
            let (builder, socket) = over_socket(builder, "http", path, site, times, stopping.clone())?;
            sockets.push(socket);
            (builder, settings.listen.clone(), None)
        }
    };
    let (builder, insight) = match insight {
        None => (builder, None),
        Some((Listen::Network(address), site)) => {
            let (builder, place) = over_network(builder, "insight", listener::bind(address)?, site, times, stopping)?;
            (builder, Some(place))
        }
        Some((Listen::Socket(path), site)) => {
            let (builder, socket) = over_socket(builder, "insight", &path, site, times, stopping)?;
            sockets.push(socket);
            (builder, Some(Listen::Socket(path)))
        }
    };
    let server = builder.run();
    let handle = server.handle();
    Ok(Running { place, insight, server, handle, drain, drain_delay: settings.drain_delay, last, sockets })
}

/// Serves a site over the network; where, with the real port.
fn over_network<F, S>(
    builder: ServerBuilder,
    name: &'static str,
    socket: TcpListener,
    site: Site,
    times: Times,
    stopping: F,
) -> io::Result<(ServerBuilder, Listen)>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Future<Output = ()> + 'static,
{
    let address = socket.local_addr()?;
    let builder = builder.listen(name, socket, move || connections(&site, times, stopping.clone(), address))?;
    Ok((builder, Listen::Network(address)))
}

/// Serves a site on a socket of this machine.
fn over_socket<F, S>(
    builder: ServerBuilder,
    name: &'static str,
    path: &Path,
    site: Site,
    times: Times,
    stopping: F,
) -> io::Result<(ServerBuilder, Bound)>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Future<Output = ()> + 'static,
{
    let (socket, bound) = socket::bind(path)?;
    let builder = builder.listen_uds(name, socket, move || {
        let patience = times.patience;
        fn_service(move |stream: UnixStream| async move { Ok((Patient::new(stream, patience), Protocol::Http1, None)) })
            .and_then(http(&site, times, stopping.clone(), None))
    })?;
    Ok((builder, bound))
}

impl Running {
    /// Serves until `stop` completes, then drains: readiness fails, after the drain delay nothing more is accepted, running
    /// requests end within the grace. Returns when the last worker has stopped; what outlives requests is stopped after that.
    ///
    /// What has been accepted by then is served, and so is what waits in the kernel: closing the socket would reset it. A
    /// socket that was inherited stays open elsewhere, and what waits there waits for the next process.
    pub async fn until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { server, handle, drain, drain_delay, last, sockets, .. } = self;
        let mut server = pin!(server);
        let draining = async move {
            tracing::info!("stopping: readiness fails from now on");
            drain.begin();
            tokio::time::sleep(drain_delay).await;
            tracing::info!("stopping: no new connections from now on");
            // A worker that stops drops what was handed to it and not taken up yet.
            handle.pause().await;
            tokio::time::sleep(HANDED_OVER).await;
            let stopped = handle.stop(true);
            match last {
                Some(last) => {
                    if let ((), Err(error)) = join(stopped, last.serve()).await {
                        tracing::warn!(%error, "accepting the connections that waited in the kernel failed during the stop");
                    }
                }
                None => stopped.await,
            }
        };
        let ended = match select(server.as_mut(), pin!(stop)).await {
            // It could not go on by itself.
            Either::Left((ended, _)) => ended,
            // Workers without connections end at once; the last connections are not theirs, and may still take a while.
            Either::Right(((), _)) => join(server, draining).await.0,
        };
        sockets.iter().for_each(Bound::remove);
        ended
    }
}

/// Listens for SIGTERM and SIGINT from now on; the future completes on the first. A second one ends the process at once,
/// for an operator who will not wait.
///
/// Not an `async fn`: those listen from their first poll on, and a signal that comes before would end the process.
pub fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = unix::signal(SignalKind::terminate())?;
    let mut interrupt = unix::signal(SignalKind::interrupt())?;
    Ok(async move {
        select(pin!(terminate.recv()), pin!(interrupt.recv())).await;
        actix_web::rt::spawn(async move {
            select(pin!(terminate.recv()), pin!(interrupt.recv())).await;
            tracing::warn!("a second signal: ending without waiting");
            std::process::exit(1);
        });
    })
}

/// Listens for SIGHUP from now on, which asks for a reload and would otherwise end the process; and for SIGUSR1
/// and SIGUSR2, which would end it too and mean nothing here. SIGXFSZ comes from the kernel, when a file would grow beyond a
/// limit: the write then fails like one on a full disk.
pub fn hang_ups() -> io::Result<HangUps> {
    let ignored = [SignalKind::user_defined1(), SignalKind::user_defined2(), SignalKind::from_raw(FILE_TOO_LARGE)];
    Ok(HangUps {
        hang_up: unix::signal(SignalKind::hangup())?,
        _ignored: ignored.map(unix::signal).into_iter().collect::<io::Result<_>>()?,
    })
}

/// Signals that ask for files to be read anew.
pub struct HangUps {
    hang_up: Signal,
    _ignored: Vec<Signal>,
}

impl HangUps {
    /// The next.
    pub async fn next(&mut self) {
        self.hang_up.recv().await;
    }
}
