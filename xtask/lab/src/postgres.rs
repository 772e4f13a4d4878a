//! PostgreSQL for a cluster: one server, or a primary with a synchronous standby under Patroni and etcd.

use crate::psql;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{Launch, POLL, Server, User};
use task_support::services::{
    self, Durability, SUPERUSER, Services, Tool, Wanted, find_or_install, free_port, postgres_program, server_user,
};
use task_support::{interrupt, say};

/// How long a start or a failover may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// Enough for the pools of all nodes, in a failover twice.
const CONNECTIONS: u32 = 300;
/// Seconds after which the standby may take the place of a primary that says nothing; Patroni takes no less.
pub(crate) const LEADER_TTL: u64 = 20;

/// The database server or servers.
pub(crate) enum Database {
    /// One server.
    Single { services: Services, port: u16 },
    /// Two, of which Patroni makes one the primary.
    Patroni { members: Vec<Member>, _etcd: Server },
}

/// A PostgreSQL server under Patroni.
pub(crate) struct Member {
    number: usize,
    port: u16,
    data: PathBuf,
    launch: Launch,
    log: PathBuf,
    patroni: Option<Server>,
}

impl Database {
    /// Starts one server. Commits wait for the disk.
    pub(crate) fn single() -> Result<Self> {
        let services = Services::start(Wanted { durability: Durability::On, core: None })?;
        let port = task_support::product::port(services.postgres_url().trim_end_matches("/postgres"))?;
        Ok(Self::Single { services, port })
    }

    /// Starts etcd, Patroni and with it the two servers, and waits until the standby is synchronous.
    pub(crate) fn patroni(folder: &Path, logs: &Path) -> Result<Self> {
        let user = server_user()?;
        let (etcd, etcd_port) = start_etcd(folder, logs, user.as_ref())?;
        let patroni = find_or_install(Tool::Patroni)?;
        let programs = postgres_program("postgres")?;
        let programs = programs.parent().unwrap_or(&programs).to_owned();
        let mut members = Vec::new();
        for number in 0..2 {
            let (port, api) = (free_port()?, free_port()?);
            let home = folder.join(format!("postgres-{number}"));
            own_folder(&home, user.as_ref())?;
            let data = home.join("data");
            let config = folder.join(format!("patroni-{number}.json"));
            let text = patroni_config(number, port, api, etcd_port, &data, &programs);
            std::fs::write(&config, text).attempt(|| format!("write {}", config.display()))?;
            let launch = Launch::new(&patroni).args([&config]).directory(&home).user(user.as_ref());
            let log = logs.join(format!("postgres-{number}.log"));
            let mut member = Member { number, port, data, launch, log, patroni: None };
            member.start()?;
            members.push(member);
        }
        let database = Self::Patroni { members, _etcd: etcd };
        database.until_synchronous()?;
        Ok(database)
    }

    /// The ports of all servers.
    pub(crate) fn ports(&self) -> Vec<u16> {
        match self {
            Self::Single { port, .. } => vec![*port],
            Self::Patroni { members, .. } => members.iter().map(|member| member.port).collect(),
        }
    }

    /// Which server is the primary, if there is one at this moment.
    pub(crate) fn primary(&self) -> Option<usize> {
        self.ports()
            .iter()
            .position(|port| psql::ask(*port, "SELECT pg_is_in_recovery()").is_ok_and(|said| said == "f"))
    }

    /// Waits for a primary.
    pub(crate) fn until_primary(&self) -> Result<usize> {
        until("PostgreSQL has no primary", || self.primary())
    }

    /// Waits until commits wait for a standby, where there is one.
    pub(crate) fn until_synchronous(&self) -> Result {
        if matches!(self, Self::Single { .. }) {
            return Ok(());
        }
        let question = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming' \
                        AND current_setting('synchronous_standby_names') <> ''";
        until("no synchronous standby follows the primary", || {
            let port = *self.ports().get(self.primary()?)?;
            psql::ask(port, question).ok().filter(|count| count == "1").map(drop)
        })
    }

    /// The process id of a server's postmaster.
    pub(crate) fn postmaster(&self, number: usize) -> Option<Pid> {
        match self {
            Self::Single { services, .. } => pid(services.postgres_id()),
            Self::Patroni { members, .. } => members.get(number)?.postmaster(),
        }
    }

    /// The process of the standby that receives the primary's log.
    pub(crate) fn wal_receiver(&self) -> Option<Pid> {
        let primary = self.primary()?;
        let port = self.ports().into_iter().enumerate().find(|(number, _)| *number != primary)?.1;
        psql::ask(port, "SELECT pid FROM pg_stat_wal_receiver").ok()?.parse().ok().and_then(pid)
    }

    /// Kills Patroni beside a server, which goes on.
    pub(crate) fn abandon(&mut self, number: usize) -> Result {
        match self {
            Self::Single { .. } => Err(Fail::new("there is no Patroni")),
            Self::Patroni { members, .. } => members[number].kill_patroni(),
        }
    }

    /// Starts Patroni again where it was killed. It finds its server and makes it a standby.
    pub(crate) fn readopt(&mut self) -> Result {
        match self {
            Self::Single { .. } => Ok(()),
            Self::Patroni { members, .. } => members.iter_mut().try_for_each(Member::start),
        }
    }
}

impl Member {
    fn start(&mut self) -> Result {
        if self.patroni.is_none() {
            let output = File::options().append(true).create(true).open(&self.log);
            let output = output.attempt(|| format!("open {}", self.log.display()))?;
            let errors = output.try_clone().attempt(|| format!("share {}", self.log.display()))?;
            self.patroni = Some(self.launch.start(output.into(), errors.into())?);
        }
        Ok(())
    }

    fn kill_patroni(&mut self) -> Result {
        if let Some(mut patroni) = self.patroni.take() {
            signal(pid(patroni.id()), Signal::KILL);
            patroni.stop()?;
        }
        Ok(())
    }

    /// The first line of the file that PostgreSQL keeps while it runs.
    fn postmaster(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        let found = pid(text.lines().next()?.trim().parse().ok()?)?;
        // After `kill -9` the file stays, and the number may be another program's by now.
        let words = std::fs::read(format!("/proc/{}/cmdline", found.as_raw_nonzero())).ok()?;
        String::from_utf8_lossy(&words).contains(&*self.data.to_string_lossy()).then_some(found)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // Without Patroni nobody starts the server again.
        if let Err(fail) = self.kill_patroni() {
            say::raw(format!("error: {fail}"));
        }
        let Some(postmaster) = self.postmaster() else { return };
        signal(Some(postmaster), Signal::CONT);
        signal(Some(postmaster), Signal::QUIT);
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.postmaster().is_some() && Instant::now() < deadline {
            sleep(POLL);
        }
        if self.postmaster().is_some() {
            say::note(format!("PostgreSQL {} does not stop: killing it", self.number));
            signal(self.postmaster(), Signal::KILL);
        }
    }
}

/// A process and its children, as the kernel lists them.
pub(crate) fn family(parent: Pid) -> Vec<Pid> {
    let parent_id = parent.as_raw_nonzero().get();
    let is_child = |id: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // `pid (name) state parent …`; the name may contain anything.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        rest.split_whitespace().nth(1).and_then(|text| text.parse::<i32>().ok()) == Some(parent_id)
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    std::iter::once(parent).chain(ids.filter(is_child).filter_map(Pid::from_raw)).collect()
}

/// A signal to a process that may have ended.
pub(crate) fn signal(to: Option<Pid>, signal: Signal) {
    if let Some(to) = to {
        // An error means that the process ended meanwhile.
        let _ = kill_process(to, signal);
    }
}

/// As the kernel's type.
pub(crate) fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

fn start_etcd(folder: &Path, logs: &Path, user: Option<&User>) -> Result<(Server, u16)> {
    let program = find_or_install(Tool::Etcd)?;
    let home = folder.join("etcd");
    own_folder(&home, user)?;
    let log = logs.join("etcd.log");
    let start = |port: u16| {
        let output = File::create(&log).attempt(|| format!("create {}", log.display()))?;
        let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
        let (clients, peers) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{}", free_port()?));
        Launch::new(&program)
            .args(["--name", "lab", "--log-level", "warn", "--unsafe-no-fsync", "--data-dir"])
            .args([home.join(port.to_string())])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("lab={peers}")])
            .user(user)
            .start(output.into(), errors.into())
    };
    services::start_on_free_port(&log, start, |_| Ok(true))
}

/// As YAML, of which JSON is a part.
fn patroni_config(number: usize, port: u16, api: u16, etcd: u16, data: &Path, programs: &Path) -> String {
    let [listen, api] = [port, api].map(|port| format!("127.0.0.1:{port}"));
    let login = serde_json::json!({ "username": SUPERUSER });
    let trust = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"];
    serde_json::json!({
        "scope": "nolapse",
        "name": format!("postgres-{number}"),
        "restapi": { "listen": api, "connect_address": api },
        "etcd3": { "host": format!("127.0.0.1:{etcd}") },
        "bootstrap": {
            "dcs": {
                "ttl": LEADER_TTL,
                "loop_wait": 1,
                "retry_timeout": 3,
                // A primary that crashed is replaced, not started again.
                "master_start_timeout": 0,
                "maximum_lag_on_failover": 1_048_576,
                "synchronous_mode": true,
                "postgresql": {
                    "use_pg_rewind": true,
                    "use_slots": true,
                    "parameters": { "max_connections": CONNECTIONS, "wal_log_hints": "on", "timezone": "UTC" },
                },
            },
            "initdb": [{ "encoding": "UTF8" }, { "locale": "C" }],
        },
        "postgresql": {
            "listen": listen,
            "connect_address": listen,
            "data_dir": data,
            "bin_dir": programs,
            "pgpass": data.with_file_name("pgpass"),
            "authentication": { "superuser": login, "replication": login, "rewind": login },
            "pg_hba": trust,
            "parameters": { "unix_socket_directories": "", "shared_buffers": "64MB" },
        },
    })
    .to_string()
}

fn own_folder(folder: &Path, user: Option<&User>) -> Result {
    std::fs::create_dir(folder).attempt(|| format!("create {}", folder.display()))?;
    match user {
        Some(user) => std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid))
            .attempt(|| format!("hand {} to {}", folder.display(), user.name)),
        None => Ok(()),
    }
}

/// Asks until there is an answer.
///
/// # Errors
/// Says what is missing after two minutes.
pub(crate) fn until<T>(missing: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        interrupt::check()?;
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(Fail::new(format!("{missing}, for {} s", PATIENCE.as_secs())));
        }
        sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_listed_with_its_children() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let me = pid(std::process::id()).unwrap();
        let listed = family(me);
        assert!(listed.contains(&me) && listed.contains(&pid(child.id()).unwrap()), "{listed:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
