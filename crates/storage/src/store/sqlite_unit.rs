//! A closure and its caller, as the SQLite writer sees them.

use super::{panicked, settled};
use crate::backend::sqlite::Unit;
use crate::error::StoreError;
use crate::unit::{Afterwards, Tx};
use futures::executor::block_on;
use futures::future::BoxFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

struct Waiting<T, E, F, H> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    afterwards: Vec<Afterwards>,
    held: H,
    caller: oneshot::Sender<Result<T, E>>,
}

/// The unit to queue, and where its answer arrives. `held` is dropped when the unit is over, before the answer is sent.
pub(super) fn unit<T, E, F, H>(held: H, work: F) -> (Box<dyn Unit>, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    H: Send + 'static,
{
    let (caller, answer) = oneshot::channel();
    (Box::new(Waiting { work: Some(work), result: None, afterwards: Vec::new(), held, caller }), answer)
}

impl<T, E, F, H> Unit for Waiting<T, E, F, H>
where
    T: Send,
    E: From<StoreError> + Send,
    F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send,
    H: Send,
{
    fn run(&mut self, tx: &mut Tx) -> bool {
        let Some(work) = self.work.take() else { return false };
        let ran = catch_unwind(AssertUnwindSafe(|| settled(block_on(work(tx)), tx)));
        let result = ran.unwrap_or_else(|_| Err(panicked().into()));
        let keep = result.is_ok();
        self.afterwards = tx.take_afterwards();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Broken("a unit of work was not run".to_owned()).into()),
            (Err(error), _) => Err(error.into()),
        };
        if result.is_ok() {
            for act in self.afterwards {
                act();
            }
        }
        drop(self.held);
        // A caller that went away wanted the work done, not the answer.
        drop(self.caller.send(result));
    }
}
