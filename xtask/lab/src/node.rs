//! A node of the cluster: the program `nolapse-api`, and a proxy between it and each database server.

use crate::postgres::{pid, signal};
use client::{Client, Plain};
use rustix::process::Signal;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use task_support::interrupt;
use task_support::process::{Launch, POLL, Server};
use task_support::proxy::Proxy;
use task_support::services::{SUPERUSER, Tool, find_or_install, free_port, tail};

/// How long a start may take, also while the database fails over.
const PATIENCE: Duration = Duration::from_mins(2);
/// What Debian's package `faketime` preloads to make a program's clock wrong.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/// Cheap hashing and no log of requests, so that two processor cores are enough for all of it.
const SETTINGS: [(&str, &str); 6] = [
    ("NOLAPSE__HASHING__INSECURE_TEST_COSTS", "true"),
    ("NOLAPSE__HASHING__TOKEN_SCHEME", "sha256"),
    ("NOLAPSE__HASHING__ARGON2_MEMORY_KIB", "8"),
    ("NOLAPSE__HASHING__ARGON2_PASSES", "1"),
    ("NOLAPSE__LOG__ACCESS", "false"),
    ("NOLAPSE__SERVER__WORKERS", "2"),
];

/// What the nodes of a cluster have in common.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// `nolapse-api`.
    pub(crate) path: PathBuf,
    /// Holds the key that all nodes make tags with.
    pub(crate) folder: PathBuf,
    /// Of `cluster.consistency`.
    pub(crate) consistency: &'static str,
    /// The address of what they share, if anything.
    pub(crate) redis: Option<String>,
}

/// One node.
pub(crate) struct Node {
    pub(crate) name: String,
    port: u16,
    launch: Launch,
    log: PathBuf,
    proxies: Vec<Proxy>,
    server: Option<Server>,
}

/// What the clock of a node shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    Right,
    HourAhead,
    HourBehind,
}

/// The address of the database behind these ports.
pub(crate) fn database_url(ports: impl IntoIterator<Item = u16>) -> String {
    let hosts: Vec<String> = ports.into_iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("postgres://{SUPERUSER}@{}/nolapse", hosts.join(","))
}

impl Program {
    /// The program with these arguments, on a database.
    pub(crate) fn launch(&self, url: &str) -> Launch {
        let key = self.folder.join("tag-key");
        let launch = Launch::new(&self.path)
            .directory(&self.folder)
            .env("NOLAPSE__DATABASE__URL", url)
            .env("NOLAPSE__KEYS__TAG_KEY_PATH", key)
            .env("NOLAPSE__CLUSTER__CONSISTENCY", self.consistency);
        let launch = self.redis.iter().fold(launch, |launch, url| launch.env("NOLAPSE__REDIS__URL", url));
        SETTINGS.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }
}

impl Node {
    /// A node that is not started yet. Each has proxies of its own, so that it can be cut off alone.
    pub(crate) fn new(number: usize, program: &Program, database: &[u16], logs: &Path) -> Result<Self> {
        let proxies: Result<Vec<Proxy>> = database.iter().map(|port| Proxy::to(("127.0.0.1".into(), *port))).collect();
        let proxies = proxies?;
        let port = free_port()?;
        let name = format!("node-{number}");
        let launch = program
            .launch(&database_url(proxies.iter().map(Proxy::port)))
            .env("NOLAPSE__LEDGER__DIRECTORY", program.folder.join(format!("{name}.ledger")))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        Ok(Self { log: logs.join(format!("{name}.log")), name, port, launch, proxies, server: None })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it, in front of the same log.
    pub(crate) fn start(&mut self, clock: Clock) -> Result {
        let output = File::options().append(true).create(true).open(&self.log);
        let output = output.attempt(|| format!("open {}", self.log.display()))?;
        let errors = output.try_clone().attempt(|| format!("share {}", self.log.display()))?;
        let launch = match clock {
            Clock::Right => self.launch.clone(),
            Clock::HourAhead => wrong(&self.launch, "+1h")?,
            Clock::HourBehind => wrong(&self.launch, "-1h")?,
        };
        self.server = Some(launch.start(output.into(), errors.into())?);
        Ok(())
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// If it ended, or takes too long; with the end of its log.
    pub(crate) fn until_ready(&mut self) -> Result {
        let client = Client::new(&self.address(), Plain::LocalOnly).attempt(|| "use a node's address".into())?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            interrupt::check()?;
            if let Some(status) = self.server.as_mut().map(Server::ended).transpose()?.flatten() {
                return Err(Fail::new(format!("{} ended: {status}\n{}", self.name, tail(&self.log))));
            }
            if client.ready().is_ok() {
                return Ok(());
            }
            sleep(POLL);
        }
        Err(Fail::new(format!("{} is not ready after {} s\n{}", self.name, PATIENCE.as_secs(), tail(&self.log))))
    }

    /// Stops it in order.
    pub(crate) fn stop(&mut self) -> Result {
        match self.server.take().map(|mut server| server.stop()).transpose()? {
            Some(status) if !status.success() => {
                Err(Fail::new(format!("{} stopped with {status}\n{}", self.name, tail(&self.log))))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) -> Result {
        self.signal(Signal::KILL);
        // Ended by the signal: its status says nothing more.
        self.server.take().map(|mut server| server.stop()).transpose().map(drop)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, number: Signal) {
        signal(self.server.as_ref().and_then(|server| pid(server.id())), number);
    }

    /// Does something with its way to one database server.
    pub(crate) fn with_proxy(&self, server: usize, change: fn(&Proxy)) {
        self.proxies.get(server).into_iter().for_each(change);
    }

    /// Does something with each of its ways to the database.
    pub(crate) fn with_proxies(&self, change: fn(&Proxy)) {
        self.proxies.iter().for_each(change);
    }
}

/// The same program with another clock; only what the clock shows is wrong, not how fast it counts.
fn wrong(launch: &Launch, by: &str) -> Result<Launch> {
    find_or_install(Tool::Faketime)?;
    if !Path::new(FAKETIME).exists() {
        return Err(Fail::new(format!("{FAKETIME} is missing, which makes a clock wrong")));
    }
    Ok(launch.clone().env("LD_PRELOAD", FAKETIME).env("FAKETIME", by).env("FAKETIME_DONT_FAKE_MONOTONIC", "1"))
}
