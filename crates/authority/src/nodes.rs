//! The servers that share the database, for operators.

use storage::model::RegisteredNode;
use token_domain::{Span, Timestamp};

use crate::context::Context;
use crate::error::Failure;
use crate::origin::Caller;

/// How long a node may answer from memory after a report.
const LEASE: Span = Span::seconds(5);

impl ListedNode {
    /// What is left of the time for which it may answer from memory, at least; nothing when nobody knows whether it is there.
    pub fn lease_left(&self, now: Timestamp) -> Span {
        Span::micros((LEASE.as_micros() - now.since(self.node.seen_at).as_micros()).max(0))
    }
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
}

/// The scope that an operator has in the organisation of operators.
const OPERATING: &str = "admin";

impl Context {
    /// Whether the caller operates the deployment: has `admin` in the organisation that set-up made, and is bound to nothing
    /// in it.
    ///
    /// # Errors
    /// The store's; a catalogue without that scope.
    pub async fn is_operator(&self, caller: &Caller) -> Result<bool, Failure> {
        let required = self.catalogue.require_all(&[OPERATING]);
        let required = required.map_err(|_| Failure::Inconsistent(format!("the catalogue has no {OPERATING}")))?;
        if required.check(&caller.effective).is_err() || !caller.reaches_whole_organization() {
            return Ok(false);
        }
        let first = self.store.read(|reads| Box::pin(reads.first_made_organization())).await?;
        Ok(first == Some(caller.organization_id))
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
        let listed = |node: RegisteredNode| {
            let applied = node.applied.iter().sum();
            ListedNode { node, applied, behind: all - applied }
        };
        Ok((nodes.into_iter().map(listed).collect(), self.now()))
    }
}
