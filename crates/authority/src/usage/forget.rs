//! Forgetting counts that are older than an operator wants them.

use storage::Store;
use token_domain::usage::Hour;
use token_domain::{Span, Timestamp};

use crate::error::Failure;

/// Hours forgotten in one unit of work.
const FORGOTTEN_AT_ONCE: u32 = 5_000;
/// Units of one call. At one call every ten minutes this keeps up with 800 new hours a second.
const MOST_UNITS: u32 = 100;

/// Forgets counts of hours longer ago than `retention`. A bounded number in bounded steps; the rest is for the next call.
/// Returns how many.
///
/// # Errors
/// An error of the store.
pub async fn forget_old(store: &Store, now: Timestamp, retention: Span) -> Result<usize, Failure> {
    let end = Hour::of(now - retention);
    let mut forgotten = 0;
    for _ in 0..MOST_UNITS {
        let unit = store.write(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(tx.delete_usage_before(end, FORGOTTEN_AT_ONCE).await?) })
        });
        let step = unit.await?;
        forgotten += step;
        if step == 0 {
            break;
        }
    }
    Ok(forgotten)
}
