//! A pooler in transaction mode: clients share the connections to the server, each for one transaction at a time.
//!
//! As the poolers that people run, it opens another connection to the server only when none is free, and takes the one that
//! was used last. It does not carry prepared statements from one connection to the next.

use crate::proxy::{Front, message};
use std::net::SocketAddr;
use std::sync::Arc;
use storage::DatabaseUrl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// The pooler, on loopback.
pub(crate) struct Pooler(JoinHandle<()>);

/// A connection to the server that waits for a client.
#[derive(Default)]
struct Shared {
    free: Vec<TcpStream>,
}

impl Pooler {
    /// Listens before the server of that address; runs on the current runtime.
    pub(crate) async fn before(url: &DatabaseUrl) -> (Self, DatabaseUrl) {
        let Front { listener, target, through } = Front::of(url, "?sslmode=disable").await;
        let server = tokio::spawn(serve(listener, target));
        (Self(server), through)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    loop {
        let (client, _) = listener.accept().await.unwrap();
        tokio::spawn(carry(client, target, Arc::clone(&shared)));
    }
}

async fn carry(mut client: TcpStream, target: SocketAddr, shared: Arc<Mutex<Shared>>) -> Option<()> {
    // Every client is greeted as the server greets; the connection that took is shared afterwards if another is needed.
    let startup = startup(&mut client).await?;
    let mut greeting = TcpStream::connect(target).await.ok()?;
    greeting.write_all(&startup).await.ok()?;
    let (ready, _) = relay_until_ready(&mut greeting, &mut client).await?;
    {
        let mut shared = shared.lock().await;
        if shared.free.is_empty() {
            shared.free.push(greeting);
        }
    }
    client.write_all(&ready).await.ok()?;
    let mut held: Option<TcpStream> = None;
    loop {
        let message = message(&mut client).await?;
        if held.is_none() {
            held = shared.lock().await.free.pop();
        }
        if held.is_none() {
            let mut server = TcpStream::connect(target).await.ok()?;
            server.write_all(&startup).await.ok()?;
            relay_until_ready(&mut server, &mut tokio::io::sink()).await?;
            held = Some(server);
        }
        let server = held.as_mut()?;
        server.write_all(&message).await.ok()?;
        // A plain query and a Sync are answered up to `ReadyForQuery`; what comes before a Sync is only passed on.
        if matches!(message.first(), Some(b'Q' | b'S')) {
            let (ready, state) = relay_until_ready(server, &mut client).await?;
            if state == b'I' {
                shared.lock().await.free.extend(held.take());
            }
            // Only now: another client may ask as soon as this one has its answer.
            client.write_all(&ready).await.ok()?;
        }
    }
}

/// The first message of a client, which has no type.
async fn startup(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length).await.ok()?;
    let mut message = length.to_vec();
    message.resize(usize::try_from(u32::from_be_bytes(length)).ok()?, 0);
    client.read_exact(&mut message[4..]).await.ok()?;
    Some(message)
}

/// Passes on what the server says before `ReadyForQuery`; returns that message and the state of the transaction it tells.
async fn relay_until_ready(
    server: &mut TcpStream,
    client: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> Option<(Vec<u8>, u8)> {
    loop {
        let message = message(server).await?;
        if message[0] == b'Z' {
            let state = message.get(5).copied()?;
            return Some((message, state));
        }
        client.write_all(&message).await.ok()?;
    }
}
