//! The right of a node to change a database that it shares.

use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use token_domain::id::NodeId;

/// The node in whose name a store makes its changes. Clones share it.
///
/// A process that was stopped, or cut off for longer than its lease, is taken off the list, and others no longer wait for it.
/// So each change commits only if the list still has the node that makes it, and is not begun without a lease.
#[derive(Clone, Debug)]
pub struct Registration {
    node: Arc<Mutex<NodeId>>,
    good_until: Arc<AtomicI64>,
}

impl Registration {
    /// A node that has no lease yet.
    pub fn new(node: NodeId) -> Self {
        Self { node: Arc::new(Mutex::new(node)), good_until: Arc::new(AtomicI64::new(0)) }
    }

    /// The node's id at this moment. It takes another when it has to register again.
    pub fn node(&self) -> NodeId {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes another id.
    pub fn replace(&self, node: NodeId) {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = node;
    }

    /// The end of the lease, in nanoseconds of `CLOCK_BOOTTIME`: for those who have read that clock already.
    pub fn good_until(&self) -> &AtomicI64 {
        &self.good_until
    }

    /// Whether the lease lasts at this moment. An atomic load and a reading of the clock that runs through suspension.
    pub fn is_current(&self) -> bool {
        boottime_nanos() < self.good_until.load(Ordering::Acquire)
    }

    /// The node that a change is made by.
    ///
    /// # Errors
    /// The lease is over: whether the node is on the list is not known.
    pub(crate) fn current(&self) -> Result<NodeId, StoreError> {
        if self.is_current() {
            return Ok(self.node());
        }
        Err(StoreError::outage(
            OutageKind::Superseded,
            "this server's lease is over, as it could not reach PostgreSQL in time: nothing is changed without one",
        ))
    }
}
