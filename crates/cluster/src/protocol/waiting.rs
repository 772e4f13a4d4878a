//! Changes that are committed and not yet answered.

use super::{Nanos, PATIENCE};
use storage::model::{LogPlace, RegisteredNode};
use token_domain::id::NodeId;

/// Changes that wait for the other nodes.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    tickets: u64,
    changes: Vec<(Ticket, LogPlace, Nanos)>,
}

/// A change that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

impl Waiting {
    /// Adds a change whose commit became known at `now`. It may be answered at the moment returned, whatever other nodes do.
    pub fn begin(&mut self, place: LogPlace, now: Nanos) -> (Ticket, Nanos) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.changes.push((ticket, place, now));
        (ticket, now + PATIENCE)
    }

    /// Takes the list of an answer to a poll for which this moment was noted. Changes that every node has applied: they may be
    /// answered. A list that was read before a commit says nothing about it: a node may have come since.
    pub fn observe(&mut self, noted_at: Nanos, me: NodeId, list: &[RegisteredNode]) -> Vec<Ticket> {
        let applied = |place: &LogPlace| {
            list.iter().filter(|node| node.record.id != me).all(|node| has_applied(&node.applied, *place))
        };
        let mut done = Vec::new();
        self.changes.retain(|(ticket, place, since)| {
            let is_done = noted_at >= *since && applied(place);
            if is_done {
                done.push(*ticket);
            }
            !is_done
        });
        done
    }

    /// Nobody waits any more: the time is over, or the caller went away.
    pub fn end(&mut self, ticket: Ticket) {
        self.changes.retain(|(waiting, _, _)| *waiting != ticket);
    }

    /// Whether there are any.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Whether a node that has applied so much has applied an entry. One that has reported nothing yet has not.
pub(crate) fn has_applied(applied: &[i64], place: LogPlace) -> bool {
    usize::try_from(place.shard).ok().and_then(|shard| applied.get(shard)).is_some_and(|end| *end >= place.seq)
}

#[cfg(test)]
mod tests {
    use super::super::peers::tests::{id, node};
    use super::*;

    #[test]
    fn a_change_waits_for_every_node_on_a_list_read_after_its_commit() {
        let place = LogPlace { shard: 1, seq: 5 };
        let table: [(Nanos, &[RegisteredNode], bool); 9] = [
            (10, &[], true),
            (10, &[node(1, 0, &[0, 0])], true),
            (9, &[], false),
            (9, &[node(2, 0, &[0, 5])], false),
            (10, &[node(2, 0, &[9, 4])], false),
            (10, &[node(2, 0, &[0, 5])], true),
            (10, &[node(2, 0, &[0, 6]), node(3, 0, &[9, 4])], false),
            (10, &[node(2, 0, &[0, 6]), node(3, 0, &[])], false),
            (11, &[node(2, 0, &[0, 6]), node(3, 0, &[0, 5])], true),
        ];
        for (noted_at, list, is_done) in table {
            let mut waiting = Waiting::default();
            let (ticket, until) = waiting.begin(place, 10);
            assert_eq!(until, 10 + PATIENCE);
            let expected = if is_done { vec![ticket] } else { vec![] };
            assert_eq!(waiting.observe(noted_at, id(1), list), expected, "{noted_at} {list:?}");
            assert_eq!(waiting.is_empty(), is_done);
            waiting.end(ticket);
            assert!(waiting.is_empty());
        }
    }
}
