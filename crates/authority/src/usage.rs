//! Uses of tokens, gathered in memory and written down in batches: no request ever waits for a write.
//!
//! A use is an addition to a counter in the token's entry. It is written down with the next flush, into the hour of the
//! flush; a flush that fails keeps what it has for the next one, and a clean stop ends with one.

use std::sync::{Arc, Mutex, PoisonError};

use storage::Store;
use storage::model::{TokenCount, TokenUse};
use token_domain::usage::{Hour, UseCounts};
use token_domain::{Span, Timestamp};

use crate::context::Context;
use crate::error::Failure;
use crate::validate::Entry;

/// Tokens whose uses are written down in one unit of work, so that nobody waits long behind it.
const AT_ONCE: usize = 2_000;
/// Hours forgotten in one unit of work.
const FORGOTTEN_AT_ONCE: u32 = 5_000;
/// Units of one call. At one call every ten minutes this keeps up with 800 new hours a second.
const MOST_UNITS: u32 = 100;

/// The kinds of uses that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// The token was found good.
    Allowed,
    /// It was found good, and lacked a scope that was asked for.
    Insufficient,
    /// It is known and was refused.
    Denied,
}

impl UseKind {
    /// Every kind, in the order of the counters.
    pub const ALL: [Self; 3] = [Self::Allowed, Self::Insufficient, Self::Denied];
}

/// Entries used since the last flush. Each stands here at most once, however often it was used.
#[derive(Debug, Default)]
pub struct Uses {
    queue: Mutex<Vec<Arc<Entry>>>,
}

impl Uses {
    /// Notes a use.
    pub(crate) fn note(&self, entry: &Arc<Entry>, kind: UseKind, now: Timestamp) {
        if entry.note(kind, now) {
            self.push([Arc::clone(entry)]);
        }
    }

    /// Writes down everything noted so far; how many tokens were used. What cannot be written is kept for the next time.
    ///
    /// # Errors
    /// The store's.
    pub async fn flush(&self, context: &Context) -> Result<usize, Failure> {
        let mut left = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        // In one order everywhere, so that nodes that flush at once wait for each other instead of deadlocking.
        left.sort_unstable_by_key(|entry| entry.token_id());
        let (mut written, hour) = (0, Hour::of(context.now()));
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(AT_ONCE));
            let part = std::mem::replace(&mut left, rest);
            match self.write(&context.store, part, hour).await {
                Ok(count) => written += count,
                Err(error) => {
                    // Those that were not tried still count as queued.
                    self.push(left);
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    async fn write(&self, store: &Store, entries: Vec<Arc<Entry>>, hour: Hour) -> Result<usize, Failure> {
        let (mut uses, mut counts) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        let taken: Vec<(UseCounts, Arc<Entry>)> = entries
            .into_iter()
            .map(|entry| {
                let (last_used_at, noted) = entry.take_uses();
                let token_id = entry.token_id();
                uses.extend(last_used_at.map(|last_used_at| TokenUse { token_id, last_used_at }));
                if !noted.is_empty() {
                    counts.push(TokenCount { token_id, hour, counts: noted });
                }
                (noted, entry)
            })
            .collect();
        let count = counts.len();
        let unit = store.write(move |tx| {
            Box::pin(async move {
                tx.record_uses(&uses).await?;
                Ok::<_, Failure>(tx.add_counts(&counts).await?)
            })
        });
        if let Err(error) = unit.await {
            self.push(taken.into_iter().filter(|(noted, entry)| entry.return_uses(*noted)).map(|(_, entry)| entry));
            return Err(error);
        }
        Ok(count)
    }

    fn push(&self, entries: impl IntoIterator<Item = Arc<Entry>>) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
    }
}

/// Forgets counts of hours longer ago than `retention`. A bounded number in bounded steps; the rest is for the next call.
/// Returns how many.
///
/// # Errors
/// The store's.
pub async fn forget_old(context: &Context, retention: Span) -> Result<usize, Failure> {
    let end = Hour::of(context.now() - retention);
    let mut forgotten = 0;
    for _ in 0..MOST_UNITS {
        let unit = context.store.write(move |tx| {
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
