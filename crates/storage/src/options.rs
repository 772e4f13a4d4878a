//! How a store is opened. The defaults suit production.

use std::time::Duration;

/// Sizes and time limits of a [`Store`](crate::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// PostgreSQL: connections for units of work. Reads have one connection per worker beside them.
    pub pool_size: usize,
    /// PostgreSQL: how long opening a connection may take.
    pub connect_timeout: Duration,
    /// PostgreSQL: how long a unit of work waits for its turn at what it locks first and for a free connection, together.
    pub acquire_timeout: Duration,
    /// How long one statement may run. SQLite: a list or search in its lane, with all of its statements.
    pub statement_timeout: Duration,
    /// PostgreSQL: how long a validation waits for its read, with connecting.
    pub validation_timeout: Duration,
    /// How long a statement may wait for a lock. SQLite: for another process that holds the file.
    pub lock_timeout: Duration,
    /// PostgreSQL: how long a transaction may sit idle before the server ends it.
    pub idle_transaction_timeout: Duration,
    /// SQLite: the most units of work committed together.
    pub group_jobs: usize,
    /// SQLite: a group that has run this long takes no further unit.
    pub group_wait: Duration,
    /// SQLite: units of work that may wait for the writer; the next caller waits for room.
    pub queue_length: usize,
    /// SQLite: page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// Reads that may look at many rows and run at the same time.
    pub lane_width: usize,
    /// Those that run or wait for their turn, together; one more is refused.
    pub lane_places: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            pool_size: 4,
            connect_timeout: Duration::from_secs(2),
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            validation_timeout: Duration::from_secs(1),
            lock_timeout: Duration::from_secs(2),
            idle_transaction_timeout: Duration::from_secs(10),
            group_jobs: 64,
            group_wait: Duration::from_millis(2),
            queue_length: 1024,
            cache_kib: 8 * 1024,
            lane_width: 2,
            lane_places: 64,
        }
    }
}
