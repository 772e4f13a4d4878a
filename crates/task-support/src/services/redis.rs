//! A throw-away Redis on loopback, which keeps nothing on disk.

use super::install::{Tool, find_or_install};
use super::wait::start_on_free_port;
use crate::fail::{Context as _, Fail, Result};
use crate::process::{Launch, Server};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// The running server; stopped when dropped.
#[derive(Debug)]
pub struct Redis {
    // Fields are dropped in this order: the server first, then the folder of its log.
    server: Option<Server>,
    program: PathBuf,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing.
    Nil,
    /// A short text, a number or a string.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Reply>),
}

impl Redis {
    /// Starts one on a free port and waits until it answers.
    ///
    /// # Errors
    /// If it is missing and cannot be installed, or does not answer in time.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// As [`Redis::start`], with more settings, such as `--unixsocket` and a path. It answers [`Redis::ask`] by its port all the same.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let program = find_or_install(Tool::RedisServer)?;
        let folder = tempfile::Builder::new().prefix("nolapse-redis-").tempdir();
        let folder = folder.attempt(|| "make a temporary folder".into())?;
        let log = folder.path().join("redis.log");
        let (server, port) = start_on_free_port(&log, |port| launch(&program, &folder, port, &settings), pong)?;
        Ok(Self { server: Some(server), program, port, settings, folder })
    }

    /// Starts a sentinel that watches this server under a name, and by itself decides that another takes its place.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn watched_as(&self, name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("nolapse-sentinel-").tempdir();
        let folder = folder.attempt(|| "make a temporary folder".into())?;
        let log = folder.path().join("redis.log");
        let settings = format!(
            "sentinel monitor {name} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {name} 1000\n\
             sentinel failover-timeout {name} 5000\n",
            self.port
        );
        // It writes into its configuration what it learns.
        let config = folder.path().join("sentinel.conf");
        let start = |port: u16| {
            std::fs::write(&config, format!("bind 127.0.0.1\nport {port}\n{settings}"))
                .attempt(|| format!("write {}", config.display()))?;
            let output = File::create(&log).attempt(|| format!("create {}", log.display()))?;
            let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
            let launch = Launch::new(&self.program).args([&config]).args(["--sentinel"]).directory(folder.path());
            launch.start(output.into(), errors.into())
        };
        let (server, port) = start_on_free_port(&log, start, pong)?;
        Ok(Self { server: Some(server), program: self.program.clone(), port, settings: Vec::new(), folder })
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`: what it held is gone.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn kill(&mut self) -> Result {
        self.signal(Signal::KILL);
        self.server.take().map(|mut server| server.stop()).transpose().map(drop)
    }

    /// Starts it again where it was, empty.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_again(&mut self) -> Result {
        self.server = Some(launch(&self.program, &self.folder, self.port, &self.settings)?);
        for _ in 0..500 {
            if self.ask(&["PING"]).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Fail::new("Redis does not answer after it was started again"))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let process = self.server.as_ref().and_then(|server| Pid::from_raw(i32::try_from(server.id()).ok()?));
        if let Some(process) = process {
            // An error means that it ended meanwhile.
            let _ = kill_process(process, signal);
        }
    }

    /// The answer to a command.
    ///
    /// # Errors
    /// If it does not answer, or answers with an error.
    pub fn ask<T: AsRef<[u8]>>(&self, words: &[T]) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(ANSWER))?;
        let mut message = format!("*{}\r\n", words.len()).into_bytes();
        for word in words.iter().map(AsRef::as_ref) {
            message.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            message.extend_from_slice(word);
            message.extend_from_slice(b"\r\n");
        }
        stream.write_all(&message)?;
        read(&mut BufReader::new(stream))
    }

    /// Every key that matches a pattern, with its value.
    ///
    /// # Errors
    /// As [`Redis::ask`].
    pub fn all(&self, pattern: &str) -> std::io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let Reply::List(keys) = self.ask(&["KEYS", pattern])? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for key in keys {
            let Reply::Bytes(key) = key else { continue };
            if let Reply::Bytes(value) = self.ask(&[b"GET", key.as_slice()])? {
                all.push((key, value));
            }
        }
        Ok(all)
    }

    /// Writes a value that stays for an hour.
    ///
    /// # Errors
    /// As [`Redis::ask`].
    pub fn plant(&self, key: &[u8], value: &[u8]) -> std::io::Result<()> {
        self.ask(&[b"SET", key, value, b"EX", b"3600"]).map(drop)
    }
}

fn launch(program: &PathBuf, folder: &TempDir, port: u16, settings: &[String]) -> Result<Server> {
    let log = folder.path().join("redis.log");
    let output = File::create(&log).attempt(|| format!("create {}", log.display()))?;
    let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
    let port = port.to_string();
    let launch = Launch::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no", "--loglevel", "warning"])
        .args(settings)
        .directory(folder.path());
    launch.start(output.into(), errors.into())
}

fn pong(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(answer == *b"+PONG")
}

/// Reads an answer. Source: "Redis serialization protocol specification", RESP 2.
fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let wrong = || std::io::Error::other(format!("Redis says {line:?}"));
    let (kind, rest) = line.trim_end().split_at_checked(1).ok_or_else(wrong)?;
    let length = || rest.parse::<i64>().map_err(|_| wrong());
    match kind {
        "+" | ":" => Ok(Reply::Bytes(rest.as_bytes().to_vec())),
        "$" => {
            let Ok(length) = usize::try_from(length()?) else { return Ok(Reply::Nil) };
            let mut value = vec![0; length + 2];
            stream.read_exact(&mut value)?;
            value.truncate(length);
            Ok(Reply::Bytes(value))
        }
        "*" => {
            let Ok(length) = usize::try_from(length()?) else { return Ok(Reply::Nil) };
            (0..length).map(|_| read(stream)).collect::<std::io::Result<_>>().map(Reply::List)
        }
        _ => Err(wrong()),
    }
}
