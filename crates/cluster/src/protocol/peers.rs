//! The others on the list: which of them is gone.

use super::{Nanos, PATIENCE};
use std::collections::HashMap;
use storage::model::RegisteredNode;
use token_domain::id::NodeId;

/// What was seen of the other nodes.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    /// The number of each one's last report, and when it was seen first.
    seen: HashMap<NodeId, (i64, Nanos)>,
}

impl Peers {
    /// Takes the list of an answer that arrived now. Nodes to be taken off it, each on condition that it still has this number:
    /// their leases are over, whatever their clocks say.
    pub fn observe(&mut self, now: Nanos, me: NodeId, list: &[RegisteredNode]) -> Vec<(NodeId, i64)> {
        self.seen.retain(|id, _| list.iter().any(|node| node.record.id == *id));
        let mut gone = Vec::new();
        for node in list.iter().filter(|node| node.record.id != me) {
            let (beat, since) = self.seen.entry(node.record.id).or_insert((node.beat, now));
            if *beat != node.beat {
                (*beat, *since) = (node.beat, now);
            } else if now - *since >= PATIENCE {
                gone.push((node.record.id, node.beat));
            }
        }
        gone
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use storage::model::{Consistency, NodeRecord};
    use token_domain::Timestamp;
    use token_domain::id::{Id, Uuid};

    pub(in super::super) fn id(number: u128) -> NodeId {
        Id::from_uuid(Uuid::from_u128(number))
    }

    pub(in super::super) fn node(number: u128, beat: i64, applied: &[i64]) -> RegisteredNode {
        RegisteredNode {
            record: NodeRecord {
                id: id(number),
                protocol: super::super::PROTOCOL,
                version: String::new(),
                migration: String::new(),
                tag_key: String::new(),
                consistency: Consistency::Strict,
                address: None,
            },
            beat,
            applied: applied.to_vec(),
            started_at: Timestamp::EPOCH,
            seen_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_node_is_gone_once_its_report_stood_still_for_the_longest_lease() {
        let mut peers = Peers::default();
        assert_eq!(peers.observe(0, id(1), &[node(1, 0, &[]), node(2, 7, &[])]), []);
        assert_eq!(peers.observe(PATIENCE - 1, id(1), &[node(1, 0, &[]), node(2, 7, &[])]), []);
        assert_eq!(peers.observe(PATIENCE, id(1), &[node(1, 0, &[]), node(2, 7, &[])]), [(id(2), 7)]);
        // It reported after all.
        assert_eq!(peers.observe(PATIENCE + 1, id(1), &[node(2, 8, &[])]), []);
        assert_eq!(peers.observe(2 * PATIENCE, id(1), &[node(2, 8, &[])]), []);
        assert_eq!(peers.observe(2 * PATIENCE + 1, id(1), &[node(2, 8, &[])]), [(id(2), 8)]);
        // Taken off and back under the same number: as if seen for the first time.
        assert_eq!(peers.observe(3 * PATIENCE, id(1), &[]), []);
        assert_eq!(peers.observe(4 * PATIENCE, id(1), &[node(2, 8, &[])]), []);
    }
}
