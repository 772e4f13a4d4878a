//! A throw-away Redis: no persistence, loopback only.

use super::install::{Tool, find_or_install};
use super::wait::start_on_free_port;
use crate::fail::{Context as _, Result};
use crate::process::{Launch, Server};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

/// The running server; stopped when dropped.
#[derive(Debug)]
pub(super) struct Redis {
    _server: Server,
    port: u16,
}

impl Redis {
    /// Starts it with its files under `folder`.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let program = find_or_install(Tool::Redis)?;
        let log = folder.join("redis.log");
        let start = |port: u16| {
            let output = File::create(&log).attempt(|| format!("create {}", log.display()))?;
            let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
            Launch::new(&program)
                .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
                .args(["--daemonize", "no", "--dir"])
                .args([folder])
                .start(output.into(), errors.into())
        };
        let (server, port) = start_on_free_port(&log, start, answers)?;
        Ok(Self { _server: server, port })
    }

    /// `redis://127.0.0.1:PORT`
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// `PING` is answered by `+PONG` once commands are served.
fn answers(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"PING\r\n")?;
    let mut reply = [0; 7];
    stream.read_exact(&mut reply)?;
    Ok(reply == *b"+PONG\r\n")
}
