//! The lock file beside an SQLite database.

use super::{AcquireError, AlreadyRunning, Holding, InstanceLock};
use crate::error::{OutageKind, StoreError};
use crate::migrate::sqlite::beside;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The locked file; the kernel unlocks it when it is closed. It stays where it is: removing it would let two processes
/// lock two files of the same name.
pub(super) struct LockFile {
    _file: File,
    /// Kept so that `lost` never resolves.
    _never_lost: watch::Sender<bool>,
}

pub(super) fn acquire(path: &Path, holder: &str) -> Result<InstanceLock, AcquireError> {
    let lock_path = beside(path, ".lock");
    let unusable = |error: std::io::Error| {
        StoreError::outage(OutageKind::Disk, format!("{} cannot be locked: {error}", lock_path.display()))
    };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&lock_path)
        .map_err(unusable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // What it says is a courtesy: unreadable, it is left out.
            let holder = file.read_to_string(&mut text).ok().map(|_| text.trim().to_owned());
            let holder = holder.filter(|holder| !holder.is_empty());
            return Err(AcquireError::AlreadyRunning(AlreadyRunning { holder }));
        }
        Err(error) => return Err(unusable(error.into()).into()),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{holder}")).map_err(unusable)?;
    let (never_lost, lost) = watch::channel(false);
    Ok(InstanceLock {
        good_until: Arc::new(AtomicI64::new(i64::MAX)),
        lost,
        registration: None,
        holding: Mutex::new(Some(Holding::File(LockFile { _file: file, _never_lost: never_lost }))),
    })
}
