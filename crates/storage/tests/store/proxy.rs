//! A way to PostgreSQL that can be cut, stopped and opened again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use storage::DatabaseUrl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// A socket on loopback in front of a server.
pub(crate) struct Front {
    pub(crate) listener: TcpListener,
    /// The server.
    pub(crate) target: SocketAddr,
    /// The database's URL by way of the socket.
    pub(crate) through: DatabaseUrl,
}

impl Front {
    /// Listens in front of the server of that address; `query` goes behind the new one.
    pub(crate) async fn of(url: &DatabaseUrl, query: &str) -> Self {
        let text = url.to_string();
        let (start, path) = text.rsplit_once('/').unwrap();
        let (user, target) = start.rsplit_once('@').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let through = DatabaseUrl::parse(&format!("{user}@{address}/{path}{query}")).unwrap();
        Self { listener, target: target.parse().unwrap(), through }
    }
}

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
        let Front { listener, target, through } = Front::of(url, "").await;
        let (state, watched) = watch::channel(State::Open);
        let server = tokio::spawn(serve(listener, target, watched));
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

/// A way to PostgreSQL on which every commit is answered as one whose wait for its standby was cancelled: with success, and
/// a warning before it.
pub(crate) struct Doubt(JoinHandle<()>);

impl Doubt {
    /// Listens before the server of that address; runs on the current runtime.
    pub(crate) async fn before(url: &DatabaseUrl) -> (Self, DatabaseUrl) {
        let Front { listener, target, through } = Front::of(url, "?sslmode=disable").await;
        let server = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(rewritten(client, target, |message| {
                    let is_commit = message.starts_with(b"C") && message.ends_with(b"COMMIT\0");
                    let warning = "canceling wait for synchronous replication due to user request";
                    let before = if is_commit { notice("WARNING", "01000", warning) } else { Vec::new() };
                    [before, message].concat()
                }));
            }
        });
        (Self(server), through)
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A way to PostgreSQL whose commits seem to wait for a standby, for as long as it names one.
pub(crate) struct NamesStandby {
    server: JoinHandle<()>,
    /// Whether it does.
    pub(crate) does: Arc<AtomicBool>,
}

impl NamesStandby {
    /// Listens before the server of that address; runs on the current runtime.
    pub(crate) async fn before(url: &DatabaseUrl) -> (Self, DatabaseUrl) {
        let Front { listener, target, through } = Front::of(url, "?sslmode=disable").await;
        let does = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&does);
        let server = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let does = Arc::clone(&shared);
                tokio::spawn(rewritten(client, target, move |message| {
                    // A row of one column, which is empty: `synchronous_standby_names`. Nothing else that is asked has one.
                    let is_empty_setting = message == [b'D', 0, 0, 0, 10, 0, 1, 0, 0, 0, 0];
                    if is_empty_setting && does.load(Ordering::SeqCst) {
                        vec![b'D', 0, 0, 0, 11, 0, 1, 0, 0, 0, 1, b'*']
                    } else {
                        message
                    }
                }));
            }
        });
        (Self { server, does }, through)
    }
}

impl Drop for NamesStandby {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A way to a PostgreSQL whose messages are in a language that nobody reads, which its sessions say of themselves.
pub(crate) struct Translated {
    server: JoinHandle<()>,
    /// Errors that were answered.
    errors: Arc<AtomicUsize>,
}

impl Translated {
    /// Listens before the server of that address; runs on the current runtime.
    pub(crate) async fn before(url: &DatabaseUrl) -> (Self, DatabaseUrl) {
        let Front { listener, target, through } = Front::of(url, "?sslmode=disable").await;
        let errors = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&errors);
        let server = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let counted = Arc::clone(&counted);
                let mut answers = 0;
                tokio::spawn(rewritten(client, target, move |message| match message[0] {
                    b'E' => {
                        counted.fetch_add(1, Ordering::SeqCst);
                        unreadable(message)
                    }
                    // The second is the end of the settings; the first, that of the start, has no one to hear notices.
                    b'Z' => {
                        answers += 1;
                        let said = if answers == 2 {
                            notice("INFO", "00000", "nolapse: messages are translated")
                        } else {
                            Vec::new()
                        };
                        [said, message].concat()
                    }
                    _ => message,
                }));
            }
        });
        (Self { server, errors }, through)
    }

    pub(crate) fn errors(&self) -> usize {
        self.errors.load(Ordering::SeqCst)
    }
}

impl Drop for Translated {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An error with its text crossed out.
fn unreadable(mut error: Vec<u8>) -> Vec<u8> {
    let text = error.windows(2).position(|pair| pair == b"\0M").unwrap() + 2;
    error[text..].iter_mut().take_while(|byte| **byte != 0).for_each(|byte| *byte = b'x');
    error
}

/// A message of the server beside its answers.
fn notice(severity: &str, code: &str, text: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0V{severity}\0C{code}\0M{text}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [b"N", &length[..], fields.as_bytes()].concat()
}

/// Carries what a client says, and what the server answers as it is rewritten, message by message.
async fn rewritten(
    client: TcpStream,
    target: SocketAddr,
    mut rewrite: impl FnMut(Vec<u8>) -> Vec<u8> + Send,
) -> Option<()> {
    let server = TcpStream::connect(target).await.ok()?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forth = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) });
    while let Some(message) = message(&mut from_server).await {
        to_client.write_all(&rewrite(message)).await.ok()?;
    }
    forth.abort();
    Some(())
}

/// A message of the protocol: its type, its length and its bytes.
pub(crate) async fn message(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head).await.ok()?;
    let length = usize::try_from(u32::from_be_bytes([head[1], head[2], head[3], head[4]])).ok()?;
    let mut message = head.to_vec();
    message.resize(length + 1, 0);
    from.read_exact(&mut message[5..]).await.ok()?;
    Some(message)
}
