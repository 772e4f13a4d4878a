//! Uses of tokens, gathered in memory and written down in batches: no request ever waits for a write.

use std::sync::{Arc, Mutex, PoisonError};

use storage::Store;
use storage::model::TokenUse;
use token_domain::Timestamp;

use crate::error::Failure;
use crate::validate::Entry;

/// Entries used since the last flush. Each stands here at most once, however often it was used.
#[derive(Debug, Default)]
pub struct Uses {
    queue: Mutex<Vec<Arc<Entry>>>,
}

impl Uses {
    /// Notes a use.
    pub(crate) fn note(&self, entry: &Arc<Entry>, now: Timestamp) {
        if entry.note_use(now) {
            self.push(Arc::clone(entry));
        }
    }

    /// Writes down everything noted so far. What cannot be written is kept for the next time.
    ///
    /// # Errors
    /// The store's.
    pub async fn flush(&self, store: &Store) -> Result<usize, Failure> {
        let entries = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        if entries.is_empty() {
            return Ok(0);
        }
        let taken: Vec<_> = entries.into_iter().map(|entry| (entry.take_uses(), entry)).collect();
        let uses: Vec<TokenUse> = taken
            .iter()
            .filter_map(|((last_used_at, _), entry)| {
                last_used_at.map(|last_used_at| TokenUse { token_id: entry.credential().token_id, last_used_at })
            })
            .collect();
        let count = uses.len();
        let written =
            store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.record_uses(&uses).await?) })).await;
        if let Err(error) = written {
            for ((_, uses), entry) in taken {
                if entry.return_uses(uses) {
                    self.push(entry);
                }
            }
            return Err(error);
        }
        Ok(count)
    }

    fn push(&self, entry: Arc<Entry>) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}
