//! What the database has of a ledger.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use audit_trail::chain::hex;
use audit_trail::ledger::{Entry, Folder};
use storage::model::AuditFilter;
use token_domain::Timestamp;
use token_domain::id::OrganizationId;

use super::LedgerError;
use super::parts::newest;
use crate::context::Context;

/// What a look at the newest entries finds.
pub(super) struct Found {
    /// What tells this database from others; nothing before the deployment is set up.
    pub(super) identity: Option<String>,
    /// When the newest entry was, or when the ledger began that has none.
    pub(super) last: Option<Timestamp>,
    /// The hashes of the newest entries.
    pub(super) hashes: HashSet<[u8; 32]>,
    /// Whether the database has them.
    pub(super) is_whole: bool,
}

/// `waiting` could not be written to the folder.
pub(super) async fn look(context: &Arc<Context>, folder: &Folder, waiting: Vec<Entry>) -> Result<Found, LedgerError> {
    let first = AuditFilter::chain(None, 0, 1);
    let first = context.store.read(move |reads| Box::pin(async move { reads.list_audit(&first).await })).await?;
    let identity = first.first().filter(|event| event.seq == 1).map(|event| hex(&event.hash));
    let mut newest = newest(folder, identity.as_deref())?;
    newest.extend(waiting);
    let unreadable = |error| LedgerError::Unreadable(folder.path().to_owned(), error);
    let last = match newest.iter().map(|entry| entry.at).max() {
        Some(last) => Some(last),
        None => folder.newest_began().map_err(unreadable)?,
    };
    let hashes = newest.iter().map(|entry| entry.hash).collect();
    let is_whole = lost(context, newest).await?.is_empty();
    Ok(Found { identity, last, hashes, is_whole })
}

/// Those of these entries that the database does not have, in their order.
pub(super) async fn lost(context: &Arc<Context>, entries: Vec<Entry>) -> Result<Vec<Entry>, LedgerError> {
    let mut numbers: HashMap<Option<OrganizationId>, Vec<i64>> = HashMap::new();
    for entry in &entries {
        numbers.entry(entry.organization_id).or_default().push(entry.seq);
    }
    let mut there = HashSet::new();
    for (trail, numbers) in numbers {
        let found = context
            .store
            .read(move |reads| Box::pin(async move { reads.hashes_of_events(trail, &numbers).await }))
            .await?;
        there.extend(found.into_iter().map(|(seq, hash)| (trail, seq, hash)));
    }
    let is_lost = |entry: &Entry| !there.contains(&(entry.organization_id, entry.seq, entry.hash.to_vec()));
    Ok(entries.into_iter().filter(is_lost).collect())
}
