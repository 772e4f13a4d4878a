//! The HTTP server: sockets, workers, time limits, and the order in which it stops.
//!
//! Built from the parts of `actix_web::HttpServer`, which cannot wrap connections: they have to go through `Patient`.

use std::io;
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::os::unix::net::UnixListener;
use std::pin::pin;
use std::time::Duration;

use actix_server::{Server, ServerBuilder, ServerHandle};
use futures::future::{Either, join, join_all, select, select_all};
use tokio::signal::unix::{self, Signal, SignalKind};

use super::app::Site;
use super::connections::{Times, connections, local_connections};
use super::drain::Drain;
use super::listener::{self, Last, Listener, Origin, Socket};
use super::socket::{self, Bound};
use crate::listen::Listen;

/// Signals that would end the process by default and are ignored here: ALRM, USR1, USR2, STKFLT, XCPU, XFSZ, VTALRM,
/// PROF, IO and PWR. Numbers of signal(7), the same on every Linux architecture that Rust supports, except MIPS and
/// SPARC.
///
/// Not ignored: KILL, which cannot be caught; ILL, TRAP, ABRT, BUS, FPE, SEGV and SYS, which report a fault of the
/// program; STOP, TSTP, TTIN and TTOU, which suspend the process until CONT without a loss. (A process that catches
/// TTOU and writes to its terminal from the background gets the signal again at once, in a loop.)
const MEANINGLESS: [i32; 10] = [14, 10, 12, 16, 24, 25, 26, 27, 29, 30];
/// Real-time signals, which also end a process by default. C libraries reserve the first ones and refuse handlers for
/// them.
const REAL_TIME: RangeInclusive<i32> = 34..=64;
/// How long workers get to pick up accepted connections: it takes microseconds, but more on a busy machine.
const HANDED_OVER: Duration = Duration::from_millis(100);

/// Where to listen, and time limits. The deadline of a request is in [`super::parts::Limits`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port 0 takes any free port.
    pub listen: Listen,
    /// Worker threads; 0 for one per core.
    pub workers: usize,
    /// Connections per worker; more wait in the kernel.
    pub max_connections: usize,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
    /// The longest time for a request's head to arrive.
    pub head_deadline: Duration,
    /// The time between failing readiness and closing the listener.
    pub drain_delay: Duration,
    /// The longest time that running requests may still take after that.
    pub shutdown_grace: Duration,
}

/// A server that accepts connections.
pub struct Running {
    /// The bound address; with the real port if 0 was configured.
    pub place: Listen,
    /// The bound address of the paths for operators, if they have their own listener.
    pub insight: Option<Listen>,
    server: Server,
    handle: ServerHandle,
    drain: Drain,
    drain_delay: Duration,
    /// The sockets whose backlog is to be served during the stop: all but an inherited one.
    last: Vec<Last>,
    /// The Unix sockets to remove at the end.
    sockets: Vec<Bound>,
}

/// Binds the listener and starts the workers. Must run inside an actix system.
pub fn start(site: Site, settings: &Settings) -> io::Result<Running> {
    start_with(site, settings, None)
}

/// As [`start`], with a second site on its own listener. The same workers serve both sites, and both stop together.
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
    let mut last = Vec::new();
    let ending = |socket, site: &Site| Last { socket, site: site.clone(), times, grace: settings.shutdown_grace };
    let (builder, place) = match &settings.listen {
        Listen::Network(address) => {
            let Listener { socket, origin } = Listener::open(*address)?;
            match origin {
                Origin::Bound => last.push(ending(Socket::Network(socket.try_clone()?), &site)),
                Origin::Inherited => {}
            }
            over_network(builder, "http", socket, site, times, stopping.clone())?
        }
        Listen::Socket(path) => {
            let (socket, bound) = socket::bind(path)?;
            sockets.push(bound);
            last.push(ending(Socket::Local(socket.try_clone()?), &site));
            let builder = over_socket(builder, "http", socket, site, times, stopping.clone())?;
            (builder, settings.listen.clone())
        }
    };
    let (builder, insight) = match insight {
        None => (builder, None),
        Some((Listen::Network(address), site)) => {
            let socket = listener::bind(address)?;
            last.push(ending(Socket::Network(socket.try_clone()?), &site));
            let (builder, place) = over_network(builder, "insight", socket, site, times, stopping)?;
            (builder, Some(place))
        }
        Some((Listen::Socket(path), site)) => {
            let (socket, bound) = socket::bind(&path)?;
            sockets.push(bound);
            last.push(ending(Socket::Local(socket.try_clone()?), &site));
            let builder = over_socket(builder, "insight", socket, site, times, stopping)?;
            (builder, Some(Listen::Socket(path)))
        }
    };
    let server = builder.run();
    let handle = server.handle();
    Ok(Running { place, insight, server, handle, drain, drain_delay: settings.drain_delay, last, sockets })
}

/// Serves a site over the network; returns the bound address with the real port.
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

/// Serves a site on a Unix socket.
fn over_socket<F, S>(
    builder: ServerBuilder,
    name: &'static str,
    socket: UnixListener,
    site: Site,
    times: Times,
    stopping: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> S + Clone + Send + 'static,
    S: Future<Output = ()> + 'static,
{
    builder.listen_uds(name, socket, move || local_connections(&site, times, stopping.clone()))
}

impl Running {
    /// Serves until `stop` completes, then drains: readiness fails, after the drain delay no connection is accepted any
    /// more, and running requests end within the grace. Returns when the last worker has stopped; the caller then stops
    /// background work.
    ///
    /// Accepted connections are served, and so are those in the kernel's backlog, which closing the socket would reset.
    /// An inherited socket stays open in the supervisor, and its backlog waits for the next process.
    pub async fn until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { server, handle, drain, drain_delay, last, sockets, .. } = self;
        let mut server = pin!(server);
        let draining = async move {
            tracing::info!("stopping: readiness fails from now on");
            drain.begin();
            tokio::time::sleep(drain_delay).await;
            tracing::info!("stopping: no new connections from now on");
            // A stopping worker drops connections that were handed to it but not picked up yet.
            handle.pause().await;
            tokio::time::sleep(HANDED_OVER).await;
            let ((), accepted) = join(handle.stop(true), join_all(last.into_iter().map(Last::serve))).await;
            for error in accepted.into_iter().filter_map(Result::err) {
                tracing::warn!(%error, "accepting connections from the backlog failed during shutdown");
            }
        };
        let ended = match select(server.as_mut(), pin!(stop)).await {
            // The server ended by itself, with an error.
            Either::Left((ended, _)) => ended,
            // Idle workers end at once, while the connections from the backlog, which are not theirs, may take longer.
            Either::Right(((), _)) => join(server, draining).await.0,
        };
        sockets.iter().for_each(Bound::remove);
        ended
    }
}

/// Listens for SIGTERM, SIGINT and SIGQUIT from now on; the future completes on the first. A second signal ends the
/// process at once, for an operator who does not want to wait.
///
/// Not an `async fn`, which would listen only from its first poll on: an earlier signal would end the process.
pub fn signal() -> io::Result<impl Future<Output = ()>> {
    let asked = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
    let mut asked: Vec<Signal> = asked.into_iter().map(unix::signal).collect::<io::Result<_>>()?;
    Ok(async move {
        any(&mut asked).await;
        actix_web::rt::spawn(async move {
            any(&mut asked).await;
            tracing::warn!("second signal: stopping without waiting");
            std::process::exit(1);
        });
    })
}

/// Waits for any of the signals.
async fn any(signals: &mut [Signal]) {
    select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}

/// Listens for SIGHUP from now on, which asks for a reload and would otherwise end the process, and ignores the signals
/// of `MEANINGLESS` and `REAL_TIME`. One of them, SIGXFSZ, is also sent by the kernel when a file would exceed a
/// size limit; ignored, the write fails as on a full disk.
pub fn hang_ups() -> io::Result<HangUps> {
    let mut ignored: Vec<Signal> =
        MEANINGLESS.into_iter().map(|number| unix::signal(SignalKind::from_raw(number))).collect::<io::Result<_>>()?;
    ignored.extend(REAL_TIME.filter_map(|number| unix::signal(SignalKind::from_raw(number)).ok()));
    Ok(HangUps { hang_up: unix::signal(SignalKind::hangup())?, _ignored: ignored })
}

/// The stream of SIGHUPs, which ask for a reload.
pub struct HangUps {
    hang_up: Signal,
    _ignored: Vec<Signal>,
}

impl HangUps {
    /// Waits for the next SIGHUP.
    pub async fn next(&mut self) {
        self.hang_up.recv().await;
    }
}
