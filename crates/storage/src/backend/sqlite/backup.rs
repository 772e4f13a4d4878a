//! Copies of a database in use.

use super::connection::establish;
use super::identity::{Identity, Standing};
use super::mark::sync_folder;
use crate::error::{OutageKind, StoreError};
use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;
use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result as IoResult};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a consistent copy to a new file, which has its name once all of it is on disk: whatever ends this before, there is
/// no half copy that looks like a whole one.
pub(crate) fn backup(path: &Path, target: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::outage(OutageKind::Disk, format!("{}: {error}", target.display()));
    if target.try_exists().map_err(failed)? {
        return Err(failed(ErrorKind::AlreadyExists.into()));
    }
    let part = beginning(target);
    let name = part
        .to_str()
        .ok_or_else(|| StoreError::Broken(format!("{} is not UTF-8: choose another name", target.display())))?;
    let file = make(&part).map_err(failed)?;
    let copied = copy(path, name).and_then(|()| publish(&file, &part, target).map_err(failed));
    if copied.is_err() {
        // That it could not be removed changes nothing about the reason.
        let _ = std::fs::remove_file(&part);
    }
    copied
}

/// Where a copy is written: beside its place, so that it can be given its name at once.
fn beginning(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Makes the file, empty, for this user alone, and locks it. What a run left that was killed is removed; its lock went with it.
fn make(part: &Path) -> IoResult<File> {
    let busy = || Error::new(ErrorKind::ResourceBusy, format!("another backup is writing {}", part.display()));
    let lock = |file: &File| match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(Errno::WOULDBLOCK) => Err(busy()),
        Err(error) => Err(error.into()),
    };
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    match OpenOptions::new().write(true).custom_flags(no_follow).open(part) {
        Ok(left) => {
            lock(&left)?;
            std::fs::remove_file(part)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    lock(&file)?;
    // Another run may have removed it before it was locked.
    match Identity::of_file(&file)?.standing_at(part)? {
        Standing::InPlace => Ok(file),
        Standing::Missing | Standing::Linked | Standing::Replaced => Err(busy()),
    }
}

/// `VACUUM INTO` takes an empty file.
fn copy(path: &Path, name: &str) -> Result<(), StoreError> {
    let mut connection = establish(path)?;
    diesel::sql_query("VACUUM INTO $1").bind::<Text, _>(name).execute(&mut connection)?;
    Ok(())
}

/// Gives a copy its name, both on disk: `VACUUM INTO` itself waits for neither.
fn publish(file: &File, part: &Path, target: &Path) -> IoResult<()> {
    file.sync_all()?;
    match renameat_with(CWD, part, CWD, target, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        // Not every file system can refuse to replace a file.
        Err(Errno::INVAL | Errno::NOSYS) if !target.try_exists()? => std::fs::rename(part, target)?,
        Err(error) => return Err(error.into()),
    }
    sync_folder(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection as _;
    use std::fs;

    #[test]
    fn what_a_killed_run_left_is_written_over_and_what_another_run_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        establish(&path("a.db")).unwrap().batch_execute("CREATE TABLE lines (line TEXT)").unwrap();
        fs::write(path("copy.db.part"), "half a copy").unwrap();
        backup(&path("a.db"), &path("copy.db")).unwrap();
        assert!(!path("copy.db.part").exists());
        establish(&path("copy.db")).unwrap().batch_execute("SELECT line FROM lines").unwrap();

        let other = make(&path("second.db.part")).unwrap();
        let refused = backup(&path("a.db"), &path("second.db")).unwrap_err();
        assert!(refused.to_string().contains("another backup"), "{refused}");
        assert!(path("second.db.part").exists() && !path("second.db").exists());
        drop(other);
        backup(&path("a.db"), &path("second.db")).unwrap();

        std::os::unix::fs::symlink(path("elsewhere"), path("third.db.part")).unwrap();
        assert!(backup(&path("a.db"), &path("third.db")).is_err(), "nothing is written through a link");
        assert!(!path("elsewhere").exists());
    }

    #[test]
    fn a_file_that_came_to_be_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (part, target) = (folder.path().join("copy.db.part"), folder.path().join("copy.db"));
        let file = make(&part).unwrap();
        fs::write(&target, "another").unwrap();
        assert!(publish(&file, &part, &target).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "another");
    }
}
