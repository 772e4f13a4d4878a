//! Connections that want to keep the server busy: many that say nothing, many whose bodies drip, some that ask for much and
//! read none of it, and tokens that nobody issued. What they may take is bounded and comes back; others are answered
//! meanwhile. Counted in sockets, bytes and reads of the server's process, never in time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use crate::support::{Backend, Chance, Options, Request, Server, Wire, at_length, both, eventually, texts};

both!(
    silent_and_dripping_connections_are_ended_and_nobody_waits_for_them,
    who_reads_nothing_is_hung_up_on_and_nobody_waits_for_them,
    strangers_push_nobody_out_and_take_no_more_memory,
    a_thousand_connections_that_miss_one_token_make_one_read,
);

/// Connections that want to be waited for, and how much more memory the server may take for them.
#[derive(Clone, Copy)]
struct Crowd {
    /// Say nothing at all, after a first request on half of them.
    silent: usize,
    /// Have bodies that do not arrive.
    dripping: usize,
    /// In bytes: far less than what they could make it hold.
    more_memory: u64,
}

const CROWD: Crowd = Crowd { silent: 300, dripping: 100, more_memory: MORE_MEMORY };
/// The long version.
const CROWD_FULL: Crowd = Crowd { silent: 10_000, dripping: 500, more_memory: 200 << 20 };
/// How much more memory the server may take for anything below.
const MORE_MEMORY: u64 = 64 << 20;
/// Connections that read nothing, and requests on each: answers for many times the memory allowed, and for many times what
/// the kernel holds of them.
const UNREAD: usize = 4;
const UNREAD_REQUESTS: usize = 200;
/// Events in the trail that they ask for: some hundred KB an answer.
const EVENTS: usize = 1_500;
/// Tokens nobody issued; the long version is what the goal says comes in a second.
const STRANGERS: usize = 3_000;
const STRANGERS_FULL: usize = 50_000;
/// Requests written at once.
const BATCH: usize = 50;
/// Of those, so many the server remembers.
const REMEMBERED: u64 = 1_024;
/// Clients that ask for the same token at once.
const AT_ONCE: usize = 1_000;
/// After so long without progress a write to the server counts as refused.
const STUCK: Duration = Duration::from_millis(500);

at_length!(|backend| {
    allow_files((CROWD_FULL.silent + CROWD_FULL.dripping) as u64);
    hold_up(backend, CROWD_FULL);
    strangers(backend, STRANGERS_FULL);
});

/// Lets this program, and the server that inherits it, open so many sockets and the files they need besides.
fn allow_files(sockets: u64) {
    let wanted = sockets + 1_000;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    assert!(
        limit.maximum.is_none_or(|maximum| maximum >= wanted),
        "{limit:?}: {wanted} open files are needed: ulimit -Hn {wanted}, then again"
    );
    limit.current = Some(wanted);
    setrlimit(Resource::Nofile, limit).unwrap();
}

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

/// A connection for which the kernel sets little aside on our side, so that it is soon full. It may take more than it was
/// asked to; nothing depends on how much.
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
    hold_up(backend, CROWD);
}

fn hold_up(backend: Backend, crowd: Crowd) {
    let server = Server::start(backend, impatient());
    let [secret] = texts(&server.owner().create("good"), ["secret"]);
    let mut caller = server.anyone();
    assert!(caller.is_valid(&secret));
    let (before, memory) = (sockets(&server), resident(&server));
    let whole = "GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
    let half = "POST /v1/auth/validate HTTP/1.1\r\nHost: t\r\nContent-Length: 4000\r\n\r\n{";
    let mut held: Vec<TcpStream> =
        (0..crowd.silent).map(|at| open(server.address(), if at % 2 == 0 { "" } else { whole })).collect();
    let mut dripping: Vec<TcpStream> = (0..crowd.dripping).map(|_| open(server.address(), half)).collect();
    // A byte now and then, until the server has hung up on every one of them.
    eventually("the end of every drip", || {
        assert!(server.anyone().is_valid(&secret), "others are answered meanwhile");
        dripping.retain_mut(|stream| stream.write_all(b" ").is_ok());
        dripping.is_empty().then_some(())
    });
    eventually("the end of every silence", || (sockets(&server) <= before + 1).then_some(()));
    let grown = resident(&server).saturating_sub(memory);
    assert!(grown < crowd.more_memory, "{grown} bytes more");
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

fn who_reads_nothing_is_hung_up_on_and_nobody_waits_for_them(backend: Backend) {
    // A little more time for heads: on a busy machine somebody else's may lie in the queue for a second.
    let server = Server::start(backend, impatient().with("server.head_deadline_seconds", 2));
    server.facts().fill_audit(EVENTS);
    let (secret, reader, length) = {
        let mut owner = server.owner();
        let [secret] = texts(&owner.create("good"), ["secret"]);
        let [reader] = texts(&owner.create_with("reader", &["audit:read"]), ["secret"]);
        (secret, reader, owner.get("/v1/audit/export").body.len() as u64)
    };
    assert!(server.anyone().is_valid(&secret));
    let (before, memory) = (sockets(&server), resident(&server));
    let asked = Request::new("GET", "/v1/audit/export").bearer(&reader).bytes().repeat(UNREAD_REQUESTS);
    let asked = String::from_utf8(asked).unwrap();
    let held: Vec<TcpStream> = (0..UNREAD).map(|_| narrow(server.address(), &asked)).collect();
    for stream in &held {
        // Its first answer has begun; nothing of it is taken.
        assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
    }
    let mut most = 0;
    eventually("the end of every connection that reads nothing", || {
        assert!(server.anyone().is_valid(&secret), "others are answered meanwhile");
        most = most.max(resident(&server).saturating_sub(memory));
        (sockets(&server) <= before + 1).then_some(())
    });
    let all = length * (UNREAD * UNREAD_REQUESTS) as u64;
    assert!(most < MORE_MEMORY && all > 4 * MORE_MEMORY, "{most} bytes more for answers of {all}");
    // What the kernel held for them is all they can still get: the server hung up long before it had sent everything.
    for stream in held {
        let got = drain(stream);
        assert!(got < length * UNREAD_REQUESTS as u64, "{got} bytes");
    }
}

/// Reads what is left of a connection that the server has ended.
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

fn strangers_push_nobody_out_and_take_no_more_memory(backend: Backend) {
    strangers(backend, STRANGERS);
}

fn strangers(backend: Backend, count: usize) {
    let server = Server::start(backend, Options::default().with("cache.negative_max_entries", REMEMBERED));
    let [secret] = texts(&server.owner().create("good"), ["secret"]);
    assert!(server.anyone().is_valid(&secret));
    let (before, memory) = (server.metrics(), resident(&server));
    let mut chance = Chance::seeded(0x5707);
    let mut wire = Wire::open(server.address()).unwrap();
    for _ in 0..count / BATCH {
        let asked: Vec<u8> = (0..BATCH).flat_map(|_| validation(&stranger(&mut chance))).collect();
        wire.send(&asked).unwrap();
        for _ in 0..BATCH {
            assert_eq!(wire.answer(false).unwrap().expect(401)["valid"], false);
        }
        assert!(server.anyone().is_valid(&secret));
    }
    let after = server.metrics();
    let more = |name: &str| after.get(name) - before.get(name);
    assert_eq!(more("nolapse_candidate_reads_total"), count as u64, "one for each stranger, none for the good one");
    assert_eq!(more("nolapse_cache_evictions_total"), 0);
    assert_eq!(after.get("nolapse_cached_tokens"), before.get("nolapse_cached_tokens"));
    assert!(after.get("nolapse_cached_unknown") <= REMEMBERED, "{after:?}");
    let grown = resident(&server).saturating_sub(memory);
    assert!(grown < MORE_MEMORY, "{grown} bytes more");
}

/// A well-formed token that nobody issued.
fn stranger(chance: &mut Chance) -> String {
    let random = u128::from(chance.next()) << 64 | u128::from(chance.next());
    token_format::PlainToken::from_random(random.to_be_bytes()).expose().to_owned()
}

fn validation(token: &str) -> Vec<u8> {
    Request::new("POST", "/v1/auth/validate").json(&json!({ "token": token })).bytes()
}

fn a_thousand_connections_that_miss_one_token_make_one_read(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("good"), ["secret"]);
    let before = server.metrics();
    let mut wires: Vec<Wire> = (0..AT_ONCE).map(|_| Wire::open(server.address()).unwrap()).collect();
    let asked = validation(&secret);
    for wire in &mut wires {
        wire.send(&asked).unwrap();
    }
    for wire in &mut wires {
        assert_eq!(wire.answer(false).unwrap().expect(200)["valid"], true);
    }
    let after = server.metrics();
    assert_eq!(after.candidate_reads() - before.candidate_reads(), 1);
    assert_eq!(after.validations("live") - before.validations("live"), AT_ONCE as u64);
}
