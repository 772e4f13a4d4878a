//! A closure and its caller, as the executors of units of work see them.
//!
//! This code is generic over the closure, so every caller's crate compiles its own copy. To keep those copies small it
//! contains nothing specific to a database.

use crate::error::{OutageKind, StoreError};
use crate::unit::{Afterwards, Tx, Unit};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use tokio::sync::oneshot;

struct Waiting<T, E, F, H> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    afterwards: Vec<Afterwards>,
    in_doubt: Vec<Afterwards>,
    held: H,
    caller: oneshot::Sender<Result<T, E>>,
}

/// The unit, and where its answer arrives. `held` is dropped when the unit is over, before the answer is sent.
pub(super) fn unit<T, E, F, H>(held: H, work: F) -> (Box<dyn Unit>, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    H: Send + 'static,
{
    let (caller, answer) = oneshot::channel();
    (
        Box::new(Waiting {
            work: Some(work),
            result: None,
            afterwards: Vec::new(),
            in_doubt: Vec::new(),
            held,
            caller,
        }),
        answer,
    )
}

/// The unit's result. An error if the thread or task that ran the unit ended in the middle of it.
pub(super) fn arrived<T, E: From<StoreError>>(answer: Result<Result<T, E>, oneshot::error::RecvError>) -> Result<T, E> {
    answer.unwrap_or_else(|_| Err(StoreError::outage(OutageKind::Lost, "how the unit of work ended is unknown").into()))
}

impl<T, E, F, H> Unit for Waiting<T, E, F, H>
where
    T: Send,
    E: From<StoreError> + Send,
    F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send,
    H: Send,
{
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            let ran = AssertUnwindSafe(async { settled(work(tx).await, tx) }).catch_unwind().await;
            let result = ran.unwrap_or_else(|_panic| Err(panicked().into()));
            let keep = result.is_ok();
            (self.afterwards, self.in_doubt) = tx.take_afterwards();
            self.result = Some(result);
            keep
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let is_in_doubt = committed.as_ref().is_err_and(StoreError::is_lost_connection)
            && self.result.as_ref().is_some_and(Result::is_ok);
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Broken("a unit of work was not run".to_owned()).into()),
            (Err(error), _) => Err(error.into()),
        };
        if result.is_ok() {
            self.afterwards.into_iter().for_each(|act| act());
        }
        if result.is_ok() || is_in_doubt {
            self.in_doubt.into_iter().for_each(|act| act());
        }
        drop(self.held);
        // A caller that went away wanted the work done, not the answer.
        drop(self.caller.send(result));
    }
}

/// The outcome of a unit. A success after a failed operation counts as the failure.
fn settled<T, E: From<StoreError>>(result: Result<T, E>, tx: &Tx) -> Result<T, E> {
    result.and_then(|value| tx.check().map(|()| value).map_err(E::from))
}

fn panicked() -> StoreError {
    StoreError::Broken("a unit of work panicked and was rolled back".to_owned())
}
