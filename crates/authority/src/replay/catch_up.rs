//! Adding to the ledger what a crash or a failing disk kept out of it, at a start.

use std::collections::HashSet;
use std::sync::Arc;

use audit_trail::ledger::Entry;
use storage::model::AuditFilter;
use token_domain::{Span, Timestamp};

use super::LedgerError;
use crate::context::Context;
use crate::ledger::{Ledger, kinds};

/// The most events that a start reads for that.
const MOST_CAUGHT_UP: usize = 100_000;
/// How far before the newest entry a start looks.
pub(super) const CATCH_UP: Span = Span::seconds(60);

impl Ledger {
    /// Writes down events that the ledger lacks: a process was killed after their commit, or its disk failed.
    pub(super) async fn catch_up_since(
        &self,
        context: &Arc<Context>,
        since: Timestamp,
        known: &HashSet<[u8; 32]>,
    ) -> Result<(), LedgerError> {
        const PAGE: u32 = 1_000;
        let trails = context.store.read(move |reads| Box::pin(reads.trails_since(since))).await?;
        let (mut missed, mut looked_at) = (0, 0);
        'trails: for trail in trails {
            let mut after = None;
            loop {
                let filter = AuditFilter { from: Some(since), after, ..AuditFilter::chain(trail, 0, PAGE) };
                let events =
                    context.store.read(move |reads| Box::pin(async move { reads.list_audit(&filter).await })).await?;
                let entries = events.iter().filter(|event| !known.contains(&event.hash)).filter_map(kinds::entry);
                let entries: Vec<Entry> = entries.collect();
                if !entries.is_empty() {
                    missed += entries.len();
                    self.catch_up(entries, context.now()).await;
                }
                looked_at += events.len();
                if looked_at >= MOST_CAUGHT_UP {
                    tracing::warn!(
                        since = since.rfc3339_seconds(),
                        looked_at,
                        "the ledger of revocations was not written for long: later changes that it lacks are not looked for"
                    );
                    break 'trails;
                }
                match events.last() {
                    Some(last) if events.len() == PAGE as usize => after = Some(last.seq),
                    Some(_) | None => break,
                }
            }
        }
        if missed > 0 {
            tracing::info!(missed, "changes that had not reached the ledger of revocations were added to it");
        }
        Ok(())
    }
}
