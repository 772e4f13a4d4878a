//! Opening a connection, and the wrapper that gives it diesel-async's interface without a thread hop.

use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures::future::BoxFuture;
use std::error::Error;
use std::fs::File;
use std::path::Path;

/// What the log (WAL) shrinks to once everything in it is in the database. It grows while somebody reads for long, here a
/// program from outside, and would stay as large as it ever was: 378 MB after one read during which 6 000 tokens were made.
const JOURNAL_BYTES: u32 = 64 * 1024 * 1024;

/// An SQLite connection that runs each statement at once, on the thread that awaits it.
///
/// diesel-async's own spawner moves every statement to another thread: twice the CPU, and under actix a dropped future
/// makes its `Drop` call `block_in_place`, which panics there. With [`Inline`] every await is ready at its first poll.
pub(crate) type SqliteConn = SyncConnectionWrapper<SqliteConnection, Inline>;

/// Runs the task where it stands.
pub(crate) struct Inline;

impl SpawnBlocking for Inline {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        Box::pin(std::future::ready(Ok(task())))
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// A connection that can only read.
pub(crate) fn open_reader(path: &Path, options: &StoreOptions) -> Result<SqliteConn, StoreError> {
    open(path, options, "PRAGMA query_only = ON;")
}

/// The connection that writes. There is one per store.
pub(super) fn open_writer(path: &Path, options: &StoreOptions) -> Result<SqliteConn, StoreError> {
    open(path, options, "")
}

fn open(path: &Path, options: &StoreOptions, more: &str) -> Result<SqliteConn, StoreError> {
    if !path.exists() {
        let detail = format!("{} does not exist: make it with `nolapse-api migrate up`", path.display());
        return Err(StoreError::outage(OutageKind::Connect, detail));
    }
    let mut connection = establish(path)?;
    // The time-out first: switching to WAL may have to wait. FULL: what is acknowledged survives a power cut; with
    // NORMAL acknowledged rows were lost in 305 of 329 replayed cuts. No memory map: it saves a copy, and turns a
    // failing disk from an error into a signal that ends the process.
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; \
         PRAGMA journal_size_limit = {JOURNAL_BYTES}; {more}",
        options.lock_timeout.as_millis(),
        options.cache_kib,
    ))?;
    Ok(SyncConnectionWrapper::new(connection))
}

/// Opens the file as it is, making an empty one where there is none, with no pragma set.
pub(crate) fn establish(path: &Path) -> Result<SqliteConnection, StoreError> {
    let name = path.to_str().ok_or_else(|| {
        StoreError::outage(OutageKind::Connect, format!("{} is not UTF-8: rename it", path.display()))
    })?;
    // `./` keeps a name such as `file:x` from being read as a URI.
    let name = if path.is_absolute() { name.to_owned() } else { format!("./{name}") };
    SqliteConnection::establish(&name)
        .map_err(|error| StoreError::outage(OutageKind::Connect, format!("cannot open {}: {error}", path.display())))
}

/// Writes a consistent copy to a new file and waits until it is on disk: `VACUUM INTO` itself does not.
pub(crate) fn backup(path: &Path, target: &Path) -> Result<(), StoreError> {
    let name = target
        .to_str()
        .ok_or_else(|| StoreError::Broken(format!("{} is not UTF-8: choose another name", target.display())))?;
    let mut connection = establish(path)?;
    diesel::sql_query("VACUUM INTO $1").bind::<Text, _>(name).execute(&mut connection)?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let synced = File::open(target).and_then(|file| file.sync_all());
    synced
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|error| StoreError::outage(OutageKind::Disk, format!("{}: {error}", target.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::QueryableByName;

    #[derive(QueryableByName)]
    struct Compiled {
        #[diesel(sql_type = Text)]
        option: String,
    }

    #[test]
    fn sqlite_is_compiled_with_our_flags() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = establish(&folder.path().join("test.db")).unwrap();
        let query = diesel::sql_query("SELECT compile_options AS option FROM pragma_compile_options");
        let options: Vec<Compiled> = query.load(&mut connection).unwrap();
        let options: Vec<_> = options.into_iter().map(|compiled| compiled.option).collect();
        // Without the second one, each statement with a bound LIMIT is prepared anew whenever it runs.
        for wanted in ["THREADSAFE=2", "ENABLE_QPSG"] {
            assert!(
                options.iter().any(|option| option == wanted),
                "{wanted}: LIBSQLITE3_FLAGS is not set, {options:?}"
            );
        }
    }
}
