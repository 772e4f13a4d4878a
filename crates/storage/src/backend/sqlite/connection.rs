//! Opening a connection, and the wrapper that gives it diesel-async's interface without a thread hop.

use super::budget::Budget;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection as _, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures::future::BoxFuture;
use std::error::Error;
use std::path::Path;
use token_domain::text::folded;

/// What the log (WAL) shrinks to once everything in it is in the database. It grows while somebody reads for long, here a
/// program from outside, and would stay as large as it ever was: 378 MB after one read during which 6 000 tokens were made.
const JOURNAL_BYTES: u32 = 64 * 1024 * 1024;

diesel::define_sql_function! {
    /// A text with every capital letter made small ([`folded`]), for searches.
    fn fold_case(text: Nullable<Text>) -> Nullable<Text>;
}

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
    open_bounded_reader(path, options, &Budget::default())
}

/// The same, for statements that are given a time.
pub(crate) fn open_bounded_reader(
    path: &Path,
    options: &StoreOptions,
    budget: &Budget,
) -> Result<SqliteConn, StoreError> {
    open(path, options, budget, "PRAGMA query_only = ON;")
}

/// The connection that writes. There is one per store.
pub(crate) fn open_writer(path: &Path, options: &StoreOptions) -> Result<SqliteConn, StoreError> {
    open(path, options, &Budget::default(), "")
}

fn open(path: &Path, options: &StoreOptions, budget: &Budget, more: &str) -> Result<SqliteConn, StoreError> {
    if !path.exists() {
        let detail = format!("{} does not exist: make it with `nolapse-api migrate up`", path.display());
        return Err(StoreError::outage(OutageKind::Connect, detail));
    }
    let mut connection = establish(path)?;
    fold_case_utils::register_impl(&mut connection, |text: Option<String>| text.map(|text| folded(&text)))?;
    budget.watch(&mut connection)?;
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

/// Opens the file, or creates an empty one, with no pragma set.
pub(crate) fn establish(path: &Path) -> Result<SqliteConnection, StoreError> {
    let name = path.to_str().ok_or_else(|| {
        StoreError::outage(OutageKind::Connect, format!("{} is not UTF-8: rename it", path.display()))
    })?;
    // `./` keeps a name such as `file:x` from being read as a URI.
    let name = if path.is_absolute() { name.to_owned() } else { format!("./{name}") };
    SqliteConnection::establish(&name)
        .map_err(|error| StoreError::outage(OutageKind::Connect, format!("cannot open {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::{QueryableByName, RunQueryDsl as _};
    use futures::executor::block_on;
    use std::fs::File;

    #[derive(QueryableByName)]
    struct Compiled {
        #[diesel(sql_type = Text)]
        option: String,
    }

    fn run(connection: &mut SqliteConn, statements: &'static str) {
        block_on(connection.spawn_blocking(|connection| connection.batch_execute(statements))).unwrap();
    }

    #[test]
    fn the_log_is_small_again_after_a_long_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        File::create(&path).unwrap();
        let options = StoreOptions::default();
        let mut writer = open_writer(&path, &options).unwrap();
        run(&mut writer, "CREATE TABLE filler (bytes BLOB)");
        // Somebody else's: ours have a time limit.
        let mut reader = open_reader(&path, &options).unwrap();
        run(&mut reader, "BEGIN; SELECT count(*) FROM filler");
        run(
            &mut writer,
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 80) \
             INSERT INTO filler SELECT randomblob(1048576) FROM n",
        );
        let log = || std::fs::metadata(folder.path().join("test.db-wal")).unwrap().len();
        assert!(log() > u64::from(JOURNAL_BYTES), "nothing can be moved into the database while it is read");
        run(&mut reader, "COMMIT");
        // The first brings everything into the database, the second begins the log anew.
        run(&mut writer, "INSERT INTO filler VALUES ('a')");
        run(&mut writer, "INSERT INTO filler VALUES ('b')");
        assert!(log() <= u64::from(JOURNAL_BYTES), "{}", log());
    }

    #[derive(QueryableByName)]
    struct Wait {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        timeout: i32,
    }

    #[test]
    fn whoever_waits_for_a_lock_waits_as_long_as_is_configured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        File::create(&path).unwrap();
        let options = StoreOptions { lock_timeout: std::time::Duration::from_millis(1_234), ..StoreOptions::default() };
        for mut connection in [open_writer(&path, &options).unwrap(), open_reader(&path, &options).unwrap()] {
            let asked =
                connection.spawn_blocking(|connection| diesel::sql_query("PRAGMA busy_timeout").get_result(connection));
            let Wait { timeout } = block_on(asked).unwrap();
            assert_eq!(timeout, 1_234);
        }
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
