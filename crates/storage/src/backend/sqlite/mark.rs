//! The mark beside a database that was overwritten while a server used it.
//!
//! Nothing in such a file shows that it is a mixture of two, and a supervisor starts the server again that stopped because of
//! it. So what was noticed is written down, and whoever opens the database is refused until somebody has restored it and
//! removes the mark.

use super::identity::beside;
use crate::error::{OutageKind, StoreError};
use std::fs::File;
use std::io::{Result as IoResult, Write as _};
use std::path::{Path, PathBuf};

const TEXT: &str = "The database was overwritten while a server used it, and is a mixture of two.\n\
                    Restore a backup with `nolapse-api restore`, which removes this file.\n";

fn of(database: &Path) -> PathBuf {
    beside(database, ".overwritten")
}

/// Leaves the mark, on disk when this returns.
pub(crate) fn leave(database: &Path) -> IoResult<()> {
    let path = of(database);
    let mut file = File::create(&path)?;
    file.write_all(TEXT.as_bytes())?;
    file.sync_all()?;
    sync_folder(&path)
}

/// Whether there is one.
pub(crate) fn is_there(database: &Path) -> IoResult<bool> {
    of(database).try_exists()
}

/// Takes it away: the database was put in order.
pub(crate) fn remove(database: &Path) -> IoResult<()> {
    match std::fs::remove_file(of(database)) {
        Ok(()) => sync_folder(database),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Fails where there is one.
pub(crate) fn refuse(database: &Path) -> Result<(), StoreError> {
    let path = of(database);
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(StoreError::Broken(format!(
            "it was overwritten while a server used it, and is a mixture of two databases: with no server running, put a \
             backup in the place of {} with `nolapse-api restore`, which removes {}",
            database.display(),
            path.display()
        ))),
        Err(error) => {
            Err(StoreError::outage(OutageKind::Disk, format!("{} cannot be looked at: {error}", path.display())))
        }
    }
}

/// Brings a file's name to disk.
pub(crate) fn sync_folder(file: &Path) -> IoResult<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
