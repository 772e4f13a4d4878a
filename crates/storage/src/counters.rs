//! How often the database was asked: for metrics, and for tests that promise "no read here".

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was opened. Each only grows.
#[derive(Debug, Default)]
pub struct StoreCounters {
    candidate_reads: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    commits: AtomicU64,
    lane_reads: AtomicU64,
    lane_refusals: AtomicU64,
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

    /// Reads that may look at many rows, taken into their lane.
    pub fn lane_reads(&self) -> u64 {
        self.lane_reads.load(Ordering::Relaxed)
    }

    /// Such reads that were refused because too many waited.
    pub fn lane_refusals(&self) -> u64 {
        self.lane_refusals.load(Ordering::Relaxed)
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

    pub(crate) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}
