//! Many nodes on one database: a revocation that is answered is dead on all of them.
//!
//! [`protocol`] decides, without I/O: what a node does with what the database tells it, how long it may answer from memory,
//! when a change may be answered. [`driver`] carries that out: it sends polls, applies entries, waits. A simulation
//! (`tests/simulation`) runs the protocol under schedules drawn from a seed, and known mistakes with it, each of which it
//! must catch.
//!
//! **Invariant:** this crate knows nothing of HTTP, and nothing of what memory holds: it says which part of it is outdated.

pub mod driver;
pub mod protocol;

pub use driver::{InvalidRedisUrl, JoinError, Kept, Memory, Node, Profile, Redis, RedisStatus, Settled};
