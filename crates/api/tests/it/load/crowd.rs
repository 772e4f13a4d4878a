//! Slow connections: that send nothing, whose bodies drip, or that request large answers and read none.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use super::process::{allow_sockets, connections, peak, resident};
use crate::support::{Backend, Options, Request, Server, at_length, both, eventually, texts};

both!(
    silent_and_dripping_connections_are_closed_and_delay_nobody,
    connections_that_read_nothing_are_closed_and_delay_nobody,
);

/// The slow connections of a test.
#[derive(Clone, Copy)]
struct Crowd {
    /// The number that send nothing; half of them after a first request.
    silent: usize,
    /// The number with bodies that do not arrive.
    dripping: usize,
    /// When the server closes the first of them: enough time to open them all on a busy machine.
    deadline_seconds: u32,
}

const CROWD: Crowd = Crowd { silent: 300, dripping: 100, deadline_seconds: 4 };
/// The long version.
const CROWD_FULL: Crowd = Crowd { silent: 10_000, dripping: 500, deadline_seconds: 20 };
/// The largest total memory of the server in either version, in bytes.
const MEMORY: u64 = 200 << 20;
/// The additional memory it may take for unread answers, in bytes.
const MORE_MEMORY: u64 = 64 << 20;
/// Connections that read nothing, and requests on each: the answers exceed the allowed memory, and the kernel's
/// buffers, many times.
const UNREAD: usize = 4;
const UNREAD_REQUESTS: usize = 200;
/// Events in the requested trail: some hundred KB per answer.
const EVENTS: usize = 1_500;
/// After this time without progress, a write to the server counts as blocked.
const STUCK: Duration = Duration::from_millis(500);

at_length!(|backend| hold_up(backend, CROWD_FULL));

/// Sets all deadlines for clients to this number of seconds.
fn impatient(seconds: u32) -> Options {
    Options::default()
        .with("server.request_deadline_seconds", seconds)
        .with("server.head_deadline_seconds", seconds)
        .with("server.keep_alive_seconds", seconds)
}

fn open(address: SocketAddr, first: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(STUCK)).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    stream
}

/// A connection with a small receive buffer, which is soon full. The kernel may allocate more; no assertion depends on
/// it.
fn narrow(address: SocketAddr, first: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(socket.connect(address)).unwrap();
    let mut stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    stream
}

fn silent_and_dripping_connections_are_closed_and_delay_nobody(backend: Backend) {
    hold_up(backend, CROWD);
}

fn hold_up(backend: Backend, crowd: Crowd) {
    let all = crowd.silent + crowd.dripping;
    allow_sockets(all);
    let server = Server::start(backend, impatient(crowd.deadline_seconds));
    let [secret] = texts(&server.owner().create("good"), ["secret"]);
    assert!(server.anyone().is_valid(&secret));
    let memory = resident(&server);
    let whole = "GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
    let half = "POST /v1/auth/validate HTTP/1.1\r\nHost: t\r\nContent-Length: 4000\r\n\r\n{";
    let mut held: Vec<TcpStream> =
        (0..crowd.silent).map(|at| open(server.address(), if at % 2 == 0 { "" } else { whole })).collect();
    let mut dripping: Vec<TcpStream> = (0..crowd.dripping).map(|_| open(server.address(), half)).collect();
    let mut caller = server.anyone();
    let at_once = eventually("all of them to be held at once", || {
        assert!(caller.is_valid(&secret), "others are answered meanwhile");
        Some(connections(&server)).filter(|connections| *connections > all)
    });
    drop(caller);
    // Send a byte now and then, until the server has closed all of these connections.
    eventually("the end of every drip", || {
        assert!(server.anyone().is_valid(&secret), "others are answered meanwhile");
        dripping.retain_mut(|stream| stream.write_all(b" ").is_ok());
        dripping.is_empty().then_some(())
    });
    eventually("the end of every silence", || (connections(&server) <= 1).then_some(()));
    let most = peak(&server);
    println!("{at_once} connections at once; {memory} bytes before, at most {most}, {} after", resident(&server));
    assert!(most <= MEMORY, "{most} bytes");
    // Connections with a first request got its answer before they ended.
    for stream in held.iter_mut().skip(1).step_by(2) {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    assert!(server.anyone().is_valid(&secret));
}

fn connections_that_read_nothing_are_closed_and_delay_nobody(backend: Backend) {
    // A longer deadline for heads: on a busy machine those of other clients may wait in the queue for a second.
    let server = Server::start(backend, impatient(1).with("server.head_deadline_seconds", 2));
    server.facts().fill_audit(EVENTS);
    let (secret, reader, length) = {
        let mut owner = server.owner();
        let [secret] = texts(&owner.create("good"), ["secret"]);
        let [reader] = texts(&owner.create_with("reader", &["audit:read"]), ["secret"]);
        (secret, reader, owner.get("/v1/audit/export").body.len() as u64)
    };
    assert!(server.anyone().is_valid(&secret));
    let memory = resident(&server);
    let asked = Request::new("GET", "/v1/audit/export").bearer(&reader).bytes().repeat(UNREAD_REQUESTS);
    let asked = String::from_utf8(asked).unwrap();
    let held: Vec<TcpStream> = (0..UNREAD).map(|_| narrow(server.address(), &asked)).collect();
    for stream in &held {
        // The first answer has begun; `peek` does not consume it.
        assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
    }
    eventually("the end of every connection that reads nothing", || {
        assert!(server.anyone().is_valid(&secret), "others are answered meanwhile");
        (connections(&server) <= 1).then_some(())
    });
    let more = peak(&server).saturating_sub(memory);
    let all = length * (UNREAD * UNREAD_REQUESTS) as u64;
    assert!(more < MORE_MEMORY && all > 4 * MORE_MEMORY, "{more} bytes more for answers of {all}");
    // The connections can still read the kernel's buffers, but not all answers: the server closed them long before.
    for stream in held {
        let got = drain(stream);
        assert!(got < length * UNREAD_REQUESTS as u64, "{got} bytes");
    }
}

/// Reads the rest of a closed connection; returns the number of bytes.
fn drain(mut stream: TcpStream) -> u64 {
    let (mut buffer, mut all) = (vec![0; 1 << 16], 0);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all += count as u64,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                return all;
            }
        }
    }
}
