//! The lock on an SQLite database, and the thread that watches over its file.
//!
//! The lock is on the database file itself (`flock`): it holds whatever path leads there, by a hard link or a second mount,
//! and nobody can remove it. The kernel drops it with the process. Beside it, `<file>.lock` says who holds it; it is locked
//! as well, because versions before this one lock nothing else.
//!
//! SQLite locks the same file by other means (`fcntl`), which do not meet `flock`. But closing *any* descriptor of a file
//! takes a process's `fcntl` locks on it away, so the lock is taken before a store is opened and given back after it is
//! closed.

use super::{AcquireError, AlreadyRunning, Holding, InstanceLock, LEASE, Lost, Order};
use crate::backend::sqlite::{Identity, LogFiles, Standing, beside, mark};
use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Result as IoResult, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks at the file.
const BEAT: Duration = Duration::from_millis(500);

/// What the thread works with. The files are unlocked when it ends.
struct Watchman {
    path: PathBuf,
    identity: Identity,
    good_until: Arc<AtomicI64>,
    lost: watch::Sender<Option<Lost>>,
    /// What was said of the file last, so that each change is logged once.
    said: Option<Standing>,
    /// The log of the store, once there is one.
    log: Weak<LogFiles>,
    _database: Arc<File>,
    _note: File,
}

pub(super) fn acquire(path: &Path, holder: &str) -> Result<InstanceLock, AcquireError> {
    // First of all: a file that is locked is made.
    mark::refuse(path)?;
    acquire_marked(path, holder)
}

/// The same of a database that may be a mixture of two, to put another in its place.
pub(super) fn acquire_marked(path: &Path, holder: &str) -> Result<InstanceLock, AcquireError> {
    let lock_path = beside(path, ".lock");
    let mut note = open(&lock_path)?;
    if !lock(&note, &lock_path)? {
        return Err(AcquireError::AlreadyRunning(running(&mut note)));
    }
    let database = open(path)?;
    if !lock(&database, path)? {
        return Err(AcquireError::AlreadyRunning(running(&mut note)));
    }
    let identity = Identity::of_file(&database).map_err(|error| unusable(path, &error))?;
    match identity.standing_at(path) {
        Ok(Standing::InPlace) => {}
        Ok(standing) => return Err(StoreError::outage(OutageKind::Disk, standing.to_string()).into()),
        Err(error) => return Err(unusable(path, &error).into()),
    }
    note.set_len(0).and_then(|()| writeln!(note, "{holder}")).map_err(|error| unusable(&lock_path, &error))?;

    let good_until = Arc::new(AtomicI64::new(0));
    let (tell_lost, lost) = watch::channel(None);
    let (orders, received) = channel();
    let database = Arc::new(database);
    let mut watchman = Watchman {
        path: path.to_owned(),
        identity,
        good_until: Arc::clone(&good_until),
        lost: tell_lost,
        said: None,
        log: Weak::new(),
        _database: Arc::clone(&database),
        _note: note,
    };
    watchman.look();
    let thread = std::thread::Builder::new()
        .name("storage-instance".to_owned())
        .spawn(move || watchman.watch(&received))
        .map_err(|error| StoreError::Broken(format!("the database file cannot be watched: {error}")))?;
    let holding = Mutex::new(Some(Holding { orders, database, thread }));
    Ok(InstanceLock { good_until, lost, holding })
}

fn open(path: &Path) -> Result<File, StoreError> {
    let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    opened.map_err(|error| unusable(path, &error))
}

/// Whether it is locked now; false when somebody else has it.
fn lock(file: &File, path: &Path) -> Result<bool, StoreError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(unusable(path, &error.into())),
    }
}

fn running(note: &mut File) -> AlreadyRunning {
    let mut text = String::new();
    // What it says is a courtesy: unreadable, it is left out.
    let holder = note.read_to_string(&mut text).ok().map(|_| text.trim().to_owned());
    AlreadyRunning { holder: holder.filter(|holder| !holder.is_empty()) }
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::outage(OutageKind::Disk, format!("{} cannot be locked: {error}", path.display()))
}

impl Watchman {
    /// Until it is told to stop, or the database is lost.
    fn watch(mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(BEAT) {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn obey(&mut self, Order { log, begun }: Order) {
        self.log = log;
        // The one who gave the order may have gone.
        let _ = begun.send(());
    }

    /// Looks whether the path still leads to the file that is locked, and the file is what it was. Memory may be used for
    /// [`LEASE`] after a look that *began* by then, so that a thread that is held up does not vouch for what it has not seen.
    fn look(&mut self) {
        if self.lost.borrow().is_some() {
            return;
        }
        let begun = boottime_nanos();
        let (standing, lost) = match self.seen() {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(%error, "the database file cannot be checked");
                return;
            }
        };
        if let Some(lost) = lost {
            if lost == Lost::LogReplaced
                && let Some(log) = self.log.upgrade()
            {
                log.save();
            }
            self.good_until.store(0, Ordering::Release);
            self.lost.send_replace(Some(lost));
            return;
        }
        match standing {
            Standing::InPlace => {
                let lease = i64::try_from(LEASE.as_nanos()).unwrap_or(0);
                self.good_until.store(begun.saturating_add(lease), Ordering::Release);
            }
            Standing::Missing | Standing::Linked | Standing::Replaced => self.good_until.store(0, Ordering::Release),
        }
        let before = self.said.replace(standing);
        match (before == Some(standing), standing) {
            (true, _) => {}
            (false, Standing::InPlace) if before.is_none() => {}
            (false, Standing::InPlace) => tracing::info!("{standing} again: tokens are answered from memory again"),
            (false, Standing::Missing | Standing::Linked | Standing::Replaced) => {
                tracing::error!("{standing}; no validation is answered from memory until it is back");
            }
        }
    }

    /// How the file stands, and whether it is lost for good.
    fn seen(&mut self) -> IoResult<(Standing, Option<Lost>)> {
        let standing = self.identity.standing_at(&self.path)?;
        let lost = match standing {
            Standing::Replaced => Some(Lost::Replaced),
            // Moved as a whole, perhaps: the log is looked at when the file is back.
            Standing::Missing => None,
            Standing::InPlace | Standing::Linked => match self.log.upgrade() {
                Some(log) if log.is_overwritten() => Some(Lost::Overwritten),
                Some(log) if !log.are_in_place()? => {
                    // The writer compares the header all the time. The contents of a removed log are saved to the file, but
                    // not if another file was copied over it in the meantime.
                    let is_ours = log.check_header(|| true).is_ok();
                    Some(if is_ours || !log.is_overwritten() { Lost::LogReplaced } else { Lost::Overwritten })
                }
                Some(_) | None => None,
            },
        };
        Ok((standing, lost))
    }
}
