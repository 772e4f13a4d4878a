//! The bounded lane for slow hashes: bcrypt and argon2 never run on a request worker, never more at once than the
//! lane is wide, and never queue without end.
//!
//! Each kind of work has a queue of its own, and free places go round the kinds that wait: however many keys somebody makes,
//! every fourth place at least is for people who sign in from where they did before. Of the queue for making secrets nobody takes
//! more than a share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use token_domain::record::Principal;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::Failure;

/// The part of the queue that secrets of one principal may take, those being made included: one in four. A rollout that makes
/// a few dozen tokens at once never meets it.
const SHARE_OF_ONE: usize = 4;
/// The least share of one principal, however short the queue is.
const LEAST_OF_ONE: usize = 8;
/// How many kinds of work there are.
const KINDS: usize = 4;

/// How wide and how long the lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneLimits {
    /// Hashes computed at once.
    pub width: usize,
    /// Callers of each kind that may wait for a place; one more is turned away.
    pub queue: usize,
}

/// What a slow computation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Checking the password of an attempt from a device the account was signed in to from before, or of a session.
    SignIn,
    /// Checking, or storing, the password of anybody else.
    Stranger,
    /// Making a secret for a principal.
    Creation(Principal),
    /// Checking a token whose tag does not prove it.
    Validation,
}

impl Work {
    const fn kind(self) -> usize {
        match self {
            Self::SignIn => 0,
            Self::Stranger => 1,
            Self::Creation(_) => 2,
            Self::Validation => 3,
        }
    }

    const fn principal(self) -> Option<Principal> {
        match self {
            Self::Creation(principal) => match principal {
                Principal::User(_) | Principal::Token(_) | Principal::Policy(_) => Some(principal),
                // The set-up and commands on the database, which nobody sends over the network.
                Principal::Service | Principal::System | Principal::Anonymous => None,
            },
            Self::SignIn | Self::Stranger | Self::Validation => None,
        }
    }
}

/// The lane. Clones share it.
#[derive(Clone, Debug)]
pub struct SlowLane {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queues: Mutex<Queues>,
    queue: usize,
    most_of_one: usize,
    runs: AtomicU64,
    refused: AtomicU64,
    runtime: Handle,
}

#[derive(Debug)]
struct Queues {
    free: usize,
    waiting: [VecDeque<oneshot::Sender<Place>>; KINDS],
    /// The kind whose turn is next.
    turn: usize,
    of_principal: HashMap<Principal, usize>,
}

impl Queues {
    /// Takes the longest-waiting caller of the kind whose turn it is; kinds without a waiting caller are skipped.
    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        for step in 0..KINDS {
            let kind = (self.turn + step) % KINDS;
            if let Some(first) = self.waiting[kind].pop_front() {
                self.turn = (kind + 1) % KINDS;
                return Some(first);
            }
        }
        None
    }
}

/// A place in the lane; passed on when dropped.
#[derive(Debug)]
struct Place(Option<Arc<Inner>>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        let mut queues = inner.queues();
        while let Some(first) = queues.next() {
            match first.send(Self(Some(Arc::clone(&inner)))) {
                Ok(()) => return,
                // Gone while waiting. Emptied, so that dropping it here passes nothing on.
                Err(mut place) => place.0 = None,
            }
        }
        queues.free += 1;
    }
}

/// One of the computations a principal may have at once.
struct Share<'a> {
    inner: &'a Inner,
    principal: Principal,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut queues = self.inner.queues();
        if let Some(count) = queues.of_principal.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                queues.of_principal.remove(&self.principal);
            }
        }
    }
}

impl Inner {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&self, principal: Principal) -> Result<Share<'_>, Failure> {
        let mut queues = self.queues();
        let count = queues.of_principal.entry(principal).or_default();
        if *count >= self.most_of_one {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Failure::TooManyAtOnce);
        }
        *count += 1;
        Ok(Share { inner: self, principal })
    }
}

impl SlowLane {
    /// A lane whose work runs on the blocking threads of `runtime`.
    pub fn new(limits: LaneLimits, runtime: Handle) -> Self {
        let queues = Queues {
            free: limits.width.max(1),
            waiting: std::array::from_fn(|_| VecDeque::new()),
            turn: 0,
            of_principal: HashMap::new(),
        };
        let inner = Inner {
            queues: Mutex::new(queues),
            queue: limits.queue,
            most_of_one: (limits.queue / SHARE_OF_ONE).max(LEAST_OF_ONE),
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
    /// [`Failure::Busy`] when the queue of its kind is full, [`Failure::TooManyAtOnce`] when the principal has as many under
    /// way as one may, [`Failure::Lost`] when the computation panicked.
    pub async fn run<T, F>(&self, work: Work, computation: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let _share = work.principal().map(|principal| self.inner.share(principal)).transpose()?;
        let place = match self.place_or_queue(work)? {
            Ok(place) => place,
            Err(queued) => queued.await.map_err(|_| Failure::Busy)?,
        };
        self.inner.runs.fetch_add(1, Ordering::Relaxed);
        let task = self.inner.runtime.spawn_blocking(move || {
            let result = computation();
            drop(place);
            result
        });
        task.await.map_err(|error| Failure::Lost(error.to_string()))
    }

    /// A place, or where one will arrive.
    fn place_or_queue(&self, work: Work) -> Result<Result<Place, oneshot::Receiver<Place>>, Failure> {
        let mut queues = self.inner.queues();
        if queues.free > 0 {
            queues.free -= 1;
            return Ok(Ok(Place(Some(Arc::clone(&self.inner)))));
        }
        let queue = &mut queues.waiting[work.kind()];
        if queue.len() >= self.inner.queue {
            // Those who went away while they waited keep no place.
            queue.retain(|waiting| !waiting.is_closed());
        }
        if queue.len() >= self.inner.queue {
            self.inner.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Failure::Busy);
        }
        let (sender, receiver) = oneshot::channel();
        queue.push_back(sender);
        Ok(Err(receiver))
    }

    /// Whether a computation started now would run at once.
    pub fn is_idle(&self) -> bool {
        self.inner.queues().free > 0
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

    use token_domain::Id;
    use token_domain::id::Uuid;

    use super::*;

    fn lane(width: usize, queue: usize) -> SlowLane {
        SlowLane::new(LaneLimits { width, queue }, Handle::current())
    }

    fn person(number: u128) -> Principal {
        Principal::User(Id::from_uuid(Uuid::from_u128(number)))
    }

    /// Occupies the only place until told to go on.
    async fn occupied(lane: &SlowLane) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<bool, Failure>>) {
        let (go, wait) = mpsc::channel::<()>();
        let before = lane.runs();
        let task = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(Work::Validation, move || wait.recv().is_ok()).await }
        });
        while lane.runs() == before {
            tokio::task::yield_now().await;
        }
        (go, task)
    }

    fn waiting(lane: &SlowLane) -> usize {
        lane.inner.queues().waiting.iter().map(VecDeque::len).sum()
    }

    /// Starts a computation and waits until it is queued.
    async fn queued(lane: &SlowLane, work: Work, noted: &mpsc::Sender<Work>) -> tokio::task::JoinHandle<()> {
        let before = waiting(lane);
        let (lane, noted) = (lane.clone(), noted.clone());
        let task = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(work, move || noted.send(work).unwrap()).await.unwrap() }
        });
        while waiting(&lane) == before {
            tokio::task::yield_now().await;
        }
        task
    }

    #[tokio::test]
    async fn turns_away_what_does_not_fit() {
        let lane = lane(1, 1);
        let (go, first) = occupied(&lane).await;
        let (noted, order) = mpsc::channel();
        let second = queued(&lane, Work::Validation, &noted).await;
        assert!(matches!(lane.run(Work::Validation, || 3).await, Err(Failure::Busy)));
        assert_eq!((lane.runs(), lane.refused()), (1, 1));
        go.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        second.await.unwrap();
        assert_eq!((order.recv().unwrap(), waiting(&lane), lane.is_idle()), (Work::Validation, 0, true));
    }

    #[tokio::test]
    async fn kinds_take_turns_however_many_of_one_kind_wait() {
        let lane = lane(1, 100);
        let (go, first) = occupied(&lane).await;
        let (noted, order) = mpsc::channel();
        let mut tasks = Vec::new();
        for number in 0..40 {
            tasks.push(queued(&lane, Work::Creation(person(number)), &noted).await);
        }
        for _ in 0..3 {
            tasks.push(queued(&lane, Work::Stranger, &noted).await);
        }
        for _ in 0..2 {
            tasks.push(queued(&lane, Work::SignIn, &noted).await);
        }
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        for task in tasks {
            task.await.unwrap();
        }
        let kinds: Vec<usize> = order.try_iter().map(Work::kind).collect();
        assert_eq!(kinds[..8], [0, 1, 2, 0, 1, 2, 1, 2], "{kinds:?}");
        assert_eq!(kinds.len(), 45);
        assert!(lane.is_idle() && lane.inner.queues().of_principal.is_empty());
    }

    #[tokio::test]
    async fn nobody_fills_a_queue_alone() {
        let lane = lane(1, 40);
        let (go, first) = occupied(&lane).await;
        let (noted, _order) = mpsc::channel();
        let mut tasks = Vec::new();
        for _ in 0..10 {
            tasks.push(queued(&lane, Work::Creation(person(1)), &noted).await);
        }
        assert!(matches!(lane.run(Work::Creation(person(1)), || 3).await, Err(Failure::TooManyAtOnce)));
        tasks.push(queued(&lane, Work::Creation(person(2)), &noted).await);
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(matches!(lane.run(Work::Creation(person(1)), || 3).await, Ok(3)));
    }

    #[tokio::test]
    async fn a_caller_that_leaves_the_queue_takes_no_place() {
        let lane = lane(1, 2);
        let (go, first) = occupied(&lane).await;
        let (noted, order) = mpsc::channel();
        let gone = [queued(&lane, Work::SignIn, &noted).await, queued(&lane, Work::SignIn, &noted).await];
        for task in gone {
            task.abort();
            assert!(task.await.is_err());
        }
        let stays = queued_in_place(&lane, &noted).await;
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        stays.await.unwrap();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [Work::SignIn]);
        assert!(lane.is_idle());
    }

    /// As [`queued`], where those who are gone make room first.
    async fn queued_in_place(lane: &SlowLane, noted: &mpsc::Sender<Work>) -> tokio::task::JoinHandle<()> {
        let (ours, noted) = (lane.clone(), noted.clone());
        let task = tokio::spawn(async move {
            ours.run(Work::SignIn, move || noted.send(Work::SignIn).unwrap()).await.unwrap();
        });
        while waiting(lane) != 1 {
            tokio::task::yield_now().await;
        }
        task
    }

    #[tokio::test]
    async fn a_panic_costs_no_place() {
        let lane = lane(1, 0);
        assert!(matches!(lane.run(Work::SignIn, || panic!("bad hash")).await, Err::<(), _>(Failure::Lost(_))));
        assert!(matches!(lane.run(Work::SignIn, || 1).await, Ok(1)));
    }
}
