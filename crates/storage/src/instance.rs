//! One server process per database.
//!
//! A server answers from its memory what it read a moment ago. That is right only while nobody else changes the
//! database, so a server holds a lock for as long as it runs: on SQLite a lock on the database file, which the kernel drops
//! with the process; on PostgreSQL an advisory lock of a session. Both are proved again every half second. Between "the session
//! is gone" and "we noticed" lies the danger, and a lease closes it: the holder trusts itself only until
//! [`LEASE`] after it *sent* the last proof that was answered, and whoever takes over from a holder that did not say
//! goodbye waits that long first.

mod postgresql;
mod sqlite;

use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use crate::url::{DatabaseUrl, Target};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{sleep, timeout};

pub use crate::registration::Registration;

/// How long a proof of holding the lock is good for.
pub const LEASE: Duration = Duration::from_secs(2);
/// Between two looks at whether the first proof has come, and how long it may take.
const PROOF_PAUSE: Duration = Duration::from_millis(2);
const PROOF_WAIT: Duration = Duration::from_secs(10);

/// The right to serve this database, until dropped, released or lost.
pub struct InstanceLock {
    /// The moment, in nanoseconds of `CLOCK_BOOTTIME`, up to which the lock is certainly ours.
    good_until: Arc<AtomicI64>,
    lost: watch::Receiver<Option<Lost>>,
    /// What changes are compared with; on SQLite the lock on the file is enough.
    registration: Option<Registration>,
    holding: Mutex<Option<Holding>>,
}

/// What keeps the lock.
enum Holding {
    /// The thread that holds the locked file and watches over it, told to end by its sender's end.
    File { stop: std::sync::mpsc::Sender<()>, thread: std::thread::JoinHandle<()> },
    /// The thread that proves a session, told to end by its sender's end.
    Session { stop: oneshot::Sender<()>, ended: oneshot::Receiver<()>, beat: Arc<Notify> },
}

/// How a database is lost for good to the process that served it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Another process has, or has had, it.
    #[error("another process has taken over this database: make sure that one process serves it")]
    TakenOver,
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
    /// The server is reached through something that deals out its connections, one for each transaction.
    #[error(
        "the database is reached through a pooler in transaction mode, which breaks the lock that keeps a second server \
         out: use the pooler's session mode, or name PostgreSQL itself in database.url"
    )]
    TransactionPooler,
    /// It could not be asked for.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Another process serves the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyRunning {
    /// Who says to be it: the `holder` given when it took the lock.
    pub holder: Option<String>,
}

impl InstanceLock {
    /// Takes the lock. `holder` is shown to whoever comes second (process id, host) and **must differ between any two
    /// starts** on PostgreSQL: by it a holder that lost its session tells whether anyone was there since.
    ///
    /// After a holder that ended without releasing, this waits for [`LEASE`].
    ///
    /// # Errors
    /// [`AlreadyRunning`], or the database cannot be reached.
    pub async fn acquire(url: &DatabaseUrl, holder: &str) -> Result<Self, AcquireError> {
        match url.target() {
            Target::Sqlite(path) => sqlite::acquire(path, holder),
            Target::PostgreSql(server) => postgresql::acquire((**server).clone(), holder.to_owned()).await,
        }
    }

    /// Whether the lock is ours at this moment. An atomic load and a reading of the clock that runs through suspension.
    pub fn is_current(&self) -> bool {
        let good_until = self.good_until.load(Ordering::Acquire);
        boottime_nanos() < good_until
    }

    /// The shared deadline behind [`is_current`](Self::is_current), in nanoseconds of `CLOCK_BOOTTIME`: for those who
    /// have read that clock already.
    pub fn good_until(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.good_until)
    }

    /// What a store that serves under this lock compares its changes with ([`Store::open_registered`]). `None`: nothing has
    /// to be compared, as the lock cannot be lost while the process runs.
    ///
    /// [`Store::open_registered`]: crate::Store::open_registered
    pub fn registration(&self) -> Option<Registration> {
        self.registration.clone()
    }

    /// Waits until the lock is proved. On an empty database it is not before the tables are made; call this once they are.
    ///
    /// # Errors
    /// The proof did not come in time.
    pub async fn proved(&self) -> Result<(), StoreError> {
        if let Some(Holding::Session { beat, .. }) = &*self.holding.lock().unwrap_or_else(PoisonError::into_inner) {
            beat.notify_one();
        }
        let proof = async {
            while !self.is_current() {
                sleep(PROOF_PAUSE).await;
            }
        };
        timeout(PROOF_WAIT, proof).await.map_err(|_| {
            StoreError::outage(
                OutageKind::Timeout,
                "the instance lock could not be proved: PostgreSQL is too slow, or its tables are of an older version (`nolapse-api migrate status`)",
            )
        })
    }

    /// Resolves when the database is lost for good. The server must end: what it remembers may be wrong. Losing the
    /// connection, or a file that is moved away, is not that; then [`is_current`](Self::is_current) is false until the lock
    /// is proved again.
    pub async fn lost(&self) -> Lost {
        let mut lost = self.lost.clone();
        let verdict = lost.wait_for(Option::is_some).await.ok().and_then(|verdict| *verdict);
        match verdict {
            Some(verdict) => verdict,
            // The proving thread ended without a verdict, which only happens on release.
            None => std::future::pending().await,
        }
    }

    /// Gives the lock back and notes that it was, so that the next process need not wait.
    pub async fn release(&self) {
        self.good_until.store(0, Ordering::Release);
        let holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner).take();
        match holding {
            Some(Holding::Session { stop, ended, .. }) => {
                drop(stop);
                drop(ended.await);
            }
            Some(Holding::File { stop, thread }) => {
                drop(stop);
                // At once: it only waits for this.
                drop(thread.join());
            }
            None => {}
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
