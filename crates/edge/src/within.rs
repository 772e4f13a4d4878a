//! A timeout that creates a timer only if the work is not done at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// The output of `work`, if it is ready at the first or second poll.
///
/// The framework hands a request on before it has read a body that came in the same packet, so work that waits for the
/// body is ready at the second poll, not at the first.
pub(super) async fn soon<F: Future + Unpin>(work: &mut F) -> Option<F::Output> {
    let mut looked = false;
    let looking = poll_fn(|cx| match Pin::new(&mut *work).poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if looked => Poll::Ready(None),
        Poll::Pending => {
            looked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    looking.await
}

/// The output of `work`, if it is ready in time. Work that is ready [`soon`] gets no timer, which would cost each
/// request more than finding its token.
pub(super) async fn within<F: Future + Unpin>(time: Duration, mut work: F) -> Option<F::Output> {
    match soon(&mut work).await {
        Some(done) => Some(done),
        // Boxed: the timeout would enlarge the future, which is moved, of every request that needs no timer.
        None => Box::pin(tokio::time::timeout(time, work)).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Ready at the poll with this number.
    fn after(looks: u32, seen: &Cell<u32>) -> impl Future<Output = u32> + Unpin {
        poll_fn(move |cx| {
            seen.set(seen.get() + 1);
            if seen.get() == looks {
                return Poll::Ready(looks);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[actix_web::test]
    async fn what_is_done_in_time_comes_through() {
        for looks in 1..=5 {
            let seen = Cell::new(0);
            assert_eq!(within(Duration::from_mins(1), after(looks, &seen)).await, Some(looks));
            assert_eq!(seen.get(), looks);
        }
    }

    #[actix_web::test]
    async fn what_is_not_is_given_up() {
        assert_eq!(within(Duration::from_millis(1), std::future::pending::<()>()).await, None);
    }

    /// Without a runtime, whose timers would panic.
    #[test]
    fn two_looks_need_no_timer() {
        for looks in 1..=2 {
            let done = futures::executor::block_on(within(Duration::from_mins(1), after(looks, &Cell::new(0))));
            assert_eq!(done, Some(looks));
        }
    }
}
