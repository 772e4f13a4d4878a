//! The HTTP server: sockets, workers, time limits, and the order in which it stops.
//!
//! Built from the parts of which `actix_web::HttpServer` is made, because that one takes no transport of ours: connections
//! have to go through `Patient`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use futures::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::signal::unix::{self, SignalKind};

use super::app::Site;
use super::drain::Drain;
use super::parts::LINGER;
use super::patience::{Patience, Patient};
use super::socket;
use crate::listen::Listen;

/// Connections the kernel holds while all workers are busy accepting.
const BACKLOG: u32 = 2048;

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
    server: Server,
    handle: ServerHandle,
    drain: Drain,
    drain_delay: Duration,
}

/// Binds and starts. Must run inside an actix system.
pub fn start(site: Site, settings: &Settings) -> io::Result<Running> {
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
    let times = Times::of(settings, site.edge.limits.deadline);
    let (builder, place) = match &settings.listen {
        Listen::Network(address) => {
            let listener = bind(*address)?;
            let address = listener.local_addr()?;
            let builder = builder.listen("http", listener, move || {
                let patience = times.patience;
                fn_service(move |stream: TcpStream| async move {
                    // Answers are one write each: waiting to fill a packet would only delay them.
                    stream.set_nodelay(true)?;
                    let peer = stream.peer_addr().ok();
                    Ok((Patient::new(stream, patience), Protocol::Http1, peer))
                })
                .and_then(http(&site, times, stopping.clone(), Some(address)))
            })?;
            (builder, Listen::Network(address))
        }
        Listen::Socket(path) => {
            let builder = builder.listen_uds("http", socket::bind(path)?, move || {
                let patience = times.patience;
                fn_service(move |stream: UnixStream| async move {
                    Ok((Patient::new(stream, patience), Protocol::Http1, None))
                })
                .and_then(http(&site, times, stopping.clone(), None))
            })?;
            (builder, settings.listen.clone())
        }
    };
    let server = builder.run();
    let handle = server.handle();
    Ok(Running { place, server, handle, drain, drain_delay: settings.drain_delay })
}

/// HTTP over connections of either kind.
fn http<T: AsyncRead + AsyncWrite + Unpin + 'static>(
    site: &Site,
    times: Times,
    stopping: GracefulShutdownSignal,
    address: Option<SocketAddr>,
) -> impl ServiceFactory<
    (Patient<T>, Protocol, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> + use<T> {
    let http = HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(times.keep_alive)
        .client_request_timeout(times.head)
        .client_disconnect_timeout(LINGER)
        // A client that has closed its sending half is gone for us: no work is finished for nobody.
        .h1_allow_half_closed(false);
    let http = match address {
        Some(address) => http.local_addr(address),
        None => http,
    };
    http.finish(map_config(site.app().into_factory(), |()| AppConfig::default()))
}

/// The time limits of connections.
#[derive(Clone, Copy)]
struct Times {
    keep_alive: KeepAlive,
    head: Duration,
    patience: Patience,
}

impl Times {
    fn of(settings: &Settings, request_deadline: Duration) -> Self {
        Self {
            keep_alive: KeepAlive::from(settings.keep_alive),
            head: settings.head_deadline,
            patience: Patience::new(settings.head_deadline + request_deadline + LINGER, settings.keep_alive),
        }
    }
}

/// Binds; an error names the address, which the system's own does not.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    listener(address).map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server takes its port back at once, while connections of the old one are still in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

impl Running {
    /// Serves until `stop` completes, then drains: readiness fails, after the drain delay nothing more is accepted, running
    /// requests end within the grace. Returns when the last worker has stopped; what outlives requests is stopped after that.
    pub async fn until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { place, server, handle, drain, drain_delay } = self;
        let stopping = async move {
            stop.await;
            tracing::info!("stopping: readiness fails from now on");
            drain.begin();
            tokio::time::sleep(drain_delay).await;
            tracing::info!("stopping: no new connections from now on");
            handle.stop(true).await;
        };
        let served = match select(pin!(server), pin!(stopping)).await {
            // It could not go on by itself.
            Either::Left((served, _)) => served,
            Either::Right(((), server)) => server.await,
        };
        if let Listen::Socket(path) = &place {
            socket::remove(path);
        }
        served
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
