//! The two files beside an open database: its log (`-wal`), which has what was committed last, and the index to that
//! (`-shm`), which connections share.
//!
//! SQLite makes them for the first connection to a database and removes them with the last. A connection goes on with the files
//! it opened: what it commits after somebody removed them is in files that no other process, and no later one, ever finds.

use super::connection::{SqliteConn, open_reader};
use super::header::HeaderWatch;
use super::identity::{Identity, beside};
use super::mark;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Integer;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection};
use futures::executor::block_on;
use std::fs::File;
use std::io::{ErrorKind, Result as IoResult};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The files of a store, as long as it is open, and the header of the database they belong to.
pub(crate) struct LogFiles {
    database: PathBuf,
    open: Mutex<Option<Open>>,
    /// Once the file is locked.
    header: OnceLock<HeaderWatch>,
}

struct Open {
    files: [(PathBuf, Identity); 2],
    /// Does nothing but stay open. Without it the last of the others, closed after a failure, would have SQLite remove the
    /// files and make new ones, which could not be told from a removal by somebody else.
    connection: SqliteConn,
}

impl LogFiles {
    /// Opens a connection, and notes which files it works with.
    pub(crate) fn open(database: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let mut connection = open_reader(database, options)?;
        // The first read opens them.
        block_on(
            connection.spawn_blocking(|connection| connection.batch_execute("SELECT count(*) FROM sqlite_schema")),
        )?;
        let file = |suffix| {
            let path = beside(database, suffix);
            let identity = Identity::at(&path).map_err(|error| {
                StoreError::outage(OutageKind::Disk, format!("{} cannot be looked at: {error}", path.display()))
            })?;
            Ok::<_, StoreError>((path, identity))
        };
        let files = [file("-wal")?, file("-shm")?];
        let open = Mutex::new(Some(Open { files, connection }));
        Ok(Self { database: database.to_owned(), open, header: OnceLock::new() })
    }

    /// Whether the paths still lead to both files. They do, to all appearances, once the store is closed.
    pub(crate) fn are_in_place(&self) -> IoResult<bool> {
        // Locked meanwhile, so that a store that closes does not remove them between the look at this and the look at them.
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, identity) in open.iter().flat_map(|open| &open.files) {
            match Identity::at(path) {
                Ok(found) if found == *identity => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// From now on compares the header of the database, by the descriptor that it is locked with.
    pub(crate) fn watch_header(&self, file: &Arc<File>) -> Result<(), StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.as_mut() else { return Ok(()) };
        let start = block_on(open.connection.spawn_blocking(start_of))?;
        let watch = HeaderWatch::begin(Arc::downgrade(file), start).map_err(|error| self.unreadable(&error))?;
        // Those who watch already go on.
        let _ = self.header.set(watch);
        Ok(())
    }

    /// Whether it was noticed that another file was written over the database.
    pub(crate) fn is_overwritten(&self) -> bool {
        self.header().is_some_and(HeaderWatch::is_condemned)
    }

    /// The header that is compared, if one is.
    pub(crate) fn header(&self) -> Option<&HeaderWatch> {
        self.header.get()
    }

    /// Fails if the database has a header that is not ours. Before that is said, `ask` looks whether another program
    /// changed it by way of SQLite, and says whether it could look: without that nothing is said.
    pub(crate) fn check_header(&self, ask: impl FnOnce() -> bool) -> Result<(), StoreError> {
        let Some(header) = self.header() else { return Ok(()) };
        if !header.is_condemned() {
            let is_ours = || header.is_ours().map_err(|error| self.unreadable(&error));
            if is_ours()? {
                return Ok(());
            }
            if !ask() || is_ours()? {
                return Ok(());
            }
            self.condemn(header);
        }
        Err(StoreError::outage(OutageKind::Disk, "the database file was overwritten while it was in use"))
    }

    /// Leaves the mark before anybody is told: whatever ends the process, no later one takes the file for a good one.
    fn condemn(&self, header: &HeaderWatch) {
        tracing::error!(file = %self.database.display(), "the database file was overwritten: no change is carried out in it any more");
        if let Err(error) = mark::leave(&self.database) {
            tracing::error!(%error, "the mark beside it cannot be written: do not start on this file again");
        }
        header.condemn();
    }

    fn unreadable(&self, error: &std::io::Error) -> StoreError {
        StoreError::outage(OutageKind::Disk, format!("{} cannot be read: {error}", self.database.display()))
    }

    /// Writes what is in the log into the database. The last connection to close would do that too, but only where no other
    /// process has the database open.
    pub(crate) fn save(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.as_mut() else { return };
        let saved =
            open.connection.spawn_blocking(|connection| connection.batch_execute("PRAGMA wal_checkpoint(FULL)"));
        if let Err(error) = block_on(saved) {
            tracing::error!(%error, "the contents of the removed write-ahead log could not be written to the database");
        }
    }

    /// Closes the connection. The last one to be closed writes what is in the log into the database, also from a log that was
    /// removed, so this one comes last: those opened after a removal have another log.
    pub(crate) fn close(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(open);
    }
}

/// The start in the header of a database as SQLite has it, with the log.
pub(crate) fn start_of(connection: &mut SqliteConnection) -> QueryResult<u32> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Integer)]
        user_version: i32,
    }
    let Answer { user_version } = diesel::sql_query("PRAGMA user_version").get_result(connection)?;
    Ok(user_version.cast_unsigned())
}

/// Sets it, which counts the version up, also where it stays the same.
pub(crate) fn set_start(connection: &mut SqliteConnection, start: u32) -> QueryResult<()> {
    connection.batch_execute(&format!("PRAGMA user_version = {}", start.cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sqlite::{establish, open_writer};
    use std::fs;

    fn write(path: &Path, statement: &'static str) {
        let mut writer = open_writer(path, &StoreOptions::default()).unwrap();
        block_on(writer.spawn_blocking(move |connection| connection.batch_execute(statement))).unwrap();
    }

    #[test]
    fn the_files_stay_the_same_until_the_store_closes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        File::create(&path).unwrap();
        write(&path, "CREATE TABLE lines (line TEXT)");
        let wal = folder.path().join("test.db-wal");
        assert!(!wal.exists(), "gone with the last connection");
        let log = LogFiles::open(&path, &StoreOptions::default()).unwrap();
        for _ in 0..3 {
            write(&path, "INSERT INTO lines VALUES ('a')");
            assert!(log.are_in_place().unwrap(), "whatever connections come and go");
        }
        let mut other = establish(&path).unwrap();
        other.batch_execute("BEGIN; SELECT count(*) FROM lines").unwrap();
        other.batch_execute("COMMIT").unwrap();
        let before = fs::metadata(&path).unwrap().len();
        write(&path, "INSERT INTO lines SELECT printf('%010000d', 1)");
        log.save();
        assert!(fs::metadata(&path).unwrap().len() > before, "though another connection is open");
        drop(other);
        let aside = folder.path().join("aside");
        fs::rename(&wal, &aside).unwrap();
        assert!(!log.are_in_place().unwrap());
        fs::copy(&aside, &wal).unwrap();
        assert!(!log.are_in_place().unwrap(), "a copy is another file");
        fs::rename(&aside, &wal).unwrap();
        assert!(log.are_in_place().unwrap());
        log.close();
        assert!(!wal.exists());
        assert!(log.are_in_place().unwrap(), "they are nobody's any more");
    }
}
