//! A unit of work: one transaction, its log entries and its fences, which nothing that happens to the request can cut
//! in half.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, join};
use storage::model::{LogPlace, Touched};
use storage::{Store, Tx};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TokenId};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::env::Lease;
use crate::error::Failure;
use crate::fence::{Armed, Fences};
use crate::ledger::Ledger;

/// Runs units of work in the store, where they outlive the request, and its worker, that began them; and what else must
/// not end with a request, on a runtime of its own.
#[derive(Clone)]
pub struct Units {
    store: Store,
    fences: Arc<Fences>,
    lease: Arc<dyn Lease>,
    ledger: Option<Ledger>,
    runtime: Handle,
    tracker: TaskTracker,
}

/// What a unit touches, collected before and while it runs. Clones share the list.
#[derive(Clone, Debug)]
pub struct Touching {
    armed: Arc<Mutex<(Armed, Vec<Touched>)>>,
}

/// Up to this many tokens are fenced one by one. Beyond it the whole organisation is fenced, which costs one entry in the
/// log and one more read of each of its remembered tokens.
pub(crate) const FENCED_SINGLY: usize = 128;

/// How many are looked up at the most: one more shows that there are too many, however many there are.
pub(crate) const TOO_MANY: u32 = 129;

const _: () = assert!(TOO_MANY as usize == FENCED_SINGLY + 1);

impl Touching {
    /// Adds tokens of an organisation one by one. Adds the whole organisation instead if there are more than
    /// [`FENCED_SINGLY`], or if there were too many to look up (`None`).
    pub(crate) fn touch_tokens(&self, organization: OrganizationId, tokens: Option<Vec<TokenId>>) {
        match tokens.filter(|tokens| tokens.len() <= FENCED_SINGLY) {
            Some(tokens) => tokens.into_iter().for_each(|token| self.touch(Touched::Token(token))),
            None => self.touch(Touched::Organization(organization)),
        }
    }

    /// Adds something that loses rights by this unit, or that the unit creates. Call it before the unit commits.
    pub fn touch(&self, touched: Touched) {
        let mut list = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        list.0.touch(touched);
        list.1.push(touched);
    }

    /// What the unit takes rights from.
    pub(crate) fn taken_from(&self) -> Vec<Touched> {
        self.list().into_iter().filter(|touched| !matches!(touched, Touched::Created(_))).collect()
    }

    fn list(&self) -> Vec<Touched> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl Units {
    /// Units against a store, run on `runtime`.
    pub fn new(
        store: Store,
        fences: Arc<Fences>,
        lease: Arc<dyn Lease>,
        ledger: Option<Ledger>,
        runtime: Handle,
    ) -> Self {
        Self { store, fences, lease, ledger, runtime, tracker: TaskTracker::new() }
    }

    /// An empty list of what the next unit touches.
    pub fn touching(&self) -> Touching {
        Touching { armed: Arc::new(Mutex::new((self.fences.arm(), Vec::new()))) }
    }

    /// Runs one transaction to its end. What it touched is logged in the same transaction; the fences rise after the
    /// commit and before this returns, also when the commit's outcome is unknown. What takes rights away then holds on every
    /// other node as well, and is in the ledger, before this returns.
    ///
    /// # Errors
    /// What `work` returned, in which case nothing was changed, or a failure of the store.
    pub async fn run<T, E, F>(&self, at: Timestamp, touching: Touching, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        Ok(self.run_placed(at, touching, work).await?.0)
    }

    /// As [`run`](Self::run), with the place of the change in the log.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_placed<T, E, F>(
        &self,
        at: Timestamp,
        touching: Touching,
        work: F,
    ) -> Result<(T, Option<LogPlace>), E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let logged = touching.clone();
        let ledger = self.ledger.clone();
        // The unit drops the last clone of the list after its commit. That raises the fences, even if no caller still waits
        // for the answer, and `drain` waits for it.
        let result: Result<_, Ended<E>> = self
            .store
            .write_holding((touching, self.tracker.token()), move |tx| {
                Box::pin(async move {
                    if ledger.is_some() {
                        tx.keep_events();
                    }
                    let value = work(tx).await.map_err(Ended)?;
                    let touched = logged.list();
                    let entries = touched.len();
                    // No node has seen the secret of a new token yet, so no node remembers an answer about it.
                    let takes_away = touched.iter().any(|touched| !matches!(touched, Touched::Created(_)));
                    let logged = tx.append_log(touched, at).await?;
                    let written = ledger.and_then(|ledger| ledger.follow(tx, at));
                    Ok((value, logged, entries, takes_away, written))
                })
            })
            .await;
        let (value, logged, entries, takes_away, written) = result.map_err(|Ended(error)| error)?;
        let place = logged.place();
        // The other nodes and the disk of the ledger are waited for at the same time.
        let settled = async {
            if let Some(place) = place {
                self.lease.committed(place, entries);
                if takes_away || self.lease.is_moving() {
                    self.lease.settled(place).await;
                }
            }
        };
        let written = async {
            if let Some(written) = written {
                // A ledger that cannot be written says so by itself. What is committed is done.
                written.await.ok();
            }
        };
        join(settled, written).await;
        Ok((value, place))
    }

    /// Starts something in the background that must be finished before the process ends.
    pub fn spawn<F>(&self, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn_on(work, &self.runtime);
    }

    /// Starts something in the background that may be cut off when the process ends.
    pub fn spawn_to_be_cut_off<F>(&self, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.runtime.spawn(work);
    }

    /// Whether the process is ending.
    pub fn is_draining(&self) -> bool {
        self.tracker.is_closed()
    }

    /// Waits for every unit that was begun. No unit may be begun afterwards.
    pub async fn drain(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// The error a transaction ends with, so that a store failure becomes one of ours on the way out.
struct Ended<E>(E);

impl<E: From<Failure>> From<storage::StoreError> for Ended<E> {
    fn from(error: storage::StoreError) -> Self {
        Self(E::from(Failure::Store(error)))
    }
}
