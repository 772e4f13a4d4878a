//! The proof, carried by every change, that this process still is the server of the database.
//!
//! The instance lock alone cannot stop a change that is under way: a process that was stopped, or cut off from its lock's
//! session only, goes on using the connections of its pool. So each server that takes the lock raises the epoch in the
//! row of the log's clock, and each change takes its numbers of the log under the epoch of its server. The row is locked
//! until the change commits, so a successor either waits for that commit before it reads anything, or has raised the
//! epoch first, and then the change fails.

use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a store compares its changes with. Clones share the state of one lock.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The epoch this process serves in; 0 until the row could be raised.
    epoch: Arc<AtomicI64>,
    /// The moment, in nanoseconds of `CLOCK_BOOTTIME`, up to which the lock is certainly ours.
    good_until: Arc<AtomicI64>,
}

impl Registration {
    pub(crate) fn new(good_until: Arc<AtomicI64>) -> Self {
        Self { epoch: Arc::new(AtomicI64::new(0)), good_until }
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn begin(&self, epoch: i64) {
        self.epoch.store(epoch, Ordering::Release);
    }

    /// The epoch a change is made in.
    ///
    /// # Errors
    /// The lock is not proved at this moment: whether somebody else serves the database is not known.
    pub(crate) fn current(&self) -> Result<i64, StoreError> {
        let epoch = self.epoch();
        if epoch == 0 || boottime_nanos() >= self.good_until.load(Ordering::Acquire) {
            return Err(StoreError::outage(
                OutageKind::Superseded,
                "the instance lock is not proved at the moment: nothing is changed without it",
            ));
        }
        Ok(epoch)
    }
}
