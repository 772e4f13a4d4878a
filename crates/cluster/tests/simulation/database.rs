//! A database with a standby, as the protocol sees it.

use std::collections::BTreeMap;

use storage::model::{Consistency, LogEntry, LogPlace, NodeRecord, Poll, RegisteredNode, Touched};
use token_domain::Timestamp;
use token_domain::id::{Id, NodeId, Uuid};

/// Tokens of a schedule, and shards of its log.
pub(crate) const TOKENS: usize = 3;
pub(crate) const SHARDS: usize = 2;

/// What is on one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) is_revoked: [bool; TOKENS],
    clocks: [i64; SHARDS],
    log: Vec<LogEntry>,
    nodes: BTreeMap<u128, (i64, Vec<i64>)>,
}

/// A primary, what its synchronous standby has of it, and what a replica that nobody waits for has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    pub(crate) primary: State,
    standby: State,
    replica: State,
    history: u32,
}

/// How a commit waits for the standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// Until the standby has it.
    Durable,
    /// An operator cancelled that wait.
    Cancelled,
}

pub(crate) fn token(number: usize) -> Touched {
    Touched::Token(Id::from_uuid(Uuid::from_u128(u128::try_from(number).unwrap())))
}

pub(crate) fn number_of(touched: Touched) -> usize {
    match touched {
        Touched::Token(id) => usize::try_from(id.uuid().as_u128()).unwrap(),
        Touched::Organization(_) | Touched::Created(_) => panic!("the simulation has tokens only"),
    }
}

pub(crate) fn node_id(number: u128) -> NodeId {
    Id::from_uuid(Uuid::from_u128(number))
}

impl Database {
    /// Everything up to now reaches the standby: its log is in the order of commits.
    pub(crate) fn replicate(&mut self) {
        self.standby = self.primary.clone();
    }

    /// The replica that nobody waits for comes so far.
    pub(crate) fn catch_up(&mut self) {
        self.replicate();
        self.replica = self.primary.clone();
    }

    /// The standby takes over.
    pub(crate) fn fail_over(&mut self) {
        self.primary = self.standby.clone();
        self.history += 1;
    }

    pub(crate) fn history(&self) -> String {
        self.history.to_string()
    }

    /// A token as the replica has it, which may be late.
    pub(crate) fn is_revoked_at_replica(&self, token: usize) -> bool {
        self.replica.is_revoked[token]
    }

    /// Durable.
    pub(crate) fn register(&mut self, node: u128, beat: i64) {
        self.primary.nodes.insert(node, (beat, Vec::new()));
        self.replicate();
    }

    /// Revokes a token, in the name of a node; nothing where the node is not on the list.
    pub(crate) fn revoke(&mut self, node: u128, number: usize, commit: Commit) -> Option<LogPlace> {
        if !self.primary.nodes.contains_key(&node) {
            return None;
        }
        let shard = number % SHARDS;
        self.primary.is_revoked[number] = true;
        self.primary.clocks[shard] += 1;
        let place = LogPlace { shard: i16::try_from(shard).unwrap(), seq: self.primary.clocks[shard] };
        self.primary.log.push(LogEntry { place, touched: token(number), at: Timestamp::EPOCH });
        if commit == Commit::Durable {
            self.replicate();
        }
        Some(place)
    }

    /// The first part of a poll. Not durable.
    pub(crate) fn report(&mut self, node: u128, poll: &Poll) -> bool {
        let is_of_this_history = poll.history.is_empty() || poll.history == self.history();
        match self.primary.nodes.get_mut(&node).filter(|_| is_of_this_history) {
            Some((beat, applied)) if poll.expected.contains(beat) => {
                (*beat, *applied) = (poll.beat, poll.applied.clone());
                true
            }
            Some(_) | None => false,
        }
    }

    pub(crate) fn clocks(&self) -> Vec<i64> {
        self.primary.clocks.to_vec()
    }

    pub(crate) fn entries_beyond(&self, poll: &Poll) -> Vec<LogEntry> {
        let beyond = |entry: &&LogEntry| {
            poll.applied.get(usize::try_from(entry.place.shard).unwrap()).is_some_and(|end| entry.place.seq > *end)
        };
        let mut entries: Vec<LogEntry> = self.primary.log.iter().filter(beyond).copied().collect();
        entries.sort_by_key(|entry| entry.place);
        entries
    }

    pub(crate) fn nodes(&self) -> Vec<RegisteredNode> {
        let node = |(id, (beat, applied)): (&u128, &(i64, Vec<i64>))| RegisteredNode {
            record: NodeRecord {
                id: node_id(*id),
                protocol: cluster::protocol::PROTOCOL,
                version: String::new(),
                migration: String::new(),
                tag_key: String::new(),
                consistency: Consistency::Strict,
                address: None,
            },
            beat: *beat,
            applied: applied.clone(),
            started_at: Timestamp::EPOCH,
            seen_at: Timestamp::EPOCH,
        };
        self.primary.nodes.iter().map(node).collect()
    }

    /// Takes a node off the list if it still has this number. Not durable.
    pub(crate) fn remove(&mut self, node: u128, beat: i64) -> bool {
        if self.primary.nodes.get(&node).is_some_and(|(has, _)| *has == beat) {
            self.primary.nodes.remove(&node);
            return true;
        }
        false
    }
}
