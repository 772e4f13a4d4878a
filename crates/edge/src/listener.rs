//! The listening socket, bound here or inherited from a supervisor, and how its last connections are served.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_service::{Service, ServiceFactory};
use futures::future::join_all;
use listenfd::ListenFd;
use tokio::net::TcpSocket;
use tokio::time::{Instant, timeout, timeout_at};

use super::app::Site;
use super::connections::{Times, connections, local_connections};

/// Connections the kernel holds while all workers are busy accepting.
const BACKLOG: u32 = 2048;
/// After this time without a new connection, the backlog counts as empty.
const QUIET: Duration = Duration::from_millis(20);
/// The longest time that new connections are accepted during the stop. By then a load balancer has seen readiness fail.
const LAST: Duration = Duration::from_millis(500);

/// A socket that listens.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) origin: Origin,
}

/// The origin of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Bound by this process; it closes with it.
    Bound,
    /// Kept open by a supervisor (systemd's socket activation, `LISTEN_FDS`): its backlog outlives this process.
    Inherited,
}

impl Listener {
    /// The socket that a supervisor handed over, or one bound to this address.
    ///
    /// # Errors
    /// The supervisor handed over more than one socket or something else; the address cannot be bound.
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let mut inherited = ListenFd::from_env();
        match inherited.len() {
            0 => Ok(Self { socket: bind(address)?, origin: Origin::Bound }),
            1 => {
                let socket = inherited.take_tcp_listener(0)?;
                let socket = socket.ok_or_else(|| io::Error::other("the socket that was handed over is gone"))?;
                Ok(Self { socket, origin: Origin::Inherited })
            }
            several => Err(io::Error::other(format!("{several} sockets were handed over: one is served"))),
        }
    }
}

/// Binds; an error names the address, which the system's own does not.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    bound(address).map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server can bind its port at once, while connections of the old one are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// A socket bound here whose backlog is still to be served during the stop.
pub(super) struct Last {
    pub(super) socket: Socket,
    pub(super) site: Site,
    pub(super) times: Times,
    /// The longest time that running requests may still take.
    pub(super) grace: Duration,
}

/// A socket of either kind that listens.
pub(super) enum Socket {
    Network(TcpListener),
    Local(UnixListener),
}

impl Last {
    /// Accepts the connections in the backlog on this thread, after the workers have stopped accepting, and closes the
    /// socket. Returns when all of them are served, or after the grace. Each answer closes its connection.
    pub(super) async fn serve(self) -> io::Result<()> {
        let Self { socket, site, times, grace } = self;
        match socket {
            Socket::Network(socket) => {
                let factory = connections(&site, times, std::future::pending, socket.local_addr()?);
                socket.set_nonblocking(true)?;
                let socket = tokio::net::TcpListener::from_std(socket)?;
                serve_waiting(factory, async move || socket.accept().await.map(|(stream, _)| stream), grace).await
            }
            Socket::Local(socket) => {
                let factory = local_connections(&site, times, std::future::pending);
                socket.set_nonblocking(true)?;
                let socket = tokio::net::UnixListener::from_std(socket)?;
                serve_waiting(factory, async move || socket.accept().await.map(|(stream, _)| stream), grace).await
            }
        }
    }
}

/// Serves the connections that `accept`, which owns the socket, finds in the backlog.
async fn serve_waiting<T, F>(factory: F, accept: impl AsyncFn() -> io::Result<T>, grace: Duration) -> io::Result<()>
where
    F: ServiceFactory<T, Config = (), Response = (), Error = DispatchError, InitError = ()>,
    <F::Service as Service<T>>::Future: 'static,
{
    let made = factory.new_service(()).await;
    let service = made.map_err(|()| io::Error::other("the application could not be built"))?;
    let end = Instant::now() + LAST;
    let mut served = Vec::new();
    while let Ok(Ok(accepted)) = timeout_at(end, timeout(QUIET, accept())).await {
        match accepted {
            Ok(stream) => served.push(actix_web::rt::spawn(service.call(stream))),
            Err(error) => {
                tracing::warn!(%error, "not all waiting connections could be accepted during shutdown");
                break;
            }
        }
    }
    drop(accept);
    let count = served.len();
    if timeout(grace, join_all(served)).await.is_err() {
        tracing::warn!(
            count,
            "connections that were accepted during shutdown were closed at the end of the grace period"
        );
    }
    Ok(())
}
