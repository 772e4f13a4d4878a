//! Finds a program, or installs its Debian package where that is possible.
//!
//! A missing server is never a reason to skip a test: it is installed, or the run fails and names the command.

use crate::fail::{Fail, Result};
use crate::process::{is_program, run, which};
use crate::{project, say};
use rustix::process::geteuid;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian keeps server programs that are not in `PATH`: `/usr/lib/postgresql/<version>/bin`.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// Where Debian keeps servers, which is in `PATH` of the superuser alone.
const SERVERS: &str = "/usr/sbin";

/// Where Debian installs `mod_auth_openidc`.
const OPENIDC_MODULE: &str = "/usr/lib/apache2/modules/mod_auth_openidc.so";

/// A program of the system that a task needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `initdb`, next to `postgres` itself.
    Initdb,
    /// `redis-server`, which nodes may share.
    RedisServer,
    /// `wrk`, the load generator.
    Wrk,
    /// `valgrind`, which counts instructions.
    Valgrind,
    /// `promtool`, which reads metrics as Prometheus does.
    Promtool,
    /// `chromium`, in which pages are tested.
    Chromium,
    /// `chromedriver`, which drives Chromium.
    Chromedriver,
    /// A gateway whose page in `docs/gateways` is tested.
    Gateway(&'static str),
    /// `etcd`, in which Patroni agrees who is the primary.
    Etcd,
    /// `patroni`, which runs PostgreSQL with a standby and fails over.
    Patroni,
    /// `pgbouncer`, a connection pooler.
    Pgbouncer,
    /// Apache's module for token introspection; a file, not a program.
    OpenidcModule,
    /// Python with what makes it environments of its own; Debian has the two apart.
    Python,
    /// `tmux`, in whose terminal the command line is tested.
    Tmux,
    /// `faketime`, which makes a program's clock wrong.
    Faketime,
    /// `debootstrap`, which makes a clean Debian.
    Debootstrap,
    /// `systemd-nspawn`, which boots it.
    Nspawn,
}

/// The gateways of the tests.
pub const GATEWAYS: [Tool; 5] = [
    Tool::Gateway("nginx"),
    Tool::Gateway("caddy"),
    Tool::Gateway("haproxy"),
    Tool::Gateway("apache2"),
    Tool::OpenidcModule,
];

impl Tool {
    /// The program's name.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Initdb => "initdb",
            Self::RedisServer => "redis-server",
            Self::Wrk => "wrk",
            Self::Valgrind => "valgrind",
            Self::Promtool => "promtool",
            Self::Chromium => "chromium",
            Self::Chromedriver => "chromedriver",
            Self::Etcd => "etcd",
            Self::Patroni => "patroni",
            Self::Pgbouncer => "pgbouncer",
            Self::Gateway(name) => name,
            Self::OpenidcModule => "mod_auth_openidc",
            Self::Python => "python3",
            Self::Tmux => "tmux",
            Self::Faketime => "faketime",
            Self::Debootstrap => "debootstrap",
            Self::Nspawn => "systemd-nspawn",
        }
    }

    /// The Debian package that has it.
    const fn package(self) -> &'static str {
        match self {
            Self::Initdb => "postgresql",
            Self::RedisServer => "redis-server",
            Self::Wrk => "wrk",
            Self::Valgrind => "valgrind",
            Self::Promtool => "prometheus",
            Self::Chromium => "chromium",
            Self::Chromedriver => "chromium-driver",
            Self::Etcd => "etcd-server",
            Self::Patroni => "patroni",
            Self::Pgbouncer => "pgbouncer",
            Self::Gateway(name) => name,
            Self::OpenidcModule => "libapache2-mod-auth-openidc",
            Self::Python => "python3-venv",
            Self::Tmux => "tmux",
            Self::Faketime => "faketime",
            Self::Debootstrap => "debootstrap",
            Self::Nspawn => "systemd-container",
        }
    }

    /// All packages to install with it, so that related tools need only one installation.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Initdb => &["postgresql"],
            Self::RedisServer => &["redis-server"],
            Self::Wrk => &["wrk"],
            Self::Valgrind => &["valgrind"],
            Self::Promtool => &["prometheus"],
            Self::Chromium | Self::Chromedriver => &["chromium", "chromium-driver"],
            // Patroni speaks to etcd through python3-etcd, which its package only suggests.
            Self::Etcd | Self::Patroni => &["etcd-server", "patroni", "python3-etcd"],
            Self::Pgbouncer => &["pgbouncer"],
            Self::Gateway(_) | Self::OpenidcModule => {
                &["nginx", "caddy", "haproxy", "apache2", "libapache2-mod-auth-openidc"]
            }
            Self::Python => &["python3-venv"],
            Self::Tmux => &["tmux"],
            Self::Faketime => &["faketime"],
            Self::Debootstrap | Self::Nspawn => &["debootstrap", "systemd-container"],
        }
    }

    fn find(self) -> Option<PathBuf> {
        match self {
            Self::Initdb => newest_postgres().or_else(|| which(self.program())),
            Self::Gateway(_) | Self::Debootstrap | Self::Pgbouncer => {
                let name = self.program();
                which(name).or_else(|| Some(Path::new(SERVERS).join(name)).filter(|file| is_program(file)))
            }
            Self::OpenidcModule => Some(PathBuf::from(OPENIDC_MODULE)).filter(|file| file.exists()),
            Self::Python => which(self.program()).filter(|python| makes_environments(python)),
            _ => which(self.program()),
        }
    }
}

/// Finds `tool`, installing it first if need be.
///
/// # Errors
/// Names the one command that installs it.
pub fn find_or_install(tool: Tool) -> Result<PathBuf> {
    if let Some(program) = tool.find() {
        return Ok(program);
    }
    let fix = format!("apt-get install -y {}", tool.package());
    let missing = || Fail::new(format!("{} is missing", tool.program())).fix(&fix);
    if which("apt-get").is_none() || !(geteuid().is_root() || project::in_ci()) {
        return Err(missing());
    }
    say::step(format!("{} is missing: apt-get install -y {}", tool.program(), tool.packages().join(" ")));
    if apt(&[&["install"], tool.packages()].concat()).is_err() {
        say::note("that failed; once more with fresh package lists");
        apt(&["update"]).and_then(|()| apt(&[&["install"], tool.packages()].concat())).map_err(|_| missing())?;
    }
    tool.find().ok_or_else(missing)
}

fn apt(arguments: &[&str]) -> Result {
    // RUNLEVEL=1 keeps the packages from starting servers of their own on the well-known ports.
    run(Command::new("apt-get")
        .args(["-qq", "-y", "-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .stdin(std::process::Stdio::null())
        .stdout(std::io::stderr()))
}

fn makes_environments(python: &Path) -> bool {
    let tried =
        Command::new(python).args(["-c", "import ensurepip, venv"]).stderr(std::process::Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// The `initdb` of the newest installed server version.
fn newest_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir(POSTGRES_VERSIONS).ok()?.flatten();
    newest(versions.filter_map(|entry| entry.file_name().into_string().ok()).collect())
        .map(|version| PathBuf::from(POSTGRES_VERSIONS).join(version).join("bin/initdb"))
        .filter(|file| is_program(file))
}

/// The highest of version numbers such as `9.6` and `17`, compared part by part.
fn newest(versions: Vec<String>) -> Option<String> {
    let key = |version: &String| -> Option<Vec<u32>> { version.split('.').map(|part| part.parse().ok()).collect() };
    versions.into_iter().filter(|version| key(version).is_some()).max_by_key(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        for (versions, expected) in [
            (vec!["9.6", "15", "17"], Some("17")),
            (vec!["9.6", "9.10"], Some("9.10")),
            (vec!["15", "common"], Some("15")),
            (vec!["common"], None),
            (vec![], None),
        ] {
            let found = newest(versions.iter().copied().map(str::to_owned).collect());
            assert_eq!(found.as_deref(), expected, "{versions:?}");
        }
    }
}
