//! A throw-away PostgreSQL, on loopback, for the length of one command.
//!
//! It is started once for a whole test run; every test makes a database of its own inside. It listens on
//! 127.0.0.1 only, keeps everything in one temporary folder and is gone with the task. PostgreSQL trusts every
//! local user (it holds nothing worth keeping): do not run this on a machine shared with people you do not trust.

mod install;
mod pages;
mod postgres;
mod redis;
mod wait;

use crate::args::Args;
use crate::fail::{Context as _, Fail, Result};
use crate::process::run;
use crate::{project, say};
use postgres::Postgres;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub use install::{GATEWAYS, Tool, find_or_install};
pub use pages::prepare as prepare_pages;
pub use postgres::{SUPERUSER, postgres_program, server_user};
pub use redis::{Redis, Reply};
pub use wait::{free_port, start_on_free_port, tail};

/// Where tests and tools find PostgreSQL: a superuser that may create databases.
pub const POSTGRES_URL: &str = "NOLAPSE_TEST_POSTGRES_URL";

/// What the databases of a test run need at once, and more.
const ROOM: u64 = 4 * 1024 * 1024 * 1024;

/// Whether PostgreSQL waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// No: three times faster, right for tests that never cut the power.
    Off,
    /// Yes, as in production; benchmarks need it.
    On,
}

/// What the servers should be like.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Whether PostgreSQL waits for the disk.
    pub durability: Durability,
    /// The processor core PostgreSQL is pinned to, if any.
    pub core: Option<usize>,
}

impl Wanted {
    /// What a test run needs.
    pub const TESTS: Self = Self { durability: Durability::Off, core: None };
}

/// The running servers. Dropping the value stops them and removes their files.
#[derive(Debug)]
pub struct Services {
    // Fields are dropped in this order: the server first, then the folder it writes to.
    postgres: Postgres,
    _folder: TempDir,
}

impl Services {
    /// Starts the servers and waits until they answer.
    ///
    /// # Errors
    /// If a server is missing and cannot be installed, or does not answer in time; shows the end of its log.
    pub fn start(wanted: Wanted) -> Result<Self> {
        let place = match wanted.durability {
            Durability::Off => memory().unwrap_or_else(std::env::temp_dir),
            Durability::On => std::env::temp_dir(),
        };
        let folder = tempfile::Builder::new()
            .prefix("nolapse-services-")
            .tempdir_in(place)
            .attempt(|| "make a temporary folder".into())?;
        // The server runs as another user, who may traverse the folder but not list it.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))
            .attempt(|| format!("open {} to the servers", folder.path().display()))?;
        let postgres = Postgres::start(folder.path(), wanted.durability, wanted.core)?;
        say::note(format!("PostgreSQL is up, in {}", folder.path().display()));
        Ok(Self { postgres, _folder: folder })
    }

    /// The environment variables with the servers' addresses.
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        vec![(POSTGRES_URL.into(), self.postgres.url().into())]
    }

    /// The URL of the PostgreSQL superuser's own database.
    pub fn postgres_url(&self) -> String {
        self.postgres.url()
    }

    /// Vacuums and analyses the PostgreSQL superuser's database, so that a benchmark does not run beside autovacuum.
    pub fn settle_postgres(&self) -> Result {
        self.postgres.settle()
    }

    /// The process id of the PostgreSQL postmaster, parent of its backends.
    pub fn postgres_id(&self) -> u32 {
        self.postgres.id()
    }
}

/// A folder in memory, where there is room. A database is hundreds of files, and a file system on a disk takes its time to make and
/// remove those of one database after the other.
fn memory() -> Option<PathBuf> {
    let folder = Path::new("/dev/shm");
    let found = rustix::fs::statvfs(folder).ok()?;
    (found.f_bavail.saturating_mul(found.f_frsize) >= ROOM).then(|| folder.to_owned())
}

/// Servers for a test run; `None` if the environment names one already.
pub fn for_tests() -> Result<Option<Services>> {
    if std::env::var_os(POSTGRES_URL).is_some() {
        say::note(format!("using the server of {POSTGRES_URL}"));
        return Ok(None);
    }
    Services::start(Wanted::TESTS).map(Some)
}

/// `cargo xtask services [--durable] -- <command…>`
pub fn task(mut args: Args) -> Result {
    let command = args.after_dashes().unwrap_or_default();
    let durable = args.flag("--durable");
    args.finish()?;
    let [program, arguments @ ..] = command.as_slice() else {
        return Err(Fail::usage("which command? cargo xtask services -- <command…>"));
    };
    say::step("starting PostgreSQL");
    let durability = if durable { Durability::On } else { Durability::Off };
    let services = Services::start(Wanted { durability, ..Wanted::TESTS })?;
    run(project::outside(program).args(arguments).envs(services.variables()))
}
