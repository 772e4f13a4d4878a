//! Removal of executions and idempotency keys past their retention.

use token_domain::Span;

use super::Executions;
use crate::error::Failure;

/// Rows removed in one unit of work: few, so that other writers do not wait long for it.
const AT_ONCE: u32 = 1_000;
/// Units of one call. At one call every ten minutes this keeps up with 80 submissions a second.
const MOST_UNITS: u32 = 50;

impl Executions {
    /// Removes used-up idempotency keys and, where a retention is set, executions older than it. A bounded number of rows
    /// in bounded steps; the rest is for the next call. Returns how many.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn forget_old(&self, retention: Option<Span>) -> Result<usize, Failure> {
        let now = self.context.now();
        let keys_before = now - self.context.policy.idempotency_window;
        let executions_before = retention.map(|span| now - span);
        let mut forgotten = 0;
        for _ in 0..MOST_UNITS {
            let unit = self.context.store.write(move |tx| {
                Box::pin(async move {
                    let keys = tx.delete_execution_keys_before(keys_before, AT_ONCE).await?;
                    let executions = match executions_before {
                        Some(before) => tx.delete_executions_before(before, AT_ONCE).await?,
                        None => 0,
                    };
                    Ok::<_, Failure>(keys + executions)
                })
            });
            let step = unit.await?;
            forgotten += step;
            if step == 0 {
                break;
            }
        }
        Ok(forgotten)
    }
}
