//! Waiting for a server by connecting to it, and reporting why it did not start.

use crate::fail::{Context as _, Fail, Result};
use crate::interrupt;
use crate::process::{POLL, Server};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server may take to start. Far above the usual second, because machines that run tests are busy.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long one attempt to connect may take.
const ANSWER: Duration = Duration::from_secs(2);
/// How many lines of a server's log are shown when it fails.
const LOG_LINES: usize = 15;
/// How many ports are tried: another program may take the free port before the server binds it.
const PORTS_TRIED: usize = 5;

/// A port on loopback that nobody listens on at this moment.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .attempt(|| "find a free port".into())
}

/// Starts a server on a free port and waits until `answers` says it is ready.
///
/// # Errors
/// If it ends or stays silent on several ports in turn; the last lines of `log` are part of the message.
pub fn start_on_free_port(
    log: &Path,
    start: impl Fn(u16) -> Result<Server>,
    answers: impl Fn(&mut TcpStream) -> std::io::Result<bool>,
) -> Result<(Server, u16)> {
    let mut last = Fail::new("no port was tried");
    for _ in 0..PORTS_TRIED {
        let port = free_port()?;
        let mut server = start(port)?;
        match until_ready(&mut server, port, &answers) {
            Ok(()) => return Ok((server, port)),
            Err(fail) => {
                interrupt::check()?;
                last = Fail::new(format!("{fail}\n{}", tail(log)));
            }
        }
    }
    Err(last)
}

fn until_ready(server: &mut Server, port: u16, answers: impl Fn(&mut TcpStream) -> std::io::Result<bool>) -> Result {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        interrupt::check()?;
        if let Some(status) = server.ended()? {
            return Err(Fail::new(format!("the server on port {port} ended at once: {status}")));
        }
        // Refused, reset or cut short: not ready yet. The deadline decides, not the kind of error.
        if connect(port).and_then(|mut stream| answers(&mut stream)).unwrap_or(false) {
            return Ok(());
        }
        sleep(POLL);
    }
    Err(Fail::new(format!("the server on port {port} did not answer within {} s", PATIENCE.as_secs())))
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    Ok(stream)
}

/// The end of a log file, indented.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    lines[from..].iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
