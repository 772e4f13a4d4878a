//! A proxy in front of a server that can cut connections or go silent, without affecting others that use the server.

use crate::fail::{Context as _, Result};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The state of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Forwards bytes.
    Open,
    /// Keeps connections without forwarding: like a suspended server, or a network that drops packets.
    Silent,
    /// Closes connections, and new ones at once: like a server that is not running.
    Cut,
    /// The proxy was dropped.
    Ended,
}

struct Line {
    state: Mutex<State>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    target: (String, u16),
    /// The number of statements that clients have sent to PostgreSQL, on each connection.
    statements: Mutex<Vec<u64>>,
}

/// Counts the statements in the bytes from a PostgreSQL client: the protocol's `Execute` and `Query` messages
/// (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).
#[derive(Default)]
struct Messages {
    /// The bytes so far of the current message's head: its type, which start-up messages lack, and its length.
    head: Vec<u8>,
    /// The number of bytes left in the current message.
    left: usize,
    is_started: bool,
}

impl Messages {
    fn count(&mut self, bytes: &[u8]) -> u64 {
        let (mut at, mut statements) = (0, 0);
        while at < bytes.len() {
            let skipped = self.left.min(bytes.len() - at);
            (self.left, at) = (self.left - skipped, at + skipped);
            let Some(byte) = bytes.get(at) else { break };
            self.head.push(*byte);
            at += 1;
            // Messages before the end of start-up have a length and a code; 196608 is the code of the start-up message.
            let wanted = if self.is_started { 5 } else { 8 };
            if self.head.len() < wanted {
                continue;
            }
            let number =
                |from: usize| self.head[from..from + 4].iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
            if self.is_started {
                statements += u64::from(matches!(self.head[0], b'E' | b'Q'));
                self.left = number(1).saturating_sub(4);
            } else {
                self.left = number(0).saturating_sub(8);
                self.is_started = number(4) == 196_608;
            }
            self.head.clear();
        }
        statements
    }
}

/// A listener in front of a server.
pub struct Proxy {
    line: Arc<Line>,
    port: u16,
}

impl Proxy {
    /// Starts a proxy to this host and port that forwards bytes.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn to(target: (String, u16)) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").attempt(|| "listen on loopback".into())?;
        let port = listener.local_addr().attempt(|| "ask for the proxy's port".into())?.port();
        let line = Arc::new(Line {
            state: Mutex::new(State::Open),
            changed: Condvar::new(),
            streams: Mutex::default(),
            target,
            statements: Mutex::default(),
        });
        let accepting = Arc::clone(&line);
        std::thread::spawn(move || accepting.accept(&listener));
        Ok(Self { line, port })
    }

    /// The number of statements that clients have sent to PostgreSQL so far, on each connection in the order in which they
    /// were opened.
    pub fn statements(&self) -> Vec<u64> {
        lock(&self.line.statements).clone()
    }

    /// The port that the proxy listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Forwards bytes again.
    pub fn open(&self) {
        self.line.become_(State::Open);
    }

    /// Keeps connections, but forwards nothing.
    pub fn silence(&self) {
        self.line.become_(State::Silent);
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.line.become_(State::Cut);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.become_(State::Ended);
        // Wakes the listener, which then checks the state.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Line {
    fn become_(&self, state: State) {
        *lock(&self.state) = state;
        self.changed.notify_all();
        if matches!(state, State::Cut | State::Ended) {
            for stream in lock(&self.streams).drain(..) {
                // Fails if the connection has ended already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let state = *lock(&self.state);
            match state {
                State::Ended => return,
                State::Cut => continue,
                State::Open | State::Silent => {}
            }
            let (Ok(client), Ok(server)) = (client, TcpStream::connect((self.target.0.as_str(), self.target.1))) else {
                continue;
            };
            // As without a proxy: otherwise each small message waits up to 40 ms for the one before it to be acknowledged. A
            // connection that has ended cannot be set up, and says so when it is copied.
            let _ = client.set_nodelay(true);
            let _ = server.set_nodelay(true);
            let number = {
                let mut statements = lock(&self.statements);
                statements.push(0);
                statements.len() - 1
            };
            for (from, to, asks) in [(&client, &server, Some(number)), (&server, &client, None)] {
                if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                    let line = Arc::clone(&self);
                    std::thread::spawn(move || line.copy(from, to, asks));
                }
            }
            lock(&self.streams).extend([client, server]);
        }
    }

    /// Copies bytes from one side to the other. `asks` is the number of the connection where they are the client's.
    fn copy(&self, mut from: TcpStream, mut to: TcpStream, asks: Option<usize>) {
        let mut bytes = [0; 16 * 1024];
        let mut messages = Messages::default();
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let passing = lock(&self.state);
            let passing = self.changed.wait_while(passing, |state| *state == State::Silent);
            let passing = passing.unwrap_or_else(PoisonError::into_inner);
            let is_open = *passing == State::Open;
            drop(passing);
            if let Some(number) = asks {
                lock(&self.statements)[number] += messages.count(&bytes[..length]);
            }
            if !is_open || to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
