//! How often the database was asked: for metrics, and for tests that promise "no read here".

use crate::error::{Outage, OutageKind, StoreError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts since the store was opened. Each only grows.
#[derive(Debug, Default)]
pub struct StoreCounters {
    candidate_reads: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    commits: AtomicU64,
    unknown_commits: AtomicU64,
    lane_reads: AtomicU64,
    lane_refusals: AtomicU64,
    foreign_commits: AtomicU64,
    doubts: AtomicU64,
    disk_trouble: AtomicBool,
}

impl StoreCounters {
    /// Look-ups of a presented token ([`Store::candidates`](crate::Store::candidates)).
    pub fn candidate_reads(&self) -> u64 {
        self.candidate_reads.load(Ordering::Relaxed)
    }

    /// Other units of reading.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Units of work begun, committed or not.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Transactions committed. Fewer than [`writes`](Self::writes) where SQLite commits several units together.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Commits of which nobody knows whether they took effect: the connection was lost on the way, or an operator cancelled the
    /// wait for a standby.
    pub fn unknown_commits(&self) -> u64 {
        self.unknown_commits.load(Ordering::Relaxed)
    }

    pub(crate) fn count_unknown_commit(&self) {
        self.unknown_commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Reads that may look at many rows, taken into their lane.
    pub fn lane_reads(&self) -> u64 {
        self.lane_reads.load(Ordering::Relaxed)
    }

    /// Such reads that were refused because too many waited.
    pub fn lane_refusals(&self) -> u64 {
        self.lane_refusals.load(Ordering::Relaxed)
    }

    /// SQLite: how often another program was seen to have written to the file.
    pub fn foreign_commits(&self) -> u64 {
        self.foreign_commits.load(Ordering::Relaxed)
    }

    /// SQLite: how often others may have changed the file unheard: a commit of another program was seen, or the connection
    /// that would have shown one was lost. Whatever was read before is in doubt.
    pub fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    pub(crate) fn count_foreign_commit(&self) {
        self.foreign_commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_doubt(&self) {
        self.doubts.fetch_add(1, Ordering::Release);
    }

    /// Whether the last change that came to writing failed for want of room, or because the disk or the file is not as it
    /// should be.
    pub(crate) fn has_disk_trouble(&self) -> bool {
        self.disk_trouble.load(Ordering::Relaxed)
    }

    /// Notes how something that writes ended.
    pub(crate) fn note_write<T>(&self, result: &Result<T, StoreError>) {
        if let Err(StoreError::Unavailable(Outage { kind: OutageKind::Disk, .. })) = result {
            self.disk_trouble.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn count_lane_read(&self) {
        self.lane_reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_lane_refusal(&self) {
        self.lane_refusals.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_candidate_read(&self) {
        self.candidate_reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// A commit shows that there is room.
    pub(crate) fn count_commit(&self) {
        self.disk_trouble.store(false, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}
