//! The service for a connection: time limits, and HTTP on top.

use std::net::SocketAddr;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_service::{IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::app::Site;
use super::parts::LINGER;
use super::patience::{Patience, Patient};

/// The time limits of connections.
#[derive(Clone, Copy)]
pub(super) struct Times {
    keep_alive: KeepAlive,
    head: Duration,
    patience: Patience,
}

impl Times {
    /// An idle connection stays open for `keep_alive`; a request's head may take `head_deadline` to arrive, and the
    /// request `request_deadline` after that.
    pub(super) fn new(keep_alive: Duration, head_deadline: Duration, request_deadline: Duration) -> Self {
        Self {
            keep_alive: KeepAlive::from(keep_alive),
            head: head_deadline,
            patience: Patience::new(head_deadline + request_deadline + LINGER, keep_alive),
        }
    }
}

/// The service for connections over the network, until `stopping` completes.
pub(super) fn connections<F, S>(
    site: &Site,
    times: Times,
    stopping: F,
    address: SocketAddr,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<F, S>
where
    F: Fn() -> S + 'static,
    S: Future<Output = ()> + 'static,
{
    let patience = times.patience;
    fn_service(move |stream: TcpStream| async move {
        // Each answer is one write: Nagle's algorithm would only delay it.
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr().ok();
        Ok((Patient::new(stream, patience), Protocol::Http1, peer))
    })
    .and_then(http(site, times, stopping, Some(address)))
}

/// The service for connections on a Unix socket.
pub(super) fn local_connections<F, S>(
    site: &Site,
    times: Times,
    stopping: F,
) -> impl ServiceFactory<UnixStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<F, S>
where
    F: Fn() -> S + 'static,
    S: Future<Output = ()> + 'static,
{
    let patience = times.patience;
    fn_service(move |stream: UnixStream| async move { Ok((Patient::new(stream, patience), Protocol::Http1, None)) })
        .and_then(http(site, times, stopping, None))
}

/// HTTP over connections of either kind.
fn http<T, F, S>(
    site: &Site,
    times: Times,
    stopping: F,
    address: Option<SocketAddr>,
) -> impl ServiceFactory<
    (Patient<T>, Protocol, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> + use<T, F, S>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Fn() -> S + 'static,
    S: Future<Output = ()> + 'static,
{
    let http = HttpService::build()
        .graceful_shutdown_signal(stopping)
        .keep_alive(times.keep_alive)
        .client_request_timeout(times.head)
        .client_disconnect_timeout(LINGER)
        // A client that has closed its sending half counts as gone: its request is cancelled.
        .h1_allow_half_closed(false);
    let http = match address {
        Some(address) => http.local_addr(address),
        None => http,
    };
    http.finish(map_config(site.app().into_factory(), |()| AppConfig::default()))
}
