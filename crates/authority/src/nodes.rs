//! The servers that share the database, for operators.

use storage::model::RegisteredNode;
use token_domain::Timestamp;

use crate::context::Context;
use crate::error::Failure;

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

impl Context {
    /// The servers that share the database, in the order they registered in, and the moment. None where one process serves an
    /// SQLite file.
    ///
    /// # Errors
    /// The store's.
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
