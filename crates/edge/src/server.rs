//! The HTTP server: sockets, workers, time limits, and the order in which it stops.
//!
//! Built from the parts of which `actix_web::HttpServer` is made, because that one takes no transport of ours: connections
//! have to go through `Patient`.

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

/// Signals that would end the process, and mean nothing here: ALRM, USR1, USR2, STKFLT, XCPU, XFSZ, VTALRM, PROF, IO and PWR.
/// Numbers of signal(7), the same on every architecture of Linux that Rust supports, except MIPS and SPARC.
///
/// Not among them: KILL, which no program can catch; ILL, TRAP, ABRT, BUS, FPE, SEGV and SYS, by which a fault in the program
/// ends it; STOP, TSTP, TTIN and TTOU, which hold a process until CONT and lose nothing. (One that catches TTOU and writes to
/// its terminal from the background gets it again at once, for ever.)
const MEANINGLESS: [i32; 10] = [14, 10, 12, 16, 24, 25, 26, 27, 29, 30];
/// Real-time signals, which end a process as well. C libraries keep the first for themselves, and refuse to hand them out.
const REAL_TIME: RangeInclusive<i32> = 34..=64;
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
    /// The sockets whose last connections are still to be accepted at the end: all but one that another process goes on with.
    last: Vec<Last>,
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
            let ((), accepted) = join(handle.stop(true), join_all(last.into_iter().map(Last::serve))).await;
            for error in accepted.into_iter().filter_map(Result::err) {
                tracing::warn!(%error, "accepting the connections that waited in the kernel failed during the stop");
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

/// Listens for SIGTERM, SIGINT and SIGQUIT from now on; the future completes on the first. A second one ends the process at
/// once, for an operator who will not wait.
///
/// Not an `async fn`: those listen from their first poll on, and a signal that comes before would end the process.
pub fn signal() -> io::Result<impl Future<Output = ()>> {
    let asked = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
    let mut asked: Vec<Signal> = asked.into_iter().map(unix::signal).collect::<io::Result<_>>()?;
    Ok(async move {
        any(&mut asked).await;
        actix_web::rt::spawn(async move {
            any(&mut asked).await;
            tracing::warn!("a second signal: ending without waiting");
            std::process::exit(1);
        });
    })
}

/// Waits for one of them.
async fn any(signals: &mut [Signal]) {
    select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}

/// Listens for SIGHUP from now on, which asks for a reload and would otherwise end the process; and for signals that would end
/// it too and mean nothing here. SIGXFSZ, one of those, also comes from the kernel, when a file would grow beyond a limit: the
/// write then fails like one on a full disk.
pub fn hang_ups() -> io::Result<HangUps> {
    let mut ignored: Vec<Signal> =
        MEANINGLESS.into_iter().map(|number| unix::signal(SignalKind::from_raw(number))).collect::<io::Result<_>>()?;
    ignored.extend(REAL_TIME.filter_map(|number| unix::signal(SignalKind::from_raw(number)).ok()));
    Ok(HangUps { hang_up: unix::signal(SignalKind::hangup())?, _ignored: ignored })
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
