//! The commits that keep the lease of a node whose primary has a standby.

use super::{Shared, lock};
use crate::protocol::Proof;
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::nodes::Witness;
use storage::{StoreError, boottime_nanos};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Between two commits. A fifth of the lease, so that a slow one leaves time for the next; each costs a write to the disks of both
/// servers.
const EVERY: Duration = Duration::from_secs(1);
/// Between two looks for a server that took the primary's place.
const LOOK: Duration = Duration::from_secs(1);

/// A task that commits, until this is dropped.
pub(super) struct Standby {
    task: JoinHandle<()>,
    history: String,
    looked_at: Instant,
    is_missed: bool,
}

impl Standby {
    /// Begins to commit at the server of this history.
    pub(super) fn watch(shared: Arc<Shared>, history: String) -> Self {
        let task = tokio::spawn(commit(shared, history.clone()));
        Self { task, history, looked_at: Instant::now(), is_missed: false }
    }

    /// The history of the server that is committed at.
    pub(super) fn history(&self) -> &str {
        &self.history
    }

    /// Whether another server is to be looked for. Logs the beginning and the end of such a time.
    pub(super) fn is_time_to_look(&mut self, is_cut_off: bool) -> bool {
        if self.is_missed != is_cut_off {
            self.is_missed = is_cut_off;
            if is_cut_off {
                tracing::warn!(
                    "PostgreSQL commits nothing to its standby, which may have taken its place: nothing is answered until it does"
                );
            } else {
                tracing::info!("PostgreSQL commits to its standby again");
            }
        }
        if !is_cut_off || self.looked_at.elapsed() < LOOK {
            return false;
        }
        self.looked_at = Instant::now();
        true
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn commit(shared: Arc<Shared>, history: String) {
    let mut witness: Option<Witness> = None;
    loop {
        if let Err(error) = prove(&shared, &history, &mut witness).await {
            witness = None;
            tracing::debug!(%error, "no commit for the standby");
        }
        sleep(EVERY).await;
    }
}

/// Has the standby take a commit. Nothing limits the time it takes: a server does not notice that its client gave up such a wait, so
/// another try would leave one more connection behind. The connection ends with the session, when that fails.
async fn prove(shared: &Shared, history: &str, witness: &mut Option<Witness>) -> Result<(), StoreError> {
    let known = match witness.take() {
        Some(known) => known,
        None => shared.registry.connect_witness().await?,
    };
    // Of several hosts it may lead to another one.
    if known.history() != history {
        return Ok(());
    }
    let noted_at = boottime_nanos();
    if known.prove().await? {
        *lock(&shared.proof) = Some(Proof { noted_at, history: history.to_owned() });
    }
    *witness = Some(known);
    Ok(())
}
