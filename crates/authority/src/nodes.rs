//! The servers that share the database, for operators.

use std::collections::{BTreeSet, HashMap};

use storage::StoreError;
use storage::model::{Consistency, LogPlace, RegisteredNode};
use token_domain::id::OrganizationId;
use token_domain::{Span, Timestamp};

use crate::context::Context;
use crate::error::Failure;
use crate::origin::Caller;

/// How long a node may answer from memory after a report.
const LEASE: Span = Span::seconds(5);

impl ListedNode {
    /// What is left of the time for which it may answer from memory, at the most; nothing when nobody knows whether it is there.
    pub fn lease_left(&self, now: Timestamp) -> Span {
        Span::micros((LEASE.as_micros() - now.since(self.node.seen_at).as_micros()).max(0))
    }

    /// The age of the oldest change in the log that it has not reported to have applied; nothing when there is none.
    pub fn applied_lag(&self, now: Timestamp) -> Span {
        self.oldest_missing.map_or(Span::micros(0), |at| Span::micros(now.since(at).as_micros().max(0)))
    }
}

/// Whether a change that takes rights away holds on all of these when it is answered, whichever of them answers it.
pub fn is_strict(nodes: &[ListedNode]) -> bool {
    nodes.iter().all(|listed| listed.node.record.consistency == Consistency::Strict)
}

/// A server, as the list has it.
#[derive(Clone, Debug)]
pub struct ListedNode {
    /// What it said of itself, and when it was seen.
    pub node: RegisteredNode,
    /// Entries of the log it has applied.
    pub applied: i64,
    /// Entries that another node has applied and this one had not reported yet.
    pub behind: i64,
    /// When the oldest change was made that it has not reported to have applied.
    pub oldest_missing: Option<Timestamp>,
}

/// The first place of each shard that a node has not reported. Numbers of a shard have no gaps.
fn missing(node: &RegisteredNode) -> impl Iterator<Item = LogPlace> {
    let place = |(shard, applied): (usize, &i64)| Some(LogPlace { shard: shard.try_into().ok()?, seq: applied + 1 });
    node.applied.iter().enumerate().filter_map(place)
}

/// The scope that an operator has in the organisation of operators.
const OPERATING: &str = "admin";

impl Context {
    /// Whether the caller operates the deployment: has `admin` in the organisation of operators, and is bound to nothing in it.
    ///
    /// # Errors
    /// The store's; a catalogue without that scope.
    pub async fn is_operator(&self, caller: &Caller) -> Result<bool, Failure> {
        let required = self.catalogue.require_all(&[OPERATING]);
        let required = required.map_err(|_| Failure::Inconsistent(format!("the catalogue has no {OPERATING}")))?;
        if required.check(&caller.effective).is_err() || !caller.reaches_whole_organization() {
            return Ok(false);
        }
        Ok(self.operators().await? == Some(caller.organization_id))
    }

    /// The organisation of operators: the one that the configuration names, else the one that was made first.
    async fn operators(&self) -> Result<Option<OrganizationId>, StoreError> {
        let Some(slug) = self.policy.operators.clone() else {
            return self.store.read(|reads| Box::pin(reads.first_made_organization())).await;
        };
        let read = self.store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await }));
        Ok(read.await?.map(|organization| organization.id))
    }

    /// Warns where the configuration names an organisation of operators that does not exist.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn check_operators(&self) -> Result<(), Failure> {
        if let (Some(slug), None) = (&self.policy.operators, self.operators().await?) {
            tracing::warn!(
                organization = slug.as_str(),
                "deployment.operator_organization names an organisation that does not exist, so only the service token lists the nodes: correct it, or create the organisation yourself before somebody else does"
            );
        }
        Ok(())
    }

    /// The servers that share the database, in the order they registered in, and the moment. None where one process serves an
    /// SQLite file.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn nodes(&self) -> Result<(Vec<ListedNode>, Timestamp), Failure> {
        let nodes = self.store.read(|reads| Box::pin(reads.list_nodes())).await?;
        let ends: Vec<i64> = nodes.iter().fold(Vec::new(), |mut ends, node| {
            ends.resize(ends.len().max(node.applied.len()), 0);
            ends.iter_mut().zip(&node.applied).for_each(|(end, applied)| *end = (*end).max(*applied));
            ends
        });
        let all: i64 = ends.iter().sum();
        let places: BTreeSet<LogPlace> = nodes.iter().flat_map(missing).collect();
        let places: Vec<LogPlace> = places.into_iter().collect();
        let logged = self.store.read(move |reads| Box::pin(async move { reads.logged_at(&places).await })).await?;
        let logged: HashMap<LogPlace, Timestamp> = logged.into_iter().collect();
        let listed = |node: RegisteredNode| {
            let applied = node.applied.iter().sum();
            let oldest_missing = if node.applied.is_empty() {
                // It has reported nothing yet.
                Some(node.started_at)
            } else {
                missing(&node).filter_map(|place| logged.get(&place).copied()).min()
            };
            ListedNode { node, applied, behind: all - applied, oldest_missing }
        };
        Ok((nodes.into_iter().map(listed).collect(), self.now()))
    }
}
