//! Connections that want to keep the server busy: many that say nothing, many whose bodies drip. What they may take is
//! bounded and comes back; others are answered meanwhile. Counted in sockets and bytes of the server's process, never in
//! time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::{Backend, Options, Server, both, eventually, texts};

both!(silent_and_dripping_connections_are_ended_and_nobody_waits_for_them);

/// Connections that say nothing at all, after a first request on half of them.
const SILENT: usize = 300;
/// Connections whose bodies do not arrive.
const DRIPPING: usize = 100;
/// How much more memory the server may take for all of them: far less than what they could make it hold.
const MORE_MEMORY: u64 = 64 << 20;
/// After so long without progress a write to the server counts as refused.
const STUCK: Duration = Duration::from_millis(500);

fn impatient() -> Options {
    Options::default()
        .with("server.request_deadline_seconds", 1)
        .with("server.head_deadline_seconds", 1)
        .with("server.keep_alive_seconds", 1)
}

fn open(address: SocketAddr, first: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(STUCK)).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    stream
}

/// Open sockets of the server's process.
fn sockets(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.process());
    let links = std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Its resident memory, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.map(|kib: u64| kib * 1024).unwrap()
}

fn silent_and_dripping_connections_are_ended_and_nobody_waits_for_them(backend: Backend) {
    let server = Server::start(backend, impatient());
    let [secret] = texts(&server.owner().create("good"), ["secret"]);
    let mut caller = server.anyone();
    assert!(caller.is_valid(&secret));
    let (before, memory) = (sockets(&server), resident(&server));
    let whole = "GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
    let half = "POST /v1/auth/validate HTTP/1.1\r\nHost: t\r\nContent-Length: 4000\r\n\r\n{";
    let mut held: Vec<TcpStream> =
        (0..SILENT).map(|at| open(server.address(), if at % 2 == 0 { "" } else { whole })).collect();
    let mut dripping: Vec<TcpStream> = (0..DRIPPING).map(|_| open(server.address(), half)).collect();
    // A byte now and then, until the server has hung up on every one of them.
    eventually("the end of every drip", || {
        assert!(server.anyone().is_valid(&secret), "others are answered meanwhile");
        dripping.retain_mut(|stream| stream.write_all(b" ").is_ok());
        dripping.is_empty().then_some(())
    });
    eventually("the end of every silence", || (sockets(&server) <= before + 1).then_some(()));
    let grown = resident(&server).saturating_sub(memory);
    assert!(grown < MORE_MEMORY, "{grown} bytes more");
    // Those that had asked got their answer before their connection ended.
    for stream in held.iter_mut().skip(1).step_by(2) {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    assert!(server.anyone().is_valid(&secret));
}
