//! A throw-away PostgreSQL cluster: superuser `nolapse`, no password, loopback only.

use super::Durability;
use super::install::{Tool, find_or_install};
use super::wait::start_on_free_port;
use crate::fail::{Context as _, Fail, Result};
use crate::process::{Launch, Server, Stop, User, output, run};
use rustix::process::geteuid;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The superuser of every cluster that a task makes.
pub const SUPERUSER: &str = "nolapse";
/// Users to run the server as when this process is root (PostgreSQL refuses to run as root), best first.
const STAND_INS: [&str; 2] = ["postgres", "nobody"];
/// Enough for a connection per test process and a few pools.
const CONNECTIONS: u32 = 400;

/// The running cluster; stopped when dropped.
#[derive(Debug)]
pub(super) struct Postgres {
    server: Server,
    port: u16,
    vacuumdb: PathBuf,
}

impl Postgres {
    /// Makes a cluster under `folder` and starts it.
    pub(super) fn start(folder: &Path, durability: Durability, core: Option<usize>) -> Result<Self> {
        let initdb = find_or_install(Tool::Initdb)?;
        let user = server_user()?;
        let data = folder.join("postgres");
        make_cluster(&initdb, &data, user.as_ref())?;
        let log = folder.join("postgres.log");
        let program = beside(&initdb, "postgres")?;
        let start = |port: u16| {
            let output = File::create(&log).attempt(|| format!("create {}", log.display()))?;
            let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
            Launch::new(&program)
                .args(["-D"])
                .args([&data])
                .args(settings(durability, port).into_iter().flat_map(|setting| ["-c".to_owned(), setting]))
                .user(user.as_ref())
                .core(core)
                // Immediate shutdown without a checkpoint: the data is thrown away.
                .stopped_by(Stop::Quit)
                .start(output.into(), errors.into())
        };
        let (server, port) = start_on_free_port(&log, start, answers)?;
        Ok(Self { server, port, vacuumdb: beside(&initdb, "vacuumdb")? })
    }

    /// `postgres://nolapse@127.0.0.1:PORT/postgres`
    pub(super) fn url(&self) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Vacuums and analyses what the superuser's database holds, as the server does by itself within a minute or so.
    pub(super) fn settle(&self) -> Result {
        let (host, user) = ("--host=127.0.0.1", format!("--username={SUPERUSER}"));
        run(Command::new(&self.vacuumdb).args(["--analyze", "--quiet", host]).args([
            format!("--port={}", self.port),
            user,
            "--dbname=postgres".to_owned(),
        ]))
    }

    /// The postmaster's process id.
    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }
}

fn settings(durability: Durability, port: u16) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        "unix_socket_directories=".into(),
        format!("max_connections={CONNECTIONS}"),
        "shared_buffers=128MB".into(),
        "timezone=UTC".into(),
    ];
    match durability {
        Durability::On => {}
        Durability::Off => {
            settings.extend(["fsync", "synchronous_commit", "full_page_writes"].map(|s| format!("{s}=off")));
            // The log would be most of what the folder takes.
            settings.push("max_wal_size=256MB".into());
        }
    }
    settings
}

fn make_cluster(initdb: &Path, data: &Path, user: Option<&User>) -> Result {
    std::fs::create_dir(data).attempt(|| format!("create {}", data.display()))?;
    if let Some(user) = user {
        std::os::unix::fs::chown(data, Some(user.uid), Some(user.gid))
            .attempt(|| format!("hand {} to {}", data.display(), user.name))?;
    }
    let launch = Launch::new(initdb)
        .args(["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8", "--locale=C"])
        .args([format!("--username={SUPERUSER}"), format!("--pgdata={}", data.display())])
        .user(user);
    // Standard output, which is progress only, is dropped; errors pass through. `/` is readable by every user.
    output(launch.command()?.current_dir("/")).map(drop)
}

/// A program of the newest PostgreSQL, installing that first if need be.
///
/// # Errors
/// If it cannot be installed.
pub fn postgres_program(name: &str) -> Result<PathBuf> {
    beside(&find_or_install(Tool::Initdb)?, name)
}

/// The program in the folder of `initdb`, after following symbolic links.
fn beside(initdb: &Path, name: &str) -> Result<PathBuf> {
    let real = initdb.canonicalize().attempt(|| format!("follow {}", initdb.display()))?;
    Ok(real.with_file_name(name))
}

/// The user to run PostgreSQL as: the current one (`None`), or a stand-in if that is root.
///
/// # Errors
/// If the current user is root and there is no stand-in.
pub fn server_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").attempt(|| "read /etc/passwd".into())?;
    let found = STAND_INS.iter().find_map(|name| find_user(&users, name));
    found.map(Some).ok_or_else(|| {
        Fail::new("PostgreSQL refuses to run as root and there is no user postgres or nobody")
            .fix("run the task as a user who is not root")
    })
}

fn find_user(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (login, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (login == name).then(|| User { name: name.to_owned(), uid, gid })
    })
}

/// A start-up message is answered by `R` (authentication) once connections are served, by `E` (error) before that.
/// Source: PostgreSQL, "Message Formats", `StartupMessage` of protocol 3.0.
fn answers(stream: &mut TcpStream) -> std::io::Result<bool> {
    let body = format!("user\0{SUPERUSER}\0database\0postgres\0\0");
    let length = u32::try_from(body.len() + 8).map_err(std::io::Error::other)?;
    let message = [&length.to_be_bytes()[..], &0x0003_0000_u32.to_be_bytes(), body.as_bytes()].concat();
    stream.write_all(&message)?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok(kind == *b"R")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:9:9::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        assert_eq!(find_user(passwd, "postgres"), Some(User { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(find_user(passwd, "nobody"), None);
    }

    #[test]
    fn only_clusters_without_durability_skip_fsync() {
        let lazy = settings(Durability::Off, 5000);
        let durable = settings(Durability::On, 5000);
        assert!(lazy.contains(&"fsync=off".to_owned()));
        assert!(!durable.iter().any(|setting| setting.ends_with("=off")));
        for settings in [lazy, durable] {
            assert!(settings.contains(&"listen_addresses=127.0.0.1".to_owned()));
            assert!(settings.contains(&"unix_socket_directories=".to_owned()));
        }
    }
}
