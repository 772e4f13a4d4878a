//! A way to PostgreSQL that can be cut, stopped and opened again.

use std::net::SocketAddr;
use std::sync::Arc;
use storage::DatabaseUrl;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// What the way does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Carries everything.
    Open,
    /// Lets nothing new in and has cut what was there.
    Cut,
    /// Keeps connections and carries nothing.
    Stalled,
}

/// A TCP proxy on loopback.
pub(crate) struct Proxy {
    state: watch::Sender<State>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Listens before the server of that address; runs on the current runtime.
    pub(crate) async fn before(url: &DatabaseUrl) -> (Self, DatabaseUrl) {
        let text = url.to_string();
        let (start, path) = text.rsplit_once('/').unwrap();
        let (user, target) = start.rsplit_once('@').unwrap();
        let target: SocketAddr = target.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(State::Open);
        let server = tokio::spawn(serve(listener, target, watched));
        let through = DatabaseUrl::parse(&format!("{user}@{address}/{path}")).unwrap();
        (Self { state, server }, through)
    }

    /// Cuts every connection and refuses new ones.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Carries nothing from now on; new connections hang too.
    pub(crate) fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// As at first.
    pub(crate) fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, state: watch::Receiver<State>) {
    let carried: Arc<Mutex<Vec<JoinHandle<()>>>> = Arc::default();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let state = state.clone();
        carried.lock().await.push(tokio::spawn(carry(client, target, state)));
    }
}

async fn carry(mut client: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    if *state.borrow() == State::Cut {
        return;
    }
    if state.wait_for(|state| *state != State::Stalled).await.is_err() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Cut => return,
            State::Stalled => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Open => tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                changed = state.changed() => if changed.is_err() { return },
            },
        }
    }
}
