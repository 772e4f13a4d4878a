//! A proxy in front of the database that can cut connections or go silent, without affecting other tests on the same
//! server.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

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
    /// The number of statements that clients have sent to PostgreSQL.
    statements: AtomicU64,
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
            let number = |from: usize| u32::from_be_bytes(self.head[from..from + 4].try_into().unwrap());
            if self.is_started {
                statements += u64::from(matches!(self.head[0], b'E' | b'Q'));
                self.left = number(1) as usize - 4;
            } else {
                self.left = number(0) as usize - 8;
                self.is_started = number(4) == 196_608;
            }
            self.head.clear();
        }
        statements
    }
}

/// A listener in front of a server.
pub(crate) struct Proxy {
    line: Arc<Line>,
    port: u16,
}

impl Proxy {
    /// Starts a proxy to this host and port, in the state `Open`.
    pub(crate) fn to(target: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Line {
            state: Mutex::new(State::Open),
            changed: Condvar::new(),
            streams: Mutex::default(),
            target,
            statements: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&line);
        std::thread::spawn(move || accepting.accept(&listener));
        Self { line, port }
    }

    /// The number of statements that clients have sent to PostgreSQL so far.
    pub(crate) fn statements(&self) -> u64 {
        self.line.statements.load(Ordering::SeqCst)
    }

    /// The port that the proxy listens on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Forwards bytes again.
    pub(crate) fn open(&self) {
        self.line.become_(State::Open);
    }

    /// Keeps connections, but forwards nothing.
    pub(crate) fn silence(&self) {
        self.line.become_(State::Silent);
    }

    /// Ends every connection and refuses new ones.
    pub(crate) fn cut(&self) {
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
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
        if matches!(state, State::Cut | State::Ended) {
            for stream in self.streams.lock().unwrap().drain(..) {
                // Fails if the connection has ended already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let state = *self.state.lock().unwrap();
            match state {
                State::Ended => return,
                State::Cut => continue,
                State::Open | State::Silent => {}
            }
            let (Ok(client), Ok(server)) = (client, TcpStream::connect((self.target.0.as_str(), self.target.1))) else {
                continue;
            };
            for (from, to, asks) in [(&client, &server, true), (&server, &client, false)] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let line = Arc::clone(&self);
                std::thread::spawn(move || line.copy(from, to, asks));
            }
            self.streams.lock().unwrap().extend([client, server]);
        }
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, asks: bool) {
        let mut bytes = [0; 16 * 1024];
        let mut messages = Messages::default();
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let passing = self.state.lock().unwrap();
            let passing = self.changed.wait_while(passing, |state| *state == State::Silent).unwrap();
            let is_open = *passing == State::Open;
            drop(passing);
            if asks {
                self.statements.fetch_add(messages.count(&bytes[..length]), Ordering::SeqCst);
            }
            if !is_open || to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
