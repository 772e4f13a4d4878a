//! Migrating an SQLite file, one process at a time.

use super::losses::{Counted, downs};
use super::{Report, Side, Task, known, of_another_program, perform, refuse_strangers, statuses};
use crate::backend::sqlite::{MAGIC, beside, establish, mark, set_start};
use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use diesel::connection::SimpleConnection as _;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

const fn migrations() -> EmbeddedMigrations {
    MIGRATIONS
}

const SIDE: Side = Side {
    migrations,
    downs: downs::SQLITE,
    strangers: "SELECT count(*) AS rows FROM sqlite_schema WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_' \
                AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '__diesel_schema_migrations')",
};

fn count(connection: &mut SqliteConnection, question: String) -> QueryResult<i64> {
    let counted: Counted = diesel::sql_query(question).get_result(connection)?;
    Ok(counted.rows)
}

pub(super) fn run(path: &Path, task: Task) -> Result<Report, StoreError> {
    mark::refuse(path)?;
    match task {
        Task::Up => private_file(path).map(drop).map_err(|error| unusable(path, &error))?,
        // Nothing to take back, and nothing to be made by a question.
        Task::Down(_) | Task::Losses(_) | Task::Status if !path.exists() => {
            let statuses = statuses(&known::<Sqlite>(&migrations())?, &[]);
            return Ok(Report { statuses, losses: Vec::new() });
        }
        Task::Down(_) | Task::Losses(_) | Task::Status => {}
    }
    refuse_other_files(path)?;
    // A file of its own: the lock on the database file itself is the running server's.
    let lock_path = beside(path, ".migrate-lock");
    let lock = private_file(&lock_path).map_err(|error| unusable(&lock_path, &error))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| unusable(&lock_path, &error.into()))?;
    let mut connection = establish(path)?;
    // First of all: the mode of the log is written into the file.
    refuse_strangers(&mut connection, &SIDE, count)?;
    refuse_foreign_mark(&mut connection)?;
    connection.batch_execute(
        "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
    )?;
    let report = perform::<Sqlite, _>(&mut connection, &SIDE, count, task)?;
    if matches!(task, Task::Up) {
        begin_on(&mut connection);
    }
    Ok(report)
}

/// As [`super::begin`].
pub(super) fn begin(path: &Path) {
    if let Ok(mut connection) = establish(path) {
        begin_on(&mut connection);
    }
}

/// Chooses the number of this start, by which a server notices that another file was written over its own
/// (`backend/sqlite/header.rs`). The lowest bits of the time since the machine started never come twice in practice.
fn begin_on(connection: &mut SqliteConnection) {
    let number = boottime_nanos().cast_unsigned() & u64::from(u32::MAX);
    let set = connection
        .batch_execute("PRAGMA busy_timeout = 30000")
        .and_then(|()| set_start(connection, u32::try_from(number).unwrap_or_default()));
    if let Err(error) = set {
        // A full disk keeps nobody from reading.
        tracing::warn!(%error, "the number of this start could not be written to the database file");
    }
}

/// The `application_id` of a file in which this program keeps nothing yet; 0 once it does.
const FOREIGN_MARK: &str = "SELECT application_id * (NOT EXISTS \
                            (SELECT 1 FROM sqlite_schema WHERE name = '__diesel_schema_migrations')) AS rows \
                            FROM pragma_application_id";

/// Refuses a file that another program has claimed by its mark, though it may keep no table in it yet. This one sets none.
fn refuse_foreign_mark(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    match count(connection, FOREIGN_MARK.to_owned())? {
        0 => Ok(()),
        mark => Err(of_another_program(&format!("its application_id is {mark}"))),
    }
}

/// Refuses a file that has something in it and is no database. SQLite itself takes one that is shorter than its header for an
/// empty database, and writes over it.
fn refuse_other_files(path: &Path) -> Result<(), StoreError> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start));
    read.map_err(|error| StoreError::outage(OutageKind::Disk, format!("{} cannot be read: {error}", path.display())))?;
    if start.is_empty() || start == MAGIC {
        return Ok(());
    }
    Err(StoreError::Broken(format!("{} is not a database: name another file in database.url", path.display())))
}

/// Opens a file for writing, made if need be for its owner's eyes only; SQLite gives its side files the same mode.
fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::outage(OutageKind::Disk, format!("{} cannot be written: {error}", path.display()))
}
