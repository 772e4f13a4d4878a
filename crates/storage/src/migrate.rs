//! Making and changing the tables. The migrations are part of the program.
//!
//! These functions block and may be called from anywhere: where a runtime is needed they start their own, on a thread
//! of their own. Any number of processes may call them at once; a lock makes them take turns.

mod losses;
mod postgresql;
mod sqlite;

pub use losses::Loss;

use crate::error::{Constraint, StoreError};
use crate::url::{DatabaseUrl, Target};
use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

/// A migration this program knows, and whether the database has had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// For example `20260101000400_tokens`.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}

/// What to do, under the lock.
#[derive(Clone, Copy)]
enum Task {
    Up,
    Down(usize),
    Losses(usize),
    Status,
}

/// What came of a task.
#[derive(Default)]
struct Report {
    statuses: Vec<MigrationStatus>,
    losses: Vec<Loss>,
}

/// Applies what is missing; the status of every migration afterwards. Makes the file of an SQLite database if there is
/// none, readable by its owner only.
///
/// # Errors
/// The database cannot be reached, a migration fails, or the database was migrated by a newer program.
pub fn up(url: &DatabaseUrl) -> Result<Vec<MigrationStatus>, StoreError> {
    Ok(run(url, Task::Up)?.statuses)
}

/// What taking back the last `steps` migrations would lose: what holds something, and only that.
///
/// # Errors
/// As [`up`].
pub fn losses(url: &DatabaseUrl, steps: usize) -> Result<Vec<Loss>, StoreError> {
    Ok(run(url, Task::Losses(steps))?.losses)
}

/// Takes back the last `steps` migrations **and the data in their tables**; the status afterwards.
///
/// # Errors
/// As [`up`]; [`StoreError::Conflict`] when facts would be lost that take rights away; nodes that share the database.
pub fn down(url: &DatabaseUrl, steps: usize) -> Result<Vec<MigrationStatus>, StoreError> {
    Ok(run(url, Task::Down(steps))?.statuses)
}

/// The name of the newest migration this program knows.
pub fn newest() -> &'static str {
    losses::downs::POSTGRESQL.last().map_or("", |(name, _)| *name)
}

/// Marks the start of a server that applies no migrations; [`up`] does it by itself.
pub fn begin(url: &DatabaseUrl) {
    if let Target::Sqlite(path) = url.target() {
        sqlite::begin(path);
    }
}

/// Which migrations were applied. Changes nothing but diesel's own table, and makes no file.
///
/// # Errors
/// As [`up`].
pub fn status(url: &DatabaseUrl) -> Result<Vec<MigrationStatus>, StoreError> {
    Ok(run(url, Task::Status)?.statuses)
}

fn run(url: &DatabaseUrl, task: Task) -> Result<Report, StoreError> {
    let done = match url.target() {
        Target::Sqlite(path) => sqlite::run(path, task),
        Target::PostgreSql(server) => postgresql::run(server, task),
    };
    done.map_err(|error| match error {
        StoreError::Broken(what) => StoreError::Broken(format!("{url}: {what}")),
        other => other,
    })
}

/// What a migration works on: one of the two databases.
struct Side {
    migrations: fn() -> EmbeddedMigrations,
    /// Their names, and what takes each back.
    downs: &'static [(&'static str, &'static str)],
    /// Counts the tables and views of a database in which this program keeps none; zero in one of its own.
    strangers: &'static str,
}

/// Refuses a database that another program keeps its tables in, before anything is written to it: a wrong path or name
/// would otherwise mix two programs' tables, and every backup of one would be half of both.
fn refuse_strangers<C>(
    database: &mut C,
    side: &Side,
    count: impl Fn(&mut C, String) -> QueryResult<i64>,
) -> Result<(), StoreError> {
    match count(database, side.strangers.to_owned())? {
        0 => Ok(()),
        tables => Err(of_another_program(&format!("tables or views of others: {tables}, of this one: none"))),
    }
}

fn of_another_program(what: &str) -> StoreError {
    StoreError::Broken(format!("the database belongs to another program ({what}): name an empty one in database.url"))
}

fn perform<DB: Backend, C: MigrationHarness<DB>>(
    database: &mut C,
    side: &Side,
    count: impl Fn(&mut C, String) -> QueryResult<i64>,
    task: Task,
) -> Result<Report, StoreError> {
    let migrations = side.migrations;
    let known = known::<DB>(&migrations())?;
    let newer: Vec<String> = applied(database)?
        .into_iter()
        .filter(|version| !known.iter().any(|(known, _)| known == version))
        .map(|version| version.to_string())
        .collect();
    if !newer.is_empty() {
        // Diesel is common: its table alone does not make a database ours.
        if !applied(database)?.iter().any(|version| known.iter().any(|(known, _)| known == version)) {
            return Err(of_another_program("migrations of others"));
        }
        let unknown = newer.join(", ");
        return Err(StoreError::Broken(format!(
            "the database was migrated by a newer program ({unknown} unknown here): run that one, or restore a backup"
        )));
    }
    let mut losses = Vec::new();
    match task {
        Task::Up => {
            database.run_pending_migrations(migrations()).map_err(|error| failed(&error.to_string()))?;
        }
        Task::Down(steps) => {
            let losses = losses_of(database, side, &count, &known, steps)?;
            let rights: Vec<String> =
                losses.iter().filter(|loss| loss.gives_rights_back).map(Loss::to_string).collect();
            if !rights.is_empty() {
                return Err(StoreError::Conflict(Constraint::Other(format!(
                    "what takes rights away would be gone, and the rights be back: {}; clear it first, or restore a backup",
                    rights.join(", ")
                ))));
            }
            let reverted = applied(database)?.len().min(steps);
            for _ in 0..reverted {
                let source = migrations();
                database.revert_last_migration(source).map_err(|error| failed(&error.to_string()))?;
            }
        }
        Task::Losses(steps) => losses = losses_of(database, side, &count, &known, steps)?,
        Task::Status => {}
    }
    let applied = applied(database)?;
    Ok(Report { statuses: statuses(&known, &applied), losses })
}

/// What would be lost with so many migrations. Without organisations there are no rights: with them gone, nothing is given
/// back.
fn losses_of<DB: Backend, C: MigrationHarness<DB>>(
    database: &mut C,
    side: &Side,
    count: &impl Fn(&mut C, String) -> QueryResult<i64>,
    known: &[(MigrationVersion<'static>, String)],
    steps: usize,
) -> Result<Vec<Loss>, StoreError> {
    let statuses = statuses(known, &applied(database)?);
    let mut losses = Vec::new();
    for (table, column) in losses::candidates(side.downs, &statuses, steps) {
        let rows = count(database, losses::question(&table, column.as_deref()))?;
        if rows > 0 {
            losses.push(losses::judged(&table, column.as_deref(), rows));
        }
    }
    if losses.iter().any(|loss| loss.what == "organizations") {
        for loss in &mut losses {
            loss.gives_rights_back = false;
        }
    }
    Ok(losses)
}

fn statuses(known: &[(MigrationVersion<'static>, String)], applied: &[MigrationVersion<'_>]) -> Vec<MigrationStatus> {
    let status = |(version, name): &(MigrationVersion<'static>, String)| MigrationStatus {
        name: name.clone(),
        applied: applied.contains(version),
    };
    known.iter().map(status).collect()
}

fn known<DB: Backend>(migrations: &EmbeddedMigrations) -> Result<Vec<(MigrationVersion<'static>, String)>, StoreError> {
    let migrations: Vec<Box<dyn Migration<DB>>> =
        migrations.migrations().map_err(|error| failed(&error.to_string()))?;
    let mut known: Vec<_> =
        migrations.iter().map(|one| (one.name().version().as_owned(), one.name().to_string())).collect();
    known.sort();
    Ok(known)
}

fn applied<DB: Backend>(
    database: &mut impl MigrationHarness<DB>,
) -> Result<Vec<MigrationVersion<'static>>, StoreError> {
    database.applied_migrations().map_err(|error| failed(&error.to_string()))
}

fn failed(error: &str) -> StoreError {
    StoreError::Broken(format!("migration: {error}"))
}
