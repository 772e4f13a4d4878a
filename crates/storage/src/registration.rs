//! The right of a node to change a database that it shares.

use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
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
    followed: Arc<Followed>,
}

/// The server that the node follows. After a failover the one before may still answer, and does not know what was changed since:
/// connections to another server than this one are not used.
#[derive(Debug, Default)]
struct Followed {
    /// Of the server; empty before the first answer.
    history: Mutex<String>,
    /// Counts the histories.
    number: AtomicU64,
    has_standby: AtomicBool,
}

impl Registration {
    /// A node that has no lease yet.
    pub fn new(node: NodeId) -> Self {
        Self { node: Arc::new(Mutex::new(node)), good_until: Arc::default(), followed: Arc::default() }
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

    /// The node follows the server of this history from now on. `has_standby`: another server may take its place without losing
    /// a commit.
    pub fn follow(&self, history: &str, has_standby: bool) {
        let mut known = self.followed.history.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != history {
            history.clone_into(&mut known);
            self.followed.number.fetch_add(1, Ordering::AcqRel);
        }
        self.followed.has_standby.store(has_standby, Ordering::Release);
    }

    /// Whether the node follows the server of this history, or none so far.
    pub fn follows(&self, history: &str) -> bool {
        self.number_of(history).is_some()
    }

    /// The number of this history, if the node follows it or none so far.
    pub(crate) fn number_of(&self, history: &str) -> Option<u64> {
        let known = self.followed.history.lock().unwrap_or_else(PoisonError::into_inner);
        (known.is_empty() || *known == history).then(|| self.number())
    }

    /// The number of the history that the node follows.
    pub(crate) fn number(&self) -> u64 {
        self.followed.number.load(Ordering::Acquire)
    }

    /// Whether the commits of the server wait for a standby.
    pub(crate) fn has_standby(&self) -> bool {
        self.followed.has_standby.load(Ordering::Acquire)
    }

    /// Whether what was read before this call counts. Without a lease, a server that has a standby may have been replaced by it.
    pub(crate) fn may_read(&self) -> bool {
        !self.has_standby() || self.is_current()
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

#[cfg(test)]
mod tests {
    use super::*;
    use token_domain::id::{Id, Uuid};

    #[test]
    fn reads_count_with_a_lease_or_where_no_standby_could_have_taken_over() {
        let registration = Registration::new(Id::from_uuid(Uuid::from_u128(1)));
        assert!(registration.may_read(), "nothing is followed yet");
        for (has_standby, good_until, may_read) in
            [(false, 0, true), (false, i64::MAX, true), (true, 0, false), (true, i64::MAX, true)]
        {
            registration.follow("7/1", has_standby);
            registration.good_until().store(good_until, Ordering::Release);
            assert_eq!(registration.may_read(), may_read, "{has_standby} {good_until}");
        }
    }

    #[test]
    fn only_the_server_of_the_history_that_is_followed_counts() {
        let registration = Registration::new(Id::from_uuid(Uuid::from_u128(1)));
        assert_eq!(registration.number_of("7/1"), Some(0), "any, before the first");
        registration.follow("7/1", true);
        let first = registration.number_of("7/1");
        registration.follow("7/1", false);
        assert_eq!((registration.number_of("7/1"), registration.number_of("7/2")), (first, None));
        registration.follow("7/2", false);
        assert!(!registration.follows("7/1") && registration.number_of("7/2") > first);
    }
}
