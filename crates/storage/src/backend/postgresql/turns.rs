//! Turns at the audit trails, which are waited for inside the process, before a connection is taken.
//!
//! Every unit of work locks the end of its trail, so those of one organisation go one after the other whatever they do. Were
//! they to wait for that lock at the server, each on a connection of its own, one busy organisation would hold the whole pool,
//! and every commit would wake a crowd. The lock remains what it is for: other nodes wait for it.

use crate::error::{OutageKind, StoreError};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use token_domain::id::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Trails that share a queue by chance share it with few others.
const QUEUES: usize = 256;

/// Units of one trail that may have begun: one that holds the lock, and one that stands in front of it and goes on as soon as
/// the server has committed the first, without a round trip between.
const AT_ONCE: usize = 2;

/// The queues.
pub(super) struct Turns {
    queues: Vec<Arc<Semaphore>>,
    hasher: RandomState,
    patience: Duration,
}

/// A place at a trail, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
}

impl Turns {
    /// Queues in front of so many connections, one of which is left to others. Nobody waits in them for longer than that.
    pub(super) fn new(connections: usize, patience: Duration) -> Self {
        let at_once = connections.saturating_sub(1).clamp(1, AT_ONCE);
        let queues = (0..QUEUES).map(|_| Arc::new(Semaphore::new(at_once))).collect();
        Self { queues, hasher: RandomState::new(), patience }
    }

    /// Waits for a turn at an organisation's trail, or at the one of the deployment: first come, first served.
    pub(super) async fn take(&self, trail: Option<OrganizationId>) -> Result<Turn, StoreError> {
        let place = timeout(self.patience, Arc::clone(self.queue(trail)).acquire_owned()).await;
        match place {
            Ok(Ok(place)) => Ok(Turn { _place: place }),
            Ok(Err(_closed)) => Err(StoreError::outage(OutageKind::Closed, "the store is closed")),
            Err(_elapsed) => {
                Err(StoreError::outage(OutageKind::Timeout, "too many changes of one organisation were ahead"))
            }
        }
    }

    fn queue(&self, trail: Option<OrganizationId>) -> &Arc<Semaphore> {
        let hash = self.hasher.hash_one(trail);
        &self.queues[usize::try_from(hash % QUEUES as u64).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_busy_trail_holds_up_nobody_else() {
        let turns = Turns::new(4, Duration::from_millis(5));
        let busy = Some(OrganizationId::from_uuid(Uuid::from_u128(0)));
        let mut others = (1..1_000).map(|number| Some(OrganizationId::from_uuid(Uuid::from_u128(number))));
        let another = others.find(|other| !Arc::ptr_eq(turns.queue(*other), turns.queue(busy))).unwrap();
        let first = turns.take(busy).await.unwrap();
        let _second = turns.take(busy).await.unwrap();
        assert!(turns.take(busy).now_or_never().is_none());
        assert!(turns.take(another).now_or_never().is_some());
        let error = turns.take(busy).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        drop(first);
        assert!(turns.take(busy).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_came_first_goes_first() {
        let turns = Turns::new(4, Duration::from_secs(3));
        let mut held: Vec<Turn> = vec![turns.take(None).await.unwrap(), turns.take(None).await.unwrap()];
        let (early, late) = (turns.take(None), turns.take(None));
        tokio::pin!(early, late);
        assert!(early.as_mut().now_or_never().is_none());
        assert!(late.as_mut().now_or_never().is_none());
        held.pop();
        assert!(late.as_mut().now_or_never().is_none());
        assert!(early.as_mut().now_or_never().is_some());
    }
}
