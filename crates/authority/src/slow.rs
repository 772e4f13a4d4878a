//! The bounded lane for slow hashes: bcrypt and argon2 never run on a request worker, never more at once than the
//! lane is wide, and never queue without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::Failure;

/// How wide and how long the lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneLimits {
    /// Hashes computed at once.
    pub width: usize,
    /// Callers that may wait for a place; one more is turned away.
    pub queue: usize,
}

/// The lane. Clones share it.
#[derive(Clone, Debug)]
pub struct SlowLane {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    runs: AtomicU64,
    refused: AtomicU64,
    runtime: Handle,
}

/// Leaves the queue when dropped, also when the caller went away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SlowLane {
    /// A lane whose work runs on the blocking threads of `runtime`.
    pub fn new(limits: LaneLimits, runtime: Handle) -> Self {
        let inner = Inner {
            places: Arc::new(Semaphore::new(limits.width.max(1))),
            waiting: AtomicUsize::new(0),
            queue: limits.queue,
            runs: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            runtime,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Runs a slow computation in the lane. Once it has a place it keeps it until it is done, even if the caller is
    /// gone: the width is a promise about this machine, not about who is listening.
    ///
    /// # Errors
    /// [`Failure::Busy`] when the queue is full, [`Failure::Lost`] when the computation panicked.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = if let Ok(place) = Arc::clone(&self.inner.places).try_acquire_owned() {
            place
        } else {
            let ahead = self.inner.waiting.fetch_add(1, Ordering::Relaxed);
            let _waiting = Waiting(&self.inner.waiting);
            if ahead >= self.inner.queue {
                self.inner.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Failure::Busy);
            }
            Arc::clone(&self.inner.places).acquire_owned().await.map_err(|_| Failure::Busy)?
        };
        self.inner.runs.fetch_add(1, Ordering::Relaxed);
        let task = self.inner.runtime.spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        });
        task.await.map_err(|error| Failure::Lost(error.to_string()))
    }

    /// Whether a computation started now would run at once.
    pub fn is_idle(&self) -> bool {
        self.inner.places.available_permits() > 0
    }

    /// How many slow computations were started since the process began.
    pub fn runs(&self) -> u64 {
        self.inner.runs.load(Ordering::Relaxed)
    }

    /// How many callers were turned away.
    pub fn refused(&self) -> u64 {
        self.inner.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn turns_away_what_does_not_fit() {
        let lane = SlowLane::new(LaneLimits { width: 1, queue: 1 }, Handle::current());
        let (go, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move || wait.recv().is_ok()).await }
        });
        while lane.runs() == 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(|| 2).await }
        });
        while lane.inner.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(lane.run(|| 3).await, Err(Failure::Busy)));
        assert_eq!((lane.runs(), lane.refused()), (1, 1));
        go.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(lane.inner.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_panic_costs_no_place() {
        let lane = SlowLane::new(LaneLimits { width: 1, queue: 0 }, Handle::current());
        assert!(matches!(lane.run(|| panic!("bad hash")).await, Err::<(), _>(Failure::Lost(_))));
        assert!(matches!(lane.run(|| 1).await, Ok(1)));
    }
}
