//! The nodes that share a database, and their places in the log.

use super::LogEntry;
use std::fmt;
use std::str::FromStr;
use token_domain::Timestamp;
use token_domain::id::NodeId;

/// Shards of the log on PostgreSQL. Enough that a hundred changes under way at once seldom wait for each other's clock.
pub const SHARDS: usize = 64;

/// A place in the log: order of `seq` is order of commit within a shard. Shown as `shard.seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogPlace {
    /// From 0, below [`SHARDS`].
    pub shard: i16,
    /// From 1.
    pub seq: i64,
}

/// A text that is not a place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in the log: <shard>.<number>, as in X-Nlp-Revocation-Seq")]
pub struct InvalidLogPlace;

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.shard, self.seq)
    }
}

impl FromStr for LogPlace {
    type Err = InvalidLogPlace;

    fn from_str(text: &str) -> Result<Self, InvalidLogPlace> {
        let (shard, seq) = text.split_once('.').ok_or(InvalidLogPlace)?;
        if ![shard, seq].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(InvalidLogPlace);
        }
        let shard = shard.parse().ok().filter(|shard| usize::try_from(*shard).is_ok_and(|shard| shard < SHARDS));
        let seq = seq.parse().ok().filter(|seq| *seq >= 1);
        Ok(Self { shard: shard.ok_or(InvalidLogPlace)?, seq: seq.ok_or(InvalidLogPlace)? })
    }
}

/// How far a node has followed a log. What it reads afterwards is at least as new as the last of these entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMark {
    /// Which log: of which table, in which database, in which history.
    pub log: String,
    /// Of each shard, the number of the last entry.
    pub ends: Vec<i64>,
}

/// When a change that takes rights away is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Once no node answers from what was true before.
    Strict,
    /// Once it is committed.
    Relaxed,
}

impl Consistency {
    /// As stored and configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Relaxed => "relaxed",
        }
    }

    /// Reads [`as_str`](Self::as_str).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Strict, Self::Relaxed].into_iter().find(|known| known.as_str() == text)
    }
}

/// What a node says of itself when it registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its id, never used before.
    pub id: NodeId,
    /// The rules by which it reads the log and counts leases.
    pub protocol: i16,
    /// The version of the program.
    pub version: String,
    /// The newest migration the program knows.
    pub migration: String,
    /// Which key its tags are made with.
    pub tag_key: String,
    /// When it answers changes.
    pub consistency: Consistency,
    /// Where it is reached, for operators; nothing before it listens, and of an earlier version.
    pub address: Option<String>,
}

/// A node as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredNode {
    /// What it said of itself.
    pub record: NodeRecord,
    /// Another number with each report.
    pub beat: i64,
    /// Of each shard, the number of the last entry it has applied.
    pub applied: Vec<i64>,
    /// When it registered, by the database's clock.
    pub started_at: Timestamp,
    /// When it reported last, by the database's clock.
    pub seen_at: Timestamp,
}

/// A node's report, and its question what is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The number of this report.
    pub beat: i64,
    /// Numbers that the node's row may have: that of the last report that was answered, and that of the last one sent,
    /// whose answer may have been lost.
    pub expected: [i64; 2],
    /// The history of the database whose log was applied; empty before the first answer. A report about another one is not
    /// taken: after a failover the same number may belong to another entry.
    pub history: String,
    /// Of each shard, the number of the last entry applied.
    pub applied: Vec<i64>,
    /// The most new entries wanted of each shard.
    pub limit: i64,
}

/// The answer to a [`Poll`]. Its parts are read one after the other, each later than the moment the poll was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollAnswer {
    /// Whether the report was taken: the node's row was there, with a number it expects, and the history is that one.
    pub is_registered: bool,
    /// The last number of each shard; what is read next holds all entries up to it that are kept.
    pub clocks: Vec<i64>,
    /// Entries beyond what was applied, in order within each shard.
    pub entries: Vec<LogEntry>,
    /// Every registered node.
    pub nodes: Vec<RegisteredNode>,
    /// The database's clock.
    pub now: Timestamp,
    /// Another text after a failover, a promotion or a restore.
    pub history: String,
    /// Whether commits wait for a standby, which may then take the server's place and lose none.
    pub has_standby: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_shown_and_no_other_way() {
        for (shard, seq) in [(0, 1), (63, i64::MAX), (7, 10)] {
            let place = LogPlace { shard, seq };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in
            ["", ".", "1", "1.", ".1", "64.1", "1.0", "-1.1", "1.-1", "+1.1", "1.1.1", " 1.1", "1.9223372036854775808"]
        {
            assert_eq!(text.parse::<LogPlace>(), Err(InvalidLogPlace), "{text:?}");
        }
    }
}
