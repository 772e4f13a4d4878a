//! One server process per SQLite file.
//!
//! A server answers from its memory what it read a moment ago. On an SQLite file nobody tells it of the changes of others, so
//! it holds a lock on the file for as long as it runs, which the kernel drops with the process. That the path still leads to
//! the locked file is looked at every half second, and memory may be used until [`LEASE`] after a look that *began* by then.
//!
//! PostgreSQL needs no such lock: servers that share a database follow the log of each other's changes ([`crate::nodes`]).

mod restore;
mod sqlite;

pub use restore::{Before, Copied, Restoration};

use crate::backend::sqlite::LogFiles;
use crate::boottime::boottime_nanos;
use crate::error::StoreError;
use crate::store::Store;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
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
    orders: Sender<Order>,
    database: Arc<File>,
    thread: std::thread::JoinHandle<()>,
}

/// From now on watch this log too, and say when it has begun.
struct Order {
    log: Weak<LogFiles>,
    begun: Sender<()>,
}

/// How a database is lost for good to the process that served it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Another file is in its place.
    #[error("the database file was replaced while it was in use: restart the server to use the new file")]
    Replaced,
    /// Its log is another one, or gone.
    #[error(
        "the log of the database file (what has its name and -wal or -shm) was removed or replaced while it was in use: \
         start again, and leave these files alone while a server runs"
    )]
    LogReplaced,
    /// Another file was copied over it.
    #[error(
        "the database file was overwritten while it was in use, and is a mixture of two databases now: remove it, with what \
         has its name and -wal or -shm, restore a backup while no server runs, then remove what has its name and .overwritten"
    )]
    Overwritten,
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

    /// From now on watches what an open store depends on besides: that its log is where it was, and that nothing is written to
    /// the file past SQLite.
    pub fn watch(&self, store: &Store) {
        if let Some(log) = store.log_files() {
            self.watch_log(log);
        }
    }

    fn watch_log(&self, log: &Arc<LogFiles>) {
        let (begun, has_begun) = channel();
        let holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let order = Order { log: Arc::downgrade(log), begun };
        // Where the file is lost or the lock released, there is nothing to watch.
        let Some(holding) = holding.as_ref() else { return };
        if let Err(error) = log.watch_header(&holding.database) {
            tracing::warn!(%error, "the header of the database file cannot be read: that it is overwritten goes unnoticed");
        }
        if holding.orders.send(order).is_ok() {
            let _ = has_begun.recv();
        }
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
        if let Some(Holding { orders, thread, database: _ }) = holding {
            drop(orders);
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
            Some(holder) => write!(f, "another process ({holder}) is using this database: stop it first"),
            None => f.write_str("another process is using this database: stop it first"),
        }
    }
}
