//! One server process per SQLite file.
//!
//! A server answers from its memory what it read a moment ago. On an SQLite file nobody tells it of the changes of others, so
//! it holds a lock on the file for as long as it runs, which the kernel drops with the process. That the path still leads to
//! the locked file is looked at every half second, and memory may be used until [`LEASE`] after a look that *began* by then.
//!
//! PostgreSQL needs no such lock: servers that share a database follow the log of each other's changes ([`crate::nodes`]).

mod sqlite;

use crate::boottime::boottime_nanos;
use crate::error::StoreError;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a look at the file is good for.
pub const LEASE: Duration = Duration::from_secs(2);

/// The right to serve this file, until dropped, released or lost.
pub struct InstanceLock {
    /// The moment, in nanoseconds of `CLOCK_BOOTTIME`, up to which the lock is certainly ours.
    good_until: Arc<AtomicI64>,
    lost: watch::Receiver<Option<Lost>>,
    holding: Mutex<Option<Holding>>,
}

/// The thread that holds the locked file and watches over it, told to end by its sender's end.
struct Holding {
    stop: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

/// How a database is lost for good to the process that served it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Another file is in its place.
    #[error("the database file was replaced while it was in use: start again to serve the new one")]
    Replaced,
}

/// Why the lock was not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// Someone has it.
    #[error("{0}")]
    AlreadyRunning(AlreadyRunning),
    /// It could not be asked for.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Another process serves the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyRunning {
    /// The `holder` that the other process gave when it took the lock.
    pub holder: Option<String>,
}

impl InstanceLock {
    /// Takes the lock on an SQLite file. `holder` (process id, host) is shown to a process that tries to take it later.
    ///
    /// # Errors
    /// [`AlreadyRunning`], or the file cannot be locked.
    pub fn acquire(path: &Path, holder: &str) -> Result<Self, AcquireError> {
        sqlite::acquire(path, holder)
    }

    /// Whether the lock is ours at this moment. An atomic load and a reading of the clock that runs through suspension.
    pub fn is_current(&self) -> bool {
        let good_until = self.good_until.load(Ordering::Acquire);
        boottime_nanos() < good_until
    }

    /// Resolves when the file is lost for good. The server must end: what it remembers may be wrong. A file that is moved away
    /// is not that; then [`is_current`](Self::is_current) is false until it is back.
    pub async fn lost(&self) -> Lost {
        let mut lost = self.lost.clone();
        let verdict = lost.wait_for(Option::is_some).await.ok().and_then(|verdict| *verdict);
        match verdict {
            Some(verdict) => verdict,
            // The watching thread ended without a verdict, which only happens on release.
            None => std::future::pending().await,
        }
    }

    /// Gives the lock back.
    pub fn release(&self) {
        self.good_until.store(0, Ordering::Release);
        let holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Holding { stop, thread }) = holding {
            drop(stop);
            // At once: it only waits for this.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for InstanceLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceLock").field("is_current", &self.is_current()).finish_non_exhaustive()
    }
}

impl fmt::Display for AlreadyRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => write!(f, "another process ({holder}) serves this database: stop it first"),
            None => f.write_str("another process serves this database: stop it first"),
        }
    }
}
