//! Making and changing the tables. The migrations are part of the program.
//!
//! These functions block and may be called from anywhere: where a runtime is needed they start their own, on a thread
//! of their own. Any number of processes may call them at once; a lock makes them take turns.

mod postgresql;
pub(crate) mod sqlite;

use crate::error::StoreError;
use crate::url::{DatabaseUrl, Target};
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
    Status,
}

/// Applies what is missing; the status of every migration afterwards. Makes the file of an SQLite database if there is
/// none, readable by its owner only.
///
/// # Errors
/// The database cannot be reached, a migration fails, or the database was migrated by a newer program.
pub fn up(url: &DatabaseUrl) -> Result<Vec<MigrationStatus>, StoreError> {
    run(url, Task::Up)
}

/// Takes back the last `steps` migrations **and the data in their tables**; the status afterwards.
///
/// # Errors
/// As [`up`].
pub fn down(url: &DatabaseUrl, steps: usize) -> Result<Vec<MigrationStatus>, StoreError> {
    run(url, Task::Down(steps))
}

/// Which migrations were applied. Changes nothing but diesel's own table, and makes no file.
///
/// # Errors
/// As [`up`].
pub fn status(url: &DatabaseUrl) -> Result<Vec<MigrationStatus>, StoreError> {
    run(url, Task::Status)
}

fn run(url: &DatabaseUrl, task: Task) -> Result<Vec<MigrationStatus>, StoreError> {
    match url.target() {
        Target::Sqlite(path) => sqlite::run(path, task),
        Target::PostgreSql(server) => postgresql::run(server, task),
    }
}

fn perform<DB: Backend>(
    database: &mut impl MigrationHarness<DB>,
    migrations: fn() -> EmbeddedMigrations,
    task: Task,
) -> Result<Vec<MigrationStatus>, StoreError> {
    let known = known::<DB>(&migrations())?;
    let newer: Vec<String> = applied(database)?
        .into_iter()
        .filter(|version| !known.iter().any(|(known, _)| known == version))
        .map(|version| version.to_string())
        .collect();
    if !newer.is_empty() {
        let unknown = newer.join(", ");
        return Err(StoreError::Broken(format!(
            "the database was migrated by a newer program ({unknown} unknown here): run that one, or restore a backup"
        )));
    }
    match task {
        Task::Up => {
            database.run_pending_migrations(migrations()).map_err(|error| failed(&error.to_string()))?;
        }
        Task::Down(steps) => {
            let reverted = applied(database)?.len().min(steps);
            for _ in 0..reverted {
                let source = migrations();
                database.revert_last_migration(source).map_err(|error| failed(&error.to_string()))?;
            }
        }
        Task::Status => {}
    }
    let applied = applied(database)?;
    Ok(statuses(known, &applied))
}

fn statuses(known: Vec<(MigrationVersion<'static>, String)>, applied: &[MigrationVersion<'_>]) -> Vec<MigrationStatus> {
    known.into_iter().map(|(version, name)| MigrationStatus { name, applied: applied.contains(&version) }).collect()
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
