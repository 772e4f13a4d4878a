//! Turns at what units of work lock first, waited for inside the process, before a connection is taken.
//!
//! Nearly every unit locks the end of an audit trail, or the repository it submits to, so those of one organisation go one
//! after the other whatever they do. Were they to wait for that lock at the server, each on a connection of its own, one busy
//! organisation would hold the whole pool, and every commit would wake a crowd. The lock remains what it is for: other nodes
//! wait for it, and a unit that takes another lock first.

use crate::error::{OutageKind, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use token_domain::execution::RepositoryName;
use token_domain::id::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Units in one queue that may have begun: one that holds the lock, and one that stands in front of it and goes on as soon as
/// the server has committed the first, without a round trip between.
const MOST_BEGUN: usize = 2;

/// What a unit locks first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Queue {
    /// The end of an organisation's trail, or of the deployment's.
    Trail(Option<OrganizationId>),
    /// An organisation's repository.
    Repository(OrganizationId, RepositoryName),
}

/// The queues. One that nobody is in is forgotten.
pub(super) struct Turns {
    queues: Mutex<HashMap<Queue, Weak<Semaphore>>>,
    begun: usize,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
    /// How long it was waited for.
    pub(super) waited: Duration,
}

impl Turns {
    /// Queues in front of a pool of `connections` connections. Of two or more, one queue leaves at least one to the others.
    pub(super) fn new(connections: usize) -> Self {
        Self { queues: Mutex::default(), begun: connections.saturating_sub(1).clamp(1, MOST_BEGUN) }
    }

    /// Waits for a turn, at most so long; first come, first served.
    pub(super) async fn take(&self, queue: Queue, wait_timeout: Duration) -> Result<Turn, StoreError> {
        let since = Instant::now();
        match timeout(wait_timeout, self.queue(queue).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit, waited: since.elapsed() }),
            Ok(Err(_closed)) => Err(StoreError::outage(OutageKind::Closed, "the store is closed")),
            Err(_elapsed) => {
                Err(StoreError::outage(OutageKind::Timeout, "the changes in front of this one took too long"))
            }
        }
    }

    fn queue(&self, queue: Queue) -> Arc<Semaphore> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = queues.get(&queue).and_then(Weak::upgrade) {
            return known;
        }
        // Before the table grows it is looked through, which keeps it in proportion to the queues in use.
        if queues.len() == queues.capacity() {
            queues.retain(|_, queue| queue.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(self.begun));
        queues.insert(queue, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use uuid::Uuid;

    const SOON: Duration = Duration::from_millis(5);
    const LATE: Duration = Duration::from_mins(1);

    const fn trail(number: u128) -> Queue {
        Queue::Trail(Some(OrganizationId::from_uuid(Uuid::from_u128(number))))
    }

    #[tokio::test]
    async fn a_busy_trail_holds_up_nobody_else() {
        let turns = Turns::new(4);
        let first = turns.take(trail(1), SOON).await.unwrap();
        let _second = turns.take(trail(1), SOON).await.unwrap();
        for other in [trail(2), Queue::Trail(None)] {
            assert!(turns.take(other, LATE).now_or_never().is_some());
        }
        let error = turns.take(trail(1), SOON).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        drop(first);
        assert!(turns.take(trail(1), LATE).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_came_first_goes_first() {
        let turns = Turns::new(2);
        let held = turns.take(trail(1), SOON).await.unwrap();
        let (early, late) = (turns.take(trail(1), LATE), turns.take(trail(1), LATE));
        tokio::pin!(early, late);
        assert!(early.as_mut().now_or_never().is_none());
        assert!(late.as_mut().now_or_never().is_none());
        drop(held);
        assert!(late.as_mut().now_or_never().is_none());
        assert!(early.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn queues_that_nobody_is_in_are_forgotten() {
        let turns = Turns::new(4);
        let _held = turns.take(trail(0), SOON).await.unwrap();
        for number in 1..10_000 {
            turns.take(trail(number), SOON).await.unwrap();
        }
        let queues = turns.queues.lock().unwrap();
        assert!(queues.len() < 100, "{}", queues.len());
        assert!(queues[&trail(0)].strong_count() > 0);
    }
}
