//! The ledger of revocations, outside of the database: so that putting an older copy of the database back revives nothing.
//!
//! An event that takes rights away is appended to a file, on disk, after its commit and before the answer. One thread writes: while
//! it waits for the disk others queue up, and the next sync is for all of them. At a start, and when another database takes the
//! place of the one that was followed, the newest entries are compared with the audit trails, which say by number and hash what
//! the database has heard of. What it has not, is [repeated](crate::replay).
//!
//! A node writes the entries of its own changes. The log that nodes follow says what is touched, not what was done, so entries of
//! others would have to be read from the trails again; and every node compares its own ledger, so together they have everything.
//!
//! A disk that fails stops no revocation: it is committed, it holds, and it is answered. What could not be written is kept in
//! memory, tried again with the next entries, and said at every opportunity.

pub(crate) mod kinds;

use std::collections::VecDeque;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use audit_trail::chain::hex;
use audit_trail::ledger::{Entry, Folder, Limits, Writer};
use storage::Tx;
use token_domain::Timestamp;
use token_domain::record::AuditRecord;
use tokio::sync::oneshot;

use crate::error::Failure;

pub use audit_trail::ledger as format;

/// Between two attempts to write what waits for a disk that fails.
const AGAIN: Duration = Duration::from_secs(10);
/// The most entries that wait for a disk that fails. The oldest beyond are dropped; the next start adds those of them that the audit
/// trails have and that are less than a minute older than the newest entry.
const MOST_WAITING: usize = 10_000;

/// The ledger of this process. Ends with its last clone.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    folder: Folder,
    database: Arc<OnceLock<String>>,
    orders: Mutex<Sender<Order>>,
    counts: Arc<Counts>,
    /// One comparison at a time: the second finds nothing to do.
    settling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Counts {
    written: AtomicU64,
    failures: AtomicU64,
    waiting: AtomicU64,
    repeated: AtomicU64,
}

/// Comparisons of the ledger with a database that took the place of another, under a running server. Until they end, what is
/// read there may have been revoked, and is not answered.
#[derive(Debug, Default)]
pub struct Comparisons {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Comparisons {
    /// How many were begun. Take it before a read.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Whether what was read meanwhile may be answered. `begun` was taken before the read.
    ///
    /// # Errors
    /// [`Failure::Comparing`] if one was under way at any moment of it.
    pub fn check(&self, begun: u64) -> Result<(), Failure> {
        // In this order: one that begins after the first look has a number of its own.
        let ended = self.ended.load(Ordering::Acquire);
        if self.begun() == begun && ended == begun { Ok(()) } else { Err(Failure::Comparing) }
    }

    /// Whether one is under way.
    pub fn is_under_way(&self) -> bool {
        self.check(self.begun()).is_err()
    }

    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::AcqRel);
    }

    /// Ends those that had begun when `begun` was taken: one comparison is for all of them.
    pub(crate) fn end(&self, begun: u64) {
        self.ended.fetch_max(begun, Ordering::AcqRel);
    }
}

/// Something for the thread to do, and whom to tell.
enum Order {
    /// Writes entries; without any, begins the first part.
    Write { entries: Vec<Entry>, now: Timestamp, done: oneshot::Sender<()> },
    /// Says what could not be written of all that was ordered before.
    Waiting(oneshot::Sender<Vec<Entry>>),
}

/// Resolves when what was committed is in the ledger, or could not be written.
pub(crate) type Written = oneshot::Receiver<()>;

impl Ledger {
    /// Writes to a folder, which is made with the first entry.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(folder: Folder, limits: Limits) -> std::io::Result<Self> {
        let (orders, received) = channel();
        let (database, counts) = (Arc::default(), Arc::new(Counts::default()));
        let thread = Thread {
            writer: Writer::new(folder.clone(), limits),
            database: Arc::clone(&database),
            counts: Arc::clone(&counts),
            waiting: VecDeque::new(),
            newest: Timestamp::from_micros(0),
        };
        std::thread::Builder::new().name("ledger".to_owned()).spawn(move || thread.run(&received))?;
        Ok(Self(Arc::new(Inner {
            folder,
            database,
            orders: Mutex::new(orders),
            counts,
            settling: tokio::sync::Mutex::default(),
        })))
    }

    /// Where it is.
    pub fn folder(&self) -> &Folder {
        &self.0.folder
    }

    /// How many entries this process has written.
    pub fn written(&self) -> u64 {
        self.0.counts.written.load(Ordering::Relaxed)
    }

    /// How often entries could not be written.
    pub fn failures(&self) -> u64 {
        self.0.counts.failures.load(Ordering::Relaxed)
    }

    /// How many entries wait for a disk that fails.
    pub fn waiting(&self) -> u64 {
        self.0.counts.waiting.load(Ordering::Relaxed)
    }

    /// How many changes this process has repeated because the database had lost them.
    pub fn repeated(&self) -> u64 {
        self.0.counts.repeated.load(Ordering::Relaxed)
    }

    /// Has the events of a unit of work written once it is committed, and never if it is not.
    pub(crate) fn follow(&self, tx: &mut Tx, now: Timestamp) -> Option<Written> {
        let records = tx.take_events();
        let is_new = self.is_first(&records);
        let (gives, entries): (Vec<Entry>, Vec<Entry>) =
            records.iter().filter_map(kinds::entry).partition(kinds::gives_back);
        if is_new || !gives.is_empty() {
            // Written only once the change is committed: an entry that gives back keeps a replay from taking away again. The first
            // change of a deployment begins its ledger, even without an entry, so that the ledger covers all that follows.
            let (ledger, done) = (self.clone(), oneshot::channel().0);
            tx.afterwards(move || ledger.send(Order::Write { entries: gives, now, done }));
        }
        if entries.is_empty() {
            return None;
        }
        let (done, written) = oneshot::channel();
        let ledger = self.clone();
        // Where nobody knows whether it is committed, too: the request may be repeated, find it done, and record nothing. If it is
        // not, the entry repeats what somebody asked for who had the right to it.
        tx.afterwards_or_unknown(move || ledger.send(Order::Write { entries, now, done }));
        Some(written)
    }

    /// Held by a comparison.
    pub(crate) async fn settling(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.settling.lock().await
    }

    /// Writes entries that the database has. Without any it makes the folder and its first part.
    pub(crate) async fn catch_up(&self, entries: Vec<Entry>, now: Timestamp) {
        let (done, written) = oneshot::channel();
        self.send(Order::Write { entries, now, done });
        // The thread says by itself what goes wrong.
        written.await.ok();
    }

    /// What was ordered before this call and could not be written. The rest is in the files when this returns.
    pub(crate) async fn waiting_entries(&self) -> Vec<Entry> {
        let (done, waiting) = oneshot::channel();
        self.send(Order::Waiting(done));
        waiting.await.unwrap_or_default()
    }

    /// Counts changes that were repeated.
    pub(crate) fn note_repeated(&self, changes: u64) {
        self.0.counts.repeated.fetch_add(changes, Ordering::Relaxed);
    }

    /// Whether a deployment begins with these events. The first of its own trail tells it from others: every copy has it.
    fn is_first(&self, records: &[AuditRecord]) -> bool {
        let first = records.iter().find(|record| record.organization_id.is_none() && record.seq == 1);
        if let Some(first) = first {
            self.identify(hex(&first.hash));
        }
        first.is_some()
    }

    /// Says what tells the database from others.
    pub(crate) fn identify(&self, database: String) {
        // It is told once.
        let _ = self.0.database.set(database);
    }

    fn send(&self, order: Order) {
        let orders = self.0.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if orders.send(order).is_err() {
            self.0.counts.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!("the thread that writes the ledger of revocations has ended: restart the server");
        }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ledger").field(&self.0.folder).finish()
    }
}

/// The thread's own state.
struct Thread {
    writer: Writer,
    database: Arc<OnceLock<String>>,
    counts: Arc<Counts>,
    /// What could not be written yet.
    waiting: VecDeque<Entry>,
    /// The latest moment of an order.
    newest: Timestamp,
}

impl Thread {
    /// Until every sender is gone.
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let first = match orders.recv_timeout(AGAIN) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) if self.waiting.is_empty() => continue,
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (mut callers, mut curious) = (Vec::new(), Vec::new());
            let mut order = first;
            while let Some(next) = order {
                match next {
                    Order::Write { entries, now, done } => {
                        self.newest = self.newest.max(now);
                        self.waiting.extend(entries);
                        callers.push(done);
                    }
                    Order::Waiting(done) => curious.push(done),
                }
                order = orders.try_recv().ok();
            }
            if !callers.is_empty() || !self.waiting.is_empty() {
                self.write();
            }
            for asked in curious {
                // As below.
                let _ = asked.send(self.waiting.iter().cloned().collect());
            }
            for caller in callers {
                // The caller may have gone away.
                let _ = caller.send(());
            }
        }
    }

    fn write(&mut self) {
        let entries = Vec::from(take(&mut self.waiting));
        match self.writer.append(self.database.get().map(String::as_str), &entries, self.newest) {
            Ok(appended) => {
                if self.counts.waiting.swap(0, Ordering::Relaxed) > 0 {
                    tracing::info!("the ledger of revocations is written again");
                }
                self.counts.written.fetch_add(entries.len() as u64, Ordering::Relaxed);
                if appended.removed_early > 0 {
                    tracing::warn!(
                        parts = appended.removed_early,
                        "the ledger of revocations had grown beyond ledger.max_mib: its oldest parts were removed before their time"
                    );
                }
            }
            Err(error) => {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                self.waiting = entries.into();
                let surplus = self.waiting.len().saturating_sub(MOST_WAITING);
                self.waiting.drain(..surplus);
                self.counts.waiting.store(self.waiting.len() as u64, Ordering::Relaxed);
                tracing::error!(
                    %error, waiting = self.waiting.len(),
                    "the ledger of revocations cannot be written: revocations hold, but restoring an older copy would revive what they ended; make room, or make the folder writable"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_or_during_a_comparison_is_not_answered() {
        let comparisons = Comparisons::default();
        let before = comparisons.begun();
        assert!(comparisons.check(before).is_ok() && !comparisons.is_under_way());
        comparisons.begin();
        let during = comparisons.begun();
        assert!(comparisons.check(before).is_err() && comparisons.check(during).is_err() && comparisons.is_under_way());
        comparisons.begin();
        comparisons.end(during);
        assert!(comparisons.is_under_way(), "the other one is");
        comparisons.end(comparisons.begun());
        comparisons.end(during);
        assert!(comparisons.check(before).is_err() && comparisons.check(during).is_err(), "read too early");
        assert!(comparisons.check(comparisons.begun()).is_ok());
    }
}
