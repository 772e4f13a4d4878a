//! The rules, as pure state machines: messages and moments come as arguments.
//!
//! # The rules
//!
//! 1. Each change that takes rights away is written in its transaction into a log whose order, within a shard, is the order
//!    of commit.
//! 2. A node puts itself on the list of nodes, and *then* polls: it notes the moment, reports how far it has applied the log,
//!    reads what is new, applies it, and may answer from memory until [`LEASE`] after the moment it noted
//!    ([`Follower`]).
//! 3. A node answers a change that it made once every node on the list reports that it has applied the entry, in an answer
//!    to a poll sent after the commit, or once [`PATIENCE`] has passed since the commit ([`Waiting`]).
//! 4. A node whose report has not changed for [`PATIENCE`] is taken off the list ([`Peers`]). It finds its row gone, forgets
//!    everything and registers anew.
//! 5. Where commits wait for a standby, which may take the primary's place while that goes on, a lease lasts until [`LEASE`]
//!    after the moment noted before the last commit that the standby has, if that is earlier ([`Proof`]). Without a lease,
//!    nothing is read either. When the server drops its standby, the lease ends, and there is none for [`QUARANTINE`].
//! 6. For [`PATIENCE`] after a node found its database replaced, it waits for the others with every change, and not only with
//!    those that take rights away.
//!
//! # Why no node answers from what was true before a change that was answered
//!
//! Take a node that answers from memory after a change was answered. Its lease comes from a poll. If that poll read the log
//! after the commit, the entry was applied before the lease was taken up. If it read the log before the commit, the moment it
//! noted was before the commit as well, so the lease ends within [`LEASE`] of the commit, by the node's clock, and before
//! [`PATIENCE`] by anybody's: the change was not answered for its time. So it was answered for the list. If the node was on
//! the list, it had applied the entry. If it was not yet, it registered after the list was read, and polled after that. If it
//! was not any more, its last poll before that was noted [`PATIENCE`] before it was taken off, and its lease was over.
//!
//! If the standby took over, the primary before may go on: it cannot tell, and nodes that reach it go on to poll it. Its leases
//! are no danger. A standby ends its connection to the primary before it takes over, so the commit behind a lease was
//! acknowledged, and the moment before it noted, before anything was committed at the new primary: those leases end within
//! [`LEASE`] of that, as if they came from polls that read the log before. The list of the new primary has the nodes that follow
//! the old one, as registrations are commits that the standby has; and what was seen of them there is forgotten with the
//! registration, so that they stay on the list for [`PATIENCE`] from then on. What the old primary is asked in that time is as
//! old as memory: a revocation is not answered yet. A token that was made is, unless that waits as well, as rule 6 has it.
//! None of this holds without a standby that commits wait for, or where two servers can have their commits acknowledged: then
//! acknowledged changes are lost in a failover, with all that was said about them.
//!
//! After a failover that lost entries, other entries get the same numbers. So a report names the history of the database that
//! its numbers belong to, and counts only in that history.
//!
//! An entry counts as applied once everything read before is behind a fence; the crate `fence` argues that part.
//!
//! A node whose memory does not follow from what it applied (it starts, the log lacks entries, the database went back to an
//! earlier state) notes the ends of the log, and *then* forgets all it has read, in this order: what it reads from then on
//! is newer than those ends.
//!
//! # What is assumed
//!
//! Clocks that count seconds since a machine's start, through its sleep, differ in rate by less than 2 %. Nothing is assumed
//! about what time they show.
//!
//! A primary whose commits wait for a standby goes on to wait after that has taken its place, until something tells it to stop
//! waiting and, within [`QUARANTINE`], stops the server too. A commit counts only if the server still named its standby after it.

mod follower;
mod peers;
mod recent;
mod waiting;

pub use follower::{Follower, Forget, News, Proof, Question, Received};
pub use peers::Peers;
pub use recent::Recent;
pub(crate) use waiting::has_applied;
pub use waiting::{Ticket, Waiting};

/// A moment or a time, in nanoseconds of a clock that counts from the machine's start and runs on while it sleeps.
pub type Nanos = i64;

/// The number of these rules. Nodes of two numbers do not serve together.
pub const PROTOCOL: i16 = 1;

/// How long after the moment noted before a poll a node may answer from memory. Five seconds: long enough for a failover of
/// the database to go by unnoticed, short enough for a revocation to wait for.
pub const LEASE: Nanos = 5_000_000_000;

/// [`LEASE`] on the slowest of clocks, as the fastest sees it.
pub const PATIENCE: Nanos = LEASE / 98 * 102 + 1;

/// How long a server that dropped its standby grants no lease. Patroni that is started beside a replaced primary drops the
/// standby about 0.1 s before it stops the server; where it drops one that is lost, the service pauses for so long.
pub const QUARANTINE: Nanos = 3_000_000_000;

/// The most entries of a shard read at once. A node further behind forgets everything, which costs less than to apply them.
pub const MOST_ENTRIES: i64 = 256;
