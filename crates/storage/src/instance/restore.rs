//! Putting a copy in the place of an SQLite database that no server uses.
//!
//! The copy is written anew beside its place and looked at there. Then the database before is renamed, with its log if that could
//! not be brought into it (it is damaged, or a mixture), and the copy takes its name. Between these, the mark of an overwritten
//! database keeps servers away: whatever ends this early leaves the database before, the copy, or a place that no server uses
//! until the command is run again. A second name for the database before, by a hard link, would spare the mark, and a server
//! refuses a file with two names.

mod before;

pub use before::Before;

use super::{AcquireError, InstanceLock, sqlite};
use crate::backend::sqlite::{backup, beside, establish, mark};
use crate::error::{OutageKind, StoreError};
use crate::migrate;
use crate::url::DatabaseUrl;
use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use std::fs::{remove_file, rename};
use std::io::{ErrorKind, Result as IoResult};
use std::path::{Path, PathBuf};
use token_domain::Timestamp;

/// A restoration under way: the copy is whole and lies beside the place that it is to take, and no server can start. Until
/// [`finish`](Self::finish), the database is as it was; what is dropped before leaves nothing behind.
#[derive(Debug)]
pub struct Restoration {
    path: PathBuf,
    fresh: PathBuf,
    lock: InstanceLock,
    /// Whether there was a file before it was locked, which makes one.
    was_there: bool,
}

/// What a copy says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The hash of the first event of the deployment's own trail, which tells deployments apart.
    pub first: [u8; 32],
    /// When its newest event was.
    pub newest: Timestamp,
}

impl Restoration {
    /// Writes the copy anew, beside the database of this URL.
    ///
    /// # Errors
    /// A server uses the database; the copy is damaged, of another program or of a newer one; the disk's.
    pub fn begin(url: &DatabaseUrl, copy: &Path, holder: &str) -> Result<Self, AcquireError> {
        let Some(path) = url.sqlite_path() else {
            return Err(StoreError::Broken("restore PostgreSQL with pg_restore".to_owned()).into());
        };
        let failed = |error| disk(path, &error);
        if !copy.is_file() {
            return Err(disk(copy, &ErrorKind::NotFound.into()).into());
        }
        let was_there = path.try_exists().map_err(failed)?;
        // Where a link leads, the copy is put beside the database before, and the link stays.
        let real = if was_there { path.canonicalize().map_err(failed)? } else { path.to_owned() };
        let path = real.as_path();
        if was_there && copy.canonicalize().map_err(failed)? == path {
            return Err(StoreError::Broken("the copy is the database itself: name a backup".to_owned()).into());
        }
        let lock = sqlite::acquire_marked(path, holder)?;
        let begun = Self { path: path.to_owned(), fresh: beside(path, ".restoring"), lock, was_there };
        for leftover in ["", "-wal", "-shm", "-journal", ".migrate-lock"] {
            remove(&beside(&begun.fresh, leftover)).map_err(failed)?;
        }
        backup(copy, &begun.fresh)?;
        check(&begun.fresh)?;
        Ok(begun)
    }

    /// What the copy says of itself; nothing of one that was never set up.
    ///
    /// # Errors
    /// The disk's.
    pub fn copied(&self) -> Result<Option<Copied>, StoreError> {
        before::copied(&self.fresh)
    }

    /// The database before, to be read for what the copy has not heard of; nothing where there is none, or it was never set up.
    ///
    /// # Errors
    /// It cannot be read, or is of another deployment than the copy.
    pub fn before(&self) -> Result<Option<Before<'_>>, StoreError> {
        if !self.path.metadata().is_ok_and(|found| found.len() > 0) {
            return Ok(None);
        }
        if mark::is_there(&self.path).map_err(|error| disk(&self.path, &error))? {
            return Err(StoreError::Broken("it is a mixture of two databases".to_owned()));
        }
        Before::open(&self.path, &self.fresh)
    }

    /// Puts the copy in its place; where the database before is now, if there was one. `aside` tells its name from others.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(self, aside: &str) -> Result<Option<PathBuf>, StoreError> {
        let failed = |error| disk(&self.path, &error);
        let kept = take_place(&self.path, &self.fresh, aside).map_err(failed)?;
        mark::remove(&self.path).map_err(failed)?;
        Ok(kept)
    }
}

impl Drop for Restoration {
    /// Removes the copy that did not take its place, and the empty file that the lock made. What cannot be removed changes nothing
    /// about how the restoration ended, and the next one tries again.
    fn drop(&mut self) {
        for leftover in ["", ".migrate-lock"] {
            let _ = remove(&beside(&self.fresh, leftover));
        }
        if !self.was_there && self.path.metadata().is_ok_and(|found| found.len() == 0) {
            let _ = remove(&self.path);
        }
        self.lock.release();
    }
}

/// Whether a copy is whole, and this program's.
fn check(copy: &Path) -> Result<(), StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Said {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let said: Vec<Said> = diesel::sql_query("PRAGMA integrity_check(1)").load(&mut establish(copy)?)?;
    if let Some(fault) = said.iter().find(|said| said.integrity_check != "ok") {
        return Err(StoreError::Broken(format!("the copy is damaged ({})", fault.integrity_check)));
    }
    let statuses = migrate::status(&DatabaseUrl::of_sqlite(copy))?;
    if statuses.iter().any(|migration| migration.applied) {
        return Ok(());
    }
    Err(StoreError::Broken("the copy has no tables of this program: name a backup of it".to_owned()))
}

fn take_place(path: &Path, fresh: &Path, aside: &str) -> IoResult<Option<PathBuf>> {
    let log = beside(path, "-wal");
    let was_used = path.metadata().is_ok_and(|found| found.len() > 0);
    let kept = free_name(path, aside);
    if was_used && !mark::is_there(path)? {
        // What cannot be opened keeps its log, and is moved with it.
        let _ = establish(path).map(|mut database| database.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
    let has_log = log.metadata().is_ok_and(|found| found.len() > 0);
    if was_used || has_log {
        mark::leave(path)?;
    }
    if was_used {
        rename(path, &kept)?;
    }
    if has_log {
        rename(&log, beside(&kept, "-wal"))?;
    } else {
        remove(&log)?;
    }
    remove(&beside(path, "-shm"))?;
    mark::sync_folder(path)?;
    rename(fresh, path)?;
    mark::sync_folder(path)?;
    Ok(was_used.then_some(kept))
}

/// A name for the database before that nothing has yet.
fn free_name(path: &Path, aside: &str) -> PathBuf {
    let first = beside(path, &format!(".before-{aside}"));
    let others = (2..).map(|number| beside(&first, &format!("-{number}")));
    let is_free = |name: &PathBuf| !name.exists() && !beside(name, "-wal").exists();
    std::iter::once(first.clone()).chain(others).find(is_free).unwrap_or(first)
}

fn remove(path: &Path) -> IoResult<()> {
    match remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn disk(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::outage(OutageKind::Disk, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database with one line of text in a log of its own.
    fn database(path: &Path, line: &str) {
        let mut database = establish(path).unwrap();
        let statements =
            format!("PRAGMA journal_mode=WAL; CREATE TABLE t (line TEXT); INSERT INTO t VALUES ('{line}')");
        database.batch_execute(&statements).unwrap();
    }

    fn line(path: &Path) -> String {
        #[derive(diesel::QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            line: String,
        }
        diesel::sql_query("SELECT line FROM t").get_result::<Line>(&mut establish(path).unwrap()).unwrap().line
    }

    #[test]
    fn the_database_before_is_kept_with_its_log_and_the_mark_goes() {
        for is_marked in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let (path, fresh) = (folder.path().join("a.db"), folder.path().join("fresh.db"));
            database(&path, "old");
            database(&fresh, "new");
            if is_marked {
                mark::leave(&path).unwrap();
                std::fs::write(beside(&path, "-wal"), "a log that is not the database's").unwrap();
            }
            let kept = take_place(&path, &fresh, "now").unwrap().unwrap();
            assert_eq!(line(&path), "new");
            assert_eq!(kept, folder.path().join("a.db.before-now"));
            if is_marked {
                assert_eq!(std::fs::read(beside(&kept, "-wal")).unwrap(), b"a log that is not the database's");
            } else {
                assert_eq!(line(&kept), "old");
            }
            assert!(mark::is_there(&path).unwrap(), "until the very end");
            let again = folder.path().join("again.db");
            database(&again, "again");
            let other = take_place(&path, &again, "now").unwrap().unwrap();
            assert_eq!(other, folder.path().join("a.db.before-now-2"), "nothing that is kept is written over");
        }
    }

    #[test]
    fn what_is_damaged_or_not_of_this_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other.db");
        database(&other, "of others");
        assert!(check(&other).is_err());
        let text = folder.path().join("text.db");
        std::fs::write(&text, "not a database at all, but long enough to have a header").unwrap();
        assert!(check(&text).is_err());
    }
}
